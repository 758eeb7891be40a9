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

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.criteria import (
    AVERAGE_REWARD,
    BERNOULLI,
    DETERMINISTIC,
    AverageReward,
    Criterion,
    Discounted,
    FiniteHorizon,
    RewardLaw,
    ShortestPath,
)
from theorylab.errors import InputError
from theorylab.validate import (
    SUM_TOLERANCE,
    RowProfile,
    check_csr,
    check_law,
    check_means,
    check_name,
    check_probabilities,
    check_sparse,
    digest_of,
    floats,
    freeze,
    known_profile,
    remember,
)

__all__ = [
    "AVERAGE_REWARD",
    "BERNOULLI",
    "DETERMINISTIC",
    "SUM_TOLERANCE",
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


class Rows(NamedTuple):
    """Successor tables of G rows (s,a) or (h,s,a): row index (h*S + s)*A + a.

    Attributes:
        succ: int64 (G, m), successors with positive probability in ascending order. Rows with fewer than m of them
            are padded with their last successor, so that every entry is a successor that can occur.
        prob: float64 (G, m), their probabilities; 0 on the padding.
    """

    succ: Ints
    prob: Floats


@dataclass(frozen=True, eq=False)
class TabularMDP:
    """A finite Markov decision process.

    Attributes:
        P: transition probabilities: float64 (S,A,S); (H,S,A,S) with criterion FiniteHorizon(H); or a SciPy sparse
            array (S*A,S) whose row s*A+a is the law of the successor of (s,a) (kept as CSR with sorted indices and
            without stored zeros; entries of one place add up, as scipy has it).
        r: float64 (S,A), mean rewards, in units of reward, inside the declared range of `reward_law`.
        mu0: float64 (S,), law of the initial state. The default is the point mass at state 0.
        criterion: FiniteHorizon(H), Discounted(gamma), AverageReward() (the default) or ShortestPath(goal).
        reward_law: law of a reward given its mean, with its range; deterministic in [0, 1] by default.
        name: for labels only; not part of the digest.

    Arrays are private float64 copies, read-only. Two models are equal when they are the same object; compare
    `digest` for content. `dataclasses.replace(model, criterion=...)` works where P fits the new criterion; both models
    then share P.

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
        check_law(self.reward_law)
        check_name(self.name)
        r = floats(self.r, "r")
        if r.ndim != 2 or 0 in r.shape:
            raise InputError(f"r has shape {r.shape}; expected (S, A) with S, A >= 1")
        S, A = r.shape
        P = self._checked_sparse(S, A) if hasattr(self.P, "tocsr") else self._checked_dense(S, A)
        check_means(r, self.reward_law, "r")
        if isinstance(self.criterion, ShortestPath) and self.criterion.goal >= S:
            raise InputError(f"ShortestPath: goal is {self.criterion.goal}; the model has states 0..{S - 1}")
        if self.mu0 is None:
            mu0 = np.zeros(S)
            mu0[0] = 1.0
        else:
            mu0 = floats(self.mu0, "mu0")
            if mu0.shape != (S,):
                raise InputError(f"mu0 has shape {mu0.shape}; expected ({S},), one probability a state")
            check_probabilities(mu0, "mu0")
        for array in (r, mu0):
            freeze(array)
        for key, value in (("P", P), ("r", r), ("mu0", mu0)):
            object.__setattr__(self, key, value)

    def _checked_dense(self, S: int, A: int) -> Floats:
        profile = known_profile(self.P)
        P: Floats = floats(self.P, "P") if profile is None else self.P
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
        if profile is None:
            profile = check_probabilities(P, "P")
            freeze(P)
            remember(P, profile)
        object.__setattr__(self, "_profile", profile)
        return P

    def _checked_sparse(self, S: int, A: int) -> Any:
        if self.P.dtype.kind not in "biuf":
            raise InputError(f"P has dtype {self.P.dtype}; give an array of real numbers (float64)")
        if self.P.shape != (S * A, S):
            raise InputError(
                f"P is sparse with shape {self.P.shape}; expected (S*A, S) = {(S * A, S)} to fit r of shape {(S, A)}"
            )
        profile = known_profile(self.P)
        P = self.P
        if profile is None:
            P = _csr_copy(self.P)
            profile = check_sparse(P, A)
            for array in (P.data, P.indices, P.indptr):
                freeze(array)
            remember(P, profile)
        object.__setattr__(self, "_profile", profile)
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
        return digest_of(arrays, self.criterion, self.reward_law)

    @property
    def row_profile(self) -> RowProfile:
        """Largest number of successors of a row and the extreme row sums, as found when P was checked."""
        profile: RowProfile = self.__dict__["_profile"]
        return profile

    @property
    def flat(self) -> Any:
        """P as a matrix, dense (a view) or CSR as P is: row s*A+a, or (h*S+s)*A+a, is the law of the successor."""
        return self.P if self.sparse else self.P.reshape(-1, self.S)

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
        freeze(succ)
        freeze(prob)
        return Rows(succ, prob)

    def rows(self) -> Rows:
        """Successor tables (G, m): G = S*A, or H*S*A when stage-dependent; m the most successors of any row."""
        return self._rows

    def dense(self) -> Floats:
        """P as a dense read-only array: (S,A,S), or (H,S,A,S) when stage-dependent."""
        if not self.sparse:
            return self.P  # type: ignore[no-any-return]
        P: Floats = self.P.toarray().reshape(self.S, self.A, self.S)
        freeze(P)
        return P


def _csr_copy(given: Any) -> Any:
    """A canonical CSR copy of a sparse array: sorted, without stored zeros, indices of 32 bits where they suffice."""
    from scipy.sparse import csr_array, get_index_dtype  # only a sparse P needs scipy

    try:
        if given.format in ("csc", "bsr"):
            given.check_format(full_check=True)
        # to float64 first: sums of places given twice would saturate or overflow in narrow types
        csr = given.astype(np.float64, copy=False).tocsr()
        check_csr(csr.data, csr.indices, csr.indptr, csr.shape)
    except InputError as error:
        raise InputError(f"P is a sparse array with broken parts: {error}") from None
    except (ValueError, TypeError, IndexError, RuntimeError) as error:
        raise InputError(f"P is a sparse array that scipy cannot convert to CSR ({error}); build it anew") from None
    index = get_index_dtype(maxval=max(csr.nnz, *csr.shape))
    parts = [csr.data, csr.indices.astype(index, copy=False), csr.indptr.astype(index, copy=False)]
    if given.format == "csr":  # from every other format scipy has made new arrays
        theirs = (given.data, given.indices, given.indptr)
        parts = [x.copy() if np.may_share_memory(x, y) else x for x, y in zip(parts, theirs, strict=True)]
    P = csr_array(tuple(parts), shape=csr.shape)
    P.sum_duplicates()
    P.eliminate_zeros()
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
        check_law(self.reward_law)
        means = floats(self.means, "means")
        if means.ndim != 1 or means.size == 0:
            raise InputError(f"means has shape {means.shape}; expected (A,) with A >= 1")
        check_means(means, self.reward_law, "means")
        freeze(means)
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
        return digest_of({"means": self.means}, self.reward_law)
