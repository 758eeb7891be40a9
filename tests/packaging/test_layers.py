"""The layers of the repository, read from the sources: imports, module length, texts, the lock, kernel bodies.

Nothing is imported from the packages under test, except in the test of what the light modules bring in.
"""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.packaging.kernel_lint import faults

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("theorylab", "mdps", "bandits", "proofs_check")
#: package -> packages that it must not import
FORBIDDEN = {
    "theorylab": {"mdps", "bandits", "proofs_check", "benchmarks", "tests"},
    "mdps": {"bandits", "proofs_check", "benchmarks", "tests"},
    "bandits": {"mdps", "proofs_check", "benchmarks", "tests"},
    "proofs_check": {"benchmarks", "tests"},
    "benchmarks": {"proofs_check", "tests"},
    "docs/_ext": {"mdps", "bandits", "proofs_check", "benchmarks", "tests"},
}
#: modules that the command line needs before it knows what to do
LIGHT = ("__init__", "cli", "registry", "family", "errors")
HEAVY = {"numpy", "numba", "scipy", "matplotlib", "cvxpy", "gymnasium", "hypothesis"}
SKIPPED = {
    ".peers",
    ".git",
    ".venv",
    "__pycache__",
    "_build",
    "build",
    "dist",
    "report",
    ".theorylab",
    ".hypothesis",
    "shared",
}
LINES = 500


def files(*folders: str, ending: str = "") -> list[Path]:
    """Files of the repository below the folders (all, if none is named), caches and built files left out."""
    out: list[Path] = []
    for start in folders or (".",):
        for base, inner, names in os.walk(ROOT / start):
            inner[:] = sorted(d for d in inner if d not in SKIPPED and not d.endswith(("_cache", ".egg-info")))
            out += [Path(base) / n for n in sorted(names) if n.endswith(ending)]
    return out


def imported(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of every absolute import below a node."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.lineno, node.module or ""


def at_import(tree: ast.Module) -> Iterator[str]:
    """Top-level names imported when the module is: outside of functions and of `if TYPE_CHECKING`."""
    todo: list[ast.AST] = list(tree.body)
    while todo:
        node = todo.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            yield from (name.partition(".")[0] for _, name in imported(node))
        else:
            todo += ast.iter_child_nodes(node)


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@pytest.mark.parametrize("package", sorted(FORBIDDEN))
def test_imports_point_one_way(package: str) -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line} imports {name}"
        for path in files(package, ending=".py")
        for line, name in imported(parsed(path))
        if name.partition(".")[0] in FORBIDDEN[package]
    ]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("module", LIGHT)
def test_light_modules_import_no_array_library_at_the_top(module: str) -> None:
    assert not HEAVY & set(at_import(parsed(ROOT / "theorylab" / f"{module}.py")))


@pytest.mark.parametrize("statement", ["import theorylab", "import theorylab.cli"])
def test_imports_stay_light(statement: str) -> None:
    """As above for all that these imports bring in, which a look at one file cannot see."""
    code = f"import sys; {statement}; print(*sorted({{m.partition('.')[0] for m in sys.modules}}))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not HEAVY & set(done.stdout.split())


def test_modules_are_short() -> None:
    lengths = {p: len(p.read_text(encoding="utf-8").splitlines()) for p in files(*PACKAGES, "docs", ending=".py")}
    assert lengths
    long = [f"{p.relative_to(ROOT)}: {n} lines; split it at {LINES}" for p, n in lengths.items() if n > LINES]
    assert not long, "\n".join(long)


# The parts are joined here so that this file does not hold what it forbids.
PLACES = [
    r"(?<![\w.\-/])/" + place + "/" for place in ("work", "root", "home/[a-z]+", "opt", "tmp/[a-z]+venv", "tmp/venv")
]
HOSTS = [
    r"py" + r"pi\.",
    r"pythonhosted" + r"\.org",
    r"download\.pyt" + r"orch",
    "(extra-)?index" + "-url",
    "--find" + "-links",
]
MACHINE = re.compile("|".join(PLACES + HOSTS))


