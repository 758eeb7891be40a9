"""Folders of models as namespaces: `mdps.models.riverswim(states=6)` from the file `mdps/models/riverswim.py`.

A `models/__init__.py` calls `lazy_models(__name__, {...})`. Then an attribute of the package is the `Family`
that the file of that name defines, loaded at first use, and stays so however the file came to be imported:
Python's import system would otherwise overwrite the attribute with the module. Light: imports no array library.
"""

from __future__ import annotations

import importlib
import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from theorylab.errors import nearest

__all__ = ["lazy_models"]


class _Models(ModuleType):
    _functions: Mapping[str, str]

    def __setattr__(self, name: str, value: Any) -> None:
        # the import system sets the submodule on its package; keep the family there instead
        if isinstance(value, ModuleType) and not name.startswith("_") and hasattr(value, "family"):
            value = value.family
        super().__setattr__(name, value)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(f"module '{self.__name__}' has no attribute '{name}'")
        if name in self._functions:
            value = getattr(importlib.import_module(f"{self.__name__}.{self._functions[name]}"), name)
        elif name in self._families():
            # a file without a module-level `family` fails here, loudly
            value = importlib.import_module(f"{self.__name__}.{name}").family
        else:
            raise AttributeError(f"{self.__name__} has no model '{name}'{nearest(name, dir(self))}")
        super().__setattr__(name, value)
        return value

    def _families(self) -> list[str]:
        return sorted(f.stem for root in self.__path__ for f in Path(root).glob("*.py") if not f.stem.startswith("_"))

    def __dir__(self) -> list[str]:
        return sorted({*self._families(), *self._functions})


def lazy_models(package: str, functions: Mapping[str, str] | None = None) -> None:
    """Turn the package called `package` into a namespace of families.

    `functions` maps further public names to the submodule that defines them (`from_gymnasium` to `_gymnasium`).
    An unknown attribute raises `AttributeError` with the nearest names.
    """
    module = sys.modules[package]
    module.__dict__["_functions"] = dict(functions or {})
    module.__class__ = _Models
