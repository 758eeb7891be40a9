"""Pictures of a model and of its optimal plan: text for a terminal, figures at paper sizes.

What is drawn depends on the model:

    states in a plane (`Grid`)      V as a heat map, an arrow for each optimal action
    bandit                          means as bars, with gaps
    finite horizon                  V over stages and states, and the action of each
    chain of at most 12 states      state diagram: optimal actions solid, with probabilities, others faint; V below
    other                           transition matrix of the optimal policy, V beside it (of uniform play, where all
                                    actions are optimal)

V is the bias with average reward, and stage 0 of a finite horizon where stages are not drawn. Actions within
`certify.tie_tolerance` of the best count as optimal. Shapes and units are those of `Plan`; figures are saved with
`theorylab.figure.save`, the same bytes at every run.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from theorylab.criteria import FiniteHorizon
from theorylab.errors import InputError
from theorylab.family import Grid
from theorylab.model import Bandit, TabularMDP
from theorylab.plan.certify import tie_tolerance
from theorylab.plan.record import Plan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = [
    "axes_at",
    "bar",
    "bare",
    "first_stage",
    "grid_text",
    "model_figure",
    "row_of",
    "shades_of_values",
    "successors",
    "ties",
    "value_name",
]

Floats = NDArray[np.float64]

EIGHTHS = " \N{LEFT ONE EIGHTH BLOCK}\N{LEFT ONE QUARTER BLOCK}\N{LEFT THREE EIGHTHS BLOCK}\N{LEFT HALF BLOCK}"
EIGHTHS += "\N{LEFT FIVE EIGHTHS BLOCK}\N{LEFT THREE QUARTERS BLOCK}\N{LEFT SEVEN EIGHTHS BLOCK}\N{FULL BLOCK}"
MATRIX = 400  # most states of a transition matrix
#: character of `Grid.arrows` -> step to the right and down
STEPS = {
    **dict.fromkeys("\N{LEFTWARDS ARROW}<", (-1, 0)),
    **dict.fromkeys("\N{RIGHTWARDS ARROW}>", (1, 0)),
    **dict.fromkeys("\N{UPWARDS ARROW}^", (0, -1)),
    **dict.fromkeys("\N{DOWNWARDS ARROW}v", (0, 1)),
    "\N{NORTH WEST ARROW}": (-0.8, -0.8),
    "\N{NORTH EAST ARROW}": (0.8, -0.8),
    "\N{SOUTH EAST ARROW}": (0.8, 0.8),
    "\N{SOUTH WEST ARROW}": (-0.8, 0.8),
}


def first_stage(plan: Plan) -> tuple[Floats, Floats, NDArray[Any]]:
    """V (S,), Q (S,A) and pi (S,) of a stationary plan, or of stage 0 of a finite horizon."""
    return (plan.V[0], plan.Q[0], plan.pi[0]) if plan.Q.ndim == 3 else (plan.V, plan.Q, plan.pi)


def ties(plan: Plan) -> NDArray[np.bool_]:
    """Which actions are within `tie_tolerance` of the best: bool (S,A), at stage 0 of a finite horizon."""
    _, q, _ = first_stage(plan)
    optimal: NDArray[np.bool_] = q >= q.max(axis=-1, keepdims=True) - tie_tolerance(plan.V)
    return optimal


def successors(model: TabularMDP, state: int, action: int, most: int = 3) -> list[tuple[int, float]]:
    """The most likely next states with their probabilities, likeliest first, lowest state among equals (stage 0)."""
    row = row_of(model, state, action)
    order = np.lexsort((row[0], -row[1]))[:most]
    return [(int(row[0][i]), float(row[1][i])) for i in order]


def row_of(model: TabularMDP, state: int, action: int) -> tuple[NDArray[Any], Floats]:
    """Successors of (state, action) with positive probability, ascending, and their probabilities (stage 0)."""
    if model.sparse:
        at = slice(*model.P.indptr[state * model.A + action :][:2])
        return model.P.indices[at], model.P.data[at]
    row = (model.P[0] if model.stage_dependent else model.P)[state, action]
    found = np.flatnonzero(row)
    return found, row[found]


# text


def bar(value: float, low: float, high: float, width: int) -> str:
    """A bar of block characters, empty at `low` and `width` columns long at `high`."""
    share = (value - low) / (high - low) if high > low else 0.0
    eighths = round(min(max(share, 0.0), 1.0) * 8 * width)
    return (EIGHTHS[8] * (eighths // 8) + EIGHTHS[eighths % 8]).rstrip()


def grid_text(grid: Grid, pi: NDArray[Any] | None, values: list[str] | None = None) -> list[str]:
    """Lines of the plane: marks, the arrow of each state's action ("." without `pi`), "#" where there is no state.

    `values`: a text a state, drawn as a second plane to the right.
    """
    rows, columns = grid.shape
    plane = [["#"] * columns for _ in range(rows)]
    beside = [[""] * columns for _ in range(rows)]
    for state, (row, column) in grid.cells.items():
        plane[row][column] = grid.marks.get(state, "." if pi is None else grid.arrows[int(pi[state])])
        if values is not None:
            beside[row][column] = values[state]
    width = max((len(v) for v in values or ()), default=0)
    lines = [" ".join(cells) for cells in plane]
    if values is None:
        return lines
    return [
        f"{line}     {' '.join(v.rjust(width) for v in texts)}".rstrip()
        for line, texts in zip(lines, beside, strict=True)
    ]


# figures


def model_figure(
    model: TabularMDP | Bandit, plan: Plan | None = None, *, grid: Grid | None = None, size: str = "neurips"
) -> Figure:
    """The picture of a model and its optimal plan as a matplotlib figure, not tied to pyplot.

    Args:
        model: a bandit, or an MDP with its `plan`.
        grid: where the states lie, if they lie in a plane.
        size: one of `theorylab.figure.SIZES`; it gives width and font, the content gives the height.

    Raises:
        InputError: an unknown size, an MDP without a plan, or a grid that names a state beyond the model's.
    """
    from matplotlib.figure import Figure

    from theorylab import diagram
    from theorylab.figure_style import SIZES, paper_style

    with paper_style(size):
        width, height, font = SIZES[size]
        figure = Figure(figsize=(width, height))
        if isinstance(model, Bandit):
            _bandit(figure, model, width, font)
        elif plan is None:
            raise InputError("model_figure: an MDP is drawn with its plan; give plan=plan(model)")
        elif grid is not None:
            _grid(figure, model, plan, grid, width, font)
        elif isinstance(model.criterion, FiniteHorizon):
            _stages(figure, model, plan, width, font)
        elif diagram.readable(model, width, font):
            diagram.draw(figure, model, plan, width, font)
        elif model.S <= MATRIX:
            _matrix(figure, model, plan, width, font)
        else:
            _curve(figure, plan, width, font)
        if figure.get_layout_engine() is not None:
            figure.draw_without_rendering()
            figure.set_layout_engine("none")
    return figure


def value_name(plan: Plan) -> str:
    """What V is called on an axis, with its unit."""
    return ("bias $h$" if plan.gain is not None else "$V$") + " (reward units)"


def shades_of_values() -> Any:
    """Colours of values: white to blue, light enough for black marks on every shade."""
    from matplotlib.colors import LinearSegmentedColormap

    return LinearSegmentedColormap.from_list("values", ["#FFFFFF", "#9CCBE8", "#3D93CB"])


def bare(ax: Axes, spines: bool = False) -> None:
    """Take away ticks and, unless asked for, the frame."""
    ax.set(xticks=[], yticks=[])
    for spine in ax.spines.values():
        spine.set_visible(spines)


def _bandit(figure: Figure, model: Bandit, width: float, font: float) -> None:
    from theorylab.figure_style import BLUE, VERMILLION

    figure.set_size_inches(width, 0.45 * width + 0.3)
    figure.set_layout_engine("constrained")
    ax = figure.add_subplot()
    best = model.means == model.best_mean
    arms = np.arange(model.A)
    ax.bar(arms, model.means, width=0.62, color=[BLUE if b else "#B9C4CC" for b in best])
    ax.axhline(0.0, color="black", linewidth=0.07 * font)
    ax.axhline(model.best_mean, color=BLUE, linewidth=0.1 * font, linestyle=(0, (4, 2)))
    ax.set_xlim(-0.6, model.A - 0.4)
    if model.A <= 20:
        ax.set_xticks(arms)
    texts = [f"{gap:.3g}" for gap in model.gaps]
    # the gaps stand in a row above the line of the best mean, where there is room
    if 72 * (width - 0.7) / model.A > 0.55 * font * (max(map(len, texts)) + (4 if model.A <= 6 else 0)):
        tallest = float(model.best_mean - min(0.0, model.means.min()))
        for arm in arms[~best]:
            ends = (model.means[arm], model.best_mean)
            if ends[1] - ends[0] > 0.06 * tallest:
                ax.annotate(
                    "", xy=(arm, ends[1]), xytext=(arm, ends[0]),
                    arrowprops=dict(arrowstyle="<->", color=VERMILLION, linewidth=0.09 * font, shrinkA=0, shrinkB=0),
                )  # fmt: skip
            ax.annotate(
                (r"$\Delta$ = " if model.A <= 6 else "") + texts[arm], xy=(arm, ends[1]), xytext=(0, 0.35 * font),
                textcoords="offset points", ha="center", va="bottom", color=VERMILLION, fontsize=0.9 * font,
            )  # fmt: skip
        if model.A > 6:
            ax.annotate(
                r"$\Delta$", xy=(0, model.best_mean), xycoords=("axes fraction", "data"), xytext=(0, 0.35 * font),
                textcoords="offset points", ha="right", va="bottom", color=VERMILLION, fontsize=0.9 * font,
            )  # fmt: skip
    ax.set_xlabel("arm")
    ax.set_ylabel("mean reward (reward units)")


def axes_at(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Axes at a place given in inches from the lower left corner."""
    w, h = figure.get_size_inches()
    made: Axes = figure.add_axes((left / w, bottom / h, width / w, height / h))
    return made


