"""Actions drawn from a randomised policy `st.pi` (S,A), all of whose entries may be played."""

from __future__ import annotations

from theorylab.kernel import LEARNER, draw, kernel


@kernel
def sampled(st, p, t, s, rng):
    """The first action whose cumulative probability exceeds a draw addressed by t; the last takes the rest."""
    u, _ = draw(rng, t, 0, LEARNER)
    a = 0
    passed = st.pi[s, 0]
    while a < p.A - 1 and u >= passed:
        a += 1
        passed += st.pi[s, a]
    return a
