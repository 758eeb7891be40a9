"""Linear records and families: exact embeddings, proved errors of products, refusals by entry, closed forms."""

from __future__ import annotations

import math
from dataclasses import replace
from fractions import Fraction
from itertools import product as all_of
from typing import Any

import numpy as np
import pytest

import mdps
from theorylab.errors import InputError
from theorylab.linear import LinearMDP, LinearMixtureMDP
from theorylab.model import AverageReward, Discounted, FiniteHorizon, RewardLaw, TabularMDP
from theorylab.plan import diameter, evaluate, gaps, plan

M = mdps.models

PHI = np.array([[[1.0, 0.0], [0.25, 0.75]], [[0.5, 0.5], [0.0, 1.0]], [[0.75, 0.25], [1.0, 0.0]]])
MU = np.array([[0.5, 0.5, 0.0], [0.0, 0.25, 0.75]])
THETA = np.array([1.0, 0.5])


def changed(x: np.ndarray, index: tuple[int, ...], value: float) -> np.ndarray:
    out = x.copy()
    out[index] = value
    return out


def exact_products(phi: np.ndarray, mu: np.ndarray) -> list[Fraction]:
    """sum_k phi[..,k] mu[k,..] over all pairs of rows of phi and columns of mu, in exact arithmetic."""
    rows = [[Fraction(x) for x in row] for row in phi.reshape(-1, phi.shape[-1]).tolist()]
    columns = [[Fraction(x) for x in column] for column in mu.T.tolist()]
    return [sum((x * y for x, y in zip(row, column, strict=True)), Fraction(0)) for row in rows for column in columns]


# --- records -------------------------------------------------------------------------------------------------------


def test_linear_embedding_by_hand() -> None:
    m = LinearMDP(PHI, MU, THETA)
    t = m.tabular()
    assert (m.S, m.A, m.d, m.setting) == (3, 2, 2, "average")
    # dyadic numbers: every product is exact
    assert t.P.tolist()[0] == [[0.5, 0.5, 0.0], [0.125, 0.3125, 0.5625]]
    assert t.P.tolist()[1] == [[0.25, 0.375, 0.375], [0.0, 0.25, 0.75]]
    assert t.r.tolist() == [[1.0, 0.625], [0.75, 0.5], [0.875, 1.0]]
    assert t.mu0.tolist() == m.mu0.tolist() == [1.0, 0.0, 0.0] and t.P is m.P and t.r is m.r
    assert isinstance(t, TabularMDP) and t.criterion == AverageReward() and t.reward_law == m.reward_law


def test_mixture_embedding_by_hand_and_value_features() -> None:
    base = np.array([[[[0.5, 1.0], [0.5, 0.0]]], [[[0.25, 0.0], [0.75, 1.0]]]])  # (2,1,2,2)
    m = LinearMixtureMDP(base, np.array([0.25, 0.75]), np.array([[0.5], [1.0]]))
    assert m.tabular().P.tolist() == [[[0.875, 0.125]], [[0.0625, 0.9375]]]
    V = np.array([2.0, -1.0])
    features = m.value_features(V)
    assert features.tolist() == [[[0.5, 2.0]], [[-0.25, -1.0]]]
    assert (features @ m.theta == m.P @ V).all()
    with pytest.raises(InputError, match=r"V has shape \(3,\); expected \(2,\)"):
        m.value_features([1.0, 2.0, 3.0])


def test_stages_of_measures_and_parameters() -> None:
    other = MU[::-1]
    m = LinearMDP(PHI, np.stack([MU, other]), THETA, criterion=FiniteHorizon(2))
    assert m.P.shape == (2, 3, 2, 3) and m.tabular().stage_dependent and m.H == 2
    assert (m.P[1] == LinearMDP(PHI, other, THETA).P).all()
    base = np.random.default_rng(0).dirichlet(np.ones(3), (2, 3, 2)).transpose(1, 2, 3, 0)
    theta = np.array([[0.5, 0.5], [1.0, 0.0], [0.25, 0.75]])
    mixture = LinearMixtureMDP(base, theta, np.zeros((3, 2)), criterion=FiniteHorizon(3))
    assert mixture.P.shape == (3, 3, 2, 3)
    assert np.abs(mixture.P - np.einsum("satd,hd->hsat", base, theta)).max() < 1e-15


