"""Requirements: what is refused, what is reachable, and the rules against hand computations."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

import mdps
from mdps.collection.requirements import (
    discounted_uniform,
    noise,
    noise_weighted,
    occupancy_coverage,
    proportional,
    requirement,
    treasure,
)
from theorylab.errors import InputError
from theorylab.model import FiniteHorizon, TabularMDP

STAR = mdps.models.star()


def kernel(*arcs: tuple[int, ...], mu0: list[float] | None = None) -> TabularMDP:
    """Deterministic: arcs[s][a] is where action a leads."""
    return TabularMDP(P=np.eye(len(arcs))[np.array(arcs)], r=np.zeros((len(arcs), len(arcs[0]))), mu0=mu0)


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({}, "no requirement"),
        ({"b": np.ones((4, 3), int), "samples": 2}, "both b and samples"),
        ({"b": np.ones((3, 4), int)}, r"b has shape \(3, 4\); expected \(4, 3\)"),
        ({"states": [1, 2, 3]}, r"states has shape \(3,\); expected \(4,\)"),
        ({"b": np.full((4, 3), -2)}, r"b\[0,0\] = -2 is negative"),
        ({"b": np.where(np.arange(12).reshape(4, 3) == 5, 0.5, 1)}, r"b\[1,2\] = 0.5 is not whole"),
        ({"b": np.where(np.arange(12).reshape(4, 3) == 7, np.nan, 1)}, r"b\[2,1\] = nan is not finite"),
        ({"b": np.full((4, 3), np.inf)}, "not finite"),
        ({"b": np.full((4, 3), 2**60)}, "is larger than"),
        ({"b": np.full((4, 3), 2**52)}, "asks for 5.4e"),
        ({"b": np.full((4, 3), True)}, "dtype bool"),
        ({"states": [0, 0, -1, 0]}, r"states\[2\] = -1"),
        ({"samples": -1}, "K is -1"),
        ({"samples": 1.5}, "K is 1.5"),
    ],
)
def test_what_is_refused(given: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        requirement(STAR, **given)


def test_pairs_that_cannot_be_reached_are_named() -> None:
    model = kernel((0, 1), (0, 1), (0, 2), (3, 0), (4, 4))  # 2, 3 and 4 are not entered
    with pytest.raises(InputError, match=r"\(2, 0\), \(2, 1\) cannot be reached from the start"):
        requirement(model, [[1, 1], [0, 0], [1, 1], [0, 0], [0, 0]])
    with pytest.raises(InputError, match=r"\(2, 0\), \(2, 1\), .*\(4, 1\), \.\.\. cannot"):
        requirement(model, samples=1, states=[0, 0, 1, 0, 0])
    with pytest.raises(InputError, match=r"states\[3\] cannot"):
        requirement(model, states=[0, 0, 0, 2, 0])
    assert requirement(model, [[1, 1], [2, 0], [0, 0], [0, 0], [0, 0]]).total == 4
    assert requirement(replace(model, mu0=[0.25] * 4 + [0]), [[0, 0], [1, 0], [0, 0], [0, 0], [0, 0]]).total == 1


def test_one_way_streets_are_named() -> None:
    model = kernel((1, 0), (1, 2), (2, 2))
    with pytest.raises(InputError, match="state 0 has a requirement, and cannot be reached from state 1"):
        requirement(model, samples=1)
    with pytest.raises(InputError, match="state 1 has a requirement, and cannot be reached from state 2"):
        requirement(model, states=[0, 1, 0])
    assert requirement(model, states=[0, 0, 5]).total == 5  # where all roads end
    # two ends that exclude one another: the first is not reached from the second
    with pytest.raises(InputError, match="state 1 has a requirement, and cannot be reached from state 2"):
        requirement(kernel((1, 2), (1, 1), (2, 2)), states=[0, 1, 1])
    # both checks are needed: state 0 is reached from all that is met, and state 1 is not reached again
    with pytest.raises(InputError, match="state 1 has a requirement, and cannot be reached from state 0"):
        requirement(kernel((0,), (0,), mu0=[0.5, 0.5]), states=[1, 1])


def test_stages_are_refused() -> None:
    staged = TabularMDP(P=np.ones((2, 1, 1, 1)), r=np.zeros((1, 1)), criterion=FiniteHorizon(2))
    with pytest.raises(InputError, match="stationary"):
        requirement(staged, samples=1)


def test_visits_of_states_and_pairs_overlap() -> None:
    asked = requirement(STAR, np.eye(4, 3, dtype=float) * 2, states=[1, 5, 0, 3])
    assert asked.pairs.dtype == np.int64 and asked.by_state.tolist() == [2, 5, 2, 3] and asked.total == 12
    assert not asked.pairs.flags.writeable
    again = requirement(STAR, asked)
    assert np.array_equal(again.pairs, asked.pairs) and np.array_equal(again.states, asked.states)
    with pytest.raises(InputError, match="give it alone"):
        requirement(STAR, asked, samples=1)


# Rules


def test_proportional() -> None:
    assert proportional([[1, 2], [0, 3]], 12).tolist() == [[2, 4], [0, 6]]
    assert proportional([[0.1, 0.2], [0.7, 0.0]], 10).tolist() == [[1, 2], [7, 0]]
    # the second share is 15.000000000000002 in doubles
    assert proportional([[19, 15, 8, 9, 2]], 53).tolist() == [[19, 15, 8, 9, 2]]
    assert proportional([[1, 2], [0, 3]], 13).tolist() == [[3, 5], [0, 7]]
    assert proportional([[1e-30, 1.0]], 5).tolist() == [[1, 5]]
    assert proportional([[5e-324, 1e308]], 5).tolist() == [[1, 5]]
    assert proportional(np.full((3, 1), 1e308), 3).tolist() == [[1]] * 3
    rng = np.random.default_rng(0)
    w = rng.random((20, 5)) ** 4
    b = proportional(w, 1000)
    assert (b >= 1000 * w / w.sum() - 1e-6).all() and 1000 <= b.sum() < 1000 + w.size
    for weights, word in (
        (np.zeros((2, 2)), "all zero"),
        ([[1, -1]], r"weights\[0,1\] = -1"),
        ([[np.nan, 1]], "finite"),
        ([1, 2], "shape"),
        ([["x"]], "dtype"),
    ):
        with pytest.raises(InputError, match=word):
            proportional(weights, 10)
    with pytest.raises(InputError, match="total is 0"):
        proportional([[1]], 0)


def test_noise_by_hand() -> None:
    P = np.array([[[0.5, 0.5, 0], [1, 0, 0]], [[0.1, 0.2, 0.7], [0, 0, 1]], [[1 / 3] * 3, [0, 0.9, 0.1]]])
    by_hand = [
        [1.0, 0.0],
        [0.3 + 0.4 + math.sqrt(0.21), 0.0],
        [math.sqrt(2), 0.6],
    ]
    assert noise(P) == pytest.approx(np.array(by_hand) / math.sqrt(3), rel=1e-14)
    assert np.array_equal(noise(csr_array(P.reshape(6, 3))), noise(P))
    assert noise_weighted(P, 100).tolist() == proportional(by_hand, 100).tolist()
    assert noise_weighted(P, 100)[0, 1] == 0
    for broken, word in ((P[:2], "shape"), (P * 0.5, "sums"), (np.ones(3), "shape"), (P - 1.0, "negative|>= 0")):
        with pytest.raises(InputError, match=word):
            noise(broken)
    with pytest.raises(InputError, match="all zero"):
        noise_weighted(np.eye(3)[:, None], 10)


def test_noise_is_zero_for_certain_transitions_alone() -> None:
    """2 sqrt(m (1 - m)) <= sqrt(S) V <= sqrt(Gamma - 1), m the largest entry [the left side derived]."""
    rng = np.random.default_rng(2)
    P = np.zeros((5, 40, 5))
    for s, a in np.ndindex(5, 40):
        gamma = int(rng.integers(1, 6))
        law = rng.integers(1, 9, size=gamma) if a % 2 else np.ones(gamma)
        P[s, a, rng.permutation(5)[:gamma]] = law / law.sum()
    V, top, gamma = noise(P) * math.sqrt(5), P.max(axis=2), (P > 0).sum(axis=2)
    assert (V >= 2 * np.sqrt(top * (1 - top)) - 1e-14).all() and (V <= np.sqrt(gamma - 1) + 1e-14).all()
    assert ((V == 0) == (gamma == 1)).all() and V.max() > 1.99


def test_coverage_against_all_policies() -> None:
    """Every deterministic policy by stages, S = 2, A = 2, H = 3; and stages with kernels of their own."""
    rng = np.random.default_rng(1)
    H, S, A, N = 3, 2, 2, 1000
    P = rng.dirichlet(np.ones(S), size=(H, S, A))
    mu0 = np.array([0.3, 0.7])
    for P_h in (P, np.broadcast_to(P[:1], P.shape)):
        best = np.zeros((H, S))
        for code in range(A ** (H * S)):
            pi = np.array([code // A**i % A for i in range(H * S)]).reshape(H, S)
            law = mu0
            for h in range(H):
                best[h] = np.maximum(best[h], law)
                law = law @ P_h[h][np.arange(S), pi[h]]
        model = TabularMDP(P=P_h if P_h is P else P[0], r=np.zeros((S, A)), mu0=mu0, criterion=FiniteHorizon(H))
        found = occupancy_coverage(model, N)
        assert found.shape == (H, S, A) and (found[:, :, 0] == found[:, :, 1]).all()
        assert np.array_equal(found[:, :, 0], np.ceil(N * best - 1e-9).astype(int))
    with pytest.raises(InputError, match=r"needs a TabularMDP with FiniteHorizon\(H\); got AverageReward"):
        occupancy_coverage(STAR, 10)
    sure = replace(kernel((1, 1), (2, 2), (0, 0)), criterion=FiniteHorizon(3))
    assert occupancy_coverage(sure, 7)[:, :, 0].tolist() == [[7, 0, 0], [0, 7, 0], [0, 0, 7]]
    with pytest.raises(InputError, match="N is 0"):
        occupancy_coverage(sure, 0)


def test_discounted_uniform() -> None:
    n = math.ceil(math.log(12 / (0.1 * 0.05)) / (0.1**3 * 0.25))
    assert (discounted_uniform(4, 3, 0.9, 0.5, 0.05) == n).all()
    assert discounted_uniform(4, 3, 0.9, 0.5, 0.05, c=2.0)[0, 0] in (2 * n - 1, 2 * n)
    for gamma, epsilon, delta, c, word in (
        (1.0, 0.5, 0.1, 1.0, "gamma is 1"),
        (-0.1, 0.5, 0.1, 1.0, "gamma is -0.1"),
        (0.9, 0.0, 0.1, 1.0, "epsilon is 0"),
        (0.9, 0.5, 0.0, 1.0, "delta is 0"),
        (0.9, 0.5, 1.0, 1.0, "delta is 1"),
        (0.9, 0.5, 0.1, 0.0, "c is 0"),
        (0.9999, 1e-4, 0.1, 1.0, "larger epsilon"),
    ):
        with pytest.raises(InputError, match=word):
            discounted_uniform(4, 3, gamma, epsilon, delta, c)


def test_treasure() -> None:
    assert treasure(4, 3, 10).tolist() == [[10] * 3] * 4
    with pytest.raises(InputError, match="S is 0"):
        treasure(0, 3, 1)
