"""Which figures a claim has, by kind, from stored evidence alone; what is missing where it has none.

A *drawing* knows its kind, the name of its files, a caption, its data as columns, and how it is drawn at a size. The
report and `theorylab figure` both take them from here.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from matplotlib.figure import Figure

from theorylab.evidence import Evidence, InstanceEvidence
from theorylab.figure import path_of, regret_figure, regret_table, word_of
from theorylab.figure_growth import growth_figure, growth_table
from theorylab.figure_kills import kill_figure
from theorylab.figure_paths import difference_figure, difference_table, e_figure, e_table
from theorylab.figure_search import trace_figure, trace_table
from theorylab.figure_slack import slack_figure, slack_table
from theorylab.kills import kill_groups, kill_table
from theorylab.table import clean, number, where

__all__ = ["KINDS", "Drawing", "drawings", "kill_drawings", "missing", "trace_drawing"]

#: kind -> what it shows
KINDS = {
    "regret": "mean regret with its band, the bound, the trivial value",
    "slack": "bound over measured regret",
    "growth": "a sweep of sizes with the order and local slopes",
    "kills": "planted faults against claims",
    "trace": "the search of a worst instance",
    "difference": "difference of two learners with a band",
    "e-path": "e-values against replicates",
}
CHECK = "theorylab check {id} --report DIR"


@dataclass(frozen=True)
class Drawing:
    """A figure that can be drawn.

    Attributes:
        kind: of `KINDS`. name: of its files, without a suffix. caption: in words. table: () -> columns, the data that
        is drawn. draw: size -> figure. claim: the id it belongs to (kills: of the paper). instance: if it is of one.
    """

    kind: str
    name: str
    caption: str
    claim: str
    table: Callable[[], Mapping[str, Sequence[Any]]]
    draw: Callable[[str], Figure]
    instance: InstanceEvidence | None = None


def _by_instance(e: Evidence, anchor: str) -> Iterator[Drawing]:
    for k, i in enumerate(e.instances):
        run, on = i.replicates or i.n, f"{e.id} on {where(i)}"
        base = f"{anchor}-{k + 1}"
        if i.curve:
            text = f"{on}: mean {path_of(i)}, pointwise 5\N{EN DASH}95 % of {run} replicates."
            yield _drawing("regret", base, text, e, regret_table, regret_figure, i)
        if any(math.isfinite(float(b)) for b in i.curve.get("bound", ())):
            yield _drawing("slack", f"{base}-slack", f"{on}: {_slack(i)}", e, slack_table, slack_figure, i)
        if i.difference:
            text = (
                f"{on}: mean {word_of(i)} minus that of {i.other}, with a band over all lengths at once (for drawing)."
            )
            yield _drawing("difference", f"{base}-difference", text, e, difference_table, difference_figure, i)


def _drawing(
    kind: str, name: str, text: str, e: Evidence, table: Callable[..., Any], draw: Callable[..., Figure],
    i: InstanceEvidence,
) -> Drawing:  # fmt: skip
    drawn = partial(_at_size, partial(draw, i, claim_id=e.id))
    return Drawing(kind, name, clean(text), e.id, partial(table, i), drawn, i)


def _at_size(draw: Callable[..., Figure], size: str) -> Figure:
    return draw(size=size)


def _slack(i: InstanceEvidence) -> str:
    certified = "" if i.slack is None else f"; the slack with an error level is {number(i.slack)}"
    return f"bound over measured {word_of(i)}, pointwise{certified}."


def drawings(e: Evidence, anchor: str) -> list[Drawing]:
    """The figures of a claim, `anchor` begins the names of their files: regret, slack, difference, growth, e-path."""
    out = list(_by_instance(e, anchor))
    if e.growth.get("sweep"):
        reason = str(e.growth["reason"])
        text = clean(f"{e.id}: {e.verdict}. {reason[:1].upper()}{reason[1:]}. Limits 5 % on each side.")
        draw = partial(_at_size, partial(growth_figure, e))
        out.append(Drawing("growth", f"{anchor}-growth", text, e.id, partial(growth_table, e), draw))
    if any(i.e_path for i in e.instances):
        text = clean(
            f"{e.id}: {e.verdict}. E-values as the replicates came in; full marks: where a threshold was passed."
        )
        draw = partial(_at_size, partial(e_figure, e))
        out.append(Drawing("e-path", f"{anchor}-e-path", text, e.id, partial(e_table, e), draw))
    return out


def kill_drawings(evidence: Sequence[Evidence], anchors: Mapping[tuple[str, str], str]) -> list[Drawing]:
    """The kill matrix of each learner of each paper; `anchors`: (paper, learner) -> beginning of its file names."""
    out = []
    for (paper, learner), claims in kill_groups(evidence).items():
        name = f"{paper}, {learner}" if learner else paper
        text = clean(
            f"Faults planted in {learner or 'the learner'} against the claims of {paper} that were put to them. At the "
            "right, how many properties caught the fault."
        )
        draw = partial(_at_size, partial(kill_figure, claims, name=name))
        anchor = anchors[paper, learner]
        out.append(Drawing("kills", f"{anchor}-kills", text, paper, partial(kill_table, claims), draw))
    return out


def trace_drawing(search: Mapping[str, Any], anchor: str) -> Drawing:
    """The trace of an attack, from what `theorylab attack --json` printed."""
    text = clean(f"{search['id']}: {search.get('words', search['verdict'])}.")
    draw = partial(_at_size, partial(trace_figure, search))
    return Drawing("trace", f"{anchor}-trace", text, str(search["id"]), partial(trace_table, search), draw)


def missing(e: Evidence, kind: str) -> str:
    """Why a claim has no figure of a kind, and how to get one."""
    run = CHECK.format(id=e.id)
    older = f"evidence without figures' data (of --json, or of an older version) lacks it: run `{run}`"
    probe = "it is about a step of the run, not about regret or exploitability; try --kind e-path or kills"
    return {
        "regret": f"no instance has a `curve`: {probe}, or {older}",
        "slack": f"no instance has a `curve` with a bound: it has no path, or its constant is open, or {older}",
        "growth": f"it has no `growth` table of a sweep: its kind is {e.kind}, not Growth, or {older}",
        "difference": f"no instance has a `difference`: its kind is {e.kind}, not Dominates, or {older}",
        "e-path": f"no instance has an `e_path`: an invariant, lemma or sweep is not decided by e-values, or {older}",
        "kills": f"it has no `kills`: no fault was put to it, or the check ran without controls; run `{run}`",
        "trace": "the trace of a search is not in the evidence: give the file that "
        f"`theorylab attack {e.id} --json > FILE.json` writes",
    }[kind]
