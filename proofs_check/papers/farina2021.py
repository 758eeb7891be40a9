"""Farina, Kroer, Sandholm 2021: predictive CFR+ (PCFR+), alternating, quadratic averages. Two-player zero-sum games.

Predictive regret matching+ with the last instantaneous regret as prediction, m_t = r_{t-1}, m_1 = 0 [recalled]:

    theta_t = [Q_{t-1} + m_t]^+,  pi_t proportional to theta_t,  Q_t = [Q_{t-1} + r_t]^+,  average weights w_t = t^2

The paper bounds the regret by the errors of the prediction; its constant is not recalled with certainty, so the bounds
here are derived. Notation, r_t, B(I), drift and edge as in `tammelin2014`, W = T (T+1) (2T+1) / 6.

    potential    |Q_t|^2 <= |Q_{t-1}|^2 + |r_t - m_t|^2 - |theta_t - Q_{t-1}|^2. With a = Q_{t-1}, z = Q_t, theta =
                 theta_t: z and theta are the projections of a + r and a + m on the vectors >= 0, a convex cone, so for
                 every c >= 0
                   <c - z, r> <= <c - z, z - a> = (|c - a|^2 - |c - z|^2 - |z - a|^2) / 2
                   <z - theta, m> <= <z - theta, theta - a> = (|z - a|^2 - |z - theta|^2 - |theta - a|^2) / 2
                   <z - theta, r - m> <= (|z - theta|^2 + |r - m|^2) / 2
                 The sum bounds <c - theta, r>; at c = 0, where <theta, r> = 0 by regret matching, it is the statement
    norm         |r_t - m_t| <= |r_t| + |r_{t-1}| <= 2 B(I), at t = 1 B(I), so |Q_T| <= B(I) sqrt(4 T - 3): at worst a
                 prediction costs a factor of 2
    folk         as for CFR+ with t^2: sum_t t^2 r_t <= T^2 Q_T - sum_{t<T} (2t+1) Q_t, and
                 edge = max_y sum_{s<=T} (2s-1) [u(x_{T+1}, y) - u(x_s, y)] <= T^2 Delta
    bound        2 W exploitability(T) <= T^2 sqrt(4 T - 3) heaviest + [drift]^+ + T^2 Delta, with the drift of the run:
                 <theta_{t+1}, r_t> >= <Q_{t-1}, r_t> is what is left of CFR+'s improvement, and it may be negative. A
                 new policy can be worse against what was seen (in matching pennies it is, by up to .024); a bound on
                 the drift ahead of the run is not known here, and so none on exploitability
"""

from __future__ import annotations

from mdps.learners.pcfr_plus import learner as LEARNER
from proofs_check.mutants import pcfr_plus as faults
from proofs_check.papers import _cfr_probes as own
from proofs_check.papers import _cfr_tables as sizes
from proofs_check.papers._cfr_claims import Paper
from theorylab.claim import Instance

#: where faults are planted: steps on Kuhn poker, the bound where it means something
SMALL = Instance("kuhn", 12)
EARLY = Instance("perturbed-rps", 900)
TABLES = sizes.tables(power=2, alternate=1, prediction=1)
PAPER = Paper("farina2021", LEARNER, own.in_turn, TABLES, faults.FAULTS, SMALL)

claims = [
    PAPER.step(
        "bound",
        "2 W exploitability(T) <= T^2 sqrt(4T - 3) max over plans of sum_I x(before I) B(I) + [drift]^+ + T^2 Delta "
        "for every T, with the drift of the run.",
        "derived", own.after_the_run, 1e-9, "player 1's sign", place=EARLY,
    ),
    *PAPER.floored(),
    PAPER.step(
        "potential",
        "|Q_t|^2 <= |Q_{t-1}|^2 + |r_t - m_t|^2 - |[Q_{t-1} + m_t]^+ - Q_{t-1}|^2 with the prediction m_t = r_{t-1}.",
        "derived", own.predictive_potential, 1e-9,
        "negative part matched; squares of regrets matched; prediction's sign; prediction left out; "
        "prediction kept in the regrets",
    ),
    PAPER.step(
        "norm",
        "|Q_T| <= Delta_I m(I) sqrt((|A(I)| - 1) (4T - 3)) at every infoset.",
        "derived", own.norm, 1e-9, "floor left out; conditional values; chance left out",
    ),
    PAPER.step(
        "average",
        "The policy that is stood for is the average of x_t with weights t^2, by own reach.",
        "recalled", own.stands_for, 1e-9,
        "policies averaged without reach; all iterations weigh alike; first policy left out; next policies averaged; "
        "early iterations weigh most; last iterate; plans squared in the average",
    ),
    PAPER.step(
        "folk",
        "2 W exploitability <= V_0 + V_1 + drift + edge: V from T^2 Q_T - sum_{t<T} (2t+1) Q_t along plans, drift and "
        "edge what alternation costs.",
        "derived", own.folk, 1e-9, "regrets not accumulated; every second iteration; opponent's reach left out",
    ),
]  # fmt: skip
