"""Planners against their peers: `python -m benchmarks.planning` prints tables and writes results/planning.md.

`--only NAME` measures one part (dense, garnet, goal, grid, horizon, bandwidth, scale) and writes nothing. About three
minutes on a quiet machine with all peers: QuantEcon, pymdptoolbox and mdpsolver are imported if they are there.

All sides solve the same model in the same process, in interleaved repeats, warm: making the model, converting it for a
peer and compiling are left out, and given apart. The error is that of the returned values against certified ones.
"""

from __future__ import annotations

import os

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # before NumPy is loaded: one BLAS thread for all sides

import datetime
import importlib
import io
import json
import platform
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stdout
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.limits import bellman
from benchmarks.tables import processor
from theorylab.model import Discounted, FiniteHorizon, RewardLaw, TabularMDP
from theorylab.plan import backups as backup_module
from theorylab.plan import discounted
from theorylab.plan.api import plan

RESULTS = Path(__file__).parent / "results" / "planning.md"
ERROR = 1e-8  # wanted of the returned values
SCALES = (10**3, 10**4, 10**5, 10**6, 10**7)
Floats = NDArray[np.float64]


@contextmanager
def threads(number: int) -> Iterator[None]:
    """Let compiled backups use one thread, or all cores."""
    before = backup_module.BLOCK_TERMS
    if number == 1:
        backup_module.BLOCK_TERMS = 2**62
    try:
        yield
    finally:
        backup_module.BLOCK_TERMS = before


def csr(data: Floats, indices: Any, starts: Any, shape: tuple[int, int]) -> Any:
    """SciPy CSR with 32-bit indices."""
    from scipy.sparse import csr_array

    out = csr_array((data, indices, starts), shape=shape)
    out.sum_duplicates()
    out.indices, out.indptr = out.indices.astype(np.int32), out.indptr.astype(np.int32)
    return out


def dense(S: int = 1000, A: int = 10) -> TabularMDP:
    """Uniform weights over their sums, uniform rewards."""
    rng = np.random.default_rng(0)
    P = rng.random((S, A, S))
    P /= P.sum(axis=-1, keepdims=True)
    return TabularMDP(P=P, r=rng.random((S, A)), criterion=Discounted(0.99))


def garnet(S: int = 100_000, A: int = 4, b: int = 10, gamma: float = 0.99) -> TabularMDP:
    """Rows with b uniform successors, CSR; uniform rewards."""
    rng = np.random.default_rng(0)
    w = rng.random((S * A, b))
    w /= w.sum(axis=1, keepdims=True)
    starts = np.arange(0, S * A * b + 1, b, dtype=np.int32)
    P = csr(w.ravel(), rng.integers(0, S, S * A * b, dtype=np.int32), starts, (S * A, S))
    return TabularMDP(P=P, r=rng.random((S, A)), criterion=Discounted(gamma))


def grid(goal: bool, n: int = 300) -> TabularMDP:
    """n x n grid, four moves, slip 0.1 to a uniform direction; costs in [0.5, 1.5] until a goal corner, or rewards."""
    rng = np.random.default_rng(0)
    s = np.arange(n * n)
    y, x = np.divmod(s, n)
    to = [np.maximum(y - 1, 0) * n + x, y * n + np.minimum(x + 1, n - 1)]
    to += [np.minimum(y + 1, n - 1) * n + x, y * n + np.maximum(x - 1, 0)]
    rows, cols, data = [], [], []
    for a in range(4):
        for d in range(4):
            rows.append(4 * s + a)
            cols.append(np.where(s == s[-1], s, to[d]) if goal else to[d])
            data.append(np.full(s.size, 0.025 + 0.9 * (a == d)))
    from scipy.sparse import coo_array

    flat = coo_array((np.concatenate(data), (np.concatenate(rows), np.concatenate(cols))), (4 * s.size, s.size)).tocsr()
    P = csr(flat.data, flat.indices, flat.indptr, flat.shape)
    r = rng.random((s.size, 4))
    if goal:
        r = -0.5 - r
        r[-1] = 0
    law = RewardLaw("deterministic", low=-2, high=1)
    return TabularMDP(P=P, r=r, criterion=Discounted(0.999), reward_law=law)


