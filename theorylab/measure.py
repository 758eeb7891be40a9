"""From claims to numbers per replicate: one simulation measures every claim on one learner and one instance.

A claim on regret or exploitability, or on a `Total`, which is read once at the end, becomes two probes: `regret -
bound(n)` (excess over the bound at every n) and `regret / shape(n)` (whose maximum over all n is the smallest constant
that would have done on that path). Bounds enter as tables over n, rounded up by a few units in the last place plus n
times the certified error of the planned values, for regret by `ROUNDING` times the largest regret that sums of n rounds
could have, for exploitability by `ROUNDING` times the range of payoffs: in the theorem's favour. A claim with a probe
of its own brings its tables and its monitor. All claims of a group share one build.
"""

from __future__ import annotations

import re
import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cache, partial
from typing import Any

import numpy as np

from theorylab.claim import Claim, Context, Instance, Total
from theorylab.compiler import Kernel, generated
from theorylab.errors import InputError, naming
from theorylab.games.layout import as_tree
from theorylab.learner import Learner
from theorylab.probe import Monitor, Probe
from theorylab.simulation import Curves, Simulation
from theorylab.truth import known_to, sizes_at, truth_of

__all__ = ["Group", "Sample", "context_of", "finals", "round_up"]


#: what sums of n rewards may be off by, in units of their largest value
ROUNDING = 1e-9


@dataclass
class Sample:
    """What a claim's probes gave on consecutive replicates: arrays of shape (n,)."""

    excess: np.ndarray
    first: np.ndarray
    count: np.ndarray
    ratio: np.ndarray
    value: np.ndarray

    @property
    def violated(self) -> np.ndarray:
        """1.0 where the inequality failed at least once, else 0.0."""
        return (self.count > 0).astype(float)


def round_up(values: np.ndarray) -> np.ndarray:
    """Values moved up by four units in the last place: rounding may not decide against a theorem."""
    out = np.array(values, dtype=float)
    for _ in range(4):
        out = np.nextafter(out, np.inf)
    return out


def context_of(learner: Learner, model: Any, length: int, params: dict[str, Any]) -> Context:
    """The context of a bound on one instance at one length; bounds may be asked beyond the length that is run."""
    sizes = sizes_at(model, length)
    return Context(model, sizes, learner.parameters(params, sizes, known_to(learner, model)), truth_of(model))


def slug(claim: Claim) -> str:
    """The claim's id as a Python name."""
    return re.sub(r"\W", "_", claim.id)


# equal checks in a process share the objects below, and with them what was compiled for them


@cache
def _compared(name: str, source: str, value: Kernel | None) -> Kernel:
    return generated(name, source, **({} if value is None else {"VALUE": value}))


@cache
def _probe(name: str, value: Kernel, at: str, tol: float) -> Probe:
    return Probe(name, value, at, tol)


