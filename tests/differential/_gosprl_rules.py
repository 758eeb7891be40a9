"""MODEST and the noise-weighted sample as functions of the counts, for the transcription, and its comparison."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from tests.differential.stepping import Machine, World, far
from tests.differential.test_gosprl import FAMILIES, plans_differ
from tests.reference.gosprl import GOSPRL, Ruled, radius
from theorylab.learner import Learner


def frequencies(C: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """N+ (S,A) and phat (S,A,S)."""
    n = np.maximum(1, C.sum(axis=2))
    return n, C / n[..., None]


class Modest:
    """Section 2.6: the implicit rule and the formula, at one accuracy after another."""

    def __init__(self, p: Any) -> None:
        self.p, self.eta, self.reached = p, p.eta, 0.0

    def __call__(self, C: np.ndarray) -> np.ndarray:
        p, N = self.p, C.sum(axis=2)
        n, phat = frequencies(C)
        b = np.zeros((p.S, p.A), dtype=np.int64)
        for s in range(p.S):
            for a in range(p.A):
                if p.rule == 0:
                    half = 0.5 if p.radius == 2 else 1.0
                    total = sum(half * radius(FAMILIES[p.radius], x, n[s, a], p.S, p.A, p.delta) for x in phat[s, a])
                    b[s, a] = N[s, a] + (p.alpha * total > self.eta)
                else:
                    X, e = sum(math.sqrt(x * (1 - x)) for x in phat[s, a]), self.eta
                    inner = 8 * math.e * X * math.sqrt(2 * p.S * p.A) / (math.sqrt(p.delta) * e)
                    first = 57 * X**2 / e**2 * math.log(inner) ** 2 if X > 0 else 0.0
                    b[s, a] = math.ceil(first + 24 * p.S / e * math.log(24 * p.S**2 * p.A / (p.delta * e)))
        return b

    def advance(self) -> bool:
        self.reached = self.eta
        if self.p.shrink < 1.0:
            self.eta *= self.p.shrink
            return False
        return True


class Noise:
    """Section 2.6: b proportional to the noise, from a least number on."""

    def __init__(self, p: Any) -> None:
        self.p = p

    def __call__(self, C: np.ndarray) -> np.ndarray:
        _, phat = frequencies(C)
        V = np.array([[sum(math.sqrt(x * (1 - x)) for x in row) for row in rows] for rows in phat])
        asked: np.ndarray = np.maximum(self.p.least, np.ceil(self.p.samples * (V / math.sqrt(self.p.S))))
        return asked.astype(np.int64)

    def advance(self) -> bool:
        return True


def compare_ruled(
    learner: Learner, model: Any, steps: int, params: dict[str, Any], replicate: int = 0, begin: int = 0
) -> str | None:
    """The first difference in requirements, open states, plans, actions, counts and the completion time, or None; with
    `begin` the clock starts there, as if so many steps had left no trace."""
    world, sizes = World(model, replicate=replicate), {"S": model.S, "A": model.A, "T": steps}
    machine = Machine(learner, sizes, params, world.rng)
    p, st = machine.p, machine.st
    modest = learner.name == "gosprl-modest"
    rule: Any = Modest(p) if modest else Noise(p)
    reference = Ruled(
        model.S, model.A, rule, rule.advance, even=modest, delta=p.delta, alpha=p.alpha, family=FAMILIES[p.radius]
    )
    reference.t = begin
    if (begun := (int(st.t_k[0]), int(st.finished[0]))) != (-1, -1):
        return f"at first: t_k, finished are {begun}"
    s, due = world.start(0), True
    for t in range(begin, begin + steps):
        attempts, asked = reference.attempts, reference.due
        if due != asked:
            return f"step {t}: {'a lookup' if due else 'no lookup'}, against the transcription"
        planned = not due or machine.plan(t, s)
        wanted = reference.act(s)
        started = reference.attempts > attempts
        if planned == (started and reference.sweeps > p.max_sweeps):
            return f"step {t}: the plan {'is made' if planned else 'failed'}, against the transcription"
        if not planned:
            return None
        if st.attempts[0] != reference.attempts:
            return f"step {t}: {st.attempts[0]} attempts against {reference.attempts}"
        if started and (wrong := plans_differ(st, reference, False)):
            return f"step {t}: {wrong}"
        a = machine.act(t, s)
        if reference.travelling:
            wanted = int(reference.policy[s])  # after ties within rounding
        if a != wanted:
            return f"step {t}: action {a} against {wanted} in state {s}"
        if wrong := ruled_differ(st, reference, rule):
            return f"step {t}, before it: {wrong}"
        _, s2 = world.step(0, s, a)
        due = machine.watch(t, s, a, 0.0, s2)
        reference.learn(s, a, s2)
        if wrong := ruled_differ(st, reference, rule):
            return f"step {t}: {wrong}"
        s = s2
    return None


def ruled_differ(st: Any, reference: GOSPRL, rule: Any) -> str | None:
    """The first of requirement, counts, open states, accuracies and completion time that differs."""
    finished = -1 if reference.finished is None else reference.finished
    goal = [int(s in reference.goals) for s in range(reference.S)]
    pairs: list[tuple[str, Any, Any]] = [("need", st.need, reference.b), ("N", st.N, reference.N)]
    pairs += [("moves", st.moves, reference.C), ("goal", st.goal, goal), ("goals", st.goals[0], sum(goal))]
    pairs += [("arrivals", st.arrivals[0], reference.arrivals), ("finished", st.finished[0], finished)]
    if isinstance(rule, Modest):
        pairs += [("reached", st.reached[0], rule.reached)]
        pairs += [("eta", st.eta[0] or rule.p.eta, rule.eta)]
    for name, ours, theirs in pairs:
        if far(ours, theirs, 0.0):
            return f"{name} is {np.asarray(ours).tolist()} against {np.asarray(theirs).tolist()}"
    return None
