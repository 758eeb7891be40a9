"""Steps of `gosprl-sparse` (tarbouriech2021): that it stores what was seen, and plans with it as `gosprl` does.

The monitor is that of `gosprl`, with the planned model read from the stored rows. That all results equal those of
`gosprl` bit by bit is a test (tests/differential/test_gosprl_sparse.py), not a claim.
"""

from __future__ import annotations

from proofs_check.mutants import gosprl_sparse as faults
from proofs_check.papers import _gosprl_monitor as general
from proofs_check.papers import _gosprl_probes as probes
from proofs_check.papers._gosprl_controls import LIMIT, RIVER, WHEEL
from theorylab.assume import average_reward, communicating, stationary
from theorylab.claim import Claim, Control, Instance, Pointwise
from theorylab.kernel import Kernel, kernel, log, sqrt
from theorylab.learner import i8
from theorylab.probe import NEVER, Monitor, Probe


@kernel
def solve_stored(st, p, tr):
    """own = 1 + plow_pi own off G, 0 on G, by elimination (rows sum to less than one, so no pivoting)."""
    m = tr.matrix
    for s in range(p.S):
        for s2 in range(p.S + 1):
            m[s, s2] = 1.0 if s == s2 else 0.0
        if tr.open[s] == 0:
            m[s, p.S] = 1.0
            for j in range(st.width[s, st.pi[s]]):
                m[s, st.support[s, st.pi[s], j]] -= st.plow[s, st.pi[s], j]
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


observe_trip = general.observe.replace(note_trip=general.note_trip.replace(solve_own=solve_stored))


@kernel
def observe(st, p, tr, t):
    """Record the step and its transition."""
    observe_trip(st, p, tr, t)
    tr.seen[tr.s, tr.a, tr.s2] += 1


monitor = Monitor({**general.MEMORY, "seen": i8["S", "A", "S"]}, general.monitor_begin, observe)


@kernel
def stored(st, p, tr, t):
    """Visits of the pair just played that its stored successors miss or have too many, and pairs out of order."""
    error = 0
    total = 0
    for j in range(st.met[tr.s, tr.a]):
        s2 = st.succ[tr.s, tr.a, j]
        total += st.times[tr.s, tr.a, j]
        error += abs(st.times[tr.s, tr.a, j] - tr.seen[tr.s, tr.a, s2])
        if j > 0 and st.succ[tr.s, tr.a, j - 1] >= s2:
            error += 1
    return float(error + abs(total - tr.visits[tr.s, tr.a]))


@kernel
def residue(st, p, tr, t):
    """0 < plow <= p_hat with the environment's counters, and 1 - sum plow at least min(1, 6 alpha iota) / n."""
    worst = NEVER
    if st.t_k[0] == t:
        for s in range(p.S):
            for a in range(p.A):
                n = float(max(1, tr.visits[s, a]))
                share = 1.0
                for j in range(st.width[s, a]):
                    x = st.plow[s, a, j]
                    share -= x
                    worst = max(worst, max(-x, x - tr.seen[s, a, st.support[s, a, j]] / n))
                iota = log(6.0 * p.S * p.A * n / p.delta)
                worst = max(worst, min(1.0, 6.0 * p.alpha * iota) / n - share)
    return worst


@kernel
def bounds(st, p, tr, t):
    """Largest distance of the stored rows from max(0, p_hat - alpha beta) of all successors, seen or not."""
    worst = NEVER
    if st.t_k[0] == t:
        for s in range(p.S):
            for a in range(p.A):
                n = float(max(1, tr.visits[s, a]))
                iota = log(6.0 * p.S * p.A * n / p.delta)
                i = 0
                for s2 in range(p.S):
                    x = tr.seen[s, a, s2] / n
                    low = max(0.0, x - p.alpha * (2.0 * sqrt(x * (1.0 - x) * iota / n) + 6.0 * iota / n))
                    kept = 0.0
                    if i < st.width[s, a] and st.support[s, a, i] == s2:
                        kept = st.plow[s, a, i]
                        i += 1
                    worst = max(worst, abs(kept - low))
                worst = max(worst, float(st.width[s, a] - i))
    return worst


