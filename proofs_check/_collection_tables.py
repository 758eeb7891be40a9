"""Tables of the study of sample collection in Markdown, beside the values of the notes.

z = (mean - value) / sqrt(se^2 + se_notes^2), in combined standard errors. Where the notes print no standard error, that
of a mean of their number of runs is taken with the variance seen here, and the rounding of the value, unit^2 / 12, is
added: under the hypothesis that both ran the same algorithm, that is the variance of the difference [derived].
Completion times can have two modes (alpha = 1, K = 100), which makes a mean of 20 runs far from normal. Where all runs
of the notes were cut, the shares of cut runs are compared.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from mdps.collection.bounds import lp_bound, sum_of_diameters
from proofs_check._collection_cells import (
    ALGORITHMS,
    CHAIN,
    COLUMNS,
    ERRORS,
    ESTIMATORS,
    GARNETS,
    GRAPHS,
    KNOWN,
    PRACTICE,
    REAL,
    REAL_MODELS,
    SAMPLES,
    THEORY,
    TREASURE,
    UNIFORM,
    Cell,
    Reference,
    estimate,
    garnet_cell,
    model_of,
    requirement_of,
)
from proofs_check._collection_runs import Found, Runs, available
from theorylab.table import number

__all__ = ["PARTS", "Compared", "agreement", "compare", "exact", "grid"]

NAMES = {model: column for column, model in COLUMNS.items()}
#: the notes' lower bounds and sums of D_s b(s) for TREASURE-10, rounded
EXACT = {
    "LP bound": (231, 491, 542, 290, 960, 2720, 570),
    "sum_s D_s b(s)": (959, 4450, 2186, 450, 9928, 40063, 600),
}


@dataclass(frozen=True)
class Compared:
    """A mean beside that of the notes.

    `z`: where the notes' runs were all cut, of the share of runs that were; infinite where only some of ours were.
    """

    name: str
    mean: float
    se: float
    unfinished: int
    replicates: int
    reference: Reference
    z: float

    def cell(self, digits: int = 0) -> str:
        """The notes' value and the difference."""
        if self.reference.beyond:
            count = self.reference.seeds
            return f"{count}/{count} cut at {_plain(self.reference.value)}, {self.z:+.1f}"
        known = "" if self.reference.se is None else f" ({self.reference.se:g})"
        return f"{self.reference.value:.{digits}f}{known}, {self.z:+.1f}"


def _plain(value: float) -> str:
    return f"{value / 1e6:g}e6" if value >= 1e6 else f"{value:.0f}"


def compare(name: str, values: np.ndarray, reference: Reference) -> Compared:
    """Values (R,) of replicates, negative where cut, against a reference."""
    cut, r = int((values < 0).sum()), values.size
    if cut or reference.beyond:
        z = _shares(cut, r, reference.seeds) if reference.beyond else math.inf
        return Compared(name, math.inf, math.nan, cut, r, reference, z)
    mean, variance = float(values.mean()), float(values.var(ddof=1))
    other = reference.se**2 if reference.se is not None else variance / reference.seeds + reference.unit**2 / 12
    z = (mean - reference.value) / math.sqrt(variance / r + other)
    return Compared(name, mean, math.sqrt(variance / r), 0, r, reference, z)


def _shares(cut: int, r: int, seeds: int) -> float:
    """Difference of the share of runs that were cut from that of the notes, where all were, in standard errors."""
    pooled = (cut + seeds) / (r + seeds)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / r + 1 / seeds))
    return (cut / r - 1.0) / spread if spread else 0.0


