"""DeepSea: an N x N grid in which only N steps to the right in a row find the treasure.

State row * N + column; an episode starts in the top left cell and falls one row a step. Moving right leads to column
min(c+1, N-1) and costs .01/N; moving left leads to max(c-1, 0) for free. Moving right in the last column, which the
diagonal reaches in the last row, earns 1. From the last row the next state is the start: FiniteHorizon(N), the default,
ends there, and average reward goes on with the next dive. Cells right of the diagonal are kept, so that S = N^2, but
never occur. P (N^2,2,N^2), or CSR (2 N^2,N^2) with `sparse=True`; r (N^2,2), range [-.01/N, 1].

    variant      moving right                                      optimal value
    bsuite       always succeeds                                   1 - .01 = .99
    stochastic   stays in its column with probability 1/N          (1-1/N)^(N-1) - .01 (1 - (1-1/N)^N)

Labels, by `labels`: "none": action 1 is right, which bsuite calls a debug mode; "cell": in each cell right is action 0
or 1, drawn as bsuite does, numpy.random.RandomState(seed).binomial(1, .5, (N, N)), so that bsuite's `mapping_seed`
names the same model (42 in its sweep); "column": one draw a column, numpy.random.RandomState(seed).binomial(1, .5, N).
Labels do not change values.

Source: bsuite's DeepSea (Osband et al., 2020) [source: public code]. Its stochastic version adds N(0,1) noise to the
reward in the two corners of the last row; here rewards are their means, so values and policies are the same. That
version's `optimal_return`, (1-1/N)^(N-1) - .01, is the value of always moving right: once off the diagonal, moving
left costs nothing, and the optimal value is the one above [derived].
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from mdps.models._rows import assemble, check_dense
from theorylab.errors import InputError
from theorylab.family import Family, Grid, Published
from theorylab.model import Criterion, FiniteHorizon, RewardLaw, TabularMDP
from theorylab.parameters import choice, flag, integer, room

VARIANTS = ("bsuite", "stochastic")
LABELS = ("none", "cell", "column")
COST = 0.01


def _right(N: int, labels: str, seed: int) -> NDArray[np.int64]:
    """int64 (N*N,): the action that moves right in each state."""
    if labels == "none":
        return np.ones(N * N, dtype=np.int64)
    draws = np.random.RandomState(seed)  # bsuite's generator
    if labels == "cell":
        return draws.binomial(1, 0.5, (N, N)).ravel().astype(np.int64)
    return np.tile(draws.binomial(1, 0.5, N), N).astype(np.int64)


def build(
    N: int = 10,
    variant: str = "bsuite",
    labels: str = "none",
    seed: int | None = None,
    criterion: Criterion | None = None,
    sparse: bool = False,
) -> TabularMDP:
    """DeepSea of N >= 1 rows, in episodes of N stages unless another `criterion` is given.

    `seed` in 0..2^32-1 draws the labels (0 if None).

    Raises:
        InputError: an unknown variant or labels, or a seed without labels to draw.
    """
    N = integer("deep-sea", "N", N, 1)
    variant, labels = choice("deep-sea", "variant", variant, VARIANTS), choice("deep-sea", "labels", labels, LABELS)
    if flag("deep-sea", "sparse", sparse):
        room("deep-sea", "an array over the states", N, N)
    else:
        check_dense("deep-sea", N * N, 2)
    if labels == "none" and seed is not None:
        raise InputError(f"deep-sea: seed is {seed} with labels 'none', which are not drawn; give labels='cell'")
    seed = integer("deep-sea", "seed", 0 if seed is None else seed, 0, 2**32 - 1)
    fails = 1 / N if variant == "stochastic" else 0.0
    state = np.arange(N * N)
    below, column = state // N + 1, state % N
    right = _right(N, labels, seed)

    def at(columns: NDArray[np.int64]) -> NDArray[np.int64]:
        return np.where(below < N, below * N + columns, 0)

    rows = [state * 2 + right, state * 2 + right, state * 2 + (1 - right)]
    cols = [at(np.minimum(column + 1, N - 1)), at(column), at(np.maximum(column - 1, 0))]
    p = np.repeat([1 - fails, fails, 1.0], N * N)
    r = np.zeros((N * N, 2))
    r[state, right] = np.where(column == N - 1, 1 - COST / N, -COST / N)
    name = f"deep-sea-{N}" + ("-stochastic" if variant == "stochastic" else "")
    return TabularMDP(
        P=assemble("deep-sea", N * N, 2, np.concatenate(rows), np.concatenate(cols), p, sparse),
        r=r,
        criterion=FiniteHorizon(N) if criterion is None else criterion,
        reward_law=RewardLaw("deterministic", -COST / N, 1.0),
        name=name + ("" if labels == "none" else f"-{labels}{seed}"),
    )


def grid(N: int = 10, labels: str = "none", **_others: object) -> Grid:
    """Where the cells lie that occur; arrows only where labels leave action 1 to be right."""
    cells = {i * N + j: (i, j) for i in range(N) for j in range(i + 1)}
    return Grid(shape=(N, N), cells=cells, arrows="↙↘" if labels == "none" else "01")


family = Family(
    name="deep-sea",
    build=build,
    setting="mdp",
    cite="osband2020",
    source_tag="source",
    text="bsuite's DeepSea on an N x N grid, episodes of N stages: best value .99, found by random play 2^-N often.",
    tags=("episodic", "hard", "grid"),
    published=(
        Published(
            name="deep-sea-10",
            params={},
            digest="9b9663e64b782e64",
            known={"value": "0.99", "gap": "0.001"},
            text="Deterministic, action 1 is right in every cell.",
        ),
        Published(
            name="deep-sea-20",
            params={"N": 20},
            digest="393ddf837e4464ad",
            known={"value": "0.99", "gap": "0.0005"},
            text="Deterministic, action 1 is right in every cell.",
        ),
        Published(
            name="deep-sea-10-stochastic",
            params={"variant": "stochastic"},
            digest="a598202cd4c265f1",
            known={"value": "0.3809072734", "gap": "0.001"},
            text="bsuite's stochastic version with mean rewards, action 1 is right in every cell.",
        ),
        Published(
            name="deep-sea-10-cell42",
            params={"labels": "cell", "seed": 42},
            digest="428f4d3425e4d9e5",
            known={"value": "0.99", "gap": "0.001"},
            text="Deterministic, labels of bsuite's mapping_seed 42.",
        ),
    ),
    grid=grid,
)
