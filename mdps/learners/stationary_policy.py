"""A stationary randomised policy, the array `policy` (S,A) of probabilities (default: uniform). Average setting.

The action of step t is the first a with u < policy(s,0) + ... + policy(s,a), u addressed by t; the last one of positive
probability takes what rounding leaves. Rewards are ignored. A driver that replans between stretches of a run
(`mdps.collection.frank_wolfe`) writes the state's `pi`.

State: pi (S,A) the policy that is played, N (S,A) visits, moves (S,A,S) transitions. No theorem, only a tool [derived].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from theorylab.errors import InputError
from theorylab.kernel import LEARNER, draw, kernel
from theorylab.learner import Learner, f8, i8

#: largest distance of a row's sum from one
ROUNDING = 1e-9


@kernel
def begin(st, p):
    """The policy as given; no visits yet (the state arrives zeroed)."""
    for s in range(p.S):
        for a in range(p.A):
            st.pi[s, a] = p.policy[s, a]


@kernel
def act(st, p, t, s, rng):
    """The inverse of the row's cumulative sums."""
    u, _ = draw(rng, t, 0, LEARNER)
    chosen = 0
    passed = 0.0
    for a in range(p.A):
        if st.pi[s, a] > 0.0:
            if passed <= u:
                chosen = a
            passed += st.pi[s, a]
    return chosen


@kernel
def learn(st, p, t, s, a, r, s2):
    """Count the step."""
    st.N[s, a] += 1
    st.moves[s, a, s2] += 1


def check_policy(policy: Any) -> None:
    """Refuse negative entries and rows of (S,A) that do not sum to one, by name."""
    x = np.asarray(policy, dtype=float)
    if x.min() < 0.0:
        s, a = (int(i) for i in np.argwhere(x < 0.0)[0])
        raise InputError(f"policy[{s}, {a}] = {x[s, a]} is negative; give probabilities")
    far = np.flatnonzero(np.abs(x.sum(axis=1) - 1.0) > ROUNDING)
    if far.size:
        s = int(far[0])
        raise InputError(f"policy[{s}] = {x[s].tolist()} sums to {x[s].sum()}, not to 1; give probabilities of actions")


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """The policy: as given, or uniform."""
    policy = np.full((p["S"], p["A"]), 1.0 / p["A"]) if p["policy"] is None else p["policy"]
    check_policy(policy)
    return dict(policy=policy)


learner = Learner(
    name="stationary-policy",
    setting="average",
    source_tag="derived",
    arrays=dict(policy=f8["S", "A"]),
    state=dict(pi=f8["S", "A"], N=i8["S", "A"], moves=i8["S", "A", "S"]),
    derive=derive,
    begin=begin,
    act=act,
    learn=learn,
    text="A fixed randomised policy; rows of `policy` must sum to one.",
)
