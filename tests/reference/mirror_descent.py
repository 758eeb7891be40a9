"""Mirror descent with action values: sigma(I, a) proportional to sigma(I, a) e^(eta q(I, a)); see `mmd`.

Source: Sokota et al. 2024, as later papers quote it [source].
"""

from __future__ import annotations

import math
from typing import Any

from tests.reference.cfr import Table, normalised
from tests.reference.mmd import MMD


class MirrorDescent(MMD):
    """Attributes as of MMD; no magnet."""

    def __init__(
        self, game: Any, first: Table | None = None, *, eta: float = 0.1, schedule: int = 0, weighted: int = 0
    ) -> None:
        super().__init__(game, first, eta=eta, schedule=schedule, weighted=weighted)

    def update(self, info: int) -> None:
        """The new policy."""
        (eta, _), q = self.sizes(info), self.q[info]
        top = max(q)
        self.sigma[info] = normalised([s * math.exp(eta * (v - top)) for s, v in zip(self.sigma[info], q, strict=True)])
