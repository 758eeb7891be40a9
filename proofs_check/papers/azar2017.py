"""Azar, Osband, Munos 2017: UCBVI-CH and UCBVI-BF. Episodic, one kernel for all stages, known mean rewards in [0, 1].

    theorem 1    regret(K) <= 20 H^{3/2} L sqrt(SAK) + 250 H^2 S^2 A L^2                               (UCBVI-CH)
    theorem 2    regret(K) <= 30 H L sqrt(SAK) + 2500 H^2 S^2 A L^2 + 4 H^{3/2} sqrt(KL)               (UCBVI-BF)

each with probability 1 - delta, L = ln(5SAT/delta), T = KH [recalled]. Both are far above K H at feasible K, and with
the paper's constants a learner plays as if it knew nothing for thousands of episodes: the steps of the proof are
checked with a smaller bonus, `scale` times the paper's, whose failure probabilities are worked out here [derived].

Coverage of V_star. Next states of a pair are independent draws from p whatever the stage. For fixed (s, a, h, n) the
mean of n values of V_star_{h+1}, in [0, H-1], is off by w_n with probability at most 2 exp(-2 n w_n^2 / (H-1)^2);
over H-1 stages, SA pairs and n <= T these sum to 2 (H-1) S A sum_n exp(-2 n w_n^2 / (H-1)^2). With CH, w_n = scale 7
H L / sqrt(n). With BF, w_n = scale (14 H L / (3n) + H sqrt(8/n)): less than the bonus as long as no N' can leave its
cap, K <= 100^2 H S^2 A L^2, which covers every run here.

Optimism. If (p - p_hat) V_star_{h+1} <= b at every plan, then by induction over plans and stages Q >= Q_star.

Transitions. By Bernstein's inequality |p_hat(y) - p(y)| <= sqrt(2 p (1-p) L/n) + L/(3n) for all pairs, y and n,
except with probability 2 S^2 A T exp(-L) = 0.4 S delta. As sqrt(2 p L/n) <= p/H + HL/(2n), on it |(p_hat - p)(V -
V_star)| <= p(V - V_star)/H + S H^2 L/(2n) + S H L/(3n), and a Bellman error Q - r - pV is at most 2b more.

Empirical Bernstein. Maurer and Pontil's inequality with V_n = Var_p_hat n/(n-1) <= 2 Var_p_hat for n >= 2 gives
|(p_hat - p) V_star| <= sqrt(4 Var_p_hat(V_star) L/n) + 14HL/(3n), of the bonus's form, except with probability 4 (H-1)
S A T exp(-L) = 0.8 (H-1) delta (at n = 1 the last term exceeds H). With L = ln(5HSAT/delta) it would be below delta.

Explicit form. Unrolling with (1 + 1/H)^H <= e, Azuma's inequality and the sums of `proofs_check.lemmas.pigeonhole`:
regret(k) <= e (4 B sqrt(SAHk) + (2 B' + S H^2 L/2 + S H L/3) SA log2(1 + k/(SA)) + 2 H^2 SA + H sqrt(KH
ln(1/delta)/2)) for all k <= K, where b <= B/sqrt(n) + B'/n, except with probability coverage + transitions + delta.
"""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

from proofs_check.lemmas import pigeonhole, visits
from proofs_check.mutants import ucbvi_bf as bf_faults
from proofs_check.mutants import ucbvi_ch as ch_faults
from proofs_check.papers import _ucbvi_bf_probes as bf
from proofs_check.papers import _ucbvi_bounds as bounds
from proofs_check.papers import _ucbvi_ch_probes as ch
from theorylab.assume import episodic, rewards_in_01, stationary
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Probe

ASSUMES = (episodic, rewards_in_01, stationary)
EXACT, ROUNDED = 0.0, 1e-9


def _river(episodes: int, scale: float, states: int = 4, **learner: float) -> Instance:
    return Instance("riverswim", episodes, {"states": states, "horizon": 3}, {"delta": 0.05, "scale": scale, **learner})


