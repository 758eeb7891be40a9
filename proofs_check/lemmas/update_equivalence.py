"""Update equivalence and improvement in games with hidden cards (`proofs_check.lemmas._games`), and in one-shot games.

    equivalence   policy played by planners that each work at one infoset = all rows updated at once  [source, at second
                  hand: definition 1 of sokota2024]
    difference    J(pi') - J(pi) = sum_h Pr_{pi'}(h) <pi'(h) - pi(h), q_pi(h,.)>, one player changing         [derived]
    three points  <eta q, p' - p> = KL(p',p) + KL(p,p') for p' proportional to p exp(eta q)                   [derived]
    one searcher  J(pi') - J(pi) >= sum_h Pr_{pi'}(h) |pi'(h) - pi(h)|_1^2 / eta_h >= 0, at every eta_h       [derived]
    derivative    d/ds J at stepsizes s eta_h, all players at once, s = 0: sum_h eta_h Pr_pi(h) Var_pi(q)     [derived]
    simultaneous  two searchers, one shot, matrix A: J does not fall for eta <= 4 / (max A - min A)           [derived]
    tightness     A = r I + c, x = (1+z, 1-z)/2, y = (1-z, 1+z)/2: J falls iff eta > T = (2/(z r)) ln((1+z)/(1-z)), and
                  4 <= r T <= 4 + 4 z^2 / (3 (1 - z^2)); so J falls at eta = 4 (1+e) / r for z = e/2, any e <= 1
                                                                                                              [derived]

One searcher: the difference with <pi' - pi, q> = (KL + KL) / eta by the three points, and Pinsker's inequality twice.
Simultaneous: (|dx|_1^2 + |dy|_1^2) / eta of first order against (R/2) |dx|_1 |dy|_1 of second. Tightness: the step
takes the log odds l of x to l - eta r z, those of y to the negative of it, and x^T A y = c + r/2 - r/2 tanh(l/2)^2
falls iff |l - eta r z| > l; artanh(z)/z <= 1 + z^2 / (3 (1 - z^2)).

Degrees [derived], R rows of a game, the deal among them. Value, mass and counterfactual values times all denominators
have degree at most R + 1, with two policies 2 R + 1; to clear the masses of all infosets takes at most R (R + 1) more.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from proofs_check.lemmas import _games as games
from proofs_check.lemmas._games import CLOSE, PALETTE, Update, exponential, feedback, joint, leaves, shares, value
from proofs_check.lemmas._mdp import Array
from theorylab.lemma import Lemma, Sides
from theorylab.lemma_fields import Field, Instance
from theorylab.strategies import Source, law, rewards, table

__all__ = [
    "derivative", "difference", "equivalence", "one_searcher", "simultaneous", "softmax_equivalence", "three_points",
    "tightness",
]  # fmt: skip

Both = dict[str, tuple[Any, Any]]
Kind = Callable[[Any, Field], Update]


# Update equivalence


def searched_game(source: Source) -> Instance:
    """A game with payoffs >= 0, a joint policy, a stepsize."""
    return {
        **games.with_policy(source, games.game(source, games.many, signed=False), games.many),
        "eta": source.number(0, 4),
    }


def softened_game(source: Source) -> Instance:
    """A game, an interior joint policy, a stepsize, and a temperature that is often 0."""
    x = games.with_policy(source, games.game(source, most=2), interior=True)
    return {**x, "eta": Fraction(source.integer(0, 8), 2), "alpha": Fraction(max(0, source.integer(-2, 4)), 2)}


def growth(x: Any, f: Field) -> Update:
    """A rational update: p' proportional to p (1 + eta q), q >= 0."""

    def update(p: Array, q: Array) -> Array:
        return shares(p * (1 + x.eta * q))

    return update


def magnetic(x: Any, f: Field) -> Update:
    """p' proportional to [p rho^(alpha eta) exp(eta q)]^(1/(1 + alpha eta)), rho uniform; alpha = 0: mirror descent."""

    def update(p: Array, q: Array) -> Array:
        return shares(f.exp((f.log(p) + x.eta * q) / (1 + x.alpha * x.eta)))

    return update


def _equivalence(kind: Kind, own: bool = False, partner: bool = False, conditional: bool = True) -> Sides:
    """Rows, ends and value, of planners and of the global update; `own`, `partner`, `conditional`: the faults."""

    def tables(x: Any, f: Field) -> Both:
        update, pi = kind(x, f), joint(x)
        together = games.updated(x, pi, update)
        rollout = (pi[0], pi[1], together[2]) if own else pi
        belief = (together[0], together[1], pi[2]) if partner else pi
        planned = games.planned(x, games.Planner(pi, rollout, belief, update, conditional), f)
        pairs = dict(zip(("first", "reply", "last"), zip(planned, together, strict=True), strict=True))
        return {
            **pairs,
            "ends": (leaves(x, planned), leaves(x, together)),
            "J": (value(x, planned), value(x, together)),
        }

    return tables


