"""Heinrich, Lanctot, Silver 2015: fictitious play in extensive form (XFP). Two-player zero-sum games.

    b_t        a best response of each player to the other's average policy so far
    mixing     behavioural policies are mixed by realisation: the plans add up, X_{t+1} = X_t + x(b_t), and the average
               policy has the plans X_t / t (stepsize 1/(t+1)); this is fictitious play on the normal form [recalled]

Averages converge to equilibria in zero-sum games (Robinson 1951 [recalled]); no rate is known with a constant that is
worth a check, so the claims are the steps. Derived:

    convex     max_x u(x, y) is convex in y, and so is exploitability in the pair of plans: that of the new averages is
               at most (t times that of the old ones + that of the replies) / (t + 1)
"""

from __future__ import annotations

from mdps.learners.fictitious_play import learner as LEARNER
from proofs_check.mutants import fictitious_play as faults
from proofs_check.papers import _cfr_replies as own
from proofs_check.papers._cfr_claims import Paper
from theorylab.claim import Instance

PAPER = Paper(
    "heinrich2015",
    LEARNER,
    own.monitor,
    None,
    {
        "first policy left out": faults.first_left_out,
        "worst reply": faults.worst,
        "values not passed up": faults.not_passed_up,
        "reply softened": faults.softened,
        "opponent's reach left out": faults.opponent_left_out,
        "player 1's sign": faults.wrong_sign,
        "later replies weigh more": faults.later_more,
        "replies lost": faults.replies_lost,
        "policies averaged without reach": faults.policies_averaged,
        "reply to the last reply": faults.last_answered,
        "alternating": faults.alternating,
        "replies computed once": faults.once,
        "replies every second iteration": faults.late,
        "last iterate": faults.last_iterate,
        "plans squared in the average": faults.squared_average,
    },
    Instance("kuhn", 20),
)

claims = [
    PAPER.step(
        "reply",
        "Each player's reply earns against the other's average what a best response earns.",
        "recalled", own.reply, 1e-9,
        "worst reply; values not passed up; reply softened; opponent's reach left out; player 1's sign; "
        "reply to the last reply; alternating; replies computed once; replies every second iteration",
    ),
    PAPER.step(
        "pure",
        "Replies are pure: one action has probability 1 at every infoset.",
        "recalled", own.pure, 0.0, "reply softened",
    ),
    PAPER.step(
        "average",
        "The sum of plans is that of the first policy and of all replies.",
        "recalled", own.average, 1e-12,
        "first policy left out; later replies weigh more; replies lost; policies averaged without reach",
        copies=True,
    ),
    PAPER.step(
        "stands-for",
        "The policy that is stood for is the average of the first policy and all replies, by own reach.",
        "recalled", own.stands_for, 1e-9,
        "first policy left out; later replies weigh more; replies lost; policies averaged without reach; last iterate; "
        "plans squared in the average",
    ),
    PAPER.step(
        "convex",
        "Exploitability of the new averages <= (t times that of the old ones + that of the replies) / (t + 1).",
        "derived", own.convex, 1e-9, "last iterate",
    ),
]  # fmt: skip
