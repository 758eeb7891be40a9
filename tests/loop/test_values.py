"""Finite classes of value functions: the truth solves its equation, completed classes are complete, others are not."""

from __future__ import annotations

import itertools
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import mdps
from mdps.learners.loop_values import excesses
from mdps.loop.values import bellman_updates, completed, incompleteness, perturbed, truth
from theorylab.errors import InputError

JAO = mdps.models.jao(delta=0.25, epsilon=0.1)
MODELS = [JAO, mdps.models.riverswim(states=4), mdps.models.three_state(q=0.1)]


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_the_truth_solves_its_equation(model: Any) -> None:
    Q, J = truth(model)
    V, P = Q.max(axis=1), model.dense()
    for s, a in itertools.product(range(model.S), range(model.A)):
        ahead = sum(P[s, a, s2] * V[s2] for s2 in range(model.S))
        assert J + Q[s, a] == pytest.approx(model.r[s, a] + ahead, abs=1e-9)
    assert V.max() == pytest.approx(-V.min(), abs=1e-9)


def test_the_truth_of_the_notes() -> None:
    """Section 6: jao16 has gain .583333 and span 1.666667, RiverSwim-4 .43108504 and 3.47507."""
    for model, gain, span in ((JAO, 0.583333, 1.666667), (MODELS[1], 0.43108504, 3.47507)):
        Q, J = truth(model)
        assert pytest.approx(gain, abs=1e-6) == J and np.ptp(Q.max(axis=1)) == pytest.approx(span, abs=1e-5)


def test_models_without_a_single_gain_are_refused() -> None:
    for model in (mdps.models.riverswim(states=3, horizon=3),):
        with pytest.raises(InputError, match="has no single optimal gain"):
            truth(model)


def test_bellman_updates_by_hand() -> None:
    rng = np.random.default_rng(0)
    V, gains = rng.normal(size=(2, JAO.S)), rng.normal(size=2)
    found, P = bellman_updates(JAO, V, gains), JAO.dense()
    for m, s, a in itertools.product(range(2), range(JAO.S), range(JAO.A)):
        by_hand = JAO.r[s, a] + sum(P[s, a, t] * V[m, t] for t in range(JAO.S)) - gains[m]
        assert found[m, s, a] == pytest.approx(by_hand, abs=1e-12)


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_completed_classes_are_complete(model: Any) -> None:
    values, gains = perturbed(model, 5, spread=0.4, seed=3)
    whole = completed(model, values, gains)
    assert whole.shape == (10, model.S, model.A) and np.array_equal(whole[:5], values)
    assert incompleteness(model, values, gains, whole) == 0.0
    # the class alone is not: each neighbour's Bellman update is missing, the truth's is the truth
    assert incompleteness(model, values, gains, values) > 0.1
    assert incompleteness(model, values[:1], gains[:1], values) < 1e-9


def test_perturbed_classes() -> None:
    values, gains = perturbed(JAO, 6, spread=0.4, seed=3)
    Q, J = truth(JAO)
    assert np.allclose(values[0], Q, atol=1e-12) and gains[0] == J
    V = values.max(axis=2)
    assert np.allclose(V.max(axis=1), -V.min(axis=1)) and (gains[1:] > J).all() and (gains <= 1.0).all()
    moved = values - Q
    assert np.ptp(moved.reshape(6, -1), axis=1).max() <= 0.8 and np.ptp(moved[1:].reshape(5, -1), axis=1).min() > 0.0
    assert all(
        np.array_equal(x, y) for x, y in zip(perturbed(JAO, 6, spread=0.4, seed=3), (values, gains), strict=True)
    )
    assert not np.array_equal(perturbed(JAO, 6, spread=0.4, seed=4)[0], values)


@pytest.mark.parametrize("wrong", [dict(M=0, spread=1.0), dict(M=2, spread=0.0), dict(M=2, spread=float("nan"))])
def test_perturbed_refuses(wrong: dict[str, Any]) -> None:
    with pytest.raises(InputError, match=r"M=\d and spread="):
        perturbed(JAO, **wrong)


def losses(values: np.ndarray, gains: np.ndarray, auxiliary: np.ndarray, n: float) -> np.ndarray:
    """Excesses where every pair has n visits with exactly the true frequencies."""
    p = SimpleNamespace(
        flat=values.reshape(len(values), -1), gains=gains, V_m=values.max(axis=2), auxiliary=auxiliary,
        K=len(auxiliary), r=np.array(JAO.r),
    )  # fmt: skip
    return np.asarray(excesses(np.full(4, n), JAO.dense().reshape(4, 2), p, np.arange(len(values)), np))


def test_an_incomplete_class_hides_errors() -> None:
    """Pitfall 15. On data without noise the excess of a hypothesis is n sum E^2 where the class is complete, so that
    neighbours are told from the truth; without their updates it is less, and negative where g = Q_f is missing too."""
    values, gains = perturbed(JAO, 4, spread=0.4, seed=3)
    errors = values - bellman_updates(JAO, values.max(axis=2), gains)
    exact = 100.0 * (errors**2).sum(axis=(1, 2))
    complete = losses(values, gains, completed(JAO, values, gains), 100.0)
    assert np.allclose(complete, exact, atol=1e-9) and complete[0] < 1e-9 and complete[1:].min() > 1.0
    without = losses(values, gains, values, 100.0)
    assert (without <= complete + 1e-9).all() and without[1:].min() < 0.5 * complete[1:].min()
    # tables far from all targets: no loss is as large as theirs
    assert losses(values, gains, values[:1] + 5.0, 100.0)[0] < -1.0


def test_a_class_of_updates_that_misses_the_truth_drops_it() -> None:
    """G with a table that fits noise better than the truth, and a truth that is left out of it: F1 needs finite K only,
    but the truth leaves the set where beta is below what is won by the fit."""
    Q, J = truth(JAO)
    p = SimpleNamespace(
        flat=Q.reshape(1, -1), gains=np.array([J]), V_m=Q.max(axis=1)[None], K=1, r=np.array(JAO.r), auxiliary=Q[None]
    )
    P_hat = JAO.dense().reshape(4, 2).copy()
    P_hat[:, 0] += 0.1
    P_hat[:, 1] -= 0.1
    n = np.full(4, 50.0)
    assert excesses(n, P_hat, p, np.arange(1), np)[0] == pytest.approx(0.0, abs=1e-12)
    fit = np.array(JAO.r) + (P_hat @ Q.max(axis=1)).reshape(2, 2) - J
    p.auxiliary, p.K = fit[None], 1
    by_hand = 50.0 * ((Q - fit) ** 2).sum()
    assert excesses(n, P_hat, p, np.arange(1), np)[0] == pytest.approx(by_hand, rel=1e-12) and by_hand > 1.0
