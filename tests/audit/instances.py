"""One small instance a learner, on which the faithful learner passes and its planted faults are run."""

from __future__ import annotations

from typing import Any

import bandits
import mdps
from proofs_check.papers._mvp_models import stopping
from theorylab.conformance import models_for
from theorylab.learner import Learner
from theorylab.registry import iter_specs

LENGTHS = {"bandit": 100, "episodic": 40, "average": 200}
MODELS = {
    "bandit": lambda: bandits.models.bernoulli(means=(0.9, 0.6, 0.4)),
    "episodic": lambda: mdps.models.riverswim(states=3, horizon=3, rewards="bernoulli"),
    "average": lambda: mdps.models.riverswim(states=3, rewards="bernoulli"),
}
#: multipliers under which the bonus falls below its cap at these lengths
PARAMS: dict[str, dict[str, Any]] = {
    "ucbvi-ch": dict(scale=0.02),
    "ucbvi-bf": dict(scale=0.2),
    "euler": dict(scale=0.1),
    "mvp": dict(scale=0.01),
    "successive-elimination": dict(scale=0.4),
    "ucb-h": dict(c=0.3),
    "lsvi-ucb": dict(scale=0.18),
}


def instance(spec: Learner) -> tuple[Any, int, dict[str, Any]]:
    """Model, length and parameters."""
    params = dict(PARAMS.get(spec.name, {}))
    if "max_sweeps" in spec.params:
        params["max_sweeps"] = 3000
    if set(spec.knows) & {"features", "phi", "transition_phi"}:
        return models_for(spec)[0], LENGTHS[spec.setting], params
    if spec.name == "mvp":
        return stopping(3, 3, 0), LENGTHS["episodic"], params
    return MODELS[spec.setting](), LENGTHS[spec.setting], params


def learners() -> list[Learner]:
    """All registered learners."""
    return list(iter_specs("learners"))
