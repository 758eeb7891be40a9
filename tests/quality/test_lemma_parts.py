"""What the shared lemmas are built of, against computations by other means."""

from __future__ import annotations

from itertools import product
from math import comb
from typing import Any

import numpy as np
import pytest

from proofs_check.lemmas import policy_gradient
from proofs_check.lemmas._mdp import gain_bias, induced, occupancy, stationary, value
from proofs_check.lemmas.divergences import tail
from proofs_check.lemmas.eluder import dimension
from theorylab.lemma_fields import FLOATS
from theorylab.strategies import Points, law, model, policy


@pytest.fixture(params=range(3))
def x(request: pytest.FixtureRequest) -> Any:
    source = Points(100, request.param)
    made = model(source, S=(1, 3), A=(1, 2))
    return FLOATS.read({**made, "pi": policy(source, 3, 2), "mu": law(source, 3), "w": policy(source, 3, 2)})


def test_values_occupancies_and_gains_are_limits(x: Any) -> None:
    chain, reward = induced(x.P, x.r, x.pi)
    x.gamma = min(x.gamma, 0.9)
    at, V, d = x.mu, 0.0, np.zeros(3)
    for t in range(500):
        V, d, at = V + x.gamma**t * (at @ reward), d + (1 - x.gamma) * x.gamma**t * at, at @ chain
    assert x.mu @ value(x.P, x.r, x.gamma, x.pi, FLOATS) == pytest.approx(V)
    assert np.allclose(occupancy(x.P, x.r, x.gamma, x.pi, x.mu, FLOATS), d)
    g, h = gain_bias(x.P, x.r, x.pi, FLOATS)
    assert np.allclose(stationary(x.P, x.r, x.pi, FLOATS), at) and g == pytest.approx(at @ reward)
    assert h[0] == 0 and np.allclose(reward + chain @ h - h, g)


def test_dual_numbers_differentiate(x: Any) -> None:
    x.gamma = min(x.gamma, 0.9)
    found, step = policy_gradient.gradients(x, FLOATS), 1e-5
    for s, a in product(range(3), range(2)):
        ends = []
        for sign in (1, -1):
            theta = np.log(x.w)
            theta[s, a] += sign * step
            w = np.exp(theta)
            ends.append(x.mu @ value(x.P, x.r, x.gamma, w / w.sum(axis=1)[:, None], FLOATS))
        assert found[s, a] == pytest.approx((ends[0] - ends[1]) / (2 * step), abs=1e-8)


def test_the_tail_of_an_empirical_law() -> None:
    # a coin of rate 1/4, 4 tosses: |p_hat - p|_1 = 2 |k/4 - 1/4| >= 1 for k >= 3
    assert tail(np.array([0.25, 0.75]), 4, 1.0) == pytest.approx(comb(4, 3) * 0.25**3 * 0.75 + 0.25**4)
    assert tail(np.array([0.5, 0.25, 0.25]), 3, 0.0) == pytest.approx(1.0)


def test_eluder_dimensions_by_hand() -> None:
    linear = [[a, b] for a in (-1, 0, 1) for b in (-1, 0, 1)]
    assert dimension(linear, 0.5) == 2  # two coordinates, independent
    assert dimension([[0, 0], [1, 1]], 0.5) == 1  # one pair: either point tells it
    assert dimension([[0, 0], [1, 1]], 1.0) == 0  # no difference above the scale
    # a difference of 1/2 at the first point hides below e' = 1/2, then one of 1 shows at the second
    assert dimension([[0, 0, 0], [0.5, 1, 0]], 0.25) == 1 and dimension([[0, 0], [0.5, 1], [1, 0]], 0.25) == 2