def _grid(figure: Figure, model: TabularMDP, plan: Plan, grid: Grid, width: float, font: float) -> None:
    from theorylab.figure_style import LEAST

    values, _, _ = first_stage(plan)
    if max(grid.cells, default=0) >= model.S:
        raise InputError(f"the grid places state {max(grid.cells)}, the model has states 0..{model.S - 1}")
    rows, columns = grid.shape
    plane = np.full(grid.shape, np.nan)
    for state, at in grid.cells.items():
        plane[at] = values[state]
    scaled = np.ptp(values) > 0
    beside = 0.1 + 0.12 + font * 4.5 / 72 if scaled else 0.0  # colour bar, its numbers and its name, in inches
    cell = min((width - beside - 0.1) / columns, 0.9 * width / rows, 0.55)
    figure.set_size_inches(width, cell * rows + 0.3)
    left = (width - cell * columns - beside) / 2
    ax = axes_at(figure, left, 0.15, cell * columns, cell * rows)
    colours = shades_of_values().with_extremes(bad="#565656")
    drawn = ax.imshow(np.ma.masked_invalid(plane), cmap=colours, interpolation="nearest", aspect="auto")
    bare(ax, spines=True)
    ax.set_xticks(np.arange(1, columns) - 0.5, minor=True)
    ax.set_yticks(np.arange(1, rows) - 0.5, minor=True)
    ax.grid(which="minor", color="#CFCFCF", linewidth=0.05 * font)
    ax.tick_params(which="both", length=0)
    if ties(plan).all():  # nothing to choose: the layout is what there is to see
        for state, (row, column) in grid.cells.items() if 24 * cell >= LEAST else ():
            ax.text(column, row, grid.marks.get(state, str(state)), ha="center", va="center", fontsize=24 * cell)
    else:
        _arrows(ax, plan, grid, cell * 72)
    if not scaled:
        return
    side = axes_at(figure, left + cell * columns + 0.1, 0.15, 0.12, cell * rows)
    scale = figure.colorbar(drawn, cax=side)
    scale.outline.set_linewidth(0.05 * font)
    name = value_name(plan)
    if plan.Q.ndim == 3:
        name = name.replace(" (", " at stage 0 (")
    # the unit is left out where the plane is not high enough for it
    scale.set_label(name if 72 * cell * rows > 0.5 * font * len(name) else name.partition(" (")[0])


