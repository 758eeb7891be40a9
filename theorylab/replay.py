"""`replay`: one replicate of one claim again, step by step, up to the first inequality that fails.

    replay(find_claim("auer2002.optimism")[0], learner=mutant, replicate=3)

The replicate runs on the compiled target to find where, goes back to just before, and continues on the python target,
whose bits are the same: there the step, the counts, the learner's own entries and both sides of the inequality are at
hand. Where nothing fails, it stops where the inequality is closest to failing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from theorylab.claim import Claim, Instance
from theorylab.compiler import Kernel
from theorylab.errors import InputError
from theorylab.learner import UNITS, Field, Learner
from theorylab.measure import Group
from theorylab.probe import UNTESTED, Probe
from theorylab.records import MOVING
from theorylab.sides import Sides, sides_of
from theorylab.simulation import Simulation

__all__ = ["Replay", "Step", "replay"]

PIECES = 32
#: one evaluation of a probe: its function, the arguments, the value
Asked = tuple[Any, tuple[Any, ...], float]
#: letters of a state field's shape -> the variable of the loop that indexes it
INDEX = {"A": "a", "S": "s", "H": "h", "H+1": "h"}


@dataclass(frozen=True)
class Step:
    """One step: its number from 0, what moved (h, s, a, r, s2), visits of its site with this one, regret after it.

    An iteration of a solver of games: its number, and its policy's exploitability and values; the rest is None.
    """

    t: int
    moved: dict[str, float]
    visits: int | None
    regret: float | None


@dataclass(frozen=True)
class Replay:
    """Where one replicate stopped, and why.

    Attributes:
        claim, text: of the claim. learner, model, params, unit, length, replicate, seed: what was run.
        violated: whether the inequality failed (else: where it came closest). at: moment of the probe ("step", "plan",
            "episode", "end"); t: its index there, as in `InstanceEvidence.first`.
        value: lhs - rhs (nan is a violation); tol: the largest value that holds. sides: the two, where the probe's text
            has them as a difference. premise: False where the inequality was never asked.
        steps: the last steps before the stop, oldest first. state: entries of the learner's state at the last step.
        failures, largest: evaluations that fail in the whole replicate, and the largest value of all.
    """

    claim: str
    text: str
    learner: str
    model: str
    params: dict[str, Any]
    unit: str
    length: int
    replicate: int
    seed: int
    violated: bool
    at: str
    t: int
    value: float
    tol: float
    sides: Sides | None
    premise: bool
    steps: tuple[Step, ...]
    state: dict[str, float]
    failures: int
    largest: float

    def as_dict(self) -> dict[str, Any]:
        """As plain dictionaries and lists."""
        return asdict(self)


class _Stop(BaseException):
    """Raised inside the python loop where the replay ends; no error, so that nothing on the way takes it for one."""


class _Watched(Kernel):
    """A kernel whose plain Python form is `around(function, arguments)`, which calls the function for its value."""

    def __init__(self, inner: Kernel, around: Any) -> None:
        super().__init__(inner.f, inner.source)
        self.inner, self.around = inner, around

    def build(self, target: str, **bind: Any) -> Any:
        function = self.inner.build(target, **bind)
        return lambda *arguments: self.around(function, arguments)


def replay(
    claim: Claim,
    instance: Instance | None = None,
    *,
    replicate: int = 0,
    seed: int = 0,
    learner: Learner | None = None,
    params: Mapping[str, Any] | None = None,
    back: int = 5,
) -> Replay:
    """Run one replicate of a claim again, up to the first step where its inequality fails, or comes closest.

    Args:
        claim: of scope "run", with an inequality (not a comparison of means). instance: default, its first.
        replicate, seed: the address. learner: run instead of the claim's own. params: overrides. back: steps shown.
    Raises:
        InputError: for a claim without an inequality along runs, an instance that does not meet its assumptions,
            a negative `back`.
    """
    from theorylab.check import broken, missing
    from theorylab.registry import find_learner

    if claim.scope != "run" or claim.compares:
        sort = "compares means" if claim.compares else "is a lemma"
        raise InputError(
            f"claim {claim.id} {sort} and has no inequality along one run; its evidence has the line that repeats it"
        )
    if isinstance(back, bool) or not isinstance(back, int) or back < 1:
        raise InputError(f"back={back!r} must be an integer >= 1")
    if instance is None:
        instance = next(i for p in ("quick", "standard", "full") for i in claim.instances.get(p, ()))
    model = instance.build()
    wrong = broken(claim, model)
    if wrong:
        raise InputError(f"claim {claim.id} does not apply to {model.name}: {wrong[0]}")
    faithful = find_learner(claim.learner, model.setting)
    spec = learner or faithful
    lacking = missing(claim, spec, faithful)
    if lacking:
        raise InputError(f"claim {claim.id}: {lacking[0]}; replay a learner that keeps it")
    group = Group([claim], spec, instance, model, {**instance.learner, **(params or {})}, faithful)
    main, ratio = group.slots[claim.id]
    slot = main if claim.bound is not None or ratio is None else ratio
    which = [q.name for q in group.probes].index(slot)
    with np.errstate(all="ignore"):  # what a probe makes of a division by zero is its value, as in the compiled run
        return _Player(claim, group, group.probes[which], which, replicate, seed, back).play()


@dataclass
class _Player:
    claim: Claim
    group: Group
    probe: Probe
    which: int
    replicate: int
    seed: int
    back: int

    def simulation(self, target: str) -> Simulation:
        return self.group.simulation(self.replicate, 1, seed=self.seed, target=target)

    def play(self) -> Replay:
        whole = self.simulation("cpu").advance()
        first, failures = (int(whole.observed[f][0, self.which]) for f in ("pfirst", "pcount"))
        largest = float(whole.observed["pmax"][0, self.which])
        stages = whole.sizes["H"] if whole.learner.setting == "episodic" and self.probe.at == "step" else 1
        unit = first // stages if failures else self._closest(largest)
        if self.probe.at == "end":
            unit = whole.length - 1
        start = max(0, unit - (self.back + stages - 1) // stages)
        resumed = self.simulation("python").restore(self.simulation("cpu").advance(start).save())
        stopped, steps = self._listen(resumed, failures > 0, largest)
        function, arguments, value = stopped
        ratio = self.claim.bound is None and self.claim.cumulative
        sides = None if ratio else sides_of(self.probe.value, function, arguments, value)
        last = steps[-1] if steps else Step(0, {}, 0, 0.0)
        return Replay(
            claim=self.claim.id, text=self.claim.text, learner=whole.learner.name, model=whole.model.name,
            params={k: v for k, v in whole.params.items() if k in whole.learner.settable},
            unit=UNITS[whole.learner.setting], length=whole.length, replicate=self.replicate, seed=self.seed,
            violated=failures > 0, at=self.probe.at, t=int(arguments[3]), value=value, tol=float(self.probe.tol),
            sides=sides, premise=value > UNTESTED or value != value, steps=tuple(steps),
            state=_entries(resumed, last.moved), failures=failures, largest=largest,
        )  # fmt: skip

    def _closest(self, largest: float) -> int:
        """The round, episode or step in which the running maximum reaches its final value, by narrowing intervals."""
        low, high = 0, self.group.instance.length
        saved = self.simulation("cpu").save()
        while high - low > 1:
            step = max(1, (high - low) // PIECES)
            at = self.simulation("cpu").restore(saved)
            for cut in range(low + step, high + step, step):
                before, done = at.save(), at.done
                at.advance(min(cut, high))
                if at.observed["pmax"][0, self.which] >= largest:
                    saved, low, high = before, done, at.done
                    break
            else:
                return high - 1  # never measured, or only at the end
        return low

    def _listen(self, at: Simulation, fails: bool, largest: float) -> tuple[Asked, list[Step]]:
        """Go on until the probe fails (or reaches its largest value): the evaluation that did, and the steps before."""
        steps: list[Step] = []
        names = MOVING[at.learner.setting]
        seen: list[Asked] = []

        def probe(function: Any, arguments: tuple[Any, ...]) -> float:
            value = float(function(*arguments))
            seen[:] = [(function, arguments, value)]
            if (not value <= self.probe.tol) if fails else value >= largest:
                raise _Stop
            return value

        def noted(one: Step, function: Any, arguments: tuple[Any, ...]) -> Any:
            steps.append(one)
            del steps[: -self.back]
            return function(*arguments)

        def step(function: Any, arguments: tuple[Any, ...]) -> Any:
            # noted before the probes of its moment, which may end the run
            t, moving = int(arguments[4]), dict(zip(names, arguments[5:], strict=True))
            if at.learner.setting == "game":
                return noted(Step(t, {k: float(v) for k, v in moving.items()}, None, None), function, arguments)
            regret = float(moving.pop("regret"))
            moving.pop("gap_regret", None)
            site = tuple(int(moving[k]) for k in ("h", "s", "a") if k in moving)
            moved = {k: float(v) if k == "r" else int(v) for k, v in moving.items()}
            return noted(Step(t, moved, int(at.observed["visits"][(0, *site)]), regret), function, arguments)

        place = f"PROBE_{self.probe.at.upper()}"
        watched = _Watched(at.bind[place].f.__globals__[f"VALUE_{self.which}"], probe)
        at.bind[place] = at.bind[place].replace(**{f"VALUE_{self.which}": watched})
        at.bind["PROBE_STEP"] = _Watched(at.bind["PROBE_STEP"], step)
        try:
            at.advance()
        except _Stop:
            pass
        if not seen:
            raise InputError(f"claim {self.claim.id}: its probe is never asked in replicate {self.replicate}")
        return seen[-1], steps


def _entries(at: Simulation, moved: Mapping[str, float]) -> dict[str, float]:
    """The learner's numbers at the last step: scalars, and the entry of each table at its stage, state and action."""
    out: dict[str, float] = {}
    for name, field_ in at.learner.state.items():
        index = _index(field_, moved)
        if index is not None:
            label = name if not index or field_.shape == (1,) else f"{name}[{', '.join(str(i) for i in index)}]"
            out[label] = float(at.state[name][(0, *index)])
    return out


def _index(of: Field, moved: Mapping[str, float]) -> tuple[int, ...] | None:
    if of.shape in ((), (1,)):
        return (0,) * len(of.shape)
    letters = [INDEX.get(str(e)) for e in of.shape]
    if any(v is None or v not in moved for v in letters) or len(set(letters)) < len(letters):
        return None
    return tuple(int(moved[str(v)]) for v in letters)
