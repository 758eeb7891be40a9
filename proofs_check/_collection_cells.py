"""Cells of the study of sample collection: a learner with its parameters on a model, and what the notes measured there.

Reference values: the notes on tarbouriech2021, section 6.3 [computed there]. Their settings: delta = .1, start in the
first state, ties to the lowest action, largest gap inside G; runs cut at 500,000 (GOSPRL), 200,000 (0/1-UCRL) and
2,000,000 steps (uniform, known p). A value without a standard error is the mean of `seeds` runs. The wheel of those
runs has the spin as its first action, which matters since ties go to the lowest.
"""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field, replace
from functools import cache
from typing import Any

import numpy as np

from theorylab.assume import communicating
from theorylab.model import TabularMDP
from theorylab.registry import find_model

__all__ = [
    "ALGORITHMS",
    "CHAIN",
    "COLUMNS",
    "ERRORS",
    "ESTIMATORS",
    "GARNETS",
    "GRAPHS",
    "REAL",
    "REAL_MODELS",
    "SAMPLES",
    "TREASURE",
    "Cell",
    "Reference",
    "collect",
    "estimate",
    "garnet_cell",
    "model_of",
    "requirement_of",
]

#: column of the table -> name for `model_of`
COLUMNS = {
    "RiverSwim(6)": "riverswim-6",
    "RiverSwim(12)": "riverswim-12",
    "NoisyRS(12)": "noisy-riverswim-12",
    "Wheel(5)": "wheel-5",
    "Corridor": "corridor",
    "FourRooms": "four-rooms",
    "Star": "star",
}


@dataclass(frozen=True)
class Reference:
    """A mean of the notes with its standard error, or with the number of runs where none is printed.

    `unit`: of its last digit. `beyond`: the mean is above `value`, as no run was complete by then.
    """

    value: float
    se: float | None = None
    seeds: int = 30
    unit: float = 1.0
    beyond: bool = False


@dataclass(frozen=True)
class Cell:
    """A learner on a model: `replicates` runs of at most `length` steps.

    `at`: numbers of steps after which the errors of the estimated kernel are taken; empty: the completion time is.
    `asks`: the requirement, where it is an array that belongs to the model (`requirement_of`).
    """

    learner: str
    model: str
    length: int
    replicates: int = 100
    params: dict[str, Any] = field(default_factory=dict)
    at: tuple[int, ...] = ()
    asks: bool = False

    @property
    def key(self) -> str:
        """What names the cell in the file of results."""
        told = [f"{k}={v:g}" for k, v in self.params.items()] + (["b of the model"] if self.asks else [])
        looks = f", errors after {' '.join(map(str, self.at))}" if self.at else ""
        return f"{self.learner}({', '.join(told)}) on {self.model}, {self.length}{looks}"

    @property
    def seed(self) -> int:
        """A seed of its own, so that cells are independent."""
        return SEED + zlib.crc32(self.key.encode())


SEED = 7_000_000_000
#: name -> family and parameters: environments of Gymnasium made communicating by restarts, and a queue
REAL_MODELS: dict[str, tuple[str, dict[str, Any]]] = {
    "frozen-lake-8x8": ("frozen-lake", {"map_name": "8x8", "restarts": True}),
    "taxi": ("taxi", {"restarts": True}),
    "access-control": ("access-control", {}),
}


@cache
def model_of(name: str) -> TabularMDP:
    """A model by its name in this study."""
    kind, _, rest = name.partition("-")
    if kind == "riverswim":
        found: Any = find_model("riverswim")(states=int(rest))
    elif kind == "garnet":
        S, A, b, number = (int(x) for x in rest.split("-"))
        return _garnets(S, A, b, number + 1)[number]
    elif kind == "wheel":
        wheel = find_model("wheel")(states=int(rest))
        P = wheel.dense().copy()
        P[0] = P[0, [4, 0, 1, 2, 3]]
        found = replace(wheel, P=P, name=f"wheel-{rest}-spins-first")
    elif name in REAL_MODELS:
        family, params = REAL_MODELS[name]
        found = find_model(family)(**params)
    else:
        found = find_model({"noisy": "noisy-riverswim", "four": "four-rooms"}.get(kind, kind))()
    assert isinstance(found, TabularMDP)
    return found


@cache
def _garnets(S: int, A: int, b: int, count: int) -> list[TabularMDP]:
    """The first `count` seeds whose model, with exactly b successors a pair, communicates."""
    found: list[TabularMDP] = []
    seed = 0
    while len(found) < count:
        model = find_model("garnet")(S=S, A=A, b=b, seed=seed, w=0.0)
        found += [model] if communicating(model) is None else []
        seed += 1
    return found


