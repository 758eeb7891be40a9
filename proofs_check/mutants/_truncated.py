"""Faults in the counts that SCAL and PMEVI-DT share. A file of mutants binds TRACK and DUE as its learner has them.

TRACK (st, p, s, r): what the learner records besides the counts; DUE (st, s, a, s2, times): whether the episode ends,
`times` 1 in the learner. The faults of the sets are those of `proofs_check.mutants.ucrl2b`.
"""

from __future__ import annotations

from typing import Any

from theorylab.kernel import kernel

TRACK: Any = None
DUE: Any = None


@kernel
def nothing(st, p, s, r):
    """Nothing besides the counts."""
    return None


@kernel
def count(st, s, a, r, s2):
    """The right counts."""
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.squares[s, a] += r * r
    st.moves[s, a, s2] += 1


@kernel
def late(st, p, t, s, a, r, s2):
    """The episode ends when the visits of a pair in it are four times those before it."""
    TRACK(st, p, s, r)
    count(st, s, a, r, s2)
    return DUE(st, s, a, s2, 4)


@kernel
def always(st, p, t, s, a, r, s2):
    """A new plan at every step."""
    TRACK(st, p, s, r)
    count(st, s, a, r, s2)
    return True


@kernel
def self_loops_lost(st, p, t, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    TRACK(st, p, s, r)
    if s2 != s:
        st.nu[s, a] += 1
        st.moves[s, a, s2] += 1
    st.total[s, a] += r
    st.squares[s, a] += r * r
    return DUE(st, s, a, s2, 1)


@kernel
def successor_lost(st, p, t, s, a, r, s2):
    """Every transition is recorded as staying."""
    TRACK(st, p, s, r)
    count(st, s, a, r, s)
    return DUE(st, s, a, s2, 1)


@kernel
def reward_elsewhere(st, p, t, s, a, r, s2):
    """The reward goes to the next action's sums."""
    TRACK(st, p, s, r)
    b = (a + 1) % p.A
    st.nu[s, a] += 1
    st.total[s, b] += r
    st.squares[s, b] += r * r
    st.moves[s, a, s2] += 1
    return DUE(st, s, a, s2, 1)


@kernel
def no_squares(st, p, t, s, a, r, s2):
    """The squares are not summed, so that the variance counts as zero."""
    TRACK(st, p, s, r)
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.moves[s, a, s2] += 1
    return DUE(st, s, a, s2, 1)
