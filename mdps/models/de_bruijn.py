"""A de Bruijn graph: every state is reached from every other in log2 S steps; the diameter hardly grows with S.

S = 2^k states, the words of k bits. Action a in {0, 1} appends the bit a and drops the first one: s goes to (2 s + a)
mod S. With probability `slip` the other bit is appended. No rewards. P (S,2,S), r (S,2). Among models with two actions
and at most two successors a pair a diameter of order log S is the least there is, so that S may grow while D almost
stays: for studies of one size at a time [derived; the graph: recalled].

Exact: slip 0: D = k; from s the word s2 is reached in k steps, or fewer where the end of s is the beginning of s2.
"""

from __future__ import annotations

import numpy as np

from theorylab.errors import InputError
from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP
from theorylab.parameters import integer, number, room


def build(states: int = 8, slip: float = 0.1, criterion: Criterion = AVERAGE_REWARD) -> TabularMDP:
    """The graph on `states` = 2^k >= 2 words, 0 <= slip < 1/2.

    Raises:
        InputError: a number of states that is no power of two; a slip of 1/2 or more, with which actions change places.
    """
    S, x = integer("de-bruijn", "states", states, 2), number("de-bruijn", "slip", slip, 0.0, 0.5)
    if S & (S - 1):
        raise InputError(f"de-bruijn: states is {S}, no power of two; give 2, 4, 8, ...")
    if x == 0.5:
        raise InputError("de-bruijn: slip is 0.5, with which both actions are the same; give a smaller one")
    room("de-bruijn", "P", S, 2, S)
    P = np.zeros((S, 2, S))
    for s in range(S):
        for a in range(2):
            P[s, a, (2 * s + a) % S] += 1.0 - x
            P[s, a, (2 * s + 1 - a) % S] += x
    return TabularMDP(P=P, r=np.zeros((S, 2)), criterion=criterion, name=f"de-bruijn-{S}-slip{x:g}")


family = Family(
    name="de-bruijn",
    build=build,
    setting="mdp",
    cite="debruijn1946",
    source_tag="derived",
    text="Words of k bits, an action appends one: S = 2^k states at a diameter of order k; no rewards.",
    tags=("communicating", "average", "reward-free"),
    published=(
        Published(
            name="de-bruijn-8-dry",
            params={"slip": 0.0},
            digest="56e319abd2ee9551",
            known={"diameter": "3"},
            text="Eight states, no slip: the diameter is the length of a word.",
        ),
    ),
)
