"""Reasons why a mutant is equivalent, and sets of mutants of kernels that learners share. See `_equivalent`."""

from __future__ import annotations

SEARCH = "the largest entry is among those searched, so the search ends there, before the bound on it matters"
COINCIDENCE = "the two differ where a uniform draw equals the threshold to the last bit, with probability at most 2^-53"
TIES = "the two differ where two draws of a continuous law are equal to the last bit; the paper leaves ties open"


def search(kernel: str, line: int) -> dict[str, str]:
    """The upward search of the first largest entry, `while best < p.A - 1 and ...`."""
    return {f"{kernel} {line}: {what}": SEARCH for what in ("< to <=", "- 1 left out", "- to +")}


#: kernels that UCBVI-CH and UCBVI-BF share
UCBVI = {
    **search("act", 5),
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
OF_PAIRS = {
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
    **OF_PAIRS,
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