def requirement_of(name: str) -> np.ndarray:
    """b (S,A) of a Garnet of this study: uniform in 0..100, drawn from a stream of its name."""
    model = model_of(name)
    rng = np.random.Generator(np.random.Philox(key=zlib.crc32(name.encode())))
    return rng.integers(0, 101, size=(model.S, model.A))


# TREASURE-10

#: label -> learner, parameters, cut in steps
ALGORITHMS: dict[str, tuple[str, dict[str, Any], int]] = {
    "known-p greedy": ("known-p-greedy", {}, 2_000_000),
    "GOSPRL AME alpha=.1": ("gosprl", {"alpha": 0.1}, 500_000),
    "GOSPRL AME alpha=1": ("gosprl", {"alpha": 1.0}, 500_000),
    "GOSPRL ROS alpha=1": ("gosprl", {"alpha": 1.0, "radius": 1}, 500_000),
    "0/1-UCRL alpha=.1": ("zero-one-ucrl", {"alpha": 0.1}, 200_000),
    "0/1-UCRL alpha=1": ("zero-one-ucrl", {"alpha": 1.0}, 200_000),
    "uniform": ("uniform-collection", {}, 2_000_000),
}
KNOWN, PRACTICE, THEORY, ROS, UCRL_PRACTICE, UCRL_THEORY, UNIFORM = ALGORITHMS
_MEANS = {
    KNOWN: "246 4, 529 6, 581 6, 298 1, 1009 2, 2868 3, 570 10",
    PRACTICE: "340 15, 1126 28, 669 12, 299 1, 1213 19, 3767 76, 1142 52",
    THEORY: "1811 62, 6339 138, 3898 65, 301 1, 11166 617, 46077 629, 2743 108",
    ROS: "34803 1153, 195102 7592, 8853 252, 301 1, 11283 2672, 321308 5762, 5688 100",
    UCRL_PRACTICE: "394 12, 1563 64, 705 21, 304 3, 1194 23, 3994 151, 891 34",
    UCRL_THEORY: "3101 114, 14658 637, 2536 90, 303 1, 9705 717, 45868 1273, 1533 116",
    UNIFORM: "9154 692, 2000000 0, 1340 57, 759 22, 2469 100, 8173 205, 1381 50",
}


def collect(label: str, model: str, samples: int, replicates: int = 100) -> Cell:
    """TREASURE-`samples` by a row of `ALGORITHMS`."""
    learner, params, length = ALGORITHMS[label]
    return Cell(learner, model, length, replicates, {"samples": samples, **params})


def _treasure() -> dict[tuple[str, str], tuple[Cell, Reference]]:
    out = {}
    for label, text in _MEANS.items():
        for model, pair in zip(COLUMNS.values(), text.split(", "), strict=True):
            mean, se = (float(x) for x in pair.split())
            cell = collect(label, model, 10)
            out[label, model] = cell, Reference(mean, se, beyond=mean == 2_000_000)
    return out


#: (row, model) -> cell and reference
TREASURE = _treasure()

# TREASURE-K against K, with the two multipliers; RiverSwim's lengths


def _two(model: str, values: dict[int, str], replicates: int = 400) -> dict[tuple[str, str, int], Any]:
    """Cells of TREASURE-K; many replicates, as the notes' standard errors are made from the variance seen in them."""
    out: dict[tuple[str, str, int], Any] = {}
    for samples, text in values.items():
        for label, mean in zip((PRACTICE, THEORY), text.split("|") if text else ("", ""), strict=True):
            most = replicates if samples <= 100 else min(replicates, 100)
            out[label, model, samples] = (
                collect(label, model, samples, most),
                Reference(float(mean), seeds=20) if mean else None,
            )
        out[KNOWN, model, samples] = collect(KNOWN, model, samples, min(most, 100)), None
    return out


