"""What `theorylab plan` prints on a terminal, in lines of at most 100 columns.

A number has only the digits that its certified error supports: the exact one lies within one unit of the last digit
(`theorylab.digits`). V is that of stage 0 for a finite horizon; with average reward it is the bias, with minimum 0.
"~" marks a number whose error has no proved bound.
"""

from __future__ import annotations

import textwrap
from typing import Any

import numpy as np

from theorylab.cite import entries
from theorylab.criteria import AverageReward, Criterion, Discounted, FiniteHorizon, ShortestPath
from theorylab.digits import column, digits, error_text
from theorylab.model import Bandit, RewardLaw, TabularMDP
from theorylab.picture import bar, first_stage, grid_text, successors, ties
from theorylab.plan.certify import U
from theorylab.plan.record import Plan
from theorylab.plan_command import SNAP, Measure, Solved, Subject, proved, source_of, start_value, value_error

__all__ = ["as_text"]

WIDTH = 100
ROWS = 20  # states of a table
LONGEST = 28  # characters of a fraction in a table
#: measures of the average-reward view, apart from the others under another criterion
VIEW = ("gain", "bias span", "diameter", "mixing time")
LABELS = {
    "gap": "smallest gap",
    "inverse gaps": "sum of 1/gap",
    "inverse square gaps": "sum of 1/gap^2",
    "variance": "largest variance",
}


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
    return "\n".join([*lines, *_hardness(solved), *_published(solved)]) + "\n"


def _head(subject: Subject) -> list[str]:
    model = subject.model
    law = model.reward_law
    sizes = f"{model.A} arms" if isinstance(model, Bandit) else f"{model.S} states, {model.A} actions"
    kind = "bandit" if isinstance(model, Bandit) else _criterion(model.criterion)
    lines = [
        f"{model.name or 'unnamed'}: {sizes}, {kind}",
        f"hash       {subject.digest[:16]}",
        f"rewards    {_rewards(law)}",
    ]
    if subject.origin:
        features = f" with d = {subject.d}" if subject.d is not None else ""
        lines.append(f"embedding  a {subject.origin}{features}, solved as the {type(model).__name__} that it is")
    cite, tag = source_of(subject)
    if cite or tag:
        known = entries().get(cite)
        text = known.reference() if known else cite or subject.family.text if subject.family else cite
        text = f"{text} [{tag}]" if tag else text
        lines += textwrap.wrap(text, WIDTH, initial_indent="source     ", subsequent_indent=" " * 11)
    return lines


def _rewards(law: RewardLaw) -> str:
    """Gaussian rewards leave the interval that their means lie in."""
    match law.kind:
        case "gaussian":
            return f"gaussian with sd {law.sd:g}, means in [{law.low:g}, {law.high:g}]"
        case "bernoulli":
            return f"bernoulli, {law.low:g} or {law.high:g}"
    return f"{law.kind} in [{law.low:g}, {law.high:g}]"


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
        said = f"{solved.exact_start}  (its numbers as fractions with denominators up to {SNAP})"
        lines += textwrap.wrap(said, WIDTH, initial_indent="exact      ", subsequent_indent=" " * 11)
    steps = "1 iteration" if plan.iterations == 1 else f"{plan.iterations} iterations"
    lines.append(f"method     {plan.method}, {steps}")
    return [*lines, f"policy     {_optimality(model, plan)}"]


def _optimality(model: TabularMDP, plan: Plan) -> str:
    if not np.isfinite(value_error(plan)):
        return "greedy; no action is proved optimal: the error of the bias has no proved bound"
    tied = ties(plan)
    if tied.all() and model.A > 1 and plan.Q.ndim == 2:
        return "all actions are as good in every state, to within rounding"
    known = proved(model, plan)
    if isinstance(model.criterion, ShortestPath):  # no action matters at the goal
        known, tied = (np.delete(x, model.criterion.goal, axis=0) for x in (known, tied))
    where = "states" if known.ndim == 1 else "states and stages"
    several = int((tied.sum(axis=1) > 1).sum())
    text = f"greedy action proved to be the only optimal one in {int(known.sum())} of {known.size} {where}"
    return text + (f", ties in {several}" if several and known.ndim == 1 else "")


def _states(subject: Subject, plan: Plan, exact: Any) -> list[str]:
    model, grid = subject.model, subject.grid
    values, _, pi = first_stage(plan)
    texts = column(values, value_error(plan))
    at = " at stage 0" if plan.Q.ndim == 3 else ""
    name = "bias" if plan.gain is not None else "V"
    if grid is not None and exact is None:
        if ties(plan).all():  # the layout is what there is to see
            return ["states", *grid_text(grid, None)]
        short = [text.removeprefix("~") for text in column(values, value_error(plan), most=3)]
        name += "" if np.isfinite(value_error(plan)) else " (no error proved)"
        lines = grid_text(grid, pi, short)
        if max(map(len, lines)) > WIDTH:
            return [f"greedy action{at}", *grid_text(grid, pi)]
        return [f"greedy action{at}, and {name}{at}", *lines]
    return _table(model, plan, texts, name, exact)