def _arrows(ax: Axes, plan: Plan, grid: Grid, cell: float) -> None:
    """An arrow for each optimal action of each state, or the state's mark; `cell`: size of a cell in points."""
    from theorylab.figure_style import LEAST

    optimal = ties(plan)
    style = {"arrowstyle": f"-|>,head_length={0.1 * cell:.3f},head_width={0.06 * cell:.3f}", "color": "black"}
    for state, (row, column) in grid.cells.items():
        if state in grid.marks:
            ax.text(column, row, grid.marks[state], ha="center", va="center", weight="bold",
                    fontsize=max(0.5 * cell, LEAST))  # fmt: skip
            continue
        actions = np.flatnonzero(optimal[state])
        for action in actions:
            step = STEPS.get(grid.arrows[action])
            if step is None:
                ax.text(column, row, grid.arrows[action], ha="center", va="center",
                        fontsize=max(0.4 * cell, LEAST))  # fmt: skip
                continue
            # one arrow through the middle; several start there
            back = 0.3 if actions.size == 1 else 0.0
            ax.annotate(
                "", xy=(column + 0.36 * step[0], row + 0.36 * step[1]),
                xytext=(column - back * step[0], row - back * step[1]),
                arrowprops={**style, "linewidth": 0.03 * cell, "shrinkA": 0, "shrinkB": 0, "mutation_scale": 1.0},
            )  # fmt: skip


