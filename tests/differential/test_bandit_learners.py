"""Bandit learners against the transcriptions of their papers, round by round, and planted faults as controls.

One trajectory, the kernels' own, is fed to both sides; the first difference is returned in words, or None. Arms are
compared where the largest index leads by more than rounding or is shared to the last bit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from bandits.models.bernoulli import family as bernoulli
from proofs_check.mutants import explore_then_commit as etc_faults
from proofs_check.mutants import kl_ucb as kl_ucb_faults
from proofs_check.mutants import moss as moss_faults
from proofs_check.mutants import successive_elimination as elimination_faults
from proofs_check.mutants import thompson as thompson_faults
from tests.differential.stepping import CLOSE, Machine, World, clear, far
from tests.reference.explore_then_commit import ExploreThenCommit
from tests.reference.kl_ucb import KLUCB
from tests.reference.moss import MOSS
from tests.reference.successive_elimination import SuccessiveElimination
from tests.reference.thompson import Thompson
from theorylab.kernel import beta, kernel
from theorylab.learner import Learner
from theorylab.model import DETERMINISTIC, Bandit
from theorylab.registry import find_learner
from theorylab.rng import LEARNER, draw

Compare = Callable[[Learner, Any, int, dict[str, Any]], str | None]


def start(learner: Learner, model: Any, rounds: int, params: dict[str, Any]) -> tuple[World, Machine]:
    world = World(model)
    return world, Machine(learner, {"A": model.A, "T": rounds}, params, world.rng)


def compare_moss(learner: Learner, model: Any, rounds: int, params: dict[str, Any]) -> str | None:
    """The arm, and after the round plays, sums and indices."""
    world, machine = start(learner, model, rounds, params)
    reference = MOSS(model.A, rounds, **params)
    for t in range(rounds):
        a, wanted = machine.act(t), reference.act()
        if a != wanted and (t < model.A or clear(reference.index, True)):
            return f"round {t}: arm {a} against {wanted}"
        r = world.pull(a)
        machine.learn(t, a, r)
        reference.learn(a, r)
        played = reference.N > 0
        for name, theirs in (("N", reference.N), ("total", reference.total), ("ucb", reference.index)):
            if far(getattr(machine.st, name)[played], theirs[played]):
                return f"round {t}: {name} {getattr(machine.st, name)} against {theirs}"
    return None


def compare_kl_ucb(learner: Learner, model: Any, rounds: int, params: dict[str, Any]) -> str | None:
    """The arm, kept as the leader, and its index, 0 before the first; after the round plays, sums and entropies.

    The index may be off by 10^-9 of its distance from the mean and from 1, and by rounding: 10^-15 nats a play of N kl,
    and its own last places. Nothing may be divided by zero on the way.
    """
    world, machine = start(learner, model, rounds, params)
    reference, st = KLUCB(model.A, **params), machine.st
    for t in range(rounds):
        with np.errstate(divide="raise", invalid="raise"):
            a = machine.act(t)
        wanted = reference.act()
        if st.leader[0] != a:
            return f"round {t}: leader {st.leader[0]}, but arm {a} is played"
        if t >= model.A:
            index = reference.indices()
            q, mean = index[wanted], reference.S[wanted] / reference.N[wanted]
            steep = (q - mean) / (q * (1.0 - q)) if mean < q < 1.0 else np.inf
            if not abs(st.top[0] - q) <= 1e-9 * min(abs(q - mean), 1.0 - q) + 1e-15 / steep + 2.0**-51:
                return f"round {t}: index {st.top[0]} against {index}"
            near = np.flatnonzero(q - index <= CLOSE)  # which of these is first hangs on rounding, but for equal data
            data = {(n, s) if s < n else (1, 1.0) for n, s in zip(reference.N[near], reference.S[near], strict=True)}
            if a != wanted and len(data) == 1:
                return f"round {t}: arm {a} against {wanted}"
        elif a != wanted or st.top[0] != 0.0:
            return f"round {t}: arm {a} with index {st.top[0]} against {wanted} without one"
        r = world.pull(a)
        machine.learn(t, a, r)
        reference.learn(a, r)
        for name, theirs, tol in (("N", reference.N, 0.0), ("total", reference.S, 0.0), ("rest", reference.rest, 1e-9)):
            if far(getattr(st, name), theirs, tol):
                return f"round {t}: {name} {getattr(st, name)} against {theirs}"
    return None


def compare_thompson(learner: Learner, model: Any, rounds: int, params: dict[str, Any]) -> str | None:
    """The samples, drawn once more at their addresses with the transcription's laws, the arm, and the counts."""
    world, machine = start(learner, model, rounds, params)
    reference, sample = Thompson(model.A), beta.build("python")
    for t in range(rounds):
        a = machine.act(t)
        theta = np.array(
            [sample(world.rng, t, i, LEARNER, float(x), float(y)) for i, (x, y) in enumerate(reference.laws())]
        )
        if far(machine.st.theta, theta, 0.0):
            return f"round {t}: samples {machine.st.theta} against {theta}"
        if a != reference.act(theta):
            return f"round {t}: arm {a} against {reference.act(theta)}"
        r = world.pull(a)
        machine.learn(t, a, r)
        reference.learn(a, r, float(draw(world.rng, t, model.A, LEARNER)[0]))
        for name, theirs in (("successes", reference.S), ("failures", reference.F)):
            if far(getattr(machine.st, name), theirs, 0.0):
                return f"round {t}: {name} {getattr(machine.st, name)} against {theirs}"
    return None


