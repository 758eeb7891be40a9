"""The loops of learners compile to PTX for compute capability 9.0, without a device, and without fused operations.

`ptxas` of the toolkit's wheel must accept it and spill nothing.
"""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.gpu.listing import look
from theorylab.registry import iter_specs

ROOT = Path(__file__).resolve().parents[2]
LEARNERS = [f"{x.name}-{x.setting}" for x in iter_specs("learners")]
#: one of each loop and of each sampler and piece of linear algebra; the others compile in the long tier
FIRST = (
    "ucb1-bandit",
    "thompson-bandit",
    "oful-bandit",
    "ucb-h-episodic",
    "psrl-episodic",
    "rlsvi-episodic",
    "ucrl2-average",
    "cfr-game",
)

Listing = tuple[dict[str, Any], Path]


def compiled(folder: Path, names: Sequence[str]) -> Listing:
    environment = {k: v for k, v in os.environ.items() if k != "NUMBA_ENABLE_CUDASIM"}
    command = [sys.executable, "-m", "tests.gpu.listing", str(folder), *names]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert sorted(found) == sorted(names)
    return found, folder


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> Listing:
    return compiled(tmp_path_factory.mktemp("ptx"), FIRST)


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Listing:
    return compiled(tmp_path_factory.mktemp("ptx"), [n for n in LEARNERS if n not in FIRST])


def check(found: dict[str, Any]) -> None:
    assert found["target"] == ["sm_90"]
    assert found["entries"] == 1
    assert found["calls"] == 0  # every callee is inlined: no stack of arguments
    assert found["fused"] == 0
    # products and sums carry their rounding, so that the assembler may not fuse them either
    assert all(".rn" in instruction for instruction in found["double"])
    assert sum(found["double"].values()) > 0


@pytest.mark.parametrize("name", FIRST)
def test_a_loop_compiles_without_fused_operations(name: str, first: Listing) -> None:
    check(first[0][name])


@pytest.mark.long
@pytest.mark.parametrize("name", [n for n in LEARNERS if n not in FIRST])
def test_every_other_loop_does_too(name: str, others: Listing) -> None:
    check(others[0][name])


def test_the_search_finds_fused_operations() -> None:
    text = ".target sm_90\n\tfma.rn.f64 \t%fd3, %fd1, %fd2, %fd3;\n\t@%p3 add.f64 %fd1, %fd1, %fd2;\n"
    assert look(text)["fused"] == 1
    assert look(text)["double"] == {"add.f64": 1, "fma.rn.f64": 1}
    assert look("mad.lo.s64 %rd1, %rd2, %rd3, %rd4;")["fused"] == 0  # integers may


def assembled(listing: Listing, tmp_path: Path) -> None:
    spec = importlib.util.find_spec("nvidia.cuda_nvcc")
    assert spec is not None and spec.submodule_search_locations
    ptxas = Path(next(iter(spec.submodule_search_locations))) / "bin" / "ptxas"
    for name in listing[0]:
        command = [
            str(ptxas),
            "-v",
            "--gpu-name",
            "sm_90",
            "-o",
            str(tmp_path / "loop.cubin"),
            str(listing[1] / f"{name}.ptx"),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, f"{name}: {done.stderr}"
        assert re.search(r"\b0 bytes spill stores, 0 bytes spill loads", done.stderr), f"{name}: {done.stderr}"


def test_the_assembler_takes_the_loops(first: Listing, tmp_path: Path) -> None:
    assembled(first, tmp_path)


@pytest.mark.long
def test_the_assembler_takes_the_other_loops(others: Listing, tmp_path: Path) -> None:
    assembled(others, tmp_path)
