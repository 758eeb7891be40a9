"""Wei, Jafarnia-Jahromi, Luo, Jain 2021: OLSVI.FH (`_olsvi_steps`) and FOPO (`_fopo_steps`), linear MDPs."""

from __future__ import annotations

from proofs_check.papers._fopo_steps import CLAIMS as FOPO
from proofs_check.papers._olsvi_steps import CLAIMS as OLSVI

claims = [*OLSVI, *FOPO]
