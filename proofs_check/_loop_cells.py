"""Cells of the studies E1 to E11 of LOOP: a learner with its parameters on a model, at a length, from a seed.

E3, E5 and E7 are study files (`studies/loop-*.toml`), which `theorylab run` reads too: the same seeds, the same runs.
Where parameters belong to the model (the bound on its span, a class of models), the cells are made here.

Settings of the notes on he2024, section 7: LOOP with B = 1.05 sp + .01, delta = .05 and beta of form 1 (optimism) times
a scale that is always printed. Methods of E10 know the mean rewards or learn them, as `Method.known` says.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from mdps.loop.classes import largest_span, relabelled_riverswim, sign_grid
from theorylab.model import AVERAGE_REWARD, TabularMDP
from theorylab.plan import bias_span, diameter
from theorylab.registry import find_model
from theorylab.study import Study

__all__ = [
    "DIMENSIONS",
    "FIVE",
    "FOUR",
    "LENGTHS",
    "METHODS",
    "NAMES",
    "RATIOS",
    "REFERENCE",
    "REPORTED",
    "SCALES",
    "STEPS10",
    "TUNING",
    "Cell",
    "Method",
    "classes",
    "dimensions",
    "every_step",
    "growing",
    "logged",
    "loop_params",
    "method_cell",
    "misspecified",
    "model_of",
    "of_file",
    "pairs",
    "slope_cells",
    "span_of",
    "truth_of_class",
]

STUDIES = Path(__file__).parent / "studies"
#: instances of the reference runs, with their names in tables
NAMES = {
    "riverswim(states=4)": "RiverSwim-4",
    "riverswim(states=6)": "RiverSwim-6",
    "jao(delta=0.25, epsilon=0.1)": "jao16",
    "three-state(q=0.005)": "three-state",
    "jump-riverswim()": "JumpRiverSwim",
}
RIVER4, RIVER6, JAO, THREE, JUMP = NAMES
FOUR, FIVE = (JAO, THREE, RIVER4, RIVER6), (RIVER4, RIVER6, JAO, THREE, JUMP)
DELTA = 0.05


@dataclass(frozen=True)
class Cell:
    """A learner on a model: `replicates` runs of `length` steps.

    `model`: a family with its parameters; "linear " or "mixture " in front: its one-hot form; or the name of a class,
    whose models and least span are then parameters. `label`: in tables and legends. `logged`: with LOOP's monitor, so
    that the errors of what was played are summed. `limit`: CPU seconds after which no more replicates are begun.
    """

    learner: str
    model: str
    length: int
    params: dict[str, Any] = field(default_factory=dict, hash=False)
    label: str = ""
    replicates: int = 64
    seed: int = 800
    logged: bool = False
    limit: float = 120.0

    @property
    def key(self) -> str:
        """What names the cell in the folder of results."""
        told = ", ".join(f"{k}={v:g}" for k, v in self.params.items())
        return f"{self.learner}({told}) on {self.model}, T={self.length}, seed {self.seed}" + self.logged * ", logged"


@cache
def model_of(name: str) -> Any:
    """The model of a cell."""
    form, _, rest = name.partition(" ")
    if form in ("linear", "mixture"):
        return find_model("one-hot")(model=model_of(rest), form=form)
    if (known := _class(name)) is not None:
        return known[1]
    found = re.fullmatch(r"([\w-]+)\((.*)\)", name)
    assert found is not None
    params = dict(part.split("=") for part in found[2].split(", ")) if found[2] else {}
    return find_model(found[1])(**{k: tomllib.loads(f"x={v}")["x"] for k, v in params.items()})


@cache
def span_of(name: str) -> float:
    """Range of the optimal bias, reward units."""
    return float(bias_span(model_of(name)))


@cache
def diameter_of(name: str) -> float:
    """Diameter in steps."""
    return float(diameter(model_of(name)))


def bound_of(name: str) -> float:
    """The bound on the span that learners are told: 1.05 sp + .01, as in the reference runs."""
    return round(1.05 * span_of(name) + 0.01, 6)


# Classes of models


@cache
def _class(name: str) -> tuple[np.ndarray, Any, float] | None:
    """Models (M,S,A,S), the truth and the least span of a class."""
    kind, _, size = name.partition(" ")
    if kind == "relabelled":
        models, truth = relabelled_riverswim(6)
    elif kind == "twins":
        models, truth = _twins(int(size))
    elif kind == "signs":
        models = sign_grid(int(size))
        truth = find_model("mixture-two-state")(d=int(size), delta=0.2, Delta=0.2 / 3)
    else:
        return None
    r = truth.r
    return models, truth, largest_span(models, r)


def _twins(count: int, delta: float = 0.25, epsilon: float = 0.1) -> tuple[np.ndarray, TabularMDP]:
    """Models that differ in one good action, which values show, and in a coin that they hide; the last is the truth.

    States 0 and 1 are twins (reward 0), state 2 earns 1. In a twin action a leads to 2 with probability delta, delta +
    epsilon for the good one, which is m in model m; otherwise, and with probability delta from 2, to a twin: to 0 with
    probability (m + 1) / (count + 1). Both twins have the same value in every model.
    """
    P = np.zeros((count, 3, count, 3))
    for m in range(count):
        coin = np.array([(m + 1.0) / (count + 1.0), 1.0 - (m + 1.0) / (count + 1.0)])
        up = np.where(np.arange(count) == m, delta + epsilon, delta)
        for s in (0, 1):
            P[m, s, :, :2], P[m, s, :, 2] = (1.0 - up)[:, None] * coin, up
        P[m, 2, :, :2], P[m, 2, :, 2] = delta * coin, 1.0 - delta
    r = np.zeros((3, count))
    r[2] = 1.0
    return P, TabularMDP(P=P[-1], r=r, criterion=AVERAGE_REWARD, name=f"twins-{count}")


def classes(name: str) -> dict[str, Any]:
    """The parameters `models` and `span` of a class, as its learners take them; none for a model."""
    found = _class(name)
    return {} if found is None else {"models": found[0], "span": found[2]}


def truth_of_class(name: str) -> int:
    """Index of the truth."""
    found = _class(name)
    assert found is not None
    P = np.array(getattr(found[1], "tabular", lambda: found[1])().dense())
    return int(np.abs(found[0] - P).max(axis=(1, 2, 3)).argmin())


# Studies

#: lengths of E2
LENGTHS = (1_000, 10_000, 100_000, 1_000_000)
#: scales of beta
SCALES = (1.0, 0.1, 0.02)


def loop_params(model: str, scale: float = 1.0, **more: Any) -> dict[str, Any]:
    """LOOP as in the reference runs."""
    return {"form": 1, "delta": DELTA, "span": bound_of(model), "scale": scale, **more}


#: (model, T, scale) -> optimisations (None: not printed), regret: single runs of the notes
REFERENCE: dict[tuple[str, int, float], tuple[int | None, float | None]] = {
    **{(JAO, T, 1.0): (n, g) for T, n, g in zip(LENGTHS, (2, 4, 8, 12), (14, 116, 395, 1863), strict=True)},
    **{(JAO, T, 0.1): (n, None) for T, n in zip(LENGTHS[:3], (5, 8, 11), strict=True)},
    (JAO, LENGTHS[3], 0.1): (14, 421),
    **{(JAO, T, 0.02): (n, None) for T, n in zip(LENGTHS[:3], (9, 10, 12), strict=True)},
    (JAO, LENGTHS[3], 0.02): (13, 414),
    (THREE, 1_000_000, 1.0): (9, 462),
    (THREE, 1_000_000, 0.1): (11, 49),
    (THREE, 1_000_000, 0.02): (11, 4.7),
    (RIVER4, 1_000_000, 1.0): (10, 7969),
    (RIVER4, 1_000_000, 0.1): (11, 1649),
    (RIVER4, 1_000_000, 0.02): (12, 1086),
    (RIVER6, 100_000, 1.0): (10, 2.1e4),
    (RIVER6, 100_000, 0.05): (17, 2634),
}


def growing() -> dict[tuple[str, int, float], Cell]:
    """E2: LOOP on the four instances, at growing T, for three scales; and the references that are none of these."""
    asked = {(m, T, f): None for m in FOUR for f in SCALES for T in LENGTHS}
    # six states at T = 1e6 for the theory's beta alone: enumeration takes its time
    keys = [k for k in {**asked, **dict.fromkeys(REFERENCE)} if k[0] != RIVER6 or k[1] < LENGTHS[3] or k[2] == 1.0]
    return {k: Cell("loop", k[0], k[1], loop_params(k[0], k[2]), f"scale {k[2]:g}", seed=802) for k in keys}


@cache
def of_file(stem: str) -> tuple[tuple[str, str, Cell], ...]:
    """The cells of a study file: labels of model and learner, and the cell, with the seed of the file.

    Names are looked up when a cell is run, so that a learner that does not exist leaves its cells missing.
    """
    study = msgspec.convert(tomllib.loads((STUDIES / f"{stem}.toml").read_text(encoding="utf-8")), Study)
    out = []
    for c in study.cells():
        entry, told = study.models[c.model_at], ", ".join(f"{k}={v}" for k, v in c.params.items())
        learner = study.learners[c.learner_at]
        model = f"{entry.family}({told})"
        out.append(
            (
                c.model,
                c.learner,
                Cell(learner.name, model, c.length, learner.params, c.learner, study.replicates, study.seed),
            )
        )
    return tuple(out)


#: E4: delta of the block, halved; multiples of sqrt(delta A' / T)
HALVED, GAPS, STEPS4 = (0.4, 0.2, 0.1, 0.05, 0.025), (2, 4, 8, 16, 32), 100_000
RATIOS = (1.05, 2.0, 4.0, 8.0, 16.0)


def slope_cells(scale: float) -> dict[float, dict[int, Cell]]:
    """E4: delta -> c -> LOOP on the block with epsilon = c sqrt(delta A' / T) <= delta, B = 1/(2 delta) >= span."""
    out: dict[float, dict[int, Cell]] = {}
    for dl in HALVED:
        for c in GAPS:
            eps = round(c * math.sqrt(dl * 2 / STEPS4), 6)
            if eps <= dl:
                params = {"form": 1, "delta": DELTA, "span": 0.5 / dl, "scale": scale}
                cell = Cell("loop", f"jao(delta={dl}, epsilon={eps})", STEPS4, params, f"scale {scale:g}", 32, seed=804)
                out.setdefault(dl, {})[c] = cell
    return out


def misspecified(model: str, scale: float) -> dict[float, Cell]:
    """E4: B / sp -> LOOP told that bound."""
    return {
        x: Cell(
            "loop",
            model,
            STEPS4,
            loop_params(model, scale, span=round(x * span_of(model), 6)),
            f"scale {scale:g}",
            32,
            seed=804,
        )
        for x in RATIOS
    }


def every_step(model: str) -> dict[str, Cell]:
    """E7: a new plan every step, beside the others at the same small T."""
    how: dict[str, dict[str, Any]] = {
        "every step": {"trigger": 1},
        "factor 4": {"factor": 4.0},
        "doubling": {"trigger": 2},
    }
    return {k: Cell("loop", model, 500, loop_params(model, **v), k, 16, seed=807) for k, v in how.items()}


def norm_of(model: str) -> float:
    """Norm of the parameter of the one-hot mixture form."""
    return round(float(np.linalg.norm(model_of(f"mixture {model}").theta)) + 1e-6, 6)


#: E9: class -> label -> learner, parameters; the betas of the reference runs of the class of 256
PAIRS: dict[str, dict[str, tuple[str, dict[str, Any]]]] = {
    "relabelled": {
        "LOOP, beta 452.5": ("loop-models", {"beta": 452.5}),
        "LOOP, beta 113": ("loop-models", {"beta": 113.0}),
        "LOOP, beta 9.05": ("loop-models", {"beta": 9.05}),
        "MLE-LOOP, beta 25.6": ("mle-loop", {"beta": 25.6}),
        "MLE-LOOP, beta 8.54": ("mle-loop", {"beta": 8.54}),
    },
    "twins 8": {
        "LOOP, form 1, scale 1": ("loop-models", {"form": 1}),
        "LOOP, form 1, scale 0.1": ("loop-models", {"form": 1, "scale": 0.1}),
        "MLE-LOOP, form 1, scale 1": ("mle-loop", {"form": 1}),
        "MLE-LOOP, form 1, scale 0.1": ("mle-loop", {"form": 1, "scale": 0.1}),
    },
}


def pairs() -> dict[str, list[Cell]]:
    """E9: LOOP and MLE-LOOP on the same class."""
    return {
        name: [
            Cell(learner, name, 100_000, {"delta": DELTA, **params}, label, seed=809)
            for label, (learner, params) in rows.items()
        ]
        for name, rows in PAIRS.items()
    }


#: E6
DIMENSIONS = (3, 5, 7, 9)


def dimensions() -> dict[str, dict[int, Cell]]:
    """E6: the hard linear mixture family with delta = .2, Delta = delta/3: D = 5, span 1 / (2 delta + Delta)."""
    steps, D, B = 20_000, 5.0, round(1.0 + 0.2 / 3 + 1e-6, 6)
    vtr = {"delta": DELTA, "diameter": D, "B": B}
    rows: dict[str, tuple[str, str, dict[str, Any]]] = {
        "LOOP (models), form 1, scale 1": ("loop-models", "signs", {"delta": DELTA, "form": 1}),
        "MLE-LOOP, form 1, scale 1": ("mle-loop", "signs", {"delta": DELTA, "form": 1}),
        "UCRL2-VTR, scale 1": ("ucrl2-vtr", "mixture", vtr),
        "UCRL2-VTR, scale 0.1": ("ucrl2-vtr", "mixture", {**vtr, "scale": 0.1}),
        "LOOP-EVI, scale 0.1": ("loop-evi", "mixture", {"delta": DELTA, "span": 2.2, "B": B, "scale": 0.1}),
    }
    return {
        label: {
            d: Cell(
                learner,
                f"signs {d}" if kind == "signs" else f"mixture-two-state(d={d}, delta=0.2, Delta={0.2 / 3})",
                steps, params, label, seed=806, logged=learner == "loop-models", limit=60,
            )
            for d in DIMENSIONS
        }
        for label, (learner, kind, params) in rows.items()
    }  # fmt: skip


def logged() -> dict[str, Cell]:
    """E11: LOOP with the errors of what was played."""
    return {m: Cell("loop", m, 100_000, loop_params(m), "scale 1", seed=811, logged=True) for m in FOUR}


# E10


@dataclass(frozen=True)
class Method:
    """An algorithm of E10.

    `params`: model -> parameters at the theory's constants, or at the defaults where `scaled` is "eta". `scales`: the
    multiples of its confidence widths, or step sizes eta, that are tried besides; none: nothing to scale. `known`: the
    rewards. `form`: of the model.
    """

    learner: str
    params: Callable[[str], dict[str, Any]]
    known: bool = True
    scales: tuple[float, ...] = (0.1, 0.03, 0.01)
    scaled: str = "scale"
    form: str = ""


def _told(model: str) -> dict[str, Any]:
    return {"delta": DELTA, "span": bound_of(model)}


def _level(model: str) -> dict[str, Any]:
    return {"delta": DELTA}


def _mixture(model: str) -> dict[str, Any]:
    return {"delta": DELTA, "diameter": round(diameter_of(model) + 1e-6, 6), "B": norm_of(model)}


def _bernstein(model: str) -> dict[str, Any]:
    return {**_mixture(model), "form": 1}


def _relaxation(model: str) -> dict[str, Any]:
    return {**_told(model), "B": norm_of(model)}


def _blocks(model: str) -> dict[str, Any]:
    """Returns over one diameter, blocks of four returns: by hand, as the theory's blocks are longer than the run."""
    N = math.ceil(diameter_of(model))
    return {"N": N, "B": 4 * N, "eta": 0.01}


#: steps of E10; seeds of the runs that choose scales and of those that are reported
STEPS10, TUNING, REPORTED = 100_000, 8_100, 810
METHODS: dict[str, Method] = {
    "LOOP": Method("loop", loop_params, scales=(0.3, 0.1, 0.05)),
    "LOOP-box": Method("loop-box", loop_params, scales=(0.3, 0.1, 0.03, 0.01)),
    "UCRL2": Method("ucrl2", _level, known=False, scales=()),
    "UCRL2B": Method("ucrl2b", _level, known=False),
    "SCAL": Method("scal", _told, known=False),
    "PMEVI-DT": Method("pmevi-dt", _told, known=False),
    "TSDE": Method("psrl", lambda model: {}, scales=()),
    "Optimistic Q": Method("optimistic-q", _told, known=False),
    "MDP-OOMD": Method("mdp-oomd", _blocks, known=False, scales=(0.1, 0.03, 0.003), scaled="eta"),
    "Politex": Method("politex", lambda model: {"eta": 0.2}, known=False, scales=(5.0, 1.0, 0.05), scaled="eta"),
    "KL-UCRL": Method("kl-ucrl", _level, known=False),
    "gamma-UCB-CVI": Method("ucb-cvi", _told),
    "LOOP-ascent": Method("loop-ascent", loop_params, scales=(0.3, 0.1, 0.05)),
    "OLSVI.FH": Method("olsvi-fh", _told, known=False, form="linear"),
    "FOPO": Method("fopo", _told, scales=(0.1, 0.01, 0.001), form="linear"),
    "LOOP-linear": Method("loop-linear", lambda model: {**_told(model), "form": 1}, form="linear"),
    "gamma-LSCVI-UCB": Method("lscvi-ucb", _told, form="linear"),
    "LOOP-EVI": Method("loop-evi", _relaxation, form="mixture"),
    "UCRL2-VTR (Hoeffding)": Method("ucrl2-vtr", _mixture, form="mixture"),
    "UCRL2-VTR (Bernstein)": Method("ucrl2-vtr", _bernstein, form="mixture"),
}  # fmt: skip


def method_cell(name: str, model: str, scale: float | None, seed: int, replicates: int, limit: float) -> Cell:
    """An algorithm of E10 on a model; `scale` None: the theory's constants or the defaults."""
    method = METHODS[name]
    params = {**method.params(model), **({} if scale is None else {method.scaled: scale})}
    on = f"{method.form} {model}".strip()
    return Cell(method.learner, on, STEPS10, params, name, replicates, seed, limit=limit)
