"""Found instances as text: fractions to read, Python literals to load, files that are tests.

A float is written as the fraction with a denominator up to 1000 that is equal to it as a float, where there is one, and
else by `repr`: a loaded literal has the same bits either way.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np

from theorylab.adversary_space import Point, Rows, Space
from theorylab.errors import InputError
from theorylab.model import Bandit, TabularMDP

__all__ = [
    "array_text",
    "fraction_text",
    "fractions",
    "model_text",
    "point_text",
    "write_claim_test",
    "write_target_test",
]

LARGEST = 1000


def small(value: float) -> Fraction | None:
    """The fraction with a denominator up to 1000 whose float is `value`; None where there is none."""
    near = Fraction(value).limit_denominator(LARGEST)
    return near if float(near) == value else None


def fraction_text(value: float) -> str:
    """Such as "1/2" or "0"; a number that is no small fraction with 6 digits and a mark, "~0.333334"."""
    near = small(value)
    return str(near) if near is not None else f"~{value:.6g}"


def fractions(value: Any) -> Any:
    """Nested lists of texts of an array: what `--json` holds."""
    return fraction_text(float(value)) if np.ndim(value) == 0 else [fractions(v) for v in value]


def exact_point(point: Point, space: Space) -> dict[str, Any]:
    """The point in exact fractions (object arrays) whose rows sum to 1: the instance that is meant.

    Denominators are at most 10^6; the largest probability of a row is one minus the others.
    """
    out: dict[str, Any] = {}
    for name, value in point.items():
        exact = np.empty(value.shape, dtype=object)
        for at in np.ndindex(value.shape):
            exact[at] = Fraction(float(value[at])).limit_denominator(10**6)
        if isinstance(space.blocks[name], Rows):
            for row in np.ndindex(value.shape[:-1]):
                top = int(np.argmax(value[row]))
                exact[row][top] = 1 - sum(x for j, x in enumerate(exact[row]) if j != top)
        out[name] = exact
    return out


def array_text(array: Any) -> str:
    """An expression that gives the array: integers over one denominator, or floats."""
    flat = [small(float(v)) for v in np.ravel(array)]
    if any(f is None for f in flat):
        return f"np.array({np.asarray(array, dtype=float).tolist()!r})"
    denominator = math.lcm(*(f.denominator for f in flat if f is not None))
    whole = np.array([int(f * denominator) for f in flat if f is not None]).reshape(np.shape(array)).tolist()
    if denominator == 1:
        return f"np.array({whole!r}, dtype=float)"
    exact = np.array_equal(np.array(whole) / denominator, array)  # k m / (d m) and k / d are the same float
    return f"np.array({whole!r}) / {denominator}" if exact else f"np.array({np.asarray(array).tolist()!r})"


def model_text(model: Any) -> str:
    """A call that makes the model again, with the same digest; `InputError` for other than TabularMDP and Bandit."""
    law = model.reward_law
    reward_law = f"RewardLaw({json.dumps(law.kind)}, low={law.low!r}, high={law.high!r}, sd={law.sd!r})"
    if isinstance(model, Bandit):
        lines = [f"means={array_text(model.means)}"]
    elif isinstance(model, TabularMDP):
        lines = [
            f"P={array_text(model.dense())}",
            f"r={array_text(model.r)}",
            f"mu0={array_text(model.mu0)}",
            f"criterion={model.criterion!r}",
        ]
    else:
        raise InputError(f"a {type(model).__name__} has no literal; give a TabularMDP or a Bandit")
    lines += [f"reward_law={reward_law}", f"name={json.dumps(model.name)}"]
    return f"{type(model).__name__}(\n" + "".join(f"    {line},\n" for line in lines) + ")"


def point_text(point: Point) -> str:
    """A dictionary literal of a point."""
    return "{\n" + "".join(f'    "{name}": {array_text(value)},\n' for name, value in point.items()) + "}"


def _write(path: Path, text: str) -> None:
    if path.suffix != ".py":
        raise InputError(f"--save '{path}': the instance is saved as Python; give a name that ends in .py")
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"--save '{path}' cannot be written: {error.strerror}; give another place") from None


def write_claim_test(
    path: Path, claim: str, model: Any, *, source: str, length: int, learner: Mapping[str, Any], replicates: int,
    seed: int, target: str, ratio: float, threshold: float, words: str,
) -> None:  # fmt: skip
    """A Python file with the model and a test that measures the claim's number on it again.

    `source`: the claim's id, or "FILE.py:ID" for a claim of a file.
    """
    criterion = [] if isinstance(model, Bandit) else [type(model.criterion).__name__]
    names = ", ".join(sorted([*criterion, "RewardLaw", type(model).__name__], key=str))
    given = {k: list(v) if isinstance(v, tuple) else v for k, v in learner.items()}
    _write(
        path,
        f'''"""{claim}: {words}.

Written by `theorylab attack`; pytest measures the number again on the same replicates.
"""

import math

import numpy as np

from theorylab.adversary_claims import ratio_of
from theorylab.model import {names}

model = {model_text(model)}
block = dict(length={length}, learner={given!r}, replicates={replicates}, seed={seed}, target={json.dumps(target)})
ratio = {_number(ratio)}
threshold = {_number(threshold)}  # the claim fails on these replicates above it


def test_ratio() -> None:
    assert math.isclose(ratio_of({json.dumps(source)}, model, **block), ratio, rel_tol=1e-9)
''',
    )


def write_target_test(path: Path, target: str, point: Point, ratio: float, words: str) -> None:
    """A Python file with the point and a test that evaluates the target's ratio on it again."""
    _write(
        path,
        f'''"""{target}: {words}.

Written by `theorylab attack`; pytest evaluates the ratio again.
"""

import math

import numpy as np

from theorylab.adversary_target import find_target

point = {point_text(point)}
ratio = {_number(ratio)}


def test_ratio() -> None:
    assert math.isclose(find_target({json.dumps(target)}).objective(point), ratio, rel_tol=1e-9)
''',
    )


def _number(value: float) -> str:
    return repr(value) if math.isfinite(value) else f"float({str(value)!r})"
