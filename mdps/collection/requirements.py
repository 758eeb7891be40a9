"""Requirements: how many visits of which pairs a sample asks for, checked against a model, and rules that write them.

A requirement b(s,a) asks for that many visits of the pair, b(s) for that many of the state with any action. The visits
may overlap: a visit of (s,a) counts for b(s,a) and b(s) alike. A sample is complete at the first t with N_t >= b
everywhere (Tarbouriech, Pirotta, Valko and Lazaric, NeurIPS 2021) [source: abstract; state-only form recalled].

    requirement(model, b)                checked: a pair that cannot be reached is refused by name
    treasure(S, A, K)                    K samples of every pair
    proportional(weights, total)         b = ceil(total * weights / sum)
    noise(P), noise_weighted(P, total)   V(s,a) = sum_s' sqrt(p (1 - p)) / sqrt(S), and b proportional to it
    occupancy_coverage(model, N)         c_h(s,a) = N max_pi p^pi_h(s,a) of an episodic model
    discounted_uniform(S, A, ...)        what plug-in planning with a generative model asks for

The rules return integer arrays, and round up; a quotient within 1e-9 (relative) above a whole number is that number, as
rounding in doubles would otherwise cost a sample.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorylab.assume import reachability
from theorylab.errors import InputError
from theorylab.model import FiniteHorizon, TabularMDP
from theorylab.parameters import integer, number
from theorylab.plan.inputs import as_stationary
from theorylab.plan.structure import distances
from theorylab.validate import at

__all__ = [
    "Requirement",
    "discounted_uniform",
    "noise",
    "noise_weighted",
    "occupancy_coverage",
    "proportional",
    "requirement",
    "row_noise",
    "treasure",
]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MOST = 2**53  # counts above are not exact in doubles
SHOWN = 6  # names in an error
CLOSE = 1e-9


@dataclass(frozen=True, eq=False)
class Requirement:
    """Visits asked for, in steps.

    Attributes:
        pairs: int64 (S,A), b(s,a).
        states: int64 (S,), b(s): visits with any action, those that `pairs` asks for included.

    Arrays are read-only.
    """

    pairs: Ints
    states: Ints

    def __post_init__(self) -> None:
        for array in (self.pairs, self.states):
            array.flags.writeable = False

    @property
    def by_state(self) -> Ints:
        """int64 (S,): visits of each state asked for, max(states, sum of pairs over actions)."""
        visits: Ints = np.maximum(self.states, self.pairs.sum(axis=1))
        return visits

    @property
    def total(self) -> int:
        """B: the least number of steps that can do, sum of `by_state`."""
        return int(self.by_state.sum())


def _counts(given: Any, name: str, shape: tuple[int, ...]) -> Ints:
    array = np.asarray(given)
    if array.dtype.kind not in "iuf":
        raise InputError(f"{name} has dtype {array.dtype}; give whole numbers of samples")
    if array.shape != shape:
        letters = "(S, A)" if len(shape) == 2 else "(S,)"
        raise InputError(f"{name} has shape {array.shape}; expected {shape}, {letters} of the model")
    whole = np.isfinite(array) & (array == np.floor(array)) & (array >= 0) & (array <= MOST)
    if not whole.all():
        index = tuple(int(i) for i in np.argwhere(~whole)[0])
        value = array[index].item()
        mend = (
            "is not finite; ask for 0 samples or more"
            if not math.isfinite(value)
            else "is negative; ask for 0 samples or more"
            if value < 0
            else "is not whole; ask for a whole number of samples (round up)"
            if value != int(value)
            else f"is larger than {MOST}; ask for fewer samples"
        )
        raise InputError(f"{at(name, index)} = {value} {mend}")
    return array.astype(np.int64)


def _named(names: list[str]) -> str:
    return ", ".join(names[:SHOWN]) + (", ..." if len(names) > SHOWN else "")


def _require_within_reach(model: TabularMDP, asked: Requirement) -> None:
    graph = reachability(model)
    met = distances(graph.T, np.flatnonzero(model.mu0)) >= 0
    lost = [f"({s}, {a})" for s, a in np.argwhere((asked.pairs > 0) & ~met[:, None])]
    lost += [f"states[{s}]" for s in np.flatnonzero((asked.states > 0) & ~met)]
    if lost:
        raise InputError(
            f"unreachable requirement: {_named(lost)} cannot be reached from the start under any policy; ask for 0 "
            "samples there, or choose another start"
        )
    wanted = np.flatnonzero(asked.by_state)
    if not wanted.size:
        return
    # every state that may be met leads to the first wanted one, and that one to all the others
    back, forth = distances(graph, wanted[:1]), distances(graph.T, wanted[:1])
    stuck, cut = np.flatnonzero(met & (back < 0)), wanted[forth[wanted] < 0]
    if stuck.size or cut.size:
        goal, source = (wanted[0], stuck[0]) if stuck.size else (cut[0], wanted[0])
        raise InputError(
            f"state {goal} has a requirement, and cannot be reached from state {source}, where the agent may get to: "
            "the model is not communicating; add restarts, remove the states without a way back, or ask for 0 "
            f"samples of state {goal}"
        )


def requirement(
    model: Any, b: ArrayLike | Requirement | None = None, *, states: ArrayLike | None = None, samples: int | None = None
) -> Requirement:
    """A requirement checked against a model.

    Args:
        model: stationary transitions, any criterion; its graph and mu0 are used.
        b: (S,A) whole numbers >= 0, visits of each pair; or a `Requirement`, which is checked again.
        states: (S,) whole numbers >= 0, visits of each state with any action; alone or beside the pairs.
        samples: K >= 0 visits of every pair, in place of `b`.

    Every state that is asked for must be reachable from the start and from all states that the agent may get into, as
    in a communicating model: elsewhere no rule that does not know p can be sure to complete the sample.

    Raises:
        InputError: nothing asked for at all (no argument), both `b` and `samples`, a wrong shape or dtype; an entry
            that is negative, not whole or NaN; pairs that cannot be reached (named); a state that cannot be reached
            from one that the agent may get into (both named).
    """
    model = as_stationary(model)
    S, A = model.S, model.A
    if isinstance(b, Requirement):
        if states is not None or samples is not None:
            raise InputError("b is a Requirement: it holds states and samples already; give it alone")
        states, b = b.states, b.pairs
    if b is not None and samples is not None:
        raise InputError("both b and samples are given; give one of them")
    if b is None and samples is None and states is None:
        raise InputError("no requirement; give b (S, A), states (S,) or samples=K")
    if samples is not None:
        b = treasure(S, A, samples)
    pairs = np.zeros((S, A), dtype=np.int64) if b is None else _counts(b, "b", (S, A))
    visits = np.zeros(S, dtype=np.int64) if states is None else _counts(states, "states", (S,))
    if (total := float(np.maximum(visits, pairs.astype(np.float64).sum(axis=1)).sum())) > MOST:
        raise InputError(f"the requirement asks for {total:.3g} samples, more than {MOST}; ask for fewer")
    asked = Requirement(pairs, visits)
    _require_within_reach(model, asked)
    return asked


def _up(x: Floats) -> Ints:
    """The next whole number, but the nearest one where x is above it by rounding alone."""
    near = np.round(x)
    up: Ints = np.where(x - near <= CLOSE * near, near, np.ceil(x)).astype(np.int64)
    return up


def treasure(S: int, A: int, K: int) -> Ints:
    """TREASURE-K: K samples of every pair, int64 (S,A) [recalled]. Raises InputError for K < 0."""
    S, A, K = integer("treasure", "S", S, 1), integer("treasure", "A", A, 1), integer("treasure", "K", K, 0)
    return np.full((S, A), K, dtype=np.int64)


def proportional(weights: ArrayLike, total: float) -> Ints:
    """b = ceil(total * weights / sum(weights)), at least 1 where the weight is positive; int64, the shape of `weights`.

    Args:
        weights: (S,A), >= 0 and not all zero; any target of pairs, for instance an occupancy measure.
        total: > 0, the samples to share out; as shares are rounded up, sum b < total + (number of pairs).

    Source: any rule of allocation with a generative model may stand in for b [recalled].

    Raises:
        InputError: weights that are not finite numbers >= 0 (the entry is named), or all zero; total <= 0.
    """
    w = np.asarray(weights)
    if w.ndim != 2 or w.dtype.kind not in "iuf":
        raise InputError(f"weights has shape {w.shape} and dtype {w.dtype}; give numbers of shape (S, A)")
    w = w.astype(np.float64)
    bad = ~(np.isfinite(w) & (w >= 0))
    if bad.any():
        index = tuple(int(i) for i in np.argwhere(bad)[0])
        raise InputError(f"{at('weights', index)} = {w[index]}; weights are finite and >= 0")
    if not w.any():
        raise InputError("weights are all zero, so that there is nothing to share out; make one of them positive")
    total = number("proportional", "total", total, 0.0, float(MOST), open_low=True)
    shares = w / w.max()
    b: Ints = np.maximum(_up(total * (shares / shares.sum())), w > 0)  # a share that underflows is asked for too
    return b


def row_noise(p: Floats, S: int) -> Floats:
    """sum sqrt(p (1 - p)) / sqrt(S) over the last axis: the noise of rows that are laws, zeros left out or not."""
    V: Floats = np.sqrt(p * np.maximum(1.0 - p, 0.0)).sum(axis=-1) / math.sqrt(S)
    return V


def noise(P: Any) -> Floats:
    """Transitional noise V(s,a) = sum_s' sqrt(p (1 - p)) / sqrt(S), float64 (S,A), in [0, 1).

    The empirical row of n visits is off by at most V sqrt(S / n) in the 1-norm, on average. V is 0 where the transition
    is certain, and at most sqrt(Gamma - 1) / sqrt(S), Gamma the number of successors.
    P is (S,A,S), or sparse (S*A,S) with row s*A+a; rows sum to 1 (an empirical row without visits has no noise yet).
    Source: Tarbouriech, Shekhar, Pirotta, Ghavamzadeh and Lazaric, UAI 2020 [source].

    Raises:
        InputError: a wrong shape, a row that is no law (named).
    """
    shape = np.shape(P) if not hasattr(P, "tocsr") else P.shape
    if len(shape) not in (2, 3) or 0 in shape:
        raise InputError(f"P has shape {shape}; expected (S, A, S), or sparse (S*A, S)")
    S = int(shape[-1])
    A = int(shape[1]) if len(shape) == 3 else max(1, shape[0] // S)
    p = TabularMDP(P=P, r=np.zeros((S, A))).rows().prob  # checked there
    return row_noise(p, S).reshape(S, A)


def noise_weighted(P: Any, total: float) -> Ints:
    """`proportional(noise(P), total)`: samples in proportion to the noise, none of certain transitions.

    Raises InputError as `noise` and `proportional` do: a deterministic kernel has nothing to share out.
    """
    return proportional(noise(P), total)


def occupancy_coverage(model: TabularMDP, N: float) -> Ints:
    """Proportional coverage c_h(s,a) = N max_pi p^pi_h(s,a), rounded up: int64 (H,S,A).

    p^pi_h(s,a) is the probability to play a in s at stage h; the largest, over all policies, is that of being in s at
    stage h, found by backward induction with that indicator as reward, for all s at once; it is the same for every a.
    N such samples each are what N episodes of every pair's own best policy would bring.

    Use: `.reshape(H * S, A)` is a requirement of the layered model whose state is h*S+s and whose last stage leads back
    to mu0; for stationary transitions `.sum(axis=0)` is one of the model itself, with the stages pooled. Triples that
    no policy reaches ask for 0. Source: Al-Marjani, Tirinzoni and Kaufmann, COLT 2023 [source; the uses derived].

    Raises:
        InputError: a criterion other than FiniteHorizon(H); N <= 0.
    """
    if not isinstance(model, TabularMDP) or not isinstance(model.criterion, FiniteHorizon):
        kind = model.criterion if isinstance(model, TabularMDP) else type(model).__name__
        raise InputError(f"occupancy_coverage needs a TabularMDP with FiniteHorizon(H); got {kind}")
    N = number("occupancy_coverage", "N", N, 0.0, float(MOST), open_low=True)
    H, S, A = model.H, model.S, model.A
    start = model.mu0 / model.mu0.sum()
    reach = np.empty((H, S))
    for h in range(H):
        if h == 0 or model.stage_dependent:  # stationary rows: one stage more is one sweep more
            w = np.eye(S)
        sweeps = range(h - 1, -1, -1) if model.stage_dependent else range(min(h, 1))
        for stage in sweeps:
            rows = model.flat[stage * S * A : (stage + 1) * S * A] if model.stage_dependent else model.flat
            w = (rows @ w).reshape(S, A, S).max(axis=1)
        reach[h] = start @ w
    count = np.maximum(_up(N * reach), reach > 0)
    return np.repeat(count[:, :, None], A, axis=2)


def discounted_uniform(S: int, A: int, gamma: float, epsilon: float, delta: float, c: float = 1.0) -> Ints:
    """n = ceil(c log(S A / ((1-gamma) delta)) / ((1-gamma)^3 epsilon^2)) samples of every pair, int64 (S,A).

    With so many samples a policy that is optimal in the empirical model loses at most epsilon (values in units of
    1 / (1-gamma), rewards in [0, 1]) with probability 1 - delta, for c large enough: the constant is not specified in
    the notes, so c = 1 is a convention and not a theorem's constant [recalled].

    Raises:
        InputError: gamma outside [0, 1), epsilon or c <= 0, delta outside (0, 1), S or A < 1, more than 2^53 samples.
    """
    name = "discounted_uniform"
    S, A = integer(name, "S", S, 1), integer(name, "A", A, 1)
    gamma, delta = number(name, "gamma", gamma, 0.0), number(name, "delta", delta, 0.0, open_low=True)
    epsilon, c = number(name, "epsilon", epsilon, 0.0, open_low=True), number(name, "c", c, 0.0, open_low=True)
    for what, value in (("gamma", gamma), ("delta", delta)):
        if value >= 1:
            raise InputError(f"{name}: {what} is {value:g}; give a number below 1")
    gap = 1.0 - gamma
    n = c * math.log(S * A / (gap * delta)) / (gap**3 * epsilon**2)
    if n * S * A > MOST:
        raise InputError(f"{name}: {n:.3g} samples of each of {S * A} pairs; use a larger epsilon or a smaller gamma")
    return np.full((S, A), int(_up(np.array(n))), dtype=np.int64)
