"""Pieces of learners that collect a prescribed sample: requirement, open states, the rule inside, attempts, plans.

The requirement b(s,a) asks for that many visits of (s,a), and b(s) for that many visits of s with any action. A state
is open while it or some action of it is short of its requirement, G is the set of open states, and the sample is
complete when G is empty. Actions and states count from 0, visits, times and lengths are in steps. A learner takes the
pieces that it needs and the fields that go with them:

    REQUIREMENT   need (S,A), need_states (S,) the requirement in force, N (S,A) visits, goal (S,) 1 for open states,
                  goals (1,) their number, finished (1,) the steps after which every requirement held for the first
                  time, else -1, pi (S,) what is played: in G the action that is furthest from its requirement, or
                  where only b(s) is short, the action with the fewest visits
    TRAVEL        v, v_next (S,) the last two iterates of a plan, plow (S,A,S) lower bounds on the kernel off G, with
                  their successors `support` (S,A,S) of positive bound, `width` (S,A) of them, in order of the index;
                  attempts, arrivals, t_k, sweeps (1,): attempts begun, attempts ended in G, time at the start of the
                  last one (-1: none yet), sweeps of its plan

An attempt is a trip to G that begins in a closed state; G and the policy stay as they are while it lasts. The fixed b
makes that exact: closed states only are met on the way, so no requirement is completed there.

The planner believes that outside G a step costs 1 and that G ends the trip: (L v)(s) = 1 + min_a sum_{s2 not in G}
plow(s,a,s2) v(s2), v = 0 on G. What a row lacks to 1 goes to G. It iterates from v = 0 until |L v - v| <= max(1e-6,
1 / (2 max(1, t))) in the sup norm, t the steps so far, and takes the greedy policy of that v; ties to the lowest
action. The values rise from sweep to sweep, and with eps = |L v - v| < 1, v <= V* <= V^pi <= v / (1 - eps) [derived].

Source: tarbouriech2021 [recalled; floor of the precision and ties derived].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.learner import f8, i8

PRECISION_FLOOR = 1e-6

ARRAYS = dict(b=i8["S", "A"], b_states=i8["S"])
REQUIREMENT = dict(
    need=i8["S", "A"], need_states=i8["S"], N=i8["S", "A"], goal=i8["S"], goals=i8[1], finished=i8[1], pi=i8["S"]
)  # fmt: skip
TRAVEL = dict(
    v=f8["S"], v_next=f8["S"], plow=f8["S", "A", "S"], support=i8["S", "A", "S"], width=i8["S", "A"], attempts=i8[1],
    arrivals=i8[1], t_k=i8[1], sweeps=i8[1],
)  # fmt: skip


def requirement(p: dict[str, Any]) -> dict[str, Any]:
    """The arrays b and b_states: as given; without either, `samples` of every pair; one alone leaves the other zero."""
    b, states = p["b"], p["b_states"]
    if b is None and states is None and p["samples"] < 0:
        raise InputError(f"samples={p['samples']} is negative; ask for 0 samples of a pair or more")
    if b is None:
        b = np.full((p["S"], p["A"]), p["samples"] if states is None else 0, dtype=np.int64)
    if states is None:
        states = np.zeros(p["S"], dtype=np.int64)
    for name, asked, what in (("b", b, "pair"), ("b_states", states, "state")):
        if asked.min() < 0:
            at = tuple(int(i) for i in np.argwhere(asked < 0)[0])
            where = f"{name}[{', '.join(map(str, at))}]"
            raise InputError(f"{where} = {asked[at]} is negative; ask for 0 samples of a {what} or more")
    return dict(b=b, b_states=states)


def accepts(p: dict[str, Any], model: Any) -> None:
    """Refuse, by name, requirements that cannot be met on the model, and states from which there is no way to them."""
    from mdps.collection.requirements import Requirement, requirement

    requirement(model, Requirement(p["b"].copy(), p["b_states"].copy()))


# Open states. These kernels run at every step and are written without branches around memory, which would cost ten
# times the work itself on the CPU.


@kernel
def refresh(st, p, s):
    """Whether state s is open, the number of open states, and the open action with the largest gap need - N.

    Where no action is short but the state is, the action with the fewest visits.
    """
    best = st.pi[s]
    gap = 0
    rarest = 0
    visits = 0
    for a in range(p.A):
        n = st.N[s, a]
        short = st.need[s, a] - n
        visits += n
        if n < st.N[s, rarest]:
            rarest = a
        if short > gap:
            gap = short
            best = a
    lacking = 1 if visits < st.need_states[s] else 0
    is_open = 1 if gap > 0 else lacking
    best = rarest if is_open > 0 and gap == 0 else best
    st.pi[s] = best
    st.goals[0] += is_open - st.goal[s]
    st.goal[s] = is_open


@kernel
def begin(st, p):
    """No samples yet (the state arrives zeroed)."""
    for s in range(p.S):
        st.need_states[s] = p.b_states[s]
        for a in range(p.A):
            st.need[s, a] = p.b[s, a]
        refresh(st, p, s)
    st.finished[0] = 0 if st.goals[0] == 0 else -1


@kernel
def begin_to_travel(st, p):
    """No samples and no attempt yet."""
    begin(st, p)
    st.t_k[0] = -1


@kernel
def settle(st, p, t):
    """After step t: the completion time when the last state has closed, and action 0 from then on."""
    before = st.finished[0]
    now = 1 if st.goals[0] == 0 and before < 0 else 0
    st.finished[0] = t + 1 if now == 1 else before
    for x in range(now * p.S):
        st.pi[x] = 0


@kernel
def count(st, p, t, s, a):
    """Count a visit; whether it was a sample taken in G."""
    inside = st.goal[s] == 1
    st.N[s, a] += 1
    refresh(st, p, s)
    settle(st, p, t)
    return inside


@kernel
def on_the_way(st, inside, s2):
    """After a visit: whether the next state is closed with samples still to be taken; counts arrivals in G."""
    closed = st.goal[s2] == 0
    going = st.finished[0] < 0
    st.arrivals[0] += 1 if not (inside or closed) and going else 0
    return closed and going


@kernel
def play(st, p, t, s, rng):
    """In G the open action with the largest gap, outside it the attempt's policy; action 0 after completion."""
    return st.pi[s]


