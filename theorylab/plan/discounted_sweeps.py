"""Iterations for discounted models, on the backups of `backups`; each hands its V to a `Monitor`, which stops it.

value_iteration      v <- T v, centred. The span of T v - v falls at the rate at which chains mix, not at gamma.
modified             a backup, then up to m sweeps with its policy alone, until the span of the policy's own residual is
                     a tenth of what it was; m doubles where it is not enough. Values are centred after the sweeps.
inexact              for chains that mix slowly. Gauss-Seidel sweeps over all actions, forward and backward in turn,
                     carry an improvement through the model in a few passes; then the policy is evaluated by BiCGStab,
                     to a tenth of its residual, and exactly once the policy stays. Policy iteration without the sweeps
                     would carry an improvement by a few steps per evaluation only.

Sources: Puterman (1994), sections 6.3, 6.5, 6.6; Gargiani et al. (2023), inexact policy iteration [recalled]; the
combination with sweeps [derived].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.plan.backups import Arrays, Fused
from theorylab.plan.discounted_bounds import Monitor
from theorylab.plan.krylov import bicgstab

__all__ = ["evaluate", "inexact", "modified", "value_iteration"]

Floats = NDArray[np.float64]

MOST_STEPS = 1_000_000
FORCING = 0.1  # by how much one evaluation is to reduce its residual
SHORT, LONG = 20, 640  # sweeps of an evaluation: at first, and at most
SLOW = 0.5  # an evaluation that leaves more of the span than this after SHORT sweeps shows a chain that mixes slowly
SWEEPS = 20  # Gauss-Seidel sweeps before an evaluation
SETTLED = 1e-3  # no sweeps where fewer than this share of the states changed action
PATIENCE = 100  # for `Monitor`: rounds of evaluation cost more than backups, and each should bring something
PRODUCTS = 100  # iterations of BiCGStab in one evaluation


def value_iteration(op: Arrays | Fused, monitor: Monitor, v: Any) -> None:
    """v <- T v with centring, from v (S,)."""
    for _ in range(MOST_STEPS):
        step = op.step(v)
        monitor.steps += 1
        if monitor.stop(op.xp, v, step.low, step.high, step.q):
            return
        v = step.values
        v += op.gamma * monitor.bound.shift(step.low, step.high)


def modified(op: Arrays | Fused, monitor: Monitor, v: Any, leave_if_slow: bool = False) -> Any:
    """Modified policy iteration from v (S,). With `leave_if_slow` a chain that mixes slowly ends it: the v so far."""
    xp, most = op.xp, SHORT
    pi = None
    for _ in range(MOST_STEPS):
        step = op.step(v, keep=True)
        monitor.steps += 1
        if monitor.stop(xp, v, step.low, step.high, step.q):
            return None
        settled = pi is not None and bool(xp.all(pi == step.pi))
        pi, v, low, high = step.pi, step.values, step.low, step.high
        before = high - low
        wanted = FORCING * before
        if settled:
            wanted = min(wanted, monitor.wanted(max(float(xp.max(v)), -float(xp.min(v)))))
        chain = step.chain()
        for _ in range(most):
            inner = chain.step(v)
            v, low, high = inner.values, inner.low, inner.high
            if high - low <= wanted:
                break
        else:
            if leave_if_slow and high - low > SLOW * before:
                v += op.gamma * monitor.bound.shift(low, high)
                return v
            most = min(2 * most, LONG)
        v += op.gamma * monitor.bound.shift(low, high)
    return None


def _solved(chain: Arrays | Fused, v: Floats, wanted: float, relative: float) -> tuple[Floats, bool]:
    """(v after one evaluation of a policy's chain, whether BiCGStab worked): sweeps take its place where it fails."""
    step = chain.step(v)
    before = max(step.high, -step.low)
    if before <= wanted:
        return step.values, True
    gap = step.values - v
    wanted = max(wanted, relative * before)
    with np.errstate(all="ignore"):  # a breakdown shows as a residual that is not finite
        if isinstance(chain, Fused):
            system = chain.symmetric()
            x = v + system.right(bicgstab(system.product, system.left(gap), wanted, PRODUCTS, system.size))
        else:
            x = v + bicgstab(chain.linear, gap, wanted, PRODUCTS)
        after = chain.step(x)
    if max(after.high, -after.low) < 0.5 * before:
        return after.values, True
    for _ in range(SHORT):
        step = chain.step(step.values)
    return step.values, False


def inexact(op: Arrays | Fused, monitor: Monitor, v: Floats) -> None:
    """Policy iteration with rough evaluations from v (S,); Gauss-Seidel sweeps before each where `op` has them."""
    step = op.step(v)
    # T v >= v below the optimum: from such a v sweeps only rise
    low = float(op.r.max(axis=1).min()) / (1 - op.gamma)
    v = np.maximum(v + min(step.low, 0.0) / (1 - op.gamma), low)
    pi, most = np.full(op.S, -1), op.S
    monitor.patience = PATIENCE
    for _ in range(MOST_STEPS):
        if isinstance(op, Fused) and most > SETTLED * op.S:
            for i in range(SWEEPS):
                op.sweep(v, backward=i % 2 == 1)
            monitor.steps += SWEEPS
        step = op.step(v, keep=True)
        monitor.steps += 1
        if monitor.stop(np, v, step.low, step.high, step.q):
            return
        most = int(np.count_nonzero(pi != step.pi))
        pi = step.pi
        wanted = monitor.wanted(float(np.abs(v).max())) / 2
        v, _ = _solved(step.chain(), step.values, wanted, 0.0 if most == 0 else FORCING)


def evaluate(chain: Arrays | Fused, monitor: Monitor, v: Floats) -> None:
    """Values of a policy's chain: centred sweeps while they mix fast, then BiCGStab, restarted until the end."""
    krylov, monitor.patience = False, PATIENCE
    while True:
        step = chain.step(v)
        monitor.steps += 1
        if monitor.stop(np, v, step.low, step.high):
            return
        if krylov:
            v, krylov = _solved(chain, step.values, monitor.wanted(float(np.abs(v).max())), 0.0)
            continue
        before, v = step.high - step.low, step.values
        for _ in range(SHORT):
            step = chain.step(v)
            v = step.values
        v += chain.gamma * monitor.bound.shift(step.low, step.high)
        krylov = step.high - step.low > SLOW * before
