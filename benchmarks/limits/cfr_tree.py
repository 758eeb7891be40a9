"""CFR by hand on the tree itself: nodes in topological order, a pass down for reaches and a pass up for values.

Simultaneous updates and averages by own reach, as `cfr`; one replicate. It touches every node of the tree, where the
library's pass touches the nonzero entries of the sequence form.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from theorylab.games.form import CHANCE, TERMINAL, ExtensiveForm


@njit(nogil=True, error_model="numpy")
def loop(parent, mover, action, infoset, chance, payoff, count, n, policy, average):
    """n iterations; policy and average (I,A) are written, average not normalised."""
    N, (infosets, A) = parent.size, policy.shape
    reach, value = np.empty((N, 3)), np.empty(N)
    regret, of_infoset = np.zeros((infosets, A)), np.empty(infosets)
    for _ in range(n):
        reach[0] = 1.0
        for k in range(1, N):
            above = parent[k]
            who = mover[above]
            for j in range(3):
                reach[k, j] = reach[above, j]
            if who >= 0:
                reach[k, who] *= policy[infoset[above], action[k]]
            else:
                reach[k, 2] *= chance[k]
        for k in range(N):
            value[k] = payoff[k] if mover[k] == TERMINAL else 0.0
        of_infoset[:] = 0.0
        for back in range(N - 1):
            k = N - 1 - back
            above = parent[k]
            who = mover[above]
            if who == CHANCE:
                value[above] += chance[k] * value[k]
            else:
                i, a = infoset[above], action[k]
                value[above] += policy[i, a] * value[k]
                gain = reach[above, 1 - who] * reach[above, 2] * (value[k] if who == 0 else -value[k])
                regret[i, a] += gain
                of_infoset[i] += policy[i, a] * gain
        for k in range(1, N):
            above = parent[k]
            if mover[above] >= 0:
                who, i, a = mover[above], infoset[above], action[k]
                if reach[above, who] > 0.0:
                    average[i, a] += reach[above, who] * policy[i, a] / count[i]
        for i in range(infosets):
            total = 0.0
            legal = 0
            for a in range(A):
                if policy[i, a] >= 0.0:
                    regret[i, a] -= of_infoset[i]
                    total += max(0.0, regret[i, a])
                    legal += 1
            for a in range(A):
                if policy[i, a] >= 0.0:
                    policy[i, a] = max(0.0, regret[i, a]) / total if total > 0.0 else 1.0 / legal


def solve(game: ExtensiveForm, n: int) -> np.ndarray[Any, Any]:
    """The average policy (I,A) after n iterations from the uniform policy."""
    legal = game.legal
    policy = np.where(legal, 1.0 / game.infoset_actions[:, None], -1.0)  # -1: no such action
    average = np.zeros_like(policy)
    decisions = np.flatnonzero(game.mover >= 0)
    count = np.bincount(game.infoset[decisions], minlength=game.infosets).astype(float)
    chance = np.where(np.isfinite(game.chance), game.chance, 0.0)
    columns = (game.parent, game.mover, game.action, game.infoset)
    loop(*(np.ascontiguousarray(x) for x in columns), chance, game.payoff[:, 0].copy(), count, n, policy, average)
    even = legal / game.infoset_actions[:, None]
    total = average.sum(axis=1, keepdims=True)
    out: np.ndarray[Any, Any] = np.where(total > 0.0, average / np.where(total > 0.0, total, 1.0), even)
    return out