def test_rewards_that_depend_on_the_stage_are_unrolled() -> None:
    theta = np.array([[1.0, 0.0], [0.0, 1.0], [0.25, 0.5]])
    mu0 = np.array([0.5, 0.25, 0.25])
    m = LinearMDP(PHI, np.stack([MU, MU[::-1], MU]), theta, mu0, FiniteHorizon(3))
    t = m.tabular()
    assert (t.S, t.A, t.H, t.sparse) == (9, 2, 3, True) and m.r.shape == (3, 3, 2)
    V = np.zeros(3)
    for h in (2, 1, 0):  # backward induction by hand
        V = (m.r[h] + m.P[h] @ V).max(axis=1)
    assert float(t.mu0 @ plan(t).V[0]) == pytest.approx(float(mu0 @ V), abs=1e-15)
    # against the policy that is greedy for a stationary reward, to see that every stage has its own
    assert float(t.mu0 @ evaluate(t, np.zeros(9, dtype=int)).V[0]) == pytest.approx(
        float(mu0 @ (m.r[0][:, 0] + m.P[0][:, 0] @ (m.r[1][:, 0] + m.P[1][:, 0] @ m.r[2][:, 0]))), abs=1e-15
    )


def test_arrays_are_private_and_read_only_and_replace_works() -> None:
    mine = PHI.copy()
    m = LinearMDP(mine, MU, THETA, name="x")
    mine[0, 0, 0] = 7.0
    assert m.phi[0, 0, 0] == 1.0
    for array in (m.phi, m.mu, m.theta, m.mu0, m.P, m.r):
        with pytest.raises(ValueError, match="read-only"):
            array[(0,) * array.ndim] = 1
    finite = replace(m, criterion=FiniteHorizon(4), mu0=np.full(3, 1 / 3), reward_law=RewardLaw("bernoulli"))
    assert finite.setting == "episodic" and finite.tabular().H == 4 and finite.digest != m.digest
    assert replace(m, criterion=Discounted(0.5)).setting == "discounted"
    with pytest.raises(InputError, match=r"P\[0,0,0\] is 0\.5 but phi\[s,a\] \. mu\[..,:,s2\] is 0\.0.*P=None"):
        replace(m, mu=MU[::-1])
    assert replace(m, mu=MU[::-1], P=None).P[0, 0].tolist() == [0.0, 0.25, 0.75]


def test_digest_follows_the_content() -> None:
    m = LinearMDP(PHI, MU, THETA)
    assert m.digest == LinearMDP(PHI.copy(), MU, THETA, name="other").digest and len(m.digest) == 64
    others = [
        LinearMDP(PHI, MU, THETA / 2),
        LinearMDP(PHI[:, ::-1], MU, THETA),
        LinearMDP(PHI[..., ::-1], MU[::-1], THETA[::-1]),  # the same tabular model
        replace(m, criterion=FiniteHorizon(2)),
        replace(m, reward_law=RewardLaw("bernoulli")),
    ]
    assert len({x.digest for x in [m, *others]}) == 6
    assert others[2].tabular().digest == m.tabular().digest


