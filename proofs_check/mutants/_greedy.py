"""Wrong choices of an action, for learners that keep Q (H,S,A), or Q (S,A) with average reward (`worst_action`)."""

from __future__ import annotations

from theorylab.kernel import kernel


@kernel
def least(st, p, k, h, s, rng):
    """The action with the smallest Q is played."""
    best = 0
    for a in range(1, p.A):
        if st.Q[h, s, a] < st.Q[h, s, best]:
            best = a
    return best


@kernel
def next_stage(st, p, k, h, s, rng):
    """The action maximises Q of the next stage."""
    g = min(h + 1, p.H - 1)
    best = 0
    for a in range(1, p.A):
        if st.Q[g, s, a] > st.Q[g, s, best]:
            best = a
    return best


@kernel
def worst_action(st, p, t, s, rng):
    """The action of smallest Q."""
    best = 0
    for a in range(1, p.A):
        if st.Q[s, a] < st.Q[s, best]:
            best = a
    return best
