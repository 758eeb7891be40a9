"""GOSPRL estimates the diameter D = max over s, s2 of the shortest expected time from s to s2. Average setting.

    W = 1/2, |v| = infinity;  while |v| > W:
        W = 2 W, eta = epsilon / W; collect until alpha sum_{s2} beta(s,a,s2) <= eta / 2 for every pair
        for every goal, v = optimistic expected times to it: extended value iteration at unit cost over all laws
        within alpha beta of p_hat, to the precision epsilon / 2; |v| the largest of all
    D_hat = (1 + 2 eta |v|) |v|

On the radii's event with alpha >= 1: D <= D_hat <= (1 + 2 epsilon (1 + epsilon)) (1 + epsilon) D, after at most
log2(D (1 + epsilon)) + 1 rounds [source: ALT21, lemma 9 and algorithm 4; collection by GOSPRL: recalled].

State: those of `gosprl` and `_adaptive`; guess (1,) = W, rounds (1,), largest (1,) = |v| of the last round, estimate
(1,) = D_hat, 0 before completion. The sweeps of the S plans of a round share the limit `max_sweeps` each; a plan that
does not stop leaves largest at infinity, and the next round follows.
"""

from __future__ import annotations

from typing import Any

from mdps.learners._adaptive import adaptive, own_radius, positive
from mdps.learners._trips import extended_iteration
from mdps.learners.gosprl import bound_row
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
    """|v|: the largest optimistic expected time over all goals; infinite where a plan does not stop."""
    bound_radii(st, p)
    most = 0.0
    for g in range(p.S):
        st.goal[g] = 1
        if not extended_iteration(st, p, 0.5 * p.epsilon):
            most = INFINITY
        st.goal[g] = 0
        for s in range(p.S):
            most = max(most, st.v_next[s])
    return most


@kernel
def advance(st, p, t):
    """The end of a round: the estimate, or the next round."""
    st.largest[0] = INFINITY
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