BAD: list[tuple[dict[str, Any], str]] = [
    ({"phi": changed(PHI, (0, 1, 1), 0.5)}, r"LinearMDP: P\[0,1,:\] sums to 0\.75.*\(P is phi @ mu.*exact P or r"),
    ({"mu": np.array([[1.5, -0.5, 0], [0, 1, 0.0]])}, r"LinearMDP: P\[0,0,1\] is -0\.5; probabilities must be >= 0"),
    ({"phi": changed(PHI, (2, 0, 1), np.nan)}, r"phi\[2,0,1\] is nan; features and parameters must be finite"),
    ({"theta": [3.0, 0.0]}, r"r\[0,0\] is 3\.0, outside the declared reward range.*r is phi @ theta"),
    ({"theta": [1.0, 0.0, 0.0]}, r"theta has shape \(3,\); expected \(2,\)"),
    ({"mu": MU.T}, r"mu has shape \(3, 2\); expected \(2, 3\)"),
    ({"mu": np.stack([MU, MU])}, r"mu has shape \(2, 2, 3\), stage-dependent, with criterion AverageReward"),
    ({"mu": np.stack([MU, MU]), "criterion": FiniteHorizon(3)}, r"expected \(2, 3\) or \(3, 2, 3\)"),
    ({"phi": PHI[0]}, r"phi has shape \(2, 2\); expected \(S, A, d\)"),
    ({"phi": PHI.astype(object)}, "phi has dtype object"),
    ({"P": np.zeros((3, 2))}, r"P has shape \(3, 2\); the factors give shape \(3, 2, 3\)"),
    ({"r": np.full((3, 2), 0.5)}, r"r\[0,0\] is 0\.5 but phi\[s,a\] \. theta is 1\.0, and rounding explains no more"),
    ({"criterion": "average"}, "criterion is 'average'"),
    ({"mu0": [1.0, 1.0, 0.0]}, "mu0 sums to 2.0"),
]


@pytest.mark.parametrize(("fields", "message"), BAD)
def test_bad_records_are_refused_by_entry(fields: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        LinearMDP(**({"phi": PHI, "mu": MU, "theta": THETA} | fields))


def test_bad_entries_of_later_stages_and_of_mixtures_are_named() -> None:
    bad = np.stack([MU, np.array([[1.0, 0.0, 0.0], [0.5, 0.75, -0.25]])])
    with pytest.raises(InputError, match=r"P\[1,0,1,2\] is -0\.1875"):
        LinearMDP(PHI, bad, THETA, criterion=FiniteHorizon(2))
    with pytest.raises(InputError, match=r"r\[1,0,0\] is 2\.0, outside"):
        LinearMDP(PHI, MU, [[1.0, 0.0], [2.0, 0.0]], criterion=FiniteHorizon(2))
    base = np.full((2, 1, 2, 2), 0.5)
    with pytest.raises(InputError, match=r"LinearMixtureMDP: P\[0,0,:\] sums to 1\.5"):
        LinearMixtureMDP(base, np.array([1.0, 0.5]), np.zeros((2, 1)))
    with pytest.raises(InputError, match=r"phi has shape \(2, 1, 3, 2\); expected \(S, A, S, d\), with as many"):
        LinearMixtureMDP(np.zeros((2, 1, 3, 2)), np.array([1.0, 0.5]), np.zeros((2, 1)))
    with pytest.raises(InputError, match=r"r has shape \(1, 2\); expected \(2, 1\)"):
        LinearMixtureMDP(base, np.array([0.5, 0.5]), np.zeros((1, 2)))


def test_a_rounding_below_zero_is_refused_and_mended_by_the_exact_kernel() -> None:
    # in exact arithmetic the second entry is 0.1 + 0.2 - 0.3 = 0; in float64 it is 5.6e-17 or its negative
    phi = np.array([[[0.1, 0.2, -0.3, 1.0]]])
    for sign in (1.0, -1.0):
        mu = np.array([[1.0, sign], [1.0, sign], [1.0, sign], [1.0, 0.0]])[:, :1]
        exact = LinearMDP(phi, mu, np.zeros(4), P=np.array([[[1.0]]]))
        assert exact.P[0, 0, 0] == 1.0 and exact.kernel_error < 1e-15
    two = np.array([[[-0.1, -0.2, 0.3, 1.0]], [[0.0, 0.0, 0.0, 1.0]]])
    mu = np.array([[0.0, 1.0], [0.0, 1.0], [0.0, 1.0], [1.0, 0.0]])
    with pytest.raises(InputError, match=r"P\[0,0,1\] is -5\.5.*e-17; probabilities must be >= 0.*give the exact P"):
        LinearMDP(two, mu, np.zeros(4))
    exact = LinearMDP(two, mu, np.zeros(4), P=np.array([[[1.0, 0.0]], [[1.0, 0.0]]]))
    assert exact.tabular().P[0, 0].tolist() == [1.0, 0.0] and 5e-17 < exact.kernel_error < 1e-15
    with pytest.raises(
        InputError, match=r"P\[0,0,0\] is 0\.99.* but phi.* is 1\.0, and rounding explains no more than"
    ):
        LinearMDP(two, mu, np.zeros(4), P=np.array([[[1.0 - 1e-13, 1e-13]], [[1.0, 0.0]]]))


def test_an_overflowing_product_is_no_excuse() -> None:
    with pytest.raises(InputError, match=r"P\[0,0,0\] is 1\.0 but .* is inf"), np.errstate(over="ignore"):
        LinearMDP([[[1e200]]], [[1e200]], [0.0], P=[[[1.0]]])  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(6))
