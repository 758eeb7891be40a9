"""Tabular LOOP: steps T1 to T8 and L1 to L11, for the exact learner, the ascent and LOOP-box (he2024).

All constants are derived; B = span, e_max = B + 1 for rewards and gains in [0, 1], x = sqrt(beta_V) + 2 B / sqrt T:

    T1    excess(f*) <= beta_tab                                                          prob. 1 - delta
    T2    sqrt(sum n ((P_hat - P) V)^2) <= x for all |V| <= B/2                           prob. 1 - delta
    T3    in-sample error of f_t < (2 sqrt(beta) + x)^2 =: b                              on the event of T2
    T4    an epoch adds at least 3 beta - 6 sqrt(beta) x to sum E^2                       on the event of T2
    T7    optimisations <= 1 + (S A e_max^2 + b S A (1 + ln n)) / increment               on the event of T2
    T8    regret(n) <= S A e_max + sqrt(S A (1 + ln n) n b) + B sqrt((T/2) ln(1/delta)) + B T7,   prob. 1 - 3 delta

T3 and T4 hold for every beta, with an increment of 0 where beta < 4 x^2; for form 0 it is at least (1 - 4 B / sqrt(T
beta)) beta, since beta = 9 beta_V. The level of optimism at a smaller beta inverts T1: exp((S A / 2) ln(1 + T/(S A)) -
beta / B^2).
"""

from __future__ import annotations

import math
from types import ModuleType
from typing import Any

import numpy as np

from proofs_check.mutants import loop as exact_faults
from proofs_check.mutants import loop_ascent as ascent_faults
from proofs_check.mutants import loop_box as box_faults
from proofs_check.papers import _loop_probes as shared
from proofs_check.papers import _loop_tabular_probes as own
from proofs_check.papers._loop_bounds import level, one_shape, pairs_shape, trivial
from proofs_check.papers._loop_monitor import law_of
from theorylab.assume import average_reward, communicating, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise, Total
from theorylab.probe import Probe

Row = tuple[Any, ...]
ASSUMES = (average_reward, communicating, rewards_in_01)
JAO = {"delta": 0.25, "epsilon": 0.1}
#: spans of the learner: 1.05 times the true one, and .01 more
SPANS = {"jao": 1.76, "three-state": 1.06528, "riverswim": 3.65883}
#: relative rounding of quantities that are sums over a run
ROUNDING = 1e-8


MODELS: dict[str, dict[str, Any]] = {"jao": JAO, "three-state": {}, "riverswim": {"states": 4}}


def place(family: str, length: int, **learner: Any) -> Instance:
    """An instance with the span of its family."""
    return Instance(family, length, MODELS[family], {"span": SPANS[family], **learner})


LEMMAS = (place("jao", 20_000, delta=0.2), place("three-state", 20_000, delta=0.2))
STEPS = (*LEMMAS, place("riverswim", 10_000, delta=0.2, form=1, scale=0.1), place("jao", 20_000, form=1, scale=0.05))
#: few states and a budget that is spent within some ten steps
SMALL = place("jao", 150, delta=0.01, form=1, scale=0.05)
#: the same, short enough for faults that optimise at every step
BRIEF = place("jao", 40, delta=0.01, form=1, scale=0.05)
#: a beta for which T1 and optimism hold
SURE = place("jao", 3_000, delta=0.01, form=1)
#: a span that does not bind
WIDE = (
    place("jao", 20_000, form=1, scale=0.01, span=4.0),
    place("riverswim", 20_000, form=1, scale=0.005, span=8.0),
)
#: the whole of beta, and time for a few epochs
EPOCHS = (place("jao", 300_000, delta=0.2), place("three-state", 300_000, delta=0.2))
#: where faults of the trigger show
LONG = place("jao", 4_000, delta=0.01, scale=0.1)
#: a bound below the trivial one, and a worst action that earns nothing
FINAL = (Instance("two-state", 600_000, {"slip": 0.1}, {"span": 1.06, "delta": 0.1}),)


def size(c: Context) -> float:
    """(S A / 2) ln(1 + T / (S A)), nats."""
    pairs = c.S * c.A
    return float(0.5 * pairs * math.log(1.0 + c.T / pairs))


def beta_V(c: Context) -> float:
    """B^2 ((S A / 2) ln(1 + T / (S A)) + S ln(T + 1) + ln(1 / delta))."""
    return float(c.span**2 * (size(c) + c.S * math.log(c.T + 1.0) + math.log(1.0 / c.delta)))


