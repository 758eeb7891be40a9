"""The one error of the public interface: bad input, with the offending entry and the mend.

Every function that takes input from outside raises `InputError` (a `ValueError`) whose text names the
entry and says how to put it right; the command line turns it into exit code 2.
"""

from __future__ import annotations

import difflib
import traceback
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

__all__ = ["InputError", "ShardError", "naming", "nearest"]


class InputError(ValueError):
    """Bad input. The text names the offending entry and the mend."""


class ShardError(InputError):
    """A stored result file that cannot be used: truncated, foreign, or not the file its name promises."""


@contextmanager
def naming(what: str, mend: str) -> Iterator[None]:
    """Refuse somebody's code that raises in the block: what it was, the error, the line that raised, and the mend."""
    try:
        yield
    except InputError:
        raise
    except Exception as wrong:
        last = traceback.extract_tb(wrong.__traceback__)[-1]
        said = " ".join(str(wrong).split())[:300]  # a compiler's message has pages
        raise InputError(
            f"{what} raised {type(wrong).__name__}: {said} ({Path(last.filename).name}, line {last.lineno}); {mend}"
        ) from wrong


def nearest(name: str, known: Iterable[str], n: int = 3) -> str:
    """The text "; nearest: a, b" with the known names closest to `name`, or "; known: ..." if none is close."""
    names = sorted(set(known))
    close = difflib.get_close_matches(name, names, n=n, cutoff=0.4)
    # a shared prefix counts as close too: "jaksch" for "jaksch2010.thm2"
    close += [k for k in names if k not in close and name and (k.startswith(name) or name.startswith(k))]
    if close:
        return "; nearest: " + ", ".join(close[:n])
    return "; known: " + ", ".join(names[:12]) + (", ..." if len(names) > 12 else "")
