"""The state diagram of a small chain-like model, left to right, with V as bars below.

Arcs of optimal actions are solid, those of the others faint and nearer to the states; actions with the same successors
are drawn once. The greedy action's arcs carry their probability unless it is 1. Arcs to the right run above the states,
arcs to the left below, loops stand on top. Non-zero rewards stand below the states. A shortest path's goal has a double
ring. Lengths are in units of the distance between two states unless said.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from theorylab.criteria import ShortestPath
from theorylab.model import TabularMDP
from theorylab.picture import axes_at, bare, first_stage, row_of, ties, value_name
from theorylab.plan.record import Plan

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["draw", "readable"]

MOST = 12  # states
FAINT, DASHED = "#87939C", (0, (4, 2))


def readable(model: TabularMDP, width: float, font: float) -> bool:
    """Whether a state diagram from left to right stays readable: few states, no long jumps."""
    if model.S > min(MOST, (width - _margin(font)) / (0.04 * font)) or model.A > 6:
        return False
    moves = [(s, s2) for s in range(model.S) for a in range(model.A) for s2 in row_of(model, s, a)[0]]
    return all(abs(int(s2) - s) <= (1 if model.S > 6 else 2) for s, s2 in moves)


def _margin(font: float) -> float:
    """Inches to the left and right of the states together."""
    return 0.12 * font


def draw(figure: Figure, model: TabularMDP, plan: Plan, width: float, font: float) -> None:
    """States from left to right, optimal actions solid with probabilities, others faint; V as bars below."""
    from matplotlib.lines import Line2D

    values, _, pi = first_stage(plan)
    unit = min((width - _margin(font)) / model.S, 0.13 * font)  # inches between states
    radius = min(0.24, 0.0175 * font / unit)  # in units of that distance
    longest = max(abs(int(s2) - s) for s in range(model.S) for a in range(model.A) for s2 in row_of(model, s, a)[0])
    line = font / 72 / unit  # height of a line of text
    written = [_rewards(model.r[s], unit) for s in range(model.S)]
    rewards = max(map(len, written))
    top = max(_loop(radius, 2)[0], _bow(longest, 2)) + 1.3 * line
    low = -max(_bow(longest, 2), radius) - 1.2 * line  # below it, the rewards
    bottom = -low + 1.2 * line * rewards
    columns = 3 if width > 5 or not rewards else 2
    height, bars, key = (top + bottom) * unit, 0.083 * font, (2.2 if columns == 3 else 3.5) * font / 72
    foot, gap = 3.6 * font / 72, 0.9 * font / 72
    figure.set_size_inches(width, foot + bars + gap + height + key)
    left = (width - unit * model.S + 0.055 * font) / 2
    ax = axes_at(figure, left, foot + bars + gap, unit * model.S, height)
    ax.set(xlim=(-0.5, model.S - 0.5), ylim=(-bottom, top))
    bare(ax)
    goal = model.criterion.goal if isinstance(model.criterion, ShortestPath) else None
    optimal = ties(plan)
    faint = False
    for state in range(model.S):
        for action, best in _distinct(model, state, int(pi[state]), optimal[state]):
            if state != goal:
                _moves(ax, model, state, action, action == pi[state], best, radius, unit, font)
                faint |= not best
        _node(ax, state, radius, font, double=state == goal)
        for place, (actions, text) in enumerate(written[state]):
            shade = "black" if optimal[state, actions].any() else "#6F7A82"
            ax.text(state, low - 1.2 * line * place, text, ha="center", va="top", color=shade,
                    fontsize=0.9 * font)  # fmt: skip
    below = axes_at(figure, left, foot, unit * model.S, bars)
    below.bar(np.arange(model.S), values, width=2 * radius, color="#3D93CB")
    below.axhline(0.0, color="black", linewidth=0.07 * font)
    below.set_xlim(-0.5, model.S - 0.5)
    below.set_xticks(np.arange(model.S))
    below.set_xlabel("state")
    below.set_ylabel(value_name(plan).replace(" (", "\n("))
    keys = [Line2D([], [], color="black", label="optimal action")]
    if faint:
        keys.append(Line2D([], [], color=FAINT, linestyle=DASHED, label="other actions"))
    if rewards:
        keys.append(Line2D([], [], color="none", label="$r_a$: reward of action $a$ where not 0"))
    figure.legend(handles=keys, loc="upper center", ncols=columns, frameon=False, handlelength=1.8, columnspacing=1.2,
                  handletextpad=0.5, borderaxespad=0.2, fontsize=0.9 * font)  # fmt: skip


def _distinct(model: TabularMDP, state: int, greedy: int, optimal: Any) -> list[tuple[int, bool]]:
    """One action for each law of the next state, the greedy one first, and whether one with that law is optimal."""
    rows: dict[bytes, list[int]] = {}
    for action in [greedy, *(a for a in range(model.A) if a != greedy)]:
        found, probabilities = row_of(model, state, action)
        rows.setdefault(found.astype(np.int64).tobytes() + probabilities.tobytes(), []).append(action)
    return [(actions[0], bool(optimal[actions].any())) for actions in rows.values()]


def _rewards(rewards: Any, unit: float) -> list[tuple[list[int], str]]:
    """The non-zero rewards of a state, those with the same text together: actions and text."""
    found: dict[str, list[int]] = {}
    for action in np.flatnonzero(rewards).tolist():
        found.setdefault(_short(rewards[action], unit), []).append(action)
    return [(actions, f"$r_{{{','.join(map(str, actions))}}}$ = {text}") for text, actions in found.items()]


def _short(p: float, unit: float) -> str:
    """A number beside an arc, without the leading 0 where there is little room."""
    text = f"{p:.3g}".replace("-", "\N{MINUS SIGN}")
    return text if unit > 0.6 else text.replace("0.", ".", 1)


def _node(ax: Axes, state: int, radius: float, font: float, double: bool) -> None:
    from matplotlib.patches import Circle

    for share, line in ((1.0, 0.1), (0.8, 0.07))[: 1 + double]:
        ax.add_patch(
            Circle((state, 0.0), share * radius, facecolor="white", edgecolor="black", linewidth=line * font, zorder=5)
        )
    ax.text(state, 0.0, str(state), ha="center", va="center", zorder=7)


def _bow(length: int, lane: int) -> float:
    """How far an arc over `length` states rises; lane 2 for the greedy action, 1 for others."""
    return 0.12 + 0.12 * lane + 0.42 * (length - 1)


def _loop(radius: float, lane: int) -> tuple[float, float]:
    """Height and half width of a loop."""
    return radius + 0.2 * lane + 0.1, 0.1 + 0.08 * lane


def _moves(
    ax: Axes, model: TabularMDP, state: int, action: int, greedy: bool, optimal: bool, radius: float, unit: float,
    font: float,
) -> None:  # fmt: skip
    """The arcs of one action: to the right above, to the left below, loops above the node; the greedy ones outside."""
    from matplotlib.patches import FancyArrowPatch
    from matplotlib.path import Path

    lane = 2 if greedy else 1
    out, up = (0.8, 0.6) if greedy else (0.95, 0.3)  # where an arc meets its state, in radii
    look: dict[str, Any] = {
        "arrowstyle": f"-|>,head_length={0.42 * font:.2f},head_width={0.19 * font:.2f}", "mutation_scale": 1.0,
        "color": "black" if optimal else FAINT, "linewidth": (0.1 if optimal else 0.08) * font,
        "zorder": 3 if optimal else 2, "linestyle": "-" if optimal else DASHED, "shrinkA": 0, "shrinkB": 0,
    }  # fmt: skip
    found, probabilities = row_of(model, state, action)
    for target, p in zip((int(t) for t in found), probabilities, strict=True):
        side = -1 if target < state else 1
        if target == state:
            rise, half = _loop(radius, lane)
            start, end, foot = state - (1 - out**2) ** 0.5 * radius, state + (1 - out**2) ** 0.5 * radius, out * radius
            control = (state - half, state + half)
        else:
            rise = _bow(abs(target - state), lane) * side
            start, end, foot = state + out * radius * side, target - out * radius * side, up * radius * side
            control = (start + 0.15 * side, end - 0.15 * side)
        pull = (rise - 0.25 * foot) / 0.75  # a cubic curve reaches three quarters of the way to its control points
        path = Path(
            [(start, foot), (control[0], pull), (control[1], pull), (end, foot)],
            [Path.MOVETO, Path.CURVE4, Path.CURVE4, Path.CURVE4],
        )
        ax.add_patch(FancyArrowPatch(path=path, **look))
        if greedy and p < 1:
            ax.annotate(_short(p, unit), xy=((state + target) / 2, rise), xytext=(0, 0.25 * font * side),
                        textcoords="offset points", ha="center", va="bottom" if side > 0 else "top", zorder=4,
                        bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.03 * font},
                        fontsize=(0.9 if unit > 0.6 else 0.8) * font)  # fmt: skip