@dataclass
class Side:
    """One solver of a case: `solve` returns values; `repeats` may be fewer than the case's."""

    name: str
    solve: Callable[[], Floats]
    repeats: int = 5
    note: str = ""
    wall: list[float] = field(default_factory=list)
    cpu: list[float] = field(default_factory=list)
    error: float = float("nan")


def peer(name: str) -> Any:
    """The module of a peer, or None."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


def arrays(model: TabularMDP) -> tuple[Floats, float]:
    assert isinstance(model.criterion, Discounted)
    return model.r, model.criterion.gamma


def ours(model: TabularMDP, name: str, tol: float, number: int = 1, method: str = "auto") -> Side:
    """One of the library's planners."""

    def solve() -> Floats:
        with threads(number):
            return discounted.solve(model, method, tol).V

    return Side(name, solve)


def span_iteration(model: TabularMDP) -> Side:
    """Hand-written span value iteration for one model."""
    r, gamma = arrays(model)
    return Side("hand-written span value iteration (Numba)", lambda: bellman.solve(model.P, r, gamma, ERROR))


def quantecon(model: TabularMDP, methods: dict[str, int]) -> list[Side]:
    """QuantEcon's DiscreteDP by the methods given, with their repeats."""
    qe = peer("quantecon")
    if qe is None:
        return []
    r, gamma = arrays(model)
    if model.sparse:
        from scipy.sparse import csr_matrix

        S, A = r.shape
        Q = csr_matrix((model.P.data.copy(), model.P.indices.copy(), model.P.indptr.copy()), shape=model.P.shape)
        ddp = qe.markov.DiscreteDP(r.ravel(), Q, gamma, np.repeat(np.arange(S), A), np.tile(np.arange(A), S))
    else:
        ddp = qe.markov.DiscreteDP(r.copy(), model.P.copy(), gamma)

    def solver(method: str) -> Callable[[], Floats]:
        def solve() -> Floats:
            options = {} if method == "pi" else dict(epsilon=ERROR)
            values: Floats = ddp.solve(method=method, max_iter=100_000, **options).v
            return values

        return solve

    return [Side(f"QuantEcon {qe.__version__} {m.upper()}", solver(m), n) for m, n in methods.items()]


def toolbox(model: TabularMDP) -> list[Side]:
    """pymdptoolbox, dense only."""
    tb = peer("mdptoolbox.mdp")
    if tb is None:
        return []
    r, gamma = arrays(model)
    P = np.ascontiguousarray(model.P.transpose(1, 0, 2))

    def solver(kind: str) -> Callable[[], Floats]:
        def solve() -> Floats:
            options = {} if kind == "PolicyIteration" else dict(epsilon=ERROR)
            machine = getattr(tb, kind)(P, r, gamma, **options)
            machine.run()
            return np.array(machine.V)

        return solve

    kinds = ("ValueIteration", "PolicyIteration", "PolicyIterationModified")
    return [Side(f"pymdptoolbox {k}", solver(k), 2) for k in kinds]


def mdpsolver(model: TabularMDP) -> list[Side]:
    """mdpsolver, once each: a second call starts from the answer. Lists are handed over outside of the time."""
    ms = peer("mdpsolver")
    if ms is None:
        return []
    r, gamma = arrays(model)
    given: dict[str, Any] = dict(discount=gamma, rewards=r.tolist())
    if model.sparse:
        S, A = r.shape
        cut = model.P.indptr[1:-1]
        probs, cols = np.split(model.P.data, cut), np.split(model.P.indices, cut)
        given["tranMatProbs"] = [[probs[s * A + a].tolist() for a in range(A)] for s in range(S)]
        given["tranMatColumns"] = [[cols[s * A + a].tolist() for a in range(A)] for s in range(S)]
    else:
        given["tranMatWithZeros"] = model.P.tolist()

    def solver(algorithm: str) -> Callable[[], Floats]:
        machine = ms.model()
        machine.mdp(**given)

        def solve() -> Floats:
            machine.solve(algorithm=algorithm, tolerance=ERROR, parallel=False)
            return np.array(machine.getValueVector())

        return solve

    return [Side(f"mdpsolver {a.upper()}", solver(a), 1) for a in ("vi", "mpi")]