def _stages(figure: Figure, model: TabularMDP, plan: Plan, width: float, font: float) -> None:
    """V over stages and states to the left, the greedy action to the right."""
    from matplotlib.colors import ListedColormap
    from matplotlib.patches import Patch
    from matplotlib.ticker import MaxNLocator

    H, S = plan.pi.shape
    point = font / 72
    height = min(max(1.3 * point * S, 0.6), 0.45 * width)
    edge, gap, foot, head = 4.2 * point, 0.2, 3.6 * point, 4.6 * point
    panel = (width - edge - gap - 0.1) / 2
    figure.set_size_inches(width, foot + height + head)
    left, right = (axes_at(figure, edge + k * (panel + gap), foot, panel, height) for k in (0, 1))
    drawn = left.imshow(plan.V[:H].T, cmap=shades_of_values(), aspect="auto", interpolation="nearest", origin="lower")
    above = axes_at(figure, edge, foot + height + 0.6 * point, panel, 0.6 * point)
    scale = figure.colorbar(drawn, cax=above, orientation="horizontal", ticklocation="top")
    scale.outline.set_linewidth(0.05 * font)
    scale.locator = MaxNLocator(5)
    scale.set_label("$V$ (reward units)")
    shades = _shades(model.A)
    for ax in (left, right):
        ax.spines[["top", "right"]].set_visible(True)
    right.imshow(plan.pi.T, cmap=ListedColormap(shades), vmin=-0.5, vmax=model.A - 0.5, aspect="auto",
                 interpolation="nearest", origin="lower")  # fmt: skip
    used = np.unique(plan.pi)
    columns = min(used.size, 4 if width > 5 else 2)
    if used.size <= 8:
        row_major = [used[k] for c in range(columns) for k in range(c, used.size, columns)]  # legends fill columns
        keys = [
            Patch(facecolor=shades[a], edgecolor="black", linewidth=0.04 * font, label=f"action {a}") for a in row_major
        ]
        right.legend(handles=keys, loc="lower center", bbox_to_anchor=(0.5, 1.0), ncols=columns, frameon=False,
                     handlelength=1.0, columnspacing=1.0, handletextpad=0.4, fontsize=0.9 * font)  # fmt: skip
    for ax in (left, right):
        ax.set_xlabel("stage")
        ax.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        ax.yaxis.set_major_locator(MaxNLocator(8, integer=True))
    left.set_ylabel("state")
    right.tick_params(axis="y", labelleft=False)


def _shades(count: int) -> list[str]:
    """Colours of actions: the first ones differ in print too."""
    known = ["#E8EEF2", "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#D55E00", "#56B4E9", "#F0E442"]
    return [known[a % len(known)] for a in range(count)]


