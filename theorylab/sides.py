"""The two sides of a measured inequality: the difference in a probe's source that gave its value.

A probe returns lhs - rhs, often as the largest difference over states and actions. Its plain Python form is run once
more under a trace, every difference `x - y` in its text and in that of the kernels it calls is evaluated where the
statement that holds it runs, and the first that equals the value, or whose size does, is the one said. Probes write
nothing, so running one again changes nothing.
"""

from __future__ import annotations

import ast
import sys
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from theorylab.compiler import Kernel

__all__ = ["Sides", "sides_of"]


@dataclass(frozen=True)
class Sides:
    """Left and right side: as written, and their values, in the units of the inequality.

    Attributes:
        kernel: where the difference stands. left, right: source text. lhs, rhs: values. indices: whole numbers among
            the local variables there, such as the state and the action of the difference.
    """

    kernel: str
    left: str
    right: str
    lhs: float
    rhs: float
    indices: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class _Difference:
    left: str
    right: str
    codes: tuple[types.CodeType, types.CodeType]


Table = dict[int, list[_Difference]]


def _differences(kernel: Kernel) -> Table:
    """Line of the kernel's file -> the differences in the statement that begins there."""
    table: Table = {}
    first = kernel.f.__code__.co_firstlineno
    for statement in ast.walk(ast.parse(kernel.source)):
        if not isinstance(statement, ast.stmt) or isinstance(statement, ast.FunctionDef):
            continue
        if isinstance(statement, (ast.For, ast.While, ast.If)):
            parts: list[ast.AST] = [statement.test] if isinstance(statement, (ast.While, ast.If)) else []
        else:
            parts = [statement]
        for node in (n for part in parts for n in ast.walk(part)):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub):
                texts = ast.unparse(node.left), ast.unparse(node.right)
                codes = tuple(compile(ast.Expression(n), "<side>", "eval") for n in (node.left, node.right))
                found = _Difference(*texts, (codes[0], codes[1]))
                table.setdefault(first + statement.lineno - 1, []).append(found)
    return table


def _reached(kernel: Kernel) -> dict[types.CodeType, Kernel]:
    found: dict[types.CodeType, Kernel] = {}
    stack = [kernel]
    while stack:
        k = stack.pop()
        if k.f.__code__ not in found:
            found[k.f.__code__] = k
            stack += [v for v in k.uses({}).values() if isinstance(v, Kernel)]
    return found


def sides_of(probe: Kernel, function: Callable[..., Any], arguments: tuple[Any, ...], value: float) -> Sides | None:
    """The difference that gave `value = function(*arguments)`, where `function` is the probe on the python target.

    None where no difference in the text equals the value: a quotient, a count of violations, a constant.
    """
    kernels = _reached(probe)
    tables = {code: _differences(k) for code, k in kernels.items()}
    found: list[Sides] = []

    def at_line(frame: types.FrameType, event: str, argument: Any) -> Any:
        if event != "line" or found:
            return at_line
        for d in tables[frame.f_code].get(frame.f_lineno, ()):
            try:
                left, right = (float(eval(c, frame.f_globals, frame.f_locals)) for c in d.codes)
            except (TypeError, ValueError, NameError, IndexError, ZeroDivisionError):
                continue  # a side that is no number, or a short-circuited part of the statement
            if value in (left - right, abs(left - right)):
                whole = {
                    k: int(v) for k, v in frame.f_locals.items()
                    if isinstance(v, (int, np.integer)) and not isinstance(v, bool)
                }  # fmt: skip
                found.append(Sides(kernels[frame.f_code].__name__, d.left, d.right, left, right, whole))
                break
        return at_line

    def at_call(frame: types.FrameType, event: str, argument: Any) -> Any:
        return at_line if frame.f_code in tables else None

    before = sys.gettrace()
    sys.settrace(at_call)
    try:
        function(*arguments)
    finally:
        sys.settrace(before)
    return found[0] if found else None
