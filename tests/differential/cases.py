"""The differential check of a learner by name: how it differs from its transcription on a few small runs, or None.

`python -m proofs_check.mutation` asks this of mutants that no claim catches, so the runs are chosen to reach every
line: bonuses small enough that values move and large enough that caps bind, ties, one arm or one stage, rewards inside
(0, 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from bandits.models.bernoulli import family as bernoulli
from mdps.models.garnet import family as garnet
from mdps.models.riverswim import family as riverswim
from mdps.models.two_state import family as two_state
from tests.differential._posterior import compare_psrl, compare_q_learning, compare_rlsvi, compare_tsde
from tests.differential.stepping import compare_ucb1, compare_ucb_h, compare_ucrl2
from tests.differential.test_average_learners import follow
from tests.differential.test_bandit_learners import (
    compare_commit,
    compare_elimination,
    compare_kl_ucb,
    compare_moss,
    compare_thompson,
    fixed,
)
from tests.differential.test_ucbvi import MODELS as UCBVI_MODELS
from tests.differential.test_ucbvi import SHOWING, episodes_differ
from theorylab.learner import Learner

Compare = Callable[[Learner, Any, int, dict[str, Any]], str | None]
Case = tuple[Any, int, dict[str, Any]]

TIES, APART, ONE = bernoulli(means=(1.0, 1.0, 1.0)), bernoulli(means=(0.9, 0.1)), bernoulli(means=(0.5,))
INSIDE = fixed(0.3, 0.55, 0.5)
SWIM, CHAIN = riverswim(states=3, horizon=3, rewards="bernoulli"), riverswim(states=3, rewards="bernoulli")
SMALL = garnet(S=3, A=3, b=2, seed=2, horizon=3)
FLAT = riverswim(states=3, horizon=1, rewards="bernoulli")


def _follow(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    return follow(learner, model, steps, params)[0]


_ROUNDS: list[Case] = [(m, 120, {}) for m in (APART, TIES, INSIDE, ONE)] + [(INSIDE, 120, {"scale": 0.4})]
_EPISODES: list[Case] = [
    (m, 60, g) for m in (SWIM, FLAT, SMALL) for g in ({"c": 0.05, "delta": 0.3}, {"c": 1.0, "delta": 0.05})
]
TABLE: dict[tuple[str, str], tuple[Compare, list[Case]]] = {
    ("ucb1", "bandit"): (compare_ucb1, _ROUNDS),
    ("moss", "bandit"): (compare_moss, _ROUNDS),
    ("explore-then-commit", "bandit"): (
        compare_commit,
        [(m, 40, {"m": k}) for m in (APART, TIES, INSIDE, ONE) for k in (1, 5, 30)],
    ),
    ("successive-elimination", "bandit"): (
        compare_elimination,
        [
            (bernoulli(means=(0.9, 0.8, 0.0)), 400, {"delta": 0.5}),
            (bernoulli(means=(0.0, 1.0)), 100, {"delta": 0.6}),
            (INSIDE, 600, {"delta": 0.3, "c": 4.5, "scale": 0.2}),
            (ONE, 5, {"delta": 0.1}),
        ],
    ),
    ("kl-ucb", "bandit"): (
        compare_kl_ucb,
        [(m, 60, g) for m in (APART, INSIDE, TIES, ONE) for g in ({}, {"c": 3.0}, {"c": 1.0, "scale": 0.3})],
    ),
    ("thompson", "bandit"): (compare_thompson, [(APART, 40, {}), (INSIDE, 40, {})]),
    ("ucb-h", "episodic"): (compare_ucb_h, _EPISODES),
    ("q-learning", "episodic"): (
        compare_q_learning,
        [
            (m, 60, g)
            for m in (SWIM, SMALL)
            for g in ({}, {"horizon_rate": 1, "epsilon": 0.5}, {"start": 2.0, "epsilon": 0.0})
        ],
    ),
    ("psrl", "episodic"): (
        compare_psrl,
        [(SWIM, 25, {}), (SWIM, 25, {"known_rewards": 0}), (SMALL, 15, {"prior": 1.0})],
    ),
    ("psrl", "average"): (
        compare_tsde,
        [(two_state(slip=0.2, rewards="bernoulli"), 200, {"known_rewards": 0}), (CHAIN, 200, {})],
    ),
    ("rlsvi", "episodic"): (compare_rlsvi, [(SWIM, 25, {}), (SMALL, 25, {"v_scale": 0.01, "beta": 4.5})]),
    ("ucbvi-ch", "episodic"): (
        episodes_differ,
        [(m, 40, g) for m in (riverswim(states=3, horizon=3), *UCBVI_MODELS.values()) for g in SHOWING["ucbvi-ch"]],
    ),
    ("ucbvi-bf", "episodic"): (
        episodes_differ,
        [(m, 40, g) for m in (riverswim(states=3, horizon=3), *UCBVI_MODELS.values()) for g in SHOWING["ucbvi-bf"]],
    ),
    ("ucrl2", "average"): (
        compare_ucrl2,
        [
            (riverswim(states=3), 600, {"delta": 0.1}),
            (riverswim(states=3), 300, {"delta": 0.1, "cap_rewards": 0}),
            (garnet(S=4, A=3, b=2, seed=1), 400, {"delta": 0.1}),
        ],
    ),
    ("ucrl2b", "average"): (_follow, [(CHAIN, 200, {"delta": 0.1, "scale": 0.05, "max_sweeps": 300})]),
    ("kl-ucrl", "average"): (_follow, [(CHAIN, 150, {"delta": 0.1, "scale": 0.2, "max_sweeps": 300})]),
}  # fmt: skip


def differential(learner: Learner) -> str | None:
    """The first difference from the transcription on any of the learner's runs; `KeyError` where there is none."""
    compare, cases = TABLE[learner.name, learner.setting]
    for model, length, params in cases:
        given: Mapping[str, Any] = {k: v for k, v in params.items() if k in learner.params}
        found = compare(learner, model, length, dict(given))
        if found is not None:
            return f"{model.name}: {found}"
    return None
