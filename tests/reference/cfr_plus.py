"""CFR+ by recursion over histories.

Source: Tammelin 2014 [recalled]. In iteration t = 1, 2, ... player 0 and then player 1 passes over the tree once:

    weights(I, a) += t x_i(I) sigma(I, a)
    regret(I, a)   = max(0, regret(I, a) + gain(I, a))
    sigma(I, .)    proportional to regret, uniform where it is 0

so that player 1's pass sees the new policy of player 0.
"""

from __future__ import annotations

from tests.reference.cfr import CFR, normalised


class CFRPlus(CFR):
    """Attributes as of CFR."""

    def weight(self) -> float:
        """Of this iteration in the average."""
        return float(self.t)

    def matched(self, regret: float, gain: float) -> float:
        """What the new policy is proportional to."""
        return regret

    def step(self) -> None:
        """One iteration, player 0 first."""
        self.t += 1
        for player in (0, 1):
            self.look()
            for info in range(len(self.sigma)):
                if self.tree.game.infoset_player[info] == player:
                    self.weigh(info, self.weight())
                    pairs = zip(self.regret[info], self.gain[info], strict=True)
                    self.regret[info] = [max(0.0, r + g) for r, g in pairs]
                    pairs = zip(self.regret[info], self.gain[info], strict=True)
                    self.sigma[info] = normalised([self.matched(r, g) for r, g in pairs])
