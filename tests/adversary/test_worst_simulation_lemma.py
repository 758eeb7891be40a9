"""simulation-lemma: no violation in 2514 evaluations; best ratio 0.526316 at this instance.

Written by `theorylab attack`; pytest evaluates the ratio again.
"""

import math

import numpy as np

from theorylab.adversary_target import find_target

point = {
    "P": np.array([[1, 0], [0, 1]], dtype=float),
    "Q": np.array([[1, 0], [1, 0]], dtype=float),
    "r": np.array([0, 1], dtype=float),
}
ratio = 0.5263157894736843


def test_ratio() -> None:
    assert math.isclose(find_target("simulation-lemma").objective(point), ratio, rel_tol=1e-9)
