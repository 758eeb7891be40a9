"""Equivalent mutants of LOOP's learners and of the other average-reward learners. See `_equivalent`."""

from __future__ import annotations

from proofs_check.mutants._reasons import (
    ANY_MEMBER,
    BEST_LEFT,
    BRACKET,
    COINCIDENCE,
    DISTINCT,
    FIRST_ACTION,
    FIRST_STATE,
    LOOP_LAZY,
    LOOP_TABLES,
    MIXTURE_SWEEPS,
    NEVER_ANOTHER_BOX,
    NEW_DIRECTION,
    NO_MASS,
    NO_SUCH_LIKELIHOOD,
    NOTHING_OUTSIDE,
    RIDGED,
    SAME_VALUE,
    SWITCH,
    UNWEIGHTED,
)

__all__ = ["AVERAGE"]

AVERAGE: dict[str, dict[str, str]] = {
    "fopo": {
        "doubled 1: >= to >": "the two differ where a difference of logarithms equals the threshold to the last bit: a "
        "coincidence of rounding, for the threshold is 1e-9 below ln 2",
        "include 2: ridge doubled": "twice the ridge is 0 where the ridge is",
        **{
            f"include {what}": NOTHING_OUTSIDE
            for what in ("2: == to !=", "2: ridge to 0", "2: 0.0 to 1", "5: > to >=", "5: * to /")
        },
        **{f"include {what}": RIDGED for what in NEW_DIRECTION},
    },
    "ucrl2-vtr": {
        **MIXTURE_SWEEPS,
        "watch 3: > to >=": "in form 0 this writes x2, which forms 1 and 2 alone read",
        "watch 3: form doubled": SWITCH,
        "watch 8: form doubled": SWITCH,
        "radius_at 3: form doubled": SWITCH,
    },
    "loop-evi": {
        **MIXTURE_SWEEPS,
        "feature 6: 2 doubled": "features of squared values are asked for by the weights of UCRL2-VTR alone",
        "feature 7: * to /": "features of squared values are asked for by the weights of UCRL2-VTR alone",
        "include 1: sqrt left out": UNWEIGHTED,
        "include 3: st.x not written": UNWEIGHTED,
        "include 3: / to *": UNWEIGHTED,
        "include 4: / to *": UNWEIGHTED,
    },
    "lscvi-ucb": {
        "backup 14: < to <=": "an equal value replaces itself, and a fall of zero is never the largest above zero",
        "clip 1: 0.0 to 1": FIRST_STATE,
    },
    "ucb-cvi": {"clip 1: 0.0 to 1": FIRST_STATE},
    "olsvi-fh": {"fit_values 2: - to +": "the values enter as they are: the base is zero"},
    "scal": {
        "choose 1: < to <=": COINCIDENCE,
        "unknown 2: st.low not written": NEVER_ANOTHER_BOX,
        "iterate 10: 0.0 to 1": FIRST_ACTION,
        "box_maximum 7: > to >=": NO_MASS,
        "box_minimum 6: > to >=": NO_MASS,
        "box_minimum 6: >= to >": BEST_LEFT,
        "box_minimum 6: 0 to 1": BEST_LEFT,
        "sort_states 6: < to <=": DISTINCT,
    },
    "pmevi-dt": {
        "watch 6: max to its second": "the pair was just played and counted: nu is at least 1, also where N is 0",
        "close 5: 0.0 to 1": "no entry of the diagonal is above zero, for its minimum begins there",
        "unknown 2: st.low not written": NEVER_ANOTHER_BOX,
        "raw_limits 2: max to its second": "the mean is read with a complete stretch, and none is before two steps",
        "raw_limits 2: 1.0 doubled": "the mean is read with a complete stretch, and none is before two steps",
        "iterate 10: 0.0 to 1": FIRST_ACTION,
        "mitigated 2: 0 to 1": "after one visit p_hat is one state, and the box moves at most a half-width of mass "
        "from it, over a span of at most c0 / tau: no more than bonus / tau, so that the minimum is its first but for "
        "rounding",
        "box_maximum 7: > to >=": NO_MASS,
        "sort_states 6: < to <=": DISTINCT,
    },
    "optimistic-q": {
        "begin 1: 0.0 to 1": "every update writes the bonus, and nothing reads it before the first",
    },
    "mdp-oomd": {
        "plan 1: > to >=": "before the first step beta is zero, for which lambda is zero: the uniform policies stay, "
        "but for rounding",
        "plan 1: 0 to 1": "a block has B > N >= 1 steps, so that a plan finds the clock at 0 or at 2 or more",
        "level 4: eta to 0": BRACKET,
        "level 5: eta doubled": BRACKET,
        "level 8: > to >=": "they differ where the mass is 1 to the last bit: rounding alone",
        "mass 4: <= to <": "at a pole 1/0 is infinite, and above 1 as 2 is",
        "mass 4: 0.0 to 1": "an entry of 1 or more makes the mass at least 1, with the other actions' more but for "
        "rounding; one action alone needs no search, as its bracket is a point",
        "mass 5: 2.0 doubled": "the mass is compared with 1 only",
    },
    "politex": {
        "solve 4: + 1 left out": "an entry below the diagonal is not read once its factor is formed",
    },
    "loop": LOOP_TABLES,
    "loop-ascent": LOOP_TABLES,
    "loop-box": LOOP_TABLES,
    "loop-values": {
        **LOOP_LAZY,
        "lookup 4: st.mean not written": "the state arrives zeroed, and visits never go back: a pair without them has "
        "no other entry",
        "lookup 4: 0.0 to 1": "the entry of a pair with visits is written below, that of one without weighs nothing in "
        "either sum",
        "lookup 13: 0.0 to 1": "table 0 replaces the start value whatever it is",
        "lookup 20: < to <=": SAME_VALUE,
        "derive 17: 1 doubled": "NumPy takes any negative length for the one that is left",
        "derive 17: + to -": "any table of the auxiliary class bounds the excess from below: which one it is decides "
        "how many hypotheses are ruled out before their excess is computed, not which one is chosen",
    },
    "loop-models": {
        **LOOP_LAZY,
        "settle 1: 0.0 to 1": "model 0 replaces the start value whatever it is",
        "settle 3: 0.0 to 1": "all losses are raised by the same, and nothing but their differences is read",
        "settle 7: > to >=": "the sum of targets is zero where their number is, so zeros are added",
        "settle 13: < to <=": SAME_VALUE,
        "optimist 1: 1 doubled": ANY_MEMBER,
    },
    "mle-loop": {
        "watch 7: <= to <": NO_SUCH_LIKELIHOOD,
        "plan 1: <= to <": NO_SUCH_LIKELIHOOD,
        "optimist 1: 1 doubled": ANY_MEMBER,
    },
    "loop-linear": {
        "watch 2: trigger doubled": SWITCH,
        "doubled 1: >= to >": "the two differ where a difference of logarithms equals the threshold to the last bit: a "
        "coincidence of rounding, for the threshold is 1e-9 below ln 2",
        "include 2: ridge doubled": "twice the ridge is 0 where the ridge is",
        "include 2: ridge to 0": "with a ridge every plan, the first before any data, writes zeros into `outside`: the "
        "part outside the range is zero, and so is its square",
        "include 5: > to >=": "the two differ where a square equals 1e-10 |phi|^2 to the last bit, a coincidence of "
        "rounding: with a ridge it is zero, and no feature is, for its transitions are a law",
    },
}
