"""FW-MODEST: model estimation by Frank-Wolfe steps on a Bernstein bound of the error. A driver around the engine.

    from mdps.collection.frank_wolfe import frank_wolfe

The agent knows S, A, the number of steps n and delta. Episode k = 1, 2, ... lasts 3 k^2 - 3 k + 1 steps, so that k^3
steps have been made after it: the step size of Frank-Wolfe is about 3/k. At its start, with T visits of a pair, it
lowers the linearised surrogate

    F = V+ / sqrt(n lam + 1) + S / (n lam + 1),     lam = T / max(1, steps so far),
    -dF/dlam / n = V+ / (2 (n lam + 1)^{3/2}) + S / (n lam + 1)^2 =: g,

over the occupancies of all plausible kernels, by the linear program in q(s,a,s2) = lam'(s,a) p~(s2|s,a)

    max sum g(s,a) q(s,a,s2),    q >= 0, sum q = 1, sum_{a,s2} q(s,a,s2) = sum_{s1,a} q(s1,a,s),
    |q(s,a,s2) - p_hat q(s,a)| <= alpha beta q(s,a),     q(s,a) = sum_{s2} q(s,a,s2) >= floor,

beta = 2 sqrt(p_hat (1 - p_hat) l / T) + 6 l / T, l = log(6 S A T / delta) (no box before the first visit), and plays
the randomised policy q(s,a) / sum_b q(s,b) until the episode ends. V+ is the upper bound on the noise of a row that
WeightedMaxEnt uses (`mdps.learners.max_ent`).

Source: tarbouriech2020, algorithm 1, by the notes [source: surrogate, program, policy, lengths, floor 1e-4; that the
budget n stands in the surrogate, and V+ of algorithm 2: derived].

Ergodicity: the source assumes it. Here the floor must be positive, so that every action of every state is played with
probability at least `floor` and it is enough that the model communicates; that is what is checked [derived]. Whether
every policy is irreducible, as the source's theory asks, is reported: `avoidable` is a state that some policy avoids.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdps.collection.errors import model_errors
from mdps.collection.planning import radii
from mdps.learners.stationary_policy import learner as stationary_policy
from theorylab.assume import average_reward, communicating
from theorylab.errors import InputError
from theorylab.simulation import Simulation

__all__ = ["FrankWolfe", "avoidable_state", "episode_end", "frank_wolfe", "plan"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class FrankWolfe:
    """Runs of FW-MODEST.

    Attributes:
        checkpoints: steps at each column. average, worst: (R, checkpoints), error of the kernel in the 1-norm, mean and
            largest over pairs. moves: (R,S,A,S) transitions at the end. policy: (R,S,A) of the last episode.
        episodes: their number. avoidable: a state that some policy never visits, or None, where the model is ergodic.
    """

    checkpoints: Ints
    average: Floats
    worst: Floats
    moves: Ints
    policy: Floats
    episodes: int
    avoidable: int | None


def episode_end(k: int) -> int:
    """Steps after episode k (from 1): the sum of 3 j^2 - 3 j + 1 up to k is k^3."""
    return k**3


def avoidable_state(P: Floats) -> int | None:
    """A state that some policy never visits from some other state, or None: then every policy is irreducible.

    For each state g: the largest set without g in which every state has an action that stays inside.
    """
    possible = P > 0.0
    for g in range(P.shape[0]):
        inside = np.arange(P.shape[0]) != g
        while True:
            stays = inside & (~(possible & ~inside).any(axis=-1)).any(axis=-1)
            if (stays == inside).all():
                break
            inside = stays
        if inside.any():
            return g
    return None


def plan(moves: Ints, steps: int, *, delta: float, floor: float, alpha: float = 1.0) -> Floats:
    """The policy (S,A) after transitions `moves` (S,A,S), in a run of `steps`. Raises `InputError` where the program
    has no solution: the floor is too high for every plausible kernel."""
    from scipy.optimize import linprog

    S, A = moves.shape[:2]
    visits = moves.sum(axis=-1)
    T, done = np.maximum(1, visits).astype(float), max(1, int(visits.sum()))
    p_hat = moves / T[..., None]
    spread = np.sqrt(p_hat * (1.0 - p_hat))
    upper = (spread + np.sqrt(2.0 * np.log(4.0 * S * S * A * T * T / delta) / T)[..., None]).sum(axis=-1) / np.sqrt(S)
    y = steps * (visits / done) + 1.0
    gain = upper / (2.0 * y * np.sqrt(y)) + S / (y * y)
    width = alpha * radii(moves, delta)
    seen = (visits > 0)[..., None]
    low = np.where(seen, np.maximum(0.0, p_hat - width), 0.0)
    high = np.where(seen, np.minimum(1.0, p_hat + width), 1.0)
    equal, most = _constraints(low, high, S, A)
    found = linprog(
        -np.repeat((gain / gain.max()).ravel(), S),
        A_ub=most,
        b_ub=np.concatenate([np.zeros(2 * S * A * S), np.full(S * A, -floor)]),
        A_eq=equal,
        b_eq=np.append(np.zeros(S), 1.0),
        method="highs",
    )
    if found.x is None:
        raise InputError(
            f"frank_wolfe: no plausible kernel keeps an occupancy of floor={floor} everywhere after {done} steps "
            f"({found.message.strip()}); lower the floor, or raise alpha={alpha}"
        )
    q = np.maximum(0.0, found.x).reshape(S, A, S).sum(axis=-1)  # the solver keeps its constraints to about 1e-7
    out: Floats = q / q.sum(axis=1, keepdims=True)
    return out


def _constraints(low: Floats, high: Floats, S: int, A: int) -> tuple[Any, Any]:
    """Equalities (flow of each state, total mass) and inequalities (lower ends, upper ends, floor) in q, raveled."""
    from scipy import sparse

    pairs = S * A
    rows = sparse.kron(sparse.identity(pairs), np.ones((1, S)), format="csr")  # q -> q(s,a)
    leaves = sparse.kron(sparse.identity(S), np.ones((1, A * S)))
    enters = sparse.kron(np.ones((1, pairs)), sparse.identity(S))
    equal = sparse.vstack([leaves - enters, np.ones((1, pairs * S))], format="csr")
    every = sparse.kron(rows, np.ones((S, 1)), format="csr")  # q -> q(s,a) at each (s,a,s2)
    one = sparse.identity(pairs * S)
    below = sparse.diags(low.ravel()) @ every - one
    above = one - sparse.diags(high.ravel()) @ every
    return equal, sparse.vstack([below, above, -rows], format="csr")


def frank_wolfe(
    model: Any,
    *,
    steps: int,
    replicates: int,
    seed: int = 0,
    delta: float = 0.1,
    floor: float = 1e-4,
    alpha: float = 1.0,
    checkpoints: Sequence[int] | None = None,
    target: str = "cpu",
) -> FrankWolfe:
    """Replicates of FW-MODEST on a model of average reward, and its errors at `checkpoints` (default: the end).

    `alpha` multiplies the radii of the boxes. All replicates are replanned at the same times, each from its own data.
    Raises `InputError` for a model that does not communicate, a floor outside (0, 1/(SA)], delta outside (0, 1), and a
    floor that no plausible kernel allows.
    """
    _check(model, delta, floor, alpha)
    marks = np.array([steps] if checkpoints is None else checkpoints, dtype=np.int64)
    run = Simulation(
        stationary_policy, model, replicates=replicates, length=steps, seed=seed, target=target, checkpoints=marks
    )
    P = model.dense()
    average, worst = np.empty((replicates, marks.size)), np.empty((replicates, marks.size))
    episodes, column = 0, 0
    while run.done < steps:
        episodes += 1
        for r in range(replicates):
            run.state["pi"][r] = plan(run.state["moves"][r], steps, delta=delta, floor=floor, alpha=alpha)
        end = min(steps, episode_end(episodes))
        while column < marks.size and marks[column] <= end:
            run.advance(int(marks[column]))
            average[:, column], worst[:, column] = model_errors(run.state["moves"], P)
            column += 1
        run.advance(end)
    moves, policy = run.state["moves"].copy(), run.state["pi"].copy()
    return FrankWolfe(marks, average, worst, moves, policy, episodes, avoidable_state(P))


def _check(model: Any, delta: float, floor: float, alpha: float) -> None:
    for wanted in (average_reward, communicating):
        if wrong := wanted(model):
            raise InputError(f"frank_wolfe: {wrong}; give a communicating model of average reward")
    most = 1.0 / (model.S * model.A)
    if not 0.0 < delta < 1.0:
        raise InputError(f"frank_wolfe: delta={delta} must lie strictly between 0 and 1")
    if not 0.0 < floor <= most:
        raise InputError(f"frank_wolfe: floor={floor} must lie in (0, 1/(SA)] = (0, {most:.6g}]")
    if alpha < 0.0:
        raise InputError(f"frank_wolfe: alpha={alpha} is negative; 1 is the theory's radius")
