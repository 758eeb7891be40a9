"""Faults planted in CFR+: each is one wrong line, as it is found in real code. Predictive CFR+ has the same kernels."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners._cfr import alternate, average, match, values
from mdps.learners.cfr_plus import learner
from proofs_check.mutants.cfr import (
    act_last,
    act_squared,
    average_of_policies,
    conditional,
    even_values,
    no_spread,
    same_sign,
    without_chance,
    without_opponent,
)
from theorylab.games.kernels import BOTH, LANES, infosets_of, realise
from theorylab.kernel import kernel
from theorylab.learner import Learner

# weights


@kernel
def weigh_alike(st, p, weight, who):
    """All iterations weigh alike."""
    average(st, p, 1.0, who)


@kernel
def weigh_one_less(st, p, weight, who):
    """The iteration counts from 0, so the first policy is left out of the average."""
    average(st, p, weight - 1.0, who)


@kernel
def weigh_inversely(st, p, weight, who):
    """Early iterations weigh most."""
    average(st, p, 1.0 / weight, who)


# regrets


@kernel
def unfloored(st, p, change, i, q, j):
    """The floor at 0 is left out."""
    st.R[q, j] = st.R[q, j] + change
    st.pi[q, j] = max(0.0, st.R[q, j] + p.prediction * change)


@kernel
def forgetful(st, p, change, i, q, j):
    """Regrets are those of the last iteration alone."""
    st.R[q, j] = max(0.0, change)
    st.pi[q, j] = max(0.0, st.R[q, j] + p.prediction * change)


@kernel
def reversed_part(st, p, change, i, q, j):
    """The negative part of the regret is matched."""
    st.R[q, j] = max(0.0, st.R[q, j] + change)
    st.pi[q, j] = max(0.0, -change)


@kernel
def squared_part(st, p, change, i, q, j):
    """Policies are proportional to R^2."""
    st.R[q, j] = max(0.0, st.R[q, j] + change)
    found = max(0.0, st.R[q, j] + p.prediction * change)
    st.pi[q, j] = found * found


@kernel
def discounted(st, p, change, i, q, j):
    """Old regrets lose a tenth at every iteration."""
    st.R[q, j] = max(0.0, 0.9 * st.R[q, j] + change)
    st.pi[q, j] = max(0.0, st.R[q, j] + p.prediction * change)


UPDATE = unfloored


@kernel
def turns(st, p, t, rng):
    """One iteration with another update of R and pi."""
    weight = t + 1.0 if p.power == 1 else (t + 1.0) * (t + 1.0)
    for who in range(2):
        average(st, p, weight, who)
        values(st, p, who)
        low, high = infosets_of(p, who)
        for i in range(low, high):
            for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
                for j in range(LANES):
                    UPDATE(st, p, st.g[q, j] - st.value[i, j], i, q, j)
            match(st, p, i)
        realise(st.x, st.pi, p, who)


@kernel
def at_once(st, p, t, rng):
    """Both players answer the old policies."""
    weight = t + 1.0 if p.power == 1 else (t + 1.0) * (t + 1.0)
    average(st, p, weight, BOTH)
    values(st, p, BOTH)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                change = st.g[q, j] - st.value[i, j]
                st.R[q, j] = max(0.0, st.R[q, j] + change)
                st.pi[q, j] = max(0.0, st.R[q, j] + p.prediction * change)
        match(st, p, i)


@kernel
def every_second(st, p, t, rng):
    """Regrets and policies move at every second iteration only."""
    if t % 2 == 0:
        alternate(st, p, t, rng)
    else:
        average(st, p, t + 1.0 if p.power == 1 else (t + 1.0) * (t + 1.0), BOTH)


@kernel
def skip_average(st, p, weight, who):
    """Plans without an average."""
    realise(st.x, st.pi, p, who)


QUIET = alternate.replace(average=skip_average)


@kernel
def next_averaged(st, p, t, rng):
    """The policies that come out of an iteration enter the average, not those that went in."""
    QUIET(st, p, t, rng)
    average(st, p, t + 1.0 if p.power == 1 else (t + 1.0) * (t + 1.0), BOTH)


@kernel
def stale_values(st, p, t, rng):
    """Values are computed once."""
    if t == 0:
        alternate(st, p, t, rng)
    else:
        weight = t + 1.0 if p.power == 1 else (t + 1.0) * (t + 1.0)
        for who in range(2):
            average(st, p, weight, who)
            low, high = infosets_of(p, who)
            for i in range(low, high):
                for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
                    for j in range(LANES):
                        change = st.g[q, j] - st.value[i, j]
                        st.R[q, j] = max(0.0, st.R[q, j] + change)
                        st.pi[q, j] = max(0.0, st.R[q, j] + p.prediction * change)
                match(st, p, i)


def shared(of: Learner) -> dict[str, Learner]:
    """The faults of CFR+ that predictive CFR+ has too, by name."""

    def parts(**replaced: object) -> Learner:
        return replace(of, learn=alternate.replace(**replaced))

    def update(kernel: object) -> Learner:
        return replace(of, learn=turns.replace(UPDATE=kernel))

    return {
        "policies averaged without reach": parts(average=average_of_policies),
        "all iterations weigh alike": parts(average=weigh_alike),
        "first policy left out": parts(average=weigh_one_less),
        "early iterations weigh most": parts(average=weigh_inversely),
        "next policies averaged": replace(of, learn=next_averaged),
        "last iterate": replace(of, act=act_last),
        "plans squared in the average": replace(of, act=act_squared),
        "conditional values": parts(values=conditional),
        "chance left out": parts(values=without_chance),
        "opponent's reach left out": parts(values=without_opponent),
        "player 1's sign": parts(values=values.replace(gradient=same_sign)),
        "values not passed up": parts(values=values.replace(spread=no_spread)),
        "mean of actions for their policy": parts(values=even_values),
        "floor left out": update(unfloored),
        "regrets not accumulated": update(forgetful),
        "negative part matched": update(reversed_part),
        "squares of regrets matched": update(squared_part),
        "regrets discounted": update(discounted),
        "simultaneous": replace(of, learn=at_once),
        "every second iteration": replace(of, learn=every_second),
        "values computed once": replace(of, learn=stale_values),
    }


def generic(faults: dict[str, Learner]) -> dict[str, Learner | str]:
    """The generic faults that are planted alike, by those of the same meaning."""
    return {
        "bonus zero": "no field: regret matching has no bonus",
        "log factor dropped": "no field: no logarithm",
        "delta not divided": "no field: nothing is random, there is no delta",
        "wrong variance": "no field: no variance",
        "count off by one": faults["first policy left out"],
        "lost counts": faults["regrets not accumulated"],
        "unvisited at zero": "no field: all infosets are updated at every iteration",
        "no clipping": faults["floor left out"],
        "backup of the wrong stage": faults["values not passed up"],
        "mass to the wrong state": "no field: no transition is estimated",
        "stale estimate": faults["values computed once"],
        "worst action played": faults["negative part matched"],
        "ties to the last": "no field: no best action is chosen",
        "late trigger": faults["every second iteration"],
        "draw reused": "no field: it draws its first policy alone",
        "wrong length in the logarithm": "no field: no logarithm",
    }


FAULTS = shared(learner)
# the kill matrix reads planted learners off the names of the file
globals().update({f"fault_{i}": fault for i, fault in enumerate(FAULTS.values())})

GENERIC: dict[str, Learner | str] = generic(FAULTS)
