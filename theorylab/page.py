"""The HTML page of a report: evidence turned into rows and sentences, set by a jinja2 template.

All text is escaped by the template; control characters are replaced before. Nothing on the page is fetched or run.
The template and its style sheet lie in `theorylab/templates/`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from theorylab.evidence import Evidence, InstanceEvidence, plain
from theorylab.kills import CAUGHT, COPIED, IDLE, MISSED, kill_groups, kill_table
from theorylab.table import clean, command, counts, explain, number, occurring, tone, where, word

__all__ = ["build_page", "vacuity"]

TEMPLATES = Path(__file__).parent / "templates"
DASH = "\N{EN DASH}"
SIGNS = {"good": "\N{CHECK MARK}", "bad": "\N{BALLOT X}", "open": "\N{WHITE CIRCLE}"}
TAGS = {
    "source": "the statement was read in the paper, or in a text that restates it.",
    "recalled": "the statement was quoted from memory: compare it with the paper before citing this verdict.",
    "derived": "the statement was worked out for this library; it need not be in the paper in this form.",
}
FDR = 0.05
#: heading, key and style of the columns of a claim's instances; those that say nothing on a claim are left out
COLUMNS = (
    ("n", "n", "r"),
    ("violations", "violations", "r"),
    ("level", "level", "r"),
    ("e support", "e_support", "r"),
    ("e refute", "e_refute", "r"),
    ("interval", "interval", "nb"),
    ("slack", "slack", "r"),
    ("best constant", "constant", "nb"),
    ("mean", "mean", "r"),
    ("bound", "bound", "r"),
    ("trivial", "trivial", "r"),
    ("non-vacuous from", "content", "r"),
    ("max excess", "max_excess", "r"),
    ("first", "first", "r"),
)
SHORT = 90


def vacuity(i: InstanceEvidence) -> str:
    """From which length on the bound says something, in one sentence; empty where the claim has no bound."""
    if i.bound is None:
        return ""
    unit = clean(i.unit)
    here = f"At {number(i.length)} {unit} the bound is {number(i.bound)}"
    if i.trivial is None:
        return f"{here}; the claim names no trivial value to compare it with."
    here += f" and any algorithm satisfies {number(i.trivial)}"
    if i.nonvacuous_from is None:
        return f"{here}: the bound is not known to fall below that at any length up to 1e18."
    if i.nonvacuous_from > i.length:
        return f"{here}: the bound says nothing before {number(i.nonvacuous_from)} {unit}."
    return f"{here}: the bound has content from {number(i.nonvacuous_from)} {unit} on."


def span(pair: tuple[float, float] | None) -> str:
    """The interval in brackets, or a dash."""
    return DASH if pair is None else f"[{number(pair[0])}, {number(pair[1])}]"


def _number(value: float | None) -> str:
    return number(value, missing=DASH)


def _badge(verdict: str) -> Markup:
    kind = tone(verdict)
    return Markup('<span class="badge {}">{} {}</span>').format(kind, SIGNS[kind], clean(verdict).replace("_", " "))


def _row(e: Evidence) -> dict[str, str]:
    """The row of a claim in the table of verdicts; its instances have their rows in the claim's own section."""
    only = e.instances[0] if len(e.instances) == 1 else None
    verdicts = Counter(word(i.verdict) for i in e.instances)
    if only is not None:
        on = where(only)
    elif not e.instances:
        on = "all models" if e.scope == "models" else "the claim"
    else:
        on = f"{len(e.instances)} instances"
        if len(verdicts) > 1:
            on += ": " + ", ".join(f"{n} {w.lower().replace('_', ' ')}" for w, n in verdicts.items())
    return {
        "instance": on,
        "verdict": e.verdict,
        "n": number(e.n),
        "e": _number(e.e_value or None),
        "interval": span(e.interval),
        "slack": _number(e.slack),
        "content": _number(e.nonvacuous_from) if only is None else _content(only),
    }


def _content(i: InstanceEvidence) -> str:
    return "beyond 1e18" if i.vacuous and i.nonvacuous_from is None else _number(i.nonvacuous_from)


