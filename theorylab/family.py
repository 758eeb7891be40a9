"""Families: named functions from parameters to a model.

A family is the object a theorem quantifies over: `riverswim(states=6, variant="osband")` is one instance of
it, and the horizon T may be a parameter where the hard instance depends on it. A model file defines one
module-level `Family`; the registry finds it by the file's name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from theorylab.errors import InputError, nearest

__all__ = ["Family"]


@dataclass(frozen=True)
class Family:
    """A parametrised family of models.

    Attributes:
        name: the name used on the command line, in studies and in the catalogue (`riverswim`).
        build: function from keyword parameters to a model; its signature gives names and defaults.
        setting: "bandit" or "mdp".
        cite: BibTeX key of the source of the definition, or "" if it is folklore.
        source_tag: "source", "recalled" or "derived": how well the definition was checked.
        text: one paragraph: definition, parameters, known exact quantities.

    Calling the family builds a model. Families of MDPs also take `horizon` (episodes of that many stages), `start` (a
    fixed first state), `rewards` ("deterministic" or "bernoulli") and `noise` (Gaussian rewards of that sd). An
    unknown parameter raises `InputError` with the nearest names.
    """

    name: str
    build: Callable[..., Any]
    setting: str
    cite: str = ""
    source_tag: str = "source"
    text: str = ""
    tags: tuple[str, ...] = field(default=())

    @property
    def params(self) -> dict[str, Any]:
        """Parameter names with their defaults (`inspect.Parameter.empty` where one must be given)."""
        return {k: v.default for k, v in inspect.signature(self.build).parameters.items()}

    def __call__(self, **params: Any) -> Any:
        known = self.params
        common = {k: params.pop(k) for k in COMMON if k in params and k not in known and self.setting == "mdp"}
        for key in params:
            if key not in known:
                raise InputError(f"model '{self.name}' has no parameter '{key}'{nearest(key, [*known, *COMMON])}")
        for key, default in known.items():
            if default is inspect.Parameter.empty and key not in params:
                raise InputError(f"model '{self.name}' needs the parameter '{key}'; give {key}=...")
        return _adapt(self.build(**params), common)


#: parameters that every family of MDPs takes besides its own
COMMON = ("horizon", "start", "rewards", "noise")


def _adapt(model: Any, common: dict[str, Any]) -> Any:
    """Episodes of `horizon` stages, a `start` state or "uniform", another law of `rewards`, Gaussian `noise`."""
    if not common:
        return model
    import numpy as np

    from theorylab.model import FiniteHorizon, RewardLaw

    changes: dict[str, Any] = {}
    suffix = ""
    if "horizon" in common:
        changes["criterion"] = FiniteHorizon(common["horizon"])
        suffix += f"-H{common['horizon']}"
    if "start" in common:
        start = common["start"]
        if start == "uniform":
            changes["mu0"] = np.full(model.S, 1.0 / model.S)
        elif isinstance(start, bool) or not isinstance(start, int) or not 0 <= start < model.S:
            raise InputError(f"model '{model.name}': start={start!r} is neither 'uniform' nor in 0..{model.S - 1}")
        else:
            changes["mu0"] = np.eye(model.S)[start]
        suffix += f"-from-{start}"
    law = model.reward_law
    if "rewards" in common:
        changes["reward_law"] = RewardLaw(common["rewards"], low=law.low, high=law.high)
        suffix += f"-{common['rewards']}"
    if "noise" in common:
        changes["reward_law"] = RewardLaw("gaussian", low=law.low, high=law.high, sd=common["noise"])
        suffix += f"-noise{common['noise']:g}"
    return replace(model, name=model.name + suffix, **changes)
