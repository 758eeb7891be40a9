"""Planners on a CUDA device through `plan(..., xp=cupy)`: the NumPy values within both certificates."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from theorylab.model import AverageReward, Criterion, Discounted, FiniteHorizon, TabularMDP
from theorylab.plan import plan
from theorylab.plan.record import Plan

pytestmark = pytest.mark.gpu


@pytest.fixture(scope="module")
def cupy() -> Any:
    return pytest.importorskip("cupy")


def model(criterion: Criterion, S: int = 60, A: int = 4, b: int = 8, seed: int = 0) -> TabularMDP:
    """Random rows with b successors, dense; state s+1 stays reachable from s, so that it communicates."""
    rng = np.random.default_rng(seed)
    P = np.zeros((S, A, S))
    for s in range(S):
        for a in range(A):
            successors = np.append(rng.choice(S, size=b - 1, replace=False), (s + 1) % S)
            np.add.at(P[s, a], successors, rng.integers(1, 9, size=b))
    P /= P.sum(axis=-1, keepdims=True)
    return TabularMDP(P=P, r=rng.random((S, A)), criterion=criterion)


def as_csr(m: TabularMDP) -> TabularMDP:
    return replace(m, P=csr_array(m.P.reshape(-1, m.S)))


def arrays_are_numpy(p: Plan) -> bool:
    return all(type(x) is np.ndarray for x in (p.V, p.Q, p.pi))


@pytest.mark.parametrize("gamma", [0.0, 0.9, 0.999])
@pytest.mark.parametrize("method", ["auto", "value-iteration", "modified-policy-iteration"])
@pytest.mark.parametrize("sparse", [False, True])
def test_discounted(cupy: Any, sparse: bool, method: str, gamma: float) -> None:
    m = model(Discounted(gamma))
    m = as_csr(m) if sparse else m
    exact = plan(m, method="policy-iteration")
    p = plan(m, method=method, xp=cupy)
    assert arrays_are_numpy(p)
    scale = max(1.0, float(np.abs(exact.V).max()))
    assert np.abs(p.V - exact.V).max() <= p.certified_error + exact.certified_error <= 3e-10 * scale
    assert p.pi.tolist() == exact.pi.tolist()
    np.testing.assert_allclose(p.Q, exact.Q, rtol=0, atol=3e-10 * scale)


def test_a_large_sparse_model(cupy: Any) -> None:
    rng = np.random.default_rng(1)
    S, A, b = 200_000, 3, 5
    weights = rng.random((S * A, b))
    weights /= weights.sum(axis=1, keepdims=True)
    starts = np.arange(0, S * A * b + 1, b, dtype=np.int32)
    P = csr_array((weights.ravel(), rng.integers(0, S, S * A * b, dtype=np.int32), starts), shape=(S * A, S))
    m = TabularMDP(P=P, r=rng.random((S, A)), criterion=Discounted(0.99))
    here, there = plan(m), plan(m, xp=cupy)
    assert np.abs(here.V - there.V).max() <= here.certified_error + there.certified_error < 1e-6
    assert np.mean(here.pi == there.pi) > 0.9999


@pytest.mark.parametrize("sparse", [False, True])
def test_backward_induction(cupy: Any, sparse: bool) -> None:
    m = model(FiniteHorizon(15))
    m = as_csr(m) if sparse else m
    here, there = plan(m), plan(m, xp=cupy)
    assert arrays_are_numpy(there)
    assert np.abs(here.V - there.V).max() <= here.certified_error + there.certified_error < 1e-11
    assert here.pi.tolist() == there.pi.tolist()


def test_stage_dependent_backward_induction(cupy: Any) -> None:
    m = model(FiniteHorizon(6), S=20)
    P = np.stack([np.roll(m.P, h, axis=2) for h in range(6)])
    m = replace(m, P=P)
    here, there = plan(m), plan(m, xp=cupy)
    assert np.abs(here.V - there.V).max() <= here.certified_error + there.certified_error < 1e-11


@pytest.mark.parametrize("sparse", [False, True])
def test_average_reward(cupy: Any, sparse: bool) -> None:
    m = model(AverageReward())
    m = as_csr(m) if sparse else m
    here = plan(m)
    there = plan(m, method="relative-value-iteration", xp=cupy)
    assert arrays_are_numpy(there)
    assert here.gain is not None and there.gain is not None
    assert abs(here.gain - there.gain) <= here.certified_error + there.certified_error < 1e-8
    assert here.pi.tolist() == there.pi.tolist()
