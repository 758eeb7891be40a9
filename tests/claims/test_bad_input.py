"""Bad input of every sort is refused with the claim, the entry and the mend: no traceback, no verdict, exit code 2."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.claims.coins import claim, coin, faithful, paid
from tests.claims.test_error_cases import ARMS, SWEEP, regret, sampled
from theorylab import InputError, cli
from theorylab.check import check
from theorylab.claim import Claim, Control, Dominates, Expectation, Growth, HighProbability, Instance, Pointwise, Total
from theorylab.evidence import Evidence
from theorylab.kernel import kernel
from theorylab.learner import f8
from theorylab.ledger import FORMAT, read
from theorylab.lemma import Lemma
from theorylab.probe import Monitor, Probe
from theorylab.stats import log_capital, log_e_refute
from theorylab.stats.stream import Stream

pytestmark = pytest.mark.filterwarnings("ignore::RuntimeWarning")
RATE, MEAN, ALWAYS = HighProbability(0.1), Expectation(), Pointwise()


def run(made: Claim) -> Evidence:
    return check(made, target="python", budget=32)


@kernel
def divides(st: Any, p: Any, tr: Any, t: Any) -> Any:
    return 1.0 / (0.0 * tr.r)


@kernel
def says(st: Any, p: Any, tr: Any, t: Any) -> Any:
    return "much"


@kernel
def misreads(st: Any, p: Any, tr: Any, t: Any) -> Any:
    return st.no_such_field


@kernel
def observes(st: Any, p: Any, tr: Any, t: Any) -> Any:
    tr.mine[0] = 1.0 / (0.0 * tr.r)


def formula(name: str, value: Any, kind: Any = RATE) -> Callable[[], Any]:
    return lambda: run(regret(kind, **{name: value}))


def always(value: float) -> Callable[..., Any]:
    return lambda c, n: value + 0.0 * n


FORMULAS: dict[str, tuple[Callable[[], Any], str]] = {
    f"{name}: {what}": (formula(name, value), rf"^claim coins\.regret: {name} {message}")
    for name in ("bound", "trivial")
    for what, value, message in (
        ("a number", 0.1, "is 0.1; give a function of the context and n"),
        ("a text", "sqrt(n)", r"is 'sqrt\(n\)'; give a function"),
        ("raises", lambda c, n: 1 / 0, r"raised ZeroDivisionError: division by zero \(test_bad_input.py, line \d+\)"),
        ("misspelt", lambda c, n: c.gaps * n, "raised AttributeError: this instance has no 'gaps'"),
        ("returns None", lambda c, n: None, "returned object"),
        ("returns a text", lambda c, n: "n", "returned <U1"),
        ("wrong shape", lambda c, n: np.ones((n.size, 2)), r"returned float64 of shape"),
        ("NaN", always(np.nan), "is NaN at n="),
        ("inf", always(np.inf), "is inf"),
        ("-inf", always(-np.inf), "is -inf"),
        ("negative", always(-1.0), "is -1 at n="),
    )
}
PARTS: dict[str, tuple[Callable[[], Any], str]] = {
    "shape 0": (lambda: run(regret(RATE, shape=always(0.0), bound=None, constants="unspecified")), "shape is 0.0 at"),
    "shape raises": (lambda: run(regret(RATE, shape=lambda c, n: n / c.x)), "coins.regret: shape raised Attribute"),
    "constant": (lambda: run(regret(RATE, constant=lambda c: None)), "coins.regret: constant returned None; ret"),
    "probe raises": (
        lambda: run(claim(0.1, 0.02, quantity=Probe("mine", divides))),
        r"claim coins.rate: its probe 'mine' raised ZeroDivisionError: .* \(test_bad_input.py, line \d+\); mend it",
    ),
    "probe returns a text": (lambda: run(claim(0.1, 0.02, quantity=Probe("mine", says))), "measures coins.rate raised"),
    "probe reads what is not there": (
        lambda: run(claim(0.1, 0.02, quantity=Probe("mine", misreads))), "probe 'mine' raised AttributeError",
    ),
    "monitor raises": (
        lambda: run(claim(0.1, 0.02, monitor=Monitor(dict(mine=f8[1]), observe=observes))),
        "claim coins.rate: `observe` of its monitor raised ZeroDivisionError",
    ),
    "probe is no kernel": (
        lambda: claim(0.1, 0.02, quantity=Probe("mine", divides.f)), "claim coins.rate: 'mine' measures by .*@kernel",
    ),
    "total is no kernel": (lambda: regret(MEAN, quantity=Total("mine", None)), "coins.regret: 'mine' measures by"),
    "tolerance": (lambda: claim(0.1, 0.02, quantity=Probe("x", paid, tol=np.nan)), "tol=nan of its probe"),
    "tables raise": (lambda: run(claim(0.1, 0.02, tables=lambda c: 1 / 0)), "claim coins.rate: tables raised ZeroDiv"),
    "tables are none": (lambda: run(claim(0.1, 0.02, tables=lambda c: None)), "tables raised TypeError"),
    "a control that is none": (lambda: claim(0.1, 0.02, controls=("bonus = 0",)), "controls has 'bonus = 0'; give"),
    "a control by name": (lambda: claim(0.1, 0.02, controls=(Control("x", "ucb1"),)), "controls has Control"),
    "a control that raises": (
        lambda: run(claim(0.1, 0.02, controls=(Control("mine", replace(faithful(), act=misreads)),))),
        "control 'mine' of claim coins.rate cannot run: .*; mend its learner",
    ),
    "instances": (lambda: claim(0.1, 0.02, instances={"quick": coin(0.1)}), r"instances\['quick'\] is no tuple"),
    "a list of instances": (lambda: claim(0.1, 0.02, instances=[coin(0.1)]), "claim coins.rate: instances is"),
}  # fmt: skip
DELTAS: dict[str, tuple[Callable[[], Any], str]] = {
    f"delta {how} {value!r}": (
        (lambda v=value: HighProbability(v))
        if how == "is"
        else (lambda v=value: run(claim(0.1, 0.02, kind=HighProbability(lambda c: v)))),
        f"{'HighProbability' if how == 'is' else 'claim coins.rate'}: delta=.* must lie in .0, 1., a number; correct",
    )
    for how in ("is", "returns")
    for value in ("0.1", None, -0.1, 0.0, 2.0, np.nan, True, [0.1], np.array([0.1, 0.2]))
}
DELTAS["delta raises"] = (
    lambda: run(claim(0.1, 0.02, kind=HighProbability(lambda c: 1 / 0))), "claim coins.rate: delta raised ZeroDivision",
)  # fmt: skip
TESTED: dict[str, tuple[Callable[[], Any], str]] = {
    f"sampled {what} {value!r}": (
        (lambda v=value: check(sampled(lambda rng: v)))
        if what == "lemma"
        else (lambda v=value: check(sampled(lambda rng: (0.0, ""), false_twin=lambda rng: v))),
        f"claim toys.sampled{'' if what == 'lemma' else ': false_twin'} returned",
    )
    for what in ("lemma", "twin")
    for value in (None, "x", ("a", "b"), (None, ""), (0.0,), (1j, ""), (True, ""), (np.array([1.0]), ""), (np.nan, ""))
}
TESTED["sampled raises"] = (
    lambda: check(sampled(lambda rng: 1 / 0)), r"claim toys.sampled: its test raised ZeroDivisionError: .*mend it",
)  # fmt: skip
TESTED["sampled twin raises"] = (
    lambda: check(sampled(lambda rng: (0.0, ""), false_twin=lambda rng: 1 / 0)), "false_twin: its test raised ZeroDiv",
)  # fmt: skip
TESTED["sampled tests nothing"] = (
    lambda: check(sampled(lambda rng: (-np.inf, ""))), "-inf for every batch, so that nothing was tested",
)  # fmt: skip


def lemma(**changes: Any) -> Claim:
    """x <= 4 for x of 0..3, whose twin says x <= 2."""
    given: dict[str, Any] = dict(
        name="toys2000.small", text="", tag="derived", draw=lambda s: {"x": s.integer(0, 3)},
        sides=lambda x, f: {"x": (f.number(x.x), f.number(4))}, 
        twins={"2": lambda x, f: {"x": (f.number(x.x), f.number(2))}},
    )  # fmt: skip
    return Claim.of(Lemma(**{**given, **changes}))


LEMMAS: dict[str, tuple[Callable[[], Any], str]] = {
    f"sides {value!r}": (lambda v=value: check(lemma(sides=lambda x, f: v)), "lemma toys2000.small: sides returned")
    for value in (None, 3, {}, {"x": 1}, {"x": (1,)}, {"x": (1, 2, 3)}, {"x": ("a", "b")}, {"x": (None, None)},
                  {"x": (float("nan"), 1)}, {"x": (1, float("nan"))}, {"x": (np.ones(2), np.ones(3))})
} | {
    "sides raise": (lambda: check(lemma(sides=lambda x, f: 1 / 0)), "toys2000.small: sides raised ZeroDivisionError"),
    "a twin raises": (lambda: check(lemma(twins={"2": lambda x, f: 1 / 0})), "toys2000.small: the twin '2' raised"),
    "sides misspell": (lambda: check(lemma(sides=lambda x, f: {"x": (x.y, 1)})), "no 'y'; it has x"),
    "draw raises": (lambda: check(lemma(draw=lambda s: 1 / 0)), "lemma toys2000.small: draw raised ZeroDivisionError"),
    "draw none": (lambda: check(lemma(draw=lambda s: None)), "lemma toys2000.small: draw returned None; return a dict"),
    "degree": (
        lambda: check(lemma(kind="identity", degree=lambda i: "3")), "lemma toys2000.small: degree raised TypeError",
    ),
}  # fmt: skip


def growth(*instances: Instance, **more: Any) -> Callable[[], Any]:
    given: dict[str, Any] = dict(trivial=lambda c, n: 0.2 * n, bound=None, shape=lambda c, n: n)
    kind = more.pop("kind", Growth("n"))
    return lambda: run(regret(kind, **{**given, **more}, instances={"quick": instances or SWEEP}))


SWEEPS: dict[str, tuple[Callable[[], Any], str]] = {
    "one size": (growth(SWEEP[0]), "claim coins.regret: a sweep of 1 sizes shows no growth; give at least 4"),
    "decreasing": (growth(*SWEEP[::-1]), r"claim coins.regret: T\[1\]=16 is not above T\[0\]=32; order the instances"),
    "twice the same": (growth(*SWEEP[:3], SWEEP[2], SWEEP[3]), r"T\[3\]=16 is not above T\[2\]=16"),
    "regime raises": (growth(kind=Growth("n", regime=lambda c: 1 / 0)), "claim coins.regret: regime raised ZeroDiv"),
    "beyond trivial": (growth(trivial=always(1e-3)), "a replicate at T=4 reached .*, above trivial=0.001, .* correct"),
}
RANGES: dict[str, tuple[Callable[[], Any], str]] = {
    "a rate, vacuous": (
        formula("trivial", always(1e-3)),
        r"reached .* at n=8, above trivial=0.001, .*; correct the claim's",
    ),
    "an invariant": (formula("trivial", always(1e-3), ALWAYS), r"claim coins.regret: replicate \d+ reached"),
    "a mean": (formula("trivial", always(1e-3), MEAN), r"claim coins.regret: the quantity leaves \[0, trivial\]"),
    "a difference": (
        lambda: run(regret(Dominates("ucb1"), bound=None, trivial=always(1e-6))),
        "claim coins.regret: the difference in",
    ),
    "a value of a stream": (lambda: Stream().add(0, 1.5), r"replicate 0: value=1.5 is not a number in \[0, 1\]"),
    "values of a capital process": (lambda: log_capital(np.array([0.5, 1.5]), 0.5, side="above", alpha=0.01), "1.5"),
    "more violations than replicates": (lambda: log_e_refute(np.array([2.0]), np.array([1]), 0.1), r"x.*2"),
    "out of order": (
        lambda: [Stream().add(k, 0.0) for k in (0, 2, 1)],
        "replicate 2 was fed but replicate 0|1 is next",
    ),
    "the first too late": (
        lambda: Stream(3).add(4, 0.0),
        "replicate 4 was fed but replicate 3 is next; feed them in index",
    ),
}
CASES = {**FORMULAS, **PARTS, **DELTAS, **TESTED, **LEMMAS, **SWEEPS, **RANGES}


@pytest.mark.parametrize(("act", "message"), CASES.values(), ids=CASES)
def test_it_is_refused(act: Callable[[], Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        act()


def line(**changes: Any) -> str:
    one = dict(model="m", digest="", learner="", params={}, length=1, unit="", verdict="SUPPORTED", n=1, violations=0,
               level=0.1, e_support=1.0, e_refute=1.0, code="")  # fmt: skip
    given = dict(
        format=FORMAT, claim="a.b", kind="HighProbability", verdict="SUPPORTED", seed=0, failed=[], instances=[one]
    )
    return json.dumps({**given, **changes})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            line(format=FORMAT + 1),
            f"line 2 has format {FORMAT + 1}, and this version joins lines of format {FORMAT} only",
        ),
        (line()[:40], "line 2 is not a line of a ledger; remove it"),
        ("[]", "line 2 is not a line of a ledger"),
        (line(instances=[{}]), "line 2 lacks or spoils an entry .*; remove that line"),
        (line(instances=[{"e_support": -1.0, "e_refute": 0.0}]), "line 2 lacks or spoils an entry"),
        (line(seed="x"), "line 2 lacks or spoils an entry"),
    ],
)
def test_a_ledger_is_refused_before_the_work_is_done(
    text: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger = tmp_path / "ledger.jsonl"
    ledger.write_text(f"{line()}\n{text}\n")
    with pytest.raises(InputError, match=message):
        read(ledger)
    checking = importlib.import_module("theorylab.check")  # the package's `check` is the function
    monkeypatch.setattr(checking, "check_many", lambda *a, **b: pytest.fail("something was run"))
    monkeypatch.setattr("sys.argv", ["theorylab", "check", "auer2002.counts", "--ledger", str(ledger)])
    with pytest.raises(SystemExit) as left:
        cli.main()
    said = capsys.readouterr().err
    assert left.value.code == 2 and said.startswith("theorylab: '") and "line 2" in said and "Traceback" not in said


FILE = """
from dataclasses import replace
from theorylab.claim import Claim, HighProbability, Instance
claims = [Claim(
    id="mine.regret", text="t", source_tag="derived", learner="uniform", kind=HighProbability({delta}),
    quantity="regret", bound={bound}, trivial=lambda c, n: n,
    instances={{"quick": (Instance("bernoulli", 8, {{"means": (0.6, 0.4)}}),)}},
)]
"""


@pytest.mark.parametrize(
    ("bound", "delta", "message"),
    [
        (
            "lambda c, n: n / c.nothing",
            "0.1",
            "claim mine.regret: bound raised AttributeError: this instance has no 'noth",
        ),
        ("lambda c, n: 1.0", "0.1", "claim mine.regret: bound returned float64 of shape ()"),
        ("0.1", "0.1", "mine.regret: bound is 0.1; give a function of the context and n"),
        ("lambda c, n: n", "'0.1'", "mine.py', line 5: HighProbability: delta='0.1' must lie in (0, 1]"),
    ],
)
def test_a_file_with_bad_input_leaves_with_code_2(
    bound: str, delta: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> None:
    file = tmp_path / "mine.py"
    file.write_text(FILE.format(bound=bound, delta=delta))
    monkeypatch.setattr("sys.argv", ["theorylab", "check", os.fspath(file), "--target", "python"])
    with pytest.raises(SystemExit) as left:
        cli.main()
    out, err = capsys.readouterr()
    assert left.value.code == 2 and message in err and "Traceback" not in err and "SUPPORTED" not in out


def test_a_bound_may_be_infinite_where_the_theorem_does_not_hold_yet() -> None:
    early = regret(
        RATE, bound=lambda c, n: np.where(n > 2, 1.5, np.inf), instances={"quick": (Instance("bernoulli", 8, ARMS),)}
    )
    assert run(early).verdict in ("INCONCLUSIVE", "SUPPORTED", "VACUOUS")
