"""Automatic mutants that nothing can tell from the learner, each with the reason why. See `proofs_check.mutation`.

A reason must say why no data can show the difference, not that none was seen.
"""

from __future__ import annotations

__all__ = ["EQUIVALENT"]

SEARCH = "the largest entry is among those searched, so the search ends there, before the bound on it matters"
COINCIDENCE = "the two differ where a uniform draw equals the threshold to the last bit, with probability at most 2^-53"
TIES = "the two differ where two draws of a continuous law are equal to the last bit; the paper leaves ties open"


def _search(kernel: str, line: int) -> dict[str, str]:
    """The upward search of the first largest entry, `while best < p.A - 1 and ...`."""
    return {f"{kernel} {line}: {what}": SEARCH for what in ("< to <=", "- 1 left out", "- to +")}


#: kernels that UCBVI-CH and UCBVI-BF share
UCBVI = {
    **_search("act", 5),
    "expect 3: % left out": "the passes of four add in the order of the loop over what is left, to the last bit",
    "expect 3: 4 doubled": "the passes of four add in the order of the loop over what is left, to the last bit",
    "settle 1: min to its second (2)": "Q begins at its cap, and the minimum with its last value never lets it grow",
}
ABOVE = (
    "a shortcut: what is added to `known` is not negative where rewards are not, as the setting has it, so the minimum "
    "with the cap gives the cap as well"
)
SOONER = (
    "backups begin no later, and the sooner ones leave Q and V at the cap: nothing is below it while r + b is not "
    "below H, for values are not negative"
)

FIRST_STATE = "state 0 replaces the start value whatever it is"
FIRST_ACTION = "action 0 replaces the start value whatever it is"
SAME_VALUE = "an equal value replaces itself"
SWITCH = "twice a switch is 0 where the switch is"
NOTHING_ASKED = (
    "the time of completion is 0 only where nothing was asked: every state is closed then, so that no step is taken in "
    "G, and without one no plan is due and no arrival counted"
)
BRACKET = (
    "the bracket grows, for beta is not negative as rewards are not; the root, in the smaller one, is unique, and the "
    "search goes down to neighbouring numbers: the same but for rounding"
)
OWN_PI = "the requirement's pi is not what is played: extended value iteration writes all of it before it is copied"
NO_INSIDE = "what `count` returns, whether the step was inside G, is not read by a learner without trips"
DISTINCT = "the places before j hold other states than x, so y is never x"
ONLY_SIGN = "only its sign is read: a negative trial is replaced by the first guess"
POPOVICIU = (
    "a variance is at most a quarter of the squared range, so the guess is at most the bracket's end over sqrt 2: the "
    "minimum is never its second entry"
)
PLAYED = "the pair was just played and counted: N - U is at least 1, also where U is 0"
NO_STATES = "the rule asks for nothing of states, and the requirement on them arrives zeroed"
ASKED_AT_FIRST = "the time of completion is never 0: a visit of every pair is asked for before the first step"
PAIRS_ALONE = "the rule asks for nothing of states: none is short of visits, and an open state has an open pair"
_OF_PAIRS = {
    m: PAIRS_ALONE
    for m in (
        "refresh 4: 0 to 1",
        "refresh 9: < to <=",
        "refresh 9: < to >",
        "refresh 14: 1 doubled",
        "refresh 16: > to <",
        "refresh 16: 0 to 1",
    )
}
CLOSED = "the two differ in closed states, whose action is written anew, by a plan or at the end, before it is played"
#: rules that adapt, without requirements on states
RULED = {
    **_OF_PAIRS,
    "refresh 16: > to >=": CLOSED,
    "revise 1: st.need_states not written": NO_STATES,
    "doubled 1: max to its second": PLAYED,
    "shortest_path 10: 0.0 to 1": FIRST_ACTION,
}
COINCIDES = "with alpha > 0 a bound holds a logarithm of a rational: it is zero by a coincidence of rounding alone"
LOGARITHMS = (
    "with alpha > 0 a change is 1, 0, or holds logarithms of rationals, and the precision is a rational of at most "
    "1/2: they are equal by a coincidence of rounding alone"
)
TWICE = (
    "something is open only once pairs without data are, and of a pair with one visit as much is asked: every pair of "
    "a closed state then has two visits, so that U >= 2 on the way and t >= 2 in a plan"
)
NOT_PLAYED = (
    "the plans for the estimate are not played: a lookup, the plan of an attempt or the end writes an action first"
)
LOOKED_UP = "a pair visited is looked up before the next lookup of a pair behind it, and so has raised Gh already"
LATER = (
    "no attempt begins before the first step: of pairs without data the same is asked, so that all states are open, or "
    "none is and nothing is planned"
)
#: extended value iteration, which UCRL2B, KL-UCRL and 0/1-UCRL share
ITERATE = {
    "iterate 9: 0.0 to 1": FIRST_STATE,
    "iterate 10: 0.0 to 1": FIRST_STATE,
    "iterate 12: 0.0 to 1": FIRST_ACTION,
    "iterate 20: < to <=": SAME_VALUE,
    "iterate 22: > to >=": SAME_VALUE,
}

