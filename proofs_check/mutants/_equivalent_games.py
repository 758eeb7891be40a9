"""Automatic mutants of solvers of games that nothing can tell from the learner; see `_equivalent`."""

from __future__ import annotations

__all__ = ["GAMES"]

PLANNED = "`average` writes the same plans of the same policies before anything reads them"
STANDING = "the plans of the player's policy stand in x already: `begin`, or the end of its last turn, has written them"
LINEAR = "CFR+ has power 1: the weight of power 2 is never read"
QUADRATIC = "predictive CFR+ has power 2: the weight of power 1 is never read"
UNPREDICTED = "CFR+ has prediction 0 and R is floored at 0 a line before, so all forms are R itself"

UNMOVED = "a uniform magnet adds the same to all logits of an infoset, and normalising takes constants off"
ALONE = "the runs that are compared have one replicate a block: j is 0, and adding or taking it is the same"
TWICE = "the first entry is compared with itself"
MAGNETLESS = "mirror descent has magnet 0: the branch is never taken and the anchor stays uniform"
UNHEATED = "mirror descent has alpha 0, so the pull is 0: the anchor's weight and the division by 1 do nothing"
TOGETHER = "derive of mirror descent sets alternate = 0: both players move at once"
UNUSED = "where the mass is 0 the value is computed and not used: the old logit stays"
STEPS = {
    "begin 6: st.anchor not written": UNMOVED,
    "begin 6: log to 1": UNMOVED,
    "improve 16: > to >=": UNUSED,
    "improve 16: 1.0 doubled": UNUSED,
    "normalise 6: + 1 left out": TWICE,
    "rates 2: + to -": ALONE,
}

GAMES: dict[str, dict[str, str]] = {
    "cfr": {"begin 2: call of realise left out": PLANNED},
    "cfr-plus": {
        "alternate 1: * to /": LINEAR,
        **{
            f"alternate 1: {what} ({k})": LINEAR for k in (2, 3) for what in ("+ 1.0 left out", "+ to -", "1.0 doubled")
        },
        "alternate 11: max to its second": UNPREDICTED,
        "alternate 11: + to -": UNPREDICTED,
        "average 1: call of realise left out": STANDING,
    },
    "pcfr-plus": {
        **{f"alternate 1: {what}": QUADRATIC for what in ("+ 1.0 left out", "+ to -", "1.0 doubled")},
        "average 1: call of realise left out": STANDING,
        "derive 1: 2 doubled": "every power that is not 1 is read as 2, and derive alone sets it",
    },
    "mmd": {
        **STEPS,
        "improve 20: magnet doubled": "twice a rate is above 0 where the rate is, and it is compared with 0 alone",
    },
    "mmd-dilated": {
        "normalise 6: + 1 left out": TWICE,
        "rates 2: + to -": ALONE,
    },
    "mirror-descent": {
        **STEPS,
        "learn 2: 1 doubled": TOGETHER,
        **{f"learn 3: {what}": TOGETHER for what in ("call of improve left out", "0 to 1")},
        **{f"learn 4: {what}": TOGETHER for what in ("call of improve left out", "1 doubled")},
        "improve 14: * to /": UNHEATED,
        **{f"improve 17: {what}": UNHEATED for what in ("/ to *", "+ to - (2)", "+ to - (3)")},
        "improve 18: > to >=": "where the mass is 0 so is the value, and alpha is 0: the new logit is the old one",
        **{f"improve 20: {what}": MAGNETLESS for what in ("> to <", "0.0 to 1")},
        **{
            f"improve 23: {what}": MAGNETLESS
            for what in ("st.anchor not written", "* to /", "+ to -", "- to +", "1.0 doubled", "* to / (2)")
        },
        "improve 24: call of normalise left out": MAGNETLESS,
        "rates 4: st.alpha not written": "alpha is 0, as the state is at the beginning",
        "rates 4: / to *": "alpha is 0, over the root or times it",
        "derive 2: 1 doubled": "alphas is all zeros of one length or another, and entry 0 is read",
        "derive 3: 0.0 to 1": "alphas is given, so alpha is not read",
    },
}