def _close(tables: Sides) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        out: Both = {}
        close = f.number(CLOSE)
        for name, (left, right) in tables(x, f).items():
            out |= {f"{name} <=": (left, right + close), f"{name} >=": (right, left + close)}
        return out

    return sides


FAULTS: dict[str, dict[str, bool]] = {
    "own later moves after the update": {"own": True},
    "belief from the partner's updated policy": {"partner": True},
    "counterfactual values": {"conditional": False},
}


def equivalence_degree(x: Instance) -> int:
    """An updated row is a quotient of degree R + 3, and J holds R of them on either side."""
    R = games.number_of_rows(x)
    return 2 * R * (R + 3) + R + 2


# Differences and derivatives


def two_policies(source: Source) -> Instance:
    """A game and two joint policies."""
    x = games.with_policy(source, games.game(source, games.many), games.many)
    first, reply, last = games.policy(source, x, games.many)
    return {**x, "new_first": first, "new_reply": reply, "new_last": last}


def _difference(reach: str = "new", later: str = "old", values: str = "q") -> Sides:
    def sides(x: Any, f: Field) -> Both:
        pi, at = joint(x), feedback(x, joint(x))
        ones, other = (x.new_first, x.reply, x.new_last), (x.first, x.new_reply, x.last)
        q_first, q_reply, q_last = (getattr(a, values) for a in at)
        if later == "new":
            q_first = feedback(x, (x.first, x.reply, x.new_last))[0].q
        own = x.first if reach == "old" else x.new_first
        by_first = at[0].mass * ((x.new_first - x.first) * q_first).sum(axis=-1)
        by_reply = at[1].mass * ((x.new_reply - x.reply) * q_reply).sum(axis=-1)
        by_last = own[..., None] * at[2].mass * ((x.new_last - x.last) * q_last).sum(axis=-1)
        return {
            "player 0": (value(x, ones) - value(x, pi), by_first.sum() + by_last.sum()),
            "player 1": (value(x, other) - value(x, pi), by_reply.sum()),
        }

    return sides


def difference_degree(x: Instance) -> int:
    """See the text of the module; both policies have R rows."""
    R = games.number_of_rows(x)
    return 2 * R + 2 + R * (R + 1)


def weighted_game(source: Source) -> Instance:
    """A game, a joint policy, a weight of the stepsize at each infoset."""
    x = games.with_policy(source, games.game(source, games.many), games.many)
    return {**x, **games.stepsizes(x, lambda n: list(games.many(source, n)))}


def _derivative(values: str = "q", reach: str = "reach", centred: bool = True) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        pi, total, left = joint(x), 0, 0
        for k, (p, at, eta) in enumerate(zip(pi, feedback(x, pi), (x.eta_first, x.eta_reply, x.eta_last), strict=True)):
            mean = (p * at.q).sum(axis=-1)
            slope = eta[..., None] * p * (at.q - mean[..., None])  # of p exp(s eta q) / sum at s = 0
            left = left + value(x, (*pi[:k], slope, *pi[k + 1 :]))  # J is linear in each table
            q = getattr(at, values)
            variance = (p * q * q).sum(axis=-1) - ((p * q).sum(axis=-1) ** 2 if centred else 0)
            total = total + (eta * getattr(at, reach) * variance).sum()
        return {"derivative": (left, total)}

    return sides


def derivative_degree(x: Instance) -> int:
    """Terms hold each row up to three times, two payoffs and a stepsize; the masses of all infosets squared."""
    R = games.number_of_rows(x)
    return 3 * R + 3 + 2 * R * (R + 1)


# One searching player


def slow_and_fast(source: Source) -> Instance:
    """A game, a joint policy, a stepsize for each infoset."""
    x = games.signalling(source) if source.integer(0, 1) == 0 else games.game(source)
    x = games.with_policy(source, x)
    return {**x, **games.stepsizes(x, lambda n: [PALETTE[k] for k in games.packed(source, n)])}


