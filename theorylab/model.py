"""Models: frozen records of arrays, validated at construction, with no behaviour beyond conversion.

A tabular Markov decision process is (S, A, P, r, mu0) with P[s,a,s2] = Pr(s2 | s, a), mean rewards r[s,a] and
initial law mu0[s]; a criterion says what is optimised:

    FiniteHorizon(H)    E sum_{h<H} r(s_h, a_h)               P may depend on the stage: P[h,s,a,s2]
    Discounted(gamma)   E sum_t gamma^t r(s_t, a_t)           0 <= gamma < 1
    AverageReward()     lim (1/T) E sum_{t<T} r(s_t, a_t)
    ShortestPath(goal)  E sum of rewards until state `goal` is entered

A bandit is a vector of means. Shapes: P (S,A,S), (H,S,A,S) or CSR (S*A,S) with row s*A+a; r (S,A); mu0 (S,);
means (A,). Stages, states and actions count from 0. Definitions are the textbook's (Puterman, Markov Decision
Processes, 1994) [recalled]. Nothing is renormalised or clipped: an entry that is off is refused by name.
"""

from __future__ import annotations

import hashlib
import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError

__all__ = [
    "AVERAGE_REWARD",
    "BERNOULLI",
    "DETERMINISTIC",
    "AverageReward",
    "Bandit",
    "Criterion",
    "Discounted",
    "FiniteHorizon",
    "RewardLaw",
    "Rows",
    "ShortestPath",
    "TabularMDP",
]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

SUM_TOLERANCE = 1e-9  # how far a row of probabilities may be from 1: room for rounding, not for mistakes


def _integer(value: Any, what: str, low: int) -> int:
    try:
        if isinstance(value, (bool, np.bool_)):
            raise TypeError
        number = operator.index(value)
    except TypeError:
        raise InputError(f"{what} is {value!r}; it must be an integer >= {low}") from None
    if number < low:
        raise InputError(f"{what} is {number}; it must be an integer >= {low}")
    return number


def _number(value: Any, what: str) -> float:
    try:
        number = float(value)
    except (TypeError, ValueError):
        raise InputError(f"{what} is {value!r}; give a finite number") from None
    if not math.isfinite(number):
        raise InputError(f"{what} is {number}; give a finite number")
    return number


@dataclass(frozen=True)
class FiniteHorizon:
    """Episodes of H stages (H >= 1); value is the expected sum of H rewards."""

    H: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "H", _integer(self.H, "FiniteHorizon: H", 1))


@dataclass(frozen=True)
class Discounted:
    """Discounted sum of rewards, with 0 <= gamma < 1."""

    gamma: float

    def __post_init__(self) -> None:
        gamma = _number(self.gamma, "Discounted: gamma")
        if gamma >= 1:
            raise InputError(
                f"Discounted: gamma is {gamma}; it must be below 1: use AverageReward() or FiniteHorizon(H) "
                "for undiscounted problems"
            )
        if gamma < 0:
            raise InputError(f"Discounted: gamma is {gamma}; it must be in [0, 1)")
        object.__setattr__(self, "gamma", gamma)


@dataclass(frozen=True)
class AverageReward:
    """Long-run average reward per step."""


@dataclass(frozen=True)
class ShortestPath:
    """Sum of rewards until the state `goal` is entered."""

    goal: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "goal", _integer(self.goal, "ShortestPath: goal", 0))


Criterion: TypeAlias = FiniteHorizon | Discounted | AverageReward | ShortestPath


@dataclass(frozen=True)
class RewardLaw:
    """The law of a reward given its mean.

    Attributes:
        kind: "deterministic" (the mean itself), "bernoulli" (1 with probability the mean, else 0) or "gaussian"
            (normal around the mean with standard deviation `sd`).
        low, high: declared range, in units of reward. Means must lie in it; so do rewards, unless gaussian.
            A bernoulli law has range [0, 1].
        sd: standard deviation of a gaussian reward, in units of reward; 0 for the other kinds.

    Raises:
        InputError: unknown kind, empty or infinite range, or an `sd` that does not fit the kind.
    """

    kind: str
    low: float = 0.0
    high: float = 1.0
    sd: float = 0.0

    def __post_init__(self) -> None:
        if self.kind not in ("deterministic", "bernoulli", "gaussian"):
            raise InputError(f"RewardLaw: kind is {self.kind!r}; known kinds: deterministic, bernoulli, gaussian")
        for name in ("low", "high", "sd"):
            object.__setattr__(self, name, _number(getattr(self, name), f"RewardLaw: {name}") + 0.0)
        if self.low > self.high:
            raise InputError(f"RewardLaw: low {self.low} is above high {self.high}; swap them")
        if self.kind == "bernoulli" and (self.low, self.high) != (0.0, 1.0):
            raise InputError(
                f"RewardLaw: bernoulli rewards are 0 or 1, the declared range is [{self.low}, {self.high}]; "
                "leave low=0, high=1, or use kind 'deterministic'"
            )
        if self.kind == "gaussian" and self.sd <= 0:
            raise InputError(f"RewardLaw: sd is {self.sd}; a gaussian law needs sd > 0 (or use kind 'deterministic')")
        if self.kind != "gaussian" and self.sd != 0:
            raise InputError(f"RewardLaw: sd is {self.sd} for kind '{self.kind}'; only a gaussian law has sd > 0")


