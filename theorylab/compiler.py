"""One plain Python source, three targets: the `@kernel` decorator.

A kernel is a scalar function on one replicate. It stays an ordinary Python function (debugger, coverage,
mutation); `build(target, **bind)` returns a copy in which every kernel it calls is built for the same target:

    python   the function itself on Python numbers
    cpu      Numba, compiled serially, `nogil=True` (threads run blocks of replicates), no fused multiply-add
    cuda     a numba-cuda device function

Names in capitals in the generic loops (`ACT`, `LEARN`, ...) are placeholders that `bind` fills. Constants of type
`np.uint64` become Python integers on the python target, where nothing overflows. A kernel may not allocate, raise,
or call a library function other than `sqrt`; `log`, `exp`, `normal`, `gamma`, `beta` come from `theorylab.kernel`,
since library versions differ in the last bit from one target to the next.

Machine code is cached in a folder named by the digest of all kernel sources and constants that enter a
build, and of the versions of Python, Numba and llvmlite, so that an edited helper can never meet old code.
"""

from __future__ import annotations

import dis
import hashlib
import inspect
import os
import sys
import textwrap
import threading
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

__all__ = ["TARGETS", "Intrinsic", "Kernel", "cache_root", "generated", "kernel"]

TARGETS = ("python", "cpu", "cuda")
#: cpu for a kernel that only other kernels call: without the wrappers for calls from Python, a third of the compilation
INNER = "inner"
_lock = threading.RLock()


class Intrinsic:
    """A primitive with one implementation per target (integer casts, the thread index).

    `python` is a callable; `make(target)` builds the others on demand, so that Numba is imported only then.
    """

    def __init__(self, name: str, python: Callable[..., Any], make: Callable[[str], Any]) -> None:
        self.name, self.python, self._make = name, python, make
        self._done: dict[str, Any] = {}

    def __call__(self, *args: Any) -> Any:
        return self.python(*args)

    def build(self, target: str) -> Any:
        """The implementation for a target."""
        if target == "python":
            return self.python
        if target not in self._done:
            self._done[target] = self._make(target)
        return self._done[target]


