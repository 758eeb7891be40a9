"""Lemmas as properties: searched near equality, violations decided without rounding, counterexamples in fractions.

A `Lemma` gives random instances (`draw`, from `theorylab.strategies`) and its two sides (`sides`, written once against
a `theorylab.lemma_fields.Field`). `search` evaluates the sides in doubles; where these come within 1e-9 of a violation
they are evaluated again in exact rationals, or in balls for logarithms and roots, and only what is violated there
counts: so no shrinking follows rounding noise. A float excess that exact arithmetic denies is counted as rounding.
Hypothesis shrinks a violation to few states with small integers. `verify_identity` evaluates an identity at random
integer points: if it is false, of degree d, each passes with probability at most d/N (Schwartz-Zippel).

Each lemma has false twins, the same text with one constant or one law spoilt; a search that misses them finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from operator import index
from typing import Any

import numpy as np

from theorylab.errors import InputError, naming
from theorylab.lemma_fields import BALLS, FLOATS, RATIONALS, Field, Instance
from theorylab.strategies import Points, Source, strategy

__all__ = ["Lemma", "LemmaResult", "literal", "search", "verify_identity", "violation"]

SMALL, LARGE = 2, 1000
NEAR = 1e-9  # in units of 1 + the larger side: closer than this to a violation, exact arithmetic decides
Sides = Callable[[Any, Field], Mapping[str, tuple[Any, Any]]]
TAGS = ("source", "recalled", "derived")


@dataclass(frozen=True, eq=False)
class Lemma:
    """A statement on all instances.

    Attributes:
        name: "key.statement", key a BibTeX key. text: the statement. tag: "source", "recalled" or "derived".
        draw: source -> instance, a dict of integers, Fractions and arrays of them (`theorylab.strategies`).
        sides: (instance as attributes, field) -> name -> (lhs, rhs), numbers or arrays; holds if lhs <= rhs in every
            entry, or lhs == rhs for an identity. twins: name -> the same with a fault that must be found.
        kind: "inequality" or "identity". degree: of an identity in the integers drawn, denominators cleared, by
            instance. irrational: sides take log, exp or sqrt; balls decide.
    """

    name: str
    text: str
    tag: str
    draw: Callable[[Source], Instance]
    sides: Sides
    twins: Mapping[str, Sides]
    kind: str = "inequality"
    degree: Callable[[Instance], int] | None = None
    irrational: bool = False

    def __post_init__(self) -> None:
        if self.kind not in ("inequality", "identity"):
            raise InputError(f"lemma {self.name}: kind is {self.kind!r}; give 'inequality' or 'identity'")
        if self.tag not in TAGS:
            raise InputError(f"lemma {self.name}: tag '{self.tag}' is none of {', '.join(TAGS)}")
        if not self.twins:
            raise InputError(f"lemma {self.name}: give at least one false twin, or its check could not fail")
        if (self.kind == "identity") != (self.degree is not None):
            raise InputError(f"lemma {self.name}: degree=... belongs to an identity, and an identity needs it")
        if self.kind == "identity" and self.irrational:
            raise InputError(f"lemma {self.name}: balls cannot show an identity; state it as two inequalities")

    @property
    def field(self) -> Field:
        """The arithmetic that decides."""
        return BALLS if self.irrational else RATIONALS

    def using(self, twin: str | None) -> Sides:
        """The lemma's sides, or those of a twin."""
        if twin is None:
            return self.sides
        if twin not in self.twins:
            raise InputError(f"lemma {self.name} has no twin '{twin}'; it has {', '.join(self.twins)}")
        return self.twins[twin]


