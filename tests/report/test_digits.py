"""Printed digits: each number is within one unit of its last digit, and has as many digits as its error supports."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from theorylab.digits import column, decimals, digits, error_text


def unit(text: str) -> Fraction:
    """One unit of the last digit of a printed number."""
    mantissa, _, exponent = text.partition("e")
    return Fraction(10) ** (int(exponent or 0) - len(mantissa.partition(".")[2]))


def cases(count: int) -> list[tuple[float, float]]:
    rng = np.random.default_rng(0)
    sizes, errors = 10.0 ** rng.uniform(-8, 8, count), 10.0 ** rng.uniform(-18, 4, count)
    return [(float(v), float(e)) for v, e in zip(sizes * rng.choice([-1, 1], count), errors, strict=True)]


def test_the_exact_number_is_within_one_unit_of_the_last_digit() -> None:
    seen = 0
    for value, error in cases(3000):
        text = digits(value, error)
        if text.startswith("~"):
            assert error > abs(value) / 20
            continue
        seen += 1
        for exact in (Fraction(value) - Fraction(error), Fraction(value) + Fraction(error)):
            assert abs(Fraction(text) - exact) <= unit(text), (value, error, text)
    assert seen > 2500


def test_no_supported_digit_is_left_out() -> None:
    for value, error in cases(3000):
        text = digits(value, error)
        shown = len(text.replace(".", "").replace("-", "").partition("e")[0].lstrip("0"))
        if not text.startswith("~") and shown < 12:
            # with one digit more, rounding and error together could pass the unit
            assert Fraction(error) > unit(text) / 20, (value, error, text)


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        (0.4286224337994644, 2.3e-15, "0.428622433799"),
        (0.4286224337994644, 5e-7, "0.428622"),
        (0.4286224337994644, 5.1e-7, "0.42862"),
        (0.5, 0.0, "0.5"),
        (-0.0001, 0.01, "0.0"),
        (0.0, 1e-3, "0.00"),
        (99.96, 0.04, "100.0"),
        (123456.0, 60.0, "1.23e5"),
        (1e-30, 1e-40, "1.000000000e-30"),
        (2.5, float("inf"), "~2.5"),
        (-0.0, float("inf"), "~0"),
        (5.0, 100.0, "~5"),
        (float("inf"), 0.0, "inf"),
        (float("nan"), 0.0, "nan"),
    ],
)
def test_known_texts(value: float, error: float, text: str) -> None:
    assert digits(value, error) == text


def test_a_column_has_the_same_decimals_and_keeps_the_rule() -> None:
    assert column([0, 1.5, 22.123456789], 1e-12) == ["0.0000", "1.5000", "22.1235"]
    assert column([0, 1.5, 22.123456789], 0.02) == ["0.0", "1.5", "22.1"]
    assert column([1e6, 2.0], 1e-9) == ["1000000", "2"]
    assert column([1.25, 2.0], float("inf")) == ["~1.25", "~2"]
    assert column([], 0.0) == []
    for value, error in cases(1000):
        for v, text in zip((value, value / 7), column([value, value / 7], error), strict=True):
            assert text.startswith("~") or abs(Fraction(text) - Fraction(v)) + Fraction(error) <= unit(text)


def test_errors_are_rounded_up() -> None:
    assert [error_text(e) for e in (0.0, 2.31e-15, 2.25, 9.91, float("inf"))] == [
        "exact", "error at most 2.4e-15", "error at most 2.3", "error at most 1.0e1", "no error proved",
    ]  # fmt: skip
    for _, error in cases(1000):
        shown = Fraction(error_text(error).removeprefix("error at most "))
        assert Fraction(error) <= shown <= Fraction(error) * Fraction(11, 10)


def test_decimals() -> None:
    assert decimals(1e-3, 5.0) == 2 and decimals(4.9e-4, 5.0) == 3
    assert decimals(0.0, 5.0) == 11 and decimals(float("inf"), 5.0) is None
