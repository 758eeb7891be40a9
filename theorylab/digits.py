"""Numbers for people with no more digits than their certified error supports.

Rule of every number printed by `digits`: the exact number lies within one unit of the last digit shown. With d
decimals, rounding to them costs at most 10^-d / 2, so that d is the largest with error <= 10^-d / 2. Decided in exact
arithmetic.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from decimal import ROUND_CEILING, ROUND_HALF_EVEN, Context, Decimal

__all__ = ["column", "decimals", "digits", "error_text"]

MOST = 12  # significant digits: more of them help nobody to read
EXACT = Context(prec=2000)  # every float64 has fewer digits


def decimals(error: float, largest: float, most: int = MOST) -> int | None:
    """How many decimals to print of numbers up to `largest` in size with this error; negative: tens, hundreds, ...

    At most `most` significant digits of the largest. None: an infinite error supports no digit.
    """
    lead = math.floor(math.log10(largest)) if largest > 0 else 0
    cap = most - 1 - lead
    if error == 0:
        return cap
    if not math.isfinite(error):
        return None
    places = math.floor(-math.log10(error))
    # the logarithm may be off by one
    while Decimal(error) * 2 > Decimal(1).scaleb(-places):
        places -= 1
    return min(places, cap)


def digits(value: float, error: float, most: int = MOST) -> str:
    """A number with the digits that its error supports: "0.428622433802", and "0.00" for 1e-4 with error 1e-3.

    Where the error supports no digit, the number is given to 6 digits with a "~" in front.
    """
    if not math.isfinite(value):
        return "nan" if value != value else "inf" if value > 0 else "-inf"
    if error == 0:
        return f"{value:.{most}g}"
    places = decimals(error, abs(value), most)
    if places is None or (places < 0 and abs(value) < 10.0**-places):
        return f"~{value + 0.0:.6g}"  # no minus before a zero
    return _fixed(value, places)


def column(values: Iterable[float], error: float, most: int = 6) -> list[str]:
    """Numbers with one error as a column: the same decimals for all, about `most` digits of the largest."""
    numbers = [float(v) for v in values]
    largest = max((abs(v) for v in numbers if math.isfinite(v)), default=0.0)
    places = decimals(error, largest, most)
    if places is not None and places < 0 and error <= 0.5:
        places = 0
    if places is None or places < 0:
        return [digits(v, error, most) for v in numbers]
    return [_fixed(v, places) if math.isfinite(v) else digits(v, error) for v in numbers]


def _fixed(value: float, places: int) -> str:
    exact = Decimal(value)
    rounded = exact.quantize(Decimal(1).scaleb(-places), ROUND_HALF_EVEN, EXACT)
    if places < 0 or places > 17:
        lead = rounded.adjusted() if rounded else -places
        return f"{rounded:.{max(places + lead, 0)}e}".replace("e+", "e")
    text = f"{rounded:f}"
    return text.removeprefix("-") if rounded == 0 else text


def error_text(error: float) -> str:
    """A certified error in words, rounded up to two digits: "error at most 2.3e-15", "exact", "no error proved"."""
    if not math.isfinite(error):
        return "no error proved"
    if error == 0:
        return "exact"
    exact = Decimal(error)
    up = exact.quantize(Decimal(1).scaleb(exact.adjusted() - 1), ROUND_CEILING, EXACT)
    mantissa, _, exponent = f"{up:.1e}".partition("e")
    return f"error at most {mantissa}e{int(exponent)}".removesuffix("e0")
