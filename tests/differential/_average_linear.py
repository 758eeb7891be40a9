"""What makes more faults of the average-reward learners with linear structure visible: further runs, and single checks.

A case is a model, a number of steps and parameters, or a `Check` in the model's place, which needs neither.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from mdps.models.mixture_random import family as mixture_random
from mdps.models.one_hot import family as one_hot
from tests.differential._refusals import Refusal, unrefused
from tests.differential.stepping import World, far
from tests.differential.test_average_learners import circle
from tests.differential.test_average_linear import (
    CASES,
    CLOSE,
    COINS,
    FORMS,
    LINEAR,
    ONE_HOT,
    ONE_HOT_LINEAR,
    RANDOM,
    TWO,
    Told,
    first_far,
)
from tests.differential.test_loop_linear import CASES as LOOP_LINEAR
from tests.differential.test_loop_linear import compare as compare_fopo
from tests.differential.test_loop_linear import constant
from tests.differential.test_loop_linear import one_hot as unit_features
from tests.reference.ucrl2_vtr import ValueTargeted
from theorylab.criteria import AVERAGE_REWARD
from theorylab.learner import Learner

Case = tuple[Any, int, dict[str, Any]]
Compare = Callable[[Learner, Any, int, dict[str, Any]], str | None]
SIZES = {"S": 2, "A": 2, "T": 10, "d": 4}
PAIRS = {"phi": np.eye(4).reshape(2, 2, 4), "r": np.zeros((2, 2))}


@dataclass(frozen=True)
class Check:
    """Something a learner must do that is no run beside a transcription."""

    name: str
    run: Callable[[Learner], str | None]


def refusals(known: dict[str, Any], *cases: tuple[dict[str, Any], str]) -> Case:
    """Parameters without meaning, each with words of the message."""
    wanted: Sequence[Refusal] = [(params, known, says) for params, says in cases]
    return Check("refused", lambda learner: unrefused(learner, wanted, SIZES)), 0, {}


def widths_below_zero(learner: Learner) -> str | None:
    """With a ridge at rounding's scale, squared widths come out of differences of numbers near 1e18."""
    world = World(LINEAR.tabular())
    machine, s = Told(learner, LINEAR, 30, {"lam": 1e-18, "span": 1.0}, world.rng), world.start(0)
    for t in range(30):
        a = t // 3 % LINEAR.A
        r, s2 = world.step(0, s, a)
        machine.call("watch", t, s, a, r, s2)
        if not (machine.st.width >= 0.0).all():
            return f"step {t}: a squared width of {machine.st.width.min()}"
        s = s2
    return None


#: how many states of a learner are made up, and the horizon that their clocks lie in
MADE_UP, HORIZON = 480, 1000


