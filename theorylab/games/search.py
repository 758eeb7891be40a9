"""Search at decision points by update functions.

At infoset i a searcher with blueprint pi (I,A) and update U (`theorylab.games.updates`)

    1. draws histories h from the posterior P_pi(h | i);
    2. from h plays each legal action a once and follows pi to the end, at its own later decisions too;
    3. averages the returns over N histories to qhat(a), and plays a ~ U(pi(i,.), qhat).

With U = `mirror_descent` this is MDS, meant for common payoffs; with U = `magnetic`, MMDS, meant for zero sums.
Source: sokota2024, algorithm 1 [source: second-hand]. What is played is the mean of U over the searcher's own draws,
pbar: see `theorylab.games.search_result`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from theorylab.errors import InputError
from theorylab.games.form import PLAYERS, ExtensiveForm
from theorylab.games.layout import as_tree
from theorylab.games.rollouts import Play, branches, edge_probabilities, estimate, history_weights, running, watch
from theorylab.games.search_result import SearchResult
from theorylab.games.updates import Update, check_parameters, check_players, first_leader, leaders
from theorylab.games.values import action_values, check_policy
from theorylab.rng import key_words

__all__ = ["SampledValues", "sampled_action_values", "search", "sparta"]

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]

#: entries of an array by seed and infoset that are worked on at once
BLOCK = 2_000_000


class SampledValues(NamedTuple):
    """Action values by rollouts.

    Attributes:
        q: (M,S,A) qhat of each seed and infoset, reward units; NaN at actions that are not there and where the
            blueprint leaves the infoset no mass.
        number: (M,S,A) rollouts in each, negative for an action that was dropped on the way.
        fallbacks, short: pairs of seed and infoset where no particle was found and histories were drawn uniformly, and
            where fewer were found than asked for; 0 with exact beliefs.
    """

    q: Floats
    number: Ints
    fallbacks: int
    short: int


# Sampling


def sampled_action_values(
    game: Any, blueprint: Any, rollouts: int, seeds: Any, infosets: Any = None, beliefs: str = "exact",
    particles: int = 10, tries: int = 10_000, common: bool = True, seed: int = 0, kept: Any = None, minimum: int = 0,
    width: float = 0.0,
) -> SampledValues:  # fmt: skip
    """qhat (M,S,A) of M searchers at S infosets, steps 1 to 3 of the module's text.

    Args:
        game: ExtensiveForm or MatrixGame. blueprint: (I,A). rollouts: N, of each action. infosets: (S,), all if None.
        seeds: a number M, or a range of seed indices; index m has the same draws in any range.
        beliefs: "exact" draws from the posterior; "particles" uniformly from those histories of the infoset that the
            first `tries` plays of the blueprint met, `particles` at most, anew for each seed.
        common: all actions from the same sampled histories (common random numbers), else from histories of their own.
        seed: key of all draws.
        kept, minimum, width: after `minimum` rollouts actions are dropped whose mean plus width standard errors is
            below the best mean less width of its own, but never action kept[s]; width = 0 drops none.

    Raises InputError: an entry that does not fit, by name.
    """
    tree = as_tree(game)
    pi, at, indices = _one_policy(tree, blueprint), _infosets(tree, infosets), _seeds(seeds)
    parts = branches(tree)
    for name, given in (("rollouts", rollouts), ("particles", particles), ("tries", tries)):
        if isinstance(given, bool) or not isinstance(given, (int, np.integer)) or given < 1:
            raise InputError(f"{name}={given} is no positive number")
    if beliefs not in ("exact", "particles"):
        raise InputError(f"beliefs='{beliefs}' is none of 'exact' and 'particles'")
    if max(max(rollouts, tries) * max(parts.depth, 1), tree.infosets * tree.A, indices.stop) >= 2**32:
        raise InputError("rollouts or tries times the depth, infosets times actions, and seeds must be below 2^32")
    k0, k1 = key_words(seed)
    sums, edge, law = running.compile_cpu(), np.empty(parts.child.size), np.empty(parts.history.size)
    sums(edge, edge_probabilities(tree, pi), parts.child, parts.child_start)
    play = Play(parts.child, parts.child_start, edge, tree.payoff, parts.depth)
    weight = history_weights(tree, pi)
    alive = np.array([weight[_histories(tree, i)].sum() for i in at]) > 0.0
    searched, M, none, few = at[alive], len(indices), 0, 0
    if beliefs == "exact":
        sums(law, weight, parts.history, parts.history_start)
        bounds = np.stack([parts.history_start[searched], parts.history_start[searched + 1]], axis=1)
        believed, start = parts.history, np.repeat(bounds[None], M, axis=0)
    else:
        met, size = np.zeros((M, tree.infosets, particles), np.int64), np.zeros((M, tree.infosets), np.int64)
        watch.compile_cpu()(met, size, play, tree.infoset, particles, tries, k0, k1, indices.start)
        believed, law, start = _believed(tree, met, size, searched)
        none, few = int((size[:, searched] == 0).sum()), int(((size > 0) & (size < particles))[:, searched].sum())
    shape = (M, searched.size, tree.A)
    total, square, number = np.zeros(shape), np.zeros(shape), np.zeros(shape, dtype=np.int64)
    never = np.zeros(at.size, dtype=np.int64) if kept is None else np.asarray(kept, dtype=np.int64)
    if never.shape != at.shape or (never < 0).any() or (never >= tree.infoset_actions[at]).any():
        raise InputError(f"kept has shape {never.shape}; give a legal action for each of the {at.size} infosets")
    estimate.compile_cpu()(
        total, square, number, play, believed, law, start, searched, tree.infoset_player[searched],
        tree.infoset_actions[searched], never[alive], rollouts, minimum, float(width), bool(common), k0, k1,
        indices.start,
    )  # fmt: skip
    q, numbers = np.full((M, at.size, tree.A), np.nan), np.zeros((M, at.size, tree.A), dtype=np.int64)
    numbers[:, alive] = number
    with np.errstate(invalid="ignore"):  # 0/0 at actions that are not there
        q[:, alive] = total / np.abs(number)
    return SampledValues(q, numbers, none, few)


def _histories(tree: ExtensiveForm, infoset: int) -> Ints:
    parts = branches(tree)
    return parts.history[parts.history_start[infoset] : parts.history_start[infoset + 1]]


def _believed(tree: ExtensiveForm, met: Ints, size: Ints, searched: Ints) -> tuple[Ints, Floats, Ints]:
    """Histories, running sums and bounds for `estimate`: the particles met, or all of an infoset that met none."""
    M, count, K = met.shape
    parts = branches(tree)
    span = np.diff(parts.history_start)
    among = np.arange(parts.history.size) - np.repeat(parts.history_start[:-1], span)
    alike = (among + 1.0) / np.repeat(span, span)
    drawn = (np.arange(K) + 1.0) / np.maximum(size, 1)[:, :, None]
    low = parts.history.size + (np.arange(M)[:, None] * count + searched) * K
    found = size[:, searched]
    bounds = np.stack([parts.history_start[searched], parts.history_start[searched + 1]], axis=1)
    start = np.where(found[:, :, None] > 0, np.stack([low, low + found], axis=2), bounds)
    return np.concatenate([parts.history, met.ravel()]), np.concatenate([alike, drawn.ravel()]), start


def _one_policy(tree: ExtensiveForm, blueprint: Any) -> Floats:
    pi, single = check_policy(tree, blueprint)
    if not single:
        raise InputError(f"the blueprint has shape {pi.shape}; give one policy (I,A)")
    out: Floats = pi[0]
    return out


def _infosets(tree: ExtensiveForm, infosets: Any, players: tuple[int, ...] = PLAYERS) -> Ints:
    mine = np.flatnonzero(np.isin(tree.infoset_player, players))
    if infosets is None:
        return mine
    given = np.asarray(infosets)
    if given.ndim != 1 or given.dtype.kind not in "iu" or np.unique(given).size != given.size:
        raise InputError(f"infosets={infosets} is no list of distinct integers")
    if (bad := ~np.isin(given, mine)).any():
        raise InputError(f"infoset {given[bad][0]} is none of the players {players}; leave it out or name its player")
    return given.astype(np.int64)


def _seeds(seeds: Any) -> range:
    indices = seeds if isinstance(seeds, range) else range(seeds) if isinstance(seeds, (int, np.integer)) else range(0)
    if len(indices) < 1 or indices.start < 0 or (len(indices) > 1 and indices.step != 1):
        raise InputError(f"seeds={seeds!r}: give a positive number, or a range of neighbouring indices from 0 on")
    return range(indices.start, indices.start + len(indices))


def _gather(
    tree: ExtensiveForm, pi: Floats, at: Ints, seeds: range, settings: dict[str, Any],
    values: Callable[[range], SampledValues], decide: Callable[[SampledValues, Any], tuple[Floats, int]],
) -> SearchResult:  # fmt: skip
    """Blocks of seeds: their action values, and the rows and ties that are made of them and of where they are known."""
    particles = settings["particles"] if settings["beliefs"] == "particles" else 1
    step = max(1, BLOCK // (max(tree.infosets, 1) * max(tree.A, particles)))
    rows, ties, none, few, used, zero = [], 0, 0, 0, 0, 0
    for low in range(seeds.start, seeds.stop, step):
        found = values(range(low, min(low + step, seeds.stop)))
        known = np.asarray(~np.isnan(found.q).all(axis=-1, keepdims=True))
        made, tied = decide(found, known)
        rows.append(made)
        ties, none, few = ties + tied, none + found.fallbacks, few + found.short
        used, zero = used + int(np.abs(found.number).sum()), int((~known[0]).sum())
    return SearchResult(tree, pi, at, np.concatenate(rows), seeds, settings, zero, ties, none, few, used)


# Searchers


def search(
    game: Any, blueprint: Any, update: Update, rollouts: int | None = None, seeds: Any = 200, players: Any = (0, 1),
    beliefs: str = "exact", particles: int = 10, tries: int = 10_000, common: bool = True, play: str = "sample",
    seed: int = 0, infosets: Any = None,
) -> SearchResult:  # fmt: skip
    """Search at every infoset of `players` (or at `infosets` of theirs), each on its own, from the same blueprint.

    With rollouts=None the action values are exact and the result is the global update, `apply_globally`: `seeds` and
    what follows `players` but `play` and `infosets` then do nothing. Each searcher believes that all, itself included,
    have played and will play the blueprint: rows of one infoset never enter another's.

    Args:
        update: U; parameters without an axis for replicates.
        play: "sample" is algorithm 1. "argmax" plays the first action of largest probability under U's row, a deviation
            from it that the Hanabi experiments of sokota2024 make [source: second-hand]; ties are counted.
        else: as `sampled_action_values`.

    Raises InputError: an entry that does not fit, by name; particles without rollouts.
    """
    tree = as_tree(game)
    pi, at = _one_policy(tree, blueprint), _infosets(tree, infosets, check_players(players))
    check_parameters(tree, update)
    if any(np.ndim(x) > 2 for x in update.parameters.values()):
        raise InputError(f"update '{update.name}' has parameters by replicate; give numbers or (I,) to a search")
    if play not in ("sample", "argmax"):
        raise InputError(f"play='{play}' is none of 'sample' and 'argmax'")
    if rollouts is None and beliefs != "exact":
        raise InputError("beliefs='particles' need rollouts; give a number")
    local, legal = update.at(at), tree.legal[at]

    def values(block: range) -> SampledValues:
        if rollouts is None:
            q = action_values(tree, pi).q[at][None]
            return SampledValues(q, np.zeros(q.shape, dtype=np.int64), 0, 0)
        return sampled_action_values(tree, pi, rollouts, block, at, beliefs, particles, tries, common, seed)

    def decide(found: SampledValues, known: Any) -> tuple[Floats, int]:
        made = local(pi[at], found.q, legal)
        tied = leaders(np.where(known, found.q, 0.0) if update.greedy else made, legal).sum(axis=-1) > 1
        counted = int((tied & known[:, :, 0]).sum()) if update.greedy or play == "argmax" else 0
        return (np.where(known, first_leader(made, legal), made) if play == "argmax" else made), counted

    settings = dict(
        searcher="update", update=update, rollouts=rollouts, beliefs=beliefs, particles=particles, tries=tries,
        common=common, play=play, seed=seed,
    )  # fmt: skip
    return _gather(tree, pi, at, range(1) if rollouts is None else _seeds(seeds), settings, values, decide)


def sparta(
    game: Any, blueprint: Any, player: int, threshold: float = 0.05, minimum: int = 100, rollouts: int = 1000,
    width: float = 2.0, seeds: Any = 200, beliefs: str = "exact", particles: int = 10, tries: int = 10_000,
    common: bool = True, seed: int = 0, infosets: Any = None,
) -> SearchResult:  # fmt: skip
    """Search of one player in the manner of SPARTA: best response to rollouts, kept to the blueprint for small gains.

    At an infoset it starts from the blueprint's most probable action b (first of equals) and plays the action of
    largest qhat if that is above qhat(b) by more than `threshold`, else b. Rollouts are taken in turns, `rollouts` an
    action at most; after `minimum` of each, actions are dropped as `sampled_action_values` says with `width` (the
    form of the bounds is ours), b never. Ties go to the lowest action and are counted where they decide.

    With T moves, payoffs in a range Delta, |A| actions and N rollouts an action, for a deterministic blueprint:

        V(search) - V(blueprint) >= -2 T Delta |A| N^{-1/2}

    Source of the threshold 0.05, the 100 rollouts, pruning and the bound: quoted in sokota2024 [source: second-hand].
    The bound is for one searching player. A mixed blueprint is replaced by b even where search finds no gain.

    Args:
        threshold: reward units, not negative. else: as `sampled_action_values`.
    """
    tree = as_tree(game)
    if player not in PLAYERS:
        raise InputError(f"player={player} is none of 0 and 1")
    if not threshold >= 0.0 or not width >= 0.0:
        raise InputError(f"threshold={threshold} and width={width} must not be negative")
    if not 1 <= minimum <= rollouts:
        raise InputError(f"minimum={minimum} is none of 1..{rollouts}, the rollouts of an action")
    pi, at = _one_policy(tree, blueprint), _infosets(tree, infosets, (player,))
    own = first_leader(pi[at], tree.legal[at])

    def values(block: range) -> SampledValues:
        return sampled_action_values(
            tree, pi, rollouts, block, at, beliefs, particles, tries, common, seed, own.argmax(axis=1), minimum, width
        )

    def decide(found: SampledValues, known: Any) -> tuple[Floats, int]:
        left = np.where(known, found.number > 0, tree.legal[at])
        q = np.where(left & known, found.q, 0.0)
        gain = np.where(left, q, -np.inf).max(axis=-1) - (q * own).sum(axis=-1)
        moved = known & (gain > threshold)[:, :, None]
        tied = moved[:, :, 0] & (leaders(q, left).sum(axis=-1) > 1)
        return np.where(moved, first_leader(q, left), np.where(known, own, pi[at])), int(tied.sum())

    settings = dict(
        searcher="sparta", player=player, threshold=threshold, minimum=minimum, rollouts=rollouts, width=width,
        beliefs=beliefs, particles=particles, tries=tries, common=common, seed=seed,
    )  # fmt: skip
    return _gather(tree, pi, at, _seeds(seeds), settings, values, decide)