def grid(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table, columns after the first to the right."""
    lines = [head, ["---", *["--:"] * (len(head) - 1)], *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines) + "\n"


def shown(found: Found, digits: int = 0) -> str:
    """Mean (standard error), or how many were cut."""
    if found.unfinished:
        return f"{found.unfinished}/{found.values.size} cut"
    return f"{found.mean():.{digits}f} ({_se(float(found.se()))})"


def _se(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


Part = tuple[str, list[Compared]]


def exact(row: str, model: str) -> float:
    """The lower bound of the linear program, or sum_s D_s b(s), of TREASURE-10 on a model."""
    known = model_of(model)
    asked = np.full((known.S, known.A), 10)
    return lp_bound(known, asked).value if row == "LP bound" else sum_of_diameters(known, asked)


def treasure(runs: Runs) -> Part:
    """TREASURE-10 on all models: what was found, and the notes with the differences."""
    compared, rows, others = [], [], []
    for row in ALGORITHMS:
        cells = [TREASURE[row, model] for model in COLUMNS.values()]
        if not available(cells[0][0]):
            continue
        found = [runs[cell] for cell, _ in cells]
        against = [
            compare(f"TREASURE-10, {row}, {column}", f.values, ref)
            for column, f, (_, ref) in zip(COLUMNS, found, cells, strict=True)
        ]
        rows.append([row, *map(shown, found)])
        others.append([row, *(c.cell() for c in against)])
        compared += against
    bounds = {row: [f"{exact(row, model):.2f}" for model in COLUMNS.values()] for row in EXACT}
    low, high = ([label, *bounds[label]] for label in EXACT)
    printed = [[label, *map(str, EXACT[label])] for label in EXACT]
    head = ["", *COLUMNS]
    text = _block("treasure", grid(head, [low, *rows, high]))
    text += "\nThe values of the notes, and the differences from them in combined standard errors:\n\n"
    return text + _block("treasure-notes", grid(head, [printed[0], *others, printed[1]])), compared


def _block(name: str, text: str) -> str:
    return f"% begin {name}\n\n{text}\n% end {name}\n"


def _against(found: Found, reference: Reference | None, name: str, compared: list[Compared]) -> str:
    if reference is None:
        return shown(found)
    compared.append(compare(name, found.values, reference))
    return f"{shown(found)}; {compared[-1].cell()}"


def samples(runs: Runs) -> Part:
    """TREASURE-K against K."""
    compared: list[Compared] = []
    rows = []
    for model, K in dict.fromkeys((model, K) for _, model, K in SAMPLES):
        known = model_of(model)
        low = lp_bound(known, np.full((known.S, known.A), K)).value
        line = [f"{NAMES[model]}, K={K}", f"{low:.1f}"]
        for label in (KNOWN, PRACTICE, THEORY):
            cell, reference = SAMPLES[label, model, K]
            line.append(_against(runs[cell], reference, f"TREASURE-{K}, {label}, {NAMES[model]}", compared))
        rows.append(line)
    return _block("samples", grid(["", "LP bound", KNOWN, PRACTICE, THEORY], rows)), compared


def chain(runs: Runs) -> Part:
    """TREASURE-1 against the length of the chain."""
    from theorylab.plan import diameter

    compared: list[Compared] = []
    rows = []
    for S in dict.fromkeys(S for _, S in CHAIN):
        line = [str(S), f"{float(diameter(model_of(f'riverswim-{S}'))):.2f}"]
        for label in (KNOWN, PRACTICE, THEORY):
            cell, reference = CHAIN[label, S]
            line.append(_against(runs[cell], reference, f"TREASURE-1, {label}, RiverSwim({S})", compared))
        rows.append(line)
    return _block("chain", grid(["S", "D", KNOWN, PRACTICE, THEORY], rows)), compared


def garnet(runs: Runs) -> Part:
    """Random requirements on random graphs; no comparison, as the graphs of the notes are not known."""
    rows = []
    for size, means in GARNETS.items():
        label = f"G{size}".replace(" ", "")
        for i in range(GRAPHS):
            name = "garnet-" + "-".join(map(str, (*size, i)))
            low = lp_bound(model_of(name), requirement_of(name)).value
            cells = [garnet_cell(a, name) for a in (KNOWN, PRACTICE, THEORY, UNIFORM)]
            rows.append([f"{label}, seed {i}", f"{low:.0f}", *(shown(runs[cell]) for cell in cells)])
        rows.append([f"{label}, example of the notes", *map(str, means)])
    return _block("garnet", grid(["", "LP bound", KNOWN, PRACTICE, THEORY, UNIFORM], rows)), []


def real(runs: Runs) -> Part:
    """TREASURE-10 on models of the field; the notes have none of them."""
    from theorylab.plan import diameter

    models = {name: model_of(name) for name in REAL_MODELS}
    rows = [["S, A, D", *(f"{m.S}, {m.A}, {float(diameter(m)):.1f}" for m in models.values())]]
    rows.append(["LP bound", *(f"{lp_bound(m, np.full((m.S, m.A), 10)).value:.0f}" for m in models.values())])
    for row in dict.fromkeys(row for row, _ in REAL):
        rows.append([row, *(shown(runs[REAL[row, m]]) if (row, m) in REAL else "" for m in models)])
    return _block("real", grid(["", *REAL_MODELS], rows)), []


def errors(runs: Runs) -> Part:
    """Average and worst errors of the estimated kernel."""
    compared: list[Compared] = []
    rows = []
    for model in ("wheel-5", "riverswim-6", "noisy-riverswim-12"):
        for label in ESTIMATORS:
            if not available(estimate(label, model)[0]):
                continue
            line = [f"{NAMES[model]}, {label}"]
            for n in (10_000, 100_000):
                values = errors_at(runs, estimate(label, model), n)
                for j, which in enumerate(("average", "worst")):
                    mean, se = values[:, j].mean(), values[:, j].std(ddof=1) / math.sqrt(len(values))
                    text = f"{mean:.5f} ({se:.5f})"
                    if reference := ERRORS.get((label, model, n, which)):
                        name = f"{which} error, {label}, {NAMES[model]}, n={n}"
                        compared.append(compare(name, values[:, j], reference))
                        text += f"; {compared[-1].cell(4)}"
                    line.append(text)
            rows.append(line)
    head = ["", *(f"{which}, n={n}" for n in ("1e4", "1e5") for which in ("average", "worst"))]
    return _block("errors", grid(head, rows)), compared


def errors_at(runs: Runs, cells: Sequence[Cell], n: int) -> np.ndarray:
    """Errors (R, 2) after n steps, from the cell that looked then."""
    (cell,) = (c for c in cells if n in c.at)
    out: np.ndarray = runs[cell].values[:, cell.at.index(n)]
    return out


#: part -> title, text above its table, function
PARTS: Mapping[str, tuple[str, str, Any]] = {
    "treasure": (
        "TREASURE-10",
        "Mean steps to ten samples of every pair (standard error). Runs are cut at 500,000 (GOSPRL), 200,000 "
        "(0/1-UCRL) and 2,000,000 steps (known p, uniform); delta = 0.1. The wheel has the spin as its first action.",
        treasure,
    ),
    "samples": (
        "TREASURE-K against K",
        "Mean steps (standard error); value of the notes, difference in combined standard errors.",
        samples,
    ),
    "chain": ("Length of the chain: TREASURE-1 on RiverSwim(S)", "As above; D is the diameter.", chain),
    "garnet": (
        "Random requirements on Garnets",
        "b uniform in 0..100, exactly b successors a pair, 20 runs for each of five graphs. The graphs of the notes "
        "are not known, so their one example each stands beside without a comparison.",
        garnet,
    ),
    "real": (
        "TREASURE-10 on FrozenLake, Taxi and a queue",
        "Mean steps (standard error), 10 to 30 runs. FrozenLake 8x8 (slippery) and Taxi are those of Gymnasium; their "
        "episodes are joined to one trajectory: the step after a hole, the goal or a delivery leads to the start, and "
        "states that cannot be reached are left out. Runs are cut at 10,000,000 steps, known p at 2,000,000, 0/1-UCRL "
        "at 500,000.",
        real,
    ),
    "errors": (
        "Errors of the estimated kernel",
        "Norm-1 distance from p, average and worst over pairs, mean over replicates (standard error). GOSPRL-MODEST is "
        "the anytime version (eta from 4, times 0.7), alpha = 1; MaxEnt is run once for each n.",
        errors,
    ),
}


def agreement(compared: Sequence[Compared]) -> str:
    """How many comparisons are within 2 and within 4 combined standard errors, and those beyond 2 by name."""
    z = np.abs([c.z for c in compared])
    far = [c for c in compared if abs(c.z) > 2]
    text = (
        f"{len(compared)} values of the notes: {int((z <= 2).sum())} within 2 combined standard errors, "
        f"{int((z <= 4).sum())} within 4."
    )
    named = [f"- {c.name}: {number(c.mean, 5)} against {number(c.reference.value, 5)}, {c.z:+.2f}" for c in far]
    return text + ("\n\nBeyond 2:\n\n" + "\n".join(named) if far else "") + "\n"
