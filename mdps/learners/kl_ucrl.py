"""KL-UCRL: UCRL2 with Kullback-Leibler balls around empirical laws. Average reward, communicating, rewards in [0, 1].

At the start of episode k, with n = N(s,a) visits before it and T the length of the run, which the learner knows,

    n KL(p_hat, p~) <= C_P = S (B + ln(B + 1/ln T) (1 + 1/(B + 1/ln T))),   B = ln(2 e S^2 A ln(T) / delta),
    |r~ - r_hat| <= C_R / sqrt(n),                                          C_R = sqrt(ln(4 S A ln(T) / delta) / 1.99).

A run of one step counts as T = 2, since ln 1 = 0. `scale` multiplies C_P and C_R; 1 is the theory. Plausible rewards
lie in [0, 1], so r~ is capped at 1; before the first visit every law and every reward is plausible. Extended value
iteration and its stopping rule: `mdps.learners._evi`, by default without mixing (tau = 1), as the paper has it: the
maximising law of a small KL ball may keep the support of the empirical one, and with it its period, so that sweeps on a
periodic model need tau < 1 to end [derived].
The greedy policy is played until the next pair (s, pi(s)) has nu(s, pi(s)) >= max(1, N(s, pi(s))) visits in the
episode, which is looked up before the pair is played.

Inner maximum, e = C_P / n, u* = max u: with f(nu) = sum p_hat ln(nu - u) + ln sum p_hat / (nu - u) over the support of
p_hat, q(s2) = (1 - m) (p_hat(s2) / (nu - u(s2))) / sum, and

    a state with u = u* is in the support, or f(u*) >= e:    f(nu) = e, m = 0,
    else                                                     nu = u*, m = 1 - exp(f(u*) - e) on the lowest such state,
    u = u* on the whole support, or e = 0:                   q = p_hat.

f falls from f(u*) to 0, and by Kantorovich's inequality the root has nu - u* <= (range of u on the support) / (2 sqrt
e) [derived]. It is found by Newton's method on ln f as a function of ln(nu - u*), kept in its bracket by geometric
bisection, to |f - e| <= 1e-11 e + 1e-14; a root below 1e-300 is taken for 1e-300, where all mass is on the best states.

State: N, nu (S,A) visits before and in the episode; total (S,A) reward sums; moves (S,A,S) transitions; of the last
plan p_hat (S,A,S), radius_p, radius_r, r_up (S,A); law (S,A,S) the maximising rows of its last sweep; u, u_next (S,)
around it; best (1,) lowest state with u = u*; gain (2,) least and largest entry of u_next - u; sweeps (1,); pi (S,).
Ties: lowest action, lowest state. Cost: S A root finds of O(S) a step a sweep; a plan that needs more than `max_sweeps`
fails.

Source: filippi2010 [recalled: radii; inner maximum: agrees with a public port; stopping: recalled].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._evi import act, checked_mixing, doubled, iterate
from theorylab.kernel import exp, kernel, log, sqrt
from theorylab.learner import Learner, f8, i8

E = 2.71828182845904523536
#: least nu - u* that is told from zero: below it the row has less than about 1e-300 off the best states
FLOOR = 1e-300


@kernel
def begin(st, p):
    """No data yet (the state arrives zeroed)."""
    st.best[0] = 0


@kernel
def watch(st, p, t, s, a, r, s2):
    """Count the step; true when the next pair has doubled its visits."""
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.moves[s, a, s2] += 1
    return doubled(st, s2)


@kernel
def estimate(st, p, t):
    """Close the episode's counts; empirical model and radii."""
    for s in range(p.S):
        for a in range(p.A):
            st.N[s, a] += st.nu[s, a]
            st.nu[s, a] = 0
            st.r_up[s, a] = 1.0
            if st.N[s, a] > 0:
                n = float(st.N[s, a])
                st.radius_p[s, a] = p.C_P / n
                st.radius_r[s, a] = p.C_R / sqrt(n)
                st.r_up[s, a] = min(1.0, st.total[s, a] / n + st.radius_r[s, a])
                for s2 in range(p.S):
                    st.p_hat[s, a, s2] = st.moves[s, a, s2] / n


@kernel
def find_best(st, p):
    """The lowest state of largest u."""
    best = 0
    for s in range(1, p.S):
        if st.u[s] > st.u[best]:
            best = s
    st.best[0] = best


@kernel
def divergence(st, p, s, a, nu, unit):
    """f(nu) = KL(p_hat, q) for q ~ p_hat / (nu - u), its derivative in ln(nu - u*), and sum p_hat unit / (nu - u).

    nu is measured from u*; unit is nu, or any positive number at nu = 0, where the derivative is not asked for.
    """
    logs = 0.0
    first = 0.0
    second = 0.0
    for s2 in range(p.S):
        w = st.p_hat[s, a, s2]
        if w > 0.0:
            ratio = unit / (st.u[st.best[0]] - st.u[s2] + nu)
            logs += w * log(ratio)
            first += w * ratio
            second += w * ratio * ratio
    return log(first) - logs, first - second / first, first


