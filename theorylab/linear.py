"""Linear MDPs and linear mixture MDPs: frozen records of features and parameters with an exact tabular embedding.

    linear MDP           P[h](s2|s,a) = <phi(s,a), mu[h,:,s2]>      r[h](s,a) = <phi(s,a), theta[h]>
    linear mixture MDP   P[h](s2|s,a) = <phi(s2|s,a), theta[h]>     r(s,a) is given

Sources: Jin, Yang, Wang and Jordan (2020), Assumption A [recalled]; Zhang, Zhang and Gu (2023), section 1 [source].

What is exact. The kernel and the rewards of a record are the float64 arrays `P` and `r`; `.tabular()` holds these very
arrays. They are the computed products of the factors, or arrays given besides them, as hard instances need: their
features have signs, so that a computed product may miss [0, 1] by a rounding. With d non-zero products and unit
roundoff u = 2^-53, the computed product is within gamma_d sum_i |x_i y_i| of the exact one, gamma_n = n u / (1 - n u)
(Higham 2002, section 3.1) [recalled]. A given array may differ from the computed product by gamma_(d+16) sum_i |x_i
y_i|: the sum itself, and factors and entries that are each within four roundings of a real number [derived].
`kernel_error` and `reward_error` are proved bounds on what is left between the array and the exact product of the
float64 factors. Nothing is clipped or renormalised. The norms of the literature are assumptions of theorems, not of a
record.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorylab.criteria import AVERAGE_REWARD, DETERMINISTIC, Criterion, FiniteHorizon, RewardLaw
from theorylab.errors import InputError
from theorylab.model import TabularMDP
from theorylab.validate import at, check_means, digest_of, first, floats, freeze

__all__ = ["LinearMDP", "LinearMixtureMDP", "Product", "factor", "norm_bound", "product", "settle"]

Floats = NDArray[np.float64]

U = 2.0**-53
TINY = 2.0**-1022  # products below it may lose all their digits
FACTOR_ROUNDINGS = 16  # two factors and the given entry, four roundings each, and four for combining them


class Product(NamedTuple):
    """A computed sum of products.

    Attributes:
        value: the sums, added in index order.
        weight: upper bounds on the sums of absolute values.
        nonzero: numbers of non-zero products, the only ones that bring roundings.
        terms: number of products.
    """

    value: Floats
    weight: Floats
    nonzero: Floats
    terms: int

    def bound(self, more: int = 0) -> Floats:
        """gamma_(nonzero + more) times the weight: the rounding of the sum, and of `more` roundings a term besides."""
        n = self.nonzero + more
        return n * U / (1.0 - n * U) * self.weight + self.terms * TINY


def product(pairs: Iterator[tuple[Floats, Floats]]) -> Product:
    """sum_i x_i y_i over one or more pairs of arrays that broadcast: the same bits on every machine."""
    first_x, first_y = next(pairs)
    term = np.asarray(first_x * first_y)
    value, weight, nonzero, terms = term.copy(), np.abs(term), (term != 0).astype(np.float64), 1
    for x, y in pairs:
        np.multiply(x, y, out=term)
        value += term
        nonzero += term != 0
        weight += np.abs(term, out=term)
        terms += 1
    weight *= 1.0 + 4.0 * (terms + 2) * U  # outweighs the rounding of the weight itself
    return Product(value, weight, nonzero, terms)


def factor(x: ArrayLike, name: str, *shapes: tuple[Any, ...]) -> Floats:
    """A private, read-only float64 copy of a factor; entries finite, one of the shapes (letters fit any size)."""
    array = floats(x, name)
    fits = [
        len(shape) == array.ndim
        and all(isinstance(n, str) or n == m for n, m in zip(shape, array.shape, strict=True))
        and 0 not in array.shape
        for shape in shapes
    ]
    if not any(fits):
        wanted = " or ".join(
            "(" + ", ".join(map(str, shape)) + ("," if len(shape) == 1 else "") + ")" for shape in shapes
        )
        raise InputError(f"{name} has shape {array.shape}; expected {wanted}")
    bad = ~np.isfinite(array)
    if bad.any():
        i = first(bad)
        raise InputError(f"{at(name, i)} is {float(array[i])}; features and parameters must be finite: fix that entry")
    freeze(array)
    return array


def settle(given: Any, computed: Product, name: str, rule: str) -> tuple[Floats, float]:
    """The array a record holds, with a proved bound on its distance from the exact product of the factors.

    `given` is None for the computed product, else an array that must agree with it up to rounding; `rule` says in
    words what the product is.
    """
    error = computed.bound()
    if given is None:
        return computed.value, float(error.max())
    array = floats(given, name)
    if array.shape != computed.value.shape:
        raise InputError(f"{name} has shape {array.shape}; the factors give shape {computed.value.shape}")
    off = np.abs(array - computed.value)
    tolerance = computed.bound(FACTOR_ROUNDINGS)
    bad = ~(off <= tolerance) | ~np.isfinite(tolerance)
    if bad.any():
        i = first(bad)
        raise InputError(
            f"{at(name, i)} is {float(array[i])!r} but {rule} is {float(computed.value[i])!r}, and rounding explains "
            f"no more than {float(tolerance[i]):.1e}: fix the factors, or give {name}=None to take the computed product"
        )
    return array, float((off + error).max() * (1.0 + 4.0 * U))


def norm_bound(x: Floats) -> float:
    """The largest Euclidean norm along the last axis, rounded up: never below the exact one, and above it by less than
    a relative (n + 10) u for vectors of n entries (entries below 1e-150 in size count as nothing)."""
    largest, n = float(np.sqrt((x * x).sum(axis=-1)).max()), int(x.shape[-1])
    return largest * (1.0 + (n + 8) * U)


class _Embedded:
    """What both records read off their tabular embedding."""

    mu0: Floats

    @property
    def _model(self) -> TabularMDP:
        model: TabularMDP = self.__dict__["_tabular"]
        return model

    @property
    def S(self) -> int:
        """Number of states."""
        return self._model.S

    @property
    def A(self) -> int:
        """Number of actions."""
        return self._model.A

    @property
    def H(self) -> int:
        """Stages of an episode; `InputError` unless the criterion is FiniteHorizon."""
        return self._model.H

    @property
    def setting(self) -> str:
        """The setting of the tabular embedding: "episodic", "average", "discounted" or "ssp"."""
        return self._model.setting

    @property
    def kernel_error(self) -> float:
        """A proved bound on max |P[..,s,a,s2] - product of the float64 factors in exact arithmetic|."""
        return float(self.__dict__["_kernel_error"])

    def _settle(self, P: Floats, r: Floats, reason: str) -> None:
        """Check P, r and the rest as a tabular model does, and keep the checked arrays."""
        this: Any = self
        try:
            model = TabularMDP(P, r if r.ndim == 2 else r[0], this.mu0, this.criterion, this.reward_law, this.name)
            check_means(r, this.reward_law, "r")
        except InputError as error:
            raise InputError(f"{type(self).__name__}: {error}{reason}") from None
        freeze(r)
        for key, value in (("P", model.P), ("r", model.r if r.ndim == 2 else r), ("mu0", model.mu0)):
            object.__setattr__(self, key, value)
        object.__setattr__(self, "_tabular", model)

    def _stages(self, x: ArrayLike, name: str, shape: tuple[Any, ...]) -> Floats:
        """A factor of that shape, or with a stage axis before it where the criterion has stages."""
        criterion = self.__dict__["criterion"]
        if isinstance(criterion, FiniteHorizon):
            return factor(x, name, shape, (criterion.H, *shape))
        if np.ndim(x) > len(shape):
            raise InputError(
                f"{name} has shape {np.shape(x)}, stage-dependent, with criterion {criterion}; use FiniteHorizon(H) "
                "or leave out the stages"
            )
        return factor(x, name, shape)


@dataclass(frozen=True, eq=False)
class LinearMDP(_Embedded):
    """A linear MDP: transitions and mean rewards are linear in known features.

    Attributes:
        phi: float64 (S,A,d), features.
        mu: float64 (d,S), one signed measure on the states a feature; (H,d,S) with criterion FiniteHorizon(H).
        theta: float64 (d,), parameters of the mean rewards, in units of reward; (H,d) with FiniteHorizon(H).
        mu0, criterion, reward_law, name: as in `TabularMDP`.
        P: the kernel (S,A,S) or (H,S,A,S): the computed phi @ mu, or an array given besides, equal up to rounding.
        r: the mean rewards (S,A) or (H,S,A), likewise phi @ theta.

    Arrays are private float64 copies, read-only. `dataclasses.replace` passes P and r on: to replace factors, also
    give P=None and r=None.

    Raises:
        InputError: what `TabularMDP` refuses, for the product of the factors; a factor of a wrong shape or with an
            entry that is not finite; a given P or r that is not the product. The text names the entry and the mend.
    """

    phi: Floats
    mu: Floats
    theta: Floats
    mu0: Floats = None  # type: ignore[assignment]  # None is replaced by the default in __post_init__
    criterion: Criterion = AVERAGE_REWARD
    reward_law: RewardLaw = DETERMINISTIC
    name: str = ""
    P: Floats = None  # type: ignore[assignment]
    r: Floats = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        phi = factor(self.phi, "phi", ("S", "A", "d"))
        S, _, d = phi.shape
        mu = self._stages(self.mu, "mu", (d, S))
        theta = self._stages(self.theta, "theta", (d,))
        kernel = product((phi[..., i, None], mu[..., None, None, i, :]) for i in range(d))
        rewards = product((phi[..., i], theta[..., None, None, i]) for i in range(d))
        P, kernel_error = settle(self.P, kernel, "P", "phi[s,a] . mu[..,:,s2]")
        r, reward_error = settle(self.r, rewards, "r", "phi[s,a] . theta")
        for key, value in (("phi", phi), ("mu", mu), ("theta", theta)):
            object.__setattr__(self, key, value)
        object.__setattr__(self, "_kernel_error", kernel_error)
        object.__setattr__(self, "_reward_error", reward_error)
        reason = (
            " (P is phi @ mu and r is phi @ theta; where rounding alone is to blame, give the exact P or r besides)"
        )
        self._settle(P, r, reason if self.P is None or self.r is None else "")

    @property
    def d(self) -> int:
        """Number of features."""
        return int(self.phi.shape[-1])

    @property
    def reward_error(self) -> float:
        """A proved bound on max |r - phi . theta|, in units of reward."""
        return float(self.__dict__["_reward_error"])

    @property
    def feature_norm(self) -> float:
        """max ||phi(s,a)||_2, rounded up; theorems ask for at most 1."""
        return norm_bound(self.phi)

    @property
    def measure_norm(self) -> float:
        """max_h ||mu_h(S)||_2, mu_h(S) = sum_s2 mu[h,:,s2], rounded up; theorems ask for at most sqrt(d)."""
        S = self.mu.shape[-1]
        total = np.abs(self.mu.sum(axis=-1)) + S * U / (1.0 - S * U) * np.abs(self.mu).sum(axis=-1) * (1.0 + 2 * S * U)
        return norm_bound(total)

    @property
    def parameter_norm(self) -> float:
        """max_h ||theta_h||_2, rounded up; theorems ask for at most sqrt(d)."""
        return norm_bound(self.theta)

    def tabular(self) -> TabularMDP:
        """The same model as a TabularMDP, sharing P and r.

        Where theta depends on the stage so do the rewards, which a TabularMDP cannot hold: the embedding then has H*S
        states, state h*S + s being s at stage h, with P sparse. Its start is `mu0` on stage 0, and its value there
        is the model's.
        """
        return self._model if self.r.ndim == 2 else _unrolled(self)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of arrays, shapes, criterion and reward law; the name does not enter."""
        arrays = {"phi": self.phi, "mu": self.mu, "theta": self.theta, "P": self.P, "r": self.r, "mu0": self.mu0}
        return digest_of(arrays, self.criterion, self.reward_law)