def _instance(i: InstanceEvidence) -> dict[str, str]:
    return {
        "where": where(i),
        "params": ", ".join(f"{k} = {plain(v)}" for k, v in i.params.items()) or DASH,
        "verdict": i.verdict,
        "n": number(i.n),
        "interval": span(i.interval),
        "slack": _number(i.slack),
        "bound": _number(i.bound),
        "trivial": _number(i.trivial),
        "content": _content(i),
        "violations": number(i.violations),
        "level": _number(i.level),
        "e_support": _number(i.e_support or None),
        "e_refute": _number(i.e_refute or None),
        "constant": span(i.constant),
        "mean": _number(i.mean),
        "max_excess": _number(i.max_excess),
        "first": _number(i.first),
        "note": i.note,
    }


def _assumptions(e: Evidence) -> str:
    """The assumptions of a claim: as recorded in its provenance, else from the registry."""
    from theorylab.errors import InputError

    recorded = e.provenance.get("assumes")
    if recorded is None:
        from theorylab.registry import find_claim

        try:
            recorded = [f"{a.name}: {a.text}" for claim in find_claim(e.id) for a in claim.assumes]
        except InputError:
            return "not recorded."
    if isinstance(recorded, Mapping):
        recorded = [f"{k}: {v}" for k, v in recorded.items()]
    return "; ".join(str(a).rstrip(".") for a in recorded) + "." if recorded else "none."


def _evidence(e: Evidence) -> str:
    """What the verdict rests on, in one sentence."""
    parts = [f"{number(e.n)} replicates"]
    parts += [f"e-value {number(e.e_value)}"] if e.e_value else []
    parts += [f"interval {span(e.interval)}"] if e.interval is not None else []
    parts += [f"slack {number(e.slack)}"] if e.slack is not None else []
    parts += [f"{number(e.seconds)} s"] if e.seconds else []
    return ", ".join(parts) + f". {word(e.verdict)}: {explain(e.verdict, e.provenance)}"


