"""Osband, Van Roy, Russo, Wen 2019: randomised least-squares value iteration (RLSVI), tabular. Rewards in [0, 1].

    theorem 1    for v = 3 H^2, prior mean H and v/lam = beta >= 3, under a Dirichlet prior of mass beta a row, with S
                 states a stage, the BAYESIAN regret after K episodes is at most
                 6 H^2 sqrt(beta S A K ln+(1 + S A H K) ln+(1 + K/(S A)))                            [source]

The mean is over models drawn from the prior as well as over the run. Nothing follows from it for one fixed model, and
an instance here is one fixed model, so the theorem has no verdict. What its proof uses is checked step by step:

    regression   given the past and Q_{h+1}, Q_h(s,a) is N(m, v/(n + beta)), independent over cells and episodes, with
                 m = (beta H + sum (r_i + max Q_{h+1}(s'_i))) / (n + beta)                    [source; form derived]
    prior        a cell without a visit is N(H, v/beta) = N(H, H^2) at beta = 3
    backup       V_h = max_a Q_h, V_H = 0, without clipping; the policy is greedy
    optimism     the proof's stochastic optimism needs the prior. For a fixed model [derived, after Russo 2019]: with
                 L = ln(2 H S A K / d), by Azuma sum_{i<=n} (r_i + V*(s'_i) - Q*) >= -H sqrt(n L / 2) for all cells and
                 n <= K except with probability d/2. Then Q - Q* >= sum p_hat (V - V*) + xi - e, p_hat =
                 moves/(n + beta), e = H sqrt(L/2) / sqrt(n + beta), xi the noise of variance v / (n + beta). Along
                 p_hat and the optimal policy, with weights w of mass at most 1 a stage, V_1 - V*_1 >= sum w (xi - e):
                 a normal variable of mean -m, sd s, m <= H sqrt(L/2) sqrt(HS) (s / sqrt v) by Cauchy. So in every
                 episode

                     P(V_1(s_1) >= V*_1(s_1) | past) >= Phi(-H sqrt(L H S / (2 v))) = Phi(-sqrt(L H S / (6 v_scale))),

                 which is at least Phi(-1) for v_scale >= L H S / 6: a factor ln(.) H S above the theory's v. The number
                 of optimistic episodes of K is then at least K Phi(.) - sqrt(K ln(2/d) / 2), except with probability d
                 (Azuma once more). Far from equality: most draws are optimistic.
"""

from __future__ import annotations

import math
from typing import Any

from proofs_check.mutants import rlsvi as faults
from proofs_check.papers._beta_law import LEVEL, excess, tally
from theorylab.assume import episodic, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.kernel import kernel, sqrt
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor, Probe
from theorylab.records import larger

COINS = {"rewards": "bernoulli"}
#: |x| below the first has probability 1/2 for a standard normal x
QUARTILE = 0.67448975019608171
SMALL = Instance("garnet", 50, {"S": 4, "A": 2, "b": 3, "seed": 1, "horizon": 3, **COINS})
STEPS = {
    "quick": (
        Instance("riverswim", 300, {"states": 4, "horizon": 6, **COINS}),
        Instance("garnet", 300, {"S": 5, "A": 3, "b": 3, "seed": 1, "horizon": 4, **COINS}, {"v_scale": 0.01}),
    ),
    "standard": (
        Instance("riverswim", 3000, {"states": 6, "horizon": 20, **COINS}),
        Instance("frozen-lake", 500, {"horizon": 15, **COINS}, {"beta": 5.0}),
        Instance("garnet", 3000, {"S": 8, "A": 3, "b": 3, "seed": 1, "horizon": 6, **COINS}, {"v_scale": 0.001}),
    ),
}
LONG = Instance("garnet", 250, {"S": 4, "A": 2, "b": 3, "seed": 1, "horizon": 3, **COINS})
#: L H S / 6 is 43.6 on the first, 164.8 on the second
WIDE = Instance("riverswim", 300, {"states": 4, "horizon": 5, **COINS}, {"v_scale": 45.0})
OPTIMISM = {
    "quick": (WIDE,),
    "standard": (WIDE, Instance("riverswim", 3000, {"horizon": 10, **COINS}, {"v_scale": 200.0})),
}


def tables(c: Context) -> dict[str, Any]:
    """v and beta by their formulas; the widest deviation of normals; the least rate of optimism and its slack."""
    L = math.log(2.0 * c.H * c.S * c.A * c.K / LEVEL)
    v = c.v_scale * 3.0 * c.H**2
    rate = 0.5 * math.erfc(c.H * math.sqrt(L * c.H * c.S / (2.0 * v)) / math.sqrt(2.0)) if v > 0 else 0.0
    most = 10 * c.H * c.S * c.A  # draws of unvisited cells that are tallied: the maximal inequality covers fewer
    return {
        "most_prior": float(most),
        "width_prior": math.sqrt(most * math.log(4.0 / LEVEL) / 2.0),
        "v_theory": v,
        "beta_theory": c.beta,
        "widest": math.sqrt(2.0 * L),
        "optimistic": c.K * rate - math.sqrt(c.K * math.log(2.0 / LEVEL) / 2.0),
    }


