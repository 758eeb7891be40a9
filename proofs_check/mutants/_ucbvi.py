"""Faults that UCBVI-CH and UCBVI-BF can share: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from typing import Any

from theorylab.kernel import kernel, log

#: the learner's own `watch`, bound by the fault that uses it
watch: Any = None


@kernel
def lose_self_loops(st, p, s, a, s2):
    """Transitions that stay in the state are not counted."""
    if s2 != s:
        st.N[s, a] += 1
        st.moves[s2, s * p.A + a] += 1


@kernel
def arrive_where_it_started(st, p, s, a, s2):
    """The transition is recorded as one that stays."""
    st.N[s, a] += 1
    st.moves[s, s * p.A + a] += 1


@kernel
def divide_by_one_more(st, p, s, a):
    """p_hat divides by n + 1."""
    n = st.N[s, a]
    st.n[s, a] = n
    x = s * p.A + a
    for y in range(p.S):
        st.p_hat[y, x] = st.moves[y, x] / (n + 1)


@kernel
def estimate_once(st, p, s, a):
    """p_hat is that of the pair's first visits."""
    x = s * p.A + a
    if st.n[s, a] == 0:
        for y in range(p.S):
            st.p_hat[y, x] = st.moves[y, x] / st.N[s, a]
    st.n[s, a] = st.N[s, a]


@kernel
def settle_uncapped(st, p, h, s, a, q):
    """Neither the cap nor the last Q."""
    st.Q[h, s, a] = q
    return q


@kernel
def settle_forgetful(st, p, h, s, a, q):
    """The cap, but not the last Q."""
    value = min(p.cap[h], q)
    st.Q[h, s, a] = value
    return value


@kernel
def settle_once(st, p, h, s, a, q):
    """Q is not updated."""
    return min(st.Q[h, s, a], min(p.cap[h], q))


@kernel
def last_of_ties(st, p, k, h, s, rng):
    """The last maximiser is played."""
    best = 0
    for a in range(1, p.A):
        if st.Q[h, s, a] >= st.Q[h, s, best]:
            best = a
    return best


@kernel
def watch_every_other(st, p, k, h, s, a, r, s2):
    """A plan after every second episode."""
    watch(st, p, k, h, s, a, r, s2)
    return h == p.H - 1 and k % 2 == 1


def no_logarithm(p: dict[str, Any]) -> float:
    """The logarithm is dropped."""
    return 1.0


def only_delta(p: dict[str, Any]) -> float:
    """ln(1 / delta): the union bound's 5 S A T is left out."""
    return float(log(1.0 / p["delta"]))


def of_episodes(p: dict[str, Any]) -> float:
    """K for T in the logarithm."""
    return float(log(5.0 * p["S"] * p["A"] * p["K"] / p["delta"]))
