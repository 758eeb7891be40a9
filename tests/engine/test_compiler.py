"""Kernels: what a build's digest covers, where machine code is kept, and that no product and sum are fused."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from theorylab.compiler import Kernel, cache_root, generated, kernel
from theorylab.conformance import default_models, watched
from theorylab.loops import block
from theorylab.registry import find_learner
from theorylab.simulation import Simulation

ROOT = Path(__file__).resolve().parents[2]
SCALE = 2.0
WORD = np.uint64(2**64 - 1)
STEP: Any = None


def inner(text: str = "x + 1.0", **scope: Any) -> Kernel:
    return generated("inner", f"def inner(x):\n    return {text}\n", **scope)


def outer(callee: Any, text: str = "f(x) * 2.0", **scope: Any) -> Kernel:
    return generated("outer", f"def outer(x):\n    return {text}\n", f=callee, **scope)


def closed(value: Any) -> Kernel:
    @kernel
    def times(x):  # type: ignore[no-untyped-def]
        return x * value

    return times


def calling(callee: Kernel) -> Kernel:
    @kernel
    def twice(x):  # type: ignore[no-untyped-def]
        return callee(callee(x))

    return twice


@kernel
def placeholder(x):  # type: ignore[no-untyped-def]
    """Calls what is bound to STEP."""
    return STEP(x) * SCALE


@kernel
def widened(x):  # type: ignore[no-untyped-def]
    """Beyond 64 bits, where integers do not overflow."""
    return x + WORD


def test_equal_sources_have_equal_digests() -> None:
    assert outer(inner()).digest() == outer(inner()).digest()


@pytest.mark.parametrize(
    "other",
    [
        outer(inner("x + 2.0")),
        outer(inner(), "f(x) * 3.0"),
        outer(outer(inner())),
        outer(inner("x + c", c=1.0)),
    ],
    ids=["callee", "own source", "depth", "constant for literal"],
)
def test_a_change_anywhere_changes_the_digest(other: Kernel) -> None:
    assert other.digest() != outer(inner()).digest()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (1.0, 2.0),
        (1, 1.0),
        (np.uint64(1), np.uint64(2)),
        ((1.0, 2.0), (1.0, 3.0)),
        (np.array([1.0, 2.0]), np.array([1.0, 3.0])),
        (np.array([1.0, 2.0]), np.array([[1.0, 2.0]])),
    ],
    ids=["float", "type", "word", "tuple", "array", "shape"],
)
def test_constants_enter_the_digest(a: Any, b: Any) -> None:
    assert outer(inner("c", c=a)).digest() == outer(inner("c", c=a)).digest()
    assert outer(inner("c", c=a)).digest() != outer(inner("c", c=b)).digest()
    assert closed(a).digest() != closed(b).digest()


def test_which_kernel_has_which_name_enters_the_digest() -> None:
    """Two callees may bear one name: what counts is which is called where."""
    one, two = inner("x + 1.0"), inner("x + 2.0")

    def build(third: Kernel) -> str:
        return generated("g", "def g(x):\n    return a(x) + b(x) + c(x)\n", a=one, b=two, c=third).digest()

    assert build(one) != build(two)


def test_bound_kernels_enter_the_digest() -> None:
    assert placeholder.digest(STEP=inner()) == placeholder.digest(STEP=inner())
    assert placeholder.digest(STEP=inner()) != placeholder.digest(STEP=inner("x - 1.0"))
    assert placeholder.digest(STEP=inner(), SCALE=3.0) != placeholder.digest(STEP=inner())


def test_recursion_in_the_graph_of_names_ends() -> None:
    k = outer(inner())
    k.f.__globals__["f"] = k
    assert len(k.digest()) == 64


def test_placeholders_are_bound_per_build() -> None:
    add, subtract = inner(), inner("x - 1.0")
    assert placeholder.build("python", STEP=add)(3.0) == 8.0
    assert placeholder.build("python", STEP=subtract, SCALE=10.0)(3.0) == 20.0
    assert placeholder.build("python", STEP=add) is placeholder.build("python", STEP=add)
    assert placeholder.build("python", STEP=add) is not placeholder.build("python", STEP=subtract)


def test_closed_over_values_and_kernels_are_built() -> None:
    k = calling(closed(np.uint64(3)))
    assert k(np.uint64(5)) == 45 and k(2**62) == 9 * 2**62  # the word became a Python integer
    assert calling(inner()).build("cpu")(1.0) == 3.0


def test_words_are_integers_on_the_python_target() -> None:
    assert widened(1) == 2**64
    assert widened.build("cpu")(np.uint64(1)) == 0


def test_unknown_targets_are_refused() -> None:
    with pytest.raises(ValueError, match="unknown target 'gpu'; known: python, cpu, cuda"):
        inner().build("gpu")


def test_a_kernel_keeps_its_names() -> None:
    assert placeholder.__name__ == "placeholder" and "STEP" in str(placeholder.__doc__)
    assert "placeholder" in repr(placeholder) and placeholder.__wrapped__ is placeholder.f


# Machine code


@pytest.fixture(scope="module")
def simulation(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A compiled loop with probes, in a cache folder of its own: nothing is loaded."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("THEORYLAB_CACHE", str(tmp_path_factory.mktemp("cache")))
        model = default_models("episodic")[0]
        done = Simulation(find_learner("ucb-h"), model, replicates=1, length=2, **watched("episodic"))
        done.advance()
        yield done, block.compile_cpu(**done.bind)


FUSED = re.compile(r"\bvf(?:n)?m(?:add|sub)\w*|\bfn?m(?:add|sub)\b|\bfml[as]\b")


def test_compiled_loops_hold_no_fused_operation(simulation: tuple[Simulation, Any]) -> None:
    (text,) = simulation[1].inspect_asm().values()
    assert len(text.splitlines()) > 1000
    assert FUSED.findall(text) == []


def test_the_search_for_fused_operations_finds_them() -> None:
    import numba
    from llvmlite.binding import get_host_cpu_features

    @numba.njit("f8(f8, f8, f8)", fastmath=True)  # type: ignore[misc, untyped-decorator]
    def contracted(a: float, b: float, c: float) -> float:
        return a * b + c

    (text,) = contracted.inspect_asm().values()
    features = get_host_cpu_features()
    assert bool(FUSED.search(text)) == bool(features.get("fma") or features.get("neon"))
    for line in ("\tvfmadd213sd\t%xmm1, %xmm2, %xmm0", "vfnmadd231pd", "\tfmadd\td0, d1, d2, d0", "fmla v0.2d"):
        assert FUSED.search(line)
    assert not FUSED.search("\tvmulsd\t%xmm1, %xmm2, %xmm0\n\tvaddsd")


def test_machine_code_lies_in_the_folder_of_the_digest(simulation: tuple[Simulation, Any]) -> None:
    done, _ = simulation
    folder = cache_root() / block._digest(done.bind, modules=True)[:40]
    assert list(folder.rglob("*.nbi")) and list(folder.rglob("*.nbc"))
    assert f"py{sys.version_info.major}{sys.version_info.minor}" in folder.parent.name
    again = Simulation(done.learner, done.model, replicates=1, length=2, **watched("episodic"))
    function = block.compile_cpu(**again.bind)
    assert function is not simulation[1]
    again.advance()
    assert sum(function.stats.cache_hits.values()) == 1 and not function.stats.cache_misses


def test_a_cache_folder_that_cannot_be_written_costs_only_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("THEORYLAB_CACHE", str(tmp_path / "file"))
    assert inner().compile_cpu()(1.0) == 2.0


OUTER = "from theorylab.kernel import kernel\n\n@kernel\ndef outer(x):\n    return helper(x) + 1.0\n"
RUN_FROM_TEXT = """
import linecache, numpy
from outer import outer
from theorylab.kernel import kernel
code = '@kernel\\ndef total(x):\\n    t = 0.0\\n    for i in range(2):\\n        t += x[i]\\n    return t'
linecache.cache["<cell>"] = (len(code), None, code.splitlines(keepends=True), "<cell>")
scope = {"__name__": "nowhere", "kernel": kernel}
exec(compile(code, "<cell>", "exec"), scope)
function = outer.compile_cpu(helper=scope["total"])
print(function(numpy.ones(2)), sum(function.stats.cache_hits.values()))
"""


def test_machine_code_with_kernels_from_text_is_found_again(tmp_path: Path) -> None:
    """Their module cannot be imported when the code is loaded."""
    (tmp_path / "outer.py").write_text(OUTER)
    path = os.pathsep.join([str(tmp_path), str(ROOT)])
    environment = {**os.environ, "THEORYLAB_CACHE": str(tmp_path / "cache"), "PYTHONPATH": path}
    command = [sys.executable, "-c", RUN_FROM_TEXT]
    runs = [subprocess.run(command, capture_output=True, text=True, check=False, env=environment) for _ in range(2)]
    assert [r.stdout for r in runs] == ["3.0 0\n", "3.0 1\n"], runs[1].stderr


HELPER = "from theorylab.kernel import kernel\n\n@kernel\ndef helper(x):\n    return x {}\n"
CALLER = """
from theorylab.kernel import kernel
from staleness.helper import helper

@kernel
def caller(x):
    return helper(x) * 10.0

if __name__ == "__main__":
    function = caller.compile_cpu()
    print(caller(1.0), function(1.0), sum(function.stats.cache_hits.values()))
"""


def test_an_edited_helper_never_meets_old_machine_code(tmp_path: Path) -> None:
    """Numba's own cache looks at the caller's file alone and would go on running the old helper."""
    package = tmp_path / "staleness"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "caller.py").write_text(CALLER)
    # no bytecode: the edits below keep the file's size and may keep its time
    environment = {
        **os.environ,
        "THEORYLAB_CACHE": str(tmp_path / "cache"),
        "PYTHONPATH": os.pathsep.join([str(tmp_path), str(ROOT)]),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    found = []
    for change in ("+ 1.0", "- 4.0", "+ 1.0"):
        (package / "helper.py").write_text(HELPER.format(change))
        command = [sys.executable, "-m", "staleness.caller"]
        done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        found.append(done.stdout.split())
    assert found == [["20.0", "20.0", "0"], ["-30.0", "-30.0", "0"], ["20.0", "20.0", "1"]]
