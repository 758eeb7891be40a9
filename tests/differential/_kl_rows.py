"""KL-UCRL's inner maximum alone on rows that runs seldom meet: against its transcription, and trial by trial.

Laws of one to thousands of draws with zeros, values with ties over six orders of magnitude, balls from 1e-8 to 1e3: the
root is then near either end of its bracket, at the floor of 1e-300, or at nu = u* with mass off the support.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.kl_ucrl import f, max_kl
from theorylab.compiler import Kernel, generated
from theorylab.learner import Learner
from theorylab.mutate import kernels_of

Floats = NDArray[np.float64]
#: least trial, and how many there may be
FLOOR, MOST_TRIALS = 1e-300, 200


def hard_rows(number: int, seed: int = 0) -> Iterator[tuple[Floats, Floats, float]]:
    """Empirical law, values, radius."""
    # the best state, not seen, leads by the last bit
    yield np.array([0.0, 0.5, 0.5]), np.array([1.0, np.nextafter(1.0, 0.0), 0.0]), 1e-8
    yield np.array([0.5, 0.5]), np.array([1.0, 0.0]), 0.49788  # the guess is 0.0015 of the bracket
    # f of a trial is rounded to zero
    yield np.array([2.492651430091938e-09, 0.9999999975073486]), np.array([1.0, 0.0]), 4.4976689289271127e-14
    rng = np.random.Generator(np.random.Philox(key=seed))
    for _ in range(number):
        S, n = int(rng.integers(1, 6)), int(np.exp(rng.uniform(0.0, np.log(5000.0))))
        p_hat = rng.multinomial(n, rng.dirichlet(np.full(S, rng.choice([0.1, 1.0, 5.0])))) / n
        u = rng.integers(0, 4, S) / 4.0 if rng.random() < 0.4 else rng.random(S)
        yield p_hat, u * 10.0 ** rng.uniform(-3.0, 2.0), float(10.0 ** rng.uniform(-8.0, 3.0))


def expected(p_hat: Floats, u: Floats, radius: float) -> Floats:
    """The transcription's row; where its root is below the floor all mass is on the best states."""
    seen, best = p_hat > 0, u == u.max()
    if (seen & best).any() and (seen & ~best).any() and f(FLOOR, p_hat, u) < radius:
        return np.asarray(np.where(best, p_hat, 0.0) / p_hat[best].sum())
    return max_kl(p_hat, radius, u)


def guess(w: Floats, gaps: Floats, radius: float, high: float) -> float:
    """The first trial above u*: where f's limit for large nu, else its limit for small, equals the radius."""
    mean = float(w @ gaps)
    far = math.sqrt(float(w @ (gaps - mean) ** 2) / (2.0 * radius)) - mean
    if far > 0.001 * high:
        return min(far, 0.999 * high)
    least = gaps.min()
    rest, near = gaps > least, w[gaps == least].sum()
    near_root = math.exp((math.log(near) + w[rest] @ np.log(gaps[rest] - least) - radius) / w[rest].sum()) - least
    near_root = near_root if least > 0.0 else max(near_root, FLOOR)
    return near_root if 0.0 < near_root < high else 0.5 * high


def wanted_trials(w: Floats, gaps: Floats, radius: float, trials: list[float]) -> Iterator[float]:
    """What each trial of nu - u* should be after those before it: u*, the first guess, then Newton in a bracket."""
    low, high = 0.0, (gaps.max() - gaps.min()) / (2.0 * math.sqrt(radius))
    yield 0.0 if gaps.min() > 0.0 else guess(w, gaps, radius, high)
    for nu in trials[:-1]:
        if nu == 0.0:
            yield guess(w, gaps, radius, high)
            continue
        ratio = nu / (nu + gaps)
        q = w * ratio / (w @ ratio)
        distance, slope = float(w @ np.log(w / q)), float(w @ ratio - q @ ratio)  # f, its derivative in ln nu
        if abs(distance - radius) < 1e-11 * radius + 0.9e-14:  # within the tolerance, but for rounding: it ended here
            yield math.nan
        if distance < 1e-14:  # the next step hangs on rounding
            return
        low, high = (nu, high) if distance > radius else (low, nu)
        newton = nu * math.exp(-math.log(distance / radius) * distance / slope)
        middle = math.sqrt(low) * math.sqrt(high) if low > 0.0 else max(0.001 * high, FLOOR)
        yield newton if low < newton < high else middle


def counted(maximum: Kernel, trials: list[float]) -> Kernel:
    """The same, with every trial written down."""
    text = "def divergence(st, p, s, a, nu, unit):\n    note(nu)\n    return inner(st, p, s, a, nu, unit)\n"
    inner = maximum.uses({})["divergence"]
    return maximum.replace(divergence=generated("divergence", text, note=trials.append, inner=inner))


def row_of(maximum: Kernel, p_hat: Floats, u: Floats, radius: float) -> tuple[float, Floats]:
    """Value and row of a visited pair."""
    S = len(u)
    st: Any = SimpleNamespace(N=np.ones((1, 1)), p_hat=p_hat[None, None], radius_p=np.array([[radius]]), u=u.copy())
    st.law, st.best = np.zeros((1, 1, S)), np.array([int(np.argmax(u))])
    return maximum(st, SimpleNamespace(S=S, A=1), 0, 0), st.law[0, 0]


def rows_differ(learner: Learner, number: int) -> str | None:
    """The first row that differs from the transcription's, is off its sphere, or was found by other trials."""
    trials: list[float] = []
    maximum = counted(next(k for k in kernels_of(learner) if k.__name__ == "kl_maximum"), trials)
    for i, (p_hat, u, radius) in enumerate(hard_rows(number)):
        trials.clear()
        (value, row), seen = row_of(maximum, p_hat, u, radius), p_hat > 0
        if not np.all(np.abs(row - expected(p_hat, u, radius)) <= 1e-10):
            return f"row {i}: {row} against {expected(p_hat, u, radius)}"
        if not abs(value - row @ u) <= 1e-14 * u.max():
            return f"row {i}: value {value} against {row @ u}"
        w, gaps = p_hat[seen], (u.max() - u)[seen]
        if gaps.max() == 0.0:
            if trials:
                return f"row {i}: {len(trials)} trials where no root is"
            continue
        off = abs(float(w @ np.log(w / row[seen])) - radius) if row @ (u.max() - u) > 1e-280 else 0.0
        if gaps.min() < gaps.max() and not off <= 1e-11 * radius + 1.05e-14:
            return f"row {i}: off the sphere of radius {radius} by {off}"
        for nu, wanted in zip(trials, wanted_trials(w, gaps, radius, trials), strict=False):
            if not abs(nu - wanted) <= 1e-6 * wanted:
                return f"row {i}: trials {trials}, {wanted} for {nu}"
    trials.clear()
    with np.errstate(invalid="ignore"):
        row_of(maximum, np.array([0.5, 0.5]), np.array([0.0, 1.0]), math.nan)
    return None if len(trials) == MOST_TRIALS else f"{len(trials)} trials of a search that cannot end"
