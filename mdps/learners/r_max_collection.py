"""R-MAX for collection: an unknown pair is paradise, the others are as they were seen. Average setting, one trajectory.

The agent knows S, A and b; rewards are ignored. b is the array `b` (S,A), or `samples` of every pair where it is not
given. A baseline of GOSPRL without confidence sets. With C(s,a,s2) transitions and N(s,a) visits so far:

    1. A pair is known when N(s,a) >= m, m = max(1, b(s,a)): of a pair that was never played there is nothing to plan
       with. An unknown pair leads to a fictitious absorbing state, the only one with a reward, 1 a step; a known one
       leads to s2 with p_hat(s2) = C / N. Plan for the discounted sum of rewards, times 1 - gamma:

           (L v)(s) = gamma max_a { 1 if (s,a) is unknown, else sum_s2 p_hat(s,a,s2) v(s2) }

       so that v(s) = max E gamma^k, k the number of the step that plays the first unknown pair, in the law p_hat.
    2. Play the greedy policy until a pair becomes known; then 1, with the counts of that time.
    3. Once N >= b holds everywhere nothing is planned any more and action 0 is played.

The plan iterates from v = 0 until gamma |L v - v| <= (1 - gamma) `precision` in the sup norm, which puts L v within
`precision` below the fixed point; the policy is greedy for v, ties to the lowest action. What is worth less than the
precision may count as nothing [derived]. The theory takes gamma = 1 - 1/(c D); D is not known to the agent, so gamma is
a parameter. At gamma = 1 there is no contraction and a known set that looks closed has no value: it is refused.

Lock-in: p_hat is believed as it stands. If every one of the m visits of a pair missed a way out, the plan sees none;
where no other way is left all values are 0, action 0 is played for ever, and the run never finishes, unless action 0
itself finds the way. On the star that is an event of known probability (see the tests); it falls geometrically in m,
and b(s,a) = 1 is the worst case [derived].

State: N (S,A) visits, moves (S,A,S) transitions, missing (1,) pairs short of b, finished (1,) the completion time in
steps, -1 before; of the last plan known (S,A), p_hat (S,A,S) of known pairs with the successors `support` (S,A,S) seen,
`width` (S,A) of them, in order of the index, v, v_next (S,) around the last sweep, sweeps (1,), pi (S,).

Source: notes on sample collection, after Brafman and Tennenholtz (2002) [derived].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._collection import accepts
from mdps.learners._evi import act
from mdps.learners.zero_one_ucrl import ask as begin
from mdps.learners.zero_one_ucrl import pairs_asked, tally
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.learner import Learner, f8, i8


@kernel
def enough(p, s, a):
    """m: the visits that make a pair known."""
    return max(1, p.b[s, a])


@kernel
def watch(st, p, t, s, a, r, s2):
    """Count the step; true when it made its pair known and samples are still missing."""
    tally(st, p, t, s, a, s2)
    return st.finished[0] < 0 and st.N[s, a] == enough(p, s, a)


@kernel
def learn_row(st, p, s, a):
    """The frequencies of a known pair."""
    seen = 0
    for s2 in range(p.S):
        st.p_hat[s, a, s2] = st.moves[s, a, s2] / float(st.N[s, a])
        if st.moves[s, a, s2] > 0:
            st.support[s, a, seen] = s2
            seen += 1
    st.width[s, a] = seen


@kernel
def model(st, p):
    """Known pairs and their rows."""
    for s in range(p.S):
        for a in range(p.A):
            st.known[s, a] = 1 if st.N[s, a] >= enough(p, s, a) else 0
            if st.known[s, a] == 1:
                learn_row(st, p, s, a)


@kernel
def backup(st, p, s, a):
    """gamma for an unknown pair, else gamma p_hat v."""
    ahead = 1.0
    if st.known[s, a] == 1:
        ahead = 0.0
        for j in range(st.width[s, a]):
            s2 = st.support[s, a, j]
            ahead += st.p_hat[s, a, s2] * st.v[s2]
    return p.gamma * ahead


@kernel
def sweep(st, p):
    """v_next = L v with its greedy policy; the largest change."""
    change = 0.0
    for x in range(p.S):
        top = 0.0
        for a in range(p.A):
            value = backup(st, p, x, a)
            if a == 0 or value > top:
                top = value
                st.pi[x] = a
        st.v_next[x] = top
        change = max(change, abs(top - st.v[x]))
    return change


@kernel
def iterate(st, p):
    """Sweeps from zero; false if they do not stop within the limit."""
    for x in range(p.S):
        st.v_next[x] = 0.0
    for k in range(p.max_sweeps):
        for x in range(p.S):
            st.v[x] = st.v_next[x]
        if p.gamma * sweep(st, p) <= (1.0 - p.gamma) * p.precision:
            st.sweeps[0] = k + 1
            return True
    return False


@kernel
def plan(st, p, t, s, rng):
    """A policy from the counts of now, unless nothing is asked."""
    done = True
    if st.finished[0] < 0:
        model(st, p)
        done = iterate(st, p)
    return done


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """The requirement; refuses a discount outside (0, 1) and a precision that is not positive."""
    if not 0.0 < p["gamma"] < 1.0:
        raise InputError(f"r-max-collection: gamma={p['gamma']} must lie in (0, 1); the theory takes 1 - 1/(c D)")
    if not p["precision"] > 0.0:
        raise InputError(f"r-max-collection: precision={p['precision']} is not positive; values lie in [0, 1]")
    return pairs_asked(p)


learner = Learner(
    name="r-max-collection",
    setting="average",
    source_tag="derived",
    params=dict(samples=1, gamma=0.99, precision=1e-6, max_sweeps=1_000_000),
    arrays=dict(b=i8["S", "A"]),
    state=dict(
        N=i8["S", "A"], moves=i8["S", "A", "S"], missing=i8[1], finished=i8[1], known=i8["S", "A"],
        p_hat=f8["S", "A", "S"], support=i8["S", "A", "S"], width=i8["S", "A"], v=f8["S"], v_next=f8["S"],
        sweeps=i8[1], pi=i8["S"],
    ),
    derive=derive,
    accepts=accepts,
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    text="The sample asked for is the array b, or `samples` of every pair; a pair is known after max(1, b) visits. No "
    "confidence sets: a way missed in all of them is lost. `finished` holds the completion time in steps, or -1.",
)  # fmt: skip
