"""Histories of an infoset, and play from them on: the parts of search at a decision point, as arrays and kernels.

Here h are the histories of infoset i of player p; chi(h) is the probability that chance makes its moves on the way to h
and reach_j(h) that player j makes its own. Given that i is reached under a policy, h has the *posterior* probability

    P(h | i)  proportional to  chi(h) reach_{1-p}(h),

own reach being the same for all of them (perfect recall). Source: sokota2023, appendix A [source].

Draws are addressed: (seed index, rollout and step, infoset and action, purpose). So a rollout is the same however seeds
and infosets are split into calls.
"""

from __future__ import annotations

from functools import cache
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.compiler import u64
from theorylab.games.form import CHANCE, ExtensiveForm
from theorylab.games.values import realisation
from theorylab.kernel import ENVIRONMENT, INITIAL, LEARNER, Rng, draw, kernel, sqrt

__all__ = ["Branches", "Play", "branches", "edge_probabilities", "estimate", "history_weights", "running", "watch"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]


class Branches(NamedTuple):
    """Children of nodes and histories of infosets, in CSR.

    Attributes:
        child, child_start: the children of node n, in the order of its actions, are child[child_start[n] : ...[n + 1]].
        history, history_start: the nodes of infoset i, likewise.
        depth: the largest number of moves of a history.
    """

    child: Ints
    child_start: Ints
    history: Ints
    history_start: Ints
    depth: int


class Play(NamedTuple):
    """What a rollout reads: branches, the running sums of edge probabilities by node, and the payoffs (N,2)."""

    child: Any
    start: Any
    edge: Any
    payoff: Any
    depth: int


@cache
def branches(game: ExtensiveForm) -> Branches:
    """The branches of a game, made once."""
    child = np.lexsort((game.action[1:], game.parent[1:])).astype(np.int64) + 1
    child_start = np.concatenate([[0], np.cumsum(np.bincount(game.parent[1:], minlength=game.N))])
    nodes = np.flatnonzero(game.mover >= 0)
    history = nodes[np.argsort(game.infoset[nodes], kind="stable")]
    history_start = np.concatenate([[0], np.cumsum(np.bincount(game.infoset[nodes], minlength=game.infosets))])
    return Branches(child, child_start, history, history_start, len(game.levels) - 1)


def edge_probabilities(game: ExtensiveForm, pi: Floats) -> Floats:
    """(N,) probability of the edge to each node under pi (I,A), chance included; 1 at the root."""
    played = np.flatnonzero(game.mover[game.parent[1:]] != CHANCE) + 1
    out = game.chance.copy()
    out[played] = pi[game.infoset[game.parent[played]], game.action[played]]
    return out


def history_weights(game: ExtensiveForm, pi: Floats) -> Floats:
    """(N,) posterior weights of decision nodes, not normalised: reach by chance and the mover's opponent; else 0."""
    plans = realisation(game, pi)
    other = np.where(game.mover == 0, 1, 0)
    reach = np.where(other == 0, plans[0][game.sequence[0]], plans[1][game.sequence[1]])
    return np.where(game.mover >= 0, game.chance_reach * reach, 0.0)


@kernel
def running(out: Any, weight: Any, item: Any, start: Any) -> None:
    """In each group of items the running sums of weights over the total, which end in 1; all 1 if the total is 0."""
    for g in range(start.shape[0] - 1):
        total = 0.0
        for k in range(start[g], start[g + 1]):
            total += weight[item[k]]
        part = 0.0
        for k in range(start[g], start[g + 1]):
            part += weight[item[k]]
            out[k] = part / total if total > 0.0 else 1.0


@kernel
def pick(edge: Any, low: int, high: int, u: float) -> int:
    """The first of low..high-1 whose running sum exceeds u in [0, 1): an item of weight 0 is never picked."""
    while high - low > 1:
        middle = (low + high - 1) // 2
        if u < edge[middle]:
            high = middle + 1
        else:
            low = middle + 1
    return low


