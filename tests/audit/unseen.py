"""The planted faults that an audit on small instances does not see: data, compared with what the tests find.

`ALIKE`, a reason and names: no check of the read-outs fails there, and only the comparison with the learner itself
(`--like`) sees the fault: another constant in a bonus, radius or width, of which no property can say which is right.
`UNSEEN`, names with reasons: not even that; `tests.audit.test_own` has the experiment that shows that behaviour is the
same. The claims' own probes catch all of them, or say why not (docs/theory/kill-matrix.md).
"""

from __future__ import annotations

ALIKE = {
    "euler": (
        "another constant in a bonus or in the terms of the lower value, on the safe side there",
        """
        n_for_n_minus_one count_ahead phi_of_upper lower_own_action delta_undivided episodes_for_steps
        B_p_without_H
        """,
    ),
    "gosprl": (
        "another radius that is still a lower bound; a plan from other starting values; another rule for ties",
        "variance_unrooted time_in_log count_ahead warm_start ties_last time_from_one",
    ),
    "kl-ucb": ("c = 3 and c = 0 are both growing levels", "log_log_dropped"),
    "kl-ucrl": ("another constant in the radius", "one_log root_radius"),
    "known-p-greedy": ("any rule for ties is right", "ties_last"),
    "lin-thompson": (
        "another inflation; another root or estimate, too close to tell from the draws of so short a run",
        "noise_dropped norm_dropped gain_too_large root_transposed",
    ),
    "lsvi-ucb": (
        "another multiple of the norm; ties at the cap broken by the values before it",
        "episodes_for_steps bonus_tenfold choice_uncapped",
    ),
    "moss": ("another constant in the width", "width_doubled"),
    "mvp": ("another constant in the bonus", "count_ahead reward_bonus_dropped c2_halved episodes_for_steps"),
    "oful": (
        "another radius that grows with the information",
        "noise_dropped norm_dropped plain_determinant trace_for_determinant",
    ),
    "successive-elimination": (
        "another width that falls, and is used as it says",
        "arms_not_divided width_sharp width_tripled count_off_by_one",
    ),
    "thompson": (
        "rewards between 0 and 1 make the successes the agent's own draws, which are not read out",
        "coin_reused rewards_rounded",
    ),
    "ucb-h": ("another constant in the bonus", "bonus_tenfold episodes_for_steps"),
    "ucbvi-bf": (
        "another constant or another term in the bonus, which stays on the safe side",
        """
        bonus_tenfold last_term_dropped eight_dropped variance_uncentred visits_same_stage visits_pooled
        visits_shifted episodes_for_steps
        """,
    ),
    "ucbvi-ch": ("another constant in the bonus", "bonus_tenfold episodes_for_steps"),
    "ucrl-vtr": (
        "another multiple of the norm",
        "log_dropped range_forgotten norm_dropped radius_tenfold episodes_for_steps delta_undivided",
    ),
    "ucrl2": ("cap_rewards = 0 is a variant that the learner offers, and says so", "uncapped"),
    "ucrl2b": ("another constant in a radius", "time_in_log reward_variance no_variance squares_lost"),
}
TIES = "the same values, and another maximiser of them: any rule for ties is right, and `--like` excuses it"
UNSEEN = {
    "lin-thompson": {"ties_last": TIES},
    "mvp": {"plan_always": "a plan is a function of the model, which changes only where a plan is due anyway"},
    "oful": {
        "never_fresh": "rounding only: indices and actions are the same to 1e-9, 1500 rounds on",
        "ties_last": TIES,
    },
    "ucbvi-bf": {"ties_to_last": TIES},
    "ucbvi-ch": {"ties_to_last": TIES},
}
