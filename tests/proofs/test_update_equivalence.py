"""sokota2024 and sokota2023: the lemmas' games, planners and steps beside the engine and computations by hand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from proofs_check.lemmas import _games as games
from proofs_check.lemmas import magnetic
from proofs_check.lemmas import update_equivalence as ue
from proofs_check.papers import _sokota2023_lemmas, sokota2023, sokota2024
from theorylab.claim_conformance import claim_conformance
from theorylab.games import action_values, expected_value, game_tree
from theorylab.lemma import Lemma, search, verify_identity, violation
from theorylab.lemma_fields import FLOATS, RATIONALS
from theorylab.strategies import Points, table

CLAIMS = [*sokota2024.claims, *_sokota2023_lemmas.LEMMAS]
LEMMAS: list[Any] = [c.quantity for c in CLAIMS if isinstance(c.quantity, Lemma)]
SEARCHED = [x for x in LEMMAS if x.kind == "inequality"]


@dataclass(frozen=True)
class Drawn:
    """The rules of a drawn game, for `game_tree`: the deal is one chance node."""

    x: Any
    history: tuple[int, ...] = ()

    def mover(self) -> int:
        return (-1, 0, 1, 0, -2)[max(0, len(self.history) - 1)]

    def moves(self) -> tuple[Any, ...]:
        if not self.history:
            return tuple(np.ndindex(*self.x.chance.shape))
        return tuple(range(self.x.U.shape[len(self.history)]))

    def chance(self) -> list[float]:
        return [float(p) for p in self.x.chance.ravel()]

    def child(self, move: Any) -> Drawn:
        return Drawn(self.x, move if not self.history else (*self.history, move))

    def infoset(self) -> tuple[int, ...]:
        c, d, *seen = self.history
        return (d if len(seen) == 1 else c, *seen)

    def payoffs(self) -> tuple[float, float]:
        return (float(self.x.U[self.history]),) * 2


@pytest.fixture(params=range(2))
def x(request: pytest.FixtureRequest) -> Any:
    """A game of the largest size with an interior policy, payoffs up to 1."""
    source = Points(20, request.param)
    drawn = games.with_policy(source, games.game(source, games.many), games.many)
    return FLOATS.read({**drawn, "U": drawn["U"] / 20})


def test_feedback_is_that_of_the_engine(x: Any) -> None:
    game = game_tree(Drawn(x))
    policy = np.zeros(game.legal.shape)
    where: dict[tuple[int, ...], int] = {}
    for i, label in enumerate(game.labels):
        key = tuple(map(int, label.strip("()").rstrip(",").split(",")))
        where[key] = i
        policy[i, : len(games._row(games.joint(x), (key[0], key[0], *key[1:])))] = games.joint(x)[len(key) - 1][key]
    found, at = games.feedback(x, games.joint(x)), action_values(game, policy)
    assert float(games.value(x, games.joint(x))) == pytest.approx(expected_value(game, policy)[0], abs=1e-12)
    for key, i in where.items():
        part, n = found[len(key) - 1], int(game.infoset_actions[i])
        assert part.q[key] == pytest.approx(at.q[i, :n], abs=1e-12)
        assert part.counterfactual[key] == pytest.approx(at.counterfactual[i, :n], abs=1e-12)
        assert part.mass[key] == pytest.approx(at.mass[i]) and part.reach[key] == pytest.approx(
            at.mass[i] * at.reach[i]
        )
    assert len(where) == game.infosets


def test_the_derivative_is_that_of_the_exponential_step(x: Any) -> None:
    """Which the lemma takes as p (q - <p, q>)."""
    pi = games.joint(x)
    for name, p in (("eta_first", pi[0]), ("eta_reply", pi[1]), ("eta_last", pi[2])):
        setattr(x, name, np.ones(p.shape[:-1]))
    left, right = ue.derivative.sides(x, FLOATS)["derivative"]

    def after(eta: float) -> float:
        return float(games.value(x, games.updated(x, pi, lambda p, q: games.exponential(FLOATS, p, q, eta))))

    assert (after(1e-5) - after(-1e-5)) / 2e-5 == pytest.approx(right, rel=1e-6)
    assert left == pytest.approx(right, rel=1e-12) and right > 1e-3


def test_planners_leave_rows_that_are_never_reached() -> None:
    """One card each; player 0 never plays a = 1, so player 1 and the last move there have nothing to search with."""
    one = table([1], 1)
    drawn = {
        "chance": one.reshape(1, 1), "U": table(range(8), 1, 1, 2, 2, 2), "first": table([1, 0], 1, 2),
        "reply": table([Fraction(1, 4), Fraction(3, 4)] * 2, 1, 2, 2), "last": table([Fraction(1, 2)] * 8, 1, 2, 2, 2),
        "eta": Fraction(1),
    }  # fmt: skip
    y = RATIONALS.read(drawn)
    new = games.updated(y, games.joint(y), ue.growth(y, RATIONALS))
    # a = 0: q(b) = 1/2, 5/2, so 1/4 * 3/2 to 3/4 * 7/2; e after (0, 0): q = 0, 1; a = 1 is not reached by player 0
    assert [str(p) for p in new[1][0].ravel()] == ["1/8", "7/8", "1/4", "3/4"]
    assert [str(p) for p in new[2][0, 0, 0]] == ["1/3", "2/3"]
    # own reach cancels: the last moves after a = 1 are searched for all the same
    assert [str(p) for p in new[2][0, 1, 0]] == ["5/11", "6/11"]
    assert violation(ue.equivalence, drawn) == ("", False)


@pytest.mark.parametrize("claim", CLAIMS, ids=lambda c: c.id)
def test_claims_are_complete(claim: Any) -> None:
    failed = [o for o in claim_conformance(claim, beside=CLAIMS) if not o.ok]
    assert not failed, failed
    assert claim in [*sokota2024.claims, *sokota2023.claims]
    assert (claim.source_tag == "source") == (
        claim.id.partition(".")[2]
        in ("update-equivalence", "softmax-equivalence", "games-equivalence", "regularised-operator", "contraction")
    )


@pytest.mark.parametrize("lemma", [x for x in LEMMAS if x.kind == "identity"], ids=lambda x: x.name)
def test_identities_hold_and_their_twins_do_not(lemma: Lemma) -> None:
    found = verify_identity(lemma, seed=5)
    assert found.verdict == "IDENTITY HOLDS" and found.false_pass is not None and found.false_pass < 1e-6
    for name in lemma.twins:
        assert verify_identity(lemma, points=1, seed=5, twin=name).verdict == "REFUTED", name


@pytest.mark.parametrize("lemma", SEARCHED, ids=lambda x: x.name)
def test_inequalities_come_to_equality_and_balls_decide_them(lemma: Lemma) -> None:
    found = search(lemma, 32)
    assert found.verdict == "NO VIOLATION FOUND" and found.undecided == 0
    assert found.ratio is not None and found.ratio > 0.9
    for name in lemma.twins:
        assert search(lemma, 1024, twin=name, shrink=False).verdict == "REFUTED", name


def test_the_printed_condition_of_corollary_d6_fails() -> None:
    """L = alpha = mu = 1, mu_psi = 1/2, eta = 1, z = (1, 0): z+ = (1/2, 1), where 0 = F + z+/2 + (z+ - z)/2."""
    one, half = Fraction(1), Fraction(1, 2)
    instance = {
        "s": 0 * one, "l": one, "psi": table([half, half], 2), "extra": table([0, 0], 2), "mu": one, "alpha": one,
        "z": table([1, 0], 2), "t": one,
    }  # fmt: skip
    printed = magnetic.repaired.twins["as printed: mu_psi^2 lost"]
    left, right = printed(RATIONALS.read(instance), RATIONALS)["B"]
    # B = |.|^2 / 4; claimed is 1/(1 + eta mu alpha) = 1/2 of the old one
    assert (str(left), str(right)) == (str((half**2 + one) / 4), str(Fraction(1, 8)))
    assert violation(magnetic.repaired, instance, "as printed: mu_psi^2 lost")[0]
    # repaired: eta = 1/4, z+ = (4/5, 2/5), and the bound is attained
    left, right = magnetic.repaired.sides(RATIONALS.read(instance), RATIONALS)["B"]
    assert str(left) == str(right) == str(((4 * one) ** 2 + (2 * one) ** 2) / 25 / 4)


def test_a_drawn_equilibrium_is_one() -> None:
    """A softmax of its own action values, and fixed by an MMD step."""
    drawn = {
        "A0": table([Fraction(k, 4) for k in (1, -3, 2, 0, 4, -1)], 2, 3), "alpha": Fraction(1, 2),
        "x_star": table([Fraction(1, 3), Fraction(2, 3)], 2), "y_star": table([Fraction(k, 10) for k in (2, 3, 5)], 3),
    }  # fmt: skip
    x = FLOATS.read(drawn)
    A = magnetic.solved(x, FLOATS)
    weights = np.exp(-A @ x.y_star / x.alpha)
    assert weights / weights.sum() == pytest.approx(x.x_star, abs=1e-14)
    assert magnetic.mmd(x.y_star, A.T @ x.x_star, 0.3, x.alpha, FLOATS) == pytest.approx(x.y_star, abs=1e-14)


@pytest.mark.parametrize(
    ("alpha", "eta", "converges"),
    [(0.1, 0.1, True), (0.1, 0.19, True), (0.1, 0.22, False), (0.1, 0.5, False), (0.3, 0.62, True), (0.3, 0.7, False)],
)
def test_matching_pennies_by_iteration(alpha: float, eta: float, converges: bool) -> None:
    """Threshold 2 alpha / (1 - alpha^2): 0.202 and 0.659."""
    A = np.array([[1.0, -1.0], [-1.0, 1.0]])
    p = q = np.array([0.501, 0.499])
    for _ in range(3000):
        p, q = magnetic.mmd(p, -(A @ q), eta, alpha, FLOATS), magnetic.mmd(q, A.T @ p, eta, alpha, FLOATS)
    far = max(abs(p[0] - 0.5), abs(q[0] - 0.5))
    assert far < 1e-4 if converges else far > 1e-2  # from 1e-3


def test_the_linearised_step_is_the_derivative() -> None:
    p, eta, alpha, h = np.array([0.5, 0.5]), 0.7, 0.4, 1e-6
    A, tilt = np.array([[1.5, -0.5], [-0.5, 1.5]]), np.array([1.0, -1.0])
    ends = [magnetic.mmd(p + s * h * tilt, A.T @ (p + s * h * tilt), eta, alpha, FLOATS) for s in (1, -1)]
    claimed = magnetic.linearised(p, tilt, A.T @ tilt, eta, alpha)
    assert (ends[0] - ends[1]) / (2 * h) == pytest.approx(claimed, abs=1e-8)


@pytest.mark.parametrize("z", [0.5, 0.1, 0.01])
def test_the_threshold_of_two_searchers_by_hand(z: float) -> None:
    """x = (1+z, 1-z)/2, y the other way round, payoff 1 for agreeing: J = (1 - z^2)/2."""
    threshold = 4 * math.atanh(z) / z

    def after(eta: float) -> float:
        odds = math.exp(2 * math.atanh(z) - eta * z)
        p = odds / (1 + odds)
        return 2 * p * (1 - p)

    before = (1 - z * z) / 2
    assert after(1.001 * threshold) < before < after(0.999 * threshold)
    assert 4 < threshold < 4 + 4 * z * z / (3 * (1 - z * z))


@pytest.mark.parametrize("factor", [Fraction(101, 100), Fraction(1001, 1000), Fraction(10001, 10000)])
def test_any_factor_above_one_is_found_near_the_middle(factor: Fraction) -> None:
    e = factor - 1
    half, u = Fraction(1, 2), e / 4
    instance = {
        "U": table([1, 0, 0, 1], 2, 2), "x": table([half + u, half - u], 2), "y": table([half - u, half + u], 2),
        "t": Fraction(1),
    }  # fmt: skip
    spoilt = Lemma("sokota2024.x", "x", "derived", ue.matrices, ue.simultaneous.sides,
                   {"more": ue._simultaneous(4 * factor)}, irrational=True)  # fmt: skip
    assert violation(spoilt, instance, "more")[0] and not violation(spoilt, instance)[0]
