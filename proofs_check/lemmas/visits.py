"""Sums over visits in exact arithmetic: running counts, and episodes that stop when a count doubles.

For any sequence of T visits to M pairs, n_t the visits of the pair after visit t,

    sum_t 1/sqrt(n_t) <= 2 sqrt(M T),   sum_t 1/n_t <= M (1 + ln(max(1, T/M)))                              [derived]

from sum_{j<=n} 1/sqrt(j) <= 2 sqrt(n), sum_{j<=n} 1/j <= 1 + ln n and concavity. The ratio of the first is about
1 - 0.73/sqrt(T/M), so visits come in long runs; the second is an equality for one visit each. For 0 <= z_k <= Z_{k-1},
Z_k = max(1, z_1 + ... + z_k),

    sum_k z_k / sqrt(Z_{k-1}) <= (sqrt(2) + 1) sqrt(Z_n)           Jaksch, Ortner, Auer (2010), lemma 19 [recalled]

which the doubling z_k = Z_{k-1} approaches.
"""

from __future__ import annotations

from fractions import Fraction
from typing import Any

from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, table

__all__ = ["episodes", "running"]

Both = dict[str, tuple[Any, Any]]


def runs(source: Source) -> Instance:
    """M pairs, and visits in runs: `pair` and `times` of each."""
    M, k = source.size(1, 4), source.integer(1, 6)
    return {
        "M": M,
        "pair": [source.integer(0, M - 1) for _ in range(k)],
        "times": [source.integer(1, 64) for _ in range(k)],
    }


def counts(x: Any, before: bool = False) -> list[int]:
    """The count after each visit; `before`: the count before it, at least 1."""
    seen, out = [0] * x.M, []
    for pair, times in zip(x.pair, x.times, strict=True):
        for _ in range(times):
            seen[pair] += 1
            out.append(max(1, seen[pair] - 1) if before else seen[pair])
    return out


def _running(
    root: Fraction = Fraction(2), pairs: bool = True, start: int = 1, most: bool = True, before: bool = False
) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        n = f.array([f.number(k) for k in counts(x, before)])
        T, M = len(n), x.M
        share = f.array([f.number(Fraction(max(T, M) if most else T, M))])
        area = f.array([f.number(M * T if pairs else T)])
        return {
            "1/sqrt(n)": ((1 / f.sqrt(n)).sum(), f.number(root) * f.sqrt(area)[0]),
            "1/n": ((1 / n).sum(), M * (start + f.log(share)[0])),
        }

    return sides


def doubling(source: Source) -> Instance:
    """parts z (k,), each all of Z before it or a part in quarters."""
    z: list[Fraction] = []
    for _ in range(source.integer(1, 8)):
        most = max(Fraction(1), sum(z, Fraction(0)))
        z.append(most if source.integer(0, 1) == 0 else most * source.number(0, 1))
    return {"parts": table(z, len(z))}


def _episodes(plus: int, under: int) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        one, total, left = f.number(1), f.number(0), f.number(0)
        for z in x.parts:
            left = left + z / f.sqrt(f.array([f.max(f.array([one, total]))]))[0]
            total = total + z
        both = f.sqrt(f.array([f.number(under), f.max(f.array([one, total]))]))
        return {"episodes": (left, (both[0] + plus) * both[1])}

    return sides


running = Lemma(
    name="azar2017.visits",
    text="For every sequence of T visits to M pairs with counts n after the visit: sum 1/sqrt(n) <= 2 sqrt(MT), sum "
    "1/n <= M (1 + ln(max(1, T/M))).",
    tag="derived",
    draw=runs,
    sides=_running(),
    twins={
        "1.8 for 2": _running(root=Fraction(9, 5)),
        "sqrt(T) for sqrt(MT)": _running(pairs=False),
        "1 + lost": _running(start=0),
        "max(1, .) lost": _running(most=False),
        "counts before the visit": _running(before=True),
    },
    irrational=True,
)

episodes = Lemma(
    name="jaksch2010.lemma19",
    text="Lemma 19: sum_k z_k / sqrt(Z_{k-1}) <= (sqrt(2) + 1) sqrt(Z_n) for 0 <= z_k <= Z_{k-1}, Z_k = max(1, z_1 + "
    "... + z_k).",
    tag="recalled",
    draw=doubling,
    sides=_episodes(1, 2),
    twins={"2 for sqrt(2) + 1": _episodes(1, 1), "sqrt(2) for sqrt(2) + 1": _episodes(0, 2)},
    irrational=True,
)
