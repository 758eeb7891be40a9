"""Steps of R-MAX as a baseline of tarbouriech2021: known pairs, values, plans, completion.

`st` is the learner's state, `tr` the truth record of the average-reward loop with the memory of `_zero_one_ucrl_steps`
and, of the last plan: fresh, 1 on the step after it; own (S,) the exact value of its policy in the planned model, by
elimination in matrix (S,S+1); far (S,) the least number of moves, possible in the true model, to a state with an
unknown pair (S: none).
"""

from __future__ import annotations

from typing import Any

from proofs_check.mutants import r_max_collection as faults
from proofs_check.papers import _zero_one_ucrl_steps as shared
from theorylab.assume import average_reward, communicating, stationary
from theorylab.claim import Claim, Control, Instance, Pointwise
from theorylab.kernel import kernel
from theorylab.learner import f8, i8
from theorylab.probe import NEVER, Monitor, Probe


@kernel
def is_known(p, visits, s, a):
    """1 where a pair has its m = max(1, b) visits."""
    return 1 if visits[s, a] >= max(1, p.b[s, a]) else 0


@kernel
def made_known(p, tr):
    """Whether the step made its pair known."""
    return tr.visits[tr.s, tr.a] == max(1, p.b[tr.s, tr.a])


@kernel
def solve_own(st, p, tr):
    """own = gamma (unknown? 1 : p_hat_pi own) by elimination; rows sum to at most gamma, so no pivoting."""
    m = tr.matrix
    for s in range(p.S):
        known = st.known[s, st.pi[s]]
        for s2 in range(p.S):
            m[s, s2] = 1.0 if s == s2 else 0.0
            if known == 1:
                m[s, s2] -= p.gamma * st.p_hat[s, st.pi[s], s2]
        m[s, p.S] = 0.0 if known == 1 else p.gamma
    for k in range(p.S):
        for i in range(k + 1, p.S):
            factor = m[i, k] / m[k, k]
            for j in range(k, p.S + 1):
                m[i, j] -= factor * m[k, j]
    for i in range(p.S):
        k = p.S - 1 - i
        value = m[k, p.S]
        for j in range(k + 1, p.S):
            value -= m[k, j] * tr.own[j]
        tr.own[k] = value / m[k, k]


@kernel
def measure(p, tr):
    """far, from the visits at the start of the episode and the moves that the true model allows."""
    for s in range(p.S):
        tr.far[s] = p.S
        for a in range(p.A):
            if is_known(p, tr.start, s, a) == 0:
                tr.far[s] = 0
    for _ in range(p.S):
        for s in range(p.S):
            for a in range(p.A):
                for j in range(tr.width):
                    if tr.prob[s * p.A + a, j] > 0.0:
                        tr.far[s] = min(tr.far[s], 1 + tr.far[tr.succ[s * p.A + a, j]])


episode = shared.observe.replace(ENDS=made_known)


@kernel
def observe(st, p, tr, t):
    """Record the step; after a plan its exact values and distances, unless the step has completed the sample."""
    planned = tr.epochs > tr.plans[0]
    episode(st, p, tr, t)
    tr.fresh[0] = 1 if planned and tr.done[0] < 0 else 0
    if tr.fresh[0] == 1:
        solve_own(st, p, tr)
        measure(p, tr)


monitor = Monitor(
    {**shared.MEMORY, "fresh": i8[1], "own": f8["S"], "matrix": f8["S", "S+1"], "far": i8["S"]},
    shared.monitor_begin,
    observe,
)


@kernel
def known(st, p, tr, t):
    """Pairs that are wrongly known or unknown."""
    wrong = 0
    for s in range(p.S if tr.done[0] < 0 else 0):
        for a in range(p.A):
            wrong += abs(st.known[s, a] - is_known(p, tr.visits, s, a))
    return float(wrong)


@kernel
def action_value(st, p, tr, s, a):
    """gamma for an unknown pair, else gamma times the empirical mean of v, with the environment's counters."""
    value = p.gamma
    if is_known(p, tr.visits, s, a) == 1:
        value = 0.0
        for s2 in range(p.S):
            value += p.gamma * st.v[s2] * tr.seen[s, a, s2] / tr.visits[s, a]
    return value


@kernel
def backup(st, p, tr, t):
    """Distance of v_next from the largest action value, and of the planned action's value from v_next."""
    worst = 0.0 if tr.done[0] < 0 else NEVER
    for s in range(p.S if tr.done[0] < 0 else 0):
        best = NEVER
        for a in range(p.A):
            best = max(best, action_value(st, p, tr, s, a))
        worst = max(worst, abs(best - st.v_next[s]))
        worst = max(worst, abs(action_value(st, p, tr, s, st.pi[s]) - st.v_next[s]))
    return worst


@kernel
def certificate(st, p, tr, t):
    """After a plan: v_next - V^pi and V^pi - v_next - precision."""
    worst = NEVER
    for s in range(p.S if tr.fresh[0] == 1 else 0):
        worst = max(worst, max(st.v_next[s] - tr.own[s], tr.own[s] - st.v_next[s] - p.precision))
    return worst


