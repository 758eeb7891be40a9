"""Families: named functions from parameters to a model.

A family is the object a theorem quantifies over: `riverswim(states=6, variant="osband")` is one instance of
it, and the horizon T may be a parameter where the hard instance depends on it. A model file defines one
module-level `Family`; the registry finds it by the file's name.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, field
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

    Calling the family builds a model. An unknown parameter raises `InputError` with the nearest names.
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
        for key in params:
            if key not in known:
                raise InputError(f"model '{self.name}' has no parameter '{key}'{nearest(key, known)}")
        for key, default in known.items():
            if default is inspect.Parameter.empty and key not in params:
                raise InputError(f"model '{self.name}' needs the parameter '{key}'; give {key}=...")
        return self.build(**params)
