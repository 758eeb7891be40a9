"""Steps of LOOP's analysis (he2024) that every LOOP learner shares, on the memory of `_loop_monitor`. Values are lhs -
rhs.

Beside `law` they read tables of the claim:

    in_bound    bound on the in-sample error at every step                         L4, F5, T3
    increment   least error that an epoch adds; 0 where there is no such bound      L5, F4, T4
    e_max       bound on |E(f)(s,a)|                                               L7, L8
    repeats     1 where the in-sample error has the targets of the models played then, so that the counting of L7 and
                L8 starts anew with every optimisation; 0 where it is that of the hypothesis itself (value-based)

L7 and L8 with explicit constants [derived]: a visit of a pair that has m visits before it (in the same epoch, with
repeats) has E^2 <= in-sample / m, a first visit |E| <= e_max, and there are at most K = S A (times the optimisations,
with repeats) first ones:

    sum E   <= K e_max   + sqrt(K (1 + ln t)) sqrt(double)
    sum E^2 <= K e_max^2 + K (1 + ln t) max in-sample
"""

from __future__ import annotations

from theorylab.kernel import kernel, log, sqrt
from theorylab.probe import NEVER

#: part of |J| and |V| that rounding may move in a step
ROUNDING = 1e-8


@kernel
def optimism(st, p, tr, t):
    """L1: the optimal gain minus that of the hypothesis in play."""
    return tr.gain - st.J[0]


@kernel
def decomposition(st, p, tr, t):
    """L2: distance of sum (J - r) from sum E + sum (P V - V(s)), for each step."""
    return abs(tr.paid[0] - tr.plain[0] - tr.drift[0]) / (t + 1.0)


@kernel
def realisation_bound(p, switches, n):
    """B sqrt((n/2) ln(1/delta)) + B N, for all times up to n: Azuma with Doob's maximal inequality for noise in an
    interval of length B, and one break of at most B an epoch."""
    return p.span * (sqrt(0.5 * n * log(1.0 / p.delta)) + switches)


@kernel
def realisation(st, p, tr, t):
    """L3: sum (P V - V(s)) minus its bound for all times up to T."""
    return tr.drift[0] - realisation_bound(p, st.switches[0], 1.0 * p.T)


@kernel
def in_sample(st, p, tr, t):
    """L4: largest in-sample error so far minus its bound."""
    return tr.most[0] - tr.in_bound


@kernel
def increments(st, p, tr, t):
    """L5: the least that an epoch adds, minus what the one that ends here has added."""
    if t == 0 or tr.increment <= 0.0:
        return NEVER
    return tr.increment - tr.epoch[0]


@kernel
def switches(st, p, tr, t):
    """L6: optimisations minus 1 + transfer / increment."""
    if tr.increment <= 0.0:
        return NEVER
    return st.switches[0] - 1.0 - tr.transfer[0] / tr.increment


@kernel
def cells(st, p, tr):
    """K of the module's text."""
    pairs = 1.0 * p.S * p.A
    return pairs * st.switches[0] if tr.repeats > 0 else pairs


@kernel
def dominance_bound(st, p, tr, n):
    """Right-hand side of L7 after n steps."""
    K = cells(st, p, tr)
    return K * tr.e_max + sqrt(K * (1.0 + log(1.0 * n)) * tr.double[0])


@kernel
def dominance(st, p, tr, t):
    """L7: sum E minus its bound."""
    return tr.plain[0] - dominance_bound(st, p, tr, t + 1)


@kernel
def transfer(st, p, tr, t):
    """L8: sum E^2 minus its bound."""
    K = cells(st, p, tr)
    return tr.transfer[0] - K * tr.e_max * tr.e_max - K * (1.0 + log(t + 1.0)) * tr.most[0]


@kernel
def assembled(st, p, tr, t):
    """L11: regret minus the bounds of L7 and L3, in the quantities of the run, on the event of optimism."""
    return tr.regret - dominance_bound(st, p, tr, t + 1) - realisation_bound(p, st.switches[0], 1.0 * p.T)


@kernel
def centred(st, p, tr, t):
    """Distance of the midrange of V from 0, and the excess of max |V| over B/2."""
    low = st.V[0]
    high = st.V[0]
    for s in range(1, p.S):
        low = min(low, st.V[s])
        high = max(high, st.V[s])
    return max(abs(low + high), max(high, -low) - 0.5 * p.span)


@kernel
def greedy(st, p, tr, t):
    """Largest distance of V(s) from max_a Q(s,a) and from Q(s, pi(s))."""
    worst = 0.0
    for s in range(p.S):
        top = st.Q[s, 0]
        for a in range(1, p.A):
            top = max(top, st.Q[s, a])
        worst = max(worst, max(abs(st.V[s] - top), abs(st.V[s] - st.Q[s, st.pi[s]])))
    return worst


@kernel
def played(st, p, tr, t):
    """Whether another action than that of the hypothesis was played (0 or 1)."""
    return 0.0 if tr.a == st.pi[tr.s] else 1.0


@kernel
def visits(st, p, tr, t):
    """Largest distance of N from the environment's counters."""
    worst = 0.0
    for s in range(p.S):
        for a in range(p.A):
            worst = max(worst, abs(1.0 * st.N[s, a] - tr.visits[s, a]))
    return worst


@kernel
def d_hat(st, p, tr, t):
    """Empirical dominance coefficient: the largest (sum E)_+^2 / double so far."""
    return tr.d_hat[0]


@kernel
def kappa_hat(st, p, tr, t):
    """Empirical transfer coefficient: sum E^2 / (max in-sample ln T), 0 where nothing was wrong in sample."""
    if tr.most[0] == 0.0:
        return 0.0
    return tr.transfer[0] / (tr.most[0] * log(max(2.0, 1.0 * t)))
