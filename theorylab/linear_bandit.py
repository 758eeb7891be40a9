"""Linear and contextual bandits: frozen records with exact embeddings as a `Bandit` and as a `TabularMDP`.

What is exact, and how means that are given besides the factors are checked: see `theorylab.linear`. Definitions are
the textbook's (Lattimore and Szepesvari, Bandit Algorithms, 2020, chapter 19) [recalled].
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from theorylab.criteria import AVERAGE_REWARD, RewardLaw
from theorylab.errors import InputError
from theorylab.linear import factor, norm_bound, product, settle
from theorylab.model import Bandit, TabularMDP
from theorylab.validate import check_law, check_means, check_name, check_probabilities, digest_of, floats, freeze

__all__ = ["UNIT_GAUSSIAN", "ContextualBandit", "LinearBandit"]

Floats = NDArray[np.float64]

UNIT_GAUSSIAN = RewardLaw("gaussian", low=-1.0, high=1.0, sd=1.0)  # the usual noise of linear bandits
BLAME = " (means are features @ theta; where rounding alone is to blame, give the exact means besides)"


@dataclass(frozen=True, eq=False)
class LinearBandit:
    """A stochastic linear bandit with finitely many arms: the mean of arm a is <features[a], theta>.

    Attributes:
        features: float64 (A,d), one vector an arm.
        theta: float64 (d,), the parameter, in units of reward.
        reward_law: law of a reward given its mean; Gaussian with sd 1 and means in [-1, 1] by default.
        name: for labels only; not part of the digest.
        means: float64 (A,): the computed features @ theta, or an array given besides, equal to it up to rounding.

    Raises:
        InputError: a factor of a wrong shape or with an entry that is not finite, a mean outside the declared range,
            given means that are not the product. The text names the entry and the mend.
    """

    features: Floats
    theta: Floats
    reward_law: RewardLaw = UNIT_GAUSSIAN
    name: str = ""
    means: Floats = None  # type: ignore[assignment]  # None is replaced by the product in __post_init__

    def __post_init__(self) -> None:
        features = factor(self.features, "features", ("A", "d"))
        theta = factor(self.theta, "theta", (features.shape[1],))
        computed = product((features[:, i], theta[i]) for i in range(theta.size))
        means, error = settle(self.means, computed, "means", "features[a] . theta")
        try:
            bandit = Bandit(means, self.reward_law, self.name)
        except InputError as reason:
            raise InputError(f"LinearBandit: {reason}{BLAME if self.means is None else ''}") from None
        for key, value in (("features", features), ("theta", theta), ("means", bandit.means)):
            object.__setattr__(self, key, value)
        object.__setattr__(self, "_bandit", bandit)
        object.__setattr__(self, "_mean_error", error)

    @property
    def A(self) -> int:
        """Number of arms."""
        return int(self.means.size)

    @property
    def d(self) -> int:
        """Number of features."""
        return int(self.theta.size)

    @property
    def best_mean(self) -> float:
        """The largest mean, in units of reward."""
        return self.bandit().best_mean

    @property
    def gaps(self) -> Floats:
        """float64 (A,): best mean minus the arm's mean, in units of reward."""
        return self.bandit().gaps

    @property
    def mean_error(self) -> float:
        """A proved bound on max |means[a] - <features[a], theta>|, in units of reward."""
        return float(self.__dict__["_mean_error"])

    @property
    def feature_norm(self) -> float:
        """max ||features[a]||_2, rounded up: the L of theorems."""
        return norm_bound(self.features)

    @property
    def parameter_norm(self) -> float:
        """||theta||_2, rounded up: the S or B of theorems."""
        return norm_bound(self.theta)

    @property
    def setting(self) -> str:
        """ "linear-bandit"."""
        return "linear-bandit"

    def bandit(self) -> Bandit:
        """The same arms without their features, as a Bandit with the same means."""
        bandit: Bandit = self.__dict__["_bandit"]
        return bandit

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the arrays and the reward law; the name does not enter."""
        return digest_of({"features": self.features, "theta": self.theta, "means": self.means}, self.reward_law)


@dataclass(frozen=True, eq=False)
class ContextualBandit:
    """A contextual bandit: each round a context x is drawn from `law`, independently of all else, and shown.

    Attributes:
        law: float64 (X,), law of the context.
        means: float64 (X,A), mean rewards, in units of reward. With features and theta it may be left out: the computed
            features @ theta; or be given besides, equal to it up to rounding.
        features: float64 (X,A,d), or None for means without structure.
        theta: float64 (d,), or None.
        reward_law: law of a reward given its mean; Gaussian with sd 1 and means in [-1, 1] by default.
        name: for labels only; not part of the digest.

    Raises:
        InputError: as for `LinearBandit`; a law that is none; neither means nor features.
    """

    law: Floats
    means: Floats = None  # type: ignore[assignment]
    features: Floats | None = None
    theta: Floats | None = None
    reward_law: RewardLaw = UNIT_GAUSSIAN
    name: str = ""

    def __post_init__(self) -> None:
        law = floats(self.law, "law")
        if law.ndim != 1 or law.size == 0:
            raise InputError(f"law has shape {law.shape}; expected (X,) with X >= 1, one probability a context")
        check_probabilities(law, "law")
        check_law(self.reward_law)
        check_name(self.name)
        X, blame, error = law.size, "", 0.0
        if self.features is None and self.theta is None:
            if self.means is None:
                raise InputError("ContextualBandit needs means (X, A), or features (X, A, d) with theta (d,)")
            means = factor(self.means, "means", (X, "A"))
        elif self.features is None or self.theta is None:
            missing = "theta (d,)" if self.theta is None else "features (X, A, d)"
            raise InputError(f"features and theta go together; give {missing} as well")
        else:
            features = factor(self.features, "features", (X, "A", "d"))
            theta = factor(self.theta, "theta", (features.shape[2],))
            computed = product((features[..., i], theta[i]) for i in range(theta.size))
            blame = BLAME if self.means is None else ""
            means, error = settle(self.means, computed, "means", "features[x,a] . theta")
            object.__setattr__(self, "features", features)
            object.__setattr__(self, "theta", theta)
        try:
            check_means(means, self.reward_law, "means")
        except InputError as reason:
            raise InputError(f"ContextualBandit: {reason}{blame}") from None
        for key, value in (("law", law), ("means", means)):
            freeze(value)
            object.__setattr__(self, key, value)
        object.__setattr__(self, "_mean_error", error)

    @property
    def X(self) -> int:
        """Number of contexts."""
        return int(self.means.shape[0])

    @property
    def A(self) -> int:
        """Number of arms."""
        return int(self.means.shape[1])

    @property
    def gaps(self) -> Floats:
        """float64 (X,A): best mean in the context minus the arm's mean, in units of reward."""
        gaps: Floats = self.means.max(axis=1, keepdims=True) - self.means
        return gaps

    @property
    def mean_error(self) -> float:
        """A proved bound on max |means[x,a] - <features[x,a], theta>|, in units of reward; 0 without features."""
        return float(self.__dict__["_mean_error"])

    @property
    def setting(self) -> str:
        """ "contextual-bandit"."""
        return "contextual-bandit"

    def tabular(self) -> TabularMDP:
        """The same problem as a TabularMDP with average reward: states are contexts, and P[x,a,x2] = law[x2].

        Its gain is the best expected reward a round, sum_x law[x] max_a means[x,a], and its gaps are those of the
        bandit. With `dataclasses.replace(..., criterion=FiniteHorizon(1))` an episode is one round.
        """
        P = np.broadcast_to(self.law, (self.X, self.A, self.X))
        return TabularMDP(P, self.means, self.law, AVERAGE_REWARD, self.reward_law, self.name)

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the arrays and the reward law; the name does not enter."""
        arrays = {"law": self.law, "means": self.means}
        if self.features is not None and self.theta is not None:
            arrays |= {"features": self.features, "theta": self.theta}
        return digest_of(arrays, self.reward_law)
