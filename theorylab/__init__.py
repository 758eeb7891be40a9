"""TheoryLab: theorems of reinforcement learning as executable claims.

The public names are imported on first use, so that `theorylab --help` and the registry stay light.
"""

from __future__ import annotations

import importlib
import sys
from types import ModuleType
from typing import Any

__version__ = "0.1.0"

_HOME = {
    "AverageReward": "model",
    "Bandit": "model",
    "Certified": "plan",
    "Claim": "claim",
    "ContextualBandit": "linear_bandit",
    "Control": "claim",
    "Curves": "simulation",
    "Discounted": "model",
    "Dominates": "claim",
    "Evidence": "evidence",
    "Expectation": "claim",
    "Family": "family",
    "FiniteHorizon": "model",
    "Growth": "claim",
    "HighProbability": "claim",
    "Identity": "claim",
    "InputError": "errors",
    "Instance": "claim",
    "Learner": "learner",
    "LinearBandit": "linear_bandit",
    "LinearMDP": "linear",
    "LinearMixtureMDP": "linear",
    "Monitor": "probe",
    "Plan": "plan",
    "Pointwise": "claim",
    "Probe": "probe",
    "RewardLaw": "model",
    "ShortestPath": "model",
    "Simulation": "simulation",
    "Store": "store",
    "Study": "study",
    "TabularMDP": "model",
    "WorstCase": "claim",
    "bias_span": "plan",
    "check": "check",
    "check_many": "check",
    "diameter": "plan",
    "evaluate": "plan",
    "evaluate_batch": "plan",
    "exact_plan": "plan",
    "gain_bias": "plan",
    "gaps": "plan",
    "hardness": "hardness",
    "hitting_times": "plan",
    "kernel": "kernel",
    "minimal_gap": "plan",
    "mixing_time": "plan",
    "occupancy": "plan",
    "plan": "plan",
    "plan_batch": "plan",
    "plan_constrained": "plan",
    "plan_multichain": "plan",
    "run": "run",
    "stationary_distribution": "plan",
}

__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'theorylab' has no attribute '{name}'")
    return getattr(importlib.import_module(f"theorylab.{_HOME[name]}"), name)


def __dir__() -> list[str]:
    return __all__


class _Package(ModuleType):
    def __setattr__(self, name: str, value: Any) -> None:
        # the import system sets a submodule on its package; `run`, `check`, `plan`, `kernel` stay the functions
        if isinstance(value, ModuleType) and _HOME.get(name) == name:
            value = getattr(value, name)
        super().__setattr__(name, value)


sys.modules[__name__].__class__ = _Package
