"""Every planted fault is caught by a claim that holds without it, and every claim catches the faults that it names."""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import Any

import pytest

from theorylab.claim import Claim, Control
from theorylab.controls import fault_matrix
from theorylab.decide import Levels
from theorylab.learner import Learner
from theorylab.registry import find_claim, find_learner

PAPERS = {"auer2002": "ucb1", "jin2018": "ucb_h", "jaksch2010": "ucrl2"}
Matrix = dict[str, dict[str, tuple[bool, str]]]


def python_claims(paper: str) -> list[Claim]:
    """The paper's claims on runs, with the controls that need no compilation."""
    claims = [c for c in find_claim(paper) if c.scope == "run"]
    return [replace(c, controls=tuple(k for k in c.controls if k.target == "python")) for c in claims]


def drawn(matrix: Matrix) -> str:
    """The matrix as text: a row per fault, a column per claim; X caught, . not caught, blank not run."""
    faults = sorted({k for row in matrix.values() for k in row})
    lines = [f"{j:3d} {c}" for j, c in enumerate(matrix)]
    for fault in faults:
        marks = [" " if fault not in row else "X" if row[fault][0] else "." for row in matrix.values()]
        lines.append(f"{fault:30s} {'  '.join(marks)}")
    return "\n".join(lines)


@pytest.fixture(scope="module")
def matrices() -> dict[str, Matrix]:
    return {p: fault_matrix(python_claims(p), params={}, levels=Levels(), seed=0) for p in PAPERS}


@pytest.fixture(scope="module")
def clean() -> dict[str, Matrix]:
    """The same with the faithful learner in place of every fault."""
    out = {}
    for paper in PAPERS:
        claims = []
        for c in python_claims(paper):
            faithful = find_learner(c.learner)
            # a control with an instance of its own breaks an assumption there, not the learner
            kept = [Control("no fault", faithful, replicates=k.replicates) for k in c.controls if k.instance is None]
            if kept and c.control_instance is not None:
                claims.append(replace(c, controls=tuple(kept[:1])))
        out[paper] = fault_matrix(claims, params={}, levels=Levels(), seed=0)
    return out


@pytest.mark.parametrize("paper", PAPERS)
def test_every_mutant_is_caught(paper: str, matrices: dict[str, Matrix]) -> None:
    module = importlib.import_module(f"proofs_check.mutants.{PAPERS[paper]}")
    planted = {k: v for k, v in vars(module).items() if isinstance(v, Learner) and k != "learner"}
    names = {id(k.learner): k.name for c in find_claim(paper) for k in c.controls}
    assert len(planted) >= 6
    orphans = [k for k, v in planted.items() if id(v) not in names]
    assert not orphans, f"planted but under no claim: {orphans}"
    matrix = matrices[paper]
    alive = [k for k, v in planted.items() if not any(row.get(names[id(v)], (False,))[0] for row in matrix.values())]
    assert not alive, f"not caught by any claim: {alive}\n{drawn(matrix)}"


@pytest.mark.parametrize("paper", PAPERS)
def test_every_named_control_is_caught(paper: str, matrices: dict[str, Matrix]) -> None:
    matrix = matrices[paper]
    missed = [(c.id, k.name) for c in python_claims(paper) for k in c.controls if not matrix[c.id][k.name][0]]
    assert not missed, f"{missed}\n{drawn(matrix)}"


@pytest.mark.parametrize("paper", PAPERS)
def test_nothing_is_caught_where_there_is_no_fault(paper: str, clean: dict[str, Matrix]) -> None:
    caught = {c: row for c, row in clean[paper].items() if any(hit for hit, _ in row.values())}
    assert len(clean[paper]) >= 5
    assert not caught, caught


@pytest.mark.parametrize("paper", PAPERS)
def test_every_step_can_fail(paper: str) -> None:
    claims = {c.id: c for c in find_claim(paper)}
    for claim in claims.values():
        for step in claim.steps:
            assert step in claims, f"{claim.id} lists the step {step}, which is no claim of this paper"
        if claim.scope == "models":
            assert claim.false_twin is not None
        elif claim.constants == "explicit" and claim.id != "jaksch2010.thm2-riverswim":  # vacuous: bound faults instead
            assert claim.controls, f"{claim.id} names no fault that it must catch"


@pytest.mark.parametrize("paper", PAPERS)
def test_a_copied_formula_is_not_alone(paper: str, matrices: dict[str, Matrix]) -> None:
    """What only the claims that repeat a formula of the learner catch: known, and no more than this."""
    claims = {c.id: c for c in find_claim(paper)}
    matrix = matrices[paper]
    faults = {k for row in matrix.values() for k in row}
    properties = [row for c, row in matrix.items() if not claims[c].copies]
    weak = {f for f in faults if not any(row.get(f, (False,))[0] for row in properties)}
    expected: dict[str, Any] = {
        "auer2002": {"log factor dropped"},
        "jin2018": {"value not updated"},
        "jaksch2010": {"delta left out", "log factors dropped"},
    }
    assert weak == expected[paper], drawn(matrix)
