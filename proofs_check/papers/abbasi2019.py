"""Abbasi-Yadkori, Bartlett, Bhatia, Lazic, Szepesvari, Weisz 2019: Politex, tabular. Ergodic MDPs, rewards in [0, 1].

    theorem      regret(T) <= O~(T^{3/4}) [source: later papers' text]; constants depend on the mixing of all policies
    prediction   in each state and after each phase, sum_k (Q_k(a) - sum_b pi_k(b) Q_k(b)) <= ln(A)/eta + (eta/8) sum_k
                 range(Q_k)^2 for every a: exponential weights [recalled]
    gain         N |lambda - g| <= sp(h) + (sp(h) + 1) sqrt(N ln(2K/0.05)/2) in all K phases, g and h of the policy
                 played, except with probability 0.05: r_t - g + h(s_{t+1}) - h(s_t) has mean zero and lies in an
                 interval of length sp(h) + 1 [derived]

The last two, the error of Q and wei2020.regret-decomposition (average regret as one bandit a state) make the theorem.
There is no optimism and no confidence set: the steps on lambda and v take their place.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.learners.politex import learner as LEARNER
from proofs_check.mutants import politex as faults
from proofs_check.papers import _politex_probes as probes
from proofs_check.papers._oomd_probes import ergodic
from theorylab.assume import average_reward, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

COINS = {"slip": 0.1, "rewards": "bernoulli"}
STEPS = {
    "standard": (
        Instance("jump-riverswim", 10_000, {}, {}),
        Instance("two-state", 10_000, COINS, {"eta": 0.5}),
        Instance("garnet", 6_000, {"S": 4, "A": 3, "b": 4, "seed": 1}, {"N": 100, "B": 400, "eta": 0.1}),
    )
}
FINAL = {
    "standard": (
        Instance("jump-riverswim", 100_000, {}, {}),
        Instance("jump-riverswim", 100_000, {}, {"N": 500, "B": 1_000, "eta": 0.05}),
        Instance("two-state", 100_000, COINS, {}),
    )
}
#: where faults are planted: returns that differ, several phases, more actions than a state is visited at times
SMALL = Instance(
    "garnet", 200, {"S": 3, "A": 3, "b": 3, "seed": 2, "rewards": "bernoulli"}, {"N": 12, "B": 40, "eta": 0.4}
)
#: gain .9 after the first phases, so that what is wrong with lambda lies outside its width
LONG = Instance("two-state", 1_600, {"slip": 0.1}, {"N": 400, "B": 800, "eta": 0.5})
#: many phases and short: exponential weights must learn
MANY = Instance("two-state", 1_200, {"slip": 0.1}, {"N": 4, "B": 12, "eta": 0.3})

#: one long first part, in which play is uniform
UNIFORM = Instance("two-state", 300, {"slip": 0.1}, {"N": 299, "B": 300})


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """n^{3/4}, no constant and no logarithm."""
    return np.asarray(np.asarray(n, dtype=float) ** 0.75)


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the optimal gain: rewards are not negative."""
    return np.asarray(n, dtype=float) * float(c.gain)


def _control(name: str, learner: Any, instance: Instance | None = None) -> Control:
    return Control(name, learner, instance, replicates=4)


CONTROLS = {
    k.name: k
    for k in (
        _control("transitions transposed", faults.moves_transposed),
        _control("gain divided by B", faults.gain_over_B, LONG),
        _control("gain of the last phase", faults.gain_stale, LONG),
        _control("gain not subtracted", faults.system_uncentred),
        _control("v of the own state", faults.value_of_own_state),
        _control("gain left out of Q", faults.gain_dropped),
        _control("self-loops lost", faults.counts_lost),
        _control("first part one step short", faults.first_part_short),
        _control("parts mixed", faults.parts_mixed),
        _control("phase one step longer", faults.phase_long),
        _control("phases mixed", faults.phases_mixed),
        _control("estimates carried over", faults.estimates_carried),
        _control("sum for mean", faults.sum_for_mean),
        _control("policy not updated", faults.policy_frozen, MANY),
        _control("last estimate alone", faults.last_estimate_alone),
        _control("sign wrong", faults.sign_wrong, MANY),
        _control("eta left out", faults.eta_dropped),
        _control("nothing forced", faults.forcing_off),
        _control("plays the likeliest", faults.plays_likeliest),
        _control("one draw for all", faults.draw_reused, UNIFORM),
    )
}