class Kernel:
    """A scalar function on one replicate, built for a target on demand; calling it runs the plain function."""

    def __init__(self, function: Callable[..., Any], source: str | None = None) -> None:
        self.f = function
        self.source = textwrap.dedent(inspect.getsource(function)) if source is None else source
        self._done: dict[tuple[Any, ...], Any] = {}
        self._copies: dict[tuple[Any, ...], tuple[Kernel, Any]] = {}
        self._named: frozenset[str] | None = None
        self.__name__, self.__doc__, self.__module__ = function.__name__, function.__doc__, function.__module__
        self.__wrapped__ = function

    def __call__(self, *args: Any) -> Any:
        return self.build("python")(*args)

    def __repr__(self) -> str:
        return f"<kernel {self.__module__}.{self.__name__}>"

    def replace(self, **names: Any) -> Kernel:
        """A copy whose body sees other values under some global names: how faults are planted in a helper."""
        for name in names:
            if name not in self.uses({}):
                raise ValueError(f"{self!r} uses no global '{name}'; it uses {', '.join(self.uses({}))}")
        f = self.f
        scope = {**f.__globals__, **names}
        return Kernel(types.FunctionType(f.__code__, scope, f.__name__, f.__defaults__, f.__closure__), self.source)

    def throughout(self, **names: Any) -> Kernel:
        """A copy in which this kernel and every kernel that it calls sees other values under some global names.

        Built-in functions may be replaced too. A kernel that uses none of the names, nor calls one that does, is
        returned as it is.
        """
        key = tuple(sorted((k, id(v)) for k, v in names.items()))
        if key not in self._copies:
            called = {k: v.throughout(**names) for k, v in self.uses({}).items() if isinstance(v, Kernel)}
            if not names.keys() & self.named() and all(self.uses({})[k] is v for k, v in called.items()):
                self._copies[key] = (self, names)
                return self
            f = self.f
            closure = tuple(
                types.CellType(called.get(n, cell.cell_contents))
                for n, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
            )
            scope = {**f.__globals__, **called, **names}
            copy = types.FunctionType(f.__code__, scope, f.__name__, f.__defaults__, closure)
            self._copies[key] = (Kernel(copy, self.source), names)  # the values are kept, so that their ids stay theirs
        return self._copies[key][0]

    def uses(self, bind: dict[str, Any]) -> dict[str, Any]:
        """Names of the body from outside, resolved: bound names first, then the module's own; and closed-over ones."""
        names = self.named()
        scope = {**self.f.__globals__, **bind}
        closed = zip(self.f.__code__.co_freevars, self.f.__closure__ or (), strict=True)
        return {n: scope[n] for n in sorted(names) if n in scope} | {n: cell.cell_contents for n, cell in closed}

    def named(self) -> frozenset[str]:
        """Global and built-in names that the body loads."""
        if self._named is not None:
            return self._named
        names: set[str] = set()
        stack = [self.f.__code__]
        while stack:
            code = stack.pop()
            # only global loads: an attribute such as `tr.sums` may bear the name of a kernel in the same file
            names.update(i.argval for i in dis.get_instructions(code) if i.opname in ("LOAD_GLOBAL", "LOAD_NAME"))
            stack += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        self._named = frozenset(names)
        return self._named

    def digest(self, **bind: Any) -> str:
        """sha256 of this kernel's source, constants, and those of every kernel it reaches under `bind`."""
        key = ("digest", tuple(sorted((k, id(v)) for k, v in bind.items())))
        with _lock:
            if key not in self._done:
                self._done[key] = (self._digest(bind, modules=False), bind)
            return str(self._done[key][0])

    def _digest(self, bind: dict[str, Any], modules: bool) -> str:
        seen: dict[int, int] = {}
        lines: list[str] = []

        def visit(k: Kernel) -> None:
            number = seen[id(k)] = len(seen)  # names may repeat, numbers do not
            home = _home(k.f) if modules else ""
            lines.append(f"kernel {number} {home} {k.__name__}\n{k.source}")
            for name, value in k.uses(bind).items():
                if isinstance(value, Kernel):
                    if id(value) not in seen:
                        visit(value)
                    lines.append(f"{number}.{name} -> {seen[id(value)]}")
                elif (text := _constant(value)) is not None:
                    lines.append(f"{number}.{name} = {text}")

        visit(self)
        return hashlib.sha256("\n".join(lines).encode()).hexdigest()

    def build(self, target: str, **bind: Any) -> Any:
        """The callable for `target`, with placeholders filled from `bind`. Built once per binding."""
        if target not in (*TARGETS, INNER):
            raise ValueError(f"unknown target '{target}'; known: {', '.join(TARGETS)}")
        key = (target, tuple(sorted((k, id(v)) for k, v in bind.items())))
        with _lock:
            if key not in self._done:
                # bound values are kept beside the result: their ids stay unique while the entry lives
                self._done[key] = (self._copy(target, bind), bind)
            return self._done[key][0]

    def plain(self, target: str, **bind: Any) -> Any:
        """A copy of the function whose callees are built for `target`: plain Python still, not compiled itself."""
        built: dict[str, Any] = {}
        within = INNER if target == "cpu" else target
        for name, value in self.uses(bind).items():
            if isinstance(value, Kernel):
                built[name] = value.build(within, **bind)
            elif isinstance(value, Intrinsic):
                built[name] = value.build("cpu" if target == INNER else target)
            elif target == "python" and isinstance(value, np.uint64):
                built[name] = int(value)
            else:
                built[name] = value
        f = self.f
        closure = tuple(types.CellType(built[n]) for n in f.__code__.co_freevars)
        scope = {**f.__globals__, **bind, **built}
        copy = types.FunctionType(f.__code__, scope, f.__name__, f.__defaults__, closure)
        copy.__module__ = _home(f)
        return copy

    def _copy(self, target: str, bind: dict[str, Any]) -> Any:
        f = self.plain(target, **bind)
        if target == "python":
            return f
        if target in ("cpu", INNER):
            import numba

            # error_model="numpy": no exceptions inside; fastmath stays off, so nothing is contracted or reordered
            wrappers = dict(no_cpython_wrapper=True, no_cfunc_wrapper=True) if target == INNER else {}
            return numba.njit(nogil=True, error_model="numpy", forceinline=True, **wrappers)(f)
        return _cuda_jit(f, device=True)

    def compile_cuda(self, **bind: Any) -> Any:
        """A CUDA kernel, to be launched: this function over callees built as device functions. Built once a binding."""
        key = ("cuda kernel", tuple(sorted((k, id(v)) for k, v in bind.items())))
        with _lock:
            if key not in self._done:
                self._done[key] = (_cuda_jit(self.plain("cuda", **bind), device=False), bind)
            return self._done[key][0]

    def compile_cpu(self, **bind: Any) -> Any:
        """Like `build("cpu")`, with machine code kept on disk in the folder of this build's digest."""
        from numba.core import config

        dispatcher = self.build("cpu", **bind)
        if getattr(dispatcher, "_theorylab_cached", False):
            return dispatcher
        # cached code names the modules of its kernels, which another program may not have: they enter the folder's name
        folder = cache_root() / self._digest(bind, modules=True)[:40]
        with _lock:
            before = config.CACHE_DIR
            try:
                folder.mkdir(parents=True, exist_ok=True)
                config.CACHE_DIR = str(folder)
                dispatcher.enable_caching()
            except (OSError, RuntimeError):
                pass  # no writable cache folder: compile in memory
            finally:
                config.CACHE_DIR = before
            dispatcher._theorylab_cached = True
        return dispatcher


