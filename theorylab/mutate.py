"""Planted faults made by machine: one wrong token at a time in the plain Python of a learner's kernels.

    for mutant in mutants(find_learner("ucb1")):
        print(mutant.name, mutant.before, "->", mutant.after)

Mutated are `begin`, `act`, `learn`, `watch`, `plan`, the kernels of content packages that these call (not those of
`theorylab`), and `derive`, whose constants are where union bounds live. The operators, by name:

    < to <= , < to > , == to !=       a comparison loses or gains equality, or is turned round
    max to min, max left out          a cap or a floor is exchanged, or one side of it stands alone
    + to -, * to /, % left out        arithmetic, in `+=` too; one operator for its inverse
    + 1 left out, h + 1 to h          an added or subtracted number is dropped; in an index it is a shifted index
    2.0 doubled, 0.0 to 1             numbers other than these offsets; not numbers inside an index or a range from 0
    sqrt left out, log to 1           sqrt(x) becomes x, log(x) becomes 1
    st.N not written, call left out   a write of the state, or a call for its effect, is removed
    ties to the last                  an upward search for the first equal entry runs downward
    scale to 0, scale doubled         a parameter of the learner where a kernel reads it
    delta to 1, S to 1                a parameter or a size where `derive` reads it (union bounds, logarithms)

The text of a kernel is parsed, one node is changed, and the kernel is built anew from its own changed text with its own
global names (`theorylab.compiler.generated`); every caller sees the changed kernel. Checks of arguments (`if ...:
raise`) are left alone. The order is that of kernels and lines, hence deterministic. A mutant that cannot differ is
reported with its reason in `same`: changed text equal to the original's, or a write of zero removed from `begin`, whose
arrays arrive zeroed. One that does not build has its reason in `broken`. [derived]
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

from theorylab.compiler import Kernel, generated
from theorylab.learner import Learner

__all__ = ["Mutant", "kernels_of", "mutants"]

SLOTS = ("begin", "act", "learn", "watch", "plan")
BOUNDARY: dict[Any, Any] = {
    ast.Lt: ast.LtE, ast.LtE: ast.Lt, ast.Gt: ast.GtE, ast.GtE: ast.Gt, ast.Eq: ast.NotEq, ast.NotEq: ast.Eq,
}  # fmt: skip
TURNED: dict[Any, Any] = {ast.Lt: ast.Gt, ast.LtE: ast.GtE, ast.Gt: ast.Lt, ast.GtE: ast.LtE}
INVERSE: dict[Any, Any] = {ast.Add: ast.Sub, ast.Sub: ast.Add, ast.Mult: ast.Div, ast.Div: ast.Mult}
SIGN: dict[Any, str] = {
    ast.Lt: "<", ast.LtE: "<=", ast.Gt: ">", ast.GtE: ">=", ast.Eq: "==", ast.NotEq: "!=", ast.Add: "+", ast.Sub: "-",
    ast.Mult: "*", ast.Div: "/",
}  # fmt: skip
SIZES = ("S", "A", "H", "K", "T", "d")
Edit = Callable[[Any], Any]


@dataclass(frozen=True, eq=False)
class Mutant:
    """A learner with one wrong token, or the reason why there is none.

    Attributes:
        name: "act 3: sqrt left out": kernel, line of its body, operator; unique within a learner. kernel: where it is.
        line: of the kernel's source, from 1. before, after: that statement. learner: the broken learner; None where
            `same` (it cannot differ, and why) or `broken` (it does not build, and why) says so.
    """

    name: str
    kernel: str
    line: int
    before: str
    after: str
    learner: Learner | None = None
    same: str = ""
    broken: str = ""


def kernels_of(learner: Learner) -> list[Kernel]:
    """The kernels that a learner's rule is written in: its own, then those of content packages that each calls."""
    found: list[Kernel] = []

    def visit(k: Kernel) -> None:
        if k in found or k.__module__.partition(".")[0] == "theorylab":
            return
        found.append(k)
        for value in k.uses({}).values():
            if isinstance(value, Kernel):
                visit(value)

    for slot in SLOTS:
        if isinstance(own := getattr(learner, slot), Kernel):
            visit(own)
    return found


