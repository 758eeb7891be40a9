"""The transcription of GOSPRL against the golden numbers of the notes, a linear solve, and shortest paths by hand."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from mdps.models.riverswim import family as riverswim
from theorylab.plan import hitting_times

from .gosprl import GOSPRL, radius


@pytest.mark.parametrize(("family", "value"), [("AME", 1.04142), ("ROS", 3.57556), ("L1", 2.07698)])
def test_golden_radii(family: str, value: float) -> None:
    assert radius(family, 0.35, 100, S=6, A=2, delta=0.05) == pytest.approx(value, abs=5e-6)


@pytest.mark.parametrize(
    ("family", "below", "n"), [("AME", 0.35, 438), ("ROS", 0.35, 2208), ("AME", 0.1, 2934), ("ROS", 0.1, 15832)]
)
def test_golden_number_of_visits_until_the_radius_is_small(family: str, below: float, n: int) -> None:
    assert radius(family, 0.35, n, S=6, A=2, delta=0.05) < below <= radius(family, 0.35, n - 1, S=6, A=2, delta=0.05)


def drive(learner: GOSPRL, P: np.ndarray, steps: int, seed: int = 0) -> list[tuple[int, int, int]]:
    """Steps (s, a, s2) from state 0 until the sample is complete."""
    rng, s, path = np.random.default_rng(seed), 0, []
    for _ in range(steps):
        if learner.finished is not None:
            break
        a = learner.act(s)
        s2 = int(rng.choice(P.shape[2], p=P[s, a]))
        learner.learn(s, a, s2)
        path.append((s, a, s2))
        s = s2
    return path


def test_the_plan_is_certified_in_its_own_model() -> None:
    # v <= V* <= V^pi <= v / (1 - eps), with V* by brute force over all policies of the optimistic model
    model = riverswim(states=4)
    learner = GOSPRL(np.full((4, 2), 8), alpha=0.1)
    starts, plans = learner.start_attempt, 0

    def checked() -> None:
        nonlocal plans
        starts()
        plans += 1
        rest = [s for s in range(4) if s not in learner.goals]
        values = []
        for choice in itertools.product(range(2), repeat=len(rest)):
            Q = np.array([learner.plow[s, a][rest] for s, a in zip(rest, choice, strict=True)])
            values.append(np.linalg.solve(np.eye(len(rest)) - Q, np.ones(len(rest))))
        best = np.min(values, axis=0)
        Q = np.array([learner.plow[s, learner.policy[s]][rest] for s in rest])
        own = np.linalg.solve(np.eye(len(rest)) - Q, np.ones(len(rest)))
        v, eps = learner.v[rest], float(np.max(np.abs(learner.v_next - learner.v)))
        assert eps <= 1.0 / (2.0 * max(1, learner.t)) < 1.0
        assert np.all(v <= best + 1e-12) and np.all(best <= own + 1e-12) and np.all(own <= v / (1 - eps) + 1e-12)

    learner.start_attempt = checked  # type: ignore[method-assign]
    path = drive(learner, model.P, 5000)
    assert learner.finished == len(path) == learner.t and plans == learner.attempts > 5
    assert np.all(learner.N >= 8) and learner.N.sum() == learner.t


def test_with_the_kernel_its_values_are_the_hitting_times() -> None:
    model = riverswim(states=6)
    b = np.zeros((6, 2), dtype=np.int64)
    b[5] = 1
    learner = GOSPRL(b, kernel=model.P, floor=1e-12)
    learner.t = 10**12
    learner.U, learner.N = learner.N, learner.N
    learner.start_attempt()
    assert learner.v == pytest.approx(hitting_times(model)[:, 5], abs=1e-6)


def test_a_graph_without_chance_is_walked_by_shortest_paths() -> None:
    # alpha = 0 and every pair seen: the values are the numbers of arcs to the open states
    P = np.zeros((5, 2, 5))
    for s in range(5):
        P[s, 0, max(s - 1, 0)] = P[s, 1, min(s + 1, 4)] = 1.0
    b = np.ones((5, 2), dtype=np.int64)
    learner = GOSPRL(b, alpha=0.0)
    drive(learner, P, 200)
    assert learner.finished is not None
    b[4] = 3
    learner.b, learner.finished, learner.travelling = b, None, False
    learner.U, learner.goals = learner.N.copy(), learner.open_states()
    learner.start_attempt()
    assert learner.goals == {4} and learner.v.tolist() == [4.0, 3.0, 2.0, 1.0, 0.0]
    assert learner.policy[:4].tolist() == [1, 1, 1, 1]


@pytest.mark.parametrize(("alpha", "shut"), [(1.0, False), (0.1, False), (0.0, True)])
def test_only_without_a_radius_is_an_unlucky_exit_believed_shut(alpha: float, shut: bool) -> None:
    # a star whose centre (every try of each way came back) leads nowhere but by the radius
    learner = GOSPRL(np.ones((3, 2), dtype=np.int64), alpha=alpha)
    for a in range(2):
        learner.learn(0, a, 0)
    assert learner.goals == {1, 2}
    if shut:
        learner.model[0, :, 0] = learner.C[0, :, 0] / learner.N[0]
        assert np.all(learner.backup(np.full(3, 7.0))[0] == 8.0)  # both ways cost a step and lead back: v is infinite
        return
    for _ in range(1000):
        learner.learn(0, learner.act(0), 0)
    assert learner.C[0, :, 0].min() > 200  # both ways are tried for ever


def test_nothing_to_collect_is_complete_at_once() -> None:
    learner = GOSPRL(np.zeros((3, 2), dtype=np.int64))
    assert learner.finished == 0 and learner.act(1) == 0
