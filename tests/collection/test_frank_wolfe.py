"""FW-MODEST: the program against all policies, lengths of episodes, refusals, errors below those of uniform play."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from mdps.collection.errors import model_errors
from mdps.collection.frank_wolfe import avoidable_state, episode_end, frank_wolfe, plan
from theorylab.errors import InputError
from theorylab.registry import find_model
from theorylab.run import run

WHEEL, RIVER = find_model("wheel")(states=3), find_model("riverswim")(states=3)


def test_episodes_have_the_printed_lengths() -> None:
    ends = [episode_end(k) for k in range(6)]
    assert [b - a for a, b in itertools.pairwise(ends)] == [3 * k * k - 3 * k + 1 for k in range(1, 6)]


def by_policies(moves: np.ndarray, steps: int, P: np.ndarray) -> float:
    """The largest linear gain of an occupancy of P: that of the best deterministic policy (irreducible here)."""
    S, A = moves.shape[:2]
    gain, best = gradient(moves, steps), -np.inf
    for pi in itertools.product(range(A), repeat=S):
        rows = P[np.arange(S), list(pi)]
        system = np.vstack([rows.T - np.eye(S), np.ones(S)])
        mu = np.linalg.lstsq(system, np.append(np.zeros(S), 1.0), rcond=None)[0]
        best = max(best, float(mu @ gain[np.arange(S), list(pi)]))
    return best


def gradient(moves: np.ndarray, steps: int, delta: float = 0.1) -> np.ndarray:
    """-dF/dlam / n by differences of F at the frequencies."""
    S, A = moves.shape[:2]
    out = np.zeros((S, A))
    total = max(1, int(moves.sum()))
    for s, a in np.ndindex(S, A):
        T = max(1, int(moves[s, a].sum()))
        x = moves[s, a] / T
        l2 = math.log(4 * S**2 * A * T**2 / delta)
        V = sum(math.sqrt(y * (1 - y)) + math.sqrt(2 * l2 / T) for y in x) / math.sqrt(S)

        def F(lam: float, V: float = V) -> float:
            return float(V / math.sqrt(steps * lam + 1) + S / (steps * lam + 1))

        lam = moves[s, a].sum() / total
        h = 1e-5 * (lam + 1 / steps)
        out[s, a] = -(F(lam + h) - F(lam - h)) / (2 * h) / steps
    return out


def occupancy(policy: np.ndarray, P: np.ndarray) -> np.ndarray:
    """Stationary frequencies of the pairs."""
    S = P.shape[0]
    rows = np.einsum("ij,ijk->ik", policy, P)
    system = np.vstack([rows.T - np.eye(S), np.ones(S)])
    mu = np.linalg.lstsq(system, np.append(np.zeros(S), 1.0), rcond=None)[0]
    return np.asarray(mu[:, None] * policy)


def test_the_program_with_the_kernel_known() -> None:
    """alpha = 0 and counts in the proportions of a kernel: the best occupancy of that kernel, by all its policies."""
    P = find_model("garnet")(S=3, A=2, b=3, seed=1).dense()
    counts = np.random.default_rng(0).integers(20, 200, (3, 2))
    moves = np.round(P * counts[..., None] * 1000).astype(np.int64)
    near = moves / moves.sum(axis=-1, keepdims=True)
    policy = plan(moves, 10_000, delta=0.1, floor=1e-6, alpha=0.0)
    value = float((occupancy(policy, near) * gradient(moves, 10_000)).sum())
    assert value == pytest.approx(by_policies(moves, 10_000, near), rel=1e-3)
    assert policy.sum(axis=1) == pytest.approx(np.ones(3))


def test_before_any_visit_all_kernels_are_plausible_and_pairs_are_alike() -> None:
    policy = plan(np.zeros((3, 2, 3), dtype=np.int64), 100, delta=0.1, floor=0.1)
    # all pairs hold 0.1, so that a state holds 0.6 at most
    assert policy.shape == (3, 2) and policy.min() >= 0.1 / 0.6 - 1e-6


def test_states_that_some_policy_avoids() -> None:
    assert avoidable_state(RIVER.dense()) == 1  # always left
    assert avoidable_state(WHEEL.dense()) == 0  # always stay on the ring
    assert avoidable_state(find_model("garnet")(S=4, A=2, b=4, seed=0).dense()) is None


def test_a_run_is_replanned_at_cubes_and_counts_all_steps() -> None:
    found = frank_wolfe(WHEEL, steps=70, replicates=2, seed=3, checkpoints=[1, 30, 70], target="python")
    assert found.episodes == 5 and found.avoidable == 0  # ends 1, 8, 27, 64, 70
    assert found.moves.sum(axis=(1, 2, 3)).tolist() == [70, 70] and found.average.shape == (2, 3)
    average, worst = model_errors(found.moves, WHEEL.dense())
    assert found.average[:, -1].tolist() == average.tolist() and found.worst[:, -1].tolist() == worst.tolist()
    again = frank_wolfe(WHEEL, steps=70, replicates=1, seed=3, target="python")
    assert np.array_equal(again.moves[0], found.moves[0])


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({"floor": 0.0}, "floor=0.0 must lie in"),
        ({"floor": 0.5}, "floor=0.5 must lie in"),
        ({"delta": 1.0}, "delta=1.0"),
        ({"alpha": -1.0}, "alpha=-1.0"),
        ({"checkpoints": [5, 20]}, "checkpoints"),
    ],
)
def test_what_is_refused(given: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        frank_wolfe(WHEEL, steps=10, replicates=1, target="python", **given)


def test_a_floor_that_no_kernel_allows_is_refused() -> None:
    moves = np.zeros((3, 2, 3), dtype=np.int64)
    moves[:, :, 0] = 1000  # all lead to state 0
    with pytest.raises(InputError, match="lower the floor"):
        plan(moves, 10_000, delta=0.1, floor=0.1)


def test_models_that_do_not_communicate_are_refused() -> None:
    from theorylab import AverageReward, TabularMDP

    stuck = TabularMDP(P=np.eye(2)[:, None], r=np.zeros((2, 1)), mu0=np.eye(2)[0], criterion=AverageReward())
    with pytest.raises(InputError, match="cannot reach"):
        frank_wolfe(stuck, steps=10, replicates=1)


@pytest.mark.long
def test_errors_on_the_wheel_are_below_those_of_uniform_play() -> None:
    wheel = find_model("wheel")()
    found = frank_wolfe(wheel, steps=60_000, replicates=12, seed=1).average[:, 0]
    moves = run("stationary-policy", wheel, replicates=12, steps=60_000, seed=1).final["moves"]
    uniform = model_errors(moves, wheel.dense())[0]
    spread = math.hypot(found.std(ddof=1), uniform.std(ddof=1)) / math.sqrt(12)
    assert found.mean() < uniform.mean() - 2 * spread, (found.mean(), uniform.mean(), spread)