@dataclass(frozen=True)
class LemmaResult:
    """What a search or a verification found.

    Attributes:
        name, twin: what was looked at. verdict: NO VIOLATION FOUND, IDENTITY HOLDS or REFUTED.
        calls: instances evaluated until the first violation, or in all; shrinks: those evaluated to make it small.
        exact: instances that exact arithmetic decided; rounding: float excesses that it denied; undecided: instances
            with balls that overlap. ratio: largest lhs/rhs with rhs > 0 (doubles), where: in which inequality, closest:
            on which instance. counterexample: instance, None without one; broken: its sides in fractions.
        degree, N, false_pass: of an identity: P(IDENTITY HOLDS though false) <= false_pass = (degree/N)^calls.
    """

    name: str
    twin: str | None
    verdict: str
    calls: int
    shrinks: int = 0
    exact: int = 0
    rounding: int = 0
    undecided: int = 0
    ratio: float | None = None
    where: str = ""
    closest: Instance | None = None
    counterexample: Instance | None = None
    broken: str = ""
    degree: int | None = None
    N: int | None = None
    false_pass: float | None = None

    def text(self) -> str:
        """The result in words, with instances as Python literals."""
        out = [self.verdict]
        if self.counterexample is not None:
            out.append(f"{self.broken} at {literal(self.counterexample)}, after {self.calls} calls")
        elif self.false_pass is not None:
            out.append(
                f"{self.calls} random points, entries up to {self.N}, degree at most {self.degree}: a false identity "
                f"of this size passes with probability at most {self.false_pass:.1e}"
            )
        else:
            out.append(f"in {self.calls} calls")
        if self.closest is not None and self.counterexample is None:
            out.append(f"best ratio {self.ratio:.6g} ({self.where}) at {literal(self.closest)}")
        if self.rounding or self.undecided:
            out.append(f"{self.rounding} float excesses were rounding, {self.undecided} instances undecided by balls")
        return "; ".join(out)


def literal(instance: Instance) -> str:
    """An instance as Python: `dict(S=2, gamma=1/2, P=[[[0, 1], ...]])`, whose entries evaluate to numbers."""
    return f"dict({', '.join(f'{k}={_literal(v)}' for k, v in instance.items())})"


def _literal(value: Any) -> str:
    if isinstance(value, np.ndarray):
        value = value.tolist()
    return f"[{', '.join(map(_literal, value))}]" if isinstance(value, list) else str(value)


@dataclass
class _Tally:
    calls: int = 0
    exact: int = 0
    rounding: int = 0
    undecided: int = 0
    ratio: float | None = None
    where: str = ""
    closest: Instance | None = None
    first: int | None = None
    counterexample: Instance | None = None
    broken: str = ""


class _Violated(Exception):
    pass


def _pairs(lemma: Lemma, twin: str | None, instance: Instance, at: Field) -> list[tuple[str, Any, Any]]:
    """Name, left and right side of each inequality, entry by entry. Raises InputError for sides that are no numbers."""
    where = f"lemma {lemma.name}: {'sides' if twin is None else f'the twin {twin!r}'}"
    if not isinstance(instance, dict):
        raise InputError(f"lemma {lemma.name}: draw returned {instance!r}; return a dict of numbers and arrays")
    with naming(where, "mend it, or draw no such instance"), at.context():
        found = lemma.using(twin)(at.read(instance), at)
    if not isinstance(found, Mapping) or not found:
        raise InputError(f"{where} returned {found!r}; return a dict of a name and (lhs, rhs), at least one")
    out = []
    for name, both in found.items():
        try:
            left, right = np.broadcast_arrays(*(np.asarray(x, dtype=object if at.exact else float) for x in both))
            pairs = list(zip(left.ravel().tolist(), right.ravel().tolist(), strict=True))
            numbers = all(_is_number(x, at.exact) for pair in pairs for x in pair)
        except (TypeError, ValueError):
            numbers = False
        if not numbers:
            raise InputError(
                f"{where} returned {both!r} for '{name}' at {literal(instance)}; return two real numbers, or arrays of "
                "one shape, and no NaN (of a ball d that may contain 0, d**2 is NaN and d * d is not)"
            )
        out += [(name, x, y) for x, y in pairs]
    return out


def _is_number(x: Any, exact: bool) -> bool:
    """Whether a side is one: where exact arithmetic decides, NaN is none, since it would pass for undecided."""
    if isinstance(x, (int, float, Fraction, np.integer, np.floating)):
        return not (exact and x != x)
    return type(x).__module__.partition(".")[0] == "flint" and not (hasattr(x, "is_nan") and x.is_nan())


def violation(lemma: Lemma, instance: Instance, twin: str | None = None) -> tuple[str, bool]:
    """(the first inequality violated on an instance, with its sides; whether balls left something open), exactly.

    The first is "" if there is none. Raises InputError without python-flint.
    """
    at, undecided = lemma.field, False
    for name, left, right in _pairs(lemma, twin, instance, at):
        if left != right if lemma.kind == "identity" else left > right:
            relation = "!=" if lemma.kind == "identity" else ">"
            return f"{name}: lhs = {left} {relation} {right} = rhs", undecided
        undecided = undecided or not (lemma.kind == "identity" or left <= right)
    return "", undecided


