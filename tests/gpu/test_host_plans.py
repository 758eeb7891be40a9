"""Host plans on a device: LOOP on a finite class plays the same hypotheses with CuPy as with NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import mdps
from mdps.learners.loop_values import learner
from theorylab.simulation import Simulation

pytestmark = pytest.mark.gpu


def test_finite_class_of_values_on_a_device() -> None:
    pytest.importorskip("cupy")
    model = mdps.models.riverswim(states=4)
    assert learner.example is not None
    options: dict[str, Any] = dict(replicates=8, length=5_000, seed=2, params=learner.example(model))
    host = Simulation(learner, model, **options).advance()
    device = Simulation(learner, model, target="cuda", **options).advance()
    for field in ("played", "switches", "N", "moves"):
        assert np.array_equal(host.state[field], device.state[field]), field
    assert np.allclose(host.state["upsilon"], device.state["upsilon"], rtol=1e-9)