#: (row, model, K) -> cell and reference (None: the notes have none)
SAMPLES: dict[tuple[str, str, int], tuple[Cell, Reference | None]] = {
    **_two("riverswim-6", {1: "226|1947", 3: "", 10: "340|1743", 30: "722|2156", 100: "2323|2708", 300: "",
                           1000: "23037|23037"}),
    **_two("four-rooms", {1: "3613|44904", 10: "3724|45761", 100: "27625|48675", 300: "82262|83508"}, 100),
    **_two("star", {1: "236|725", 3: "", 10: "", 30: "", 100: "5758|16019", 300: "", 1000: "57022|57915"}),
}  # fmt: skip
_CHAIN = {6: "226|1947", 8: "372|3206", 10: "", 12: "898|6550", 16: "1642|10315", 20: "", 24: "3230|19119"}
#: (row, states) -> cell and reference: TREASURE-1 on RiverSwim
CHAIN: dict[tuple[str, int], tuple[Cell, Reference | None]] = {
    (label, S): value
    for S, text in _CHAIN.items()
    for (label, _, _), value in _two(f"riverswim-{S}", {1: text}, 400 if S <= 12 else 100).items()
}

# Ten samples of every pair of models of the field; the sparse form of GOSPRL, which has the same bits

_REAL_ROWS: dict[str, tuple[str, dict[str, Any], int, int]] = {
    "known-p greedy": ("known-p-greedy", {}, 2_000_000, 10),
    "GOSPRL AME alpha=.1": ("gosprl-sparse", {"alpha": 0.1}, 10_000_000, 30),
    "GOSPRL AME alpha=1": ("gosprl-sparse", {"alpha": 1.0}, 10_000_000, 30),
    "0/1-UCRL alpha=.1": ("zero-one-ucrl", {"alpha": 0.1}, 500_000, 10),
    "uniform": ("uniform-collection", {}, 10_000_000, 30),
}
#: (row, model) -> cell; what keeps a dense kernel is left out on the 401 states of the taxi
REAL: dict[tuple[str, str], Cell] = {
    (row, model): Cell(learner, model, length, replicates, {"samples": 10, **params})
    for row, (learner, params, length, replicates) in _REAL_ROWS.items()
    for model in REAL_MODELS
    if model != "taxi" or learner != "zero-one-ucrl"
}

# Random graphs with random requirements

GRAPHS = 5
#: (S, A, b) -> the one example of the notes: LP, known p, alpha = .1, alpha = 1, uniform
GARNETS = {(20, 4, 2): (5361, 5699, 7032, 15505, 29457), (50, 5, 2): (18723, 21361, 29694, 63484, 228244)}


def garnet_cell(label: str, model: str, replicates: int = 20) -> Cell:
    """The requirement of a Garnet, collected by a row of `ALGORITHMS`."""
    learner, params, length = ALGORITHMS[label]
    return Cell(learner, model, length, replicates, dict(params), asks=True)


# Errors of the estimated kernel

N = (1_000, 3_000, 10_000, 30_000, 100_000)
#: label -> learner, parameters, whether the run depends on its length
ESTIMATORS: dict[str, tuple[str, dict[str, Any], bool]] = {
    "GOSPRL-MODEST": ("gosprl-modest", {"eta": 4.0, "shrink": 0.7}, False),
    "uniform": ("stationary-policy", {}, False),
    "MaxEnt": ("max-ent", {"weighted": 0}, True),
    "weighted MaxEnt": ("max-ent", {"weighted": 1}, True),
}
#: (row, model) -> average and worst errors at 10,000 and 100,000 steps
_ERRORS = {
    ("GOSPRL-MODEST", "wheel-5"): ".0118/.0924, .0031/.0245",
    ("uniform", "wheel-5"): ".0159/.128, .0051/.0398",
    ("GOSPRL-MODEST", "riverswim-6"): ".0142/.0563, .0039/.0128",
    ("uniform", "riverswim-6"): ".0519/.365, .0129/.0798",
    ("GOSPRL-MODEST", "noisy-riverswim-12"): ".0625/.271, .0165/.0611",
    ("uniform", "noisy-riverswim-12"): ".0622/.272, .0197/.0853",
}
#: (row, model, steps, "average" or "worst") -> reference
ERRORS = {
    (row, model, n, which): Reference(float(x), seeds=20, unit=10.0 ** -len(x.strip().lstrip(".")))
    for (row, model), text in _ERRORS.items()
    for n, pair in zip((10_000, 100_000), text.split(","), strict=True)
    for which, x in zip(("average", "worst"), pair.split("/"), strict=True)
}


def estimate(label: str, model: str) -> list[Cell]:
    """The runs of an estimator: one that is looked at after each number of steps, or one of each length."""
    learner, params, fixed = ESTIMATORS[label]
    lengths = [(n,) for n in N] if fixed else [N]
    many = 400 if label == "uniform" else 100
    return [Cell(learner, model, at[-1], many, dict(params), at) for at in lengths]
