"""Generated records: the views of one replicate and the sweeps over probes that depend on a spec's fields.

Kernels see named records (`st.Q[h, s, a]`, `p.delta`, `tr.V_star`). Their field names differ from learner to
learner, so the small functions that build them from tuples of arrays are generated as source text; entry points
take plain tuples only, so that compiled code can be cached across processes. On the CPU the replicate axis comes
first, on CUDA last, where neighbouring threads then read neighbouring words.
"""

from __future__ import annotations

import types
from collections import namedtuple
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

from theorylab.compiler import Kernel, generated, kernel
from theorylab.errors import InputError
from theorylab.probe import Monitor, Probe

__all__ = ["bindings", "larger", "nothing", "smaller"]


@kernel
def larger(a: Any, b: Any) -> Any:
    """The larger of two numbers, and NaN where one is: what `max` is in probes, which must not lose a NaN."""
    if b > a or b != b:
        return b
    return a


@kernel
def smaller(a: Any, b: Any) -> Any:
    """The smaller of two numbers, and NaN where one is: what `min` is in probes."""
    if b < a or b != b:
        return b
    return a


def strict(k: Kernel) -> Kernel:
    """A probe's or monitor's kernel with `max` and `min` that keep NaN."""
    return k.throughout(max=larger, min=smaller)


#: fields of the truth record that the loop knows at each moment, in the order of the sweep's arguments
MOVING = {
    "bandit": ("a", "r", "regret"),
    "episodic": ("h", "s", "a", "r", "s2", "regret", "gap_regret"),
    "average": ("s", "a", "r", "s2", "regret", "gap_regret"),
    "game": ("exploitability", "value", "value_1"),
}
#: observations of a run of a solver that have a column a replicate; probes see one replicate
LANED = ("policy", "plan", "grad")


#: arguments of a plan by setting
PLANNING = {"bandit": "*args", "episodic": "st, p, k, rng", "average": "st, p, t, s, rng", "game": "*args"}


def record(name: str, fields: Sequence[str], source: str, entries: Iterable[str], arguments: str) -> Kernel:
    """A generated kernel `name(arguments)` that returns a named tuple with the given entries."""
    for taken in ("index", "count"):
        if taken in fields:
            raise InputError(f"a field may not be called '{taken}', a method of every record; choose another name")
    cls = namedtuple(name.capitalize() + "Record", list(fields))  # type: ignore[misc]
    body = f"def {name}({arguments}):\n    return {cls.__name__}({', '.join(entries)})\n"
    return generated(name, body + source, **{cls.__name__: cls})


@cache
def view(name: str, fields: tuple[str, ...], target: str) -> Kernel:
    """Kernel `name(arrays, i)`: the record of replicate i."""
    index = "i" if target != "cuda" else "..., i"
    entries = [f"arrays[{j}][{index}]" for j in range(len(fields))]
    return record(name, fields, f"# fields {list(fields)}\n", entries, "arrays, i")


@cache
def lane(fields: tuple[str, ...]) -> Kernel:
    """Kernel `lane(st)`: the record of a state with one column, without that axis."""
    return record("lane", fields, f"# fields {list(fields)}\n", [f"st.{f}[..., 0]" for f in fields], "st")


def unpack(name: str, fields: Sequence[str]) -> Kernel:
    """Kernel `name(values)`: a tuple as a record."""
    entries = [f"values[{j}]" for j in range(len(fields))]
    return record(name, fields, f"# fields {list(fields)}\n", entries, "values")


def names_used(kernels: Iterable[Kernel | None]) -> set[str]:
    """Names of all attributes and globals in the bodies of kernels and of those they call."""
    found: set[str] = set()
    stack = [k for k in kernels if k is not None]
    seen: set[int] = set()
    while stack:
        k = stack.pop()
        if id(k) in seen:
            continue
        seen.add(id(k))
        codes = [k.f.__code__]
        while codes:
            code = codes.pop()
            found.update(code.co_names)
            codes += [c for c in code.co_consts if isinstance(c, types.CodeType)]
        stack += [v for v in k.uses({}).values() if isinstance(v, Kernel)]
    return found


@cache
def nothing(arguments: str) -> Kernel:
    """A kernel that does nothing and returns True."""
    return generated("nothing", f"def nothing({arguments}):\n    return True\n")


