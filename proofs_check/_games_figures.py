"""Figures of solvers of games and of search: what is computed, and how it is drawn.

    solvers     exploitability against iterations, all solvers, four games
    stepsize    expected return of MDS against the stepsize, one player or both searching, common payoffs
    rollouts    expected return of MDS against the number of rollouts
    map         exploitability of one step of MMDS over that of its blueprint, by stepsize and temperature
    distance    Bregman divergence from the quantal response equilibrium along dilated MMD, with the theorem's rate

Games enter by the families of `mdps.games`. All but `rollouts` is exact; bars there are jackknifed standard errors over
the seeds of the searchers. Stepsizes are in units of 1/range, temperatures in units of the range of payoffs.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from typing import Any

import numpy as np
from matplotlib.colors import TwoSlopeNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import mdps
from theorylab.figure_kinds import Drawing
from theorylab.figure_style import DARK, SIZES, decades, finish, legend_columns, limits, look, paper_style
from theorylab.games import expected_value, exploitability, random_policy, uniform_policy
from theorylab.games.layout import as_tree
from theorylab.games.quantal import dilated_divergence, quantal_response
from theorylab.games.search import search
from theorylab.games.updates import apply_globally, grid, mirror_descent
from theorylab.registry import find_learner
from theorylab.run import run
from theorylab.simulation import Simulation, geometric

__all__ = ["Line", "drawings"]

GAMES: dict[str, Callable[[], Any]] = {
    "Kuhn": mdps.games.kuhn,
    "Dark Hex 2x2": mdps.games.dark_hex,
    "Liar's Dice 4": lambda: mdps.games.liars_dice(4),
    "Leduc": mdps.games.leduc,
}
COMMON: dict[str, Callable[[], Any]] = {
    **{f"Tiny Hanabi {k}": partial(mdps.games.tiny_hanabi, k) for k in "BCE"},
    "Hanabi, 2 ranks": lambda: mdps.games.hanabi_small(ranks=2),
}
ITERATIONS = 3000
#: name -> learner and parameters, which may depend on the game (notes 2.6)
ANNEALED = {"Kuhn": (1.0, 1.0), "Dark Hex 2x2": (1.0, 1.0), "Liar's Dice 4": (2.0, 1.0), "Leduc": (1.0, 5.0)}
SOLVERS: dict[str, tuple[str, Callable[[str], dict[str, Any]]]] = {
    "CFR": ("cfr", lambda g: {}),
    "CFR+": ("cfr-plus", lambda g: {}),
    "predictive CFR+": ("pcfr-plus", lambda g: {}),
    "fictitious play": ("fictitious-play", lambda g: {}),
    "MMD, annealed": ("mmd", lambda g: dict(eta=ANNEALED[g][0], alpha=ANNEALED[g][1], schedule=1)),
    "MMD, moving magnet": ("mmd", lambda g: dict(eta=0.1, alpha=1.0, magnet=0.05)),
}
STEPS = np.geomspace(0.05, 200.0, 49)
BLUEPRINTS = 200
SEARCHERS = {"both players search": (0, 1), "player 0 searches": (0,), "player 1 searches": (1,)}
ROLLOUTS = (1, 3, 10, 30, 100, 300)
SEEDS = 400
MAP_ETA, MAP_ALPHA = np.geomspace(0.1, 100.0, 31), np.concatenate([[0.0], np.geomspace(0.001, 1.0, 19)])


@dataclass(frozen=True)
class Line:
    """A curve in a panel: x (n,), y (n,), and its limits where it has any."""

    panel: str
    name: str
    x: np.ndarray
    y: np.ndarray
    low: np.ndarray | None = None
    high: np.ndarray | None = None


def table(lines: Sequence[Line], x: str, y: str) -> dict[str, list[Any]]:
    """The columns of a figure of lines."""
    out: dict[str, list[Any]] = {"game": [], "line": [], x: [], y: []}
    limited = any(line.low is not None for line in lines)
    for line in lines:
        out["game"] += [line.panel] * line.x.size
        out["line"] += [line.name] * line.x.size
        out[x] += line.x.tolist()
        out[y] += line.y.tolist()
        for name, values in (("low", line.low), ("high", line.high)) if limited else ():
            out.setdefault(name, []).extend((np.full(line.x.size, np.nan) if values is None else values).tolist())
    return out


def width(game: Any) -> float:
    """Range of the payoffs of player 0."""
    low, high = as_tree(game).payoff_range
    return float(high - low)


# What is computed


@cache
def solver_lines() -> list[Line]:
    """Exploitability of the policy that each solver stands for."""
    out = []
    for panel, build in GAMES.items():
        for name, (learner, params) in SOLVERS.items():
            points = geometric(ITERATIONS, 40)
            found = run(learner, build(), iterations=ITERATIONS, checkpoints=points, params=params(panel))
            out.append(Line(panel, name, found.checkpoints.astype(float), found["exploitability"][0]))
    return out


@cache
def stepsize_lines() -> list[Line]:
    """Return after one exact step of MDS over the return of the blueprint, mean and 5-95 % over random blueprints."""
    out = []
    for panel, build in COMMON.items():
        game = build()
        start = random_policy(game, 1, BLUEPRINTS)
        before, scale = expected_value(game, start)[:, 0], width(game)
        for name, players in SEARCHERS.items():
            steps = [apply_globally(game, start, mirror_descent(e / scale), players) for e in STEPS]
            gain = np.array([expected_value(game, pi)[:, 0] - before for pi in steps]) / scale
            low, high = np.quantile(gain, (0.05, 0.95), axis=1)
            out.append(Line(panel, name, STEPS, gain.mean(axis=1), low, high))
    return out


@cache
def rollout_lines() -> list[Line]:
    """Return of pbar of MDS by both players from the uniform blueprint, with 95 % limits, and of the exact step."""
    out = []
    for panel, build in COMMON.items():
        game = build()
        start, scale = uniform_policy(game), width(game)
        before = expected_value(game, start)[0]
        for step in (1.0, 4.0, 16.0):
            update, N = mirror_descent(step / scale), np.array(ROLLOUTS, dtype=float)
            found = [search(game, start, update, rollouts=n, seeds=SEEDS).value() for n in ROLLOUTS]
            gain = (np.array([f.plain for f in found]) - before) / scale
            reach = 1.96 * np.array([f.error for f in found]) / scale
            out.append(Line(panel, f"stepsize {step:g} / range", N, gain, gain - reach, gain + reach))
            exact = (search(game, start, update).value().plain - before) / scale
            out.append(Line(panel, f"exact {step:g}", N[[0, -1]], np.full(2, exact)))
    return out


@cache
def maps() -> dict[str, np.ndarray]:
    """(stepsizes, temperatures) exploitability after one exact step of MMDS over that of the uniform blueprint."""
    out = {}
    for panel, build in GAMES.items():
        game = build()
        start, scale = uniform_policy(game), width(game)
        pi = grid(game, start, MAP_ETA / scale, MAP_ALPHA * scale)
        share = exploitability(game, pi) / exploitability(game, start)
        out[panel] = share.reshape(MAP_ETA.size, MAP_ALPHA.size)
    return out


DISTANCE: dict[str, tuple[Callable[[], Any], float, int]] = {
    "perturbed RPS": (mdps.games.perturbed_rps, 0.2, 600),
    "Kuhn": (mdps.games.kuhn, 0.1, 200),
    "Dark Hex 2x2": (mdps.games.dark_hex, 0.1, 1500),
}


@cache
def distance_lines() -> list[Line]:
    """B(z*; z_t) of dilated MMD from the uniform policy, and B(z*; z_0) (1 + eta alpha)^-t."""
    out = []
    for panel, (build, alpha, length) in DISTANCE.items():
        game = build()
        goal = quantal_response(game, alpha).policy
        at = np.unique(np.linspace(0, length, 60).astype(int))
        going = Simulation(
            find_learner("mmd-dilated", "game"), game, replicates=1, length=length, params={"alpha": alpha}
        )
        start = uniform_policy(as_tree(game))
        found = [dilated_divergence(game, goal, start)]
        for t in at[1:]:
            found.append(dilated_divergence(game, goal, going.advance(int(t)).curves().final["policy"][0]))
        eta = alpha / max(float(np.abs(as_tree(game).payoff_matrices[0]).max()), 1e-300) ** 2
        rate = found[0] * (1.0 + eta * alpha) ** -at.astype(float)
        y = np.array(found)
        seen = y > 1e-13
        out.append(Line(panel, "divergence", at[seen].astype(float), y[seen]))
        out.append(Line(panel, "rate of the theorem", at[seen].astype(float), rate[seen]))
    return out


# Drawing


def _panels(size: str, count: int, tall: float = 0.75) -> tuple[Figure, np.ndarray]:
    """Two panels a row, one in a narrow column."""
    wide, height, _ = SIZES[size]
    columns = 1 if wide < 4.5 else min(count, 2 if count != 3 else 3)
    rows = -(-count // columns)
    figure = Figure(figsize=(wide, height * (0.25 + tall * rows)), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False).ravel()


def _finish(figure: Figure, keys: Sequence[Any], size: str) -> Figure:
    return finish(figure, keys, legend_columns([str(k.get_label()) for k in keys], size))


def _style(k: int, font: float) -> dict[str, Any]:
    own = look(k)
    return dict(color=own["color"], linestyle=own["linestyle"], linewidth=0.14 * font)


def line_figure(
    lines: Sequence[Line], size: str, x: str, y: str, log: tuple[bool, bool], beside: Mapping[str, str] | None = None,
    zero: bool = False,
) -> Figure:  # fmt: skip
    """A panel for each game; `beside`: lines that are drawn thin and dotted in the colour of another."""
    also = beside or {}
    with paper_style(size):
        font = SIZES[size][2]
        panels = list(dict.fromkeys(line.panel for line in lines))
        order = [n for n in dict.fromkeys(line.name for line in lines) if n not in also]
        figure, axes = _panels(size, len(panels), 0.62 if len(panels) == 3 else 0.75)
        for ax, panel in zip(axes, panels, strict=True):
            here = [line for line in lines if line.panel == panel]
            for line in here:
                k = order.index(also.get(line.name, line.name))
                own = _style(k, font)
                if line.name in also:
                    own.update(linestyle=(0, (1, 1.3)), linewidth=0.1 * font)
                if line.low is not None and line.high is not None:
                    ax.fill_between(line.x, line.low, line.high, color=own["color"], alpha=0.18, linewidth=0)
                ax.plot(line.x, line.y, **own)
            ends = np.concatenate([v for line in here for v in (line.y, line.low, line.high) if v is not None])
            across = np.concatenate([line.x for line in here])
            for axis, values, on in ((ax.xaxis, across, log[0]), (ax.yaxis, ends, log[1])):
                span = limits(values[values > 0], 0.04) if on else None
                name = axis.axis_name
                if span is not None:
                    ax.set(**{f"{name}scale": "log", f"{name}lim": span})
                    decades(axis, *span)
            if zero:
                ax.axhline(0.0, color=DARK, linewidth=0.08 * font, zorder=1)
            ax.set_title(panel, loc="left")
            ax.set_xlabel(x)
            if ax is axes[0] or size == "icml" or (len(panels) == 4 and ax is axes[2]):
                ax.set_ylabel(y)
        keys: list[Any] = [Line2D([], [], **_style(k, font), label=name) for k, name in enumerate(order)]
        if also:
            dotted = dict(color=DARK, linestyle=(0, (1, 1.3)), linewidth=0.1 * font)
            keys.append(Line2D([], [], **dotted, label="exact action values"))  # type: ignore[arg-type]
        return _finish(figure, keys, size)


def map_figure(found: Mapping[str, np.ndarray], size: str) -> Figure:
    """A panel for each game: colour is the share of the blueprint's exploitability, white where nothing is gained."""
    with paper_style(size):
        font = SIZES[size][2]
        figure, axes = _panels(size, len(found))
        norm = TwoSlopeNorm(1.0, 0.4, 1.6)
        x = np.concatenate([MAP_ETA, [MAP_ETA[-1] * MAP_ETA[1] / MAP_ETA[0]]])
        drawn: Any = None
        for ax, (panel, share) in zip(axes, found.items(), strict=True):
            drawn = ax.pcolormesh(x, np.arange(MAP_ALPHA.size + 1), np.minimum(share.T, 1.6), cmap="PuOr_r", norm=norm)
            drawn.set_rasterized(True)
            best = np.unravel_index(share.argmin(), share.shape)
            ax.plot(np.sqrt(x[best[0]] * x[best[0] + 1]), best[1] + 0.5, "k*", markersize=0.8 * font)
            ax.set_xscale("log")
            ticks = [0, 1, 7, 13, 19]
            ax.set_yticks([k + 0.5 for k in ticks], [f"{MAP_ALPHA[k]:.2g}" for k in ticks])
            ax.set_title(f"{panel}: least {share.min():.2f}", loc="left")
            ax.set_xlabel("stepsize times range")
            ax.set_ylabel("temperature / range")
        figure.colorbar(drawn, ax=list(axes), label="exploitability / that of the blueprint", extend="max", shrink=0.8)
        return figure


