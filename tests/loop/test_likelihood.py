"""The upper bound of MLE-LOOP on all kernels: above every member, attained where it must be, wrong when weakened."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import mdps
from mdps.loop.likelihood import dual, kl_bound, likelihood_gap
from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.plan import plan


def data(rng: np.random.Generator, S: int, A: int) -> tuple[np.ndarray, np.ndarray]:
    P = rng.dirichlet(np.ones(S), size=(S, A))
    n = rng.integers(1, 60, size=(S, A))
    moves = np.array([[rng.multinomial(n[s, a], P[s, a]) for a in range(A)] for s in range(S)])
    return moves, rng.uniform(size=(S, A))


def gain(P: np.ndarray, r: np.ndarray) -> float:
    found = plan(TabularMDP(P=P, r=r)).gain
    return float(np.max(found))


def test_members_gain_no_more() -> None:
    rng, close = np.random.default_rng(0), 0.0
    for _ in range(3):
        moves, r = data(rng, 3, 2)
        n = moves.sum(axis=-1, keepdims=True)
        for weight in (0.02, 0.3):
            target = np.eye(3)[np.full((3, 2), int(rng.integers(3)))]
            P = (1 - weight) * moves / n + weight * (0.9 * target + 0.1 / 3)
            beta = likelihood_gap(moves, P)
            bound = kl_bound(moves, r, beta)
            assert gain(P, r) <= bound + 1e-9
            close = max(close, gain(P, r) - kl_bound(moves, r, 0.0))
    assert close > 1e-3  # without its budget the bound fails


def test_no_budget_is_the_empirical_gain_and_no_data_the_cap() -> None:
    moves, r = data(np.random.default_rng(1), 3, 2)
    moves = moves + 1
    assert kl_bound(moves, r, 0.0) == pytest.approx(gain(moves / moves.sum(axis=-1, keepdims=True), r), abs=1e-6)
    assert kl_bound(np.zeros((3, 2, 3), dtype=int), r, 1.0) == pytest.approx(r.max(), abs=1e-6)


def test_one_row_attains_the_dual() -> None:
    """Two successors: max p u over the interval where KL(q | p) <= radius, by bisection on p."""
    q, radius, u = 0.3, 0.05, np.array([0.0, 2.0])
    low, high = q, 1.0
    for _ in range(80):
        p = 0.5 * (low + high)
        inside = q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p)) <= radius
        low, high = (p, high) if inside else (low, p)
    P_hat = np.broadcast_to(np.array([1 - q, q]), (2, 1, 2))
    assert dual(P_hat, u, np.full((2, 1), radius))[0, 0] == pytest.approx(2.0 * low, abs=1e-9)
    # mass that is only believed in: the best state was never seen
    seen = np.broadcast_to(np.array([1.0, 0.0]), (2, 1, 2))
    assert dual(seen, u, np.full((2, 1), radius))[0, 0] == pytest.approx(2.0 * (1 - np.exp(-radius)), abs=1e-9)


def test_the_bound_falls_with_data() -> None:
    model = mdps.models.riverswim(states=4)
    P, r = model.dense(), np.array(model.r)
    bounds = [kl_bound(np.rint(P * n).astype(int), r, 3.0 * np.log(100.0)) for n in (100, 1_000, 100_000)]
    assert bounds[0] > bounds[1] > bounds[2] > gain(P, r) - 1e-9
    assert bounds[2] == pytest.approx(gain(P, r), abs=0.05)


def test_bad_input_is_named() -> None:
    moves, r = data(np.random.default_rng(2), 2, 2)
    with pytest.raises(InputError, match="beta=-1"):
        kl_bound(moves, r, -1.0)
    with pytest.raises(InputError, match="shape"):
        likelihood_gap(moves, replace(mdps.models.jao(), name="x").dense()[:1])