@pytest.mark.parametrize(
    "text",
    [
        "see /" + "work/main/x",
        "'/" + "root/.cache'",
        "/" + "tmp/venv/bin",
        "https://py" + "pi.org/simple",
        "--index" + "-url x",
    ],
)
def test_the_search_for_machines_finds_them(text: str) -> None:
    assert MACHINE.search(text)


@pytest.mark.parametrize(
    "text", ["benchmarks/work/x", "https://docs.example.org/root/", "the index of an arm", "a/root/b"]
)
def test_the_search_for_machines_passes_others(text: str) -> None:
    assert not MACHINE.search(text)


def test_no_text_names_a_machine_or_an_index() -> None:
    wrong = []
    for path in files():
        data = path.read_bytes()
        if b"\0" in data:
            continue
        for number, line in enumerate(data.decode("utf-8").splitlines(), 1):
            if found := MACHINE.search(line):
                wrong.append(f"{path.relative_to(ROOT)}:{number} holds {found[0]!r}")
    assert not wrong, "\n".join(wrong)


def lock() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    bad = [line for line in lines if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]*==[A-Za-z0-9][A-Za-z0-9._!+]*", line)]
    assert not bad, f"constraints.txt: only name==version lines, but {bad}"
    names = [canonicalize_name(line.partition("==")[0]) for line in lines]
    assert len(set(names)) == len(names)
    return dict(zip(names, (line.partition("==")[2] for line in lines), strict=True))


def test_the_lock_holds_what_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = project["optional-dependencies"]
    locked = lock()
    assert canonicalize_name(project["name"]) not in locked
    for text in [
        *project["dependencies"],
        *extras["dev"],
        *extras["docs"],
        *extras["exact"],
        *extras["attack"],
        *extras["export"],
    ]:
        requirement = Requirement(text)
        name = canonicalize_name(requirement.name)
        if name != project["name"]:
            assert name in locked, f"constraints.txt has no {name}"
            assert requirement.specifier.contains(locked[name], prereleases=True), f"{text} against {locked[name]}"


def test_kernels_hold_what_every_target_has() -> None:
    wrong = []
    for path in files(*PACKAGES, ending=".py"):
        wrong += [f"{path.relative_to(ROOT)}:{line} {fault}" for line, fault in faults(parsed(path))]
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize(
    "line",
    [
        "x = math.log(x)",
        "x = np.exp(x)",
        "x = np.sum(st.Q)",
        "x = numpy.zeros(3)",
        "x = cos(x)",
        "x = power(x, 2)",
        "x = round(x)",
        "x = sum(st.Q)",
        "x = pow(x, 0.5)",
        "x = x ** 0.5",
        "x **= 3",
        "x = st.P @ st.V",
        "x = [0.0 for _ in range(3)]",
        "raise ValueError",
        "assert x > 0",
        "print(x)",
    ],
)
@pytest.mark.parametrize("mark", ["@kernel\ndef f(st, x):", "@compiler.kernel\ndef f(st, x):"])
def test_the_kernel_lint_refuses(line: str, mark: str) -> None:
    head = "import math\nimport numpy\nimport numpy as np\nfrom math import cos\nfrom numpy import power\n"
    found = faults(ast.parse(f"{head}{mark}\n    {line}\n    return x\n"))
    assert [at for at, _ in found] == [8]


def test_the_kernel_lint_passes_what_is_allowed() -> None:
    source = '''
import math
from math import sqrt
import numpy as np
from theorylab.kernel import kernel, log
ONE = np.uint64(1)
N = 2**8
@kernel
def f(st, x):
    """Text with math.log(x)."""
    n = 0
    for i in range(len(st.Q)):
        n += int(max(min(abs(x), 1.0), float(i)) * 2)
        x = sqrt(x) + math.sqrt(x) + np.sqrt(x) + log(x) + helper(x)
    return x, np.uint64(n) + ONE, 2.0**-53
def plain(x):
    return np.exp(x) ** 2
'''
    assert faults(ast.parse(source)) == []


def test_the_kernel_lint_follows_a_call_of_the_decorator() -> None:
    source = "import math\ndef f(x):\n    return math.log(x)\ng = kernel(f)\n"
    assert [at for at, _ in faults(ast.parse(source))] == [3]