def _matrix(figure: Figure, model: TabularMDP, plan: Plan, width: float, font: float) -> None:
    """The transition matrix of the optimal policy, and V beside it, a row a state; of uniform play where all tie."""
    from matplotlib.ticker import FixedLocator, MaxNLocator

    from theorylab.figure_style import LEAST

    values, _, pi = first_stage(plan)
    free = bool(ties(plan).all())
    chain = np.zeros((model.S, model.S))
    for state in range(model.S):
        for action in range(model.A) if free else [int(pi[state])]:
            found, probabilities = row_of(model, state, action)
            chain[state, found] += probabilities / model.A if free else probabilities
    side, edge = 0.5 * width, 4.2 * font / 72
    line = 72 * side / model.S / font  # height of a row in lines of text
    named = line > 1.05
    gap = 3.4 * font / 72 if named else 0.1
    numbers = 28 * side / model.S >= LEAST
    left, foot = (width - side) / 2 if free else edge, 0.15 if numbers else 4.7 * font / 72
    figure.set_size_inches(width, foot + side + 4.0 * font / 72)
    ax = axes_at(figure, left, foot, side, side)
    _chances(figure, ax, chain, (left, foot, side), font, scale=not numbers)
    ax.set_xlabel("next state (uniform play)" if free else "next state (optimal policy)")
    ax.set_ylabel("state")
    for axis, room in ((ax.xaxis, line > 1.6), (ax.yaxis, named)):
        axis.set_major_locator(FixedLocator(range(model.S)) if room else MaxNLocator(8, integer=True))
    if numbers:
        for s, s2 in np.argwhere(chain > 0):
            text = f"{chain[s, s2]:.2g}".removeprefix("0") if chain[s, s2] >= 0.01 else "<.01"
            ax.text(s2, s, text, ha="center", va="center", fontsize=min(0.9 * font, 28 * side / model.S))
    if free:
        return
    beside = axes_at(figure, edge + side + gap, foot, width - edge - side - gap - 0.1, side)
    beside.barh(np.arange(model.S), values, height=0.7 if model.S <= 60 else 1.0, color="#3D93CB")
    beside.axvline(0.0, color="black", linewidth=0.07 * font)
    beside.set_ylim(model.S - 0.5, -0.5)
    beside.xaxis.tick_top()
    beside.xaxis.set_label_position("top")
    beside.set_xlabel(value_name(plan))
    if not values.any():
        beside.set_xlim(0.0, 1.0)
    if named:
        beside.set_yticks(np.arange(model.S), [f"$a$ = {a}" for a in pi])
        beside.tick_params(axis="y", length=0)
    else:
        beside.set_yticks([])


def _chances(
    figure: Figure, ax: Axes, chain: Floats, place: tuple[float, float, float], font: float, scale: bool
) -> None:
    """Probabilities as shades, small ones visible by a root; `scale`: a colour bar below; place: left, bottom, side."""
    from matplotlib.colors import PowerNorm

    drawn = ax.imshow(
        chain, cmap=shades_of_values(), norm=PowerNorm(0.5, 0.0, 1.0), aspect="auto", interpolation="nearest"
    )
    ax.spines[["top", "right"]].set_visible(True)
    ax.xaxis.tick_top()
    ax.xaxis.set_label_position("top")
    if not scale:
        return
    left, foot, side = place
    below = axes_at(figure, left, foot - 1.2 * font / 72, side, 0.6 * font / 72)
    shades = figure.colorbar(drawn, cax=below, orientation="horizontal", ticks=[0, 0.01, 0.1, 0.25, 0.5, 1])
    shades.ax.set_xticklabels(["0", ".01", ".1", ".25", ".5", "1"])
    shades.minorticks_off()
    shades.outline.set_linewidth(0.05 * font)
    shades.set_label("probability")


def _curve(figure: Figure, plan: Plan, width: float, font: float) -> None:
    """V over states, where there are too many of them for anything else."""
    figure.set_size_inches(width, 0.45 * width + 0.3)
    figure.set_layout_engine("constrained")
    ax = figure.add_subplot()
    values, _, _ = first_stage(plan)
    ax.plot(np.arange(values.size), values, linewidth=0.08 * font, color="#0072B2", rasterized=values.size > 10_000)
    ax.set(xlabel="state", ylabel=value_name(plan))
