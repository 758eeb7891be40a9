"""PSRL, RLSVI and Q-learning stepped beside their transcriptions; see `stepping` for how."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.differential.stepping import Machine, World, clear, far
from tests.reference.psrl import PSRL, TSDE, gain_of, relative_values
from tests.reference.q_learning import QLearning, horizon_rate, plain
from tests.reference.rlsvi import RLSVI
from theorylab.learner import Learner
from theorylab.rng import LEARNER, draw

Params = dict[str, Any]


def machine_of(learner: Learner, model: Any, length: int, params: Params, world: World) -> Machine:
    """The learner's kernels, told what it knows of the model."""
    episodes = {"H": model.H, "K": length, "T": length * model.H} if learner.setting == "episodic" else {"T": length}
    sizes = {"S": model.S, "A": model.A, **episodes}
    known = {name: np.array(getattr(model, name), dtype=float) for name in learner.knows}
    derive = learner.derive or (lambda p: {})
    return Machine(replace(learner, knows=(), derive=lambda p: {**known, **derive(p)}), sizes, params, world.rng)


def mass_of(model: Any, params: Params) -> float:
    return float(params.get("prior", 0.0)) or 1.0 / model.S


def choices_differ(ours: NDArray[Any], theirs: NDArray[Any], values: NDArray[np.float64]) -> str | None:
    """The first place where two policies differ and the values (..., A) leave no doubt."""
    for at in np.argwhere(ours != theirs):
        if clear(values[tuple(at)], True):
            return f"the action at {at.tolist()} is {ours[tuple(at)]} against {theirs[tuple(at)]}"
    return None


def compare_psrl(learner: Learner, model: Any, episodes: int, params: Params) -> str | None:
    """Every draw, its values and policy, and the counts after every step."""
    world = World(model)
    machine = machine_of(learner, model, episodes, params, world)
    reference = PSRL(model.r, model.H, mass_of(model, params), params.get("known_rewards", 1) == 1)
    due = True
    for k in range(episodes):
        if not due:
            return f"episode {k}: no draw"
        if not machine.plan(k):
            return f"episode {k}: the plan failed"
        reference.start_episode(k, world.rng)
        for name in ("P", "r", "V"):
            if far(getattr(machine.st, name), getattr(reference, name)):
                return f"episode {k}: {name} differs"
        if wrong := choices_differ(machine.st.pi, reference.pi, reference.Q):
            return f"episode {k}: {wrong}"
        s = world.start(k)
        for h in range(model.H):
            a = machine.act(k, h, s)
            if reference.Q[h, s, a] < reference.V[h, s] - 1e-9:
                return f"episode {k}, stage {h}: action {a} is not optimal for the draw"
            r, s2 = world.step(h, s, a)
            due = machine.watch(k, h, s, a, r, s2)
            reference.learn(s, a, r, s2)
            if far(machine.st.moves, reference.moves) or far(machine.st.total, reference.won):
                return f"episode {k}, stage {h}: counts differ"
            if due and h < model.H - 1:
                return f"episode {k}, stage {h}: the episode is cut"
            s = s2
    return None