def _one_searcher(sign: int = 1, both: bool = False, factor: int = 1, prior: bool = False) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        pi, close = joint(x), f.number(CLOSE)
        etas = (x.eta_first, x.eta_reply, x.eta_last)
        at = feedback(x, (pi[0], x.reply * 0 + f.number(Fraction(1, x.reply.shape[-1])), pi[2]) if prior else pi)
        new = [exponential(f, p, a.q, sign * e[..., None]) for p, a, e in zip(pi, at, etas, strict=True)]
        far = [abs(n - p).sum(axis=-1) for n, p in zip(new, pi, strict=True)]
        lengths = [d * d / e for d, e in zip(far, etas, strict=True)]  # a ball around 0 has no power in flint
        ones, other = (new[0], new[1] if both else pi[1], new[2]), (pi[0], new[1], pi[2])
        own = (lengths[0] * at[0].mass).sum() + (lengths[2] * new[0][..., None] * at[2].mass).sum()
        return {
            "player 0": (factor * own, value(x, ones) - value(x, pi) + close),
            "player 1": (factor * (lengths[1] * at[1].mass).sum(), value(x, other) - value(x, pi) + close),
        }

    return sides


def row_and_values(source: Source) -> Instance:
    """A law, action values, a stepsize."""
    n = source.size(2, 4)
    return {"p": law(source, n), "q": rewards(source, n, low=-1), "eta": Fraction(source.integer(1, 200), 4)}


def _three(forward: int, backward: int) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        new, support = exponential(f, x.p, x.q, x.eta), x.p != 0
        p, n = x.p[support], new[support]
        ratio = f.log(n / p)
        left = x.eta * (x.q * (new - x.p)).sum()
        right = forward * (n * ratio).sum() - backward * (p * ratio).sum()
        close = f.number(CLOSE)
        return {"<=": (left, right + close), ">=": (right, left + close)}

    return sides


# Two searching players in a one-shot game


def matrices(source: Source) -> Instance:
    """A payoff matrix, two laws, the part t of the largest stepsize; half of them agree-or-lose, near the middle."""
    if source.integer(0, 1) == 0:
        r, shift, u = source.integer(1, 2), source.integer(0, 1), Fraction(source.integer(-4, 4), 16)
        v = -u + Fraction(source.integer(-1, 1), 32)
        half = Fraction(1, 2)
        A = table([r * (int(i == j) - half * shift) for i in (0, 1) for j in (0, 1)], 2, 2)
        x, y = table([half + u, half - u], 2), table([half + v, half - v], 2)
    else:
        m, n = source.size(2, 4), source.size(2, 4)
        A, x, y = rewards(source, m, n, low=-1), law(source, m), law(source, n)
        A[0, 0] += int(A.max() == A.min())
    return {"U": A, "x": x, "y": y, "t": 1 - Fraction(source.integer(0, 1), 2)}


def _simultaneous(constant: Fraction, scale: str = "range") -> Sides:
    def sides(x: Any, f: Field) -> Both:
        size = f.span(x.U) if scale == "range" else f.max(abs(x.U))
        eta = x.t * f.number(constant) / size
        p, q = exponential(f, x.x, x.U @ x.y, eta), exponential(f, x.y, x.U.T @ x.x, eta)
        return {"J": (x.x @ x.U @ x.y, p @ x.U @ q + f.number(CLOSE))}

    return sides


def tilted(source: Source) -> Instance:
    """A tilt z in (0, 1), payoffs r and c, a part s of the stepsize above or below the threshold, e in (0, 1]."""
    z = Fraction(source.integer(1, 15), 16 * 2 ** source.integer(0, 4))
    r, c, side = source.integer(1, 4), source.integer(-2, 2), 1 - 2 * source.integer(0, 1)
    s, e = Fraction(side * source.integer(1, 15), 16), Fraction(source.integer(1, 32), 32)
    return {"z": z, "r": Fraction(r, 2), "c": Fraction(c), "s": s, "e": e}


def _tightness(least: Fraction, early: Fraction, opposed: int = -1, excess: int = 4) -> Sides:
    def sides(x: Any, f: Field) -> Both:
        A = x.r * f.eye(2) + x.c

        def gain(z: Any, eta: Any) -> Any:
            p, q = f.array([1 + z, 1 - z]) / 2, f.array([1 + opposed * z, 1 - opposed * z]) / 2
            return exponential(f, p, A @ q, eta) @ A @ exponential(f, q, A.T @ p, eta) - p @ A @ q

        T = 2 * f.log((1 + x.z) / (1 - x.z)) / (x.z * x.r)
        near = 4 + excess * x.z * x.z / (3 * (1 - x.z * x.z))
        return {
            "at least 4": (f.number(least), x.r * T),
            "near 4": (x.r * T, near),
            "J falls above T, else rises": (0 * x.r, -x.s * gain(x.z, T * (1 + x.s) * f.number(early))),
            "J falls at 4 (1 + e) / r": (gain(x.e / 2, f.number(early) * 4 * (1 + x.e) / x.r), 0 * x.r),
        }

    return sides


