"""Worst instances of claims on runs: the model is searched, learner and length are those of the claim.

The number of an instance is taken over a fixed block of replicates, whose random numbers are addressed by what they
are for: it is a deterministic function of the model, and two models differ by their tables alone. It is

    regret, totals      max over n of measured / bound, a replicate: its (1 - delta)-quantile for HighProbability, its
                        maximum for Pointwise; for Expectation mean / bound at the final length
    probes              the largest lhs - rhs, a replicate: the same quantile or maximum

and the statement fails on the block above `threshold`: 1 for ratios, the probe's tolerance for differences. The winner
was chosen among thousands by luck too, so only a check of it on fresh addresses may call it a violation.

Every instance of one search runs in one build: probes, tables and records have the same names and types, only the
numbers and shapes differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from theorylab.adversary import Found, attack, polish, simplify
from theorylab.adversary_space import Interval, Point, Rows, Space
from theorylab.claim import Claim, Expectation, HighProbability, Instance, Pointwise
from theorylab.errors import InputError
from theorylab.evidence import Evidence
from theorylab.measure import ROUNDING, Group, Sample, context_of
from theorylab.model import Bandit, TabularMDP
from theorylab.probe import Probe
from theorylab.truth import truth_of

__all__ = ["Attack", "OnBlock", "attack_claim", "find_one", "hard_starts", "ratio_of"]

#: replicates of the fixed block
BLOCK = 32


def template_of(claim: Claim) -> Instance:
    """The claim's first instance: where a search takes length, learner parameters, criterion and reward law from."""
    found = next((i for p in ("quick", "standard", "full") for i in claim.instances.get(p, ())), None)
    if claim.scope != "run" or found is None:
        raise InputError(
            f"claim {claim.id} is no claim on runs with an instance; to attack a lemma give it a target in a folder "
            "'attacks' (theorylab.adversary_target)"
        )
    return found


