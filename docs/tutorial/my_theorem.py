"""Forced exploration at perfect squares, on two coins: a learner, a family and a theorem with its proof, in one file.

In round r = k^2 (counted from 1) the learner plays arm (k - 1) mod A, in all others the arm with the largest mean so
far. After n rounds each of A = 2 arms has at least m(n) = floor(floor(sqrt n) / 2) plays.

    theorem    E regret(n) <= gap (floor(sqrt n) + B),   q = exp(-gap^2 / 2),  c = 2 / (1 - q),
               B = sum_{m >= 0} (8 m + 4) min(1, c q^m)

for rewards in [0, 1] and one gap. A forced round costs at most the gap. In any other round with m = m(r - 1) the wrong
arm is played only if the mean of an arm after some s >= m plays is off by gap/2, which has probability at most
2 exp(-s gap^2 / 2) by Hoeffding's inequality, summed over s; and 8 m + 4 rounds r have m(r - 1) = m.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from theorylab.assume import Assumption, bandit, rewards_in_01
from theorylab.claim import Claim, Context, Control, Expectation, Growth, Instance, Pointwise
from theorylab.family import Family
from theorylab.kernel import kernel
from theorylab.learner import Learner, f8, i8
from theorylab.model import BERNOULLI, Bandit
from theorylab.parameters import number
from theorylab.probe import Probe

# The learner


@kernel
def begin(st, p):
    """The next forced round is the first."""
    st.k[0] = 1


@kernel
def act(st, p, t, rng):
    """The forced arm in round k^2, else the largest mean among arms that were played; ties to the lowest."""
    if t + 1 == st.k[0] * st.k[0]:
        return (st.k[0] - 1) % p.A
    best = -1
    for a in range(p.A):
        if st.N[a] > 0 and (best < 0 or st.total[a] / st.N[a] > st.total[best] / st.N[best]):
            best = a
    return best


@kernel
def learn(st, p, t, a, r):
    """Count the play, add the reward, and go on to the next square."""
    st.N[a] += 1
    st.total[a] += r
    if t + 1 == st.k[0] * st.k[0]:
        st.k[0] += 1


learner = Learner(
    name="square-greedy",
    setting="bandit",
    source_tag="derived",
    params={},
    state=dict(N=i8["A"], total=f8["A"], k=i8[1]),
    begin=begin,
    act=act,
    learn=learn,
    text="Greedy, with forced exploration in rounds 1, 4, 9, ...",
)

# The family


def build(gap: float = 0.5, low: float = 0.25) -> Bandit:
    """Two coins: the second pays with probability low + gap, the first with probability low."""
    low = number("two-coins", "low", low, 0.0, 1.0)
    gap = number("two-coins", "gap", gap, 0.0, 1.0 - low, open_low=True)
    return Bandit(means=np.array([low, low + gap]), reward_law=BERNOULLI, name=f"two-coins-{gap:g}")


family = Family(name="two-coins", build=build, setting="bandit", source_tag="derived", text="Two coins with a gap.")

# The theorem and its proof


def bound(c: Context, n: np.ndarray) -> np.ndarray:
    """The right-hand side of the theorem after n rounds: a closed form, since it is asked for n up to 1e18."""
    gap = float(np.max(c.gap))
    q = np.exp(-gap * gap / 2.0)
    k = 2.0 / (1.0 - q)
    m = np.ceil(2.0 * np.log(k) / (gap * gap))  # from here on k q^m <= 1
    errors = 4.0 * m * m + k * q**m * ((8.0 * m + 4.0) / (1.0 - q) + 8.0 * q / (1.0 - q) ** 2)
    return gap * (np.floor(np.sqrt(n)) + errors)


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """What any algorithm satisfies: the gap in every round."""
    return n * np.max(c.gap)


@kernel
def unexplored(st, p, tr, t):
    """m(t) minus the plays of the least played arm, as the environment counted them, before round t + 1."""
    root = 0
    while (root + 1) * (root + 1) <= t:
        root += 1
    least = t
    for a in range(p.A):
        least = min(least, tr.visits[a])
    return root // 2 - least


@kernel
def first_arm_forced(st, p, t, rng):
    """The fault: arm 0 in every forced round."""
    if t + 1 == st.k[0] * st.k[0]:
        return 0
    best = -1
    for a in range(p.A):
        if st.N[a] > 0 and (best < 0 or st.total[a] / st.N[a] > st.total[best] / st.N[best]):
            best = a
    return best


two_arms = Assumption("two-arms", "two arms", lambda m: "" if m.A == 2 else f"there are {m.A} arms")
fault = Control("only arm 0 is explored", replace(learner, act=first_arm_forced))
COMMON = dict(learner="square-greedy", source_tag="derived", assumes=(bandit, rewards_in_01, two_arms))

claims = [
    Claim(
        id="my2026.theorem",
        text="E regret(n) <= gap (floor(sqrt n) + sum_{m >= 0} (8 m + 4) min(1, 2 q^m / (1-q))), q = exp(-gap^2/2).",
        kind=Expectation(),
        quantity="regret",
        bound=bound,
        trivial=trivial,
        instances={"quick": (Instance("two-coins", 20_000),)},
        control_instance=Instance("two-coins", 20_000),
        steps=("my2026.exploration", "my2026.growth"),
        controls=(replace(fault, target="cpu", replicates=64),),
        **COMMON,
    ),
    Claim(
        id="my2026.exploration",
        text="Before round n + 1 each of the two arms was played at least floor(floor(sqrt n) / 2) times.",
        kind=Pointwise(),
        quantity=Probe("my.exploration", unexplored),
        instances={"quick": (Instance("two-coins", 2000), Instance("two-coins", 2000, {"gap": 0.1}))},
        control_instance=Instance("two-coins", 100),
        controls=(fault,),
        **COMMON,
    ),
    Claim(
        id="my2026.growth",
        text="With a fixed gap regret is O(sqrt n): in the end forced rounds are all that is left.",
        kind=Growth("sqrt(n)"),
        quantity="regret",
        shape=lambda c, n: np.sqrt(n),
        trivial=trivial,
        instances={"quick": tuple(Instance("two-coins", 2**k) for k in range(11, 18))},
        controls=(fault,),
        **COMMON,
    ),
]
