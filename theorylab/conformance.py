"""What every learner made of kernels must keep, checked on small models: for the tests, and for learners of others.

    python = cpu                the same bits: curves, final state, probes at every moment, a monitor, visits
    more replicates, batch split, threads, stop and resume, same seed      the same bits
    another seed                other bits (the models' rewards are random)
    refusals                    a model of another setting, unknown parameters, parameters that are not finite, delta
    state                       finite, and, in episodes, not written by `act`, whose answers lie in [0, A)
    shortest run                one round, episode or step, on the python target, where indices are checked

Models by default: Bernoulli rewards (3 arms; S=4, A=2, H=3 with stationary and with stage-dependent transitions;
RiverSwim with 4 states), and Gaussian rewards with rows of 34 successors (alias tables). A check that raises fails.
What every registered claim must have is looked at by `claim_conformance` (`theorylab.claim_conformance`).

    python -m theorylab.conformance LEARNER ... [--setting SETTING] [--target python|cpu|cuda] [--simulator]

prints the digests of all arrays at the end of small runs as JSON, so that runs of two processes can be compared:
`--simulator` runs the CUDA target in Numba's simulator, which must be switched on before Numba is imported.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import math
import os
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.claim_conformance import Outcome as Outcome
from theorylab.claim_conformance import claim_conformance as claim_conformance
from theorylab.errors import InputError
from theorylab.games.matrix import MatrixGame
from theorylab.kernel import kernel
from theorylab.learner import Learner, f8, i8
from theorylab.linear import LinearMDP, LinearMixtureMDP
from theorylab.linear_bandit import LinearBandit
from theorylab.model import BERNOULLI, AverageReward, Bandit, FiniteHorizon, RewardLaw, TabularMDP
from theorylab.probe import Monitor, Probe
from theorylab.simulation import Simulation

__all__ = [
    "LENGTHS", "conformance", "default_models", "digests", "models_for", "on_python",
    "small_run", "watched",
]  # fmt: skip

#: arrays that are no results: work space, and outcomes that some targets draw ahead
PRIVATE = ("scratch", "ahead", "ahead_r")
#: length of a run by setting: enough visits for a few epochs, short enough for the python target and the simulator
LENGTHS = {"bandit": 60, "episodic": 20, "average": 60, "game": 12}
REPLICATES, SEED = 5, 20_240_229


# Models


def _transitions(shape: tuple[int, ...], seed: int) -> NDArray[np.float64]:
    """Rows of full support with the seed's own numbers."""
    weights = np.random.Generator(np.random.Philox(seed)).integers(1, 9, size=shape).astype(float)
    rows: NDArray[np.float64] = weights / weights.sum(axis=-1, keepdims=True)
    return rows


def _mdp(setting: str, P: NDArray[np.float64], law: RewardLaw, name: str) -> TabularMDP:
    S, A = P.shape[-3], P.shape[-2]
    r = np.linspace(0.1, 0.9, S * A).reshape(S, A)
    mu0 = np.full(S, 1.0 / S)
    criterion = FiniteHorizon(3) if setting == "episodic" else AverageReward()
    return TabularMDP(P=P, r=r, mu0=mu0, criterion=criterion, reward_law=law, name=name)


