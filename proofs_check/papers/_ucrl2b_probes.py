"""Probes of UCRL2B's proof (fruit2020) about its boxes; the rest is shared (`_optimistic_probes`, `_ucrl2_probes`)."""

from __future__ import annotations

from proofs_check.papers import _optimistic_probes as shared
from proofs_check.papers._optimistic_probes import reward_excess, value_of
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor


@kernel
def transition_excess(st, p, tr):
    """Largest distance of a true transition probability from its interval, all entries of visited pairs."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            if st.N[s, a] > 0:
                for s2 in range(p.S):
                    x = tr.P[s, a, s2]
                    worst = max(worst, max(x - st.high[s, a, s2], st.low[s, a, s2] - x))
    return worst


@kernel
def plausible(st, p, tr):
    """Largest excess of the true MDP over the sets."""
    return max(reward_excess(st, p, tr), transition_excess(st, p, tr))


@kernel
def transitions(st, p, tr, t):
    """As a probe: positive when some entry of the true kernel is outside its interval."""
    return transition_excess(st, p, tr)


@kernel
def in_box(st, p, tr, t):
    """Largest excess of an optimistic row over the ends of its box."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            for s2 in range(p.S):
                q = st.law[s, a, s2]
                worst = max(worst, max(q - st.high[s, a, s2], st.low[s, a, s2] - q))
    return worst


@kernel
def dual(st, p, s, a, price):
    """price + sum_i high_i (u_i - price)^+ - low_i (price - u_i)^+: above p u for every p of the box, any price."""
    value = price
    for s2 in range(p.S):
        gap = st.u[s2] - price
        value += gap * (st.high[s, a, s2] if gap > 0.0 else st.low[s, a, s2])
    return value


@kernel
def attained(st, p, tr, t):
    """Largest distance of law u from the least dual bound, whose minimiser is one of the entries of u."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            bound = dual(st, p, s, a, st.u[0])
            for s2 in range(1, p.S):
                bound = min(bound, dual(st, p, s, a, st.u[s2]))
            worst = max(worst, abs(value_of(st, p, s, a) - bound))
    return worst


@kernel
def printed_radius(p, variance, n, x):
    """The printed half-width, both forms; x = l."""
    if p.form == 1:
        return p.scale * (sqrt(14.0 * variance * x / n) + (49.0 / 3.0) * x / max(1.0, n - 1.0))
    return p.scale * (2.0 * sqrt(variance * x / n) + 6.0 * x / n)


@kernel
def radii(st, p, tr, t):
    """Largest distance of a radius or an end of a box from the printed formula, with the environment's counters."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            n = float(tr.visits[s, a])
            if n > 0.0:
                cells = p.S * p.A / p.delta
                x = p.alpha * log(cells * (2.0 * (t + 1.0) if p.form == 1 else 6.0 * n))
                mean = tr.paid[s, a] / n
                # the variance in other words than the learner's, hence rounded otherwise
                variance = max(0.0, (tr.paid_twice[s, a] - mean * tr.paid[s, a]) / n)
                worst = max(worst, abs(st.radius_r[s, a] - printed_radius(p, variance, n, x)))
                for s2 in range(p.S):
                    q = tr.seen[s, a, s2] / n
                    width = printed_radius(p, q * (1.0 - q), n, x)
                    worst = max(worst, abs(st.low[s, a, s2] - max(0.0, q - width)))
                    worst = max(worst, abs(st.high[s, a, s2] - min(1.0, q + width)))
    return worst


@kernel
def sums(st, p, tr, t):
    """Sums of rewards and of squared rewards of the pair just played, against the monitor's."""
    error = abs(st.total[tr.s, tr.a] - tr.paid[tr.s, tr.a])
    return max(error, abs(st.squares[tr.s, tr.a] - tr.paid_twice[tr.s, tr.a]))


@kernel
def monitor_begin(p, tr):
    """Nothing seen, nothing paid (memory arrives zeroed)."""
    tr.paid[0, 0] = 0.0


@kernel
def monitor_observe(st, p, tr, t):
    """Record the transition, the reward and its square."""
    tr.seen[tr.s, tr.a, tr.s2] += 1
    tr.paid[tr.s, tr.a] += tr.r
    tr.paid_twice[tr.s, tr.a] += tr.r * tr.r


monitor = Monitor(
    {"seen": i8["S", "A", "S"], "paid": f8["S", "A"], "paid_twice": f8["S", "A"]}, monitor_begin, monitor_observe
)
domination = shared.domination.replace(PLAUSIBLE=plausible)
span = shared.span.replace(PLAUSIBLE=plausible)