def sweep(
    setting: str, at: str, probes: Sequence[Probe], monitor: Monitor, tables: Sequence[str], observed: Sequence[str]
) -> Kernel:
    """Kernel `probe_AT(st, p, tb, ob, t, ...)` that observes, then evaluates every probe of that moment.

    A probe's slot is its index in the full list, so that results line up with the specs.
    """
    moving = MOVING[setting]
    head = f"st, p, tb, ob, t, {', '.join(moving)}"
    name = f"probe_{at}"
    observe = monitor.observe if at == "step" else None
    chosen = [(j, q) for j, q in enumerate(probes) if q.at == at]
    if not chosen and observe is None:
        return nothing(head)
    used = names_used([q.value for _, q in chosen] + [observe])
    fields, entries = _truth(used, moving, tables, observed)
    cls = namedtuple(f"Truth{at.capitalize()}", fields)  # type: ignore[misc]
    lines = [f"def {name}({head}):", f"    tr = {cls.__name__}({', '.join(entries)})"]
    scope: dict[str, Any] = {cls.__name__: cls}
    if observe is not None:
        scope["OBSERVE_"] = strict(observe)
        lines.append("    OBSERVE_(st, p, tr, t)")
    for j, q in chosen:
        scope[f"VALUE_{j}"] = strict(q.value)
        lines += [
            f"    v = VALUE_{j}(st, p, tr, t)  # {q.name}",
            f"    if v > ob.pmax[{j}] or v != v:",
            f"        ob.pmax[{j}] = v",
        ]
        if q.tol == float("inf"):  # measured only: its maximum is wanted
            continue
        lines += [
            f"    if not v <= {float(q.tol)!r}:",
            f"        if ob.pcount[{j}] == 0:",
            f"            ob.pfirst[{j}] = t",
            f"        ob.pcount[{j}] += 1",
        ]
    return generated(name, "\n".join(lines) + "\n", **scope)


def _truth(
    used: set[str], moving: Sequence[str], tables: Sequence[str], observed: Sequence[str]
) -> tuple[list[str], list[str]]:
    fields, entries = [], []
    for name, entry in (
        [(n, n) for n in moving]
        + [(n, f"tb.{n}") for n in tables]
        + [(n, f"ob.{n}") for n in observed if n not in ("acc", "pmax", "pfirst", "pcount", "curve", "scratch")]
    ):
        if name in used and name not in fields:
            fields.append(name)
            entries.append(entry)
    if moving == MOVING["game"]:
        entries = [f"{e}[..., 0]" if n in LANED else e for n, e in zip(fields, entries, strict=True)]
    if "epochs" in used:
        fields.append("epochs")
        entries.append("ob.cur[2]")
    if not fields:  # a record needs a field
        fields, entries = ["nothing"], ["t"]
    return fields, entries


def start(monitor: Monitor, tables: Sequence[str], observed: Sequence[str]) -> Kernel:
    """Kernel `start(p, tb, ob)` that lets the monitor fill its memory before the first step."""
    if monitor.begin is None:
        return nothing("p, tb, ob")
    fields, entries = _truth(names_used([monitor.begin]), (), tables, observed)
    cls = namedtuple("TruthStart", fields)  # type: ignore[misc]
    source = f"def start(p, tb, ob):\n    BEGIN_(p, {cls.__name__}({', '.join(entries)}))\n"
    return generated("start", source.replace("(t)", "(0)"), **{cls.__name__: cls, "BEGIN_": monitor.begin})


_bindings: dict[tuple[Any, ...], tuple[dict[str, Kernel], Any]] = {}


def bindings(
    setting: str,
    target: str,
    *,
    state: Sequence[str],
    observed: Sequence[str],
    tables: Sequence[str],
    params: Sequence[str],
    probes: Sequence[Probe],
    monitor: Monitor,
) -> dict[str, Kernel]:
    """All generated kernels of a build, by placeholder name; equal arguments give the same kernels, built once."""
    names = (setting, target, tuple(state), tuple(observed), tuple(tables), tuple(params))
    key = (*names, tuple(id(q) for q in probes), id(monitor.begin), id(monitor.observe))
    if key in _bindings:
        return dict(_bindings[key][0])
    out = {
        "VIEW": view("view", tuple(state), target),
        "OBSERVED": view("observed", tuple(observed), target),
        "TABLES": unpack("tables", tables),
        "PARAMS": unpack("params", params),
        "START": start(monitor, tables, observed),
    }
    for at in ("step", "plan", "episode", "end"):
        out[f"PROBE_{at.upper()}"] = sweep(setting, at, probes, monitor, tables, observed)
    if setting == "game":
        out["LANE"] = lane(tuple(state))
    _bindings[key] = (out, (tuple(probes), monitor))  # the specs are kept, so that their ids stay theirs
    return dict(out)
