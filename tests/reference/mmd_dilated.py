"""Magnetic mirror descent with dilated entropy, by recursion over a player's own infosets.

Source: Sokota et al. 2023, appendix C [source]. With sigma the policies, g(I, a) the payoffs of the leaves whose last
own action is a at I, times the probabilities of chance and the opponent, and c(I, a) = (eta g(I, a) + ln sigma(I, a)) /
(1 + eta alpha), the new policy maximises over plans of the player sum c x - psi(x), psi the dilated entropy:

    V(I)         = max_s sum_a s_a (c(I, a) + sum of V at the infosets right after a) - sum_a s_a ln s_a
    sigma'(I, .)   the maximiser

The maximum of <v, s> - sum s ln s is ln sum e^v, at s proportional to e^v. The infosets right after (I, a) are found by
walking over histories; nothing is in sequence form.
"""

from __future__ import annotations

import math
from typing import Any

from tests.reference.cfr import Table, Tree, uniform

Last = tuple[int, int] | None


class MMDDilated:
    """Attributes: sigma, the policies; g, payoffs of leaves of one pass; after, infosets right after (I, a)."""

    def __init__(
        self, game: Any, first: Table | None = None, *, eta: float = 0.0, alpha: float = 0.1, largest: float = 1.0,
        alternate: int = 0, schedule: int = 0,
    ) -> None:  # fmt: skip
        self.tree = Tree(game)
        self.sigma = uniform(game) if first is None else [list(row) for row in first]
        self.first, self.schedule, self.t, self.alternate = (eta or alpha / largest**2, alpha), schedule, 0, alternate
        self.eta, self.alpha = self.first
        self.g = self.tree.zeros()
        self.after: dict[tuple[int, Last], list[int]] = {}
        self.walk(0, 1.0, (1.0, 1.0), (None, None))

    def walk(self, node: int, chi: float, x: tuple[float, float], last: tuple[Last, Last]) -> None:
        """Adds the leaves below a history to g; notes which infosets come after which own action."""
        game, children = self.tree.game, self.tree.below[node]
        mover = int(game.mover[node])
        if not children:
            for i in (0, 1):
                own = last[i]
                if own is not None:
                    self.g[own[0]][own[1]] += chi * x[1 - i] * float(game.payoff[node, i])
        elif mover == -1:
            for n in children:
                self.walk(n, chi * float(game.chance[n]), x, last)
        else:
            info = int(game.infoset[node])
            known = self.after.setdefault((mover, last[mover]), [])
            if info not in known:
                known.append(info)
            for a, (p, n) in enumerate(zip(self.sigma[info], children, strict=True)):
                if mover == 0:
                    self.walk(n, chi, (x[0] * p, x[1]), ((info, a), last[1]))
                else:
                    self.walk(n, chi, (x[0], x[1] * p), (last[0], (info, a)))

    def best(self, player: int, info: int, new: Table) -> float:
        """V of an infoset; writes the maximisers there and below."""
        values = []
        for a, p in enumerate(self.sigma[info]):
            c = (self.eta * self.g[info][a] + math.log(p)) / (1.0 + self.eta * self.alpha)
            values.append(c + sum(self.best(player, j, new) for j in self.after.get((player, (info, a)), [])))
        top = max(values)
        total = top + math.log(sum(math.exp(v - top) for v in values))
        new[info] = [math.exp(v - total) for v in values]
        return total

    def step(self) -> None:
        """One iteration: of both players at once, or of player 0 and then of player 1."""
        self.t += 1
        self.eta, self.alpha = (x / math.sqrt(self.t) if self.schedule else x for x in self.first)
        for players in ((0,), (1,)) if self.alternate else ((0, 1),):
            self.g = self.tree.zeros()
            self.walk(0, 1.0, (1.0, 1.0), (None, None))
            new = [list(row) for row in self.sigma]
            for player in players:
                for info in self.after.get((player, None), []):
                    self.best(player, info, new)
            self.sigma = new