def compare_commit(learner: Learner, model: Any, rounds: int, params: dict[str, Any]) -> str | None:
    """The arm, the choice, plays and sums."""
    world, machine = start(learner, model, rounds, params)
    reference = ExploreThenCommit(model.A, params["m"])
    for t in range(rounds):
        a, wanted = machine.act(t), reference.act()
        if a != wanted:
            return f"round {t}: arm {a} against {wanted}"
        choice = -1 if reference.choice is None else reference.choice
        if machine.st.choice[0] != choice:
            return f"round {t}: choice {machine.st.choice[0]} against {choice}"
        r = world.pull(a)
        machine.learn(t, a, r)
        reference.learn(a, r)
        for name, theirs in (("N", list(map(len, reference.rewards))), ("total", list(map(sum, reference.rewards)))):
            if far(getattr(machine.st, name), theirs):
                return f"round {t}: {name} {getattr(machine.st, name)} against {theirs}"
    return None


def compare_elimination(learner: Learner, model: Any, rounds: int, params: dict[str, Any]) -> str | None:
    """The arm, and after the round plays, sums, the survivors, the width and the stop."""
    world, machine = start(learner, model, rounds, params)
    reference = SuccessiveElimination(model.A, **params)
    for t in range(rounds):
        a, wanted = machine.act(t), reference.act()
        if a != wanted:
            return f"round {t}: arm {a} against {wanted}"
        r = world.pull(a)
        machine.learn(t, a, r)
        reference.learn(a, r)
        st = machine.st
        if st.alive[: st.left[0]].tolist() != reference.S:
            return f"round {t}: survivors {st.alive[: st.left[0]]} against {reference.S}"
        stop = -1 if reference.stop is None else reference.stop
        pairs = ((st.N, reference.N), (st.total, reference.total), (st.alpha[0], reference.alpha), (st.stop[0], stop))
        for name, (ours, theirs) in zip(("N", "total", "alpha", "stop"), pairs, strict=True):
            if far(ours, theirs):
                return f"round {t}: {name} {ours} against {theirs}"
    return None


def fixed(*means: float) -> Bandit:
    """Rewards equal to their means: neither 0 nor 1."""
    return Bandit(means=np.array(means), reward_law=DETERMINISTIC, name="fixed")


MODELS = {
    "two arms": bernoulli(means=(0.6, 0.4)),
    "three arms, two of them best": bernoulli(means=(0.2, 0.7, 0.7)),
    "arms that all pay": bernoulli(means=(1.0, 1.0)),  # equal counts give equal indices: ties throughout
    "arms that never pay": bernoulli(means=(0.0, 0.0, 0.0)),
    "ten arms": bernoulli(means=tuple(0.05 + 0.09 * a for a in range(10))),
    "one arm": bernoulli(means=(0.5,)),
    "rewards inside (0, 1)": fixed(0.3, 0.55, 0.5),
}
CASES: dict[str, tuple[Compare, int, list[dict[str, Any]]]] = {
    "moss": (compare_moss, 500, [{}, {"scale": 0.5}]),
    "kl-ucb": (compare_kl_ucb, 300, [{}, {"c": 3.0}, {"c": 1.0, "scale": 0.3}]),
    "thompson": (compare_thompson, 120, [{}]),
    "explore-then-commit": (compare_commit, 200, [{"m": 1}, {"m": 12}, {"m": 300}]),
    "successive-elimination": (compare_elimination, 1500, [{"delta": 0.1}, {"delta": 0.3, "c": 4.5, "scale": 0.2}]),
}