#: the trigger of LOOP's learners on all tables
LOOP_TABLES = {"watch 2: trigger doubled": SWITCH, "watch 6: max to its second": PLAYED}
SOONER_LOOKED_AT = (
    "a bound on the excess that is below the trigger settles it, and where the excess itself is looked at all the "
    "same, it decides: once more is looked at, and nothing else changes"
)
#: the lazy trigger of LOOP on finite classes
LOOP_LAZY = {
    "watch 4: < to <=": SOONER_LOOKED_AT,
    "watch 4: 1e-09 doubled": SOONER_LOOKED_AT,
    "watch 4: - 1e-09 left out": "the room is for the rounding of a running sum: the two differ where the sum is below "
    "the trigger by rounding and the excess is not",
}
ANY_MEMBER = "only its sign is read: the first member of the set replaces it, and the set is never empty"
NO_SUCH_LIKELIHOOD = (
    "no log-likelihood is -1e249: with an impossible transition it is at most -1e250, without one a sum of fewer than "
    "1e245 logarithms of doubles, each at least -745"
)

AT_GOAL = "v is zero in the best state, in G and at first anywhere, so that mass given to it or taken adds nothing"
ROOM = "the mass left free is at most 1 - low, so that an upper end above 1 has the room of one at 1"
NO_MASS = "with no mass left to move the loop moves none, for no room and no frequency is negative"
#: extended value iteration to goals, which starts each time from zero and with the states in order
TO_GOALS = {
    "extended_iteration 11: 0.0 to 1": FIRST_ACTION,
    "sort_states 6: < to <=": "only the order of states of equal value may differ, and it changes no minimum",
    "sort_states 6: < to <= (2)": DISTINCT,
    "ball_value 3: min to its first": AT_GOAL,
    "ball_value 3: - to +": AT_GOAL,
    "ball_value 3: 1.0 doubled": AT_GOAL,
    "ball_value 4: + to -": AT_GOAL,
    "ball_value 8: > to >=": NO_MASS,
    "ball_value 8: > to >= (2)": AT_GOAL,
    "box_value 9: > to >=": NO_MASS,
    "box_value 13: min to its second (2)": ROOM,
    "box_value 13: 1.0 doubled": ROOM,
}

NO_MASS = "with no mass left the loop adds nothing, for no upper end is below its lower end"
NEVER_ANOTHER_BOX = "the state arrives zeroed, and a pair without visits never had another box"
UNWEIGHTED = "the weight is 1, the root and the square of itself: only UCRL2-VTR weights its samples"
BEST_LEFT = (
    "all but the best state can take what is free, so that nothing but rounding reaches it: its half-width is at most "
    "the sum of the others', for the root of q (1 - q) is subadditive, and a state whose upper end is cut at 1 has "
    "room for all that is free; with one state nothing is truncated"
)
RIDGED = "the ridge is positive, another is refused: the branch without one is never taken"
NOTHING_OUTSIDE = (
    "with a ridge every plan, the first before any data, writes zeros into `outside`: no square outside the range is "
    "above any part of |phi|^2, which is positive, for transitions are laws"
)
#: of `include`, which FOPO shares with linear LOOP: lines of a new direction without a ridge
NEW_DIRECTION = (
    "3: call of product left out", "6: call of product left out", "7: / to *", "7: + to -", "7: 1.0 doubled",
    "7: * to /", "10: * to /", "10: + to -", "10: * to / (2)", "11: + to -", "11: st.inverse not written",
    "11: * to /", "11: * to / (2)", "11: - to +", "11: / to *", "12: - to +", "12: st.outside not written",
    "12: * to /", "12: / to *", "13: + to -", "13: st.log_det not written", "13: log to 1",
)  # fmt: skip
#: sweeps over linear mixtures, which UCRL2-VTR and LOOP-EVI share
MIXTURE_SWEEPS = {
    "iterate 7: 0.0 to 1": FIRST_STATE,
    "iterate 8: 0.0 to 1": FIRST_STATE,
    "backup 5: 0.0 to 1": FIRST_STATE,
    "backup 7: 0.0 to 1": FIRST_ACTION,
}

