"""Steps of 0/1-UCRL as a baseline of tarbouriech2021, and the memory and probes that R-MAX shares with it.

`st` is the learner's state, `tr` the truth record of the average-reward loop; values are lhs - rhs, and NEVER at plans
after completion. Memory after a step:

    seen (S,A,S) transitions; left, done (1,) pairs short of b and the completion time or -1, by the environment's
    visits; start (S,A) visits before the episode; plans (1,) epochs counted; due: a plan must follow, else none may;
    wrong: the loop planned without being due, or was due and did not
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from proofs_check.mutants import zero_one_ucrl as faults
from proofs_check.papers import _ucrl2_probes as common
from theorylab.assume import Assumption, average_reward, communicating, stationary
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import i8
from theorylab.probe import NEVER, Monitor, Probe

MOST_POLICIES = 4096
ENDS: Any = None


@kernel
def monitor_begin(p, tr):
    """Nothing seen; a plan is due."""
    tr.left[0] = 0
    for s in range(p.S):
        for a in range(p.A):
            tr.left[0] += 1 if p.b[s, a] > 0 else 0
    tr.done[0] = 0 if tr.left[0] == 0 else -1
    tr.due[0] = 1


@kernel
def observe(st, p, tr, t):
    """Record the step; ENDS says whether it asks for a plan."""
    planned = tr.epochs - tr.plans[0]
    tr.plans[0] = tr.epochs
    tr.wrong[0] = abs(planned - tr.due[0])
    if planned > 0:
        for s in range(p.S):
            for a in range(p.A):
                tr.start[s, a] = tr.visits[s, a]
        tr.start[tr.s, tr.a] -= 1
    tr.seen[tr.s, tr.a, tr.s2] += 1
    tr.left[0] -= 1 if tr.visits[tr.s, tr.a] == p.b[tr.s, tr.a] else 0
    if tr.left[0] == 0 and tr.done[0] < 0:
        tr.done[0] = t + 1
    tr.due[0] = 1 if tr.done[0] < 0 and ENDS(p, tr) else 0


@kernel
def completed_or_doubled(p, tr):
    """Whether the step completed or doubled its pair."""
    n = tr.visits[tr.s, tr.a]
    before = tr.start[tr.s, tr.a]
    return n == p.b[tr.s, tr.a] or n - before >= max(1, before)


MEMORY = dict(
    seen=i8["S", "A", "S"], left=i8[1], done=i8[1], start=i8["S", "A"], plans=i8[1], due=i8[1], wrong=i8[1]
)  # fmt: skip
monitor = Monitor(MEMORY, monitor_begin, observe.replace(ENDS=completed_or_doubled))


# Probes of both learners


@kernel
def counts(st, p, tr, t):
    """Visits and transitions of the pair just played, against the environment's counter and the monitor's record."""
    error = abs(float(st.N[tr.s, tr.a] - tr.visits[tr.s, tr.a]))
    for s2 in range(p.S):
        error = max(error, abs(float(st.moves[tr.s, tr.a, s2] - tr.seen[tr.s, tr.a, s2])))
    return error


@kernel
def completion(st, p, tr, t):
    """Distance of the completion time recorded from the first time at which every requirement held."""
    return abs(float(st.finished[0] - tr.done[0]))


@kernel
def replanning(st, p, tr, t):
    """1 where a plan was made that was not due, or one that was due was not."""
    return float(tr.wrong[0])


@kernel
def played(st, p, tr, t):
    """Whether the action differs from the plan's, or after completion from 0."""
    wanted = tr.a
    if tr.done[0] < 0:
        wanted = st.pi[tr.s]
    elif tr.done[0] <= t:
        wanted = 0
    return 0.0 if tr.a == wanted else 1.0


# Probes of 0/1-UCRL


@kernel
def half_width(p, tr, s, a, s2):
    """alpha beta of an entry, with the environment's counters; 1 before the first visit."""
    width = 1.0
    if tr.visits[s, a] > 0:
        n = float(tr.visits[s, a])
        x = tr.seen[s, a, s2] / n
        iota = log(6.0 * p.S * p.A * n / p.delta)
        width = p.alpha * (2.0 * sqrt(x * (1.0 - x) * iota / n) + 6.0 * iota / n)
    return width


