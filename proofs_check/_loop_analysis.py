"""What the tables and figures of the studies of LOOP share: numbers in words, and what is read off the cells."""

from __future__ import annotations

import math
from dataclasses import dataclass
from hashlib import sha256
from inspect import getsource

import numpy as np

from mdps.loop import relaxations, tabular
from proofs_check import _loop_lemmas as lemmas
from proofs_check._loop_cells import (
    FIVE,
    FOUR,
    METHODS,
    REPORTED,
    RIVER4,
    TUNING,
    Cell,
    method_cell,
    model_of,
    of_file,
    slope_cells,
)
from proofs_check._loop_runs import Found, Runs
from theorylab.stats.slope import Slope, weighted

__all__ = [
    "COEFFICIENTS",
    "SECONDS",
    "SIZES8",
    "Worst",
    "beta_of",
    "chosen",
    "digits",
    "envelope",
    "gaps",
    "hard",
    "inside",
    "kappa_of",
    "scale_label",
    "shown",
    "size_of",
    "spans",
    "suite",
    "tuned",
]

DASH = "-"


def digits(x: float) -> str:
    """Three significant digits, no exponent below a million."""
    if not math.isfinite(x):
        return "inf" if x > 0 else "-"
    if abs(x) >= 1e6:
        return f"{x:.2e}"
    return f"{x:.0f}" if abs(x) >= 100 else f"{x:.3g}"


def shown(found: Found | None, name: str = "regret", per: float = 1.0) -> str:
    """Mean [10 %, 90 %] of what is at the end, divided by `per`; how many were stopped, how many there are if fewer."""
    if found is None:
        return DASH
    values = found.last(name)
    mean = float(values.mean()) / per if values.size else math.inf
    text = f"{digits(mean)} [{digits(found.quantile(0.1, name) / per)}, {digits(found.quantile(0.9, name) / per)}]"
    count = found.regret.shape[0]
    return (
        text
        + (f", {len(found.stopped)}/{count} stopped" if found.stopped else "")
        + (f", R={count}" if count < found.asked else "")
    )


def suite(runs: Runs, name: str) -> list[tuple[str, str, int, int, float, float, int, int, float]]:
    """The rows of a suite, measured where they are not stored."""
    replicates = runs.replicates or 100
    learner, ids = lemmas.SUITES[name][0], sorted(f"{c.id} {i}" for c, i in lemmas.lemmas(name))
    version = f"{replicates} {' '.join(ids)}"
    made = runs.compute(f"E1 {name} {learner}", version, lambda: lemmas.suite(name, replicates, target=runs.target))
    return list(zip(*(made[k] for k in lemmas.COLUMNS), strict=True))


def inside(found: Found, name: str, value: float) -> tuple[float, float, bool]:
    """The 1 % and 99 % order statistics of the replicates that came to the end, and whether a value lies in between."""
    values = np.sort(found.last(name))
    low, high = (float(values[max(math.ceil(share * values.size - 1e-9), 1) - 1]) for share in (0.01, 0.99))
    return low, high, low <= value <= high


def hard(runs: Runs) -> dict[str, dict[str, dict[int, Found | None]]]:
    """learner -> "c=1" or "fixed" -> T -> result."""
    out: dict[str, dict[str, dict[int, Found | None]]] = {}
    for label, learner, cell in of_file("loop-hard"):
        out.setdefault(learner, {}).setdefault(label.split(",")[0], {})[cell.length] = runs.get(cell)
    return out


def envelope(rows: dict[str, dict[int, Found | None]]) -> dict[int, float]:
    """T -> largest mean sum of gaps over sqrt(T), over the gaps that were tried."""
    out: dict[int, float] = {}
    for c, cells in rows.items():
        for T, found in cells.items():
            if c != "fixed" and found is not None and found.ended.any():
                out[T] = max(out.get(T, -math.inf), float(found.last("gaps").mean()) / math.sqrt(T))
    return dict(sorted(out.items()))


@dataclass(frozen=True)
class Worst:
    """E4 at one bound B: largest mean sum of gaps over c, its standard error, that c, and optimisations there."""

    B: float
    mean: float
    se: float
    c: int
    switches: float

    @property
    def learnt(self) -> bool:
        """Whether three or more hypotheses were played on average; below that the first choices decide."""
        return self.switches >= 3.0


