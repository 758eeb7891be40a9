"""The sampling oracle: the same samples as the generative model, prices, and the discounted application."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mdps.collection.oracle import discounted_through, draw_samples, sample_through
from mdps.models.garnet import family as garnet
from mdps.models.riverswim import family as riverswim
from mdps.models.star import family as star
from theorylab.errors import InputError
from theorylab.model import Discounted, FiniteHorizon
from theorylab.plan import evaluate, plan
from theorylab.run import run

RIVER = riverswim(states=3)


@pytest.mark.parametrize("model", [RIVER, garnet(S=34, A=1, b=34, seed=1)], ids=["scan", "alias"])
def test_a_run_sees_the_samples_of_the_generative_model(model: Any) -> None:
    final = run("uniform-collection", model, replicates=2, steps=120, seed=5, target="python").final
    watched = run("gosprl", model, replicates=2, steps=120, seed=5, target="python").final
    for r in range(2):
        drawn = draw_samples(model, watched["N"][r], seed=5, first=r)[0]
        assert np.array_equal(drawn, watched["moves"][r])
        assert draw_samples(model, final["N"][r], seed=5, first=r)[0].sum() == 120


def test_the_law_of_the_draws() -> None:
    moves = draw_samples(RIVER, lambda s, a: 2000 * (a == 1), replicates=3, seed=1)
    assert np.array_equal(moves.sum(axis=-1), np.broadcast_to([0, 2000], (3, 3, 2)))
    for s in range(3):
        law = RIVER.dense()[s, 1]
        seen = moves[:, s, 1].sum(axis=0)
        assert seen[law == 0].sum() == 0
        assert stats.chisquare(seen[law > 0], 6000 * law[law > 0]).pvalue > 1e-4
    assert not np.array_equal(moves[0], moves[1])
    assert not np.array_equal(moves, draw_samples(RIVER, lambda s, a: 2000 * (a == 1), replicates=3, seed=2))


def test_collected_through_a_learner() -> None:
    b = np.array([[3, 0], [2, 5], [0, 4]])
    model = replace(RIVER, criterion=FiniteHorizon(4))
    found = sample_through(model, b, budget=300, replicates=3, seed=2, params={"alpha": 0.1}, target="python")
    assert found.unfinished == 0 and not found.missing.any()
    assert np.array_equal(found.moves, draw_samples(model, b, replicates=3, seed=2))
    assert np.all(found.price >= 1.0) and found.price == pytest.approx(found.steps / 14)
    assert 1.0 <= found.least_price <= found.price.mean()


def test_a_budget_that_is_too_small_for_some_runs() -> None:
    found = sample_through(star(p=(0.2,)), [[2], [2]], budget=12, replicates=8, target="python")
    late = found.steps < 0
    assert 0 < found.unfinished < 8 and found.unfinished == int(late.sum())
    assert np.isnan(found.price[late]).all() and found.missing[late].sum(axis=(1, 2)).min() > 0
    assert np.array_equal(found.moves.sum(axis=-1) + found.missing, np.broadcast_to(found.b, found.missing.shape))
    assert not found.missing[~late].any()


def test_discounted_uniform_sampling() -> None:
    found = discounted_through(
        RIVER, 0.8, 1.5, 0.2, budget=4_000, replicates=2, seed=3, params={"alpha": 0.1}, target="python", c=0.3
    )
    assert found.n == int(np.ceil(0.3 * np.log(6 / (0.2 * 0.2)) / (0.2**3 * 1.5**2)))
    true = replace(RIVER, criterion=Discounted(0.8))
    drawn = draw_samples(RIVER, np.full((3, 2), found.n), replicates=2, seed=3)
    for r in range(2):  # the generative model would have given the same policy
        direct = plan(replace(true, P=drawn[r] / found.n)).pi
        assert np.array_equal(found.pi[r], direct)
        assert found.loss[r] == pytest.approx(np.max(plan(true).V - evaluate(true, direct).V), abs=1e-9)
    assert "c=0.3 (not specified by the source)" in found.summary() and "2 of 2 runs" in found.summary()
    assert found.error < 1e-9 and np.all(found.loss <= found.epsilon)


def test_too_few_samples_lose_something() -> None:
    found = discounted_through(
        garnet(S=5, A=3, b=3, seed=4, rewards="bernoulli"), 0.5, 4.0, 0.9, budget=400, replicates=6, target="python"
    )
    assert found.n <= 3 and found.loss.max() > 5e-4


def test_unfinished_runs_have_no_policy() -> None:
    found = discounted_through(star(p=(0.2,)), 0.5, 4.0, 0.5, c=0.3, budget=6, replicates=6, target="python")
    late = found.samples.steps < 0
    assert late.any() and np.isnan(found.loss[late]).all() and np.all(found.pi[late] == -1)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"algorithm": "ucrl2"}, "collects no prescribed sample"),
        ({"b": [[-1, 0], [0, 0], [0, 0]]}, "-1"),
        ({"b": [[1, 0]]}, "shape"),
        ({"budget": 2}, "budget"),
        ({"params": {"b": [[1, 1]] * 3}}, "params holds b"),
    ],
)
def test_what_is_refused(change: dict[str, Any], word: str) -> None:
    given = {"b": [[1, 1], [1, 1], [1, 1]], "budget": 100, **change}
    with pytest.raises(InputError, match=word):
        sample_through(RIVER, given.pop("b"), **given)
    with pytest.raises(InputError, match="replicates=0"):
        draw_samples(RIVER, [[1, 1]] * 3, replicates=0)
    scaled = replace(RIVER, r=2 * RIVER.r, reward_law=replace(RIVER.reward_law, high=2.0))
    with pytest.raises(InputError, match=r"scale them to \[0, 1\]"):
        discounted_through(scaled, 0.5, 1.0, 0.1, budget=1000)
