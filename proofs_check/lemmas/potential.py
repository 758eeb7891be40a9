"""Determinant, trace and elliptical potential in exact arithmetic. V_t = lam I + sum_{i <= t} x_i x_i^T, |x_t| <= L.

    det V_n <= (lam + n L^2/d)^d                                                          abbasi2011, lemma 10
    sum_t min(1, |x_t|^2_{V_{t-1}^-1}) <= 2 ln(det V_n / lam^d) <= 2 d ln(1 + n L^2/(lam d))          lemma 11

[recalled]. The first is an equality for equal shares of orthogonal vectors of length L, and is decided in rationals. In
the second 1/ln 2 would do for 2, with equality for orthogonal vectors with |x|^2 = lam [derived]: both are asked for,
and lam is the square of a quarter, as the vectors have entries in quarters. The determinant is expanded by cofactors,
the norms are solved for: neither uses the other.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np

from proofs_check.lemmas._mdp import Array
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, features, table

__all__ = ["determinant", "determinant_trace", "elliptical"]

Both = dict[str, tuple[Any, Any]]


def vectors(source: Source) -> Instance:
    """n vectors (n,d), along axes in half of the draws, and lam."""
    d, n = source.size(1, 3), source.integer(1, 6)
    lam = Fraction(source.integer(1, 4), 4) ** 2
    if source.integer(0, 1) == 0:
        return {"d": d, "lam": lam, "vectors": features(source, n, d)}
    x = table([0] * (n * d), n, d)
    for row in x:
        row[source.integer(0, d - 1)] = source.number(-1, 1)
    return {"d": d, "lam": lam, "vectors": x}


def determinant(M: Array) -> Any:
    """det M by cofactors of the first row, M (d,d) in any field."""
    if len(M) == 1:
        return M[0, 0]
    minors = [determinant(np.delete(M[1:], j, axis=1)) for j in range(len(M))]
    return sum((-1) ** j * (M[0, j] * minor) for j, minor in enumerate(minors))


def norms(x: Any, f: Field) -> tuple[list[Any], Any]:
    """|x_t|^2 in the inverse of V_{t-1} for every t, and det V_n."""
    V, out = x.lam * f.eye(x.d), []
    for row in x.vectors:
        out.append(row @ f.solve(V, row))
        V = V + row[:, None] * row[None, :]
    return out, determinant(V)


def _trace(rounds: int = 0, directions: int = 0) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        n, d = len(x.vectors) + rounds, x.d + directions
        longest = f.max((x.vectors * x.vectors).sum(axis=1))
        return {"det": (norms(x, f)[1], (x.lam + n * longest / d) ** x.d)}

    return sides


def _potential(factor: int = 2, sharp: bool = True, capped: bool = True, d_before: bool = True) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        squares, det = norms(x, f)
        one = f.number(1)
        total = sum((f.min(f.array([one, w])) if capped else w for w in squares), f.number(0))
        longest = f.max((x.vectors * x.vectors).sum(axis=1))
        trace = 1 + len(x.vectors) * longest / (x.lam * x.d)
        log_two, log_det, log_trace = f.log(f.array([f.number(2), det / x.lam**x.d, trace]))
        return {
            "lemma 11": (total, factor * log_det),
            "with the trace": (total, 2 * (x.d if d_before else 1) * log_trace),
        } | ({"1/ln 2 for 2": (total, log_det / log_two)} if sharp else {})

    return sides


def _below_sharp(x: Any, f: Field) -> Both:
    total, twice = _potential()(x, f)["lemma 11"]
    return {"1.4 for 2": (total, f.number(Fraction(7, 10)) * twice)}


determinant_trace = Lemma(
    name="abbasi2011.determinant-trace",
    text="Lemma 10: det(lam I + sum x x^T) <= (lam + n L^2/d)^d for n vectors of R^d, L the largest length.",
    tag="recalled",
    draw=vectors,
    sides=_trace(),
    twins={"n - 1 for n": _trace(rounds=-1), "d + 1 directions": _trace(directions=1)},
)

elliptical = Lemma(
    name="abbasi2011.elliptical-potential",
    text="Lemma 11: sum_t min(1, |x_t|^2_{V_{t-1}^-1}) <= 2 ln(det V_n / lam^d), and <= 2 d ln(1 + n L^2/(lam d)); "
    "with 1/ln 2 for the first factor 2 too, which is best.",
    tag="recalled",
    draw=vectors,
    sides=_potential(),
    twins={
        "1.4 for 1/ln 2": _below_sharp,
        "2 lost": _potential(factor=1, sharp=False),
        "min(1, .) lost": _potential(sharp=False, capped=False),
        "d lost before the logarithm": _potential(sharp=False, d_before=False),
    },
    irrational=True,
)
