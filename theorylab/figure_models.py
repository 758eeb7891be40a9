"""Figures of a model: the picture of its optimal plan, and where a policy spends its time.

    picture     `theorylab.picture.model_figure`: values and actions in the plane, state diagram, stages, arms
    occupancy   the occupancy measure (`theorylab.plan.occupancy`) of the optimal plan or of a policy, from mu0: a heat
                map of the plane where the states lie in one, else of states by actions, or by stages. Its unit:

        FiniteHorizon   share of the episode's stages (each stage has 1/H of it);  AverageReward   share of the steps
        Discounted      share of the discounted steps;             ShortestPath    expected visits before the goal

The scale of colours is that of the square root, so that rare visits are seen; numbers stand at its bar. The model is
named, lies in a .npz file, or is that of `theorylab plan MODEL --json`, which gives it parameters and a criterion.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import ticker
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from theorylab.criteria import AverageReward, Criterion, Discounted, FiniteHorizon, ShortestPath
from theorylab.errors import InputError
from theorylab.figure_command import anchors_of
from theorylab.figure_kinds import Drawing
from theorylab.figure_style import LEAST, SIZES, paper_style
from theorylab.model import Bandit, TabularMDP
from theorylab.picture import axes_at, bare, first_stage, model_figure, row_of, shades_of_values, ties
from theorylab.plan.api import plan as plan_of
from theorylab.plan.occupancies import occupancy
from theorylab.plan.record import Plan
from theorylab.plan_command import Subject, find
from theorylab.table import clean, number

__all__ = ["MODEL_KINDS", "model_drawings", "occupancy_figure", "occupancy_table", "picture_table", "policy_of",
           "subject_of"]  # fmt: skip

#: kind -> what it shows
MODEL_KINDS = {"picture": "a model and its optimal plan", "occupancy": "where a policy spends its time"}
UNIFORM = "uniform play"
CRITERIA: Mapping[str, type] = {c.__name__: c for c in (FiniteHorizon, Discounted, AverageReward, ShortestPath)}
UNITS = {
    FiniteHorizon: "share of the episode",
    Discounted: "share of discounted steps",
    AverageReward: "share of steps",
    ShortestPath: "expected visits",
}


def subject_of(source: str) -> Subject:
    """The model of a name, a .npz file, or a file of `theorylab plan MODEL --json`.

    Raises InputError for an unknown name, a file that holds none of this, and a model that is not the one of the file:
    its content hash is compared.
    """
    if source.endswith(".npz"):
        return find(source, {}, None)
    if not Path(source).is_file():
        try:
            return find(source, {}, None)
        except InputError as wrong:
            raise InputError(f"there is no file or folder '{source}'; as a model: {wrong}") from None
    try:
        head = json.loads(Path(source).read_text(encoding="utf-8"))["model"]
        family, digest, given = head["family"], head["digest"], head["params"]
        criterion = _criterion(head["criterion"]) if "criterion" in head else None
    except (ValueError, KeyError, TypeError):
        raise InputError(
            f"'{source}' is no file of `theorylab plan MODEL --json`; write it again, or name the model"
        ) from None
    if family is None:
        raise InputError(f"'{source}' is of a model from a file; give that .npz file itself")
    params = {k: tuple(v) if isinstance(v, list) else v for k, v in given.items()}
    for unit_cost in (False, True) if isinstance(criterion, ShortestPath) else (False,):
        found = find(family, params, criterion, unit_cost=unit_cost)
        if found.digest == digest:
            return found
    raise InputError(f"'{source}': the model '{family}' of this version is not the one of the file; plan it again")


def _criterion(text: str) -> Criterion:
    """The criterion that `str` wrote: "Discounted(gamma=0.9)"."""
    name, inner = re.fullmatch(r"(\w+)\((.*)\)", text).groups()  # type: ignore[union-attr]
    made: Criterion = CRITERIA[name](**{k: json.loads(v) for k, _, v in (x.partition("=") for x in [inner] if x)})
    return made


def _words(criterion: Criterion) -> str:
    if isinstance(criterion, FiniteHorizon):
        return f"{criterion.H} stages"
    if isinstance(criterion, Discounted):
        return f"discount {number(criterion.gamma, 4)}"
    return f"shortest path to {criterion.goal}" if isinstance(criterion, ShortestPath) else "average reward"


def policy_of(model: TabularMDP, plan: Plan, given: str | None) -> tuple[NDArray[Any], str]:
    """A policy and what it is called: "optimal", "uniform", or an array in a .npy file.

    None is the optimal one, but uniform play where all actions are optimal everywhere and none is worth following. The
    array: integers (S,) or, for a finite horizon, (H,S); or probabilities (S,A) or (H,S,A). Raises InputError for a
    file that cannot be read; `occupancy` refuses a wrong shape or entry.
    """
    if given is None:
        given = "uniform" if ties(plan).all() else "optimal"
    if given == "optimal":
        return plan.pi, "optimal policy"
    if given == "uniform":
        return np.full((*plan.pi.shape, model.A), 1.0 / model.A), UNIFORM
    try:
        return np.load(str(given), allow_pickle=False), f"policy {Path(str(given)).stem}"
    except (OSError, ValueError) as wrong:
        raise InputError(
            f"--policy '{given}' cannot be read as a .npy file ({wrong}); give one, or 'optimal', or 'uniform'"
        ) from None


def model_drawings(subject: Subject, policy: str | None = None) -> list[Drawing]:
    """The picture of a model, and the occupancy measure of its optimal plan or of `policy` (see `policy_of`)."""
    model, name = subject.model, str(subject.model.name)
    anchor = anchors_of([name])[name]
    if isinstance(model, Bandit):
        if policy is not None:
            raise InputError(f"'{name}' is a bandit: it has no states to occupy; leave --policy out")
        text = clean(f"{name}: mean rewards of its arms, and gaps to the best.")
        return [Drawing("picture", f"{anchor}-picture", text, name, partial(picture_table, model, None),
                        partial(_picture, subject, None))]  # fmt: skip
    plan = plan_of(model)
    pi, called = policy_of(model, plan, policy)
    d = occupancy(model, pi)
    unit = UNITS[type(model.criterion)]
    asked = _words(model.criterion)
    pictured = clean(f"{name}, {asked}: values and optimal actions.")
    who = called if called == UNIFORM else f"the {called}"
    occupied = clean(f"{name}, {asked}: where {who} spends its time from the initial law, {unit}.")
    return [
        Drawing("picture", f"{anchor}-picture", pictured, name, partial(picture_table, model, plan),
                partial(_picture, subject, plan)),
        Drawing("occupancy", f"{anchor}-occupancy", occupied, name, partial(occupancy_table, d),
                partial(_occupancy, subject, d, called)),
    ]  # fmt: skip


def _picture(subject: Subject, plan: Plan | None, size: str) -> Figure:
    return model_figure(subject.model, plan, grid=subject.grid, size=size)


def _occupancy(subject: Subject, d: NDArray[np.float64], called: str, size: str) -> Figure:
    return occupancy_figure(subject, d, called=called, size=size)


def picture_table(model: TabularMDP | Bandit, plan: Plan | None) -> dict[str, list[Any]]:
    """The data of a picture. A bandit: arm, mean, gap. Else a row a transition of positive probability:

    state, action, next_state, probability, reward (mean), V, optimal (1 if the action is). With a finite horizon, where
    stages are drawn, a row a stage and state: stage, state, V, action (the greedy one).
    """
    if isinstance(model, Bandit):
        return {"arm": list(range(model.A)), "mean": model.means.tolist(), "gap": model.gaps.tolist()}
    assert plan is not None
    if plan.Q.ndim == 3:
        H, S = plan.pi.shape
        stage, state = (x.ravel().tolist() for x in np.indices((H, S)))
        return {"stage": stage, "state": state, "V": plan.V[:H].ravel().tolist(), "action": plan.pi.ravel().tolist()}
    values, _, _ = first_stage(plan)
    best = ties(plan)
    names = ("state", "action", "next_state", "probability", "reward", "V", "optimal")
    out: dict[str, list[Any]] = {k: [] for k in names}
    for s in range(model.S):
        for a in range(model.A):
            for s2, p in zip(*row_of(model, s, a), strict=True):
                row = (s, a, int(s2), float(p), float(model.r[s, a]), float(values[s]), int(best[s, a]))
                for name, value in zip(names, row, strict=True):
                    out[name].append(value)
    return out


def occupancy_table(d: NDArray[np.float64]) -> dict[str, list[Any]]:
    """Columns (stage,) state, action, occupancy: the measure as `theorylab.plan.occupancy` gives it."""
    places = dict(zip(("stage", "state", "action")[-d.ndim :], np.indices(d.shape), strict=True))
    return {**{k: v.ravel().tolist() for k, v in places.items()}, "occupancy": d.ravel().tolist()}


def occupancy_figure(
    subject: Subject, d: NDArray[np.float64], *, called: str = "optimal policy", size: str = "neurips"
) -> Figure:
    """The heat map of an occupancy measure d, (S,A) or (H,S,A); see the module's text. InputError for the size."""
    model, grid = subject.model, subject.grid
    with paper_style(size):
        width, height, font = SIZES[size]
        figure = Figure(figsize=(width, height))
        unit = UNITS[type(model.criterion)]
        share = d / d.shape[0] if d.ndim == 3 else d
        heading = f"{unit}, {called}"
        if grid is not None:
            visits = share.reshape(-1, model.S, model.A).sum(axis=(0, 2))
            plane = np.full(grid.shape, np.nan)
            for state, at in grid.cells.items():
                plane[at] = visits[state]
            rows, columns = grid.shape
            cell = min((width - 0.2) / columns, 0.85 * height / rows, 0.55 * font / 9)
            ax = _heat(figure, plane, (width, cell * columns, cell * rows), font, heading, 0.1)
            bare(ax, spines=True)
            ax.set_xticks(np.arange(1, columns) - 0.5, minor=True)
            ax.set_yticks(np.arange(1, rows) - 0.5, minor=True)
            ax.grid(which="minor", color="#CFCFCF", linewidth=0.05 * font)
            ax.tick_params(which="both", length=0)
            letters = 0.5 * 72 * cell
            if letters >= LEAST:
                for state, mark in grid.marks.items():
                    row, column = grid.cells[state]
                    ax.text(column, row, mark, ha="center", va="center", fontsize=letters, weight="bold")
            return figure
        staged = d.ndim == 3
        table = share.sum(axis=2).T if staged else share.T
        edge = 4.0 * font / 72
        tall = min(max((1.5 if staged else 2.4) * font / 72 * table.shape[0], 0.09 * width), 0.5 * width)
        ax = _heat(figure, table, (width, width - edge - 1.4 * font / 72, tall), font, heading, edge)
        if staged:
            ax.invert_yaxis()  # as in the picture
        ax.set_xlabel("stage" if staged else "state")
        ax.set_ylabel("state" if staged else "action")
        for axis, count in ((ax.xaxis, table.shape[1]), (ax.yaxis, table.shape[0])):
            axis.set_major_locator(
                ticker.FixedLocator(range(count)) if count <= 12 else ticker.MaxNLocator(8, integer=True)
            )
    return figure


