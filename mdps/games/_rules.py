"""What the rules of several games share."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

__all__ = ["Rules", "zero_sum"]


class Rules:
    """Base of the rules: chance, where it moves, draws its moves alike."""

    def moves(self) -> Sequence[Hashable]:
        """The legal actions, or the outcomes of chance."""
        raise NotImplementedError

    def chance(self) -> Sequence[float]:
        """The probabilities of `moves()` where chance moves."""
        n = len(self.moves())
        return (1.0 / n,) * n


def zero_sum(x: float) -> tuple[float, float]:
    """Payoffs x and -x."""
    return (x, -x)
