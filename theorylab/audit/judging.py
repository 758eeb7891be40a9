"""`audit`: an agent on a known model, replicate by replicate, under every check that applies.

An invariant that fails once is REFUTED, else NO VIOLATION FOUND. A rate is decided against the agent's delta by the
e-process of `theorylab.decide`, refuted only beyond (number of rates)/alpha so that all of them together accuse a sound
agent with probability at most alpha = 0.001. Regret is the sum of gaps of the actions actually played. Replicates go on
until everything is decided or the budget ends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from theorylab.audit.agent import TRAITS, Maker, Setup, drives, failing, of_class, read
from theorylab.audit.checks import CHECKS, HELD, Check, Failure, Memory, scale_of, shaped
from theorylab.audit.own import Own, of_learner
from theorylab.audit.planning import PLANNING
from theorylab.audit.playing import PLAYING
from theorylab.audit.regression import REGRESSION
from theorylab.audit.regret import Result, judged, policy_gap, references
from theorylab.audit.sampling import SAMPLING, uniform_fault
from theorylab.audit.shadows import Shadow, shadows_of
from theorylab.audit.space import AuditEnv
from theorylab.audit.world import Moment, OutOfRange, Over, World, seed_of
from theorylab.decide import Levels, decide_rate
from theorylab.errors import InputError
from theorylab.learner import UNITS, Learner
from theorylab.model import Bandit
from theorylab.truth import embedded, sizes_at, truth_of

__all__ = ["FAILED", "Report", "audit", "play", "setup_of"]

FAILED = ("REFUTED", "INCONSISTENT")
LEAST = 8  # replicates before the audit may stop
EVERY = (*CHECKS, *PLANNING, *PLAYING, *REGRESSION, *SAMPLING)
DRAWS = 0.001  # probability that draws of the stated law are refuted, over all looks of an audit
SHADOWS = {
    "delta-matters": "with delta/1000 something exposed widens",
    "length-matters": "told another length, an agent with anytime = True does the same, with False another thing",
}


@dataclass
class Report:
    """The audit of one agent on one model."""

    agent: str
    model: str
    digest: str
    setting: str
    length: int
    unit: str
    seed: int
    replicates: int
    delta: float | None
    results: list[Result] = field(default_factory=list)
    numbers: dict[str, float] = field(default_factory=dict)
    replay: str = ""

    def __getitem__(self, name: str) -> Result:
        return next(r for r in self.results if r.name == name)

    @property
    def failed(self) -> list[str]:
        """Names of the checks that failed."""
        return [r.name for r in self.results if r.verdict in FAILED]

    @property
    def exit_code(self) -> int:
        """1 if a check failed, else 0."""
        return 1 if self.failed else 0

    def to_dict(self) -> dict[str, Any]:
        """Plain data for JSON: NaN and infinity become None."""
        out = asdict(self)
        out["failed"] = self.failed

        def plain(x: Any) -> Any:
            if isinstance(x, dict):
                return {k: plain(v) for k, v in x.items()}
            if isinstance(x, (list, tuple)):
                return [plain(v) for v in x]
            return None if isinstance(x, float) and not math.isfinite(x) else x

        plain_out: dict[str, Any] = plain(out)
        return plain_out


class Watch:
    """The checks of one replicate."""

    def __init__(self, name: str, traits: Mapping[str, Any], law: Any, reference: Any = None) -> None:
        self.name, self.traits, self.law, self.reference = name, traits, law, reference
        self.memory, self.failures, self.tested = Memory(), dict[str, Failure](), set[str]()
        self.seen: set[str] = set()
        self.policy_regret: float | None = None
        self.scale: Any = None
        self.like: Failure | None = None
        self.shadows: list[Shadow] = []

    def decide(self, m: Moment) -> None:
        """Every check at one decision."""
        m.read = {k: shaped(k, self.name, m.world, v) for k, v in m.read.items()}
        if self.scale is None:
            self.scale = scale_of(m.world, self.law)
            self.memory.traits = self.traits
        self.seen.update(m.read)
        for check in EVERY:
            if check.name in self.failures or not applies(check, m.world.setting, self.traits):
                continue
            if all(k in m.read for k in check.needs):
                found = check.test(m, self.memory, self.scale)
                if found is HELD:
                    self.tested.add(check.name)
                elif isinstance(found, Failure):
                    self.failures[check.name] = found
        if m.last:
            return
        if m.world.setting == "episodic" and m.stage == 0 and ("policy" in m.read or "Q" in m.read):
            self.policy_regret = (self.policy_regret or 0.0) + policy_gap(m)
        for shadow in self.shadows:
            shadow.look(m, self.scale)
        if self.reference is not None and self.like is None:
            self.compare(m)

    def compare(self, m: Moment) -> None:
        """The reference at the same decision, after the same past."""
        ref = self.reference
        if m.stage == 0 and (m.world.setting == "episodic" or m.t == 0):
            ref.begin_episode()
        action, theirs = ref.act(m.state, m.stage), ref.audit_read()
        for k in theirs.keys() & m.read.keys():
            x, y = np.broadcast_arrays(m.read[k], theirs[k]) if m.read[k].shape == theirs[k].shape else (None, None)
            if x is None or y is None:
                continue
            with np.errstate(invalid="ignore"):
                bad = ~((np.abs(x - y) <= self.scale.tol) | (x == y))
            if bad.any():
                at = tuple(int(i) for i in np.argwhere(bad)[0])
                text = f"{k}{list(at)} = {float(x[at]):.10g}, the reference's = {float(y[at]):.10g}"
                self.like = Failure(m.t, m.episode, m.stage, m.state, m.action, text, float(x[at]), float(y[at]))
                return
        if action != m.action:
            Q = theirs.get("Q")
            row = None if Q is None else Q if Q.ndim == 1 else Q[m.stage, m.state] if Q.ndim == 3 else Q[m.state]
            if row is not None and ref.greedy and row[m.action] >= row.max() - self.scale.tol:
                return  # a tie
            text = f"action {m.action}, the reference's = {action}"
            self.like = Failure(m.t, m.episode, m.stage, m.state, m.action, text, m.action, action)

    def outcome(self, state: int, action: int, reward: float, next_state: int, done: bool) -> None:
        """What the environment answered."""
        for shadow in self.shadows:
            shadow.agent.observe(state, action, reward, next_state, done)
        if self.reference is not None and self.like is None:
            self.reference.observe(state, action, reward, next_state, done)


def applies(check: Check, setting: str, traits: Mapping[str, Any]) -> bool:
    """Whether a check makes sense in the setting and the agent claims it."""
    return setting in check.settings and (not check.trait or bool(traits[check.trait]))


def setup_of(maker: Maker, model: Any, length: int, study: int, replicate: int, twin: bool = False) -> Setup:
    """What the agent of a replicate is made from; arrays that it is told are copies."""
    sizes, inner = sizes_at(model, length), embedded(model)
    known = {}
    for name in maker.knows:
        if name not in ("r", "P") or isinstance(inner, Bandit):
            raise InputError(f"agent '{maker}' knows '{name}'; known to an agent can be: r, P (of an MDP)")
        known[name] = np.array(inner.r if name == "r" else inner.dense())
    return Setup(
        inner.setting, sizes.get("S", 1), sizes["A"], sizes.get("H"), length, seed_of(study, replicate, twin), known,
        study, replicate, twin, model,
    )  # fmt: skip


def play(maker: Maker, setup: Setup, watch: Any = None) -> tuple[World, dict[str, Any], str]:
    """One replicate: the world after it, the agent's traits, and the action that was out of range, if one was."""
    agent = maker.build(setup)
    name = str(maker)
    traits = {k: getattr(agent, k, v) for k, v in TRAITS.items()}
    if watch is not None:
        watch.traits = traits
        if setup.replicate == 0:
            watch.shadows = shadows_of(maker, setup, traits)
    world = World(setup.model, setup.length, setup.study, setup.replicate, None if watch is None else watch.decide)
    reader = getattr(agent, "audit_read", None)

    def look() -> dict[str, np.ndarray]:
        if watch is None:
            return {}
        with failing(name, f"a read-out at step {world.t}"):
            return reader() if reader is not None else read(agent)

    def step(action: Any) -> tuple[int, float, bool]:
        state = world.state
        found = world.step(action, look())
        if watch is not None:
            watch.outcome(state, int(action), found[1], found[0], found[2])
        return found

    broken = ""
    try:
        if drives(agent, name):
            with failing(name, f"train, after {world.t} steps"):
                agent.train(AuditEnv(setup.S, setup.A, setup.H, world.reset, step), setup.length)
            if not world.over:
                raise InputError(
                    f"agent '{name}': train returned after {world.t} of {world.total} steps; play them all"
                )
        else:
            _drive(agent, name, world, step)
    except Over:
        pass
    except OutOfRange as wrong:
        broken = str(wrong)
    finally:
        if not broken and watch is not None and world.over:
            watch.decide(Moment(world, world.state, -1, look(), last=True))
        close = getattr(agent, "audit_close", None)
        if close is not None:
            close()
    return world, traits, broken


