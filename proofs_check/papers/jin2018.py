"""Jin, Allen-Zhu, Bubeck, Jordan 2018: Q-learning with a Hoeffding bonus (UCB-H). Episodic, rewards in [0, 1].

    theorem 1    with probability 1 - delta, regret(K) <= O(sqrt(H^4 S A T i)), T = KH, i = ln(S A T / delta)
    [recalled]

The paper leaves the constant open, so theorem 1 itself gets the best constant that was measured. With c the bonus
constant, the steps of the proof have explicit constants [derived]: rewards and next values together move in an interval
of length H, the rates satisfy sum_i (a_n^i)^2 <= 2H/n, so by Azuma each of the S A T averages is off by more than c
sqrt(H^3 i / n) with probability at most 2 exp(-c^2 i); all of them hold except with probability 2 S A T (delta / (S A
T))^(c^2). On that event 0 <= Q - Q_star <= a_n^0 H + sum_i a_n^i (V - V_star)(s_i) + 3 c sqrt(H^3 i / n), and
unrolling the recursion with (1 + 1/H)^H <= e gives the explicit form

    regret(k) <= e (S A H^2 + 6 c sqrt(H^4 S A k H i) + H sqrt(K H ln(1/delta) / 2)),     all k <= K,

except with probability 2 S A T (delta/(S A T))^(c^2) + delta.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from mdps.learners.ucb_h import learner as LEARNER
from proofs_check.lemmas.learning_rate import false_rate_weights, rate_weights
from proofs_check.mutants import ucb_h as faults
from theorylab.assume import episodic, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.kernel import kernel, sqrt
from theorylab.learner import f8
from theorylab.probe import Monitor, Probe

#: with c = 1 the event of concentration has a failure probability that runs can test: 2 delta
ONE = {"c": 1.0, "delta": 0.05}
SMALL = Instance("riverswim", 60, {"states": 3, "horizon": 3}, ONE)
STEPS = {
    "quick": (
        Instance("riverswim", 1000, {"states": 4, "horizon": 5, "rewards": "bernoulli"}, ONE),
        Instance("frozen-lake", 300, {"horizon": 10}, ONE),
    ),
    "standard": (
        Instance("riverswim", 5000, {"states": 6, "horizon": 20}, ONE),
        Instance("frozen-lake", 2000, {"horizon": 20}, ONE),
        Instance("garnet", 2000, {"S": 8, "A": 3, "b": 3, "seed": 1, "horizon": 6}, ONE),
    ),
}
SWITCH = {"slip": 0.1, "rewards": "bernoulli", "horizon": 2, "start": "uniform"}
FINAL = {
    "quick": (Instance("two-state", 800_000, SWITCH, {"c": 1.0, "delta": 0.1}),),
    "standard": (
        Instance("two-state", 4_000_000, SWITCH, {"c": 1.0, "delta": 0.1}),
        Instance("riverswim", 100_000, {"states": 3, "horizon": 3}),
    ),
}


def shape(c: Context, n: np.ndarray) -> np.ndarray:
    """sqrt(H^4 S A (n H) iota): the order of theorem 1 after n episodes."""
    return np.asarray(np.sqrt(float(c.H) ** 4 * c.S * c.A * np.asarray(n, dtype=float) * c.H * c.iota))


def explicit(c: Context, n: np.ndarray) -> np.ndarray:
    """The explicit form of the module's text [derived]."""
    first = c.S * c.A * float(c.H) ** 2
    noise = c.H * math.sqrt(c.K * c.H * math.log(1.0 / c.delta) / 2.0)
    return np.asarray(math.e * (first + 6.0 * c.c * shape(c, n) + noise))


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """n times the largest optimal value of a first state: rewards are not negative, so no algorithm loses more."""
    return np.asarray(n, dtype=float) * float(np.max(c.V_star[0][c.mu0 > 0]))


def concentration_level(c: Context) -> float:
    """2 S A T (delta / (S A T))^(c^2)."""
    cells = float(c.S) * c.A * c.T
    # rounded up from an underflow: in the theorem's favour it may not be zero
    return float(max(min(1.0, 2.0 * cells * (c.delta / cells) ** (c.c**2)), 1e-300))


def explicit_level(c: Context) -> float:
    """Failure probability of the explicit form."""
    return float(min(1.0, concentration_level(c) + c.delta))


def tables(c: Context) -> dict[str, float]:
    """ln(S A T / delta) in nats, apart from the learner's own constant."""
    return {"log_term": math.log(c.S * c.A * c.T / c.delta)}