@dataclass
class Group:
    """Claims that share a learner and an instance, with their probes, tables and monitor.

    Attributes:
        claims: of scope "run". learner: the spec that is run (faithful or mutant). instance: model and length.
        params: the learner's parameters. model: built once. context: exact constants. reference: the learner that the
            claims are about, where a mutant is run in its place: bounds depend on the reference's parameters.
    """

    claims: Sequence[Claim]
    learner: Learner
    instance: Instance
    model: Any
    params: dict[str, Any] = field(default_factory=dict)
    reference: Learner | None = None

    def __post_init__(self) -> None:
        about = self.reference or self.learner
        strange = {k: v for k, v in self.params.items() if k not in about.settable}
        unknown = {k: v for k, v in strange.items() if k not in self.learner.settable}
        if unknown:  # what neither has is refused
            self.learner.parameters(unknown, {})
        self.about = (about, {k: v for k, v in self.params.items() if k in about.settable})
        self.params = {k: v for k, v in self.params.items() if k in self.learner.settable}
        self.context = self.at(self.instance.length)
        self.code = ""
        self.probes: list[Probe] = []
        self.tables: dict[str, Any] = {}
        self.slots: dict[str, tuple[str, str | None]] = {}
        monitors = {id(c.monitor): c.monitor for c in self.claims if c.monitor is not None}
        if len(monitors) > 1:
            raise InputError("claims measured together must share one monitor; give the paper's claims the same one")
        self.monitor: Monitor | None = next(iter(monitors.values()), None)
        for claim in self.claims:
            self._add(claim)
        self.exact = any(c.quantity == "regret" for c in self.claims)

    def at(self, length: int) -> Context:
        """What bounds depend on at another length."""
        return context_of(self.about[0], self.model, length, self.about[1])

    def _add(self, claim: Claim) -> None:
        own = "exploitability" if self.learner.setting == "game" else "regret"
        if claim.path not in ("", own):
            raise InputError(
                f"claim {claim.id}: runs of learner '{self.learner.name}' have no {claim.path}; give quantity='{own}'"
            )
        if claim.tables is not None:
            with naming(f"claim {claim.id}: tables", "return a dict of names and arrays"):
                self.tables.update(claim.tables(self.context))
        if claim.constant is not None:
            claim.constant(self.context)  # a spoilt one is refused, however few replicates are run
        if isinstance(claim.quantity, Probe):
            self.slots[claim.id] = (claim.quantity.name, None)
            self.probes.append(claim.quantity)
            return
        n, name = np.arange(self.instance.length + 1, dtype=float), slug(claim)
        at, measured, place = "episode" if self.learner.setting == "episodic" else "step", f"tr.{claim.path}", "t + 1"
        value: Kernel | None = None
        if isinstance(claim.quantity, Total):
            at, measured, place, value = "end", "VALUE(st, p, tr, t)", "t", claim.quantity.value
            self.probes.append(_probe(f"{claim.id}:value", claim.quantity.value, "end", float("inf")))
        shape = claim.shape or claim.bound
        assert shape is not None
        if claim.bound is None:
            bound = np.full(n.shape, np.inf)
        else:
            given = claim.bound(self.context, n)
            self._check_bound(claim, given)
            bound = round_up(given + self.allowance(claim, n))
        self.tables[f"bound_{name}"] = bound
        ones = shape(self.context, n)
        if not (np.isfinite(ones[-1]) and ones[-1] > 0.0) and claim.shape is not None:
            raise InputError(f"claim {claim.id}: shape is {ones[-1]} at n={n[-1]:g}; it must be positive and finite")
        # where a shape is 0, as log n at n = 1, no constant could do: that length says nothing of the best one
        speaks = (ones > 0.0) | (claim.shape is None)
        self.tables[f"shape_{name}"] = np.where(speaks, round_up(ones), 0.0)
        for what, expression in (
            ("excess", f"{measured} - tr.bound_{name}[{place}]"),
            ("ratio", f"{measured} / tr.shape_{name}[{place}] if tr.shape_{name}[{place}] > 0.0 else 0.0"),
        ):
            source = f"def {what}_{name}(st, p, tr, t):\n    return {expression}\n"
            tol = 0.0 if what == "excess" else float("inf")
            self.probes.append(_probe(f"{claim.id}:{what}", _compared(f"{what}_{name}", source, value), at, tol))
        self.slots[claim.id] = (f"{claim.id}:excess", f"{claim.id}:ratio")

    def _check_bound(self, claim: Claim, bound: np.ndarray) -> None:
        """Refuse what cannot be meant: no finite bound at the end of the run, or one on regret below 0."""
        low = -np.inf if isinstance(claim.quantity, Total) else 0.0
        bad = np.flatnonzero((bound < low) | (bound == -np.inf))
        bad = bad[bad >= 1]
        if bad.size:
            raise InputError(f"claim {claim.id}: bound is {bound[bad[0]]:g} at n={bad[0]}; mend the formula")
        if bound[-1] == np.inf:
            raise InputError(
                f"claim {claim.id}: bound is infinite at the final length n={len(bound) - 1} and claims nothing; "
                "mend the formula, or give a length where it holds"
            )

    def allowance(self, claim: Claim, n: np.ndarray) -> np.ndarray:
        """What rounding and certified errors may add up to in n rounds, episodes or steps.

        Of a `Total` the certified error alone; of exploitability, which is computed anew each time, no more with n.
        """
        if claim.path == "exploitability":
            low, high = as_tree(self.model).payoff_range
            return np.full(n.shape, ROUNDING * (high - low))
        rounding = 0.0
        if claim.path == "regret":
            law = self.model.reward_law
            rounding = ROUNDING * (law.high - law.low) * getattr(self.context, "H", 1)
        return np.asarray((self.context.error + rounding) * n)

    def simulation(self, first: int, replicates: int, *, seed: int, target: str, points: int = 60) -> Simulation:
        """The simulation of a block of replicates."""
        from theorylab.simulation import geometric

        simulation = Measured(
            self,
            self.learner,
            self.model,
            replicates=replicates,
            length=self.instance.length,
            seed=seed,
            params=self.params,
            target=target,
            first=first,
            checkpoints=geometric(self.instance.length, points),
            probes=self.probes,
            monitor=self.monitor,
            tables=self.tables,
            exact=self.exact,
        )
        self.code = self.code or simulation.statement()
        return simulation

    def sample(self, claim: Claim, curves: Curves) -> Sample:
        """The numbers of one claim from a run's curves."""
        main, ratio = self.slots[claim.id]
        result = curves.probes[main]
        if isinstance(claim.quantity, Total):
            final = curves.probes[f"{claim.id}:value"].max
        else:
            final = curves.main[:, -1]
        ratios = curves.probes[ratio].max if ratio else np.full(final.shape, np.nan)
        return Sample(result.max, result.first, result.count, ratios, final)


