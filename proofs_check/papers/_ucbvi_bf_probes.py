"""What the Bernstein-Freedman bonus of azar2017 adds to the probes: its formula, its terms, Bernstein's inequality."""

from __future__ import annotations

from proofs_check.papers._ucbvi_probes import bound_to
from theorylab.kernel import kernel, sqrt
from theorylab.probe import NEVER


@kernel
def weight(p, tr, h, n):
    """min(100^2 H^3 S^2 A L^2 / N'_{h+1}, H^2) at N' = n, and 0 after the last stage; 100^2 is p.correction."""
    square = float(p.H) * p.H
    if h == p.H - 1:
        return 0.0
    if n == 0:
        return square
    return min(p.correction * square * p.H * p.S * p.S * p.A * tr.log_term * tr.log_term / n, square)


@kernel
def stage_visits(p, tr, h, y):
    """Visits of state y at stage h, 0 for h = H, at an episode's first step, which is left out."""
    n = 0
    if h < p.H:
        for a in range(p.A):
            n += tr.visits[h, y, a]
    return n


@kernel
def formula(st, p, tr, h, s, a):
    """The bonus of algorithm 4 from the monitor's transitions, the environment's counters and V_{h+1}; times scale."""
    n = tr.before[s, a]
    error = 0.0
    square = 0.0
    for y in range(p.S):
        d = st.V[h + 1, y] - tr.guess[h, s, a]
        square += tr.seen[s, a, y] * d * d
        # the first step, at stage 0, has been served: N' is asked for at later stages only
        error += tr.seen[s, a, y] * weight(p, tr, h, stage_visits(p, tr, h + 1, y))
    return p.scale * (sqrt(8.0 * tr.log_term * square) + 14.0 * p.H * tr.log_term / 3.0 + sqrt(8.0 * error)) / n


@kernel
def own(st, p, h, s, a):
    """The learner's bonus."""
    return st.bonus[h, s * p.A + a]


@kernel
def stage_counts(st, p, tr, t):
    """N'_h(y) of the learner against the environment's counters."""
    worst = 0.0
    for h in range(p.H):
        for s in range(p.S):
            worst = max(worst, abs(float(st.reached[h, s] - stage_visits(p, tr, h, s))))
    return worst


@kernel
def bernstein(st, p, tr, t):
    """Largest |(p_hat - p) V_star| - sqrt(4 Var_p_hat(V_star) L / n) - 14 H L / (3 n), the learner's p_hat."""
    worst = NEVER
    for h in range(p.H - 1):
        for s in range(p.S):
            for a in range(p.A):
                n = tr.before[s, a]
                if n > 0:
                    mean = 0.0
                    for y in range(p.S):
                        mean += st.p_hat[y, s * p.A + a] * tr.V_star[h + 1, y]
                    variance = 0.0
                    for y in range(p.S):
                        d = tr.V_star[h + 1, y] - mean
                        variance += st.p_hat[y, s * p.A + a] * d * d
                    error = abs(mean - (tr.Q_star[h, s, a] - tr.r_mean[s * p.A + a]))
                    width = sqrt(4.0 * variance * tr.log_term / n) + 14.0 * p.H * tr.log_term / (3.0 * n)
                    worst = max(worst, error - width)
    return worst


@kernel
def terms(st, p, tr, t):
    """Excess of a bonus over scale (H sqrt(2L/n) + 14HL/(3n) + H sqrt(8/n)), and of its least value over it.

    The least value is scale (14HL/(3n) + sqrt(8 w/n)), w the weight at N' = t: a stage is seen once an episode.
    """
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                n = tr.before[s, a]
                if n > 0:
                    second = p.scale * 14.0 * p.H * tr.log_term / (3.0 * n)
                    low = second + p.scale * sqrt(8.0 * weight(p, tr, h, t) / n)
                    high = second + p.scale * p.H * (sqrt(2.0 * tr.log_term / n) + sqrt(8.0 / n))
                    b = st.bonus[h, s * p.A + a]
                    worst = max(worst, max(b - high, low - b))
    return worst


@kernel
def spread(st, p, tr, t):
    """Bonus minus scale (sqrt(2L/n) (range of V_{h+1}) + 14HL/(3n) + sqrt(8 w/n)), over the possible next states.

    w is their largest weight. N' grows by at most one in an episode, so it was at least its value now less one.
    """
    worst = NEVER
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                n = tr.before[s, a]
                row = s * p.A + a
                if n > 0:
                    low = float(p.H)
                    high = 0.0
                    w = 0.0
                    for j in range(tr.width):
                        if tr.prob[row, j] > 0.0:
                            y = tr.succ[row, j]
                            low = min(low, st.V[h + 1, y])
                            high = max(high, st.V[h + 1, y])
                            w = max(w, weight(p, tr, h, max(0, stage_visits(p, tr, h + 1, y) - 1)))
                    width = sqrt(2.0 * tr.log_term / n) * (high - low) + sqrt(8.0 * w / n)
                    width += 14.0 * p.H * tr.log_term / (3.0 * n)
                    worst = max(worst, st.bonus[h, row] - p.scale * width)
    return worst


probes, monitor = bound_to(formula, own)
probes |= {k.__name__: k for k in (stage_counts, bernstein, terms, spread)}
