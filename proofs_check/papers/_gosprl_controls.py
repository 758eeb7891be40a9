"""Planted faults of GOSPRL and of the greedy collector that knows p, as controls, and the instances they run on."""

from __future__ import annotations

from proofs_check.mutants import gosprl as faults
from proofs_check.mutants import known_p_greedy as known_faults
from theorylab.claim import Control, Instance

#: a plan of these instances takes some dozens of sweeps; a fault whose plan has no end is stopped here
LIMIT = {"max_sweeps": 5_000}
#: the exits of all states of the wheel are asked for; other pairs are not, and are believed to jump to G
EXITS = [[0, 0, 0, 0, 6], [4, 0, 0, 4, 0], [0, 4, 0, 4, 0]]
WHEEL = Instance("wheel", 150, {"states": 3}, {"b": EXITS, "alpha": 0.03, **LIMIT})
#: with a radius this small entries below zero stay above -1, and a plan that keeps them still stops
NEARLY_PLUG_IN = Instance("wheel", 150, {"states": 3}, {"b": EXITS, "alpha": 0.001, **LIMIT})
#: one exit that is rarely taken: trips are long and there are few pairs to double
RARE = Instance("star", 400, {"p": [0.05]}, {"b": [[0], [8]], "alpha": 0.1, **LIMIT})
#: two requirements a leaf: who repeats the first action there comes back for ever
PAIRED = Instance("star", 80, {"p": [1.0, 0.5]}, {"b": [[0, 0], [2, 2], [2, 2]], "alpha": 0.1, **LIMIT})
#: the short way to the last open state is one that nothing was asked of
BEHIND = [[0, 0, 0, 0, 2], [0, 0, 0, 2, 0], [0, 0, 0, 8, 0]]
DETOUR = Instance("wheel", 80, {"states": 3}, {"b": BEHIND, "alpha": 0.05, **LIMIT})
#: the last open state lies behind a random move
CHANCY = [[0, 0, 0, 0, 3], [0, 0, 0, 6, 0], [0, 0, 0, 1, 0]]
SPIN = Instance("wheel", 120, {"states": 3}, {"b": CHANCY, "alpha": 0.03, **LIMIT})
#: frequencies that move up and down, and with them the values
RIVER = Instance("riverswim", 250, {"states": 3}, {"samples": 5, "alpha": 0.1, **LIMIT})
#: for the learner that knows p
LEAF_PAIRS = Instance("star", 150, {"p": [0.5, 0.25]}, {"b": [[0, 0], [3, 3], [3, 3]], **LIMIT})

CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "radius zero": faults.radius_zero,
        "log factor dropped": faults.log_dropped,
        "delta left out": faults.delta_dropped,
        "variance outside the root": faults.variance_unrooted,
        "time in the logarithm": faults.time_in_log,
        "division by N + 1": faults.count_ahead,
        "cut mass stays": faults.mass_stays,
        "rows normalised": faults.rows_normalised,
        "unvisited pairs uniform": faults.unseen_uniform,
        "unvisited pairs stay": faults.unseen_stays,
        "model of the first attempt": faults.model_stale,
        "U without samples in G": faults.baseline_stale,
        "one sweep": faults.stops_early,
        "arrival not charged": faults.arrival_free,
        "t_k from one": faults.time_from_one,
        "policy maximises": faults.policy_maximises,
        "closes one sample late": faults.closes_late,
        "closes with its first requirement": faults.closes_early,
        "smallest gap": faults.smallest_gap,
        "ties to the last": faults.ties_last,
        "action in G not looked up": faults.action_stale,
        "last step not charged": faults.last_step_free,
        "complete by the total": faults.stops_on_total,
        "self-loops lost": faults.counts_lost,
        "samples in G not recorded": faults.goal_samples_lost,
        "trigger at fourfold visits": faults.trigger_late,
        "no doubling": faults.trigger_never,
        "plan at every step": faults.trigger_always,
    }.items()
}
CONTROLS |= {
    name: Control(name, learner, instance)
    for name, learner, instance in (
        ("negative entries kept", faults.clipping_off, NEARLY_PLUG_IN),
        ("warm start", faults.warm_start, RIVER),
        ("rows normalised, spin", faults.rows_normalised, SPIN),
        ("unvisited pairs uniform, detour", faults.unseen_uniform, DETOUR),
        ("unvisited pairs stay, detour", faults.unseen_stays, DETOUR),
        ("plan at every step of a long trip", faults.trigger_always, RARE),
        ("action in G not looked up, two a leaf", faults.action_stale, PAIRED),
    )
}
KNOWN_CONTROLS = {
    name: Control(name, learner, replicates=4)
    for name, learner in {
        "self-loops arrive": known_faults.mass_of_loops,
        "open states of the first attempt": known_faults.goals_stale,
        "one sweep": known_faults.stops_early,
        "policy maximises": known_faults.policy_maximises,
        "closes one sample late": known_faults.closes_late,
        "smallest gap": known_faults.smallest_gap,
        "ties to the last": known_faults.ties_last,
        "last step not charged": known_faults.last_step_free,
        "self-loops lost": known_faults.counts_lost,
        "plan at every step": known_faults.plans_always,
    }.items()
}