class OnBlock:
    """A claim's number on a point, over replicates 0 .. replicates - 1 under one seed.

    Args:
        claim: on runs; HighProbability, Expectation (not of a probe) or Pointwise. template: gives all but the arrays.
        states, actions: sizes of the search; default: the template's. replicates, seed: the block.

    Attributes:
        space: P and r (mu0 kept), or the means. threshold: the claim fails on the block above it; inf where the
            constant is open. rounding: what a total may exceed its bound by without violating it, in units of reward.

    Raises `InputError` for other claims, and for models that are neither a `TabularMDP` nor a `Bandit`.
    """

    def __init__(
        self,
        claim: Claim,
        template: Instance,
        *,
        states: int | None = None,
        actions: int | None = None,
        replicates: int = BLOCK,
        seed: int = 0,
        target: str = "cpu",
    ) -> None:
        from theorylab.registry import find_learner

        if not isinstance(claim.kind, (HighProbability, Expectation, Pointwise)):
            raise InputError(f"claim {claim.id}: {type(claim.kind).__name__} claims have no ratio to search")
        if isinstance(claim.kind, Expectation) and not claim.cumulative:
            raise InputError(f"claim {claim.id}: the mean of a probe has no bound to search")
        if isinstance(replicates, bool) or not isinstance(replicates, int) or replicates < 1:
            raise InputError(f"replicates={replicates!r} must be an integer >= 1")
        self.claim, self.template, self.replicates, self.seed, self.target = claim, template, replicates, seed, target
        self.like = template.build()
        self.learner = find_learner(claim.learner, self.like.setting)
        self.space = _space(self.like, states, actions)
        law = self.like.reward_law
        steps = template.length * (self.like.H if self.like.setting == "episodic" else 1)
        self.rounding = ROUNDING * steps * max(abs(law.low), abs(law.high)) if claim.cumulative else 0.0
        open_constant = claim.cumulative and claim.bound is None
        self.threshold = math.inf if open_constant else claim.quantity.tol if isinstance(claim.quantity, Probe) else 1.0

    def model(self, point: Point) -> TabularMDP | Bandit:
        """The model of a point, with the template's criterion and reward law."""
        if isinstance(self.like, Bandit):
            return Bandit(means=point["means"], reward_law=self.like.reward_law, name=f"attack-{len(point['means'])}")
        S, A = point["r"].shape
        like: TabularMDP = self.like
        return replace(like, P=point["P"], r=point["r"], mu0=point["mu0"], name=f"attack-{S}-{A}")

    def point(self, model: Any) -> Point:
        """The arrays of a model as a point; `InputError` where its kind or its sizes are not those of the search.

        The criterion, the reward law and the first state of the search stay its own.
        """
        if type(model) is not type(self.like):
            raise InputError(
                f"model '{model.name}' is a {type(model).__name__}; the search is over a {type(self.like).__name__}"
            )
        if isinstance(model, Bandit):
            return self.space.checked({"means": model.means}, f"model '{model.name}'")
        mu0 = self.space.blocks["mu0"]
        assert isinstance(mu0, Rows) and mu0.fixed is not None
        P = model.dense()
        if not model.stage_dependent and self.like.stage_dependent:
            P = np.broadcast_to(P, (self.like.H, *P.shape))
        return self.space.checked({"P": P, "r": model.r, "mu0": mu0.fixed}, f"model '{model.name}'")

    def feasible(self, point: Point) -> str | None:
        """None for an instance of the claim, else the assumption that fails."""
        try:
            model = self.model(point)
            wrong = next((w for w in (a.predicate(model) for a in self.claim.assumes) if w), None)
            if wrong is not None:
                return wrong
            truth_of(model)
        except InputError as error:
            return str(error)
        kind, trivial, length = self.claim.kind, self.claim.trivial, self.template.length
        context = context_of(self.learner, model, length, dict(self.template.learner))
        if isinstance(kind, HighProbability) and kind.level(context) >= 1.0:
            return "the failure probability that the claim allows is 1"
        if trivial is not None and not float(trivial(context, np.array([float(length)]))[0]) > 0.0:
            return "no algorithm can lose anything"
        return None

    def _group(self, model: Any) -> Group:
        instance = Instance.of(model, self.template.length, self.template.learner)
        group = Group([self.claim], self.learner, instance, model, dict(self.template.learner))
        return group

    def __call__(self, point: Point) -> float:
        return self.on(self.model(point))

    def on(self, model: Any, seed: int | None = None) -> float:
        """The number of a model; under another seed, of a fresh block."""
        group = self._group(model)
        simulation = group.simulation(0, self.replicates, seed=self.seed if seed is None else seed, target=self.target)
        return self._number(group, group.sample(self.claim, simulation.advance().curves()))

    def _number(self, group: Group, sample: Sample) -> float:
        claim = self.claim
        n = np.array([float(group.instance.length)])
        if isinstance(claim.kind, Expectation):
            side = claim.bound or claim.shape
            assert side is not None
            bound, mean = float(side(group.context, n)[0]), float(sample.value.mean())
            return mean / bound if bound > 0 else math.inf if mean > 0 else 0.0
        values = sample.ratio if claim.cumulative else sample.excess
        if claim.cumulative and claim.bound is not None:
            if claim.constant is not None:
                values = values / float(claim.constant(group.context))
            # what the check allows for rounding is no violation; a bound of 0 then says nothing of its size
            within = (sample.excess <= 0.0) & (values > 1.0)
            zero = float(claim.bound(group.context, n)[0]) <= self.rounding
            values = np.where(within, 0.0 if zero else 1.0, values)
        values = np.sort(np.where(np.isnan(values), np.inf, values))  # what is not a number counts as a violation
        level = claim.kind.level(group.context) if isinstance(claim.kind, HighProbability) else 0.0
        at = min(math.ceil((1.0 - level) * len(values) - 1e-9), len(values))
        return float(values[at - 1])


def _space(like: Any, states: int | None, actions: int | None) -> Space:
    for name, value in (("states", states), ("actions", actions)):
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            raise InputError(f"{name}={value!r} must be an integer >= 1")
    if not isinstance(like, (TabularMDP, Bandit)):
        raise InputError(f"a {type(like).__name__} is not searched: only P and r of a TabularMDP, or means of a Bandit")
    law = like.reward_law
    A = actions or like.A
    if isinstance(like, Bandit):
        if states is not None:
            raise InputError("states: a bandit has none; give actions alone")
        return Space({"means": Interval("A", law.low, law.high)}, {"A": A})
    S = states or like.S
    mu0 = like.mu0
    if S != like.S:  # uniform stays uniform; else episodes start in state 0
        mu0 = np.full(S, 1.0 / S) if np.all(mu0 == mu0[0]) else np.eye(S)[0]
    stages = {"H": like.H} if like.stage_dependent else {}
    return Space(
        {"P": Rows("HSAS" if stages else "SAS"), "r": Interval("SA", law.low, law.high), "mu0": Rows("S", mu0)},
        {"S": S, "A": A, **stages},
    )


