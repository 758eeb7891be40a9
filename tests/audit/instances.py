"""Small instances of each learner, on which the faithful learner passes and its planted faults are run.

The first is the plain one. The others leave a regime in which faults hide: sets that are everything, values at their
caps, samples of one, rewards that are told, rewards 0 and 1, a factor that is 1.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

import bandits
import mdps
from proofs_check.papers._mvp_models import stopping
from theorylab.conformance import example, models_for
from theorylab.learner import Learner
from theorylab.model import DETERMINISTIC, Bandit
from theorylab.registry import find_learner, iter_specs

LENGTHS = {"bandit": 100, "episodic": 40, "average": 200}
MODELS: dict[str, Callable[[], Any]] = {
    "bandit": lambda: bandits.models.bernoulli(means=(0.9, 0.6, 0.4)),
    "episodic": lambda: mdps.models.riverswim(states=3, horizon=3, rewards="bernoulli"),
    "average": lambda: mdps.models.riverswim(states=3, rewards="bernoulli"),
    "switch": lambda: mdps.models.two_state(slip=0.2),
    "garnet": lambda: mdps.models.garnet(S=3, A=2, b=2, seed=0, rewards="bernoulli"),
    "garnet-4": lambda: mdps.models.garnet(S=4, A=2, b=3, seed=1, rewards="bernoulli"),
    "stopping": lambda: stopping(3, 3, 0),
    "close": lambda: bandits.models.bernoulli(means=(0.55, 0.5, 0.45)),
    "sure": lambda: Bandit(np.array([0.3, 0.7]), DETERMINISTIC, "sure"),
}
#: (learner, setting) -> (model, length, parameters); model "" is the setting's, or the linear one of the learner
INSTANCES: dict[tuple[str, str], list[tuple[str, int, dict[str, Any]]]] = {
    ("ucbvi-ch", "episodic"): [("", 40, dict(scale=0.02)), ("", 80, dict(scale=0.002))],
    ("ucbvi-bf", "episodic"): [
        ("", 40, dict(scale=0.2)), ("", 80, dict(scale=0.02, correction=1e-4)), ("", 80, dict(scale=0.01)),
    ],
    ("euler", "episodic"): [("", 40, dict(scale=0.1)), ("", 100, dict(scale=0.03))],
    ("mvp", "episodic"): [("stopping", 40, dict(scale=0.01)), ("stopping", 100, dict(scale=0.004))],
    ("successive-elimination", "bandit"): [
        ("", 100, dict(scale=0.4)), ("", 300, dict(scale=0.3)), ("close", 200, dict()),
    ],
    ("ucb-h", "episodic"): [("", 40, dict(c=0.3)), ("", 60, dict(c=0.02))],
    ("lsvi-ucb", "episodic"): [("", 40, dict(scale=0.18))],
    ("ucrl-vtr", "episodic"): [("", 40, dict()), ("", 40, dict(homogeneous=0)), ("", 60, dict(scale=0.4))],
    ("ucrl2", "average"): [("", 200, dict()), ("switch", 1500, dict(delta=0.9))],
    ("ucrl2b", "average"): [("", 200, dict()), ("garnet", 300, dict(scale=0.05))],
    ("kl-ucrl", "average"): [("", 200, dict()), ("garnet", 300, dict(scale=0.5, tau=0.9))],
    ("psrl", "episodic"): [("", 40, dict()), ("", 60, dict(known_rewards=0))],
    ("psrl", "average"): [("", 200, dict()), ("garnet", 800, dict(known_rewards=0))],
    ("rlsvi", "episodic"): [("", 40, dict()), ("", 100, dict(v_scale=0.05))],
    ("q-learning", "episodic"): [("", 40, dict()), ("", 300, dict(epsilon=0.6))],
    ("lin-thompson", "bandit"): [("", 100, dict()), ("", 800, dict(R=0.5))],
    ("oful", "bandit"): [("", 100, dict()), ("", 300, dict(R=0.5, S_theta=2.0))],
    ("kl-ucb", "bandit"): [("", 100, dict()), ("", 100, dict(c=3.0))],
    ("thompson", "bandit"): [("", 100, dict()), ("sure", 100, dict())],
    ("gosprl", "average"): [
        ("", 200, dict()), ("garnet", 200, dict(samples=20, alpha=0.1)), ("", 300, dict(samples=3, alpha=0.02)),
        ("garnet-4", 300, dict(b=[[30, 0], [9, 0], [0, 5], [0, 60]], alpha=0.02)),
    ],
    ("known-p-greedy", "average"): [("", 200, dict()), ("garnet", 100, dict(samples=5)), ("", 300, dict(samples=3))],
}  # fmt: skip


@cache
def model(name: str) -> Any:
    """A model by its name above."""
    return MODELS[name]()


@cache
def linear(name: str, setting: str) -> Any:
    """The small linear model of a learner that is told features."""
    return models_for(find_learner(name, setting))[0]


def instances(spec: Learner) -> list[tuple[Any, int, dict[str, Any]]]:
    """Models, lengths and parameters."""
    told = bool(set(spec.knows) & {"features", "phi", "transition_phi"})
    out = []
    for name, length, given in INSTANCES.get((spec.name, spec.setting), [("", LENGTHS[spec.setting], {})]):
        params = dict(given)
        if "max_sweeps" in spec.params:
            params["max_sweeps"] = 3000
        if "b" in params:
            params["b"] = np.array(params["b"])
        where = linear(spec.name, spec.setting) if told else model(name or spec.setting)
        out.append((where, length, {**example(spec, where), **params}))
    return out


def learners() -> list[Learner]:
    """All registered learners that act in a model; the audit does not look at solvers of games."""
    return [x for x in iter_specs("learners") if x.setting != "game"]
