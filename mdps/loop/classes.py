"""Finite classes of models for `loop-models` and `mle-loop`, whose parameter `models` they are.

A class is an array (M,S,A,S) of kernels; rewards are those of the model. A class without the truth breaks an
assumption: `holds` says whether, and where, the truth is in it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from mdps.models._hypercube import MAX_SIGNS, actions
from theorylab.errors import InputError
from theorylab.linear import LinearMixtureMDP
from theorylab.model import AVERAGE_REWARD, TabularMDP
from theorylab.parameters import integer, number, room
from theorylab.plan import plan_batch

__all__ = ["holds", "largest_span", "mixture_grid", "relabelled_riverswim", "relabelling", "sign_grid", "with_mixing"]

Floats = NDArray[np.float64]


def relabelling(model: int, states: int) -> str:
    """The labels of a class's entry: character s is the action that moves right in state s, `101101`."""
    return "".join(str(model >> (states - 1 - s) & 1) for s in range(states))


def _swim(states: int, right: float) -> Floats:
    P = np.zeros((states, 2, states))
    for s in range(states):
        P[s, 0, max(s - 1, 0)] = 1.0
    P[0, 1, :2] = 0.4, 0.6
    for s in range(1, states - 1):
        P[s, 1, s - 1 : s + 2] = 0.05, 0.95 - right, right
    P[-1, 1, -2:] = 0.4, 0.6
    return P


def relabelled_riverswim(
    states: int = 6,
    right: Sequence[float] = (0.2, 0.275, 0.35, 0.425),
    true_right: float = 0.35,
    labels: str = "101101",
) -> tuple[Floats, TabularMDP]:
    """The class (M,S,2,S) of RiverSwim with each probability of `right` and every labelling of the actions, and the
    truth.

    M = len(right) 2^S; entry i 2^S + j has right[i] and the labels `relabelling(j, S)`. Moves are those of the variant
    osband but for the interior, (left, stay, right) = (.05, .95 - right, right). Rewards depend on the state only: .005
    in the first, 1 in the last, so that they tell nothing of the labels. The truth is the model with `true_right` and
    `labels`, in the class or not. The defaults are a class of 256; the notes of the reference runs name no values of
    `right`, and with these the runs have their numbers of optimisations. Models that differ in labels have different
    optimal policies and the same gain [derived from section 4a' of the notes on he2024].

    Raises:
        InputError: a probability outside [0, .95], labels that are no S signs 0 or 1.
    """
    name = "relabelled riverswim"
    S = integer(name, "states", states, 3, MAX_SIGNS)
    room(name, "models", len(right) * 2**S, S, 2, S)
    if len(labels) != S or set(labels) - set("01"):
        raise InputError(
            f"{name}: labels={labels!r}; give {S} characters 0 or 1: the action that moves right in each state"
        )

    def labelled(P: Floats, label: str) -> Floats:
        flip = np.array([c == "0" for c in label])
        return np.where(flip[:, None, None], P[:, ::-1], P)

    values = [number(name, f"right[{i}]", x, 0.0, 0.95) for i, x in enumerate(right)]
    models = np.stack([labelled(_swim(S, x), relabelling(j, S)) for x in values for j in range(2**S)])
    r = np.zeros((S, 2))
    r[0], r[-1] = 0.005, 1.0
    P = labelled(_swim(S, number(name, "true_right", true_right, 0.0, 0.95)), labels)
    truth = TabularMDP(P=P, r=r, criterion=AVERAGE_REWARD, name=f"riverswim-{S}-{true_right:g}-{labels}")
    return models, truth


def sign_grid(d: int = 4, delta: float = 0.2, Delta: float | None = None) -> Floats:
    """The class (2^(d-1), 2, 2^(d-1), 2) of the hard linear mixture family `mixture-two-state`: model i has good = i.

    P_i(1|0,a) = delta + Delta <a, x_i> / (d-1), P_i(0|1,.) = delta, with a and x_i vectors of d - 1 signs; Delta =
    delta / 3 where it is None. For every d, delta and good the model of `mdps.models.mixture_two_state` is entry
    `good`, bit by bit.

    Raises:
        InputError: 3 Delta above delta, as in the family.
    """
    name = "sign grid"
    d = integer(name, "d", d, 2, MAX_SIGNS + 1)
    delta = number(name, "delta", delta, 0.0, 0.75, open_low=True)
    D = delta / 3 if Delta is None else number(name, "Delta", Delta, 0.0, 1.0, open_low=True)
    if D > delta / 3:
        raise InputError(f"{name}: Delta is {D!r}; it must be at most delta/3 = {delta / 3!r}: give a smaller Delta")
    signs = actions(d - 1)
    A = len(signs)
    room(name, "models", A, 2, A, 2)
    P = np.zeros((A, 2, A, 2))
    P[:, 0, :, 1] = delta + D * ((signs @ signs.T) / (d - 1))
    P[:, 0, :, 0] = 1.0 - P[:, 0, :, 1]
    P[:, 1, :, 0], P[:, 1, :, 1] = delta, 1.0 - delta
    return P


