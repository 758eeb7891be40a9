"""Tables of search: one step of MMDS, exact and sampled, and boards of 3x3 cells, which are played from their rules.

On the boards every number is a mean over matches with its interval, by the betting bounds or Clopper and Pearson of
`theorylab.games.play`; a response is trained, so that what it earns is a lower bound on exploitability.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

import mdps
from mdps.games.dark_hex import DarkHex
from mdps.games.dark_hex import build as dark_hex
from mdps.games.phantom_tic_tac_toe import PhantomTicTacToe
from theorylab.games import exploitability, uniform_policy
from theorylab.games.play import Matches, Searcher, difference, exploit, play_matches, uniform
from theorylab.games.search import search
from theorylab.games.updates import Update, best_response, grid, magnetic

__all__ = ["PARTS", "exact", "played", "sampled"]

ALPHAS = (0.0, 0.05, 0.2, 1.0)
EXACT: dict[str, tuple[Callable[[], Any], tuple[float, ...]]] = {
    "Kuhn": (mdps.games.kuhn, (0.5, 2.0, 10.0, 50.0)),
    "Dark Hex 2x2": (dark_hex, (1.0, 5.0, 10.0, 50.0)),
    "Dark Hex 2x3": (lambda: dark_hex(columns=3), (1.0, 5.0, 10.0, 50.0)),
    "Liar's Dice 4": (lambda: mdps.games.liars_dice(4), (1.0, 5.0, 10.0, 50.0)),
    "Leduc": (mdps.games.leduc, (0.1, 0.5, 2.0, 10.0)),
}
SEEDS = 2000
BOARDS: dict[str, tuple[Any, tuple[float, float], bool]] = {
    "Dark Hex 3x3, abrupt": (DarkHex(3, 3), (-1.0, 1.0), True),
    "phantom tic-tac-toe, classical": (PhantomTicTacToe(3, 3, "classical"), (-1.0, 1.0), False),
}
SEARCHERS: dict[str, Update] = {
    "MMDS, stepsize 1": magnetic(1.0, 0.05),
    "MMDS, stepsize 5": magnetic(5.0, 0.05),
    "MMDS, stepsize 20": magnetic(20.0, 0.05),
    "best response search": best_response(),
}
HISTORIES = 64


def exact() -> list[str]:
    """Exploitability after one exact step from the uniform blueprint."""
    lines = ["| game, blueprint | stepsize | " + " | ".join(f"temperature {a:g}" for a in ALPHAS) + " |"]
    lines.append("|---|---:|" + "---:|" * len(ALPHAS))
    for name, (build, etas) in EXACT.items():
        game = build()
        start = uniform_policy(game)
        found = exploitability(game, grid(game, start, etas, ALPHAS)).reshape(len(etas), len(ALPHAS))
        for eta, row in zip(etas, found, strict=True):
            title = f"{name}, {exploitability(game, start):.3f}" if eta == etas[0] else ""
            lines.append(f"| {title} | {eta:g} | " + " | ".join(f"{x:.3f}" for x in row) + " |")
    return lines


def sampled() -> list[str]:
    """Sampled MMDS on abrupt 2x2 Dark Hex: what is played, and tables of single seeds."""
    game, update = dark_hex(), magnetic(5.0, 0.05)
    start = uniform_policy(game)
    lines = [
        "| rollouts an action | beliefs | exploitability of what is played, 95 % | of the average | of single tables |",
        "|---:|---|---|---:|---:|",
    ]
    for beliefs in ("exact", "particles"):
        for N in (1, 10, 100):
            found = search(game, start, update, rollouts=N, seeds=SEEDS, beliefs=beliefs)
            low, high = found.exploitability_interval()
            name = "exact posterior" if beliefs == "exact" else "10 particles"
            alone = found.realised_exploitability().mean()
            plain = found.exploitability().plain
            lines.append(f"| {N} | {name} | [{low:.3f}, {high:.3f}] | {plain:.3f} | {alone:.3f} |")
    exactly = search(game, start, update).exploitability().plain
    lines.append(f"| exact action values | | {exactly:.3f} | {exactly:.3f} | {exactly:.3f} |")
    return lines


def _cells(infoset: Any) -> Any:
    return frozenset(str(infoset).split())  # what was tried and met, in any order


def _text(found: Matches, player: int, two: bool) -> str:
    low, high = found.interval(player, (-1.0, 1.0), two=two)
    return f"{found.mean[player]:.3f} [{low:.2f}, {high:.2f}]"


def played(matches: int = 200, training: int = 60_000) -> list[str]:
    """Searchers against the uniform blueprint from both seats, and responses trained against it."""
    lines = [
        f"| board | player | as player 0 | as player 1 | gain over the blueprint, {matches} matches a seat |",
        "|---|---|---|---|---|",
    ]
    for name, (rules, payoffs, two) in BOARDS.items():
        base = play_matches(rules, (uniform, uniform), matches, seed=0)
        for title, update in SEARCHERS.items():
            own = Searcher(rules, uniform, update, particles=10, histories=HISTORIES)
            seats = [play_matches(rules, pair, matches, seed=0) for pair in ((own, uniform), (uniform, own))]
            words = [_text(found, player, two) for player, found in enumerate(seats)]
            gains = [difference(found, base, player) for player, found in enumerate(seats)]
            gain = ", ".join(f"{m:.2f} \N{PLUS-MINUS SIGN} {e:.2f}" for m, e in gains)
            lines.append(f"| {name} | {title} | {words[0]} | {words[1]} | {gain} |")
        bounds = [
            exploit(rules, uniform, p, training=training, matches=8000, seed=7, payoffs=payoffs, key=_cells, two=two)
            for p in (0, 1)
        ]
        words = [f"{b.mean:.3f}, at least {b.bound:.3f}" for b in bounds]
        half = np.mean([b.mean for b in bounds])
        lines.append(f"| {name} | response to the blueprint | {words[0]} | {words[1]} | half of the sum {half:.3f} |")
    return lines


PARTS: dict[str, tuple[str, Callable[[], list[str]]]] = {
    "exact": ("One exact step of MMDS from the uniform blueprint", exact),
    "sampled": (f"Sampled MMDS, abrupt 2x2 Dark Hex, stepsize 5, temperature .05, {SEEDS} seeds", sampled),
    "played": ("Boards of 3x3 cells, from their rules", played),
}