def mutants(learner: Learner) -> list[Mutant]:
    """Every mutant of a learner, in the order of its kernels and their lines, then of `derive`."""
    out: list[Mutant] = []
    for k in kernels_of(learner):
        scope = {**k.f.__globals__, **k.uses({})}
        made = lambda source, k=k, scope=scope: _swapped(  # noqa: E731
            learner, k, generated(k.__name__, source, **scope)
        )
        out += _all(k.__name__, k.source, learner.params, {}, made, zeroed=k is learner.begin)
    if learner.derive is not None:
        f = learner.derive
        text, known = textwrap.dedent(inspect.getsource(f)), {**learner.params, **dict.fromkeys(SIZES, 1)}
        if text.lstrip().startswith("def "):
            out += _all("derive", text, {}, known, lambda source: replace(learner, derive=_function(f, source)))
    seen: Counter[str] = Counter()
    for i, mutant in enumerate(out):
        seen[mutant.name] += 1
        if seen[mutant.name] > 1:
            out[i] = replace(mutant, name=f"{mutant.name} ({seen[mutant.name]})")
    return out


def _function(f: Any, source: str) -> Any:
    closed = zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
    scope = {**f.__globals__, **{n: cell.cell_contents for n, cell in closed}}
    return generated(f.__name__, source, **scope).f


def _swapped(learner: Learner, old: Kernel, new: Kernel) -> Learner:
    """The learner with one kernel in the place of another wherever it is called."""
    done: dict[int, Kernel] = {id(old): new}

    def visit(k: Kernel) -> Kernel:
        if id(k) not in done:
            called = {n: v for n, v in k.uses({}).items() if isinstance(v, Kernel)}
            changed = {n: visit(v) for n, v in called.items()}
            done[id(k)] = k if all(changed[n] is called[n] for n in called) else _rebound(k, changed)
        return done[id(k)]

    slots: dict[str, Any] = {s: k for s in SLOTS if isinstance(k := getattr(learner, s), Kernel)}
    changed: dict[str, Any] = {s: visit(k) for s, k in slots.items()}
    return replace(learner, **changed)


def _rebound(k: Kernel, names: dict[str, Kernel]) -> Kernel:
    f = k.f
    closure = tuple(
        types.CellType(names.get(n, cell.cell_contents))
        for n, cell in zip(f.__code__.co_freevars, f.__closure__ or (), strict=True)
    )
    copy = types.FunctionType(f.__code__, {**f.__globals__, **names}, f.__name__, f.__defaults__, closure)
    return Kernel(copy, k.source)


# From text to changed text


def _parsed(source: str) -> ast.FunctionDef:
    """The function alone: no decorator, no docstring, no annotations."""
    (f,) = (n for n in ast.parse(source).body if isinstance(n, ast.FunctionDef))
    f.decorator_list, f.returns = [], None
    for a in (*f.args.posonlyargs, *f.args.args, *f.args.kwonlyargs):
        a.annotation = None
    if isinstance(f.body[0], ast.Expr) and isinstance(f.body[0].value, ast.Constant):
        f.body = f.body[1:] or [ast.Pass()]
    return f


def _text(f: ast.FunctionDef) -> str:
    return ast.unparse(ast.fix_missing_locations(f)) + "\n"


def _all(
    kernel: str,
    source: str,
    params: Mapping[str, float | int],
    given: Mapping[str, float | int],
    make: Callable[[str], Learner],
    zeroed: bool = False,
) -> Iterator[Mutant]:
    plain = _text(_parsed(source))
    lines = plain.splitlines()
    tree = _parsed(plain)  # parsed anew from its own text, so that line numbers are those of `lines`
    nodes: list[tuple[int, Any]] = list(enumerate(ast.walk(tree)))
    at = _Around(tree)
    places = [(i, node, label, edit) for i, node in nodes for label, edit in _edits(node, at)]
    places += [(i, node, *e) for i, node in nodes for e in _reads(node, params, given)]
    skipped = _checks(tree)
    for i, node, label, edit in sorted(places, key=lambda x: (x[1].lineno, x[1].col_offset, x[2])):
        if id(node) in skipped:
            continue
        changed = _parsed(plain)
        target = list(ast.walk(changed))[i]
        after = _text(_put(changed, target, edit))
        where: dict[str, Any] = dict(name=f"{kernel} {node.lineno - 1}: {label}", kernel=kernel, line=node.lineno - 1)
        where |= dict(before=lines[node.lineno - 1].strip(), after=_differing(lines, after.splitlines()))
        if after == plain:
            yield Mutant(**where, same="the changed text is the original's")
        elif zeroed and isinstance(node, ast.Assign) and _only_zeros(tree, node):
            yield Mutant(**where, same="the state arrives zeroed, and `begin` writes this field nothing but zero")
        else:
            try:
                yield Mutant(**where, learner=make(after))
            except Exception as error:  # whatever Python says of a changed text
                yield Mutant(**where, broken=f"{type(error).__name__}: {error}")


