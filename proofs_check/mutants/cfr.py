"""Faults planted in CFR: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners._cfr import average, match, values
from mdps.learners.cfr import learn, learner
from theorylab.games.kernels import BOTH, LANES, add_plan, gradient, infosets_of, masses, realise
from theorylab.kernel import kernel
from theorylab.learner import Learner

# averages


@kernel
def average_of_policies(st, p, weight, who):
    """Policies are averaged, each iteration alike, and not plans: own reach left out."""
    realise(st.x, st.pi, p, who)
    add_plan(st.total, st.pi, p, weight, who)


@kernel
def average_of_every_second(st, p, weight, who):
    """Every second iteration enters the average; the first does."""
    realise(st.x, st.pi, p, who)
    st.total[0, 0] += 1.0
    if st.total[0, 0] % 2.0 == 1.0:
        for q in range(1, p.Q):
            st.total[q, 0] += weight * st.x[q, 0]


@kernel
def act_last(st, p, pi):
    """The last iterate for the average."""
    for q in range(p.Q):
        for j in range(LANES):
            pi[q, j] = st.pi[q, j]


@kernel
def act_squared(st, p, pi):
    """The average is normalised wrongly: by the squares of the summed plans."""
    for i in range(p.I):
        first = p.seq_first[i]
        last = first + p.seq_count[i]
        for j in range(LANES):
            mass = 0.0
            for q in range(first, last):
                mass += st.total[q, j] * st.total[q, j]
            for q in range(first, last):
                pi[q, j] = st.total[q, j] * st.total[q, j] / mass


# values


@kernel
def conditional(st, p, who):
    """Values on condition that the infoset is reached: divided by the reach of chance and the opponent."""
    values(st, p, who)
    masses(st.mass, st.x, p)
    low, high = infosets_of(p, who)
    for i in range(low, high):
        for j in range(LANES):
            if st.mass[i, j] > 0.0:
                st.value[i, j] = st.value[i, j] / st.mass[i, j]
                for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
                    st.g[q, j] = st.g[q, j] / st.mass[i, j]


@kernel
def without_chance(st, p, who):
    """The probability 1/6 of a deal of Kuhn poker is left out."""
    values(st, p, who)
    low, high = infosets_of(p, who)
    for i in range(low, high):
        for j in range(LANES):
            st.value[i, j] = 6.0 * st.value[i, j]
            for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
                st.g[q, j] = 6.0 * st.g[q, j]


@kernel
def without_opponent(st, p, who):
    """The opponent's reach is left out: values as if it played all of its actions at once."""
    for q in range(p.Q):
        for j in range(LANES):
            st.x[q, j] = 1.0
    values(st, p, who)


@kernel
def same_sign(g, x, p, who):
    """Player 1 reads the payoffs of player 0."""
    gradient(g, x, p, who)
    if who != 0:
        for q in range(p.second, p.Q):
            for j in range(LANES):
                g[q, j] = -g[q, j]


@kernel
def no_spread(g, pi, p, who):
    """Values below the next infosets are not passed up."""
    pass


@kernel
def worst_spread(g, pi, p, who):
    """Values assume that the own player goes on with its last action, not with its policy."""
    low, high = infosets_of(p, who)
    for n in range(high - low):
        i = high - 1 - n
        for j in range(LANES):
            g[p.seq_before[i], j] += g[p.seq_first[i] + p.seq_count[i] - 1, j]


@kernel
def even_values(st, p, who):
    """What the infoset earns is the mean over actions, not under the policy."""
    values(st, p, who)
    low, high = infosets_of(p, who)
    for i in range(low, high):
        for j in range(LANES):
            st.value[i, j] = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                st.value[i, j] += st.g[q, j] / p.seq_count[i]


# regrets


@kernel
def learn_forgetting(st, p, t, rng):
    """Regrets are those of the last iteration alone."""
    average(st, p, 1.0, BOTH)
    values(st, p, BOTH)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                st.R[q, j] = st.g[q, j] - st.value[i, j]
                st.pi[q, j] = max(st.R[q, j], 0.0)
        match(st, p, i)


