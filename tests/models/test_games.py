"""Families of games: identity of published instances, their sizes and exact quantities, rules, and what is refused."""

from __future__ import annotations

import dataclasses
import re
import sys
from itertools import combinations, product
from typing import Any

import numpy as np
import pytest

import mdps
from mdps.games.dark_hex import DarkHex
from mdps.games.goofspiel import Goofspiel
from mdps.games.hanabi_small import Hanabi
from mdps.games.kuhn import Kuhn
from mdps.games.leduc import Leduc
from mdps.games.liars_dice import LiarsDice
from mdps.games.phantom_tic_tac_toe import PhantomTicTacToe
from mdps.games.signal_game import table_of
from mdps.games.tiny_hanabi import TABLES, TinyHanabi, optimum
from tests.models.test_published import agrees
from theorylab import registry
from theorylab.audit_command import execute
from theorylab.errors import InputError
from theorylab.family import GAMES, Family, Published
from theorylab.games import (
    CHANCE,
    TERMINAL,
    ExtensiveForm,
    MatrixGame,
    expected_value,
    exploitability,
    game_tree,
    solve,
    uniform_policy,
)

G = mdps.games
FAMILIES = [f for f in registry.iter_specs("models") if f.setting in GAMES]
ALL = [
    pytest.param(f, p, id=p.name, marks=pytest.mark.long if int(p.known.get("nodes", "0")) > 20_000 else ())
    for f in FAMILIES
    for p in f.published
]
#: the rules at the start, from small to too large for a tree
RULES: list[Any] = [
    Kuhn(), Leduc(), LiarsDice(6), TinyHanabi(TABLES["F"]), DarkHex(3, 3), DarkHex(3, 3, "classical"),
    DarkHex(4, 3, "classical", "count"), PhantomTicTacToe(3, 3), PhantomTicTacToe(3, 3, "classical"),
    Goofspiel(5, "random", "difference"), Hanabi(), Hanabi((3, 2, 2, 1), 3, 3, 2),
]  # fmt: skip


def tree_of(game: Any) -> ExtensiveForm:
    return game.extensive() if isinstance(game, MatrixGame) else game


def quantity(tree: ExtensiveForm, key: str) -> float:
    return {
        "nodes": lambda: float(tree.N),
        "infosets": lambda: float(tree.infosets),
        "value": lambda: solve(tree).value,
        "uniform_value": lambda: float(expected_value(tree, uniform_policy(tree))[0]),
        "uniform_exploitability": lambda: exploitability(tree, uniform_policy(tree)),
    }[key]()


@pytest.mark.parametrize(("family", "published"), ALL)
def test_identity_and_exact_quantities(family: Family, published: Published) -> None:
    game = registry.find_model(published.name)()
    assert game.name == published.name and game.setting == family.setting
    assert re.fullmatch("[0-9a-f]{16}", published.digest) and game.digest[:16] == published.digest
    assert family(**published.params).digest == game.digest
    tree = tree_of(game)
    zero, common = game.zero_sum, game.common_payoff
    assert family.tags == (("zero-sum",) if zero else ("common-payoff",)) and zero != common
    sizes = set() if isinstance(game, MatrixGame) else {"nodes", "infosets"}
    more = {"value", "uniform_exploitability"} if zero else set()
    assert set(published.known) - {"optimum"} == {*sizes, "uniform_value", *more}
    for key in set(published.known) - {"optimum"}:
        found = quantity(tree, key)
        assert agrees(found, published.known[key]), f"{key} is {found!r}, printed {published.known[key]}"


def test_every_family_of_games_has_published_instances() -> None:
    assert len(FAMILIES) == 12
    for family in FAMILIES:
        assert family.published and family.name in registry.names("models")
        assert all(p.name.startswith(family.name + "-") for p in family.published)
        assert registry.find_model(family.name.replace("-", "_")) is family
        assert getattr(G, family.name.replace("-", "_")) is family
    names = [p.name for f in FAMILIES for p in f.published]
    assert len(set(names)) == len(names) and len({p.digest for f in FAMILIES for p in f.published}) == len(names)


@pytest.mark.parametrize("game", [G.kuhn(), G.dark_hex(), G.goofspiel(order="random")], ids=lambda g: g.name)
def test_recall_is_perfect_by_a_walk_over_the_tree(game: ExtensiveForm) -> None:
    past: dict[int, Any] = {0: ((), ())}
    seen: dict[int, Any] = {}
    for n in range(game.N):
        who = int(game.mover[n])
        if who >= 0:
            assert seen.setdefault(int(game.infoset[n]), past[n][who]) == past[n][who]
        for m in np.flatnonzero(game.parent == n).tolist():
            own = list(past[n])
            if who >= 0:
                own[who] = (*own[who], (int(game.infoset[n]), int(game.action[m])))
            past[m] = tuple(own)