def test_the_error_of_products_is_proved(seed: int) -> None:
    rng = np.random.default_rng(seed)
    d = 1 + 2 * seed
    phi, mu = rng.dirichlet(np.ones(d), (3, 2)), rng.dirichlet(np.ones(4)[:3], d)
    signed = np.concatenate([phi, -phi, phi], axis=-1)  # the same sums with cancellation
    twice = np.concatenate([mu, mu, mu])
    theta = rng.random(d)
    for m in (LinearMDP(phi, mu, theta), LinearMDP(signed, twice, np.concatenate([theta] * 3), P=phi @ mu)):
        off = max(abs(Fraction(p) - q) for p, q in zip(m.P.ravel().tolist(), exact_products(m.phi, m.mu), strict=True))
        assert off <= Fraction(m.kernel_error) and m.kernel_error < 1e-14
        rewards = exact_products(m.phi, m.theta[:, None])
        off = max(abs(Fraction(x) - q) for x, q in zip(m.r.ravel().tolist(), rewards, strict=True))
        assert off <= Fraction(m.reward_error)
    # a shifted kernel within the tolerance counts in the error
    shift = np.zeros((3, 2, 3))
    base = LinearMDP(phi, mu, theta)
    shift[0, 0, 0] = 8 * 2.0**-53 * base.P[0, 0, 0]
    moved = replace(base, P=base.P + shift)
    off = max(abs(Fraction(p) - q) for p, q in zip(moved.P.ravel().tolist(), exact_products(phi, mu), strict=True))
    assert Fraction(float(shift[0, 0, 0])) / 4 < off <= Fraction(moved.kernel_error)


def square(x: list[float]) -> Fraction:
    return sum((Fraction(v) ** 2 for v in x), Fraction(0))


@pytest.mark.parametrize("seed", range(5))
def test_norms_are_never_below_the_exact_ones(seed: int) -> None:
    rng = np.random.default_rng(seed)
    phi, mu, theta = rng.dirichlet(np.ones(4), (3, 2)), rng.dirichlet(np.ones(3), 4), rng.random(4)
    m = LinearMDP(phi, mu, theta)
    total = [sum((Fraction(v) for v in row), Fraction(0)) for row in mu.tolist()]
    for value, exact in (
        (m.feature_norm, max(square(row) for row in phi.reshape(-1, 4).tolist())),
        (m.measure_norm, sum((t * t for t in total), Fraction(0))),
        (m.parameter_norm, square(theta.tolist())),
    ):
        assert exact <= Fraction(value) ** 2 <= exact * (1 + Fraction(1, 10**13))
    base = rng.normal(size=(2, 2, 2, 3)) / 10
    base[..., 0] = rng.dirichlet(np.ones(2), (2, 2))
    mixture = LinearMixtureMDP(base, np.array([1.0, 0.0, 0.0]), np.zeros((2, 2)))
    corners = [mixture.value_features(V) for V in all_of((0.0, 1.0), repeat=2)]
    attained = max(float(np.linalg.norm(c, axis=-1).max()) for c in corners)
    assert attained <= mixture.value_feature_norm <= attained * math.sqrt(3)


# --- families ------------------------------------------------------------------------------------------------------


def start_value(m: Any) -> float:
    t = m.tabular()
    return float(t.mu0 @ plan(t).V[0])


def smallest_gap(m: Any) -> float:
    g = gaps(m.tabular())
    return float(g[g > 1e-9].min())