def clocks() -> tuple[float, float]:
    return time.perf_counter(), time.process_time()


def measure(sides: list[Side], reference: Floats) -> None:
    """Interleaved repeats after one call that is not counted (none for a side that runs once)."""
    for side in sides:
        if side.repeats > 1:
            side.solve()
    for repeat in range(max(side.repeats for side in sides)):
        for side in sides:
            if repeat < side.repeats:
                wall, cpu = clocks()
                values = side.solve()
                now = clocks()
                side.wall.append(now[0] - wall)
                side.cpu.append(now[1] - cpu)
                side.error = float(np.abs(values - reference).max())


def table(sides: list[Side]) -> list[str]:
    """Medians, spread, ratio to the first side formed within each repeat, error."""
    lines = [
        "| solver | wall, s, median | min - max | CPU, s | CPU over ours, paired | error of values | runs |",
        "|---|---:|---|---:|---:|---:|---:|",
    ]
    for side in sides:
        ratios = [a / b for a, b in zip(side.cpu, sides[0].cpu, strict=False)]
        spread = f"{min(side.wall):.3g} - {max(side.wall):.3g}"
        short = "" if side.error <= ERROR else " (above 1e-8)"
        lines.append(
            f"| {side.name} | {statistics.median(side.wall):.3g} | {spread} | {statistics.median(side.cpu):.3g} | "
            f"{statistics.median(ratios):.2f} | {side.error:.1e}{short} | {len(side.wall)} |"
        )
    return lines


def missing() -> list[str]:
    names = {"quantecon": "QuantEcon", "mdptoolbox.mdp": "pymdptoolbox", "mdpsolver": "mdpsolver"}
    return [f"{label}: not installed." for name, label in names.items() if peer(name) is None]


def case(name: str) -> list[str]:
    """One discounted problem, all solvers."""
    makers: dict[str, tuple[str, Callable[[], TabularMDP]]] = {
        "dense": ("dense random, S=1000 A=10, gamma 0.99", dense),
        "garnet": ("Garnet CSR, S=100,000 A=4 b=10, gamma 0.99", garnet),
        "goal": ("grid 300 x 300 with a goal corner, slip 0.1, random costs, gamma 0.999", lambda: grid(True)),
        "grid": ("grid 300 x 300, slip 0.1, random rewards, gamma 0.999", lambda: grid(False)),
    }
    text, make = makers[name]
    started = time.perf_counter()
    model = make()
    made = time.perf_counter() - started
    started = time.perf_counter()
    best = discounted.solve(model, tol=1e-300)
    first = time.perf_counter() - started
    tol = ERROR / max(1.0, float(np.abs(best.V).max()))
    method = discounted.solve(model, "auto", tol).method
    sides = [ours(model, f"theorylab ({method})", tol)]
    if name == "dense":
        sides += [ours(model, f"theorylab {m}", tol, method=m) for m in ("value-iteration", "policy-iteration")]
        sides += quantecon(model, {"mpi": 5, "pi": 5, "vi": 1}) + toolbox(model) + mdpsolver(model)
    elif name == "garnet":
        sides.append(ours(model, f"theorylab, {os.cpu_count()} threads", tol, number=2))
        sides += [ours(model, "theorylab value-iteration", tol, method="value-iteration"), span_iteration(model)]
        sides += quantecon(model, {"mpi": 5}) + mdpsolver(model)
    elif name == "goal":
        sides += [span_iteration(model), *quantecon(model, {"mpi": 3})]
    else:
        slow = span_iteration(model)
        sides[0].repeats, slow.repeats = 3, 1
        sides += [slow, *quantecon(model, {"mpi": 1})]
    measure(sides, best.V)
    made_text = f"Model made in {made:.2f} s; first call {first:.2f} s, loading or compiling of loops included."
    return [
        f"### {text}",
        "",
        f"{made_text} Certified error of the reference values: {best.certified_error:.1e}.",
        "",
        *table(sides),
        "",
    ]


