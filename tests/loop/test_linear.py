"""Linear LOOP's program: identities against brute force, the tabular program, the three solvers, what is refused."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mdps.loop import linear, tabular
from mdps.loop.linear_ascent import ascent
from mdps.models.riverswim import build as riverswim
from proofs_check.papers._loop_linear_steps import endless
from theorylab.errors import InputError

Floats = np.ndarray


def data(
    seed: int, per_pair: float, S: int = 4, A: int = 3, d: int = 3, ridge: float = 0.0
) -> tuple[linear.Regression, Floats, Floats]:
    """Statistics, transitions counted and rewards of a random linear MDP."""
    model = endless(S, A, d, seed)
    rng = np.random.default_rng(seed)
    P = np.asarray(model.P)
    moves = np.array(
        [[rng.multinomial(rng.poisson(per_pair * (a + 0.2)), P[s, a]) for a in range(A)] for s in range(S)]
    )
    return linear.regression(model.phi, model.r, moves, ridge), moves, np.asarray(model.r)


def brute(e: linear.Regression, moves: Floats, r: Floats, omega: Floats, J: float) -> float:
    """Losses summed over samples: that of omega minus that of least squares, with the ridge on both sides."""
    V = (e.phi @ omega).max(axis=1)
    rows, targets = [], []
    for (s, a, s2), n in np.ndenumerate(moves):
        rows += [e.phi[s, a]] * int(n)
        targets += [r[s, a] + V[s2] - J] * int(n)
    d = len(omega)
    X = np.vstack([np.reshape(rows, (-1, d)), np.sqrt(e.ridge) * np.eye(d)])
    y = np.concatenate([targets, np.zeros(d)])
    g = np.linalg.lstsq(X, y, rcond=None)[0]
    return float(((X @ omega - y) ** 2).sum() - ((X @ g - y) ** 2).sum())


@pytest.mark.parametrize(("ridge", "per_pair"), list(itertools.product((0.0, 0.7), (0.3, 5.0))))
def test_excess_is_that_of_brute_force(ridge: float, per_pair: float) -> None:
    rng = np.random.default_rng(1)
    for seed in range(5):
        e, moves, r = data(seed, per_pair, ridge=ridge)
        omega, J = rng.normal(size=3) * 2, float(rng.random())
        slow = brute(e, moves, r, omega, J)
        assert linear.excess(e, omega, J) == pytest.approx(slow, abs=1e-9 * (1 + moves.sum()))


def test_kappa_absorbs_the_gain() -> None:
    """Without a ridge, shifts along kappa change nothing, and q is kappa where the data are; with one there "
    "is a bias."""
    e, _, _ = data(3, 5.0)
    omega = np.array([0.3, -1.0, 2.0])
    assert np.allclose(e.phi @ e.kappa, 1.0, atol=1e-12)
    assert linear.excess(e, omega + 1.7 * e.kappa, 0.4) == pytest.approx(linear.excess(e, omega, 0.4), rel=1e-10)
    b = linear.residual(e, omega) + 0.4 * e.kappa
    assert b @ e.Lam @ b == pytest.approx(linear.excess(e, omega, 0.4), rel=1e-10)
    ridged, _, _ = data(3, 5.0, ridge=0.5)
    assert abs(linear.excess(ridged, omega + 1.7 * e.kappa, 0.4) - linear.excess(ridged, omega, 0.4)) > 1e-3


def test_largest_gain_spends_the_budget() -> None:
    e, _, _ = data(2, 8.0)
    f = linear.exact(e, 2.0, 2.0, 10.0)
    for omega in (f.omega, f.omega + 0.01):
        J = float(linear.largest_gain(e, omega, 3.0))
        assert linear.excess(e, omega, J) == pytest.approx(3.0, rel=1e-9)
        assert linear.excess(e, omega, J - 1e-3) < 3.0 < linear.excess(e, omega, J + 1e-3)
    assert np.isnan(linear.largest_gain(e, np.array([50.0, -50.0, 0.0]), 1e-3))
    none, _, _ = data(2, 0.0)
    assert linear.largest_gain(none, f.omega, 1.0) == np.inf


GOLDEN = (
    (1.0, 4.0, 0.477644, "1111"),
    (4.0, 4.0, 0.524203, "1111"),
    (4.0, 3.4, 0.501399, "1111"),
    (16.0, 4.0, 0.637456, "0001"),
)


@pytest.mark.parametrize(("beta", "span", "J", "pi"), GOLDEN)
def test_one_hot_features_are_the_tabular_program(beta: float, span: float, J: float, pi: str) -> None:
    """The golden numbers of RiverSwim-4 with P_hat = P, 40 left and 200 right, and the tabular program."""
    model = riverswim(4)
    n = np.array([[40.0, 200.0]] * 4)
    e = linear.regression(np.eye(8).reshape(4, 2, 8), model.r, n[..., None] * model.P)
    f = linear.exact(e, beta, span, 40.0)
    table = tabular.optimise(tabular.Empirical(np.asarray(model.P), n, np.asarray(model.r)), beta, span)
    assert f.J == pytest.approx(J, abs=1e-6) and f.J == pytest.approx(table.J, abs=1e-6)
    assert "".join(map(str, f.pi)) == pi
    assert f.bound - f.J < 1e-6 and f.excess <= beta * (1 + 1e-6)
    assert np.abs(f.V).max() <= span / 2 * (1 + 1e-12)
    assert ascent(e, beta, span, 40.0).J > J - 2e-3