@kernel
def distance(st, p, tr, t):
    """After a plan: v_next - gamma^{1 + far}, and in a deterministic model gamma^{1 + far} - v_next - precision."""
    worst = NEVER
    for s in range(p.S if tr.fresh[0] == 1 else 0):
        best = p.gamma
        for _ in range(tr.far[s]):
            best *= p.gamma
        worst = max(worst, st.v_next[s] - best)
        if tr.width == 1:
            worst = max(worst, best - st.v_next[s] - p.precision)
    return worst


STEPS = {
    "standard": (
        Instance("riverswim", 3_000, {}, {"samples": 30}),
        Instance("star", 3_000, {}, {"samples": 20}),
        Instance("garnet", 3_000, {"S": 10, "A": 3, "b": 3, "seed": 1}, {"samples": 30, "gamma": 0.9}),
        Instance("corridor", 1_500, {"slip": 0.0}, {"samples": 10}),
    )
}
#: few sweeps; a precision that shows; a pair of which nothing is asked
SMALL = Instance(
    "garnet", 120, {"S": 4, "A": 2, "b": 2, "seed": 2},
    {"b": [[4, 0], [3, 4], [0, 5], [3, 3]], "gamma": 0.9, "precision": 1e-3},
)  # fmt: skip
#: every move is sure, and four actions of six cells make a long way
SURE = Instance("corridor", 150, {"slip": 0.0, "rows": 1, "length": 6}, {"samples": 2, "gamma": 0.9, "precision": 1e-3})

CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "unknown pairs worth nothing": faults.unknown_worthless,
        "unknown pairs not discounted": faults.unknown_undiscounted,
        "known one visit early": faults.known_early,
        "known one visit late": faults.known_late,
        "never-played pairs known": faults.unplayed_known,
        "rows of the first time": faults.rows_stale,
        "visits plus one": faults.count_ahead,
        "self-loops left out of the rows": faults.loops_lost,
        "one sweep": faults.stops_early,
        "precision of the change": faults.precision_loose,
        "warm start": faults.warm_start,
        "policy minimises": faults.policy_minimises,
        "action 0 played": faults.plays_zero,
        "trigger by the state": faults.trigger_late,
        "plan at every step": faults.trigger_always,
        "self-loops lost": faults.counts_lost,
        "successor not recorded": faults.successors_lost,
        "last step not charged": faults.last_step_free,
        "closes one sample late": faults.closes_late,
    }.items()
}


def _step(name: str, text: str, value: Any, at: str, caught: str, tol: float = 0.0) -> Claim:
    return Claim(
        id=f"tarbouriech2021.r-max-{name}",
        text=text,
        source_tag="derived",
        learner="r-max-collection",
        kind=Pointwise(),
        quantity=Probe(f"r-max.{name}", value, at, tol),
        instances=STEPS,
        control_instance=SURE if name == "distance" else SMALL,
        assumes=(average_reward, communicating, stationary),
        controls=tuple(CONTROLS[c] for c in caught.split("; ")),
        monitor=monitor,
    )


CLAIMS = [
    _step(
        "known",
        "At every plan a pair is known exactly where it has max(1, b) visits.",
        known,
        "plan",
        "known one visit early; known one visit late; never-played pairs known",
    ),
    _step(
        "backup",
        "At every plan v_next(s) = gamma max_a {1 if (s,a) is unknown, else p_hat v}, with the frequencies of now, and "
        "the planned action attains it.",
        backup,
        "plan",
        "unknown pairs worth nothing; unknown pairs not discounted; rows of the first time; visits plus one; "
        "self-loops left out of the rows; policy minimises",
        tol=1e-12,
    ),
    _step(
        "certificate",
        "At every plan v_next <= V^pi <= V* <= v_next + precision in the planned model, pi the policy that is played "
        "(its exact value is measured; the value V* of the best policy lies between by contraction).",
        certificate,
        "step",
        "one sweep; precision of the change; warm start; policy minimises",
        tol=1e-12,
    ),
    _step(
        "distance",
        "v <= gamma^{1 + d}, d the fewest moves to a state with an unknown pair that the true model allows; where all "
        "moves are sure, so that p_hat = p, equality within the precision: no known set looks closed.",
        distance,
        "step",
        "unknown pairs worth nothing; unknown pairs not discounted; one sweep; successor not recorded; visits plus one",
        tol=1e-12,
    ),
    _step(
        "replanning",
        "A plan follows a step exactly where it made its pair known and samples are missing.",
        shared.replanning,
        "step",
        "trigger by the state; plan at every step; known one visit early",
    ),
    _step(
        "played", "The plan's action is played, after completion action 0.", shared.played, "step", "action 0 played"
    ),
    _step(
        "counts",
        "Counts are conserved: N is the environment's number of visits and C holds the transitions that were made.",
        shared.counts,
        "step",
        "self-loops lost; successor not recorded",
    ),
    _step(
        "completion",
        "The completion time is the first number of steps after which every requirement holds.",
        shared.completion,
        "step",
        "last step not charged; closes one sample late",
    ),
]
