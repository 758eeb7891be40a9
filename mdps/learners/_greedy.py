"""The greedy action of learners that keep Q (H,S,A)."""

from __future__ import annotations

from theorylab.kernel import kernel


@kernel
def act(st, p, k, h, s, rng):
    """The first maximiser of Q[h, s, :]: the maximum first, since a compare-and-branch search would mispredict."""
    top = st.Q[h, s, 0]
    for a in range(1, p.A):
        top = max(top, st.Q[h, s, a])
    best = 0
    while best < p.A - 1 and st.Q[h, s, best] != top:
        best += 1
    return best
