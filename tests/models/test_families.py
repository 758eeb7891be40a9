"""Families: golden numbers of their definitions, parameters refused by name, and the lazy namespaces."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog

import bandits
import mdps
from theorylab import registry
from theorylab.errors import InputError
from theorylab.family import GAMES
from theorylab.model import Bandit, FiniteHorizon, TabularMDP
from theorylab.plan import bias_span, diameter, evaluate, hitting_times, plan

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
    ("access_control", {}, "0.3434552438", "3.18747753", "50.836552"),
    ("access_control", {"variant": "book"}, "2.747642", "25.49982", "50.836552"),
]
# family, parameters, S, A, most successors of a row, (diameter, sum_s D_s, LP(K=1)) as printed by the reference runs
COLLECTION: list[tuple[str, dict[str, Any], int, int, int, str, str, str]] = [
    ("riverswim", {"states": 6}, 6, 2, 3, "14.722338", "47.9352", "23.055"),
    ("riverswim", {"states": 12}, 12, 2, 3, "34.722222", "222.5066", "49.056"),
    ("riverswim", {"states": 6, "variant": "strehl"}, 6, 2, 3, "22.510288", "69.4115", "32.996"),
    ("noisy_riverswim", {"states": 12}, 12, 4, 12, "7.185185", "54.6524", "54.179"),
    ("wheel", {"states": 5}, 5, 5, 4, "2", "9", "29.000"),
    ("wheel", {"states": 10}, 10, 5, 9, "4", "37", "60.250"),
    ("corridor", {"slip": 0.1}, 24, 4, 4, "13.053487", "248.1951", "96.000"),
    ("four_rooms", {"slip": 0.1}, 68, 4, 4, "17.845603", "1001.5837", "272.000"),
    ("four_rooms", {"slip": 0.0}, 68, 4, 1, "16", "898", "272.000"),
    ("star", {"p": (0.5, 0.25, 0.1)}, 4, 3, 2, "11", "20", "57.000"),
]
HITTING = [
    ("riverswim", {}, [5, 4, 4.7619, 8.0612, 11.3897, 14.7223]),
    ("riverswim", {"variant": "strehl"}, [5, 4, 7.7778, 12.5926, 17.5309, 22.5103]),
    ("wheel", {}, [1, 2, 2, 2, 2]),
    ("star", {}, [1, 3, 5, 11]),
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


def test_jump_riverswim_is_the_table_of_its_source() -> None:
    e = 0.01 / 6
    right = [
        [0.7 + e, 0.3 - 5 * e, e, e, e, e],
        [0.1 + e, 0.6 + e, 0.3 - 5 * e, e, e, e],
        [e, 0.1 + e, 0.6 + e, 0.3 - 5 * e, e, e],
        [e, e, 0.1 + e, 0.6 + e, 0.3 - 5 * e, e],
        [e, e, e, 0.1 + e, 0.6 + e, 0.3 - 5 * e],
        [e, e, e, e, 0.7 + e, 0.3 - 5 * e],
    ]
    left = np.full((6, 6), e)
    left[np.arange(6), [0, 0, 1, 2, 3, 4]] = 1 - 5 * e
    costs = [[0.8, 1], [1, 1], [1, 1], [1, 1], [1, 1], [1, 0]]
    m = M.jump_riverswim()
    assert np.abs(m.P - np.stack([left, right], axis=1)).max() < 1e-16 and np.abs(m.r + costs - 1).max() < 1e-15


def test_combination_lock_plays_as_its_source() -> None:
    """Every path of the published step function, from its first state to its last reward."""
    H, A, seed = 4, 3, 5
    m = M.combination_lock(H=H, A=A, seed=seed)
    good = np.random.Generator(np.random.Philox(seed)).integers(A, size=(H, 2))
    for h in range(H):
        for state in range(3):
            for a in range(A):
                alive = state < 2 and a == good[h, state]
                row, mean = m.P[3 * h + state, a], m.r[3 * h + state, a]
                if h == H - 1:
                    assert mean == (1.0 if alive else 0.1 * 0.5) and (row[:2] == 0.5).all()
                else:
                    assert mean == 0 and row[3 * h + 3 :][:3].tolist() == ([0.5, 0.5, 0] if alive else [0, 0, 1])
    assert m.mu0.tolist() == [0.5, 0.5] + [0.0] * (3 * H - 2)


def test_jump_riverswim_policy() -> None:
    assert plan(M.jump_riverswim()).pi.tolist() == [0, 0, 1, 1, 1, 1]


def collection_lp(m: TabularMDP, K: float) -> float:
    """Least expected steps to collect K samples of each pair: x(s,a) >= K, flow from state 0, law mu of the end."""
    S, A = m.S, m.A
    flow = np.hstack([np.repeat(np.eye(S), A, axis=1) - m.dense().reshape(-1, S).T, np.eye(S)])
    total = np.concatenate([np.zeros(S * A), np.ones(S)])
    right = np.append(np.eye(S)[0], 1.0)
    out = linprog(
        np.concatenate([np.ones(S * A), np.zeros(S)]),
        A_eq=np.vstack([flow, total]),
        b_eq=right,
        bounds=[(K, None)] * (S * A) + [(0, None)] * S,
    )
    assert out.success
    return float(out.fun)


@pytest.mark.parametrize(("name", "params", "S", "A", "branches", "far", "total", "lp"), COLLECTION)
def test_sample_collection_table(
    name: str, params: dict[str, Any], S: int, A: int, branches: int, far: str, total: str, lp: str
) -> None:
    m = getattr(M, name)(**params)
    assert (m.S, m.A, m.row_profile.terms) == (S, A, branches)
    to_goal = hitting_times(m).max(axis=0)
    assert agrees(to_goal.max(), far) and agrees(to_goal.sum(), total)
    assert agrees(collection_lp(m, 1.0), lp)
    assert collection_lp(m, 10.0) == pytest.approx(10 * collection_lp(m, 1.0), rel=1e-9)


def test_the_program_prints_one_more_digit_for_riverswim() -> None:
    assert agrees(collection_lp(M.riverswim(), 10.0), "230.554")


@pytest.mark.parametrize(("name", "params", "times"), HITTING)
def test_largest_hitting_times(name: str, params: dict[str, Any], times: list[float]) -> None:
    assert np.abs(hitting_times(getattr(M, name)(**params)).max(axis=0) - times).max() < 6e-5


def test_access_control_policy() -> None:
    m = M.access_control()
    pi = plan(m).pi.reshape(11, 4)  # servers busy, priority
    expected = [[0, int(10 - busy >= 4), 1, 1] if busy < 10 else [0, 0, 0, 0] for busy in range(11)]
    assert pi.tolist() == expected
    book = M.access_control(variant="book")
    assert (book.P == m.P).all() and (book.r == 8 * m.r).all() and book.r.max() == 8.0
    # 3 servers busy, priority 4 accepted: 4 busy before they free up
    law = [m.P[4 * 3 + 2, 1, 4 * b : 4 * b + 4].sum() for b in range(6)]
    assert law == pytest.approx([0.06**4, 4 * 0.06**3 * 0.94, 6 * (0.06 * 0.94) ** 2, 4 * 0.06 * 0.94**3, 0.94**4, 0])
    assert (m.P[40:, 0] == m.P[40:, 1]).all() and (m.r[40:] == 0).all()


@pytest.mark.parametrize(
    ("D", "S", "A", "epsilon", "copy"),
    [(20, 10, 10, 0.05, 0), (40, 25, 8, 0.1, 3), (60, 20, 7, 0.01, 9), (8, 2, 5, 0.1, 0)],
)
def test_jao_composed(D: float, S: int, A: int, epsilon: float, copy: int) -> None:
    m = M.jao_composed(D=D, S=S, A=A, epsilon=epsilon, copy=copy, good=1)
    k, Ap, delta = S // 2, (A - 1) // 2, 4 / D
    assert (m.S, m.A) == (2 * k, 2 * Ap + 1)
    depth = next(n for n in range(k) if Ap**n >= k)  # ceil(log_A' k) in integers
    assert diameter(m) <= 2 * (D / 4 + depth) * (1 + 1e-12)
    p = plan(m)
    gain = (delta + epsilon) / (2 * delta + epsilon)
    assert p.gain == pytest.approx(gain, abs=1e-13)

    def path(c: int) -> list[int]:
        return [c] if c == 0 else [c, *path((c - 1) // Ap)]

    far = max(len(set(path(c)) ^ set(path(copy))) for c in range(k))
    assert bias_span(m) == pytest.approx(1 / (2 * delta + epsilon) + gain * far, rel=1e-12)
    assert p.pi[2 * copy] == 1 and m.r[1::2, :Ap].min() == 1 and m.r.sum() == k * Ap


def test_jao_composed_stays_within_its_diameter_in_the_theorems_range() -> None:
    for S, A in ((10, 10), (30, 12), (64, 11)):
        D = 20 * np.log(S) / np.log(A)
        assert diameter(M.jao_composed(D=D, S=S, A=A, epsilon=0.01)) <= D


@pytest.mark.parametrize("N", [1, 2, 7, 20])
def test_deep_sea_values(N: int) -> None:
    uniform = np.full((N * N, 2), 0.5)
    for labels in ("none", "cell", "column"):
        m = M.deep_sea(N=N, labels=labels, seed=None if labels == "none" else 3)
        assert plan(m).V[0, 0] == pytest.approx(0.99, abs=1e-14)
        # uniform play: one dive in 2^N finds the treasure, half of the moves cost .01/N
        assert evaluate(m, uniform).V[0, 0] == pytest.approx(2.0**-N - 0.005, abs=1e-14)
    windy = M.deep_sea(N=N, variant="stochastic")
    ok = 1 - 1 / N
    assert plan(windy).V[0, 0] == pytest.approx(ok ** (N - 1) - 0.01 * (1 - ok**N), abs=1e-14)
    always = evaluate(windy, np.ones(N * N, dtype=int))
    assert always.V[0, 0] == pytest.approx(ok ** (N - 1) - 0.01, abs=1e-14)  # bsuite's optimal_return


def test_deep_sea_labels_are_those_of_bsuite() -> None:
    N, seed = 9, 42
    right = np.random.RandomState(seed).binomial(1, 0.5, [N, N])
    m = M.deep_sea(N=N, labels="cell", seed=seed)
    for i in range(N - 1):
        for j in range(i + 1):
            a = right[i, j]
            assert m.P[i * N + j, a, (i + 1) * N + min(j + 1, N - 1)] == 1
            assert m.P[i * N + j, 1 - a, (i + 1) * N + max(j - 1, 0)] == 1
    columns = M.deep_sea(N=N, labels="column", seed=seed).r.argmin(axis=1).reshape(N, N)
    assert (columns[:, :-1] == columns[0, :-1]).all() and len(set(columns[0, :-1].tolist())) == 2


@pytest.mark.parametrize(("H", "A"), [(1, 3), (5, 3), (6, 4), (8, 4)])
def test_combination_lock(H: int, A: int) -> None:
    m = M.combination_lock(H=H, A=A, seed=1)
    assert (m.S, m.A, m.H) == (3 * H, A, H)
    assert plan(m).V[0, :2].tolist() == [1.0, 1.0]
    uniform = evaluate(m, np.full((3 * H, A), 1 / A)).V[0]
    assert uniform[:2] == pytest.approx(A**-H + 0.05 * (1 - A**-H), abs=1e-15)
    assert uniform[2] == pytest.approx(0.05)
    alive = TabularMDP(P=m.P, r=m.r == 1.0, mu0=m.mu0, criterion=m.criterion)
    assert evaluate(alive, np.full((3 * H, A), 1 / A)).V[0, 0] == pytest.approx(float(A) ** -H, rel=1e-12)
    assert m.digest != M.combination_lock(H=H, A=A, seed=2).digest or H == 1


def test_de_bruijn_rows_and_diameters() -> None:
    m = M.de_bruijn(states=8)
    assert m.P[5, 0, [2, 3]].tolist() == [0.9, 0.1] and m.P[5, 1, [2, 3]].tolist() == [0.1, 0.9]
    assert np.allclose(m.P.sum(axis=2), 1.0) and m.P[0, 0, 0] == 0.9
    for k in range(1, 7):
        assert diameter(M.de_bruijn(states=2**k, slip=0.0)) == pytest.approx(k)


def test_star_and_wheel_rows() -> None:
    star = M.star(p=[0.5, 1.0])
    assert star.P[0].tolist() == [[0.5, 0.5, 0], [0, 0, 1]] and (star.P[1:, :, 0] == 1).all()
    wheel = M.wheel(states=3)  # left and right of a ring of two coincide
    assert wheel.P[1, 4].tolist() == [0.25, 0.25, 0.5] and wheel.P[0, 4].tolist() == [0, 0.5, 0.5]
    assert (M.wheel(reward=0.5).r[4] == 0.5).all() and M.wheel(reward=0.5).r.sum() == 2.5


def test_riverswim_of_colosseum_has_no_current() -> None:
    m = M.riverswim(states=9, variant="colosseum")
    assert plan(m).gain == 1.0 and bias_span(m) == 8.0 and diameter(m) == 8.0


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
        (lambda: M.frozen_lake(map_name="5x5"), "unknown map_name '5x5'.*known: 4x4, 8x8"),
        (lambda: bandits.models.bernoulli(means=[0.5, -0.1]), r"means\[1\] is -0\.1"),
        (lambda: M.jao_composed(D=3), "D is 3; give a number in .4, "),
        (lambda: M.jao_composed(D=20, epsilon=0.3), r"epsilon is 0\.3; give a number in \[0, 0\.2\]"),
        (lambda: M.jao_composed(D=4, epsilon=0.5), r"4/D \+ epsilon is 1\.5.*choose epsilon <= 1 - 4/D"),
        (lambda: M.jao_composed(copy=5), r"copy is 5; give an integer in 0\.\.4"),
        (lambda: M.deep_sea(N=0), "N is 0; give an integer >= 1"),
        (lambda: M.deep_sea(variant="windy"), "unknown variant 'windy'"),
        (lambda: M.deep_sea(labels="row"), "unknown labels 'row'.*known: none, cell, column"),
        (lambda: M.combination_lock(A=1), "A is 1; give an integer >= 2"),
        (lambda: M.access_control(variant="boook"), "unknown variant 'boook'; nearest: book"),
        (lambda: M.star(p=[0.5, 0.0]), r"p\[1\] is 0\.0; give a number in \(0, 1\]"),
        (lambda: M.star(p=[]), "p is .*give a probability for each leaf"),
        (lambda: M.wheel(states=1), "states is 1"),
        (lambda: M.de_bruijn(states=12), "states is 12, no power of two"),
        (lambda: M.de_bruijn(slip=0.5), "slip is 0.5, with which both"),
        (lambda: M.four_rooms(slip=1.5), r"four-rooms: slip is 1\.5"),
        (lambda: M.corridor(length=0), "length is 0"),
        (lambda: M.garnet(span_cap=0.0), r"span_cap is 0\.0; give a number in \(0, "),
        (
            lambda: M.garnet(S=30, A=1, b=1, w=0.0, span_cap=1.0),
            "none of 1000 models of seed 0 communicates with a bias span",
        ),
        (lambda: M.garnet(S=100_000), r"a dense P of shape \(100000, 3, 100000\) takes 224 GiB; give sparse=True"),
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
        if GAMES & {family.setting, model.setting}:
            assert family.setting == model.setting


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