DETERMINISTIC = RewardLaw("deterministic")
BERNOULLI = RewardLaw("bernoulli")
AVERAGE_REWARD = AverageReward()


class Rows(NamedTuple):
    """Successor tables of G rows (s,a) or (h,s,a): row index (h*S + s)*A + a.

    Attributes:
        succ: int64 (G, m), successors with positive probability in ascending order. Rows with fewer than m of them
            are padded with their last successor, so that every entry is a successor that can occur.
        prob: float64 (G, m), their probabilities; 0 on the padding.
    """

    succ: Ints
    prob: Floats


def _floats(x: Any, what: str) -> Floats:
    """A float64 C-ordered private copy of `x`; refuses what is not an array of real numbers."""
    try:
        raw = np.asarray(x)
    except ValueError as error:
        raise InputError(
            f"{what} is not a rectangular array of numbers ({error}); give nested lists of one shape"
        ) from None
    if raw.dtype.kind not in "biuf":
        raise InputError(f"{what} has dtype {raw.dtype}; give an array of real numbers (float64)")
    # adding zero turns -0.0 into 0.0, so that equal models have equal bytes and digests
    return np.array(raw, dtype=np.float64, order="C", copy=True) + 0.0


def _freeze(x: NDArray[Any]) -> None:
    x.flags.writeable = False


def _at(name: str, index: tuple[int, ...], tail: str = "") -> str:
    return f"{name}[{','.join(str(i) for i in index)}{tail}]"


def _first(bad: NDArray[np.bool_]) -> tuple[int, ...]:
    return tuple(int(i) for i in np.unravel_index(int(np.argmax(bad)), bad.shape))


def _check_probabilities(x: Floats, name: str) -> None:
    """Entries finite and >= 0, and the last axis sums to 1; `x` dense, any leading shape."""
    _check_entries(x, lambda i: _at(name, i))
    sums = np.asarray(x.sum(axis=-1))
    bad = np.abs(sums - 1.0) > SUM_TOLERANCE
    if bad.any():
        i = _first(bad) if x.ndim > 1 else ()
        where, what = (_at(name, i, ",:"), "row") if i else (name, "vector")
        raise InputError(
            f"{where} sums to {float(sums[i])!r}; {what}s must sum to 1 within {SUM_TOLERANCE:g}: fix that {what}"
        )


def _check_entries(x: Floats, label: Callable[[tuple[int, ...]], str]) -> None:
    bad = ~(np.isfinite(x) & (x >= 0))
    if bad.any():
        i = _first(bad)
        rule = ">= 0" if np.isfinite(x[i]) else "finite"
        raise InputError(f"{label(i)} is {float(x[i])!r}; probabilities must be {rule}: fix that entry")


def _check_sparse(P: Any, A: int) -> None:
    """The same for CSR (S*A, S); indices in messages are (s, a, s2)."""

    def label(k: tuple[int, ...]) -> str:
        row = int(np.searchsorted(P.indptr, k[0], side="right")) - 1
        return f"P[{row // A},{row % A},{int(P.indices[k])}]"

    _check_entries(P.data, label)
    sums = np.asarray(P.sum(axis=1)).ravel()
    bad = np.abs(sums - 1.0) > SUM_TOLERANCE
    if bad.any():
        row = int(np.argmax(bad))
        raise InputError(
            f"P[{row // A},{row % A},:] sums to {float(sums[row])!r}; rows must sum to 1 within {SUM_TOLERANCE:g}: "
            "fix that row"
        )


def _check_means(x: Floats, law: RewardLaw, name: str) -> None:
    bad = ~np.isfinite(x)
    if bad.any():
        i = _first(bad)
        raise InputError(f"{_at(name, i)} is {x[i]}; mean rewards must be finite: fix that entry")
    bad = (x < law.low) | (x > law.high)
    if bad.any():
        i = _first(bad)
        mend = "" if law.kind == "bernoulli" else f", or declare the range: RewardLaw('{law.kind}', low=..., high=...)"
        raise InputError(
            f"{_at(name, i)} is {float(x[i])!r}, outside the declared reward range [{law.low}, {law.high}] of the "
            f"{law.kind} law; fix that entry{mend}"
        )


