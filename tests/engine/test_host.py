"""Plans of the host: the same bits as in the loop, each replicate on its own clock; and letters bound by arrays."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import mdps
from theorylab.conformance import digests
from theorylab.criteria import FiniteHorizon
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.learner import Learner, f8, i8
from theorylab.registry import find_learner
from theorylab.simulation import Simulation


def hosted(name: str, setting: str, batch: bool) -> Learner:
    """The learner with its plan called by the host."""
    inside: Learner = find_learner(name, setting)
    assert inside.plan is not None
    plan = inside.plan.build("python")

    def one(st: Any, p: Any, *now: int) -> None:
        if not plan(st, p, *now, None):
            raise InputError("no plan")

    def many(st: Any, p: Any, *rest: Any) -> None:
        *now, xp = rest
        assert xp is np
        for i in range(now[0].size):
            one(SimpleNamespace(**{k: v[i] for k, v in vars(st).items()}), p, *(int(x[i]) for x in now))

    return replace(inside, plan=None, **({"plan_batch": many} if batch else {"plan_one": one}))


MODELS: dict[str, Callable[[], Any]] = {
    "average": lambda: mdps.models.riverswim(states=3),
    "episodic": lambda: replace(mdps.models.riverswim(states=3), criterion=FiniteHorizon(3)),
}


@pytest.mark.parametrize("batch", [False, True])
@pytest.mark.parametrize(("name", "setting", "length"), [("ucrl2", "average", 150), ("ucbvi-ch", "episodic", 12)])
def test_same_bits_as_a_plan_in_the_loop(name: str, setting: str, length: int, batch: bool) -> None:
    model = MODELS[setting]()
    options: dict[str, Any] = dict(replicates=3, length=length, seed=3, target="python")
    inside = Simulation(find_learner(name, setting), model, **options).advance()
    learner = hosted(name, setting, batch)
    outside = Simulation(learner, model, **options)
    for stop in (1, length // 2, length):
        outside.advance(stop)
    expected, got = digests(inside), digests(outside)
    # the clock is written by both, the flags agree once all plans are made
    assert {k for k in expected if expected[k] != got[k]} == set()
    assert outside.seconds["plan"] > 0.0
    saved = Simulation(learner, model, **options).advance(length // 3).save()
    assert digests(Simulation(learner, model, **options).restore(saved).advance()) == expected
    alone = Simulation(learner, model, **{**options, "replicates": 1, "first": 2}).advance()
    assert np.array_equal(alone.observed["curve"][0], outside.observed["curve"][2])


def test_a_plan_that_fails_names_learner_replicate_and_time() -> None:
    inside = find_learner("ucrl2", "average")

    def one(st: Any, p: Any, t: int, s: int) -> None:
        raise InputError("the confidence set is empty")

    broken = replace(inside, plan=None, plan_one=one)
    run = Simulation(broken, MODELS["average"](), replicates=1, length=5, first=7, target="python")
    with pytest.raises(InputError, match=r"'ucrl2', replicate 7, step 0: the confidence set is empty"):
        run.advance()


def test_the_digest_follows_the_source_of_the_plan() -> None:
    model = MODELS["average"]()

    def digest(learner: Learner) -> str:
        return Simulation(learner, model, replicates=1, length=5).digest()

    inside = find_learner("ucrl2", "average")
    assert digest(hosted("ucrl2", "average", True)) == digest(hosted("ucrl2", "average", True))
    assert digest(inside) != digest(hosted("ucrl2", "average", True))


def test_one_form_of_plan() -> None:
    inside = find_learner("ucrl2", "average")
    with pytest.raises(InputError, match="one of `plan`, `plan_batch`, `plan_one`"):
        replace(inside, plan_one=lambda *x: None)
    with pytest.raises(InputError, match="one of `plan`"):
        replace(inside, plan=None)


@kernel
def nothing(st: Any, p: Any) -> None:
    """No data."""


@kernel
def act(st: Any, p: Any, t: Any, s: Any, rng: Any) -> Any:
    """The action of hypothesis t."""
    return p.table[t % p.M, s]


@kernel
def learn(st: Any, p: Any, t: Any, s: Any, a: Any, r: Any, s2: Any) -> None:
    """Count the hypothesis."""
    st.used[t % p.M] += 1


CLASS = Learner(
    name="class", setting="average", begin=nothing, act=act, learn=learn,
    arrays=dict(table=i8["M", "S"], weight=f8["M"]), state=dict(used=i8["M"]),
    derive=lambda p: {"weight": np.ones(p["M"])} if p["weight"] is None else {},
)  # fmt: skip


def test_a_letter_is_read_off_the_first_array() -> None:
    run = Simulation(
        CLASS, MODELS["average"](), replicates=1, length=7, params={"table": np.zeros((3, 3))}, target="python"
    ).advance()
    assert run.params["M"] == 3
    assert run.state["used"].tolist() == [[3, 2, 2]]


@pytest.mark.parametrize(
    ("params", "says"),
    [
        ({"table": np.zeros((3, 2))}, r"table has shape \(3, 2\), not \(3, 3\)"),
        ({"table": np.zeros(3)}, r"table has shape \(3,\), not \(M, S\)"),
        ({"table": np.zeros((3, 3)), "weight": np.ones(4)}, r"weight has shape \(4,\), not \(3,\)"),
        ({"table": np.full((3, 3), 0.5)}, r"table\[0, 0\] = 0.5 is not an integer"),
    ],
)
def test_arrays_of_a_class_are_checked(params: dict[str, Any], says: str) -> None:
    with pytest.raises(InputError, match=says):
        Simulation(CLASS, MODELS["average"](), replicates=1, length=7, params=params)