def _unrolled(model: LinearMDP) -> TabularMDP:
    from scipy.sparse import csr_array

    H, S, A = model.r.shape
    P = np.broadcast_to(model.P, (H, S, A, S))
    h, s, a, s2 = np.nonzero(P)
    # the successors of the last stage are never used; they go back to stage 0 so that every row is a law
    index = ((h * S + s) * A + a, (h + 1) % H * S + s2)
    return TabularMDP(
        P=csr_array((P[h, s, a, s2], index), shape=(H * S * A, H * S)),
        r=model.r.reshape(H * S, A),
        mu0=np.concatenate([model.mu0, np.zeros((H - 1) * S)]),
        criterion=model.criterion,
        reward_law=model.reward_law,
        name=model.name,
    )


@dataclass(frozen=True, eq=False)
class LinearMixtureMDP(_Embedded):
    """A linear mixture MDP: the kernel is a linear combination of known base kernels.

    Attributes:
        phi: float64 (S,A,S,d), phi[s,a,s2] the features of a transition.
        theta: float64 (d,), the parameters; (H,d) with criterion FiniteHorizon(H).
        r: float64 (S,A), known mean rewards, in units of reward.
        mu0, criterion, reward_law, name: as in `TabularMDP`.
        P: the kernel (S,A,S) or (H,S,A,S): the computed phi @ theta, or an array given besides, equal up to rounding.

    Arrays are private float64 copies, read-only. `dataclasses.replace` passes P on: to replace phi or theta, also give
    P=None.

    Raises:
        InputError: as for `LinearMDP`.
    """

    phi: Floats
    theta: Floats
    r: Floats
    mu0: Floats = None  # type: ignore[assignment]  # None is replaced by the default in __post_init__
    criterion: Criterion = AVERAGE_REWARD
    reward_law: RewardLaw = DETERMINISTIC
    name: str = ""
    P: Floats = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        phi = factor(self.phi, "phi", ("S", "A", "S", "d"))
        S, A, S2, d = phi.shape
        if S2 != S:
            raise InputError(f"phi has shape {phi.shape}; expected (S, A, S, d), with as many successors as states")
        theta = self._stages(self.theta, "theta", (d,))
        r = factor(self.r, "r", (S, A))
        kernel = product((phi[..., i], theta[..., None, None, None, i]) for i in range(d))
        P, kernel_error = settle(self.P, kernel, "P", "phi[s,a,s2] . theta")
        object.__setattr__(self, "phi", phi)
        object.__setattr__(self, "theta", theta)
        object.__setattr__(self, "_kernel_error", kernel_error)
        reason = " (P is phi @ theta; where rounding alone is to blame, give the exact P besides)"
        self._settle(P, r, reason if self.P is None else "")

    @property
    def d(self) -> int:
        """Number of base kernels."""
        return int(self.phi.shape[-1])

    @property
    def parameter_norm(self) -> float:
        """max_h ||theta_h||_2, rounded up: the B of theorems."""
        return norm_bound(self.theta)

    @property
    def value_feature_norm(self) -> float:
        """An upper bound on max ||phi_V(s,a)||_2 over (s,a) and V: S -> [0,1]; theorems ask for at most 1.

        Each coordinate of phi_V is at most the larger of the sums of its positive and of its negative parts. The bound
        is attained where one V attains all of them, as when no feature is negative.
        """
        S = self.phi.shape[2]
        parts = np.maximum(np.maximum(self.phi, 0).sum(axis=2), np.maximum(-self.phi, 0).sum(axis=2))
        return norm_bound(parts * (1.0 + 2.0 * S * U))

    def value_features(self, V: ArrayLike) -> Floats:
        """phi_V[s,a] = sum_s2 phi[s,a,s2] V[s2], float64 (S,A,d), so that (P V)[s,a] = <phi_V[s,a], theta>.

        V is (S,). Rounding: each entry within gamma_S sum_s2 |phi V| of the exact sum.
        """
        values = factor(V, "V", (self.S,))
        out: Floats = np.einsum("satd,t->sad", self.phi, values)
        return out

    def tabular(self) -> TabularMDP:
        """The same model as a TabularMDP, sharing P and r."""
        return self._model

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of arrays, shapes, criterion and reward law; the name does not enter."""
        arrays = {"phi": self.phi, "theta": self.theta, "P": self.P, "r": self.r, "mu0": self.mu0}
        return digest_of(arrays, self.criterion, self.reward_law)