def horizon() -> list[str]:
    """Backward induction S=500 A=10 H=50."""
    base = dense(500, 10)
    model = TabularMDP(P=base.P, r=base.r, criterion=FiniteHorizon(50))
    best = plan(model)
    flat, r = model.P.reshape(-1, 500), model.r

    def by_hand() -> Floats:
        v = np.zeros((51, 500))
        for h in range(49, -1, -1):
            v[h] = (r + (flat @ v[h + 1]).reshape(500, 10)).max(axis=1)
        return v

    sides = [Side("theorylab plan", lambda: plan(model).V), Side("hand-written NumPy, values only", by_hand)]
    qe, tb = peer("quantecon"), peer("mdptoolbox.mdp")
    if qe is not None:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that no infinite horizon is possible
            ddp = qe.markov.DiscreteDP(model.r.copy(), model.P.copy(), 1.0)
        sides.append(Side("QuantEcon backward_induction", lambda: qe.markov.backward_induction(ddp, 50)[0]))
    if tb is not None:
        P = np.ascontiguousarray(model.P.transpose(1, 0, 2))

        def finite() -> Floats:
            with redirect_stdout(io.StringIO()):  # the same, in prints
                machine = tb.FiniteHorizon(P, model.r, 1.0, 50)
            machine.run()
            return np.array(machine.V.T)

        sides.append(Side("pymdptoolbox FiniteHorizon", finite))
    measure(sides, best.V)
    return ["### Backward induction, dense random, S=500 A=10 H=50", "", *table(sides), ""]


def bandwidth() -> list[str]:
    """Memory traffic of one backup against what a plain read of memory reaches."""
    cores = os.cpu_count() or 1
    rows = ["| what | bytes | 1 thread, GB/s | " + f"{cores} threads, GB/s |", "|---|---:|---:|---:|"]
    long = np.ones(2**26)

    def rate(size: float, work: Callable[[int], Any]) -> list[float]:
        out = []
        for number in (1, cores):
            times = []
            for _ in range(6):
                started = time.perf_counter()
                work(number)
                times.append(time.perf_counter() - started)
            out.append(size / min(times) / 1e9)
        return out

    read = rate(long.nbytes, lambda n: bellman.read(long, n))
    rows.append(f"| read (sum) | {long.nbytes:.2g} | {read[0]:.1f} | {read[1]:.1f} |")
    a, b = np.zeros(2**25), long[: 2**25]
    triad = rate(3 * a.nbytes, lambda n: bellman.triad(a, b, long[2**25 :], n))
    rows.append(f"| triad a = b + 3 c | {3 * a.nbytes:.2g} | {triad[0]:.1f} | {triad[1]:.1f} |")
    for text, model in (
        ("fused backup, Garnet S=1,000,000 A=2 b=5", garnet(10**6, 2, 5)),
        ("fused backup, grid 1000 x 1000, A=4", grid(False, 1000)),
    ):
        P = model.P
        size = P.data.nbytes + P.indices.nbytes + P.indptr.nbytes + model.r.nbytes + model.S * (8 + 8 + 4)
        v = np.random.default_rng(0).random(model.S)

        def step(number: int, model: TabularMDP = model, v: Floats = v) -> None:
            P = model.P
            backup_module.Fused(P.indptr, P.indices, P.data, model.r, 0.99, number).step(v)

        got = rate(size, step)
        share = [f"{x:.1f} ({x / y:.0%} of read)" for x, y in zip(got, read, strict=True)]
        rows.append(f"| {text}; gathers of v not counted | {size:.2g} | {share[0]} | {share[1]} |")
    model = dense()
    flat, v = model.P.reshape(-1, model.S), np.random.default_rng(0).random(model.S)
    got = rate(flat.nbytes, lambda n: flat @ v)
    rows.append(f"| dense backup S=1000 A=10 (BLAS, one thread) | {flat.nbytes:.2g} | {got[0]:.1f} | |")
    return ["### Memory bandwidth, best of six", "", *rows, ""]