def _garnet(episodes: int, scale: float) -> Instance:
    model = {"S": 5, "A": 2, "b": 3, "seed": 1, "horizon": 4}
    return Instance("garnet", episodes, model, {"delta": 0.05, "scale": scale})


SWITCH = {"slip": 0.1, "horizon": 2, "start": "uniform"}
STEPS = {
    "ch": {
        "quick": (_river(1500, 0.017), _garnet(1500, 0.0195)),
        "standard": (_river(10_000, 0.0165), _garnet(10_000, 0.0185), _river(10_000, 0.0165, states=6)),
    },
    "bf": {
        "quick": (_river(1500, 0.44), _garnet(1500, 0.52)),
        "standard": (_river(10_000, 0.57), _garnet(10_000, 0.66), _river(10_000, 0.58, states=6)),
    },
}
SMALL = {"ch": _river(40, 0.022, states=3), "bf": _river(40, 0.21, states=3)}
#: with a larger bonus Q would exceed H
LARGE = {"ch": _river(40, 0.06, states=3), "bf": _river(40, 0.5, states=3)}
#: where a stage more or less matters soon
STAGES = Instance("two-state", 60, {"slip": 0.1, "horizon": 3}, {"delta": 0.05, "scale": 0.006})
#: a smaller 100^2 lets the last term of the bonus leave its cap
UNCAPPED = _river(40, 0.21, states=3, correction=1e-4)
#: with 100^2 no N' leaves its cap at any length here: what concerns the last term is also checked at 1e-4 for it
UNCAPPED_LONG, LAST_TERM = _river(10_000, 0.57, correction=1e-4), ("bonus", "backup", "terms", "spread")
#: as many states as take sums over next states through a pass of four and one that is left
WIDE = {
    kind: Instance("garnet", n, {"S": 5, "A": 2, "b": 3, "seed": 1, "horizon": 3}, {"delta": 0.05, "scale": scale})
    for kind, n, scale in (("ch", 80, 0.02), ("bf", 40, 0.21))
}
LONGER = Instance("two-state", 200, {"horizon": 2}, {"delta": 0.05, "scale": 0.21})
THEOREM = {
    "quick": (Instance("riverswim", 1000, {"states": 4, "horizon": 10}, {"delta": 0.05}),),
    "standard": (Instance("riverswim", 5000, {"horizon": 20}, {"delta": 0.05}),),
}
#: the plan of UCBVI-BF takes long to compile, so its derived form is left to the standard profile
EXPLICIT = {
    "ch": {"quick": (Instance("two-state", 100_000, SWITCH, {"delta": 0.1, "scale": 0.0125}),)},
    "bf": {"standard": (Instance("two-state", 400_000, SWITCH, {"delta": 0.1, "scale": 0.54}),)},
}
FAULTS: dict[str, ModuleType] = {"ch": ch_faults, "bf": bf_faults}
PROBES = {"ch": ch.probes, "bf": bf.probes}
MONITOR = {"ch": ch.monitor, "bf": bf.monitor}
NAMES = {"ch": "UCBVI-CH", "bf": "UCBVI-BF"}
PLACES: dict[tuple[str, str], Instance] = {
    **{(kind, fault): WIDE[kind] for kind in WIDE for fault in ("unvisited_zero", "value_stale")},
    ("bf", "variance_uncentred"): WIDE["bf"],
    ("ch", "clipping_off"): LARGE["ch"],
    ("bf", "clipping_off"): LARGE["bf"],
    ("ch", "delta_alone"): _river(40, 0.027, states=3, delta=0.5),
    ("ch", "bonus_one_over_n"): Instance("two-state", 150, {"slip": 0.3, "horizon": 3}, {"delta": 0.05, "scale": 0.02}),
    ("ch", "bonus_root_of_log"): Instance(
        "two-state", 150, {"slip": 0.3, "horizon": 3}, {"delta": 1e-9, "scale": 0.0088}
    ),
    ("ch", "backup_skips_stage"): STAGES,
    ("bf", "backup_skips_stage"): STAGES,
    ("bf", "last_q_forgotten"): STAGES,
    ("bf", "wrong_successor_longer"): LONGER,
    ("bf", "visits_same_stage"): UNCAPPED,
    ("bf", "visits_pooled"): UNCAPPED,
    ("bf", "visits_shifted"): UNCAPPED,
}
CAPPED = {"ch": "", "bf": " With 100^2 no N' leaves its cap; the standard profile has a smaller one too."}
#: faults of one bonus that its printed formula catches
PRINTED = {
    "ch": "bonus_one_over_n bonus_root_of_log",
    "bf": "last_term_dropped eight_dropped visits_same_stage visits_pooled visits_shifted",
}
_controls: dict[tuple[str, str], Control] = {}


