"""Families: named functions from parameters to a model.

A family is the object a theorem quantifies over: `riverswim(states=6, variant="osband")` is one instance of
it, and the horizon T may be a parameter where the hard instance depends on it. A model file defines one
module-level `Family`; the registry finds it by the file's name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from theorylab.errors import InputError, nearest

__all__ = ["GAMES", "Family", "Grid", "Published"]

#: settings of games: solvers run on them; there is no plan, which is for one agent
GAMES = frozenset({"game", "matrix-game"})


@dataclass(frozen=True)
class Published:
    """One instance of a family with a name of its own, as it stands in a paper or in public code.

    Attributes:
        name: unique among all models, such as "riverswim-osband-6"; `find_model(name)` finds it.
        params: parameters of the family that make the instance.
        digest: the first 16 hexadecimal digits of the model's content hash.
        known: exact quantities as printed digits, a true number within one unit of the last digit. Keys: "gain",
            "bias_span", "diameter", "gap" (smallest positive gap), "value" (expected value under mu0), "best_mean".
            Of games: "nodes", "infosets", "value" (of player 0 at an equilibrium, zero-sum), "optimum" (best expected
            payoff, common payoff), "uniform_value" (of player 0 under uniform play), "uniform_exploitability".
        cite, tag: BibTeX key and source tag of this variant, where they differ from the family's.
        text: what sets the variant apart, one sentence.
    """

    name: str
    params: Mapping[str, Any]
    digest: str
    known: Mapping[str, str]
    cite: str = ""
    tag: str = ""
    text: str = ""


@dataclass(frozen=True)
class Grid:
    """Where the states of a model lie in a plane, for pictures.

    Attributes:
        shape: rows and columns.
        cells: state -> (row, column), row 0 at the top; states that are left out are not drawn.
        arrows: one character an action.
        marks: state -> one character shown instead of an arrow (goal, hole).
    """

    shape: tuple[int, int]
    cells: Mapping[int, tuple[int, int]]
    arrows: str
    marks: Mapping[int, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Family:
    """A parametrised family of models.

    Attributes:
        name: the name used on the command line, in studies and in the catalogue (`riverswim`).
        build: function from keyword parameters to a model; its signature gives names and defaults.
        setting: "mdp", "bandit", "linear-bandit", "contextual-bandit", "game" or "matrix-game".
        cite: BibTeX key of the source of the definition, or "" if it is folklore.
        source_tag: "source", "recalled" or "derived": how well the definition was checked.
        text: one paragraph: definition, parameters, known exact quantities.
        published: the instances that have names of their own, with content hash and exact quantities.
        grid: parameters of the family -> `Grid`, where the states lie in a plane.

    Calling the family builds a model; parameters go by name or, in the order of `build`, by position. Families of MDPs
    also take `horizon` (episodes of that many stages), `start` (a fixed first state), `rewards` ("deterministic" or
    "bernoulli") and `noise` (Gaussian rewards of that sd). An unknown parameter raises `InputError` with the nearest
    names.
    """

    name: str
    build: Callable[..., Any]
    setting: str
    cite: str = ""
    source_tag: str = "source"
    text: str = ""
    tags: tuple[str, ...] = field(default=())
    published: tuple[Published, ...] = ()
    grid: Callable[..., Grid] | None = None

    @property
    def params(self) -> dict[str, Any]:
        """Parameter names with their defaults (`inspect.Parameter.empty` where one must be given)."""
        if isinstance(self.build, partial):
            return {}
        return {k: v.default for k, v in inspect.signature(self.build).parameters.items()}

    def __call__(self, *args: Any, **params: Any) -> Any:
        known = self.params
        if len(args) > len(known):
            raise InputError(f"model '{self.name}' has {len(known)} parameters; {len(args)} were given by position")
        for key, value in zip(known, args, strict=False):
            if key in params:
                raise InputError(f"model '{self.name}': {key} is given twice, by position and by name; give it once")
            params[key] = value
        options = COMMON if self.setting == "mdp" else ()
        common = {k: params.pop(k) for k in options if k in params and k not in known}
        for key in params:
            if key not in known:
                hint = nearest(key, [*known, *options]) if known or options else "; it has none"
                raise InputError(f"model '{self.name}' has no parameter '{key}'{hint}")
        for key, default in known.items():
            if default is inspect.Parameter.empty and key not in params:
                raise InputError(f"model '{self.name}' needs the parameter '{key}'; give {key}=...")
        return _adapt(self.build(**params), common)

    def instance(self, name: str) -> Family:
        """The published instance called `name` as a family without parameters of its own (see `Published`)."""
        for published in self.published:
            if published.name == name:
                grid = None if self.grid is None else partial(self.grid, **published.params)
                return replace(
                    self,
                    name=name,
                    build=partial(_instance, self, published),
                    grid=grid,
                    cite=published.cite or self.cite,
                    source_tag=published.tag or self.source_tag,
                    text=published.text or self.text,
                )
        known = [p.name for p in self.published]
        raise InputError(f"model '{self.name}' has no published instance '{name}'{nearest(name, known)}")


def _instance(family: Family, published: Published) -> Any:
    return replace(family.build(**published.params), name=published.name)


#: parameters that every family of MDPs takes besides its own
COMMON = ("horizon", "start", "rewards", "noise")


def _adapt(model: Any, common: dict[str, Any]) -> Any:
    """Episodes of `horizon` stages, a `start` state or "uniform", another law of `rewards`, Gaussian `noise`."""
    if not common:
        return model
    import numpy as np

    from theorylab.criteria import HUGE, FiniteHorizon, RewardLaw
    from theorylab.parameters import choice, integer, number

    changes: dict[str, Any] = {}
    suffix, what = "", f"model '{model.name}'"
    if "horizon" in common:
        horizon = integer(what, "horizon", common["horizon"], 1)
        changes["criterion"] = FiniteHorizon(horizon)
        suffix += f"-H{horizon}"
    if "start" in common:
        start = common["start"]
        if isinstance(start, str):
            if start != "uniform":
                raise InputError(f"{what}: start is '{start}'; give 'uniform' or a state in 0..{model.S - 1}")
            changes["mu0"] = np.full(model.S, 1.0 / model.S)
        else:
            start = integer(what, "start", start, 0, model.S - 1)
            changes["mu0"] = np.zeros(model.S)
            changes["mu0"][start] = 1.0
        suffix += f"-from-{start}"
    law = model.reward_law
    if "rewards" in common:
        if "noise" in common:
            raise InputError(f"{what}: rewards and noise each set the law of rewards (noise: Gaussian); give one")
        kind = choice(what, "rewards", common["rewards"], ("deterministic", "bernoulli"))
        changes["reward_law"] = RewardLaw(kind, low=law.low, high=law.high)
        suffix += f"-{kind}"
    if "noise" in common:
        sd = number(what, "noise", common["noise"], 0.0, HUGE, open_low=True)
        changes["reward_law"] = RewardLaw("gaussian", low=law.low, high=law.high, sd=sd)
        suffix += f"-noise{sd:g}"
    return replace(model, name=model.name + suffix, **changes)
