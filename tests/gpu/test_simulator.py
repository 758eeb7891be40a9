"""The CUDA target in Numba's simulator gives the bits of plain Python, for every learner, with probes and a monitor.

Python's bits are the cpu target's by conformance. The simulator must be on before Numba is imported, so it runs in
processes of its own, at tiny sizes.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tests.conformance.test_learners import VARIANTS
from tests.gpu import programs
from theorylab.conformance import digests, small_run
from theorylab.learner import Learner
from theorylab.registry import iter_specs

ROOT = Path(__file__).resolve().parents[2]
LEARNERS = list(iter_specs("learners"))


def printed(*arguments: str) -> Any:
    """JSON that a module prints in a process of its own with the simulator on."""
    environment = {**os.environ, "NUMBA_ENABLE_CUDASIM": "1"}
    command = [sys.executable, "-m", *arguments]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@cache
def simulated(names: tuple[str, ...]) -> dict[tuple[str, str], dict[str, str]]:
    """Digests of 4 replicates of learners: 5 episodes, steps or rounds, with probes and a monitor."""
    runs = printed("theorylab.conformance", *names, "--simulator")
    return {(r["learner"], r["setting"]): r["arrays"] for r in runs if r["target"] == "cuda"}


@pytest.mark.parametrize(
    "learner",
    [pytest.param(x, marks=pytest.mark.long) if x.name in VARIANTS else x for x in LEARNERS],
    ids=[f"{x.name}-{x.setting}" for x in LEARNERS],
)
def test_a_learner_in_the_simulator(learner: Learner) -> None:
    together = tuple(sorted({x.name for x in LEARNERS if (x.name in VARIANTS) == (learner.name in VARIANTS)}))
    found = simulated(together)[learner.name, learner.setting]
    expected = digests(small_run(learner, target="python"))
    assert found.keys() == expected.keys()
    assert [k for k in expected if found[k] != expected[k]] == []


def test_functions_and_samplers_in_the_simulator() -> None:
    found = printed("tests.gpu.programs")
    assert found["philox"] == [list(words) for _, words in programs.KNOWN]
    assert found == programs.on_python()
