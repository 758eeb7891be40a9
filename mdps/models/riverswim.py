"""RiverSwim: a chain where the far reward needs many steps against the current.

States 0..S-1 in a row; action 0 (left) moves to max(s-1, 0) for sure; action 1 (right), with (left, stay, right):

    variant   state 0          interior         state S-1        r(0,left)  r(S-1,right)
    osband    (-, .4, .6)      (.05, .6, .35)   (.4, .6, -)      .005       1
    strehl    (-, .7, .3)      (.1, .6, .3)     (.7, .3, -)      .0005      1
    ucrl3     (-, .4, .6)      (.05, .35, .6)   (.05, .95, -)    .1         1

All other rewards are 0. P (S,2,S), r (S,2). Sources: Osband, Russo and Van Roy (2013) [source: public code]; Strehl
and Littman (2008) [recalled]; the code of UCRL3 (Bourel et al., 2020) [source: public code].

Exact quantities with average reward (gain J*, bias span sp, diameter D); "right" everywhere is optimal:

    osband   S=4   J*=0.43108504    sp=3.47507      D=8.061224
             S=6   J*=0.4286224338  sp=6.31032431   D=14.722338
             S=12  J*=0.42857143    sp=14.880952    D=34.7222
             S=20  J*=0.42857143    sp=26.309524    D=61.3889
    strehl   S=6   J*=0.2229357798  sp=5.01834862   D=22.510288
    ucrl3    S=6   J*=0.916667      sp=8.181822     D=8.9256
             S=25  J*=0.91666667    sp=39.848485    D=43.4711
"""

from __future__ import annotations

import numpy as np

from mdps.models._check import integer
from theorylab.errors import InputError, nearest
from theorylab.family import Family
from theorylab.model import AVERAGE_REWARD, DETERMINISTIC, Criterion, RewardLaw, TabularMDP

# (left, stay, right) of the action right in the interior; stay and leave at the two ends; the two rewards
VARIANTS = {
    "osband": ((0.05, 0.6, 0.35), (0.4, 0.6), (0.6, 0.4), (0.005, 1.0)),
    "strehl": ((0.1, 0.6, 0.3), (0.7, 0.3), (0.3, 0.7), (0.0005, 1.0)),
    "ucrl3": ((0.05, 0.35, 0.6), (0.4, 0.6), (0.95, 0.05), (0.1, 1.0)),
}


def build(
    states: int = 6,
    variant: str = "osband",
    criterion: Criterion = AVERAGE_REWARD,
    reward_law: RewardLaw = DETERMINISTIC,
) -> TabularMDP:
    """RiverSwim with `states` >= 2 states; `variant` osband, strehl or ucrl3; starts in state 0.

    Raises:
        InputError: an unknown variant or fewer than 2 states.
    """
    if variant not in VARIANTS:
        raise InputError(f"riverswim: unknown variant '{variant}'{nearest(variant, VARIANTS)}")
    S = integer("riverswim", "states", states, 2)
    interior, first, last, (r_left, r_right) = VARIANTS[variant]
    P = np.zeros((S, 2, S))
    for s in range(S):
        P[s, 0, max(s - 1, 0)] = 1.0
    P[0, 1, :2] = first
    for s in range(1, S - 1):
        P[s, 1, s - 1 : s + 2] = interior
    stay, leave = last
    P[S - 1, 1, S - 1], P[S - 1, 1, S - 2] = stay, leave
    r = np.zeros((S, 2))
    r[0, 0], r[S - 1, 1] = r_left, r_right
    return TabularMDP(P=P, r=r, criterion=criterion, reward_law=reward_law, name=f"riverswim-{variant}-{S}")


family = Family(
    name="riverswim",
    build=build,
    setting="mdp",
    cite="osband2013",
    source_tag="source",
    text=(
        "RiverSwim chain of `states` states; variants osband, strehl and ucrl3. osband with 6 states: gain "
        "0.4286224338, bias span 6.31032431, diameter 14.722338."
    ),
    tags=("communicating", "average", "episodic"),
)