equivalence = Lemma(
    name="sokota2024.update-equivalence",
    text="Definition 1: where each row is searched for alone, from its infoset's histories with their posterior under "
    "the blueprint and play by the blueprint after each action, the joint policy played has the rows, the probability "
    "of every end and the value of the global update of all rows at once; here p' proportional to p (1 + eta q).",
    tag="source",
    draw=searched_game,
    sides=_equivalence(growth),
    twins={name: _equivalence(growth, **fault) for name, fault in FAULTS.items()},
    kind="identity",
    degree=equivalence_degree,
)

softmax_equivalence = Lemma(
    name="sokota2024.softmax-equivalence",
    text="The same for mirror descent (alpha = 0) and magnetic mirror descent with a uniform magnet, to 2^-120.",
    tag="source",
    draw=softened_game,
    sides=_close(_equivalence(magnetic)),
    twins={name: _close(_equivalence(magnetic, **fault)) for name, fault in FAULTS.items()},
    irrational=True,
)

difference = Lemma(
    name="sokota2024.performance-difference",
    text="J(pi') - J(pi) = sum_h Pr_{pi'}(h) <pi'(h) - pi(h), q_pi(h,.)> where one player changes its rows.",
    tag="derived",
    draw=two_policies,
    sides=_difference(),
    twins={
        "Pr under the old policy": _difference(reach="old"),
        "q with the new later rows": _difference(later="new"),
        "counterfactual values": _difference(values="counterfactual"),
    },
    kind="identity",
    degree=difference_degree,
)

derivative = Lemma(
    name="sokota2024.derivative",
    text="dJ/ds at s = 0 = sum_h eta_h Pr_pi(h) Var_{a ~ pi(h)}(q_pi(h,a)) for the simultaneous mirror descent step of "
    "all players with stepsizes s eta_h.",
    tag="derived",
    draw=weighted_game,
    sides=_derivative(),
    twins={
        "counterfactual values": _derivative(values="counterfactual"),
        "own reach left out": _derivative(reach="mass"),
        "second moment": _derivative(centred=False),
    },
    kind="identity",
    degree=derivative_degree,
)

three_points = Lemma(
    name="sokota2024.three-points",
    text="<eta q, p' - p> = KL(p', p) + KL(p, p') for p' proportional to p exp(eta q), to 2^-120.",
    tag="derived",
    draw=row_and_values,
    sides=_three(1, 1),
    twins={"KL(p', p) twice": _three(2, 0), "KL(p, p') twice": _three(0, 2), "KL(p', p) once": _three(1, 0)},
    irrational=True,
)

one_searcher = Lemma(
    name="sokota2024.one-searcher",
    text="Mirror descent by one player at all its infosets, stepsizes eta_h up to 50, gains at least "
    "sum_h Pr_{pi'}(h) |pi'(h) - pi(h)|_1^2 / eta_h >= 0 (to 2^-120).",
    tag="derived",
    draw=slow_and_fast,
    sides=_one_searcher(),
    twins={
        "both players search": _one_searcher(both=True),
        "sign of eta": _one_searcher(sign=-1),
        "twice as much": _one_searcher(factor=2),
        "uniform moves of the partner": _one_searcher(prior=True),
    },
    irrational=True,
)

simultaneous = Lemma(
    name="sokota2024.simultaneous",
    text="One shot, common payoffs A: simultaneous mirror descent by both players with eta <= 4 / (max A - min A) does "
    "not lower x^T A y (to 2^-120).",
    tag="derived",
    draw=matrices,
    sides=_simultaneous(Fraction(4)),
    twins={
        "8 for 4": _simultaneous(Fraction(8)),
        "1.5 times": _simultaneous(Fraction(6)),
        "1.01 times": _simultaneous(Fraction(101, 25)),
        "max |A| for the range": _simultaneous(Fraction(4), "largest"),
    },
    irrational=True,
)

tightness = Lemma(
    name="sokota2024.simultaneous-tight",
    text="For A = r I + c, x = (1+z, 1-z)/2, y = (1-z, 1+z)/2 the simultaneous step lowers x^T A y iff eta > T = "
    "(2/(z r)) ln((1+z)/(1-z)), 4 <= r T <= 4 + 4 z^2/(3 (1-z^2)); so for every e in (0, 1] it does so at eta = "
    "4 (1+e)/r, z = e/2: no constant above 4 is safe.",
    tag="derived",
    draw=tilted,
    sides=_tightness(Fraction(4), Fraction(1)),
    twins={
        "4.1 for 4": _tightness(Fraction(41, 10), Fraction(1)),
        "threshold 5% lower": _tightness(Fraction(4), Fraction(19, 20)),
        "both tilted to one side": _tightness(Fraction(4), Fraction(1), opposed=1),
        "half of the excess": _tightness(Fraction(4), Fraction(1), excess=2),
    },
    irrational=True,
)
