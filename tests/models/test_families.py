"""Families: golden numbers of their definitions, parameters refused by name, and the lazy namespaces."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest

import bandits
import mdps
from theorylab import registry
from theorylab.errors import InputError
from theorylab.model import Bandit, FiniteHorizon, TabularMDP
from theorylab.plan import bias_span, diameter, evaluate, plan

M = mdps.models

# variant, states, (gain, span, diameter) as printed where the instance is defined
RIVERSWIM = [
    ("osband", 4, "0.43108504", "3.47507", "8.061224"),
    ("osband", 6, "0.4286224338", "6.31032431", "14.722338"),
    ("osband", 12, "0.42857143", "14.880952", "34.7222"),
    ("osband", 20, "0.42857143", "26.309524", "61.3889"),
    ("strehl", 6, "0.2229357798", "5.01834862", "22.510288"),
    ("ucrl3", 6, "0.916667", "8.181822", "8.9256"),
    ("ucrl3", 25, "0.91666667", "39.848485", "43.4711"),
]
OTHERS: list[tuple[str, dict[str, Any], str, str, str]] = [
    ("jump_riverswim", {}, "0.2096026667", "3.21473684", "22.789271"),
    ("three_state", {"q": 0.005}, "0.6666666667", "1.00502513", "200"),
    ("pgarnet", {}, "0.8363461538", "0.37892990", "9.471229"),
    ("jao", {"delta": 0.2, "epsilon": 0.02}, "0.523810", "2.380952", "5"),
    ("jao", {"delta": 0.25, "epsilon": 0.1}, "0.583333", "1.666667", "4"),
    ("jao", {"delta": 0.4, "epsilon": 0.1}, "0.555556", "1.111111", "2.5"),
    ("two_state", {"slip": 0.2}, "0.8", "1", "1.25"),
]
BIAS = {
    "riverswim-osband-6": [0, 0.71437072, 2.04105921, 3.45522166, 4.88188039, 6.31032431],
    "riverswim-strehl-6": [0, 0.74311927, 1.73394495, 2.80733945, 3.90825688, 5.01834862],
    "jump-riverswim-6": [0.2, 0, 0.31486316, 1.11705263, 2.11494737, 3.21473684],
    "three-state-0.005": [1 / 3, 0, 1.00502513],
    "two-state-0": [0, 1],
}


def agrees(value: float, printed: str) -> bool:
    """Whether `value` is the printed number to within one unit of its last digit."""
    digits = len(printed.partition(".")[2])
    return abs(value - float(printed)) <= 1.0000001 * 10.0**-digits


@pytest.mark.parametrize(("variant", "states", "gain", "span", "far"), RIVERSWIM)
def test_riverswim(variant: str, states: int, gain: str, span: str, far: str) -> None:
    m = M.riverswim(states=states, variant=variant)
    p = plan(m)
    assert agrees(p.gain, gain) and agrees(bias_span(m), span) and agrees(diameter(m), far)
    assert p.certified_error < 1e-12 and (p.pi == 1).all()
    assert m.name == f"riverswim-{variant}-{states}" and m.setting == "average"


@pytest.mark.parametrize(("name", "params", "gain", "span", "far"), OTHERS)
def test_other_instances(name: str, params: dict[str, Any], gain: str, span: str, far: str) -> None:
    m = getattr(M, name)(**params)
    p = plan(m)
    assert agrees(p.gain, gain) and agrees(bias_span(m), span)
    assert diameter(m) == pytest.approx(float(far), rel=1e-7)


@pytest.mark.parametrize(
    "m",
    [M.riverswim(), M.riverswim(variant="strehl"), M.jump_riverswim(), M.three_state(), M.two_state()],
    ids=lambda m: m.name,
)
def test_bias_vectors(m: TabularMDP) -> None:
    bias = plan(m).bias
    assert bias is not None and np.abs(bias - BIAS[m.name]).max() < 6e-9


def test_jump_riverswim_policy() -> None:
    assert plan(M.jump_riverswim()).pi.tolist() == [0, 0, 1, 1, 1, 1]


def test_finite_horizon_anchors_of_riverswim() -> None:
    m = M.riverswim(criterion=FiniteHorizon(20))
    printed = [3.397264, 4.052651, 5.301868, 6.678367, 8.094000, 9.521445]
    assert np.abs(plan(m).V[0] - printed).max() < 6e-7
    uniform = np.full((6, 2), 0.5)
    assert agrees(evaluate(m, uniform).V[0, 0], "0.043789")
    longer = M.riverswim(criterion=FiniteHorizon(50))
    assert agrees(plan(longer).V[0, 0], "16.072108") and agrees(evaluate(longer, uniform).V[0, 0], "0.126849")


def test_riverswim_rewards_and_ends() -> None:
    m = M.riverswim(states=2, variant="strehl")
    assert m.P[:, 1].tolist() == [[0.7, 0.3], [0.7, 0.3]] and m.r.tolist() == [[0.0005, 0.0], [0.0, 1.0]]


def test_garnet() -> None:
    m = M.garnet(S=12, A=3, b=4, seed=5)
    assert (m.S, m.A) == (12, 3)
    assert ((m.P > 0).sum(axis=-1)[:, 1:] == 4).all() and ((m.P > 0).sum(axis=-1)[:, 0] <= 5).all()
    assert (m.P[np.arange(12), 0, (np.arange(12) + 1) % 12] >= 1e-3).all()
    assert m.digest == M.garnet(S=12, A=3, b=4, seed=5).digest != M.garnet(S=12, A=3, b=4, seed=6).digest
    assert 1 < diameter(m) < 1e4
    bare = M.garnet(S=12, A=3, b=1, w=0.0)
    assert set(np.unique(bare.P)) == {0.0, 1.0}


def test_jao_good_action() -> None:
    m = M.jao(delta=0.2, epsilon=0.1, actions=4, good=2)
    assert m.A == 4 and plan(m).pi.tolist() == [2, 0]


def test_bernoulli() -> None:
    b = bandits.models.bernoulli(means=[0.1, 0.9])
    assert isinstance(b, Bandit) and b.means.tolist() == [0.1, 0.9] and b.reward_law.kind == "bernoulli"


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: M.riverswim(states=1), "riverswim: states is 1; give an integer >= 2"),
        (lambda: M.riverswim(variant="osborne"), "unknown variant 'osborne'; nearest: osband"),
        (lambda: M.riverswim(sates=6), "no parameter 'sates'; nearest: states"),
        (lambda: M.jao(delta=0.9, epsilon=0.2), r"delta \+ epsilon is 1\.1"),
        (lambda: M.jao(delta=0), "jao: delta is 0"),
        (lambda: M.jao(actions=2, good=2), r"good is 2; give an integer in 0\.\.1"),
        (lambda: M.three_state(q=0.7), r"q is 0\.7; give a number in \(0, 0\.5\]"),
        (lambda: M.two_state(slip=0.5), "slip is 0.5"),
        (lambda: M.garnet(S=3, b=4), r"b is 4; give an integer in 1\.\.3"),
        (lambda: M.garnet(seed=1.5), "seed is 1.5"),
        (lambda: M.jump_riverswim(jump=float("nan")), "jump is nan"),
        (lambda: M.frozen_lake(map_name="5x5"), "unknown map '5x5'; known: 4x4, 8x8"),
        (lambda: bandits.models.bernoulli(means=[0.5, -0.1]), r"means\[1\] is -0\.1"),
    ],
)
def test_bad_parameters(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_every_family_builds_with_its_defaults_under_its_own_name() -> None:
    names = set(registry.names("models"))
    assert {"riverswim", "garnet", "frozen-lake", "bernoulli"} <= names
    for family in registry.iter_specs("models"):
        assert family.name in names and family.text
        model = family()
        assert model.name and isinstance(model, Bandit) == (family.setting == "bandit")


def test_unknown_model_names_the_nearest() -> None:
    with pytest.raises(AttributeError, match="no model 'riverswin'; nearest: riverswim"):
        _ = M.riverswin
    assert "riverswim" in dir(M) and "from_gymnasium" in dir(M)


def test_namespace_survives_every_order_of_import_and_stays_light() -> None:
    code = (
        "import sys, mdps, bandits\n"
        "assert 'numpy' not in sys.modules, 'importing the packages must stay cheap'\n"
        "import importlib; module = importlib.import_module('mdps.models.riverswim')\n"
        "assert mdps.models.riverswim is module.family\n"
        "from theorylab.registry import find_model; assert find_model('jao') is mdps.models.jao\n"
        "assert mdps.models.two_state().S == 2 and bandits.models.bernoulli().A == 2\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