# Plans


@kernel
def start_attempt(st, t):
    """One more attempt, from time t on."""
    st.attempts[0] += 1
    st.t_k[0] = t


@kernel
def bound_entry(st, s, a, s2, low):
    """plow(s,a,s2) = low > 0 off G, else zero; entries of a row are given in order of s2, from width 0 on."""
    kept = 1 if st.goal[s2] == 0 and low > 0.0 else 0
    j = st.width[s, a]
    st.plow[s, a, s2] = low if kept == 1 else 0.0
    st.support[s, a, j] = s2  # overwritten by the next entry that is kept, unless this one is
    st.width[s, a] = j + kept


@kernel
def backup(st, s, a):
    """1 + sum of plow v over the row (s, a)."""
    value = 1.0
    for j in range(st.width[s, a]):
        s2 = st.support[s, a, j]
        value += st.plow[s, a, s2] * st.v[s2]
    return value


@kernel
def shortest_path(st, p, t):
    """Value iteration from zero; false if it does not stop within the sweep limit."""
    precision = max(PRECISION_FLOOR, 0.5 / max(1, t))
    for x in range(p.S):
        st.v_next[x] = 0.0
    for sweep in range(p.max_sweeps):
        for x in range(p.S):
            st.v[x] = st.v_next[x]
        change = 0.0
        for x in range(p.S):
            if st.goal[x] == 0:
                least = 0.0
                for a in range(p.A):
                    value = backup(st, x, a)
                    if a == 0 or value < least:
                        least = value
                        st.pi[x] = a
                st.v_next[x] = least
                change = max(change, abs(least - st.v[x]))
        if change <= precision:
            st.sweeps[0] = sweep + 1
            return True
    return False