def _table(model: TabularMDP, plan: Plan, texts: list[str], name: str, exact: Any) -> list[str]:
    """A row a state: value, bar (or fraction), greedy action with ties, likeliest next states."""
    values, _, pi = first_stage(plan)
    shown = range(min(model.S, ROWS if model.S > ROWS + 1 else model.S))
    goal = model.criterion.goal if isinstance(model.criterion, ShortestPath) else -1
    optimal, low, high = ties(plan), float(values.min()), float(values.max())
    beside = [bar(float(values[s]), low, high, 16) for s in shown]
    heading = ""
    if exact is not None:
        beside = [_fraction((exact.V[0] if plan.Q.ndim == 3 else exact.V)[s]) for s in shown]
        heading = "exact"
    actions = [_action(plan, s, optimal[s]) if s != goal else "goal" for s in shown]
    rows = [("state", name, heading, "action", "next")]
    for s in shown:
        likely = successors(model, s, int(pi[s])) if s != goal else []
        after = ", ".join(f"{s2} ({p:.3g})" for s2, p in likely)
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


def _fraction(value: Any) -> str:
    """A fraction that fits in a table, else its numbers of digits."""
    text = str(value)
    if len(text) <= LONGEST:
        return text
    above, _, below = text.removeprefix("-").partition("/")
    return f"{len(above)} digits / {len(below)} digits"


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
    means = _short(column(model.means, 0.0))
    gaps = _short(column(model.gaps, 2 * U * float(model.gaps.max())))
    rows = [("arm", "mean", "", "gap")]
    rows += [(str(a), means[a], bar(float(model.means[a]), low, float(model.best_mean), 24), gaps[a]) for a in shown]
    widths = [max(len(r[c]) for r in rows) for c in range(4)]
    lines = [f"{r[0]:>{widths[0]}}  {r[1]:>{widths[1]}}  {r[2]:24}  {r[3]:>{widths[3]}}" for r in rows]
    return lines + ([f"... {model.A - len(shown)} more arms"] if model.A > len(shown) else [])


def _short(texts: list[str]) -> list[str]:
    """A column of decimals without the zeros that all of them end with."""
    while all("." in text and text[-1] in "0." for text in texts):
        texts = [text[:-1] for text in texts]
    return texts


def _hardness(solved: Solved) -> list[str]:
    """The measures but for the solution, which stands above, and for those of the other kind of model."""
    rows = solved.hardness
    if solved.plan is None:
        return _measures("hardness", [row for row in rows if row[1] is not None], {})
    own = isinstance(solved.subject.model.criterion, AverageReward)
    left = ("value", "best mean", "inverse square gaps", *(("gain",) if own else ()))
    rows = tuple(row for row in rows if row[0] not in left)
    staged = solved.plan.Q.ndim == 3
    notes = {
        "inverse gaps": "over states, actions and stages" if staged else "over states and actions",
        "ties": "beyond the first best action of a state" + (" and stage" if staged else ""),
        "mixing time": "of a gain-optimal policy, to within 1/4 in total variation",
        "variance": f"of {'the bias' if own else 'V'} at the next state",
    }
    if own:
        return _measures("hardness", list(rows), notes)
    return [
        *_measures("hardness", [row for row in rows if row[0] not in VIEW], notes),
        *_measures("as an average-reward problem", [row for row in rows if row[0] in VIEW], notes),
    ]


def _measures(heading: str, rows: list[Measure], notes: dict[str, str]) -> list[str]:
    wide = max((len(LABELS.get(row[0], row[0])) for row in rows), default=0)
    lines = ["", heading] if rows else []
    for row in rows:
        first = f"  {LABELS.get(row[0], row[0]):{wide}}  "
        text = _measure(row, notes.get(row[0], ""))
        lines += textwrap.wrap(text, WIDTH, initial_indent=first, subsequent_indent=" " * len(first))
    return lines


def _measure(row: Measure, note: str) -> str:
    name, value, error, unit, reason = row
    if value is None:
        return f"none: {reason}"
    known = float("inf") if error is None else error
    if value == float("inf"):
        return f"none: {reason}"
    if reason and name == "ties" and 0 < known < float("inf"):  # `Hardness`: the error counts those left open
        return f"{value - known:.0f} to {value:.0f} {unit}  ({reason})"
    if reason and name == "gap" and known < float("inf") and value <= known:
        return f"at most {error_text(value + known).rpartition(' ')[2]} {unit}  ({reason})"
    if known == float("inf") and (name in ("ties", "inverse gaps") or (name == "gap" and value == 0)):
        return f"undecided: {reason}"
    text = digits(value, known, 10)
    unit = unit.removesuffix("s") if text == "1" else unit.replace("1/", "per ")
    if reason:
        said = f"{error_text(known)}: {reason}" if known < float("inf") else reason
    else:
        said = f"{error_text(known)}; {note}" if note else error_text(known)
    return f"{text} {unit}  ({said})"


def _published(solved: Solved) -> list[str]:
    published = solved.subject.published
    if published is None:
        return []
    known = ", ".join(f"{k.replace('_', ' ')} {v}" for k, v in published.known.items())
    text = f"published as {published.name}" + (f": {known}" if known else "")
    return ["", *textwrap.wrap(text, WIDTH, subsequent_indent="    ")]
