"""Targets of a worst-case search without runs: lemmas and planners, whose ratio is an exact function of an instance.

A target is a module-level `target` of a file in the folder `attacks` of a content package (`proofs_check/attacks`);
`theorylab attack NAME` finds it by the file's name.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from theorylab.adversary_space import Point, Space
from theorylab.errors import InputError, nearest

__all__ = ["MARGIN", "Target", "find_target", "targets"]

#: a float ratio must exceed 1 by this much to refute a target that has no exact form
MARGIN = 1e-9


def _no_starts(space: Space) -> Sequence[tuple[str, Point]]:
    return ()


@dataclass(frozen=True, eq=False)
class Target:
    """A lemma for all models, as the ratio of its left side to its right side; above 1 it is false.

    Attributes:
        name: of its file, with dashes. text: the statement. source_tag: "source", "recalled" or "derived".
        space: sizes by keyword -> `Space`, with defaults. objective: point -> ratio.
        starts: known hard instances of a space. merge: letters whose indices `simplify` may join.
        exact: the ratio in fractions, of a point whose arrays hold `fractions.Fraction`; None: floats decide, with a
            margin of `MARGIN`.
        attainable: the largest ratio that is known to be attained, if one is.
    """

    name: str
    text: str
    source_tag: str
    space: Callable[..., Space]
    objective: Callable[[Point], float]
    starts: Callable[[Space], Sequence[tuple[str, Point]]] = _no_starts
    merge: str = "S"
    exact: Callable[[Mapping[str, Any]], Fraction] | None = None
    attainable: float | None = None


def targets() -> list[str]:
    """Names of all registered targets, without importing any."""
    from theorylab.registry import names

    return names("attacks")


def find_target(name: str) -> Target:
    """The target called `name`, dashes and underscores alike; unknown: `InputError` with the nearest names."""
    from theorylab.registry import content_packages

    key = name.replace("_", "-")
    if key not in targets():
        raise InputError(f"unknown target '{name}'{nearest(name, targets())}")
    for package in content_packages():
        module = f"{package}.attacks.{key.replace('-', '_')}"
        if _exists(module):
            return importlib.import_module(module).target  # type: ignore[no-any-return]
    raise AssertionError(f"{name} is listed but has no file")


def _exists(module: str) -> bool:
    from importlib.util import find_spec

    package = module.rpartition(".")[0]
    return find_spec(package) is not None and find_spec(module) is not None
