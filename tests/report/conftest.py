"""Made-up evidence for the reports: every verdict, infinite bounds, fields that are None, and hostile text."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import pytest

from theorylab.evidence import ControlOutcome, Evidence, InstanceEvidence

HOSTILE = "<script>alert('x')</script> & \"ünï\" ∑ λ_θ $x_1$ 50 % {#~^\\} \x1b[31m 強化"
PROVENANCE = {
    "theorylab": "0.1.0",
    "numpy": "2.4.6",
    "seed": 0,
    "profile": "quick",
    "levels": {"support": 0.01, "refute": 0.001},
    "kernels": "5f0c" * 16,
    "assumes": ["bandit: a finite-armed stochastic bandit", "rewards: in <0, 1>"],
}


def curve(
    length: int, unit_bound: float, trivial: float, *, scaled: bool = True, power: float = 0.5, points: int = 40
) -> dict[str, list[float]]:
    """Regret n**power with a band, bound = unit_bound n**power, trivial n."""
    n = sorted({round(length ** (k / (points - 1))) for k in range(points)})
    mean = [x**power for x in n]
    out = {
        "n": [float(x) for x in n],
        "mean": mean,
        "low": [0.6 * m for m in mean],
        "high": [1.5 * m for m in mean],
        "bound": [unit_bound * m for m in mean],
        "trivial": [trivial * x for x in n],
    }
    return {**out, "scaled": [1.7 * m for m in mean]} if scaled else out


def instance(verdict: str, **changes: Any) -> InstanceEvidence:
    """An instance with every field set; `changes` replace some."""
    base = InstanceEvidence(
        model="bernoulli(0.9, 0.1)",
        digest="a1b2c3d4e5f6",
        learner="ucb1",
        params={"alpha": 2.0},
        length=20_000,
        unit="rounds",
        verdict=verdict,
        n=512,
        violations=0,
        e_support=128.5,
        e_refute=0.002,
        level=0.05,
        interval=(0.0, 0.0131),
        slack=11.37,
        constant=(0.61, 0.69),
        bound=99.03,
        trivial=16_000.0,
        nonvacuous_from=168,
        vacuous=False,
        max_excess=-12.5,
        mean=141.0,
        replay="theorylab check auer2002.thm1 --model bernoulli --param 'means=(0.9, 0.1)' --seed 0 --replicate 17",
        seconds=1.25,
    )
    return dataclasses.replace(base, **changes)


def claim(id: str, verdict: str, *instances: InstanceEvidence, **changes: Any) -> Evidence:
    """Evidence on a claim with every field set; `changes` replace some."""
    first = instances[0] if instances else None
    base = Evidence(
        id=id,
        paper=id.partition(".")[0],
        source_tag="recalled",
        text=f"Statement of {id}: the regret after n rounds is at most 8 sum ln(n)/gap + (1 + pi^2/3) sum gap.",
        kind="HighProbability(0.05)",
        scope="run",
        constants="explicit",
        verdict=verdict,
        n=sum(i.n for i in instances),
        e_support=first.e_support if first else 0.0,
        e_refute=first.e_refute if first else 0.0,
        e_value=first.e_support if first else 0.0,
        interval=first.interval if first else None,
        slack=first.slack if first else None,
        vacuous=first.vacuous if first else False,
        nonvacuous_from=first.nonvacuous_from if first else None,
        controls=(
            ControlOutcome("bonus = 0", "learner fault", "REFUTED", "REFUTED", True, "8 of 8 replicates"),
            ControlOutcome("p = delta", "null", "not REFUTED", "INCONCLUSIVE", True),
        ),
        instances=instances,
        kills={"bonus_zero": True, "bonus_1_over_n": False},
        steps=("auer2002.counts", "auer2002.not-registered"),
        replay=first.replay if first else "",
        provenance=PROVENANCE,
        seconds=2.5,
    )
    return dataclasses.replace(base, **changes)


@pytest.fixture(scope="session")
def bandit() -> InstanceEvidence:
    """The bound gains content inside the figure."""
    return instance("SUPPORTED", curve=curve(20_000, 10.0, 0.8))


@pytest.fixture(scope="session")
def vacuous() -> InstanceEvidence:
    """The bound gains content far beyond the figure."""
    return instance(
        "VACUOUS",
        model="riverswim(6)",
        learner="ucb-h",
        params={"c": 4.0, "delta": 0.05, "H": 20},
        length=1000,
        unit="episodes",
        bound=4.5e8,
        trivial=20_000.0,
        nonvacuous_from=340_000_000,
        vacuous=True,
        level=None,
        interval=None,
        e_support=0.0,
        curve=curve(1000, 1.4e7, 20.0, power=0.92),
    )


@pytest.fixture(scope="session")
def evidence(bandit: InstanceEvidence, vacuous: InstanceEvidence) -> list[Evidence]:
    """One claim for each verdict and more."""
    infinite = instance(
        "CONSTANT MEASURED",
        model="deep-sea(10)",
        learner="ucb-h",
        unit="episodes",
        bound=math.inf,
        trivial=None,
        nonvacuous_from=None,
        slack=None,
        level=None,
        curve={**curve(500, math.inf, 10.0), "bound": [math.inf] * len(curve(500, 1.0, 1.0)["n"])},
    )
    bare = InstanceEvidence("m", "", "l", {}, 1, "steps", "NOT_APPLICABLE", note="model is not communicating: 3 from 0")
    refuted = instance(
        "REFUTED", violations=9, n=9, e_support=1e-9, e_refute=math.inf, first=37, max_excess=2.5, interval=(0.71, 1.0)
    )
    hostile = instance("INCONCLUSIVE", model=HOSTILE, learner=HOSTILE, note=HOSTILE, params={HOSTILE: HOSTILE}, n=64)
    return [
        claim("auer2002.thm1", "SUPPORTED", bandit, dataclasses.replace(bandit, model="bernoulli(0.6, 0.4)", curve={})),
        claim("auer2002.counts", "NO VIOLATION FOUND", instance("NO VIOLATION FOUND", bound=None, trivial=None)),
        claim("auer2002.growth", "CONSISTENT ON [64, 65536]", instance("CONSISTENT ON [64, 65536]")),
        claim("auer2002.growth-of-a-broken-learner", "INCONSISTENT ON [64, 65536]", instance("INCONSISTENT")),
        claim("jin2018.regret", "VACUOUS", vacuous),
        claim("jin2018.constant", "CONSTANT MEASURED", infinite, constants="unspecified"),
        claim("jin2018.optimism", "REFUTED", refuted, instance("SUPPORTED"), e_value=math.inf),
        claim("jin2018.identity", "IDENTITY HOLDS", scope="models", kind="Identity", source_tag="derived"),
        claim("jaksch2010.thm2", "NOT_APPLICABLE", bare, interval=None, slack=None, controls=(), kills={}, steps=()),
        claim(
            "jaksch2010.radii",
            "CHECK_INVALID",
            instance("SUPPORTED"),
            controls=(
                ControlOutcome("half radius", "learner fault", "REFUTED", "SUPPORTED", False, "0 of 8 replicates"),
            ),
        ),
        claim("nobody1999.hostile", "INCONCLUSIVE", hostile, text=HOSTILE, replay=HOSTILE, kills={HOSTILE: False}),
    ]
