"""A grid world drawn by the user: walls, goals with rewards, slips, starts.

`layout` is a list of strings (or one string, rows separated by "/" or newlines): '#' is a wall, 'S' a start, a
character of `rewards` a goal, anything else a free cell. States are the free cells row by row, starts and goals
included; actions 0..3 are up, right, down, left, and a blocked move stays. P (S,4,S), or CSR (4S,S) with
`sparse=True`; r (S,4).

Slip: with probability `slip` the direction is drawn anew, uniformly over all four (`slip_kind="uniform"`, so that the
intended one has probability 1 - 3 slip / 4), or becomes one of the two at right angles (`slip_kind="sideways"`).

Rewards: every action in a goal earns the goal's reward, every other action `step_reward` (by default 0); the declared
range runs from the least to the largest of these and 0. What follows an action in a goal is `after`:

    "restart"   the next state is a start; the model communicates if every cell is reached from there;
    "stay"      the goal absorbs, and goes on paying;
    "move"      the goal is a cell like any other.

With ShortestPath(goal) an episode ends when the goal is entered, so that only `step_reward` counts (give -1 for unit
costs). The first state is uniform over the cells 'S' (the first free cell if there is none) [derived].

A large one: `gridworld(layout=["." * 45] * 45, rewards={}, slip=0.1, sparse=True)`, 2,025 states, communicates; exact
diameter 96.906477 steps (corner to opposite corner), sum over states s of the largest minimal hitting time D_s =
148122.475.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from mdps.models._grid import Layout, moves, read, transitions
from mdps.models._rows import assemble
from theorylab.errors import InputError
from theorylab.family import Family, Grid
from theorylab.model import AVERAGE_REWARD, Criterion, RewardLaw, TabularMDP
from theorylab.parameters import choice, number

LAYOUT = ("S....", ".##..", "...#.", ".#...", "....G")
GOAL = {"G": 1.0}
AFTER = ("restart", "stay", "move")
HUGE = 1e100


def _layout(layout: str | Sequence[str]) -> Layout:
    return read("gridworld", layout.replace("/", "\n").split("\n") if isinstance(layout, str) else layout)


def _goals(rewards: Mapping[str, float]) -> dict[str, float]:
    if not isinstance(rewards, Mapping):
        raise InputError(f"gridworld: rewards is {rewards!r}; give a reward for each goal's character, such as {GOAL}")
    for character in rewards:
        if not isinstance(character, str) or len(character) != 1 or character in "#S":
            raise InputError(f"gridworld: the goal {character!r} is not one character other than '#' and 'S'")
    return {c: number("gridworld", f"rewards[{c!r}]", x, -HUGE, HUGE) for c, x in rewards.items()}


def build(
    layout: str | Sequence[str] = LAYOUT,
    rewards: Mapping[str, float] = GOAL,
    step_reward: float = 0.0,
    slip: float = 0.0,
    slip_kind: str = "uniform",
    after: str = "restart",
    criterion: Criterion = AVERAGE_REWARD,
    sparse: bool = False,
) -> TabularMDP:
    """The grid world of a layout (see the module docstring); 0 <= slip <= 1.

    Raises:
        InputError: a ragged or empty layout, a goal that is not one character, an unknown `slip_kind` or `after`.
    """
    choice("gridworld", "after", after, AFTER)
    grid, goals = _layout(layout), _goals(rewards)
    cost = number("gridworld", "step_reward", step_reward, -HUGE, HUGE)
    S = grid.S
    starts = grid.marked("S")
    mu0 = np.zeros(S)
    mu0[starts if starts.size else 0] = 1.0 / max(starts.size, 1)
    r = np.full((S, 4), cost)
    target = moves(grid)
    for character, reward in goals.items():
        r[grid.marked(character)] = reward
    row, col, p = transitions("gridworld", target, slip, slip_kind)
    if after != "move" and goals:
        inside = np.unique(np.concatenate([grid.marked(c) for c in goals]))
        kept = ~np.isin(row // 4, inside)
        row, col, p = row[kept], col[kept], p[kept]
        rows = (inside[:, None] * 4 + np.arange(4)).ravel()
        if after == "stay":
            row, col, p = np.append(row, rows), np.append(col, rows // 4), np.append(p, np.ones(rows.size))
        else:
            there = np.flatnonzero(mu0)
            row = np.append(row, np.repeat(rows, there.size))
            col = np.append(col, np.tile(there, rows.size))
            p = np.append(p, np.tile(mu0[there], rows.size))
    seen = [0.0, cost, *goals.values()]
    return TabularMDP(
        P=assemble("gridworld", S, 4, row, col, p, sparse),
        r=r,
        mu0=mu0,
        criterion=criterion,
        reward_law=RewardLaw("deterministic", min(seen), max(seen)),
        name=f"gridworld-{len(grid.rows)}x{len(grid.rows[0])}",
    )


def grid(layout: str | Sequence[str] = LAYOUT, rewards: Mapping[str, float] = GOAL, **_others: object) -> Grid:
    """Where the cells lie; goals are marked by their characters."""
    shape = _layout(layout)
    return shape.picture({int(s): c for c in _goals(rewards) for s in shape.marked(c)})


family = Family(
    name="gridworld",
    build=build,
    setting="mdp",
    source_tag="derived",
    text="Grid world from a map of strings: walls '#', starts 'S', goals with rewards, uniform or sideways slips.",
    tags=("average", "grid"),
    grid=grid,
)