def _control(kind: str, fault: str) -> Control:
    """One control a fault, so that it is run once for all the claims that name it."""
    if (kind, fault) not in _controls:
        learner = getattr(FAULTS[kind], fault.removesuffix("_longer"))
        _controls[kind, fault] = Control(fault.replace("_", " "), learner, PLACES.get((kind, fault)), replicates=4)
    return _controls[kind, fault]


def _step(
    kind: str,
    name: str,
    text: str,
    probe: str,
    caught: str,
    *,
    tag: str = "derived",
    claim: Any = None,
    at: str = "episode",
    tol: float = ROUNDED,
    copies: bool = False,
) -> Claim:
    return Claim(
        id=f"azar2017.{kind}-{name}",
        text=f"{NAMES[kind]}: {text}",
        source_tag=tag,
        learner=f"ucbvi-{kind}",
        kind=claim or Pointwise(),
        quantity=Probe(f"ucbvi-{kind}.{name}", PROBES[kind][probe], at, tol),
        instances=STEPS[kind],
        control_instance=SMALL[kind],
        assumes=ASSUMES,
        controls=tuple(_control(kind, f) for f in caught.split()),
        tables=bounds.tables,
        monitor=MONITOR[kind],
        copies=copies,
    )


def _shared(kind: str, coverage: Any) -> list[Claim]:
    """The steps that both bonuses have."""

    def on_event(c: Context) -> float:
        return bounds.event_level(coverage(c), c)

    return [
        _step(
            kind,
            "counts",
            "visits, pooled over the stages, equal the environment's, and transitions are those it made.",
            "counts",
            "counts_lost wrong_successor",
            tol=EXACT,
        ),
        _step(
            kind,
            "fresh",
            "the policy of every episode is planned with all visits before it.",
            "fresh",
            "plans_every_other counts_lost",
            tag="recalled",
            tol=EXACT,
        ),
        _step(
            kind,
            "law",
            "rows of p_hat are distributions, zero before the first visit, and n p_hat counts the transitions.",
            "law",
            "count_off_by_one estimate_stale wrong_successor",
        ),
        _step(
            kind,
            "bonus",
            "every bonus equals its printed formula times scale, with the environment's counts." + CAPPED[kind],
            "bonus",
            "bonus_zero log_dropped delta_alone episodes_for_steps " + PRINTED[kind],
            tag="recalled" if kind == "ch" else "source",
            copies=True,
        ),
        _step(
            kind,
            "backup",
            "Q = min(Q of the last episode, H, r + p_hat V_{h+1} + b), H where n = 0, and V = max_a Q, V_H = 0.",
            "backup",
            "backup_same_stage value_stale q_stale last_q_forgotten bonus_zero",
            tag="recalled",
            copies=True,
        ),
        _step(
            kind,
            "monotone",
            "Q never grows from one episode to the next.",
            "monotone",
            "last_q_forgotten clipping_off",
            tag="recalled",
            tol=EXACT,
        ),
        _step(
            kind,
            "cap",
            "Q <= H (the cap that is printed; H - h is the variant tight=1).",
            "cap",
            "clipping_off",
            tag="recalled",
            tol=EXACT,
        ),
        _step(
            kind,
            "unvisited",
            "Q = H where n = 0.",
            "unvisited",
            "unvisited_zero cap_at_one",
            tag="recalled",
            tol=EXACT,
        ),
        _step(
            kind,
            "greedy",
            "the action played maximises Q_h(s,.), the first of the maximisers (the paper leaves ties open).",
            "greedy",
            "argmin acts_on_next_stage ties_to_last",
            tag="recalled",
            at="step",
            tol=EXACT,
        ),
        _step(
            kind,
            "coverage",
            "|(p_hat - p) V_star_{h+1}| <= b_h at every plan for all visited pairs and stages h < H, except with the "
            "probability of the union bound over pairs, stages and visits.",
            "coverage",
            "bonus_zero log_dropped delta_alone bonus_one_over_n bonus_root_of_log" if kind == "ch" else "bonus_zero",
            claim=HighProbability(coverage),
        ),
        _step(
            kind,
            "transitions",
            "|p_hat(y) - p(y)| <= sqrt(2 p (1-p) L/n) + L/(3n) at every plan for all visited pairs and y, except with "
            "probability 0.4 S delta: a union bound over n <= T, at least ten times the true rate.",
            "transitions",
            "wrong_successor",
            claim=HighProbability(bounds.transitions_level),
        ),
        _step(
            kind,
            "optimism",
            "Q >= Q_star in every cell at every plan, on the event of coverage; with scale = 1 the paper's lemma.",
            "optimism",
            "bonus_zero unvisited_zero cap_at_one",
            claim=HighProbability(coverage),
        ),
        _step(
            kind,
            "induction",
            "Q >= Q_star in every cell after every episode whose plan, and those before it, had (p - p_hat) V_star <= "
            "b: the induction of the paper's lemma, with no failure probability.",
            "implication",
            "bonus_zero backup_skips_stage unvisited_zero cap_at_one",
        ),
        _step(
            kind,
            "unrolled",
            "V_{k,1}(s_1) - V^{pi_k}_1(s_1) is the expected sum of Bellman errors Q_{k,h} - r - p V_{k,h+1} under "
            "pi_k: policy evaluation backwards against state probabilities forwards.",
            "unrolled",
            "value_stale",
            tag="recalled",
        ),
        _step(
            kind,
            "recursion",
            "every Bellman error of a visited pair is at most 2 b + p(V - V_star)/H + S H^2 L/(2n) + S H L/(3n), on "
            "the events of coverage and transitions. Far from equality: a bonus twice too large need not show.",
            "recursion",
            "bonus_tenfold q_stale",
            claim=HighProbability(on_event),
        ),
        _step(
            kind,
            "pigeonhole",
            "with the counts N of the plans: at most 2 H S A steps with N < H, and over the others sum 1/sqrt(N) <= 2 "
            "sqrt(SAt) and sum 1/N <= S A log2(1 + t/(SAH)) after t steps.",
            "pigeonhole",
            "counts_lost",
        ),
    ]


