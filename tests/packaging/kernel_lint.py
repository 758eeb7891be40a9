"""What a kernel's body may hold, decided on its syntax tree.

A kernel has the same bits on every target only if all it does is + - * / sqrt, comparisons, integer arithmetic
and calls of other kernels. So within a function under `@kernel` (or passed to `kernel(...)`) these are refused:

    math.x, np.x             for any x but sqrt and uint64, by module or by `from math import x`
    built-in functions       but min, max, abs, int, float, range, len
    a**b, a @ b              but for two literals: powers round differently from products
    lists, dicts, sets, comprehensions, lambdas, f-strings, raise, assert, try, with
"""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator

ALLOWED_ATTRIBUTES = {"sqrt", "uint64"}
ALLOWED_BUILTINS = {"min", "max", "abs", "int", "float", "range", "len"}
LIBRARIES = {"math", "cmath", "numpy", "scipy", "random"}
FORBIDDEN = {
    ast.List: "a list",
    ast.Dict: "a dict",
    ast.Set: "a set",
    ast.ListComp: "a comprehension",
    ast.DictComp: "a comprehension",
    ast.SetComp: "a comprehension",
    ast.GeneratorExp: "a comprehension",
    ast.Lambda: "a lambda",
    ast.JoinedStr: "an f-string",
    ast.Raise: "raise",
    ast.Assert: "assert",
    ast.Try: "try",
    ast.With: "with",
}


def _is_kernel(node: ast.expr) -> bool:
    return (isinstance(node, ast.Name) and node.id == "kernel") or (
        isinstance(node, ast.Attribute) and node.attr == "kernel"
    )


def kernels(tree: ast.Module) -> list[ast.FunctionDef]:
    """The functions of a module that are kernels."""
    passed = {
        node.args[0].id
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and _is_kernel(node.func) and node.args and isinstance(node.args[0], ast.Name)
    }
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return [f for f in functions if f.name in passed or any(_is_kernel(d) for d in f.decorator_list)]


def _names(tree: ast.Module) -> tuple[set[str], dict[str, str]]:
    """Names bound to a library module, and names taken from one with the name they have there."""
    modules: set[str] = set()
    taken: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules |= {
                alias.asname or alias.name.partition(".")[0]
                for alias in node.names
                if alias.name.partition(".")[0] in LIBRARIES
            }
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in LIBRARIES:
            taken |= {alias.asname or alias.name: alias.name for alias in node.names}
    return modules, taken


def _body(function: ast.FunctionDef) -> Iterator[ast.AST]:
    for statement in function.body:
        yield from ast.walk(statement)


def faults(tree: ast.Module) -> list[tuple[int, str]]:
    """Line and text of everything in the module's kernels that is refused, in order of lines."""
    modules, taken = _names(tree)
    out: set[tuple[int, str]] = set()
    for function in kernels(tree):
        for node in _body(function):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                if node.attr not in ALLOWED_ATTRIBUTES:
                    out.add((node.lineno, f"{function.name}: {node.value.id}.{node.attr}; use theorylab.kernel"))
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in taken:
                if taken[node.id] not in ALLOWED_ATTRIBUTES:
                    out.add((node.lineno, f"{function.name}: {node.id} of a library; use theorylab.kernel"))
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and hasattr(builtins, node.func.id):
                if node.func.id not in ALLOWED_BUILTINS:
                    out.add((node.lineno, f"{function.name}: the built-in function {node.func.id}"))
            elif isinstance(node, (ast.BinOp, ast.AugAssign)) and isinstance(node.op, (ast.Pow, ast.MatMult)):
                sides = (node.left, node.right) if isinstance(node, ast.BinOp) else (node.target, node.value)
                if not all(isinstance(s, (ast.Constant, ast.UnaryOp)) for s in sides):
                    out.add((node.lineno, f"{function.name}: ** or @; write the products out"))
            elif type(node) in FORBIDDEN and not isinstance(getattr(node, "ctx", ast.Load()), ast.Store):
                out.add((node.lineno, f"{function.name}: {FORBIDDEN[type(node)]}"))
    return sorted(out)
