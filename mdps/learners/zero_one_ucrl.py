"""0/1-UCRL: collects b(s,a) samples of every pair by UCRL2B with reward 1 where samples are missing. Average setting.

The agent knows S, A, b and delta; rewards of the model are ignored. b is the array `b` (S,A), or `samples` of every
pair where it is not given. A baseline of GOSPRL: communicating MDPs. With C(s,a,s2) transitions and N(s,a) visits:

    1. An episode begins at t steps taken: U = N, the reward of a pair is 1 where N(s,a) < b(s,a), else 0, known.
    2. Extended value iteration (`mdps.learners._evi`) over the kernels with
           |p~(s2) - p_hat(s2)| <= alpha (2 sqrt(p_hat (1 - p_hat) iota / n) + 6 iota / n),  iota = log(6 S A n / delta)
       for every s2, n = N(s,a), and over all kernels at n = 0; mixed as tau p~ + (1 - tau) I with tau = .9, from u = 0
       to a span below 1/sqrt(t + 1) of the last change. The greedy policy is played until
    3. the pair just played has doubled, N - U >= max(1, U), or is complete, N = b. Then 1, at the next state.
    4. Once every pair is complete nothing is planned any more and action 0 is played.

A pair can be completed only by being played, and that ends the episode: the rewards of an episode are never out of date
[derived]. `alpha` = 1 is the theory, 0.1 the practice; alpha = 0 believes p_hat and may stall, as GOSPRL does.

What the notes leave open, and how it is read here [derived]. (a) The doubling is looked up after the step and for the
pair just played, as GOSPRL's; UCRL2 looks before the step at the pair to be played next. Both reproduce the reference
table, this one a little more closely: over 10 cells the squared differences in standard errors add up to 10, against
16, and 17 for `>` in place of `>=`. The table cannot tell them apart. (b) Completion and doubling are looked up after
the same step, so that the new episode begins where the agent then is, in a complete pair or not. (c) The logarithm
holds the visits of the pair, as AME's.

State: N, U (S,A) visits and visits before the episode; moves (S,A,S) transitions; missing (1,) pairs not complete;
finished (1,) the completion time in steps, -1 before; of the last plan low, high (S,A,S) the ends of the boxes with the
successors `support` (S,A,S) of positive low, `width` (S,A) of them, in order of the index, free (S,A) = 1 - sum of low,
r_up (S,A) the rewards, u, u_next (S,) around the last sweep, order (S,) states by u, gain (2,) least and largest entry
of u_next - u, sweeps (1,), pi (S,). Ties: lowest action, lowest state. Cost S^2 A a plan; a sweep looks at the support
and the best states only.

Source: tarbouriech2021 [name and rule: recalled; box source: lemma 1 of tarbouriech2020].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._collection import accepts, requirement
from mdps.learners._evi import act, checked_mixing, iterate, sort_states
from mdps.learners.gosprl import doubled
from theorylab.errors import InputError
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def ask(st, p):
    """The pairs of which something is asked; complete at once where there are none (the state arrives zeroed)."""
    for s in range(p.S):
        for a in range(p.A):
            st.missing[0] += 1 if p.b[s, a] > 0 else 0
    st.finished[0] = 0 if st.missing[0] == 0 else -1


@kernel
def begin(st, p):
    """No samples yet."""
    ask(st, p)
    for s in range(p.S):
        st.order[s] = s


@kernel
def tally(st, p, t, s, a, s2):
    """Count a transition; whether it completed its pair. With the last one the time is kept and the policy is 0."""
    st.moves[s, a, s2] += 1
    st.N[s, a] += 1
    completed = st.N[s, a] == p.b[s, a]
    st.missing[0] -= 1 if completed else 0
    if completed and st.missing[0] == 0:
        st.finished[0] = t + 1
        for x in range(p.S):
            st.pi[x] = 0
    return completed


@kernel
def watch(st, p, t, s, a, r, s2):
    """Count the step; true when the episode ends."""
    completed = tally(st, p, t, s, a, s2)
    return st.finished[0] < 0 and (completed or doubled(st, s, a))


@kernel
def log_term(p, n):
    """iota after n visits."""
    return log(6.0 * p.S * p.A * n / p.delta)


@kernel
def radius(p, x, n, iota):
    """Half-width of the interval around a frequency x."""
    return p.alpha * (2.0 * sqrt(x * (1.0 - x) * iota / n) + 6.0 * iota / n)


@kernel
def box(st, p, s, a, n):
    """The interval of every entry of a row after n >= 1 visits, and the mass that the lower ends leave free."""
    iota = log_term(p, n)
    free = 1.0
    known = 0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        width = radius(p, x, n, iota)
        low = max(0.0, x - width)
        st.low[s, a, s2] = low
        st.high[s, a, s2] = min(1.0, x + width)
        free -= low
        if low > 0.0:
            st.support[s, a, known] = s2
            known += 1
    st.width[s, a] = known
    st.free[s, a] = free


@kernel
def unknown(st, p, s, a):
    """Before the first visit: every law on the states."""
    for s2 in range(p.S):
        st.low[s, a, s2] = 0.0
        st.high[s, a, s2] = 1.0
    st.width[s, a] = 0
    st.free[s, a] = 1.0


@kernel
def reward(st, p, s, a):
    """1 where samples of the pair are missing."""
    return 1.0 if st.N[s, a] < p.b[s, a] else 0.0


@kernel
def open_episode(st, p):
    """U = N, the boxes, and the rewards."""
    for s in range(p.S):
        for a in range(p.A):
            st.U[s, a] = st.N[s, a]
            st.r_up[s, a] = reward(st, p, s, a)
            if st.N[s, a] == 0:
                unknown(st, p, s, a)
            else:
                box(st, p, s, a, float(st.N[s, a]))


@kernel
def box_maximum(st, p, s, a):
    """max of p~ u over the row's box: the lower ends, and the free mass to the best states that have room."""
    value = 0.0
    for j in range(st.width[s, a]):
        s2 = st.support[s, a, j]
        value += st.low[s, a, s2] * st.u[s2]
    free = st.free[s, a]
    i = 0
    while free > 0.0 and i < p.S:
        s2 = st.order[i]
        added = min(free, st.high[s, a, s2] - st.low[s, a, s2])
        value += added * st.u[s2]
        free -= added
        i += 1
    return value


