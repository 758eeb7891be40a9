"""UCRL2: optimism over plausible MDPs with extended value iteration. Average reward, communicating, rewards in [0, 1].

At the start of episode k, at time t_k (from 1), with N(s,a) visits before it and n = max(1, N):

    |r~ - r_hat| <= sqrt(7 ln(2 S A t_k / delta) / (2 n)),     |p~ - p_hat|_1 <= sqrt(14 S ln(2 A t_k / delta) / n)

extended value iteration u_{i+1}(s) = max_a { r~(s,a) + max_p~ p~ u_i } runs from u_0 = 0 until the span of
u_{i+1} - u_i is below 1/sqrt(t_k); its greedy policy is played until the next pair (s, pi(s)) has nu(s, pi(s)) >=
max(1, N(s, pi(s))) visits in the episode, which is looked up before the pair is played.

State: N, nu (S,A) visits before and in the episode; total (S,A) reward sums; moves (S,A,S) transitions; p_hat (S,A,S),
r_up, radius_p, radius_r (S,A) of the last plan; u, u_next (S,) around its last sweep; order (S,) states by u; gain
(2,) least and largest entry of u_next - u; sweeps (1,); pi (S,). Ties: lowest action, lowest state, of
the computed values. Plausible rewards lie in [0, 1] (figure 1, step 4), so r~ is capped at 1; `cap_rewards=0` keeps the
formula of section 3.1.2, r_hat + radius, which leaves the cap out and breaks inequality 11 (span(u) <= D). Cost S^2 A a
sweep; a plan that needs more than `max_sweeps` fails.

Source: jaksch2010, figures 1 and 2 [source: radii; recalled: inner maximum, stopping].
"""

from __future__ import annotations

from mdps.learners._evi import begin, sort_states
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def act(st, p, t, s, rng):
    """The episode's policy."""
    return st.pi[s]


@kernel
def watch(st, p, t, s, a, r, s2):
    """Count the step; true when the next pair has doubled its visits."""
    st.nu[s, a] += 1
    st.total[s, a] += r
    st.moves[s, a, s2] += 1
    b = st.pi[s2]
    return st.nu[s2, b] >= max(1, st.N[s2, b])


@kernel
def estimate(st, p, t):
    """Close the episode's counts; empirical model and radii at time t_k = t + 1."""
    log_r = log(2.0 * p.S * p.A * (t + 1.0) / p.delta)
    log_p = log(2.0 * p.A * (t + 1.0) / p.delta)
    for s in range(p.S):
        for a in range(p.A):
            st.N[s, a] += st.nu[s, a]
            st.nu[s, a] = 0
            n = float(max(1, st.N[s, a]))
            st.radius_r[s, a] = sqrt(7.0 * log_r / (2.0 * n))
            st.radius_p[s, a] = sqrt(14.0 * p.S * log_p / n)
            st.r_up[s, a] = st.total[s, a] / n + st.radius_r[s, a]
            if p.cap_rewards == 1 and st.r_up[s, a] > 1.0:
                st.r_up[s, a] = 1.0
            for s2 in range(p.S):
                st.p_hat[s, a, s2] = st.moves[s, a, s2] / n


@kernel
def inner_maximum(st, p, s, a):
    """max of p~ u over the l1 ball around p_hat[s, a, :]: radius/2 more mass on the best state, taken from the worst.

    Before the first visit p_hat is zero and the radius above 2, so all mass goes to the best state.
    """
    best = st.order[0]
    value = 0.0
    for s2 in range(p.S):
        value += st.p_hat[s, a, s2] * st.u[s2]
    gain = min(1.0 - st.p_hat[s, a, best], 0.5 * st.radius_p[s, a])
    value += gain * st.u[best]
    if st.N[s, a] > 0:
        i = p.S - 1
        while gain > 0.0 and i > 0:
            worst = st.order[i]
            taken = min(gain, st.p_hat[s, a, worst])
            value -= taken * st.u[worst]
            gain -= taken
            i -= 1
    return value


@kernel
def plan(st, p, t, s, rng):
    """Extended value iteration; false if it does not stop within the sweep limit."""
    estimate(st, p, t)
    for x in range(p.S):
        st.u_next[x] = 0.0
    precision = 1.0 / sqrt(t + 1.0)
    for sweep in range(p.max_sweeps):
        for x in range(p.S):
            st.u[x] = st.u_next[x]
        sort_states(st, p)
        low = 0.0
        high = 0.0
        for x in range(p.S):
            top = 0.0
            for a in range(p.A):
                value = st.r_up[x, a] + inner_maximum(st, p, x, a)
                if a == 0 or value > top:
                    top = value
                    st.pi[x] = a
            st.u_next[x] = top
            change = top - st.u[x]
            if x == 0 or change < low:
                low = change
            if x == 0 or change > high:
                high = change
        if high - low < precision:
            st.gain[0] = low
            st.gain[1] = high
            st.sweeps[0] = sweep + 1
            return True
    return False


learner = Learner(
    name="ucrl2",
    setting="average",
    cite="jaksch2010",
    source_tag="source",
    params=dict(delta=0.1, cap_rewards=1, max_sweeps=1_000_000),
    state=dict(
        N=i8["S", "A"], nu=i8["S", "A"], total=f8["S", "A"], moves=i8["S", "A", "S"], p_hat=f8["S", "A", "S"],
        r_up=f8["S", "A"], radius_p=f8["S", "A"], radius_r=f8["S", "A"], u=f8["S"], u_next=f8["S"], order=i8["S"],
        gain=f8[2], sweeps=i8[1], pi=i8["S"],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    text="Rewards are unknown too; optimistic rewards are capped at 1 (figure 1, step 4); cap_rewards=0 lifts the cap.",
)  # fmt: skip
