"""Faults planted in successive elimination: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from bandits.learners.successive_elimination import eliminate, learn, learner, width
from theorylab.kernel import Kernel, kernel, log, sqrt
from theorylab.learner import Learner


@kernel
def no_width(st, p, n):
    """alpha = 0."""
    return 0.0


@kernel
def no_log(st, p, n):
    """The logarithm is dropped."""
    return sqrt(1.0 / n)


@kernel
def without_arms(st, p, n):
    """ln(c t^2 / delta): no union over the arms."""
    return sqrt(log(p.c / p.delta * n * n) / n)


@kernel
def sharp(st, p, n):
    """Half the variance proxy: sqrt(ln(c A t^2 / delta) / (2 t))."""
    return sqrt(0.5 * log(p.c_A_over_delta * n * n) / n)


@kernel
def three_times(st, p, n):
    """alpha three times too large."""
    return 3.0 * width(st, p, n)


@kernel
def one_play_more(st, p, n):
    """t + 1 in place of t."""
    return width(st, p, n + 1.0)


@kernel
def of_horizon(st, p, n):
    """ln(c A T^2 / delta) with the number of rounds T of the run."""
    return sqrt(log(p.c_A_over_delta * p.T * p.T) / n)


@kernel
def drop_leaders(st, p):
    """Arms that lead the smallest mean by 2 alpha are dropped."""
    st.sweep[0] += 1
    n = float(st.sweep[0])
    st.alpha[0] = width(st, p, n)
    low = 1.0
    for i in range(st.left[0]):
        low = min(low, st.total[st.alive[i]] / n)
    kept = 0
    for i in range(st.left[0]):
        a = st.alive[i]
        if st.total[a] / n - low < 2.0 * st.alpha[0]:
            st.alive[kept] = a
            kept += 1
    st.left[0] = kept


@kernel
def one_alpha(st, p):
    """Arms that trail by alpha, not by 2 alpha, are dropped."""
    st.sweep[0] += 1
    n = float(st.sweep[0])
    st.alpha[0] = width(st, p, n)
    top = 0.0
    for i in range(st.left[0]):
        top = max(top, st.total[st.alive[i]] / n)
    kept = 0
    for i in range(st.left[0]):
        a = st.alive[i]
        if top - st.total[a] / n < st.alpha[0]:
            st.alive[kept] = a
            kept += 1
    st.left[0] = kept


@kernel
def never(st, p):
    """No arm is ever dropped."""
    st.sweep[0] += 1
    st.alpha[0] = width(st, p, float(st.sweep[0]))


@kernel
def in_even_rounds(st, p):
    """Arms are dropped in every second round only."""
    if (st.sweep[0] + 1) % 2 == 0:
        eliminate(st, p)
    else:
        st.sweep[0] += 1
        st.alpha[0] = width(st, p, float(st.sweep[0]))


@kernel
def reward_after(st, p, t, a, r):
    """The round ends before the last reward is added."""
    st.N[a] += 1
    if st.left[0] > 1:
        st.place[0] += 1
        if st.place[0] == st.left[0]:
            st.place[0] = 0
            eliminate(st, p)
            if st.left[0] == 1:
                st.stop[0] = t + 1
    st.total[a] += r


@kernel
def lost_counts(st, p, t, a, r):
    """Plays that pay nothing are not counted."""
    if r > 0.0 or st.N[a] == 0:
        st.N[a] += 1
    st.total[a] += r
    if st.left[0] > 1:
        st.place[0] += 1
        if st.place[0] == st.left[0]:
            st.place[0] = 0
            eliminate(st, p)
            if st.left[0] == 1:
                st.stop[0] = t + 1


@kernel
def wrong_sum(st, p, t, a, r):
    """The reward goes to the next arm's sum."""
    st.N[a] += 1
    st.total[(a + 1) % p.A] += r
    if st.left[0] > 1:
        st.place[0] += 1
        if st.place[0] == st.left[0]:
            st.place[0] = 0
            eliminate(st, p)
            if st.left[0] == 1:
                st.stop[0] = t + 1


@kernel
def one_play_early(st, p, t, a, r):
    """The stopping round recorded is the index of the last play, not the number of plays."""
    st.N[a] += 1
    st.total[a] += r
    if st.left[0] > 1:
        st.place[0] += 1
        if st.place[0] == st.left[0]:
            st.place[0] = 0
            eliminate(st, p)
            if st.left[0] == 1:
                st.stop[0] = t


@kernel
def all_in_turn(st, p, t, rng):
    """Dropped arms are played as well while more than one is left."""
    if st.left[0] > 1:
        return t % p.A
    return st.alive[0]


def with_width(other: Kernel) -> Learner:
    """The learner with another width."""
    return replace(learner, learn=learn.replace(eliminate=eliminate.replace(width=other)))


bonus_zero = with_width(no_width)
log_dropped = with_width(no_log)
arms_not_divided = with_width(without_arms)
width_sharp = with_width(sharp)
width_tripled = with_width(three_times)
count_off_by_one = with_width(one_play_more)
horizon_for_round = with_width(of_horizon)
leaders_dropped = replace(learner, learn=learn.replace(eliminate=drop_leaders))
threshold_halved = replace(learner, learn=learn.replace(eliminate=one_alpha))
never_dropped = replace(learner, learn=learn.replace(eliminate=never))
every_second_round = replace(learner, learn=learn.replace(eliminate=in_even_rounds))
last_reward_missing = replace(learner, learn=reward_after)
counts_lost = replace(learner, learn=lost_counts)
rewards_swapped = replace(learner, learn=wrong_sum)
stop_off_by_one = replace(learner, learn=one_play_early)
dropped_arms_played = replace(learner, act=all_in_turn)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": bonus_zero,
    "log factor dropped": log_dropped,
    "delta not divided": arms_not_divided,
    "wrong variance": width_sharp,
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": "no field: the first round plays every arm before anything is compared",
    "no clipping": "no field: nothing is capped",
    "backup of the wrong stage": "no field: a bandit has no stages",
    "mass to the wrong state": "no field: a bandit has no transitions; a reward in the wrong sum is planted instead",
    "stale estimate": last_reward_missing,
    "worst action played": leaders_dropped,
    "ties to the last": "no field: no arm is chosen by comparison, the survivors are played in turn",
    "late trigger": every_second_round,
    "draw reused": "no field: nothing is drawn",
    "wrong length in the logarithm": horizon_for_round,
}