MORE_ROOTS = (
    "the test passes over arms whose index is surely smaller, here over fewer of them, since q >= 0, n >= 1 and ln q, "
    "ln(1 - q) <= 0: more roots are found, and none of them changes the choice"
)
START = (
    "the start of Newton's method is moved to the right: from any start between the root and 1 its steps fall to the "
    "root of a convex increasing function, the same but for rounding"
)
LEADER_FIRST = "the last leader passes by s >= q n at q = -1, and writes the logarithms before any is read"

#: learner (as `kill_matrix.learners` names it) -> name of the mutant -> why it is equivalent
EQUIVALENT: dict[str, dict[str, str]] = {
    "ucb1": {
        "begin 4: 0.0 to 1": "a decision that reads the indices has written all of them just before",
        **_search("act", 11),
    },
    "moss": {
        "begin 4: 0.0 to 1": "indices are read from round A on, when every arm was played and its index written",
        **_search("act", 7),
    },
    "successive-elimination": {
        "eliminate 10: < to <=": "the two differ where a difference of means, a rational, equals twice the root of a "
        "logarithm of a rational over n, which is irrational: a coincidence of rounding alone",
    },
    "thompson": {
        "begin 1: 0.0 to 1": "every decision draws the coin before the reward reads it",
        "begin 5: 0.0 to 1": "every decision writes all samples, and nothing reads them before",
        "act 1: 0 to 1": "a sample of the beta law is above -1, so the first arm always replaces the start",
        "act 2: 1.0 doubled": "a sample of the beta law is above -1 and above -2, so the first arm always replaces it",
        "act 6: > to >=": TIES,
        "learn 1: < to <=": COINCIDENCE,
    },
    "kl-ucb": {
        "begin 2: 0 to 1": "round 0 writes the leader, and nothing reads it before",
        "act 7: 1.0 doubled": "the last leader comes first, with n >= 1 and s >= 0: it passes s >= q n at any q < 0, "
        "and its index, at least 0, replaces q",
        "act 8: 0.0 to 1": LEADER_FIRST,
        "act 9: 0.0 to 1": LEADER_FIRST,
        "act 14: == to !=": "the arms come in order, the leader in its place: the order of the search decides how "
        "many roots are found, and the lowest arm with the largest index is the same in any order",
        "act 14: * to /": MORE_ROOTS,
        "act 14: - to +": MORE_ROOTS,
        "act 14: - to + (2)": MORE_ROOTS,
        "act 14: <= to <": "an arm that misses the budget by CLEAR at q has an index below q: its root changes nothing",
        "act 16: < to <=": "each arm is looked at once, so that the best so far is never the arm itself",
        "act 19: - to +": MORE_ROOTS,
        "act 19: 1.0 doubled": MORE_ROOTS,
        "act 20: log to 1": MORE_ROOTS,
        "act 21: log to 1": MORE_ROOTS,
        "allowance 2: c doubled": "the test whether c is 0 asks the same of 2 c",
        "upper 2: <= to <": "with F = 0 the mean is 1 and the variance 0: the start is the mean, 1, which is returned",
        "upper 5: 0.25 doubled": START,
        "upper 5: < to <=": "at the mean 1/2 both variances are 1/4",
        "upper 5: 0.5 doubled": START,
        "upper 5: * to /": START,
        "upper 5: - to +": START,
        "upper 5: 1.0 doubled": START,
        "upper 6: * to / (2)": START,
        "upper 6: / to *": START,
        "upper 6: 2.0 doubled": START,
        "upper 11: 100 doubled": "all steps but the last are positive, so the points fall, in the end at a quadratic "
        "rate, until the search ends or a step no longer moves q, and then no further one does; at most 19 moved it in "
        "58,813 searches over N <= 1e7, any mean and budgets from 1e-6 to 100",
        "upper 17: <= to <": "the two differ where a step equals the bound to the last bit, and one step more is "
        "rounding",
        "upper 17: 1e-08 doubled": "a last step e <= 2e-8 m leaves an error of at most 1.5 e^2/m = 6e-16 m: rounding",
        "upper 17: - to +": "where q - mean < 1 - q, a last step e <= 1e-8 min(q + mean, 1 - q) leaves an error of at "
        "most e^2/(q - mean) <= 2e-16 q (1 - q)/(q - mean), which 2e-16 nats a play come to in the root: rounding",
    },
    "oful": {
        "radius 4: radius doubled": "2 radius is positive where radius is",
        **_search("first_largest", 5),
        "learn 5: > to >=": "det V has grown by the factor 2 to the last bit: formed afresh or updated, all is the "
        "same but for rounding",
    },
    "lin-thompson": {
        "inflation 1: inflate doubled": SWITCH,
        **_search("first_largest", 5),
    },
    "ucb-h": {
        "begin 1: 0.0 to 1": "every update writes the bonus, and nothing reads it before the first",
        "begin 9: st.V not written": "the state arrives zeroed, and V at stage H is written nowhere else",
        **_search("act", 5),
    },
    "ucbvi-ch": {**UCBVI, "plan 6: + to -": SOONER, "plan 6: < to <=": SOONER},
    "ucbvi-bf": {
        **UCBVI,
        "begin 3: st.V not written": "a run begins with a plan, and every plan writes V of a stage before it is read",
    },
    "euler": {
        "plan 4: 0.0 to 1": "action 0 replaces the start value whatever it is",
        "plan 5: 0 to 1": "action 0 replaces the start choice whatever it is",
        "upper 4: >= to >": ABOVE,
    },
    "mvp": {
        "begin 3: 1.0 doubled": "any bonus of at least 1 keeps a pair at the cap until its first visit writes it anew",
        "plan 4: 0.0 to 1": "action 0 replaces the start value whatever it is",
        "plan 5: 0 to 1": "action 0 replaces the start choice whatever it is",
        "backup 2: >= to >": ABOVE,
        "backup 2: 1.0 doubled": ABOVE,
    },
    "q-learning": {
        "act 1: > to >=": "with epsilon = 0 the coin is drawn too, but no double is below 0; draws have addresses, so "
        "one more changes no other",
        "act 1: epsilon doubled": "2 epsilon is positive where epsilon is",
        "act 3: < to <=": COINCIDENCE,
        **_search("act", 7),
    },
    "rlsvi": {
        "plan 4: 0.0 to 1": "action 0 replaces the start value whatever it is",
        "plan 5: 0 to 1": "action 0 replaces the start choice whatever it is",
        "plan 9: > to >=": TIES,
        "target_sum 2: > to >=": "a cell without visits has counted no transition, so the sum adds zeros",
    },
    "psrl": {
        "sample_model 2: known_rewards doubled": SWITCH,
        "solve 4: 0.0 to 1": FIRST_ACTION,
        "solve 5: 0 to 1": FIRST_ACTION,
    },
    "psrl-average": {
        "sample_model 2: known_rewards doubled": SWITCH,
        "solve_average 2: 0.0 to 1": FIRST_STATE,
        "solve_average 3: 0.0 to 1": FIRST_STATE,
        "solve_average 5: 0.0 to 1": FIRST_ACTION,
        "solve_average 6: 0 to 1": FIRST_ACTION,
        "solve_average 17: < to <=": SAME_VALUE,
        "solve_average 19: > to >=": SAME_VALUE,
    },
    "lsvi-ucb": {**_search("act", 5)},
    "gosprl": {
        "doubled 1: max to its second": PLAYED,
        "shortest_path 10: 0.0 to 1": FIRST_ACTION,
    },
    "gosprl-policy-iteration": {
        "doubled 1: max to its second": PLAYED,
        "improve 3: st.v_next not written": "G only shrinks, and v_next of a state in G is written nowhere else: it is "
        "zero, as the state arrives; off G it is written below",
        "improve 13: < to <=": "the two differ where a backup is 1 - 1e-12 of another to the last bit: rounding alone",
        "improve 13: 1e-12 doubled": "they differ where an action is better by 1e-12 to 2e-12 of the value: rounding",
        "solve 8: 0.0 to 1": "no factor is positive, since entries off the diagonal are not and pivots are; a factor "
        "of zero subtracts zeros",
    },
    "gosprl-noise": {
        **RULED,
        "shortest_path 1: max to its second (2)": LATER,
        "nothing 1: 0 to 1": "at least one visit of every pair is asked for, so that a state without visits is open, "
        "and by the gap of a pair",
        "watch 3: >= to >": ASKED_AT_FIRST,
        "watch 3: 0 to 1": ASKED_AT_FIRST,
        "plan 3: < to <=": ASKED_AT_FIRST,
        "plan 3: 0 to 1 (2)": ASKED_AT_FIRST,
        "refresh 14: < to <=": "a state without visits is open already: a visit of each of its pairs is asked for",
    },
    "gosprl-sparse": {
        "doubled 1: max to its second": PLAYED,
        "shortest_path 10: 0.0 to 1": FIRST_ACTION,
        "bound_row 1: max to its second": "a row is bounded anew after visits only, as N is not U",
        "bound_row 9: > to >=": COINCIDES + "; with alpha = 0 it is the frequency of a successor seen",
        "record 10: max to its second": "the run ends at the step that writes a number other than zero, and none "
        "is negative: up to then the maximum is with zero",
    },
    "gosprl-explore": {
        **RULED,
        "ask 2: == to !=": LOOKED_UP,
        "ask 2: 0 to 1 (2)": LOOKED_UP,
        "shortest_path 1: max to its second (2)": LATER,
        "ceiling 2: < to <=": "what is rounded up holds a logarithm of a rational: whole by a coincidence of rounding",
    },
    "gosprl-diameter": {
        **RULED,
        "shortest_path 1: max to its second (2)": LATER,
        **TO_GOALS,
        "bound_entry 1: > to >=": COINCIDES,
        "shortest_path 18: <= to <": LOGARITHMS,
        "extended_iteration 19: <= to <": LOGARITHMS,
        "ask 1: <= to <": COINCIDES,
        "box_value 9: < to <=": "with alpha > 0 the upper ends add up to more than 1, so that the mass is spent by the "
        "last state, but for rounding",
        "doubled 1: 1 doubled": TWICE,
        "shortest_path 1: 1 doubled": TWICE,
        "extended_iteration 14: < to <=": NOT_PLAYED,
        "extended_iteration 16: st.pi not written": NOT_PLAYED,
        "farthest 4: 1 doubled": "a goal that is set is compared with 0 only, and is reset after its plan",
    },
    "gosprl-extended": {
        "doubled 1: max to its second": PLAYED,
        **TO_GOALS,
    },
    "gosprl-modest": {
        **RULED,
        "shortest_path 1: max to its second (2)": LATER,
        "bound_entry 1: > to >=": COINCIDES,
        "shortest_path 18: <= to <": LOGARITHMS,
        "evenly 5: > to >=": CLOSED,
        "ask 4: > to >=": "the two differ where a radius, which holds a logarithm of a rational, is eta to the bit",
        "ceiling 2: < to <=": "what is rounded up holds a logarithm of a rational: whole by a coincidence of rounding",
        "by_formula 1: max to its second": "before the first visit 0 / 0 is no number, so that X is none, which is not "
        "above zero, as X = 0 is not",
    },
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
    "zero-one-ucrl": {
        **ITERATE,
        "doubled 1: max to its second": PLAYED,
        "unknown 2: st.low not written": "the state arrives zeroed, and a pair without visits never had another box",
        "unknown 4: st.width not written": "the state arrives zeroed, and a pair without visits never had a support",
        "box_maximum 7: > to >=": "with no mass left the loop adds nothing, for no upper end is below its lower end",
        "sort_states 6: < to <=": DISTINCT,
    },
    "r-max-collection": {"sweep 3: 0.0 to 1": FIRST_ACTION},
    "max-ent": {
        **{
            m: OWN_PI
            for m in (
                "refresh 9: < to <=",
                "refresh 9: < to >",
                "refresh 11: > to >=",
                "refresh 16: > to <",
                "refresh 16: > to >=",
                "refresh 16: 0 to 1",
                "refresh 16: == to !=",
                "refresh 16: 0 to 1 (2)",
                "refresh 17: st.pi not written",
                "settle 5: st.pi not written",
                "settle 5: 0 to 1",
            )
        },
        "watch 4: > to >=": "the drift is a sum of roots of squared logarithms, and Q a logarithm: they are equal by a "
        "coincidence of rounding alone",
        "count 1: == to !=": NO_INSIDE,
        "count 1: 1 doubled": NO_INSIDE,
        "drift 4: max to its second": "the drift is taken after a step, so that t is at least 1",
        "box 4: st.low not written": "the state arrives zeroed, and a pair without visits never had another box",
        **ITERATE,
        "iterate 24: < to <=": "the rewards are logarithms of rationals: the span of a change is the precision, a root "
        "of a rational, by a coincidence of rounding alone",
        "box_maximum 7: > to >=": "with no mass left the loop adds nothing, for no upper end is below its lower end",
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
    "known-p-greedy": {
        "on_the_way 2: < to <=": NOTHING_ASKED,
        "on_the_way 2: 0 to 1": NOTHING_ASKED,
        "shortest_path 10: 0.0 to 1": FIRST_ACTION,
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
    "ucrl-vtr": {
        **_search("act", 5),
        "derive 8: max to its second": "a row is a law, so that every pair has a successor with features",
    },
    "ucrl2": {
        "plan 9: 0.0 to 1": FIRST_STATE,
        "plan 10: 0.0 to 1": FIRST_STATE,
        "plan 12: 0.0 to 1": FIRST_ACTION,
        "plan 20: < to <=": SAME_VALUE,
        "plan 22: > to >=": SAME_VALUE,
        "estimate 11: > to >=": "they differ at 1, where 1 is replaced by 1",
        "inner_maximum 7: > to >=": "a pair without visits has an empty row, so the loop takes nothing",
        "inner_maximum 9: > to >=": "gain is never negative, and with nothing left to take the loop takes nothing",
        "inner_maximum 9: > to >= (2)": "gain is at most 1 - p_hat(best), what the other states hold: after them only "
        "rounding of the last bits is left to take from the best",
        "sort_states 6: < to <=": DISTINCT,
    },
    "ucrl2b": {
        **ITERATE,
        "unknown 2: st.low not written": "the state arrives zeroed, and a pair without visits never had another box",
        "box_maximum 7: > to >=": "with no mass left the loop adds nothing, for no upper end is below its lower end",
        "sort_states 6: < to <=": DISTINCT,
    },
    "kl-ucrl": {
        "begin 1: 0 to 1": "every sweep looks for the best state before a row reads it",
        **ITERATE,
        "kl_maximum 4: 1.0 doubled": "only its sign is read, and the first gap of the support takes its place",
        "kl_maximum 16: 1.0 doubled": ONLY_SIGN,
        "kl_maximum 35: 1.0 doubled": ONLY_SIGN,
        "kl_maximum 19: 1.0 doubled": "the first trial writes it, and nothing reads it before",
        "kl_maximum 26: < to <=": "they differ at f(u*) = radius, where `kept` is exp(0) = 1 and the next test ends "
        "the search too",
        "kl_maximum 29: <= to <": "they differ where f is off by the tolerance to the last bit, and then the search "
        "goes on and ends within it as well",
        "kl_maximum 29: < to <=": "f = radius has passed the test on its left",
        "kl_maximum 31: > to >=": "f = radius has ended the search before",
        "first_guess 7: > to >=": "states off the support have weight zero and a finite logarithm, so they add zeros",
        "first_guess 15: max to its second": "they differ where the variance is below its own rounding: then the best "
        "state has no mass (with mass w the variance is at least w times the squared mean), and f(u*), at most twice "
        "the variance over the squared mean, is below the tolerance 1e-14, which ends the search before a guess",
        "first_guess 16: > to >=": "they differ where two unlike roots agree to the last bit, and then only in the "
        "first trial of a search that ends within the same tolerance",
        "first_guess 17: min to its first": POPOVICIU,
        "first_guess 17: 0.999 doubled": POPOVICIU,
        "refined 2: > to >=": "at f = 0 Newton's step is infinity times zero, no number, and so outside the bracket as "
        "`high` is",
    },
}