def _theorem(kind: str, number: int, bound: Any, text: str, steps: list[Claim]) -> list[Claim]:
    from theorylab.registry import find_learner

    explicit = bounds.ch_explicit if kind == "ch" else bounds.bf_explicit
    level = bounds.ch_explicit_level if kind == "ch" else bounds.bf_explicit_level
    base = Claim(
        id=f"azar2017.thm{number}",
        text=f"Theorem {number}, {NAMES[kind]}: with probability 1 - delta, regret(K) <= {text}, L = ln(5SAT/delta).",
        source_tag="recalled",
        learner=f"ucbvi-{kind}",
        kind=HighProbability(lambda c: float(c.delta)),
        quantity="regret",
        bound=bound,
        trivial=bounds.trivial,
        instances=THEOREM,
        assumes=ASSUMES,
        steps=tuple(c.id for c in steps),
    )
    uniform = find_learner("uniform", "episodic")
    derived = replace(
        base,
        id=f"azar2017.thm{number}-explicit",
        text=f"Theorem {number}'s proof written out for a bonus of `scale` times the paper's: regret(k) <= e (4 B "
        "sqrt(SAHk) + (2 B' + S H^2 L/2 + S H L/3) SA log2(1 + k/(SA)) + 2 H^2 SA + H sqrt(KH ln(1/delta)/2)) for all "
        "k <= K, where b <= B/sqrt(n) + B'/n, except with the probabilities of coverage, of transitions, and delta.",
        source_tag="derived",
        kind=HighProbability(level),
        bound=explicit,
        instances=EXPLICIT[kind],
        steps=(),
        controls=(Control("uniform play", uniform, *next(iter(EXPLICIT[kind].values())), replicates=12, target="cpu"),),
    )
    return [base, derived]


