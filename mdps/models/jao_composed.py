"""The lower-bound instance of Jaksch, Ortner and Auer (2010): copies of the two-state block joined in a tree.

For a diameter D, S states and A actions: delta = 4/D, A' = floor((A-1)/2), k = floor(S/2) copies of the block `jao`
with A' actions, in which P(s1|s0,a) = P(s0|s1,a) = delta, r(s0) = 0, r(s1) = 1; in one copy one action has P(s1|s0,a)
= delta + epsilon. The states s0 of the copies form an A'-ary tree (the children of copy c are A'c + 1, ..., A'c + A',
the root is copy 0): action A' moves to the parent, action A'+1+j to the j-th child, for sure; where there is none,
and in the states s1, these actions stay. All of them earn 0. State 2c is s0 of copy c, state 2c+1 its s1; the start
is s0 of the root. The model has 2k <= S states and 2A'+1 <= A actions: an odd state and an even action are left out.
P (2k,2A'+1,2k).

Exact: gain g = (delta + epsilon) / (2 delta + epsilon); bias span 1 / (2 delta + epsilon) + g m for epsilon > 0, with
m the tree distance from the good copy to the farthest; diameter <= 2 (D/4 + ceil(log_A' k)) for A' >= 2, which is at
most D in the theorem's range S, A >= 10, D >= 20 log_A S. The theorem lets epsilon shrink like sqrt(delta k A' / T):
draw it anew for each T. Source: Jaksch et al. (2010), section 6 [recalled]; order of states and actions, span
[derived].
"""

from __future__ import annotations

import numpy as np

from theorylab.errors import InputError
from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, Criterion, TabularMDP
from theorylab.parameters import integer, number, room


def build(
    D: float = 20.0,
    S: int = 10,
    A: int = 10,
    epsilon: float = 0.05,
    copy: int = 0,
    good: int = 0,
    criterion: Criterion = AVERAGE_REWARD,
) -> TabularMDP:
    """The composition for D >= 4, S >= 2, A >= 3, 0 <= epsilon <= 4/D; action `good` of copy `copy` is the better one.

    Raises:
        InputError: a parameter out of range, among them delta + epsilon > 1.
    """
    D = number("jao-composed", "D", D, 4.0, 1e12)
    k = integer("jao-composed", "S", S, 2) // 2
    Ap = (integer("jao-composed", "A", A, 3) - 1) // 2
    room("jao-composed", "P", 2 * k, 2 * Ap + 1, 2 * k)
    copy = integer("jao-composed", "copy", copy, 0, k - 1)
    good = integer("jao-composed", "good", good, 0, Ap - 1)
    d = 4 / D
    e = number("jao-composed", "epsilon", epsilon, 0.0, d)
    if d + e > 1:
        raise InputError(f"jao-composed: 4/D + epsilon is {d + e!r}; it is a probability: choose epsilon <= 1 - 4/D")
    actions = 2 * Ap + 1
    P, r = np.zeros((2 * k, actions, 2 * k)), np.zeros((2 * k, actions))
    for c in range(k):
        s0, s1 = 2 * c, 2 * c + 1
        P[s0, :Ap, s0], P[s0, :Ap, s1] = 1 - d, d
        P[s1, :Ap, s1], P[s1, :Ap, s0] = 1 - d, d
        r[s1, :Ap] = 1.0
        P[s1, Ap:, s1] = 1.0
        ends = [(c - 1) // Ap if c > 0 else c, *(Ap * c + 1 + j for j in range(Ap))]
        for j, end in enumerate(ends):
            P[s0, Ap + j, 2 * end if end < k else s0] = 1.0
    P[2 * copy, good, 2 * copy], P[2 * copy, good, 2 * copy + 1] = 1 - (d + e), d + e
    place = f"-at{copy}.{good}" if copy or good else ""
    return TabularMDP(P=P, r=r, criterion=criterion, name=f"jao-composed-{D:g}-{S}-{A}-{e:g}{place}")


family = Family(
    name="jao-composed",
    build=build,
    setting="mdp",
    cite="jaksch2010",
    source_tag="recalled",
    text=(
        "Lower-bound instance for average reward: copies of the two-state block, only one of them with a good action, "
        "joined in a tree; gain (delta+epsilon)/(2 delta+epsilon) with delta = 4/D, diameter at most D."
    ),
    tags=("communicating", "average", "hard"),
    published=(
        Published(
            name="jao-composed-20-10-10-0.05",
            params={},
            digest="48a8913cdf4f2af6",
            known={"gain": "0.5555555556", "bias_span": "2.777777778", "diameter": "12", "gap": "0.1111111111"},
            text="D = 20, S = A = 10, epsilon .05: five copies of four actions, delta .2.",
        ),
    ),
)
