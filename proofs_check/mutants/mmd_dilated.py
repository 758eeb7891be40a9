"""Faults planted in MMD in sequence form: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners.mmd import act, normalise, rates
from mdps.learners.mmd_dilated import learn, learner
from proofs_check.mutants.cfr import same_sign
from theorylab.games.kernels import BOTH, LANES, gradient, infosets_of, realise, sequences_of
from theorylab.kernel import kernel, log
from theorylab.learner import Learner

# the step at a sequence, and what an infoset passes to its parent


@kernel
def pull_of(eta, alpha, g, old):
    """The faithful one."""
    return (eta * g + old) / (1.0 + eta * alpha)


@kernel
def pass_on(st, p, i, j):
    """The faithful one: the logarithm of the summed exponentials."""
    return st.top[0, j]


PULL = pull_of
PASS = pass_on


@kernel
def improve(st, p, who):
    """One step of `who` with another PULL or PASS."""
    realise(st.x, st.pi, p, BOTH)
    gradient(st.g, st.x, p, who)
    low, high = sequences_of(p, who)
    for q in range(low, high):
        for j in range(LANES):
            st.pull[q, j] = PULL(st.eta[0, j], st.alpha[0, j], st.g[q, j], st.logits[q, j])
    low, high = infosets_of(p, who)
    for n in range(high - low):
        i = high - 1 - n
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                st.logits[q, j] = st.pull[q, j]
        normalise(st, st.logits, st.pi, p, i)
        for j in range(LANES):
            st.pull[p.seq_before[i], j] += PASS(st, p, i, j)


@kernel
def undivided(eta, alpha, g, old):
    """Not divided by 1 + eta alpha."""
    return eta * g + old


@kernel
def divided_once(eta, alpha, g, old):
    """The payoffs alone are divided: the old policy keeps its whole weight."""
    return eta * g / (1.0 + eta * alpha) + old


@kernel
def divided_old(eta, alpha, g, old):
    """The old policy alone is divided."""
    return eta * g + old / (1.0 + eta * alpha)


@kernel
def added_temperature(eta, alpha, g, old):
    """Divided by 1 + alpha: the temperature is not times the stepsize."""
    return (eta * g + old) / (1.0 + alpha)


@kernel
def downhill(eta, alpha, g, old):
    """The softmax of minus the pull of payoffs: both players minimise."""
    return (old - eta * g) / (1.0 + eta * alpha)


@kernel
def from_uniform(eta, alpha, g, old):
    """Every iteration begins at the uniform policy."""
    return eta * g / (1.0 + eta * alpha)


@kernel
def pass_nothing(st, p, i, j):
    """Nothing is added to the parent sequence."""
    return 0.0


@kernel
def pass_largest(st, p, i, j):
    """The largest pull in place of the logarithm of summed exponentials."""
    top = st.pull[p.seq_first[i], j]
    for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
        top = max(top, st.pull[q, j])
    return top


@kernel
def pass_mean(st, p, i, j):
    """The mean of the pull under the new policy, without its entropy."""
    total = 0.0
    for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
        total += st.pi[q, j] * st.pull[q, j]
    return total


# payoffs


@kernel
def without_chance(g, x, p, who):
    """The probability 1/6 of a deal of Kuhn poker is left out."""
    gradient(g, x, p, who)
    low, high = sequences_of(p, who)
    for q in range(low, high):
        for j in range(LANES):
            g[q, j] = 6.0 * g[q, j]


@kernel
def stale(x, pi, p, who):
    """Plans are those of the first policies for ever."""
    if x[0, 0] == 0.0:
        realise(x, pi, p, who)


# the loop


@kernel
def learn_in_turn(st, p, t, rng):
    """Player 1 answers the new plan of player 0."""
    rates(st, p, 1.0, rng)
    improve(st, p, 0)
    improve(st, p, 1)


@kernel
def learn_late(st, p, t, rng):
    """Policies move at every second iteration only."""
    rates(st, p, 1.0, rng)
    if t % 2 == 0:
        improve(st, p, BOTH)


@kernel
def learn_first_only(st, p, t, rng):
    """Player 1 does not move."""
    rates(st, p, 1.0, rng)
    improve(st, p, 0)


@kernel
def learn_annealed(st, p, t, rng):
    """Stepsize and temperature fall with the iterations."""
    rates(st, p, t + 1.0, rng)
    improve(st, p, BOTH)


@kernel
def act_doubtful(st, p, pi):
    """Half of what is stood for is the first policy."""
    act(st, p, pi)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                pi[q, j] = 0.5 * pi[q, j] + 0.5 * p.first[q]


@kernel
def normalise_policy_alone(st, logits, pi, p, i):
    """The policy is normalised, the logarithms are not."""
    normalise(st, logits, pi, p, i)
    for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
        for j in range(LANES):
            logits[q, j] = log(pi[q, j]) + st.top[0, j]


def _step(**parts: object) -> Learner:
    return replace(learner, learn=learn.replace(improve=improve.replace(**parts)))


not_divided = _step(PULL=undivided)
old_not_divided = _step(PULL=divided_once)
payoffs_not_divided = _step(PULL=divided_old)
temperature_alone = _step(PULL=added_temperature)
wrong_direction = _step(PULL=downhill)
restarted = _step(PULL=from_uniform)
not_passed_up = _step(PASS=pass_nothing)
largest_passed_up = _step(PASS=pass_largest)
mean_passed_up = _step(PASS=pass_mean)
wrong_sign = _step(gradient=same_sign)
chance_left_out = _step(gradient=without_chance)
first_plans = _step(realise=stale)
in_turn = replace(learner, learn=learn_in_turn)
late = replace(learner, learn=learn_late)
one_player = replace(learner, learn=learn_first_only)
annealed = replace(learner, learn=learn_annealed)
first_stood_for = replace(learner, act=act_doubtful)
logits_not_normalised = _step(normalise=normalise_policy_alone)

FAULTS: dict[str, Learner] = {
    "not divided by 1 + eta alpha": not_divided,
    "old policy not divided": old_not_divided,
    "payoffs not divided": payoffs_not_divided,
    "temperature without stepsize": temperature_alone,
    "softmax of minus payoffs": wrong_direction,
    "uniform restart": restarted,
    "children not passed up": not_passed_up,
    "largest pull passed up": largest_passed_up,
    "mean pull passed up": mean_passed_up,
    "player 1's sign": wrong_sign,
    "chance left out": chance_left_out,
    "plans of the first policies": first_plans,
    "alternating": in_turn,
    "every second iteration": late,
    "player 1 waits": one_player,
    "annealed": annealed,
    "average with the first policy": first_stood_for,
    "logits not normalised": logits_not_normalised,
}

GENERIC: dict[str, Learner | str] = {
    "bonus zero": not_divided,
    "log factor dropped": "no field: no logarithm of a number of rounds",
    "delta not divided": "no field: nothing is random, there is no delta",
    "wrong variance": "no field: no variance",
    "count off by one": "no field: stepsize and temperature are constant, nothing is counted",
    "lost counts": restarted,
    "unvisited at zero": "no field: all infosets are updated at every iteration",
    "no clipping": "no field: logarithms need no floor",
    "backup of the wrong stage": not_passed_up,
    "mass to the wrong state": "no field: no transition is estimated",
    "stale estimate": first_plans,
    "worst action played": wrong_direction,
    "ties to the last": "no field: no best action is chosen",
    "late trigger": late,
    "draw reused": "no field: it draws its first policy alone",
    "wrong length in the logarithm": "no field: no logarithm of a length",
}
