"""LOOP on all tables by multi-start ascent: for numbers of policies A^S that no enumeration reaches. Mean rewards
known.

As `loop`, but the next hypothesis is the best that `mdps.loop.ascent.ascend` finds: in the confidence set, its span
imposed exactly, yet its gain may fall short of the largest. `bound` - J of the state is a certified upper bound on the
shortfall eps_t; optimism weakens to J_t >= J* - eps_t, and the regret grows by at most the sum of eps_t [derived, b7].
`keep` cone programs a round; `lifted=1` adds the doubly nonnegative relaxation to the bound (up to 40 pairs).

State as that of `loop`. Fails where no policy found has a hypothesis in the set.

Source: he2024, Algorithm 1 [recalled]; the search and its certificate [derived].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._loop_tabular import learner_as
from mdps.loop.ascent import ascend
from mdps.loop.tabular import Empirical, Optimistic


def step(data: Empirical, p: Any) -> Optimistic:
    """The best hypothesis found, with a bound on the largest gain."""
    return ascend(data, p.beta, p.span, p.cap, keep=p.keep, lifted=p.lifted == 1)


learner = learner_as(
    "loop-ascent",
    step,
    "A heuristic with a certified gap, `bound` - J; not literally the paper's argmax.",
    keep=8,
    lifted=0,
)