class Measured(Simulation):
    """A simulation whose errors name the claim, where the learner is the one that the claims are about.

    What a planted fault raises is left as it is: that is for the control to judge.
    """

    def __init__(self, group: Group, *args: Any, **more: Any) -> None:
        self.group = group
        self._named(partial(super().__init__, *args, **more))

    def advance(self, to: int | None = None) -> Simulation:
        """As `Simulation.advance`. Raises InputError that names the claim and its probe for what these raise."""
        self._named(partial(super().advance, to))
        return self

    def _named(self, act: Callable[[], Any]) -> None:
        try:
            act()
        except InputError:
            raise
        except Exception as wrong:
            if self.group.reference not in (None, self.group.learner):
                raise
            with naming(self._whose(wrong), "mend it"):
                raise

    def _whose(self, wrong: BaseException) -> str:
        """The probe or monitor that a traceback passes through; the run as a whole where it names none."""
        codes = [frame.f_code for frame, _ in traceback.walk_tb(wrong.__traceback__)]
        for claim in self.group.claims:
            if isinstance(claim.quantity, (Probe, Total)) and claim.quantity.value.f.__code__ in codes:
                return f"claim {claim.id}: its probe '{claim.quantity.name}'"
            for part in ("begin", "observe"):
                kernel = getattr(claim.monitor, part, None)
                if kernel is not None and kernel.f.__code__ in codes:
                    return f"claim {claim.id}: `{part}` of its monitor"
        names = ", ".join(c.id for c in self.group.claims)
        return f"the run of learner '{self.group.learner.name}' that measures {names}"


def finals(
    claim: Claim, learner: Learner, model: Any, context: Context | None = None, **options: Any
) -> tuple[Simulation, Callable[[], np.ndarray]]:
    """A simulation for a claim that compares, and what reads its curve (R, checkpoints) or `Total` (R, 1) at the end.

    `options` are those of `Simulation`. A Total brings its claim's monitor and, of `context`, its tables.
    """
    if not isinstance(claim.quantity, Total):
        simulation = Simulation(learner, model, **options)
        return simulation, lambda: simulation.advance().curves().main
    tables = {} if claim.tables is None or context is None else claim.tables(context)
    probe = _probe(f"{claim.id}:value", claim.quantity.value, "end", float("inf"))
    last = dict(checkpoints=[options["length"]], probes=[probe], monitor=claim.monitor, tables=tables)
    simulation = Simulation(learner, model, **{**options, **last})
    return simulation, lambda: simulation.advance().curves().probes[probe.name].max[:, None]


def join(parts: Sequence[Sample]) -> Sample:
    """Samples of consecutive blocks as one."""
    return Sample(*(np.concatenate([getattr(s, f) for s in parts]) for f in Sample.__dataclass_fields__))