def _drive(agent: Any, name: str, world: World, step: Any) -> None:
    begin = getattr(agent, "begin_episode", None)
    while not world.over:
        state = world.reset()
        if begin is not None:
            with failing(name, f"begin_episode (episode {world.episode})"):
                begin()
        done = False
        while not done and not world.over:
            with failing(name, f"act (step {world.t}, state {state}, stage {world.stage})"):
                action = agent.act(state, world.stage)
            before = world.t
            after, reward, done = step(action)
            with failing(name, f"observe (step {before}, state {state}, action {action})"):
                agent.observe(state, action, reward, after, done)
            state = after


def audit(
    agent: Any,
    model: Any,
    *,
    length: int,
    seed: int = 0,
    delta: float | None = None,
    replicates: int = 64,
    burn_in: int | None = None,
    like: str | Learner | None = None,
    like_params: Mapping[str, Any] | None = None,
    replay: str = "",
) -> Report:
    """Audit an agent on a known model.

    Args:
        agent: a class or factory, its name "PACKAGE.MODULE:NAME", or a maker: `of_learner(...)`, `of_class(...)`.
        model: a bandit, or an MDP with a finite horizon or average reward. length: rounds, episodes or steps.
        delta: failure probability of the agent's optimism and radii; by default its attribute `delta`; without either
            these are not decided. replicates: budget. burn_in: rounds, episodes or steps from which its regret should
            grow slower than linearly; without it linear growth is reported and not held against it. like: a learner
            of the package that it should agree with, step by step, on the same observations, with `like_params`.

    Raises `InputError` for an agent that lacks a method or raises, a read-out of a wrong shape, and sizes below 1.
    """
    for what, value in (("length", length), ("replicates", replicates)):
        if isinstance(value, bool) or not isinstance(value, int) or value < 1:
            raise InputError(f"{what}={value!r} must be an integer >= 1")
    if delta is not None and not 0.0 < delta < 1.0:
        raise InputError(f"delta={delta} must lie strictly between 0 and 1")
    maker = agent if isinstance(agent, Maker) else of_learner(agent) if isinstance(agent, Learner) else of_class(agent)
    law, setting = embedded(model).reward_law, truth_of(model).setting
    reference = None
    if like is not None:
        reference = of_learner(like, setting, **dict(like_params or {}))
    watches: list[Watch] = []
    regrets: list[tuple[float, float, float | None]] = []
    broken = ""
    uniform, worst = references(model, length)
    traits: dict[str, Any] = dict(TRAITS)
    world: World | None = None
    for i in range(replicates):
        setup = setup_of(maker, model, length, seed, i)
        given = {k: v.copy() for k, v in setup.known.items()}
        watch = Watch(str(maker), TRAITS, law, reference.build(setup) if reference else None)
        world, traits, broken = play(maker, setup, watch)
        watches.append(watch)
        for k, v in given.items():
            if not np.array_equal(v, setup.known[k]):
                watch.failures["no-mutation"] = Failure(
                    0, 0, 0, 0, 0, f"the array {k} that it was handed has changed", 0, 0
                )
        if broken:
            break
        if i == 0:
            first = (setup, world)
        quarter = world.gaps[max(1, world.total // 4) - 1] if world.total >= 16 else float("nan")
        regrets.append((world.gap, float(quarter), watch.policy_regret))
        level = delta if delta is not None else traits["delta"]
        out = _results(watches, regrets, setting, traits, level, uniform, worst, length, burn_in, replicates)
        if i + 1 >= min(LEAST, replicates) and not any(r.verdict == "INCONCLUSIVE" for r in out):
            break
    level = delta if delta is not None else traits["delta"]
    results = [_range(world, broken, len(watches))] if broken else [_range(world, "", len(watches))]
    if not broken:
        results += out
        results += [_reproducible(maker, *first), _twin(maker, model, length, seed, traits, first[1])]
        results += [*_shadows(watches[0]), _mutation(maker, watches)]
    if reference is not None:
        results.append(_like(watches, reference, maker))
    numbers: dict[str, float] = {}
    if regrets:
        numbers = dict(regret=float(np.mean([x[0] for x in regrets])), uniform=uniform, worst=worst)
        exact = [x[2] for x in regrets if x[2] is not None]
        if exact:
            numbers["policy_regret"] = float(np.mean(exact))
    return Report(
        str(maker), str(model.name), embedded(model).digest, setting, length,
        UNITS[setting], seed, len(watches), level, results, numbers, replay or _replay(maker, seed, length, delta),
    )  # fmt: skip


def _replay(maker: Maker, seed: int, length: int, delta: float | None) -> str:
    what = f"of_learner({maker.name!r}, **{maker.params!r})" if isinstance(maker, Own) else repr(maker.name)
    return f"audit({what}, model, length={length}, seed={seed}, delta={delta})"


def _range(world: World | None, broken: str, n: int) -> Result:
    out = Result("range", "actions lie in 0..A-1", "invariant", "NO VIOLATION FOUND", n=n, tolerance=0.0)
    if broken and world is not None:
        first = Failure(
            world.t, world.episode, world.stage, world.state, -1, f"{broken}; actions are 0..{world.A - 1}",
            float("nan"), float(world.A - 1), n - 1,
        )  # fmt: skip
        out = replace(out, verdict="REFUTED", violations=1, first=first, note="nothing else was checked")
    return out


def _results(
    watches: list[Watch],
    regrets: list[tuple[float, float, float | None]],
    setting: str,
    traits: Mapping[str, Any],
    delta: float | None,
    uniform: float,
    worst: float,
    length: int,
    burn_in: int | None,
    budget: int,
) -> list[Result]:
    seen = set().union(*(w.seen for w in watches))
    use = [c for c in EVERY if setting in c.settings]
    rates = [c for c in use if c.kind == "rate" and set(c.needs) <= seen]
    out = []
    for c in use:
        n = len(watches)
        bad = [(i, w.failures[c.name]) for i, w in enumerate(watches) if c.name in w.failures]
        tested = bool(bad) or any(c.name in w.tested for w in watches)
        r = Result(c.name, c.words, c.kind, "", n=n, violations=len(bad), tolerance=watches[0].scale.tol)
        if bad:
            r.first = replace(bad[0][1], replicate=bad[0][0])
        missing = [k for k in c.needs if k not in seen]
        if missing:
            r.verdict, r.note = "NOT_APPLICABLE", f"the agent exposes no {', '.join(missing)}"
        elif c.trait and not traits[c.trait]:
            r.verdict = "NOT_APPLICABLE"
            r.note = f"the agent says {c.trait} = False" if TRAITS[c.trait] else f"the agent claims no {c.trait}"
        elif not c.needs and not seen:
            r.verdict, r.note = "NOT_APPLICABLE", "the agent exposes nothing"
        elif not tested:
            r.verdict = "VACUOUS"
            r.note = "never below what holds of any agent" if c.kind == "rate" else "there was no moment to test it at"
        elif c.kind == "draws":
            wrong = uniform_fault([w.memory.draws for w in watches], DRAWS / budget)
            r.verdict, r.note = ("REFUTED" if wrong else "NO VIOLATION FOUND"), wrong
        elif c.kind == "invariant":
            r.verdict = "REFUTED" if bad else "NO VIOLATION FOUND"
        elif delta is None:
            r.verdict, r.note = "NOT_APPLICABLE", "no delta: give --delta, or the agent an attribute delta"
        else:
            x = np.array([float(c.name in w.failures) for w in watches])
            d = decide_rate(x, delta, Levels(budget=len(x)), max(1, len(rates)))
            r.verdict, r.n, r.violations, r.interval = d.verdict, d.n, int(d.total), d.interval
            r.e_value = d.e_refute if d.verdict == "REFUTED" else d.e_support
        if c.name == "cap" and not bad and not missing:
            kept = [k for k in ("H - h", "H") if all(w.memory.caps[k] for w in watches)]
            r.note = r.note or f"keeps the cap {kept[0]}"
        if c.name == "value-of-Q" and tested and not bad:
            r.note = "V = " + watches[0].memory.forms[0]
        out.append(r)
    return [*out, *judged(regrets, traits, uniform, worst, length, burn_in)]


def _reproducible(maker: Maker, setup: Setup, world: World) -> Result:
    fresh = replace(setup, known={k: v.copy() for k, v in setup.known.items()})
    again, _, _ = play(maker, fresh)
    out = Result(
        "reproducible", "the same seed gives the same run", "invariant", "NO VIOLATION FOUND", n=1, tolerance=0.0
    )
    for t, (x, y) in enumerate(zip(world.path, again.path, strict=False)):
        if x != y:
            text = f"state {x[0]}, action {x[1]}; run again: state {y[0]}, action {y[1]}"
            first = Failure(t, t // world.H, t % world.H if world.H > 1 else 0, x[0], x[1], text, x[1], y[1])
            return replace(out, verdict="REFUTED", violations=1, first=first)
    return out


def _twin(maker: Maker, model: Any, length: int, seed: int, traits: Mapping[str, Any], world: World) -> Result:
    out = Result("seed-matters", "another seed gives another run", "invariant", "NOT_APPLICABLE", n=1, tolerance=0.0)
    if not traits["randomised"]:
        return replace(out, note="the agent does not say randomised = True")
    other, _, _ = play(maker, setup_of(maker, model, length, seed, 0, twin=True))
    if other.path != world.path:
        return replace(out, verdict="NO VIOLATION FOUND")
    first = Failure(world.t, 0, 0, 0, 0, "two seeds gave the same actions at every step", 0.0, 0.0)
    return replace(out, verdict="REFUTED", violations=1, first=first)


def _shadows(watch: Watch) -> list[Result]:
    out = []
    for name, words in SHADOWS.items():
        r = Result(name, words, "invariant", "NOT_APPLICABLE", "no such second agent can be made", 1)
        for shadow in watch.shadows:
            if shadow.name == name:
                r.verdict, r.note = "NO VIOLATION FOUND" if shadow.free else "VACUOUS", ""
                if shadow.failure is not None:
                    r.verdict, r.violations, r.first = "REFUTED", 1, shadow.failure
        out.append(r)
    return out


def _mutation(maker: Maker, watches: list[Watch]) -> Result:
    out = Result(
        "no-mutation", "arrays that it was handed are unchanged", "invariant", "NO VIOLATION FOUND", n=len(watches)
    )
    if not maker.knows:
        return replace(out, verdict="NOT_APPLICABLE", note="it was handed no array")
    bad = [(i, w.failures["no-mutation"]) for i, w in enumerate(watches) if "no-mutation" in w.failures]
    if bad:
        return replace(out, verdict="REFUTED", violations=len(bad), first=replace(bad[0][1], replicate=bad[0][0]))
    return out


def _like(watches: list[Watch], reference: Own, maker: Maker) -> Result:
    words = f"agrees with {reference.name} on the same observations: actions up to ties, and what both expose"
    bad = [(i, w.like) for i, w in enumerate(watches) if w.like is not None]
    out = Result("like", words, "invariant", "NO VIOLATION FOUND", n=len(watches), violations=len(bad))
    if watches[0].reference.randomised and not isinstance(maker, Own):
        return replace(out, verdict="NOT_APPLICABLE", note=f"{reference.name} is randomised; its draws are its own")
    if bad:
        i, failure = bad[0]
        assert failure is not None
        return replace(out, verdict="REFUTED", first=replace(failure, replicate=i))
    return out
