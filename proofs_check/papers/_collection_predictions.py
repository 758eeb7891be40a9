"""What GOSPRL does beyond its theorem: growth of T1 one size at a time, and the predictions P1 to P10 as claims.

The predictions come from reference runs of the sample-collection notes and are tested on fresh seeds; they are no
statements of the paper, hence `derived`. Numbers named "notes" are those of the runs. Times are completion times in
steps; LP is the lower bound of `mdps.collection.bounds`. p5 has instances in the profile `quick`, the others from
`standard` on.

    growth-B, growth-D, growth-S   the theorem's order where one of the sizes grows, on a family made for it
    growth-chain                   the same where S and D grow together
    refined                        T1': sum_s (D_s b(s) + D_s^{3/2} S^2 A)
    p1 ... p10                     as in section 7 of the notes; p5 and p9 in both directions
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from mdps.collection.bounds import lp_bound, sum_of_diameters
from mdps.learners import gosprl, gosprl_modest, gosprl_sparse, known_p_greedy, uniform_collection, zero_one_ucrl
from mdps.learners._collection import shortest_path
from proofs_check.mutants.gosprl import trigger_always
from proofs_check.papers._gosprl_probes import UNFINISHED, completion_time
from theorylab.assume import average_reward, communicating, stationary
from theorylab.claim import Claim, Context, Control, Dominates, Expectation, Growth, HighProbability, Instance, Total
from theorylab.kernel import kernel
from theorylab.learner import Learner, i8
from theorylab.plan import hitting_times
from theorylab.probe import Monitor

ASSUMES = (average_reward, communicating, stationary)
COMPLETION = Total("completion time", completion_time)
PRACTICE, THEORY = {"alpha": 0.1}, {"alpha": 1.0}


# Orders and bounds


def length(c: Context, n: np.ndarray) -> np.ndarray:
    """The length of the run: what a completed run cannot exceed."""
    return np.full(np.shape(n), float(c.T))


def samples(c: Context) -> float:
    """B."""
    return float(c.b.sum())


def first_order(c: Context, n: np.ndarray) -> np.ndarray:
    """B D."""
    return np.full(np.shape(n), samples(c) * float(c.diameter))


def order(c: Context, n: np.ndarray) -> np.ndarray:
    """B D + D^{3/2} S^2 A."""
    D = float(c.diameter)
    total: np.ndarray = first_order(c, n) + D * np.sqrt(D) * c.S * c.S * c.A
    return total


def diameters(c: Context) -> np.ndarray:
    """D_s, (S,)."""
    longest: np.ndarray = np.asarray(hitting_times(c.model)).max(axis=0)
    return longest


def refined(c: Context, n: np.ndarray) -> np.ndarray:
    """sum_s (D_s b(s) + D_s^{3/2} S^2 A), b(s) = sum_a b(s,a)."""
    D = diameters(c)
    value = float(D @ c.b.sum(axis=1)) + float((D * np.sqrt(D)).sum()) * c.S * c.S * c.A
    return np.full(np.shape(n), value)


def over_lp(factor: float, extra: float = 0.0) -> Any:
    """The bound factor LP(b) + extra."""

    def bound(c: Context, n: np.ndarray) -> np.ndarray:
        return np.full(np.shape(n), factor * lp_bound(c.model, c.b).value + extra)

    return bound


def share_of_worst_case(factor: float) -> Any:
    """The bound factor sum_s D_s b(s)."""

    def bound(c: Context, n: np.ndarray) -> np.ndarray:
        return np.full(np.shape(n), factor * sum_of_diameters(c.model, c.b))

    return bound


def third_of_samples(c: Context, n: np.ndarray) -> np.ndarray:
    """B / 3."""
    return np.full(np.shape(n), samples(c) / 3.0)


# Quantities


@kernel
def time_within(st, p, tr, t):
    """Completion time, or the length of the run where it ended before: what means and comparisons are taken of."""
    return float(st.finished[0]) if st.finished[0] >= 0 else float(t)


@kernel
def attempts_made(st, p, tr, t):
    """Attempts begun."""
    return float(st.attempts[0])


@kernel
def seen_begin(p, tr):
    """Nothing seen."""
    tr.moved[0, 0, 0] = 0


@kernel
def seen_observe(st, p, tr, t):
    """Count the transition."""
    tr.moved[tr.s, tr.a, tr.s2] += 1


@kernel
def average_error(st, p, tr, t):
    """Average over pairs of |p_hat - p|_1, from the environment's transitions; 1 for a pair that was never visited."""
    total = 0.0
    for s in range(p.S):
        for a in range(p.A):
            n = max(1, tr.visits[s, a])
            for s2 in range(p.S):
                total += abs(tr.moved[s, a, s2] / n - tr.law[s, a, s2])
    return total / (p.S * p.A)


