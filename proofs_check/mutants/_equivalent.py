"""Automatic mutants that nothing can tell from the learner, each with the reason why. See `proofs_check.mutation`.

A reason must say why no data can show the difference, not that none was seen.
"""

from __future__ import annotations

from proofs_check.mutants._equivalent_average import AVERAGE
from proofs_check.mutants._equivalent_games import GAMES
from proofs_check.mutants._reasons import (
    ABOVE,
    ASKED_AT_FIRST,
    CLOSED,
    COINCIDENCE,
    COINCIDES,
    DISTINCT,
    FIRST_ACTION,
    FIRST_STATE,
    ITERATE,
    LATER,
    LEADER_FIRST,
    LOGARITHMS,
    LOOKED_UP,
    MORE_ROOTS,
    NO_INSIDE,
    NOT_PLAYED,
    NOTHING_ASKED,
    ONLY_SIGN,
    OWN_PI,
    PLAYED,
    POPOVICIU,
    RULED,
    SAME_VALUE,
    SOONER,
    START,
    SWITCH,
    TIES,
    TO_GOALS,
    TWICE,
    UCBVI,
    search,
)

__all__ = ["EQUIVALENT"]

#: learner (as `kill_matrix.learners` names it) -> name of the mutant -> why it is equivalent
EQUIVALENT: dict[str, dict[str, str]] = {
    "ucb1": {
        "begin 4: 0.0 to 1": "a decision that reads the indices has written all of them just before",
        **search("act", 11),
    },
    "moss": {
        "begin 4: 0.0 to 1": "indices are read from round A on, when every arm was played and its index written",
        **search("act", 7),
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
        **search("first_largest", 5),
        "learn 5: > to >=": "det V has grown by the factor 2 to the last bit: formed afresh or updated, all is the "
        "same but for rounding",
    },
    "lin-thompson": {
        "inflation 1: inflate doubled": SWITCH,
        **search("first_largest", 5),
    },
    "ucb-h": {
        "begin 1: 0.0 to 1": "every update writes the bonus, and nothing reads it before the first",
        "begin 9: st.V not written": "the state arrives zeroed, and V at stage H is written nowhere else",
        **search("act", 5),
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
        **search("act", 7),
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
    "lsvi-ucb": {**search("act", 5)},
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
    "known-p-greedy": {
        "on_the_way 2: < to <=": NOTHING_ASKED,
        "on_the_way 2: 0 to 1": NOTHING_ASKED,
        "shortest_path 10: 0.0 to 1": FIRST_ACTION,
    },
    "ucrl-vtr": {
        **search("act", 5),
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
    **AVERAGE,
    **GAMES,
}
