"""What a call of the command line leaves."""

from __future__ import annotations

from typing import NamedTuple

__all__ = ["Done"]


class Done(NamedTuple):
    """What a call left: exit code, standard output and standard error."""

    code: int
    out: str
    err: str