@pytest.mark.parametrize(("d", "horizon", "K"), [(2, 2, 1), (4, 10, 48), (6, 3, 200), (9, 40, 1000)])
def test_hypercube_closed_forms(d: int, horizon: int, K: int) -> None:
    good = 2 ** (d - 1) // 3
    m = M.mixture_hypercube(d=d, horizon=horizon, K=K, good=good)
    Delta = math.sqrt((1 / 6) / K) / (4 * math.sqrt(2))
    p = 1 / 6 + (d - 1) * Delta
    assert (m.S, m.A, m.d, m.H) == (3, 2 ** (d - 1), d, horizon)
    assert start_value(m) == pytest.approx(p * (horizon - 1) / horizon, abs=1e-14)
    assert smallest_gap(m) == pytest.approx(2 * Delta / horizon, abs=1e-13)
    assert plan(m.tabular()).pi[0, 0] == good
    assert m.parameter_norm == pytest.approx(1 + Delta * (d - 1), rel=1e-13)
    assert m.value_feature_norm == pytest.approx(1, rel=1e-13)
    assert m.kernel_error < 1e-14
    # the worst-case error of planning with k wrong signs: 2 Delta k, on the probabilities
    wrong = good ^ 1
    assert m.P[0, good, 2] - m.P[0, wrong, 2] == pytest.approx(2 * Delta, abs=1e-15)


def test_hypercube_of_2021_and_refusals() -> None:
    m = M.mixture_hypercube(variant="zhang2021", d=5, c=0.2, horizon=4, good=3)
    p = 0.5 + 0.2 * 4 / (math.sqrt(2) * 5)
    assert start_value(m) == pytest.approx(p * 3 / 4, abs=1e-14) and plan(m.tabular()).pi[0, 0] == 3
    assert m.parameter_norm == pytest.approx(math.sqrt(2 + 0.04 * 4 / 5), rel=1e-13) and m.value_feature_norm <= 1
    # the largest c leaves probabilities 0 and 1 within rounding
    edge = M.mixture_hypercube(variant="zhang2021", d=2, c=1.414213562)
    assert edge.P[0].min() >= 0 and edge.P[0].max() == pytest.approx(1)
    with pytest.raises(InputError, match=r"K is 4; probabilities need K >= 3 \(d-1\)\^2/16, that is K >= 5"):
        M.mixture_hypercube(d=6, K=4)
    M.mixture_hypercube(d=6, K=5)
    with pytest.raises(InputError, match=r"c is 1\.5"):
        M.mixture_hypercube(variant="zhang2021", d=3, c=1.5)
    with pytest.raises(InputError, match="unknown variant 'zhang'; nearest: zhang20"):
        M.mixture_hypercube(variant="zhang")
    with pytest.raises(InputError, match=r"good is 8; give an integer in 0\.\.7"):
        M.mixture_hypercube(good=8)


@pytest.mark.parametrize(("d", "delta", "good"), [(2, 0.2, 0), (3, 0.05, 2), (5, 0.3, 7)])
def test_two_state_closed_forms(d: int, delta: float, good: int) -> None:
    m = M.mixture_two_state(d=d, delta=delta, good=good)
    t, Delta = m.tabular(), delta / 3
    p = plan(t)
    assert p.gain == pytest.approx((delta + Delta) / (2 * delta + Delta), abs=1e-13)
    assert p.bias is not None and np.ptp(p.bias) == pytest.approx(1 / (2 * delta + Delta), rel=1e-12)
    assert diameter(t) == pytest.approx(1 / delta, rel=1e-12) and p.pi[0] == good
    assert smallest_gap(m) == pytest.approx(2 * Delta / (d - 1) / (2 * delta + Delta), rel=1e-10)
    assert m.parameter_norm == pytest.approx(1 + Delta, rel=1e-13) and m.kernel_error < 1e-15