@kernel
def learn_absolute(st, p, t, rng):
    """Regret matching with |R| for the positive part."""
    learn(st, p, t, rng)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                st.pi[q, j] = abs(st.R[q, j])
        match(st, p, i)


@kernel
def learn_worst(st, p, t, rng):
    """The negative part in place of the positive one."""
    learn(st, p, t, rng)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                st.pi[q, j] = max(-st.R[q, j], 0.0)
        match(st, p, i)


@kernel
def learn_floored(st, p, t, rng):
    """Regrets are floored at 0, as in CFR+."""
    learn(st, p, t, rng)
    for q in range(p.Q):
        for j in range(LANES):
            st.R[q, j] = max(st.R[q, j], 0.0)


@kernel
def learn_stale(st, p, t, rng):
    """Values are computed once."""
    average(st, p, 1.0, BOTH)
    if t == 0:
        values(st, p, BOTH)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                st.R[q, j] += st.g[q, j] - st.value[i, j]
                st.pi[q, j] = max(st.R[q, j], 0.0)
        match(st, p, i)


@kernel
def learn_late(st, p, t, rng):
    """Policies follow the regrets at every second iteration only."""
    average(st, p, 1.0, BOTH)
    values(st, p, BOTH)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                st.R[q, j] += st.g[q, j] - st.value[i, j]
                if t % 2 == 1:
                    st.pi[q, j] = max(st.R[q, j], 0.0)
        match(st, p, i)


@kernel
def learn_alternating(st, p, t, rng):
    """Player 1 answers the new policy of player 0."""
    average(st, p, 1.0, BOTH)
    for who in range(2):
        values(st, p, who)
        low, high = infosets_of(p, who)
        for i in range(low, high):
            for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
                for j in range(LANES):
                    st.R[q, j] += st.g[q, j] - st.value[i, j]
                    st.pi[q, j] = max(st.R[q, j], 0.0)
            match(st, p, i)
        realise(st.x, st.pi, p, who)


def _learn(**parts: object) -> Learner:
    return replace(learner, learn=learn.replace(**parts))


policies_averaged = _learn(average=average_of_policies)
iterations_lost = _learn(average=average_of_every_second)
last_iterate = replace(learner, act=act_last)
squared_average = replace(learner, act=act_squared)
conditional_values = _learn(values=conditional)
chance_left_out = _learn(values=without_chance)
opponent_left_out = _learn(values=without_opponent)
wrong_sign = _learn(values=values.replace(gradient=same_sign))
not_passed_up = _learn(values=values.replace(spread=no_spread))
last_action_below = _learn(values=values.replace(spread=worst_spread))
even_baseline = _learn(values=even_values)
forgetting = replace(learner, learn=learn_forgetting)
absolute = replace(learner, learn=learn_absolute)
worst = replace(learner, learn=learn_worst)
floored = replace(learner, learn=learn_floored)
stale = replace(learner, learn=learn_stale)
late = replace(learner, learn=learn_late)
alternating = replace(learner, learn=learn_alternating)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": "no field: regret matching has no bonus",
    "log factor dropped": "no field: no logarithm",
    "delta not divided": "no field: nothing is random, there is no delta",
    "wrong variance": "no field: no variance",
    "count off by one": "no field: all iterations weigh alike",
    "lost counts": iterations_lost,
    "unvisited at zero": "no field: all infosets are updated at every iteration",
    "no clipping": absolute,
    "backup of the wrong stage": not_passed_up,
    "mass to the wrong state": "no field: no transition is estimated",
    "stale estimate": stale,
    "worst action played": worst,
    "ties to the last": "no field: no best action is chosen",
    "late trigger": late,
    "draw reused": "no field: it draws its first policy alone",
    "wrong length in the logarithm": "no field: no logarithm",
}
