"""The planted faults that an audit on a small instance does not see: data, compared with what the tests find.

`ALIKE`, a reason and names: no read-out breaks an inequality there, and only the comparison with the learner itself
(`--like`) sees the fault: mostly another constant in a bonus, radius or index that stays on the safe side on one easy
model. `UNSEEN`, names with reasons: not even that, as actions and read-outs are the same on that instance. The claims'
own probes catch all of them (docs/theory/kill-matrix.md).
"""

from __future__ import annotations

ALIKE = {
    "euler": (
        "smaller bonuses still hold on one easy model",
        """
        n_for_n_minus_one count_ahead p_hat_stale plan_late second_moment stage_skipped norm_dropped
        lower_below_zero lower_plus log_dropped delta_undivided episodes_for_steps B_p_without_H
        """,
    ),
    "explore-then-commit": (
        "plays only are read out, and a wrong commitment breaks no inequality",
        """
        count_off_by_one commits_late rounds_for_plays argmin choice_renewed choice_stale others_unplayed
        """,
    ),
    "gosprl": (
        "counts and policy are read out, not the plan's values",
        """
        log_dropped delta_dropped time_in_log count_ahead model_stale stops_early policy_maximises closes_late
        closes_early action_stale stops_on_total trigger_late trigger_never trigger_always
        """,
    ),
    "kl-ucb": (
        "the state keeps the largest index only",
        """
        bonus_zero log_dropped horizon_for_clock pinsker_index cap_left_out arguments_swapped count_off_by_one
        newton_cut_short unvisited_zero argmin rest_stale
        """,
    ),
    "kl-ucrl": (
        "the KL radius is not read out, and the gain stays above the optimal one",
        """
        log_dropped delta_dropped one_log root_radius one_more stale uncapped no_special first_guess_only
        mass_lost stops_early reward_left_out policy_minimises trigger_late trigger_always
        """,
    ),
    "known-p-greedy": (
        "counts and policy are read out, not the plan's values",
        """
        mass_of_loops stops_early policy_maximises closes_late
        """,
    ),
    "lin-thompson": (
        "a sample promises nothing of a single run",
        """
        log_dropped posterior norm_dropped delta_whole no_horizon estimate_stale gain_too_large root_stale
        root_by_entries root_transposed root_shrunk_twice draw_reused draw_shared
        """,
    ),
    "lsvi-ucb": (
        "the width is not read out, and values stay optimistic",
        """
        delta_dropped episodes_for_steps bonus_tenfold counts_lost successor_lost targets_stale plan_late
        backup_same_stage choice_uncapped
        """,
    ),
    "moss": (
        "the index is not read out: it is no bound on a mean",
        """
        bonus_zero width_subtracted log_dropped arms_not_divided width_doubled count_off_by_one index_stale
        clipping_off horizon_replaced unvisited_zero argmin
        """,
    ),
    "mvp": (
        "the width is not read out, and values stay optimistic",
        """
        count_ahead c3_lowered reward_bonus_dropped c2_halved theta_kept trigger_late plan_missed cap_H
        second_moment stage_skipped delta_undivided episodes_for_steps
        """,
    ),
    "oful": (
        "the ellipsoid is not read out, and indices stay above the means",
        """
        bonus_zero log_dropped delta_dropped norm_dropped plain_determinant horizon_in_log unvisited_zero
        inverse_wrong estimate_stale gain_too_large widths_stale trace_for_determinant determinant_stale
        width_squared
        """,
    ),
    "psrl": (
        "a sample promises nothing of a single run",
        """
        variance_halved counts_from_one data_unused draw_reused draw_shared rows_mirrored policy_minimises
        policy_stale trigger_late
        """,
    ),
    "psrl-average": (
        "a sample promises nothing of a single run",
        """
        variance_halved counts_from_one draw_reused draw_shared rows_mirrored policy_minimises
        solved_discounted policy_stale start_stale length_dropped doubling_dropped trigger_late trigger_early
        length_early length_twice trigger_always
        """,
    ),
    "q-learning": (
        "it claims no bound, and explores",
        """
        coin_shared epsilon_swapped argmin count_off_by_one rate_constant backup_same_stage updates_skipped
        episode_endless
        """,
    ),
    "rlsvi": (
        "a sample promises nothing of a single run",
        """
        sd_squared noise_doubled mean_doubled counts_from_one unvisited_zero prior_unweighted noise_reused
        noise_shared clipping_on backup_same_stage values_stale trigger_late variance_without_horizon
        """,
    ),
    "successive-elimination": (
        "the widths are not read out",
        """
        bonus_zero log_dropped arms_not_divided width_sharp width_tripled count_off_by_one horizon_for_round
        leaders_dropped threshold_halved never_dropped every_second_round last_reward_missing
        dropped_arms_played
        """,
    ),
    "thompson": (
        "a sample promises nothing of a single run",
        """
        variance_fourfold count_off_by_one parameters_swapped draw_reused samples_kept coin_reversed
        """,
    ),
    "ucb-h": (
        "the bonus is not read out, and values stay optimistic",
        """
        log_dropped bonus_one_over_n bonus_tenfold rate_one_over_n backup_same_stage episodes_for_steps
        count_off_by_one delta_dropped
        """,
    ),
    "ucb1": (
        "the index has no delta, and stays above the means in 100 rounds",
        """
        bonus_zero log_dropped bonus_one_over_n count_off_by_one horizon_for_clock unplayed_zero
        """,
    ),
    "ucbvi-bf": (
        "smaller bonuses still hold on one easy model",
        """
        bonus_tenfold last_term_dropped second_term_dropped eight_dropped variance_uncentred log_dropped
        delta_alone episodes_for_steps estimate_stale q_stale backup_same_stage backup_skips_stage
        plans_every_other
        """,
    ),
    "ucbvi-ch": (
        "smaller bonuses still hold on one easy model",
        """
        bonus_one_over_n bonus_tenfold bonus_root_of_log log_dropped delta_alone episodes_for_steps
        estimate_stale last_q_forgotten q_stale backup_same_stage backup_skips_stage plans_every_other
        """,
    ),
    "ucrl-vtr": (
        "the width is not read out, and values stay optimistic",
        """
        log_dropped range_forgotten norm_dropped radius_tenfold episodes_for_steps delta_dropped
        ridge_off_by_one counts_lost successor_lost regression_same_stage stages_mixed reward_in_target
        plan_late values_stale
        """,
    ),
    "ucrl2": (
        "smaller radii still hold on one easy model, and the gain stays above",
        """
        log_dropped delta_dropped mass_to_worst trigger_late trigger_always policy_minimises horizon_for_clock
        kernel_stale uncapped
        """,
    ),
    "ucrl2b": (
        "smaller boxes still hold on one easy model, and the gain stays above",
        """
        log_dropped delta_dropped time_in_log reward_variance no_variance one_more stale uncapped
        policy_minimises trigger_late trigger_always squares_lost
        """,
    ),
}
UNSEEN = {
    "euler": {
        "norm_of_upper": "the terms of the lower value are not read out, and the upper value does not move",
        "phi_of_upper": "the terms of the lower value are not read out, and the upper value does not move",
        "lower_own_action": "the terms of the lower value are not read out, and the upper value does not move",
    },
    "gosprl": {
        "variance_unrooted": "the trip's values are not read out, and the same trips are made",
        "rows_normalised": "the trip's values are not read out, and the same trips are made",
        "unseen_uniform": "the trip's values are not read out, and the same trips are made",
        "unseen_stays": "the trip's values are not read out, and the same trips are made",
        "baseline_stale": "the trip's values are not read out, and the same trips are made",
        "warm_start": "the trip's values are not read out, and the same trips are made",
        "arrival_free": "the trip's values are not read out, and the same trips are made",
        "smallest_gap": "the trip's values are not read out, and the same trips are made",
        "ties_last": "the trip's values are not read out, and the same trips are made",
        "last_step_free": "the trip's values are not read out, and the same trips are made",
        "time_from_one": "the trip's values are not read out, and the same trips are made",
    },
    "kl-ucb": {"log_log_dropped": "c = 0 is the default"},
    "known-p-greedy": {
        "goals_stale": "the trip's values are not read out, and the same trips are made",
        "smallest_gap": "the trip's values are not read out, and the same trips are made",
        "ties_last": "the trip's values are not read out, and the same trips are made",
        "last_step_free": "the trip's values are not read out, and the same trips are made",
        "plans_always": "the trip's values are not read out, and the same trips are made",
    },
    "lin-thompson": {"noise_dropped": "R = 1 is the factor that is dropped", "ties_last": "any rule for ties is right"},
    "mvp": {
        "p_hat_stale": "the model of a refresh is not read out before it changes a plan",
        "plan_always": "the model of a refresh is not read out before it changes a plan",
    },
    "oful": {
        "noise_dropped": "R = 1 is the factor that is dropped",
        "never_fresh": "rounding only, over more rounds",
        "ties_last": "any rule for ties is right",
    },
    "psrl": {
        "failures_wrong": "the sampled rewards are not read out; the learner is told them on this instance",
        "rewards_swapped": "the sampled rewards are not read out; the learner is told them on this instance",
    },
    "psrl-average": {
        "failures_wrong": "the learner is told the rewards",
        "rewards_swapped": "the learner is told the rewards",
    },
    "q-learning": {
        "backup_same_state": "no difference before the reward at the end of the chain is found",
        "backup_first_action": "no difference before the reward at the end of the chain is found",
    },
    "successive-elimination": {"stop_off_by_one": "the stopping time is not read out, and no action depends on it"},
    "thompson": {
        "coin_reused": "Bernoulli rewards decide the coin",
        "rewards_rounded": "Bernoulli rewards are 0 and 1",
    },
    "ucbvi-bf": {
        "visits_same_stage": "the term of the next stage is at its cap in so short a run, or ties are free",
        "visits_pooled": "the term of the next stage is at its cap in so short a run, or ties are free",
        "visits_shifted": "the term of the next stage is at its cap in so short a run, or ties are free",
        "last_q_forgotten": "the term of the next stage is at its cap in so short a run, or ties are free",
        "ties_to_last": "the term of the next stage is at its cap in so short a run, or ties are free",
    },
    "ucbvi-ch": {"ties_to_last": "any rule for ties is right"},
    "ucrl-vtr": {"delta_undivided": "values at the cap on both sides, or within it, over 40 episodes"},
    "ucrl2": {
        "full_radius": "the inner maximum and the stopping rule are not read out, and the same policy is planned",
        "stops_early": "the inner maximum and the stopping rule are not read out, and the same policy is planned",
    },
    "ucrl2b": {
        "mass_to_worst": "the inner maximum is not read out, and the same policy is planned",
        "mass_lost": "the inner maximum is not read out, and the same policy is planned",
        "overfull": "the inner maximum is not read out, and the same policy is planned",
        "mixed_wrongly": "the inner maximum is not read out, and the same policy is planned",
        "stops_early": "the inner maximum is not read out, and the same policy is planned",
    },
}
