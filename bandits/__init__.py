"""Content for bandits: one model or learner a file, loaded at first use."""

from __future__ import annotations

from bandits import models

__all__ = ["models"]
