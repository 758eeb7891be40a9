"""The star: n leaves around a centre, each reached by its own action with its own probability.

State 0 is the centre, states 1..n the leaves. In the centre action i moves to leaf i+1 with probability p[i], else
stays; every action in a leaf returns to the centre. P (n+1,n,n+1), r (n+1,n). It attains the lower bound sum_s D_s
b(s) on the cost of collecting b(s) samples of each leaf (Tarbouriech et al., 2021): the best expected cost is exactly
sum_i b(i) (1 + 1/p_i) [derived].

The source is free of rewards: r = 0. With `reward` x > 0 every action in the last leaf earns x.

Exact for n >= 2: the largest minimal hitting time of leaf i+1 is D = 1 + 1/p[i], of the centre 1; diameter 1 + 1/min p.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from theorylab.errors import InputError
from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP
from theorylab.parameters import number, room


def build(
    p: Sequence[float] = (0.5, 0.25, 0.1), reward: float = 0.0, criterion: Criterion = AVERAGE_REWARD
) -> TabularMDP:
    """The star whose leaf i+1 is reached with probability 0 < p[i] <= 1; 0 <= reward <= 1 in the last leaf."""
    if isinstance(p, (str, bytes)) or not isinstance(p, (Sequence, np.ndarray)) or np.ndim(p) != 1 or len(p) == 0:
        raise InputError(f"star: p is {p!r}; give a probability for each leaf, such as [0.5, 0.25, 0.1]")
    room("star", "P", len(p) + 1, len(p), len(p) + 1)
    chances = [number("star", f"p[{i}]", x, 0.0, 1.0, open_low=True) for i, x in enumerate(p)]
    x = number("star", "reward", reward, 0.0, 1.0)
    n = len(chances)
    P = np.zeros((n + 1, n, n + 1))
    for i, chance in enumerate(chances):
        P[0, i, i + 1], P[0, i, 0] = chance, 1 - chance
    P[1:, :, 0] = 1.0
    r = np.zeros((n + 1, n))
    r[n] = x
    name = "star-" + ("-".join(f"{c:g}" for c in chances) if n <= 4 else f"{n}-leaves")
    return TabularMDP(P=P, r=r, criterion=criterion, name=name + (f"-reward{x:g}" if x else ""))


family = Family(
    name="star",
    build=build,
    setting="mdp",
    cite="tarbouriech2021",
    source_tag="derived",
    text="A centre and n leaves, leaf i reached with probability p[i]: hitting times 1 + 1/p[i]; no rewards.",
    tags=("communicating", "average", "reward-free"),
    published=(
        Published(
            name="star-0.5-0.25-0.1",
            params={},
            digest="75af039dcf5cae0d",
            known={"diameter": "11"},
            text="Three leaves, the most remote one at distance 11.",
        ),
    ),
)
