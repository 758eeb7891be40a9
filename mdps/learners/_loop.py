"""What the LOOP learners share: the solutions of a finite class of models, checks of parameters, acting.

A model m of a class is a kernel P_m, with rewards r known to the learner. Its hypothesis is the solution of

    J_m + Q_m(s,a) = r(s,a) + (P_m V_m)(s,a),    V_m(s) = max_a Q_m(s,a),    max V_m = -min V_m,

so that |V_m| <= span(V_m) / 2; pi_m(s) is the lowest action whose Q_m(s,a) is within `TIE` of V_m(s). Solved by lazy
value iteration (Algorithm 3 of he2024 with an aperiodicity transform [recalled]) until the gain is certified to 1e-12
or to rounding; V is then accepted where max_a Q_m - V_m is below `RESIDUAL` [derived].
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.kernel import kernel
from theorylab.model import AVERAGE_REWARD
from theorylab.plan import plan_batch

Floats = NDArray[np.float64]

#: largest |max_a Q_m - V_m| of a solution, in units of reward
RESIDUAL = 1e-10
#: actions whose values differ by less are the same: rounding decides nothing
TIE = 1e-9
#: room for rounding, relative, where the span of a solution is compared with `span`
SLACK = 1e-9


@kernel
def act(st, p, t, s, rng):
    """The greedy action of the hypothesis in play."""
    return st.pi[s]


def solutions(name: str, models: Floats, r: Floats) -> dict[str, Any]:
    """Q (M,S,A), V (M,S), J (M,), pi (M,S) of models (M,S,A,S) with rewards r (S,A); shapes as in the module's text.

    Raises:
        InputError: a row that is no law, or a model (named) whose optimality equation was not solved, such as one
            whose optimal gain depends on the first state.
    """
    try:
        found = _solved(models.tobytes(), models.shape, r.tobytes())
    except InputError as wrong:
        raise InputError(f"learner '{name}': the class of models: {wrong}") from None
    if (bad := np.flatnonzero(~(found["off"] <= RESIDUAL))).size:
        m = int(bad[0])
        raise InputError(
            f"learner '{name}': models[{m}]: the optimality equation is solved to {found['off'][m]:.3g} only, not "
            f"{RESIDUAL:g}; leave the model out, or mix it (mdps.loop.classes.with_mixing)"
        )
    return {k: v.copy() for k, v in found.items() if k != "off"}


@lru_cache(maxsize=16)
def _solved(models: bytes, shape: tuple[int, ...], r: bytes) -> dict[str, Any]:
    """The solutions and `off`, the distance of V from max_a Q before it was replaced by it; kept, since runs ask for
    it often.
    """
    P, rewards = np.frombuffer(models).reshape(shape), np.frombuffer(r).reshape(shape[1:3])
    solved = plan_batch(P, rewards, AVERAGE_REWARD, tol=1e-12).V
    V = solved - 0.5 * (solved.max(axis=1) + solved.min(axis=1))[:, None]
    backup = rewards[None] + (P @ V[:, None, :, None])[..., 0]
    J = (backup.max(axis=2) - V).mean(axis=1)
    Q = backup - J[:, None, None]
    top = Q.max(axis=2)
    pi = np.argmax(Q >= top[..., None] - TIE, axis=2)
    return dict(Q=Q, V=top, J=J, pi=pi, off=np.abs(top - V).max(axis=1))


def checked_span(name: str, V: Floats, span: float) -> None:
    """Refuse a `span` that is not positive or below the span of a model of the class (named)."""
    if not span > 0.0:
        raise InputError(
            f"learner '{name}': span={span} must be positive: give a bound on the span of every hypothesis"
        )
    spans = V.max(axis=1) - V.min(axis=1)
    m = int(spans.argmax())
    if spans[m] > span * (1.0 + SLACK):
        raise InputError(
            f"learner '{name}': models[{m}] has span {spans[m]:.10g}, above span={span:.10g}; leave the model out or "
            f"give "
            "a larger span"
        )


def checked_factors(name: str, p: dict[str, Any], *positive: str) -> None:
    """Refuse a beta below 0, a form that is none, and constants that are not positive."""
    if p["beta"] < 0.0:
        raise InputError(f"learner '{name}': beta={p['beta']} is negative; 0 takes the theory's")
    if p["form"] not in (0, 1, 2):
        raise InputError(f"learner '{name}': form={p['form']} is none of 0 (all lemmas), 1 (optimism), 2 (the paper's)")
    for key in positive:
        if not p[key] > 0.0:
            raise InputError(f"learner '{name}': {key}={p[key]} must be positive")
