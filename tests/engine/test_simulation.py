"""Simulations: checkpoints, regret against exact values, the environment's counters, errors, save and restore."""

from __future__ import annotations

import dataclasses
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from theorylab.conformance import default_models
from theorylab.errors import InputError, ShardError
from theorylab.kernel import kernel
from theorylab.learner import Learner, f8, i8
from theorylab.loops import next_alias
from theorylab.model import DETERMINISTIC, Bandit, FiniteHorizon
from theorylab.plan import evaluate, plan
from theorylab.probe import Monitor
from theorylab.registry import find_learner
from theorylab.rng import INITIAL, Rng, draw
from theorylab.run import run
from theorylab.simulation import Simulation, geometric
from theorylab.truth import alias_table, truth_of

EPISODIC, AVERAGE, BANDIT = (default_models(s)[0] for s in ("episodic", "average", "bandit"))


def make(name: str, model: Any, length: int, **options: Any) -> Simulation:
    learner = find_learner(name, model.setting)
    return Simulation(learner, model, **{**dict(replicates=2, length=length, target="python"), **options})


# Checkpoints


@pytest.mark.parametrize("length", [1, 2, 3, 199, 200, 1000, 10**6])
def test_geometric_checkpoints(length: int) -> None:
    grid = geometric(length)
    assert grid.dtype == np.int64
    assert grid[0] == 1 and grid[-1] == length and grid.size <= 200
    assert (np.diff(grid) > 0).all()
    if length >= 1000:
        late = grid[grid > 200]
        ratios = late[1:] / late[:-1]
        assert ratios.max() / ratios.min() < 1.03


def test_geometric_checkpoints_hold_all_short_counts() -> None:
    assert geometric(30).tolist() == list(range(1, 31))


@pytest.mark.parametrize("checkpoints", [[], [0, 3], [2, 2], [3, 2], [1, 11], [[1, 2]]])
def test_checkpoints_that_do_not_fit_are_refused(checkpoints: Any) -> None:
    with pytest.raises(InputError, match=r"checkpoints must be increasing integers in 1..10"):
        make("uniform", BANDIT, 10, checkpoints=checkpoints)


@pytest.mark.parametrize("model", [BANDIT, EPISODIC, AVERAGE], ids=["bandit", "episodic", "average"])
def test_sparse_checkpoints_are_columns_of_dense_ones(model: Any) -> None:
    dense = make("uniform", model, 12, checkpoints=range(1, 13)).advance().curves()
    sparse = make("uniform", model, 12, checkpoints=[2, 3, 11]).advance(3).advance(5).advance().curves()
    assert sparse.checkpoints.tolist() == [2, 3, 11]
    for quantity in dense.data:
        assert sparse[quantity].tolist() == dense[quantity][:, [1, 2, 10]].tolist()


@pytest.mark.parametrize("model", [BANDIT, EPISODIC, AVERAGE], ids=["bandit", "episodic", "average"])
def test_curves_before_the_end_have_the_columns_reached(model: Any) -> None:
    simulation = make("uniform", model, 10, checkpoints=[2, 4, 6, 10])
    assert simulation.curves().checkpoints.size == 0 and simulation.curves()["reward"].shape == (2, 0)
    early = simulation.advance(5).curves()
    assert early.checkpoints.tolist() == [2, 4]
    end = simulation.advance().curves()
    assert end.checkpoints.tolist() == [2, 4, 6, 10]
    for quantity in end.data:
        assert np.isfinite(end[quantity]).all()
        assert early[quantity].tolist() == end[quantity][:, :2].tolist()


# Regret


def test_regret_and_gap_regret_have_the_mean_of_exact_evaluation() -> None:
    """Uniform play, 1,500 episodes of one stage-dependent model; five standard errors on either side."""
    model = dataclasses.replace(EPISODIC, mu0=np.array([0.1, 0.2, 0.3, 0.4]))
    exact = evaluate(model, np.full((model.H, model.S, model.A), 1.0 / model.A))
    expected = float(model.mu0 @ (plan(model).V[0] - exact.V[0]))
    curves = run("uniform", model, replicates=1500, episodes=1, seed=11, target="python", checkpoints=[1])
    assert expected > 0.05
    for quantity in ("regret", "gap_regret"):
        x = curves[quantity][:, 0]
        error = x.std(ddof=1) / np.sqrt(x.size)
        assert 0 < error < 0.1 * expected
        assert abs(x.mean() - expected) < 5 * error
    assert not np.array_equal(curves["regret"], curves["gap_regret"])


