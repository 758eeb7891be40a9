"""FOPO: fixed-point optimisation with optimism. Linear MDP, average reward, mean rewards known.

At the first step, and whenever det M has doubled, M = ridge I + sum phi phi^T,

    maximise J over |omega| <= (2 + sp) sqrt(d), |b|_M <= radius, J <= cap with
    omega = M^{-1} sum phi (r - J + V_omega(s')) + b,    V_omega = max_a phi^T omega,
    radius = 20 (2 + sp) d sqrt(ln(T/delta)),    ridge = 1,                                               [recalled]

and its greedy action is played. sp = `span`, a bound on the span of the bias; no bound on V but that of |omega|. The
program is that of linear LOOP with beta = radius^2 (`mdps.loop.linear`), which differs in the radius, the bound on V
and the trigger. `scale` multiplies the radius. The cap on J and the solvers are additions. State: `_loop_linear`; W =
(2 + sp) sqrt(d).

Source: wei2021, algorithm 1 [recalled].
"""

from __future__ import annotations

from math import inf
from typing import Any

from mdps.learners._loop_linear import SOLVER, STATE, act, begin, checked, doubled, plan_one, record
from theorylab.errors import InputError
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner


@kernel
def watch(st, p, t, s, a, r, s2):
    """Record the step; true when the determinant has doubled."""
    record(st, p, s, a, s2)
    return doubled(st, p)


def radius_of(p: dict[str, Any]) -> float:
    """20 (2 + sp) d sqrt(ln(T/delta)), in units of reward."""
    return float(20.0 * (2.0 + p["span"]) * p["d"] * sqrt(log(p["T"] / p["delta"])))


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """radius, beta = radius^2 and W; refuses parameters without meaning."""
    checked("fopo", p)
    if not p["ridge"] > 0.0:
        raise InputError(f"learner 'fopo': ridge={p['ridge']} must be positive")
    if not p["scale"] > 0.0:
        raise InputError(f"learner 'fopo': scale={p['scale']} must be positive: the set needs a radius")
    radius = p["scale"] * radius_of(p)
    return dict(radius=radius, beta=radius * radius, W=(2.0 + p["span"]) * sqrt(float(p["d"])), width=inf)


def example(model: Any) -> dict[str, Any]:
    """A span that fits small models, and a radius that data of some hundred steps can fill."""
    return dict(span=4.0, scale=0.005)


learner = Learner(
    name="fopo",
    setting="average",
    cite="wei2021",
    source_tag="recalled",
    params=dict(delta=0.05, span=0.0, scale=1.0, ridge=1.0, cap=1.0, **SOLVER),
    knows=("phi", "r"),
    state=STATE,
    begin=begin,
    act=act,
    watch=watch,
    plan_one=plan_one,
    derive=derive,
    example=example,
    text="The paper leaves the solution of its program open: the solvers of mdps.loop.linear. J is capped at the "
    "largest "
    "reward, which the paper's program need not state; of the maximisers the one of least norm.",
)
