"""Wei, Jafarnia-Jahromi, Luo, Jain 2021: average-reward linear MDPs. OLSVI.FH; see `_olsvi_steps`."""

from __future__ import annotations

from proofs_check.papers._olsvi_steps import CLAIMS as OLSVI

claims = [*OLSVI]