def default_models(setting: str) -> list[Any]:
    """Small models of a setting; the first has Bernoulli rewards, the others add reward laws and alias sampling."""
    # the law of rewards and the way of sampling are constants of a build: each combination costs a compilation
    gaussian = RewardLaw("gaussian", sd=0.5)
    if setting == "bandit":
        return [
            Bandit(means=np.array([0.3, 0.5, 0.6]), reward_law=BERNOULLI, name="bernoulli"),
            Bandit(means=np.array([0.3, 0.5, 0.6]), reward_law=gaussian, name="gaussian"),
        ]
    if setting == "game":
        payoffs = _transitions((3, 2), 7) - _transitions((3, 2), 8)
        return [MatrixGame(payoffs, name="matrix").extensive()]
    wide = _mdp(setting, _transitions((34, 2, 34), 1), gaussian, "alias-gaussian")
    if setting == "episodic":
        return [
            _mdp(setting, _transitions((3, 4, 2, 4), 2), BERNOULLI, "stages"),
            _mdp(setting, _transitions((4, 2, 4), 3), BERNOULLI, "stationary"),
            wide,
        ]
    P = np.zeros((4, 2, 4))
    for s in range(4):
        P[s, 0, max(s - 1, 0)] = 1.0
        P[s, 1, max(s - 1, 0)] += 0.05 if s < 3 else 0.4
        P[s, 1, s] += 0.6
        P[s, 1, min(s + 1, 3)] += 0.35 if s < 3 else 0.0
    r = np.zeros((4, 2))
    r[0, 0], r[3, 1] = 0.1, 0.9
    return [TabularMDP(P=P, r=r, reward_law=BERNOULLI, name="riverswim"), wide]


def models_for(learner: Learner) -> list[Any]:
    """The default models of a learner's setting, or small linear ones where it is told features."""
    told = set(learner.knows)
    if "features" in told:
        features = np.array([[1.0, 0.0], [0.6, 0.8], [0.0, 1.0]])
        return [LinearBandit(features, np.array([0.3, 0.6]), reward_law=BERNOULLI, name="linear-bandit")]
    criterion = FiniteHorizon(3) if learner.setting == "episodic" else AverageReward()
    first, second = _transitions((2, 4), 4), _transitions((4, 2, 4), 5)
    if "phi" in told:
        weight = np.linspace(0.1, 0.9, 8).reshape(4, 2)
        phi = np.stack([weight, 1.0 - weight], axis=-1)
        return [LinearMDP(phi, first, np.array([0.2, 0.9]), np.full(4, 0.25), criterion, BERNOULLI, "linear-mdp")]
    if "transition_phi" in told:
        phi = np.stack([second, _transitions((4, 2, 4), 6)], axis=-1)
        r = np.linspace(0.1, 0.9, 8).reshape(4, 2)
        return [
            LinearMixtureMDP(phi, np.array([0.25, 0.75]), r, np.full(4, 0.25), criterion, BERNOULLI, "linear-mixture")
        ]
    models = default_models(learner.setting)
    return [m for m in models if not ("P" in told and m.stage_dependent)]


def example(learner: Learner, model: Any) -> dict[str, Any]:
    """Parameters to run a learner with on a small model: its own example, or the defaults; solvers begin at random."""
    if learner.setting == "game" and "random" in learner.params:
        return {"random": 1}
    return {} if learner.example is None else learner.example(model)


# Probes at every moment and a monitor: they read what the loop offers in every setting


@kernel
def _begin(p: Any, tr: Any) -> Any:
    tr.steps[0] = 0
    tr.largest[0] = -1.0


@kernel
def _observe(st: Any, p: Any, tr: Any, t: Any) -> Any:
    tr.steps[0] += 1
    if tr.r > tr.largest[0]:
        tr.largest[0] = tr.r


@kernel
def _at_step(st: Any, p: Any, tr: Any, t: Any) -> Any:
    return tr.regret / tr.steps[0] + tr.r - tr.largest[0] * 0.5


@kernel
def _at_moment(st: Any, p: Any, tr: Any, t: Any) -> Any:
    return tr.regret - 0.3 * t


@kernel
def _after(st: Any, p: Any, tr: Any, t: Any) -> Any:
    tr.steps[0] += 1


@kernel
def _of_game(st: Any, p: Any, tr: Any, t: Any) -> Any:
    return tr.exploitability - tr.value * tr.policy[1] + tr.steps[0]


def watched(setting: str) -> dict[str, Any]:
    """Probes at every moment of a setting, and a monitor, as arguments of `Simulation`."""
    if setting == "game":
        probes = [Probe(at, _of_game, at, tol=0.5) for at in ("step", "end")]
        return dict(probes=probes, monitor=Monitor(dict(steps=i8[1]), None, _after))
    moments = {"bandit": ("end",), "episodic": ("plan", "episode", "end"), "average": ("plan", "end")}[setting]
    probes = [Probe("step", _at_step, "step", tol=0.5)] + [Probe(at, _at_moment, at) for at in moments]
    return dict(probes=probes, monitor=Monitor(dict(steps=i8[1], largest=f8[1]), _begin, _observe))


