"""The transcriptions of EULER and MVP against closed forms, numbers computed by hand and brute force."""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.reference.euler import EULER, variance
from tests.reference.mvp import C1, C2, C3, MVP


def test_variance_is_the_second_central_moment() -> None:
    rng = np.random.default_rng(0)
    for _ in range(20):
        p, v = rng.dirichlet(np.ones(5)), rng.random(5)
        assert variance(p, v) == pytest.approx(p @ (v - p @ v) ** 2, abs=1e-14)
        assert variance(p, v) == pytest.approx(p @ v**2 - (p @ v) ** 2, abs=1e-14)


def fed(S: int, A: int, H: int, K: int, delta: float, outcomes: list[tuple[float, int]]) -> EULER:
    """EULER with the same outcomes at (0, 0) of every stage."""
    agent = EULER(S, A, H, K, delta)
    for h in range(H):
        for r, y in outcomes:
            agent.learn(h, 0, 0, r, y)
    agent.plan()
    return agent


def test_euler_constants() -> None:
    # S=6, A=2, H=20, K=1000, delta=.05: l = ln(4 * 12 * 20000 * 140) = ln(134400000)
    agent = EULER(6, 2, 20, 1000, 0.05)
    assert agent.l == pytest.approx(18.71633, abs=5e-6)
    assert agent.J == pytest.approx(20 * agent.l / 3)
    assert agent.B_p == pytest.approx(20 * agent.B_v) and agent.B_v == pytest.approx(math.sqrt(2 * agent.l))


def test_euler_at_the_last_stage_is_a_reward_bound() -> None:
    # one stage: phi(0) = H l / (3 (n-1)), no norm; 6000 rewards, half of them 1, variance 1/4
    agent = fed(1, 1, 1, 6000, 0.5, [(1.0, 0), (0.0, 0)] * 3000)
    l, n = agent.l, 6000  # noqa: E741
    bonus = math.sqrt(0.5 * l / n) + (7 * l + l) / (3 * (n - 1)) + (4 * l / 3 + math.sqrt(2 * l)) / n
    assert agent.V_up[0, 0] == pytest.approx(0.5 + bonus, rel=1e-12)
    assert agent.V_low[0, 0] == pytest.approx(0.5 - bonus, rel=1e-12)


def test_euler_on_a_deterministic_chain_has_no_root_term() -> None:
    """With sure rewards and next states n times the bonus tends to (7 + 5 H) l / 3 + H sqrt(2 l), and n V_low grows."""
    H, K = 3, 4000
    for n in (2000, 4000):
        agent = fed(1, 1, H, K, 0.5, [(0.5, 0)] * n)
        order = (7 + 5 * H) / 3 * agent.l + H * math.sqrt(2 * agent.l)
        for h in range(H):
            ahead = agent.V_up[h + 1, 0] - agent.V_low[h + 1, 0]
            norm = math.sqrt(2 * agent.l) * ahead / math.sqrt(n)
            bonus = agent.V_up[h, 0] - 0.5 - agent.V_up[h + 1, 0] - norm
            assert n * bonus == pytest.approx(order, rel=1e-3)


def test_euler_at_one_visit_divides_by_one() -> None:
    agent = fed(2, 1, 1, 10, 0.9, [(1.0, 1)])
    assert np.isfinite(agent.V_up).all() and agent.V_up[0, 0] == 1.0 and agent.V_low[0, 0] == 0.0
    r, b_r, law, n = agent.parts(0, 0, 0)
    assert (r, n) == (1.0, 1) and b_r == pytest.approx(7 * agent.l / 3) and law.tolist() == [0.0, 1.0]


def test_euler_pools_stages_if_told() -> None:
    agent = EULER(2, 1, 3, 5, 0.1, pooled=True)
    for h in range(3):
        agent.learn(h, 0, 0, 1.0, 1)
    assert agent.parts(2, 0, 0)[3] == 3


def test_mvp_constants() -> None:
    assert (C1, C2, C3) == pytest.approx((51.1111111, 2.8284271, 60.4444444), abs=1e-6)
    # the reward needs 28/3 and the kernel 20/3 + 400/9, by which c1 and c3 are made
    assert C3 == pytest.approx(C1 + 28 / 3) and pytest.approx(20 / 3 + 400 / 9) == C1
    # S=6, A=2, H=20, K=1000, delta=.05: 15 powers of two up to 20000
    agent = MVP(6, 2, 20, 1000, 0.05)
    assert agent.iota == pytest.approx(math.log(2 * 6 * 2 * 20 * 15 / 0.05)) == pytest.approx(11.8776, abs=5e-5)


def test_mvp_updates_at_powers_of_two_alone() -> None:
    agent = MVP(1, 1, 1, 64, 0.1)
    seen = []
    for k in range(64):
        agent.learn(0, 0, float(k), 0)
        if agent.triggered:
            seen.append(k + 1)
            first = (k + 1) // 2  # the latest half: rewards first .. k
            assert agent.r_hat[0, 0] == pytest.approx(np.mean(range(first, k + 1)))
        agent.episode_ends()
    assert seen == [1, 2, 4, 8, 16, 32, 64] and agent.plans == 7


def test_mvp_values_stay_at_the_cap_until_the_bonus_is_below_one() -> None:
    agent = MVP(1, 1, 1, 4096, 0.1)
    below = None
    for _ in range(4096):
        agent.learn(0, 0, 0.0, 0)
        agent.episode_ends()
        if below is None and agent.V[0, 0] < 1.0:
            below = int(agent.n[0, 0])
    # rewards of zero: b = c3 iota / n < 1 from the first power of two above c3 iota
    assert below == 2 ** math.ceil(math.log2(C3 * agent.iota))
    assert agent.V[0, 0] == pytest.approx(C3 * agent.iota / 4096)
