"""GOSPRL estimates the diameter D = max over s, s2 of the shortest expected time from s to s2. Average setting.

    W = 1/2, |v| = infinity;  while |v| > W:
        W = 2 W, eta = epsilon / W; collect until alpha sum_{s2} beta(s,a,s2) <= eta / 2 for every pair
        for every goal, extended value iteration at unit cost over all laws within alpha beta of p_hat, from zero, until
        a sweep changes its values u by at most epsilon / 2; |u| the largest of all, |v| = |u| / (1 - epsilon / 2)
    D_hat = (1 + 2 eta |v|) |v|

On the radii's event with alpha >= 1 and epsilon <= 1: D <= D_hat <= (1 + 2 epsilon (1 + epsilon)) (1 + epsilon) D,
after at most ceil(log2(D (1 + epsilon))) + 1 rounds [source: ALT21, lemma 9 and algorithm 4, without the ceiling, which
is needed; collection by GOSPRL: recalled]. Why [derived]: u <= D, as the sets hold p; |v| is at or above the expected
times V of the planned policy in its law (`_collection`), so that |v| <= (1 + epsilon) D. The law is within eta of p and
the last round has eta |v| <= epsilon <= 1, hence V_p <= V / (1 - eta |V| / 2) <= (1 + 2 eta |V|) V. With u in place of
|v| the estimate can be below D: it is on star(0.11) with epsilon = 1.

State: those of `gosprl` and `_adaptive`; guess (1,) = W, rounds (1,), largest (1,) = |v| of the last round that
ended, estimate (1,) = D_hat; 0 before there is one. The S plans of a round have the limit `max_sweeps` each; where one
does not stop largest is infinite, and the next round follows.
"""

from __future__ import annotations

from typing import Any

from mdps.learners._adaptive import adaptive, own_radius, positive
from mdps.learners._trips import extended_iteration
from mdps.learners.gosprl import bound_row
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.learner import f8, i8

INFINITY = float("inf")


@kernel
def ask(st, p, s, a):
    """One more visit as long as the pair's law is not known up to eta / 2 = epsilon / (2 W)."""
    enough = st.rounds[0] == 0 or own_radius(st, p, s, a) <= 0.5 * p.epsilon / st.guess[0]
    return st.N[s, a] + (0 if enough else 1)


@kernel
def bound_radii(st, p):
    """beta of all entries, from the data so far."""
    for s in range(p.S):
        for a in range(p.A):
            bound_row(st, p, s, a)


@kernel
def farthest(st, p):
    """|v|: the largest expected time of a plan in its law, from above, over goals; infinite where one does not stop."""
    bound_radii(st, p)
    most = 0.0
    for g in range(p.S):
        st.goal[g] = 1
        if not extended_iteration(st, p, 0.5 * p.epsilon):
            most = INFINITY
        st.goal[g] = 0
        for s in range(p.S):
            most = max(most, st.v_next[s])
    return most / (1.0 - 0.5 * p.epsilon)


@kernel
def advance(st, p, t):
    """The end of a round: the estimate, or the next round."""
    if st.rounds[0] > 0:
        st.largest[0] = farthest(st, p)
        if st.largest[0] <= st.guess[0]:
            eta = p.epsilon / st.guess[0]
            st.estimate[0] = (1.0 + 2.0 * eta * st.largest[0]) * st.largest[0]
            return True
    st.rounds[0] += 1
    st.guess[0] = 1.0 if st.rounds[0] == 1 else 2.0 * st.guess[0]
    return False


def check(p: dict[str, Any]) -> dict[str, Any]:
    """Refuses accuracies without meaning."""
    positive("gosprl-diameter", p, "epsilon", "alpha")
    if p["epsilon"] > 1.0:
        raise InputError(f"gosprl-diameter: epsilon={p['epsilon']} is above 1, where its plans guarantee nothing")
    return {}


learner = adaptive(
    "gosprl-diameter",
    ask,
    params=dict(epsilon=0.5),
    state=dict(order=i8["S"], guess=f8[1], rounds=i8[1], largest=f8[1], estimate=f8[1]),
    advance=advance,
    check=check,
    source_tag="source",
    text="`estimate` is D_hat at completion; `epsilon` its accuracy. Radii with alpha below 1 have no guarantee.",
)
