"""Zinkevich, Johanson, Bowling, Piccione 2007: counterfactual regret minimisation (CFR). Two-player zero-sum games.

T iterations, both players updated at once; Delta the range of payoffs, A the largest number of actions, I = I_0 + I_1
infosets; exploitability is half the sum of what both gain by best responses to the average policies.

    theorem 3    a player's regret is at most the sum over its infosets of the positive parts of the immediate
                 counterfactual regrets [recalled]
    theorem 4    at every infoset the average of these is at most Delta sqrt(A) / sqrt(T), so that each player's average
                 regret is at most Delta I_i sqrt(A) / sqrt(T) [recalled]
    so           exploitability(T) <= Delta sqrt(A) (I_0 + I_1) / (2 sqrt(T)) for every T: the two average regrets add
                 up to twice the exploitability of the averages (theorem 2 counts it as an approximate equilibrium)

Derived, with r_t(I,a) = v_t(I,a) - <pi_t(I), v_t(I)>, R_T = sum_t r_t, and L(I), B(I) of `_cfr_tables`:

    orthogonal      <pi_t(I), r_t(I)> = 0 by definition
    increments      |r_t(I,a)| <= L(I): both terms are averages of payoffs below I times the reach of I
    potential       [R + r]^+ <= |R^+ + r| entry by entry, so |[R + r]^+|^2 <= |R^+|^2 + 2 <R^+, r> + |r|^2, and regret
                    matching makes <R^+, r> = |R^+|_1 <pi, r> = 0 (an infoset with R^+ = 0 needs nothing)
    immediate       summed: max_a R_T(I,a) <= |R_T^+| <= sqrt(sum_t |r_t|^2) <= B(I) sqrt(T)
    decomposition   for any plan x, <x - x_t, payoffs> = sum_I x(before I) <pi_x(I), r_t(I)>: by parts from the leaves
                    up. So a player's regret is max_x sum_I x(before I) <pi_x(I), R_T(I)>, and twice T exploitability
                    is V_0 + V_1 with V = max_a { R_T(I,a) + sum of V at the infosets next after a } from the last
                    infosets to the first: an equality, of which theorem 3 is the bound by positive parts
    sharp           exploitability(T) <= max over plans of both players of sum_I x(before I) B(I), over 2 sqrt(T)
"""

from __future__ import annotations

import numpy as np

from mdps.learners.cfr import learner as LEARNER
from proofs_check.mutants import cfr as faults
from proofs_check.papers import _cfr_probes as own
from proofs_check.papers import _cfr_tables as sizes
from proofs_check.papers._cfr_claims import Paper
from theorylab.claim import Context, Instance

#: where faults are planted: steps on Kuhn poker, bounds where they mean something soon
SMALL = Instance("kuhn", 12)
EARLY = Instance("perturbed-rps", 150)
LONGER = Instance("kuhn", 60)

PAPER = Paper(
    "zinkevich2007",
    LEARNER,
    own.together,
    sizes.tables(),
    {
        "policies averaged without reach": faults.policies_averaged,
        "every second iteration lost": faults.iterations_lost,
        "last iterate": faults.last_iterate,
        "plans squared in the average": faults.squared_average,
        "conditional values": faults.conditional_values,
        "chance left out": faults.chance_left_out,
        "opponent's reach left out": faults.opponent_left_out,
        "player 1's sign": faults.wrong_sign,
        "values not passed up": faults.not_passed_up,
        "last action below": faults.last_action_below,
        "mean of actions for their policy": faults.even_baseline,
        "regrets not accumulated": faults.forgetting,
        "absolute regrets matched": faults.absolute,
        "negative part matched": faults.worst,
        "regrets floored": faults.floored,
        "values computed once": faults.stale,
        "policy every second iteration": faults.late,
        "alternating": faults.alternating,
    },
    SMALL,
)


def bound(c: Context, n: np.ndarray) -> np.ndarray:
    """Delta sqrt(A) (I_0 + I_1) / (2 sqrt(n))."""
    return np.asarray(sizes.width(c) * np.sqrt(c.A) * c.I / (2.0 * np.sqrt(np.maximum(n, 1))))


def sharp(c: Context, n: np.ndarray) -> np.ndarray:
    """The bound by B(I) along one plan of each player."""
    return np.asarray(sizes.heaviest(c.model, sizes.sizes_of(c.model).B) / (2.0 * np.sqrt(np.maximum(n, 1))))


STEPS = [
    PAPER.step(
        "regrets",
        "R is the sum of the counterfactual regrets of the policies that were played.",
        "recalled", own.regrets, 1e-9,
        "conditional values; chance left out; opponent's reach left out; player 1's sign; values not passed up; "
        "last action below; mean of actions for their policy; regrets not accumulated; regrets floored; "
        "values computed once; alternating",
        copies=True,
    ),
    PAPER.step(
        "orthogonal",
        "The change of R at an infoset is orthogonal to the policy played there: sum_a pi_t(a) r_t(I,a) = 0.",
        "derived", own.orthogonal, 1e-9, "mean of actions for their policy; regrets not accumulated; regrets floored",
    ),
    PAPER.step(
        "increments",
        "R(I,a) changes by at most Delta_I m(I), the payoff range below I times its largest reach by chance and the "
        "opponent.",
        "derived", own.increments, 1e-9, "chance left out; opponent's reach left out",
    ),
    PAPER.step(
        "potential",
        "Regret matching: |R^+|^2 grows by at most the square of the change of R, at every infoset and iteration.",
        "derived", own.potential, 1e-9,
        "absolute regrets matched; negative part matched; policy every second iteration",
    ),
    PAPER.step(
        "immediate",
        "Theorem 4, sharper: sum_t r_t(I,a) <= Delta_I m(I) sqrt((|A(I)| - 1) T) for the policies that were played.",
        "derived", own.immediate, 1e-9, "negative part matched; player 1's sign",
    ),
    PAPER.step(
        "theorem3",
        "Theorem 3: 2 T exploitability <= the sum over infosets of the positive part of max_a R_T(I,a).",
        "recalled", own.theorem_3, 1e-9, "regrets not accumulated; last iterate",
    ),
    PAPER.step(
        "decomposition",
        "2 T exploitability of the average equals V_0 + V_1, the largest sums of R_T along one plan of each player.",
        "derived", own.decomposition, 1e-9,
        "policies averaged without reach; every second iteration lost; last iterate; plans squared in the average; "
        "conditional values; alternating; values not passed up; last action below",
    ),
    PAPER.step(
        "average",
        "What is averaged are realisation plans: total = sum_t x_t, so policies are weighed by the player's own reach.",
        "recalled", own.average, 1e-12, "policies averaged without reach; every second iteration lost",
        copies=True,
    ),
]  # fmt: skip


claims = [
    PAPER.final(
        "thm4",
        "Theorems 3 and 4: exploitability of the average after T iterations <= Delta sqrt(A) (I_0 + I_1) / (2 sqrt(T)) "
        "for every T.",
        "recalled", bound, EARLY,
        "last iterate; player 1's sign; values computed once; opponent's reach left out", STEPS,
    ),
    PAPER.final(
        "sharp",
        "exploitability(T) <= max over plans of sum_I x(before I) Delta_I m(I) sqrt(|A(I)| - 1), over 2 sqrt(T), for "
        "every T.",
        "derived", sharp, LONGER, "negative part matched; player 1's sign", STEPS,
    ),
    *STEPS,
]  # fmt: skip