def uniform_bound(c: Context) -> float:
    """x: bound of T2."""
    return float(math.sqrt(beta_V(c)) + 2.0 * c.span / math.sqrt(c.T))


def in_bound(c: Context) -> float:
    """b: bound of T3."""
    return float((2.0 * math.sqrt(c.beta) + uniform_bound(c)) ** 2)


def increment(c: Context) -> float:
    """What an epoch adds at least; 0 where beta is too small for a bound."""
    return float(max(0.0, 3.0 * c.beta - 6.0 * math.sqrt(c.beta) * uniform_bound(c)))


def beta_level(c: Context) -> float:
    """Failure probability of T1 at this beta."""
    return min(1.0, math.exp(min(0.0, size(c) - c.beta / c.span**2)))


def optimism_level(c: Context) -> float:
    """delta, or the level of this beta where that is larger."""
    return max(float(c.delta), beta_level(c))


def tables(c: Context) -> dict[str, Any]:
    """What the probes read."""
    return {
        "law": law_of(c),
        "in_bound": in_bound(c),
        "increment": increment(c),
        "e_max": c.span + 1.0,
        "repeats": 0,
        "corners": 2**c.S,
        "uniform_bound": uniform_bound(c),
    }


def switch_bound(c: Context, n: np.ndarray) -> np.ndarray:
    """T7; infinite where beta is too small for it."""
    pairs, adds = c.S * c.A, increment(c)
    total = pairs * (c.span + 1.0) ** 2 + in_bound(c) * pairs * (1.0 + np.log(n))
    return np.asarray(1.0 + total / adds if adds > 0.0 else np.full(n.shape, np.inf))


def bound(c: Context, n: np.ndarray) -> np.ndarray:
    """T8."""
    n = np.maximum(np.asarray(n, dtype=float), 1.0)
    pairs = c.S * c.A
    errors = pairs * (c.span + 1.0) + np.sqrt(pairs * (1.0 + np.log(n)) * n * in_bound(c))
    martingale = c.span * math.sqrt(0.5 * c.T * math.log(1.0 / c.delta))
    return np.asarray(errors + martingale + c.span * switch_bound(c, n))


def paper_shape(c: Context, n: np.ndarray) -> np.ndarray:
    """Theorem 1: sp d sqrt(n beta), d = max(sqrt(d_G), kappa_G), d_G = S A (1 + ln T), kappa_G = S A for tables."""
    pairs = c.S * c.A
    d = max(math.sqrt(pairs * (1.0 + math.log(c.T))), float(pairs))
    return np.asarray(c.span * d * np.sqrt(np.asarray(n, dtype=float) * c.beta))


def sharper_shape(c: Context, n: np.ndarray) -> np.ndarray:
    """sqrt(d_G n beta) + B sqrt n + B kappa_G ln T, with the coefficients of tables."""
    n, pairs, log_T = np.asarray(n, dtype=float), c.S * c.A, math.log(c.T)
    return np.asarray(np.sqrt(pairs * (1.0 + log_T) * n * c.beta) + c.span * (np.sqrt(n) + pairs * log_T))


#: name of a fault in the claims -> its name in the files of faults
FAULTS = {
    "radius zero": "radius_zero",
    "radius doubled": "radius_doubled",
    "sign of the bonus": "pessimistic",
    "no cap on the gain": "uncapped",
    "box for ellipsoid": "box_for_ellipsoid",
    "n + 1 in the loss": "one_more",
    "half the visits": "one_less",
    "V not centred": "uncentred",
    "V halved": "values_halved",
    "values in another unit": "other_unit",
    "values in another unit, optimisation by doubling": "other_unit_doubling",
    "last policy only": "last_policy",
    "span of a twentieth": "span_short",
    "first hypothesis kept": "stale",
    "trigger on new data": "new_data_only",
    "self-loops lost": "counts_lost",
    "successor shifted": "successor_shifted",
    "sign of the gain": "gain_negated",
    "errors not weighted": "unweighted",
    "worst action": "policy_minimises",
    "trigger at 40 beta": "trigger_late",
    "trigger at fourfold visits": "trigger_late",
    "trigger at 2 beta": "trigger_early",
    "optimisation at every step": "trigger_always",
    "logarithms dropped": "log_dropped",
    "one table": "union_dropped",
    "beta without B^2": "span_once",
}