def _claim(
    e: Evidence, anchors: Mapping[str, str], verdicts: Mapping[str, str], figures: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    text = clean(e.text)
    if len(text) > SHORT:
        text = text[:SHORT].rsplit(" ", 1)[0] + " \N{HORIZONTAL ELLIPSIS}"
    instances = [_instance(i) for i in e.instances]
    replays = dict.fromkeys([e.replay, *(i.replay for i in e.instances)])
    several = len(e.instances) > 1
    sentences = [(f"{i.learner} on {i.model}. " if several else "") + vacuity(i) for i in e.instances if vacuity(i)]
    return {
        "id": e.id,
        "anchor": anchors[e.id],
        "short": text,
        "text": e.text,
        "kind": e.kind,
        "scope": ("an invariant or bound along every run" if e.scope == "run" else "for all models")
        + ("; repeats a formula of the algorithm" if e.copies else ""),
        "constants": e.constants,
        "verdict": e.verdict,
        "source_tag": e.source_tag,
        "source_text": TAGS.get(e.source_tag, "no explanation of this tag is registered."),
        "assumptions": _assumptions(e),
        "steps": [{"id": s, "anchor": anchors.get(s, ""), "verdict": verdicts.get(s, "")} for s in e.steps],
        "evidence": _evidence(e),
        "vacuity": list(dict.fromkeys(sentences)),
        "row": _row(e),
        "toothless": e.toothless,
        "figures": figures.get(e.id, []),
        "instances": instances,
        "columns": [
            dict(label=label, key=key, style=style)
            for label, key, style in COLUMNS
            if any(i[key] != DASH for i in instances)
        ],
        "controls": e.controls,
        "replays": [Markup(escape(command(r, 96, ""))) for r in replays if r],
    }


WORDS = {
    CAUGHT: ("caught", "good"),
    COPIED: ("caught (formula)", "open"),
    MISSED: ("missed", "open"),
    IDLE: ("not run", ""),
}


def _kills(
    evidence: Sequence[Evidence],
    anchors: Mapping[str, str],
    matrices: Mapping[tuple[str, str], list[dict[str, Any]]],
) -> list[dict[str, Any]]:
    """Kill matrices of a paper, a learner each: rows for planted faults, columns for the claims put to them."""
    out = []
    for key, tried in kill_groups(evidence).items():
        table = kill_table(tried)
        names = table.pop("fault")
        mutants = []
        for i, m in enumerate(names):
            row = [column[i] for column in table.values()]
            cells = [dict(zip(("text", "tone"), WORDS[what], strict=True)) for what in row]
            ran = len(row) - row.count(IDLE)
            mutants.append({"name": m, "cells": cells, "caught": f"{row.count(CAUGHT) + row.count(COPIED)} of {ran}"})
        alive = [clean(m) for m in names if not any(e.kills.get(m) for e in tried)]
        toothless = [clean(e.id) for e in tried if not any(e.kills.values())]
        remarks = [f"Caught by no claim of this report: {', '.join(alive)}."] if alive else []
        remarks += [f"Toothless here, as they caught no mutant: {', '.join(toothless)}."] if toothless else []
        columns = [{"id": e.id, "anchor": anchors[e.id]} for e in tried]
        figures = matrices.get(key, [])
        out.append({"learner": key[1], "mutants": mutants, "columns": columns, "remarks": remarks, "figures": figures})
    return out


def _ebh(evidence: Sequence[Evidence]) -> str:
    """Which refutations survive e-BH over the claims of the page; empty where nothing is refuted."""
    refuted = [k for k, e in enumerate(evidence) if word(e.verdict) == "REFUTED"]
    if not refuted:
        return ""
    from theorylab.stats.multiplicity import e_bh

    passed = e_bh([e.e_refute for e in evidence], FDR)
    names = [clean(evidence[k].id) for k in refuted if passed[k]]
    survive = "survives" if len(names) == 1 else "survive"
    return (
        f"Of {len(refuted)} refuted among {len(evidence)} claims, {len(names)} {survive} e-BH at a false discovery "
        f"rate of {FDR}{': ' + ', '.join(names) if names else ''}."
    )


def _flat(provenance: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Names and values, nested names joined by dots."""
    out: list[tuple[str, str]] = []
    for key, value in provenance.items():
        if isinstance(value, Mapping):
            out += [(f"{key}.{k}", v) for k, v in _flat(value)]
        else:
            listed = isinstance(value, (list, tuple))
            out.append((str(key), ", ".join(map(str, value)) if listed else str(plain(value))))
    return out


def build_page(
    evidence: Sequence[Evidence],
    anchors: Mapping[str, str],
    figures: Mapping[str, list[dict[str, Any]]],
    matrices: Mapping[tuple[str, str], list[dict[str, Any]]],
    references: Mapping[str, str],
    provenance: Mapping[str, Any],
) -> str:
    """The page as text.

    Args: anchors, claim id -> name in links; figures, claim id -> dicts with svg (markup), glyphs (identifier -> path,
    which the page defines once), caption and files; matrices, (paper, learner) -> the like; references, paper -> its
    reference in words; provenance, shown at the end.
    """
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES, encoding="utf-8"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        finalize=lambda value: value if isinstance(value, Markup) or callable(value) else clean(value),
    )
    verdicts = {e.id: e.verdict for e in evidence}
    claims = {e.id: _claim(e, anchors, verdicts, figures) for e in evidence}
    papers = []
    for k, key in enumerate(dict.fromkeys(e.paper for e in evidence)):
        members = [e for e in evidence if e.paper == key]
        papers.append(
            {
                "key": key,
                "anchor": f"paper-{k + 1}",
                "reference": references.get(key, "No references.bib has an entry for this paper."),
                "claims": [claims[e.id] for e in members],
                "kills": _kills(members, anchors, matrices),
            }
        )
    drawn = [f for group in (*figures.values(), *matrices.values()) for f in group]
    glyphs = {name: path for f in drawn for name, path in f["glyphs"].items()}
    return environment.get_template("report.html.j2").render(
        glyphs=[Markup(glyphs[name]) for name in sorted(glyphs)],
        style=Markup((TEMPLATES / "report.css").read_text(encoding="utf-8")),
        counts=counts(evidence),
        ebh=_ebh(evidence),
        papers=papers,
        claims=list(claims.values()),
        words=[(w, explain(w, provenance)) for w in occurring(evidence)],
        tags=[(t, TAGS[t]) for t in TAGS if any(e.source_tag == t for e in evidence)],
        provenance=_flat(provenance),
        badge=_badge,
        dash=DASH,
    )