@kernel
def first_guess(st, p, s, a, radius, least, most):
    """Root of f's two limits: f ~ variance / (2 (nu + mean)^2) for large nu, linear in ln nu for small."""
    mean = 0.0
    square = 0.0
    at_best = 0.0
    logs = 0.0
    for s2 in range(p.S):
        w = st.p_hat[s, a, s2]
        if w > 0.0:
            gap = st.u[st.best[0]] - st.u[s2]
            mean += w * gap
            square += w * gap * gap
            if gap <= least:
                at_best += w
            else:
                logs += w * log(gap - least)
    guess = sqrt(max(0.0, square - mean * mean) / (2.0 * radius)) - mean
    if guess > 0.001 * most:
        return min(guess, 0.999 * most)
    guess = exp((log(at_best) + logs - radius) / (1.0 - at_best)) - least
    if least == 0.0:
        guess = max(guess, FLOOR)
    return guess if 0.0 < guess < most else 0.5 * most


@kernel
def refined(nu, low, high, f, slope, radius):
    """The next trial: Newton's step on ln f over ln nu, or where that leaves the bracket its geometric middle."""
    trial = high
    if f > 0.0:
        trial = nu * exp(-log(f / radius) * f / slope)
    if low < trial < high:
        return trial
    return sqrt(low) * sqrt(high) if low > 0.0 else max(0.001 * high, FLOOR)


@kernel
def all_to_best(st, p, s, a):
    """Before the first visit: all mass on the best state."""
    for s2 in range(p.S):
        st.law[s, a, s2] = 0.0
    st.law[s, a, st.best[0]] = 1.0
    return st.u[st.best[0]]


@kernel
def as_observed(st, p, s, a):
    """The empirical law, and its value."""
    value = 0.0
    for s2 in range(p.S):
        st.law[s, a, s2] = st.p_hat[s, a, s2]
        value += st.p_hat[s, a, s2] * st.u[s2]
    return value


@kernel
def kl_maximum(st, p, s, a):
    """max of p~ u over the KL ball around p_hat[s, a, :]; nu is measured from u* here."""
    if st.N[s, a] == 0:
        return all_to_best(st, p, s, a)
    top = st.u[st.best[0]]
    least = -1.0
    most = 0.0
    for s2 in range(p.S):
        if st.p_hat[s, a, s2] > 0.0:
            gap = top - st.u[s2]
            most = max(most, gap)
            least = gap if least < 0.0 else min(least, gap)
    radius = st.radius_p[s, a]
    if most == 0.0 or radius == 0.0:
        return as_observed(st, p, s, a)
    low = 0.0
    high = 0.5 * (most - least) / sqrt(radius)
    nu = 0.0 if least > 0.0 else -1.0  # -1: no trial yet
    unit = least
    kept = 1.0
    mass = 1.0
    for _ in range(200):
        if nu < 0.0:
            nu = first_guess(st, p, s, a, radius, least, high)
        if nu > 0.0:
            unit = nu
        f, slope, mass = divergence(st, p, s, a, nu, unit)
        if nu == 0.0 and f < radius:
            kept = exp(f - radius)
            break
        if abs(f - radius) <= 1e-11 * radius + 1e-14 or (nu == FLOOR and f < radius):
            break
        if f > radius:
            low = nu
        else:
            high = nu
        nu = refined(nu, low, high, f, slope, radius) if nu > 0.0 else -1.0
    value = top
    for s2 in range(p.S):
        w = st.p_hat[s, a, s2]
        q = 0.0
        if w > 0.0:
            gap = top - st.u[s2]
            q = kept / mass * (w * (unit / (gap + nu)))
            value -= q * gap
        st.law[s, a, s2] = q
    if kept < 1.0:
        st.law[s, a, st.best[0]] = 1.0 - kept
    return value


sweeps = iterate.replace(MAXIMUM=kl_maximum, PREPARE=find_best)


@kernel
def plan(st, p, t, s, rng):
    """Sets, then extended value iteration; false if it does not stop within the sweep limit."""
    estimate(st, p, t)
    return sweeps(st, p, t)


def derive(p: dict[str, Any]) -> dict[str, float]:
    """The constants of the two radii, scaled."""
    checked_mixing("kl-ucrl", p)
    S, A, delta = p["S"], p["A"], p["delta"]
    log_T = log(float(max(2, p["T"])))
    B = log(2.0 * E * S * S * A * log_T / delta)
    y = B + 1.0 / log_T
    C_P = S * (B + log(y) * (1.0 + 1.0 / y))
    C_R = sqrt(log(4.0 * S * A * log_T / delta) / 1.99)
    return {"C_P": p["scale"] * C_P, "C_R": p["scale"] * C_R}


learner = Learner(
    name="kl-ucrl",
    setting="average",
    cite="filippi2010",
    source_tag="recalled",
    params=dict(delta=0.1, scale=1.0, tau=1.0, max_sweeps=1_000_000),
    state=dict(
        N=i8["S", "A"], nu=i8["S", "A"], total=f8["S", "A"], moves=i8["S", "A", "S"], p_hat=f8["S", "A", "S"],
        r_up=f8["S", "A"], radius_p=f8["S", "A"], radius_r=f8["S", "A"], law=f8["S", "A", "S"], u=f8["S"],
        u_next=f8["S"], best=i8[1], gain=f8[2], sweeps=i8[1], pi=i8["S"],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="Rewards are unknown too; optimistic rewards are capped at 1. The learner knows the length T of the run.",
)  # fmt: skip