@kernel
def counts(st, p, tr, t):
    """Visits of the cell: the learner's against the environment's."""
    return abs(float(st.N[tr.h, tr.s, tr.a] - tr.visits[tr.h, tr.s, tr.a]))


@kernel
def bonus_formula(st, p, tr, t):
    """Bonus of the last update against c sqrt(H^3 iota / n), n from the environment's counter."""
    return abs(st.bonus[0] - p.c * sqrt(p.H * p.H * p.H * tr.log_term / tr.visits[tr.h, tr.s, tr.a]))


@kernel
def clipping(st, p, tr, t):
    """V_h(s) - H, the cap that the paper prints."""
    return st.V[tr.h, tr.s] - p.H


@kernel
def update(st, p, tr, t):
    """The updated cell against the printed rule applied to the monitor's copy of Q, and V against min(H, max Q)."""
    n = tr.visits[tr.h, tr.s, tr.a]
    rate = (p.H + 1.0) / (p.H + n)
    bonus = p.c * sqrt(p.H * p.H * p.H * tr.log_term / n)
    target = tr.r + st.V[tr.h + 1, tr.s2] + bonus
    error = abs(st.Q[tr.h, tr.s, tr.a] - ((1.0 - rate) * tr.Q_before[0] + rate * target))
    top = st.Q[tr.h, tr.s, 0]
    for a in range(1, p.A):
        top = max(top, st.Q[tr.h, tr.s, a])
    return max(error, abs(st.V[tr.h, tr.s] - min(float(p.H), top)))


@kernel
def greedy(st, p, tr, t):
    """Largest Q of the visited state minus that of the action played, both before the update."""
    worst = 0.0
    for a in range(p.A):
        if a != tr.a:
            worst = max(worst, st.Q[tr.h, tr.s, a] - tr.Q_before[0])
    return worst


@kernel
def optimism(st, p, tr, t):
    """Largest Q_star - Q over the actions of the visited state, visited or not."""
    worst = tr.Q_star[tr.h, tr.s, 0] - st.Q[tr.h, tr.s, 0]
    for a in range(1, p.A):
        worst = max(worst, tr.Q_star[tr.h, tr.s, a] - st.Q[tr.h, tr.s, a])
    return worst


@kernel
def state_optimism(st, p, tr, t):
    """V_star - V at the state whose value was updated and at its successor."""
    return max(tr.V_star[tr.h, tr.s] - st.V[tr.h, tr.s], tr.V_star[tr.h + 1, tr.s2] - st.V[tr.h + 1, tr.s2])


@kernel
def concentration(st, p, tr, t):
    """|sum_i a_n^i (r_i + V_star(s_i') - Q_star)| minus c sqrt(H^3 iota / n) at the visited cell."""
    n = tr.visits[tr.h, tr.s, tr.a]
    return abs(tr.noise[tr.h, tr.s, tr.a]) - p.c * sqrt(p.H * p.H * p.H * tr.log_term / n)


@kernel
def recursion(st, p, tr, t):
    """Q - Q_star minus its upper bound: sum_i a_n^i (V - V_star)(s_i') + 3 c sqrt(H^3 iota / n) (n >= 1: a_n^0 = 0)."""
    n = tr.visits[tr.h, tr.s, tr.a]
    width = 3.0 * p.c * sqrt(p.H * p.H * p.H * tr.log_term / n)
    return st.Q[tr.h, tr.s, tr.a] - tr.Q_star[tr.h, tr.s, tr.a] - tr.carried[tr.h, tr.s, tr.a] - width


@kernel
def decomposition(st, p, tr, t):
    """|Q - Q_star - sum_i a_n^i ((V - V_star)(s_i') + noise_i + b_i)| at the visited cell."""
    h = tr.h
    s = tr.s
    a = tr.a
    explained = tr.carried[h, s, a] + tr.noise[h, s, a] + tr.bonuses[h, s, a]
    return abs(st.Q[h, s, a] - tr.Q_star[h, s, a] - explained)


@kernel
def monitor_begin(p, tr):
    """The copy of Q starts at H, the weighted sums at zero."""
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                tr.Q_copy[h, s, a] = float(p.H)
                tr.noise[h, s, a] = 0.0
                tr.carried[h, s, a] = 0.0
                tr.bonuses[h, s, a] = 0.0