def test_two_state_scalings() -> None:
    d, delta, T = 4, 0.2, 100000
    first = M.mixture_two_state(d=d, delta=delta, scaling="d", T=T)
    D = math.sqrt(2 * math.log(2) / 5) / 45 * d / math.sqrt(T / delta)
    assert first.P[0, -1, 1] == pytest.approx(delta + D, abs=1e-15) and 1e-7 < D < delta / 3
    second = M.mixture_two_state(d=d, delta=delta, scaling="d-1", T=T, constant=1 / 5)
    D = (d - 1) / (5 * math.sqrt(2 * T * math.log(2) / (5 * delta)))
    assert second.P[0, -1, 1] == pytest.approx(delta + D, abs=1e-15)
    cases: list[tuple[dict[str, Any], str]] = [
        ({"scaling": "d-1", "T": 79, "constant": 0.5}, r"T is 79; the scaling d-1 needs T >= 16 .* = 80"),
        ({"scaling": "d-1", "T": 80, "constant": 0.5}, r"Delta is .*at most delta/3.*larger T or a smaller constant"),
        ({"scaling": "d", "T": 1, "constant": 0.5}, r"Delta is .*at most delta/3"),
        ({"scaling": "d"}, "T is None; give an integer >= 1"),
        ({"T": 5}, "T is 5 with scaling 'fixed'"),
        ({"scaling": "d", "T": 10**6, "Delta": 0.1}, "Delta is 0.1 with scaling 'd', which sets it"),
        ({"Delta": 0.1}, r"Delta is 0\.1; it must be at most delta/3 = 0\.0666.*smaller Delta"),
        ({"scaling": "t"}, "unknown scaling 't'"),
        ({"delta": 0.8}, r"delta is 0\.8; give a number in \(0, 0\.75\]"),
    ]
    for params, message in cases:
        with pytest.raises(InputError, match=message):
            M.mixture_two_state(**params)


@pytest.mark.parametrize("name", ["linear_chain", "mixture_chain"])
@pytest.mark.parametrize(("d", "horizon", "K"), [(2, 2, 1), (3, 5, 200), (4, 8, 36)])
def test_chain_closed_forms(name: str, d: int, horizon: int, K: int) -> None:
    good = [h % 2 ** (d - 1) for h in range(horizon)]
    m = getattr(M, name)(d=d, horizon=horizon, K=K, good=good)
    Delta = math.sqrt((1 / horizon) / K) / (4 * math.sqrt(2))
    p = 1 / horizon + (d - 1) * Delta
    value = sum((1 - p) ** (h - 1) * p * (horizon - h) for h in range(1, horizon + 1))
    assert start_value(m) == pytest.approx(value, abs=1e-13)
    assert smallest_gap(m) == pytest.approx(2 * Delta, abs=1e-12)
    pi = plan(m.tabular()).pi
    # a start in x_1 visits x_(h+1) at stage h; the last stage has nothing at stake
    assert [int(pi[h, h]) for h in range(horizon - 1)] == good[:-1]
    assert m.kernel_error < 1e-14
    if name == "linear_chain":
        assert m.d == d + 1 and m.feature_norm == pytest.approx(1, rel=1e-13)
        assert (
            m.measure_norm == pytest.approx(math.sqrt(2 + Delta * (d - 1)), rel=1e-13) and m.parameter_norm < 1 + 1e-14
        )
    else:
        assert m.theta.shape == (horizon, d) and m.parameter_norm == pytest.approx(1 + Delta * (d - 1), rel=1e-13)
        assert m.value_feature_norm == pytest.approx(1, rel=1e-13)


def test_both_chains_are_one_model_along_trajectories() -> None:
    params: dict[str, Any] = dict(d=3, horizon=4, K=50, good=[0, 3, 1, 2])
    a, b = M.linear_chain(**params), M.mixture_chain(**params)
    for h in range(4):
        assert np.abs(a.P[h, h] - b.P[h, h]).max() < 1e-15
    assert start_value(a) == pytest.approx(start_value(b), abs=1e-14)
    with pytest.raises(InputError, match=r"K is 1; probabilities need K >= \(d-1\)\^2 H/32, that is K >= 2"):
        M.linear_chain(d=4, horizon=6, K=1)
    with pytest.raises(InputError, match="good has 3 entries; give one action, or 4, one a stage"):
        M.mixture_chain(d=3, horizon=4, good=[0, 1, 2])
    with pytest.raises(InputError, match=r"horizon is 1; give an integer >= 2"):
        M.mixture_chain(horizon=1)


