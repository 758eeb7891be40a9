"""Spaces: vectors and points, what does not fit, merging, small fractions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from theorylab.adversary_space import EDGE, Interval, Rows, Space, nearest_fraction, small_fractions
from theorylab.errors import InputError

SPACE = Space(
    {"P": Rows("SAS"), "r": Interval("SA", -1.0, 3.0), "mu0": Rows("S", np.array([0.5, 0.0, 0.5]))},
    {"S": 3, "A": 2},
)


def inside() -> dict[str, Any]:
    return SPACE.random(np.random.default_rng(0))


def test_every_vector_is_a_point() -> None:
    rng = np.random.default_rng(1)
    assert SPACE.size == 18 + 6  # mu0 is kept
    for scale in (0.1, 10.0, 1e4):
        SPACE.checked(SPACE.decode(scale * rng.standard_normal(SPACE.size)))


def test_a_point_inside_survives_the_way_to_a_vector_and_back() -> None:
    point = inside()
    point["P"] = 0.9 * point["P"] + 0.1 / 3
    back = SPACE.decode(SPACE.encode(point))
    assert np.all(point["P"] > EDGE)
    for name, value in point.items():
        np.testing.assert_allclose(back[name], value, atol=1e-12)


def test_a_point_on_the_boundary_is_moved_inside_by_the_edge_alone() -> None:
    point = {**inside(), "P": np.broadcast_to(np.eye(3)[:, None], (3, 2, 3)), "r": np.full((3, 2), 3.0)}
    back = SPACE.decode(SPACE.encode(point))
    np.testing.assert_allclose(back["P"], point["P"], atol=2 * EDGE)
    np.testing.assert_allclose(back["r"], 3.0, atol=4.0 * EDGE + 1e-12)


@pytest.mark.parametrize(
    ("name", "change", "text"),
    [
        ("P", None, "no block 'P'"),
        ("P", lambda v: v[:2], "has shape"),
        ("P", lambda v: v * 0.99, r"row P\[0, 0\] sums to 0.99"),
        ("P", lambda v: v - 1.0, r"P\[0, 0, 0\] is -0"),
        ("r", lambda v: v + 5.0, r"r\[0, 0\] is .* outside \[-1, 3\]"),
        ("r", lambda v: v * np.nan, r"r\[0, 0\] is .*nan"),
    ],
)
def test_a_point_that_does_not_fit_is_refused_by_name(name: str, change: Any, text: str) -> None:
    point = inside()
    if change is None:
        del point[name]
    else:
        point[name] = change(point[name])
    with pytest.raises(InputError, match=text):
        SPACE.checked(point)


def test_a_letter_without_a_size_and_an_empty_range_are_refused() -> None:
    with pytest.raises(InputError, match="axis 'X' has no size"):
        Space({"P": Rows("SX")}, {"S": 2})
    with pytest.raises(InputError, match="not below"):
        Interval("S", 1.0, 1.0)


def test_merging_states_adds_the_probabilities_of_reaching_them() -> None:
    point = inside()
    smaller, merged = SPACE.merged(point, "S", 0, 2)
    assert smaller.sizes == {"S": 2, "A": 2}
    np.testing.assert_allclose(merged["P"][1, 0], [point["P"][1, 0, 0] + point["P"][1, 0, 2], point["P"][1, 0, 1]])
    np.testing.assert_array_equal(merged["r"], point["r"][:2])
    np.testing.assert_array_equal(merged["mu0"], [1.0, 0.0])
    smaller.checked(merged)
    np.testing.assert_array_equal(smaller.decode(np.zeros(smaller.size))["mu0"], [1.0, 0.0])


def test_merging_actions_drops_one() -> None:
    point = inside()
    smaller, merged = SPACE.merged(point, "A", 1, 0)
    assert smaller.shape("P") == (3, 1, 3)
    np.testing.assert_array_equal(merged["P"][:, 0], point["P"][:, 1])


def test_small_fractions_are_the_nearest_with_their_denominator() -> None:
    np.testing.assert_array_equal(small_fractions(np.array([0.34, 0.33, 0.33]), 3), np.array([1, 1, 1]) / 3)
    np.testing.assert_array_equal(small_fractions(np.array([0.9, 0.06, 0.04]), 1), [1, 0, 0])
    rng = np.random.default_rng(2)
    for d in (1, 2, 7, 100):
        row = rng.dirichlet(np.ones(5))
        found = small_fractions(row, d)
        np.testing.assert_array_equal(found * d, np.round(found * d))
        assert round(found.sum() * d) == d
        assert np.abs(found - row).max() <= 1.0 / d
    exact = np.array([3, 0, 5]) / 8
    np.testing.assert_array_equal(small_fractions(exact, 8), exact)
    assert nearest_fraction(0.32, 0.0, 1.0, 3) == 1 / 3
    assert nearest_fraction(0.97, 0.0, 0.95, 2) == 0.95