STEPS = {
    "standard": (
        Instance("riverswim", 1_500, {}, {"samples": 10, "alpha": 0.1, "slots": 3}),
        Instance("noisy-riverswim", 2_000, {"states": 8}, {"samples": 10, "alpha": 0.1}),
        Instance("garnet", 3_000, {"S": 10, "A": 3, "b": 3, "seed": 1}, {"samples": 10, "slots": 4}),
    ),
}
#: four successors a pair, so that most are first seen out of order
FOUR = {"S": 5, "A": 2, "b": 4, "seed": 1}
SPREAD = Instance("garnet", 200, FOUR, {"samples": 5, "alpha": 0.03, **LIMIT})
#: the same without a plan, and with slots for successors that are stored more than once
COUNTED = Instance("garnet", 60, FOUR, {"samples": 0, "slots": 60})
CONTROLS = {
    name: Control(name, learner, SPREAD, replicates=4)
    for name, learner in {
        "successor lost": faults.successor_lost,
        "self-loops lost": faults.counts_lost,
        "bound of another successor": faults.bound_misplaced,
    }.items()
}
CONTROLS |= {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "radius zero": faults.radius_zero,
        "negative entries kept": faults.clipping_off,
        "log factor dropped": faults.log_dropped,
        "delta left out": faults.delta_dropped,
        "variance outside the root": faults.variance_unrooted,
        "division by N + 1": faults.count_ahead,
        "cut mass stays": faults.mass_stays,
        "rows stale": faults.rows_stale,
        "one sweep": faults.stops_early,
        "arrival not charged": faults.arrival_free,
        "policy maximises": faults.policy_maximises,
        "last step not charged": faults.last_step_free,
    }.items()
}
CONTROLS |= {
    "order not kept": Control("order not kept", faults.order_lost, COUNTED),
    "last successor not moved": Control("last successor not moved", faults.last_not_moved, COUNTED),
    "first time counted twice": Control("first time counted twice", faults.first_twice, COUNTED),
    "warm start": Control("warm start", faults.warm_start, RIVER),
}


def _step(name: str, text: str, value: Kernel, at: str, tol: float, caught: str, copies: bool = False) -> Claim:
    return Claim(
        id=f"tarbouriech2021.sparse-{name}",
        text=text,
        source_tag="derived",
        learner="gosprl-sparse",
        kind=Pointwise(),
        quantity=Probe(f"gosprl-sparse.{name}", value, at, tol),
        instances=STEPS,
        control_instance=WHEEL,
        assumes=(average_reward, communicating, stationary),
        controls=tuple(CONTROLS[c] for c in caught.split("; ")),
        monitor=monitor,
        copies=copies,
    )


CLAIMS = [
    _step(
        "stored",
        "The successors stored of a pair are those that were seen, in order of the index, with their counts.",
        stored, "step", 0.0,
        "successor lost; order not kept; first time counted twice; last successor not moved; self-loops lost",
    ),
    _step(
        "residue",
        "Every stored bound has 0 < plow <= p_hat, and G's share of a row, 1 - sum plow, is at least min(1, 6 alpha "
        "iota) / n, so that every policy of the model is proper.",
        residue, "plan", 1e-12,
        "radius zero; negative entries kept; cut mass stays; log factor dropped; bound of another successor",
    ),
    _step(
        "bounds",
        "At every plan the stored rows are max(0, p_hat - alpha beta) of all successors: nothing that was seen is left "
        "out, and rows not visited since the last plan are still right.",
        bounds, "plan", 1e-9,
        "rows stale; delta left out; variance outside the root; division by N + 1; successor lost",
        copies=True,
    ),
    _step(
        "certificate",
        "At every plan v <= V^pi <= v / (1 - eps) in the planned model, eps = |L v - v| < 1 and pi the policy that is "
        "played.",
        probes.certificate, "step", 1e-9,
        "one sweep; policy maximises; arrival not charged; warm start",
    ),
    _step(
        "completion",
        "The completion time is the first number of steps after which every requirement holds.",
        probes.completion, "step", 0.0,
        "last step not charged",
    ),
]  # fmt: skip
