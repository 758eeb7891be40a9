"""Claims: theorems, lemmas and steps of proofs as registered, executable objects.

A claim names a learner, instances of model families, and a quantity with a bound; `theorylab.check` runs it. The
quantity is "regret" (the theorem's own, with `bound(c, n)` over n completed rounds, episodes or steps), of a solver of
games "exploitability" (with `bound(c, n)` after n iterations), a `Total` (a number that is read at the end of the run,
such as a completion time, with the same bound at n = length), or a `Probe` whose value is lhs - rhs at every moment,
or, for what holds on all models, a `Lemma` (`Claim.of(lemma)`) or a function of a random generator that returns the
largest lhs - rhs over a sample of instances.

The minimal claim gives id, text, learner, family (its instances), quantity, kind and bound, and trivial for a bound on
a total; all else has defaults.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property, wraps
from typing import Any

import numpy as np

from theorylab.assume import Assumption
from theorylab.compiler import Kernel
from theorylab.errors import InputError, naming
from theorylab.learner import Learner
from theorylab.lemma import Lemma
from theorylab.probe import Monitor, Probe

__all__ = [
    "Claim", "Context", "Control", "Dominates", "Expectation", "Growth", "HighProbability", "Identity", "Instance",
    "Pointwise", "Total", "WorstCase",
]  # fmt: skip

#: quantities that a run records as it goes
PATHS = ("regret", "exploitability")
SOURCE_TAGS = ("source", "recalled", "derived")


def is_real(value: Any) -> bool:
    """Whether a value is one real number: no text, no truth value, no array with axes."""
    return np.shape(value) == () and np.asarray(value).dtype.kind in "iuf"


@dataclass(frozen=True)
class HighProbability:
    """Fails with probability at most delta: a number, or a function of the context."""

    delta: float | Callable[[Context], float]

    def __post_init__(self) -> None:
        if not callable(self.delta):
            self._checked(self.delta)

    @staticmethod
    def _checked(value: Any, where: str = "HighProbability") -> float:
        if not (is_real(value) and 0.0 < value <= 1.0):
            raise InputError(
                f"{where}: delta={value!r} must lie in (0, 1], a number; correct the claim's failure probability"
            )
        return float(value)

    def named(self, where: str) -> HighProbability:
        """The same, whose function of the context says where it stands when it fails."""
        f = self.delta
        if not callable(f) or hasattr(f, "checked"):
            return self

        @wraps(f)
        def delta(c: Context) -> float:
            with naming(f"{where}: delta", "mend the function"):
                found = f(c)
            return self._checked(found, where)

        delta.checked = True  # type: ignore[attr-defined]
        return HighProbability(delta)

    def level(self, context: Context) -> float:
        """The failure probability on an instance; at 1 the claim says nothing there and is vacuous."""
        return self._checked(self.delta(context) if callable(self.delta) else self.delta)


@dataclass(frozen=True)
class Expectation:
    """E quantity <= bound at the final length; the quantity lies in [0, trivial]."""


@dataclass(frozen=True)
class Pointwise:
    """Holds without exception: along every run (`scope="run"`) or for all models (`scope="models"`)."""


@dataclass(frozen=True)
class Growth:
    """The mean of regret or of a `Total` is O(order) along a sweep: the instances are its points, `shape` is the order.

    Attributes:
        order: in words, such as "sqrt(T)". sweep: the size that grows: T, K, S, A or H; with `size`, its name.
        size: (context) -> the size that grows, where it is none of these: a diameter, the samples asked for.
        margin: of the exponent. exact: the order is attained too (Theta).
        regime: (context) -> whether the theorem's regime holds at a point; INCONSISTENT needs it at every one.
    """

    order: str
    sweep: str = "T"
    margin: float = 0.03
    exact: bool = False
    regime: Callable[[Context], bool] | None = None
    size: Callable[[Context], float] | None = None


@dataclass(frozen=True)
class Dominates:
    """The mean of regret or of a `Total` is below another learner's, on one instance under common random numbers."""

    other: str


@dataclass(frozen=True)
class Identity:
    """Both sides agree exactly."""


@dataclass(frozen=True)
class WorstCase:
    """A supremum over instances."""