@kernel
def radii(st, p, tr, t):
    """Largest distance of an end of a box from the printed formula, cut to [0, 1]."""
    worst = 0.0 if tr.done[0] < 0 else NEVER
    for s in range(p.S if tr.done[0] < 0 else 0):
        for a in range(p.A):
            for s2 in range(p.S):
                x = tr.seen[s, a, s2] / float(max(1, tr.visits[s, a]))
                width = half_width(p, tr, s, a, s2)
                worst = max(worst, abs(st.low[s, a, s2] - max(0.0, x - width)))
                worst = max(worst, abs(st.high[s, a, s2] - min(1.0, x + width)))
    return worst


@kernel
def outside(st, p, tr):
    """Largest distance of a true transition probability from its interval."""
    worst = NEVER
    for s in range(p.S):
        for a in range(p.A):
            for s2 in range(p.S):
                x = tr.law[s, a, s2]
                worst = max(worst, max(x - st.high[s, a, s2], st.low[s, a, s2] - x))
    return worst


@kernel
def coverage(st, p, tr, t):
    """Positive when p is outside of a box."""
    return outside(st, p, tr) if tr.done[0] < 0 else NEVER


@kernel
def true_gain(p, tr):
    """Largest share of time on pairs short of b that a stationary policy has with p: a row of `share` per class."""
    best = 0.0
    for k in range(tr.share.shape[0]):
        gain = 0.0
        for s in range(p.S):
            for a in range(p.A):
                gain += tr.share[k, s * p.A + a] if tr.visits[s, a] < p.b[s, a] else 0.0
        best = max(best, gain)
    return best


@kernel
def optimism(st, p, tr, t):
    """Where p is in the boxes: optimal gain of the 0/1 rewards minus 1/sqrt(t_k), minus the least last change."""
    if tr.done[0] >= 0 or outside(st, p, tr) > 0.0:
        return NEVER
    least = st.u_next[0] - st.u[0]
    for s in range(1, p.S):
        least = min(least, st.u_next[s] - st.u[s])
    return true_gain(p, tr) - least - 1.0 / sqrt(t + 1.0)


@kernel
def dual(st, p, s, a, price):
    """price + sum_i high_i (u_i - price)^+ - low_i (price - u_i)^+: above p~ u for every p~ of the box, any price."""
    value = price
    for s2 in range(p.S):
        gap = st.u[s2] - price
        value += gap * (st.high[s, a, s2] if gap > 0.0 else st.low[s, a, s2])
    return value


@kernel
def action_value(st, p, tr, s, a):
    """0/1 reward + tau max p~ u + (1 - tau) u(s); the maximum as the least dual bound, at one of the entries of u."""
    ahead = dual(st, p, s, a, st.u[0])
    for s2 in range(1, p.S):
        ahead = min(ahead, dual(st, p, s, a, st.u[s2]))
    reward = 1.0 if tr.visits[s, a] < p.b[s, a] else 0.0
    return reward + p.tau * ahead + (1.0 - p.tau) * st.u[s]


@kernel
def backup(st, p, tr, t):
    """Distance of u_next from the largest action value, and of the planned action's value from u_next."""
    worst = 0.0 if tr.done[0] < 0 else NEVER
    for s in range(p.S if tr.done[0] < 0 else 0):
        best = NEVER
        for a in range(p.A):
            best = max(best, action_value(st, p, tr, s, a))
        worst = max(worst, abs(best - st.u_next[s]))
        worst = max(worst, abs(action_value(st, p, tr, s, st.pi[s]) - st.u_next[s]))
    return worst


@kernel
def rewards(st, p, tr, t):
    """Distance of the reward of the pair just played from 1 where a sample of it was missing before, else 0."""
    if tr.done[0] >= 0 and tr.done[0] <= t:
        return NEVER
    wanted = 1.0 if tr.visits[tr.s, tr.a] <= p.b[tr.s, tr.a] else 0.0
    return abs(st.r_up[tr.s, tr.a] - wanted)