def test_without_exact_evaluation_there_is_no_regret() -> None:
    exact = run("uniform", EPISODIC, replicates=3, episodes=5, target="python")
    cheap = run("uniform", EPISODIC, replicates=3, episodes=5, target="python", exact=False)
    assert exact["gap_regret"].tolist() == cheap["gap_regret"].tolist()
    with pytest.raises(InputError, match="no quantity 'regret' was recorded; nearest: gap_regret"):
        cheap["regret"]


@kernel
def begin(st: Any, p: Any) -> Any:
    st.x[0] = 0.0


@kernel
def act_best(st: Any, p: Any, k: Any, h: Any, s: Any, rng: Any) -> Any:
    return p.best


@kernel
def learn_episodic(st: Any, p: Any, k: Any, h: Any, s: Any, a: Any, r: Any, s2: Any) -> Any:
    st.x[0] += r


def test_a_fixed_policy_has_the_regret_of_its_exact_value() -> None:
    for best in (0, 1):
        fixed = Learner(
            name="fixed",
            setting="episodic",
            begin=begin,
            act=act_best,
            learn=learn_episodic,
            params=dict(best=best),
            state=dict(x=f8[1]),
        )
        pi = np.full((EPISODIC.H, EPISODIC.S), best)
        value = evaluate(EPISODIC, pi).V[0]
        gap = plan(EPISODIC).V[0] - value
        curves = run(fixed, EPISODIC, replicates=2, episodes=4, target="python", checkpoints=[1, 2, 3, 4])
        # the theorem's regret is at the first state of each episode, which the address of the draw tells
        first = [[draw(Rng(0, 0, i), k, 0, INITIAL)[0] for k in range(4)] for i in range(2)]
        starts = np.searchsorted(np.cumsum(EPISODIC.mu0), first, side="right")
        assert curves["regret"] == pytest.approx(np.cumsum(gap[starts], axis=1), abs=1e-12)


def test_average_reward_regret_is_gain_less_rewards() -> None:
    curves = run("ucrl2", AVERAGE, replicates=2, steps=50, target="python", checkpoints=range(1, 51))
    gain = plan(AVERAGE).gain
    assert curves["regret"] == pytest.approx(curves.checkpoints * gain - curves["reward"], abs=1e-9)
    assert set(np.diff(curves["reward"]).ravel()) <= {0.0, 1.0}


def test_bandit_regret_is_the_sum_of_gaps() -> None:
    simulation = make("ucb1", BANDIT, 40).advance()
    plays = simulation.observed["visits"]
    assert simulation.curves()["regret"][:, -1] == pytest.approx(plays @ BANDIT.gaps)
    assert simulation.curves()["gap_regret"].tolist() == simulation.curves()["regret"].tolist()
    assert plays.tolist() == simulation.state["N"].tolist()


# The environment


@pytest.mark.parametrize("model", [BANDIT, EPISODIC, AVERAGE], ids=["bandit", "episodic", "average"])
def test_visits_sum_to_the_steps(model: Any) -> None:
    simulation = make("uniform", model, 15)
    for done in (4, 15):
        simulation.advance(done)
        steps = done * (3 if model is EPISODIC else 1)
        assert simulation.observed["visits"].reshape(2, -1).sum(axis=1).tolist() == [steps, steps]
    if model is EPISODIC:
        assert (simulation.observed["visits"].sum(axis=(2, 3)) == 15).all()


@kernel
def observe(st: Any, p: Any, tr: Any, t: Any) -> Any:
    tr.rewards[tr.a, tr.visits[tr.a] - 1] = tr.r + 1.0


def test_learners_share_the_outcome_of_a_visit() -> None:
    """The n-th play of an arm pays the same whoever plays it, and when."""
    monitor = Monitor(dict(rewards=f8["A", "T"]), None, observe)
    logs = [make(name, BANDIT, 60, monitor=monitor).advance().observed["rewards"] for name in ("ucb1", "uniform")]
    both = (logs[0] > 0) & (logs[1] > 0)
    assert both.sum() > 40
    assert (logs[0][both] == logs[1][both]).all()
    assert set(logs[0][both]) == {1.0, 2.0}