def compare_tsde(learner: Learner, model: Any, steps: int, params: Params) -> str | None:
    """The steps at which it draws, every draw, its certified policy, and the counts after every step; up to a plan that
    needs too many sweeps."""
    world = World(model)
    machine = machine_of(learner, model, steps, params, world)
    reference = TSDE(model.r, mass_of(model, params), params.get("known_rewards", 1) == 1)
    precision, u = machine.p.precision, np.zeros(model.S)
    s, due = world.start(0), True
    for t in range(steps):
        if due != reference.over():
            return f"step {t}: {'a draw' if due else 'no draw'}, against the transcription"
        if due:
            solved = machine.plan(t, s)
            reference.start_episode(world.rng)
            sweeps, u, q = relative_values(reference.P, reference.r, u, precision, machine.p.max_sweeps)
            if solved != (sweeps is not None):
                return f"step {t}: the plan {'is made' if solved else 'failed'}, against the transcription"
            if not solved:
                return None
            if machine.st.clock[1] != reference.length:
                return f"step {t}: the last length is {machine.st.clock[1]} against {reference.length}"
            for name in ("P", "r"):
                if far(getattr(machine.st, name), getattr(reference, name)):
                    return f"step {t}: {name} differs"
            if machine.st.sweeps[0] != sweeps or far(machine.st.u, u):
                return f"step {t}: {machine.st.sweeps[0]} sweeps against {sweeps}, or u differs"
            if wrong := choices_differ(machine.st.pi, q.argmax(axis=1), q):
                return f"step {t}: {wrong}"
            low, high = machine.st.gain
            if not (low - 1e-9 <= reference.J <= high + 1e-9 and high - low < precision):
                return f"step {t}: the gain {reference.J} is not in [{low}, {high}]"
            if gain_of(reference.P, reference.r, machine.st.pi) < reference.J - precision - 1e-9:
                return f"step {t}: the policy's gain is short by more than the precision"
        a = machine.act(t, s)
        if a != machine.st.pi[s]:
            return f"step {t}: action {a} against the plan's"
        r, s2 = world.step(0, s, a)
        due = machine.watch(t, s, a, r, s2)
        reference.learn(s, a, r, s2)
        for name, theirs in (("moves", reference.moves), ("total", reference.won), ("N", reference.N)):
            if far(getattr(machine.st, name), theirs):
                return f"step {t}: {name} differs"
        if machine.st.clock[0] != reference.t - reference.t_k:
            return f"step {t}: {machine.st.clock[0]} steps of the episode against {reference.t - reference.t_k}"
        s = s2
    return None


def compare_rlsvi(learner: Learner, model: Any, episodes: int, params: Params) -> str | None:
    """Every draw, its maxima and policy, and the counts after every step."""
    world = World(model)
    machine = machine_of(learner, model, episodes, params, world)
    H, beta = model.H, params.get("beta", 3.0)
    v = params.get("v_scale", 1.0) * 3.0 * H**2
    reference = RLSVI(model.S, model.A, H, v, v / beta, H)
    due = True
    for k in range(episodes):
        if not due:
            return f"episode {k}: no draw"
        machine.plan(k)
        reference.start_episode(k, world.rng)
        if far(machine.st.Q, reference.Q):
            return f"episode {k}: Q differs"
        if far(machine.st.V[:H], reference.Q.max(axis=2)) or machine.st.V[H].any():
            return f"episode {k}: V differs"
        if wrong := choices_differ(machine.st.pi, reference.pi, reference.Q):
            return f"episode {k}: {wrong}"
        s = world.start(k)
        for h in range(H):
            a = machine.act(k, h, s)
            if a != reference.pi[h, s] and clear(reference.Q[h, s], True):
                return f"episode {k}, stage {h}: action {a} against {reference.pi[h, s]}"
            r, s2 = world.step(h, s, a)
            due = machine.watch(k, h, s, a, r, s2)
            reference.learn(h, s, a, r, s2)
            seen = reference.buffer[h, s, a]
            if machine.st.N[h, s, a] != len(seen) or far(machine.st.total[h, s, a], sum(x for x, _ in seen)):
                return f"episode {k}, stage {h}: counts differ"
            if machine.st.moves[h, s, a].tolist() != [sum(y == x for _, y in seen) for x in range(model.S)]:
                return f"episode {k}, stage {h}: transitions differ"
            s = s2
    return None


def compare_q_learning(learner: Learner, model: Any, episodes: int, params: Params) -> str | None:
    """The action before, and Q and N after, every step."""
    world = World(model)
    machine = machine_of(learner, model, episodes, params, world)
    rate = horizon_rate(model.H) if params.get("horizon_rate", 0) == 1 else plain
    reference = QLearning(model.S, model.A, model.H, params.get("epsilon", 0.1), params.get("start", 0.0), rate)
    for k in range(episodes):
        s = world.start(k)
        for h in range(model.H):
            where = f"episode {k}, stage {h}, state {s}"
            u, v = draw(world.rng, k, h * model.S + s, LEARNER)
            a, wanted = machine.act(k, h, s), reference.act(h, s, float(u), float(v))
            if a != wanted and clear(reference.Q[h, s], True):
                return f"{where}: action {a} against {wanted}"
            r, s2 = world.step(h, s, a)
            machine.learn(k, h, s, a, r, s2)
            reference.learn(h, s, a, r, s2)
            if far(machine.st.Q[: model.H], reference.Q) or far(machine.st.N, reference.N):
                return f"{where}: Q or N differs"
            s = s2
    return None