@kernel
def play_on(play: Any, node: int, rng: Rng, visit: int, site: int) -> int:
    """The end of a game that is at `node`, everyone and chance drawn by the running sums in `play`."""
    while play.start[node + 1] > play.start[node]:
        u, _ = draw(rng, visit, site, ENVIRONMENT)
        node = play.child[pick(play.edge, play.start[node], play.start[node + 1], u)]
        visit += 1
    return node


@kernel
def estimate(
    total: Any, square: Any, count: Any, play: Any, believed: Any, edge: Any, start: Any, infosets: Any, player: Any,
    actions: Any, kept: Any, rollouts: int, minimum: int, width: float, common: bool, k0: int, k1: int, first: int,
) -> None:  # fmt: skip
    """Sums and numbers of returns of the legal actions, for seeds m = 0.. (addresses first + m) and infosets s = 0...

    Args:
        total, square, count: (M,S,A), zero at first: summed returns, squared returns, numbers of rollouts, negative
            where an action was dropped.
        play: the policy that is followed. believed, edge, start: histories with the running sums of their posterior,
            of seed m and infoset s at start[m, s, 0] : start[m, s, 1].
        infosets, player, actions, kept (S,): infosets, their players, numbers of actions, and an action never dropped.
        rollouts: per action. minimum, width: after `minimum` rollouts an action whose mean plus width standard errors
            is below the best one's mean less width of its own is dropped; width = 0 drops none.
        common: every action is tried from the same sampled history, else each from its own.
    """
    A = total.shape[2]
    for m in range(total.shape[0]):
        rng = Rng(k0, k1, u64(first + m))
        for s in range(infosets.shape[0]):
            site = infosets[s] * A
            p = player[s]
            for k in range(rollouts):
                node = -1
                for a in range(actions[s]):
                    if count[m, s, a] < k:
                        continue  # dropped
                    if node < 0 or not common:
                        # a common history has the address of the first action, dropped or not
                        u, _ = draw(rng, k, site if common else site + a, INITIAL)
                        node = believed[pick(edge, start[m, s, 0], start[m, s, 1], u)]
                    begin = play.child[play.start[node] + a]
                    found = play.payoff[play_on(play, begin, rng, k * play.depth, site + a), p]
                    total[m, s, a] += found
                    square[m, s, a] += found * found
                    count[m, s, a] += 1
                if width > 0.0 and k + 1 >= minimum:
                    best = kept[s]
                    for a in range(actions[s]):
                        if count[m, s, a] == k + 1 and total[m, s, a] > total[m, s, best]:
                            best = a
                    n = k + 1.0
                    mean = total[m, s, best] / n
                    floor = mean - width * sqrt(max(square[m, s, best] / n - mean * mean, 0.0) / n)
                    for a in range(actions[s]):
                        if a != kept[s] and a != best and count[m, s, a] == k + 1:
                            mean = total[m, s, a] / n
                            top = mean + width * sqrt(max(square[m, s, a] / n - mean * mean, 0.0) / n)
                            if top < floor:
                                count[m, s, a] = -count[m, s, a]


@kernel
def watch(
    particles: Any, count: Any, play: Any, infoset: Any, keep: int, tries: int, k0: int, k1: int, first: int
) -> None:
    """Beliefs by rejection: `tries` plays from the root; an infoset keeps the first `keep` histories that meet it.

    particles (M,I,keep), count (M,I), both zero at first; infoset (N,). One play serves all infosets that it meets.
    """
    for m in range(particles.shape[0]):
        rng = Rng(k0, k1, u64(first + m))
        for t in range(tries):
            node = 0
            step = t * play.depth
            while play.start[node + 1] > play.start[node]:
                i = infoset[node]
                if i >= 0 and count[m, i] < keep:
                    particles[m, i, count[m, i]] = node
                    count[m, i] += 1
                u, _ = draw(rng, step, 0, LEARNER)
                node = play.child[pick(play.edge, play.start[node], play.start[node + 1], u)]
                step += 1