def peak() -> float:
    """Peak memory of this process, GiB; `ru_maxrss` would begin with that of the parent."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20


def one_size(S: int) -> dict[str, Any]:
    """Making and planning one CSR model, in a process of its own; peak memory in GiB."""
    rng = np.random.default_rng(0)
    A, b = 2, 3
    discounted.solve(garnet(300_000, 2, 3))  # loops loaded; its memory is below what is measured at large S
    loaded = peak()
    w = rng.random((S * A, b))
    w /= w.sum(axis=1, keepdims=True)
    from scipy.sparse import csr_array

    P = csr_array(
        (w.ravel(), rng.integers(0, S, S * A * b, dtype=np.int32), np.arange(0, S * A * b + 1, b, dtype=np.int32)),
        shape=(S * A, S),
    )
    P.sum_duplicates()
    r, given = rng.random((S, A)), peak()
    started = time.perf_counter()
    model = TabularMDP(P=P, r=r, criterion=Discounted(0.99))
    made, made_peak = time.perf_counter() - started, peak()
    size = P.data.nbytes + P.indices.nbytes + P.indptr.nbytes
    del P, w, r
    started = time.perf_counter()
    p = discounted.solve(model)
    return dict(
        S=S, terms=model.P.nnz, loaded=loaded, given=given, made=made, made_peak=made_peak, size=size / 2**30,
        planned=time.perf_counter() - started, peak=peak(), error=p.certified_error, method=p.method,
    )  # fmt: skip


def scale() -> list[str]:
    """Time and peak memory from S=1e3 to 1e7."""
    rows = [
        "| S | entries of P | P, GiB | TabularMDP, s | plan, s | certified error | peak: arrays given, model made, "
        "planned, GiB | method |",
        "|---:|---:|---:|---:|---:|---:|---|---|",
    ]
    for S in SCALES:
        command = [sys.executable, "-m", "benchmarks.planning", "--size", str(S)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
        x = json.loads(done.stdout.splitlines()[-1])
        rows.append(
            f"| {S:,} | {x['terms']:,} | {x['size']:.3f} | {x['made']:.3g} | {x['planned']:.3g} | {x['error']:.1e} | "
            f"{x['given']:.2f}, {x['made_peak']:.2f}, {x['peak']:.2f} (interpreter and loops {x['loaded']:.2f}) "
            f"| {x['method']} |"
        )
    return ["### Sparse models of growing size: A=2, b=3, gamma 0.99, tol 1e-10, all cores", "", *rows, ""]


def header() -> list[str]:
    """Date, hardware and versions."""
    from importlib.metadata import version

    import numba
    import scipy

    names = {"quantecon": "quantecon", "mdptoolbox": "pymdptoolbox", "mdpsolver": "mdpsolver"}
    found = [f"{package} {version(package)}" for module, package in names.items() if peer(module)]
    return [
        "# Planners",
        "",
        f"Date {datetime.date.today().isoformat()}; {processor()}, {os.cpu_count()} cores, "
        f"load average {os.getloadavg()[0]:.1f};",
        f"Python {platform.python_version()}, numpy {np.__version__}, scipy {scipy.__version__}, "
        f"numba {numba.__version__}; peers: {', '.join(found) or 'none'}.",
        "",
        f"Every solver is asked for values within {ERROR:g}. One thread unless said, BLAS too. Ratios are of CPU time,",
        "since other processes may run beside, and are formed within each interleaved repeat. The error is the largest",
        "deviation of the returned values from certified ones.",
        "",
        *missing(),
        "",
    ]


PARTS: dict[str, Callable[[], list[str]]] = {
    **{name: lambda name=name: case(name) for name in ("dense", "garnet", "goal", "grid")},  # type: ignore[misc]
    "horizon": horizon,
    "bandwidth": bandwidth,
    "scale": scale,
}


def main(arguments: list[str]) -> None:
    """Measure, print, write."""
    if arguments[:1] == ["--size"]:
        print(json.dumps(one_size(int(arguments[1]))))
        return
    only = arguments[1:] if arguments[:1] == ["--only"] else list(PARTS)
    out: list[str] = []
    for lines in (header, *(PARTS[name] for name in only)):
        part = lines()
        print(*part, sep="\n", flush=True)
        out += part
    if only == list(PARTS):
        RESULTS.parent.mkdir(exist_ok=True)
        RESULTS.write_text("\n".join(out).rstrip() + "\n")


if __name__ == "__main__":
    main(sys.argv[1:])
