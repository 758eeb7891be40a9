"""What the bandit papers share: instances, the trivial bound, conservation of plays and rewards, uniform play.

The monitor keeps, apart from the learner, the sum of the rewards that each arm paid (`sums`); probes see it after the
round they look at, so that the state before the round is got back by taking off its play and its reward.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from bandits.learners.uniform import learner as UNIFORM
from theorylab.assume import Assumption, bandit, rewards_in_01
from theorylab.claim import Claim, Context, Control, Instance
from theorylab.kernel import kernel
from theorylab.learner import f8
from theorylab.probe import Monitor, Probe

__all__ = [
    "MINIMAX",
    "SIX_FOUR",
    "TEN",
    "plays_conserved",
    "rewards_conserved",
    "stepper",
    "sums",
    "trivial",
    "uniform",
]

SIX_FOUR = {"means": (0.6, 0.4)}
TEN = {"means": (0.9, 0.8, 0.8, 0.7, 0.7, 0.6, 0.6, 0.5, 0.5, 0.4)}


def MINIMAX(T: int, A: int = 2) -> dict[str, Any]:
    """Parameters of `minimax-pair`: Bernoulli arms, a gap of 2 sqrt((A-1)/T), the last arm best."""
    return {"T": T, "A": A, "environment": A - 1, "law": "bernoulli", "c": 2.0}


def trivial(c: Context, n: np.ndarray) -> np.ndarray:
    """No policy loses more than the largest gap in each round."""
    return np.asarray(n, dtype=float) * float(np.max(c.gap))


def uniform(where: Instance, replicates: int, target: str = "cpu") -> Control:
    """Uniform play, which a bound with teeth refutes."""
    return Control("uniform play", UNIFORM, where, replicates=replicates, target=target)


@kernel
def plays_conserved(st, p, tr, t):
    """Plays: the learner's against the environment's."""
    worst = 0.0
    for a in range(p.A):
        worst = max(worst, abs(float(st.N[a] - tr.visits[a])))
    return worst


@kernel
def rewards_conserved(st, p, tr, t):
    """Reward sums: the learner's against the monitor's."""
    worst = 0.0
    for a in range(p.A):
        worst = max(worst, abs(st.total[a] - tr.sums[a]))
    return worst


@kernel
def sums_begin(p, tr):
    """No rewards yet."""
    for a in range(p.A):
        tr.sums[a] = 0.0


@kernel
def sums_observe(st, p, tr, t):
    """Add the reward to the sum of the arm that was played."""
    tr.sums[tr.a] += tr.r


sums = Monitor({"sums": f8["A"]}, sums_begin, sums_observe)

Stepper = Callable[..., Claim]


def stepper(
    key: str, controls: dict[str, Control], *, assumes: tuple[Assumption, ...] = (bandit, rewards_in_01), **shared: Any
) -> Stepper:
    """`step(name, text, tag, kind, probe, faults)`: a step of a proof, with what all steps of the paper share."""

    def step(
        name: str, text: str, tag: str, kind: Any, probe: Probe, caught: tuple[str, ...], copies: bool = False
    ) -> Claim:
        return Claim(
            id=f"{key}.{name}",
            text=text,
            source_tag=tag,
            kind=kind,
            quantity=probe,
            controls=tuple(controls[c] for c in caught),
            copies=copies,
            assumes=assumes,
            **shared,
        )

    return step