def map_table(found: Mapping[str, np.ndarray]) -> dict[str, list[Any]]:
    """A row for each game and pair."""
    out: dict[str, list[Any]] = {"game": [], "stepsize_times_range": [], "temperature_over_range": [], "share": []}
    for panel, share in found.items():
        for i, eta in enumerate(MAP_ETA):
            for k, alpha in enumerate(MAP_ALPHA):
                for name, value in zip(out, (panel, float(eta), float(alpha), float(share[i, k])), strict=True):
                    out[name].append(value)
    return out


def drawings() -> list[Drawing]:
    """The figures; what they show is computed when they are asked for."""

    def lines(name: str, text: str, claim: str, make: Callable[[], list[Line]], x: str, y: str, **how: Any) -> Drawing:
        draw = lambda size: line_figure(make(), size, x, y, **how)  # noqa: E731
        return Drawing("study", f"games-{name}", text, claim, lambda: table(make(), x, y), draw)

    exact = {f"exact {s:g}": f"stepsize {s:g} / range" for s in (1.0, 4.0, 16.0)}
    return [
        lines("solvers", "Exploitability against iterations, from the uniform policy.", "sokota2023", solver_lines,
              "iterations", "exploitability", log=(True, True)),
        lines("mds-stepsize", "Gain of one exact step of MDS over its blueprint, in units of the range of payoffs: "
              f"mean and 5\N{EN DASH}95 % of {BLUEPRINTS} random blueprints.", "sokota2024", stepsize_lines,
              "stepsize times range", "gain / range", log=(True, False), zero=True),
        lines("mds-rollouts", "Gain of sampled MDS by both players over the uniform blueprint, in units of the range; "
              f"the policy is the mean over {SEEDS} seeds, limits 95 %.", "sokota2024", rollout_lines,
              "rollouts an action", "gain / range", log=(True, False), beside=exact),
        Drawing("study", "games-mmds-map", "One exact step of MMDS from the uniform blueprint: exploitability over the "
                "blueprint's, colours cut at 1.6; the star is the least.", "sokota2024", lambda: map_table(maps()),
                lambda size: map_figure(maps(), size)),
        lines("qre-distance", "Bregman divergence of the quantal response equilibrium from the iterates of dilated "
              "MMD, eta = alpha / max|A|^2, and the rate 1/(1 + eta alpha).", "sokota2023", distance_lines,
              "iterations", "divergence (nats)", log=(False, True)),
    ]  # fmt: skip
