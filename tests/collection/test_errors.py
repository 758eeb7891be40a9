"""Errors of an estimated kernel: by hand, by summation, by simulation, and at the best occupancies."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mdps.collection.errors import (
    OBJECTIVES,
    expected_errors,
    model_error_bounds,
    model_errors,
    optimal_occupancy_error,
)
from mdps.collection.requirements import row_noise
from theorylab.errors import InputError
from theorylab.registry import find_model
from theorylab.run import run

P = np.array([[[0.5, 0.5], [1.0, 0.0]], [[0.25, 0.75], [0.0, 1.0]]])
WHEEL, NOISY = find_model("wheel")(states=5), find_model("noisy-riverswim")()
#: the source's errors at n = 2e6, measured in runs of its own [notes: source]
ANCHORS = {
    ("wheel", "entropy"): 1.0045e-3,
    ("wheel", "weighted"): 0.5091e-3,
    ("wheel", "noise"): 0.5091e-3,
    ("noisy", "entropy"): 0.4197e-2,
    ("noisy", "noise"): 0.2851e-2,
}


def test_errors_by_hand() -> None:
    moves = np.zeros((2, 2, 2, 2), dtype=np.int64)
    moves[0, 0, 0] = (3, 1)  # |0.75 - 0.5| twice
    moves[0, 0, 1] = (5, 0)
    moves[0, 1, 0] = (1, 3)
    average, worst = model_errors(moves, P)
    # the fourth pair of the first replicate and all of the second were never visited: error 1
    assert average.tolist() == [(0.5 + 0.0 + 0.0 + 1.0) / 4, 1.0]
    assert worst.tolist() == [1.0, 1.0]


@pytest.mark.parametrize(
    ("moves", "word"),
    [
        (np.zeros((2, 2, 2)), "shape"),
        (np.zeros((1, 3, 2, 3)), "shape"),
        (-np.ones((1, 2, 2, 2)), r"\[0, 0, 0, 0\] = -1"),
    ],
)
def test_counts_that_are_refused(moves: np.ndarray, word: str) -> None:
    with pytest.raises(InputError, match=word):
        model_errors(moves, P)


def test_noise_and_bounds_by_hand() -> None:
    V = row_noise(P, P.shape[2])
    assert V == pytest.approx(np.array([[1.0, 0.0], [2 * math.sqrt(3 / 16), 0.0]]) / math.sqrt(2))
    visits = np.array([[[0, 3], [8, 0]]])
    F = [1 / math.sqrt(2) + 2, 2 / 4, 2 * math.sqrt(3 / 16) / math.sqrt(2) / 3 + 2 / 9, 2.0]
    level = 4 * math.log(6 * 4 * 11 / 0.1)
    average, worst = model_error_bounds(visits, P, 11, 0.1)
    assert average == pytest.approx([level * sum(F) / 4]) and worst == pytest.approx([level * max(F)])


@pytest.mark.parametrize("n", [0, 1, 2, 7, 40])
def test_the_expected_error_by_summation(n: int) -> None:
    rows = np.array([[[0.3, 0.7], [0.5, 0.5]], [[1.0, 0.0], [0.01, 0.99]]])
    found = expected_errors(np.full((2, 2), n), rows)
    for s, a in np.ndindex(2, 2):
        p = rows[s, a, 0]
        law = [math.comb(n, k) * p**k * (1 - p) ** (n - k) for k in range(n + 1)]
        wanted = sum(q * 2 * abs(k / n - p) for k, q in enumerate(law)) if n else 1.0
        assert found[s, a] == pytest.approx(wanted, rel=1e-11, abs=1e-15)


def test_best_occupancies() -> None:
    lam = optimal_occupancy_error(WHEEL, 2e6, "noise", floor=1e-6).occupancy
    assert lam[:, 4] == pytest.approx(np.full(5, 0.2), abs=1e-4)  # all of the time at the noisy pairs
    assert lam.sum() == pytest.approx(1.0) and lam.min() >= 0.99e-6
    dense = WHEEL.dense()
    assert lam.sum(axis=1) == pytest.approx(np.einsum("ij,ijk->k", lam, dense), abs=1e-7)  # what leaves enters
    surrogate = {o: optimal_occupancy_error(WHEEL, 2e6, o).surrogate for o in OBJECTIVES}
    assert min(surrogate, key=surrogate.__getitem__) == "surrogate"
    with pytest.raises(InputError, match="objective 'entrop'"):
        optimal_occupancy_error(WHEEL, 2e6, "entrop")
    with pytest.raises(InputError, match="lower it"):
        optimal_occupancy_error(WHEEL, 2e6, "noise", floor=0.039)


@pytest.mark.long
@pytest.mark.parametrize(("model", "objective"), ANCHORS.keys())
def test_the_sources_errors_are_those_of_a_run(model: str, objective: str) -> None:
    """Within three standard deviations of a single run of the best policy; the mean of runs is the expectation.

    "weighted" on NoisyRiverSwim is left out: the source has 0.2862e-2, the program 0.4173e-2, its runs 0.41e-2 (0.04).
    """
    instance = WHEEL if model == "wheel" else NOISY
    found = optimal_occupancy_error(instance, 2e6, objective)
    policy = found.occupancy / found.occupancy.sum(axis=1, keepdims=True)
    curves = run(
        "stationary-policy", instance, replicates=24, steps=2_000_000, params={"policy": policy.tolist()},
        checkpoints=[2_000_000],
    )  # fmt: skip
    errors, _ = model_errors(curves.final["moves"], instance.dense())
    deviation = float(errors.std(ddof=1))
    assert abs(errors.mean() - found.error) <= 4 * deviation / math.sqrt(24)
    assert abs(ANCHORS[model, objective] - found.error) <= 3 * deviation


@pytest.mark.long
def test_uniform_play_has_the_errors_of_the_notes() -> None:
    """Section 6.3, 20 seeds at n = 1e4: Wheel .0159 / .128, NoisyRS .0622 / .272; here 100 replicates, 4 errors."""
    for model, wanted in ((WHEEL, (0.0159, 0.128)), (NOISY, (0.0622, 0.272))):
        moves = run("stationary-policy", model, replicates=100, steps=10_000).final["moves"]
        for errors, mean in zip(model_errors(moves, model.dense()), wanted, strict=True):
            assert abs(errors.mean() - mean) <= 4 * errors.std(ddof=1) * math.sqrt(1 / 100 + 1 / 20)