@dataclass(frozen=True, eq=False)
class Total:
    """A number that a kernel `value(st, p, tr, t)` reads once, after the last step: a completion time, a count."""

    name: str
    value: Kernel


@dataclass(frozen=True)
class Instance:
    """A model of a family, a length (rounds, episodes or steps), and parameters of the learner.

    `Instance.of(model, length)` wraps a model object that belongs to no family.
    """

    family: str
    length: int
    model: Mapping[str, Any] = field(default_factory=dict)
    learner: Mapping[str, Any] = field(default_factory=dict)
    given: Any = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if isinstance(self.length, bool) or not isinstance(self.length, int) or self.length < 1:
            raise InputError(f"instance of {self.family}: length={self.length!r} must be an integer >= 1")

    @classmethod
    def of(cls, model: Any, length: int, learner: Mapping[str, Any] | None = None) -> Instance:
        """An instance around a model object."""
        name = f"{model.name or type(model).__name__}-{model.digest[:8]}"
        return cls(name, length, {}, dict(learner or {}), model)

    def build(self) -> Any:
        """The model."""
        if self.given is not None:
            return self.given
        from theorylab.registry import find_model

        return find_model(self.family)(**self.model)


class Context:
    """What a bound may depend on: sizes, parameters and exact constants of one instance.

    Attributes S, A, H, K, T (where the setting has them), `length`, every learner parameter by name, `gap`, `mean`,
    `gain`, `bias`, `V_star`, `Q_star` (exact tables), `diameter` (computed on demand), `model`, `error` (certified).
    """

    def __init__(self, model: Any, sizes: Mapping[str, int], params: Mapping[str, Any], truth: Any) -> None:
        self.model, self.truth = model, truth
        self.values = {**truth.tables, **sizes, **params}
        self.length = int(sizes["K"] if truth.setting == "episodic" else sizes["T"])
        self.error = float(truth.error)

    def __getattr__(self, name: str) -> Any:
        values = self.__dict__.get("values", {})
        if name in values:
            return values[name]
        raise AttributeError(f"this instance has no '{name}'; it has {', '.join(sorted(values))}")

    @cached_property
    def diameter(self) -> float:
        """Largest minimal expected hitting time between two states, in steps; rounded up by its certified error."""
        from theorylab.plan import diameter

        return float(diameter(self.model, certified=True).high)


Bound = Callable[[Context, np.ndarray], np.ndarray]


def _formula(where: str, f: Bound) -> Bound:
    """`f` with its values checked: one real number for each n, and no NaN from n = 1 on."""
    if not callable(f):
        raise InputError(f"{where} is {f!r}; give a function of the context and n, such as lambda c, n: c0 + 0.0 * n")

    @wraps(f)
    def values(c: Context, n: np.ndarray) -> np.ndarray:
        at = np.asarray(n)
        with naming(where, "mend the formula"):
            found = np.asarray(f(c, n))
        if found.dtype.kind not in "biuf" or found.shape != at.shape:
            raise InputError(
                f"{where} returned {found.dtype} of shape {found.shape} for n of shape {at.shape}; return one number "
                "for each n, such as c0 + 0.0 * n for a constant"
            )
        bad = np.flatnonzero(np.isnan(found.astype(float)) & (at >= 1))
        if bad.size:
            raise InputError(f"{where} is NaN at n={at.ravel()[bad[0]]:g}; mend the formula")
        return found

    values.checked = True  # type: ignore[attr-defined]
    return values


def _scalar(where: str, f: Callable[[Context], float]) -> Callable[[Context], float]:
    """`f` with its value checked: one positive finite number."""
    if not callable(f):
        raise InputError(f"{where} is {f!r}; give a function of the context")

    @wraps(f)
    def value(c: Context) -> float:
        with naming(where, "mend the formula"):
            found = f(c)
        if not (is_real(found) and 0.0 < found < np.inf):
            raise InputError(f"{where} returned {found!r}; return a positive finite number")
        return float(found)

    value.checked = True  # type: ignore[attr-defined]
    return value


@dataclass(frozen=True, eq=False)
class Control:
    """A planted fault that a claim must catch.

    Attributes:
        name: what was broken. learner: the broken learner. instance: where it is run (default: the claim's
            `control_instance`). replicates: how many. target: "python" needs no compilation; "cpu" for long runs.
    """

    name: str
    learner: Learner
    instance: Instance | None = None
    replicates: int = 8
    target: str = "python"


