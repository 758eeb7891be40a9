"""Extended value iteration, shared by learners that play the best policy of the best plausible MDP.

    u_{i+1}(s) = max_a { r~(s,a) + tau max_p~ p~ u_i + (1 - tau) u_i(s) },    u_0 = 0,

until the span of u_{i+1} - u_i is below 1/sqrt(t_k); the policy is greedy in the last sweep, ties to the lowest action.
`tau` in (0, 1] is the aperiodicity transform: every plausible kernel P is replaced by tau P + (1 - tau) I, which keeps
the gain of each policy and divides its bias by tau, so that span(u) <= D becomes tau span(u) <= D. tau = 1 leaves
it out. A learner binds its inner maximum to MAXIMUM, a kernel (st, p, s, a) -> max p~ u that leaves the maximising row
in st.law[s, a, :], and to PREPARE a kernel (st, p) called before each sweep.

Source: jaksch2010, section 3.1 and its remark on aperiodicity; the mixing as in the public code of UCRL2B and SCAL
[source: CODE-R].
"""

from __future__ import annotations

from typing import Any

from theorylab.errors import InputError
from theorylab.kernel import kernel, sqrt

MAXIMUM: Any = None
PREPARE: Any = None


def checked_mixing(name: str, p: dict[str, Any]) -> None:
    """Refuse a `tau` outside (0, 1]."""
    if not 0.0 < p["tau"] <= 1.0:
        raise InputError(f"learner '{name}': tau={p['tau']} must lie in (0, 1]; 1 leaves the kernels unmixed")


@kernel
def begin(st, p):
    """No data yet (the state arrives zeroed)."""
    for s in range(p.S):
        st.order[s] = s


@kernel
def act(st, p, t, s, rng):
    """The episode's policy."""
    return st.pi[s]


@kernel
def doubled(st, s):
    """Whether the pair that the policy plays next in s has already doubled its visits in this episode."""
    b = st.pi[s]
    return st.nu[s, b] >= max(1, st.N[s, b])


@kernel
def sort_states(st, p):
    """order = states by decreasing u, ties to the lowest index (insertion sort: nearly sorted between sweeps)."""
    for i in range(1, p.S):
        x = st.order[i]
        j = i
        while j > 0:
            y = st.order[j - 1]
            if st.u[y] > st.u[x] or (st.u[y] == st.u[x] and y < x):
                break
            st.order[j] = y
            j -= 1
        st.order[j] = x


@kernel
def iterate(st, p, t):
    """Sweeps until the stopping rule of time t_k = t + 1; false if `max_sweeps` did not suffice."""
    for x in range(p.S):
        st.u_next[x] = 0.0
    precision = 1.0 / sqrt(t + 1.0)
    stay = 1.0 - p.tau
    for sweep in range(p.max_sweeps):
        for x in range(p.S):
            st.u[x] = st.u_next[x]
        PREPARE(st, p)
        low = 0.0
        high = 0.0
        for x in range(p.S):
            top = 0.0
            for a in range(p.A):
                value = st.r_up[x, a] + p.tau * MAXIMUM(st, p, x, a)
                if a == 0 or value > top:
                    top = value
                    st.pi[x] = a
            st.u_next[x] = top + stay * st.u[x]
            change = st.u_next[x] - st.u[x]
            if x == 0 or change < low:
                low = change
            if x == 0 or change > high:
                high = change
        if high - low < precision:
            st.gain[0] = low
            st.gain[1] = high
            st.sweeps[0] = sweep + 1
            return True
    return False