def hard_starts(space: Space) -> list[tuple[str, Point]]:
    """Known hard instances of any size: for means a pair at distance 0.1; for P, r a chain and a JAO pair.

    The chain is RiverSwim's (Strehl and Littman 2008 [recalled]): action 0 goes left for sure, the others right with
    0.35, back with 0.05. In the pair (Jaksch et al. 2010) state 0 pays nothing, the last state 1, and they are left
    with probability 0.2; one action of state 0 has 0.25. Further states behave as state 0 without that action.
    """
    A = space.sizes["A"]
    if "means" in space.blocks:
        block = space.blocks["means"]
        assert isinstance(block, Interval)
        means = np.full(A, 0.5)
        means[0] = 0.6
        return [("pair", {"means": block.low + (block.high - block.low) * means})]
    S, rewards = space.sizes["S"], space.blocks["r"]
    assert isinstance(rewards, Interval)
    chain, pair = np.zeros((S, A, S)), np.zeros((S, A, S))
    r_chain, r_pair = np.zeros((S, A)), np.zeros((S, A))
    for s in range(S):
        chain[s, 0, max(s - 1, 0)] = 1.0
        for a in range(1, A):
            chain[s, a, min(s + 1, S - 1)] += 0.35
            chain[s, a, max(s - 1, 0)] += 0.05
            chain[s, a, s] += 0.60
        other = S - 1 if s < S - 1 else 0
        pair[s, :, other] += 0.2
        pair[s, :, s] += 0.8
    pair[0, 0] = 0.0
    pair[0, 0, S - 1] += 0.25
    pair[0, 0, 0] += 0.75
    r_chain[0, 0], r_chain[S - 1, A - 1] = 0.005, 1.0
    r_pair[S - 1] = 1.0
    out = []
    for name, P, r in (("chain", chain, r_chain), ("JAO pair", pair, r_pair)):
        shape = space.shape("P")
        point: dict[str, Any] = {"P": np.broadcast_to(P, shape), "r": rewards.low + (rewards.high - rewards.low) * r}
        mu0 = space.blocks["mu0"]
        assert isinstance(mu0, Rows)
        out.append((name, {**point, "mu0": mu0.fixed}))
    return out


@dataclass(frozen=True, eq=False)
class Attack:
    """A finished attack on a claim.

    Attributes:
        claim: its id. found: the search's own result, after simplification; its trace is for figures.
        instance: the winner. fresh: its evidence on fresh addresses. fresh_ratio: the same number as `found.ratio` on
            a fresh block. threshold: see `OnBlock`. replicates, seed, target: of the block.
    """

    claim: str
    found: Found
    instance: Instance
    fresh: Evidence
    fresh_ratio: float
    threshold: float
    replicates: int
    seed: int
    target: str

    @property
    def verdict(self) -> str:
        """REFUTED or CHECK_INVALID as the fresh check says, else NO VIOLATION FOUND."""
        return self.fresh.verdict if self.fresh.verdict in ("REFUTED", "CHECK_INVALID") else "NO VIOLATION FOUND"


def fresh_seed(seed: int) -> int:
    """A seed for addresses that the search under `seed` has not used."""
    return (seed ^ 0x9E3779B97F4A7C15) % 2**64