def test_simplex_linear() -> None:
    m = M.simplex_linear(S=12, A=3, d=4, horizon=6, b=2, seed=3)
    assert m.phi.shape == (12, 3, 4) and m.mu.shape == (6, 4, 12) and m.P.shape == (6, 12, 3, 12)
    assert (m.phi >= 0).all() and np.abs(m.phi.sum(axis=-1) - 1).max() < 1e-15
    assert ((m.mu > 0).sum(axis=-1) == 2).all() and (m.theta == 0).sum() == 2
    anchors = m.phi.reshape(-1, 4)[(m.phi == 1).any(axis=-1).ravel()]
    assert sorted(anchors.argmax(axis=1).tolist()) == [0, 1, 2, 3]
    assert m.feature_norm < 1 + 1e-13 and m.measure_norm == pytest.approx(2) and m.parameter_norm <= 2
    # low rank: the rows of a stage span d dimensions, so that completeness holds exactly
    assert np.linalg.matrix_rank(m.P[0].reshape(36, 12)) == 4
    same = M.simplex_linear(S=12, A=3, d=4, horizon=6, b=2, seed=3)
    assert m.digest == same.digest != M.simplex_linear(S=12, A=3, d=4, horizon=6, b=2, seed=4).digest
    assert M.simplex_linear(stationary=True).P.shape == (20, 5, 20)
    with pytest.raises(InputError, match=r"d is 7; there are 6 pairs"):
        M.simplex_linear(S=3, A=2, d=7, b=2)


def test_mixture_random_and_its_lazy_dilation() -> None:
    params: dict[str, Any] = dict(S=6, A=2, d=3, b=4, seed=1)
    m = M.mixture_random(**params)
    assert m.value_feature_norm == pytest.approx(1, rel=1e-13) and m.parameter_norm <= math.sqrt(3)
    assert m.theta.sum() == pytest.approx(math.sqrt(3), abs=1e-14) and m.r.max() * m.H <= 1
    one = replace(m, criterion=AverageReward()).tabular()
    for n in (2, 8):
        lazy = M.mixture_random(dilation=n, **params)
        assert lazy.H == n * m.H and (lazy.theta == m.theta).all()
        expected = m.P / n
        expected[np.arange(6), :, np.arange(6)] += 1 - 1 / n
        assert np.abs(lazy.P - expected).max() < 1e-15
        t = replace(lazy, criterion=AverageReward()).tabular()
        p, q = plan(one), plan(t)
        assert q.gain == pytest.approx(p.gain / n, rel=1e-9)  # type: ignore[operator]
        assert np.ptp(q.bias) == pytest.approx(np.ptp(p.bias), rel=1e-9)  # type: ignore[arg-type]
        assert diameter(t) == pytest.approx(n * diameter(one), rel=1e-9)
    assert M.mixture_random(**params).digest == m.digest != M.mixture_random(**(params | {"seed": 2})).digest


GOLDEN = {
    ("simplex_linear", 0): "d7c3bf4191a7114e",
    ("mixture_random", 0): "2c107db3fea2675c",
}


@pytest.mark.parametrize(("name", "seed"), GOLDEN)
def test_a_seed_names_one_model(name: str, seed: int) -> None:
    assert getattr(M, name)(seed=seed).digest[:16] == GOLDEN[name, seed]


@pytest.mark.parametrize("form", ["linear", "mixture"])
def test_one_hot_returns_the_very_model(form: str) -> None:
    for model in (M.riverswim(states=4), M.riverswim(states=3, criterion=FiniteHorizon(5)), M.pgarnet()):
        if form == "mixture" and model.S == 10:
            continue
        m = M.one_hot(model=model, form=form)
        assert m.tabular().digest == model.digest and m.kernel_error < 1e-15
    stages = np.random.default_rng(0).dirichlet(np.ones(3), (4, 3, 2))
    dependent = TabularMDP(stages, np.full((3, 2), 0.5), criterion=FiniteHorizon(4))
    m = M.one_hot(model=dependent, form=form)
    assert m.tabular().digest == dependent.digest
    if form == "linear":
        assert m.d == 6 and m.feature_norm < 1 + 1e-14
    else:
        assert m.d == 18 and m.value_feature_norm == pytest.approx(1, rel=1e-14)


