"""P from its entries, dense or sparse."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.parameters import flag, room

__all__ = ["assemble", "check_dense"]


def check_dense(family: str, S: int, A: int) -> None:
    """Refuse a dense P (S,A,S) of more than 2 GiB, where the family has a sparse one."""
    room(family, "a dense P", S, A, S, mend="give sparse=True")


def assemble(
    family: str,
    S: int,
    A: int,
    row: NDArray[np.int64],
    col: NDArray[np.int64],
    p: NDArray[np.float64],
    sparse: bool,
) -> Any:
    """P with `p` added at (row s*A+a, successor `col`): CSR (S*A,S) if `sparse`, else (S,A,S), the same numbers.

    Raises:
        InputError: a dense P of more than 2 GiB, `sparse` not True or False.
    """
    from scipy.sparse import csr_array

    if not flag(family, "sparse", sparse):
        check_dense(family, S, A)
    flat = csr_array((p, (row, col)), shape=(S * A, S))
    flat.eliminate_zeros()
    return flat if sparse else flat.toarray().reshape(S, A, S)
