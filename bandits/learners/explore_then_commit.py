"""Explore-then-commit: m plays of every arm in turn, then the arm with the largest mean for ever. A arms.

    round t < m A: arm t mod A;    afterwards: argmax_j mean_j over the first m A rounds, decided once

The rule itself asks nothing of the rewards; theorem 6.1 of the source has rewards that are 1-subgaussian about their
means, and rewards in [0, 1] are 1/2-subgaussian. The learner knows m, not the number of rounds: where m A is larger
than that, it explores to the end.
State: N (A,) plays, total (A,) reward sums, choice (1,) the arm committed to, -1 before. Rewards are counted after the
commitment too, and used for nothing. Ties go to the lowest arm, which the source leaves open. Cost O(1) a round.
Source: lattimore2020, algorithm 1 and theorem 6.1 [recalled].
"""

from __future__ import annotations

from typing import Any

from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """Zero counts and sums, no choice."""
    st.choice[0] = -1
    for a in range(p.A):
        st.N[a] = 0
        st.total[a] = 0.0


@kernel
def best_mean(st, p):
    """The first arm with the largest mean."""
    best = 0
    for a in range(1, p.A):
        if st.total[a] / st.N[a] > st.total[best] / st.N[best]:
            best = a
    return best


@kernel
def act(st, p, t, rng):
    """The next arm in turn, then the choice."""
    if t < p.explore:
        return t % p.A
    if t == p.explore:
        st.choice[0] = best_mean(st, p)
    return st.choice[0]


@kernel
def learn(st, p, t, a, r):
    """Count the play and add the reward."""
    st.N[a] += 1
    st.total[a] += r


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """explore = m A, the number of exploring rounds."""
    if p["m"] < 1:
        raise InputError(f"learner 'explore-then-commit': m={p['m']} must be at least 1 play of each arm")
    return dict(explore=p["m"] * p["A"])


learner = Learner(
    name="explore-then-commit",
    setting="bandit",
    cite="lattimore2020",
    source_tag="recalled",
    params=dict(m=10),
    state=dict(N=i8["A"], total=f8["A"], choice=i8[1]),
    derive=derive,
    begin=begin,
    act=act,
    learn=learn,
    text="m plays of every arm in turn, then the arm with the largest mean; ties to the lowest arm.",
)
