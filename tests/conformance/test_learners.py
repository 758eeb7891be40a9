"""Every registered learner passes the conformance suite; `uniform` does so on all default models of its setting.

A reward law and a way of sampling are constants of a build, and how they are built does not depend on the learner, so
the further models are left to `uniform`.
"""

from __future__ import annotations

import pytest

from theorylab.conformance import conformance, models_for, on_python
from theorylab.learner import Learner
from theorylab.registry import find_learner, iter_specs

LEARNERS = list(iter_specs("learners"))


#: variants of a learner that is here too, ten seconds of compilation each: by default without the compiled target
VARIANTS = (
    "gosprl-diameter", "gosprl-explore", "gosprl-extended", "gosprl-modest", "gosprl-noise", "gosprl-policy-iteration",
    "gosprl-sparse", "max-ent", "r-max-collection",
    "scal", "pmevi-dt", "loop-models", "mle-loop", "loop", "loop-ascent", "loop-box", "loop-values",
    "optimistic-q", "mdp-oomd", "politex",
    "ucrl2-vtr", "loop-evi", "lscvi-ucb", "ucb-cvi", "olsvi-fh", "loop-linear", "fopo",
    "cfr-plus", "pcfr-plus", "fictitious-play", "mmd", "mmd-dilated", "mirror-descent",
)  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_variants_on_python(name: str) -> None:
    outcomes = on_python(find_learner(name))
    assert len(outcomes) == 6
    assert not [f"{o.name}: {o.detail}" for o in outcomes if not o.ok]


@pytest.mark.parametrize(
    "learner",
    [pytest.param(x, marks=pytest.mark.long) if x.name in VARIANTS else x for x in LEARNERS],
    ids=[f"{x.name}-{x.setting}" for x in LEARNERS],
)
def test_conformance(learner: Learner) -> None:
    model = None if learner.name == "uniform" else models_for(learner)[0]
    outcomes = conformance(learner, model)
    assert len(outcomes) >= 12
    assert not [f"{o.name}: {o.detail}" for o in outcomes if not o.ok]


def test_every_setting_has_a_learner() -> None:
    assert {x.setting for x in LEARNERS} == {"bandit", "episodic", "average", "game"}