@kernel
def monitor_observe(st, p, tr, t):
    """Weighted sums with the paper's rates, from the environment's counters and the exact values."""
    h = tr.h
    s = tr.s
    a = tr.a
    rate = (p.H + 1.0) / (p.H + tr.visits[h, s, a])
    error = tr.r + tr.V_star[h + 1, tr.s2] - tr.Q_star[h, s, a]
    tr.noise[h, s, a] = (1.0 - rate) * tr.noise[h, s, a] + rate * error
    ahead = st.V[h + 1, tr.s2] - tr.V_star[h + 1, tr.s2]
    tr.carried[h, s, a] = (1.0 - rate) * tr.carried[h, s, a] + rate * ahead
    bonus = p.c * sqrt(p.H * p.H * p.H * tr.log_term / tr.visits[h, s, a])
    tr.bonuses[h, s, a] = (1.0 - rate) * tr.bonuses[h, s, a] + rate * bonus
    tr.Q_before[0] = tr.Q_copy[h, s, a]
    tr.Q_copy[h, s, a] = st.Q[h, s, a]


CELLS = f8["H", "S", "A"]
monitor = Monitor(
    {"Q_copy": CELLS, "Q_before": f8[1], "noise": CELLS, "carried": CELLS, "bonuses": CELLS},
    monitor_begin,
    monitor_observe,
)
CONTROLS = {
    name: Control(name, learner)
    for name, learner in {
        "bonus zero": faults.bonus_zero,
        "log factor dropped": faults.log_dropped,
        "bonus 1/n": faults.bonus_one_over_n,
        "bonus tenfold": faults.bonus_tenfold,
        "rate 1/n": faults.rate_one_over_n,
        "backup of the same stage": faults.backup_same_stage,
        "backup skips a stage": faults.backup_skips_stage,
        "counts lost": faults.counts_lost,
        "no clipping": faults.clipping_off,
        "unvisited at zero": faults.unvisited_zero,
        "K for T": faults.episodes_for_steps,
        "argmin": faults.argmin,
        "acts on the next stage": faults.acts_on_next_stage,
        "rate one visit behind": faults.count_off_by_one,
        "delta left out": faults.delta_dropped,
    }.items()
}

#: with one stage the bonus soon falls below the cap, so that values move
CONTROLS["value not updated"] = Control(
    "value not updated", faults.value_stale, Instance("riverswim", 200, {"states": 3, "horizon": 1}, ONE)
)
#: with a small bonus the value of a pair that is played soon falls below H, that of pairs that are not
CONTROLS["acts on the next stage"] = Control(
    "acts on the next stage",
    faults.acts_on_next_stage,
    Instance("riverswim", 60, {"states": 3, "horizon": 3}, {"c": 0.05, "delta": 0.05}),
)
#: a broken assumption: rewards far outside [0, 1]
CONTROLS["rewards of sd 50"] = Control(
    "rewards of sd 50", LEARNER, Instance("riverswim", 60, {"states": 3, "horizon": 3, "noise": 50.0}, ONE)
)


def _step(
    name: str, text: str, tag: str, kind: Any, probe: Probe, caught: tuple[str, ...], copies: bool = False
) -> Claim:
    return Claim(
        id=f"jin2018.{name}",
        text=text,
        source_tag=tag,
        learner="ucb-h",
        kind=kind,
        quantity=probe,
        instances=STEPS,
        control_instance=SMALL,
        assumes=(episodic, rewards_in_01),
        controls=tuple(CONTROLS[c] for c in caught),
        tables=tables,
        monitor=monitor,
        copies=copies,
    )


def _uniform() -> Control:
    from theorylab.registry import find_learner

    return Control("uniform play", find_learner("uniform", "episodic"), FINAL["quick"][0], replicates=12, target="cpu")