def _check_law(law: Any) -> None:
    if not isinstance(law, RewardLaw):
        raise InputError(f"reward_law is {law!r}; give a RewardLaw, e.g. RewardLaw('deterministic')")


def _digest(arrays: dict[str, NDArray[Any]], *records: Any) -> str:
    h = hashlib.sha256()
    for name, x in arrays.items():
        kind = "<f8" if x.dtype.kind == "f" else "<i8"
        h.update(f"{name}{x.shape}{kind}".encode())
        h.update(np.ascontiguousarray(x, dtype=kind).tobytes())
    for record in records:
        h.update(repr(record).encode())
    return h.hexdigest()


@dataclass(frozen=True, eq=False)
class TabularMDP:
    """A finite Markov decision process.

    Attributes:
        P: transition probabilities: float64 (S,A,S); (H,S,A,S) with criterion FiniteHorizon(H); or a SciPy sparse
            array (S*A,S) whose row s*A+a is the law of the successor of (s,a) (kept as CSR).
        r: float64 (S,A), mean rewards, in units of reward, inside the declared range of `reward_law`.
        mu0: float64 (S,), law of the initial state. The default is the point mass at state 0.
        criterion: FiniteHorizon(H), Discounted(gamma), AverageReward() (the default) or ShortestPath(goal).
        reward_law: law of a reward given its mean, with its range; deterministic in [0, 1] by default.
        name: for labels only; not part of the digest.

    Arrays are private float64 copies, read-only. Two models are equal when they are the same object; compare
    `digest` for content. `dataclasses.replace(model, criterion=...)` works where P fits the new criterion.

    Raises:
        InputError: a row off 1 by more than 1e-9, a negative or non-finite entry, a shape or dtype that does not
            fit, a mean outside the declared range; the text names the entry and the mend.
    """

    P: Any
    r: Floats
    mu0: Floats = None  # type: ignore[assignment]  # None is replaced by the default in __post_init__
    criterion: Criterion = AVERAGE_REWARD
    reward_law: RewardLaw = DETERMINISTIC
    name: str = ""

    def __post_init__(self) -> None:
        if not isinstance(self.criterion, (FiniteHorizon, Discounted, AverageReward, ShortestPath)):
            raise InputError(
                f"criterion is {self.criterion!r}; give FiniteHorizon(H), Discounted(gamma), AverageReward() or "
                "ShortestPath(goal)"
            )
        _check_law(self.reward_law)
        r = _floats(self.r, "r")
        if r.ndim != 2 or 0 in r.shape:
            raise InputError(f"r has shape {r.shape}; expected (S, A) with S, A >= 1")
        S, A = r.shape
        P = self._checked_sparse(S, A) if hasattr(self.P, "tocsr") else self._checked_dense(S, A)
        _check_means(r, self.reward_law, "r")
        if isinstance(self.criterion, ShortestPath) and self.criterion.goal >= S:
            raise InputError(f"ShortestPath: goal is {self.criterion.goal}; the model has states 0..{S - 1}")
        if self.mu0 is None:
            mu0 = np.zeros(S)
            mu0[0] = 1.0
        else:
            mu0 = _floats(self.mu0, "mu0")
            if mu0.shape != (S,):
                raise InputError(f"mu0 has shape {mu0.shape}; expected ({S},), one probability a state")
            _check_probabilities(mu0, "mu0")
        for array in (r, mu0):
            _freeze(array)
        for key, value in (("P", P), ("r", r), ("mu0", mu0)):
            object.__setattr__(self, key, value)

    def _checked_dense(self, S: int, A: int) -> Floats:
        P = _floats(self.P, "P")
        H = self.criterion.H if isinstance(self.criterion, FiniteHorizon) else None
        if P.ndim == 4:
            if H is None:
                raise InputError(
                    f"P has shape {P.shape}, stage-dependent, with criterion {self.criterion}; "
                    "use FiniteHorizon(H) or give P of shape (S, A, S)"
                )
            expected: tuple[int, ...] = (H, S, A, S)
        else:
            expected = (S, A, S)
        if P.shape != expected:
            raise InputError(
                f"P has shape {P.shape}; expected {expected} to fit r of shape {(S, A)} and {self.criterion}"
            )
        _check_probabilities(P, "P")
        _freeze(P)
        return P

    def _checked_sparse(self, S: int, A: int) -> Any:
        from scipy.sparse import csr_array  # only a sparse P needs scipy

        if self.P.dtype.kind not in "biuf":
            raise InputError(f"P has dtype {self.P.dtype}; give an array of real numbers (float64)")
        if self.P.shape != (S * A, S):
            raise InputError(
                f"P is sparse with shape {self.P.shape}; expected (S*A, S) = {(S * A, S)} to fit r of shape {(S, A)}"
            )
        P = csr_array(self.P.tocsr(), dtype=np.float64, copy=True)
        P.sum_duplicates()
        _check_sparse(P, A)
        P.eliminate_zeros()
        P.sort_indices()
        for array in (P.data, P.indices, P.indptr):
            _freeze(array)
        return P

    @property
    def S(self) -> int:
        """Number of states."""
        return int(self.r.shape[0])

    @property
    def A(self) -> int:
        """Number of actions."""
        return int(self.r.shape[1])

    @property
    def H(self) -> int:
        """Stages of an episode; `InputError` unless the criterion is FiniteHorizon."""
        if not isinstance(self.criterion, FiniteHorizon):
            raise InputError(
                f"the model has no horizon: its criterion is {self.criterion}; "
                "use dataclasses.replace(model, criterion=FiniteHorizon(H))"
            )
        return self.criterion.H

    @property
    def setting(self) -> str:
        """ "episodic", "average", "discounted" or "ssp": which learners apply."""
        kinds = {FiniteHorizon: "episodic", AverageReward: "average", Discounted: "discounted", ShortestPath: "ssp"}
        return kinds[type(self.criterion)]

    @property
    def sparse(self) -> bool:
        """Whether P is stored as CSR (S*A, S)."""
        return not isinstance(self.P, np.ndarray)

    @property
    def stage_dependent(self) -> bool:
        """Whether P has a stage axis: shape (H,S,A,S)."""
        return isinstance(self.P, np.ndarray) and self.P.ndim == 4

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of arrays, shapes, criterion and reward law; the name does not enter."""
        arrays: dict[str, NDArray[Any]] = {"r": self.r, "mu0": self.mu0}
        if self.sparse:
            arrays |= {"data": self.P.data, "indices": self.P.indices, "indptr": self.P.indptr}
        else:
            arrays["P"] = self.P
        return _digest(arrays, self.criterion, self.reward_law)

    @cached_property
    def _rows(self) -> Rows:
        if self.sparse:
            count = np.diff(self.P.indptr).astype(np.int64)
            group = np.repeat(np.arange(count.size), count)
            state, value = self.P.indices.astype(np.int64), self.P.data
        else:
            flat = self.P.reshape(-1, self.S)
            group, state = np.nonzero(flat)
            value = flat[group, state]
            count = np.bincount(group, minlength=flat.shape[0])
        start = np.cumsum(count) - count
        place = np.arange(group.size) - start[group]
        # every row has a successor, as it sums to 1; padding repeats the last one
        last = state[start + count - 1]
        succ = np.repeat(last[:, None], int(count.max()), axis=1).astype(np.int64)
        prob = np.zeros(succ.shape)
        succ[group, place], prob[group, place] = state, value
        _freeze(succ)
        _freeze(prob)
        return Rows(succ, prob)

    def rows(self) -> Rows:
        """Successor tables (G, m): G = S*A, or H*S*A when stage-dependent; m the most successors of any row."""
        return self._rows

    def dense(self) -> Floats:
        """P as a dense read-only array: (S,A,S), or (H,S,A,S) when stage-dependent."""
        if not self.sparse:
            return self.P  # type: ignore[no-any-return]
        P: Floats = self.P.toarray().reshape(self.S, self.A, self.S)
        _freeze(P)
        return P


@dataclass(frozen=True, eq=False)
class Bandit:
    """A finite-armed stochastic bandit.

    Attributes:
        means: float64 (A,), mean rewards, in units of reward, inside the declared range of `reward_law`.
        reward_law: law of a reward given its mean; bernoulli by default.
        name: for labels only; not part of the digest.

    Raises:
        InputError: no arm, or a mean that is not finite or outside the declared range.
    """

    means: Floats
    reward_law: RewardLaw = BERNOULLI
    name: str = ""

    def __post_init__(self) -> None:
        _check_law(self.reward_law)
        means = _floats(self.means, "means")
        if means.ndim != 1 or means.size == 0:
            raise InputError(f"means has shape {means.shape}; expected (A,) with A >= 1")
        _check_means(means, self.reward_law, "means")
        _freeze(means)
        object.__setattr__(self, "means", means)

    @property
    def A(self) -> int:
        """Number of arms."""
        return int(self.means.size)

    @property
    def best_mean(self) -> float:
        """The largest mean, in units of reward."""
        return float(self.means.max())

    @property
    def gaps(self) -> Floats:
        """float64 (A,): best mean minus the arm's mean, in units of reward."""
        gaps: Floats = self.means.max() - self.means
        return gaps

    @property
    def setting(self) -> str:
        """ "bandit"."""
        return "bandit"

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the means and the reward law; the name does not enter."""
        return _digest({"means": self.means}, self.reward_law)
