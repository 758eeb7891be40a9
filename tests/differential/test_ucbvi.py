"""UCBVI-CH and UCBVI-BF against the transcriptions of the paper's pseudo-code, step by step; faults as controls."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mdps.models.frozen_lake import family as frozen_lake
from mdps.models.garnet import family as garnet
from mdps.models.riverswim import family as riverswim
from proofs_check.mutants import ucbvi_bf as bf_faults
from proofs_check.mutants import ucbvi_ch as ch_faults
from tests.differential.stepping import Machine, World, clear, far
from tests.reference.ucbvi_bf import UCBVIBF
from tests.reference.ucbvi_ch import UCBVICH
from theorylab.learner import Learner
from theorylab.registry import find_learner
from theorylab.simulation import Simulation

MODELS = {
    "riverswim": riverswim(states=4, horizon=5),
    "garnet, bernoulli": garnet(S=5, A=3, b=2, seed=4, horizon=4, rewards="bernoulli"),
    "frozen-lake": frozen_lake(horizon=3),
    "one stage": riverswim(states=3, horizon=1),
}
PARAMS: dict[str, list[dict[str, Any]]] = {
    "ucbvi-ch": [{"delta": 0.1}, {"delta": 0.3, "scale": 0.02}, {"delta": 0.3, "scale": 0.005, "tight": 1}],
    # a small correction lets the last term of the bonus leave its cap
    "ucbvi-bf": [
        {"delta": 0.1},
        {"delta": 0.3, "scale": 0.1, "correction": 1e-4},
        {"delta": 0.3, "scale": 0.02, "tight": 1, "correction": 1e-3},
    ],
}


def episodes_differ(learner: Learner, model: Any, episodes: int, params: dict[str, Any]) -> str | None:
    """The first difference in a plan (Q, V, bonus, counts, p_hat), an action or the counts after a step."""
    world = World(model)
    sizes = {"S": model.S, "A": model.A, "H": model.H, "K": episodes, "T": episodes * model.H}
    machine = Machine(learner, sizes, params, world.rng)
    machine.p.r = np.asarray(model.r)
    kind = UCBVICH if learner.name == "ucbvi-ch" else UCBVIBF
    given = {k: bool(v) if k == "tight" else v for k, v in params.items()}
    reference: Any = kind(np.asarray(model.r), model.H, episodes, **given)
    st, due = machine.st, True
    for k in range(episodes):
        if not due:
            return f"episode {k}: no plan"
        if not machine.plan(k):
            return f"episode {k}: the plan failed"
        reference.ucb_q_values()
        if wrong := plans_differ(st, reference, model.H):
            return f"episode {k}: {wrong}"
        s = world.start(k)
        for h in range(model.H):
            a, wanted = machine.act(k, h, s), reference.act(h, s)
            if a != wanted and clear(reference.Q[h, s], True):
                return f"episode {k}, stage {h}, state {s}: action {a} against {wanted}"
            r, s2 = world.step(h, s, a)
            due = machine.watch(k, h, s, a, r, s2)
            if due != (h == model.H - 1):
                return f"episode {k}, stage {h}: the episode {'ended' if due else 'goes on'}"
            reference.learn(h, s, a, s2)
            if far(st.N, reference.N, 0.0) or far(by_pair(st.moves, reference), reference.M, 0.0):
                return f"episode {k}, stage {h}: counts"
            s = s2
    return None


def by_pair(columns: Any, reference: Any) -> Any:
    """(S,S*A) with columns s A + a as (S,A,S)."""
    return columns.T.reshape(reference.S, reference.A, reference.S)


def plans_differ(st: Any, reference: Any, H: int) -> str | None:
    """The first array of a plan that differs."""
    seen = reference.N > 0
    p_hat = reference.M / np.maximum(reference.N, 1)[:, :, None]
    pairs = [("Q", st.Q, reference.Q), ("V", st.V, reference.V), ("p_hat", by_pair(st.p_hat, reference), p_hat)]
    bonus = st.bonus.reshape(reference.b.shape)
    pairs.append(("bonus", bonus[..., seen], reference.b[..., seen]))
    pairs.append(("n", st.n, reference.N))
    if hasattr(reference, "reached"):
        pairs.append(("reached", st.reached, reference.reached))
    for name, ours, theirs in pairs:
        if far(ours, theirs):
            return f"{name} differs by {np.max(np.abs(ours - theirs)):.3g}"
    return None


CASES = [(name, model, p) for name in PARAMS for model in MODELS for p in PARAMS[name]]


@pytest.mark.parametrize(("name", "model", "params"), CASES)
def test_ucbvi(name: str, model: str, params: dict[str, Any]) -> None:
    assert episodes_differ(find_learner(name), MODELS[model], 40, params) is None


def planted(module: Any) -> dict[str, Learner]:
    """Every planted fault of a file by name."""
    faithful = find_learner(module.learner.name)
    found = {k: v for k, v in vars(module).items() if isinstance(v, Learner) and v is not faithful}
    assert len(found) >= 15 and module.learner is faithful
    return found


FAULTS = [(m.learner.name, k) for m in (ch_faults, bf_faults) for k in planted(m)]
SHOWING = {
    # values move under a small bonus, the cap matters under a larger one
    "ucbvi-ch": [{"delta": 0.1, "scale": 0.005}, {"delta": 0.1, "scale": 0.03}],
    "ucbvi-bf": [{"delta": 0.1, "scale": 0.05, "correction": 1e-4}, {"delta": 0.1, "scale": 0.3, "correction": 1e-4}],
}


@pytest.mark.parametrize(("name", "fault"), FAULTS)
def test_every_fault_shows(name: str, fault: str) -> None:
    mutant = planted(ch_faults if name == "ucbvi-ch" else bf_faults)[fault]
    model = riverswim(states=3, horizon=3)
    assert any(episodes_differ(mutant, model, 60, p) is not None for p in SHOWING[name])


@pytest.mark.parametrize("name", list(PARAMS))
def test_a_run_by_the_transcription_alone(name: str) -> None:
    model, episodes, params = MODELS["garnet, bernoulli"], 60, PARAMS[name][1]
    run = Simulation(find_learner(name), model, replicates=1, length=episodes, seed=6, params=params, target="python")
    run.advance()
    world = World(model, seed=6)
    reference: Any = (UCBVICH if name == "ucbvi-ch" else UCBVIBF)(np.asarray(model.r), model.H, episodes, **params)
    for k in range(episodes):
        reference.ucb_q_values()
        s = world.start(k)
        for h in range(model.H):
            a = reference.act(h, s)
            _, s2 = world.step(h, s, a)
            reference.learn(h, s, a, s2)
            s = s2
    assert run.state["N"][0].tolist() == reference.N.tolist()
    np.testing.assert_allclose(run.state["Q"][0], reference.Q, rtol=1e-11)
