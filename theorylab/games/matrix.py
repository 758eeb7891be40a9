"""Matrix games of two players, and their extensive form."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.games.form import TERMINAL, ExtensiveForm
from theorylab.validate import check_name, digest_of, floats, freeze

__all__ = ["MatrixGame"]

Floats: TypeAlias = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class MatrixGame:
    """A one-shot game: the row player chooses i, the column player j, at the same time.

    Attributes:
        row: float64 (m,n), payoffs of the row player (player 0), reward units.
        column: float64 (m,n), payoffs of the column player; minus `row` by default (a zero-sum game).
        name: for labels only; not part of the digest.

    Raises:
        InputError: shapes that differ or are empty, an entry that is not finite.
    """

    row: Floats
    column: Floats = None  # type: ignore[assignment]  # None is replaced by -row in __post_init__
    name: str = ""

    def __post_init__(self) -> None:
        check_name(self.name)
        row = floats(self.row, "row")
        column = floats(-row if self.column is None else self.column, "column")
        if row.ndim != 2 or 0 in row.shape or column.shape != row.shape:
            raise InputError(f"row has shape {row.shape}, column {column.shape}; expected the same (m, n), m, n >= 1")
        for key, value in (("row", row), ("column", column)):
            if not np.isfinite(value).all():
                i, j = np.argwhere(~np.isfinite(value))[0]
                raise InputError(f"{key}[{i},{j}]={value[i, j]} is not finite; give numbers")
            freeze(value)
            object.__setattr__(self, key, value)

    @property
    def setting(self) -> str:
        """ "matrix-game"."""
        return "matrix-game"

    @property
    def zero_sum(self) -> bool:
        """Whether payoffs add up to 0 in every cell, up to 1e-12 of the largest."""
        return bool((np.abs(self.row + self.column) <= 1e-12 * np.abs(self.row).max()).all())

    @property
    def common_payoff(self) -> bool:
        """Whether both players have the same payoff in every cell, up to 1e-12 of the largest."""
        return bool((np.abs(self.row - self.column) <= 1e-12 * np.abs(self.row).max()).all())

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of the payoffs."""
        return digest_of({"row": self.row, "column": self.column})

    def extensive(self) -> ExtensiveForm:
        """The same game as a tree: the row player moves first, unseen by the column player. Infosets 0 and 1."""
        m, n = self.row.shape
        i, j = (x.ravel() for x in np.indices((m, n)))
        payoff = np.zeros((1 + m + m * n, 2))
        payoff[1 + m :] = np.stack([self.row.ravel(), self.column.ravel()], axis=1)

        def nodes(root: int, first: Any, second: Any) -> Any:
            return np.concatenate([[root], np.broadcast_to(first, m), np.broadcast_to(second, m * n)])

        return ExtensiveForm(
            parent=nodes(-1, 0, 1 + i),
            mover=nodes(0, 1, TERMINAL),
            action=nodes(-1, np.arange(m), j),
            infoset=nodes(0, 1, -1),
            chance=np.ones(len(payoff)),
            payoff=payoff,
            labels=("row", "column"),
            name=self.name,
        )
