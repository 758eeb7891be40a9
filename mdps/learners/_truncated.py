"""Extended value iteration with a projection after each sweep, shared by SCAL and PMEVI-DT.

    raised(s) = max_a { r~(s,a) + tau B(s,a) + (1 - tau) u_i(s) },    u_{i+1} = projection of raised,    u_0 = 0,

until the span of u_{i+1} - u_i is below 1/sqrt(t_k), as in `mdps.learners._evi`, whose order of states and transform
`tau` it uses. A learner binds BACKUP, a kernel (st, p, s, a) -> B(s,a), and PROJECT, a kernel (st, p) that writes
st.u_next from st.raised. As `tau` divides every bias by tau, a bound c on the span becomes c / tau for u.

Source: fruit2018 and boone2024 [recalled]; c / tau as in the public code of SCAL [source: code].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._evi import checked_mixing, sort_states
from theorylab.errors import InputError
from theorylab.kernel import kernel, sqrt

BACKUP: Any = None
PROJECT: Any = None


def checked_sets(name: str, p: dict[str, Any]) -> None:
    """Refuse a `tau` outside (0, 1], a `form` that is not 0 or 1, and a negative `alpha`."""
    checked_mixing(name, p)
    if p["form"] not in (0, 1):
        raise InputError(f"learner '{name}': form={p['form']} is neither 0 (2/6 form) nor 1 (older public code)")
    if p["alpha"] < 0.0:
        raise InputError(f"learner '{name}': alpha={p['alpha']} is negative; a radius cannot be")


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
        sort_states(st, p)
        for x in range(p.S):
            top = 0.0
            for a in range(p.A):
                value = st.r_up[x, a] + p.tau * BACKUP(st, p, x, a)
                if a == 0 or value > top:
                    top = value
                    st.pi[x] = a
            st.raised[x] = top + stay * st.u[x]
        PROJECT(st, p)
        low = st.u_next[0] - st.u[0]
        high = low
        for x in range(1, p.S):
            change = st.u_next[x] - st.u[x]
            low = min(low, change)
            high = max(high, change)
        if high - low < precision:
            st.gain[0] = low
            st.gain[1] = high
            st.sweeps[0] = sweep + 1
            return True
    return False