@kernel
def counts(st, p, tr, t):
    """Visits of the cell against the environment's, transitions against the record."""
    error = abs(float(st.N[tr.h, tr.s, tr.a] - tr.visits[tr.h, tr.s, tr.a]))
    for s2 in range(p.S):
        error = max(error, abs(float(st.moves[tr.h, tr.s, tr.a, s2] - tr.seen[tr.h, tr.s, tr.a, s2])))
    return error


@kernel
def sums(st, p, tr, t):
    """Reward sum of the cell against those paid."""
    return abs(st.total[tr.h, tr.s, tr.a] - tr.paid[tr.h, tr.s, tr.a])


@kernel
def residual(st, p, tr, h, s, a):
    """The standardised residual of a draw, from the environment's record and the values of the next stage."""
    n = 0
    total = tr.beta_theory * p.H + tr.paid[h, s, a]
    for s2 in range(p.S):
        n += tr.seen[h, s, a, s2]
        total += tr.seen[h, s, a, s2] * st.V[h + 1, s2]
    weight = n + tr.beta_theory
    return (st.Q[h, s, a] - total / weight) / sqrt(tr.v_theory / weight)


@kernel
def calibration(st, p, tr, t):
    """Largest excess of the tallies of residuals over their Hoeffding bounds."""
    return excess(tr)


@kernel
def deviation(st, p, tr, t):
    """At an episode's first step: largest |residual| of its draws minus sqrt(2 ln(2 H S A K / level))."""
    if tr.h > 0:
        return NEVER
    return tr.largest[0] - tr.widest


@kernel
def prior_draws(st, p, tr, t):
    """Largest excess of |sum| of the standardised draws of unvisited cells, in two tallies: sign and size."""
    return max(abs(tr.fresh[1]), abs(tr.fresh[2])) - tr.width_prior


@kernel
def backup(st, p, tr, t):
    """Largest distance of V from max Q and of the planned action's Q from it; V_H = 0."""
    worst = 0.0
    for s in range(p.S):
        worst = larger(worst, abs(st.V[p.H, s]))
        for h in range(p.H):
            top = st.Q[h, s, 0]
            for a in range(1, p.A):
                top = larger(top, st.Q[h, s, a])
            worst = larger(worst, larger(abs(st.V[h, s] - top), top - st.Q[h, s, st.pi[h, s]]))
    return worst


@kernel
def played(st, p, tr, t):
    """Largest draw at the state minus that of the action played."""
    top = st.Q[tr.h, tr.s, 0]
    for a in range(1, p.A):
        top = larger(top, st.Q[tr.h, tr.s, a])
    return top - st.Q[tr.h, tr.s, tr.a]


@kernel
def once(st, p, tr, t):
    """Plans so far against episodes so far."""
    return abs(float(tr.epochs - (t + 1)))


@kernel
def optimism(st, p, tr, t):
    """K Phi(.) - sqrt(K ln(2/d)/2) minus the number of episodes with V_1(s_1) >= V*_1(s_1)."""
    return tr.optimistic - tr.raised[0]


@kernel
def monitor_begin(p, tr):
    """Nothing seen, nothing paid (memory arrives zeroed)."""
    tr.paid[0, 0, 0] = 0.0


@kernel
def judge_draw(st, p, tr):
    """Tally the residuals of all cells, in order of (h, s, a)."""
    tr.largest[0] = 0.0
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                n = 0
                for s2 in range(p.S):
                    n += tr.seen[h, s, a, s2]
                z = residual(st, p, tr, h, s, a)
                tr.largest[0] = larger(tr.largest[0], abs(z))
                row = (h * p.S + s) * p.A + a
                # any increasing map of z will do for the four events: here one with quartiles at 1/4, 1/2 and 3/4
                tally(tr, row, 0, row - 1, 0.5 + 0.25 * z / QUARTILE)
                if n == 0 and tr.fresh[0] < tr.most_prior:
                    tr.fresh[0] += 1.0
                    tr.fresh[1] += 0.5 if z > 0.0 else -0.5
                    tr.fresh[2] += 0.5 if abs(z) < QUARTILE else -0.5


@kernel
def monitor_observe(st, p, tr, t):
    """At an episode's first step judge its draw by the record of what came before; then take the step in."""
    if tr.h == 0:
        judge_draw(st, p, tr)
        if st.V[0, tr.s] >= tr.V_star[0, tr.s]:
            tr.raised[0] += 1
    tr.seen[tr.h, tr.s, tr.a, tr.s2] += 1
    tr.paid[tr.h, tr.s, tr.a] += tr.r