CH_STEPS = _shared("ch", bounds.ch_coverage_level)
BF_STEPS = [
    *_shared("bf", bounds.bf_coverage_level),
    _step(
        "bf",
        "stage-counts",
        "N'_h(y), the visits of a state by stage, equal the environment's.",
        "stage_counts",
        "visits_shifted",
        tol=EXACT,
    ),
    _step(
        "bf",
        "bernstein",
        "|(p_hat - p) V_star_{h+1}| <= sqrt(4 Var_p_hat(V_star_{h+1}) L/n) + 14HL/(3n) at every plan for all visited "
        "pairs and stages, except with probability 0.8 (H-1) delta: the inequality behind the first two terms. Far "
        "from equality: exact rates are far below (under 1e-20 for two-point laws), so only gross faults show.",
        "bernstein",
        "wrong_successor_longer",
        claim=HighProbability(bounds.bernstein_level),
    ),
    _step(
        "bf",
        "terms",
        "after k episodes, scale (14HL/(3n) + sqrt(8 min(100^2 H^3 S^2 A L^2 / k, H^2)/n)) <= b <= scale (H sqrt(2L/n) "
        "+ 14HL/(3n) + H sqrt(8/n)), the lower end without its root at the last stage: N' <= k, a variance of values "
        "in [0, H] is at most H^2/4, and the sum over y is at most H^2.",
        "terms",
        "variance_uncentred second_term_dropped last_term_dropped visits_pooled bonus_zero bonus_tenfold",
    ),
    _step(
        "bf",
        "spread",
        "b <= scale (sqrt(2L/n) (range of V_{h+1}) + 14HL/(3n) + sqrt(8 max_y min(100^2 H^3 S^2 A L^2 / N'_{h+1}(y), "
        "H^2)/n)), over the possible next states y: where the next state is certain the first term is gone, and b is "
        "of order 1/n once N' has left its cap and grows like n.",
        "spread",
        "variance_uncentred bonus_tenfold",
    ),
]
BF_STEPS = [
    replace(c, instances={**c.instances, "standard": (*c.on("standard"), UNCAPPED_LONG)})
    if c.id.removeprefix("azar2017.bf-") in LAST_TERM
    else c
    for c in BF_STEPS
]
LEMMA = Claim(
    id="azar2017.sums",
    text="For every sequence of T visits to M pairs with counts n after the visit: sum 1/sqrt(n) <= 2 sqrt(MT), sum "
    "1/n <= M (1 + ln(max(1, T/M))).",
    learner="ucbvi-ch",
    source_tag="derived",
    scope="models",
    kind=Pointwise(),
    quantity=pigeonhole.running,
    false_twin=pigeonhole.false_running,
    instances={},
)
claims = [
    *_theorem("ch", 1, bounds.ch_theorem, "20 H^{3/2} L sqrt(SAK) + 250 H^2 S^2 A L^2", CH_STEPS),
    *CH_STEPS,
    *_theorem("bf", 2, bounds.bf_theorem, "30 H L sqrt(SAK) + 2500 H^2 S^2 A L^2 + 4 H^{3/2} sqrt(KL)", BF_STEPS),
    *BF_STEPS,
    LEMMA,
    replace(
        LEMMA,
        id="azar2017.frozen-sums",
        text="The same with the counts N of the plan, which do not change in an episode of H steps: at most 2HM steps "
        "with N < H, and over the others sum 1/sqrt(N) <= 2 sqrt(MT), sum 1/N <= M log2(1 + T/(MH)).",
        quantity=pigeonhole.frozen,
        false_twin=pigeonhole.false_frozen,
    ),
    Claim.of(visits.running),
]