@pytest.mark.parametrize("model", MODELS.values(), ids=MODELS.keys())
@pytest.mark.parametrize("name", CASES)
def test_learner_follows_its_transcription(name: str, model: Any) -> None:
    compare, rounds, params = CASES[name]
    for given in params:
        assert compare(find_learner(name), model, rounds, given) is None


# Planted faults, each told apart on at least one of these

FAULTS: dict[str, tuple[Any, Compare, list[tuple[Any, int, dict[str, Any]]]]] = {
    "moss": (moss_faults, compare_moss, [(bernoulli(means=(0.6, 0.1)), 300, {})]),
    "kl-ucb": (
        kl_ucb_faults,
        compare_kl_ucb,
        [(bernoulli(means=(0.6, 0.1)), 100, {"c": 3.0}), (bernoulli(means=(1.0, 0.2)), 10, {"c": 3.0})],
    ),
    "thompson": (
        thompson_faults,
        compare_thompson,
        [(bernoulli(means=(0.9, 0.1)), 40, {}), (fixed(0.6, 0.4), 40, {})],
    ),
    "explore-then-commit": (
        etc_faults,
        compare_commit,
        [(bernoulli(means=(0.9, 0.1)), 60, {"m": 10}), (bernoulli(means=(0.5,) * 4), 60, {"m": 3})],
    ),
    "successive-elimination": (
        elimination_faults,
        compare_elimination,
        [
            (bernoulli(means=(0.9, 0.8, 0.0)), 400, {"delta": 0.5}),
            (bernoulli(means=(0.0, 0.8)), 200, {"delta": 0.5}),
            (bernoulli(means=(0.0, 1.0)), 100, {"delta": 0.6}),  # the first arm leaves in round 41, an odd one
        ],
    ),
}
MUTANTS = [
    pytest.param(name, fault, id=f"{name}-{fault}")
    for name, (module, _, _) in FAULTS.items()
    for fault, value in vars(module).items()
    if isinstance(value, Learner) and value is not find_learner(name)
]


@pytest.mark.parametrize(("name", "fault"), MUTANTS)
def test_every_fault_shows(name: str, fault: str) -> None:
    module, compare, cases = FAULTS[name]
    assert any(compare(getattr(module, fault), *case) is not None for case in cases)


@kernel
def last_of_ties(st: Any, p: Any, t: Any, rng: Any) -> Any:
    """MOSS with ties to the highest arm."""
    if t < p.A:
        return t
    best = 0
    for a in range(1, p.A):
        if st.ucb[a] >= st.ucb[best]:
            best = a
    return best


def test_ties_to_the_last_arm_show_where_no_claim_catches_them() -> None:
    model = bernoulli(means=(1.0, 1.0))
    assert compare_moss(replace(find_learner("moss"), act=last_of_ties), model, 20, {}) is not None


def test_equal_plays_and_sums_give_equal_indices_to_the_last_bit() -> None:
    # every arm pays 0.3 always: after A t rounds all arms have t plays, and the lowest is next
    machine = start(find_learner("kl-ucb"), fixed(0.3, 0.3, 0.3), 90, {"c": 3.0})[1]
    played = []
    for t in range(90):
        a = machine.act(t)
        machine.learn(t, a, 0.3)
        played.append(a)
    assert played == [t % 3 for t in range(90)]


def test_equal_kl_ucb_indices_near_1_go_to_the_lowest_arm() -> None:
    # one failure in 999 plays: 1 - q is about 1e-11, and the rounding of q comes to more nats than any fixed room
    machine = start(find_learner("kl-ucb"), fixed(0.3, 0.3, 0.3), 90_000, {"c": 3.0})[1]
    for i in range(999):
        for a in range(3):
            machine.learn(i, a, float(i > 0))
    for t in range(3000, 90_000, 3000):
        machine.st.leader[0] = 2
        assert machine.act(t) == 0
    machine = start(find_learner("kl-ucb"), fixed(0.99, 0.99), 90, {"c": 3.0})[1]  # indices that round to 1
    for t in range(2):
        machine.learn(t, machine.act(t), 0.99)
    assert machine.act(2) == 0