def _step(
    name: str,
    text: str,
    tag: str,
    value: Any,
    at: str,
    tol: float,
    caught: str,
    *,
    kind: Any = None,
    copies: bool = False,
) -> Claim:
    return Claim(
        id=f"abbasi2019.{name}",
        text=text,
        source_tag=tag,
        learner=LEARNER.name,
        kind=kind or Pointwise(),
        quantity=Probe(f"politex.{name}", value, at, tol),
        instances=STEPS,
        control_instance=SMALL,
        assumes=(average_reward, rewards_in_01, ergodic),
        controls=tuple(CONTROLS[x] for x in caught.split("; ")),
        tables=probes.tables,
        monitor=probes.monitor,
        copies=copies,
    )


STEP_CLAIMS = [
    _step(
        "phases", "A policy is played for a phase of exactly B steps, of which the first N are the first part.",
        "source", probes.phases, "step", 0.0, "phase one step longer",
    ),
    _step(
        "sampling",
        "Steps that are not forced draw from pi: |sum (1{a_t = 0} - pi(0|s_t))| <= sqrt((T/2) ln(2/0.05)) at every "
        "step, "
        "except with probability 0.05 (Azuma, maximal form).",
        "derived", probes.sampling, "step", 1e-9, "plays the likeliest; one draw for all",
        kind=HighProbability(probes.LEVEL),
    ),
    _step(
        "forced", "In the second part no action of a state is repeated before all of them were tried there.",
        "source", probes.forced, "step", 0.0, "nothing forced; estimates carried over",
    ),
    _step(
        "gain", "lambda is the mean reward of the first part.",
        "source", probes.gain, "plan", 1e-9, "gain divided by B; gain of the last phase; phases mixed", copies=True,
    ),
    _step(
        "solution",
        "v solves (diag(n) - M + ridge I) v = sum over visits of (r - lambda), with the counts of the first part.",
        "source", probes.solution, "plan", 1e-8,
        "transitions transposed; gain not subtracted; self-loops lost; first part one step short; phases mixed",
    ),
    _step(
        "accuracy",
        "N |lambda - g| <= sp(h) + (sp(h) + 1) sqrt((N/2) ln(2K/0.05)) in every phase, g and h gain and bias of the "
        "policy "
        "that is played, except with probability 0.05 (Azuma).",
        "derived", probes.accuracy, "plan", 1e-8, "gain divided by B; gain of the last phase",
        kind=HighProbability(probes.LEVEL),
    ),
    _step(
        "estimate", "Q(s,a) is the mean of r - lambda + v(s') over the second part, 0 without a step.",
        "source", probes.estimate, "plan", 1e-8,
        "v of the own state; gain left out of Q; parts mixed; estimates carried over; sum for mean", copies=True,
    ),
    _step(
        "product-form", "After every phase pi is proportional to exp(eta sum of all Q so far).",
        "source", probes.product_form, "plan", 1e-9,
        "policy not updated; last estimate alone; sign wrong; eta left out", copies=True,
    ),
    _step(
        "prediction",
        "In each state and after every phase, max_a sum_k Q_k(a) - sum_k pi_k Q_k <= ln(A)/eta + (eta/8) sum_k "
        "range(Q_k)^2, pi_k the policy that was played in phase k.",
        "recalled", probes.prediction, "plan", 1e-8, "policy not updated; sign wrong",
    ),
]  # fmt: skip

claims = [
    Claim(
        id="abbasi2019.regret",
        text="With high probability the regret of Politex is O~(T^{3/4}) in ergodic MDPs [source: later papers]; the "
        "constant, "
        "which depends on the mixing of policies, and logarithms are hidden. There is no optimism, and no confidence "
        "set.",
        source_tag="recalled",
        learner=LEARNER.name,
        kind=HighProbability(probes.LEVEL),
        quantity="regret",
        constants="unspecified",
        shape=shape,
        trivial=trivial,
        instances=FINAL,
        assumes=(average_reward, rewards_in_01, ergodic),
        steps=(*(c.id for c in STEP_CLAIMS), "wei2020.regret-decomposition"),
    ),
    *STEP_CLAIMS,
]
