"""Random small games, and slow evaluation of a policy by recursion over histories: shared by the tests of games."""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np

from theorylab.games import CHANCE, TERMINAL, ExtensiveForm


def random_game(seed: int, zero_sum: bool = True, depth: int = 4) -> ExtensiveForm:
    """A random tree with chance nodes; decisions of a player with the same own past and size may share an infoset."""
    rng = np.random.default_rng(seed)
    parent, mover, action, infoset, chance = [-1], [0], [-1], [-1], [1.0]
    payoff = [[0.0, 0.0]]
    past: list[tuple[Any, Any]] = [((), ())]
    at = [0]
    sets: dict[tuple[Any, ...], list[int]] = {}
    count = 0
    n = 0
    while n < len(parent):
        who = TERMINAL if at[n] == depth or (at[n] > 1 and rng.random() < 0.2) else int(rng.choice([0, 1, CHANCE]))
        mover[n] = who
        if who == TERMINAL:
            one = float(rng.integers(-4, 5)) + (n % 3) * 0.25
            payoff[n] = [one, -one if zero_sum else float(rng.integers(-4, 5))]
        else:
            size = int(rng.integers(1 if who == CHANCE else 2, 4))
            law = rng.dirichlet(np.ones(size)) if who == CHANCE else np.ones(size)
            if who == CHANCE:
                law[-1] = 1.0 - law[:-1].sum()
            else:
                like = sets.setdefault((who, past[n][who], size), [])
                if like and rng.random() < 0.6:
                    infoset[n] = int(rng.choice(like))
                else:
                    infoset[n] = count
                    like.append(count)
                    count += 1
            for a in range(size):
                parent.append(n)
                mover.append(TERMINAL)
                action.append(a)
                infoset.append(-1)
                chance.append(float(law[a]))
                payoff.append([0.0, 0.0])
                own = list(past[n])
                if who >= 0:
                    own[who] = (*own[who], (infoset[n], a))
                past.append((own[0], own[1]))
                at.append(at[n] + 1)
        n += 1
    return ExtensiveForm(
        parent=np.array(parent),
        mover=np.array(mover),
        action=np.array(action),
        infoset=np.array(infoset),
        chance=np.array(chance),
        payoff=np.array(payoff),
        name=f"random-{seed}",
    )


def children(game: ExtensiveForm) -> list[list[int]]:
    """Children of every node in the order of their actions."""
    out: list[list[int]] = [[] for _ in range(game.N)]
    for n in range(1, game.N):
        out[game.parent[n]].append(n)
    return [sorted(c, key=lambda n: int(game.action[n])) for c in out]


def slow_value(game: ExtensiveForm, pi: np.ndarray, node: int = 0, below: list[list[int]] | None = None) -> np.ndarray:
    """Expected payoffs (2,) from a node on."""
    below = children(game) if below is None else below
    if game.mover[node] == TERMINAL:
        return game.payoff[node]
    total = np.zeros(2)
    for n in below[node]:
        p = game.chance[n] if game.mover[node] == CHANCE else pi[game.infoset[node], game.action[n]]
        total = total + p * slow_value(game, pi, n, below)
    return total


def slow_reach(game: ExtensiveForm, pi: np.ndarray, node: int, without: int) -> float:
    """Probability that all but the moves of player `without` lead to a node."""
    out = 1.0
    while node:
        before = int(game.parent[node])
        if game.mover[before] == CHANCE:
            out *= game.chance[node]
        elif game.mover[before] != without:
            out *= pi[game.infoset[before], game.action[node]]
        node = before
    return out


def slow_best(game: ExtensiveForm, pi: np.ndarray, player: int) -> float:
    """The most that a pure strategy of `player` earns, by trying them all."""
    mine = np.flatnonzero(game.infoset_player == player)
    best = -np.inf
    below = children(game)
    for plan in product(*(range(int(game.infoset_actions[i])) for i in mine)):
        played = pi.copy()
        played[mine] = 0.0
        played[mine, plan] = 1.0
        best = max(best, float(slow_value(game, played, 0, below)[player]))
    return best
