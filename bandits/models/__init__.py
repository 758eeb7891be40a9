"""Families of bandits, one a file: `bandits.models.bernoulli(means=[0.5, 0.6])`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theorylab.package import lazy_models

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


lazy_models(__name__)
