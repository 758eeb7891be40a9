"""Faults planted in the stationary policy. It has no theorem: the differential check is what catches them."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners.stationary_policy import learner
from theorylab.kernel import LEARNER, draw, kernel


@kernel
def act_uniform(st, p, t, s, rng):
    """The policy is not looked at."""
    u, _ = draw(rng, t, 0, LEARNER)
    return int(u * p.A)


@kernel
def act_reused(st, p, t, s, rng):
    """The same draw at every step."""
    u, _ = draw(rng, 0, 0, LEARNER)
    chosen = 0
    passed = 0.0
    for a in range(p.A):
        if st.pi[s, a] > 0.0:
            if passed <= u:
                chosen = a
            passed += st.pi[s, a]
    return chosen


@kernel
def act_ahead(st, p, t, s, rng):
    """Cumulative sums are read one action too early."""
    u, _ = draw(rng, t, 0, LEARNER)
    chosen = 0
    passed = 0.0
    for a in range(p.A):
        passed += st.pi[s, a]
        if st.pi[s, a] > 0.0 and passed <= u:
            chosen = a
    return chosen


@kernel
def begin_uniform(st, p):
    """The policy that was given is lost."""
    for s in range(p.S):
        for a in range(p.A):
            st.pi[s, a] = 1.0 / p.A


@kernel
def self_loops_lost(st, p, t, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    if s2 != s:
        st.N[s, a] += 1
        st.moves[s, a, s2] += 1


@kernel
def successor_lost(st, p, t, s, a, r, s2):
    """Every transition is recorded as staying."""
    st.N[s, a] += 1
    st.moves[s, a, s] += 1


ignored = replace(learner, act=act_uniform)
draw_reused = replace(learner, act=act_reused)
one_early = replace(learner, act=act_ahead)
policy_lost = replace(learner, begin=begin_uniform)
counts_lost = replace(learner, learn=self_loops_lost)
successors_lost = replace(learner, learn=successor_lost)
