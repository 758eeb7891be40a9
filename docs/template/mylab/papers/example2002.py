"""UCB1 (Auer, Cesa-Bianchi, Fischer 2002): theorem 1 and a step of its proof. Rewards in [0, 1], A arms, n rounds.

    theorem 1    E regret(n) <= 8 sum_{gap > 0} ln(n) / gap + (1 + pi^2 / 3) sum gap                     [recalled]
    optimism     the index of the best arm is at least its mean at every decision from n0 = 5 on, except with
                 probability sum_{n >= n0} n^-3 <= n0^-3 + n0^-2 / 2                                     [derived]

At the decision after n rounds each of n possible counts of the arm fails with probability n^-4: hence n^-3.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from bandits.learners.ucb1 import learner as ucb1
from bandits.learners.uniform import learner as uniform
from theorylab.assume import bandit, rewards_in_01
from theorylab.claim import Claim, Context, Control, Expectation, HighProbability, Instance
from theorylab.kernel import kernel
from theorylab.probe import NEVER, Probe

START = 5
EASY = Instance("bernoulli", 200, {"means": (0.9, 0.1)})


def bound(c: Context, n: np.ndarray) -> np.ndarray:
    """The right-hand side of theorem 1 after n rounds."""
    gap = c.gap[c.gap > 0.0]
    return 8.0 * np.sum(1.0 / gap) * np.log(np.maximum(n, 1.0)) + (1.0 + np.pi**2 / 3.0) * np.sum(gap)


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """What any algorithm satisfies: the largest gap in every round."""
    return n * np.max(c.gap)


@kernel
def optimism(st, p, tr, t):
    """Mean of the best arm minus its index at decision t: positive where optimism fails."""
    if t < tr.n_start:
        return NEVER
    worst = NEVER
    for a in range(p.A):
        if tr.gap[a] == 0.0:
            worst = max(worst, tr.mean[a] - st.ucb[a])
    return worst


@kernel
def greedy(st, p, t, rng):
    """The planted fault: the index is the mean alone."""
    if t < p.A:
        return t
    best = 0
    for a in range(p.A):
        st.ucb[a] = st.total[a] / st.N[a]
        if st.ucb[a] > st.ucb[best]:
            best = a
    return best


theorem = Claim(
    id="example2002.thm1",
    text="Theorem 1: the mean regret of UCB1 after n rounds is at most the bound.",
    source_tag="recalled",
    learner="ucb1",
    instances={"quick": (EASY,)},
    quantity="regret",
    kind=Expectation(),
    bound=bound,
    trivial=trivial,
    assumes=(bandit, rewards_in_01),
    steps=("example2002.optimism",),
    control_instance=replace(EASY, length=1000),
    controls=(Control("uniform play", uniform, replicates=24),),
)

step = Claim(
    id="example2002.optimism",
    text="From decision 5 on the index of the best arm is at least its mean, except with probability 0.028.",
    source_tag="derived",
    learner="ucb1",
    instances={"quick": (EASY,)},
    quantity=Probe("example.optimism", optimism, at="step", tol=1e-9),
    kind=HighProbability(START**-3 + START**-2 / 2),
    tables=lambda c: {"n_start": float(START)},
    assumes=(bandit, rewards_in_01),
    control_instance=EASY,
    controls=(Control("no bonus", replace(ucb1, name="ucb1-no-bonus", act=greedy)),),
)

claims = [theorem, step]