def law_of(c: Context) -> dict[str, Any]:
    """The kernel as an array (S,A,S)."""
    return {"law": np.array(c.model.dense())}


def largest_error(c: Context, n: np.ndarray) -> np.ndarray:
    """2: no two laws are further apart in the 1-norm."""
    return np.full(np.shape(n), 2.0)


WITHIN = Total("completion time, at most the run's length", time_within)
ERROR = Total("average error of the estimated kernel, in the 1-norm", average_error)
TRANSITIONS = Monitor(dict(moved=i8["S", "A", "S"]), seen_begin, seen_observe)


# Instances


def river(K: int, steps: int, alpha: dict[str, float] = PRACTICE, states: int = 6) -> Instance:
    """RiverSwim, K samples of every pair."""
    return Instance("riverswim", steps, {"states": states}, {"samples": K, **alpha})


def leaves(d: int) -> Instance:
    """A star with three leaves that are reached with probability 1/d: D = 1 + d, S = 4, A = 3; 40 samples a leaf."""
    b = [[0, 0, 0], [40, 0, 0], [40, 0, 0], [40, 0, 0]]
    return Instance("star", 400 * d + 4_000, {"p": [1.0 / d] * 3}, {"b": b, **PRACTICE})


def words(k: int) -> Instance:
    """The de Bruijn graph of S = 2^k words: A = 2, and a diameter of order k; one sample of a pair."""
    return Instance("de-bruijn", 60 * 2**k, {"states": 2**k}, {"samples": 1, "slots": 2, **PRACTICE})


def chain(S: int, alpha: dict[str, float]) -> Instance:
    """RiverSwim of S states, one sample of a pair."""
    return Instance(
        "riverswim", 5_000 + (40 if alpha is PRACTICE else 250) * S * S, {"states": S}, dict(alpha, samples=1)
    )


ANYTIME = {"eta": 4.0, "shrink": 0.7}
STAR_10 = Instance("star", 12_000, {}, {"samples": 10, **THEORY})
FOUR_ROOMS_10 = Instance("four-rooms", 80_000, {}, {"samples": 10, **THEORY})
#: K samples of the last state's LEFT, and of nothing else
SKEWED = {"b": [[0, 0]] * 5 + [[300, 0]]}
#: the last, rare leaf of the star
HARD_LEAF = {"b": [[0, 0, 0], [0, 0, 0], [0, 0, 0], [1000, 0, 0]]}


# Faults


@kernel
def first(st, p, t, s, rng):
    """The first action, always."""
    return 0


@kernel
def regardless(st, p, t):
    """A plan that did not stop is followed all the same."""
    shortest_path(st, p, t)
    return True


def stays_away(learner: Learner, replicates: int = 8) -> Control:
    """The learner plays the first action only, and most requirements are never met."""
    return Control("first action only", replace(learner, act=first), replicates=replicates)


#: no radius; plans that do not stop are cut off
PLUG_IN = replace(
    gosprl.learner,
    params={**gosprl.learner.params, "alpha": 0.0, "max_sweeps": 2_000},
    plan=gosprl.plan.replace(shortest_path=regardless),
)
LEARNERS = {
    x.name: x
    for x in (
        gosprl.learner, gosprl_sparse.learner, gosprl_modest.learner, known_p_greedy.learner,
        uniform_collection.learner, zero_one_ucrl.learner,
    )
}  # fmt: skip
#: two samples of every leaf: LP is 38 steps
TWO_EACH = {"b": [[0, 0, 0], [2, 0, 0], [2, 0, 0], [2, 0, 0]]}
FEW_LEAVES = Instance("star", 2_000, {}, {**TWO_EACH, **PRACTICE})
FEW_LEAVES_KNOWN = Instance("star", 2_000, {}, TWO_EACH)


def _claim(name: str, text: str, kind: Any, on: tuple[Instance, ...], **more: Any) -> Claim:
    quantity = WITHIN if isinstance(kind, (Expectation, Dominates)) else COMPLETION
    given: dict[str, Any] = dict(
        id=f"tarbouriech2021.{name}", text=text, source_tag="derived", learner="gosprl", kind=kind, quantity=quantity,
        instances={"standard": on}, assumes=ASSUMES, trivial=length, control_instance=FEW_LEAVES,
        controls=(stays_away(LEARNERS[more.get("learner", "gosprl")]),),
    )  # fmt: skip
    return Claim(**{**given, **more})