def mixture_grid(model: LinearMixtureMDP, points: int, reach: float = 1.0) -> tuple[Floats, Floats]:
    """The models (M,S,A,S) of a linear mixture on a grid of its parameter, and the parameters (M,d); the truth is
    first.

    Each coordinate of theta takes `points` values within `reach` of the true one; those whose kernel is no law are left
    out, so that the class holds valid models alone. Where the features of every pair sum to one in each coordinate, the
    parameters of laws lie on sum theta = 1, and the last coordinate is set by the others. LOOP on this class is exact
    for it; for the continuum it is exact up to the mesh, 2 reach / (points - 1) a coordinate (section 4d) [derived].

    Raises:
        InputError: a stage-dependent model, fewer than 2 points, a reach that is not positive, too large a grid.
    """
    points = integer("mixture_grid", "points", points, 2)
    reach = number("mixture_grid", "reach", reach, 0.0, 1e6, open_low=True)
    phi, star = np.asarray(model.phi), np.asarray(model.theta)
    if star.ndim != 1:
        raise InputError(f"mixture_grid: model '{model.name}' has a theta for each stage; give one of average reward")
    simplex = bool(np.abs(phi.sum(axis=2) - 1.0).max() <= 1e-9)
    free = star.size - 1 if simplex else star.size
    room("mixture_grid", "models", points**free, model.S, model.A, model.S)
    offsets = np.stack(np.meshgrid(*[np.linspace(-reach, reach, points)] * free, indexing="ij"), axis=-1)
    theta = star[:free] + offsets.reshape(-1, free)
    if simplex:
        theta = np.concatenate([theta, 1.0 - theta.sum(axis=1, keepdims=True)], axis=1)
    P = np.einsum("saxd,md->msax", phi, theta)
    laws = (P >= 0.0).all(axis=(1, 2, 3)) & (np.abs(P.sum(axis=3) - 1.0) <= 1e-12).all(axis=(1, 2))
    new = laws & (np.abs(theta - star).max(axis=1) > 1e-12)
    truth = np.asarray(model.tabular().dense())
    return np.concatenate([truth[None], P[new]]), np.concatenate([star[None], theta[new]])


def with_mixing(models: ArrayLike, T: int) -> Floats:
    """(1 - 1/T) P + (1/T) uniform for every row of a class (M,S,A,S): no transition has probability zero (section 4e).

    A class that is a discretisation then brackets laws with other supports; the unmixed truth is no longer in it.
    """
    T = integer("with_mixing", "T", T, 1)
    P = np.asarray(models, dtype=float)
    return np.asarray((1.0 - 1.0 / T) * P + 1.0 / (T * P.shape[-1]))


def holds(models: ArrayLike, P: ArrayLike) -> int | None:
    """The lowest index of a class (M,S,A,S) at which the kernel P (S,A,S) stands within 1e-12; None where it does
    not.
    """
    given, truth = np.asarray(models, dtype=float), np.asarray(P, dtype=float)
    if given.ndim != 4 or given.shape[1:] != truth.shape:
        raise InputError(f"models has shape {given.shape}, the kernel {truth.shape}; give (M,S,A,S) and (S,A,S)")
    same = np.abs(given - truth).max(axis=(1, 2, 3)) <= 1e-12
    return int(np.argmax(same)) if same.any() else None


def largest_span(models: ArrayLike, r: ArrayLike) -> float:
    """The largest span of an optimal relative value of a class (M,S,A,S) with rewards r (S,A): the least `span`
    allowed.
    """
    V = plan_batch(np.asarray(models, dtype=float), np.asarray(r, dtype=float), AVERAGE_REWARD, tol=1e-12).V
    spans = V.max(axis=1) - V.min(axis=1)
    return math.nextafter(float(spans.max()), math.inf)
