"""Linear LOOP's optimistic program by gradient ascent from many starts at once: a heuristic, NumPy or CuPy.

f = ascent(e, beta, span, norm)                  # e a mdps.loop.linear.Regression
f.label                                          # "ascent: a heuristic, nothing certified"
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mdps.loop.linear import Linear, Regression, _afforded, _checked, _result
from theorylab.errors import InputError

__all__ = ["ascent"]


def ascent(
    e: Regression,
    beta: float,
    span: float,
    norm: float,
    cap: float = 1.0,
    steps: int = 200,
    xp: Any = np,
) -> Linear:
    """Gradient ascent on the largest gain from S A + 1 starts at once: a heuristic, nothing is certified. [derived, 4c]

    A start spends the whole budget on one pair (the last on none): omega <- u(omega) - J q + b, 50 times, in the class.
    (Centred: with a ridge the gain cannot take up all of a drift along kappa.)
    Then omega moves along M^+ times the gradient of the gain where the set is met, and of minus the distance to it
    where not; a step that does not improve is halved and undone. All points stay in the class.

    Raises InputError: no start reaches the set (which may not be empty), and as `exact`.
    """
    _checked(e, beta, span, norm, cap)
    S, A, d = e.phi.shape
    phi, M, pinv, q, ahead, Phi = (xp.asarray(x) for x in (e.phi, e.M, e.pinv, e.q, e.ahead, e.Phi))
    flat, kappa, mean = phi.reshape(-1, d), xp.asarray(e.kappa), pinv @ xp.asarray(e.reward)
    N = max(float(e.q @ e.M @ e.q), 1e-12)
    precondition = pinv * float(np.trace(e.M) / max(1, len(e.root))) + (xp.eye(d) - pinv @ M)
    half = min(0.5 * span, 1e300)

    def settle(w: Any, centre: bool = e.ridge == 0.0 and bool(np.isfinite(span))) -> Any:
        V = (w @ flat.T).reshape(-1, S, A).max(axis=2)
        if centre:
            w = w - 0.5 * (V.max(axis=1) + V.min(axis=1))[:, None] * kappa
            V = (w @ flat.T).reshape(-1, S, A).max(axis=2)
        over = xp.maximum(xp.abs(V).max(axis=1) / half, xp.sqrt((w * w).sum(axis=1)) / norm)
        return w / xp.maximum(1.0, over)[:, None]

    def score(w: Any) -> tuple[Any, Any, Any]:
        """Gain, or minus the distance beyond the budget; b; maximising actions."""
        Q = (w @ flat.T).reshape(-1, S, A)
        z = w - mean - Q.max(axis=2) @ ahead.T
        middle = ((z @ M) @ q) / N
        size = ((z @ M) * z).sum(axis=1)
        room = middle * middle - (size - beta) / N
        J = xp.minimum(-middle + xp.sqrt(xp.maximum(room, 0.0)), cap)
        return (
            xp.where(room >= 0.0, J + 2.0 * cap, -cap - xp.sqrt(xp.maximum(-room, 0.0))),
            z + J[:, None] * q,
            Q.argmax(axis=2),
        )

    width = xp.sqrt(xp.maximum(((flat @ pinv) * flat).sum(axis=1), 1e-300))
    bonus = xp.concatenate([np.sqrt(beta) * (flat @ pinv) / width[:, None], xp.zeros((1, d))])
    w = settle(bonus)
    for _ in range(50):
        V = (w @ flat.T).reshape(-1, S, A).max(axis=2)
        target = mean + V @ ahead.T + bonus
        J = ((target - w) @ M @ q) / N
        w = settle(0.5 * w + 0.5 * (target - J[:, None] * q), True)
    rate = xp.full(len(w), 0.5)
    value, b, pi = score(w)
    for _ in range(steps):
        load = b @ M
        slope = load - ((b @ Phi.T)[:, :, None] * phi[xp.arange(S), pi]).sum(axis=1)
        push = -slope / xp.maximum(xp.abs(load @ q), 1e-12)[:, None]
        direction = push @ precondition
        length = xp.sqrt((direction * direction).sum(axis=1))
        tried = settle(w + (rate / xp.maximum(length, 1e-300))[:, None] * direction)
        new, new_b, new_pi = score(tried)
        better = new > value
        w, b, pi = (
            xp.where(better[:, None], tried, w),
            xp.where(better[:, None], new_b, b),
            xp.where(better[:, None], new_pi, pi),
        )
        value = xp.where(better, new, value)
        rate = xp.where(better, 1.5 * rate, 0.5 * rate)
    order = xp.argsort(-value)
    for i in [int(x) for x in order[: min(8, len(w))]]:
        row = np.array([float(x) for x in w[i]])
        J_found = _afforded(e, row, beta, cap)
        if J_found is not None:
            return _result(e, row, J_found, beta, cap, "ascent: a heuristic, nothing certified")
    raise InputError(
        f"none of {len(w)} starts of the ascent reached excess beta={beta:g} with |V| <= span/2 = {0.5 * span:g}: the "
        "confidence set may be empty; give a larger span, norm or beta, or use mdps.loop.linear.exact, which decides it"
    )
