"""Running a simulation on a CUDA device: one replicate a thread, state in the memory of the device.

`launch` copies the state and observation arrays with the replicate axis last, where neighbouring threads read
neighbouring words, runs the loop from `done` to `to`, and copies them back. Results are those of the other targets, bit
for bit, for which three things are seen to:

    contraction     libNVVM is told `fma=0` while a loop is compiled: a*b + c stays a product and a sum
    linking         kernels are built without link-time optimisation, which would contract after that
    order           a replicate is one thread, so every sum runs in index order

The same call runs in the CUDA simulator when NUMBA_ENABLE_CUDASIM=1 is set before Numba is imported. `ptx` gives the
code that a device of a compute capability would run, on machines that have neither device nor driver; it replaces
private names of numba-cuda while it runs, which is why the `dev` extra pins that package.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError

if TYPE_CHECKING:
    from theorylab.learner import Learner
    from theorylab.simulation import Simulation

__all__ = ["THREADS", "launch", "ptx", "require"]

#: threads a block: loops hold long-lived registers and no shared memory, so small blocks fill a device evenly
THREADS = 64
_lock = threading.RLock()


def simulated() -> bool:
    """True in the CUDA simulator."""
    from numba.core import config

    return bool(config.ENABLE_CUDASIM)


def require() -> Any:
    """The module `numba.cuda` where a device can be used; otherwise an `InputError` that says what is missing."""
    mend = '; `--target cpu` (target="cpu") gives the same bits without it'
    try:
        from numba import cuda
    except ImportError as error:
        raise InputError(f"target cuda: numba-cuda is missing ({error}); install theorylab[gpu]{mend}") from None
    if simulated() or cuda.is_available():
        return cuda
    try:
        found = str(cuda.cuda_error() or "libNVVM is missing")
    except Exception as error:
        found = str(error)
    raise InputError(f"target cuda: no usable CUDA device, driver or toolkit ({' '.join(found.split())}){mend}")


@contextmanager
def uncontracted() -> Iterator[None]:
    """Compile without fused multiply-add. The simulator compiles nothing, so there it does nothing."""
    if simulated():
        yield
        return
    from numba.cuda.cudadrv import nvvm

    with _lock:  # reentrant: within itself it wraps twice, to the same effect
        before = nvvm.compile_ir

        def compile_ir(ir: Any, **options: Any) -> Any:
            return before(ir, **{"fma": False, **options})

        nvvm.compile_ir = compile_ir  # numba.cuda.codegen calls it through the module
        try:
            yield
        finally:
            nvvm.compile_ir = before


def last(x: NDArray[Any]) -> NDArray[Any]:
    """A contiguous copy (..., R) of an array (R, ...)."""
    return np.ascontiguousarray(np.moveaxis(x, 0, -1))


def launch(simulation: Simulation, to: int) -> None:
    """Run every replicate of a simulation with target "cuda" up to `to`; its arrays are updated in place.

    Raises `InputError` where no device can be used.
    """
    cuda = require()
    started = time.perf_counter()
    kernel = simulation.entry.compile_cuda(**simulation.bind)
    groups = (simulation.state, simulation.observed)
    states, observed = (tuple(cuda.to_device(last(x)) for x in group.values()) for group in groups)
    tables, params, k0, k1, first, t0, t1, checkpoints = simulation._arguments(to)
    tables, params = (tuple(cuda.to_device(x) if isinstance(x, np.ndarray) else x for x in g) for g in (tables, params))
    rest = (tables, params, k0, k1, first, t0, t1, cuda.to_device(checkpoints))
    r = simulation.replicates
    with uncontracted():
        if not simulated():
            kernel[1, THREADS](states, observed, *rest, 0, 0)  # compiles, runs no replicate
            cuda.synchronize()
        compiled = time.perf_counter()
        simulation.seconds["compile"] += compiled - started
        threads = min(THREADS, r)
        kernel[(r + threads - 1) // threads, threads](states, observed, *rest, 0, r)
    cuda.synchronize()
    for group, arrays in zip(groups, (states, observed), strict=True):
        for name, array in zip(group, arrays, strict=True):
            group[name][...] = np.moveaxis(array.copy_to_host(), -1, 0)
    simulation.seconds["loop"] += time.perf_counter() - compiled


@contextmanager
def _without_driver(capability: tuple[int, int]) -> Iterator[None]:
    """Answer for a driver: what numba-cuda asks it while it compiles for a device of this compute capability."""
    import numba.cuda.compiler
    import numba.cuda.dispatcher
    from numba.cuda import cuda_paths
    from numba.cuda.cudadrv import nvrtc

    device = SimpleNamespace(compute_capability=capability)
    stubs: tuple[tuple[Any, str, Any], ...] = (
        (numba.cuda.dispatcher, "get_current_device", lambda: device),
        (numba.cuda.compiler, "get_current_device", lambda: device),
        (nvrtc, "get_supported_ccs", lambda: [capability]),  # the one question put to NVRTC
        (cuda_paths, "_get_nvrtc_path", lambda: None),  # the search for libdevice asks for this one too
    )
    with _lock:
        before = [getattr(module, name) for module, name, _ in stubs]
        for module, name, stub in stubs:
            setattr(module, name, stub)
        try:
            yield
        finally:
            for (module, name, _), value in zip(stubs, before, strict=True):
                setattr(module, name, value)


def ptx(
    learner: Learner,
    model: Any,
    *,
    capability: tuple[int, int] = (9, 0),
    params: Mapping[str, Any] | None = None,
    **options: Any,
) -> str:
    """PTX of a learner's loop for a compute capability; needs libNVVM and libdevice, but neither device nor driver.

    Args:
        learner, model: a spec and a model of the same setting. params, options: as for `Simulation` (probes, exact...).

    Raises:
        InputError: in the simulator, which compiles nothing, or where numba-cuda is missing.
    """
    from theorylab.simulation import Simulation

    if simulated():
        raise InputError("ptx: the CUDA simulator compiles nothing; unset NUMBA_ENABLE_CUDASIM")
    try:
        from numba import cuda, types
        from numba.core.typing import typeof
    except ImportError as reason:
        raise InputError(f"ptx: numba-cuda is missing ({reason}); install theorylab[gpu]") from None
    simulation = Simulation(learner, model, replicates=1, length=1, params=params, target="cuda", **options)
    arguments = (*(tuple(g.values()) for g in (simulation.state, simulation.observed)), *simulation._arguments(1), 0, 1)

    def typed(x: Any) -> Any:
        if isinstance(x, tuple):
            return types.BaseTuple.from_types([typed(y) for y in x])
        if isinstance(x, np.ndarray):
            return types.Array(typeof.typeof(x).dtype, x.ndim, "C")
        return typeof.typeof(x)

    with _without_driver(capability), uncontracted():
        loop = simulation.entry.plain("cuda", **simulation.bind)
        text, _ = cuda.compile_ptx(loop, types.void(*(typed(x) for x in arguments)), cc=capability)
    return str(text)
