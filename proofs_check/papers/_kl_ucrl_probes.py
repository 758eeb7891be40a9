"""Probes of KL-UCRL's proof (filippi2010) about its balls; the rest is shared (`_optimistic_probes`, `_ucrl2_probes`).

The certificate of the inner maximum is Lagrange duality: for every nu >= max u and every row q of the ball of radius e,

    q u <= nu - exp(sum p_hat ln(nu - u) - e)     [derived],

with equality at the maximiser and its own nu, so a small gap proves a row maximal whatever way it was found.
"""

from __future__ import annotations

from proofs_check.papers import _optimistic_probes as shared
from proofs_check.papers._optimistic_probes import reward_excess, value_of
from proofs_check.papers._ucrl2_probes import monitor
from theorylab.kernel import exp, kernel, log, sqrt
from theorylab.probe import NEVER

__all__ = ["monitor"]

FAR = 1e18  # divergence of a row that leaves out an observed state
LEAST = 1e-280  # mass times loss of value that counts as none: there the learner's root leaves the doubles


@kernel
def transition_excess(st, p, tr):
    """Largest KL(p_hat, true row) minus the radius, visited pairs."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] > 0:
                kl = 0.0
                for s2 in range(p.S):
                    w = st.p_hat[s, a, s2]
                    if w > 0.0:
                        x = tr.P[s, a, s2]
                        kl += w * log(w / x) if x > 0.0 else FAR
                worst = max(worst, kl - st.radius_p[s, a])
    return worst


@kernel
def plausible(st, p, tr):
    """Largest excess of the true MDP over the sets."""
    return max(reward_excess(st, p, tr), transition_excess(st, p, tr))


@kernel
def transitions(st, p, tr, t):
    """As a probe: positive when some true row is outside its ball."""
    return transition_excess(st, p, tr)


@kernel
def distance(st, p, s, a):
    """KL(p_hat, law) of a pair."""
    kl = 0.0
    for s2 in range(p.S):
        w = st.p_hat[s, a, s2]
        if w > 0.0:
            q = st.law[s, a, s2]
            kl += w * log(w / q) if q > 0.0 else FAR
    return kl


@kernel
def top_value(st, p):
    """max u."""
    top = st.u[0]
    for s in range(1, p.S):
        top = max(top, st.u[s])
    return top


@kernel
def on_sphere(st, p, tr, t):
    """Largest KL(p_hat, law) - radius of visited pairs, absolute where the row has mass below the best value."""
    worst = NEVER
    top = top_value(st, p)
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] > 0:
                below = 0.0
                for s2 in range(p.S):
                    below += st.law[s, a, s2] * (top - st.u[s2])
                excess = distance(st, p, s, a) - st.radius_p[s, a]
                worst = max(worst, abs(excess) if below > LEAST else excess)
    return worst


@kernel
def multiplier(st, p, s, a, top):
    """nu - max u from the row itself: law (nu - u) / p_hat is the same on the support; 0 with mass outside of it."""
    near = -1
    far = -1
    for s2 in range(p.S):
        if st.p_hat[s, a, s2] > 0.0:
            if near < 0 or st.u[s2] > st.u[near]:
                near = s2
            if far < 0 or st.u[s2] < st.u[far]:
                far = s2
        elif st.law[s, a, s2] > 0.0:
            return 0.0
    at_near = st.law[s, a, near] / st.p_hat[s, a, near]
    at_far = st.law[s, a, far] / st.p_hat[s, a, far]
    if at_near <= at_far:
        return 0.0
    return max(0.0, (at_far * (top - st.u[far]) - at_near * (top - st.u[near])) / (at_near - at_far))


@kernel
def dual(st, p, s, a, top, nu):
    """top + nu - exp(sum p_hat ln(top + nu - u) - radius): above p u for every p of the ball, any nu >= 0."""
    logs = 0.0
    for s2 in range(p.S):
        w = st.p_hat[s, a, s2]
        if w > 0.0:
            logs += w * log((top - st.u[s2]) + nu)
    return top + nu - exp(logs - st.radius_p[s, a])


@kernel
def attained(st, p, tr, t):
    """Largest distance of law u from the dual bound at the row's own multiplier, and from max u before any visit."""
    worst = 0.0
    top = top_value(st, p)
    for s in range(p.S):
        for a in range(p.A):
            bound = top
            if st.N[s, a] > 0:
                bound = dual(st, p, s, a, top, multiplier(st, p, s, a, top))
            worst = max(worst, abs(value_of(st, p, s, a) - bound))
    return worst


@kernel
def radii(st, p, tr, t):
    """Largest distance of n radius_p and sqrt(n) radius_r from the tables C_P and C_R, n the environment's visits."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            n = float(tr.visits[s, a])
            if n > 0.0:
                worst = max(worst, abs(n * st.radius_p[s, a] - tr.C_P))
                worst = max(worst, abs(sqrt(n) * st.radius_r[s, a] - tr.C_R))
    return worst


domination = shared.domination.replace(PLAUSIBLE=plausible)
span = shared.span.replace(PLAUSIBLE=plausible)