# Tables


def shares(P: np.ndarray) -> np.ndarray:
    """Time shares (K, S*A) of all recurrent classes of all deterministic policies, without repetitions; P (S,A,S).

    The optimal gain of a communicating model with mean rewards r is max_k shares[k] r [derived: every class can be
    reached, and the gain of a policy is an average over its classes].
    """
    from scipy.sparse.csgraph import connected_components

    S, A, _ = P.shape
    out = set()
    for pi in itertools.product(range(A), repeat=S):
        Q = P[np.arange(S), list(pi)]
        number, label = connected_components(Q > 0, connection="strong")
        for k in range(number):
            inside = np.flatnonzero(label == k)
            if np.any(Q[inside][:, label != k] > 0):
                continue  # transient
            m = inside.size
            rows = np.vstack([Q[np.ix_(inside, inside)].T - np.eye(m), np.ones(m)])
            mu = np.linalg.lstsq(rows, np.append(np.zeros(m), 1.0), rcond=None)[0]
            row = np.zeros(S * A)
            row[inside * A + np.array(pi)[inside]] = mu
            out.add(tuple(np.round(row, 13)))
    return np.array(sorted(out))


def _few_policies(model: Any) -> str | None:
    if model.A**model.S > MOST_POLICIES:
        return f"the model has {model.A}^{model.S} deterministic policies; {MOST_POLICIES} are enumerated at most"
    return None


few_policies = Assumption("few policies", f"at most {MOST_POLICIES} deterministic policies", _few_policies)


def law(c: Context) -> dict[str, Any]:
    """The kernel (S,A,S)."""
    return {"law": np.array(c.model.dense())}


def law_and_shares(c: Context) -> dict[str, Any]:
    """The kernel and the time shares of its policies."""
    return {**law(c), "share": shares(c.model.dense())}


def level(c: Context) -> float:
    """delta, at alpha = 1."""
    return float(c.delta)


# Claims

ASSUMES = (average_reward, communicating, stationary)
THEORY = (
    Instance("riverswim", 6_000, {}, {"samples": 30}),
    Instance("star", 4_000, {}, {"samples": 20}),
    Instance("garnet", 4_000, {"S": 5, "A": 3, "b": 2, "seed": 1}, {"samples": 60}),
)
STEPS = {
    "standard": (
        *THEORY,
        Instance("riverswim", 1_500, {}, {"samples": 10, "alpha": 0.1}),
        Instance("wheel", 1_000, {}, {"samples": 10, "alpha": 0.1}),
    )
}
#: boxes that matter after few visits; a pair asked for nothing; a fault whose sweeps have no end is stopped soon
ASKED = [[6, 0], [4, 6], [0, 5]]
SMALL = Instance("garnet", 150, {"S": 3, "A": 2, "b": 2, "seed": 2}, {"b": ASKED, "alpha": 0.05, "max_sweeps": 300})
#: the same at the theory's radius, which has a level
WIDE = Instance("garnet", 150, {"S": 3, "A": 2, "b": 2, "seed": 2}, {"b": ASKED, "max_sweeps": 300})

CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "radius zero": faults.radius_zero,
        "log factor dropped": faults.log_dropped,
        "delta left out": faults.delta_dropped,
        "variance outside the root": faults.variance_unrooted,
        "horizon in the logarithm": faults.horizon_in_log,
        "visits plus one": faults.count_ahead,
        "negative lower ends": faults.uncut,
        "boxes of the first episode": faults.boxes_stale,
        "unvisited pairs stay": faults.unseen_stays,
        "mass to the worst state": faults.mass_to_worst,
        "only the best state filled": faults.mass_lost,
        "free mass past the upper end": faults.overfull,
        "one sweep": faults.stops_early,
        "policy minimises": faults.policy_minimises,
        "action 0 played": faults.plays_zero,
        "trigger at fourfold visits": faults.trigger_late,
        "plan at every step": faults.trigger_always,
        "completion not looked up": faults.completion_missed,
        "rewards of the first episode": faults.rewards_stale,
        "rewarded one sample longer": faults.rewards_late,
        "last step not charged": faults.last_step_free,
        "closes one sample late": faults.closes_late,
        "self-loops lost": faults.counts_lost,
        "successor not recorded": faults.successors_lost,
    }.items()
}


