"""Probes and monitors: evaluated at every step, in the stated order, with the stated account of violations."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from theorylab.conformance import default_models
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.learner import Learner, f8, i8
from theorylab.model import DETERMINISTIC, AverageReward, Bandit, FiniteHorizon, TabularMDP
from theorylab.probe import Monitor, Probe
from theorylab.registry import find_learner
from theorylab.run import run
from theorylab.simulation import Curves, Simulation

NAN = math.nan


@kernel
def begin(st: Any, p: Any) -> Any:
    st.seen[0] = 0


@kernel
def act_in_turn(st: Any, p: Any, t: Any, rng: Any) -> Any:
    return t % p.A


@kernel
def learn(st: Any, p: Any, t: Any, a: Any, r: Any) -> Any:
    st.seen[0] += 1


TURNS = Learner(name="turns", setting="bandit", begin=begin, act=act_in_turn, learn=learn, state=dict(seen=i8[1]))
BANDIT = Bandit(means=np.array([0.25, 0.75]), reward_law=DETERMINISTIC, name="pair")


@kernel
def scripted(st: Any, p: Any, tr: Any, t: Any) -> Any:
    return tr.script[t]


@kernel
def one(st: Any, p: Any, tr: Any, t: Any) -> Any:
    return 1.0


@kernel
def counted(st: Any, p: Any, tr: Any, t: Any) -> Any:
    """Zero when the learner has learnt from this step and the environment has counted it."""
    return abs(st.seen[0] - (t + 1)) + abs(tr.visits[0] + tr.visits[1] - (t + 1)) * 1.0


@kernel
def own_regret(st: Any, p: Any, tr: Any, t: Any) -> Any:
    """Zero when the regret includes this step: arms in turn, gap one half on even rounds."""
    return abs(tr.regret - 0.5 * ((t + 2) // 2)) + abs(tr.r - tr.mean[tr.a]) + abs(tr.gap[tr.a] - 0.5 * (1 - tr.a))


def turns(script: list[float], **options: Any) -> Curves:
    given: dict[str, Any] = dict(probes=[Probe("script", scripted, "step")], tables=dict(script=np.array(script)))
    return run(TURNS, BANDIT, rounds=len(script), target="python", **{**given, **options})


def test_the_maximum_is_kept_at_every_step() -> None:
    script = [-3.0, -1.0, -0.25, -2.0, -5.0, -5.0]
    probe = turns(script, checkpoints=[1, 6]).probes["script"]
    assert (probe.max.tolist(), probe.first.tolist(), probe.count.tolist()) == ([-0.25], [-1], [0])


def test_violations_are_counted_and_the_first_is_kept() -> None:
    probe = turns([-1.0, 0.0, 0.5, -1.0, 0.75, 0.25], checkpoints=[6]).probes["script"]
    assert (probe.max.tolist(), probe.first.tolist(), probe.count.tolist()) == ([0.75], [2], [3])


def test_a_value_at_the_tolerance_holds() -> None:
    script = [0.5, 0.5000001, 0.5]
    probe = turns(script, probes=[Probe("script", scripted, "step", tol=0.5)]).probes["script"]
    assert (probe.first.tolist(), probe.count.tolist()) == ([1], [1])


@pytest.mark.parametrize("script", [[NAN, -1.0, 2.0], [-1.0, NAN, 2.0], [2.0, -1.0, NAN]])
def test_nan_is_a_violation_and_stays(script: list[float]) -> None:
    probe = turns(script).probes["script"]
    assert math.isnan(probe.max[0])
    assert probe.count[0] == 2
    assert probe.first[0] == min(i for i, v in enumerate(script) if not v <= 0)


def test_probes_keep_their_own_slots() -> None:
    probes = [Probe("a", scripted, "step"), Probe("b", one, "end"), Probe("c", scripted, "step", tol=10.0)]
    found = turns([1.0, 3.0, 2.0], probes=probes).probes
    assert [found[k].max[0] for k in "abc"] == [3.0, 1.0, 3.0]
    assert [found[k].count[0] for k in "abc"] == [3, 1, 0]
    assert [found[k].first[0] for k in "abc"] == [0, 3, -1]


def test_a_step_is_probed_after_it_was_learnt_and_counted() -> None:
    probes = [Probe("counted", counted, "step"), Probe("regret", own_regret, "step")]
    found = turns([0.0] * 9, probes=probes).probes
    assert [found[k].count[0] for k in ("counted", "regret")] == [0, 0]


def test_probes_go_on_where_a_run_stopped() -> None:
    script = [0.0, 2.0, -1.0, 1.0, 5.0, -2.0]
    options: dict[str, Any] = dict(
        replicates=2,
        length=6,
        target="python",
        probes=[Probe("script", scripted, "step")],
        tables=dict(script=np.array(script)),
    )
    whole = Simulation(TURNS, BANDIT, **options).advance().curves().probes["script"]
    parts = Simulation(TURNS, BANDIT, **options).advance(1).advance(3)
    assert parts.curves().probes["script"].max.tolist() == [2.0, 2.0]
    end = parts.advance().curves().probes["script"]
    assert whole.max.tolist() == end.max.tolist() == [5.0, 5.0]
    assert whole.first.tolist() == end.first.tolist() == [1, 1]
    assert whole.count.tolist() == end.count.tolist() == [3, 3]


# Monitors


@kernel
def memory_begin(p: Any, tr: Any) -> Any:
    tr.started[0] += 1
    tr.steps[0] = 100
    tr.total[0] = tr.mean[0]


@kernel
def memory_observe(st: Any, p: Any, tr: Any, t: Any) -> Any:
    tr.steps[0] += 1
    tr.total[0] += tr.r


@kernel
def memory_value(st: Any, p: Any, tr: Any, t: Any) -> Any:
    """Zero when the monitor was begun once, and has observed this step already."""
    return abs(tr.steps[0] - (101 + t)) + abs(tr.started[0] - 1) * 1.0


MONITOR = Monitor(dict(steps=i8[1], started=i8[1], total=f8["A"]), memory_begin, memory_observe)


def test_a_monitor_begins_once_and_observes_before_the_probes() -> None:
    simulation = Simulation(
        TURNS,
        BANDIT,
        replicates=2,
        length=7,
        target="python",
        probes=[Probe("memory", memory_value, "step")],
        monitor=MONITOR,
    )
    simulation.advance(3).advance()
    assert simulation.curves().probes["memory"].count.tolist() == [0, 0]
    assert simulation.observed["steps"].tolist() == [[107], [107]]
    assert simulation.observed["started"].tolist() == [[1], [1]]
    # 0.25 from the start, then arms in turn: four times 0.25, three times 0.75
    assert simulation.observed["total"].tolist() == [[3.5, 0.0], [3.5, 0.0]]


def test_a_monitor_without_probes_observes() -> None:
    simulation = Simulation(TURNS, BANDIT, replicates=1, length=4, target="python", monitor=MONITOR).advance()
    assert simulation.observed["steps"].tolist() == [[104]]


# Moments in the other settings


def moments(setting: str) -> list[Probe]:
    return [Probe(at, one, at) for at in ("step", "plan", "episode", "end")]


def test_moments_of_episodes() -> None:
    found = run("ucb-h", default_models("episodic")[0], episodes=4, target="python", probes=moments("episodic")).probes
    assert {k: int(v.count[0]) for k, v in found.items()} == {"step": 12, "plan": 0, "episode": 4, "end": 1}
    assert {k: int(v.first[0]) for k, v in found.items()} == {"step": 0, "plan": -1, "episode": 0, "end": 4}


def test_moments_of_epochs() -> None:
    simulation = Simulation(
        find_learner("ucrl2"),
        default_models("average")[0],
        replicates=1,
        length=40,
        target="python",
        probes=moments("average"),
    ).advance()
    found = simulation.curves().probes
    plans = int(simulation.observed["cur"][0, 2])
    assert plans > 2
    assert {k: int(v.count[0]) for k, v in found.items()} == {"step": 40, "plan": plans, "episode": 0, "end": 1}


CYCLE = np.zeros((3, 1, 3))
CYCLE[np.arange(3), 0, (np.arange(3) + 1) % 3] = 1.0


@kernel
def act_zero_episodic(st: Any, p: Any, k: Any, h: Any, s: Any, rng: Any) -> Any:
    return 0


@kernel
def learn_episodic(st: Any, p: Any, k: Any, h: Any, s: Any, a: Any, r: Any, s2: Any) -> Any:
    st.seen[0] += 1


@kernel
def act_zero_average(st: Any, p: Any, t: Any, s: Any, rng: Any) -> Any:
    return 0


@kernel
def learn_average(st: Any, p: Any, t: Any, s: Any, a: Any, r: Any, s2: Any) -> Any:
    st.seen[0] += 1


@kernel
def cycle_episodic(st: Any, p: Any, tr: Any, t: Any) -> Any:
    """Zero along 0 1 2 0 ..., five stages an episode, every episode from state 0."""
    wrong = abs(tr.h - t % 5) + abs(tr.s - tr.h % 3) + abs(tr.s2 - (tr.h + 1) % 3) + abs(tr.a)
    return wrong + abs(tr.r - tr.r_mean[tr.s]) + abs(tr.gap_regret) + abs(tr.regret)


@kernel
def cycle_average(st: Any, p: Any, tr: Any, t: Any) -> Any:
    wrong = abs(tr.s - t % 3) + abs(tr.s2 - (t + 1) % 3) + abs(tr.a)
    return wrong + abs(tr.r - tr.r_mean[tr.s]) + abs(tr.gap_regret)


@kernel
def cycle_regret(st: Any, p: Any, tr: Any, t: Any) -> Any:
    """The rewards 0, 0.3, 0.6 have gain 0.3: regret 0.3, 0.3, 0 along the cycle."""
    return abs(tr.regret - 0.3 * (t % 3 < 2)) - 1e-12


def cycle(criterion: Any) -> TabularMDP:
    return TabularMDP(P=CYCLE, r=np.array([[0.0], [0.3], [0.6]]), criterion=criterion, name="cycle")


def test_a_step_in_an_episode() -> None:
    still = Learner(
        name="still",
        setting="episodic",
        begin=begin,
        act=act_zero_episodic,
        learn=learn_episodic,
        state=dict(seen=i8[1]),
    )
    probes = [Probe("path", cycle_episodic, "step")]
    curves = run(still, cycle(FiniteHorizon(5)), episodes=3, target="python", probes=probes)
    assert curves.probes["path"].max.tolist() == [0.0]
    assert curves.final["seen"].tolist() == [[15]]
    assert curves["reward"][0, -1] == pytest.approx(3 * (0.3 + 0.6 + 0.3))


def test_a_step_of_a_continuing_trajectory() -> None:
    still = Learner(
        name="still", setting="average", begin=begin, act=act_zero_average, learn=learn_average, state=dict(seen=i8[1])
    )
    probes = [Probe("path", cycle_average, "step", tol=1e-12), Probe("regret", cycle_regret, "step")]
    curves = run(still, cycle(AverageReward()), steps=14, target="python", probes=probes)
    assert [curves.probes[k].count[0] for k in ("path", "regret")] == [0, 0]


# Refusals


def test_unknown_moments_are_refused() -> None:
    with pytest.raises(ValueError, match="at='round' is none of step, plan, episode, end"):
        Probe("p", one, "round")


@pytest.mark.parametrize("name", ["index", "count"])
def test_fields_named_like_methods_of_tuples_are_refused(name: str) -> None:
    """Numba takes `st.index` for the method of the record's tuple."""
    odd = Learner(name="odd", setting="bandit", begin=begin, act=act_in_turn, learn=learn, state={name: f8[1]})
    with pytest.raises(InputError, match=f"'{name}'"):
        run(odd, BANDIT, rounds=1, target="python")


@kernel
def buried(st, p, tr, t):  # type: ignore[no-untyped-def]
    """NaN in the midst of a running maximum, through a helper."""
    worst = -1.0
    for a in range(3):
        worst = max(worst, helper(a))
    return min(worst, 5.0)


@kernel
def helper(a):  # type: ignore[no-untyped-def]
    """-1, NaN, -2."""
    if a == 1:
        return NOT_A_NUMBER
    return max(-1.0 - a, -9.0)


NOT_A_NUMBER = float("nan")


@pytest.mark.parametrize("target", ["python", "cpu"])
def test_a_probe_does_not_lose_a_nan(target: str) -> None:
    simulation = Simulation(
        find_learner("ucb1"), BANDIT, replicates=2, length=5, target=target, probes=[Probe("buried", buried)]
    )
    found = simulation.advance().curves().probes["buried"]
    assert found.count.tolist() == [5, 5] and np.isnan(found.max).all()


def test_memory_named_like_a_field_of_the_loop_is_refused() -> None:
    with pytest.raises(InputError, match="may not be called 'ahead'"):
        Simulation(find_learner("ucb1"), BANDIT, replicates=1, length=2, monitor=Monitor({"ahead": f8[1]}))