PARTS = ("decomposition", "recursion")
NAMES = ("weights", "counts", "bonus", "clipping", "update", "greedy", "concentration", "optimism", "value-optimism")
claims = [
    Claim(
        id="jin2018.thm1",
        text="Theorem 1: with probability 1 - delta, regret(K) = O(sqrt(H^4 S A T iota)), iota = ln(SAT/delta); the "
        "constant is not given.",
        source_tag="recalled",
        learner="ucb-h",
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        shape=shape,
        trivial=trivial,
        constants="unspecified",
        instances=FINAL,
        assumes=(episodic, rewards_in_01),
        steps=tuple(f"jin2018.{s}" for s in NAMES + PARTS),
    ),
    Claim(
        id="jin2018.thm1-explicit",
        text="Theorem 1 with the constants of its proof written out: regret(k) <= e (S A H^2 + 6 c sqrt(H^4 S A k H "
        "iota) "
        "+ H sqrt(K H ln(1/delta)/2)) for all k <= K, except with probability 2SAT(delta/(SAT))^(c^2) + delta.",
        source_tag="derived",
        learner="ucb-h",
        kind=HighProbability(explicit_level),
        quantity="regret",
        bound=explicit,
        trivial=trivial,
        instances={k: v[:1] for k, v in FINAL.items()},
        assumes=(episodic, rewards_in_01),
        controls=(_uniform(),),
    ),
    Claim(
        id="jin2018.weights",
        text="Lemma 4.1: for every H and n the weights a_n^i sum to one, a_n^i <= 2H/n, sum_i (a_n^i)^2 <= 2H/n, "
        "1/sqrt(n) <= sum_i a_n^i / sqrt(i) <= 2/sqrt(n), and sum_{n >= i} a_n^i = 1 + 1/H (partial sums below it).",
        source_tag="recalled",
        scope="models",
        learner="ucb-h",
        kind=Pointwise(),
        quantity=rate_weights,
        false_twin=false_rate_weights,
        instances={},
    ),
    _step(
        "counts",
        "Visits are conserved: N_h(s,a) equals the number of visits the environment has served.",
        "derived",
        Pointwise(),
        Probe("ucb-h.counts", counts),
        ("counts lost",),
    ),
    _step(
        "bonus",
        "Every bonus equals c sqrt(H^3 iota / n) at its visit n.",
        "recalled",
        Pointwise(),
        Probe("ucb-h.bonus", bonus_formula, tol=1e-9),
        ("bonus zero", "log factor dropped", "bonus 1/n", "K for T", "delta left out"),
        copies=True,
    ),
    _step(
        "clipping",
        "V_h(s) <= H at every step (the cap that the algorithm prints; H - h would be a variant).",
        "recalled",
        Pointwise(),
        Probe("ucb-h.clipping", clipping),
        ("no clipping",),
    ),
    _step(
        "update",
        "Every update equals (1 - a_n) Q + a_n (r + V_{h+1}(s') + b_n) with a_n = (H+1)/(H+n), then V = min(H, max Q).",
        "recalled",
        Pointwise(),
        Probe("ucb-h.update", update, tol=1e-9),
        ("rate 1/n", "backup of the same stage", "bonus zero", "value not updated"),
        copies=True,
    ),
    _step(
        "greedy",
        "The action played maximises Q_h(s,.) as it stood.",
        "recalled",
        Pointwise(),
        Probe("ucb-h.greedy", greedy),
        ("argmin", "acts on the next stage"),
    ),
    _step(
        "concentration",
        "|sum_i a_n^i (r_i + V_star_{h+1}(s_i') - Q_star_h(s,a))| <= c sqrt(H^3 iota / n) at every visit, except with "
        "probability 2SAT(delta/(SAT))^(c^2) (lemma 4.3's event, by Azuma).",
        "derived",
        HighProbability(concentration_level),
        Probe("ucb-h.concentration", concentration, tol=1e-9),
        ("rewards of sd 50",),
    ),
    _step(
        "optimism",
        "Q_h(s,.) >= Q_star_h(s,.) at every visited state, unvisited actions included, on the event of "
        "concentration (lemma 4.3).",
        "recalled",
        HighProbability(concentration_level),
        Probe("ucb-h.optimism", optimism, tol=1e-9),
        ("bonus zero", "backup skips a stage", "unvisited at zero"),
    ),
    _step(
        "value-optimism",
        "V >= V_star at every updated state and its successor, on the event of concentration (lemma 4.3 and the cap "
        "H).",
        "recalled",
        HighProbability(concentration_level),
        Probe("ucb-h.value-optimism", state_optimism, tol=1e-9),
        ("bonus zero", "backup skips a stage", "unvisited at zero"),
    ),
    _step(
        "decomposition",
        "Q_h - Q_star_h = sum_i a_n^i ((V - V_star)_{h+1}(s_i') + noise_i + b_i) at every update (lemma 4.2, n >= 1).",
        "recalled",
        Pointwise(),
        Probe("ucb-h.decomposition", decomposition, tol=1e-8),
        ("rate 1/n", "rate one visit behind", "backup of the same stage", "backup skips a stage", "bonus zero"),
    ),
    _step(
        "recursion",
        "Q_h - Q_star_h <= sum_i a_n^i (V - V_star)_{h+1}(s_i') + 3 c sqrt(H^3 iota / n) at every update, on the event "
        "of concentration (lemma 4.3 has 4 c; 3 c is what its proof gives and the explicit form uses).",
        "derived",
        HighProbability(concentration_level),
        Probe("ucb-h.recursion", recursion, tol=1e-9),
        ("bonus tenfold",),
    ),
]
