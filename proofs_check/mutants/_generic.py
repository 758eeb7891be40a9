"""The generic faults: wrong lines that are found in code of any learner, to be planted wherever there is such a part.

Each file of mutants has a dictionary `GENERIC` with exactly these keys. A value is the planted mutant, or a sentence
that begins with "no field:" (the learner has no such part, and why) or with "equivalent:" (the fault breaks no step,
and why). A planted mutant must be caught by a claim of the learner.
"""

from __future__ import annotations

__all__ = ["FAULTS"]

FAULTS = {
    "bonus zero": "the bonus, width or radius is zero",
    "log factor dropped": "the bonus lacks its logarithm",
    "delta not divided": "the union bound is left out: delta enters the logarithm undivided, or not at all",
    "wrong variance": "the variance of another quantity, or scaled wrongly",
    "count off by one": "a bonus or rate uses n + 1 or n - 1",
    "lost counts": "some visits are not counted",
    "unvisited at zero": "pairs or arms never tried count as worthless",
    "no clipping": "a cap that the paper prints is left out",
    "backup of the wrong stage": "the backup reads V_h or V_{h+2} for V_{h+1}",
    "mass to the wrong state": "probability taken from one state goes to the wrong one",
    "stale estimate": "an estimate or a value is not updated",
    "worst action played": "the smallest value is played",
    "ties to the last": "equal values go to the highest index",
    "late trigger": "a plan or an update comes too late",
    "draw reused": "posterior noise is not refreshed",
    "wrong length in the logarithm": "episodes for steps, the horizon for the clock, and the like",
}