# Comparison


def arrays(simulation: Simulation) -> dict[str, NDArray[Any]]:
    """The results of a simulation by name: `state.Q`, `observed.visits`."""
    return {f"state.{k}": v for k, v in simulation.state.items()} | {
        f"observed.{k}": v for k, v in simulation.observed.items() if k not in PRIVATE
    }


def digests(simulation: Simulation) -> dict[str, str]:
    """sha256 of every array, one NaN for all; equal digests mean equal bits."""

    def one(x: NDArray[Any]) -> str:
        if x.dtype.kind == "f":
            x = np.where(np.isnan(x), np.nan, x)
        return hashlib.sha256(f"{x.dtype.str}{x.shape}".encode() + np.ascontiguousarray(x).tobytes()).hexdigest()

    return {k: one(v) for k, v in arrays(simulation).items()}


def _differing(a: Simulation, b: Simulation, rows_a: slice = slice(None), rows_b: slice = slice(None)) -> list[str]:
    """Names of the arrays that differ in any bit on these replicates; NaN equals NaN."""
    out = []
    for (name, x), y in zip(arrays(a).items(), arrays(b).values(), strict=True):
        x, y = x[rows_a], y[rows_b]
        if x.dtype.kind == "f":
            x, y = np.where(np.isnan(x), np.nan, x), np.where(np.isnan(y), np.nan, y)
        if x.shape != y.shape or np.ascontiguousarray(x).tobytes() != np.ascontiguousarray(y).tobytes():
            out.append(name)
    return out


class _Failed(Exception):
    """A check does not hold; the text says what was found."""


def _require(ok: bool, detail: str) -> None:
    if not ok:
        raise _Failed(detail)


def _same(a: Simulation, b: Simulation, what: str, *rows: slice) -> None:
    names = _differing(a, b, *rows)
    _require(not names, f"{what}: {', '.join(names)} differ")


