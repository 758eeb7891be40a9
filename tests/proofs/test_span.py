"""A finding: without the cap of figure 1 on optimistic rewards, UCRL2's span(u) <= D fails on a two-state MDP.

The run is deterministic (no slip, rewards 0 and 1, D = 1), so it is repeated here by the transcription of the
paper's pseudo-code, which shares no code with the learner, and the violating plan is computed by hand.
"""

from __future__ import annotations

import math

import numpy as np
import pytest

from tests.reference.ucrl2 import UCRL2
from theorylab.check import check
from theorylab.claim import Instance
from theorylab.plan import diameter
from theorylab.registry import find_model

STEP, T_K, SPAN = 7, 8, 1.3928647380171189  # in steps from 0, and from 1; reward units


def plausible(learner: UCRL2) -> bool:
    """Whether the true MDP (action 0 stays and pays 1 in state 1, action 1 moves) is within the radii of every pair."""
    for s in range(2):
        for a in range(2):
            reward, law = float(s == 1 and a == 0), np.eye(2)[s if a == 0 else 1 - s]
            if abs(learner.r_hat[s, a] - reward) > learner.radius_r[s, a]:
                return False
            if np.abs(learner.p_hat[s, a] - law).sum() > learner.radius_p[s, a]:
                return False
    return True


def plans(cap: float | None, steps: int) -> list[tuple[int, float, bool]]:
    """(step, span of the last iterate, plausible) at every plan of the transcription."""
    learner, s, out = UCRL2(2, 2, 0.1, reward_cap=cap), 0, []
    for t in range(steps):
        before = learner.episodes
        a = learner.act(s)
        if learner.episodes > before:
            out.append((t, float(learner.u_next.max() - learner.u_next.min()), plausible(learner)))
        r, s2 = float(s == 1 and a == 0), s if a == 0 else 1 - s
        learner.learn(s, a, r, s2)
        s = s2
    return out


def test_the_claim_without_the_cap_is_refuted_at_that_step() -> None:
    uncapped = [Instance("two-state", 100, {}, {"cap_rewards": 0})]
    evidence = check("jaksch2010.span", models=uncapped, target="python")
    assert evidence.verdict == "REFUTED" and evidence.e_refute == math.inf
    (instance,) = evidence.instances
    assert (instance.n, instance.first, instance.length) == (64, STEP, 100)
    assert instance.violations == 64  # every replicate: the run is deterministic
    assert instance.max_excess == pytest.approx(
        SPAN - (1.0 + 1e-9), abs=1e-12
    )  # the claim's D, with its room for rounding
    assert all(k.ok for k in evidence.controls)


def test_the_transcription_finds_the_same_plan() -> None:
    assert diameter(find_model("two-state")()) == pytest.approx(1.0, abs=1e-12)
    found = plans(None, 100)
    assert all(ok for _, _, ok in found)  # the event of coverage holds at every plan
    assert [t for t, span, _ in found if span > 1.0 + 1e-9] == [STEP]
    assert dict((t, span) for t, span, _ in found)[STEP] == pytest.approx(SPAN, abs=1e-9)


def test_the_violating_span_by_hand() -> None:
    """At t_k = 8, sweep by sweep, from the optimistic rewards alone.

    All radii of transitions exceed 2, so every plausible set holds a point mass on the best state: u_1(s) = max_a
    (r_hat + radius_r)(s, a), u_2 = u_1 + max u_1, and span(u_2) = span(u_1).
    """
    learner, s = UCRL2(2, 2, 0.1), 0
    for _ in range(STEP + 1):
        a = learner.act(s)
        r, s2 = float(s == 1 and a == 0), s if a == 0 else 1 - s
        learner.learn(s, a, r, s2)
        s = s2
    assert learner.t_k == T_K and learner.radius_p.min() > 2.0 and learner.iterations == 2

    def radius(n: int) -> float:
        return math.sqrt(7 * math.log(2 * 2 * 2 * T_K / 0.1) / (2 * n))

    best = []
    for x in range(2):
        best.append(max(learner.r_hat[x, b] + radius(max(1, int(learner.N[x, b]))) for b in range(2)))
    assert max(best) - min(best) == pytest.approx(SPAN, abs=1e-12)
    assert max(best) > 1.0  # an optimistic reward that no model with rewards in [0, 1] can pay


@pytest.mark.parametrize("seed", [0, 1])
def test_with_the_cap_the_claim_holds(seed: int) -> None:
    capped = [Instance("two-state", 300)]
    evidence = check("jaksch2010.span", models=capped, target="python", seed=seed)
    assert evidence.verdict == "NO VIOLATION FOUND" and evidence.n == 64
    assert all(span <= 1.0 for _, span, _ in plans(1.0, 300))
