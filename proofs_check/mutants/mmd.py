"""Faults planted in MMD with action values: each is one wrong line, as it is found in real code.

Mirror descent has the same kernels: `shared` plants in it what it has too.
"""

from __future__ import annotations

from dataclasses import replace

from mdps.learners.mmd import act, learn, learner, normalise, rates
from proofs_check.mutants.cfr import no_spread, same_sign, worst_spread
from proofs_check.mutants.mmd_dilated import normalise_policy_alone, stale, without_chance
from theorylab.games.kernels import BOTH, LANES, gradient, infosets_of, masses, realise, spread
from theorylab.kernel import kernel, sqrt
from theorylab.learner import Learner

# the step at a sequence


@kernel
def logit_of(old, anchor, value, step, alpha):
    """The faithful one."""
    return (old + alpha * step * anchor + step * value) / (1.0 + alpha * step)


@kernel
def step_of(st, p, before, j):
    """The faithful one: times the own reach where it is asked for."""
    return st.eta[0, j] * st.x[before, j] if p.weighted == 1 else st.eta[0, j]


LOGIT = logit_of
STEP = step_of


@kernel
def improve(st, p, who):
    """One step of `who` with another LOGIT or STEP."""
    realise(st.x, st.pi, p, BOTH)
    gradient(st.g, st.x, p, who)
    spread(st.g, st.pi, p, who)
    masses(st.mass, st.x, p)
    low, high = infosets_of(p, who)
    for i in range(low, high):
        first = p.seq_first[i]
        last = first + p.seq_count[i]
        for q in range(first, last):
            for j in range(LANES):
                step = STEP(st, p, p.seq_before[i], j)
                value = st.g[q, j] / st.mass[i, j]
                st.logits[q, j] = LOGIT(st.logits[q, j], st.anchor[q, j], value, step, st.alpha[0, j])
        normalise(st, st.logits, st.pi, p, i)
        if p.magnet > 0.0:
            for q in range(first, last):
                for j in range(LANES):
                    st.anchor[q, j] = (1.0 - p.magnet) * st.anchor[q, j] + p.magnet * st.logits[q, j]
            normalise(st, st.anchor, st.rho, p, i)


@kernel
def no_magnet(old, anchor, value, step, alpha):
    """The magnet is not applied; the division stays."""
    return (old + step * value) / (1.0 + alpha * step)


@kernel
def undivided(old, anchor, value, step, alpha):
    """Not divided by 1 + eta alpha."""
    return old + alpha * step * anchor + step * value


@kernel
def divided_once(old, anchor, value, step, alpha):
    """The old policy keeps its whole weight."""
    return old + (alpha * step * anchor + step * value) / (1.0 + alpha * step)


@kernel
def temperature_zero(old, anchor, value, step, alpha):
    """Mirror descent: the temperature is left out."""
    return old + step * value


@kernel
def downhill(old, anchor, value, step, alpha):
    """The softmax of minus the action values: both players minimise."""
    return (old + alpha * step * anchor - step * value) / (1.0 + alpha * step)


@kernel
def from_magnet(old, anchor, value, step, alpha):
    """Every iteration begins at the magnet."""
    return (anchor + alpha * step * anchor + step * value) / (1.0 + alpha * step)


@kernel
def trebled(old, anchor, value, step, alpha):
    """Three times the stepsize."""
    return (old + alpha * step * anchor + 3.0 * step * value) / (1.0 + alpha * step)


@kernel
def unweighted(st, p, before, j):
    """The own reach is left out of the stepsize."""
    return st.eta[0, j]


# values


@kernel
def no_masses(m, x, p):
    """Counterfactual values in place of conditional ones."""
    for i in range(p.I):
        for j in range(LANES):
            m[i, j] = 1.0


# the loop


@kernel
def learn_in_turn(st, p, t, rng):
    """Player 1 answers the new policy of player 0."""
    rates(st, p, sqrt(t + 1.0) if p.schedule == 1 else 1.0, rng)
    improve(st, p, 0)
    improve(st, p, 1)


@kernel
def learn_late(st, p, t, rng):
    """Policies move at every second iteration only."""
    if t % 2 == 0:
        learn(st, p, t, rng)


