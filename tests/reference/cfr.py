"""Counterfactual regret minimisation by recursion over histories.

Source: Zinkevich, Johanson, Bowling, Piccione 2007, section 3 [recalled]. With sigma the behavioural policies, i the
mover at history h, chi, x_0, x_1 the probabilities that chance and the players lead to h:

    regret(I, a)  += sum_{h in I} chi(h) x_{-i}(h) (u_i(h a) - u_i(h))
    weights(I, a) += x_i(I) sigma(I, a)
    sigma(I, .)    proportional to [regret]^+, uniform where none is positive

A table is a list of lists, by infoset and action; nothing is in sequence form.
"""

from __future__ import annotations

from typing import Any

Table = list[list[float]]


def uniform(game: Any) -> Table:
    """All actions alike."""
    return [[1.0 / n] * int(n) for n in game.infoset_actions]


def normalised(weights: list[float]) -> list[float]:
    """Proportional to weights; uniform where they are all 0."""
    total = sum(weights)
    return [w / total for w in weights] if total > 0.0 else [1.0 / len(weights)] * len(weights)


class Tree:
    """A game's nodes with their children, for recursion."""

    def __init__(self, game: Any) -> None:
        self.game, self.below = game, [[] for _ in range(game.N)]  # type: ignore[var-annotated]
        for node in range(1, game.N):
            self.below[game.parent[node]].append(node)
        for children in self.below:
            children.sort(key=lambda n: int(game.action[n]))

    def zeros(self) -> Table:
        """A table of zeros."""
        return [[0.0] * int(n) for n in self.game.infoset_actions]


class CFR:
    """Attributes: sigma, the policies; regret; weights of the average; gain, regrets of one pass; own, own reach."""

    def __init__(self, game: Any, first: Table | None = None) -> None:
        self.tree, self.t = Tree(game), 0
        self.sigma = uniform(game) if first is None else first
        self.regret, self.weights = self.tree.zeros(), self.tree.zeros()
        self.gain, self.own = self.tree.zeros(), [0.0] * game.infosets

    def walk(self, node: int, chi: float, x: tuple[float, float]) -> tuple[float, float]:
        """Expected payoffs of both players from a history on; adds its share to `gain`."""
        game = self.tree.game
        mover, children = int(game.mover[node]), self.tree.below[node]
        if not children:
            return float(game.payoff[node, 0]), float(game.payoff[node, 1])
        if mover == -1:
            found = [(float(game.chance[n]), self.walk(n, chi * float(game.chance[n]), x)) for n in children]
            return sum(p * u[0] for p, u in found), sum(p * u[1] for p, u in found)
        info = int(game.infoset[node])
        self.own[info] = x[mover]
        values = []
        for p, n in zip(self.sigma[info], children, strict=True):
            values.append(self.walk(n, chi, (x[0] * p, x[1]) if mover == 0 else (x[0], x[1] * p)))
        here = tuple(sum(p * u[k] for p, u in zip(self.sigma[info], values, strict=True)) for k in (0, 1))
        for a, u in enumerate(values):
            self.gain[info][a] += chi * x[1 - mover] * (u[mover] - here[mover])
        return here[0], here[1]

    def look(self) -> None:
        """`gain` and `own` under the present policies."""
        self.gain = self.tree.zeros()
        self.walk(0, 1.0, (1.0, 1.0))

    def weigh(self, info: int, weight: float) -> None:
        """The present policy of an infoset enters the average."""
        for a, p in enumerate(self.sigma[info]):
            self.weights[info][a] += weight * self.own[info] * p

    def step(self) -> None:
        """One iteration of both players at once."""
        self.t += 1
        self.look()
        for info in range(len(self.sigma)):
            self.weigh(info, 1.0)
            self.regret[info] = [r + g for r, g in zip(self.regret[info], self.gain[info], strict=True)]
            self.sigma[info] = normalised([max(r, 0.0) for r in self.regret[info]])

    def average(self) -> Table:
        """The average policy."""
        return [normalised(w) for w in self.weights]
