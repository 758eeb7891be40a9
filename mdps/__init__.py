"""Content for Markov decision processes and sequential games: one model or learner a file, loaded at first use."""

from __future__ import annotations

from mdps import games, models

__all__ = ["games", "models"]
