"""How the claims on runs of magnetic mirror descent are put together: conditions, tables, instances.

The step of theorem 3.4 needs of the game, with z = (x, y), F = minus the payoffs, B the divergence of psi,

    <F(z+) - F(z), z+ - z*> <= 2 K sqrt(B(z+; z) B(z+; z*)),        and then eta <= alpha / K^2 is enough:
    eta 2 K sqrt(a b) <= a + eta alpha b for all a, b >= 0 iff eta K^2 <= alpha

With psi mu_psi-strongly convex and F L-smooth in one norm, K = L / mu_psi: the repaired condition of corollary D.6. K
of three sizes:

    largest      max |A| of a matrix game: psi is 1-strongly convex in the norm |.|_1 (Pinsker)            [source]
    half range   (max A - min A) / 2, as a constant added to A changes nothing                            [derived]
    tree         (Delta / 2) sqrt(r_0 r_1) on any tree, Delta the range of payoffs                          [derived]

The last. For plans x', x of one player and payoffs c of its sequences, telescoping over its infosets h,

    <c, x' - x> = sum_h x'(before h) <pi'(h) - pi(h), V(h,.)>,   V the values under pi of what follows h

Twice, for x' - x and y' - y: <x' - x, A (y' - y)> = sum_{h,j} x'(before h) y'(before j) d_h^T W(h,j) d_j, d the
changes of policies, W(h,a;j,b) what is paid at leaves below both, with both infosets and actions on the way. With
payoffs shifted into [-Delta/2, Delta/2], |W| <= C(h,j) Delta / 2, C(h,j) the largest probability to pass through both h
and j: the sum of the probabilities by chance of the nodes of one below the other, at most 1. Schur's test with weights
x'(before h), y'(before j) and Pinsker, sum_h x'(before h) |d_h|_1^2 <= 2 B(x'; x), give K with

    r_0 = max_h max_y sum_j C(h,j) y(before j),     h of player 0, j of player 1;     r_1 with the players exchanged

In a one-shot game r_0 = r_1 = 1: the half range. Kuhn poker: r = 2/3 twice, K = 4/3.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np

from proofs_check.papers._cfr_tables import zero_sum
from theorylab.assume import Assumption
from theorylab.claim import Claim, Context, Control, Instance, Pointwise
from theorylab.errors import InputError
from theorylab.games.form import TERMINAL, ExtensiveForm
from theorylab.games.layout import as_tree, by_sequence, layout
from theorylab.games.quantal import quantal_response
from theorylab.kernel import Kernel
from theorylab.learner import Learner
from theorylab.probe import Monitor, Probe

__all__ = [
    "common_payoffs", "coupled", "half_range", "largest", "leaves_of", "nodes_of", "one_shot", "pennies", "quantal",
    "statement", "zero_sum",
]  # fmt: skip

one_shot = Assumption(
    "matrix-game", "a matrix game", lambda m: None if m.setting == "matrix-game" else "it is a tree, no matrix game"
)
common_payoffs = Assumption(
    "common-payoff", "both players have the same payoff", lambda m: None if m.common_payoff else "payoffs differ"
)
pennies = Assumption(
    "pennies",
    "payoffs ((1, -1), (-1, 1)) of the row player",
    lambda m: None if one_shot(m) is None and np.array_equal(m.row, [[1, -1], [-1, 1]]) else "other payoffs",
)


_FOUND: dict[tuple[str, float], dict[str, Any]] = {}


def largest(game: ExtensiveForm) -> float:
    """max |A|, A the matrix of payoffs by pairs of sequences, chance included; reward units."""
    return float(np.abs(layout(game).arrays["pay"]).max())


def half_range(game: ExtensiveForm) -> float:
    """(max - min)/2 over the leaves, reward units."""
    low, high = game.payoff_range
    return (high - low) / 2.0


@cache
def coupled(game: ExtensiveForm) -> float:
    """K of any tree, reward units; see the module's text."""
    found = layout(game)
    C = np.zeros((game.infosets, game.infosets))
    for n in np.flatnonzero(game.mover >= 0):
        above = game.parent[n]
        while above >= 0:
            if game.mover[above] == 1 - game.mover[n]:
                C[game.infoset[n], game.infoset[above]] += game.chance_reach[n]
            above = game.parent[above]
    C = np.minimum(C + C.T, 1.0)[np.ix_(found.infosets, found.infosets)]
    arrays, I0, second = found.arrays, found.sizes["I0"], found.sizes["second"]
    best = np.zeros((len(C), found.sizes["Q"]))  # sums over what follows a sequence, along the best plan
    for i in reversed(range(len(C))):
        first = arrays["seq_first"][i]
        last = first + arrays["seq_count"][i]
        best[:, arrays["seq_before"][i]] += C[:, i] + best[:, first:last].max(axis=1)
    return half_range(game) * float(np.sqrt(best[:I0, second].max() * best[I0:, 0].max()))


