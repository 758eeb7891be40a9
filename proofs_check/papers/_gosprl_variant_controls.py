"""Planted faults of GOSPRL's variants, as controls of their steps, and the instances they run on."""

from __future__ import annotations

from proofs_check.mutants import gosprl as state_faults
from proofs_check.mutants import gosprl_extended as extended_faults
from proofs_check.mutants import gosprl_modest as modest_faults
from proofs_check.mutants import gosprl_noise as noise_faults
from proofs_check.mutants import gosprl_policy_iteration as exact_faults
from theorylab.claim import Control, Instance
from theorylab.learner import Learner

LIMIT = {"max_sweeps": 5_000}
THREE = {"S": 3, "A": 2, "b": 2, "seed": 2}
UNSEEN = [[0, 0, 0, 0, 2], [0, 0, 0, 2, 0], [0, 0, 0, 8, 0]]
#: two leaves, the second rarely reached; visits of all states
ON_STATES = Instance("star", 150, {"p": [0.5, 0.25]}, {"b_states": [0, 6, 6], "alpha": 0.1, **LIMIT})
BOTH = Instance(
    "garnet", 150, THREE, {"b": [[0, 0], [4, 0], [0, 0]], "b_states": [0, 9, 9], "alpha": 0.1, **LIMIT}
)  # fmt: skip
#: pairs that are asked for lie behind others, so that trips take several moves and policies several rounds
BEHIND = Instance(
    "riverswim", 250, {"states": 4}, {"b": [[0, 0], [0, 0], [0, 0], [6, 6]], "alpha": 0.05, "max_sweeps": 30}
)
#: pairs that were never visited when plans are made
AHEAD = Instance("wheel", 80, {"states": 3}, {"b": UNSEEN, "alpha": 0.05, **LIMIT})
MEET = Instance(
    "garnet", 250, {"S": 5, "A": 3, "b": 3, "seed": 1}, {"samples": 8, "alpha": 0.03, **LIMIT}
)  # fmt: skip
BALL = Instance(
    "garnet", 250, {"S": 5, "A": 3, "b": 3, "seed": 1}, {"samples": 8, "alpha": 0.03, "radius": 2, **LIMIT}
)  # fmt: skip
#: small radii: a run is satisfied within some hundred steps
SMALL = Instance("garnet", 400, THREE, {"eta": 0.8, "alpha": 0.1, **LIMIT})
ANYTIME = Instance("garnet", 400, THREE, {"eta": 3.0, "alpha": 0.1, "shrink": 0.7, **LIMIT})
FORMULA = Instance("star", 900, {"p": [0.3]}, {"eta": 2.0, "rule": 1, **LIMIT})
#: few visits satisfy a pair, and a trip is long
RARE = Instance("star", 400, {"p": [0.1]}, {"eta": 1.0, "alpha": 0.02, **LIMIT})
#: at alpha = 1, where the guarantee holds
HONEST = Instance("garnet", 400, THREE, {"eta": 0.5, **LIMIT})
NOISY = Instance("garnet", 300, THREE, {"samples": 20, "least": 2, "alpha": 0.1, **LIMIT})


def _controls(faults: dict[str, Learner | tuple[Learner, Instance]]) -> dict[str, Control]:
    out = {}
    for name, fault in faults.items():
        learner, instance = fault if isinstance(fault, tuple) else (fault, None)
        out[name] = Control(name, learner, instance, replicates=4)
    return out


CONTROLS = {
    "gosprl": _controls(
        {
            "states not looked at": state_faults.states_ignored,
            "visits of one action": state_faults.states_by_one_action,
            "most visited action": (state_faults.states_most_visited, BOTH),
        }
    ),
    "gosprl-policy-iteration": _controls(
        {
            "one round": exact_faults.stops_after_one_round,
            "minimum in the first round only": exact_faults.minimum_in_the_first_round,
            "equations transposed": exact_faults.equations_transposed,
            "cost on G": exact_faults.goals_not_free,
            "pivot of the row": exact_faults.pivot_of_the_row,
            "no substitution": exact_faults.no_substitution,
            "policy maximises": exact_faults.policy_maximises,
            "last action left out": exact_faults.last_action_left_out,
        }
    ),
    "gosprl-extended": _controls(
        {
            "no upper ends": extended_faults.no_upper_ends,
            "mass to the worst state": extended_faults.mass_to_the_worst,
            "upper ends of twice the width": extended_faults.upper_ends_uncut,
            "radius of the ball not halved": (extended_faults.radius_not_halved, BALL),
            "best states lose": (extended_faults.best_states_lose, BALL),
            "no lower ends": extended_faults.no_lower_ends,
            "unvisited pairs stay": (extended_faults.unvisited_stay, AHEAD),
            "states not sorted": extended_faults.order_stale,
            "one sweep": extended_faults.stops_early,
            "policy maximises": extended_faults.policy_maximises,
        }
    ),
    "gosprl-modest": _controls(
        {
            "radius zero": modest_faults.radius_zero,
            "log factor dropped": modest_faults.log_dropped,
            "delta left out": modest_faults.delta_dropped,
            "variance outside the root": modest_faults.variance_unrooted,
            "satisfied by half": modest_faults.satisfied_by_half,
            "unseen successors left out": modest_faults.unseen_left_out,
            "largest radius for the sum": modest_faults.largest_for_sum,
            "visits plus one": modest_faults.count_ahead,
            "looked up once": modest_faults.looked_up_once,
            "logarithm not squared": (modest_faults.log_not_squared, FORMULA),
            "second term left out": (modest_faults.second_term_missing, FORMULA),
            "variances for roots": (modest_faults.variances_for_roots, FORMULA),
            "accuracy left out": (modest_faults.accuracy_left_out, ANYTIME),
            "ends at the first accuracy": (modest_faults.ends_at_the_first, ANYTIME),
            "next accuracy recorded": (modest_faults.next_accuracy_recorded, ANYTIME),
            "G moves on the way": modest_faults.goals_move,
            "arrival not looked up": modest_faults.arrival_unchecked,
            "self-loops lost": modest_faults.counts_lost,
            "completion one step late": modest_faults.finished_late,
            "most visited action": modest_faults.most_visited_first,
            "ties to the last": modest_faults.ties_last,
            "closes with one action": modest_faults.closes_early,
            "trigger at fourfold visits": (modest_faults.trigger_late, RARE),
            "policy maximises": modest_faults.policy_maximises,
            "radius zero, alpha 1": (modest_faults.radius_zero, HONEST),
            "unseen successors left out, alpha 1": (modest_faults.unseen_left_out, HONEST),
            "looked up once, alpha 1": (modest_faults.looked_up_once, HONEST),
        }
    ),
    "gosprl-noise": _controls(
        {
            "variance for its root": noise_faults.variance_for_deviation,
            "not divided by sqrt S": noise_faults.not_divided,
            "visits plus one": noise_faults.count_ahead,
            "least left out": noise_faults.least_left_out,
            "rounded down": noise_faults.rounded_down,
            "looked up once": noise_faults.looked_up_once,
            "G moves on the way": noise_faults.goals_move,
            "arrival not looked up": noise_faults.arrival_unchecked,
            "self-loops lost": noise_faults.counts_lost,
            "smallest gap": noise_faults.smallest_gap,
            "ties to the last": noise_faults.ties_last,
            "trigger at fourfold visits": noise_faults.trigger_late,
        }
    ),
}