def steps(prefix: str, learner: str, faults: ModuleType, *wanted: tuple[Any, ...]) -> list[Claim]:
    """Claims he2024.PREFIX-NAME of a learner, one for each row of `wanted`; faults that it lacks are left out.

    A row has name, text, kind, probe, moment, tolerance, faults and a dictionary of what differs from the rest.
    """

    def claim(
        name: str, text: str, kind: Any, value: Any, at: str, tol: float, caught: str, more: dict[str, Any]
    ) -> Claim:
        found = [(c, getattr(faults, FAULTS[c], None)) for c in caught.split("; ")]
        given: dict[str, Any] = dict(
            source_tag="derived",
            instances={"standard": STEPS},
            control_instance=SMALL,
        )
        return Claim(
            id=f"he2024.{prefix}-{name}",
            text=text,
            learner=learner,
            kind=kind,
            quantity=Probe(f"{prefix}.{name}", value, at, tol),
            assumes=ASSUMES,
            controls=tuple(
                Control(c, fault, replicates=8 if "doubling" in c else 4) for c, fault in found if fault is not None
            ),
            tables=tables,
            monitor=own.monitor,
            **{**given, **more},
        )

    return [claim(*row) for row in wanted]


RECALLED = {"source_tag": "recalled"}
ON_SURE: dict[str, Any] = {"control_instance": SURE}
ON_LEMMAS: dict[str, Any] = {"instances": {"standard": LEMMAS}, **ON_SURE}
ON_EPOCHS: dict[str, Any] = {"instances": {"standard": EPOCHS}, "control_instance": LONG}

BETA: Row = (
    "beta",
    "beta is 9 B^2 ((SA/2) ln(1 + T/(SA)) + S ln(T+1) + ln(1/delta)), or without the 9 and the middle term, times the "
    "multiplier.",
    Pointwise(), own.beta, "plan", 1e-9,
    "logarithms dropped; one table; beta without B^2", {"copies": True, **ON_SURE},
)  # fmt: skip
GREEDY: Row = (
    "greedy", "V(s) is the largest Q(s,a) and that of the policy.",
    Pointwise(), shared.greedy, "plan", 1e-8, "V halved", {},
)  # fmt: skip
PLAYED: Row = (
    "played", "The action played is that of the hypothesis.",
    Pointwise(), shared.played, "step", 0.0, "worst action", {},
)  # fmt: skip
CENTRED: Row = (
    "centred", "|V| <= B/2.",
    Pointwise(), own.boxed, "plan", 1e-8, "V not centred; values in another unit", {},
)  # fmt: skip
VISITS: Row = ("visits", "N counts the steps.", Pointwise(), shared.visits, "step", 0.0, "self-loops lost", {})
CAPPED: Row = (
    "cap", "J is at most the cap, the largest reward (pitfall 3).",
    Pointwise(), own.capped, "plan", 1e-9, "no cap on the gain", RECALLED,
)  # fmt: skip
MEMBER: Row = (
    "member",
    "The hypothesis chosen lies in the confidence set: excess loss on all transitions at most beta (1 + 1e-6).",
    Pointwise(), own.member, "plan", 0.0,
    "radius doubled; box for ellipsoid; n + 1 in the loss; self-loops lost; "
    "successor shifted; first hypothesis kept",
    RECALLED,
)  # fmt: skip
SPENT: Row = (
    "spent", "A hypothesis whose gain is below the cap has spent its budget: its excess loss is beta, to 1e-4 of it.",
    Pointwise(), own.spent, "plan", 1e-4, "radius zero; sign of the bonus; n + 1 in the loss", {},
)  # fmt: skip
EXCESS: Row = (
    "excess",
    "L9: upsilon is the excess loss of the hypothesis in play, sum n (Q + J - r - P_hat V)^2, at every step.",
    Pointwise(), own.excess, "step", ROUNDING,
    "sign of the gain; errors not weighted; self-loops lost; trigger on new data", {"control_instance": BRIEF},
)  # fmt: skip
ON_TIME: Row = (
    "trigger",
    "There is an optimisation at the start and after each step at which the excess loss on all data reaches 4 beta, "
    "and no other.",
    Pointwise(), own.on_time, "step", 0.0,
    "trigger at 40 beta; trigger at 2 beta; optimisation at every step; trigger on new data",
    RECALLED,
)  # fmt: skip
OPTIMISM: Row = (
    "optimism",
    "L1: the gain of the hypothesis is at least the optimal one at every optimisation, except with probability "
    "max(delta, exp((SA/2) ln(1 + T/(SA)) - beta/B^2)).",
    HighProbability(optimism_level), shared.optimism, "plan", 1e-7,
    "sign of the bonus", ON_SURE,
)  # fmt: skip
BOUND: Row = (
    "bound",
    "The certified bound on the largest gain is at least the optimal one at every optimisation, on the event of T1.",
    HighProbability(optimism_level), own.bound_optimism, "plan", 1e-7, "sign of the bonus", ON_SURE,
)  # fmt: skip
DECOMPOSITION: Row = (
    "l2", "L2: sum (J - r) = sum E + sum (P V - V(s)), exactly, since the action is greedy.",
    Pointwise(), shared.decomposition, "step", ROUNDING, "worst action; V halved", RECALLED,
)  # fmt: skip

