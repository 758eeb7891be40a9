"""Grid worlds: moves, slips and goals by hand; layouts for pictures; sparse storage of the same model."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mdps
from theorylab import registry
from theorylab.assume import communicating
from theorylab.errors import InputError
from theorylab.family import Grid
from theorylab.model import Discounted, RewardLaw, ShortestPath, TabularMDP
from theorylab.plan import bias_span, diameter, plan
from theorylab.plan.hitting import times_to

M = mdps.models
MAP = ("S.G", ".#.", "..L")
GRIDS = [family for family in registry.iter_specs("models") if family.grid is not None]


def row(m: TabularMDP, s: int, a: int) -> dict[int, float]:
    """Successors of (s, a) with their probabilities."""
    return {int(s2): float(m.dense()[s, a, s2]) for s2 in np.flatnonzero(m.dense()[s, a])}


def test_states_moves_and_walls() -> None:
    m = M.gridworld(layout=MAP, rewards={})
    # states    0 1 2 / 3 . 4 / 5 6 7
    assert (m.S, m.A, m.name) == (8, 4, "gridworld-3x3") and m.mu0.tolist() == [1, 0, 0, 0, 0, 0, 0, 0]
    up, right, down, left = 0, 1, 2, 3
    assert row(m, 1, down) == {1: 1.0} and row(m, 6, up) == {6: 1.0} and row(m, 3, right) == {3: 1.0}
    assert row(m, 0, right) == {1: 1.0} and row(m, 0, down) == {3: 1.0} and row(m, 0, left) == {0: 1.0}
    assert row(m, 4, up) == {2: 1.0} and row(m, 7, left) == {6: 1.0}
    assert diameter(m) == 4.0


def test_uniform_slip_redraws_the_direction_among_all_four() -> None:
    m = M.gridworld(layout=["...", "...", "..."], rewards={}, slip=0.2)
    assert row(m, 4, 0) == pytest.approx({1: 0.85, 3: 0.05, 5: 0.05, 7: 0.05})
    assert row(m, 0, 0) == pytest.approx({0: 0.85 + 0.05, 1: 0.05, 3: 0.05})  # blocked up and left add up
    assert row(M.gridworld(layout=["...", "...", "..."], rewards={}, slip=1.0), 4, 2) == {
        1: 0.25,
        3: 0.25,
        5: 0.25,
        7: 0.25,
    }


def test_sideways_slip_turns_by_a_right_angle() -> None:
    m = M.gridworld(layout=["...", "...", "..."], rewards={}, slip=0.2, slip_kind="sideways")
    assert row(m, 4, 0) == pytest.approx({1: 0.8, 3: 0.1, 5: 0.1})
    assert row(m, 4, 3) == pytest.approx({3: 0.8, 1: 0.1, 7: 0.1})
    assert row(m, 0, 1) == pytest.approx({1: 0.8, 0: 0.1, 3: 0.1})


def test_goals_and_what_follows_them() -> None:
    rewards = {"G": 2.0, "L": -1.0}
    m = M.gridworld(layout=MAP, rewards=rewards, step_reward=-0.5)
    assert m.r.tolist() == [[-0.5] * 4] * 2 + [[2.0] * 4] + [[-0.5] * 4] * 4 + [[-1.0] * 4]
    assert m.reward_law == RewardLaw("deterministic", -1.0, 2.0)
    assert all(row(m, s, a) == {0: 1.0} for s in (2, 7) for a in range(4))
    # two steps to G, then its reward on the way back to the start: 1 in 3 steps
    open_map = M.gridworld(layout="S.G/...", rewards=rewards, step_reward=-0.5)
    assert plan(open_map).gain == pytest.approx((2.0 - 1.0) / 3, abs=1e-14)
    stay = M.gridworld(layout=MAP, rewards=rewards, after="stay", criterion=Discounted(0.5))
    assert all(row(stay, s, a) == {s: 1.0} for s in (2, 7) for a in range(4))
    assert plan(stay).V[0] == pytest.approx(0.25 * 2.0 / 0.5)
    move = M.gridworld(layout=MAP, rewards=rewards, after="move")
    assert row(move, 2, 3) == {1: 1.0} and row(move, 7, 0) == {4: 1.0}
    assert plan(move).gain == 2.0  # up against the border, in G for ever


def test_several_starts_share_the_first_state_and_the_restart() -> None:
    m = M.gridworld(layout="S.S/..G")
    assert m.mu0.tolist() == [0.5, 0, 0.5, 0, 0, 0]
    assert row(m, 5, 1) == {0: 0.5, 2: 0.5}
    goal = M.gridworld(layout="S.S/..G", step_reward=-1.0, criterion=ShortestPath(5))
    assert goal.mu0[5] == 0 and goal.r[0, 0] == -1.0


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"layout": []}, "the layout is"),
        ({"layout": ["..", "..."]}, "row 1 of the layout has 3 cells, row 0 has 2"),
        ({"layout": ["##"]}, "the layout has no free cell"),
        ({"slip": -0.1}, r"slip is -0\.1"),
        ({"slip_kind": "sidewise"}, "unknown slip_kind 'sidewise'; nearest: sideways"),
        ({"after": "restarts"}, "unknown after 'restarts'; nearest: restart"),
        ({"rewards": {"GG": 1.0}}, "the goal 'GG' is not one character"),
        ({"rewards": {"#": 1.0}}, "the goal '#' is not one character other than '#' and 'S'"),
        ({"rewards": {"G": float("nan")}}, r"rewards\['G'\] is nan"),
        ({"layout": ["." * 150] * 150}, r"shape \(22500, 4, 22500\) takes 15\.1 GiB; give sparse=True"),
    ],
)
def test_bad_grid_worlds(params: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        M.gridworld(**params)


# sparse storage


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("gridworld", {"layout": MAP, "slip": 0.3}),
        ("gridworld", {"layout": MAP, "slip": 0.3, "slip_kind": "sideways", "after": "stay"}),
        ("four_rooms", {}),
        ("four_rooms", {"slip": 0.0, "reward": 1.0}),
        ("deep_sea", {"N": 7, "labels": "cell"}),
        ("deep_sea", {"N": 7, "variant": "stochastic"}),
    ],
)
def test_sparse_has_the_same_numbers(name: str, params: dict[str, Any]) -> None:
    dense, sparse = getattr(M, name)(**params), getattr(M, name)(**params, sparse=True)
    assert sparse.sparse and not dense.sparse
    assert (sparse.dense() == dense.P).all() and (sparse.r == dense.r).all() and sparse.name == dense.name


def test_large_grids_are_built_from_their_entries() -> None:
    m = M.gridworld(layout=["." * 300] * 300, rewards={}, slip=0.1, sparse=True)
    assert m.S == 90_000 and m.P.nnz <= 4 * 4 * m.S and m.row_profile.terms == 4
    assert M.deep_sea(N=300, sparse=True).P.nnz == 2 * 90_000


OPEN = {"layout": ["." * 45] * 45, "rewards": {}, "slip": 0.1, "sparse": True}


def test_a_grid_of_two_thousand_states() -> None:
    m = M.gridworld(**OPEN)
    assert (m.S, m.P.nnz, m.row_profile.terms) == (2025, 4 * 4 * 2025 - 4 * 4, 4)
    assert m.digest == M.gridworld(**{**OPEN, "layout": "/".join(["." * 45] * 45)}).digest
    assert communicating(m) is None
    far = times_to(m, 0)
    assert far.max() == pytest.approx(96.906477, abs=1e-6) and int(np.argmax(far)) == 2024


@pytest.mark.long
def test_the_diameter_of_a_grid_of_two_thousand_states() -> None:
    assert diameter(M.gridworld(**OPEN)) == pytest.approx(96.906477, abs=1e-6)


@pytest.mark.parametrize(("S", "b"), [(6, 1), (6, 3), (6, 6), (200, 5)])
def test_sparse_garnet(S: int, b: int) -> None:
    m = M.garnet(S=S, A=2, b=b, seed=3, sparse=True)
    P = m.dense()
    assert ((P > 0).sum(axis=-1)[:, 1] == b).all() and ((P > 0).sum(axis=-1)[:, 0] >= b).all()
    assert (P[np.arange(S), 0, (np.arange(S) + 1) % S] >= 1e-3).all()
    assert m.name == f"garnet-{S}-2-{b}-3-sparse" and m.digest != M.garnet(S=S, A=2, b=b, seed=4, sparse=True).digest
    assert m.digest == M.garnet(S=S, A=2, b=b, seed=3, sparse=True).digest


def test_sparse_garnet_draws_each_set_of_successors_equally_often() -> None:
    m = M.garnet(S=5, A=4000, b=2, seed=0, w=0.0, sparse=True)
    pairs = m.P.indices.reshape(-1, 2)
    count = np.unique(pairs[:, 0] * 5 + pairs[:, 1], return_counts=True)[1]
    assert count.size == 10 and count.sum() == 20_000
    # chi-square with 9 degrees of freedom exceeds 27.9 with probability .001
    assert ((count - 2000) ** 2 / 2000).sum() < 27.9
    # the first successor's probability is uniform on [0, 1]: mean 1/2, variance 1/12
    first = m.P.data[::2]
    assert abs(first.mean() - 0.5) < 0.01 and abs(first.var() - 1 / 12) < 0.003


def test_garnet_with_a_cap_on_the_span() -> None:
    free = M.garnet(S=8, A=2, b=2, seed=0)
    cap = 0.9 * bias_span(free)
    m = M.garnet(S=8, A=2, b=2, seed=0, span_cap=cap)
    refused = int(m.name.rpartition("redrawn")[2])
    assert refused >= 1 and bias_span(m) <= cap < bias_span(free)
    assert m.digest == M.garnet(S=8, A=2, b=2, seed=0, span_cap=cap).digest
    same = M.garnet(S=8, A=2, b=2, seed=0, span_cap=2 * cap)
    assert same.digest == free.digest and same.name.endswith("redrawn0")


# layouts for pictures


@pytest.mark.parametrize("family", GRIDS, ids=lambda f: f.name)
def test_layouts_fit_their_models(family: Any) -> None:
    for params in ({}, *(dict(p.params) for p in family.published)):
        m, grid = family(**params), family.grid(**params)
        assert isinstance(grid, Grid) and len(grid.arrows) == m.A
        rows, columns = grid.shape
        assert len(set(grid.cells.values())) == len(grid.cells)
        assert set(grid.marks) <= set(grid.cells) <= set(range(m.S))
        assert all(0 <= i < rows and 0 <= j < columns for i, j in grid.cells.values())
        # every step leads to a neighbour, to a start, or stays
        starts = set(np.flatnonzero(m.mu0).tolist())
        for s, (i, j) in grid.cells.items():
            for s2 in np.flatnonzero(m.dense()[s].max(axis=0)).tolist():
                there = grid.cells[s2]
                assert s2 in starts or max(abs(there[0] - i), abs(there[1] - j)) <= 1, (s, s2)


def test_arrows_point_where_actions_lead() -> None:
    steps = {"↑": (-1, 0), "→": (0, 1), "↓": (1, 0), "←": (0, -1), "↙": (1, -1), "↘": (1, 1)}
    cases = [
        (M.gridworld, {"layout": ("...", "...", "..."), "rewards": {}}, 4),
        (M.four_rooms, {"slip": 0.0}, 9),
        (M.corridor, {"rows": 3, "slip": 0.0}, 16),
        (M.frozen_lake, {"map_name": "8x8", "is_slippery": False}, 9),
        (M.cliff_walking, {}, 14),
        (M.deep_sea, {"N": 6}, 3 * 6 + 1),
    ]
    assert {f.name for f, _, _ in cases} == {f.name for f in GRIDS}
    for family, params, s in cases:
        m, grid = family(**params), family.grid(**params)
        for a, arrow in enumerate(grid.arrows):
            i, j = grid.cells[int(np.argmax(m.P[s, a]))]
            here = grid.cells[s]
            assert (i - here[0], j - here[1]) == steps[arrow], (family.name, arrow)


def test_marks() -> None:
    assert M.gridworld.grid(layout=MAP, rewards={"G": 1.0, "L": 2.0}).marks == {2: "G", 7: "L"}
    assert M.frozen_lake.grid().marks == {5: "H", 7: "H", 11: "H", 12: "H", 15: "G"}
    assert M.cliff_walking.grid().marks[47] == "G" and len(M.cliff_walking.grid().marks) == 11
    assert M.deep_sea.grid(N=3, labels="cell").arrows == "01" and len(M.deep_sea.grid(N=3).cells) == 6