def test_alias_tables_hold_the_rows_they_are_made_from() -> None:
    generator = np.random.Generator(np.random.Philox(3))
    prob = generator.random((20, 37)) ** 4
    prob[:, 5] = 0.0
    prob[0] = np.eye(37)[7]
    prob /= prob.sum(axis=1, keepdims=True)
    threshold, alias = alias_table(prob)
    held = threshold.copy()
    for i in range(20):
        np.add.at(held[i], alias[i], 1.0 - threshold[i])
    assert held / 37 == pytest.approx(prob, abs=1e-15)
    assert (threshold[prob == 0] == 0).all()


@pytest.mark.parametrize("width", [33, 34, 63, 64, 65, 1000, 12345])
def test_the_largest_draw_stays_in_the_table(width: int) -> None:
    row = np.arange(width)[None, :]
    tables = SimpleNamespace(width=width, cum=np.ones((1, width)), alias=row, succ=row)
    assert next_alias(tables, 0, 1.0 - 2.0**-53) == width - 1
    assert next_alias(tables, 0, 0.0) == 0


def test_wide_models_are_sampled_by_their_law() -> None:
    """34 successors on a lattice of draws, which has the law of a uniform draw up to 1/6000 on any interval."""
    model = next(m for m in default_models("average") if m.name.startswith("alias"))
    truth = truth_of(model)
    assert truth.alias
    u = (np.arange(6000) + 0.5) / 6000
    tables = SimpleNamespace(**truth.tables)
    counts = np.bincount([next_alias(tables, 3, x) for x in u], minlength=34)
    assert np.abs(counts / 6000 - model.P[1, 1]).max() < 2 * 34 / 6000


# Errors


@kernel
def act_bandit_out(st: Any, p: Any, t: Any, rng: Any) -> Any:
    return -1 if t == 3 else 0


@kernel
def learn_bandit(st: Any, p: Any, t: Any, a: Any, r: Any) -> Any:
    st.x[0] = r


@kernel
def act_episodic_out(st: Any, p: Any, k: Any, h: Any, s: Any, rng: Any) -> Any:
    return p.A if k == 2 and h == 1 else 0


@kernel
def act_average_out(st: Any, p: Any, t: Any, s: Any, rng: Any) -> Any:
    return p.A if t == 4 else 0


@kernel
def learn_average(st: Any, p: Any, t: Any, s: Any, a: Any, r: Any, s2: Any) -> Any:
    st.x[0] = r


@pytest.mark.parametrize(
    ("model", "act", "learn", "where"),
    [
        (BANDIT, act_bandit_out, learn_bandit, "replicate 5, round 3: the action is outside 0..2"),
        (EPISODIC, act_episodic_out, learn_episodic, "replicate 5, episode 2: the action is outside 0..1"),
        (AVERAGE, act_average_out, learn_average, "replicate 5, step 4: the action is outside 0..1"),
    ],
    ids=["bandit", "episodic", "average"],
)
def test_actions_out_of_range_are_named(model: Any, act: Any, learn: Any, where: str) -> None:
    odd = Learner(name="odd", setting=model.setting, begin=begin, act=act, learn=learn, state=dict(x=f8[1]))
    simulation = Simulation(odd, model, replicates=2, length=8, target="python", first=5, exact=False)
    with pytest.raises(InputError, match=re.escape(f"learner 'odd', {where}; correct its `act` kernel")):
        simulation.advance()


def test_a_plan_that_fails_is_named() -> None:
    simulation = make("ucrl2", AVERAGE, 8, params=dict(max_sweeps=0))
    with pytest.raises(InputError, match=r"learner 'ucrl2', replicate 0, step 0: planning did not converge"):
        simulation.advance()


@kernel
def plan_until(st: Any, p: Any, k: Any, rng: Any) -> Any:
    return k < 2


@kernel
def watch_always(st: Any, p: Any, k: Any, h: Any, s: Any, a: Any, r: Any, s2: Any) -> Any:
    return True


def test_a_plan_that_fails_in_an_episode_is_named() -> None:
    odd = Learner(
        name="odd",
        setting="episodic",
        begin=begin,
        act=act_best,
        watch=watch_always,
        plan=plan_until,
        params=dict(best=0),
        state=dict(x=f8[1]),
    )
    with pytest.raises(InputError, match=r"learner 'odd', replicate 0, episode 2: planning did not converge"):
        Simulation(odd, EPISODIC, replicates=1, length=8, target="python").advance()