sweeps = iterate.replace(MAXIMUM=box_maximum, PREPARE=sort_states)


@kernel
def plan(st, p, t, s, rng):
    """An episode, unless nothing is asked; false if extended value iteration does not stop within the sweep limit."""
    done = True
    if st.finished[0] < 0:
        open_episode(st, p)
        done = sweeps(st, p, t)
    return done


def pairs_asked(p: dict[str, Any]) -> dict[str, Any]:
    """The requirement b(s,a); of states nothing is asked."""
    return requirement({**p, "b_states": None})


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """The requirement; refuses a negative multiplier and a mixing outside (0, 1]."""
    checked_mixing("zero-one-ucrl", p)
    if p["alpha"] < 0.0:
        raise InputError(f"zero-one-ucrl: alpha={p['alpha']} is negative; 1 is the theory's radius, 0 none")
    return pairs_asked(p)


learner = Learner(
    name="zero-one-ucrl",
    setting="average",
    cite="tarbouriech2021",
    source_tag="recalled",
    params=dict(samples=1, alpha=1.0, delta=0.1, tau=0.9, max_sweeps=1_000_000),
    arrays=dict(b=i8["S", "A"]),
    state=dict(
        N=i8["S", "A"], U=i8["S", "A"], moves=i8["S", "A", "S"], missing=i8[1], finished=i8[1], low=f8["S", "A", "S"],
        high=f8["S", "A", "S"], support=i8["S", "A", "S"], width=i8["S", "A"], free=f8["S", "A"], r_up=f8["S", "A"],
        u=f8["S"], u_next=f8["S"], order=i8["S"], gain=f8[2], sweeps=i8[1], pi=i8["S"],
    ),
    derive=derive,
    accepts=accepts,
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    text="The sample asked for is the array b, or `samples` of every pair; AME boxes times `alpha`, in [0, 1]. "
    "Doubling is looked up after the step, for the pair just played. `finished` holds the completion time, or -1.",
)  # fmt: skip