@dataclass(frozen=True, eq=False)
class Claim:
    """A statement with all that its check needs.

    Attributes:
        id: "key.statement"; paper: BibTeX key; text: the statement, with its equation or theorem number.
        source_tag: "source", "recalled" or "derived"; shown in every report.
        kind: one of the kinds of this module. scope: "run" or "models".
        learner: its name. instances: profile -> instances. control_instance: where learner faults are planted.
        quantity: "regret", "exploitability", a `Total`, a `Probe`, or, with scope "models", a `Lemma` or a function of
            a generator.
        bound: (context, n) -> values over n; shape: the same with constant 1 (best constant); constant: the
            theorem's. trivial: what any algorithm satisfies; at or above it the bound is vacuous.
        constants: "explicit" or "unspecified". assumes: predicates on the model. steps: ids of the proof's steps.
        controls: faults it must catch. tables: (context) -> tables that its probe reads. monitor: the probe's memory.
        copies: True for a step that repeats a formula of the learner rather than a property of it.
    """

    id: str
    text: str
    learner: str
    instances: Mapping[str, tuple[Instance, ...]]
    quantity: Any
    kind: Any
    bound: Bound | None = None
    paper: str = ""
    source_tag: str = "recalled"
    scope: str = "run"
    constants: str = "explicit"
    constant: Callable[[Context], float] | None = None
    shape: Bound | None = None
    trivial: Bound | None = None
    assumes: tuple[Assumption, ...] = ()
    steps: tuple[str, ...] = ()
    controls: tuple[Control, ...] = ()
    control_instance: Instance | None = None
    tables: Callable[[Context], dict[str, Any]] | None = None
    monitor: Monitor | None = None
    copies: bool = False
    false_twin: Callable[..., Any] | None = None

    @classmethod
    def of(cls, lemma: Lemma) -> Claim:
        """The claim that a lemma holds on all instances; no learner takes part."""

        def twin(x: Any, f: Any) -> Any:
            return next(iter(lemma.twins.values()))(x, f)

        twin.__name__ = "; ".join(f"false twin: {name}" for name in lemma.twins)  # what `theorylab show` prints
        return cls(
            id=lemma.name,
            text=lemma.text,
            source_tag=lemma.tag,
            scope="models",
            learner="",
            kind=Identity() if lemma.kind == "identity" else Pointwise(),
            quantity=lemma,
            false_twin=twin,
            instances={},
        )

    def __post_init__(self) -> None:
        if self.source_tag not in SOURCE_TAGS:
            raise InputError(f"claim {self.id}: source_tag '{self.source_tag}' is none of {', '.join(SOURCE_TAGS)}")
        if not self.paper:
            object.__setattr__(self, "paper", self.id.partition(".")[0])
        for name in ("bound", "shape", "trivial"):
            formula = getattr(self, name)
            if formula is not None and not hasattr(formula, "checked"):
                object.__setattr__(self, name, _formula(f"claim {self.id}: {name}", formula))
        if isinstance(self.kind, HighProbability):
            object.__setattr__(self, "kind", self.kind.named(f"claim {self.id}"))
        if self.constant is not None and not hasattr(self.constant, "checked"):
            object.__setattr__(self, "constant", _scalar(f"claim {self.id}: constant", self.constant))
        self._check_parts()
        if self.compares:
            self._check_comparison()
        elif self.cumulative and self.bound is None and self.shape is None:
            raise InputError(
                f"claim {self.id}: a claim on regret, exploitability or a Total needs bound=... or shape=..."
            )
        if isinstance(self.quantity, Lemma):
            wanted = Identity if self.quantity.kind == "identity" else Pointwise
            if self.scope != "models" or not isinstance(self.kind, wanted):
                raise InputError(f"claim {self.id}: a Lemma goes with scope='models' and kind={wanted.__name__}()")
        elif not (self.cumulative or isinstance(self.quantity, Probe) or callable(self.quantity)):
            raise InputError(
                f"claim {self.id}: quantity must be 'regret', 'exploitability', a Total, a Probe, a Lemma or a "
                "function of a generator"
            )
        if self.scope == "models" and not isinstance(self.kind, (Pointwise, Identity)):
            raise InputError(f"claim {self.id}: with scope='models' give kind=Pointwise(): it is searched, not sampled")
        if self.scope == "models" and isinstance(self.kind, Identity) and not isinstance(self.quantity, Lemma):
            raise InputError(
                f"claim {self.id}: an Identity needs a Lemma; of a function of a generator say Pointwise()"
            )
        if self.cumulative and not self.compares and self.bound is None:
            if isinstance(self.kind, Pointwise) or self.constants == "explicit":
                kind = type(self.kind).__name__
                raise InputError(
                    f"claim {self.id}: a claim of kind {kind} with explicit constants needs bound=...; without one say "
                    "constants='unspecified'"
                )
        if isinstance(self.kind, HighProbability) and self.cumulative and self.bound and self.trivial is None:
            raise InputError(
                f"claim {self.id}: a bound needs trivial=..., what any algorithm satisfies: a bound above it is vacuous"
            )
        if isinstance(self.kind, Expectation) and self.trivial is None:
            raise InputError(f"claim {self.id}: an Expectation needs trivial=..., the largest value that there is")

    def _check_parts(self) -> None:
        if isinstance(self.quantity, (Probe, Total)) and not isinstance(self.quantity.value, Kernel):
            raise InputError(
                f"claim {self.id}: '{self.quantity.name}' measures by {self.quantity.value!r}; give a function "
                "decorated with @kernel"
            )
        if isinstance(self.quantity, Probe) and not (is_real(self.quantity.tol) and self.quantity.tol >= 0.0):
            raise InputError(f"claim {self.id}: tol={self.quantity.tol!r} of its probe must be a number >= 0")
        for control in self.controls:
            if not isinstance(control, Control) or not isinstance(control.learner, Learner):
                raise InputError(f"claim {self.id}: controls has {control!r}; give Control(name, Learner, ...)")
        if not isinstance(self.instances, Mapping):
            raise InputError(f"claim {self.id}: instances is {self.instances!r}; give a dict of profile and instances")
        for profile, listed in self.instances.items():
            if not isinstance(listed, (tuple, list)) or not all(isinstance(i, Instance) for i in listed):
                raise InputError(f"claim {self.id}: instances['{profile}'] is no tuple of Instance objects; give one")

    def _check_comparison(self) -> None:
        kind = type(self.kind).__name__
        if not self.cumulative:
            raise InputError(f"claim {self.id}: a {kind} claim is about quantity='regret', 'exploitability' or a Total")
        if self.trivial is None:
            raise InputError(f"claim {self.id}: a {kind} claim needs trivial=..., what any algorithm satisfies")
        if isinstance(self.kind, Growth) and self.shape is None:
            raise InputError(f"claim {self.id}: a Growth claim needs shape=..., the order with constant 1")

    @property
    def compares(self) -> bool:
        """Whether the claim compares runs: sizes with each other, or two learners; its controls do so too."""
        return isinstance(self.kind, (Growth, Dominates))

    @property
    def cumulative(self) -> bool:
        """Whether the quantity has a bound over n: regret, exploitability, or a `Total`."""
        return isinstance(self.quantity, Total) or bool(self.path)

    @property
    def path(self) -> str:
        """The column of a run's curves that the quantity is: "regret", "exploitability"; "" for another quantity."""
        return self.quantity if isinstance(self.quantity, str) and self.quantity in PATHS else ""

    @property
    def setting(self) -> str:
        """Setting of the learner; where two settings share its name, that of the claim's first instance."""
        from theorylab.registry import find_learner, specs_of

        specs = specs_of(self.learner)
        first = next((i for p in self.instances.values() for i in p), None)
        if len(specs) == 1 or first is None:
            return str(specs[0].setting)
        return str(find_learner(self.learner, first.build().setting).setting)

    def on(self, profile: str) -> tuple[Instance, ...]:
        """Instances of a profile; a profile that lists none uses those of the next smaller one."""
        order = ("quick", "standard", "full")
        if profile not in order:
            raise InputError(f"unknown profile '{profile}'; known: {', '.join(order)}")
        for name in reversed(order[: order.index(profile) + 1]):
            if name in self.instances:
                return tuple(self.instances[name])
        return ()
