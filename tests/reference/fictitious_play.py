"""Fictitious play in extensive form by recursion over histories.

Source: Heinrich, Lanctot, Silver 2015 [recalled]. sigma is the average policy, b a best response of each player to it;
the mixture with stepsize alpha = 1 / (t + 1) is, at an infoset that is reached by x_b under b and x under sigma,

    sigma' = sigma + alpha x_b (b - sigma) / ((1 - alpha) x + alpha x_b)
"""

from __future__ import annotations

from typing import Any

from tests.reference.cfr import Table, Tree, uniform


class FictitiousPlay:
    """Attributes: sigma, the average policies; reply, best responses to the sigma before; worth, values of actions."""

    def __init__(self, game: Any, first: Table | None = None) -> None:
        self.tree, self.t = Tree(game), 0
        self.sigma = uniform(game) if first is None else first
        self.reply, self.worth = self.tree.zeros(), self.tree.zeros()

    def reach(self, node: int, player: int, table: Table) -> float:
        """Probability that the moves of `player` lead to a history."""
        game, out = self.tree.game, 1.0
        while node:
            before = int(game.parent[node])
            if game.mover[before] == player:
                out *= table[game.infoset[before]][game.action[node]]
            node = before
        return out

    def others(self, node: int, player: int) -> float:
        """Probability that chance and the opponent lead to a history."""
        game, out, at = self.tree.game, self.reach(node, 1 - player, self.sigma), node
        while at:
            out *= float(game.chance[at])
            at = int(game.parent[at])
        return out

    def value(self, node: int, player: int) -> float:
        """What a best response of `player` earns from a history on."""
        game, children = self.tree.game, self.tree.below[node]
        if not children:
            return float(game.payoff[node, player])
        if game.mover[node] == player:
            return self.value(children[self.best(int(game.infoset[node]))], player)
        if game.mover[node] == -1:
            return sum(float(game.chance[n]) * self.value(n, player) for n in children)
        policy = self.sigma[game.infoset[node]]
        return float(sum(p * self.value(n, player) for p, n in zip(policy, children, strict=True)))

    def best(self, info: int) -> int:
        """The first best action of an infoset, found once an iteration."""
        if info not in self.found:
            game = self.tree.game
            player = int(game.infoset_player[info])
            nodes = [n for n in range(game.N) if game.infoset[n] == info]
            for a in range(len(self.sigma[info])):
                self.worth[info][a] = sum(
                    self.others(n, player) * self.value(self.tree.below[n][a], player) for n in nodes
                )
            self.found[info] = self.worth[info].index(max(self.worth[info]))
        return self.found[info]

    def respond(self) -> None:
        """Best responses of both players."""
        self.found: dict[int, int] = {}
        for info in range(len(self.sigma)):
            a = self.best(info)
            self.reply[info] = [float(k == a) for k in range(len(self.sigma[info]))]

    def mix(self) -> None:
        """The average with the replies."""
        self.t += 1
        game, alpha = self.tree.game, 1.0 / (self.t + 1.0)
        new = []
        for info, sigma in enumerate(self.sigma):
            node = next(n for n in range(game.N) if game.infoset[n] == info)
            player = int(game.infoset_player[info])
            x, x_b = self.reach(node, player, self.sigma), self.reach(node, player, self.reply)
            share = alpha * x_b / ((1.0 - alpha) * x + alpha * x_b)
            new.append([p + share * (b - p) for p, b in zip(sigma, self.reply[info], strict=True)])
        self.sigma = new