def _put(tree: ast.FunctionDef, target: ast.AST, edit: Edit) -> ast.FunctionDef:
    class Put(ast.NodeTransformer):
        def visit(self, node: ast.AST) -> Any:
            return edit(node) if node is target else self.generic_visit(node)

    done = Put().visit(tree)
    assert isinstance(done, ast.FunctionDef)
    return done


def _differing(before: list[str], after: list[str]) -> str:
    """The first line that is new; empty where one has gone."""
    new = next((y for x, y in zip(before, after, strict=False) if x != y), "")
    return new.strip() if len(before) == len(after) or new.strip() not in [x.strip() for x in before] else ""


def _checks(tree: ast.AST) -> set[int]:
    """Nodes inside of `if ...: raise`, loops that do nothing but check included: refusals of bad arguments."""

    def refuses(node: ast.AST) -> bool:
        if isinstance(node, ast.If):
            return all(isinstance(s, ast.Raise) for s in node.body) and not node.orelse
        return isinstance(node, ast.For) and all(refuses(s) for s in node.body)

    return {id(inner) for node in ast.walk(tree) if refuses(node) for inner in ast.walk(node)}


def _field(node: ast.AST) -> str:
    """ "N" for `st.N[...]`; "" for anything else."""
    inner = node.value if isinstance(node, ast.Subscript) else None
    while isinstance(inner, ast.Subscript):
        inner = inner.value
    ours = isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Name) and inner.value.id == "st"
    return inner.attr if ours else ""  # type: ignore[union-attr]


def _only_zeros(tree: ast.AST, node: ast.Assign) -> bool:
    writes = [
        n for n in ast.walk(tree) if isinstance(n, ast.Assign) and _field(n.targets[0]) == _field(node.targets[0])
    ]
    return all(isinstance(w.value, ast.Constant) and w.value.value == 0 for w in writes)


# Operators: what may be done to a node


class _Around:
    """What a node's surroundings say of it: the tree, and ids of nodes by where they stand."""

    def __init__(self, tree: ast.AST) -> None:
        self.tree = tree
        self.indices, self.starts, self.offsets = _indices(tree), _starts(tree), _offsets(tree)


def _edits(node: Any, at: _Around) -> Iterator[tuple[str, Edit]]:
    """The changes of one node that do not depend on the learner's parameters, each with its label."""
    if isinstance(node, ast.Compare) and len(node.ops) == 1:
        sign: Any = type(node.ops[0])
        for table in (BOUNDARY, TURNED):
            if sign in table:
                yield f"{SIGN[sign]} to {SIGN[table[sign]]}", _set(ops=[table[sign]()])
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        yield from _called(node)
    elif isinstance(node, (ast.BinOp, ast.AugAssign)):
        old: Any = type(node.op)
        if old in INVERSE:
            yield f"{SIGN[old]} to {SIGN[INVERSE[old]]}", _set(op=INVERSE[old]())
        if isinstance(node, ast.BinOp) and old in (ast.Add, ast.Sub) and _number(node.right):
            label = f"{SIGN[old]} {ast.unparse(node.right)} left out"
            if isinstance(node.left, ast.Name) and id(node) in at.indices:
                label = f"{ast.unparse(node)} to {node.left.id}"
            yield label, lambda n: n.left
        if isinstance(node, ast.BinOp) and old is ast.Mod:
            yield "% left out", lambda n: n.left
    if isinstance(node, (ast.Assign, ast.AugAssign)):
        first = node.target if isinstance(node, ast.AugAssign) else node.targets[0]
        if _field(first):
            yield f"st.{_field(first)} not written", lambda n: ast.Pass()
    elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        yield f"call of {ast.unparse(node.value.func)} left out", lambda n: ast.Pass()
    elif _number(node) and id(node) not in at.indices:
        if node.value == 0:
            if id(node) not in at.starts:
                yield f"{ast.unparse(node)} to 1", _set(value=type(node.value)(1))
        elif id(node) not in at.offsets:
            yield f"{ast.unparse(node)} doubled", _set(value=2 * node.value)
    elif isinstance(node, ast.While) and (start := _start_of(node, at.tree)) is not None:
        yield "ties to the last", _downward(node, start)


