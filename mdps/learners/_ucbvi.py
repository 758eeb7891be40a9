"""What UCBVI-CH and UCBVI-BF share: counts pooled over the stages, the empirical kernel.

The pair (s, a) has the column x = s A + a in `moves` and `p_hat`, whose rows are next states. A sum over next states
is then a loop over rows whose inner loop runs along memory, for all pairs at once and with every sum in index order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from theorylab.kernel import kernel


@kernel
def begin(st, p):
    """Q = V = cap, V[H] = 0; counts are zero, as the state arrives."""
    for h in range(p.H):
        for s in range(p.S):
            st.V[h, s] = p.cap[h]
            for a in range(p.A):
                st.Q[h, s, a] = p.cap[h]


@kernel
def count(st, p, s, a, s2):
    """One more visit of the pair, whatever the stage."""
    st.N[s, a] += 1
    st.moves[s2, s * p.A + a] += 1


@kernel
def estimate(st, p, s, a):
    """The counts and the empirical law that the next policy is planned with."""
    n = st.N[s, a]
    st.n[s, a] = n
    x = s * p.A + a
    for y in range(p.S):
        st.p_hat[y, x] = st.moves[y, x] / n


@kernel
def expect(p_hat, v, out, S, X):
    """out[x] = sum_y p_hat(y|x) v[y] for all X pairs, in index order; four y a pass, so that out stays in registers."""
    for x in range(X):
        out[x] = 0.0
    tiled = S - S % 4
    for y in range(0, tiled, 4):
        for x in range(X):
            two = (out[x] + p_hat[y, x] * v[y]) + p_hat[y + 1, x] * v[y + 1]
            out[x] = (two + p_hat[y + 2, x] * v[y + 2]) + p_hat[y + 3, x] * v[y + 3]
    for y in range(tiled, S):
        for x in range(X):
            out[x] += p_hat[y, x] * v[y]


@kernel
def settle(st, p, h, s, a, q):
    """Q_h(s,a) <- min(Q_h(s,a) of the last episode, cap, q); returns it."""
    value = min(st.Q[h, s, a], min(p.cap[h], q))
    st.Q[h, s, a] = value
    return value


def caps(p: dict[str, Any]) -> np.ndarray:
    """The cap of each stage (H,): H, or H - h with tight=1."""
    stages = np.arange(p["H"], dtype=float)
    return np.full(p["H"], float(p["H"])) if p["tight"] == 0 else p["H"] - stages
