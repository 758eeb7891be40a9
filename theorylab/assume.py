"""Assumptions of theorems as predicates on models: None where one holds, else one sentence on what fails.

A claim lists the assumptions it needs; a model outside of them makes its verdict NOT_APPLICABLE, with the
sentence. A predicate decides exactly (graph reachability, declared ranges): it does no sampling.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.linear import LinearMDP, LinearMixtureMDP
from theorylab.model import AverageReward, Bandit, FiniteHorizon, TabularMDP

__all__ = [
    "ALL",
    "Assumption",
    "average_reward",
    "bandit",
    "communicating",
    "episodic",
    "linear_norms",
    "mixture_norms",
    "reachability",
    "rewards_in_01",
    "stationary",
    "unique_optimal_arm",
]


@dataclass(frozen=True)
class Assumption:
    """A condition of a theorem.

    Attributes:
        name: short name, shown in reports.
        text: the condition in words.
        predicate: model -> None where it holds, else one sentence that names what fails.

    Calling the assumption calls the predicate.
    """

    name: str
    text: str
    predicate: Callable[[Any], str | None]

    def __call__(self, model: Any) -> str | None:
        return self.predicate(model)


def reachability(model: TabularMDP) -> Any:
    """CSR (S,S) adjacency: s -> s2 where some action (and stage) has P[s,a,s2] > 0."""
    from scipy.sparse import csr_array

    if model.sparse:
        # the rows of the actions of a state stand side by side: together they are the arcs of the state
        arcs = np.ones(model.P.indices.size, dtype=np.int32)
        return csr_array((arcs, model.P.indices, model.P.indptr[:: model.A]), shape=(model.S, model.S))
    occurs = (model.P > 0).any(axis=(0, 2) if model.stage_dependent else 1)
    return csr_array(occurs.astype(np.int8))


def _rewards_in_01(model: Any) -> str | None:
    law = model.reward_law
    if law.kind == "gaussian":
        return "rewards are gaussian, hence unbounded"
    if law.low < 0 or law.high > 1:
        return f"the declared reward range is [{law.low:g}, {law.high:g}], not inside [0, 1]"
    return None


def _tabular(model: Any) -> str | None:
    return None if isinstance(model, TabularMDP) else f"the model is a {type(model).__name__}, not a TabularMDP"


def _embedded(model: Any) -> Any:
    """The tabular embedding of a linear model, else the model."""
    return model.tabular() if hasattr(model, "tabular") else model


def _communicating(model: Any) -> str | None:
    model = _embedded(model)
    if (wrong := _tabular(model)) is not None:
        return wrong
    from scipy.sparse.csgraph import breadth_first_order

    graph = reachability(model)
    # strongly connected when state 0 reaches every state, forwards and backwards along the arcs
    for forward in (True, False):
        seen: NDArray[np.bool_] = np.zeros(model.S, dtype=bool)
        seen[breadth_first_order(graph if forward else graph.T.tocsr(), 0, return_predecessors=False)] = True
        if not seen.all():
            lost = int(np.argmin(seen))
            source, target = (0, lost) if forward else (lost, 0)
            return f"state {source} cannot reach state {target} under any policy"
    return None


def _criterion(kind: type[Any], word: str) -> Callable[[Any], str | None]:
    def predicate(model: Any) -> str | None:
        model = _embedded(model)
        if (wrong := _tabular(model)) is not None:
            return wrong
        return None if isinstance(model.criterion, kind) else f"the criterion is {model.criterion}, not {word}"

    return predicate


def _bandit(model: Any) -> str | None:
    return None if isinstance(model, Bandit) else f"the model is a {type(model).__name__}, not a Bandit"


def _stationary(model: Any) -> str | None:
    model = _embedded(model)
    if isinstance(model, TabularMDP) and model.stage_dependent:
        return f"the transitions depend on the stage: P has shape {model.P.shape}"
    return None


def _unique_optimal_arm(model: Any) -> str | None:
    if (wrong := _bandit(model)) is not None:
        return wrong
    best = np.flatnonzero(model.gaps == 0)
    return None if best.size == 1 else f"arms {best[0]} and {best[1]} share the largest mean {model.best_mean:g}"


#: room for rounding in the norms of features that are themselves rounded
SLACK = 1e-12


def _linear_norms(model: Any) -> str | None:
    if not isinstance(model, LinearMDP):
        return f"the model is a {type(model).__name__}, not a LinearMDP"
    root = float(model.d) ** 0.5
    for what, value, cap in (
        ("max ||phi(s,a)||", model.feature_norm, 1.0),
        ("||mu(S)||", model.measure_norm, root),
        ("||theta||", model.parameter_norm, root),
    ):
        if value > cap * (1 + SLACK):
            return f"{what} is {value:g}, above {cap:g}"
    return None


def _mixture_norms(model: Any) -> str | None:
    if not isinstance(model, LinearMixtureMDP):
        return f"the model is a {type(model).__name__}, not a LinearMixtureMDP"
    value = model.value_feature_norm
    return None if value <= 1 + SLACK else f"max ||phi_V(s,a)|| over V in [0,1]^S may reach {value:g}, above 1"


rewards_in_01 = Assumption("rewards in [0,1]", "every reward lies in [0, 1]", _rewards_in_01)
communicating = Assumption("communicating", "every state can be reached from every other", _communicating)
episodic = Assumption("episodic", "episodes of H stages", _criterion(FiniteHorizon, "FiniteHorizon(H)"))
average_reward = Assumption("average reward", "long-run average", _criterion(AverageReward, "AverageReward()"))
bandit = Assumption("bandit", "a finite-armed stochastic bandit", _bandit)
stationary = Assumption("stationary", "transitions do not depend on the stage", _stationary)
unique_optimal_arm = Assumption("unique optimal arm", "one arm has the largest mean", _unique_optimal_arm)
linear_norms = Assumption(
    "linear MDP norms",
    "a linear MDP with ||phi|| <= 1, ||mu(S)|| and ||theta|| <= sqrt(d) (Jin et al. 2020, Assumption A [recalled])",
    _linear_norms,
)
mixture_norms = Assumption(
    "linear mixture norms",
    "a linear mixture MDP with ||phi_V|| <= 1 for V in [0,1]^S; decided by a sufficient condition, sharp where no "
    "feature is negative",
    _mixture_norms,
)

ALL = (
    rewards_in_01,
    communicating,
    episodic,
    average_reward,
    bandit,
    stationary,
    unique_optimal_arm,
    linear_norms,
    mixture_norms,
)