DOMINANCE: Row = (
    "t5", "T5 (L7): sum E(f_t)(x_t) <= SA e_max + sqrt(SA (1 + ln n)) sqrt(sum of in-sample errors), for any sequence.",
    Pointwise(), shared.dominance, "step", ROUNDING, "values in another unit", {},
)  # fmt: skip
TRANSFER: Row = (
    "t6", "T6 (L8): sum E(f_t)(x_t)^2 <= SA e_max^2 + SA (1 + ln n) times the largest in-sample error.",
    Pointwise(), shared.transfer, "step", ROUNDING, "values in another unit", {},
)  # fmt: skip
REALISATION: Row = (
    "l3", "L3: sum (P V - V(s)) <= B sqrt((n/2) ln(1/delta)) + B N(n) at the end, with probability 1 - delta.",
    HighProbability(level(1.0)), shared.realisation, "end", ROUNDING,
    "values in another unit, optimisation by doubling", {},
)  # fmt: skip

EXACT: tuple[Row, ...] = (
    BETA, GREEDY, PLAYED, CENTRED, VISITS, CAPPED, MEMBER, SPENT, EXCESS, ON_TIME, OPTIMISM, BOUND,
    DECOMPOSITION, DOMINANCE, TRANSFER, REALISATION,
    (
        "exact",
        "No hypothesis of the confidence set has a gain that is larger by more than 1e-5: the certified bound on all "
        "of them is that near.",
        Pointwise(), own.certificate, "plan", 1e-5, "last policy only", {},
    ),
    (
        "t1", "T1: the excess loss of the truth is at most beta at every step, on the learner's data.",
        HighProbability(optimism_level), own.coverage, "step", 1e-9,
        "span of a twentieth; self-loops lost; successor shifted", ON_LEMMAS,
    ),
    (
        "t2",
        "T2: sqrt(sum n ((P_hat - P) V)^2) <= sqrt(beta_V) + 2 B / sqrt T for all |V| <= B/2 at once, at every "
        "step, on the learner's data.",
        HighProbability(level(1.0)), own.uniform, "step", 1e-9, "successor shifted", ON_SURE,
    ),
    (
        "t3", "T3 (L4): the in-sample error of the hypothesis in play is below (2 sqrt(beta) + x)^2 at every step.",
        HighProbability(level(1.0)), shared.in_sample, "step", 1e-9, "trigger at 40 beta; first hypothesis kept",
        {"control_instance": LONG},
    ),
    (
        "t4", "T4 (L5): an epoch adds at least 3 beta - 6 sqrt(beta) x to sum E^2.",
        HighProbability(level(1.0)), shared.increments, "plan", 1e-9, "optimisation at every step",
        {**ON_EPOCHS, "control_instance": place("jao", 60, delta=0.01)},
    ),
    (
        "l6", "L6: at most 1 + sum E^2 / increment optimisations.",
        HighProbability(level(1.0)), shared.switches, "plan", 1e-9, "optimisation at every step",
        {**ON_EPOCHS, "control_instance": place("jao", 60, delta=0.01)},
    ),
    (
        "t7", "T7: at most 1 + (SA e_max^2 + b SA (1 + ln n)) / increment optimisations.",
        HighProbability(level(1.0)), own.switched, "plan", 1e-9, "optimisation at every step",
        {**ON_EPOCHS, "control_instance": place("jao", 600, delta=0.01)},
    ),
    (
        "l11", "L11: regret is at most sum E + sum (P V - V(s)) at every step, on the event of optimism.",
        HighProbability(optimism_level), own.assembled, "step", ROUNDING, "sign of the bonus", ON_SURE,
    ),
)  # fmt: skip
ASCENT: tuple[Row, ...] = (
    BETA, GREEDY, PLAYED, CENTRED, VISITS, CAPPED, MEMBER, SPENT, EXCESS, ON_TIME, BOUND, DECOMPOSITION,
    DOMINANCE, TRANSFER, REALISATION,
)  # fmt: skip
BOX: tuple[Row, ...] = (
    BETA, GREEDY, PLAYED, CENTRED, VISITS, CAPPED, (*OPTIMISM[:6], "radius zero; sign of the bonus", ON_SURE), BOUND,
    DECOMPOSITION, DOMINANCE, TRANSFER, REALISATION, EXCESS,
    (
        "moves", "The transitions counted are those of the environment.",
        Pointwise(), own.recorded, "step", 0.0, "self-loops lost; successor shifted", {},
    ),
    (
        "member",
        "A hypothesis that neither cap nor span binds lies in the box around the confidence set: n e^2 <= beta.",
        Pointwise(), own.in_box, "plan", 0.0, "radius doubled; half the visits; self-loops lost; successor shifted",
        {"instances": {"standard": WIDE}, "control_instance": place("jao", 300, form=1, scale=0.01, span=4.0)},
    ),
    (
        "doubling",
        "No pair is played more than max(1, n) times after an optimisation, n its visits before.",
        Pointwise(), own.doubling, "step", 0.0, "trigger at fourfold visits; first hypothesis kept", {},
    ),
)  # fmt: skip


