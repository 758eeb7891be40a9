"""Three arms on which optimism is far from optimal: Lattimore and Szepesvari (2017).

Arms (1, 0), (0, 1), (1 - epsilon, gamma epsilon), theta = (1, 0), Gaussian rewards with sd 1; gamma >= 1 and
0 < epsilon <= 1/gamma^2. Means (1, 0, 1 - epsilon). Source [recalled; constants derived below].

Regret is at least of order log T times the value of: minimise n_2 + epsilon n_3 with ||x_a - x_1||^2 in the norm of
(sum n_a x_a x_a^T)^-1 at most gap_a^2/2 for a = 2, 3. Arm 1 costs nothing, so its own direction is known, and what is
left is gamma^2 epsilon^2 / (n_2 + gamma^2 epsilon^2 n_3) <= epsilon^2/2, that is n_2 + gamma^2 epsilon^2 n_3 >= 2
gamma^2. As gamma^2 epsilon <= 1, arm 2 is the cheaper source: the value is 2 gamma^2, reached with n_2 = 2 gamma^2 log
T plays of an arm that looks bad. An algorithm that drops arm 2 after O(log T) plays that do not grow with gamma, as
optimism does, pays for arm 3 instead: up to 2/epsilon log T [derived].

Exact: best mean 1, smallest positive gap epsilon.
"""

from __future__ import annotations

import numpy as np

from theorylab.errors import InputError
from theorylab.family import Family, Published
from theorylab.linear_bandit import UNIT_GAUSSIAN, LinearBandit
from theorylab.parameters import number

NAME = "end-of-optimism"


def build(epsilon: float = 0.01, gamma: float = 2.0) -> LinearBandit:
    """The three arms; gamma >= 1 and 0 < epsilon <= 1/gamma^2, epsilon < 1.

    Raises:
        InputError: parameters outside of these ranges.
    """
    gamma = number(NAME, "gamma", gamma, 1.0)
    epsilon = number(NAME, "epsilon", epsilon, 0.0, 1.0, open_low=True)
    if epsilon * gamma * gamma > 1 or epsilon == 1:
        raise InputError(f"{NAME}: epsilon is {epsilon}; give epsilon <= 1/gamma^2 = {1 / gamma / gamma:g}, below 1")
    features = np.array([[1.0, 0.0], [0.0, 1.0], [1.0 - epsilon, gamma * epsilon]])
    return LinearBandit(features, np.array([1.0, 0.0]), UNIT_GAUSSIAN, f"{NAME}-{epsilon:g}-{gamma:g}")


family = Family(
    name=NAME,
    build=build,
    setting="linear-bandit",
    cite="lattimore2017",
    source_tag="recalled",
    text="Three arms (1,0), (0,1), (1-epsilon, gamma epsilon) with theta = (1,0), where playing a bad arm pays.",
    tags=("linear-bandit",),
    published=(
        Published(
            name="end-of-optimism-2",
            params={"epsilon": 0.01, "gamma": 2.0},
            digest="5ec77e3cfcb770cc",
            known={"gap": "0.01", "best_mean": "1"},
            text="epsilon = 0.01, gamma = 2: 8 log T is asymptotically optimal.",
        ),
    ),
)
