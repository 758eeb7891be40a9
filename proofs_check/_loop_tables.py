"""Tables of the studies E1 to E11 of LOOP. Each part takes `Runs` and gives Markdown.

A cell reads: mean [10 %, 90 %] over replicates, order statistics. Replicates that ended with an error count as infinite
in quantiles and are left out of means, and the table says how many there are; a dash stands for a learner that is not
registered or refuses its model.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from mdps.loop import relaxations, tabular
from proofs_check import _loop_lemmas as lemmas
from proofs_check._collection_tables import grid
from proofs_check._loop_cells import (
    DIMENSIONS,
    FIVE,
    FOUR,
    JAO,
    METHODS,
    NAMES,
    REFERENCE,
    REPORTED,
    RIVER4,
    STEPS10,
    TUNING,
    Cell,
    dimensions,
    every_step,
    growing,
    logged,
    method_cell,
    misspecified,
    of_file,
    pairs,
    relaxed,
    slope_cells,
)  # fmt: skip
from proofs_check._loop_runs import Found, Runs
from theorylab.stats.slope import Slope, weighted

__all__ = ["PARTS", "chosen", "envelope", "inside", "kappa_of", "shown", "spans", "tuned"]

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


# E1


def e1(runs: Runs) -> str:
    """The lemma suite."""
    rows = []
    for name in lemmas.SUITES:
        if not lemmas.lemmas(name):
            runs.missing.setdefault(f"{lemmas.SUITES[name][0]} (no steps)", []).append(f"lemma suite '{name}'")
            continue
        for row in suite(runs, name):
            claim, model, steps, form, delta, allowed, failed, count, worst = row
            limit = lemmas.upper_limit(failed, count)
            rows.append([claim, model, f"{steps}", f"{form}", f"{delta:g}", f"{failed}/{count}", f"{limit:.3f}",
                         f"{allowed:.3f}", digits(worst)])  # fmt: skip
    head = ["lemma", "instance", "T", "form", "delta", "failed", "95 % limit", "allowed", "largest lhs - rhs"]
    return grid(head, rows)


def suite(runs: Runs, name: str) -> list[tuple[str, str, int, int, float, float, int, int, float]]:
    """The rows of a suite, measured where they are not stored."""
    replicates = runs.replicates or 100
    learner, ids = lemmas.SUITES[name][0], sorted(f"{c.id} {i}" for c, i in lemmas.lemmas(name))
    version = f"{replicates} {' '.join(ids)}"
    made = runs.compute(f"E1 {name} {learner}", version, lambda: lemmas.suite(name, replicates, target=runs.target))
    return list(zip(*made.values(), strict=True))


# E2


def inside(found: Found, name: str, value: float) -> tuple[float, float, bool]:
    """The 1 % and 99 % order statistics of the replicates that came to the end, and whether a value lies in between."""
    values = np.sort(found.last(name))
    low, high = (float(values[max(math.ceil(share * values.size - 1e-9), 1) - 1]) for share in (0.01, 0.99))
    return low, high, low <= value <= high


def e2(runs: Runs) -> str:
    """Exact LOOP at growing T, and the reference values."""
    rows, against = [], []
    for (model, T, scale), cell in growing().items():
        found = runs.get(cell)
        rows.append([NAMES[model], f"{T}", f"{scale:g}", shown(found, "switches"), shown(found)])
        if found is None or (model, T, scale) not in REFERENCE:
            continue
        for name, value in zip(("switches", "regret"), REFERENCE[model, T, scale], strict=True):
            if value is not None:
                low, high, within = inside(found, name, value)
                what = "optimisations" if name == "switches" else name
                against.append(
                    [
                        NAMES[model],
                        f"{T}",
                        f"{scale:g}",
                        what,
                        f"{value:g}",
                        f"{digits(low)} to {digits(high)}",
                        "inside" if within else "OUTSIDE",
                    ]
                )
    first = grid(["instance", "T", "scale of beta", "optimisations", "regret"], rows)
    head = [
        "instance",
        "T",
        "scale of beta",
        "quantity",
        "single run of the notes",
        "1 % to 99 % of the runs",
        "verdict",
    ]
    return f"{first}\nThe single runs of the notes:\n\n% begin reference\n\n{grid(head, against)}\n% end reference\n"


# E3


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


def e3(runs: Runs) -> str:
    """Sum of gaps over sqrt(T) on instances retuned with T."""
    text = []
    for learner, rows in hard(runs).items():
        top = envelope(rows)
        body = [
            [c, *(shown(cells[T], "gaps", math.sqrt(T)) if T in cells else "gap > delta" for T in top)]
            for c, cells in rows.items()
        ]
        body.append(["largest mean over c", *(digits(x) for x in top.values())])
        text.append(f"{learner}\n\n{grid(['gap', *(f'T={T}' for T in top)], body)}")
    return "\n".join(text)


# E4


def spans(runs: Runs, scale: float) -> tuple[list[float], list[float], list[float], list[int], Slope | None]:
    """Bounds B = 1/(2 delta), largest mean sum of gaps over c, its standard error, that c, and the power of B."""
    x, y, se, at = [], [], [], []
    for dl, cells in slope_cells(scale).items():
        means = {c: f.last("gaps") for c, cell in cells.items() if (f := runs.get(cell)) is not None and f.ended.all()}
        if means:
            c = max(means, key=lambda k: float(means[k].mean()))
            x.append(0.5 / dl)
            y.append(float(means[c].mean()))
            se.append(float(means[c].std(ddof=1)) / math.sqrt(means[c].size))
            at.append(c)
    return x, y, se, at, weighted(x, y, se) if len(x) > 2 else None


def e4(runs: Runs) -> str:
    """Span dependence, and the cost of a bound that is too large."""
    rows, lines = [], []
    for scale in (1.0, 0.1):
        x, y, se, at, fit = spans(runs, scale)
        rows += [
            [f"{scale:g}", f"{B:g}", digits(v), digits(e), f"{c}"] for B, v, e, c in zip(x, y, se, at, strict=True)
        ]
        if fit is not None:
            low, high = fit.limits(0.025)
            lines.append(f"scale {scale:g}: {fit.value:.2f} [{low:.2f}, {high:.2f}]")
    first = grid(["scale of beta", "B = 1/(2 delta)", "largest mean sum of gaps over c", "its se", "at c"], rows)
    more = []
    for model in (JAO, RIVER4):
        for scale in (1.0, 0.1):
            cells = misspecified(model, scale)
            more.append([NAMES[model], f"{scale:g}", *(shown(runs.get(c)) for c in cells.values())])
    second = grid(["instance", "scale of beta", *(f"B = {x:g} sp" for x in cells)], more)
    return f"{first}\nFitted power of B (95 % limits): {'; '.join(lines)}.\n\n{second}"


# E5, E7


def e5(runs: Runs) -> str:
    """Span against diameter."""
    table: dict[str, dict[str, str]] = {}
    for model, learner, cell in of_file("loop-diameter"):
        table.setdefault(learner, {})[model] = shown(runs.get(cell))
    return grid(["algorithm", *next(iter(table.values()))], [[k, *v.values()] for k, v in table.items()])


def e7(runs: Runs) -> str:
    """Triggers."""
    rows = []
    for stem in ("loop-trigger-riverswim", "loop-trigger-jao"):
        for model, learner, cell in of_file(stem):
            found = runs.get(cell)
            rows.append([model, f"{cell.length}", learner, shown(found, "switches"), shown(found)])
    for model in (JAO, RIVER4):
        for label, cell in every_step(model).items():
            found = runs.get(cell)
            rows.append([NAMES[model], f"{cell.length}", label, shown(found, "switches"), shown(found)])
    return grid(["instance", "T", "trigger (scale of beta 1)", "optimisations", "regret"], rows)


# E6


def e6(runs: Runs) -> str:
    """Dimension."""
    rows, fitted = [], []
    for label, cells in dimensions().items():
        found = {d: runs.get(cell) for d, cell in cells.items()}
        rows.append([f"{label}: regret", *map(shown, found.values())])
        if label.startswith("LOOP (models)"):
            fitted.append(["LOOP (models): d_hat", *(shown(f, "d_hat") for f in found.values())])
            fitted.append(["LOOP (models): optimisations", *(shown(f, "switches") for f in found.values())])
    return grid(["", *(f"d={d}" for d in DIMENSIONS)], rows + fitted)


# E8

SIZES8 = ((4, 2), (6, 3))


def gaps(runs: Runs, S: int, A: int) -> dict[str, np.ndarray]:
    """Exact gain and differences of solvers from it over 100 random instances (fewer with `replicates`)."""
    from inspect import getsource

    count = min(100, runs.replicates or 100)
    sources = getsource(tabular) + getsource(relaxations) + getsource(lemmas.random_instance)
    made = runs.compute(f"E8 {S} {A} {count}", f"{hash_of(sources)}", lambda: lemmas.instance_gaps(S, A, count))
    return {k: np.array(v) for k, v in made.items()}


def hash_of(text: str) -> str:
    """Digest of sources."""
    from hashlib import sha256

    return sha256(text.encode()).hexdigest()


def e8(runs: Runs) -> str:
    """Gaps of solvers, and what they cost in regret."""
    rows = []
    for S, A in SIZES8:
        found = gaps(runs, S, A)
        for name in ("certified", *lemmas.SOLVERS):
            v = np.sort(np.abs(found[name]))
            label = "exact: bound - J" if name == "certified" else name
            rows.append(
                [
                    f"S={S}, A={A}",
                    label,
                    *(f"{x:.2g}" for x in (np.median(v), v[-(-9 * v.size // 10) - 1], v[-1])),
                    f"{int((v <= 1e-5).sum())}/{v.size}",
                ]
            )
    first = grid(["instances", "solver", "median gap", "90 %", "largest", "within 1e-5"], rows)
    cells = relaxed()
    models = list(dict.fromkeys(m for _, m in cells))
    body = [
        [name + ", scale 1", *(shown(runs.get(cells[name, m])) for m in models)]
        for name in dict.fromkeys(n for n, _ in cells)
    ]
    second = grid(["algorithm", *(f"{NAMES[m]}, T={STEPS10}" for m in models)], body)
    return f"{first}\n{second}"


# E9


def e9(runs: Runs) -> str:
    """LOOP against MLE-LOOP."""
    rows = []
    for name, cells in pairs().items():
        for cell in cells:
            found = runs.get(cell)
            early = DASH
            if found is not None:
                k = int(np.searchsorted(found.n, 10_000))
                early = f"{digits(float(found.regret[found.ended, k].mean()))} at {found.n[k]}"
            rows.append([name, cell.label, early, shown(found), shown(found, "switches")])
    return grid(["class", "algorithm", "mean regret", "regret at T=100000", "optimisations"], rows)


# E10


def chosen(runs: Runs, name: str, seconds: float = 3.0) -> float | None:
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


def tuned(runs: Runs, seconds: float = 12.0) -> dict[str, dict[float | None, dict[str, Found | None]]]:
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


def e10(runs: Runs) -> str:
    """All algorithms on five instances."""
    rows = []
    for name, scales in tuned(runs).items():
        told = "known" if METHODS[name].known else "learnt"
        for scale, found in scales.items():
            rows.append([name, scale_label(name, scale), told, *(shown(found[m]) for m in FIVE)])
    return grid(["algorithm", "constants", "rewards", *(NAMES[m] for m in FIVE)], rows)


# E11

#: model -> d_hat of the notes at T = 1e5
COEFFICIENTS = dict(zip(FOUR, (5.6, 4.2, 4.7, 7.9), strict=True))


def kappa_of(found: Found, T: int) -> np.ndarray:
    """transfer / (largest in-sample error times ln T), (R,)."""
    out: np.ndarray = found.last("transfer") / (found.last("most") * math.log(T))
    return out


def e11(runs: Runs) -> str:
    """Empirical coefficients."""
    rows = []
    for model, cell in logged().items():
        found = runs.get(cell)
        if found is None:
            continue
        kappa, beta = np.sort(kappa_of(found, cell.length)), beta_of(cell)
        ratio = np.sort(found.last("transfer") / beta)
        k10, k90 = kappa[-(-kappa.size // 10) - 1], kappa[-(-9 * kappa.size // 10) - 1]
        low, high, within = inside(found, "d_hat", COEFFICIENTS[model])
        size = size_of(cell)
        rows.append(
            [
                NAMES[model],
                shown(found, "d_hat"),
                f"{COEFFICIENTS[model]:g}",
                f"{digits(low)} to {digits(high)}",
                "inside" if within else "OUTSIDE",
                digits(size * (1.0 + math.log(cell.length))),
                f"{digits(kappa.mean())} [{digits(k10)}, {digits(k90)}]",
                f"{size}",
                f"{digits(ratio[0])} to {digits(ratio[-1])}",
                shown(found, "most", beta),
            ]
        )
    head = [
        "instance",
        "d_hat",
        "notes",
        "1 % to 99 %",
        "verdict",
        "SA (1 + ln T)",
        "kappa_hat",
        "SA",
        "transfer/beta",
        "largest in-sample/beta",
    ]
    return grid(head, rows)


def size_of(cell: Cell) -> int:
    """S A."""
    from proofs_check._loop_cells import model_of

    model = model_of(cell.model)
    return int(model.S * model.A)


def beta_of(cell: Cell) -> float:
    """beta of form 1 times the scale, reward squared: B^2 ((SA/2) ln(1 + T/(SA)) + ln(1/delta))."""
    x, p = size_of(cell), cell.params
    return float(p["scale"] * p["span"] ** 2 * (0.5 * x * math.log(1.0 + cell.length / x) + math.log(1.0 / p["delta"])))


#: part -> title, words above the table, table
PARTS: dict[str, tuple[str, str, Callable[[Runs], str]]] = {
    "E1": ("E1: lemma suite", "Share of runs in which a step failed at least once, 100 replicates, seed 801.", e1),
    "E2": (
        "E2: exact tabular LOOP at growing T",
        "64 replicates, seed 802, B = 1.05 sp + .01, delta = .05, form 1.",
        e2,
    ),
    "E3": (
        "E3: instances retuned with T",
        "Sum of gaps over sqrt(T) on the block of Jaksch et al., delta = .25, epsilon = "
        "c sqrt(delta A' / T); 32 replicates, seed 803.",
        e3,
    ),
    "E4": (
        "E4: span",
        "T = 1e5, 32 replicates, seed 804. The block with delta halved, epsilon = c sqrt(delta A' / T) "
        "<= delta, c in 2, 4, 8, 16, 32; then regret with a bound B that is a multiple of the span.",
        e4,
    ),
    "E5": ("E5: span against diameter", "Three-state chain, T = 1e5, 32 replicates, seed 805; regret.", e5),
    "E6": (
        "E6: dimension",
        "Hard linear mixture family, delta = .2, Delta = delta/3, T = 20,000, 64 replicates, seed 806; beta of "
        "LOOP: form 1.",
        e6,
    ),
    "E7": ("E7: triggers", "32 replicates (16 at T = 500), seed 807.", e7),
    "E8": (
        "E8: solvers",
        "100 random empirical models of each size (beta = 4, B = 2): distance from the exact largest gain. "
        "Then regret, 64 replicates, seed 808.",
        e8,
    ),
    "E9": ("E9: MLE-LOOP against LOOP", "T = 1e5, 64 replicates, seed 809.", e9),
    "E10": (
        "E10: all algorithms",
        f"Regret at T = {STEPS10}, seed {REPORTED}; scales chosen on seed {TUNING} (8 replicates), "
        "one for all five instances.",
        e10,
    ),
    "E11": ("E11: empirical coefficients", "LOOP, form 1, scale 1, T = 1e5, 64 replicates, seed 811.", e11),
}
