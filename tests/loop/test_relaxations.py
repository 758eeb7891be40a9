"""Certificates of tabular LOOP: golden numbers, validity, order of tightness, LOOP-box, periodic models."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mdps
from mdps.loop import relaxations
from mdps.loop.relaxations import box_bonus, box_bound, lifted_bound, loop_box, u_bound
from mdps.loop.tabular import Empirical, empirical, excess, optimise, policies, policy_bounds
from theorylab.errors import InputError


def riverswim4() -> Empirical:
    model = mdps.models.riverswim(states=4)
    return Empirical(model.dense(), np.tile([40.0, 200.0], (4, 1)), np.asarray(model.r))


def random_model(rng: np.random.Generator, S: int, A: int, width: float = 2.0) -> Empirical:
    P = rng.dirichlet(np.full(S, 0.5), size=(S, A))
    return Empirical(P, 100.0 * 10.0 ** rng.uniform(-width / 2, width / 2, (S, A)), rng.random((S, A)))


@pytest.mark.parametrize(
    ("beta", "span", "J"), [(1, 4, 0.501796), (4, 4, 0.572506), (4, 3.4, 0.563194), (16, 4, 0.713928)]
)
def test_box_of_riverswim(beta: float, span: float, J: float) -> None:
    e = riverswim4()
    f = loop_box(e, beta, span)
    assert J - 6e-7 <= f.J <= f.bound <= J + 2e-6 and box_bound(e, beta, span) == f.bound
    assert np.ptp(f.V) <= span + 1e-12 and f.V.max() == pytest.approx(-f.V.min(), abs=1e-12)
    assert (f.Q.max(axis=1) == f.V).all() and (f.Q[np.arange(4), f.pi] == f.V).all()
    assert f.excess == excess(e, f.Q, f.J) > beta  # not in LOOP's set
    b = f.Q + f.J - e.r - e.P_hat @ f.V
    assert (b <= box_bonus(e, beta, span, 1.0) + 1e-6 * (1 + span)).all()


def valid(e: Empirical, beta: float, span: float) -> tuple[float, float, float]:
    """Gaps of box, u-bound and lifted bound over the exact optimum; none may be negative."""
    J = optimise(e, beta, span).J
    gaps = box_bound(e, beta, span) - J, u_bound(e, beta) - J, lifted_bound(e, beta) - J
    assert min(gaps) >= -1e-8
    return gaps


def test_bounds_hold_and_order_of_tightness() -> None:
    """S=4, A=2 as in the notes: lifted <= u-bound, and mostly u-bound <= box."""
    rng = np.random.default_rng(0)
    gaps = np.array([valid(random_model(rng, 4, 2), 0.5, 20.0) for _ in range(2)])
    box, u, lifted = np.median(gaps, axis=0)
    assert lifted < 2e-3 < u < box and (gaps[:, 2] <= gaps[:, 1] + 1e-7).all()


@pytest.mark.long
def test_bounds_hold_on_more_data() -> None:
    rng, sets = np.random.default_rng(1), 0
    for _ in range(120):
        S, A = int(rng.integers(2, 5)), int(rng.integers(2, 4))
        P = rng.dirichlet(np.full(S, rng.choice([0.05, 0.3, 1.0])), size=(S, A))
        n = np.exp(rng.uniform(0.0, rng.choice([3.0, 12.0]), (S, A))).astype(int)
        moves = np.array([[rng.multinomial(n[s, a], P[s, a]) for a in range(A)] for s in range(S)])
        e = empirical(moves, rng.random((S, A)))
        try:
            valid(e, float(np.exp(rng.uniform(-4, 1))), float(rng.choice([0.3, 1.0, 10.0])))
            sets += 1
        except InputError:
            continue  # empty
    assert sets >= 80


def test_u_bound_is_above_every_policy() -> None:
    rng = np.random.default_rng(2)
    e = random_model(rng, 3, 2)
    largest = np.zeros((3, 2))  # the largest mass of each pair, by enumeration: vertices of the polytope
    for pi in policies(e):
        P = e.of(pi)[0]
        law = np.linalg.solve(np.vstack([(P.T - np.eye(3))[:-1], np.ones(3)]), [0.0, 0.0, 1.0])
        largest[np.arange(3), pi] = np.maximum(largest[np.arange(3), pi], law)
    for s, a in np.ndindex(3, 2):
        one = np.zeros((3, 2))
        one[s, a] = 1.0
        value, mu = relaxations._largest_mean(e, one)
        assert value == pytest.approx(largest[s, a], abs=1e-8) and mu.sum() == pytest.approx(1.0)
    assert u_bound(e, 0.5) >= policy_bounds(e, 0.5, 0.0, policies(e)).max() - 1e-9


def test_certificates_do_not_trust_the_solver(monkeypatch: Any) -> None:
    """Any multipliers give a bound: those of another problem too, only a looser one."""
    rng = np.random.default_rng(3)
    e = random_model(rng, 3, 2)
    J, best = optimise(e, 0.5, 20.0).J, lifted_bound(e, 0.5)
    dual = relaxations._lifted_dual
    for scale in (0.0, 0.5, 3.0, -1.0):
        monkeypatch.setattr(relaxations, "_lifted_dual", lambda Z, r, w, W, *more, k=scale: dual(Z, r, w, k * W, *more))
        assert lifted_bound(e, 0.5) > max(J, best) + 1e-6


def test_periodic_models_need_the_lazy_iteration(monkeypatch: Any) -> None:
    """Pitfall 14: a cycle of three states. Plain iteration turns round for ever, and its bound stays far off."""
    P = np.roll(np.eye(3), 1, axis=1)[:, None, :].repeat(2, axis=1)
    e = Empirical(P, np.full((3, 2), 1e4), np.array([[0.0, 0.0], [0.0, 0.0], [1.0, 0.9]]))
    f = loop_box(e, 1.0, 2.0)
    assert f.J == pytest.approx(1 / 3 + 0.01, abs=1e-6) and f.bound - f.J < 1e-6
    assert policy_bounds(e, 1.0, 2.0, np.zeros((1, 3), int)) == pytest.approx([1 / 3 + 0.01 / np.sqrt(3)], abs=1e-6)
    assert optimise(e, 1.0, 2.0).J == pytest.approx(1 / 3 + 0.01 / np.sqrt(3), abs=1e-6)
    monkeypatch.setattr(relaxations, "LAZY", 1.0)
    g = loop_box(e, 1.0, 2.0, sweeps=2000)
    assert g.bound - g.J > 0.3


def test_unvisited_pairs_and_size() -> None:
    moves = np.zeros((3, 2, 3), int)
    moves[0, 0, 1] = 7
    e = empirical(moves, np.full((3, 2), 0.2))
    assert u_bound(e, 1.0) == lifted_bound(e, 1.0) == 1.0
    f = loop_box(e, 1.0, 2.0)
    assert f.bound == 1.0 == f.J and f.V.max() <= 1.0
    big = Empirical(np.full((21, 2, 21), 1 / 21), np.ones((21, 2)), np.zeros((21, 2)))
    with pytest.raises(InputError, match=r"S A=42 pairs are more than 40 of the lifted bound; use u_bound"):
        lifted_bound(big, 1.0)