CLAIMS = [
    _claim(
        "growth-B",
        "On a fixed model steps are O(B D) in the number B of samples: RiverSwim, 50 to 3,200 of every pair.",
        Growth("B D", sweep="B", size=samples),
        tuple(river(50 * 2**k, 3_000 * 2**k + 3_000) for k in range(7)),
        shape=first_order,
    ),
    _claim(
        "growth-D",
        "With S = 4, A = 3 and B = 120 steps are O(B D) in D, the leading term: stars whose leaves are reached with "
        "probability 1/16 to 1/1024.",
        Growth("B D", sweep="D", size=lambda c: float(c.diameter)),
        tuple(leaves(2**k) for k in range(4, 11)),
        shape=first_order,
    ),
    _claim(
        "growth-S",
        "With A = 2 and one sample of a pair steps are O(B D) in S, the leading term: at most 1.5 B D on average on "
        "de Bruijn graphs of 8 to 256 states, whose diameter grows from 3.7 to 13. D^{3/2} S^2 A does not show.",
        Expectation(),
        tuple(words(k) for k in range(3, 9)),
        learner="gosprl-sparse",
        bound=lambda c, n: 1.5 * first_order(c, n),
    ),
    _claim(
        "growth-chain",
        "Where S grows and D with it steps are O(B D + D^{3/2} S^2 A): RiverSwim of 6 to 32 states, one sample of a "
        "pair. The order, about S^3.5, is far above the steps.",
        Growth("B D + D^1.5 S^2 A", sweep="S"),
        tuple(chain(S, PRACTICE) for S in (6, 8, 12, 16, 24, 32)),
        shape=order,
    ),
    _claim(
        "refined",
        "T1': with probability 1 - delta every requirement holds after O~(sum_s (D_s b(s) + D_s^{3/2} S^2 A)) steps. "
        "The constant measured is that of the sum, no logarithms.",
        HighProbability(lambda c: float(c.delta)),
        (
            Instance("riverswim", 12_000, {}, {"samples": 300}),
            Instance("star", 15_000, {}, {"b": [[0, 0, 0], [150, 0, 0], [150, 0, 0], [150, 0, 0]]}),
            Instance("riverswim", 40_000, {"states": 12}, {"samples": 10}),
        ),
        source_tag="recalled",
        shape=refined,
        constants="unspecified",
        trivial=None,
        controls=(),
    ),
    _claim(
        "p1",
        "P1: for TREASURE-K the mean completion time is at most 1.03 LP from K = 300 on.",
        Expectation(),
        (river(300, 9_000),),
        instances={
            "standard": (river(300, 9_000),),
            "full": (river(300, 9_000), Instance("four-rooms", 90_000, {}, {"samples": 300, **PRACTICE})),
        },
        bound=over_lp(1.03),
    ),
    _claim(
        "p2",
        "P2: the burn-in is nearly independent of K while K is small: with the theory's radius 10 samples of every "
        "pair of RiverSwim take at most 1,947 steps (one sample each, notes) and those that LP(10) = 231 adds.",
        Expectation(),
        (river(10, 5_000, THEORY),),
        bound=over_lp(1.0, 1947.0),
        control_instance=replace(FEW_LEAVES, length=8_000),
    ),
    _claim(
        "p3",
        "P3: for a flat b the cost is far below sum_s D_s b(s): at most a fifth of it in four rooms, TREASURE-10.",
        Expectation(),
        (Instance("four-rooms", 20_000, {}, {"samples": 10, **PRACTICE}),),
        bound=share_of_worst_case(0.2),
    ),
    _claim(
        "p3-hard-leaf",
        "P3: where one hard leaf of the star is asked for, the cost of the agent that knows p is D_s b(s), 11,000 for "
        "1,000 samples: at most 1.03 times that. T2 says that nobody does better.",
        Expectation(),
        (Instance("star", 16_000, {}, HARD_LEAF),),
        learner="known-p-greedy",
        bound=share_of_worst_case(1.03),
        control_instance=FEW_LEAVES_KNOWN,
    ),
    _claim(
        "p4",
        "P4: 300 samples of (last state, LEFT) of RiverSwim cost LP, 4.33 steps each, and the way there, not D_s = "
        "14.7 each: the agent that knows p needs at most 1.05 LP.",
        Expectation(),
        (Instance("riverswim", 2_500, {}, SKEWED),),
        learner="known-p-greedy",
        bound=over_lp(1.05),
        control_instance=FEW_LEAVES_KNOWN,
    ),
    _claim(
        "p5-uniform",
        "P5: with the theory's constants GOSPRL loses to uniform play on easy graphs: the star and four rooms, "
        "TREASURE-10. Where random play gets everywhere, it is the better choice.",
        Dominates("gosprl"),
        (),
        instances={"quick": (STAR_10,), "standard": (STAR_10, FOUR_ROOMS_10)},
        learner="uniform-collection",
    ),
    _claim(
        "p5-chain",
        "P5: it wins by orders of magnitude on chains: RiverSwim with 6 and 8 states, TREASURE-10.",
        Dominates("uniform-collection"),
        (),
        instances={
            "quick": (river(10, 60_000, THEORY),),
            "standard": (river(10, 60_000, THEORY), river(10, 500_000, THEORY, states=8)),
        },
    ),
    _claim(
        "p6-practice",
        "P6: with alpha = 0.1 the burn-in of RiverSwim, TREASURE-1, grows like S^1.9 (notes), so at most like S^2; "
        "D^{3/2} S^2 A would be S^3.5.",
        Growth("S^2", sweep="S", margin=0.1),
        tuple(chain(S, PRACTICE) for S in (6, 8, 12, 16, 24, 32)),
        shape=lambda c, n: np.full(np.shape(n), float(c.S) ** 2),
    ),
    _claim(
        "p6-theory",
        "P6: with alpha = 1 the burn-in of RiverSwim, TREASURE-1, grows like S^1.65 (notes), so at most like S^2.",
        Growth("S^2", sweep="S", margin=0.1),
        tuple(chain(S, THEORY) for S in (6, 8, 12, 16, 24, 32)),
        shape=lambda c, n: np.full(np.shape(n), float(c.S) ** 2),
    ),
    _claim(
        "p7",
        "P7: with alpha = 0.1 TREASURE-10 is complete on the star within 10,000 steps, except with probability 0.01. "
        "Without a radius an exit that was missed in all its tries is believed shut, and about a third of the "
        "runs never ends: that is the control.",
        HighProbability(0.01),
        (Instance("star", 10_000, {}, {"samples": 10, "alpha": 0.1}),),
        bound=length,
        trivial=lambda c, n: np.full(np.shape(n), UNFINISHED),
        controls=(Control("no radius", PLUG_IN, replicates=16),),
        control_instance=Instance("star", 2_500, {"p": [0.5, 0.25]}, {"samples": 3}),
    ),
    _claim(
        "p8",
        "P8: attempts are far fewer than the lemma allows: on average at most B / 3, as the agent stays in G while "
        "pairs of the same state are open.",
        Expectation(),
        (
            river(10, 6_000),
            Instance("four-rooms", 20_000, {}, {"samples": 10, **PRACTICE}),
        ),
        quantity=Total("attempts", attempts_made),
        bound=third_of_samples,
        controls=(Control("plan at every step", trigger_always),),
        control_instance=Instance("star", 400, {"p": [0.05]}, {"b": [[0], [8]], **PRACTICE}),
    ),
    _claim(
        "p9-chain",
        "P9: with the same radii GOSPRL is faster than 0/1-UCRL on chains: RiverSwim with 6 and 12 states, alpha = 1.",
        Dominates("zero-one-ucrl"),
        (river(10, 20_000, THEORY), river(10, 60_000, THEORY, states=12)),
    ),
    _claim(
        "p9-star",
        "P9: and slower on the star: no algorithm of the two wins everywhere.",
        Dominates("gosprl"),
        (STAR_10,),
        learner="zero-one-ucrl",
    ),
    _claim(
        "p10",
        "P10: GOSPRL-MODEST, anytime, has a smaller average error of the estimated kernel after 10,000 steps than "
        "uniform play, on RiverSwim (by 3.3 times, notes) and on the wheel (by 1.3 times: thousands of runs show it).",
        Dominates("uniform"),
        (),
        instances={
            "standard": (Instance("riverswim", 10_000, {}, ANYTIME),),
            "full": (Instance("riverswim", 10_000, {}, ANYTIME), Instance("wheel", 10_000, {}, ANYTIME)),
        },
        learner="gosprl-modest",
        quantity=ERROR,
        trivial=largest_error,
        tables=law_of,
        monitor=TRANSITIONS,
    ),
]