def test_one_hot_by_name_and_refusals() -> None:
    assert M.one_hot(model="two-state").tabular().digest == M.two_state().digest
    assert M.one_hot(horizon=7).H == 7
    with pytest.raises(InputError, match="model is a Bandit; give a TabularMDP"):
        M.one_hot(model="bernoulli")
    with pytest.raises(InputError, match="unknown model 'riverswin'"):
        M.one_hot(model="riverswin")
    with pytest.raises(InputError, match=r"mixture features of riverswim-osband-100.*form='linear'"):
        M.one_hot(model=M.riverswim(states=100), form="mixture")
    with pytest.raises(InputError, match="unknown form 'tabular'"):
        M.one_hot(form="tabular")


def test_common_parameters_of_families_reach_the_records() -> None:
    m = M.simplex_linear(start="uniform", rewards="bernoulli")
    assert m.mu0.tolist() == [1 / 20] * 20 and m.reward_law.kind == "bernoulli" and m.name.endswith("uniform-bernoulli")
    noisy = M.mixture_two_state(horizon=6, noise=0.5)
    assert noisy.tabular().H == 6 and noisy.reward_law.sd == 0.5


LINEAR = ["linear_chain", "mixture_chain", "mixture_hypercube", "mixture_lock", "mixture_two_state"]


@pytest.mark.parametrize("name", LINEAR)
def test_published_numbers(name: str) -> None:
    family = getattr(M, name)
    assert family.published
    for published in family.published:
        m = family.instance(published.name)()
        assert m.digest.startswith(published.digest) and len(published.digest) == 16
        t = m.tabular()
        p = plan(t)
        found = {"gap": smallest_gap(m)}
        if t.setting == "average":
            found |= {"gain": p.gain, "bias_span": float(np.ptp(p.bias)), "diameter": diameter(t)}  # type: ignore[arg-type]
        else:
            found["value"] = float(t.mu0 @ p.V[0])
        for key, digits in published.known.items():
            unit = 10.0 ** -len(digits.partition(".")[2])
            assert abs(found[key] - float(digits)) <= 1.0000001 * unit


def test_lock() -> None:
    ok = [0, 1, 1, 0, 1]
    m = M.mixture_lock(N=5, ok=ok)
    t = m.tabular()
    p = plan(t)
    assert (m.S, m.A, m.H, m.d) == (11, 2, 8, 4) and m.value_feature_norm <= 1
    assert start_value(m) == pytest.approx(0.495, abs=1e-14) and smallest_gap(m) == pytest.approx(0.025, abs=1e-13)
    assert [int(p.pi[h, h]) for h in range(5)] == ok and p.pi[5, 8] == 1
    assert (
        np.abs(m.P[5, 0, 6:8] - [0.62, 0.38]).max() < 1e-15 and np.abs(m.P[8, 1, 9:11] - [0.495, 0.505]).max() < 1e-15
    )
    # the known moves stay laws for every pair of weights on the simplices
    for first, second in ((0.0, 1.0), (0.3, 0.9)):
        theta = 2 * np.array([first, 1 - first, second, 1 - second])
        assert replace(m, theta=theta, P=None).P.shape == (11, 2, 11)
    # playing at random: 2^-N for the first try, more only after resets
    reach = np.zeros(11)
    reach[8] = 1.0
    for _ in range(m.H - 1):
        reach = np.where(np.arange(11) == 8, 1.0, m.P.mean(axis=1) @ reach)
    assert 2.0**-5 <= reach[0] < 2.0 ** (1 - 5)
    with pytest.raises(InputError, match="ok has 2 entries; give 5"):
        M.mixture_lock(N=5, ok=[0, 1])
    with pytest.raises(InputError, match=r"ok\[1\] is 2; give an integer in 0\.\.1"):
        M.mixture_lock(N=2, ok=[0, 2])
