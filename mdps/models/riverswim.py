"""RiverSwim: a chain where the far reward needs many steps against the current.

States 0..S-1 in a row; action 0 (left) moves to max(s-1, 0) for sure; action 1 (right), with (left, stay, right):

    variant   state 0          interior         state S-1        r(0,left)  r(S-1,right)
    osband    (-, .4, .6)      (.05, .6, .35)   (.4, .6, -)      .005       1
    strehl    (-, .7, .3)      (.1, .6, .3)     (.7, .3, -)      .0005      1
    ucrl3     (-, .4, .6)      (.05, .35, .6)   (.05, .95, -)    .1         1
    statrl    as ucrl3                                           .1         .99
    orel      (-, .6, .4)      (.05, .55, .4)   (.4, .6, -)      .05        1
    colosseum (-, 0, 1)        (0, 0, 1)        (0, 1, -)        .005       1

All other rewards are 0. P (S,2,S), r (S,2). The names are those of packages, whose problems differ although all are
called RiverSwim [source: public code, but for strehl]:

    osband      TabulaRL, of Osband, Russo and Van Roy (2013), in episodes of 20 steps; rlexplorer, the code of SCAL
    strehl      Strehl and Littman (2008) [recalled; agrees with public code], rewards 5 and 10000 divided by 10000;
                there an episode starts in state 1 or 2 with probability 1/2 each, here in state 0
    ucrl3       the code of UCRL3 (Bourel et al., 2020); there action 0 is right, action 1 left
    statrl      its successor StatisticalRL, with the reward .99; there action 0 is right, action 1 left
    orel        home assignments of the course Online and Reinforcement Learning (2024), action 0 is left
    colosseum   Colosseum without laziness, which has no current; there the two actions swap their meaning from state
                to state unless randomize_actions=False

Exact quantities with average reward (gain J*, bias span sp, diameter D); "right" everywhere is optimal:

    osband   S=4   J*=0.43108504    sp=3.47507      D=8.061224
             S=6   J*=0.4286224338  sp=6.31032431   D=14.722338
             S=12  J*=0.42857143    sp=14.880952    D=34.7222
             S=20  J*=0.42857143    sp=26.309524    D=61.3889
    strehl   S=6   J*=0.2229357798  sp=5.01834862   D=22.510288
    ucrl3    S=6   J*=0.916667      sp=8.181822     D=8.9256
             S=25  J*=0.91666667    sp=39.848485    D=43.4711
    colosseum      J*=1            sp=S-1          D=S-1
"""

from __future__ import annotations

import numpy as np

from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, DETERMINISTIC, Criterion, RewardLaw, TabularMDP
from theorylab.parameters import choice, integer, room

# (left, stay, right) of the action right in the interior; stay and leave at the two ends; the two rewards
VARIANTS = {
    "osband": ((0.05, 0.6, 0.35), (0.4, 0.6), (0.6, 0.4), (0.005, 1.0)),
    "strehl": ((0.1, 0.6, 0.3), (0.7, 0.3), (0.3, 0.7), (0.0005, 1.0)),
    "ucrl3": ((0.05, 0.35, 0.6), (0.4, 0.6), (0.95, 0.05), (0.1, 1.0)),
    "statrl": ((0.05, 0.35, 0.6), (0.4, 0.6), (0.95, 0.05), (0.1, 0.99)),
    "orel": ((0.05, 0.55, 0.4), (0.6, 0.4), (0.6, 0.4), (0.05, 1.0)),
    "colosseum": ((0.0, 0.0, 1.0), (0.0, 1.0), (1.0, 0.0), (0.005, 1.0)),
}