class _Checks:
    """The checks of one learner on one model."""

    def __init__(self, learner: Learner, model: Any, length: int | None, target: str = "cpu") -> None:
        self.learner, self.model, self.length = learner, model, length or LENGTHS[learner.setting]
        self.target = target

    def simulation(self, **options: Any) -> Simulation:
        settings: dict[str, Any] = dict(replicates=REPLICATES, length=self.length, seed=SEED, threads=1)
        settings["target"] = self.target
        settings["params"] = example(self.learner, self.model)
        return Simulation(self.learner, self.model, **{**watched(self.learner.setting), **settings, **options})

    def run(self, **options: Any) -> Simulation:
        return self.simulation(**options).advance()

    def targets(self) -> None:
        """python = cpu"""
        _same(self.run(target="python"), self.run(), "python and cpu")

    def same_seed(self) -> None:
        """same seed"""
        _same(self.run(), self.run(), "two runs of one seed")

    def other_seed(self) -> None:
        """another seed"""
        changed = _differing(self.run(), self.run(seed=SEED + 1))
        _require("observed.curve" in changed, "two seeds give the same curves")

    def replicates(self) -> None:
        """more replicates"""
        small = self.run()
        _same(small, self.run(replicates=REPLICATES + 4), "more replicates", slice(None), slice(0, REPLICATES))
        curve = small.observed["curve"]
        _require(bool((curve != curve[:1]).any()), "all replicates have the same curves")

    def split(self) -> None:
        """batch split"""
        whole = self.run()
        for cut in (1, 3):
            _same(
                self.run(first=cut, replicates=REPLICATES - cut), whole, f"first={cut}", slice(None), slice(cut, None)
            )

    def threads(self) -> None:
        """threads"""
        one = self.run()
        for threads in (2, 3):
            _same(one, self.run(threads=threads), f"{threads} threads")

    def resume(self) -> None:
        """stop and resume"""
        whole = self.run()
        for stop in sorted({1, self.length // 3, self.length // 2, self.length - 1} - {0, self.length}):
            saved = self.simulation().advance(stop).save()
            _same(whole, self.simulation().restore(saved).advance(), f"resumed at {stop}")
        saved = b""
        for stop, target in ((1, "cpu"), (self.length // 2, "python"), (self.length, "cpu")):
            part = self.simulation(target=target)
            part = (part.restore(saved) if saved else part).advance(max(stop, part.done))
            saved = part.save()
        _same(whole, part, "resumed on other targets")
        pieces = self.simulation()
        for stop in range(0, self.length, max(1, self.length // 7)):
            pieces.advance(stop)
        _same(whole, pieces.advance(), "advanced piece by piece")

    def visits(self) -> None:
        """visits"""
        done = self.run()
        if "visits" not in done.observed:
            return
        steps = self.length * done.sizes.get("H", 1)
        counted = done.observed["visits"].reshape(REPLICATES, -1).sum(axis=1)
        _require(bool((counted == steps).all()), f"visits sum to {counted.tolist()}, steps are {steps}")

    def lanes(self) -> None:
        """side by side"""
        alone = self.run(probes=(), monitor=None, replicates=7)
        for lanes in (1, 3):
            other = self.run(probes=(), monitor=None, replicates=7, lanes=lanes)
            for name, curve in alone.curves().data.items():
                _require(bool((curve == other.curves()[name]).all()), f"{lanes} lanes: {name} differs")
            final = other.curves().final
            changed = [k for k, v in alone.curves().final.items() if v.tobytes() != final[k].tobytes()]
            _require(not changed, f"{lanes} lanes: {', '.join(changed)} differ")

    def finite(self) -> None:
        """state finite"""
        bad = [k for k, v in self.run().state.items() if v.dtype.kind == "f" and not np.isfinite(v).all()]
        _require(not bad, f"not finite: {', '.join(bad)}")

    def shortest(self) -> None:
        """shortest run"""
        self.run(target="python", length=1, replicates=2)

    def act(self) -> None:
        """act"""
        sim = self.simulation(target="python", replicates=2)
        call = self.learner.act.build("python")
        p, rngs = _records(sim)
        for stop in (1, self.length // 2, self.length):
            sim.advance(max(stop, sim.done))
            before = digests(sim)
            for i, rng in enumerate(rngs):
                st = sim.bind["VIEW"].build("python")(tuple(sim.state.values()), i)
                for h in range(sim.sizes["H"]):
                    for s in range(sim.sizes["S"]):
                        k = min(sim.done, self.length - 1)
                        a, again = call(st, p, k, h, s, rng), call(st, p, k, h, s, rng)
                        _require(a == again, f"two answers at (k={k}, h={h}, s={s}): {a} and {again}")
                        _require(0 <= a < sim.sizes["A"], f"action {a} at (k={k}, h={h}, s={s}) is out of range")
            after = digests(sim)
            changed = [k for k in before if before[k] != after[k]]
            _require(not changed, f"act writes {', '.join(changed)}")


def _records(sim: Simulation) -> tuple[Any, list[Any]]:
    from theorylab.rng import Rng

    p = sim.bind["PARAMS"].build("python")(tuple(sim.params.values()))
    k0, k1 = (int(x) for x in sim.key)
    return p, [Rng(k0, k1, sim.first + i) for i in range(sim.replicates)]


def _refused(action: Callable[[], Any], what: str) -> None:
    try:
        action()
    except InputError:
        return
    raise _Failed(f"{what} was accepted")


def _refusals(learner: Learner) -> list[Outcome]:
    own = models_for(learner)[0]

    def make(model: Any = own, **params: Any) -> Simulation:
        return Simulation(
            learner, model, replicates=1, length=2, params={**example(learner, own), **params}, target="python"
        )

    def settings() -> None:
        """refuses other settings"""
        for other in LENGTHS:
            if other != learner.setting:
                _refused(partial(make, default_models(other)[0]), f"a model of the setting {other}")

    def parameters() -> None:
        """refuses bad parameters"""
        bad: list[tuple[str, Any]] = [("no_such_parameter", 1.0)]
        bad += [(name, value) for name in learner.params for value in (math.nan, math.inf, "1", True)]
        bad += [("delta", value) for value in (0.0, 1.0) if "delta" in learner.params]
        for name, value in bad:
            _refused(partial(make, **{name: value}), f"{name}={value!r}")

    return [_outcome("", check) for check in (settings, parameters)]


def _outcome(prefix: str, check: Callable[[], None]) -> Outcome:
    name = prefix + (check.__doc__ or check.__name__)
    try:
        check()
    except _Failed as found:
        return Outcome(name, False, str(found))
    except Exception as error:  # a learner of someone else's may raise anything
        return Outcome(name, False, f"{type(error).__name__}: {error}")
    return Outcome(name, True)


def conformance(learner: Learner, model: Any = None, length: int | None = None) -> list[Outcome]:
    """All checks of a learner, on `model` or on the default models of its setting.

    The first model has every check, the further ones compare targets, visits and the state; each reward law and each
    way of sampling next states is a build of its own, of a few seconds. `length`: episodes, steps or rounds.
    """
    out = _refusals(learner)
    for i, m in enumerate(models_for(learner) if model is None else [model]):
        c = _Checks(learner, m, length)
        checks = [c.targets, c.visits, c.finite]
        if i == 0:
            checks += [c.same_seed, c.other_seed, c.replicates, c.split, c.threads, c.resume, c.shortest]
            checks += {"episodic": [c.act], "game": [c.lanes]}.get(learner.setting, [])
        out += [_outcome(f"{m.name or 'model'}: ", check) for check in checks]
    return out


def on_python(learner: Learner) -> list[Outcome]:
    """The checks that need no compilation, on the python target and the first model: for faults made by machine."""
    c = _Checks(learner, models_for(learner)[0], None, "python")
    checks = [c.visits, c.finite, c.other_seed, c.replicates, c.split, c.shortest]
    return [_outcome("", check) for check in checks + ([c.act] if learner.setting == "episodic" else [])]


def small_run(learner: Learner, *, target: str, replicates: int = 4, length: int = 5) -> Simulation:
    """The run that the command line digests: the first default model, probes at every moment, a monitor."""
    model = models_for(learner)[0]
    options: dict[str, Any] = dict(replicates=replicates, length=length, seed=SEED, target=target, threads=1)
    return Simulation(learner, model, params=example(learner, model), **options, **watched(learner.setting)).advance()


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line of this module."""
    parser = argparse.ArgumentParser(prog="python -m theorylab.conformance", description="Digests of small runs.")
    parser.add_argument("learner", nargs="+")
    parser.add_argument("--setting", choices=sorted(LENGTHS))
    parser.add_argument("--target", choices=("python", "cpu", "cuda"), default="cpu")
    parser.add_argument("--simulator", action="store_true", help="the CUDA target in Numba's simulator")
    parser.add_argument("--replicates", type=int, default=4)
    parser.add_argument("--length", type=int, default=5)
    given = parser.parse_args(arguments)
    if given.simulator:
        if "numba" in sys.modules:
            parser.error("--simulator must come before Numba is imported: start a process of its own")
        os.environ["NUMBA_ENABLE_CUDASIM"] = "1"
    from theorylab.registry import find_learner, iter_specs

    wanted = {find_learner(name, given.setting).name for name in given.learner}
    target = "cuda" if given.simulator else given.target
    out = []
    for learner in iter_specs("learners"):
        if learner.name in wanted and given.setting in (None, learner.setting):
            run = small_run(learner, target=target, replicates=given.replicates, length=given.length)
            out.append(dict(learner=learner.name, setting=learner.setting, target=target, arrays=digests(run)))
    sys.stdout.write(json.dumps(out, indent=1) + "\n")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
