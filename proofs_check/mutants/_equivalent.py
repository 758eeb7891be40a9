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
    "ucb-h": {
        "begin 1: 0.0 to 1": "every update writes the bonus, and nothing reads it before the first",
        "begin 9: st.V not written": "the state arrives zeroed, and V at stage H is written nowhere else",
        **_search("act", 5),
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
}
