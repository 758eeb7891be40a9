"""What `theorylab plan` prints on a terminal, in lines of at most 100 columns.

A number has only the digits that its certified error supports: the exact one lies within one unit of the last digit
(`theorylab.digits`). V is that of stage 0 for a finite horizon; with average reward it is the bias, with minimum 0.
"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from theorylab.cite import entries
from theorylab.criteria import Criterion, Discounted, FiniteHorizon, ShortestPath
from theorylab.digits import column, digits, error_text
from theorylab.model import Bandit, TabularMDP
from theorylab.picture import bar, first_stage, grid_text, successors, ties
from theorylab.plan.certify import U
from theorylab.plan.record import Plan
from theorylab.plan_command import SNAP, Measure, Solved, Subject, proved, source_of, start_value, value_error

__all__ = ["as_text"]

WIDTH = 100
ROWS = 20  # states of a table


def as_text(solved: Solved, *, policy: bool = True) -> str:
    """The result for a terminal, lines of at most 100 columns; `policy=False` leaves out states and picture."""
    subject, plan = solved.subject, solved.plan
    lines = _head(subject)
    if plan is None:
        lines += ["", *_arms(subject.model)]
    else:
        lines += ["", *_solution(subject.model, plan, solved)]
        if policy:
            lines += ["", *_states(subject, plan, solved.exact)]
    return "\n".join([*lines, *_measures(_told(solved)), *_published(solved)]) + "\n"


def _told(solved: Solved) -> list[Measure]:
    """The measures but for the solution, which stands above, and for those of the other kind of model."""
    if solved.plan is None:
        return [row for row in solved.hardness if row[1] is not None]
    above = ("value",) if solved.plan.gain is None else ("value", "gain")
    return [row for row in solved.hardness if row[0] not in ("best mean", "inverse square gaps", *above)]


def _head(subject: Subject) -> list[str]:
    model = subject.model
    law = model.reward_law
    sizes = f"{model.A} arms" if isinstance(model, Bandit) else f"{model.S} states, {model.A} actions"
    kind = "bandit" if isinstance(model, Bandit) else _criterion(model.criterion)
    rewards = f"{law.kind} in [{law.low:g}, {law.high:g}]" + (f", sd {law.sd:g}" if law.sd else "")
    lines = [
        f"{model.name or 'unnamed'}: {sizes}, {kind}",
        f"content    {subject.digest[:16]}",
        f"rewards    {rewards}",
    ]
    if subject.origin:
        lines.append(f"embedding  a {subject.origin}, solved as the {type(model).__name__} that it is")
    cite, tag = source_of(subject)
    if cite or tag:
        known = entries().get(cite)
        text = known.reference() if known else cite or subject.family.text if subject.family else cite
        text = f"{text} [{tag}]" if tag else text
        lines += textwrap.wrap(text, WIDTH, initial_indent="source     ", subsequent_indent=" " * 11)
    return lines


def _criterion(criterion: Criterion) -> str:
    match criterion:
        case FiniteHorizon(H):
            return f"{H} stages" if H > 1 else "1 stage"
        case Discounted(gamma):
            return f"discounted by {gamma:g}"
        case ShortestPath(goal):
            return f"shortest path to state {goal}"
    return "average reward"


def _solution(model: TabularMDP, plan: Plan, solved: Solved) -> list[str]:
    start = start_value(model, plan)
    name = "gain" if plan.gain is not None else "value"
    unit = "reward per step" if plan.gain is not None else "reward, expected from mu0"
    lines = [f"{name:10s} {digits(start.value, start.error)}  ({error_text(start.error)}; {unit})"]
    if solved.exact is not None:
        lines.append(f"exact      {solved.exact_start}  (its numbers as fractions with denominators up to {SNAP})")
    steps = "1 iteration" if plan.iterations == 1 else f"{plan.iterations} iterations"
    lines.append(f"method     {plan.method}, {steps}")
    return [*lines, f"policy     {_optimality(model, plan)}"]


def _optimality(model: TabularMDP, plan: Plan) -> str:
    if not np.isfinite(value_error(plan)):
        return "greedy; no action is proved optimal, as no error of the bias is"
    known = proved(model, plan)
    where = "states" if known.ndim == 1 else "states and stages"
    tied = int((ties(plan).sum(axis=1) > 1).sum())
    text = f"greedy action proved to be the only optimal one in {int(known.sum())} of {known.size} {where}"
    return text + (f", ties in {tied}" if tied and known.ndim == 1 else "")


def _states(subject: Subject, plan: Plan, exact: Any) -> list[str]:
    model, grid = subject.model, subject.grid
    values, _, pi = first_stage(plan)
    texts = column(values, value_error(plan))
    at = " at stage 0" if plan.Q.ndim == 3 else ""
    name = "bias" if plan.gain is not None else "V"
    if grid is not None and exact is None:
        short = column(values, value_error(plan), most=3)
        room = grid.shape[1] * (2 + max(map(len, short)) + 1) + 5 <= WIDTH
        lines = grid_text(grid, None if ties(plan).all() else pi, short if room else None)
        return [f"greedy action{at}" + (f", and {name}{at}" if room else ""), *lines]
    return _table(model, plan, texts, name, exact)


def _table(model: TabularMDP, plan: Plan, texts: list[str], name: str, exact: Any) -> list[str]:
    """A row a state: value, bar (or fraction), greedy action with ties, likeliest next states."""
    values, _, pi = first_stage(plan)
    shown = range(min(model.S, ROWS if model.S > ROWS + 1 else model.S))
    optimal, low, high = ties(plan), float(values.min()), float(values.max())
    beside = [bar(float(values[s]), low, high, 16) for s in shown]
    heading = ""
    if exact is not None:
        beside = [str((exact.V[0] if plan.Q.ndim == 3 else exact.V)[s]) for s in shown]
        heading = "exact"
    actions = [_action(plan, s, optimal[s]) for s in shown]
    rows = [("state", name, heading, "action", "next")]
    for s in shown:
        after = ", ".join(f"{s2} ({p:.3g})" for s2, p in successors(model, s, int(pi[s])))
        rows.append((str(s), texts[s], beside[s], actions[s], after))
    widths = [max(len(r[c]) for r in rows) for c in range(4)]
    widths[2] = max(widths[2], 16 if exact is None else 0)
    lines = [
        f"{r[0]:>{widths[0]}}  {r[1]:>{widths[1]}}  {r[2]:{widths[2]}}  {r[3]:{widths[3]}}  {r[4]}".rstrip()
        for r in rows
    ]
    if model.S > len(shown):
        lines.append(f"... {model.S - len(shown)} more states")
    if any("=" in a for a in actions):
        lines.append("0=1: both actions are as good, to within rounding; the first is taken")
    if plan.Q.ndim == 3:
        lines.append(f"{name} at stage 0; 1x3 0x2: action 1 for three stages, then action 0 for two; next: of stage 0")
    return lines


def _action(plan: Plan, state: int, optimal: np.ndarray) -> str:
    """The greedy action and those tied with it; with stages, the actions in runs: "1x3 0x2"."""
    if plan.Q.ndim == 2:
        chosen = int(plan.pi[state])
        return "=".join(map(str, [chosen, *(a for a in np.flatnonzero(optimal).tolist() if a != chosen)]))
    track = plan.pi[:, state]
    starts = np.flatnonzero(np.diff(track, prepend=track[0] - 1))
    runs = np.diff(starts, append=track.size)
    texts = [f"{track[i]}x{n}" for i, n in zip(starts, runs, strict=True)]
    return " ".join(texts if len(texts) <= 5 else [*texts[:4], "..."])


def _arms(model: Bandit) -> list[str]:
    low = min(0.0, float(model.means.min()))
    shown = range(min(model.A, ROWS if model.A > ROWS + 1 else model.A))
    rows = [("arm", "mean", "", "gap")]
    for a in shown:
        size = bar(float(model.means[a]), low, float(model.best_mean), 24)
        rows.append((str(a), f"{model.means[a]:.6g}", size, digits(model.gaps[a], 2 * U * model.gaps[a], 6)))
    widths = [max(len(r[c]) for r in rows) for c in range(3)]
    widths[2] = 24
    lines = [f"{r[0]:>{widths[0]}}  {r[1]:{widths[1]}}  {r[2]:{widths[2]}}  {r[3]}".rstrip() for r in rows]
    return lines + ([f"... {model.A - len(shown)} more arms"] if model.A > len(shown) else [])


def _measures(rows: list[Measure]) -> list[str]:
    wide = max((len(row[0]) for row in rows), default=0)
    lines = ["", "hardness"] if rows else []
    for name, value, error, unit, reason in rows:
        if value is None:
            text = f"none: {reason}"
        else:
            known = float("inf") if error is None else error
            text = f"{digits(value, known, 10)} {unit}  ({error_text(known)}{': ' + reason if reason else ''})"
        first = f"  {name:{wide}}  "
        lines += textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))
    return lines


def _published(solved: Solved) -> list[str]:
    published = solved.subject.published
    if published is None:
        return []
    known = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in published.known.items())
    text = f"published as {published.name}" + (f": {known}" if known else "")
    return ["", *textwrap.wrap(text, WIDTH, subsequent_indent="    ")]