def _home(function: Callable[..., Any]) -> str:
    """Module to which machine code on disk ascribes a function: its own where it can be imported, else this one.

    Code run from text, as in a notebook's cell or a page's example, may name a module that is not there; Numba imports
    the name when it loads the code again, and nothing of the module is used but its name.
    """
    return function.__module__ if function.__module__ in sys.modules else __name__


def _constant(value: Any) -> str | None:
    """Text of a value that Numba freezes into machine code; None for what it does not (modules, functions)."""
    if isinstance(value, (bool, int, float, str, np.generic)):
        return repr(value)
    if isinstance(value, np.ndarray):
        return f"{value.dtype.str}{value.shape} {hashlib.sha256(np.ascontiguousarray(value).tobytes()).hexdigest()}"
    if isinstance(value, tuple):
        return f"({', '.join(str(_constant(v)) for v in value)})"
    if isinstance(value, type) and hasattr(value, "_fields"):
        return f"record {value._fields}"
    return None


def kernel(function: Callable[..., Any]) -> Kernel:
    """Mark a scalar function as a kernel. The function stays callable as plain Python."""
    return Kernel(function)


def generated(name: str, source: str, /, **scope: Any) -> Kernel:
    """A kernel from source text: the record views and probe sweeps that depend on a spec's fields."""
    namespace: dict[str, Any] = dict(scope)
    exec(compile(source, f"<generated {name}>", "exec"), namespace)
    return Kernel(namespace[name], source)


def cache_root() -> Path:
    """Folder of compiled kernels: `THEORYLAB_CACHE`, else the user's cache folder; versions are in its name."""
    import llvmlite
    import numba

    base = os.environ.get("THEORYLAB_CACHE")
    if base is None:
        base = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "theorylab")
    python = f"py{sys.version_info.major}{sys.version_info.minor}"
    return Path(base) / f"kernels-{python}-numba{numba.__version__}-llvmlite{llvmlite.__version__}"


def _cuda_jit(function: Callable[..., Any], device: bool) -> Any:
    from numba import cuda
    from numba.core import config

    # link-time optimisation would leave the contraction of a*b + c to the linker, which fuses by default
    options = {} if config.ENABLE_CUDASIM else {"lto": False}
    return cuda.jit(function, device=device, **options)


def _cast(python: Callable[..., Any], type_name: str) -> Callable[[str], Any]:
    def make(target: str) -> Any:
        dtype = getattr(np, type_name)

        def cast(x):  # type: ignore[no-untyped-def]
            return dtype(x)

        if target == "cpu":
            import numba

            return numba.njit(nogil=True, error_model="numpy", forceinline=True)(cast)
        return _cuda_jit(cast, device=True)

    return make


def _grid(target: str) -> Any:
    from numba import cuda

    if target != "cuda":
        raise ValueError("the thread index exists on the cuda target only")

    # `cuda` must be a global name of the function: there the simulator puts the thread that runs
    scope: dict[str, Any] = {"cuda": cuda}
    exec("def grid():\n    return cuda.grid(1)\n", scope)
    return _cuda_jit(scope["grid"], device=True)


#: unsigned and signed 64-bit casts: plain integers on the python target
u64 = Intrinsic("u64", int, _cast(int, "uint64"))
i64 = Intrinsic("i64", int, _cast(int, "int64"))
#: index of the CUDA thread, one replicate each
grid1 = Intrinsic("grid1", lambda: 0, _grid)
