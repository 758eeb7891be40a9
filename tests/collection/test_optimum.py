"""The optimum over (state, what is left): by hand, against value iteration, simulation, bounds and known-p greedy."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import mdps
from mdps.collection.bounds import lower_bound
from mdps.collection.optimum import LARGEST, optimal_time
from mdps.collection.requirements import requirement
from proofs_check.lemmas import collection as lemmas
from theorylab import run
from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan import hitting_times

M = mdps.models
STAR = M.star(p=[0.5, 0.25, 0.1])
LEAVES = np.array([[0, 0, 0], [2, 0, 0], [0, 1, 0], [1, 0, 2]])


def by_value_iteration(model: TabularMDP, b: np.ndarray) -> float:
    """Independent: one big fixed point over (s, left), left a tuple, by sweeps from zero."""
    S, A = b.shape
    left = np.array(list(np.ndindex(*(b.ravel() + 1))))
    place = {tuple(row): k for k, row in enumerate(left)}
    after = np.array([[place[tuple(row - np.minimum(row, unit))] for unit in np.eye(S * A, dtype=int)] for row in left])
    V = np.zeros((len(left), S))
    while True:
        new = 1.0 + np.einsum("st,lst->ls", model.dense().reshape(S * A, S), V[after]).reshape(-1, S, A).min(axis=2)
        new[0] = 0.0
        if np.max(new - V) < 1e-13:
            return float(model.mu0 @ new[-1])
        V = new


def greedy_time(model: TabularMDP, b: np.ndarray) -> float:
    """Known-p greedy, exactly: in G the first action with the largest gap, outside the shortest way to G."""
    P, S, A = model.dense(), model.S, model.A
    V: dict[tuple[int, ...], np.ndarray] = {}
    for left in np.ndindex(*(int(n) + 1 for n in b.ravel())):
        need = np.array(left).reshape(S, A)
        if not need.any():
            V[left] = np.zeros(S)
            continue
        is_open, way = need.any(axis=1), np.zeros(S)
        change = 1.0
        while change > 1e-13:
            new = np.where(is_open, 0.0, 1.0 + (P @ way).min(axis=1))
            change, way = float(np.max(new - way)), new
        pi = np.where(is_open, np.argmax(need, axis=1), np.argmin(P @ way, axis=1))
        matrix, cost = np.eye(S), np.ones(S)
        for s in range(S):
            if is_open[s]:
                i = s * A + pi[s]
                cost[s] += P[s, pi[s]] @ V[(*left[:i], left[i] - 1, *left[i + 1 :])]
            else:
                matrix[s] -= P[s, pi[s]]
        V[left] = np.linalg.solve(matrix, cost)
    return float(model.mu0 @ V[tuple(int(n) for n in b.ravel())])


def test_the_star_exactly() -> None:
    found = optimal_time(STAR, LEAVES, exact=True, snap=1000)
    assert found.value == 2 * (1 + 2) + 1 * (1 + 4) + 3 * (1 + 10) and isinstance(found.value, Fraction)
    assert optimal_time(STAR, LEAVES).value == pytest.approx(44, rel=1e-13)
    assert found.V.shape == (3, 2, 2, 3, 4) and found.entries == ((1, 0), (2, 1), (3, 0), (3, 2))
    # one sample of leaf 3 left: from the centre 11 steps, from the leaf one, from another leaf the way back as well
    one = np.eye(4, 3, dtype=int)[[1, 1, 1, 0]] * 0
    one[3, 0] = 1
    assert [found.value_of(s, one) for s in range(4)] == [11, 12, 12, 1]
    assert found.action(0, one) == 2 and found.action(3, one) == 0
    assert found.value_of(0) == found.value and found.value_of(2, one * 0) == 0
    thirds = M.star(p=[1 / 3, 2 / 7])
    b = np.array([[0, 0], [1, 1], [0, 2]])
    assert optimal_time(thirds, b, exact=True, snap=10).value == 2 * 4 + 2 * (1 + Fraction(7, 2))
    # the centre pays for itself: its actions lead to the leaves
    assert optimal_time(thirds, [[3, 0], [0, 0], [0, 0]], exact=True, snap=10).value > 3


def small(seed: int) -> tuple[TabularMDP, np.ndarray]:
    rng = np.random.default_rng(seed)
    S, A = int(rng.integers(2, 4)), int(rng.integers(1, 4))
    model = M.garnet(S=S, A=A, b=2, seed=seed)
    return model, np.bincount(rng.integers(0, S * A, size=6), minlength=S * A).reshape(S, A)


@pytest.mark.parametrize("seed", range(2))
def test_against_value_iteration(seed: int) -> None:
    model, b = small(seed)
    found = optimal_time(model, b)
    assert found.value == pytest.approx(by_value_iteration(model, b), rel=1e-9)


@pytest.mark.parametrize("seed", range(2))
def test_bounds_optimum_and_greedy_in_order(seed: int) -> None:
    model, b = small(seed)
    best = optimal_time(model, b).value
    assert lower_bound(model, b).value <= best * (1 + 1e-12)
    assert best <= greedy_time(model, b) * (1 + 1e-9)


def test_exact_and_double_agree() -> None:
    model, b = small(1)
    found, exact = optimal_time(model, b), optimal_time(model, b, exact=True)
    assert isinstance(exact.value, Fraction) and found.value == pytest.approx(float(exact.value), rel=1e-12)
    assert found.V == pytest.approx(exact.V.astype(float), rel=1e-12)


def play(found: Any, model: TabularMDP, rng: np.random.Generator) -> int:
    left, visits = found.requirement.pairs.copy(), found.requirement.states.copy()
    s, steps = int(rng.choice(model.S, p=model.mu0)), 0
    while left.any() or visits.any():
        a = found.action(s, left, visits)
        left[s, a] -= left[s, a] > 0
        visits[s] -= visits[s] > 0
        s, steps = int(rng.choice(model.S, p=model.dense()[s, a])), steps + 1
    return steps


def test_the_policy_takes_as_long_as_it_says() -> None:
    rng = np.random.default_rng(5)
    P = 0.9 * rng.dirichlet(np.full(3, 0.5), size=(3, 2)) + 0.1 / 3
    model = TabularMDP(P=P, r=np.zeros((3, 2)), mu0=[0.2, 0.3, 0.5])
    found = optimal_time(model, requirement(model, [[1, 0], [0, 1], [1, 0]], states=[0, 3, 0]))
    steps = np.array([play(found, model, rng) for _ in range(800)])
    assert abs(steps.mean() - found.value) < 4 * steps.std() / np.sqrt(steps.size)
    assert found.entries == ((0, 0), (1, 1), (2, 0), (1, None))


def test_visits_with_any_action() -> None:
    one = TabularMDP(P=np.ones((1, 2, 1)), r=np.zeros((1, 2)))
    assert optimal_time(one, requirement(one, states=[3])).value == 3
    assert optimal_time(one, [[1, 2]]).value == 3
    assert optimal_time(one, requirement(one, [[1, 2]], states=[3])).value == 3  # they overlap
    assert optimal_time(one, requirement(one, [[1, 2]], states=[5])).value == 5
    # any action: the cheapest split
    model = M.garnet(S=3, A=2, b=2, seed=0)
    free = optimal_time(model, requirement(model, states=[2, 0, 0])).value
    split = []
    for k in range(3):
        b = np.zeros((3, 2), dtype=int)
        b[0] = k, 2 - k
        split.append(optimal_time(model, b).value)
    assert 0 < free <= min(split) + 1e-12


def test_states_that_are_never_met() -> None:
    P = np.eye(3)[[[1, 0], [0, 1], [2, 0]]]  # 0 and 1; 2 is not entered, and may stay for ever
    model = TabularMDP(P=P, r=np.zeros((3, 2)))
    b = [[1, 1], [1, 0], [0, 0]]
    found = optimal_time(model, b)
    assert found.value == 3 and np.isnan(found.value_of(2)) and found.action(2) == -1
    assert optimal_time(model, b, exact=True).value_of(2) is None
    with pytest.raises(InputError, match=r"\(2, 0\) cannot be reached"):
        optimal_time(model, [[1, 1], [1, 0], [1, 0]])


def test_what_is_refused() -> None:
    with pytest.raises(InputError, match=rf"4 states times \d+ requirements left, \d+ values, more than {LARGEST}"):
        optimal_time(STAR, np.full((4, 3), 3))
    with pytest.raises(InputError, match="snap=10"):
        optimal_time(STAR, LEAVES, snap=10)
    with pytest.raises(InputError, match="negative"):
        optimal_time(STAR, -LEAVES)
    found = optimal_time(STAR, LEAVES)
    with pytest.raises(InputError, match=r"5 samples left of pair \(1, 0\); give 0 to 2"):
        found.value_of(0, LEAVES + np.eye(4, 3, dtype=int)[[1, 0, 1, 1]] * 3)
    assert optimal_time(STAR, LEAVES * 0).value == 0


@pytest.mark.long
def test_known_p_greedy_is_optimal_on_the_star_and_above_the_optimum_elsewhere() -> None:
    finished = run("known-p-greedy", STAR, steps=2_000, replicates=4_096, params={"b": LEAVES}).final["finished"]
    assert finished.min() > 0
    assert abs(finished.mean() - 44) < 4 * finished.std() / np.sqrt(finished.size)
    rng = np.random.default_rng(0)
    for _ in range(3):
        P = 0.8 * rng.dirichlet(np.full(3, 0.3), size=(3, 2)) + 0.2 / 3  # no state is far
        model, b = TabularMDP(P=P, r=np.zeros((3, 2))), rng.integers(0, 3, size=(3, 2))
        done = run("known-p-greedy", model, steps=400, replicates=4_096, params={"b": b}).final["finished"]
        error = 4 * done.std() / np.sqrt(done.size)
        assert done.min() > 0 and abs(done.mean() - greedy_time(model, b)) < error
        assert optimal_time(model, b).value <= done.mean() + error


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 15))
def test_more_models(seed: int) -> None:
    model, b = small(seed)
    best = optimal_time(model, b).value
    assert best == pytest.approx(by_value_iteration(model, b), rel=1e-9)
    assert lower_bound(model, b).value <= best * (1 + 1e-12) and best <= greedy_time(model, b) * (1 + 1e-9)


# Lemmas for all models

LEMMAS = ("star", "program", "hitting", "shrinking", "chain")


@pytest.mark.parametrize("name", LEMMAS)
def test_the_lemma_holds_and_its_false_twin_does_not(name: str) -> None:
    lemma, twin = getattr(lemmas, name), getattr(lemmas, f"false_{name}")
    for seed in range(2):
        rng = np.random.default_rng(seed)
        assert max(lemma(rng)[0] for _ in range(4)) <= 1e-9
        assert max(twin(rng)[0] for _ in range(8)) > 0.01


@pytest.mark.long
@pytest.mark.parametrize("name", LEMMAS)
def test_the_lemma_on_many_models(name: str) -> None:
    for seed in range(10, 20):
        rng = np.random.default_rng(seed)
        assert -0.1 < max(getattr(lemmas, name)(rng)[0] for _ in range(60)) <= 1e-9  # near equality, and not beyond
        assert max(getattr(lemmas, f"false_{name}")(rng)[0] for _ in range(30)) > 0.01


def test_the_chain_needs_the_diameter_of_its_own_goal() -> None:
    """0 -> g surely, g -> 0 with probability 1/10: B_star = D_g = T_star = 1, and D = 10 over all goals."""
    model = TabularMDP(P=[[[0, 1]], [[0.1, 0.9]]], r=np.zeros((2, 1)))
    v, steps = lemmas.optimal_costs(np.array([[[0.0]]]), np.ones((1, 1)))
    assert v.tolist() == steps.tolist() == [1.0]
    assert hitting_times(model).tolist() == [[0.0, 1.0], [pytest.approx(10.0), 0.0]]