monitor = Monitor(
    {
        "seen": i8["H", "S", "A", "S"], "paid": f8["H", "S", "A"], "side": i8["H*S*A", 1], "tally": f8[4, 2],
        "largest": f8[1], "fresh": f8[3], "raised": i8[1],
    },
    monitor_begin,
    monitor_observe,
)  # fmt: skip
#: found by rates
RATES = (
    "noise zero", "variance for sd", "noise twice", "v without H^2", "mean twice", "counts from one",
    "unvisited at zero", "prior without its weight", "noise reused", "noise shared by a stage", "clipped",
    "backup of the same stage", "values of the last episode",
)  # fmt: skip
SLOW = ("values of the last episode",)
CONTROLS = {
    name: Control(name, learner, LONG if name in SLOW else None, replicates=4 if name in RATES else 2)
    for name, learner in {
        "noise zero": faults.noise_zero,
        "variance for sd": faults.sd_squared,
        "noise twice": faults.noise_doubled,
        "v without H^2": faults.variance_without_horizon,
        "mean twice": faults.mean_doubled,
        "counts from one": faults.counts_from_one,
        "unvisited at zero": faults.unvisited_zero,
        "prior without its weight": faults.prior_unweighted,
        "noise reused": faults.noise_reused,
        "noise shared by a stage": faults.noise_shared,
        "clipped": faults.clipping_on,
        "backup of the same stage": faults.backup_same_stage,
        "values of the last episode": faults.values_stale,
        "minimum in the backup": faults.value_minimum,
        "argmin": faults.argmin,
        "self-loops lost": faults.counts_lost,
        "successor not recorded": faults.successors_lost,
        "reward to the next action": faults.rewards_swapped,
        "draw every other episode": faults.trigger_late,
    }.items()
}
#: the minimum over the actions where noise is wide: draws fall below V*
CONTROLS["minimum in the backup, wide noise"] = Control(
    "minimum in the backup, wide noise", faults.value_minimum, WIDE, replicates=8
)


def _step(
    name: str, text: str, tag: str, value: Any, at: str, tol: float, caught: tuple[str, ...], **others: Any
) -> Claim:
    sure = name not in ("calibration", "deviation", "prior", "optimism")
    return Claim(
        id=f"osband2019.{name}",
        text=text,
        source_tag=tag,
        learner="rlsvi",
        kind=Pointwise() if sure else HighProbability(LEVEL),
        quantity=Probe(f"rlsvi.{name}", value, at, tol),
        assumes=(episodic, rewards_in_01),
        controls=tuple(CONTROLS[c] for c in caught),
        tables=tables,
        monitor=monitor,
        **{"instances": STEPS, "control_instance": SMALL, **others},
    )


claims = [
    _step(
        "counts",
        "Counts are conserved: N_h(s,a) and the transitions are those that the environment has served.",
        "derived",
        counts,
        "step",
        0.0,
        ("self-loops lost", "successor not recorded"),
    ),
    _step(
        "sums",
        "Rewards are conserved: the sum kept for a cell is the sum of the rewards that it paid.",
        "derived",
        sums,
        "step",
        1e-9,
        ("reward to the next action",),
    ),
    _step(
        "calibration",
        "Given the past and Q_{h+1} a draw is N(m, v/(n + beta)), m = (beta H + sum (r + max Q_{h+1}(s')))/(n + beta), "
        "v = v_scale 3 H^2: residuals have the median and the quartiles of N(0, 1) and are independent of those of the "
        "last episode and of the cell before, by four Hoeffding tallies at level 0.05.",
        "derived",
        calibration,
        "end",
        0.0,
        (
            "noise zero", "variance for sd", "noise twice", "v without H^2", "mean twice", "counts from one",
            "unvisited at zero", "prior without its weight", "noise reused", "noise shared by a stage", "clipped",
            "backup of the same stage", "values of the last episode",
        ),
    ),
    _step(
        "deviation",
        "No standardised residual exceeds sqrt(2 ln(2HSAK/0.05)) in a run, except with probability 0.05.",
        "derived",
        deviation,
        "step",
        1e-9,
        ("variance for sd", "mean twice"),
    ),
    _step(
        "prior",
        "Draws of cells without a visit are N(H, v/beta) (N(H, H^2) for the theory's v and beta = 3): sign and size by "
        "two Hoeffding tallies at level 0.05.",
        "derived",
        prior_draws,
        "end",
        0.0,
        ("unvisited at zero", "prior without its weight", "clipped"),
    ),
    _step(
        "backup",
        "V_h = max_a Q_h without clipping, V_H = 0, and the planned action attains the maximum.",
        "source",
        backup,
        "plan",
        0.0,
        ("minimum in the backup",),
    ),
    _step(
        "played",
        "The action played has the largest draw at its stage and state.",
        "source",
        played,
        "step",
        0.0,
        ("argmin", "minimum in the backup"),
    ),
    _step(
        "once",
        "There is one draw an episode.",
        "source",
        once,
        "episode",
        0.0,
        ("draw every other episode",),
    ),
    _step(
        "optimism",
        "The number of episodes with V_1(s_1) >= V*_1(s_1) is at least K Phi(-sqrt(LHS/(6 v_scale))) - sqrt(K "
        "ln(2/0.05)/2), L = ln(2HSAK/0.05), except with probability 0.05. Here v_scale is just above LHS/6, 45 times "
        "the theory's or more; far from equality, most draws are optimistic.",
        "derived",
        optimism,
        "end",
        0.0,
        ("minimum in the backup, wide noise",),
        instances=OPTIMISM,
        control_instance=WIDE,
    ),
]  # fmt: skip
