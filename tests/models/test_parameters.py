"""Parameters of families: every wrong type and size is refused by name, none is converted, ignored or left to numpy."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np
import pytest

import bandits
import mdps
from theorylab import registry
from theorylab.errors import InputError
from theorylab.family import Family
from theorylab.model import TabularMDP
from theorylab.parameters import LARGEST, choice, flag, integer, number, room

M, B = mdps.models, bandits.models
ODD: list[Any] = [
    None, "x", "", "0.5", b"x", True, np.bool_(True), -1, 1.5, 1j, math.nan, math.inf, -math.inf, 1e308, 10**30,
    10**400, np.uint64(2**63), np.float32(0.3), [], (), {}, {"G": 1}, set(), [0.5, "a"], [None], range(3), object(),
    np.array(3), np.array([0.1, 0.2]), np.array([[1.0]]), print,
]  # fmt: skip


@pytest.mark.parametrize("family", list(registry.iter_specs("models")), ids=lambda f: f.name)
def test_odd_values_are_refused_by_name_or_taken_as_given(family: Family) -> None:
    slow = family.name == "taxi"  # its table takes 30 ms
    common = ("horizon", "start", "rewards", "noise") if family.setting == "mdp" and not slow else ()
    for key in {*family.params, *common}:
        for value in ODD:
            if key in ("seed", "T", "K", "horizon", "H", "dilation") and isinstance(value, (int, np.integer)):
                continue  # large ones are fine, and build the default model a hundred times
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error")
                    family(**{key: value})
            except InputError as error:
                assert len(str(error)) > 20, (key, value, error)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: M.riverswim(variant=["osband"]), r"riverswim: variant is \['osband'\]; give one of: osband, strehl"),
        (lambda: M.riverswim(states=10**6), r"riverswim: P of shape \(1000000, 2, 1000000\) takes 1.49e\+04 GiB;"),
        (lambda: M.jao(actions=2**62), r"jao: P of shape .* takes .* GiB; choose a smaller model"),
        (lambda: M.mixture_lock(N=10**9), "mixture-lock: phi of shape"),
        (lambda: M.corridor(rows=10**9, length=10**9), "corridor: P of shape"),
        (lambda: M.garnet(S=10**9, b=10**3, sparse=True), "garnet: the successors of shape"),
        (lambda: M.four_rooms(sparse="false"), "four-rooms: sparse is 'false'; give True or False"),
        (lambda: M.frozen_lake(is_slippery=0), "is_slippery is 0; give True or False"),
        (lambda: M.simplex_linear(stationary="no"), "stationary is 'no'; give True or False"),
        (lambda: B.contextual_linear(skewed=None), "skewed is None; give True or False"),
        (lambda: M.gridworld(rewards=[("G", 1)]), r"rewards is .*such as \{'G': 1.0\}"),
        (lambda: M.gridworld(layout=5), "the layout is 5; give strings"),
        (lambda: M.gridworld.grid(rewards=5), "rewards is 5"),  # type: ignore[misc]
        (lambda: M.frozen_lake.grid(map_name="9x9"), "unknown map_name '9x9'"),  # type: ignore[misc]
        (lambda: M.mixture_lock(ok=3), "ok is 3; give 8 actions"),
        (lambda: M.linear_chain(good=np.array(1.5)), r"good is array\(1.5\); give an integer"),
        (lambda: M.star(p=np.eye(2)), "give a probability for each leaf"),
        # nothing that is given goes unused
        (lambda: M.mixture_hypercube(c=0.2), "c is 0.2; variant 'zhang2023' has no c: leave it out"),
        (lambda: M.mixture_hypercube(variant="zhang2021", K=48), "K is 48; variant 'zhang2021' has no K"),
        (lambda: M.mixture_two_state(constant=0.2), "constant is 0.2 with scaling 'fixed'"),
        (lambda: M.deep_sea(seed=3), "seed is 3 with labels 'none', which are not drawn; give labels='cell'"),
        (lambda: M.riverswim(rewards="bernoulli", noise=0.1), "rewards and noise each set the law of rewards"),
        (lambda: M.riverswim(6, states=6), "states is given twice, by position and by name; give it once"),
        (lambda: M.riverswim(6, "osband", None), "criterion is None; give FiniteHorizon"),
        (lambda: M.riverswim(1, 2, 3, 4, 5), "has 4 parameters; 5 were given by position"),
        (lambda: M.riverswim(start="3"), "start is '3'; give 'uniform' or a state in 0..5"),
        (lambda: M.riverswim(start=6), r"start is 6; give an integer in 0\.\.5"),
        (lambda: M.riverswim(rewards="gaussian"), "unknown rewards 'gaussian'; known: deterministic, bernoulli"),
        (lambda: M.riverswim(noise="0.1"), "noise is '0.1'; give a number in"),
        (lambda: M.riverswim(horizon=0), "horizon is 0; give an integer >= 1"),
        (lambda: B.minimax_pair(c=1e200), "c is 1e.200; give a number"),
        (lambda: B.end_of_optimism(gamma=1e200), "epsilon is 0.01; give epsilon <= 1/gamma"),
        (lambda: M.rescale_rewards(5), "rescale_rewards: got int; give a TabularMDP"),
        (lambda: M.rescale_rewards(M.taxi(), low="a"), "rescale_rewards: low is 'a'"),
    ],
)  # fmt: skip
def test_refusals(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_numpy_scalars_are_numbers() -> None:
    assert M.riverswim(states=np.int64(4), start=np.int8(2), horizon=np.uint8(3)).mu0[2] == 1.0
    assert M.four_rooms(sparse=np.bool_(True)).sparse
    assert M.jao(delta=np.float32(0.25)).digest == M.jao(delta=0.25).digest


def test_the_checks_themselves() -> None:
    assert (integer("f", "n", 3, 1), number("f", "x", 2, 0), flag("f", "b", False)) == (3, 2.0, False)
    assert choice("f", "c", "a", ["a", "b"]) == "a"
    with pytest.raises(InputError, match="f: unknown c 'zzz'; known: b, a"):
        choice("f", "c", "zzz", ["b", "a"])
    with pytest.raises(InputError, match=r"f: x is 1000*; give a number in \[0, 1\]"):
        number("f", "x", 10**400, 0, 1)
    room("f", "P", LARGEST)
    with pytest.raises(InputError, match=r"f: P of shape \(268435457\) takes 2 GiB; choose a smaller model"):
        room("f", "P", LARGEST + 1)


class Table:
    """An environment with one state and one entry."""

    initial_state_distrib = (1.0,)

    def __init__(self, *entry: Any) -> None:
        self.P = {0: {0: [entry]}}


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ((1.0, 0.7, 0.0, False), "malformed at state 0 .*cannot be interpreted as an integer"),
        ((1.0, 0, "0.5", False), "'0.5' is no real number"),
        (("1", 0, 0.0, False), "'1' is no real number"),
        ((1.0, 0, 0.0, "False"), "terminated is 'False', not True or False"),
        ((1.0, 0, 0.0), "malformed at state 0"),
    ],
)
def test_tables_of_environments_are_not_converted(entry: tuple[Any, ...], message: str) -> None:
    with pytest.raises(InputError, match=message):
        M.from_gymnasium(Table(*entry), criterion=M.riverswim().criterion)
    good = M.from_gymnasium(Table(np.float32(1), np.int64(0), 1, np.bool_(False)), criterion=M.riverswim().criterion)
    assert isinstance(good, TabularMDP) and good.r.tolist() == [[1.0]]


@pytest.mark.parametrize("law", ["a", [1j], [[1.0]], np.ma.masked_array([1.0], mask=[True])])
def test_the_initial_law_of_an_environment(law: Any) -> None:
    with pytest.raises(InputError, match="the initial law"):
        M.from_gymnasium(Table(1.0, 0, 0.0, False), criterion=M.riverswim().criterion, mu0=law)
