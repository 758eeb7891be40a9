"""Magnetic mirror descent with action values, by recursion over histories.

Source: Sokota et al. 2023, equation 12 and appendix [source]. With sigma the behavioural policies, i the mover at
history h, chi, x_0, x_1 the probabilities that chance and the players lead to h, u_i(h a) expected payoffs under sigma:

    q(I, a)     = sum_{h in I} chi(h) x_{-i}(h) u_i(h a) / sum_{h in I} chi(h) x_{-i}(h)
    sigma(I, a)   proportional to [sigma(I, a) rho(I, a)^(alpha eta) e^(eta q(I, a))]^(1 / (1 + alpha eta))
    rho           proportional to rho^(1 - r) sigma^r, if the magnet moves at rate r

eta and alpha may fall with 1/sqrt(t), and eta may be times x_i(I). Tables are lists of lists, by infoset and action.
"""

from __future__ import annotations

import math
from typing import Any

from tests.reference.cfr import Table, Tree, normalised, uniform


class MMD:
    """Attributes: sigma, the policies; rho, the magnet; q, values of the last pass; own, own reach of infosets."""

    def __init__(
        self, game: Any, first: Table | None = None, *, eta: float = 0.1, alpha: float = 1.0, schedule: int = 0,
        magnet: float = 0.0, weighted: int = 0, alternate: int = 0,
    ) -> None:  # fmt: skip
        self.tree, self.t = Tree(game), 0
        self.sigma = uniform(game) if first is None else [list(row) for row in first]
        self.rho = uniform(game)
        self.eta, self.alpha, self.schedule, self.rate, self.weighted = eta, alpha, schedule, magnet, weighted
        self.alternate = alternate
        self.q, self.own, self.mass = self.tree.zeros(), [0.0] * game.infosets, [0.0] * game.infosets

    def walk(self, node: int, chi: float, x: tuple[float, float]) -> tuple[float, float]:
        """Expected payoffs of both players from a history on; adds its share to q and mass."""
        game = self.tree.game
        mover, children = int(game.mover[node]), self.tree.below[node]
        if not children:
            return float(game.payoff[node, 0]), float(game.payoff[node, 1])
        if mover == -1:
            found = [(float(game.chance[n]), self.walk(n, chi * float(game.chance[n]), x)) for n in children]
            return sum(p * u[0] for p, u in found), sum(p * u[1] for p, u in found)
        info = int(game.infoset[node])
        self.own[info] = x[mover]
        self.mass[info] += chi * x[1 - mover]
        total = [0.0, 0.0]
        for a, (p, n) in enumerate(zip(self.sigma[info], children, strict=True)):
            u = self.walk(n, chi, (x[0] * p, x[1]) if mover == 0 else (x[0], x[1] * p))
            self.q[info][a] += chi * x[1 - mover] * u[mover]
            total = [total[0] + p * u[0], total[1] + p * u[1]]
        return total[0], total[1]

    def look(self) -> None:
        """q, own reach and mass under the present policies."""
        self.q, self.mass = self.tree.zeros(), [0.0] * len(self.sigma)
        self.walk(0, 1.0, (1.0, 1.0))
        self.q = [[v / m for v in row] if m > 0.0 else row for row, m in zip(self.q, self.mass, strict=True)]

    def sizes(self, info: int) -> tuple[float, float]:
        """eta and alpha eta at an infoset."""
        fall = math.sqrt(self.t) if self.schedule else 1.0
        eta = self.eta / fall * (self.own[info] if self.weighted else 1.0)
        return eta, self.alpha / fall * eta

    def update(self, info: int) -> None:
        """The new policy, and the new magnet."""
        (eta, pull), q = self.sizes(info), self.q[info]
        top = max(q)
        pairs = zip(self.sigma[info], self.rho[info], q, strict=True)
        self.sigma[info] = normalised(
            [(s * r**pull * math.exp(eta * (v - top))) ** (1 / (1 + pull)) for s, r, v in pairs]
        )
        if self.rate > 0.0:
            moved = zip(self.rho[info], self.sigma[info], strict=True)
            self.rho[info] = normalised([r ** (1.0 - self.rate) * s**self.rate for r, s in moved])

    def step(self) -> None:
        """One iteration: of both players at once, or of player 0 and then of player 1."""
        self.t += 1
        for players in ((0,), (1,)) if self.alternate else ((0, 1),):
            self.look()
            for info in range(len(self.sigma)):
                # an infoset that chance and the opponent do not reach keeps its policy
                if self.tree.game.infoset_player[info] in players and self.mass[info] > 0.0:
                    self.update(info)
