"""Predictive CFR+ by recursion over histories, alternating, quadratic averages.

Source: Farina, Kroer, Sandholm 2021 [recalled]: the next policy is proportional to [regret + prediction]^+, and the
prediction is the gain of this iteration.
"""

from __future__ import annotations

from tests.reference.cfr_plus import CFRPlus


class PCFRPlus(CFRPlus):
    """Attributes as of CFR."""

    def weight(self) -> float:
        """t^2."""
        return float(self.t**2)

    def matched(self, regret: float, gain: float) -> float:
        """The regret that is predicted, floored."""
        return max(0.0, regret + gain)
