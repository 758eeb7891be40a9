"""`gosprl-sparse` against `gosprl`: the same bits, on compiled code and step by step; planted faults as controls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mdps.learners import gosprl_sparse
from mdps.models.corridor import family as corridor
from mdps.models.garnet import family as garnet
from mdps.models.gridworld import family as gridworld
from mdps.models.noisy_riverswim import family as noisy_riverswim
from mdps.models.riverswim import family as riverswim
from mdps.models.star import family as star
from mdps.models.wheel import family as wheel
from proofs_check.mutants import gosprl_sparse as faults
from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.run import run
from theorylab.simulation import Simulation

SAME = ("N", "U", "need", "goal", "finished", "pi", "v", "v_next", "sweeps", "attempts", "arrivals", "t_k")
STATES_ALONE = {"b_states": [0, 3, 0, 9], "alpha": 0.1}
BOTH = {"b": [[2, 0]] * 4, "b_states": [0, 3, 0, 9], "alpha": 0.1}
#: model, steps, parameters, most successors of a pair
CASES: dict[str, tuple[Any, int, dict[str, Any], int]] = {
    "riverswim": (riverswim(states=4), 250, {"samples": 4, "alpha": 0.1}, 3),
    "riverswim, theory": (riverswim(states=3, rewards="bernoulli"), 250, {"samples": 3, "delta": 0.3}, 3),
    "riverswim, states": (riverswim(states=4), 250, STATES_ALONE, 3),
    "riverswim, pairs and states": (riverswim(states=4), 250, BOTH, 3),
    "noisy riverswim, L1": (noisy_riverswim(states=6), 250, {"samples": 4, "alpha": 0.05, "radius": 2}, 6),
    "star, ROS": (star(p=(0.5, 0.25)), 250, {"b": [[0, 0], [4, 0], [0, 4]], "alpha": 0.05, "radius": 1}, 2),
    "wheel": (wheel(states=5), 250, {"samples": 6, "alpha": 0.02}, 4),
    "garnet": (garnet(S=6, A=3, b=4, seed=1), 250, {"samples": 5, "alpha": 0.03}, 5),
    "garnet, ROS": (garnet(S=6, A=3, b=4, seed=2), 250, {"samples": 5, "alpha": 0.01, "radius": 1}, 5),
    "corridor": (corridor(), 400, {"samples": 1, "alpha": 0.02}, 4),
    "star, complete": (star(p=(1.0, 0.5)), 80, {"b": [[0, 0], [2, 2], [2, 2]], "alpha": 0.1}, 2),
    "nothing asked": (riverswim(states=3), 50, {"samples": 0}, 3),
}
ON_PYTHON = ("riverswim, pairs and states", "noisy riverswim, L1", "wheel", "garnet")


def differs(sparse: Learner, model: Any, steps: int, params: dict[str, Any], slots: int, **options: Any) -> str | None:
    """The first field in which the final states of both differ, or None; the stored rows against moves and plow."""
    ours, theirs = (
        Simulation(learner, model, replicates=2, length=steps, params=given, checkpoints=[steps], **options)
        for learner, given in ((sparse, {**params, "slots": slots}), (find_learner("gosprl"), params))
    )
    a, b = theirs.advance().state, ours.advance().state
    if not np.array_equal(theirs.observed["visits"], ours.observed["visits"]):
        return "the visits differ"
    for name in SAME:
        if not np.array_equal(a[name], b[name]):
            return f"{name} differs"
    for at in np.ndindex(a["N"].shape):
        met, seen = slice(b["met"][at]), np.flatnonzero(a["moves"][at])
        if b["succ"][at][met].tolist() != seen.tolist() or not np.array_equal(
            b["times"][at][met], a["moves"][at][seen]
        ):
            return f"the successors of {at} differ"
        kept = np.zeros(model.S)
        kept[b["support"][at][: b["width"][at]]] = b["plow"][at][: b["width"][at]]
        if np.any((a["plow"][at] > 0.0) & (a["plow"][at] != kept)):  # bounds on G are kept too
            return f"plow of {at} differs"
    return None


@pytest.mark.parametrize("name", ON_PYTHON)
def test_the_same_bits_on_plain_python(name: str) -> None:
    model, _, params, slots = CASES[name]
    assert differs(find_learner("gosprl-sparse"), model, 120, params, slots, target="python") is None


@pytest.mark.long
@pytest.mark.parametrize(("model", "steps", "params", "slots"), CASES.values(), ids=CASES.keys())
@pytest.mark.parametrize("alpha", [None, 1.0])
def test_the_same_bits(model: Any, steps: int, params: dict[str, Any], slots: int, alpha: float | None) -> None:
    given = params if alpha is None else {**params, "alpha": alpha}
    for k in (slots, 0):
        for length in (steps // 4, steps, 20 * steps):
            assert differs(find_learner("gosprl-sparse"), model, length, given, k, seed=3) is None


@pytest.mark.long
def test_the_same_bits_on_a_sparse_grid_of_144_states() -> None:
    model = gridworld(layout="/".join(["." * 12] * 12), rewards={}, slip=0.1, after="move", sparse=True)
    assert differs(find_learner("gosprl-sparse"), model, 6_000, {"samples": 2, "alpha": 0.02}, 4) is None


@kernel
def record_short(st: Any, p: Any, s: Any, a: Any, s2: Any) -> None:
    """Fails where as many successors as there are slots have been seen."""
    gosprl_sparse.record(st, p, s, a, s2)
    if st.met[s, a] == p.slots:
        st.full[0] = 1 + s * p.A + a


SHORT = replace(gosprl_sparse.learner, watch=gosprl_sparse.watch.replace(record=record_short))
PLANTED = {k: v for k, v in vars(faults).items() if isinstance(v, Learner) and k != "learner"}


@pytest.mark.parametrize("mutant", PLANTED.values(), ids=PLANTED.keys())
def test_every_fault_shows(mutant: Learner) -> None:
    found = None
    for name in ("garnet", "wheel", "star, complete"):
        model, _, params, _ = CASES[name]
        try:
            found = found or differs(mutant, model, 80, {**params, "max_sweeps": 5_000}, 40, target="python")
        except (InputError, ArithmeticError, IndexError, ValueError) as stopped:
            found = str(stopped)
    assert found is not None


def test_a_pair_without_a_free_slot_ends_the_run_by_name() -> None:
    model, steps, params, slots = CASES["star, ROS"]
    with pytest.raises(
        InputError, match=r"the pair \(s, a\) = \(0, \d\) has had more than slots=1 distinct successors"
    ):
        run("gosprl-sparse", model, steps=steps, params={**params, "slots": 1}, target="python")
    final = run("gosprl-sparse", model, steps=steps, params={**params, "slots": slots}, target="python").final
    assert final["met"].max() == slots and final["full"] == 0
    with pytest.raises(InputError, match="more than slots=2"):
        run(SHORT, model, steps=steps, params={**params, "slots": slots}, target="python")


def test_a_plan_that_fails_for_another_reason_says_so() -> None:
    params = {"samples": 4, "alpha": 0.02, "max_sweeps": 2, "slots": 4}
    with pytest.raises(InputError, match="planning did not converge; raise its sweep limit"):
        run("gosprl-sparse", CASES["wheel"][0], steps=400, params=params, target="python")


@pytest.mark.parametrize(
    ("params", "word"),
    [({"slots": -1}, "slots=-1 is negative"), ({"alpha": -0.1}, "gosprl-sparse: alpha=-0.1"), ({"samples": -2}, "-2")],
)
def test_what_is_refused(params: dict[str, Any], word: str) -> None:
    with pytest.raises(InputError, match=word):
        run("gosprl-sparse", riverswim(states=3), steps=5, target="python", params=params)
