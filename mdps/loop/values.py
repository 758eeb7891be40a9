"""Finite classes of value functions with the truth in them, and the auxiliary classes that make them complete.

A hypothesis is a table Q (S,A) with a gain J; V(s) = max_a Q(s,a) has midrange 0. Completeness asks that the auxiliary
class holds T_J Q = r + P V - J of every hypothesis; P is the true kernel, which only the experimenter knows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorylab.errors import InputError
from theorylab.model import AVERAGE_REWARD, TabularMDP
from theorylab.plan import plan

__all__ = ["bellman_updates", "completed", "incompleteness", "perturbed", "truth"]

Floats = NDArray[np.float64]


def truth(model: TabularMDP) -> tuple[Floats, float]:
    """Q* (S,A) with V* of midrange 0, and J*, of a model of average reward with one optimal gain."""
    solved = plan(model)
    if model.criterion != AVERAGE_REWARD or solved.gain is None or solved.bias is None:
        raise InputError(
            f"model '{model.name}' has no single optimal gain; give one of average reward that communicates"
        )
    V = solved.bias - 0.5 * (solved.bias.max() + solved.bias.min())
    J = float(np.max(solved.gain))
    return bellman_updates(model, V[None], np.array([J]))[0], J


def bellman_updates(model: TabularMDP, V: ArrayLike, gains: ArrayLike) -> Floats:
    """r + P V_m - J_m (M,S,A) of values V (M,S) and gains (M,), reward units."""
    V, gains = np.asarray(V, dtype=float), np.asarray(gains, dtype=float)
    out: Floats = model.r + np.einsum("say,my->msa", model.dense(), V) - gains[:, None, None]
    return out


def completed(model: TabularMDP, values: ArrayLike, gains: ArrayLike) -> Floats:
    """The auxiliary class (2M,S,A): the hypotheses `values` (M,S,A), then their Bellman updates."""
    Q = np.asarray(values, dtype=float)
    return np.concatenate([Q, bellman_updates(model, Q.max(axis=2), gains)])


def incompleteness(model: TabularMDP, values: ArrayLike, gains: ArrayLike, auxiliary: ArrayLike) -> float:
    """Largest distance, in sup norm, of a hypothesis' Bellman update from the auxiliary class (K,S,A); reward units."""
    Q, G = np.asarray(values, dtype=float), np.asarray(auxiliary, dtype=float)
    updates = bellman_updates(model, Q.max(axis=2), gains)
    return float(max(np.abs(G - u).max(axis=(1, 2)).min() for u in updates))


def perturbed(model: TabularMDP, M: int, *, spread: float, seed: int = 0) -> tuple[Floats, Floats]:
    """M hypotheses (M,S,A) and gains (M,): the truth first, then truth plus uniform noise in [-spread, spread],
    centred.

    The gain of each other hypothesis is uniform between J* and the cap 1, so that all are more optimistic than the
    truth: the class can only be told from it by its losses. Raises `InputError` for M < 1 or a spread that is not
    positive.
    """
    if M < 1 or not spread > 0.0:
        raise InputError(f"perturbed: M={M} and spread={spread} must be at least 1 and positive")
    Q, J = truth(model)
    rng = np.random.Generator(np.random.Philox(key=seed))
    values = Q + np.concatenate([np.zeros((1, *Q.shape)), rng.uniform(-spread, spread, (M - 1, *Q.shape))])
    V = values.max(axis=2)
    values -= 0.5 * (V.max(axis=1) + V.min(axis=1))[:, None, None]
    gains = np.concatenate([[J], rng.uniform(J, 1.0, M - 1)])
    return values, gains