def _step(
    name: str,
    text: str,
    value: Any,
    at: str,
    caught: str,
    *,
    tag: str = "derived",
    kind: Any = None,
    tol: float = 0.0,
    copies: bool = False,
    tables: Any = None,
    instances: Any = None,
) -> Claim:
    return Claim(
        id=f"tarbouriech2021.zero-one-{name}",
        text=text,
        source_tag=tag,
        learner="zero-one-ucrl",
        kind=kind or Pointwise(),
        quantity=Probe(f"zero-one.{name}", value, at, tol),
        instances=instances or STEPS,
        control_instance=WIDE if kind else SMALL,
        assumes=(*ASSUMES, few_policies) if tables is law_and_shares else ASSUMES,
        controls=tuple(CONTROLS[c] for c in caught.split("; ")),
        tables=tables,
        monitor=monitor,
        copies=copies,
    )


CLAIMS = [
    _step(
        "radii",
        "At every plan the ends of a box are p_hat +- alpha (2 sqrt(p_hat (1 - p_hat) iota / n) + 6 iota / n), cut to "
        "[0, 1], iota = ln(6 S A n / delta); before the first visit they are 0 and 1.",
        radii,
        "plan",
        "radius zero; log factor dropped; delta left out; variance outside the root; horizon in the logarithm; "
        "visits plus one; negative lower ends; boxes of the first episode; unvisited pairs stay",
        tag="source",
        tol=1e-9,
        copies=True,
    ),
    _step(
        "coverage",
        "At alpha = 1 every box holds p at every plan, except with probability delta. Loose, as for GOSPRL.",
        coverage,
        "plan",
        "radius zero; unvisited pairs stay",
        tag="source",
        kind=HighProbability(level),
        tol=1e-9,
        tables=law,
        instances={"standard": THEORY},
    ),
    _step(
        "optimism",
        "Wherever p is in the boxes, the least change of the last sweep plus 1/sqrt(t_k) is at least the optimal gain "
        "with reward 1 on the pairs short of b.",
        optimism,
        "plan",
        "mass to the worst state; only the best state filled",
        tol=1e-9,
        tables=law_and_shares,
    ),
    _step(
        "backup",
        "At every plan u_next(s) = max_a 1{N < b} + tau max p~ u + (1 - tau) u(s) over the boxes, the maximum being "
        "the least dual bound, and the planned action attains it.",
        backup,
        "plan",
        "mass to the worst state; only the best state filled; free mass past the upper end; policy minimises; "
        "rewards of the first episode; rewarded one sample longer",
        tol=1e-8,
    ),
    _step(
        "stopping",
        "Extended value iteration stops with a span of u_next - u below 1/sqrt(t_k).",
        common.stopping,
        "plan",
        "one sweep",
        tag="recalled",
        tol=1e-12,
    ),
    _step(
        "rewards",
        "The reward set of an episode is never out of date: a pair is played at reward 1 exactly where a sample of it "
        "is missing.",
        rewards,
        "step",
        "rewards of the first episode; rewarded one sample longer; completion not looked up",
    ),
    _step(
        "replanning",
        "A plan follows a step exactly where it doubled or completed its pair and samples are missing.",
        replanning,
        "step",
        "trigger at fourfold visits; plan at every step; completion not looked up",
        tag="recalled",
    ),
    _step(
        "played",
        "The plan's action is played, after completion action 0.",
        played,
        "step",
        "action 0 played",
        tag="recalled",
    ),
    _step(
        "counts",
        "Counts are conserved: N is the environment's number of visits and C holds the transitions that were made.",
        counts,
        "step",
        "self-loops lost; successor not recorded",
    ),
    _step(
        "completion",
        "The completion time is the first number of steps after which every requirement holds.",
        completion,
        "step",
        "last step not charged; closes one sample late",
    ),
]
