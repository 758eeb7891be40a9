"""Sokota et al. (2024) on real games: search against the global update, gains of searchers, and sampled search.

Each function draws a game, a blueprint and an update, and returns (largest lhs - rhs, where). With R the range of
payoffs, N rollouts, kappa = eta/(1 + eta alpha), n the number of action values and delta = 1e-12:

    equivalence   apply_locally at an infoset = the row of apply_globally                          definition 1 [source]
    gain          J(pi') - J(pi) = sum_h Pr_pi'(h) (KL(p',p) + KL(p,p'))/eta, one player, any eta        S10 [derived]
    derivative    dJ/d eta at 0 = sum_h Pr_pi(h) Var_pi(q), both players, common payoffs                  S9 [derived]
    values        |mean of qhat over M seeds - q| <= R sqrt(ln(2n/delta)/(2NM))                   algorithm 1 [derived]
    rows          TV(row of a seed, exact row) <= tanh(kappa R sqrt(ln(2n/delta)/(2N))/2)       proposition 1 [derived]

The last two hold together with probability 1 - 2 delta by Hoeffding's inequality (rollouts of a seed are independent,
each in an interval of length R); tanh(e/2) is the largest distance of two softmaxes whose logits differ by e at most.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import Any, TypeAlias

import numpy as np

import mdps
from theorylab.claim import Claim, Pointwise
from theorylab.games import action_values, expected_value
from theorylab.games.search import sampled_action_values
from theorylab.games.updates import (
    Update,
    apply_globally,
    apply_locally,
    magnetic,
    mirror_descent,
    policy_gradient,
    regularised,
)

__all__ = ["GAMES_CLAIMS"]

Found: TypeAlias = tuple[float, str]
Draw: TypeAlias = np.random.Generator

ZERO_SUM: dict[str, Callable[[], Any]] = {
    "kuhn": mdps.games.kuhn,
    "dark-hex": mdps.games.dark_hex,
    "liars-dice-3": lambda: mdps.games.liars_dice(3),
    "goofspiel-3": lambda: mdps.games.goofspiel(3),
    "leduc": mdps.games.leduc,
}
COMMON: dict[str, Callable[[], Any]] = {
    **{f"tiny-hanabi-{k}": partial(mdps.games.tiny_hanabi, k) for k in "ABCDEF"},
    "hanabi-2-ranks": lambda: mdps.games.hanabi_small(ranks=2),
}
DELTA = 1e-12
SEEDS, ROLLOUTS = 16, 1024


@cache
def _game(name: str) -> Any:
    return {**ZERO_SUM, **COMMON}[name]()


def _drawn(rng: Draw, names: dict[str, Any]) -> tuple[str, Any, Any, float]:
    """A game, a random policy and the range of payoffs."""
    name = str(rng.choice(list(names)))
    game = _game(name)
    weights = rng.standard_gamma(float(rng.choice([0.5, 1.0, 3.0])), (game.infosets, game.A)) + 1e-9
    policy = np.where(game.legal, weights, 0.0)
    policy /= policy.sum(axis=1, keepdims=True)
    low, high = game.payoff_range
    return name, game, policy, high - low


def _stepsize(rng: Draw, width: float) -> float:
    return float(10.0 ** rng.uniform(-1.5, 2.0)) / width


def _updates(rng: Draw, width: float) -> Update:
    eta, alpha = _stepsize(rng, width), float(rng.uniform(0.01, 1.0)) * width
    made = [mirror_descent(eta), magnetic(eta, alpha), regularised(alpha), policy_gradient(eta)]
    return made[int(rng.integers(len(made)))]


def _equivalence(rng: Draw, improved: bool) -> Found:
    name, game, policy, width = _drawn(rng, {**ZERO_SUM, **COMMON})
    update = _updates(rng, width)
    whole = apply_globally(game, policy, update)
    seen, at = policy.copy(), rng.permutation(game.infosets)[:6]
    if improved:  # planners believe, and will play, what others have found: every infoset but the searched ones
        others = np.setdiff1d(np.arange(game.infosets), at)
        seen[others] = whole[others]
    apart = [float(np.abs(apply_locally(game, seen, update, int(i)) - whole[i]).max()) for i in at]
    return max(apart) - 1e-11, f"{name}, {update.name}, infoset {at[int(np.argmax(apart))]}"


def equivalence(rng: Draw) -> Found:
    """Rows computed at single infosets, from their own histories, are those of the global update."""
    return _equivalence(rng, improved=False)


def _gain(rng: Draw, players: tuple[int, ...]) -> Found:
    name, game, policy, width = _drawn(rng, {**ZERO_SUM, **COMMON})
    who, eta = int(rng.integers(2)), _stepsize(rng, width)
    own = game.infoset_player == who
    moved = apply_globally(game, policy, mirror_descent(eta), players or (who,))
    after = action_values(game, moved)
    reached = (after.mass * after.reach)[:, None]
    known = (policy > 0.0) & (moved > 0.0) & own[:, None] & (reached > 0.0)
    logs = np.log(np.where(known, moved, 1.0) / np.where(known, policy, 1.0))
    bound = float((reached * (moved - policy) * logs)[known].sum()) / eta
    gain = float(expected_value(game, moved)[who] - expected_value(game, policy)[who])
    return abs(gain - bound) / width - 1e-10, f"{name}, player {who}, stepsize {eta * width:.3g} / range"


def gain(rng: Draw) -> Found:
    """One player searching at all of its infosets gains exactly the weighted divergences of its rows."""
    return _gain(rng, ())


def _derivative(rng: Draw, counterfactual: bool) -> Found:
    name, game, policy, width = _drawn(rng, COMMON)
    seen = action_values(game, policy)
    q = np.nan_to_num(seen.counterfactual if counterfactual else seen.q)
    mean = (policy * q).sum(axis=1, keepdims=True)
    slope = float((seen.mass * seen.reach * (policy * (q - mean) ** 2).sum(axis=1)).sum())
    h = 1e-4 / width
    down, up = (np.where(game.legal, policy * np.exp(s * h * np.nan_to_num(seen.q)), 0.0) for s in (-1.0, 1.0))
    ends = [float(expected_value(game, x / x.sum(axis=1, keepdims=True))[0]) for x in (down, up)]
    return abs((ends[1] - ends[0]) / (2 * h) - slope) / width**2 - 1e-7, name


def derivative(rng: Draw) -> Found:
    """The slope of the return at stepsize 0 when all players search."""
    return _derivative(rng, counterfactual=False)


def _few(rng: Draw, game: Any) -> np.ndarray[Any, Any]:
    return np.sort(rng.choice(game.infosets, min(12, game.infosets), replace=False))


def _values(rng: Draw, **how: Any) -> Found:
    name, game, policy, width = _drawn(rng, {**ZERO_SUM, **COMMON})
    at = _few(rng, game)
    found = sampled_action_values(game, policy, ROLLOUTS, SEEDS, at, seed=int(rng.integers(2**32)), **how)
    exact = action_values(game, policy).q[at]
    known = np.isfinite(exact)
    reach = width * np.sqrt(np.log(2 * known.sum() / DELTA) / (2 * ROLLOUTS * SEEDS))
    apart = np.abs(found.q.mean(axis=0) - exact)[known]
    return float(apart.max() - reach) / width, f"{name}, N = {ROLLOUTS}, {SEEDS} seeds"


def values(rng: Draw) -> Found:
    """Rollouts from the posterior under the blueprint are unbiased for the action values."""
    return _values(rng)


def _rows(rng: Draw, power: float) -> Found:
    name, game, policy, width = _drawn(rng, {**ZERO_SUM, **COMMON})
    at, N = _few(rng, game), int(rng.choice([64, 512, 4096]))
    eta, alpha = _stepsize(rng, width), float(rng.uniform(0.0, 1.0)) * width
    update = magnetic(eta, alpha)
    exact = apply_globally(game, policy, update)[at]
    found = sampled_action_values(game, policy, N, 2, at, seed=int(rng.integers(2**32)))
    rows = update.at(at)(policy[at], found.q, game.legal[at])
    entries = 2 * int(game.legal[at].sum())
    error = width * (np.log(2 * entries / DELTA) / (2 * N)) ** power
    bound = np.tanh(eta / (1.0 + eta * alpha) * error / 2.0)
    apart = float(np.abs(rows - exact).sum(axis=-1).max() / 2.0)
    return apart - float(bound), f"{name}, N = {N}, stepsize {eta * width:.3g} / range"


def rows(rng: Draw) -> Found:
    """Rows of sampled search approach the exact ones as N^{-1/2}."""
    return _rows(rng, 0.5)


def _claim(name: str, text: str, tag: str, quantity: Callable[[Draw], Found], twin: Callable[[Draw], Found]) -> Claim:
    return Claim(
        id=f"sokota2024.{name}",
        text=text,
        source_tag=tag,
        scope="models",
        learner="",
        kind=Pointwise(),
        quantity=quantity,
        false_twin=twin,
        instances={},
    )


def improved_beliefs(rng: Draw) -> Found:
    """As `equivalence`, with the other infosets already searched in what a planner believes and plays."""
    return _equivalence(rng, improved=True)


def both_search(rng: Draw) -> Found:
    """As `gain`, with both players searching."""
    return _gain(rng, (0, 1))


def counterfactual_variance(rng: Draw) -> Found:
    """As `derivative`, with counterfactual values in the variance."""
    return _derivative(rng, counterfactual=True)


def alike(rng: Draw) -> Found:
    """As `values`, with all histories of an infoset alike: no particle is found among one play."""
    return _values(rng, beliefs="particles", particles=1, tries=1)


def linear_rate(rng: Draw) -> Found:
    """As `rows`, with the rate 1/N."""
    return _rows(rng, 1.0)


GAMES_CLAIMS = (
    _claim(
        "games-equivalence",
        "Definition 1 on Kuhn, Leduc, Dark Hex, Liar's Dice, Goofspiel and common-payoff games: a planner called at "
        "one infoset, which looks at its own histories alone, returns the row of the global update.",
        "source", equivalence, improved_beliefs,
    ),
    _claim(
        "games-gain",
        "J(pi') - J(pi) = sum_h Pr_pi'(h) (KL(p',p) + KL(p,p')) / eta when one player alone searches by mirror "
        "descent, at every stepsize: it never loses.",
        "derived", gain, both_search,
    ),
    _claim(
        "games-derivative",
        "With common payoffs and all players searching, dJ/d eta at 0 is sum_h Pr_pi(h) Var_pi(q(h,.)).",
        "derived", derivative, counterfactual_variance,
    ),
    _claim(
        "sampled-values",
        "Rollouts of algorithm 1 are unbiased for q: means of 16 seeds lie within Hoeffding's distance.",
        "derived", values, alike,
    ),
    _claim(
        "sampled-rows",
        "Proposition 1, with a rate: TV(sampled row, exact row) <= tanh(kappa R sqrt(ln(2n/delta)/(2N))/2).",
        "derived", rows, linear_rate,
    ),
)  # fmt: skip
