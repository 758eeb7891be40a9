"""Faults planted in Q-learning: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners.q_learning import act, largest, learner
from theorylab.kernel import LEARNER, draw, kernel
from theorylab.learner import Learner


@kernel
def first_maximiser(st, p, h, s):
    """The greedy action."""
    best = 0
    for a in range(1, p.A):
        if st.Q[h, s, a] > st.Q[h, s, best]:
            best = a
    return best


@kernel
def never_explores(st, p, k, h, s, rng):
    """The greedy action always."""
    return first_maximiser(st, p, h, s)


@kernel
def same_coins(st, p, k, h, s, rng):
    """The coins of the first episode in all of them."""
    return act(st, p, 0, h, s, rng)


@kernel
def one_coin(st, p, k, h, s, rng):
    """One coin for the whole episode."""
    u, v = draw(rng, k, 0, LEARNER)
    if u < p.epsilon:
        return int(v * p.A)
    return first_maximiser(st, p, h, s)


@kernel
def explores_with_rest(st, p, k, h, s, rng):
    """epsilon and 1 - epsilon are exchanged."""
    u, v = draw(rng, k, h * p.S + s, LEARNER)
    if u >= p.epsilon:
        return int(v * p.A)
    return first_maximiser(st, p, h, s)


@kernel
def all_but_last(st, p, k, h, s, rng):
    """An exclusive upper end taken for an inclusive one: the last action is never explored."""
    u, v = draw(rng, k, h * p.S + s, LEARNER)
    if u < p.epsilon:
        return int(v * (p.A - 1))
    return first_maximiser(st, p, h, s)


@kernel
def least(st, p, k, h, s, rng):
    """The smallest Q is played where the coin says greedy."""
    u, v = draw(rng, k, h * p.S + s, LEARNER)
    if u < p.epsilon:
        return int(v * p.A)
    worst = 0
    for a in range(1, p.A):
        if st.Q[h, s, a] < st.Q[h, s, worst]:
            worst = a
    return worst


@kernel
def count_before(st, p, k, h, s, a, r, s2):
    """The rate uses one visit too many: 1/(n + 1)."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    rate = 1.0 / (n + 1.0)
    st.Q[h, s, a] = (1.0 - rate) * st.Q[h, s, a] + rate * (r + largest(st, p, h + 1, s2))


@kernel
def constant_rate(st, p, k, h, s, a, r, s2):
    """A constant rate of 0.5."""
    st.N[h, s, a] += 1
    st.Q[h, s, a] = 0.5 * st.Q[h, s, a] + 0.5 * (r + largest(st, p, h + 1, s2))


@kernel
def same_stage(st, p, k, h, s, a, r, s2):
    """The target takes Q_h instead of Q_{h+1}."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    rate = 1.0 / n
    st.Q[h, s, a] = (1.0 - rate) * st.Q[h, s, a] + rate * (r + largest(st, p, h, s2))


@kernel
def same_state(st, p, k, h, s, a, r, s2):
    """The target takes the value of the state that was left."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    rate = 1.0 / n
    st.Q[h, s, a] = (1.0 - rate) * st.Q[h, s, a] + rate * (r + largest(st, p, h + 1, s))


@kernel
def first_action(st, p, k, h, s, a, r, s2):
    """The target takes the value of action 0, not the maximum."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    rate = 1.0 / n
    st.Q[h, s, a] = (1.0 - rate) * st.Q[h, s, a] + rate * (r + st.Q[h + 1, s2, 0])


@kernel
def odd_visits(st, p, k, h, s, a, r, s2):
    """Every second visit is counted but not learnt from."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    rate = 1.0 / n
    if n % 2 == 1:
        st.Q[h, s, a] = (1.0 - rate) * st.Q[h, s, a] + rate * (r + largest(st, p, h + 1, s2))


@kernel
def self_loops_lost(st, p, k, h, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    n = st.N[h, s, a] + 1
    if s2 != s:
        st.N[h, s, a] = n
    rate = 1.0 / n
    st.Q[h, s, a] = (1.0 - rate) * st.Q[h, s, a] + rate * (r + largest(st, p, h + 1, s2))


@kernel
def last_stage_continues(st, p, k, h, s, a, r, s2):
    """The last stage takes a value from itself: there is no end of the episode."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    rate = 1.0 / n
    st.Q[h, s, a] = (1.0 - rate) * st.Q[h, s, a] + rate * (r + largest(st, p, min(h + 1, p.H - 1), s2))


exploration_off = replace(learner, act=never_explores)
coins_reused = replace(learner, act=same_coins)
coin_shared = replace(learner, act=one_coin)
epsilon_swapped = replace(learner, act=explores_with_rest)
last_unexplored = replace(learner, act=all_but_last)
argmin = replace(learner, act=least)
count_off_by_one = replace(learner, learn=count_before)
rate_constant = replace(learner, learn=constant_rate)
backup_same_stage = replace(learner, learn=same_stage)
backup_same_state = replace(learner, learn=same_state)
backup_first_action = replace(learner, learn=first_action)
updates_skipped = replace(learner, learn=odd_visits)
counts_lost = replace(learner, learn=self_loops_lost)
episode_endless = replace(learner, learn=last_stage_continues)

NO_BONUS = "no field: plain Q-learning has no bonus, hence no logarithm, no delta and no variance"
GENERIC: dict[str, Learner | str] = {
    "bonus zero": exploration_off,  # what explores is the coin
    "log factor dropped": NO_BONUS,
    "delta not divided": NO_BONUS,
    "wrong variance": NO_BONUS,
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": "no field: Q starts at `start`, zero unless it is set; no optimism is claimed",
    "no clipping": "no field: Q is an average of targets in [0, H - h], nothing is clipped",
    "backup of the wrong stage": backup_same_stage,
    "mass to the wrong state": backup_same_state,
    "stale estimate": updates_skipped,
    "worst action played": argmin,
    "ties to the last": "equivalent: every maximiser is greedy, and no step says which is played",
    "late trigger": "no field: there are no epochs, every step is learnt from at once",
    "draw reused": coins_reused,
    "wrong length in the logarithm": NO_BONUS,
}
