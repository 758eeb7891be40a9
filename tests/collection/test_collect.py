"""Collecting within a budget: what is complete, what is missing, and what is refused before the first step."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mdps.collection.collect import Missing, algorithms, collect
from theorylab import TabularMDP
from theorylab.errors import InputError
from theorylab.model import AVERAGE_REWARD
from theorylab.registry import find_model
from theorylab.run import run

RIVER, STAR = find_model("riverswim")(), find_model("star")()


def test_a_sample_and_what_is_short_of_one() -> None:
    found = collect(RIVER, samples=2, budget=3000, params={"alpha": 0.1}, replicates=4, seed=3)
    same = run("gosprl", RIVER, steps=3000, replicates=4, seed=3, params={"alpha": 0.1, "samples": 2}).final
    assert found.finished.all() and np.array_equal(found.steps, same["finished"][:, 0])
    assert found.unmet(3) == [] and found.moves is not None and np.array_equal(found.moves, same["moves"])
    assert found.lower is not None and found.lower.value == pytest.approx(46.11, abs=0.01)
    assert "complete: 4 of 4" in str(found) and "(linear program)" in str(found)
    b = np.zeros((6, 2), dtype=int)
    b[5, 1], b[0, 0] = 3, 7
    short = collect(RIVER, b, states=[0, 0, 2, 0, 0, 0], budget=17, bounds=False)
    left = {(m.state, m.action): m.samples for m in short.unmet()}
    assert not short.finished.any() and short.mean == np.inf and left[(5, 1)] == 3
    n = short.counts[0]
    assert left.get((0, 0), 0) == max(0, 7 - n[0, 0]) and left.get((2, None), 0) == max(0, 2 - n[2].sum())
    assert "not complete: 1 of 1; replicate 0 is short of" in str(short)
    assert Missing(5, 1, 3) in short.unmet()
    with pytest.raises(InputError, match="replicate=1"):
        short.unmet(1)


def test_visits_of_states_alone() -> None:
    found = collect(STAR, states=[0, 3, 3, 3], budget=2000, params={"alpha": 0.1}, replicates=3)
    assert found.finished.all() and found.asked.total == 9
    at = [int(t) for t in found.steps]
    for i, t in enumerate(at):
        before = run("gosprl", STAR, steps=t, first=i, params={"b_states": [0, 3, 3, 3], "alpha": 0.1}).final
        assert before["N"][0].sum(axis=1)[1:].min() == 3 and before["N"].sum() == t


def test_the_algorithms_are_those_with_a_requirement() -> None:
    assert {"gosprl", "known-p-greedy", "uniform-collection", "zero-one-ucrl", "max-ent"} <= set(algorithms())
    assert "ucrl2" not in algorithms() and "gosprl-modest" not in algorithms()


def one_way() -> TabularMDP:
    P = np.zeros((3, 1, 3))
    P[0, 0, 1] = P[1, 0, 1] = P[2, 0, 0] = 1.0
    return TabularMDP(P=P, r=np.zeros((3, 1)), mu0=np.array([1.0, 0.0, 0.0]), criterion=AVERAGE_REWARD)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        (dict(samples=10, budget=119), "budget=119 is below the 120 samples"),
        (dict(b=np.eye(6, 2, k=-5, dtype=int).tolist(), budget=4), "hitting-time bound"),
        (dict(samples=-1, budget=100), "K"),
        (dict(b=np.full((6, 2), 0.5), budget=100), r"b\[0,0\] = 0.5 is not whole"),
        (dict(samples=1, budget=100, algorithm="ucrl2"), "takes no requirement"),
        (dict(samples=1, budget=100, params={"b": 1}), "params holds b"),
        (dict(states=[1] * 6, budget=100, algorithm="zero-one-ucrl"), "on pairs only"),
        (dict(budget=100), "no requirement"),
    ],
)
def test_what_is_refused(given: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        collect(RIVER, **given)


def test_what_cannot_be_reached_is_named() -> None:
    model = one_way()
    with pytest.raises(InputError, match=r"\(2, 0\) cannot be reached from the start"):
        collect(model, samples=1, budget=100)
    with pytest.raises(InputError, match="not communicating"):
        collect(model, [[1], [1], [0]], budget=100)
    for name in ("gosprl", "gosprl-sparse", "gosprl-modest", "known-p-greedy", "uniform-collection"):
        with pytest.raises(InputError, match=r"\(2, 0\)"):
            run(name, model, steps=5)
