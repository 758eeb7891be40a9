"""Tammelin 2014: CFR+, regret matching+ with alternating updates and linear averages. Two-player zero-sum games.

The note gives the algorithm; a bound came with Tammelin, Burch, Johanson, Bowling 2015 (tammelin2015):

    printed      the linear averages after T iterations are a 2 Delta sqrt(A) (I_0 + I_1) / sqrt(T)-equilibrium, so that
                 exploitability, the mean of what both gain, is at most that [recalled]. The proof there leaves out what
                 alternation costs (burch2019 [recalled]); below it is counted.

Iteration t takes (x_t, y_t) to x_{t+1}, which answers y_t, and then to y_{t+1}, which answers x_{t+1}; the averages
weigh x_t and y_t by t. r_t is the counterfactual regret at an infoset of the player against what it saw, Q_t the
floored regrets, W = T (T+1) / 2, B(I), L(I) as in `_cfr_tables`. Derived:

    dominates    Q_t = [Q_{t-1} + r_t]^+ >= Q_{t-1} + r_t, so (plain) Q_T >= sum_t r_t, and with weights
                 sum_t t r_t <= sum_t t (Q_t - Q_{t-1}) = T Q_T - sum_{t<T} Q_t <= T Q_T
    potential    |Q_t|^2 <= |Q_{t-1} + r_t|^2 = |Q_{t-1}|^2 + |r_t|^2, as <Q_{t-1}, r_t> = 0: pi_t is proportional to
                 Q_{t-1}; so (norm) |Q_T| <= B(I) sqrt(T)
    improvement  u(x_{t+1}, y_t) >= u(x_t, y_t), likewise for player 1 (burch2019 [recalled]). At an infoset each
                 [Q + r]^+ r >= Q r: equal to Q r + r^2 where Q + r >= 0, and else 0 >= Q r as r < 0. So <Q_t, r_t> >=
                 <Q_{t-1}, r_t> = 0 and <pi_{t+1}, r_t> >= 0. Where Q_t = 0: r_t <= -Q_{t-1} and <pi_t, r_t> = 0, so
                 Q_{t-1} = 0, pi_t is the first policy or uniform, positive everywhere, and r_t = 0. Changes at all
                 infosets add up with weights x_{t+1}(before I) >= 0
    folk         with u of player 0, Reg_i = max of sum_t t r_t along a plan of player i, and w_t = t, w_0 = 0:
                   W max_x u(x, y^) = max_x sum t u(x, y_t) = Reg_0 + sum t u(x_t, y_t)
                   sum_t t u(x_{t+1}, y) = sum_{s<=T} (s-1) u(x_s, y) + T u(x_{T+1}, y)
                   - W u(x^, y) = - sum t u(x_{t+1}, y) - sum_{s<=T} [u(x_s, y) - u(x_{T+1}, y)]
                                <= Reg_1 - sum t u(x_{t+1}, y_t) + edge,     edge = max_y of the last sum <= T Delta
                 2 W exploitability <= Reg_0 + Reg_1 + drift + edge, drift = sum t [u(x_t, y_t) - u(x_{t+1}, y_t)]
    bound        drift <= 0 by improvement, Reg_i <= T max over plans of sum_I x(before I) B(I) sqrt(T). So
                 exploitability(T) <= (heaviest sqrt(T) + Delta) / (T + 1), heaviest = that maximum for both players
"""

from __future__ import annotations

import numpy as np

from mdps.learners.cfr_plus import learner as LEARNER
from proofs_check.mutants import cfr_plus as faults
from proofs_check.papers import _cfr_probes as own
from proofs_check.papers import _cfr_tables as sizes
from proofs_check.papers._cfr_claims import Paper
from theorylab.claim import Context, Instance

#: where faults are planted: steps on Kuhn poker, bounds where they mean something soon
SMALL = Instance("kuhn", 12)
EARLY = Instance("perturbed-rps", 600)

PAPER = Paper("tammelin2014", LEARNER, own.in_turn, sizes.tables(power=1, alternate=1), faults.FAULTS, SMALL)


def printed(c: Context, n: np.ndarray) -> np.ndarray:
    """2 Delta sqrt(A) (I_0 + I_1) / sqrt(n)."""
    return np.asarray(2.0 * sizes.width(c) * np.sqrt(c.A) * c.I / np.sqrt(np.maximum(n, 1)))


def bound(c: Context, n: np.ndarray) -> np.ndarray:
    """(heaviest sqrt(n) + Delta) / (n + 1)."""
    most = sizes.heaviest(c.model, sizes.sizes_of(c.model).B)
    return np.asarray((most * np.sqrt(n) + sizes.width(c)) / (np.asarray(n, dtype=float) + 1.0))


STEPS = [
    *PAPER.floored(),
    PAPER.step(
        "plain",
        "The floored regrets are at least the plain ones: Q_T >= sum_t r_t.",
        "recalled", own.plain, 1e-9, "regrets not accumulated; player 1's sign; values computed once",
    ),
    PAPER.step(
        "potential",
        "|Q_t|^2 <= |Q_{t-1}|^2 + |r_t|^2 at every infoset.",
        "derived", own.predictive_potential, 1e-9,
        "negative part matched; squares of regrets matched; chance left out; opponent's reach left out",
    ),
    PAPER.step(
        "norm",
        "|Q_T| <= Delta_I m(I) sqrt((|A(I)| - 1) T) at every infoset.",
        "derived", own.norm, 1e-9, "floor left out; conditional values; chance left out",
    ),
    PAPER.step(
        "improvement",
        "A player's new policy earns at least what the old one did against the policy that it saw.",
        "recalled", own.improvement, 1e-9, "negative part matched; player 1's sign; simultaneous",
    ),
    PAPER.step(
        "average",
        "The policy that is stood for is the average of x_t with weights t, by own reach.",
        "recalled", own.stands_for, 1e-9,
        "policies averaged without reach; all iterations weigh alike; first policy left out; next policies averaged; "
        "early iterations weigh most; last iterate; plans squared in the average",
    ),
    PAPER.step(
        "folk",
        "2 W exploitability <= V_0 + V_1 + drift + edge: V from T Q_T - sum_{t<T} Q_t along plans, drift and edge what "
        "alternation costs.",
        "derived", own.folk, 1e-9, "regrets not accumulated; every second iteration; opponent's reach left out",
    ),
]  # fmt: skip

claims = [
    PAPER.final(
        "printed",
        "The linear average is a 2 Delta sqrt(A) (I_0 + I_1) / sqrt(T)-equilibrium for every T (tammelin2015).",
        "recalled", printed, EARLY, "player 1's sign", STEPS, "tammelin2015",
    ),
    PAPER.final(
        "bound",
        "exploitability(T) <= (sqrt(T) max over plans of sum_I x(before I) Delta_I m(I) sqrt(|A(I)| - 1) + Delta) / "
        "(T + 1) for every T, alternation counted.",
        "derived", bound, EARLY, "player 1's sign; opponent's reach left out; values computed once", STEPS,
    ),
    *STEPS,
]  # fmt: skip
