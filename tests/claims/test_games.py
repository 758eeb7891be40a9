"""Claims on solvers of games: exploitability with a bound over iterations, probes, comparisons, replay and figures."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from mdps.learners.cfr import learner as CFR
from theorylab.check import check
from theorylab.claim import Claim, Control, Growth, Instance, Pointwise
from theorylab.errors import InputError
from theorylab.figure import regret_figure
from theorylab.kernel import kernel
from theorylab.probe import Probe
from theorylab.replay import replay
from theorylab.replay_command import as_text

PENNIES = Instance("matching_pennies", 40, {}, {"random": 1})


@kernel
def idle(st, p, t, rng):
    """The average of the first policy alone."""
    for q in range(p.Q):
        for j in range(st.pi.shape[1]):
            st.total[q, j] = st.x[q, j]


STUCK = replace(CFR, name="stuck", learn=idle)


def claim(**changes: Any) -> Claim:
    """CFR on matching pennies with random first policies, range of payoffs 2."""
    about: dict[str, Any] = dict(
        id="zinkevich2007.toy",
        text="exploitability <= 2 sqrt(2/T)",
        learner="cfr",
        instances={"quick": (PENNIES,)},
        quantity="exploitability",
        kind=Pointwise(),
        bound=lambda c, n: 2.0 * np.sqrt(c.A / np.maximum(n, 1.0)),
        trivial=lambda c, n: 2.0 + 0.0 * n,
        controls=(Control("no update", STUCK),),
        control_instance=Instance("matching_pennies", 400, {}, {"random": 1}),
    )
    return Claim(**{**about, **changes})


def test_a_bound_on_exploitability_holds_at_every_iteration() -> None:
    found = check(claim(), target="python")
    assert found.verdict == "NO VIOLATION FOUND", [c for c in found.controls if not c.ok]
    (part,) = found.instances
    assert part.quantity == "exploitability" and part.unit == "iterations" and part.bound == 2.0 * np.sqrt(2 / 40)
    assert part.nonvacuous_from == 3 and part.trivial == 2.0 and "times the bound" in part.note
    assert part.curve["n"][-1] == 40 and part.mean == pytest.approx(part.curve["mean"][-1])
    labels = [ax.get_ylabel() for ax in regret_figure(part, claim_id=found.id).axes]
    assert labels == ["exploitability (reward units)"]


def test_a_bound_below_what_is_reached_is_refuted_and_replayed() -> None:
    low = claim(bound=lambda c, n: 0.01 + 0.0 * n, controls=())
    found = check(low, target="python")
    assert found.verdict == "REFUTED" and found.instances[0].first == 0
    seen = replay(low)  # its first pass is compiled
    assert seen.violated and seen.t == 0 and seen.sides is not None and seen.sides.right.startswith("tr.bound")
    text = as_text(seen)
    assert "exploitability" in text and "visits" not in text and "iteration" in text


def test_probes_read_exploitability_and_values() -> None:
    @kernel
    def gap(st, p, tr, t):
        return abs(tr.value + tr.value_1) + tr.exploitability - 1.0 if t < 10 else tr.exploitability - 0.3

    step = claim(quantity=Probe("gap", gap), bound=None, trivial=None)
    assert check(step, target="python").verdict == "NO VIOLATION FOUND"


@pytest.mark.long
def test_a_rate_of_exploitability_is_decided_on_a_sweep() -> None:
    places = tuple(replace(PENNIES, length=n) for n in (40, 80, 160, 320, 640, 1280, 2560))
    rate = claim(
        kind=Growth("sqrt(1/T)"),
        bound=None,
        constants="unspecified",
        shape=lambda c, n: 1.0 / np.sqrt(np.maximum(n, 1.0)),
        instances={"quick": places},
        control_instance=None,
    )
    found = check(rate)
    assert found.verdict == "CONSISTENT" and found.growth["quantity"] == "exploitability", found.growth["reason"]


def test_the_quantity_must_be_that_of_the_setting() -> None:
    with pytest.raises(InputError, match="runs of learner 'cfr' have no regret; give quantity='exploitability'"):
        check(claim(quantity="regret"), target="python")
    wrong = claim(learner="uniform", instances={"quick": (Instance("riverswim", 5),)}, controls=())
    with pytest.raises(InputError, match="have no exploitability; give quantity='regret'"):
        check(wrong, target="python")
