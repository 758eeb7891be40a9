"""Figures of the studies of LOOP, from their cells; each with the numbers that are drawn as columns."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np

from proofs_check import _loop_analysis as analysis
from proofs_check import _loop_lemmas as lemmas
from proofs_check._loop_cells import (
    DIMENSIONS,
    FIVE,
    FOUR,
    JAO,
    LENGTHS,
    NAMES,
    RATIOS,
    REFERENCE,
    RIVER4,
    STEPS4,
    dimensions,
    growing,
    logged,
    misspecified,
    of_file,
    pairs,
)
from proofs_check._loop_panels import Dots, Line, Panel, Points, dots_of, figure_of, line, point, rows_of
from proofs_check._loop_runs import Found, Runs
from theorylab.figure_kinds import Drawing

__all__ = ["KINDS", "drawings"]

BAND = "mean, 10\N{EN DASH}90 % of the replicates shaded"


def _e1(runs: Runs) -> list[Dots]:
    rows: dict[str, Points] = {}
    for name in lemmas.SUITES:
        worst: dict[str, tuple[float, float, int]] = {}
        for claim, _, _, _, _, allowed, failed, count, _ in analysis.suite(runs, name) if lemmas.lemmas(name) else ():
            limit = lemmas.upper_limit(failed, count)
            short = claim.removeprefix("he2024.")
            if short not in worst or limit / allowed > worst[short][1] / worst[short][0]:
                worst[short] = (allowed, limit, failed)
        for short, (allowed, limit, failed) in worst.items():
            share, most = max(failed / (runs.replicates or 100), 1e-3), max(allowed, 1e-3)
            rows[short] = (("allowed", most, most, most), ("measured", share, share, limit))
    return [Dots("", "share of runs in which the step failed (smaller ones drawn at 0.001)", rows)]


def _e2(runs: Runs) -> list[Panel]:
    cells = {k: runs.get(c) for k, c in growing().items()}
    out = []
    for what, y, log in (("switches", "optimisations, N(T)", "x"), ("regret", "regret (reward units)", "xy")):
        lines = [
            line(NAMES[m], {float(T): cells[m, T, 1.0] for T in LENGTHS if (m, T, 1.0) in cells}, what) for m in FOUR
        ]
        for m in FOUR:
            known = [(T, v[what == "regret"]) for (on, T, f), v in REFERENCE.items() if (on, f) == (m, 1.0)]
            at = {float(T): float(v) for T, v in known if v is not None}
            lines.append(Line("single runs of the notes", tuple(at), tuple(at.values()), bare=NAMES[m]))
        out.append(Panel("LOOP, scale 1", "steps, T", y, tuple(lines), log, floor=5.0))
    return out


def _e3(runs: Runs) -> list[Panel]:
    out = []
    for learner, rows in analysis.hard(runs).items():
        lines = [
            line(
                "fixed gap 0.1" if c == "fixed" else f"c = {c[2:]}",
                {float(T): f for T, f in cells.items()},
                "gaps",
                math.sqrt,
            )
            for c, cells in rows.items()
        ]
        top = analysis.envelope(rows)
        lines = [Line(one.name, one.x, one.mean) for one in lines]
        lines.append(Line("largest over c", tuple(map(float, top)), tuple(top.values())))
        out.append(Panel(learner, "steps, T", r"sum of gaps / $T^{1/2}$", tuple(lines), "xy", floor=1e-3))
    return out


def _e4(runs: Runs) -> list[Panel]:
    first = []
    for scale in (1.0, 0.1):
        found, fit = analysis.spans(runs, scale)
        name = f"scale {scale:g}, block" + (f", slope {fit.value:.2f}" if fit is not None else "")
        kept = [w for w in found if w.learnt]
        first.append(Line(name, tuple(w.B for w in kept), tuple(w.mean for w in kept)))
        rest = [w for w in found if not w.learnt]
        first.append(Line("too few optimisations", tuple(w.B for w in rest), tuple(w.mean for w in rest), bare=name))
    second = [
        line(f"scale {f:g}, {NAMES[m]}", {x: runs.get(c) for x, c in misspecified(m, f).items()})
        for m in (JAO, RIVER4)
        for f in (1.0, 0.1)
    ]
    ticks = {x: f"{x:g}" for x in RATIOS}
    return [
        Panel(f"JAO block, T = {STEPS4}", r"bound on the span, B = 1/(2$\delta$)", "largest sum of gaps", tuple(first)),
        Panel(f"fixed, T = {STEPS4}", "B / true span", "regret (reward units)", tuple(second), ticks=ticks, floor=10.0),
    ]


def _e5(runs: Runs) -> list[Panel]:
    rows: dict[str, dict[float, Found | None]] = {}
    for _, learner, cell in of_file("loop-diameter"):
        rows.setdefault(learner, {})[1.0 / float(cell.model.split("=")[1].rstrip(")"))] = runs.get(cell)
    lines = [line(k, v) for k, v in rows.items()]
    return [Panel("three-state, T = 100000", "diameter, D = 1/q (steps)", "regret (reward units)",
                  tuple(one for one in lines if one.x), floor=0.5)]  # fmt: skip


def _e6(runs: Runs) -> list[Panel]:
    rows = {k: {float(d): runs.get(c) for d, c in v.items()} for k, v in dimensions().items()}
    lines = tuple(one for k, v in rows.items() if (one := line(k, v)).x)
    ticks = {float(d): str(d) for d in DIMENSIONS}
    own = next(v for k, v in rows.items() if k.startswith("LOOP (models)"))
    names = (("largest so far, LOOP (models)", "d_hat"), ("at T, LOOP (models)", "d_end"))
    fitted = tuple(one for k, what in names if (one := line(k, own, what)).x)
    return [
        Panel("T = 20000", "dimension, d", "regret (reward units)", lines, "y", ticks),
        Panel("", "dimension, d", r"dominance coefficient, $\hat d$", fitted, "", ticks),
    ]


def _e7(runs: Runs) -> list[Panel]:
    out: list[Panel] = []
    at = {"factor 1.5": 1.5, "factor 2": 2.0, "factor 4": 4.0, "factor 8": 8.0, "factor 16": 16.0, "doubling": 32.0}
    ticks = {x: k.removeprefix("factor ") if x < 32 else "doubling" for k, x in at.items()}
    for what, y in (("switches", "optimisations, N(T)"), ("regret", "regret (reward units)")):
        lines = []
        for stem in ("loop-trigger-riverswim", "loop-trigger-jao"):
            cells = of_file(stem)
            ends = line(cells[0][0], {at[k]: runs.get(c) for _, k, c in cells}, what)
            keep = sum(x < at["doubling"] for x in ends.x)
            lines.append(Line(ends.name, ends.x[:keep], ends.mean[:keep], ends.low[:keep], ends.high[:keep]))
            lines.append(Line("doubling of visits", ends.x[keep:], ends.mean[keep:], bare=ends.name))
        out.append(
            Panel(
                "T = 100000, scale 1",
                "factor of the trigger",
                y,
                tuple(lines),
                "x" if what == "switches" else "xy",
                ticks,
            )
        )
    return out


def _e8(runs: Runs) -> list[Panel]:
    panels = []
    for S, A in analysis.SIZES8:
        found = analysis.gaps(runs, S, A)
        lines = []
        for name in lemmas.SOLVERS:
            if name == "ascent's certificate":  # the u-bound but for a few instances
                continue
            v = np.sort(np.abs(found[name]))
            lines.append(Line(name, tuple((np.arange(v.size) + 1.0) / v.size), tuple(np.maximum(v, 1e-8))))
        panels.append(Panel(f"S = {S}, A = {A}", "share of 100 instances", "gap to the exact gain", tuple(lines), "y"))
    return panels


def _e9(runs: Runs) -> list[Panel]:
    out = []
    titles = {"relabelled": "RiverSwim-6, 256 models", "twins 8": "twins, 8 models"}
    for name, cells in pairs().items():
        lines = []
        for cell in cells:
            found = runs.get(cell)
            if found is not None:
                keep = found.n >= 100
                kept = found.gaps[found.ended][:, keep]
                low, high = (np.sort(kept, axis=0)[-(-s * len(kept) // 10) - 1] for s in (1, 9))
                x, mean, q10, q90 = (tuple(map(float, v)) for v in (found.n[keep], kept.mean(axis=0), low, high))
                lines.append(Line(cell.label, x, mean, q10, q90))
        out.append(Panel(titles[name], "steps, t", "sum of gaps (reward units)", tuple(lines), "xy", floor=1.0))
    return out


def _e10(runs: Runs) -> list[Dots]:
    found = analysis.tuned(runs)
    out = []
    for model in FIVE:
        rows = {}
        for name, scales in found.items():
            if all(f is None for by in scales.values() for f in by.values()):
                continue
            told = " | ".join(analysis.scale_label(name, s).removeprefix("scale ") for s in scales)
            points = [
                ("theory's constants, or defaults" if s is None else "scaled", *point(f))
                for s, by in scales.items() if (f := by[model]) is not None
            ]  # fmt: skip
            rows[f"{name} ({told})"] = tuple(points)
        out.append(Dots(NAMES[model], "regret at T = 100000", rows))
    return out


def _e11(runs: Runs) -> list[Panel]:
    at = {float(i): m for i, m in enumerate(FOUR)}
    found = {x: runs.get(logged()[m]) for x, m in at.items()}
    ticks = {x: NAMES[m] for x, m in at.items()}
    short = {
        x: {"three-state": "three-st.", "RiverSwim-4": "RS-4", "RiverSwim-6": "RS-6"}.get(t, t)
        for x, t in ticks.items()
    }
    d = line("LOOP, scale 1", found, "d_hat")
    notes = Line(
        "single runs of the notes", d.x, tuple(analysis.COEFFICIENTS[at[x]] for x in d.x), bare="LOOP, scale 1"
    )
    kappa = []
    for f in found.values():
        if f is not None:
            v = np.sort(analysis.kappa_of(f, 100_000))
            kappa.append((float(v.mean()), float(v[-(-v.size // 10) - 1]), float(v[-(-9 * v.size // 10) - 1])))
    mean, low, high = (tuple(v[i] for v in kappa) for i in range(3))
    return [
        Panel("T = 100000, scale 1", "", r"dominance coefficient, $\hat d$", (d, notes), "", short),
        Panel(
            "", "", r"transfer coefficient, $\hat \kappa$", (Line("LOOP, scale 1", d.x, mean, low, high),), "", short
        ),
    ]


#: part -> names of figures, captions, panels, how they are drawn
KINDS: dict[str, tuple[tuple[str, str, Callable[[Runs], Any], Any], ...]] = {
    "E1": (("lemmas", "Share of runs in which a step failed, with its 95 % limit, beside what it allows.", _e1,
            partial(dots_of, columns=1, note="to the 95 % limit")),),
    "E2": (("growing", f"Exact tabular LOOP, scale 1: {BAND}; crosses: single runs of the notes.", _e2, figure_of),),
    "E3": (("hard", "Sum of gaps over sqrt(T) on instances retuned with T: means of 32 replicates.", _e3,
            partial(figure_of, shaded=False)),),
    "E4": (("span", f"Span dependence and misspecified spans; {BAND}.", _e4, figure_of),),
    "E5": (("diameter", f"Regret against the diameter at a span near 1; {BAND}.", _e5, figure_of),),
    "E6": (("dimension", f"Hard linear mixture family; {BAND}.", _e6, figure_of),),
    "E7": (("trigger", f"Optimisations and regret against the trigger; {BAND}.", _e7, figure_of),),
    "E8": (("solvers", "Gap of solvers to the exact largest gain, sorted; 1e-8 stands for smaller ones.", _e8,
            partial(figure_of, shaded=False)),),
    "E9": (("mle", f"LOOP and MLE-LOOP on two finite classes; {BAND}.", _e9, figure_of),),
    "E10": (("all", "Regret of all algorithms at T = 1e5; in brackets the scales. Means up to 0 are left out.",
             _e10, dots_of),),
    "E11": (("coefficients", "Empirical coefficients; mean, 10\N{EN DASH}90 % of the replicates as bars.", _e11,
             partial(figure_of, shaded=False)),),
}  # fmt: skip


def drawings(runs: Runs, parts: Sequence[str]) -> list[Drawing]:
    """The figures of parts; cells that are missing are run."""
    out = []
    for part in parts:
        for name, caption, make, draw in KINDS[part]:
            panels = make(runs)
            out.append(
                Drawing("study", f"loop-{name}", caption, "he2024", partial(rows_of, panels), partial(draw, panels))
            )
    return out