def made_up(learner: Learner, number: int = MADE_UP) -> Iterator[tuple[Told, ValueTargeted, int, Any]]:
    """Learners for linear mixtures at times t with data that no law gave: machine, transcription, t, and their source.

    Few samples beside ridges from 1e-4 to 1e6 times the squared bound, estimates beyond every clip, values in twice the
    range: what runs seldom meet.
    """
    rng = np.random.Generator(np.random.Philox(key=0))
    loop = learner.name == "loop-evi"
    for k in range(number):
        model = (TWO, RANDOM, ONE_HOT)[k % 3]
        bound = float(10.0 ** rng.uniform(-1.0, 1.0))
        B = float(10.0 ** rng.uniform(-3.0, 2.0)) / bound
        given = {"B": B, "delta": float(rng.uniform(0.01, 0.9)), "scale": float(rng.choice([0.0, 0.1, 1.0]))}
        given |= {"span": bound, "lam": B**-2} if loop else {"diameter": bound, "form": (k // 3) % 3}
        params = {**learner.params, **given, "max_sweeps": 30}
        machine = Told(learner, model, HORIZON, {x: y for x, y in params.items() if x in learner.settable}, rng)
        reference = ValueTargeted(
            model.phi, model.r, HORIZON, "loop" if loop else FORMS[int(params["form"])], params["delta"], bound, B,
            params["tau"], params["scale"], params["lam"] if loop else None,
        )  # fmt: skip
        t = reference.t = int(rng.integers(0, HORIZON))
        d, n = reference.d, int(rng.integers(0, 6))
        for _ in range(n):
            y, square = bound * rng.uniform(-6.0, 6.0), bound**2 * rng.uniform(-2.0, 12.0)
            reference.samples.append(
                (np.asarray(bound * rng.normal(size=d)), float(y), float(bound**2 * rng.uniform(0.1, 1.0)))
            )
            reference.squares.append((np.asarray(bound**2 * rng.normal(size=d)), float(square)))
        st, squares = machine.st, sum((np.outer(x, x) for x, _ in reference.squares), reference.lam * np.eye(d))
        st.A_inv[:] = np.linalg.inv(reference.matrix())
        st.b[:] = sum((x * y / v for x, y, v in reference.samples), np.zeros(d))
        st.w[:] = reference.w = bound * rng.uniform(-1.0, 1.0, len(model.r))
        if not loop:
            st.A2_inv[:] = np.linalg.inv(squares)
            st.b2[:] = sum((x * y for x, y in reference.squares), np.zeros(d))
        yield machine, reference, t, rng


def weights_differ(learner: Learner) -> str | None:
    """sigma^2 of one more step, and the regression of squares after it."""
    for k, (machine, reference, t, rng) in enumerate(made_up(learner)):
        S, A = reference.r.shape
        s, a, s2 = int(rng.integers(S)), int(rng.integers(A)), int(rng.integers(S))
        machine.call("watch", t, s, a, 0.0, s2)
        reference.learn(s, a, s2)
        if far(machine.st.variance[0], reference.v, CLOSE * reference.v):
            return f"made up {k}: sigma^2 is {machine.st.variance[0]} against {reference.v}"
    return None


def made_up_plans_differ(learner: Learner) -> str | None:
    """Estimates, radius and thirty sweeps, whether these settle or not."""
    for k, (machine, reference, t, _) in enumerate(made_up(learner, MADE_UP // 16)):
        made, st = machine.call("plan", t, 0, machine.rng), machine.st
        if made != reference.plan(machine.p.max_sweeps):
            return f"made up {k}: the plan {'was made' if made else 'failed'}, against the transcription"
        fields = {"theta": reference.theta, "radius": [reference.beta], "w": reference.w, "Q": reference.Q}
        if wrong := first_far({name: (getattr(st, name), theirs) for name, theirs in fields.items()}, 1e-6):
            return f"made up {k}: {wrong}"
    return None


def squares_below_zero(learner: Learner) -> str | None:
    """Squared norms that rounding has left below zero count as zero, in widths and in sigma^2."""
    bound = "span" if learner.name == "loop-evi" else "diameter"
    machine = Told(learner, TWO, 9, {bound: 1.0, **({"form": 1} if "form" in learner.params else {})}, None)
    st = machine.st
    for name in {"A_inv", "A2_inv"} & set(vars(st)):
        getattr(st, name)[:] = -1e-30 * np.eye(len(st.b))
    machine.call("plan", 0, 0, None)
    if not (st.width == 0.0).all():
        return f"widths {st.width.tolist()} of squares below zero"
    st.w[:] = 0.5, -0.5
    machine.call("watch", 0, 0, 0, 0.0, 1)
    if "variance" in learner.state and not far(st.variance[0], 1.0 / len(st.b)):
        return None
    return None if "variance" not in learner.state else f"sigma^2 {st.variance[0]} of squares below zero"


def doubling_missed(learner: Learner) -> str | None:
    """A plan is due when det A has doubled to the last bit."""
    machine = Told(learner, TWO, 9, {}, None)
    machine.st.log_det[0] = float(np.log(2.0))
    return None if machine.call("watch", 0, 0, 0, 0.0, 1) else "no plan where the determinant is twice that of the last"


def mixture(S: int, A: int, d: int, b: int, seed: int) -> Any:
    return replace(mixture_random(S=S, A=A, d=d, horizon=1, b=b, seed=seed), criterion=AVERAGE_REWARD)


SINGLE: list[Case] = [
    (Check(f.__name__, f), 0, {}) for f in (squares_below_zero, doubling_missed, made_up_plans_differ)
]
#: changes of the first sweep that span the precision, 1/2; its least and largest values off state 0
TIE, FIRST_IS_NEITHER = one_hot(model=circle(0.0, 0.5, 0.0, 0.5), form="mixture"), mixture(3, 2, 2, 2, 2)
MIXED = {"phi": np.full((2, 2, 2, 4), 0.5), "transition_phi": np.full((2, 2, 2, 4), 0.5), "r": np.zeros((2, 2))}
SPAN = ({"span": 0.0}, "span=0.0 must be positive")
TINY_RIDGE: Case = (Check("tiny ridge", widths_below_zero), 0, {})
MORE: dict[str, list[Case]] = {
    "ucrl2-vtr": [
        refusals(
            MIXED,
            ({"diameter": 0.0}, "diameter=0.0 must be positive"),
            ({"B": -1.0}, "B=-1.0 must be positive"),
            ({"tau": 0.0}, "tau=0.0 must lie in"),
        ),
        *SINGLE,
        (Check("weights", weights_differ), 0, {}),
        (TIE, 4, {"diameter": 2.2}),
        (FIRST_IS_NEITHER, 40, {"diameter": 0.5, "B": 1.5, "scale": 0.0}),
    ],
    "loop-evi": [
        refusals(
            MIXED,
            SPAN,
            ({"lam": -1.0}, "lam=-1.0 must be positive"),
            ({"B": 0.0}, "B=0.0 must be positive"),
            ({"tau": 1.5}, "tau=1.5 must lie in"),
        ),
        *SINGLE,
        (TIE, 4, {"span": 2.2}),
        (FIRST_IS_NEITHER, 40, {"span": 0.5, "B": 1.5, "scale": 0.0, "tau": 0.2}),
    ],
    "fopo": [
        refusals(
            PAIRS,
            ({"ridge": 0.0, "span": 1.0}, "ridge=0.0 must be positive"),
            ({"scale": 0.0, "span": 1.0}, "scale=0.0 must be positive"),
            SPAN,
        ),
        (constant(1.0 - 3e-9), 4, {"span": 1.0, "scale": 0.01}),
        (unit_features(), 24, {"span": 2.0, "scale": 0.003}),
    ],
    "ucb-cvi": [refusals(PAIRS, SPAN)],
    "olsvi-fh": [
        refusals(PAIRS, SPAN, ({"lam": -1.0}, "lam=-1.0 must be positive"), ({"c": 0.0}, "c=0.0 must be positive")),
        TINY_RIDGE,
        (COINS, 12, {"span": 2.0, "length": 1, "scale": 0.02}),
    ],
    "lscvi-ucb": [
        refusals(PAIRS, SPAN, ({"lam": -1.0}, "lam=-1.0 must be positive"), ({"c": 0.0}, "c=0.0 must be positive")),
        TINY_RIDGE,
        # the first step doubles the determinant to the last bit
        (ONE_HOT_LINEAR, 2, {"span": 1.0}),
        # the first backup falls by the precision, 1/2, at a pair of reward 1/2
        (one_hot(model=circle(0.5, 1.0)), 4, {"span": 1.0, "gamma": 0.5, "scale": 0.0}),
    ],
}


def table() -> dict[tuple[str, str], tuple[Compare, list[Case]]]:
    """The learners' cases with these in front, by name and setting."""
    fopo = {"fopo": LOOP_LINEAR["fopo"][1:]}
    whole = {**CASES, "fopo": (compare_fopo, fopo)}
    return {(name, "average"): (_told(f), [*MORE[name], *cases.values()]) for name, (f, cases) in whole.items()}


def _told(compare: Compare) -> Compare:
    def whole(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
        return model.run(learner) if isinstance(model, Check) else compare(learner, model, steps, params)

    return whole
