"""Automatic mutants of solvers of games that nothing can tell from the learner; see `_equivalent`."""

from __future__ import annotations

__all__ = ["GAMES"]

PLANNED = "`average` writes the same plans of the same policies before anything reads them"
STANDING = "the plans of the player's policy stand in x already: `begin`, or the end of its last turn, has written them"
LINEAR = "CFR+ has power 1: the weight of power 2 is never read"
QUADRATIC = "predictive CFR+ has power 2: the weight of power 1 is never read"
UNPREDICTED = "CFR+ has prediction 0 and R is floored at 0 a line before, so all forms are R itself"

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
}