@pytest.mark.parametrize(
    ("name", "value"),
    [("replicates", 0), ("replicates", 1.5), ("replicates", True), ("length", 0), ("first", -1)],
)
def test_sizes_that_do_not_fit_are_refused(name: str, value: Any) -> None:
    options: dict[str, Any] = {**dict(replicates=1, length=2, first=0), name: value}
    with pytest.raises(InputError, match=rf"{name}={value!r} must be an integer >= "):
        Simulation(find_learner("ucb1"), BANDIT, **options)


def test_advance_goes_forward_only() -> None:
    simulation = make("ucb1", BANDIT, 10).advance(6)
    assert simulation.advance(6) is simulation and simulation.done == 6
    for to in (5, 11):
        with pytest.raises(InputError, match=rf"advance\(to={to}\): 6 are done and the length is 10"):
            simulation.advance(to)


def test_state_shapes_may_use_sums_and_products_of_letters() -> None:
    wide = Learner(
        name="wide",
        setting="bandit",
        begin=begin,
        act=act_bandit_out,
        learn=learn_bandit,
        state=dict(x=f8["A+1", "2*A+3"], y=i8["T"]),
    )
    simulation = Simulation(wide, BANDIT, replicates=2, length=3, target="python")
    assert {k: v.shape for k, v in simulation.state.items()} == {"x": (2, 4, 9), "y": (2, 3)}
    bad = dataclasses.replace(wide, state=dict(x=f8["S"]))
    with pytest.raises(InputError, match=r"uses 'S', which is no size of this setting"):
        Simulation(bad, BANDIT, replicates=2, length=3)


# Saving


def test_what_was_saved_goes_on() -> None:
    whole = make("ucb-h", EPISODIC, 9).advance()
    saved = make("ucb-h", EPISODIC, 9).advance(4).save()
    other = make("ucb-h", EPISODIC, 9).restore(saved)
    assert other.done == 4
    other.advance()
    assert other.curves()["regret"].tobytes() == whole.curves()["regret"].tobytes()
    assert other.state["Q"].tobytes() == whole.state["Q"].tobytes()


@pytest.mark.parametrize(
    "change",
    [
        dict(seed=1),
        dict(first=1),
        dict(length=10),
        dict(params=dict(c=1.0)),
        dict(model=dataclasses.replace(EPISODIC, reward_law=default_models("episodic")[-1].reward_law)),
        dict(model=dataclasses.replace(EPISODIC, P=np.ascontiguousarray(EPISODIC.P[::-1]))),
        dict(checkpoints=[3, 9]),
        dict(monitor=Monitor(dict(rewards=f8["A", "T"]), None, observe)),
    ],
    ids=["seed", "first", "length", "params", "reward law", "P", "checkpoints", "monitor"],
)
def test_another_run_is_not_restored(change: dict[str, Any]) -> None:
    saved = make("ucb-h", EPISODIC, 9).advance(4).save()
    options = {**dict(model=EPISODIC, length=9), **change}
    other = make("ucb-h", options.pop("model"), options.pop("length"), **options)
    with pytest.raises(ShardError, match="belongs to another run"):
        other.restore(saved)
    assert other.done == 0


def test_damaged_bytes_are_not_restored() -> None:
    saved = make("ucb1", BANDIT, 9).advance(4).save()
    for bad in (b"", saved[: len(saved) // 2], b"not a file"):
        with pytest.raises(ShardError, match=r"the saved state cannot be read"):
            make("ucb1", BANDIT, 9).restore(bad)


def test_the_digest_does_not_depend_on_the_block_of_replicates() -> None:
    assert make("ucb1", BANDIT, 9, first=3, replicates=7).digest() == make("ucb1", BANDIT, 9).digest()
    still = Bandit(means=BANDIT.means, reward_law=DETERMINISTIC)
    assert make("ucb1", still, 9).digest() != make("ucb1", BANDIT, 9).digest()
    shorter = dataclasses.replace(default_models("episodic")[1], criterion=FiniteHorizon(2))
    assert make("uniform", shorter, 9).digest() != make("uniform", default_models("episodic")[1], 9).digest()
