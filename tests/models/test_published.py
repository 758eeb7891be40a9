"""Published instances of all families: identity by content, exact quantities to the printed digit."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from typing import Any

import flint
import numpy as np
import pytest

from theorylab import registry
from theorylab.errors import InputError
from theorylab.family import GAMES, Family, Published
from theorylab.model import TabularMDP
from theorylab.plan import bias_span, diameter, plan

ALL: list[tuple[Family, Published]] = [
    (family, published)
    for family in registry.iter_specs("models")
    for published in family.published
    if family.setting not in GAMES  # those of games: tests/models/test_games.py
]
NAMES = [published.name for _, published in ALL]
KEYS = ("gain", "bias_span", "diameter", "gap", "value", "best_mean")
ZERO = 1e-9  # gaps below it are ties up to rounding


def agrees(value: float, printed: str) -> bool:
    """Whether `value` is the printed number to within one unit of its last digit."""
    digits = len(printed.partition(".")[2])
    return abs(value - float(printed)) <= 1.0000001 * 10.0**-digits + 1e-12 * abs(value)


def planned(model: Any) -> Any:
    """The model that planners take: the exact table of a linear model, else the model itself."""
    return model.tabular() if hasattr(model, "tabular") else model


once = cache(plan)  # models are equal when they are the same object


def quantity(table: Any, key: str) -> float:
    if key == "best_mean":
        return float(table.best_mean)
    if key == "gap":
        if isinstance(table, TabularMDP):
            q = once(table).Q
            found = q.max(axis=-1, keepdims=True) - q
        else:
            found = table.gaps
        return float(found[found > ZERO].min())
    if key == "value":
        first = once(table).V
        return float(table.mu0 @ (first[0] if first.ndim == 2 else first))
    if key == "gain":
        gain = once(table).gain
        assert gain is not None
        return gain
    return bias_span(table) if key == "bias_span" else diameter(table)


@pytest.mark.parametrize(("family", "published"), ALL, ids=NAMES)
def test_identity_and_exact_quantities(family: Family, published: Published) -> None:
    model = registry.find_model(published.name)()
    assert model.name == published.name
    assert re.fullmatch("[0-9a-f]{16}", published.digest) and model.digest[:16] == published.digest
    assert family(**published.params).digest == model.digest
    assert published.known and set(published.known) <= set(KEYS)
    table = planned(model)
    for key, printed in published.known.items():
        found = quantity(table, key)
        assert agrees(found, printed), f"{key} is {found!r}, printed {printed}"


def test_names_are_unique_and_begin_with_the_familys() -> None:
    assert len(set(NAMES)) == len(NAMES) >= 40
    assert not set(NAMES) & set(registry.names("models"))
    for family, published in ALL:
        assert published.name.startswith(family.name + "-")


def test_instances_of_one_name_elsewhere_are_different_problems() -> None:
    six = [p for _, p in ALL if p.name.startswith("riverswim-") and p.params["states"] == 6]
    assert len(six) == 6 and len({p.digest for p in six}) == 6
    assert len({p.known["gain"] for p in six}) == 6


def test_a_wrong_digit_is_noticed() -> None:
    model = registry.find_model("riverswim-osband-6")()
    found = quantity(model, "gain")
    assert agrees(found, "0.4286224338")
    assert not agrees(found, "0.4286224340") and not agrees(found, "0.42864")


def test_an_unknown_instance_names_the_nearest() -> None:
    with pytest.raises(InputError, match="unknown model 'riverswim-osband-7'; nearest: riverswim-osband-6"):
        registry.find_model("riverswim-osband-7")
    with pytest.raises(InputError, match="has no parameter 'states'"):
        registry.find_model("riverswim-osband-6")(states=3)


# exact rational answers, independent of the planner but for the policy that it proposes

Row = list[Fraction]
EXACT = [p.name for f, p in ALL if "gain" in p.known and f.setting == "mdp"]


def solve(matrix: list[Row], right: Row) -> Row:
    n = len(right)
    a = flint.fmpq_mat(n, n, [flint.fmpq(x.numerator, x.denominator) for row in matrix for x in row])
    b = flint.fmpq_mat(n, 1, [flint.fmpq(x.numerator, x.denominator) for x in right])
    x = a.solve(b)
    return [Fraction(int(x[i, 0].p), int(x[i, 0].q)) for i in range(n)]


@pytest.mark.parametrize("name", EXACT)
def test_gain_span_and_gap_in_exact_arithmetic(name: str) -> None:
    model = planned(registry.find_model(name)())
    published = next(p for _, p in ALL if p.name == name)
    S, A = model.S, model.A
    P = [[[Fraction(x) for x in row.tolist()] for row in state] for state in model.dense()]
    P = [[[x / sum(row) for x in row] for row in state] for state in P]
    r = [[Fraction(x) for x in row.tolist()] for row in model.r]
    pi = plan(model).pi
    # the state of largest bias is recurrent in these models; where it were not, the system would be singular
    ref = int(np.argmax(plan(model).V))
    matrix = [[Fraction(1) if j == ref else int(i == j) - P[i][pi[i]][j] for j in range(S)] for i in range(S)]
    h = solve(matrix, [r[i][pi[i]] for i in range(S)])
    gain, h[ref] = h[ref], Fraction(0)
    q = [[r[s][a] + sum(p * x for p, x in zip(P[s][a], h, strict=True)) for a in range(A)] for s in range(S)]
    # the optimality equation holds exactly: no action is better than the policy's
    assert all(gain + h[s] == max(q[s]) for s in range(S))
    gap = min(d for row in q for d in (max(row) - x for x in row) if d > Fraction(1, 10**12))
    for key, value in (("gain", gain), ("bias_span", max(h) - min(h)), ("gap", gap)):
        assert agrees(float(value), published.known[key])
