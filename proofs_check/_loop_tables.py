"""Tables of the studies E1 to E11 of LOOP. Each part takes `Runs` and gives Markdown.

A cell reads: mean [10 %, 90 %] over replicates, order statistics. Replicates that ended with an error count as infinite
in quantiles and are left out of means, and the table says how many there are; a dash stands for a learner that is not
registered or refuses its model.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from proofs_check import _loop_lemmas as lemmas
from proofs_check._collection_tables import grid
from proofs_check._loop_analysis import (
    COEFFICIENTS,
    DASH,
    SECONDS,
    SIZES8,
    beta_of,
    digits,
    envelope,
    gaps,
    hard,
    inside,
    kappa_of,
    scale_label,
    shown,
    size_of,
    spans,
    suite,
    tuned,
)
from proofs_check._loop_cells import (
    DIMENSIONS,
    FIVE,
    JAO,
    METHODS,
    NAMES,
    REFERENCE,
    REPORTED,
    RIVER4,
    STEPS10,
    TUNING,
    dimensions,
    every_step,
    growing,
    logged,
    method_cell,
    misspecified,
    of_file,
    pairs,
)  # fmt: skip
from proofs_check._loop_runs import Runs

__all__ = ["PARTS"]


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
                         f"{allowed:.2g}", digits(worst)])  # fmt: skip
    head = ["lemma", "instance", "T", "form", "delta", "failed", "95 % limit", "allowed", "largest lhs - rhs"]
    return grid(head, rows)


# E2


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


def e4(runs: Runs) -> str:
    """Span dependence, and the cost of a bound that is too large."""
    rows, lines = [], []
    for scale in (1.0, 0.1):
        found, fit = spans(runs, scale)
        rows += [
            [
                f"{scale:g}",
                f"{w.B:g}",
                digits(w.mean),
                digits(w.se),
                f"{w.c}",
                digits(w.switches),
                "yes" if w.learnt else "no",
            ]
            for w in found
        ]
        if fit is not None:
            low, high = fit.limits(0.025)
            lines.append(f"scale {scale:g}: {fit.value:.2f} [{low:.2f}, {high:.2f}]")
    head = [
        "scale of beta",
        "B = 1/(2 delta)",
        "largest mean sum of gaps",
        "its se",
        "at c",
        "optimisations",
        "in the fit",
    ]
    first = grid(head, rows)
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
            rows.append([model, f"{cell.length}", "1", learner, shown(found, "switches"), shown(found)])
    for model in (JAO, RIVER4):
        for label, cell in every_step(model).items():
            found = runs.get(cell)
            rows.append(
                [
                    NAMES[model],
                    f"{cell.length}",
                    f"{cell.params['scale']:g}",
                    label,
                    shown(found, "switches"),
                    shown(found),
                ]
            )
    return grid(["instance", "T", "scale of beta", "trigger", "optimisations", "regret"], rows)


# E6


def e6(runs: Runs) -> str:
    """Dimension."""
    rows, fitted = [], []
    for label, cells in dimensions().items():
        found = {d: runs.get(cell) for d, cell in cells.items()}
        rows.append([f"{label}: regret", *map(shown, found.values())])
        if label.startswith("LOOP (models)"):
            fitted.append(["LOOP (models): d_hat", *(shown(f, "d_hat") for f in found.values())])
            fitted.append(["LOOP (models): the same at T", *(shown(f, "d_end") for f in found.values())])
            fitted.append(["LOOP (models): optimisations", *(shown(f, "switches") for f in found.values())])
    return grid(["", *(f"d={d}" for d in DIMENSIONS)], rows + fitted)


# E8


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
    names = ("LOOP", "LOOP-ascent", "LOOP-box", "LOOP-EVI")
    body = [
        [f"{name}, scale 1", *(shown(runs.get(method_cell(name, m, None, REPORTED, 64, SECONDS))) for m in FIVE)]
        for name in names
    ]
    second = grid([f"regret at T={STEPS10}", *(NAMES[m] for m in FIVE)], body)
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


def e10(runs: Runs) -> str:
    """All algorithms on five instances."""
    rows = []
    for name, scales in tuned(runs).items():
        told = "known" if METHODS[name].known else "learnt"
        for scale, found in scales.items():
            rows.append([name, scale_label(name, scale), told, *(shown(found[m]) for m in FIVE)])
    return grid(["algorithm", "constants", "rewards", *(NAMES[m] for m in FIVE)], rows)


# E11


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
                digits(float(found.last("d_end").mean())),
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
        "at T",
        "SA (1 + ln T)",
        "kappa_hat",
        "SA",
        "transfer/beta",
        "largest in-sample/beta",
    ]
    return grid(head, rows)


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
        "Then regret, the runs of E10.",
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