@pytest.mark.parametrize("root", RULES, ids=repr)
def test_rules_are_played_without_a_tree(root: Any) -> None:
    """Random play ends; histories are values; the mover's key tells its moves and its own past, actions included."""
    rng = np.random.default_rng(5)
    moves: dict[Any, Any] = {}
    before: dict[Any, Any] = {}
    for _ in range(60):
        state, past = root, {0: (), 1: ()}
        for _ in range(40):
            who = state.mover()
            if who == TERMINAL:
                break
            legal = tuple(state.moves())
            assert legal and len(set(legal)) == len(legal)
            if who == CHANCE:
                law = state.chance()
                assert len(law) == len(legal) and sum(law) == pytest.approx(1.0, abs=1e-15) and min(law) > 0.0
            else:
                key = (who, state.infoset())
                assert moves.setdefault(key, legal) == legal and before.setdefault(key, past[who]) == past[who]
            k = int(rng.integers(len(legal)))
            after = state.child(legal[k])
            assert after == state.child(legal[k]) and hash(after) != hash(state)
            if who >= 0:
                past[who] = (*past[who], (key, legal[k]))
            state = after
        one, two = state.payoffs()
        assert state.mover() == TERMINAL and two in (one, -one)
    with pytest.raises(dataclasses.FrozenInstanceError):
        root.mover_ = 0


def test_one_of_both_has_a_path_on_a_full_board_of_hex() -> None:
    state = DarkHex(3, 3)
    for colours in product((0, 1), repeat=9):
        groups = [frozenset(c for c in range(9) if colours[c] == p) for p in (0, 1)]
        assert sum(any(state.won(groups[p], c, p) for c in groups[p]) for p in (0, 1)) == 1


def test_lines_of_tic_tac_toe() -> None:
    state = PhantomTicTacToe(3, 3)
    lines = [s for s in combinations(range(9), 3) if all(state.won(frozenset(s), c, 0) for c in s)]
    assert lines == [(0, 1, 2), (0, 3, 6), (0, 4, 8), (1, 4, 7), (2, 4, 6), (2, 5, 8), (3, 4, 5), (6, 7, 8)]
    assert not PhantomTicTacToe(2, 4, line=3).won(frozenset({2, 3, 4}), 3, 0)  # 3 and 4 lie in two rows


def play(state: Any, *moves: Any) -> Any:
    for move in moves:
        assert move in state.moves()
        state = state.child(move)
    return state


def test_endings_by_hand() -> None:
    assert play(Kuhn(), 2, 0, "p", "b", "p").payoffs() == (-1.0, 1.0)
    assert play(Kuhn(), 2, 0, "b", "b").payoffs() == (2.0, -2.0)
    rounds = ("r", "r", "c")
    assert play(Leduc(), 0, 4, *rounds, 1, *rounds).payoffs() == (13.0, -13.0)  # a pair with the public card
    assert play(Leduc(), 0, 1, *rounds, 4, *rounds).payoffs() == (0.0, 0.0)
    assert play(Leduc(), 0, 4, "r", "r", "f").payoffs() == (-3.0, 3.0)
    assert play(Leduc(), 0, 4, "c", "c", 2, "r", "f").payoffs() == (1.0, -1.0)
    # faces 2 and 4 of four: the wild 4 makes two of face 2
    assert play(LiarsDice(4), 2, 4, 5, "liar").payoffs() == (1.0, -1.0)
    assert play(LiarsDice(4), 2, 3, 5, "liar").payoffs() == (-1.0, 1.0)
    # abrupt: a met stone ends the turn; classical: not
    assert play(DarkHex(2, 2), 0, 0).mover() == 0 and play(DarkHex(2, 2, "classical"), 0, 0).mover() == 1
    assert play(DarkHex(2, 2), 0, 3, 2).payoffs() == (1.0, -1.0)
    assert play(PhantomTicTacToe(1, 4, line=3), 0, 1, 2, 3).payoffs() == (0.0, 0.0)
    assert play(Goofspiel(3), 1, 2, 2, 3).payoffs() == (-1.0, 1.0)
    assert play(Goofspiel(3, payoff="difference"), 3, 2, 1, 1).payoffs() == (
        2.0,
        -2.0,
    )  # 3 - 1, the tie of prize 2 lost
    assert play(Hanabi(), 0, 1, "play", 2, "play").payoffs() == (2.0, 2.0)
    assert play(Hanabi(), 0, 1, "play", 2, "play", 0, "play").payoffs() == (3.0, 3.0)
    assert play(Hanabi(), 1, 0, "play").payoffs() == (0.0, 0.0)


