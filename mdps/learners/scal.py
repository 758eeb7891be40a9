"""SCAL: UCRL2B's sets, values truncated to a span c. Average reward, communicating, rewards in [0, 1].

Sets, counts and logarithms of episode k, which starts at t_k (from 1), are those of `mdps.learners.ucrl2b`. A plan
iterates, with eta = min(1, 1 / (c t_k)), any c >= span(h*), h* the optimal bias,

    raised(s)  = max_a { r~(s,a) + tau [(1 - eta) max_p~ p~ u + eta u(0)] + (1 - tau) u(s) },
    u_next(s)  = min(raised(s), min raised + c / tau),                                u = 0 at first,

until span(u_next - u) < 1/sqrt(t_k). Where raised(s) is above the threshold, the policy is a mixture of the best action
and of the worst one, whose value with its reward lowered to 0 (the augmented reward) and the least plausible law,

    floor(s) = min_a { tau [(1 - eta) min_p~ p~ u + eta u(0)] + (1 - tau) u(s) },

is never above the threshold [derived: floor <= max u <= min u + c / tau <= min raised + c / tau]: the best action has
the probability mix(s) with mix raised + (1 - mix) floor = u_next. Elsewhere the greedy action is played, mix = 1. An
episode lasts until the next pair, its action drawn, has nu >= max(1, N) visits in it.

The restart: every plausible kernel p~ is replaced by (1 - eta) p~ + eta (state 0), which makes every sweep contract the
span and costs at most eta c <= 1/t_k of gain [derived]. The paper cuts the interval of one arbitrary state to
[eta, 1] for eta = r_max / (c t_k) [recalled]; the mixture is the variant that always exists and that keeps the true
kernel's image plausible.

`span` (c, in units of reward) must be given. `form`, `alpha`, `scale`, `tau`, `max_sweeps`: as for `ucrl2b`.

State: as of `ucrl2b`, and raised, floor, mix (S,), worst (S,) the worst action; restart (1,) eta; coin (1,) the number
in [0, 1) that decides the next action: drawn at (t, 0) one step ahead, and afresh at (t, 1) for the first step of an
episode, since the old number has decided its end. Ties: lowest action, lowest state.

Source: fruit2018 [truncation, mixture, augmented reward: source, public code; restart, its eta: recalled; the stopping
rule is that of public code, 1/sqrt(t_k)].
"""

from __future__ import annotations

from typing import Any

from mdps.learners import ucrl2b
from mdps.learners._evi import begin
from mdps.learners._truncated import checked_sets, iterate
from mdps.learners.ucrl2b import box_maximum, estimate
from theorylab.errors import InputError
from theorylab.kernel import LEARNER, draw, kernel
from theorylab.learner import Learner, f8, i8


@kernel
def choose(st, s):
    """The action of the coin in s."""
    return st.pi[s] if st.coin[0] < st.mix[s] else st.worst[s]


@kernel
def act(st, p, t, s, rng):
    """A draw from the episode's policy; the coin of the next step."""
    a = choose(st, s)
    st.coin[0], _ = draw(rng, t + 1, 0, LEARNER)
    return a


@kernel
def doubled(st, s):
    """Whether the pair that is played next in s has already doubled its visits in this episode."""
    b = choose(st, s)
    return st.nu[s, b] >= max(1, st.N[s, b])


watch = ucrl2b.watch.replace(doubled=doubled)


@kernel
def restarted(st, p, s, a):
    """max p~ u over the row's box, with the restart."""
    return (1.0 - st.restart[0]) * box_maximum(st, p, s, a) + st.restart[0] * st.u[0]


@kernel
def threshold(st, p):
    """min raised + c / tau."""
    least = st.raised[0]
    for s in range(1, p.S):
        least = min(least, st.raised[s])
    return least + p.span / p.tau


@kernel
def truncate(st, p):
    """u_next = min(raised, threshold)."""
    top = threshold(st, p)
    for s in range(p.S):
        st.u_next[s] = min(st.raised[s], top)


@kernel
def box_minimum(st, p, s, a):
    """min of p~ u over the row's box: the lower ends, and the free mass to the worst states that have room."""
    value = 0.0
    for s2 in range(p.S):
        value += st.low[s, a, s2] * st.u[s2]
    free = st.free[s, a]
    i = p.S - 1
    while free > 0.0 and i >= 0:
        s2 = st.order[i]
        added = min(free, st.high[s, a, s2] - st.low[s, a, s2])
        value += added * st.u[s2]
        free -= added
        i -= 1
    return value


@kernel
def worst_value(st, p, s, a):
    """Least plausible value of an action whose reward is lowered to 0."""
    ahead = (1.0 - st.restart[0]) * box_minimum(st, p, s, a) + st.restart[0] * st.u[0]
    return p.tau * ahead + (1.0 - p.tau) * st.u[s]


@kernel
def mixtures(st, p):
    """Best action, worst action and the probability of the best in each state."""
    for s in range(p.S):
        st.worst[s] = st.pi[s]
        st.floor[s] = st.raised[s]
        st.mix[s] = 1.0
        if st.raised[s] > st.u_next[s]:
            for a in range(p.A):
                value = worst_value(st, p, s, a)
                if a == 0 or value < st.floor[s]:
                    st.floor[s] = value
                    st.worst[s] = a
            st.mix[s] = (st.u_next[s] - st.floor[s]) / (st.raised[s] - st.floor[s])


sweeps = iterate.replace(BACKUP=restarted, PROJECT=truncate)


@kernel
def plan(st, p, t, s, rng):
    """Sets, truncated value iteration, mixtures; false if it does not stop within the sweep limit."""
    estimate(st, p, t)
    st.restart[0] = min(1.0, 1.0 / (p.span * (t + 1.0)))
    done = sweeps(st, p, t)
    mixtures(st, p)
    st.coin[0], _ = draw(rng, t, 1, LEARNER)
    return done


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """Refuses parameters without meaning, and a span that was not given."""
    checked_sets("scal", p)
    if p["span"] <= 0.0:
        raise InputError(
            f"learner 'scal': span={p['span']} is not positive; give an upper bound of the span of the optimal bias"
        )
    return {}


learner = Learner(
    name="scal",
    setting="average",
    cite="fruit2018",
    source_tag="recalled",
    params={**ucrl2b.learner.params, "span": 0.0},
    state=dict(
        **ucrl2b.learner.state, raised=f8["S"], floor=f8["S"], mix=f8["S"], worst=i8["S"], restart=f8[1], coin=f8[1]
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    example=lambda model: {"span": 2.0},
    text="UCRL2B's sets; `span` bounds the span of the optimal bias and must be given. The restart mixes each "
    "plausible kernel with state 0, where the paper cuts an interval.",
)