def spans(runs: Runs, scale: float) -> tuple[list[Worst], Slope | None]:
    """E4: the worst gap at each B = 1/(2 delta), and the fitted power of B where something was learnt."""
    out = []
    for dl, cells in slope_cells(scale).items():
        kept = {c: f for c, cell in cells.items() if (f := runs.get(cell)) is not None and f.ended.all()}
        if kept:
            c = max(kept, key=lambda k: float(kept[k].last("gaps").mean()))
            gaps, count = kept[c].last("gaps"), float(kept[c].last("switches").mean())
            out.append(Worst(0.5 / dl, float(gaps.mean()), float(gaps.std(ddof=1)) / math.sqrt(gaps.size), c, count))
    fit = [w for w in out if w.learnt]
    return out, weighted([w.B for w in fit], [w.mean for w in fit], [w.se for w in fit]) if len(fit) > 2 else None


SIZES8 = ((4, 2), (6, 3))


def gaps(runs: Runs, S: int, A: int) -> dict[str, np.ndarray]:
    """Exact gain and differences of solvers from it over 100 random instances (fewer with `replicates`)."""
    count = min(100, runs.replicates or 100)
    sources = getsource(tabular) + getsource(relaxations) + getsource(lemmas.random_instance)
    made = runs.compute(f"E8 {S} {A} {count}", f"{hash_of(sources)}", lambda: lemmas.instance_gaps(S, A, count))
    return {k: np.array(v) for k, v in made.items()}


def hash_of(text: str) -> str:
    """Digest of sources."""
    return sha256(text.encode()).hexdigest()


def chosen(runs: Runs, name: str, seconds: float = 60.0) -> float | None:
    """The scale with the least geometric mean, over the five instances, of the mean regret on the tuning seed.

    8 replicates; regrets below 1 count as 1; a scale with a stopped replicate is not chosen. None where there is no
    scale, or the learner is missing.
    """
    best, least = None, math.inf
    for scale in METHODS[name].scales:
        values = []
        for model in FIVE:
            found = runs.get(method_cell(name, model, scale, TUNING, 8, seconds))
            if found is not None:
                whole = not found.stopped and found.ended.any()
                values.append(math.log(max(float(found.last().mean()), 1.0)) if whole else math.inf)
        if values and (mean := float(np.mean(values))) < least:
            best, least = scale, mean
    return best


#: CPU seconds after which no more replicates of a reported cell of E10 are begun
SECONDS = 300.0


def tuned(runs: Runs, seconds: float = SECONDS) -> dict[str, dict[float | None, dict[str, Found | None]]]:
    """algorithm -> scale (None: the theory's or the default) -> instance -> result."""
    out: dict[str, dict[float | None, dict[str, Found | None]]] = {}
    for name in METHODS:
        for scale in dict.fromkeys((None, chosen(runs, name))):
            out.setdefault(name, {})[scale] = {
                m: runs.get(method_cell(name, m, scale, REPORTED, 64, seconds)) for m in FIVE
            }
    return out


def scale_label(name: str, scale: float | None) -> str:
    """What is printed of the constants."""
    method = METHODS[name]
    if method.scaled == "eta":
        return f"eta {method.params(RIVER4)['eta'] if scale is None else scale:g}"
    if not method.scales:
        return "no scale" if name == "TSDE" else "scale 1"
    return f"scale {1.0 if scale is None else scale:g}"


#: model -> d_hat of the notes at T = 1e5
COEFFICIENTS = dict(zip(FOUR, (5.6, 4.2, 4.7, 7.9), strict=True))


def kappa_of(found: Found, T: int) -> np.ndarray:
    """transfer / (largest in-sample error times ln T), (R,)."""
    out: np.ndarray = found.last("transfer") / (found.last("most") * math.log(T))
    return out


def size_of(cell: Cell) -> int:
    """S A."""
    model = model_of(cell.model)
    return int(model.S * model.A)


def beta_of(cell: Cell) -> float:
    """beta of form 1 times the scale, reward squared: B^2 ((SA/2) ln(1 + T/(SA)) + ln(1/delta))."""
    x, p = size_of(cell), cell.params
    return float(p["scale"] * p["span"] ** 2 * (0.5 * x * math.log(1.0 + cell.length / x) + math.log(1.0 / p["delta"])))
