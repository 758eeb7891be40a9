"""Claims named on a command line: ids, papers, and single Python files."""

from __future__ import annotations

import importlib.util
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from theorylab.claim import Claim
from theorylab.errors import InputError
from theorylab.registry import adopt, adopt_claims, find_claim, papers

__all__ = ["claims_in", "claims_of"]


def claims_of(names: Sequence[str]) -> list[Claim]:
    """Claims by id, paper or file, each once; all registered ones where no name is given."""
    out: list[Any] = []
    for name in names or papers():
        out += claims_in(Path(name)) if name.endswith(".py") else find_claim(name)
    return list({c.id: c for c in out}.values())


def claims_in(path: Path) -> list[Claim]:
    """The `claims` of a Python file, which become known in this process, by name its `learner` and `family` too.

    Raises `InputError` for a file that is missing, fails, or defines no list of claims.
    """
    if not path.is_file():
        raise InputError(f"no file '{path}'; give the path of a Python file that defines `claims`")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        spec.loader.exec_module(module)
    except Exception as wrong:
        import traceback

        lines = [f.lineno for f in traceback.extract_tb(wrong.__traceback__) if f.filename == str(path.resolve())]
        line = getattr(wrong, "lineno", None) or (lines[-1] if lines else "?")
        said = str(wrong) if isinstance(wrong, InputError) else f"{type(wrong).__name__}: {wrong}; correct that file"
        raise InputError(f"'{path}', line {line}: {said}") from None
    adopt(module, f"'{path}'")
    claims = getattr(module, "claims", None)
    if not isinstance(claims, (list, tuple)) or not claims or not all(isinstance(c, Claim) for c in claims):
        raise InputError(f"'{path}' defines no `claims`; give it a module-level list of Claim objects")
    adopt_claims(claims, str(path))
    return list(claims)
