"""Controls: who checks the check.

Learner faults: a mutant is run in place of the learner and the claim must be refuted. Bound faults: half of the best
constant that was measured is put through the same decision on fresh addresses and must be refuted; its upper limit
must not be. Nulls: data exactly at the boundary (coins with the tested rate, or lhs - rhs equal to the tolerance) are
put through the same machinery and must not be refuted; coins at twice the rate must not be supported.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from theorylab.claim import Claim, Control, Expectation, HighProbability
from theorylab.compiler import generated
from theorylab.decide import Decision, Levels, decide_invariant, decide_rate
from theorylab.errors import InputError
from theorylab.evidence import ControlOutcome
from theorylab.measure import Group, Sample, join
from theorylab.probe import Probe
from theorylab.registry import find_learner
from theorylab.rng import CONTROL, uniforms
from theorylab.simulation import Simulation

__all__ = ["FRESH", "Outcomes", "bound_fault", "fault_matrix", "learner_faults", "level_of", "nulls", "values_of"]

#: first replicate of the fresh addresses that bound faults are decided on
FRESH = 1 << 24


def level_of(claim: Claim, group: Group) -> float | None:
    """The tested rate (high probability) or mean (expectation, in units of trivial); None for invariants."""
    if isinstance(claim.kind, HighProbability):
        return claim.kind.level(group.context)
    if isinstance(claim.kind, Expectation):
        if claim.bound is None:  # an open constant: any mean is allowed
            return 1.0
        n = np.array([float(group.instance.length)])
        assert claim.trivial is not None
        if claim.trivial(group.context, n)[0] == 0.0:  # nothing can be lost on this instance
            return 1.0
        level = float(claim.bound(group.context, n)[0] / claim.trivial(group.context, n)[0])
        if not level > 0.0:
            raise InputError(
                f"claim {claim.id}: bound / trivial is {level:g} at n={n[0]:g}, and a mean is tested against a number "
                "above 0; correct the bound, or state as Pointwise what is never positive"
            )
        return level
    return None


def values_of(claim: Claim, group: Group, sample: Sample) -> np.ndarray:
    """The per-replicate numbers in [0, 1] that the decision reads."""
    if isinstance(claim.kind, Expectation):
        assert claim.trivial is not None
        top = float(claim.trivial(group.context, np.array([float(group.instance.length)]))[0])
        x = sample.value / top if top > 0.0 else sample.value
        if np.any(x < -1e-9) or np.any(x > 1 + 1e-9):
            raise InputError(
                f"claim {claim.id}: the quantity leaves [0, trivial] = [0, {top:.6g}] "
                f"(range {sample.value.min():.6g} .. {sample.value.max():.6g}); correct the claim's trivial bound"
            )
        return np.minimum(np.maximum(x, 0.0), 1.0)  # rounding at the ends only: larger excursions raised above
    return sample.violated


def _decide(claim: Claim, group: Group, sample: Sample, levels: Levels) -> Decision:
    level = level_of(claim, group)
    if level is None:
        return decide_invariant(sample.count, len(sample.count))
    return decide_rate(values_of(claim, group, sample), level, levels)


class Outcomes:
    """Outcomes of learner faults on disk, by the digest of all that determines them; `None` keeps nothing."""

    def __init__(self, folder: Path | None) -> None:
        self.folder = folder

    def key(self, group: Group, control: Control, levels: Levels, digest: str) -> str:
        """sha256 of the run, the claims with their levels, and the source of the code that decides."""
        claims = [(c.id, type(c.kind).__name__, level_of(c, group)) for c in group.claims]
        about = dict(
            run=digest,
            name=control.name,
            replicates=control.replicates,
            claims=claims,
            levels=vars(levels),
            code=_code(),
        )
        return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()

    def get(self, key: str) -> dict[str, tuple[bool, str]] | None:
        """What is stored, or None; an unreadable file counts as absent, since it can be made again."""
        if self.folder is None:
            return None
        try:
            found = json.loads((self.folder / f"{key}.json").read_text())
            return {k: (bool(v[0]), str(v[1])) for k, v in found.items()}
        except (OSError, ValueError, AttributeError, IndexError, TypeError):
            return None

    def put(self, key: str, outcomes: dict[str, tuple[bool, str]]) -> None:
        """Store; a folder that cannot be written only costs time."""
        if self.folder is None:
            return
        from theorylab.store import write_atomic

        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            write_atomic(self.folder / f"{key}.json", json.dumps(outcomes, sort_keys=True).encode())
        except (OSError, InputError):
            return


@cache
def _code() -> str:
    """Digest of the modules that turn a run into an outcome."""
    from theorylab import decide, measure
    from theorylab.stats import bernoulli

    files = [__file__, *(str(m.__file__) for m in (decide, measure, bernoulli))]
    return hashlib.sha256(b"".join(Path(f).read_bytes() for f in files)).hexdigest()


def fault_matrix(
    claims: Sequence[Claim], *, params: dict[str, Any], levels: Levels, seed: int, outcomes: Outcomes | None = None
) -> dict[str, dict[str, tuple[bool, str]]]:
    """Run every mutant named by the claims once per instance, with the probes of all claims that share the setting.

    Returns claim id -> mutant name -> (refuted, detail). A mutant that stops the loop counts for no claim.
    """
    out: dict[str, dict[str, tuple[bool, str]]] = {c.id: {} for c in claims}
    stored = outcomes or Outcomes(None)
    jobs: dict[tuple[int, str], tuple[Control, Any, list[Claim]]] = {}
    for claim in claims:
        for control in claim.controls:
            instance = control.instance or claim.control_instance
            if instance is None:
                raise InputError(
                    f"claim {claim.id}: control '{control.name}' has no instance; give control_instance=..."
                )
            key = (id(control), repr(instance))
            jobs.setdefault(key, (control, instance, []))[2].append(claim)
    for control, instance, owners in jobs.values():
        measured = [c for c in claims if c.learner == owners[0].learner and (c in owners or control.target == "python")]
        if control.target == "python":  # other claims ride along, for the kill matrix, where they share the instance
            measured = [c for c in measured if c in owners or (c.control_instance == instance and not c.cumulative)]
        model = instance.build()
        reference = find_learner(owners[0].learner, model.setting)
        given = {k: v for k, v in params.items() if k in reference.params}  # not those of a learner put in its place
        group = Group(measured, control.learner, instance, model, {**given, **instance.learner}, reference)
        simulation = group.simulation(0, control.replicates, seed=seed, target=control.target)
        digest = stored.key(group, control, levels, simulation.digest())
        found = stored.get(digest)
        if found is None:
            found = _fault(group, control, simulation, levels)
            stored.put(digest, found)
        for claim in measured:
            out[claim.id][control.name] = found[claim.id]
    return out


def _fault(group: Group, control: Control, simulation: Simulation, levels: Levels) -> dict[str, tuple[bool, str]]:
    """Run one mutant: claim id -> (refuted, detail)."""
    instance, out = group.instance, {}
    samples: dict[str, Sample] = {}
    for attempt in range(4):
        try:
            curves = simulation.advance().curves()
        except (InputError, ArithmeticError, IndexError, ValueError) as stopped:
            # a wrong action, or plain Python's refusal of a root or an index: not this claim's merit
            return {c.id: (False, f"stopped by the loop, not by the claim: {stopped}") for c in group.claims}
        except Exception as broken:
            raise cannot_run(control, group.claims[0], broken) from broken
        fresh = {c.id: group.sample(c, curves) for c in group.claims}
        samples = {k: join([samples[k], v]) if attempt else v for k, v in fresh.items()}
        decisions = {c.id: _decide(c, group, samples[c.id], levels) for c in group.claims}
        # a strict level (a fresh seed, a study of many claims) may need more replicates that all violate
        short = [k for k, d in decisions.items() if d.verdict == "INCONCLUSIVE" and d.e_refute > 10.0]
        if not short:
            break
        first = control.replicates * 2**attempt
        simulation = group.simulation(first, first, seed=simulation.seed, target=control.target)
    for claim in group.claims:
        sample, decision = samples[claim.id], decisions[claim.id]
        firsts = sample.first[sample.count > 0]
        where = f", first at {int(firsts.min())}" if firsts.size else ""
        detail = (
            f"{instance.family}, length {instance.length}: {int(np.sum(sample.count > 0))} of {len(sample.count)} "
            f"replicates violate{where}; e = {decision.e_refute:.3g}"
        )
        out[claim.id] = (decision.verdict == "REFUTED", detail)
    return out


def cannot_run(control: Control, claim: Claim, broken: Exception) -> InputError:
    """The refusal of a control whose learner raised."""
    why = f"{type(broken).__name__}: {broken}"
    return InputError(f"control '{control.name}' of claim {claim.id} cannot run: {why}; mend its learner")


def learner_faults(claim: Claim, matrix: dict[str, tuple[bool, str]]) -> list[ControlOutcome]:
    """Outcomes of the faults that this claim must catch."""
    out = []
    for control in claim.controls:
        caught, detail = matrix[control.name]
        observed = "REFUTED" if caught else "not refuted"
        out.append(ControlOutcome(control.name, "learner fault", "REFUTED", observed, caught, detail))
    return out


def nulls(claim: Claim, group: Group, levels: Levels, seed: int, n: int = 1024) -> list[ControlOutcome]:
    """Data at the boundary, through the claim's own machinery.

    For a rate or a mean: coins of the tested rate must not be refuted, coins of twice the rate must not be supported.
    For an invariant: a probe that returns exactly the tolerance, run in the claim's own loop, must not be refuted, and
    one that returns the next larger number must be.
    """
    level = level_of(claim, group)
    if level is None:
        return _edges(claim, group, seed)
    out = []
    for name, rate, wrong in (
        ("coins at the boundary", min(level, 1.0), "REFUTED"),
        ("coins at twice the rate", min(2.0 * level, 0.5 * (1.0 + level)), "SUPPORTED"),
    ):
        x = (uniforms(seed, np.arange(n), 0, 0, CONTROL) < rate).astype(float)
        verdict = decide_rate(x, min(level, 1.0), levels).verdict
        expected, ok = f"not {wrong.lower()}", verdict != wrong
        detail = f"{n} coins of rate {rate:.4g}: {int(x.sum())} heads"
        out.append(ControlOutcome(name, "null", expected, expected if ok else verdict, ok, detail))
    return out


def _edges(claim: Claim, group: Group, seed: int) -> list[ControlOutcome]:
    probe = next(p for p in group.probes if p.name == group.slots[claim.id][0])
    above = float(np.nextafter(probe.tol, np.inf))
    edges = [("at", probe.tol, "not refuted"), ("just above", above, "REFUTED")]
    probes = [
        Probe(name, generated("edge", f"def edge(st, p, tr, t):\n    return {value!r}\n"), probe.at, probe.tol)
        for name, value, _ in edges
    ]
    simulation = Simulation(
        group.learner,
        group.model,
        replicates=2,
        length=min(group.instance.length, 8),
        seed=seed,
        params=group.params,
        target="python",
        probes=probes,
        exact=False,
    )
    results = simulation.advance().curves().probes
    out = []
    for name, value, expected in edges:
        verdict = decide_invariant(results[name].count, 2).verdict
        observed = "REFUTED" if verdict == "REFUTED" else "not refuted"
        sort = "null" if expected == "not refuted" else "bound fault"
        detail = f"a probe that returns {value!r} in the claim's own loop, tolerance {probe.tol:g}"
        out.append(
            ControlOutcome(f"lhs - rhs {name} the tolerance", sort, expected, observed, observed == expected, detail)
        )
    return out


def bound_fault(
    claim: Claim, group: Group, best: tuple[float, float, float], n: int, *, levels: Levels, seed: int, target: str
) -> list[ControlOutcome]:
    """Half the best constant must be refuted on fresh addresses; its upper limit must not be.

    The fault is looked for in n fresh replicates, then twice as many, until it is refuted or the budget is used: the
    decision is sequential, so looking again costs nothing. The null reads the first n.
    """
    level = level_of(claim, group)
    assert level is not None
    _, high, estimate = best
    sample = group.sample(claim, group.simulation(FRESH, n, seed=seed, target=target).advance().curves())

    def decide(constant: float, sample: Sample) -> Decision:
        if isinstance(claim.kind, Expectation):
            return decide_rate(values_of(claim, group, sample), constant, levels)
        return decide_rate((sample.ratio > constant).astype(float), level, levels)

    null, fault, read = decide(high, sample), decide(estimate / 2, sample), n
    while fault.verdict == "INCONCLUSIVE" and read < levels.budget:
        more = min(read, levels.budget - read)
        curves = group.simulation(FRESH + read, more, seed=seed, target=target).advance().curves()
        sample, read = join([sample, group.sample(claim, curves)]), read + more
        fault = decide(estimate / 2, sample)
    out = []
    for name, sort, constant, expected, decision, count in (
        ("half the best constant", "bound fault", estimate / 2, "REFUTED", fault, read),
        ("upper limit of the best constant", "null", high, "not refuted", null, n),
    ):
        observed = "REFUTED" if decision.verdict == "REFUTED" else "not refuted"
        detail = f"constant {constant:.4g}, {count} fresh replicates, e = {decision.e_refute:.3g}"
        out.append(ControlOutcome(name, sort, expected, observed, observed == expected, detail))
    return out
