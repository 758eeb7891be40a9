"""What `theorylab doctor` looks at: versions, a compiled kernel, the cache, foreign packages, the GPU."""

from __future__ import annotations

import importlib
import importlib.util
import platform
from pathlib import Path

__all__ = ["examine"]

CORE = ("numpy", "scipy", "numba", "matplotlib", "cvxpy", "hypothesis", "gymnasium", "msgspec", "jinja2", "rich")


def examine() -> list[dict[str, str]]:
    """Rows with status (ok, note or FAIL), what, and detail; FAIL where a check could not run at all."""
    import theorylab

    rows = [_row("ok", "theorylab", theorylab.__version__), _row("ok", "python", platform.python_version())]
    from importlib.metadata import PackageNotFoundError, version

    for name in CORE:
        try:
            rows.append(_row("ok", name, version(name)))
        except PackageNotFoundError:
            rows.append(_row("FAIL", name, "not installed: pip install theorylab installs it"))
    rows += [_home(name) for name in ("mdps", "bandits", "proofs_check")]
    rows.append(_compiled())
    rows.append(_gpu())
    return rows


def _row(status: str, what: str, detail: str) -> dict[str, str]:
    return dict(status=status, what=what, detail=detail)


def _home(name: str) -> dict[str, str]:
    """A content package must be ours: the names are generic, and another distribution may own one."""
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        return _row("FAIL", name, "not found: install theorylab again")
    here = Path(importlib.import_module("theorylab").__file__ or "").resolve().parent.parent
    if Path(spec.origin).resolve().parent.parent != here:
        return _row("FAIL", name, f"a foreign package of this name comes first on the path: {spec.origin}; remove it")
    return _row("ok", name, "ours")


def _compiled() -> dict[str, str]:
    try:
        import numpy as np

        from theorylab.compiler import cache_root
        from theorylab.rng import philox

        zero = np.uint64(0)
        words = tuple(int(w) for w in philox.build("cpu")(zero, zero, zero, zero, zero, zero))
        if words != (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8):
            return _row("FAIL", "compiled generator", f"wrong known answer {words}; reinstall numba and llvmlite")
        return _row("ok", "compiled generator", f"known answer right; cache in {cache_root()}")
    except Exception as reason:  # whatever breaks here is the finding
        return _row("FAIL", "compiled generator", f"{type(reason).__name__}: {reason}")


def _gpu() -> dict[str, str]:
    if importlib.util.find_spec("numba_cuda") is None:
        return _row("note", "gpu", "numba-cuda is not installed; the cpu target gives the same bits")
    try:
        from numba import cuda

        if cuda.is_available():
            name = cuda.get_current_device().name
            return _row("ok", "gpu", name.decode() if isinstance(name, bytes) else str(name))
    except Exception as reason:
        return _row("note", "gpu", f"no usable GPU ({type(reason).__name__}); the cpu target gives the same bits")
    return _row("note", "gpu", "no GPU or driver; the cpu target gives the same bits")
