"""The differential check of a learner by name: how it differs from its transcription on a few small runs, or None.

`python -m proofs_check.mutation` asks this of mutants that no claim catches, so the runs are chosen to reach every
line: bonuses small enough that values move and large enough that caps bind, ties, one arm or one stage, rewards inside
(0, 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from bandits.models.bernoulli import family as bernoulli
from mdps.models.garnet import family as garnet
from mdps.models.riverswim import family as riverswim
from mdps.models.star import family as star
from mdps.models.two_state import family as two_state
from mdps.models.wheel import family as wheel
from tests.differential._average_linear import table as average_linear
from tests.differential._baselines_a import CASES as BASELINE_CASES
from tests.differential._baselines_a import FAULT_CASES as BASELINE_FAULT_CASES
from tests.differential._baselines_a import compare as compare_baseline
from tests.differential._gosprl_rules import compare_ruled
from tests.differential._kl_rows import rows_differ
from tests.differential._posterior import compare_psrl, compare_q_learning, compare_rlsvi, compare_tsde
from tests.differential._sparse import compare_sparse
from tests.differential.stepping import compare_ucb1, compare_ucb_h, compare_ucrl2
from tests.differential.test_average_learners import accepted, circle, follow
from tests.differential.test_bandit_learners import (
    compare_commit,
    compare_elimination,
    compare_kl_ucb,
    compare_moss,
    compare_thompson,
    fixed,
)
from tests.differential.test_games import CASES as GAME_CASES
from tests.differential.test_games import NAMES as GAME_SOLVERS
from tests.differential.test_games import compare_any as compare_solver
from tests.differential.test_games_mmd import CASES as MMD_CASES
from tests.differential.test_games_mmd import compare as compare_mmd
from tests.differential.test_gosprl import CASES as GOSPRL_CASES
from tests.differential.test_gosprl import FAULT_CASES as GOSPRL_FAULT_CASES
from tests.differential.test_gosprl import compare as compare_gosprl
from tests.differential.test_gosprl import refusal_differs
from tests.differential.test_gosprl_sparse import CASES as SPARSE_CASES
from tests.differential.test_gosprl_tasks import DIAMETER_CASES, EXPLORE_CASES
from tests.differential.test_gosprl_tasks import compare as compare_task
from tests.differential.test_gosprl_variants import PLANNERS as GOSPRL_PLANNERS
from tests.differential.test_gosprl_variants import RULES as GOSPRL_RULES
from tests.differential.test_gosprl_variants import STATES as GOSPRL_STATES
from tests.differential.test_linear_bandits import MODELS as LINEAR_MODELS
from tests.differential.test_linear_bandits import compare_lin_thompson, compare_oful, without_factor
from tests.differential.test_linear_mdps import LINEAR, MIXTURE, compare_lsvi_ucb, compare_ucrl_vtr
from tests.differential.test_loop import BOX as LOOP_BOX
from tests.differential.test_loop import CASES as LOOP_CASES
from tests.differential.test_loop import VARIANTS as LOOP_VARIANTS
from tests.differential.test_loop import compare as compare_loop
from tests.differential.test_loop_linear import CASES as LOOP_LINEAR_CASES
from tests.differential.test_loop_linear import VARIANTS as LOOP_LINEAR_VARIANTS
from tests.differential.test_loop_linear import loop_or_refusal as compare_loop_linear
from tests.differential.test_loop_models import CASES as LOOP_MODELS_CASES
from tests.differential.test_loop_models import COMPARE as LOOP_MODELS
from tests.differential.test_loop_values import CASES as LOOP_VALUES_CASES
from tests.differential.test_loop_values import compare as compare_values
from tests.differential.test_max_ent import CASES as MAX_ENT_CASES
from tests.differential.test_max_ent import POLICY_CASES, compare_max_ent, compare_policy
from tests.differential.test_mdp_oomd import CASES as OOMD_CASES
from tests.differential.test_mdp_oomd import compare as compare_oomd
from tests.differential.test_optimistic_q import CASES as OPTIMISTIC_Q_CASES
from tests.differential.test_optimistic_q import compare as compare_optimistic_q
from tests.differential.test_pmevi_dt import CASES as PMEVI_CASES
from tests.differential.test_pmevi_dt import RARE as PMEVI_RARE
from tests.differential.test_pmevi_dt import compare as compare_pmevi
from tests.differential.test_politex import CASES as POLITEX_CASES
from tests.differential.test_politex import compare as compare_politex
from tests.differential.test_scal import CASES as SCAL_CASES
from tests.differential.test_scal import NARROW as SCAL_NARROW
from tests.differential.test_scal import compare as compare_scal
from tests.differential.test_scal import refused
from tests.differential.test_ucbvi import MODELS as UCBVI_MODELS
from tests.differential.test_ucbvi import SHOWING, episodes_differ
from tests.differential.test_variance_learners import EPISODIC, TOTAL_ONE, compare_euler, compare_mvp
from theorylab.errors import InputError
from theorylab.learner import Learner

Compare = Callable[[Learner, Any, int, dict[str, Any]], str | None]
Case = tuple[Any, int, dict[str, Any]]

TIES, APART, ONE = bernoulli(means=(1.0, 1.0, 1.0)), bernoulli(means=(0.9, 0.1)), bernoulli(means=(0.5,))
INSIDE = fixed(0.3, 0.55, 0.5)
SWIM, CHAIN = riverswim(states=3, horizon=3, rewards="bernoulli"), riverswim(states=3, rewards="bernoulli")
SMALL = garnet(S=3, A=3, b=2, seed=2, horizon=3)
GARNET_4 = garnet(S=4, A=3, b=2, seed=1)
FLAT = riverswim(states=3, horizon=1, rewards="bernoulli")
#: no models: rows of an inner maximum, parameters without meaning, and a matrix that is singular to rounding
HARD_ROWS, REFUSED = SimpleNamespace(name="hard rows"), SimpleNamespace(name="refused")
NO_FACTOR = SimpleNamespace(name="no factor")
_ALONE = garnet(S=1, A=1, b=1, seed=1)
_COINS, _ROOM = garnet(S=3, A=2, b=2, seed=2, rewards="bernoulli"), garnet(S=1, A=3, b=1, seed=1)
# planned at t = 3 with one visit each: the first sweep's changes span .5, the precision there, or less
_AT_HALF, _BELOW_HALF = circle(0.0, 0.5, 0.25), circle(0.0, 0.46, 0.25)


def _follow(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    if model is HARD_ROWS:
        return rows_differ(learner, steps)
    if model is REFUSED:
        return accepted(learner, params)
    return follow(learner, model, steps, params)[0]


def _refusing(compare: Compare) -> Compare:
    """The same, and of REFUSED whether parameters without meaning are refused."""

    def both(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
        return accepted(learner, params) if model is REFUSED else compare(learner, model, steps, params)

    return both


def _scal(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    return refused(learner) or compare_scal(learner, model, steps, params)


def _oful(learner: Learner, model: Any, rounds: int, params: dict[str, Any]) -> str | None:
    return without_factor(learner) if model is NO_FACTOR else compare_oful(learner, model, rounds, params)


def _collect(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """From the first step on, from the second, and where the precision of a plan has reached its floor; a refusal."""
    given = {"max_sweeps": 5_000, **params}
    begun = ((0, steps), (1, 20), (1_000_000, 40))
    found = (compare_gosprl(learner, model, n, given, begin=begin) for begin, n in begun)
    return next(
        (f for f in (refusal_differs(learner, model), _unrefused(learner, model), *found) if f is not None), None
    )


def _unrefused(learner: Learner, model: Any) -> str | None:
    """A radius that does not exist and a negative multiplier are refused by name."""
    for wrong in ({"radius": 3}, {"alpha": -1.0}):
        ((name, value),) = wrong.items()
        if name not in learner.settable:
            continue
        try:
            learner.parameters(wrong, {"S": model.S, "A": model.A, "T": 1})
        except InputError as refused:
            if f"{name}={value}" in str(refused):
                continue
        return f"{name}={value} is not refused"
    return None


def _ruled(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """From the first step on, and from where the precision of a plan is 1/4, and where it has reached its floor."""
    given = {"max_sweeps": 5_000, **params}
    found = (compare_ruled(learner, model, n, given, begin=begin) for begin, n in _begun(steps))
    return next((f for f in (_unrefused(learner, model), *found) if f is not None), None)


def _tasks(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """The same for exploration and the diameter."""
    found = (compare_task(learner, model, n, params, begin=begin) for begin, n in _begun(steps))
    return next((f for f in (_unrefused(learner, model), *found) if f is not None), None)


def _sparse(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """The same for `gosprl-sparse`, beside `gosprl`."""
    given = {"max_sweeps": 5_000, **params}
    found = (compare_sparse(learner, model, n, given, begin=begin) for begin, n in (*_begun(steps), (1, 20)))
    refused = (refusal_differs(learner, model), _unrefused(learner, model))
    return next((f for f in (*refused, *found) if f is not None), None)


def _begun(steps: int) -> tuple[tuple[int, int], ...]:
    return (0, steps), (2, 40), (1_000_000, 60)


_ROUNDS: list[Case] = [(m, 120, {}) for m in (APART, TIES, INSIDE, ONE)] + [(INSIDE, 120, {"scale": 0.4})]
_EPISODES: list[Case] = [
    (m, 60, g) for m in (SWIM, FLAT, SMALL) for g in ({"c": 0.05, "delta": 0.3}, {"c": 1.0, "delta": 0.05})
]
_UCBVI = (riverswim(states=3, horizon=3), *UCBVI_MODELS.values())
_COLLECTION: list[Case] = [
    *GOSPRL_FAULT_CASES,
    *((m, 200, g) for m, g in GOSPRL_CASES.values()),
    # the frequency of the self-loop is 1/4 in the plan at t = 8 of a run from 1 on: a change of 1/16 is the precision
    (star(p=(0.7,)), 40, {"b": [[0], [8]], "alpha": 0.0}),
    # a plan at t = 1 that stops at a change of 0.31, below its precision 0.5; later an entry falls back to zero
    (garnet(S=3, A=1, b=2, seed=0), 40, {"b": [[0], [0], [4]], "alpha": 0.022}),
]
_APART_BY_ROUNDING = [[0, 0, 5], [0, 1, 0], [0, 2, 0], [0, 0, 9], [0, 0, 0], [0, 0, 6]]
_PLANNED: dict[str, list[Case]] = {
    "gosprl-policy-iteration": [
        *GOSPRL_STATES,
        *_COLLECTION,
        (riverswim(states=4), 200, {"samples": 4, "alpha": 0.1, "max_sweeps": 1}),
        (star(p=(0.1,)), 40, {"b": [[1], [1]], "alpha": 0.0, "max_sweeps": 60}),  # a pivot of zero
        # two actions whose values are the same but for rounding
        (garnet(S=6, A=3, b=2, seed=70), 40, {"b": _APART_BY_ROUNDING, "alpha": 0.0, "radius": 1, "max_sweeps": 60}),
    ],
    "gosprl-extended": [
        *((m, min(n, 120), g) for m, n, g in GOSPRL_STATES),
        *((m, 60, g) for m, g in GOSPRL_CASES.values()),
        (riverswim(states=4), 200, {"samples": 4, "alpha": 0.1, "max_sweeps": 5}),
        # a change of 1/16 is the precision at t = 8 of a run from 1 on; at t = 1 a plan that stops at one below 0.5
        (star(p=(0.62,)), 40, {"b": [[0], [4]], "alpha": 0.0, "max_sweeps": 200}),
        (garnet(S=3, A=1, b=2, seed=0), 40, {"b": [[0], [0], [4]], "alpha": 0.022, "max_sweeps": 60}),
        # lower ends above zero of the goal, whose upper end binds before the free mass is spent; boxes that are points,
        # where rounding leaves a mass that none takes
        (garnet(S=4, A=1, b=4, seed=1), 60, {"b": [[0], [0], [0], [12]], "alpha": 0.01, "max_sweeps": 300}),
        (garnet(S=4, A=1, b=4, seed=1), 60, {"b": [[0], [0], [0], [12]], "alpha": 0.0, "max_sweeps": 60}),
    ],
}
_TASKS: dict[str, list[Case]] = {
    "gosprl-explore": [
        *EXPLORE_CASES,
        # a bound phi below zero: nothing is asked for
        (garnet(S=1, A=1, b=1, seed=1), 10, {"times": 1.0, "epsilon": 1e3, "theta": 1e3, "delta": 0.999999}),
        (star(p=(0.02,)), 40, {"times": 2.0, "epsilon": 0.8, "alpha0": 1e-9, "alpha": 0.022}),
        (riverswim(states=3), 40, {"times": 2.0, "epsilon": 0.8, "alpha0": 0.003, "alpha": 0.0, "max_sweeps": 200}),
        *(
            (GARNET_4, 150, {"times": 3.0, "epsilon": 0.9, "cost": 0.5, "alpha0": 0.003, "alpha": 0.05, **more})
            for more in ({"radius": 1}, {"radius": 2}, {"max_sweeps": 3})
        ),
    ],
    "gosprl-diameter": [
        *DIAMETER_CASES,
        *(
            (star(p=(0.5, 0.25)), 150, {"epsilon": 1.0, "alpha": 0.01, **more})
            for more in ({"radius": 1}, {"radius": 2}, {"max_sweeps": 3})
        ),
        # without data all times are 1, at once: |v| = W in the second round; infinite where one sweep is allowed
        (star(p=(0.5, 0.25)), 5, {"epsilon": 1.0, "alpha": 1e-6}),
        (star(p=(0.5, 0.25)), 5, {"epsilon": 1.0, "alpha": 1e-6, "max_sweeps": 1}),
        (_ALONE, 10, {"epsilon": 1.0, "alpha": 0.01}),
        # boxes and balls that bind
        (garnet(S=4, A=2, b=4, seed=1), 120, {"epsilon": 1.0, "alpha": 0.003}),
        (garnet(S=4, A=2, b=3, seed=1), 120, {"epsilon": 1.0, "alpha": 0.012, "radius": 2}),
        (garnet(S=4, A=1, b=4, seed=1), 150, {"epsilon": 1.0, "alpha": 0.038, "radius": 2}),
        (two_state(slip=0.2), 100, {"epsilon": 1.0, "alpha": 0.05, "radius": 2}),
    ],
}
_RULED: dict[str, list[Case]] = {
    # on the star one visit is enough, so that an attempt begins at t = 1, where 0.37 is below the precision
    "gosprl-modest": [
        (star(p=(0.02,)), 40, {"eta": 300.0, "rule": 1, "alpha": 0.022}),
        (garnet(S=3, A=2, b=2, seed=2), 60, {"eta": 2.0, "rule": 1}),
        *((garnet(S=3, A=2, b=2, seed=2), 150, {"eta": x, "alpha": 0.05, "radius": 2}) for x in (0.5, 0.2)),
        *((GARNET_4, 150, {"eta": 0.5, "shrink": 0.8, "alpha": 0.005, "max_sweeps": k}) for k in (3, 5_000)),
    ],
    "gosprl-noise": [
        (star(p=(0.1,)), 40, {"samples": 20, "least": 1, "alpha": 0.022}),
        # bounds of zero, and a change of 1/64 that is the precision at t = 32
        (star(p=(0.5,)), 40, {"samples": 17, "least": 2, "alpha": 0.0, "max_sweeps": 200}),
        (star(p=(0.25, 0.7)), 40, {"samples": 13, "least": 5, "alpha": 0.0, "max_sweeps": 200}),
        *((GARNET_4, 200, {"samples": 30, "least": 2, "alpha": 0.05, "radius": k}) for k in (1, 2)),
        (GARNET_4, 200, {"samples": 30, "least": 2, "alpha": 0.05, "max_sweeps": 3}),
    ],
}
_BASELINES = {**BASELINE_CASES, "zero-one-ucrl": [(REFUSED, 0, {"tau": 0.0}), *BASELINE_CASES["zero-one-ucrl"]]}
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
        [(m, 60, g) for m in (APART, INSIDE, TIES, ONE) for g in ({}, {"c": 3.0}, {"c": 1.0, "scale": 0.3})]
        + [(fixed(x), 40, {}) for x in (0.9, 0.97)]  # roots near 1, few steps from the start
        + [(fixed(*3 * (x,)), 40, {"c": 3.0}) for x in (0.3, 0.95, 0.96, 0.97)]  # ties; indices that round to 1
        + [(fixed(0.1, 0.08, 0.09), 120, {"scale": 0.3}), (fixed(1e-3), 40, {"scale": 1e-7})]  # indices far below 1
        + [(bernoulli(means=(0.0, 0.0)), 10, {"scale": 0.0}), (INSIDE, 20, {"scale": 0.0})]  # the mean alone
        + [(fixed(0.5, 0.5), 3, {"scale": 0.5 / math.log(3.0)})],  # Pinsker's start is 1 to the last bit
    ),
    ("thompson", "bandit"): (compare_thompson, [(APART, 40, {}), (INSIDE, 40, {})]),
    ("oful", "bandit"): (
        _oful,
        [(m, 40, g | {"radius": k}) for m, g in LINEAR_MODELS.values() for k in (0, 1, 2, 3)]
        + [(LINEAR_MODELS["one dimension"][0], 260, {"lam": 2.0}), (NO_FACTOR, 1, {})],
    ),
    ("lin-thompson", "bandit"): (
        compare_lin_thompson,
        [(m, 40, g | {"inflate": k}) for m, g in LINEAR_MODELS.values() for k in (0, 1)],
    ),
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
        [(SWIM, 25, {}), (SWIM, 25, {"known_rewards": 0}), (SMALL, 15, {"prior": 0.7})],
    ),
    ("psrl", "average"): (
        compare_tsde,
        [
            (two_state(slip=0.2, rewards="bernoulli"), 200, {"known_rewards": 0}),
            (CHAIN, 200, {}),
            (CHAIN, 60, {"max_sweeps": 20}),
            (CHAIN, 60, {"precision": 1.0}),  # the span of the first sweep, from rewards 0 to 1
            (wheel(states=3), 60, {"prior": 0.7}),
        ],
    ),
    ("rlsvi", "episodic"): (compare_rlsvi, [(SWIM, 25, {}), (SMALL, 25, {"v_scale": 0.01, "beta": 4.5})]),
    ("ucbvi-ch", "episodic"): (
        episodes_differ,
        [(m, 40, g) for m in _UCBVI for g in SHOWING["ucbvi-ch"]],
    ),
    ("ucbvi-bf", "episodic"): (
        episodes_differ,
        [
            *((m, 40, g) for m in _UCBVI for g in SHOWING["ucbvi-bf"]),
            (SMALL, 20, {"delta": 0.1, "scale": 0.1, "correction": 0.0}),  # 0 / N', with N' = 0 at first
        ],
    ),
    ("euler", "episodic"): (
        compare_euler,
        [
            (m, 40, {"delta": 0.3, "scale": c, "pooled": g})
            for m in EPISODIC.values()
            for c, g in ((0.01, 0), (0.1, 0), (1.0, 0), (0.03, 1))
            if not (m.stage_dependent and g)
        ],
    ),
    ("mvp", "episodic"): (
        compare_mvp,
        [(m, 150, {"delta": 0.3, "scale": c}) for m in TOTAL_ONE.values() for c in (0.002, 0.02, 1.0)],
    ),
    ("lsvi-ucb", "episodic"): (
        compare_lsvi_ucb,
        [
            (m, 16, g)
            for m in LINEAR.values()
            for g in ({"c": 0.02, "delta": 0.1}, {"c": 1.0, "scale": 0.2, "delta": 0.3, "lam": 0.5})
        ],
    ),
    ("ucrl-vtr", "episodic"): (
        compare_ucrl_vtr,
        [
            (m, 10, g)
            for m in MIXTURE.values()
            for g in ({"B": 0.1, "delta": 0.9, "lam": 4.0}, {"trace": 1}, {"homogeneous": 0, "scale": 0.05})
        ],
    ),
    ("gosprl", "average"): (
        _collect,
        [*_COLLECTION, *GOSPRL_STATES, (riverswim(states=4), 200, {"samples": 4, "alpha": 0.1, "max_sweeps": 5})],
    ),
    ("known-p-greedy", "average"): (
        _collect,
        [*_COLLECTION, *GOSPRL_STATES, (riverswim(states=4), 200, {"samples": 4, "max_sweeps": 10})],
    ),
    **{(name, "average"): (_collect, [*cases, *_PLANNED[name]]) for name, cases in GOSPRL_PLANNERS.items()},
    **{(name, "average"): (_ruled, [*cases, *_RULED[name]]) for name, cases in GOSPRL_RULES.items()},
    ("gosprl-sparse", "average"): (
        _sparse,
        [
            *((m, 120, {**g, "slots": k}) for m, _, g, k in SPARSE_CASES.values()),
            *((m, n, {**g, "slots": 0}) for m, n, g in GOSPRL_STATES),
            *((m, 200, {**g, "slots": 0}) for m, n, g in _COLLECTION if g.get("alpha") != 0.0),
            (riverswim(states=4), 200, {"samples": 4, "alpha": 0.1, "slots": 0, "max_sweeps": 5}),
            *((garnet(S=6, A=3, b=4, seed=1), 60, {"samples": 5, "alpha": 0.03, "slots": k}) for k in (1, 2, 3)),
            # the pair without a slot is neither in state 0 nor of action 0
            (garnet(S=4, A=3, b=3, seed=2), 60, {"samples": 3, "alpha": 0.1, "slots": 2}),
            # a change of 1/16 is the precision at t = 8 of a run from 1 on
            (star(p=(0.62,)), 40, {"b": [[0], [4]], "alpha": 0.0, "slots": 0, "max_sweeps": 200}),
        ],
    ),
    **{(name, "average"): (_tasks, cases) for name, cases in _TASKS.items()},
    ("max-ent", "average"): (_refusing(compare_max_ent), [(REFUSED, 0, {"tau": 0.0}), *MAX_ENT_CASES.values()]),
    ("stationary-policy", "average"): (compare_policy, list(POLICY_CASES)),
    **{
        (name, "average"): (_refusing(compare_baseline), [*BASELINE_FAULT_CASES[name], *cases])
        for name, cases in _BASELINES.items()
    },
    ("ucrl2", "average"): (
        compare_ucrl2,
        [
            (riverswim(states=3), 600, {"delta": 0.1, "max_sweeps": 200}),
            (riverswim(states=3), 300, {"delta": 0.1, "cap_rewards": 0, "max_sweeps": 200}),
            (garnet(S=4, A=3, b=2, seed=1), 400, {"delta": 0.1, "max_sweeps": 200}),
            (CHAIN, 3000, {"delta": 0.9, "max_sweeps": 200}),
            (garnet(S=3, A=1, b=2, seed=1), 4000, {"delta": 0.1, "max_sweeps": 200}),
            (garnet(S=3, A=1, b=2, seed=1), 4000, {"delta": 0.1, "max_sweeps": 5}),
            (_COINS, 2000, {"delta": 0.1, "cap_rewards": 0, "max_sweeps": 200}),
            (_ROOM, 40, {"delta": 0.1, "max_sweeps": 200}),
            *((m, 10, {"delta": 0.1, "cap_rewards": 0, "max_sweeps": 200}) for m in (_AT_HALF, _BELOW_HALF)),
        ],
    ),
    ("ucrl2b", "average"): (
        _follow,
        [
            (CHAIN, 200, {"delta": 0.1, "scale": 0.05, "max_sweeps": 300}),
            (_COINS, 400, {"delta": 0.3, "scale": 0.05, "max_sweeps": 300}),
            (_COINS, 400, {"delta": 0.3, "scale": 0.1, "form": 1, "alpha": 0.4, "tau": 0.5, "max_sweeps": 300}),
            (garnet(S=4, A=3, b=3, seed=1), 300, {"delta": 0.1, "scale": 0.03, "alpha": 0.5, "max_sweeps": 300}),
            (riverswim(states=4), 300, {"delta": 0.1, "scale": 0.02, "tau": 0.6, "max_sweeps": 300}),
            (riverswim(states=4), 300, {"delta": 0.1, "scale": 0.02, "tau": 0.6, "max_sweeps": 8}),
            (garnet(S=4, A=1, b=3, seed=1), 300, {"delta": 0.1, "scale": 0.1, "tau": 1.0, "max_sweeps": 300}),
            (garnet(S=4, A=3, b=3, seed=1), 200, {"delta": 0.1, "scale": 0.0, "tau": 0.5, "max_sweeps": 300}),
            (REFUSED, 0, {"tau": 0.0}),
            (two_state(), 100, {"delta": 0.1, "max_sweeps": 300}),
            (_ROOM, 40, {"delta": 0.1, "max_sweeps": 300}),
            *((m, 10, {"delta": 0.1, "scale": 0.0, "tau": 0.5, "max_sweeps": 300}) for m in (_AT_HALF, _BELOW_HALF)),
        ],
    ),
    **{(name, "game"): (compare_solver, GAME_CASES) for name in GAME_SOLVERS},
    **{(name, "game"): (compare_mmd, cases) for name, cases in MMD_CASES.items()},
    ("scal", "average"): (_scal, [*SCAL_NARROW, *SCAL_CASES]),
    ("optimistic-q", "average"): (compare_optimistic_q, OPTIMISTIC_Q_CASES),
    ("mdp-oomd", "average"): (compare_oomd, OOMD_CASES),
    ("politex", "average"): (compare_politex, POLITEX_CASES),
    **average_linear(),
    ("pmevi-dt", "average"): (_refusing(compare_pmevi), [(REFUSED, 0, {"tau": 0.0}), *PMEVI_RARE, *PMEVI_CASES]),
    **{
        (name, "average"): (compare, [(m, n, p) for k, m, n, p in LOOP_MODELS_CASES.values() if k == name])
        for name, compare in LOOP_MODELS.items()
    },
    ("loop", "average"): (compare_loop, [*LOOP_VARIANTS, *LOOP_CASES]),
    ("loop-ascent", "average"): (compare_loop, [*LOOP_VARIANTS, *LOOP_CASES[:2]]),
    ("loop-box", "average"): (compare_loop, [LOOP_BOX, *LOOP_VARIANTS, *LOOP_CASES]),
    ("loop-values", "average"): (compare_values, LOOP_VALUES_CASES),
    ("loop-linear", "average"): (
        compare_loop_linear,
        [*LOOP_LINEAR_VARIANTS, *((m, n, g) for k, m, n, g in LOOP_LINEAR_CASES.values() if k == "loop-linear")],
    ),
    ("kl-ucrl", "average"): (
        _follow,
        [
            (CHAIN, 150, {"delta": 0.1, "scale": 0.2, "max_sweeps": 300}),
            (_COINS, 200, {"delta": 0.3, "scale": 0.02, "tau": 0.5, "max_sweeps": 300}),
            (_COINS, 60, {"delta": 0.3, "scale": 20.0, "max_sweeps": 300}),
            (garnet(S=4, A=3, b=3, seed=1), 200, {"delta": 0.1, "scale": 0.03, "max_sweeps": 300}),
            (riverswim(states=4), 200, {"delta": 0.1, "scale": 0.02, "tau": 0.6, "max_sweeps": 300}),
            (riverswim(states=4), 200, {"delta": 0.1, "scale": 0.02, "tau": 0.6, "max_sweeps": 8}),
            (garnet(S=4, A=1, b=3, seed=1), 200, {"delta": 0.1, "scale": 0.1, "max_sweeps": 300}),
            (garnet(S=3, A=2, b=3, seed=2), 200, {"delta": 0.1, "scale": 0.0, "tau": 0.5, "max_sweeps": 300}),
            (two_state(), 100, {"delta": 0.1, "max_sweeps": 300}),
            *((two_state(), k, {"delta": 0.1}) for k in (1, 3)),
            (REFUSED, 0, {"tau": 0.0}),
            (HARD_ROWS, 1500, {}),
            (_ROOM, 40, {"delta": 0.1, "max_sweeps": 300}),
            *((m, 10, {"delta": 0.1, "scale": 0.0, "tau": 0.5, "max_sweeps": 300}) for m in (_AT_HALF, _BELOW_HALF)),
        ],
    ),
}  # fmt: skip


def differential(learner: Learner) -> str | None:
    """The first difference from the transcription on any of the learner's runs; `KeyError` where there is none."""
    compare, cases = TABLE[learner.name, learner.setting]
    for model, length, params in cases:
        given: Mapping[str, Any] = {k: v for k, v in params.items() if k in learner.settable}
        found = compare(learner, model, length, dict(given))
        if found is not None:
            return f"{model.name}: {found}"
    return None
