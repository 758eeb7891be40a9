"""Exact tabular LOOP: golden numbers of section 8 of the notes, identities, certificates, pitfalls as faults."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mdps
from mdps.loop.relaxations import box_bound
from mdps.loop.tabular import (
    Empirical,
    completion,
    dual_bound,
    empirical,
    excess,
    largest_gain,
    minimal_excess,
    minimal_excess_of,
    optimise,
    policies,
    policy_bounds,
    solve_policy,
)
from theorylab.errors import InputError

Floats = np.ndarray[Any, np.dtype[np.float64]]
Ints = np.ndarray[Any, np.dtype[np.int64]]


def riverswim4() -> Empirical:
    model = mdps.models.riverswim(states=4)
    return Empirical(model.dense(), np.tile([40.0, 200.0], (4, 1)), np.asarray(model.r))


def jao16() -> Empirical:
    P = np.array([[[0.65, 0.35], [0.75, 0.25]], [[0.25, 0.75], [0.25, 0.75]]])
    return Empirical(P, np.full((2, 2), 100.0), np.array([[0.0, 0.0], [1.0, 1.0]]))


def random_data(rng: np.random.Generator, S: int, A: int, largest: float = 3000.0) -> Empirical:
    """Counted transitions of a random model: multichain and with unvisited pairs now and then."""
    P = rng.dirichlet(np.full(S, rng.choice([0.05, 0.3, 1.0])), size=(S, A))
    n = np.exp(rng.uniform(0.0, np.log(largest), (S, A))).astype(int) - rng.integers(0, 2)
    moves = np.array([[rng.multinomial(n[s, a], P[s, a]) for a in range(A)] for s in range(S)])
    return empirical(moves, rng.random((S, A)) * (rng.random((S, A)) < 0.7))


def random_model(rng: np.random.Generator, S: int, A: int) -> Empirical:
    P = rng.dirichlet(np.full(S, 0.5), size=(S, A))
    return Empirical(P, np.exp(rng.uniform(np.log(10), np.log(1000), (S, A))), rng.random((S, A)))


# --- golden numbers of section 8
GOLDEN: list[tuple[float, float, float, list[int], list[float] | None]] = [
    (1.0, 4.0, 0.477644, [1, 1, 1, 1], [0, 0.79502, 2.25170, 3.67333]),
    (4.0, 4.0, 0.524203, [1, 1, 1, 1], [0, 0.87157, 2.45061, 3.87158]),
    (4.0, 3.4, 0.501399, [1, 1, 1, 1], [0, 0.76076, 2.07279, 3.4]),
    (16.0, 4.0, 0.637456, [0, 0, 0, 1], None),
]


@pytest.mark.parametrize(("beta", "span", "J", "pi", "V"), GOLDEN)
def test_riverswim(beta: float, span: float, J: float, pi: list[int], V: list[float] | None) -> None:
    e = riverswim4()
    f = optimise(e, beta, span)
    assert f.J == pytest.approx(J, abs=6e-7) and f.pi.tolist() == pi and f.policies == 16
    if V is not None:
        assert f.V - f.V.min() == pytest.approx(V, abs=6e-6)
    assert 0.0 <= f.bound - f.J < 1e-8
    assert np.abs(f.V).max() <= 0.5 * span + 1e-12 and f.V.max() == pytest.approx(-f.V.min(), abs=1e-12)
    assert f.excess == pytest.approx(beta, rel=1e-6) and f.excess <= beta * (1 + 1e-6)
    assert minimal_excess(e, f.V, f.J) == pytest.approx(beta, abs=1e-5)  # the constraint is active
    assert (f.Q.max(axis=1) == f.V).all() and (f.Q[np.arange(4), f.pi] == f.V).all()


def test_other_policies_of_riverswim_and_the_span() -> None:
    e = riverswim4()
    for pi, J in (([0, 0, 1, 1], 0.571404), ([0, 1, 1, 1], 0.536889), ([1, 1, 1, 1], 0.612842)):
        found = solve_policy(e, 16.0, 4.0, np.array(pi))
        assert found is not None and found[1] == pytest.approx(J, abs=6e-7)
    assert policy_bounds(e, 4.0, 3.4, np.array([[1, 1, 1, 1]])) == pytest.approx([0.524203], abs=6e-7)
    assert solve_policy(e, 4.0, 4.0, np.array([0, 1, 1, 1])) is None


@pytest.mark.parametrize(("beta", "span", "J"), [(1, 1.7, 0.655000), (4, 1.7, 0.726067), (4, 3, 0.726705)])
def test_two_states(beta: float, span: float, J: float) -> None:
    f = optimise(jao16(), beta, span)
    assert f.J == pytest.approx(J, abs=6e-7) and f.pi.tolist() == [0, 0]  # (0,1) does as well: the lowest index
    assert f.bound - f.J < 2e-8
    if (beta, span) == (4, 1.7):
        assert f.V == pytest.approx([-0.85, 0.85], abs=1e-8)
    if (beta, span) == (4, 3):
        found = solve_policy(jao16(), beta, span, np.array([1, 1]))
        assert found is not None and found[1] == pytest.approx(0.637940, abs=6e-7)


def test_bound_of_a_policy_in_closed_form() -> None:
    """The law of "right" from birth-death ratios: U = .431085 + sqrt(beta) ||mu|| / sqrt(200)."""
    e = riverswim4()
    law = np.cumprod([1.0, 0.6 / 0.05, 0.35 / 0.05, 0.35 / 0.4])
    law /= law.sum()
    for beta in (0.0, 1.0, 9.0):
        closed = law[3] + np.sqrt(beta / 200.0) * np.linalg.norm(law)
        found = policy_bounds(e, beta, 4.0, np.array([[1, 1, 1, 1]]))
        assert closed <= found[0] <= closed + 4 * 3e-8
    assert law[3] == pytest.approx(0.431085, abs=6e-7)


# --- identities and certificates
def test_excess_is_the_difference_of_the_losses() -> None:
    """L9: brute-force sums over the data, the inner minimum over all tables by their means."""
    rng = np.random.default_rng(0)
    for _ in range(5):
        S, A = 3, 2
        e, Q, J = random_data(rng, S, A, 30.0), rng.normal(size=(S, A)), float(rng.random())
        own = best = 0.0
        for s, a in np.ndindex(S, A):
            moves = np.repeat(np.arange(S), np.round(e.P_hat[s, a] * e.n[s, a]).astype(int))
            target = e.r[s, a] + Q.max(axis=1)[moves] - J
            own += ((Q[s, a] - target) ** 2).sum()
            best += ((target.mean() - target) ** 2).sum() if len(moves) else 0.0
        assert excess(e, Q, J) == pytest.approx(own - best, rel=1e-9, abs=1e-9)


def test_completion_is_the_cheapest() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        e, V, J = random_data(rng, 3, 2, 100.0), rng.normal(size=3), float(rng.random())
        costs = [minimal_excess_of(e, V, J, pi) for pi in np.array(list(np.ndindex(2, 2, 2)))]
        assert minimal_excess(e, V, J) == pytest.approx(min(costs), rel=1e-12)
        pi = rng.integers(0, 2, 3)
        Q = completion(e, V, J, pi)
        assert (Q.max(axis=1) == V).all()
        assert excess(e, Q, J) == pytest.approx(minimal_excess_of(e, V, J, pi), rel=1e-12)
        for _ in range(20):
            other = V[:, None] - rng.exponential(size=(3, 2))
            other[np.arange(3), pi] = V
            assert excess(e, other, J) >= minimal_excess_of(e, V, J, pi) * (1 - 1e-12)


def check_bounds(e: Empirical, beta: float, span: float, rng: np.random.Generator) -> int:
    """U and weak duality at any multipliers are above the gain of every policy, and `optimise` is their largest."""
    every = policies(e)
    found = [solve_policy(e, beta, span, pi) for pi in every]
    gains = [x[1] for x in found if x is not None]
    for pi, x, upper in zip(every, found, policy_bounds(e, beta, span, every), strict=True):
        if x is None:
            continue
        assert x[1] <= upper + 1e-8
        assert minimal_excess_of(e, *x, pi) <= beta * (1 + 1e-6) and np.ptp(x[0]) <= span * (1 + 1e-12)
        for scale in (0.1, 1.0, 30.0):
            m = scale * rng.normal(size=e.n.shape) * (e.n > 0)
            m[np.arange(e.S), pi] += e.n[np.arange(e.S), pi] > 0
            assert x[1] <= dual_bound(e, beta, span, 1.0, pi, m) + 1e-8
    if not gains:
        with pytest.raises(InputError, match="confidence set"):
            optimise(e, beta, span)
        return 0
    f = optimise(e, beta, span)
    assert f.J == pytest.approx(max(gains), abs=1e-6)
    assert max(gains) - 1e-8 <= f.bound <= f.J + 1e-6 * (1.0 + span)
    assert f.J == 1.0 or f.excess == pytest.approx(beta, rel=1e-6)
    return 1


def test_bounds_on_random_data() -> None:
    rng = np.random.default_rng(2)
    cases = [(random_data(rng, 3, 2), float(np.exp(rng.uniform(-4, 2))), float(rng.choice([0.3, 3]))) for _ in range(5)]
    assert any((e.n == 0).any() for e, *_ in cases)
    assert 3 <= sum(check_bounds(*case, rng) for case in cases) < 5  # some sets are empty


@pytest.mark.long
def test_bounds_on_more_random_data() -> None:
    rng = np.random.default_rng(3)
    for _ in range(250):
        e = random_data(rng, int(rng.integers(2, 5)), int(rng.integers(2, 4)), float(rng.choice([10, 1e3, 1e6])))
        check_bounds(e, float(np.exp(rng.uniform(np.log(0.01), np.log(100)))), float(rng.choice([0.3, 1, 3, 40])), rng)


def searched(e: Empirical, beta: float, start: Floats) -> float:
    """Derivative-free search over Q with J(Q) = mean + sqrt((beta - var) / n_tot), weighted by n [derived]."""
    from scipy.optimize import minimize

    def gain(q: Floats) -> float:
        Q = q.reshape(e.n.shape)
        x = e.r + e.P_hat @ Q.max(axis=1) - Q
        mean = (e.n * x).sum() / e.n.sum()
        left = beta - (e.n * (x - mean) ** 2).sum()
        return float(mean + np.sqrt(left / e.n.sum())) if left >= 0 else -1.0 + left

    q = start.ravel()
    for _ in range(6):
        found = minimize(
            lambda q: -gain(q), q, method="Nelder-Mead", options=dict(xatol=1e-10, fatol=1e-12, maxfev=4000)
        )
        q = found.x
    return gain(q)


@pytest.mark.long
def test_search_over_Q_reaches_the_same_value() -> None:
    rng = np.random.default_rng(4)
    for _ in range(6):
        e = random_model(rng, 2, 2)
        f = optimise(e, 0.5, 20.0)
        assert f.J < 1.0
        values = [searched(e, 0.5, rng.normal(size=(2, 2))) for _ in range(12)]
        assert max(values) == pytest.approx(f.J, abs=1e-5) and max(values) <= f.J + 1e-8


@pytest.mark.parametrize("k", [0.25, 3.0, 8.0])
def test_scale_of_the_rewards(k: float) -> None:
    """Pitfall 9: rewards k r need span k B and beta k^2 beta; beta k leaves another problem."""
    rng = np.random.default_rng(5)
    e = random_model(rng, 3, 2)
    f, scaled = optimise(e, 0.5, 1.0), Empirical(e.P_hat, e.n, k * e.r)
    g = optimise(scaled, k * k * 0.5, k * 1.0, cap=k)
    assert g.J == pytest.approx(k * f.J, rel=1e-8) and g.V == pytest.approx(k * f.V, rel=1e-5, abs=1e-6 * k)
    assert (f.pi == g.pi).all()
    wrong = optimise(scaled, k * 0.5, k * 1.0, cap=k)
    assert abs(wrong.J / k - f.J) > 1e-3


def test_gain_that_a_budget_affords() -> None:
    e = riverswim4()
    f = optimise(e, 4.0, 4.0)
    J = largest_gain(e, f.V, f.pi, 4.0, 1.0)
    assert J == pytest.approx(f.J, abs=1e-9)
    assert largest_gain(e, f.V, f.pi, 1e-3, 1.0) is None
    assert largest_gain(e, f.V, f.pi, 1e6, 1.0) == 1.0


def test_ties_and_the_choice_of_values() -> None:
    """Before there are data every V is a maximiser at the cap: 0 by the rule, and the lowest actions."""
    r = np.asarray(mdps.models.riverswim(states=4).r)
    f = optimise(empirical(np.zeros((4, 2, 4), int), r), 1.0, 4.0)
    assert f.J == 1.0 == f.bound and (f.V == 0).all() and (f.pi == 0).all() and f.excess == 0.0 and f.policies == 1
    moves = np.zeros((2, 2, 2), int)
    moves[0, 0, 0] = moves[0, 1, 0] = 40  # state 1 was never reached: its V is free above V(0)
    g = optimise(empirical(moves, np.array([[0.3, 0.3], [0.0, 0.0]])), 1.0, 2.0)
    assert g.pi.tolist() == [0, 0] and g.V == pytest.approx([0.0, 0.0], abs=1e-6)
    assert g.J == pytest.approx(0.3 + np.sqrt(1 / 40), abs=1e-7)


# --- pitfalls of section 9, each with the faulty variant
def written_out(
    e: Empirical, beta: float, span: float, *, sign: float = 1.0, others: bool = True, cap: float | None = 1.0
) -> float:
    """The largest over pi of the program of (b1), from the definitions; -infinite where there is none."""
    import cvxpy as cp

    V, J = cp.Variable(e.S), cp.Variable()
    best = -np.inf
    for pi in np.ndindex(*[e.A] * e.S):
        costs, limits = [], [cp.abs(V) <= span / 2] + ([] if cap is None else [J <= cap])
        for s, a in np.ndindex(e.S, e.A):
            c = e.r[s, a] + e.P_hat[s, a] @ V - sign * J
            root = np.sqrt(e.n[s, a])
            if a == pi[s]:
                costs.append(root * cp.abs(V[s] - c))
            elif others:
                costs.append(root * cp.pos(c - V[s]))
        problem = cp.Problem(cp.Maximize(J), [cp.norm(cp.hstack(costs)) <= np.sqrt(beta), *limits])
        problem.solve(solver=cp.CLARABEL)
        if problem.status == "unbounded":
            return float("inf")
        if problem.status == "optimal":
            best = max(best, float(problem.value))
    return best


def test_pitfall_1_sign_of_the_gain_in_the_residual() -> None:
    e = jao16()
    assert written_out(e, 4.0, 1.7) == pytest.approx(optimise(e, 4.0, 1.7).J, abs=1e-6)
    assert written_out(e, 4.0, 1.7, sign=-1.0) < 0.0  # minus the least gain: pessimism, not optimism


def test_pitfall_2_cost_of_the_other_actions() -> None:
    """Where the span binds, a policy may look better than the backup of an action that it does not play."""
    near, mid, far = [0.9, 0.05, 0.05], [0.05, 0.9, 0.05], [0.05, 0.05, 0.9]
    e = Empirical(
        np.array([[near, far], [near, far], [mid, far]]),
        np.array([[4.0, 100.0], [4.0, 100.0], [100.0, 1.0]]),
        np.array([[0.0, 0.0], [0.5, 0.5], [0.0, 0.0]]),
    )
    f = optimise(e, 0.2, 0.4)
    assert f.J == pytest.approx(written_out(e, 0.2, 0.4), abs=1e-6) and f.bound - f.J < 1e-7
    assert written_out(e, 0.2, 0.4, others=False) > f.J + 0.1
    P = np.array([[[0.0, 1.0], [0.0, 1.0]], [[1.0, 0.0], [0.0, 1.0]]])  # reward 1 at 0, which always leads to 1
    e = Empirical(P, np.array([[100.0, 4.0], [100.0, 100.0]]), np.array([[1.0, 0.0], [0.0, 0.0]]))
    with pytest.raises(InputError, match="is empty"):
        optimise(e, 0.2, 0.3)
    assert written_out(e, 0.2, 0.3, others=False) > 0.1


def test_pitfall_3_cap_of_the_gain() -> None:
    moves = np.zeros((2, 2, 2), int)
    moves[0, 0, 1] = 5
    e = empirical(moves, np.zeros((2, 2)))
    assert optimise(e, 1.0, 1.0).J == 1.0
    assert optimise(e, 1.0, 1.0, cap=1e3).J == 1e3
    assert written_out(e, 1.0, 1.0, cap=None) == np.inf


def test_pitfall_4_the_budget_is_shared() -> None:
    for beta, span, J, *_ in GOLDEN:
        assert box_bound(riverswim4(), beta, span) > J + 0.02


def test_pitfall_12_several_recurrent_classes() -> None:
    """Two states that are never left, rewards 0 and 1: one J for both. The law of uniform restarts promises more."""
    e = Empirical(np.eye(2)[:, None, :], np.full((2, 1), 16.0), np.array([[0.0], [1.0]]))
    with pytest.raises(InputError, match="is empty"):
        optimise(e, 1.0, 2.0)
    f = optimise(e, 16.0, 2.0)  # J^2 + (1 - J)^2 <= 1, so that J = 1, whatever U says
    g = optimise(e, 12.0, 2.0)  # J = (1 + sqrt(1/2)) / 2
    assert f.J == pytest.approx(1.0, abs=1e-6) and g.J == pytest.approx(0.5 + np.sqrt(0.125), abs=1e-7)
    mixture = 0.5 + np.sqrt(12.0 / 16.0) * np.sqrt(0.5)
    assert policy_bounds(e, 12.0, 2.0, np.zeros((1, 2), int)) == pytest.approx([np.sqrt(0.75)], abs=1e-6)
    assert g.J < np.sqrt(0.75) < mixture and g.bound - g.J < 1e-7


def test_pitfall_13_unvisited_pairs_weigh_nothing() -> None:
    rng = np.random.default_rng(6)
    e = random_model(rng, 3, 2)
    n = e.n.copy()
    n[1, 1] = 0.0
    unvisited, row = Empirical(e.P_hat, n, e.r), e.P_hat.copy()
    row[1, 1] = [0.0, 0.0, 1.0]
    f, g = optimise(unvisited, 0.5, 2.0), optimise(Empirical(row, n, e.r), 0.5, 2.0)
    assert f.J == pytest.approx(g.J, abs=1e-8) and f.pi[1] == g.pi[1] == 1  # the row there is irrelevant
    assert f.policies == 4
    best = max(x[1] for pi in np.ndindex(2, 2, 2) if (x := solve_policy(unvisited, 0.5, 2.0, np.array(pi))))
    assert f.J == pytest.approx(best, abs=1e-6)  # fixing the unvisited action loses nothing
    moves = np.zeros((2, 2, 2), int)  # one action never tried: n + 1 charges for it
    moves[0, 0, 0] = moves[1, 0, 1] = 400
    e = empirical(moves, np.full((2, 2), 0.1))
    assert optimise(e, 1.0, 2.0).J == 1.0
    assert optimise(Empirical(e.P_hat, 0.25 * (e.n + 1.0), e.r), 0.01, 2.0).J < 0.5


def alternated(e: Empirical, beta: float, span: float, pi: Ints) -> float:
    """The program of pi, then pi(s) the cheapest action at its V, and so on; -infinite where one has none."""
    for _ in range(50):
        found = solve_policy(e, beta, span, pi)
        if found is None:
            return -np.inf
        V, J = found
        cost = e.n * np.maximum(V[:, None] - (e.r + e.P_hat @ V - J), 0.0) ** 2
        own = cost[np.arange(e.S), pi]
        better = np.where(cost.min(axis=1) < own - 1e-9, cost.argmin(axis=1), pi)
        if (better == pi).all():
            return J
        pi = better
    raise AssertionError


def test_pitfall_16_alternating_gets_stuck() -> None:
    """The notes say that every start stays; some move on, but this one does not, and it is not the optimum."""
    e, beta, span = riverswim4(), 16.0, 4.0
    assert alternated(e, beta, span, np.array([1, 1, 1, 1])) == pytest.approx(0.612842, abs=6e-7)
    assert alternated(e, beta, span, np.array([0, 0, 1, 1])) == pytest.approx(0.637456, abs=6e-7)
    assert optimise(e, beta, span).J == pytest.approx(0.637456, abs=6e-7)


# --- bad input
def test_empty_sets_are_refused() -> None:
    with pytest.raises(InputError, match=r"confidence set is empty; span is below the range of the true V"):
        optimise(riverswim4(), 0.01, 3.4)  # the true range is 3.47507
    assert optimise(riverswim4(), 0.01, 3.48).J >= 0.431085


def test_too_many_policies_are_refused() -> None:
    e = Empirical(np.full((21, 2, 21), 1 / 21), np.ones((21, 2)), np.zeros((21, 2)))
    with pytest.raises(InputError, match=r"2097152 policies .* limit 1000000 .* mdps\.loop\.ascent\.ascend"):
        optimise(e, 1.0, 1.0)
    n = np.ones((21, 2))
    n[3:, 0] = 0.0
    assert len(policies(Empirical(e.P_hat, n, e.r))) == 8


def test_bad_input() -> None:
    e = jao16()
    P, n, r = e.P_hat, e.n, e.r
    for name, args in {
        r"P_hat has shape \(2, 2, 3\); give": (np.ones((2, 2, 3)) / 3, n, r),
        r"n has shape \(2, 1\); give \(2, 2\)": (P, n[:, :1], r),
        r"n\[0,1\]=-1; give visits": (P, n - [[0, 101], [0, 0]], r),
        r"r\[0,0\]=nan; give finite": (P, n, r * np.nan),
        r"P_hat.sum\(-1\)\[0,0\]=0.99; give rows": (P - [[[0.01, 0], [0, 0]], [[0, 0], [0, 0]]], n, r),
    }.items():
        with pytest.raises(InputError, match=name):
            Empirical(*args)
    with pytest.raises(InputError, match=r"moves has dtype float64; give whole numbers"):
        empirical(P, r)
    with pytest.raises(InputError, match=r"moves\[0,0,0\]=-1; give counts"):
        empirical(np.full((2, 2, 2), -1), r)
    for word, bad in (("beta=0.0", (0.0, 1.0)), ("span=-1.0", (1.0, -1.0)), ("cap=nan", (1.0, 1.0, np.nan))):
        with pytest.raises(InputError, match=f"{word}; give a positive number"):
            optimise(e, *bad)
    with pytest.raises(InputError, match=r"r\[1,0\]=1.5; a reward outside \[-cap, cap\], cap=1"):
        optimise(Empirical(P, n, 1.5 * r), 1.0, 3.0)