def attack_claim(
    claim: Claim,
    *,
    states: int | None = None,
    actions: int | None = None,
    length: int | None = None,
    evaluations: int = 500,
    seed: int = 0,
    replicates: int = BLOCK,
    starts: Sequence[Any] = (),
    restarts: int = 4,
    alpha: float = 0.001,
    winners: int = 1,
    budget: int | None = None,
    target: str = "cpu",
    progress: Callable[[str], None] | None = None,
) -> Attack:
    """Search the models of a claim on runs for its worst instance, and check the winner on fresh addresses.

    Args:
        claim: on runs. states, actions, length: sizes; default: those of the claim's first instance.
        evaluations: of the search; polishing and simplifying get as many again together, at most.
        seed: of the search and of the block. replicates: in the block.
        starts: models to begin from besides the claim's own instances of these sizes and `hard_starts`.
        alpha: P(a true claim is called violated), shared by `winners`: how many winners of attacks on this claim are
            checked in all. budget: most replicates of the check of the winner. progress: is told how far the search is.

    Raises:
        InputError: a start that does not fit or violates an assumption, and what `OnBlock` and `attack` raise.
    """
    from theorylab.check import check_many

    if isinstance(winners, bool) or not isinstance(winners, int) or winners < 1:
        raise InputError(f"winners={winners!r} must be an integer >= 1")
    if progress is not None:
        progress(f"{claim.id}: known instances, compilation")
    template = template_of(claim)
    if length is not None:
        template = replace(template, length=length)
    block = OnBlock(claim, template, states=states, actions=actions, replicates=replicates, seed=seed, target=target)
    known = [(m.name or type(m).__name__, block.point(m)) for m in starts] + _own(claim, block)
    known += [(n, p) for n, p in hard_starts(block.space) if block.feasible(p) is None]
    half = max(1, evaluations // 2)
    search: dict[str, Any] = {"feasible": block.feasible}
    done = [0, -math.inf]

    def measured(point: Point) -> float:
        value = block(point)
        done[:] = [done[0] + 1, max(done[1], value)]
        if progress is not None:
            progress(f"{claim.id}: {done[0]} instances, worst {done[1]:.4g}")
        return value

    found = attack(measured, block.space, evaluations=evaluations, seed=seed, starts=known, restarts=restarts, **search)
    found = polish(measured, found, evaluations=half, least=1 / 8, **search)
    found = simplify(measured, found, evaluations=half, merge="SA", **search)
    instance = Instance.of(block.model(found.point), block.template.length, block.template.learner)
    options: dict[str, Any] = dict(
        models=[instance], alpha_refute=alpha / winners, budget=budget, seed=fresh_seed(seed), target=target
    )
    fresh = check_many([claim], run_controls=False, **options)[0]
    if fresh.verdict == "REFUTED":  # an accusation needs a check that is known to be able to fail
        fresh = check_many([claim], **options)[0]
    again = block.on(instance.given, fresh_seed(seed))
    return Attack(claim.id, found, instance, fresh, again, block.threshold, replicates, seed, target)


def _own(claim: Claim, block: OnBlock) -> list[tuple[str, Point]]:
    """The claim's instances whose model has the kind and the sizes of the search; others are no starts."""
    out: dict[str, Point] = {}
    for instance in (i for p in claim.instances.values() for i in p):
        model = instance.build()
        try:
            point = block.point(model)
        except InputError:
            continue
        if block.feasible(point) is None:
            out.setdefault(model.name, point)
    return list(out.items())


def ratio_of(
    claim: str | Claim,
    model: Any,
    *,
    length: int | None = None,
    learner: Mapping[str, Any] | None = None,
    replicates: int = BLOCK,
    seed: int = 0,
    target: str = "cpu",
) -> float:
    """A claim's number on one model and one block: what saved instances are tested with.

    `claim`: an id, "FILE.py:ID" for one of a file, or the claim. `length` and `learner` (its parameters) are those of
    its first instance unless given.
    """
    one = find_one(claim) if isinstance(claim, str) else claim
    base = template_of(one)
    template = Instance.of(model, length or base.length, base.learner if learner is None else learner)
    return OnBlock(one, template, replicates=replicates, seed=seed, target=target).on(model)


def find_one(name: str) -> Claim:
    """The claim called `name`: an id, or FILE.py:ID; `InputError` unless that is one claim."""
    from theorylab.loading import claims_of

    file, colon, wanted = name.partition(".py:")
    found = claims_of([f"{file}.py" if colon else name])
    chosen = [c for c in found if c.id == wanted] if colon else found
    if len(chosen) != 1:
        ids = ", ".join(c.id for c in found)
        raise InputError(f"'{name}' names {len(chosen)} claims; give one of {ids}, after FILE.py: for those of a file")
    one: Claim = chosen[0]
    return one
