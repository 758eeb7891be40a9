"""Automatic mutants: what is made of a kernel, in which order, and that callers see it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from theorylab.compiler import Kernel
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8, i8
from theorylab.mutate import kernels_of, mutants
from theorylab.registry import iter_specs


@kernel
def begin(st: Any, p: Any) -> Any:
    st.N[0] = 0
    st.x[0] = 3.0
    st.x[1] = 0.0


@kernel
def width(st: Any, p: Any, n: Any) -> Any:
    """sqrt(log n / n), at least a floor."""
    return p.scale * sqrt(max(log(n), 0.0) / n)


@kernel
def act(st: Any, p: Any, t: Any, rng: Any) -> Any:
    return 0 if width(st, p, t + 1.0) < 1.0 else 1


@kernel
def learn(st: Any, p: Any, t: Any, a: Any, r: Any) -> Any:
    i = t % 2
    st.N[0] += 1
    st.x[i - 1] = r
    best = 0
    while best < p.A - 1 and st.x[best] != r:
        best += 1
    st.x[0] = width(st, p, 2.0)


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """The logarithm of a union bound."""
    if p["scale"] < 0:
        raise ValueError(p)
    return dict(iota=log(p["A"] * p["T"] / p["delta"]))


planted = Learner(
    name="planted", setting="bandit", begin=begin, act=act, learn=learn, derive=derive,
    params=dict(scale=1.0, delta=0.1), state=dict(N=i8[1], x=f8["A"]),
)  # fmt: skip


def by_name() -> dict[str, Any]:
    return {m.name: m for m in mutants(planted)}


def test_what_is_made() -> None:
    made = by_name()
    texts = {
        "width 1: sqrt left out": "return p.scale * (max(log(n), 0.0) / n)",
        "width 1: log to 1": "return p.scale * sqrt(max(1.0, 0.0) / n)",
        "width 1: max to min": "return p.scale * sqrt(min(log(n), 0.0) / n)",
        "width 1: max to its first": "return p.scale * sqrt(log(n) / n)",
        "width 1: max to its second": "return p.scale * sqrt(0.0 / n)",
        "width 1: scale to 0": "return 0.0 * sqrt(max(log(n), 0.0) / n)",
        "width 1: / to *": "return p.scale * sqrt(max(log(n), 0.0) * n)",
        "act 1: < to <=": "return 0 if width(st, p, t + 1.0) <= 1.0 else 1",
        "act 1: < to >": "return 0 if width(st, p, t + 1.0) > 1.0 else 1",
        "act 1: + 1.0 left out": "return 0 if width(st, p, t) < 1.0 else 1",
        "act 1: + to -": "return 0 if width(st, p, t - 1.0) < 1.0 else 1",
        "learn 1: % left out": "i = t",
        "learn 2: st.N not written": "pass",
        "learn 2: + to -": "st.N[0] -= 1",
        "learn 3: i - 1 to i": "st.x[i] = r",
        "learn 5: ties to the last": "best = p.A - 1",
        "derive 3: delta to 1": "return dict(iota=log(p['A'] * p['T'] / 1.0))",
        "derive 3: T to 1": "return dict(iota=log(p['A'] * 1 / p['delta']))",
        "derive 3: log to 1": "return dict(iota=1.0)",
    }
    assert {k: made[k].after for k in texts} == texts
    assert all(made[k].learner is not None for k in texts)


def test_what_is_not_made() -> None:
    made = by_name()
    assert not [n for n in made if n.startswith(("derive 1", "derive 2"))]  # the refusal of an argument
    assert made["begin 1: st.N not written"].same and made["begin 1: st.N not written"].learner is None
    assert made["begin 3: st.x not written"].learner is not None  # x is written 3.0 first
    assert not [m for m in made.values() if m.broken]


def test_names_are_unique_and_the_order_is_fixed() -> None:
    first, second = mutants(planted), mutants(planted)
    assert [m.name for m in first] == [m.name for m in second]
    assert len({m.name for m in first}) == len(first)
    kernels = [k.__name__ for k in kernels_of(planted)]
    assert kernels == ["begin", "act", "width", "learn"]  # a kernel of `theorylab` is not the learner's
    order = [m.kernel for m in first]
    assert order == sorted(order, key=[*kernels, "derive"].index)


def test_every_caller_sees_the_changed_kernel() -> None:
    mutant: Any = by_name()["width 1: scale to 0"].learner
    assert mutant.begin is planted.begin and mutant.act is not planted.act
    p = type("P", (), dict(scale=1.0, A=2))()
    st = type("St", (), dict(N=[0], x=[3.0, 5.0]))()
    assert act(st, p, 1e-9, None) == 0 and mutant.act(st, p, 1e-9, None) == 0
    mutant.learn(st, p, 0, 0, 5.0)
    assert st.x[0] == 0.0  # width is 0
    learn(st, p, 0, 0, 5.0)
    assert st.x[0] > 0.5


def test_the_search_from_the_end_finds_the_last() -> None:
    @kernel
    def first(st: Any, p: Any, t: Any, rng: Any) -> Any:
        best = 0
        while best < p.A - 1 and st.x[best] != 1.0:
            best += 1
        return best

    made: dict[str, Any] = {m.name: m for m in mutants(replace(planted, act=first))}
    p = type("P", (), dict(A=4))()
    st = type("St", (), dict(x=[0.0, 1.0, 1.0, 0.0]))()
    assert first(st, p, 0, None) == 1
    assert made["first 2: ties to the last"].learner.act(st, p, 0, None) == 2


def test_a_text_that_does_not_build_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> Kernel:
        raise SyntaxError("no such text")

    monkeypatch.setattr("theorylab.mutate.generated", refuse)
    assert all(m.broken == "SyntaxError: no such text" and m.learner is None for m in mutants(planted) if not m.same)


@pytest.mark.long
def test_every_registered_learner_has_mutants_that_build() -> None:
    for learner in iter_specs("learners"):
        found = mutants(learner)
        assert len(found) >= 5 and not [m.name for m in found if m.broken], learner.name