@kernel
def learn_from_zero(st, p, t, rng):
    """The iteration of the schedule is counted from 2."""
    rates(st, p, sqrt(t + 2.0) if p.schedule == 1 else 1.0, rng)
    improve(st, p, BOTH)


@kernel
def learn_fixed(st, p, t, rng):
    """Stepsize and temperature do not fall."""
    rates(st, p, 1.0, rng)
    improve(st, p, BOTH)


@kernel
def learn_one(st, p, t, rng):
    """Player 1 does not move."""
    rates(st, p, sqrt(t + 1.0) if p.schedule == 1 else 1.0, rng)
    improve(st, p, 0)


@kernel
def learn_magnet_still(st, p, t, rng):
    """The magnet does not move."""
    learn(st, p, t, rng)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                st.anchor[q, j] = 0.0
        normalise(st, st.anchor, st.rho, p, i)


@kernel
def act_doubtful(st, p, pi):
    """Half of what is stood for is the first policy."""
    act(st, p, pi)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                pi[q, j] = 0.5 * pi[q, j] + 0.5 * p.first[q]


def shared(of: Learner) -> dict[str, Learner]:
    """The faults that mirror descent has too, by name."""

    def step(**parts: object) -> Learner:
        return replace(of, learn=learn.replace(improve=improve.replace(**parts)))

    return {
        "softmax of minus values": step(LOGIT=downhill),
        "uniform restart": step(LOGIT=from_magnet),
        "stepsize trebled": step(LOGIT=trebled),
        "own reach left out": step(STEP=unweighted),
        "counterfactual values": step(masses=no_masses),
        "values not passed up": step(spread=no_spread),
        "last action below": step(spread=worst_spread),
        "chance left out": step(gradient=without_chance),
        "plans of the first policies": step(realise=stale),
        "alternating": replace(of, learn=learn_in_turn),
        "every second iteration": replace(of, learn=learn_late),
        "schedule from 2": replace(of, learn=learn_from_zero),
        "not annealed": replace(of, learn=learn_fixed),
        "player 1 waits": replace(of, learn=learn_one),
        "average with the first policy": replace(of, act=act_doubtful),
        "logits not normalised": step(normalise=normalise_policy_alone),
    }


def _step(**parts: object) -> Learner:
    return replace(learner, learn=learn.replace(improve=improve.replace(**parts)))


def generic(faults: dict[str, Learner]) -> dict[str, Learner | str]:
    """The generic faults that are planted alike, by those of the same meaning."""
    return {
        "bonus zero": "no field: no magnet and no bonus",
        "log factor dropped": "no field: no logarithm of a number of rounds",
        "delta not divided": "no field: nothing is random, there is no delta",
        "wrong variance": "no field: no variance",
        "count off by one": faults["schedule from 2"],
        "lost counts": faults["uniform restart"],
        "unvisited at zero": "no field: an infoset not reached keeps its policy, and all are reached from within",
        "no clipping": "no field: logarithms need no floor",
        "backup of the wrong stage": faults["values not passed up"],
        "mass to the wrong state": "no field: no transition is estimated",
        "stale estimate": faults["plans of the first policies"],
        "worst action played": faults["softmax of minus values"],
        "ties to the last": "no field: no best action is chosen",
        "late trigger": faults["every second iteration"],
        "draw reused": "no field: it draws its first policy alone",
        "wrong length in the logarithm": "no field: no logarithm of a length",
    }


FAULTS: dict[str, Learner] = {
    **shared(learner),
    "player 1's sign": _step(gradient=same_sign),
    "magnet left out": _step(LOGIT=no_magnet),
    "not divided by 1 + eta alpha": _step(LOGIT=undivided),
    "old policy not divided": _step(LOGIT=divided_once),
    "temperature left out": _step(LOGIT=temperature_zero),
    "magnet does not move": replace(learner, learn=learn_magnet_still),
}
# the kill matrix reads planted learners off the names of the file
globals().update({f"fault_{i}": fault for i, fault in enumerate(FAULTS.values())})

GENERIC: dict[str, Learner | str] = {**generic(FAULTS), "bonus zero": FAULTS["magnet left out"]}
