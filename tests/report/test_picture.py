"""Pictures of models: what is drawn is what the plan says, and the bytes are the same in every process."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import FancyArrowPatch
from scipy.sparse import csr_array

from theorylab import diagram
from theorylab.errors import InputError
from theorylab.family import Grid
from theorylab.figure import SIZES, render, save
from theorylab.model import Bandit, Discounted, FiniteHorizon, RewardLaw, ShortestPath, TabularMDP
from theorylab.picture import bar, first_stage, grid_text, model_figure, row_of, successors, ties
from theorylab.plan.api import plan
from theorylab.plan.record import Plan
from theorylab.plan_command import find

ROOT = Path(__file__).resolve().parents[2]
SCRIPT = """
import hashlib, sys
from tests.report.test_picture import chain, garnet
from theorylab.figure import render
from theorylab.picture import model_figure
from theorylab.plan.api import plan
for model in (chain(), garnet()):
    for form in ("svg", "pdf", "png"):
        print(hashlib.sha256(render(model_figure(model, plan(model), size="icml"), form)).hexdigest())
"""


def chain(S: int = 4, criterion: Any = None) -> TabularMDP:
    """A walk: action 1 moves right with probability .75, action 0 left for sure; the last state pays 1."""
    P, r = np.zeros((S, 2, S)), np.zeros((S, 2))
    for s in range(S):
        P[s, 0, max(s - 1, 0)] = 1.0
        P[s, 1, min(s + 1, S - 1)] += 0.75
        P[s, 1, s] += 0.25
    r[S - 1, 1] = 1.0
    return TabularMDP(P=P, r=r, criterion=criterion or Discounted(0.9), name="walk")


def garnet(S: int = 9) -> TabularMDP:
    """Two equally likely successors anywhere."""
    rng = np.random.default_rng(0)
    P = (np.eye(S)[rng.integers(0, S, (S, 3))] + np.eye(S)[rng.integers(0, S, (S, 3))]) / 2
    return TabularMDP(P=P, r=rng.random((S, 3)), criterion=Discounted(0.8))


def rooms() -> tuple[TabularMDP, Grid]:
    """Cells 0 1 / wall 2, goal 2: actions right, down; a blocked move stays; every step costs 1."""
    P = np.zeros((3, 2, 3))
    for s, (right, down) in enumerate([(1, 0), (1, 2), (2, 2)]):
        P[s, 0, right] = P[s, 1, down] = 1.0
    model = TabularMDP(P=P, r=np.array([[-1.0, -1.0], [-1.0, -1.0], [0.0, 0.0]]), criterion=Discounted(0.5),
                       reward_law=RewardLaw("deterministic", -1.0, 0.0))  # fmt: skip
    return model, Grid((2, 2), {0: (0, 0), 1: (0, 1), 2: (1, 1)}, "\N{RIGHTWARDS ARROW}\N{DOWNWARDS ARROW}", {2: "G"})


def words(figure: Figure) -> list[str]:
    return [t.get_text() for ax in figure.axes for t in ax.texts]


# text


def test_bars_are_in_proportion() -> None:
    lengths = [len(bar(x, 0.0, 8.0, 8)) for x in (0, 1, 4, 8)]
    assert lengths == [0, 1, 4, 8]
    assert bar(0.5, 0.0, 1.0, 1) == "\N{LEFT HALF BLOCK}" and bar(3.0, 3.0, 3.0, 8) == ""
    assert bar(-2.0, -4.0, 0.0, 2) == "\N{FULL BLOCK}"


def test_the_plane_has_arrows_marks_and_walls() -> None:
    model, grid = rooms()
    _, _, pi = first_stage(plan(model))
    assert grid_text(grid, pi) == ["\N{RIGHTWARDS ARROW} \N{DOWNWARDS ARROW}", "# G"]
    lines = grid_text(grid, pi, ["-1.5", "-1", "0"])
    assert lines == ["\N{RIGHTWARDS ARROW} \N{DOWNWARDS ARROW}     -1.5   -1", "# G             0"]
    assert grid_text(grid, None) == [". .", "# G"]


def test_successors_are_the_likeliest_of_dense_sparse_and_staged_models() -> None:
    P = np.array([[[0.2, 0.0, 0.5, 0.3]], [[1.0, 0, 0, 0]], [[0.25] * 4], [[0, 0, 0, 1.0]]])
    dense = TabularMDP(P=P, r=np.zeros((4, 1)))
    sparse = TabularMDP(P=csr_array(P.reshape(4, 4)), r=np.zeros((4, 1)))
    other = np.broadcast_to(np.eye(4)[:, None], P.shape)
    staged = TabularMDP(P=np.stack([P, other]), r=np.zeros((4, 1)), criterion=FiniteHorizon(2))
    for model in (dense, sparse, staged):
        assert successors(model, 0, 0, most=2) == [(2, 0.5), (3, 0.3)]
        assert [s for s, _ in successors(model, 2, 0)] == [0, 1, 2]
        assert row_of(model, 0, 0)[0].tolist() == [0, 2, 3]


def test_ties_are_within_the_tolerance_of_planning() -> None:
    q = np.array([[1.0, 1.0 - 1e-13, 1.0 - 1e-9]])
    solved = Plan(np.array([1.0]), q, np.array([0]), None, None, 0.0, 0.0, 1, "given")
    assert ties(solved).tolist() == [[True, True, False]]


# figures


def test_two_processes_write_the_same_bytes() -> None:
    here = [
        hashlib.sha256(render(model_figure(m, plan(m), size="icml"), form)).hexdigest()
        for m in (chain(), garnet())
        for form in ("svg", "pdf", "png")
    ]
    done = subprocess.run([sys.executable, "-c", SCRIPT], env={**os.environ, "PYTHONHASHSEED": "7"}, cwd=ROOT,
                          capture_output=True, text=True, check=True)  # fmt: skip
    assert done.stdout.split() == here


def test_the_diagram_shows_chances_rewards_and_values() -> None:
    model = chain()
    solved = plan(model)
    assert solved.pi.tolist() == [1, 1, 1, 1]
    figure = model_figure(model, solved)
    found = words(figure)
    # three moves to the right and three loops carry a chance; the sure loop at the end does not
    assert found.count("0.75") == 3 and found.count("0.25") == 3
    assert [w for w in found if "r_" in w] == ["$r_{1}$ = 1"]
    heights = [p.get_height() for p in figure.axes[1].patches]
    assert heights == solved.V.tolist()
    assert [t.get_text() for t in figure.axes[1].get_xticklabels()] == ["0", "1", "2", "3"]


def arcs(figure: Figure) -> list[str]:
    """The colours of the arcs of a diagram."""
    return [to_hex(p.get_edgecolor()) for p in figure.axes[0].patches if isinstance(p, FancyArrowPatch)]


def test_actions_with_one_law_are_drawn_once_and_ties_solid() -> None:
    P = np.zeros((2, 3, 2))
    P[0, :, 1] = P[1, :2, 0] = P[1, 2, 1] = 1.0  # state 0: three equal actions; state 1: two equal ones, a loop
    r = np.array([[0.5, 0.5, 0.25], [0.5, 0.5, 0.5]])
    for stay, faint in ((0.5, 0), (0.25, 1)):  # staying is as good as going, or worse
        r[1, 2] = stay
        model = TabularMDP(P=P, r=r, criterion=Discounted(0.5))
        figure = model_figure(model, plan(model))
        colours = arcs(figure)
        assert len(colours) == 3 and sum(c != "#000000" for c in colours) == faint
        keys = [t.get_text() for t in figure.legends[0].get_texts()]
        assert ("other actions" in keys) is bool(faint)
        found = [w for w in words(figure) if "r_" in w]
        assert found[:2] == ["$r_{0,1}$ = 0.5", "$r_{2}$ = 0.25"]
        assert found[2:] == (["$r_{0,1}$ = 0.5", "$r_{2}$ = 0.25"] if faint else ["$r_{0,1,2}$ = 0.5"])


def test_the_goal_of_a_shortest_path_has_a_double_ring() -> None:
    model = chain(3)
    solved = plan(model)
    rings = []
    for drawn in (model, replace(model, criterion=ShortestPath(2))):
        figure = model_figure(drawn, solved)
        rings.append(sum(type(p).__name__ == "Circle" for p in figure.axes[0].patches))
    assert rings == [3, 4]


def test_a_diagram_is_drawn_only_where_it_can_be_read() -> None:
    assert diagram.readable(chain(12), 5.5, 9.0) and not diagram.readable(chain(13), 5.5, 9.0)
    assert not diagram.readable(chain(12), 3.25, 8.0)  # too narrow
    assert not diagram.readable(garnet(), 5.5, 9.0)  # long jumps


def test_the_matrix_is_that_of_the_optimal_policy() -> None:
    model = garnet()
    solved = plan(model)
    figure = model_figure(model, solved)
    (image,) = figure.axes[0].images
    assert (np.asarray(image.get_array()) == model.P[np.arange(9), solved.pi]).all()
    assert [p.get_width() for p in figure.axes[1].patches] == solved.V.tolist()
    assert [t.get_text() for t in figure.axes[1].get_yticklabels()] == [f"$a$ = {a}" for a in solved.pi]


def test_without_rewards_the_matrix_is_that_of_uniform_play() -> None:
    model = garnet()
    free = TabularMDP(P=model.P, r=np.zeros((9, 3)), criterion=Discounted(0.8))
    figure = model_figure(free, plan(free))
    assert len(figure.axes) == 1 and figure.axes[0].get_xlabel() == "next state (uniform play)"
    np.testing.assert_allclose(np.asarray(figure.axes[0].images[0].get_array()), model.P.mean(axis=1), atol=1e-15)


def test_chances_are_written_or_have_a_scale() -> None:
    small = garnet()
    P = small.P.copy()
    P[0] = [1.0 - 1e-3, 1e-3, *[0.0] * 7]
    model = TabularMDP(P=P, r=small.r, criterion=Discounted(0.8))
    figure = model_figure(model, plan(model))
    assert len(figure.axes) == 2 and "<.01" in words(figure)
    large = garnet(40)
    figure = model_figure(large, plan(large))
    assert words(figure) == [] and figure.axes[1].get_xlabel() == "probability"


def test_stages_show_values_and_actions() -> None:
    model = chain(criterion=FiniteHorizon(5))
    solved = plan(model)
    figure = model_figure(model, solved)
    values, actions = (np.asarray(ax.images[0].get_array()) for ax in figure.axes[:2])
    assert (values == solved.V[:5].T).all() and (actions == solved.pi.T).all()
    legend = figure.axes[1].get_legend()
    assert legend is not None and [t.get_text() for t in legend.get_texts()] == ["action 0", "action 1"]


def test_the_plane_shows_values_and_each_optimal_action() -> None:
    model, grid = rooms()
    solved = plan(model)
    figure = model_figure(model, solved, grid=grid)
    ax = figure.axes[0]
    plane = np.ma.filled(ax.images[0].get_array(), np.nan)
    assert plane[0].tolist() == solved.V[:2].tolist() and np.isnan(plane[1, 0]) and plane[1, 1] == 0
    arrows = [t for t in ax.texts if getattr(t, "arrow_patch", None) is not None]
    marks = [t.get_text() for t in ax.texts if t.get_text()]
    assert len(arrows) == 2 and marks == ["G"]  # one way from each cell, none from the goal
    ends = [(t.xy, t.xyann) for t in arrows]  # type: ignore[attr-defined]
    assert ends[0][0][0] > ends[0][1][0] and ends[1][0][1] > ends[1][1][1]  # right, then down


def test_a_plane_without_rewards_shows_its_states() -> None:
    model, grid = rooms()
    free = TabularMDP(P=model.P, r=np.zeros((3, 2)), criterion=Discounted(0.5))
    figure = model_figure(free, plan(free), grid=grid)
    assert words(figure) == ["0", "1", "G"] and len(figure.axes) == 1


def test_the_goal_of_a_shortest_path_is_marked_in_the_plane() -> None:
    family = find("four-rooms", {}, ShortestPath(5), unit_cost=True)
    figure = model_figure(family.model, plan(family.model), grid=family.grid)
    (mark,) = [t for t in figure.axes[0].texts if t.get_text()]
    assert family.grid is not None and mark.get_text() == "G" and mark.get_position() == family.grid.cells[5][::-1]


def test_many_states_become_a_line() -> None:
    S = 500
    P = csr_array((np.ones(S), (np.arange(S), (np.arange(S) + 1) % S)), shape=(S, S))
    model = TabularMDP(P=P, r=np.arange(S)[:, None] / S, criterion=Discounted(0.5))
    solved = plan(model)
    (line,) = model_figure(model, solved).axes[0].lines
    assert (line.get_ydata() == solved.V).all()


def test_a_bandit_has_bars_and_gaps() -> None:
    figure = model_figure(Bandit(means=np.array([0.9, 0.6, 0.9])))
    ax = figure.axes[0]
    assert [p.get_height() for p in ax.patches if type(p).__name__ == "Rectangle"] == [0.9, 0.6, 0.9]
    assert [w for w in words(figure) if w] == [r"$\Delta$ = 0.3"]


def test_gaps_stand_above_the_bars_without_overlaps() -> None:
    for means in (np.array([1.0, 0.0, 0.99]), np.linspace(0.9, 0.1, 9)):
        figure = model_figure(Bandit(means=means), size="icml")
        ax = figure.axes[0]
        renderer = figure._get_renderer()  # type: ignore[attr-defined]
        texts = [t for t in ax.texts if t.get_text()]
        assert len(texts) >= len(means) - 1
        boxes = [t.get_window_extent(renderer) for t in texts]
        assert not [1 for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
        top = ax.transData.transform((0.0, means.max()))[1]
        assert all(box.y0 > top for box in boxes)
    crowded = Bandit(means=np.linspace(0, 1, 40))
    assert not [w for w in words(model_figure(crowded)) if w]


@pytest.mark.parametrize("size", SIZES)
def test_nothing_is_cut_off(size: str) -> None:
    """Every text of every kind of picture lies within the figure."""
    r = np.array([[-12.5, -12.5]] * 3 + [[0.0, 0.0]])
    costs = replace(chain(criterion=ShortestPath(3)), r=r, reward_law=RewardLaw("deterministic", -12.5, 0.0))
    plane, grid = rooms()
    staged = chain(criterion=FiniteHorizon(9))
    for model, where in ((chain(), None), (costs, None), (garnet(), None), (garnet(40), None), (plane, grid),
                         (staged, None)):  # fmt: skip
        figure = model_figure(model, plan(model), grid=where, size=size)
        figure.canvas.draw()
        renderer = figure._get_renderer()  # type: ignore[attr-defined]
        for ax in figure.axes:
            box = ax.get_tightbbox(renderer)
            assert box is not None
            assert box.x0 >= -1 and box.y0 >= -1, (model.name, ax.get_xlabel(), box)
            assert box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1, (model.name, ax.get_xlabel(), box)


@pytest.mark.parametrize("size", SIZES)
def test_figures_have_the_width_of_their_size(size: str, tmp_path: Path) -> None:
    model = chain()
    figure = model_figure(model, plan(model), size=size)
    assert figure.get_size_inches()[0] == SIZES[size][0]
    assert save(figure, tmp_path / "a.svg").read_bytes().startswith(b"<?xml")


def test_global_settings_are_neither_used_nor_changed() -> None:
    model = chain()
    plain = render(model_figure(model, plan(model)), "svg")
    before = dict(matplotlib.rcParams)
    with matplotlib.rc_context({"font.size": 31.0, "axes.facecolor": "red"}):
        assert render(model_figure(model, plan(model)), "svg") == plain
    assert dict(matplotlib.rcParams) == before


def test_what_cannot_be_drawn_is_refused() -> None:
    model, grid = rooms()
    with pytest.raises(InputError, match="unknown figure size 'nips'"):
        model_figure(model, plan(model), size="nips")
    with pytest.raises(InputError, match="give plan=plan"):
        model_figure(model)
    with pytest.raises(InputError, match=r"places state 2, the model has states 0\.\.1"):
        two = chain(2)
        model_figure(two, plan(two), grid=grid)
