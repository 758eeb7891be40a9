"""PSRL: act optimally for one model drawn from the posterior, held for an episode. Tabular, one kernel for all stages.

Prior: rows Dirichlet with mass `prior` an entry (0 stands for 1/S); mean rewards are told (`known_rewards=1`) or have
the prior Beta(1, 1). Rewards in [0, 1]. `mdps/learners/_posterior.py` holds the posterior and its addresses.

Episodic (osband2013, algorithm 1 [recalled; the rule is that of Strens 2000]): a draw before every episode, backward
induction on it:

    V_H = 0,   V_h(s) = max_a { r(s,a) + sum_s' P(s'|s,a) V_{h+1}(s') },   pi_h(s) the first maximiser.

Average reward (ouyang2017, TSDE, algorithm 1 [recalled]): with t_k the start of episode k and T_k its length, T_0 = 1,
episode k ends at the first time t at which

    t > t_k + T_{k-1}        or        N_t(s,a) > 2 N_{t_k}(s,a) for some (s,a),

N_t the visits before t. The draw is solved by relative value iteration, u <- u + (L u - u)/2 - const, which is
aperiodic, from the last episode's u on; it stops when span(L u - u) < `precision`. The greedy policy's gain in the
drawn model is then within `precision` of the optimal one [derived: min(Lu - u) <= gain(pi) <= gain* <= max(Lu - u)].
The paper takes an exact solution. A plan that needs more than `max_sweeps` sweeps fails.

State, episodic: moves (S,A,S) transitions; total (S,A) reward sums; P (S,A,S) and r (S,A) the drawn model; V (H+1,S)
and pi (H,S) its optimal value and policy. Average: moves, total, P, r; N, N_start (S,A) visits, and those at t_k;
clock (2,) steps of this episode and length of the last one; u, u_next (S,) around the last sweep; gain (2,) least and
largest entry of L u - u; sweeps (1,); pi (S,). Cost: S^2 A gammas and S^2 A H, or S^2 A a sweep, each plan.
"""

from __future__ import annotations

from mdps.learners._posterior import begin_rewards, derive, sample_model
from theorylab.kernel import kernel
from theorylab.learner import Learner, f8, i8


@kernel
def act(st, p, k, h, s, rng):
    """The episode's policy."""
    return st.pi[h, s]


@kernel
def watch(st, p, k, h, s, a, r, s2):
    """Count the step; true after the last stage."""
    st.moves[s, a, s2] += 1
    st.total[s, a] += r
    return h == p.H - 1


@kernel
def solve(st, p):
    """Backward induction on the drawn model."""
    for i in range(p.H):
        h = p.H - 1 - i
        for s in range(p.S):
            top = 0.0
            best = 0
            for a in range(p.A):
                value = st.r[s, a]
                for s2 in range(p.S):
                    value += st.P[s, a, s2] * st.V[h + 1, s2]
                if a == 0 or value > top:
                    top = value
                    best = a
            st.V[h, s] = top
            st.pi[h, s] = best


@kernel
def plan(st, p, k, rng):
    """A draw, solved; false where unknown rewards were not in [0, 1]."""
    if not sample_model(st, p, k, rng):
        return False
    solve(st, p)
    return True


@kernel
def begin_average(st, p):
    """T_0 = 1: the first plan moves it to the place of the last episode's length."""
    begin_rewards(st, p)
    st.clock[0] = 1


@kernel
def act_average(st, p, t, s, rng):
    """The episode's policy."""
    return st.pi[s]


@kernel
def watch_average(st, p, t, s, a, r, s2):
    """Count the step; true when the episode is longer than the last one or the pair's visits have more than doubled."""
    st.moves[s, a, s2] += 1
    st.total[s, a] += r
    st.N[s, a] += 1
    st.clock[0] += 1
    return st.clock[0] > st.clock[1] or st.N[s, a] > 2 * st.N_start[s, a]


@kernel
def start_episode(st, p):
    """Freeze the counts and the length."""
    st.clock[1] = st.clock[0]
    st.clock[0] = 0
    for s in range(p.S):
        for a in range(p.A):
            st.N_start[s, a] = st.N[s, a]


@kernel
def solve_average(st, p):
    """Relative value iteration on the drawn model, from the last u; false if it does not stop within the limit."""
    for sweep in range(p.max_sweeps):
        low = 0.0
        high = 0.0
        for s in range(p.S):
            top = 0.0
            best = 0
            for a in range(p.A):
                value = st.r[s, a]
                for s2 in range(p.S):
                    value += st.P[s, a, s2] * st.u[s2]
                if a == 0 or value > top:
                    top = value
                    best = a
            st.pi[s] = best
            change = top - st.u[s]
            st.u_next[s] = st.u[s] + 0.5 * change
            if s == 0 or change < low:
                low = change
            if s == 0 or change > high:
                high = change
        if high - low < p.precision:
            st.gain[0] = low
            st.gain[1] = high
            st.sweeps[0] = sweep + 1
            return True
        base = st.u_next[0]
        for s in range(p.S):
            st.u[s] = st.u_next[s] - base
    return False


@kernel
def plan_average(st, p, t, s, rng):
    """A draw, solved; false where unknown rewards were not in [0, 1] or the sweeps did not suffice."""
    start_episode(st, p)
    if not sample_model(st, p, t, rng):
        return False
    return solve_average(st, p)


PRIOR = dict(prior=0.0, known_rewards=1)
MODEL = dict(moves=i8["S", "A", "S"], total=f8["S", "A"], P=f8["S", "A", "S"], r=f8["S", "A"])
learner = (
    Learner(
        name="psrl",
        setting="episodic",
        cite="osband2013",
        source_tag="recalled",
        params=PRIOR,
        knows=("r",),
        state=dict(**MODEL, V=f8["H+1", "S"], pi=i8["H", "S"]),
        begin=begin_rewards,
        act=act,
        watch=watch,
        plan=plan,
        derive=derive,
        text="Dirichlet rows, mass 1/S an entry unless `prior` says otherwise; rewards are told, or known_rewards=0 "
        "samples them from Beta posteriors. The theorem is about the mean over models drawn from the prior.",
    ),
    Learner(
        name="psrl",
        setting="average",
        cite="ouyang2017",
        source_tag="recalled",
        params=dict(**PRIOR, precision=1e-6, max_sweeps=1_000_000),
        knows=("r",),
        state=dict(
            **MODEL, N=i8["S", "A"], N_start=i8["S", "A"], clock=i8[2], u=f8["S"], u_next=f8["S"], gain=f8[2],
            sweeps=i8[1], pi=i8["S"],
        ),
        begin=begin_average,
        act=act_average,
        watch=watch_average,
        plan=plan_average,
        derive=derive,
        text="The episodes of TSDE; the paper solves the drawn model exactly, here its policy is within `precision`.",
    ),
)  # fmt: skip
