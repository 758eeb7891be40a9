"""Garnet(S, A, b): random models where each (s,a) has b distinct successors.

Successors are drawn without replacement, their probabilities are the b gaps that b-1 sorted uniforms cut out of
[0, 1], rewards are uniform on [0, 1]. For action 0 the row is mixed with the point mass at s+1 mod S by the weight `w`,
so that the model communicates (b + 1 successors at most). P (S,A,S), or CSR (S*A,S) with `sparse=True`; r (S,A).
Source: Archibald, McKinnon and Thomas (1995) [recalled]; the mixing weight [derived].

Random numbers, so that a seed names one model:

    dense    Generator(Philox(seed)); the order of S*A*S uniforms gives the successors, then cuts, then rewards;
    sparse   Generator(Philox(SeedSequence(seed, spawn_key=(1,)))); Floyd's algorithm draws b integers a row, then
             cuts, then rewards: the same law, another model. Its name ends in "-sparse". Time and memory grow with
             the number of entries, not with S^2.

With `span_cap` models are drawn on and on from the stream of the seed until one communicates and has an optimal bias
span of at most `span_cap`; the name then ends in "-redrawn" and the number of models that were refused (0: the model
of the seed).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdps.models._rows import assemble, check_dense
from theorylab.assume import communicating
from theorylab.errors import InputError
from theorylab.family import Family, Published
from theorylab.model import AVERAGE_REWARD, AverageReward, Criterion, TabularMDP
from theorylab.parameters import flag, integer, number, room

MOST_DRAWS = 1000


def _distinct(rng: np.random.Generator, rows: int, S: int, b: int) -> NDArray[np.int64]:
    """int64 (rows,b): b distinct integers of 0..S-1 a row, each set equally likely (Floyd's algorithm)."""
    out = np.empty((rows, b), dtype=np.int64)
    for i in range(b):
        top = S - b + i
        drawn = rng.integers(0, top + 1, size=rows)
        taken = (out[:, :i] == drawn[:, None]).any(axis=1)
        out[:, i] = np.where(taken, top, drawn)
    return out


def _draw(rng: np.random.Generator, S: int, A: int, b: int, w: float, sparse: bool) -> tuple[Any, NDArray[np.float64]]:
    if not sparse:
        order = np.argsort(rng.random((S, A, S)), axis=-1, kind="stable")[..., :b]
    else:
        order = _distinct(rng, S * A, S, b).reshape(S, A, b)
    cuts = np.sort(rng.random((S, A, b - 1)), axis=-1)
    r = rng.random((S, A))
    edges = np.concatenate([np.zeros((S, A, 1)), cuts, np.ones((S, A, 1))], axis=-1)
    gaps = np.diff(edges, axis=-1)
    here = np.arange(S)
    if not sparse:
        P = np.zeros((S, A, S))
        np.put_along_axis(P, order, gaps, axis=-1)
        if w > 0:
            P[:, 0] *= 1 - w
            P[here, 0, (here + 1) % S] += w
        return P, r
    if w > 0:
        gaps[:, 0] *= 1 - w
    row, col, p = np.repeat(np.arange(S * A), b), order.ravel(), gaps.ravel()
    if w > 0:
        row, col = np.concatenate([row, here * A]), np.concatenate([col, (here + 1) % S])
        p = np.concatenate([p, np.full(S, w)])
    return assemble("garnet", S, A, row, col, p, True), r


def _within(model: TabularMDP, cap: float) -> bool:
    """Whether the model communicates and its optimal bias span is at most `cap`."""
    from theorylab.plan import bias_span

    return communicating(model) is None and bias_span(model) <= cap


def build(
    S: int = 10,
    A: int = 3,
    b: int = 3,
    seed: int = 0,
    w: float = 1e-3,
    span_cap: float | None = None,
    criterion: Criterion = AVERAGE_REWARD,
    sparse: bool = False,
) -> TabularMDP:
    """The Garnet model of a seed; 1 <= b <= S, weight 0 <= w <= 1 (0 leaves out the mixing), `span_cap` > 0.

    Raises:
        InputError: a parameter out of range, or no model within `span_cap` among 1000.
    """
    S, A = integer("garnet", "S", S, 1), integer("garnet", "A", A, 1)
    b = integer("garnet", "b", b, 1, S)
    seed = integer("garnet", "seed", seed, 0)
    w = number("garnet", "w", w, 0.0, 1.0)
    sparse = flag("garnet", "sparse", sparse)
    room("garnet", "the successors", S, A, b)
    if not sparse:
        check_dense("garnet", S, A)
    cap = None if span_cap is None else number("garnet", "span_cap", span_cap, 0.0, 1e100, open_low=True)
    words = np.random.SeedSequence(seed, spawn_key=(1,) if sparse else ())
    rng = np.random.Generator(np.random.Philox(words))
    name = f"garnet-{S}-{A}-{b}-{seed}" + ("-sparse" if sparse else "")
    for refused in range(MOST_DRAWS):
        P, r = _draw(rng, S, A, b, w, sparse)
        if cap is None:
            return TabularMDP(P=P, r=r, criterion=criterion, name=name)
        model = TabularMDP(P=P, r=r, criterion=AverageReward())
        if _within(model, cap):
            return replace(model, criterion=criterion, name=f"{name}-span{cap:g}-redrawn{refused}")
    raise InputError(
        f"garnet: none of {MOST_DRAWS} models of seed {seed} communicates with a bias span of at most {cap:g}; "
        "raise span_cap, b or w"
    )


family = Family(
    name="garnet",
    build=build,
    setting="mdp",
    cite="archibald1995",
    source_tag="recalled",
    text="Random model with b successors a state and action, made communicating by a small weight; one model a seed.",
    tags=("communicating", "average", "random"),
    published=(
        Published(
            name="garnet-10-3-3-0",
            params={},
            digest="9f09a964f9aed4ea",
            known={
                "gain": "0.8764464124",
                "bias_span": "0.8755661211",
                "diameter": "9.750018243",
                "gap": "0.009711332210",
            },
            text="10 states, 3 actions, 3 successors.",
        ),
        Published(
            name="garnet-10-3-3-1",
            params={"seed": 1},
            digest="b389f324b5810075",
            known={
                "gain": "0.8847737483",
                "bias_span": "0.9311065034",
                "diameter": "5.568939009",
                "gap": "0.1054332666",
            },
            text="10 states, 3 actions, 3 successors.",
        ),
    ),
)
