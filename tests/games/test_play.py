"""Play and search by rules alone: against the exact values of trees, and with planted faults."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from functools import cache

import numpy as np
import pytest

import mdps
from mdps.games.dark_hex import DarkHex
from mdps.games.hanabi_small import Hanabi
from mdps.games.kuhn import Kuhn
from theorylab.errors import InputError
from theorylab.games import (
    CHANCE,
    TERMINAL,
    action_values,
    best_response,
    expected_value,
    exploitability,
    random_policy,
    uniform_policy,
)
from theorylab.games._beliefs import resample
from theorylab.games.play import (
    Searcher,
    difference,
    exploit,
    first_action,
    play_matches,
    table_policy,
    train_response,
    uniform,
)
from theorylab.stats import clopper_pearson_lower, clopper_pearson_upper

HEX = DarkHex(2, 2)
RANGE = {"kuhn": (-2.0, 2.0), "hex": (-1.0, 1.0)}


@cache
def games():
    return {"kuhn": (Kuhn(), mdps.games.kuhn()), "hex": (HEX, mdps.games.dark_hex())}


@cache
def skewed(name):
    """A policy far from uniform, as table and by rules."""
    form = games()[name][1]
    table = random_policy(form, 5)
    return table, table_policy(form, table)


def keep(row, q, legal):
    return row


def hedge(row, q, legal):
    assert legal.all() and legal.shape == row.shape == q.shape
    new = row * np.exp(5.0 * (q - q.max()))
    return new / new.sum()


def stream(*key):
    return np.random.Generator(np.random.Philox(key=list(key))).random


def decisions(root, policy):
    """Every own way to an infoset -> {history: reach by chance and the opponent}, and legal moves."""
    found, moves = defaultdict(dict), {}
    todo = [(root, ((), ()), (1.0, 1.0))]
    while todo:
        state, seen, reach = todo.pop()
        who = state.mover()
        if who == TERMINAL:
            continue
        legal = state.moves()
        if who == CHANCE:
            todo += [
                (state.child(m), seen, (reach[0] * x, reach[1] * x)) for m, x in zip(legal, state.chance(), strict=True)
            ]
            continue
        at = (who, seen[who], state.infoset())
        found[at][state], moves[at] = reach[who], legal
        for m, x in zip(legal, policy(who, at[2], legal), strict=True):
            own = tuple((*s, (at[2], m)) if p == who else s for p, s in enumerate(seen))
            todo.append((state.child(m), own, tuple(r if p == who else r * x for p, r in enumerate(reach))))
    return found, moves


@pytest.mark.parametrize("name", ["kuhn", "hex"])
def test_the_filter_is_the_posterior_at_every_infoset(name):
    root, form = games()[name]
    searcher = Searcher(root, skewed(name)[1], keep)
    found, _ = decisions(root, skewed(name)[1])
    assert len(found) == form.infosets
    for (player, seen, infoset), reach in found.items():
        law = searcher.belief(player, seen, infoset, stream(0, 0))
        assert law.exact and not law.fallback
        got, total = dict(zip(law.histories, law.weights, strict=True)), sum(reach.values())
        assert got.keys() == reach.keys()
        assert max(abs(got[h] - r / total) for h, r in reach.items()) < 1e-14


def total_variation(searcher, at, reach, draws, size):
    """Between the particles of independent searches and the posterior."""
    count, u = Counter(), stream(1, 1)
    for _ in range(draws):
        count.update(searcher.belief(*at, u).sample(size, u))
    total = sum(reach.values())
    assert count.keys() <= reach.keys()
    return sum(abs(count[h] / (draws * size) - r / total) for h, r in reach.items()) / 2.0


def test_particles_have_the_law_of_the_posterior():
    rule = skewed("hex")[1]
    found, _ = decisions(HEX, rule)
    at = max(found, key=lambda k: len(found[k]))
    n = len(found[at])
    assert n == 7
    # of 3000 independent particles: E TV <= sqrt(n/3000)/2 = .025, and TV moves by 1/3000 with each: +.035 at 1e-3
    assert total_variation(Searcher(HEX, rule, keep), at, found[at], 300, 10) < 0.025 + 0.035
    # cut to 4 histories: biased, O(1/4); independent searches of one particle
    cut = Searcher(HEX, rule, keep, histories=4)
    assert not cut.belief(*at, stream(0, 0)).exact
    assert total_variation(cut, at, found[at], 1500, 1) < 0.15
    # a belief that ignores the blueprint's probabilities
    assert total_variation(Searcher(HEX, uniform, keep), at, found[at], 300, 10) > 0.2


def test_a_population_that_was_cut_is_never_taken_for_exact():
    # cut at its second infoset and small again at the third: each search draws on its own, and says so
    found, _ = decisions(HEX, uniform)
    laws = []
    for (player, seen, infoset), reach in found.items():
        if seen and len(reach) <= 3 < len(found[player, seen[:-1], seen[-1][0]]):
            searcher = Searcher(HEX, uniform, keep, histories=3)
            laws += [searcher.belief(player, seen, infoset, stream(k, 0)) for k in range(3)]
    assert sum(law is not None for law in laws) > 20 and not any(law.exact for law in laws if law)


def test_resampling_keeps_the_weights_in_mean():
    weights = [0.1, 2.0, 0.4, 0.02, 1.0]
    names = list("abcde")
    total = Counter()
    u = stream(3, 0)
    for _ in range(4000):
        kept, copies = resample(names, weights, 3, u)
        assert sum(copies) == 3.0 and len(kept) == len(set(kept))
        total.update(dict(zip(kept, copies, strict=True)))
    for name, w in zip(names, weights, strict=True):
        assert abs(total[name] / 12000 - w / sum(weights)) < 0.01  # 4 standard errors of a count in {n, n + 1}


class Improved(Searcher):
    """Fault: rollouts by the policy that search would give, not by the blueprint."""

    def value(self, history, player, draw):
        return Searcher(self.rules, self.other, keep).value(history, player, draw)


class Ignoring(Searcher):
    """Fault: the posterior of uniform play."""

    def belief(self, player, seen, infoset, draw):
        return Searcher(self.rules, uniform, keep).belief(player, seen, infoset, draw)


def worst(searcher, name, searches, only):
    """The largest |mean of q - exact| over the infosets with at least `only` histories, in standard errors.

    The payoff of one rollout is added to an error, for moves whose rollouts all ended alike.
    """
    root, form = games()[name]
    exact = action_values(form, skewed(name)[0]).q
    row = {(int(p), x): i for i, (p, x) in enumerate(zip(form.infoset_player, form.labels, strict=True))}
    found, moves = decisions(root, skewed(name)[1])
    z, u = [], stream(7, 7)
    for at in (k for k in found if len(found[k]) >= only):
        q = np.array([searcher.search(*at, moves[at], u).q for _ in range(searches)])
        error = q.std(axis=0, ddof=1) / np.sqrt(searches) + 4.0 / (searches * searcher.particles)
        z += (np.abs(q.mean(axis=0) - exact[row[at[0], at[2]], : q.shape[1]]) / error).tolist()
    return len(z), max(z)


@pytest.mark.parametrize(
    ("name", "searches", "only"),
    [("kuhn", 100, 1), ("hex", 80, 6), *(pytest.param(x, 300, 1, marks=pytest.mark.long) for x in ("kuhn", "hex"))],
)
def test_action_values_are_unbiased_and_faults_are_seen(name, searches, only):
    # largest of n standard normals: above 4.5 with probability below n 7e-6
    root, form = games()[name]
    table, rule = skewed(name)
    n, z = worst(Searcher(root, rule, keep, particles=4), name, searches, only)
    assert n >= 20 and z < 4.5
    q = np.nan_to_num(action_values(form, table).q, nan=-np.inf)
    best = (q == q.max(axis=1, keepdims=True)) * 1.0
    improved = Improved(root, rule, keep, particles=4)
    object.__setattr__(improved, "other", table_policy(form, best / best.sum(axis=1, keepdims=True)))
    assert worst(improved, name, searches, only)[1] > 7.0
    assert worst(Ignoring(root, rule, keep, particles=4), name, searches, only)[1] > 7.0


def test_rollouts_count():
    root, rule = Kuhn(), skewed("kuhn")[1]
    at, moves = next((k, m) for k, m in decisions(root, rule)[1].items() if k[0] == 0 and not k[1])
    few, many = (
        np.array([Searcher(root, rule, keep, 2, r).search(*at, moves, stream(1, k)).q for k in range(150)])
        for r in (1, 16)
    )
    assert 2.0 < few.var(axis=0).max() / many.var(axis=0).max() < 20.0


@pytest.mark.parametrize("name", ["kuhn", "hex"])
def test_matches_have_the_exact_value(name):
    root, form = games()[name]
    one, two = skewed(name)[1], table_policy(form, random_policy(form, 9))
    mixed = np.where((form.infoset_player == 0)[:, None], skewed(name)[0], random_policy(form, 9))
    found = play_matches(root, (one, two), 1500, seed=4)
    exact = expected_value(form, mixed)
    assert (np.abs(found.mean - exact) < 4.0 * found.error).all()
    low, high = found.interval(0, RANGE[name], alpha=1e-3)
    assert low < exact[0] < high < low + 0.12 * (RANGE[name][1] - RANGE[name][0])
    assert found.counts["searched"] == (0, 0) and sum(found.counts["decisions"]) > 3000
    if name == "hex":
        exactly = found.interval(0, (-1.0, 1.0), 1e-3, two=True)
        won = int((found.payoff[:, 0] > 0.0).sum())
        ends = clopper_pearson_lower(won, 1500, 5e-4), clopper_pearson_upper(won, 1500, 5e-4)
        assert exactly == tuple(2.0 * float(x) - 1.0 for x in ends)
        assert exactly[0] < exact[0] < exactly[1] < exactly[0] + 0.16
    else:
        with pytest.raises(InputError, match="none of the two"):
            found.interval(0, (-2.0, 2.0), two=True)


def test_a_searcher_plays_the_mean_of_its_updates():
    # update that does not look at q: the updated table is known, and so is its value
    form = games()["hex"][1]
    table = skewed("hex")[0]

    def square(row, q, legal):
        return row**2 / (row**2).sum()

    searcher = Searcher(HEX, skewed("hex")[1], square, particles=1)
    found = play_matches(HEX, (searcher, searcher), 250, seed=1)
    exact = expected_value(form, table**2 / (table**2).sum(axis=1, keepdims=True))
    assert abs(found.mean[0] - exact[0]) < 4.0 * found.error[0]
    assert found.counts["searched"] == found.counts["decisions"]


def test_matches_do_not_depend_on_the_split():
    for searcher in (Searcher(HEX, uniform, hedge, 3), Searcher(HEX, uniform, hedge, 3, histories=2)):
        whole = play_matches(HEX, (searcher, uniform), 40, seed=5)
        parts = [play_matches(HEX, (replace(searcher), uniform), n, 5, first) for first, n in ((0, 7), (7, 33))]
        assert np.array_equal(whole.payoff, np.concatenate([p.payoff for p in parts]))
        assert whole.counts == {k: tuple(np.sum([p.counts[k] for p in parts], axis=0).tolist()) for k in whole.counts}
    assert not np.array_equal(whole.payoff, play_matches(HEX, (searcher, uniform), 40, seed=6).payoff)


def test_common_random_numbers():
    # the same player twice differs nowhere; two that differ at one infoset alone, seldom
    form = games()["kuhn"][1]
    rule = skewed("kuhn")[1]
    other = skewed("kuhn")[0].copy()
    i = form.labels.index("0pb")
    other[i] = other[i, ::-1]
    one, two = (play_matches(Kuhn(), (x, uniform), 600, seed=2) for x in (rule, table_policy(form, other)))
    assert difference(one, one, 0) == (0.0, 0.0)
    mean, error = difference(one, two, 0)
    assert 0.0 < error < 0.5 * np.hypot(one.error[0], two.error[0])
    uni = uniform_policy(form)
    mine = (form.infoset_player == 0)[:, None]
    exact = [expected_value(form, np.where(mine, x, uni))[0] for x in (skewed("kuhn")[0], other)]
    assert abs(mean - (exact[0] - exact[1])) < 4.0 * error
    with pytest.raises(InputError, match="share their draws"):
        difference(one, play_matches(Kuhn(), (rule, uniform), 600, seed=3), 0)


def test_search_gains_against_the_blueprint():
    searcher = Searcher(HEX, uniform, hedge, 10)
    pairs = [((searcher, uniform), 0), ((uniform, searcher), 1)]
    for pair, seat in pairs:
        mean, error = difference(
            play_matches(HEX, pair, 100, seed=4), play_matches(HEX, (uniform, uniform), 100, seed=4), seat
        )
        assert mean > 3.0 * error > 0.0


def test_an_impossible_infoset_is_a_fallback_and_counted():
    # the blueprint always takes the first cell; an opponent that does not leaves its posterior empty
    searcher = Searcher(HEX, first_action, hedge)
    alone = play_matches(HEX, (searcher, first_action), 5, seed=0)
    assert alone.counts["fallback"] == alone.counts["refused"] == (0, 0)
    found = play_matches(HEX, (uniform, searcher), 40, seed=0)
    count = found.counts
    assert count["fallback"][1] > 0 and count["refused"] == (0, 0)
    assert count["searched"][1] + count["fallback"][1] == count["decisions"][1]
    assert count["searched"][0] == 0 < count["decisions"][0]
    # at such an infoset all consistent histories are alike
    law = searcher.belief(1, (("", 1),), "1!", stream(0, 0))
    reach = decisions(HEX, uniform)[0][1, (("", 1),), "1!"]
    assert law.fallback and set(law.histories) == set(reach) and set(law.weights) == {1.0 / len(reach)}


def test_a_lost_population_is_refused_and_counted():
    # one history is kept: it is often not the true one
    searcher = Searcher(HEX, uniform, hedge, 2, histories=1)
    count = play_matches(HEX, (searcher, searcher), 80, seed=0).counts
    events = np.array([count[k] for k in ("searched", "cut", "fallback", "refused")])
    assert (events.sum(axis=1) > 0).all() and events.sum(axis=0).tolist() == list(count["decisions"])
    at = next(k for k in decisions(HEX, uniform)[0] if len(k[1]) == 2)
    found = [searcher.search(*at, [0, 1], stream(k, 0)) for k in range(40)]
    assert {(f.q is None, list(f.row) == [0.5, 0.5]) for f in found if f.event == "refused"} == {(True, True)}


def test_argmax_takes_the_first_of_ties():
    searcher = Searcher(Kuhn(), uniform, keep, 1, play="argmax")
    found = searcher.search(0, (), "0", ["p", "b"], stream(0, 0))
    assert found.row == [1.0, 0.0] and found.tie
    count = play_matches(Kuhn(), (searcher, uniform), 10, seed=0).counts
    assert count["ties"] == (count["decisions"][0], 0)


def test_common_payoffs_and_chance():
    root = Hanabi(deck=(3, 1))
    searcher = Searcher(root, uniform, hedge, 8)
    found = play_matches(root, (searcher, uniform), 80, seed=0)
    assert np.array_equal(found.payoff[:, 0], found.payoff[:, 1]) and found.counts["searched"] == (
        found.counts["decisions"][0],
        0,
    )
    exact = expected_value(mdps.games.hanabi_small(ranks=2), uniform_policy(mdps.games.hanabi_small(ranks=2)))[0]
    assert found.mean[0] > exact + 2.0 * found.error[0]


@pytest.mark.parametrize(("name", "training", "near"), [("kuhn", 1000, 0.05), ("hex", 1000, 0.06)])
def test_the_exploiter_comes_near_the_best_response_from_below(name, training, near):
    root, form = games()[name]
    table = skewed(name)[0]
    for player in (0, 1):
        exact = float(best_response(form, table, player).value)
        rule = train_response(root, skewed(name)[1], player, training, 0, RANGE[name])
        mine = (form.infoset_player == player)[:, None]
        rows = table.copy()
        for i in np.flatnonzero(mine):
            n = form.infoset_actions[i]
            rows[i, :n] = rule(player, form.labels[i], [0] * n)
        value = expected_value(form, rows)[player]
        span = RANGE[name][1] - RANGE[name][0]
        assert exact - near * span < value <= exact + 1e-12
        found = exploit(root, skewed(name)[1], player, training, 500, 0, RANGE[name], alpha=1e-3)
        pair = (rule, skewed(name)[1]) if player == 0 else (skewed(name)[1], rule)
        assert found.mean == play_matches(root, pair, 500, 0, first=training).mean[player]
        assert abs(found.mean - value) < 4.0 * found.error  # the same training, fresh matches
        assert value - 0.1 * span < found.bound < min(found.mean, value) and "lower bound" in str(found)


def test_the_exploiter_sees_a_policy_that_is_exploitable():
    # uniform play on 2x2: half the sum of the bounds is below the exact exploitability, and not far
    form = games()["hex"][1]
    found = [exploit(HEX, uniform, p, 1000, 1000, 1, (-1.0, 1.0), key=lambda x: frozenset(x.split())) for p in (0, 1)]
    exact = exploitability(form, uniform_policy(form))
    assert exact - 0.12 < sum(f.bound for f in found) / 2.0 <= exact
    assert sum(f.mean for f in found) / 2.0 > exact - 0.05
    against = exploit(HEX, Searcher(HEX, uniform, hedge, 2), 1, 30, 20, 1, (-1.0, 1.0))
    assert -1.0 <= against.bound < against.mean <= 1.0


def test_bad_input_is_refused_by_name():
    form = games()["kuhn"][1]
    table = uniform_policy(form)
    with pytest.raises(InputError, match="give one, "):
        table_policy(form, np.stack([table, table]))
    with pytest.raises(InputError, match="no labels"):
        table_policy(replace(form, labels=()), table)
    with pytest.raises(InputError, match="the same label"):
        table_policy(replace(form, labels=("x",) * form.infosets), table)
    with pytest.raises(InputError, match="no infoset '0x'"):
        table_policy(form, table)(0, "0x", ["p", "b"])
    with pytest.raises(InputError, match="particles is 0"):
        Searcher(Kuhn(), uniform, keep, particles=0)
    with pytest.raises(InputError, match="unknown play 'max'"):
        Searcher(Kuhn(), uniform, keep, play="max")
    with pytest.raises(InputError, match="matches is 0"):
        play_matches(Kuhn(), (uniform, uniform), 0, seed=0)
    with pytest.raises(InputError, match=r"player 0 gives \[0.5, 0.4\] at infoset"):
        play_matches(Kuhn(), (lambda p, x, m: [0.5, 0.4], uniform), 1, seed=0)
    with pytest.raises(InputError, match="the policy gives"):
        Searcher(Kuhn(), lambda p, x, m: [0.5, 0.5] if p == 0 else [1.0], keep).search(
            0, (), "0", ["p", "b"], stream(0, 0)
        )
    with pytest.raises(InputError, match="the update gives"):
        Searcher(Kuhn(), uniform, lambda row, q, legal: 2.0 * row).search(0, (), "0", ["p", "b"], stream(0, 0))
    with pytest.raises(InputError, match="player=2"):
        train_response(Kuhn(), uniform, 2, 1, 0, (-2.0, 2.0))
    with pytest.raises(InputError, match=r"outside \[-1, 1\]"):
        play_matches(Kuhn(), (uniform, uniform), 50, seed=0).interval(0, (-1.0, 1.0))
