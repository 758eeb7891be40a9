"""Lemmas for all models: a claim of scope "models" is searched for a violation, and so are its false twins.

A `Lemma` is searched by `theorylab.lemma`, for at least twice the calls that its hardest false twin took; an identity
is evaluated at random points. Otherwise `quantity(rng)` draws one batch of instances near the equality case and returns
(largest lhs - rhs, where). The controls are the claim's false twins, the same text with one constant spoilt, which must
be violated.
"""

from __future__ import annotations

import hashlib
import inspect
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

from theorylab.claim import Claim, is_real
from theorylab.errors import InputError, naming
from theorylab.evidence import ControlOutcome, InstanceEvidence
from theorylab.lemma import Lemma, LemmaResult, search, verify_identity

__all__ = ["check_lemma"]

TOLERANCE = 1e-9
CALLS = 4  # of a search, for each batch of the profile's effort
TWIN_CALLS = 16384  # at most, to find a false twin
POINTS = 3


def check_lemma(claim: Claim, effort: int, seed: int) -> tuple[InstanceEvidence, list[ControlOutcome]]:
    """Evaluate the lemma on `effort` batches; one excess beyond 1e-9, or one that is exact, refutes it."""
    if isinstance(claim.quantity, Lemma):
        return _property(claim.quantity, effort, seed)
    if claim.false_twin is None:
        raise InputError(f"claim {claim.id}: a lemma needs false_twin=..., or its check could not fail")
    started = time.perf_counter()
    rng = np.random.Generator(np.random.Philox(key=seed))
    worst, where = -np.inf, ""
    for _ in range(effort):
        excess, at = _drawn(claim.id, claim.quantity, rng)
        if excess > worst:
            worst, where = excess, at
    if worst == -np.inf:
        raise InputError(f"claim {claim.id} returned -inf for every batch, so that nothing was tested; mend its test")
    verdict = "NO VIOLATION FOUND" if worst <= TOLERANCE else "REFUTED"
    part = InstanceEvidence(
        model="all models",
        digest="",
        learner="",
        params={},
        length=effort,
        unit="batches",
        verdict=verdict,
        n=effort,
        violations=int(not worst <= TOLERANCE),
        e_refute=float("inf") if verdict == "REFUTED" else 0.0,
        max_excess=float(worst),
        code=_code(claim.quantity),
        note=f"closest to equality: {where}",
        seconds=time.perf_counter() - started,
    )
    rng = np.random.Generator(np.random.Philox(key=seed))
    twin = max(_drawn(f"{claim.id}: false_twin", claim.false_twin, rng)[0] for _ in range(effort))
    caught = twin > TOLERANCE
    outcome = ControlOutcome(
        "false twin", "bound fault", "REFUTED", "REFUTED" if caught else "not refuted", caught, f"excess {twin:.3g}"
    )
    return part, [outcome]


def _drawn(name: str, quantity: Any, rng: np.random.Generator) -> tuple[float, str]:
    with naming(f"claim {name}: its test", "mend it, or draw no such instance"):
        found = quantity(rng)
    if not isinstance(found, tuple) or len(found) != 2 or not is_real(found[0]):
        raise InputError(f"claim {name} returned {found!r}; return (largest lhs - rhs, where it was)")
    if np.isnan(found[0]):
        raise InputError(f"claim {name} returned NaN at {found[1]}; mend its test, or draw no such instance")
    return float(found[0]), str(found[1])


def _property(lemma: Lemma, effort: int, seed: int) -> tuple[InstanceEvidence, list[ControlOutcome]]:
    """A `Lemma` by search, or by exact points for an identity, and each of its twins."""
    started = time.perf_counter()
    identity, twins = lemma.kind == "identity", [_twin(lemma, name, seed) for name in lemma.twins]
    # a twin shows that a search of that length finds a fault: half of the calls have small sizes, hence twice
    calls = max([CALLS * effort] if identity else [CALLS * effort, *(2 * n for _, n in twins)])
    found = verify_identity(lemma, POINTS, seed=seed) if identity else search(lemma, calls, seed)
    if identity and found.verdict == "REFUTED":  # a point has large numbers: a search may find a small one
        small = search(lemma, calls, seed)
        found = small if small.verdict == "REFUTED" else found
    refuted = found.verdict == "REFUTED"
    part = InstanceEvidence(
        model="all models",
        digest="",
        learner="",
        params={},
        length=found.calls,
        unit="points" if identity else "calls",
        verdict=found.verdict,
        n=found.calls,
        violations=int(refuted),
        e_refute=float("inf") if refuted else 0.0,
        code=_code(lemma.draw, lemma.sides),
        replay=_replay(lemma, calls, seed) if refuted else "",
        note=found.text(),
        seconds=time.perf_counter() - started,
    )
    return part, [outcome for outcome, _ in twins]


def _code(*functions: Any) -> str:
    """Digest of the modules that the functions, and the functions which these name, are written in."""
    named = [g for f in functions for g in getattr(f, "__globals__", {}).values() if inspect.isfunction(g)]
    modules = [sys.modules.get(f.__module__) for f in (*functions, *named)]
    files = {str(m.__file__) for m in modules if getattr(m, "__file__", None) is not None and m is not None}
    return hashlib.sha256(b"".join(Path(f).read_bytes() for f in sorted(files))).hexdigest()


def _replay(lemma: Lemma, calls: int, seed: int) -> str:
    """A command that finds the violation again; none for a lemma that no registered paper holds."""
    from theorylab.registry import papers

    if lemma.name.partition(".")[0] not in papers():
        return ""
    call = f"verify_identity(x, {POINTS}, seed={seed})" if lemma.degree else f"search(x, {calls}, {seed})"
    return (
        'python -c "from theorylab.lemma import search, verify_identity; from theorylab.registry import find_claim; '
        f"x = find_claim('{lemma.name}')[0].quantity; print({call}.text())\""
    )


def _twin(lemma: Lemma, name: str, seed: int) -> tuple[ControlOutcome, int]:
    """What became of a twin, and after how many calls."""
    found: LemmaResult
    if lemma.kind == "identity":
        found = verify_identity(lemma, POINTS, seed=seed, twin=name)
    else:
        found = search(lemma, TWIN_CALLS, seed, name, shrink=False)
    caught = found.verdict == "REFUTED"
    detail = f"{'found' if caught else 'missed'} after {found.calls} {'points' if lemma.degree else 'calls'}"
    observed = "REFUTED" if caught else "not refuted"
    return ControlOutcome(f"false twin: {name}", "bound fault", "REFUTED", observed, caught, detail), found.calls
