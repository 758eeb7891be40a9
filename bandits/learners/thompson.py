"""Thompson sampling with Beta(1, 1) priors. Stochastic bandits, A arms, rewards in [0, 1].

    draw theta_j ~ Beta(successes_j + 1, failures_j + 1) for every arm, independently, and play argmax_j theta_j;
    toss a coin that shows heads with probability r, the reward, and add one to the arm's successes or failures

Rewards 0 and 1 decide the coin, so for Bernoulli rewards successes_j is the sum of the rewards.
State: successes, failures (A,) counts, theta (A,) the samples of the last decision, coin (1,) its uniform number: heads
where coin < r. Addresses: arm j's samples at (visit = round, site = j), the coin at (round, A).
Ties, which have probability zero, go to the lowest arm. Cost: 2A gamma draws and a coin a round.
Source: agrawal2013, algorithm for Beta priors [source]; the coin is that of Agrawal and Goyal 2012 [recalled].
"""

from __future__ import annotations

from theorylab.kernel import LEARNER, beta, draw, kernel
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """Uniform priors: no successes, no failures."""
    st.coin[0] = 0.0
    for a in range(p.A):
        st.successes[a] = 0
        st.failures[a] = 0
        st.theta[a] = 0.0


@kernel
def act(st, p, t, rng):
    """The arm with the largest posterior sample; the coin of the round is drawn as well."""
    best = 0
    top = -1.0
    for a in range(p.A):
        x = beta(rng, t, a, LEARNER, st.successes[a] + 1.0, st.failures[a] + 1.0)
        st.theta[a] = x
        if x > top:
            top = x
            best = a
    st.coin[0], _ = draw(rng, t, p.A, LEARNER)
    return best


@kernel
def learn(st, p, t, a, r):
    """Heads, with probability r, are a success of the arm."""
    if st.coin[0] < r:
        st.successes[a] += 1
    else:
        st.failures[a] += 1


learner = Learner(
    name="thompson",
    setting="bandit",
    cite="agrawal2013",
    source_tag="source",
    state=dict(successes=i8["A"], failures=i8["A"], theta=f8["A"], coin=f8[1]),
    begin=begin,
    act=act,
    learn=learn,
    text=(
        "Beta(1, 1) priors; a reward in [0, 1] becomes a success with probability r, by a coin of the learner's own "
        "drawn in every round; ties, of probability zero, to the lowest arm."
    ),
)