def _looks(lemma: Lemma, twin: str | None, instance: Instance, tally: _Tally) -> tuple[bool, bool]:
    """In doubles: whether exact arithmetic must decide, and whether there is an excess; keeps the best ratio."""
    near = excess = False
    for name, left, right in _pairs(lemma, twin, instance, FLOATS):
        gap = abs(left - right) if lemma.kind == "identity" else left - right
        near = near or not gap < -NEAR * (1.0 + max(abs(left), abs(right)))
        excess = excess or not gap <= 0.0
        if (
            lemma.kind == "inequality"
            and right > NEAR
            and not (tally.ratio is not None and left / right <= tally.ratio)
        ):
            tally.ratio, tally.where, tally.closest = left / right, name, instance
    return near, excess


def _drive(attempt: Callable[[Instance], None], instances: Any, examples: int, seed: int, shrink: bool) -> None:
    from hypothesis import HealthCheck, Phase, Verbosity, given, settings
    from hypothesis import seed as seeded

    chosen = settings(
        max_examples=examples,
        database=None,
        deadline=None,
        phases=[Phase.generate, Phase.shrink] if shrink else [Phase.generate],
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
        print_blob=False,
        verbosity=Verbosity.quiet,
    )
    test: Callable[[], None] = seeded(seed)(chosen(given(instances)(attempt)))  # type: ignore[no-untyped-call]
    test()


def search(
    lemma: Lemma, examples: int = 256, seed: int = 0, twin: str | None = None, shrink: bool = True
) -> LemmaResult:
    """Look for a violation on `examples` instances, and shrink it; the same seed finds the same.

    The first half has sizes of at most 2, where most counterexamples have a copy; the rest all sizes of `draw`. `twin`
    names a false twin to look at instead. Raises InputError for an unknown twin, examples < 2, or a missing
    python-flint.
    """
    if isinstance(examples, bool) or not isinstance(examples, int) or examples < 2:
        raise InputError(f"lemma {lemma.name}: examples={examples!r} must be an integer >= 2")
    lemma.using(twin)
    tally = _Tally()

    def attempt(instance: Instance) -> None:
        tally.calls += 1
        near, excess = _looks(lemma, twin, instance, tally)
        if not near:
            return
        broken, undecided = violation(lemma, instance, twin)
        tally.exact += 1
        tally.undecided += undecided
        tally.rounding += excess and not broken and not undecided
        if broken:
            tally.first = tally.first or tally.calls
            tally.counterexample, tally.broken = instance, broken
            raise _Violated

    for most, share in ((SMALL, examples // 2), (LARGE, examples - examples // 2)):
        with naming(f"lemma {lemma.name}: draw", "mend it"):
            try:
                _drive(attempt, strategy(lemma.draw, most=most), share, seed, shrink)
            except _Violated:
                break
    first = tally.first or tally.calls
    return LemmaResult(
        lemma.name,
        twin,
        "NO VIOLATION FOUND" if tally.counterexample is None else "REFUTED",
        first,
        tally.calls - first,
        tally.exact,
        tally.rounding,
        tally.undecided,
        tally.ratio,
        tally.where,
        tally.closest,
        tally.counterexample,
        tally.broken,
    )


def verify_identity(
    lemma: Lemma, points: int = 3, N: int = 10**6, seed: int = 0, twin: str | None = None
) -> LemmaResult:
    """Evaluate an identity exactly at `points` instances whose integers are uniform on 1..N.

    A false identity of degree d at this size passes with probability at most (d/N)^points (Schwartz-Zippel). Raises
    InputError for an inequality, points < 1, or N at or below the degree.
    """
    if lemma.degree is None:
        raise InputError(f"lemma {lemma.name} is an inequality; use search")
    if points < 1:
        raise InputError(f"lemma {lemma.name}: points={points} must be at least 1")
    source = Points(N, seed)
    degree = 0
    for k in range(1, points + 1):
        with naming(f"lemma {lemma.name}: draw", "mend it"):
            instance = lemma.draw(source)
        with naming(f"lemma {lemma.name}: degree", "return the degree of the identity on the instance"):
            degree = max(degree, index(lemma.degree(instance)))
        if degree >= N:
            raise InputError(f"lemma {lemma.name}: N={N} is not above the degree {degree}; give a larger N")
        broken, _ = violation(lemma, instance, twin)
        if broken:
            return LemmaResult(
                lemma.name, twin, "REFUTED", k, exact=k, counterexample=instance, broken=broken, degree=degree, N=N
            )
    false_pass = float(Fraction(degree, N) ** points)
    return LemmaResult(
        lemma.name, twin, "IDENTITY HOLDS", points, exact=points, degree=degree, N=N, false_pass=false_pass
    )
