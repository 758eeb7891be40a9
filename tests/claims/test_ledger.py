"""The ledger: lines, products of e-values over fresh seeds, what is left out, and what is refused."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from tests.claims.coins import claim
from theorylab import InputError
from theorylab.check import check
from theorylab.claim import Instance
from theorylab.decide import Levels, decide_rate
from theorylab.evidence import Evidence
from theorylab.ledger import accumulate, append, as_text, read
from theorylab.stats.bernoulli import log_e_support


def coin(seed: int, rate: float = 0.1, *ps: float, budget: int = 8) -> Evidence:
    return check(claim(rate, *(ps or (0.02,))), seed=seed, budget=budget, target="python")


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


def test_short_runs_add_up_to_a_verdict(ledger: Path) -> None:
    runs = [coin(seed, 0.1, 0.0, budget=16) for seed in range(10, 18)]
    assert {e.verdict for e in runs} == {"INCONCLUSIVE"}
    for e in runs:
        append(ledger, [e])
    (joined,) = accumulate(read(ledger))
    assert joined.verdict == "SUPPORTED" and joined.runs == 8 and joined.replicates == sum(e.n for e in runs)
    product = sum(math.log(e.instances[0].e_support) for e in runs)
    assert joined.log_e_support == pytest.approx(product, abs=1e-12)
    assert "SUPPORTED" in as_text([joined])


def test_runs_that_violate_add_up_to_an_alarm(ledger: Path) -> None:
    for seed in range(8):
        append(ledger, [coin(seed, 0.1, 0.5, budget=6)])
    (joined,) = accumulate(read(ledger))
    assert joined.verdict == "REFUTED" and joined.violations > 10


def test_the_same_seed_is_no_new_evidence(ledger: Path) -> None:
    for _ in range(3):
        append(ledger, [coin(0)])
    (joined,) = accumulate(read(ledger))
    assert joined.runs == 1 and joined.verdict == "INCONCLUSIVE"
    assert joined.left_out[0] == "line 2: seed 0 is that of line 1; the same run is no new evidence"


def test_another_level_model_or_code_is_another_statement(ledger: Path) -> None:
    append(ledger, [coin(0, 0.2), coin(1, 0.1, 0.05), coin(2)])
    first = coin(3)
    append(ledger, [replace(first, instances=(replace(first.instances[0], code="other"),)), coin(4)])
    (joined,) = accumulate(read(ledger))
    assert joined.runs == 2 and [reason.partition(":")[0] for reason in joined.left_out] == [
        "line 1",
        "line 2",
        "line 4",
    ]


def test_a_run_whose_controls_failed_is_not_joined(ledger: Path) -> None:
    bad = coin(0)
    failed = replace(bad.controls[0], ok=False)
    append(ledger, [replace(bad, controls=(failed,), verdict="CHECK_INVALID")])
    (joined,) = accumulate(read(ledger))
    assert joined.verdict == "CHECK_INVALID" and joined.runs == 0 and failed.name in joined.left_out[0]


def test_every_instance_must_be_supported(ledger: Path) -> None:
    for seed in range(14):
        append(ledger, [coin(seed, 0.1, 0.0, 0.1)])
    (joined,) = accumulate(read(ledger))
    assert joined.verdict == "INCONCLUSIVE"
    assert joined.instances[0]["log_e_support"] > math.log(100) > joined.instances[1]["log_e_support"]


def test_the_product_keeps_its_level_at_the_boundary() -> None:
    rng, levels = np.random.Generator(np.random.Philox(key=11)), Levels(0.05, 0.05, 20)
    false = 0
    for _ in range(250):
        runs = [decide_rate((rng.random(20) < 0.1).astype(float), 0.1, levels) for _ in range(5)]
        false += math.prod(r.e_support for r in runs) >= 20.0
    assert false / 250 <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 250)


def test_a_failed_control_cannot_be_used_to_leave_out_what_speaks_against(ledger: Path) -> None:
    runs = [coin(seed, 0.1, 0.0, budget=16) for seed in range(20, 26)]
    append(ledger, runs)
    bad = replace(runs[0], controls=(replace(runs[0].controls[0], ok=False),), verdict="CHECK_INVALID")
    against = replace(bad.instances[0], e_support=1e-3, e_refute=50.0)
    append(ledger, [replace(bad, instances=(against,), provenance={**bad.provenance, "seed": 26})])
    append(ledger, [replace(runs[0], provenance={**bad.provenance, "seed": 26})])  # not tried again until it passes
    (joined,) = accumulate(read(ledger))
    log = sum(math.log(e.instances[0].e_support) for e in runs)
    assert joined.log_e_support == pytest.approx(log + math.log(1e-3))
    assert joined.log_e_refute == pytest.approx(sum(math.log(e.instances[0].e_refute) for e in runs))  # 50 is left out
    assert joined.runs == 6 and "seed 26 is that of line 7" in joined.left_out[1]


def test_selection_by_controls_that_read_the_runs_keeps_the_level(ledger: Path) -> None:
    """At the boundary, 20 runs of 20 coins, with a control that fails wherever the run speaks against the claim."""
    rng = np.random.Generator(np.random.Philox(key=12))
    (line,) = read(append(ledger, [coin(0)]))
    part, trials, joined, dropped = line["instances"][0], 400, 0, 0
    for _ in range(trials):
        e = np.exp(log_e_support(rng.binomial(20, 0.1, size=20), 20, 0.1))
        lines = [
            {**line, "seed": k, "instances": [{**part, "e_support": v}], "failed": [] if v >= 1.0 else ["coins"]}
            for k, v in enumerate(e)
        ]
        joined += accumulate(lines, alpha_support=0.05)[0].log_e_support >= math.log(20.0)
        dropped += math.prod(v for v in e if v >= 1.0) >= 20.0
    assert joined / trials <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / trials) < 0.2 < dropped / trials


def test_another_bound_is_another_statement(ledger: Path) -> None:
    def regret(bound: float) -> Evidence:
        arms = {"quick": (Instance("bernoulli", 4, {"means": (0.6, 0.4)}),)}
        made = claim(0.1, 0.5, quantity="regret", bound=lambda c, n: bound + 0.0 * n, trivial=lambda c, n: n + 0.0,
                     instances=arms, controls=())  # fmt: skip
        return check(made, target="python", budget=32, seed=int(10 * bound))

    append(ledger, [regret(0.9), regret(0.3)])
    (joined,) = accumulate(read(ledger))
    assert joined.runs == 1 and "line 1: another code" in joined.left_out[0]


def test_a_violation_of_what_must_never_happen_stays(ledger: Path) -> None:
    """Infinite e-values, of lemmas and identities too, are neither cancelled by later zeros nor by a vacuous run."""
    part = coin(0).instances[0]
    broken = replace(part, verdict="REFUTED", violations=1, e_support=0.0, e_refute=math.inf)
    for kind, word in (("Identity", "IDENTITY HOLDS"), ("Pointwise", "NO VIOLATION FOUND"), ("Pointwise", "VACUOUS")):
        ledger.unlink(missing_ok=True)
        later = replace(part, verdict=word, violations=0, e_support=0.0, e_refute=0.0)
        for seed, one in enumerate((later, broken, later)):
            e = replace(coin(0), kind=kind, verdict=one.verdict, instances=(one,))
            append(ledger, [replace(e, provenance={**e.provenance, "seed": seed})])
        (joined,) = accumulate(read(ledger))
        assert (joined.verdict, joined.log_e_refute, joined.violations) == ("REFUTED", math.inf, 1)
        assert joined.instances[0]["log_e_refute"] == math.inf
        lines = [line for line in read(ledger) if line["verdict"] != "REFUTED"]
        assert accumulate(lines)[0].verdict == word


def test_growth_and_open_constants_are_not_joined(ledger: Path) -> None:
    e = replace(coin(0), verdict="CONSISTENT", kind="Growth")
    append(ledger, [e, replace(e, provenance={**e.provenance, "seed": 1})])
    assert accumulate(read(ledger))[0].verdict == "CONSISTENT"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{}\n", "line 1 is not a line of a ledger"),
        ("not json\n", "line 1 is not a line of a ledger"),
        ('{"format": 2}\n', "line 1 has format 2, and this version joins lines of format 1 only"),
        ('{"format": 1, "claim": "a"}\n', "line 1 lacks or spoils an entry"),
    ],
)
def test_foreign_lines_are_refused(ledger: Path, text: str, message: str) -> None:
    ledger.write_text(text)
    with pytest.raises(InputError, match=message):
        read(ledger)


def test_a_negative_e_value_is_refused(ledger: Path) -> None:
    append(ledger, [coin(0)])
    line = json.loads(ledger.read_text())
    line["instances"][0]["e_support"] = -1.0
    ledger.write_text(json.dumps(line) + "\n")
    with pytest.raises(InputError, match="an e-value below 0"):
        read(ledger)


def test_a_torn_file_is_not_written_to(ledger: Path) -> None:
    ledger.write_text('{"format": 1')
    with pytest.raises(InputError, match="ends in the middle of a line"):
        append(ledger, [coin(0)])
    with pytest.raises(InputError, match="cannot write"):
        append(ledger.parent / "no" / "ledger.jsonl", [coin(0)])