def build(
    states: int = 6,
    variant: str = "osband",
    criterion: Criterion = AVERAGE_REWARD,
    reward_law: RewardLaw = DETERMINISTIC,
) -> TabularMDP:
    """RiverSwim with `states` >= 2 states; `variant` as in the table above; starts in state 0.

    Raises:
        InputError: an unknown variant or fewer than 2 states.
    """
    interior, first, last, (r_left, r_right) = VARIANTS[choice("riverswim", "variant", variant, VARIANTS)]
    S = integer("riverswim", "states", states, 2)
    room("riverswim", "P", S, 2, S)
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
        "RiverSwim chain of `states` states; variants osband, strehl, ucrl3, statrl, orel and colosseum. osband with 6 "
        "states: gain 0.4286224338, bias span 6.31032431, diameter 14.722338."
    ),
    tags=("communicating", "average", "episodic"),
    published=(
        Published(
            name="riverswim-osband-4",
            params={"states": 4, "variant": "osband"},
            digest="014e3962aaf07c3a",
            known={"gain": "0.43108504", "bias_span": "3.47507", "diameter": "8.061224", "gap": "0.4260850440"},
            text="Current .05 / .6 / .35, rewards .005 and 1: the variant used most, as in TabulaRL.",
        ),
        Published(
            name="riverswim-osband-6",
            params={"states": 6, "variant": "osband"},
            digest="6ba19ec4266938c2",
            known={"gain": "0.4286224338", "bias_span": "6.31032431", "diameter": "14.722338", "gap": "0.4236224338"},
            text="Current .05 / .6 / .35, rewards .005 and 1: the variant used most, as in TabulaRL.",
        ),
        Published(
            name="riverswim-osband-12",
            params={"states": 12, "variant": "osband"},
            digest="ab6ad42103ee6511",
            known={"gain": "0.42857143", "bias_span": "14.880952", "diameter": "34.7222", "gap": "0.4235714290"},
            text="Current .05 / .6 / .35, rewards .005 and 1: the variant used most, as in TabulaRL.",
        ),
        Published(
            name="riverswim-osband-20",
            params={"states": 20, "variant": "osband"},
            digest="d9c5aef8892d7400",
            known={"gain": "0.42857143", "bias_span": "26.309524", "diameter": "61.3889", "gap": "0.4235714286"},
            text="Current .05 / .6 / .35, rewards .005 and 1: the variant used most, as in TabulaRL.",
        ),
        Published(
            name="riverswim-strehl-6",
            params={"states": 6, "variant": "strehl"},
            digest="f53da4774ff5e7dc",
            known={"gain": "0.2229357798", "bias_span": "5.01834862", "diameter": "22.510288", "gap": "0.2224357798"},
            cite="strehl2008",
            tag="recalled",
            text="The first RiverSwim: current .1 / .6 / .3, ends .7 / .3, rewards 5 and 10000 divided by 10000; "
            "starts in state 0, the source in states 1 and 2.",
        ),
        Published(
            name="riverswim-ucrl3-6",
            params={"states": 6, "variant": "ucrl3"},
            digest="5145e212567e90c4",
            known={"gain": "0.916667", "bias_span": "8.181822", "diameter": "8.9256", "gap": "0.8166669737"},
            cite="bourel2020",
            text="The code of UCRL3: current .05 / .35 / .6, rewards .1 and 1; there action 0 is right.",
        ),
        Published(
            name="riverswim-ucrl3-25",
            params={"states": 25, "variant": "ucrl3"},
            digest="2bbc1bb307d4199f",
            known={"gain": "0.91666667", "bias_span": "39.848485", "diameter": "43.4711", "gap": "0.8166666667"},
            cite="bourel2020",
            text="The code of UCRL3: current .05 / .35 / .6, rewards .1 and 1; there action 0 is right.",
        ),
        Published(
            name="riverswim-statrl-6",
            params={"states": 6, "variant": "statrl"},
            digest="6edaec8de3af4ede",
            known={
                "gain": "0.9075003039",
                "bias_span": "8.100003315",
                "diameter": "8.925620499",
                "gap": "0.8075003039",
            },
            cite="bourel2020",
            text="StatisticalRL, the successor of the code of UCRL3: as ucrl3 with rewards .1 and .99; there action 0 "
            "is right.",
        ),
        Published(
            name="riverswim-orel-6",
            params={"states": 6, "variant": "orel"},
            digest="8456ab5524d32024",
            known={
                "gain": "0.4666742623",
                "bias_span": "6.476301698",
                "diameter": "13.87756348",
                "gap": "0.4166742623",
            },
            text="Assignments of a course on online learning: current .05 / .55 / .4, rewards .05 and 1.",
        ),
        Published(
            name="riverswim-colosseum-6",
            params={"states": 6, "variant": "colosseum"},
            digest="c1f034a3071f6f96",
            known={"gain": "1", "bias_span": "5", "diameter": "5", "gap": "0.995"},
            cite="conserva2022",
            text="Colosseum with default rewards and fixed action labels: no current at all, rewards .005 and 1.",
        ),
    ),
)
