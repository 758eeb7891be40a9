"""Faults planted in explore-then-commit: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from bandits.learners.explore_then_commit import best_mean, learner
from theorylab.kernel import kernel
from theorylab.learner import Learner


@kernel
def worst_mean(st, p):
    """The arm with the smallest mean is chosen."""
    best = 0
    for a in range(1, p.A):
        if st.total[a] / st.N[a] < st.total[best] / st.N[best]:
            best = a
    return best


@kernel
def never_settles(st, p, t, rng):
    """The choice is made anew in every round."""
    if t < p.explore:
        return t % p.A
    st.choice[0] = best_mean(st, p)
    return st.choice[0]


@kernel
def before_last_turn(st, p, t, rng):
    """The choice does not see the last play of each arm."""
    if t == max(p.explore - p.A, p.A):
        st.choice[0] = best_mean(st, p)
    if t < p.explore:
        return t % p.A
    return st.choice[0]


@kernel
def first_arm_only(st, p, t, rng):
    """Exploration plays the first arm alone: the others have no plays and a mean of zero."""
    if t < p.explore:
        return 0
    st.choice[0] = 0
    return st.choice[0]


@kernel
def lost_counts(st, p, t, a, r):
    """Plays that pay nothing are not counted."""
    if r > 0.0 or st.N[a] == 0:
        st.N[a] += 1
    st.total[a] += r


@kernel
def wrong_sum(st, p, t, a, r):
    """The reward goes to the next arm's sum."""
    st.N[a] += 1
    st.total[(a + 1) % p.A] += r


def one_turn_less(p: dict[str, Any]) -> dict[str, Any]:
    """Exploration ends one play of each arm early."""
    return dict(explore=(p["m"] - 1) * p["A"])


def one_turn_more(p: dict[str, Any]) -> dict[str, Any]:
    """Exploration ends one play of each arm late."""
    return dict(explore=(p["m"] + 1) * p["A"])


def m_in_all(p: dict[str, Any]) -> dict[str, Any]:
    """m exploring rounds in all, not for each arm."""
    return dict(explore=max(p["m"], p["A"]))


count_off_by_one = replace(learner, derive=one_turn_less)
commits_late = replace(learner, derive=one_turn_more)
rounds_for_plays = replace(learner, derive=m_in_all)
argmin = replace(learner, act=learner.act.replace(best_mean=worst_mean))
choice_renewed = replace(learner, act=never_settles)
choice_stale = replace(learner, act=before_last_turn)
others_unplayed = replace(learner, act=first_arm_only)
counts_lost = replace(learner, learn=lost_counts)
rewards_swapped = replace(learner, learn=wrong_sum)

NO_WIDTH = "no field: there is no bonus and no width, exploration has a fixed length"
GENERIC: dict[str, Learner | str] = {
    "bonus zero": NO_WIDTH,
    "log factor dropped": "no field: no logarithm enters",
    "delta not divided": "no field: there is no failure probability",
    "wrong variance": NO_WIDTH,
    "count off by one": count_off_by_one,
    "lost counts": counts_lost,
    "unvisited at zero": others_unplayed,
    "no clipping": "no field: nothing is capped",
    "backup of the wrong stage": "no field: a bandit has no stages",
    "mass to the wrong state": "no field: a bandit has no transitions; a reward in the wrong sum is planted instead",
    "stale estimate": choice_stale,
    "worst action played": argmin,
    "ties to the last": "equivalent: the theorem counts an arm that ties with the best one as an error in any case",
    "late trigger": commits_late,
    "draw reused": "no field: nothing is drawn",
    "wrong length in the logarithm": "no field: no logarithm enters; rounds in place of plays are planted instead",
}