def _heat(
    figure: Figure,
    table: NDArray[np.float64],
    place: tuple[float, float, float],
    font: float,
    heading: str,
    edge: float,
) -> Any:
    """Axes with a heat map of a given width and height in inches, its colour bar with its unit above."""
    whole, wide, tall = place
    point = font / 72
    foot = 0.12 if edge <= 0.1 else 3.4 * point
    figure.set_size_inches(whole, foot + tall + 4.6 * point)
    left = (whole - wide) / 2 if edge <= 0.1 else edge
    ax = axes_at(figure, left, foot, wide, tall)
    top = float(np.nanmax(table))
    drawn = ax.imshow(
        np.ma.masked_invalid(table), cmap=shades_of_values().with_extremes(bad="#565656"), aspect="auto",
        norm=PowerNorm(0.5, 0.0, top if top > 0 else 1.0), interpolation="nearest", origin="upper",
    )  # fmt: skip
    ax.spines[["top", "right"]].set_visible(True)
    broad = max(wide, 0.55 * whole)
    above = axes_at(figure, min(left + (wide - broad) / 2, whole - broad - 0.15) if broad > wide else left,
                    foot + tall + 0.6 * point, broad, 0.6 * point)  # fmt: skip
    ticks = [float(f"{top * x:.1g}") for x in (0.0, 0.01, 0.1, 0.3, 0.6)] + [top]
    scale = figure.colorbar(drawn, cax=above, orientation="horizontal", ticklocation="top", ticks=ticks)
    scale.ax.xaxis.set_major_formatter(ticker.FuncFormatter(lambda x, _: number(x, 2)))
    scale.minorticks_off()
    scale.outline.set_linewidth(0.05 * font)
    scale.ax.set_xlabel(heading, parse_math=False)
    return ax