def test_a_matrix_of_one_shot_games() -> None:
    code, figure = (G.perturbed_rps(v).row for v in ("code", "figure"))
    assert (
        (code.min(), code.max()) == (0.0, 1.0) and np.allclose(code + code.T, 1.0) and np.allclose(figure, 1 - figure.T)
    )
    for row, mix in ((code, (1, 3, 3)), (figure, (3, 3, 1))):
        assert np.allclose(row @ np.array(mix) / 7, 0.5)
    assert (G.random_matrix(3, 4, 7).row == G.random_matrix(m=3, n=4, seed=7).row).all()
    assert (G.random_matrix(3, 4, 7).row != G.random_matrix(3, 4, 8).row).all()


def test_optima_of_tiny_hanabi_over_all_pure_policies() -> None:
    for variant, table in TABLES.items():
        game = G.tiny_hanabi(variant)
        pure = np.array(list(product(range(game.A), repeat=game.infosets)))
        best = expected_value(game, np.eye(game.A)[pure])[:, 0].max()
        assert best == pytest.approx(optimum(table), abs=1e-12)
        assert agrees(best, game_known("tiny-hanabi", variant)["optimum"])
    assert agrees(optimum(table_of(4, 4, 10, 0)), registry.find_model("signal-game").published[0].known["optimum"])


def game_known(family: str, variant: str) -> Any:
    return next(p.known for p in registry.find_model(family).published if p.params.get("variant") == variant)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: G.kuhn(horizon=3), "model 'kuhn' has no parameter 'horizon'; it has none"),
        (lambda: G.leduc(start=0), "model 'leduc' has no parameter 'start'"),
        (lambda: G.liars_dice(rewards="bernoulli"), "has no parameter 'rewards'; known: sides"),
        (lambda: G.random_matrix(noise=0.1), "has no parameter 'noise'; "),
        (lambda: G.liars_dice(sides=7), r"liars-dice: sides is 7; give an integer in 2\.\.6"),
        (lambda: G.tiny_hanabi("G"), "tiny-hanabi: unknown variant 'G'.*known: A, B, C, D, E, F"),
        (lambda: G.signal_game(cards=1), r"cards is 1; give an integer in 2\.\.20"),
        (lambda: G.signal_game(high=0), "high is 0"),
        (lambda: G.dark_hex(variant="abrup"), "unknown variant 'abrup'; nearest: abrupt"),
        (lambda: G.dark_hex(rows=1), "dark-hex: rows is 1; give an integer >= 2"),
        (lambda: G.dark_hex(3, 3), r"make 9 cells; .* at most 6 .*mdps\.games\.dark_hex\.DarkHex by sampled search"),
        (lambda: G.dark_hex(observation="count"), "observation is 'count' with variant 'abrupt'.*leave it out"),
        (lambda: G.phantom_tic_tac_toe(3, 3, 3), "make 9 cells; .*PhantomTicTacToe by sampled search"),
        (lambda: G.phantom_tic_tac_toe(line=4), "line is 4; give at most the longer side, 3"),
        (lambda: G.goofspiel(6), r"cards is 6; give an integer in 2\.\.5"),
        (lambda: G.goofspiel(5, "random"), r"cards is 5; give an integer in 2\.\.4"),
        (lambda: G.goofspiel(order="up"), "unknown order 'up'"),
        (lambda: G.goofspiel(payoff="points"), "unknown payoff 'points'"),
        (lambda: G.hanabi_small(ranks=4), r"ranks is 4; give an integer in 2\.\.3"),
        (lambda: G.perturbed_rps("print"), "unknown variant 'print'"),
        (lambda: G.random_matrix(m=10**6, n=10**6), "random-matrix: the payoffs of shape"),
        (lambda: game_tree(LiarsDice(5), limit=1000), "the tree has more than 1000 nodes"),
    ],
)
def test_bad_parameters(call: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        call()


def test_an_audit_of_a_game_is_refused() -> None:
    nothing: dict[str, Any] = dict.fromkeys(("length", "delta", "burn_in", "like", "python"))
    given: dict[str, Any] = {"model": {}, "agent": {}, "like": {}}
    with pytest.raises(InputError, match="'kuhn' is a game; an audit plays an agent on an MDP or a bandit"):
        execute("ucb-h", "kuhn", given, **nothing, replicates=1, seed=0, as_json=False)


def test_openspiel_that_is_missing_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pyspiel", None)
    with pytest.raises(InputError, match=r"OpenSpiel is not installed; install the extra: theorylab\[games\]"):
        G.from_openspiel("kuhn_poker")


def test_the_namespace_names_the_nearest() -> None:
    with pytest.raises(AttributeError, match="no model 'kuhnn'; nearest: kuhn"):
        _ = G.kuhnn
    assert {"kuhn", "from_openspiel"} <= set(dir(G))
