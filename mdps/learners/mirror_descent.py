"""Mirror descent with action values, at every infoset of both players at once: hedge, natural policy gradient.

    pi_{t+1}(a)  proportional to pi_t(a) exp(eta q(i,a))        q conditional action values under pi_t

which is `mdps.learners.mmd` with alpha = 0: eta, etas, schedule, weighted, random and first are its parameters. One
iteration from `first` is one step of mirror-descent search at all infosets of both players. What it stands for is the
last iterate: with common payoffs the expected payoff rises for a small eta; in zero-sum games the last iterate need not
converge. Source: sokota2024 [source: reviews and later papers that quote it].
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.learners.mmd import act, begin, blueprint, grid, learn, switches
from mdps.learners.mmd import learner as mmd
from theorylab.learner import Learner, f8


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """No temperature, no magnet, both players at once; refuses what `grid`, `blueprint` and `switches` refuse."""
    switches(p, "mirror-descent", "schedule", "weighted", "random")
    G = p.get("G", 1)
    given = {**p, "alpha": 0.0, "alphas": np.zeros(G)}
    return {**grid(given, "mirror-descent"), **blueprint(p, "mirror-descent"), "magnet": 0.0, "alternate": 0}


learner = Learner(
    name="mirror-descent",
    setting="game",
    cite="sokota2023",
    params=dict(eta=0.1, schedule=0, weighted=0, random=0),
    arrays=dict(etas=f8["G"], first=f8["Q"]),
    state=mmd.state,
    begin=begin,
    act=act,
    learn=learn,
    derive=derive,
    text="Magnetic mirror descent without a magnet; all action values are those of the old joint policy.",
)
