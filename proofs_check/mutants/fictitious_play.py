"""Faults planted in fictitious play: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners.fictitious_play import begin, learn, learner
from proofs_check.mutants.cfr import act_last, act_squared, same_sign
from theorylab.games.kernels import BOTH, LANES, add_plan, best_reply, gradient, infosets_of, realise
from theorylab.kernel import kernel
from theorylab.learner import Learner


@kernel
def begin_empty(st, p, rng):
    """The first policy is left out of the average."""
    begin(st, p, rng)
    for q in range(p.Q):
        for j in range(LANES):
            st.total[q, j] = 0.0


@kernel
def worst_reply(pi, g, p, who):
    """The worst action of each infoset."""
    for q in range(p.Q):
        for j in range(LANES):
            g[q, j] = -g[q, j]
    best_reply(pi, g, p, who)


@kernel
def short_sighted(pi, g, p, who):
    """The best action by the leaves right after it: nothing is passed up."""
    low, high = infosets_of(p, who)
    for i in range(low, high):
        first = p.seq_first[i]
        for j in range(LANES):
            top = first
            for q in range(first + 1, first + p.seq_count[i]):
                if g[q, j] > g[top, j]:
                    top = q
            for q in range(first, first + p.seq_count[i]):
                pi[q, j] = 1.0 if q == top else 0.0


@kernel
def soft_reply(pi, g, p, who):
    """A tenth of each reply is the uniform policy."""
    best_reply(pi, g, p, who)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                pi[q, j] = 0.9 * pi[q, j] + 0.1 / p.seq_count[i]


@kernel
def all_actions(g, x, p, who):
    """The opponent's reach is left out."""
    for q in range(p.Q):
        for j in range(LANES):
            x[q, j] = 1.0
    gradient(g, x, p, who)


@kernel
def add_increasing(total, x, p, weight, who):
    """Later replies weigh more."""
    for q in range(p.Q):
        for j in range(LANES):
            total[q, j] += (total[0, j] + 1.0) * x[q, j]


@kernel
def add_first_half(total, x, p, weight, who):
    """Replies after the eighth are lost."""
    if total[0, 0] < 8.0:
        add_plan(total, x, p, weight, who)


@kernel
def mix_policies(st, p, t, rng):
    """Policies are averaged, not plans: own reach left out."""
    for q in range(p.Q):
        for j in range(LANES):
            st.x[q, j] = st.total[q, j] / (t + 1.0)
    gradient(st.g, st.x, p, BOTH)
    best_reply(st.pi, st.g, p, BOTH)
    add_plan(st.total, st.pi, p, 1.0, BOTH)


@kernel
def reply_to_last(st, p, t, rng):
    """Replies to the last reply."""
    if t == 0:
        learn(st, p, t, rng)
    else:
        gradient(st.g, st.x, p, BOTH)
        best_reply(st.pi, st.g, p, BOTH)
        realise(st.x, st.pi, p, BOTH)
        add_plan(st.total, st.x, p, 1.0, BOTH)


@kernel
def in_turn(st, p, t, rng):
    """Player 1 replies to an average that has player 0's reply already."""
    for q in range(p.Q):
        for j in range(LANES):
            st.x[q, j] = st.total[q, j] / (t + 1.0)
    for who in range(2):
        gradient(st.g, st.x, p, who)
        best_reply(st.pi, st.g, p, who)
        realise(st.x, st.pi, p, who)
        add_plan(st.total, st.x, p, 1.0, who)


@kernel
def reply_once(st, p, t, rng):
    """Replies are computed once."""
    if t == 0:
        learn(st, p, t, rng)
    else:
        add_plan(st.total, st.x, p, 1.0, BOTH)


@kernel
def reply_every_second(st, p, t, rng):
    """Replies are computed at every second iteration."""
    if t % 2 == 0:
        learn(st, p, t, rng)
    else:
        add_plan(st.total, st.x, p, 1.0, BOTH)


first_left_out = replace(learner, begin=begin_empty)
worst = replace(learner, learn=learn.replace(best_reply=worst_reply))
not_passed_up = replace(learner, learn=learn.replace(best_reply=short_sighted))
softened = replace(learner, learn=learn.replace(best_reply=soft_reply))
opponent_left_out = replace(learner, learn=learn.replace(gradient=all_actions))
wrong_sign = replace(learner, learn=learn.replace(gradient=same_sign))
later_more = replace(learner, learn=learn.replace(add_plan=add_increasing))
replies_lost = replace(learner, learn=learn.replace(add_plan=add_first_half))
policies_averaged = replace(learner, learn=mix_policies)
last_answered = replace(learner, learn=reply_to_last)
alternating = replace(learner, learn=in_turn)
once = replace(learner, learn=reply_once)
late = replace(learner, learn=reply_every_second)
last_iterate = replace(learner, act=act_last)
squared_average = replace(learner, act=act_squared)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": "no field: a best response has no bonus",
    "log factor dropped": "no field: no logarithm",
    "delta not divided": "no field: nothing is random, there is no delta",
    "wrong variance": "no field: no variance",
    "count off by one": first_left_out,
    "lost counts": replies_lost,
    "unvisited at zero": "no field: all infosets are answered at every iteration",
    "no clipping": "no field: nothing is clipped",
    "backup of the wrong stage": not_passed_up,
    "mass to the wrong state": "no field: no transition is estimated",
    "stale estimate": once,
    "worst action played": worst,
    "ties to the last": "equivalent: every best response earns the same against the average, which is all that is used",
    "late trigger": late,
    "draw reused": "no field: it draws its first policy alone",
    "wrong length in the logarithm": "no field: no logarithm",
}
