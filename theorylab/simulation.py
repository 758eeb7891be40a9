"""A simulation: replicates of one learner on one model, advanced in any number of calls.

The bits of a run are a function of (learner, model, parameters, seed, replicate index) alone: not of how many
replicates run beside it, of how they are split into batches and threads, of where the run is stopped and resumed,
or of the target. That is what the addressed generator (`theorylab.rng`) and serial kernels give.
"""

from __future__ import annotations

import hashlib
import io
import json
import math
import os
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from typing import Any

import numpy as np

from theorylab import game_loop, host, loops, records
from theorylab.compiler import TARGETS
from theorylab.errors import InputError, ShardError, nearest
from theorylab.learner import UNITS, Field, Learner, resolve
from theorylab.probe import Monitor, Probe
from theorylab.rng import key_words
from theorylab.truth import known_to, sizes_at, truth_of

__all__ = ["Curves", "ProbeResult", "Simulation", "geometric"]

COLUMNS = ("regret", "gap_regret", "reward")
#: replicates of a solver of games side by side
LANES = 64


def geometric(length: int, points: int = 200) -> np.ndarray:
    """A geometric grid of checkpoints 1 .. length, at most `points` of them, as int64."""
    return np.unique(np.round(np.geomspace(1, length, points)).astype(np.int64))


@cache
def _pool(workers: int, process: int) -> ThreadPoolExecutor:
    """Threads that are kept, since starting them costs as much as a small block; a forked process has its own."""
    return ThreadPoolExecutor(workers, thread_name_prefix="theorylab")


@dataclass(frozen=True)
class ProbeResult:
    """Per replicate, shape (R,): the maximum of lhs - rhs, the index of the first violation (-1: none), the count."""

    max: np.ndarray
    first: np.ndarray
    count: np.ndarray


@dataclass(frozen=True)
class Curves:
    """Results of a run: `curves["regret"]` has shape (R, checkpoints), in the model's reward units.

    Attributes:
        checkpoints: completed rounds, episodes or steps at each column.
        data: quantity -> (R, checkpoints); "regret" (the theorem's own), "gap_regret", "reward"; of a solver of games
            "exploitability", "value", "value_1" (`theorylab.game_loop`).
        final: state field -> array, replicate axis first; probes: name -> `ProbeResult`.
        first: index of the first replicate; seconds: set-up, compilation, loop and host plans, wall time.
    """

    learner: str
    model: str
    setting: str
    checkpoints: np.ndarray
    data: dict[str, np.ndarray]
    final: dict[str, np.ndarray]
    probes: dict[str, ProbeResult]
    params: dict[str, Any]
    seed: int
    first: int
    seconds: dict[str, float] = field(default_factory=dict)

    def __getitem__(self, quantity: str) -> np.ndarray:
        if quantity not in self.data:
            raise InputError(f"no quantity '{quantity}' was recorded{nearest(quantity, self.data)}")
        return self.data[quantity]

    @property
    def regret(self) -> np.ndarray:
        """The theorem's regret, shape (R, checkpoints); the sum of gaps where that is all that was recorded."""
        return self.data.get("regret", self["gap_regret"])

    @property
    def main(self) -> np.ndarray:
        """What runs of the setting are judged by, shape (R, checkpoints): regret, or of a solver its exploitability."""
        return self["exploitability"] if self.setting == "game" else self.regret

    @property
    def replicates(self) -> int:
        """Number of replicates R."""
        return int(next(iter(self.data.values())).shape[0])

    def to_xarray(self) -> Any:
        """`theorylab.export.curves_dataset` of this run: an `xarray.Dataset` over replicates and checkpoints."""
        from theorylab.export import curves_dataset

        return curves_dataset(self)