@pytest.mark.long
def test_one_hot_features_are_the_tabular_program_on_random_data() -> None:
    model = riverswim(4)
    rng = np.random.default_rng(5)
    phi = np.eye(8).reshape(4, 2, 8)
    worst, checked = 0.0, 0
    for _ in range(20):
        moves = np.array([[rng.multinomial(rng.integers(0, 60), model.P[s, a]) for a in range(2)] for s in range(4)])
        beta, span = float(rng.choice([0.5, 2.0, 8.0])), float(rng.choice([2.0, 4.0]))
        e, table = linear.regression(phi, model.r, moves), tabular.empirical(moves, model.r)
        try:
            gain = tabular.optimise(table, beta, span).J
        except InputError:
            with pytest.raises(InputError, match="looks empty"):
                linear.exact(e, beta, span, 60.0)
            continue
        worst, checked = max(worst, abs(linear.exact(e, beta, span, 60.0).J - gain)), checked + 1
    assert worst < 1e-6 and checked >= 10


def test_the_solvers_agree() -> None:
    """The certified bounds hold for each other, the grid is exact up to its mesh, the ascent is below the "
    "certified ones."""
    for seed, ridge in ((0, 0.0), (1, 0.0), (1, 1.0), (2, 0.0)):
        e, _, _ = data(seed, 20.0, ridge=ridge)
        f = linear.exact(e, 2.0, 1.5, 6.0)
        g = linear.grid(e, 2.0, 1.5, 6.0, mesh=4e-3)
        h = ascent(e, 2.0, 1.5, 6.0)
        assert f.bound - f.J < 1e-5
        assert g.J <= f.J + 1e-6 <= g.bound + 1e-5
        assert g.bound - g.J < 0.03 and g.mesh <= 4e-3 and "mesh" in g.label and f"{3 if ridge else 2} dim" in g.label
        assert f.J - 0.05 < h.J <= f.J + 1e-6 and h.bound == 1.0 and "heuristic" in h.label
        for x in (f, g, h):
            assert linear.excess(e, x.omega, x.J) <= 2.0 * (1 + 1e-6)
            assert np.abs(x.V).max() <= 0.75 * (1 + 1e-9) and np.linalg.norm(x.omega) <= 6.0 * (1 + 1e-9)
            assert (x.V == (e.phi @ x.omega).max(axis=1)).all()


def test_bounds_of_policies_hold_without_the_solver() -> None:
    """No omega that maximises at pi has a larger gain than the bound of pi; half of it is passed."""
    rng = np.random.default_rng(0)
    e, _, _ = data(1, 6.0)
    pis = linear.policies(e.phi)
    bound = dict(zip(map(tuple, pis), linear.policy_bounds(e, 2.0, 6.0, pis), strict=True))
    found = linear.exact(e, 2.0, 2.0, 6.0)
    passed = 0
    for _ in range(2000):
        omega = found.omega + 0.1 * rng.normal(size=3)
        J = float(linear.largest_gain(e, omega, 2.0))
        if np.isfinite(J) and np.linalg.norm(omega) <= 6.0:
            limit = bound[tuple((e.phi @ omega).argmax(axis=1))]
            assert limit >= J - 1e-9
            passed += J > 0.5 * limit
    assert passed > 20


def test_without_data_the_gain_is_the_cap() -> None:
    e, _, _ = data(0, 0.0)
    for f in (linear.exact(e, 1.0, 2.0, 5.0), linear.grid(e, 1.0, 2.0, 5.0), ascent(e, 1.0, 2.0, 5.0)):
        assert f.J == 1.0 and f.bound == 1.0 and f.excess == 0.0
    assert np.linalg.norm(linear.exact(e, 1.0, 2.0, 5.0).omega) < 1e-4  # of least norm


def test_features_without_the_constant_direction_are_refused() -> None:
    rng = np.random.default_rng(0)
    phi = rng.random((3, 2, 3))
    e = linear.regression(phi, np.zeros((3, 2)), np.ones((3, 2, 3)))
    for solver in (linear.exact, linear.grid, ascent):
        with pytest.raises(InputError, match=r"lacks the constant direction.*add a constant feature"):
            solver(e, 1.0, 1.0, 5.0)


@pytest.mark.parametrize(
    ("solver", "given", "word"),
    [
        (linear.exact, {"beta": 0.0}, "beta=0.0"),
        (linear.exact, {"span": -1.0}, "span=-1.0"),
        (linear.exact, {"norm": np.inf}, "norm=inf"),
        (linear.exact, {"limit": 5}, "exceed the limit 5.*grid"),
        (linear.exact, {"beta": 1e-9, "span": 1e-3}, "confidence set looks empty"),
        (linear.grid, {"beta": 1e-9, "span": 1e-3}, "no centre of a cell"),
        (ascent, {"beta": 1e-9, "span": 1e-3}, "none of 13 starts"),
    ],
)
def test_what_is_refused(solver: object, given: dict[str, float], word: str) -> None:
    e, _, _ = data(1, 5.0)
    with pytest.raises(InputError, match=word):
        solver(e, **{"beta": 1.0, "span": 1.0, "norm": 5.0, **given})  # type: ignore[operator]


def test_wrong_shapes_are_refused() -> None:
    with pytest.raises(InputError, match="shapes phi"):
        linear.regression(np.ones((2, 2, 1)), np.zeros((2, 3)), np.ones((2, 2, 2)))
    with pytest.raises(InputError, match=r"d=5 is above 4"):
        linear.grid(data(1, 5.0, d=5)[0], 1.0, 1.0, 5.0)