def total(name: str, text: str, value: Any, shape: Any, tag: str) -> Claim:
    """A coefficient of the run's own logs, in units of its shape: the constant is measured."""
    return Claim(
        id=f"he2024.tabular-{name}",
        text=text,
        source_tag=tag,
        learner="loop",
        kind=HighProbability(lambda c: float(c.delta)),
        quantity=Total(f"tabular.{name}", value),
        constants="unspecified",
        shape=shape,
        instances={"standard": (place("jao", 100_000, form=1), place("three-state", 100_000, form=1))},
        assumes=ASSUMES,
        tables=tables,
        monitor=own.monitor,
    )


def regret(name: str, text: str, tag: str, shape: Any) -> Claim:
    """A bound on the regret in form only."""
    return Claim(
        id=f"he2024.tabular-{name}",
        text=text,
        source_tag=tag,
        learner="loop",
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        constants="unspecified",
        shape=shape,
        trivial=trivial,
        instances={"standard": (place("jao", 100_000, form=1), place("three-state", 100_000, form=1))},
        assumes=ASSUMES,
    )


STEP_CLAIMS = steps("tabular", "loop", exact_faults, *EXACT)
CLAIMS = [
    Claim(
        id="he2024.tabular-t8",
        text="T8: with probability 1 - 3 delta, for all n <= T, regret(n) <= SA e_max + sqrt(SA (1 + ln n) n b) + "
        "B sqrt((T/2) ln(1/delta)) + B (bound of T7).",
        source_tag="derived",
        learner="loop",
        kind=HighProbability(level(3.0)),
        quantity="regret",
        bound=bound,
        trivial=trivial,
        instances={"standard": FINAL},
        assumes=ASSUMES,
        steps=tuple(c.id for c in STEP_CLAIMS),
        controls=(Control("worst action", exact_faults.policy_minimises, FINAL[0], replicates=4, target="cpu"),),
    ),
    regret(
        "thm1",
        "Theorem 1's form for tables: regret(n) <= c sp d sqrt(n beta), d = max(sqrt(d_G), kappa_G) with d_G = SA (1 + "
        "ln T), kappa_G = SA; the constant is not specified.",
        "recalled",
        paper_shape,
    ),
    regret(
        "sharper",
        "The form that the lemmas give: regret(n) <= c (sqrt(d_G n beta) + B sqrt n + B kappa_G ln T); derived.",
        "derived",
        sharper_shape,
    ),
    total(
        "d-hat",
        "The dominance coefficient of the run, max over n of (sum E)_+^2 / sum of in-sample errors, in units of "
        "SA (1 + ln n).",
        shared.d_hat,
        pairs_shape,
        "derived",
    ),
    total(
        "kappa-hat",
        "The transfer coefficient of the run, sum E^2 / (largest in-sample error times ln n), in units of SA.",
        shared.kappa_hat,
        one_shape,
        "derived",
    ),
    *STEP_CLAIMS,
    *steps("ascent", "loop-ascent", ascent_faults, *ASCENT),
    *steps("box", "loop-box", box_faults, *BOX),
]