def _called(node: Any) -> Iterator[tuple[str, Edit]]:
    name = node.func.id
    if name in ("max", "min") and len(node.args) == 2:
        other = "min" if name == "max" else "max"
        yield f"{name} to {other}", lambda n: ast.Call(ast.Name(other, ast.Load()), n.args, [])
        yield f"{name} to its first", lambda n: n.args[0]
        yield f"{name} to its second", lambda n: n.args[1]
    elif name == "sqrt":
        yield "sqrt left out", lambda n: n.args[0]
    elif name == "log":
        yield "log to 1", lambda n: ast.Constant(1.0)


def _reads(
    node: Any, params: Mapping[str, float | int], given: Mapping[str, float | int]
) -> Iterator[tuple[str, Edit]]:
    """Changes of a parameter where it is read: `p.scale` in a kernel, `p["delta"]` in `derive`; its type is kept."""
    of_p = isinstance(getattr(node, "value", None), ast.Name) and node.value.id == "p"
    if isinstance(node, ast.Attribute) and of_p and node.attr in params:
        kind = type(params[node.attr])
        yield f"{node.attr} to 0", lambda n: ast.Constant(kind(0))
        yield f"{node.attr} doubled", lambda n: ast.BinOp(ast.Constant(kind(2)), ast.Mult(), n)
    elif isinstance(node, ast.Subscript) and of_p and isinstance(node.slice, ast.Constant):
        if (name := str(node.slice.value)) in given:
            yield f"{name} to 1", lambda n: ast.Constant(type(given[name])(1))


def _start_of(loop: ast.While, tree: ast.AST) -> ast.expr | None:
    """Where `i = 0; while i < end and ...: i += 1` stops, the search for the first entry of some kind; else None."""
    for block in (n.body for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.For, ast.If, ast.While))):
        for first, second in pairwise(block):
            if second is loop and isinstance(loop.test, ast.BoolOp) and isinstance(loop.test.values[0], ast.Compare):
                head, i = loop.test.values[0], ast.unparse(loop.test.values[0].left)
                if isinstance(head.ops[0], ast.Lt) and [ast.unparse(first), "".join(map(ast.unparse, loop.body))] == [
                    f"{i} = 0",
                    f"{i} += 1",
                ]:
                    return head.comparators[0]
    return None


def _downward(loop: ast.While, end: ast.expr) -> Edit:
    """The same search from the end: it finds the last such entry."""

    def edit(node: Any) -> Any:
        head = node.test.values[0]
        begun = ast.Assign([ast.Name(head.left.id, ast.Store())], end)
        head.ops, head.comparators, node.body[0].op = [ast.Gt()], [ast.Constant(0)], ast.Sub()
        return [begun, node]

    return edit


def _set(**fields: Any) -> Edit:
    def edit(node: Any) -> ast.AST:
        for name, value in fields.items():
            setattr(node, name, value)
        return node  # type: ignore[no-any-return]

    return edit


def _number(node: Any) -> bool:
    return isinstance(node, ast.Constant) and type(node.value) in (int, float)


def _indices(tree: ast.AST) -> set[int]:
    """Nodes inside of an index."""
    return {id(n) for s in ast.walk(tree) if isinstance(s, ast.Subscript) for n in ast.walk(s.slice)}


def _starts(tree: ast.AST) -> set[int]:
    """The 0 of `range(0, n)`."""
    calls = (n for n in ast.walk(tree) if isinstance(n, ast.Call) and ast.unparse(n.func) == "range" and n.args)
    return {id(n.args[0]) for n in calls if len(n.args) > 1}


def _offsets(tree: ast.AST) -> set[int]:
    """Integers that are added or subtracted: dropping them is enough."""
    sums = (n for n in ast.walk(tree) if isinstance(n, ast.BinOp) and isinstance(n.op, (ast.Add, ast.Sub)))
    return {id(n.right) for n in sums if isinstance(n.right, ast.Constant) and type(n.right.value) is int}