class Simulation:
    """Replicates `first .. first + replicates - 1` of a learner on a model; `advance` runs them, `curves` reads them.

    Args:
        learner, model: a spec and a model of the same setting.
        replicates: R >= 1. length: K episodes, T steps or rounds, >= 1.
        seed: study seed in [0, 2^64). params: overrides of the learner's parameters.
        target: "cpu", "python" or "cuda". threads: workers on the CPU (default: all cores).
        probes, monitor, tables: measured inequalities, their memory and the tables they read.
        exact: compute V^{pi_k} in every episode (quantity "regret"; episodic only).
        lanes: replicates of a solver of games that are run side by side (default: 1 with probes or off the CPU, else
            as many as there are, up to 64); the bits are the same.

    Raises `InputError` for a learner of another setting, unknown parameters, sizes below 1, and an action outside
    [0, A) or a failed plan during a run.
    """

    def __init__(
        self,
        learner: Learner,
        model: Any,
        *,
        replicates: int,
        length: int,
        seed: int = 0,
        params: Mapping[str, Any] | None = None,
        target: str = "cpu",
        first: int = 0,
        checkpoints: Sequence[int] | np.ndarray | None = None,
        probes: Sequence[Probe] = (),
        monitor: Monitor | None = None,
        tables: Mapping[str, Any] | None = None,
        exact: bool = True,
        threads: int | None = None,
        lanes: int | None = None,
    ) -> None:
        started = time.perf_counter()
        if target not in TARGETS:
            raise InputError(f"unknown target '{target}'{nearest(target, TARGETS)}")
        for name, value, low in (("replicates", replicates, 1), ("length", length, 1), ("first", first, 0)):
            if isinstance(value, bool) or not isinstance(value, (int, np.integer)) or value < low:
                raise InputError(f"{name}={value!r} must be an integer >= {low}")
        truth = truth_of(model)
        if learner.setting != truth.setting:
            raise InputError(
                f"learner '{learner.name}' is for the setting {learner.setting}, model '{model.name}' is "
                f"{truth.setting}; choose a learner for {truth.setting} or change the model's criterion"
            )
        self.learner, self.model, self.truth, self.target = learner, model, truth, target
        self.key = key_words(seed)
        self.replicates, self.length, self.seed, self.first = int(replicates), int(length), int(seed), int(first)
        self.exact, self.threads = exact and truth.setting == "episodic", threads or os.cpu_count() or 1
        self.sizes = sizes_at(model, self.length)
        self.params = learner.parameters(params, self.sizes, known_to(learner, model))
        if learner.accepts is not None:
            learner.accepts(self.params, model)
        self.probes, self.monitor = tuple(probes), monitor or Monitor()
        self.lanes = self._side_by_side(lanes)
        self.tables = {
            **truth.tables,
            **{k: v if np.ndim(v) == 0 else np.ascontiguousarray(v) for k, v in (tables or {}).items()},
        }
        self.checkpoints = self._grid(checkpoints)
        self.done = 0
        self.seconds = {"setup": 0.0, "compile": 0.0, "loop": 0.0, **({"plan": 0.0} if learner.hosted else {})}
        self._allocate()
        self._bind()
        self.seconds["setup"] = time.perf_counter() - started

    def _grid(self, checkpoints: Sequence[int] | np.ndarray | None) -> np.ndarray:
        if checkpoints is None:
            return geometric(self.length)
        grid = np.asarray(checkpoints, dtype=np.int64)
        if grid.ndim != 1 or grid.size == 0 or np.any(np.diff(grid) <= 0) or grid[0] < 1 or grid[-1] > self.length:
            raise InputError(
                f"checkpoints must be increasing integers in 1..{self.length}; got {grid.tolist()[:8]}"
                + (" ..." if grid.size > 8 else "")
            )
        return grid

    @property
    def probed(self) -> bool:
        """Whether anything is observed beside the curves."""
        return bool(self.probes) or self.monitor.observe is not None

    def _side_by_side(self, lanes: int | None) -> int:
        one = self.learner.setting != "game" or self.probed or self.target != "cpu"
        most = 1 if one else min(LANES, self.replicates)
        if lanes is None:
            return most
        if not 1 <= lanes or (one and lanes > 1):
            raise InputError(
                f"lanes={lanes}: only unobserved solvers of games on the CPU run side by side; leave it out"
            )
        return lanes

    def _allocate_game(self) -> None:
        """Blocks of `lanes` replicates: (blocks, ..., lanes); the last block may have columns that nobody asked for."""
        L, n = self.lanes, len(self.probes)
        blocks = -(-self.replicates // L)
        shapes = {k: (f.dtype, resolve(f, self.params)) for k, f in self.learner.state.items()}
        self.state = {k: np.zeros((blocks, *shape, L), dtype=dtype) for k, (dtype, shape) in shapes.items()}
        Q = self.sizes["Q"]
        self.observed = {
            **{k: np.zeros((blocks, Q, L)) for k in records.LANED},
            "acc": np.zeros((blocks, 3, L)),
            "status": np.zeros((blocks, 3), dtype=np.int64),
            "curve": np.full((blocks, self.checkpoints.size, 3, L), np.nan),
            "pmax": np.full((blocks, max(n, 1)), -np.inf),
            "pfirst": np.full((blocks, max(n, 1)), -1, dtype=np.int64),
            "pcount": np.zeros((blocks, max(n, 1)), dtype=np.int64),
        }
        self._remember(blocks)

    def _flat(self, x: np.ndarray) -> np.ndarray:
        """An array of a game's run with the replicates first: (blocks, ..., lanes) to (R, ...)."""
        rows = np.moveaxis(x, -1, 1)
        return rows.reshape(-1, *rows.shape[2:])[: self.replicates].copy()

    def _allocate(self) -> None:
        if self.learner.setting == "game":
            self._allocate_game()
            return
        r, n = self.replicates, len(self.probes)
        spec = dict(self.learner.state) or {"nothing": Field("f8", (1,))}
        self.state = {k: np.zeros((r, *resolve(f, self.params)), dtype=f.dtype) for k, f in spec.items()}
        sites = {"bandit": ("A",), "episodic": ("H", "S", "A"), "average": ("S", "A")}[self.learner.setting]
        self.observed = {
            "visits": np.zeros((r, *(self.sizes[x] for x in sites)), dtype=np.int64),
            "acc": np.zeros((r, 3)),
            "status": np.zeros((r, 2), dtype=np.int64),
            "cur": np.zeros((r, 4), dtype=np.int64),
            "scratch": np.zeros((r, 2, self.sizes.get("S", 1))),
            "curve": np.full((r, self.checkpoints.size, 3), np.nan),
            "pmax": np.full((r, max(n, 1)), -np.inf),
            "pfirst": np.full((r, max(n, 1)), -1, dtype=np.int64),
            "pcount": np.zeros((r, max(n, 1)), dtype=np.int64),
        }
        count = math.prod(self.sizes[x] for x in sites)
        self.observed["ahead"] = np.zeros((r, count), dtype=np.int64)
        self.observed["ahead_r"] = np.zeros((r, count if self.truth.law else 1))
        self._remember(r)

    def _remember(self, r: int) -> None:
        """The monitor's memory."""
        for k, f in self.monitor.memory.items():
            if k in self.observed:
                raise InputError(f"a monitor's memory may not be called '{k}', a field of the loop; rename it")
            self.observed[k] = np.zeros((r, *resolve(f, self.sizes)), dtype=f.dtype)

    @property
    def footprint(self) -> int:
        """Bytes of one replicate: its state, and what the loop records."""
        rows = len(self.observed["status"]) * self.lanes
        return sum(a.nbytes for part in (self.state, self.observed) for a in part.values()) // rows

    def _bind(self) -> None:
        learner, setting = self.learner, self.learner.setting
        self.tables["sd"] = float(self.tables["sd"])
        bind: dict[str, Any] = records.bindings(
            setting,
            self.target,
            state=list(self.state),
            observed=list(self.observed),
            tables=list(self.tables),
            params=list(self.params),
            probes=self.probes,
            monitor=self.monitor,
        )
        if setting == "game":
            ends = {"BEGIN": learner.begin, "ACT": learner.act, "LEARN": learner.learn}
            bind.update(ends, LANES=self.lanes, PROBED=self.probed, EXACT=bool(self.probes))
            self.bind = bind
            self.entry = game_loop.block_games_cuda if self.target == "cuda" else game_loop.block_games
            return
        unused = records.nothing("*args")
        bind.update(
            BEGIN=learner.begin,
            ACT=learner.act,
            LEARN=learner.learn or unused,
            WATCH=learner.watch or unused,
            PLAN=learner.plan or records.nothing(records.PLANNING[setting]),
            EPOCHS=learner.epochs,
            HOST=learner.hosted,
            EXACT=self.exact,
            AHEAD=self.target == "cpu",
            LAW=self.truth.law,
            NEXT=loops.next_alias if self.truth.alias else loops.next_scan,
            REPLICATE=loops.LOOPS[setting],
        )
        self.bind = bind
        self.entry = loops.block_cuda if self.target == "cuda" else loops.block

    def code(self) -> str:
        """Digest of the sources that run: learner, probes, monitor and loop."""
        # views and the order of draws differ between targets, bits do not: the digest is that of the python target
        same = {"VIEW": tuple(self.state), "OBSERVED": tuple(self.observed)}
        bind = {**self.bind, **{k: records.view(k.lower(), v, "python") for k, v in same.items()}}
        if self.learner.setting == "game":
            return game_loop.block_games.digest(**{**bind, "LANES": 1})
        bind["AHEAD"] = False
        code = loops.block.digest(**bind)
        return code if not self.learner.hosted else f"{code} {host.digest(self.learner)}"

    def digest(self) -> str:
        """sha256 of all that determines the bits of this run, except the block of replicates and the length done."""
        h = hashlib.sha256(self.code().encode())
        numbers = {k: v for k, v in self.params.items() if not isinstance(v, np.ndarray)}
        about = dict(
            learner=self.learner.name, params=numbers, model=self.model.digest, seed=self.seed, length=self.length
        )
        h.update(json.dumps(about, sort_keys=True, default=repr).encode())
        self._add_arrays(h)
        h.update(self.checkpoints.tobytes())
        return h.hexdigest()

    def statement(self) -> str:
        """sha256 of `code` and of the arrays that the kernels read: tables of bounds, array parameters."""
        h = hashlib.sha256(self.code().encode())
        self._add_arrays(h)
        return h.hexdigest()

    def _add_arrays(self, h: Any) -> None:
        arrays = {f"p.{k}": v for k, v in self.params.items() if isinstance(v, np.ndarray)}
        for name, table in sorted({**self.tables, **arrays}.items()):
            table = np.asarray(table)
            h.update(f"{name} {table.dtype} {table.shape}".encode() + table.tobytes())

    def advance(self, to: int | None = None) -> Simulation:
        """Run every replicate up to `to` completed rounds, episodes or steps (default: the end)."""
        to = self.length if to is None else int(to)
        if not self.done <= to <= self.length:
            raise InputError(f"advance(to={to}): {self.done} are done and the length is {self.length}")
        if to == self.done:
            return self
        while True:
            if self.target == "cuda":
                self._launch(to)
            else:
                self._blocks(to)
            self._check()
            if not (self.learner.hosted and host.plan(self, to)):
                break
        self.done = to
        return self

    def _arguments(self, to: int) -> tuple[Any, ...]:
        word = int if self.target == "python" else np.uint64
        params = tuple(self.params.values())
        values = tuple(self.tables.values())
        k0, k1 = word(self.key[0]), word(self.key[1])
        return values, params, k0, k1, self.first, self.done, to, self.checkpoints

    def _blocks(self, to: int) -> None:
        states, observed = tuple(self.state.values()), tuple(self.observed.values())
        rest = self._arguments(to)
        r = len(self.observed["status"])
        started = time.perf_counter()
        if self.target == "python":
            self.entry.build("python", **self.bind)(states, observed, *rest, 0, r)
            self.seconds["loop"] += time.perf_counter() - started
            return
        function = self.entry.compile_cpu(**self.bind)
        self._compile(function, states, observed, *rest, 0, 0)
        compiled = time.perf_counter()
        self.seconds["compile"] += compiled - started
        workers = min(self.threads, r)
        if workers == 1:
            function(states, observed, *rest, 0, r)
        else:
            pieces = min(r, 8 * workers)
            cuts = [r * j // pieces for j in range(pieces + 1)]
            pool = _pool(workers, os.getpid())
            list(pool.map(lambda j: function(states, observed, *rest, cuts[j], cuts[j + 1]), range(pieces)))
        self.seconds["loop"] += time.perf_counter() - compiled

    def _compile(self, function: Any, *arguments: Any) -> None:
        """Compile or load by a call that runs no replicate; what Numba refuses becomes an `InputError`."""
        from numba.core.errors import NumbaError

        try:
            function(*arguments)
        except NumbaError as refusal:
            lines = [line.strip() for line in str(refusal).splitlines() if line.strip()]
            what = next((x for x in lines if not x.startswith(("Failed in", "During", "File", "<"))), "no reason given")
            where = next((x for x in lines if x.startswith("File ")), "")
            raise InputError(
                f"learner '{self.learner.name}' with its probes does not compile: {what} {where} Correct that kernel; "
                "target='python' runs the same source in a debugger"
            ) from refusal

    def _launch(self, to: int) -> None:
        from theorylab.device import launch

        launch(self, to)

    def _check(self) -> None:
        bad = np.flatnonzero(self.observed["status"][:, 0])
        if bad.size == 0:
            return
        code, when, *column = (int(x) for x in self.observed["status"][bad[0]])
        unit, replicate = UNITS[self.learner.setting][:-1], self.first + int(bad[0]) * self.lanes + sum(column)
        where = f"learner '{self.learner.name}', replicate {replicate}, {unit} {when}"
        if code == 4:
            raise InputError(f"{where}: `act` wrote no policy (an entry below 0, or a sum other than 1); correct it")
        if code == 1:
            raise InputError(f"{where}: the action is outside 0..{self.sizes['A'] - 1}; correct its `act` kernel")
        state = {k: v[bad[0]] for k, v in self.state.items()}
        reason = self.learner.failure(state, self.params) if self.learner.failure is not None else None
        sweeps = "planning did not converge; raise its sweep limit or correct its `plan` kernel"
        raise InputError(f"{where}: {reason or sweeps}")

    def curves(self) -> Curves:
        """What has been recorded so far; columns of checkpoints not yet reached are left out."""
        reached = self.checkpoints <= self.done
        game = self.learner.setting == "game"
        whole = self._flat(self.observed["curve"]) if game else self.observed["curve"]
        curve = whole[:, reached, :]
        data = {q: curve[:, :, j].copy() for j, q in enumerate(game_loop.COLUMNS if game else COLUMNS)}
        if self.learner.setting == "episodic" and not self.exact:
            del data["regret"]
        probes = {
            q.name: ProbeResult(*(self.observed[f][:, j].copy() for f in ("pmax", "pfirst", "pcount")))
            for j, q in enumerate(self.probes)
        }
        return Curves(
            learner=self.learner.name,
            model=self.model.name,
            setting=self.learner.setting,
            checkpoints=self.checkpoints[reached].copy(),
            data=data,
            final=self._final(),
            probes=probes,
            params={k: v.tolist() if isinstance(v := self.params[k], np.ndarray) else v for k in self.learner.settable},
            seed=self.seed,
            first=self.first,
            seconds=dict(self.seconds),
        )

    def _final(self) -> dict[str, np.ndarray]:
        if self.learner.setting != "game":
            return {k: v.copy() for k, v in self.state.items() if k != "nothing"}
        from theorylab.games.layout import by_infoset

        policy = by_infoset(self.model, self._flat(self.observed["policy"]))
        return {**{k: self._flat(v) for k, v in self.state.items()}, "policy": policy}

    def save(self) -> bytes:
        """The whole state as the bytes of an `.npz` file, to be given to `restore`."""
        out = io.BytesIO()
        arrays: dict[str, Any] = {f"state.{k}": v for k, v in self.state.items()}
        arrays.update({f"ob.{k}": v for k, v in self.observed.items()})
        np.savez(
            out, digest=np.frombuffer(self.digest().encode(), np.uint8), done=self.done, first=self.first, **arrays
        )
        return out.getvalue()

    def restore(self, saved: bytes) -> Simulation:
        """Continue from `save`d bytes of the same run; anything else is a `ShardError`."""
        try:
            with np.load(io.BytesIO(saved), allow_pickle=False) as z:
                arrays = {k: z[k] for k in z.files}
        except Exception as reason:
            raise ShardError(f"the saved state cannot be read ({reason}); start the run again without it") from None
        if arrays["digest"].tobytes().decode() != self.digest() or int(arrays["first"]) != self.first:
            raise ShardError("the saved state belongs to another run (its digest differs); restore it into that run")
        for group, target in (("state.", self.state), ("ob.", self.observed)):
            for k in target:
                target[k] = arrays[group + k]
        if "ahead" in self.observed:
            self.observed["ahead"][...] = 0  # stale if another target has run in between; drawn again when needed
        self.done = int(arrays["done"])
        return self