def leaves_of(game: ExtensiveForm) -> dict[str, Any]:
    """Tables of the leaves, and the range of payoffs."""
    ends = np.flatnonzero(game.mover == TERMINAL)
    weight = game.chance_reach[ends]
    second = layout(game).sizes["second"]
    return {
        "leaf_0": game.sequence[0, ends].astype(np.int64),
        "leaf_1": game.sequence[1, ends].astype(np.int64) + second,
        "pay_0": weight * game.payoff[ends, 0],
        "pay_1": weight * game.payoff[ends, 1],
        "width": 2.0 * half_range(game),
    }


def nodes_of(c: Context) -> dict[str, Any]:
    """Tables of leaves and decisions."""
    game = as_tree(c.model)
    found = layout(game)
    nodes = np.flatnonzero(game.mover >= 0)
    row = np.empty(game.infosets, dtype=np.int64)
    row[found.infosets] = np.arange(game.infosets)
    other = 1 - game.mover[nodes]
    return {
        **leaves_of(game),
        "node_row": row[game.infoset[nodes]],
        "node_other": (game.sequence[other, nodes] + np.where(other == 1, found.sizes["second"], 0)).astype(np.int64),
        "node_chance": game.chance_reach[nodes],
    }


def _star(game: ExtensiveForm, alpha: float) -> dict[str, Any]:
    """Tables of leaves and of the equilibrium, found once for all builds of the same game."""
    key = (game.digest, alpha)
    if key not in _FOUND:
        policy = by_sequence(game, quantal_response(game, alpha).policy)
        _FOUND[key] = {**leaves_of(game), "star": policy, "star_log": np.log(policy)}
    return _FOUND[key]


def quantal(size: Callable[[ExtensiveForm], float] | None = None) -> Callable[[Context], dict[str, Any]]:
    """Tables with the quantal response equilibrium. `size`: K, where the theorem's eta <= alpha / K^2 must hold.

    They raise InputError for alpha <= 0, a stepsize above the theorem's, several of them, or a schedule of them.
    """

    def made(c: Context) -> dict[str, Any]:
        game = as_tree(c.model)
        etas, alphas = np.atleast_1d(c.etas), np.atleast_1d(c.alphas)
        if len(etas) != 1:
            raise InputError(f"etas has {len(etas)} entries; the claim is about one stepsize and one temperature")
        if c.schedule != 0:
            raise InputError("schedule=1 lowers eta and alpha with t; the claim is about constant ones: give 0")
        eta, alpha = float(etas[0]), float(alphas[0])
        if not alpha > 0.0:
            raise InputError(f"alpha={alpha:g}: a temperature of zero where the theorem needs it positive; raise it")
        if size is not None and not eta <= alpha / size(game) ** 2 * (1.0 + 1e-12):
            raise InputError(
                f"eta={eta:g} is above alpha/K^2={alpha / size(game) ** 2:g}, K={size(game):g}, which the theorem asks "
                "for; lower it"
            )
        return _star(game, alpha)

    return made


@cache
def _probe(name: str, value: Kernel, at: str, tol: float) -> Probe:
    """Claims that measure the same on different instances share a probe, and so what is compiled."""
    return Probe(name, value, at, tol)


def statement(
    name: str,
    text: str,
    tag: str,
    learner: Learner,
    value: Kernel,
    tol: float,
    *,
    instances: tuple[tuple[Instance, ...], tuple[Instance, ...]],
    place: Instance,
    controls: tuple[Control, ...],
    tables: Callable[[Context], dict[str, Any]],
    monitor: Monitor,
    at: str = "step",
    assumes: tuple[Assumption, ...] = (zero_sum,),
    steps: tuple[str, ...] = (),
    copies: bool = False,
    paper: str = "",
) -> Claim:
    """A claim on runs; `instances`: those of the quick profile, and those that "standard" adds."""
    quick, more = instances
    return Claim(
        id=f"sokota2023.{name}",
        paper=paper,
        text=text,
        source_tag=tag,
        learner=learner.name,
        kind=Pointwise(),
        quantity=_probe(f"{learner.name}.{value.f.__name__}", value, at, tol),
        instances={"quick": quick, "standard": (*quick, *more)},
        control_instance=place,
        assumes=assumes,
        controls=controls,
        tables=tables,
        monitor=monitor,
        steps=tuple(f"sokota2023.{s}" for s in steps),
        copies=copies,
    )
