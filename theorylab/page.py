"""The HTML page of a report: evidence turned into rows and sentences, set by a jinja2 template.

All text is escaped by the template; control characters are replaced before. Nothing on the page is fetched or run.
The template and its style sheet lie in `theorylab/templates/`.
"""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from theorylab.evidence import Evidence, InstanceEvidence, plain
from theorylab.kills import CAUGHT, COPIED, IDLE, MISSED, kill_groups, kill_table
from theorylab.table import clean, command, counts, decided, explain, levels, number, occurring, tone, where, word

__all__ = ["build_page", "vacuity"]

TEMPLATES = Path(__file__).parent / "templates"
DASH = "\N{EN DASH}"
SIGNS = {"good": "\N{CHECK MARK}", "bad": "\N{BALLOT X}", "open": "\N{WHITE CIRCLE}"}
TAGS = {
    "source": "the statement was read in the paper, or in a text that restates it.",
    "recalled": "the statement was quoted from memory: compare it with the paper before citing this verdict.",
    "derived": "the statement was worked out by the authors of this check; no paper need have it in this form.",
}
FDR = 0.05
#: heading, key, style and meaning of the columns of a claim's instances; those that say nothing on a claim are left out
COLUMNS = (
    ("n", "n", "r", "replicates that the verdict rests on; of a lemma, models, calls or points tried"),
    ("violations", "violations", "r", "replicates, of those, in which the statement failed"),
    ("level", "level", "r", "the tested violation rate, or the tested mean in units of the trivial value"),
    ("e support", "e_support", "r", "e-value against the statement being false, valid whenever one stops"),
    ("e refute", "e_refute", "r", "e-value against the statement being true, likewise"),
    ("interval", "interval", "nb", "limits of the violation rate, or of the mean in units of the trivial value"),
    ("slack", "slack", "r", "the theorem's constant over the smallest that would do here; below 1 the bound is broken"),
    ("best constant", "constant", "nb", "interval of the smallest constant with which the bound holds here"),
    ("mean", "mean", "r", "mean of what is measured, at the final length; regret and exploitability in reward units"),
    ("bound", "bound", "r", "right-hand side of the statement at the final length, in the same units"),
    ("trivial", "trivial", "r", "what any algorithm satisfies at that length, in the same units"),
    ("non-vacuous from", "content", "r", "least length (in the unit of the runs) at which the bound is below trivial"),
    ("max excess", "max_excess", "r", "largest left-hand minus right-hand side met; a violation above the tolerance"),
    ("first", "first", "r", "index, from 0, of the first violation in the earliest replicate that violates"),
)  # fmt: skip
#: columns of the table of verdicts that the instances' tables lack or have in another sense
VERDICT_COLUMNS = (
    ("source", "how well the statement was checked against the paper: see Sources"),
    ("e-value", "evidence for the verdict: the least e support of its instances or, where refuted, the mean e refute"),
    ("interval", "of the violation rate, of the mean in units of the trivial value, of the best constant, of a "
     "difference, or of the slope of log(mean / order): whichever the claim is about"),
)  # fmt: skip
SHORT = 150
#: kind -> what a claim on runs speaks of
SCOPES = {
    "HighProbability": "every run, but for the stated probability",
    "Pointwise": "every run, without exception",
    "Expectation": "the mean over runs",
    "Growth": "the mean over runs, along a sweep of sizes",
    "Dominates": "the mean over runs, beside another learner",
}
#: kind -> what its interval is of
INTERVALS = {
    "HighProbability": "violation rate in",
    "Expectation": "mean over trivial value in",
    "Growth": "slope of log(mean / order) in",
    "Dominates": "mean difference in",
}


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
    if word(verdict) == "MEASURED":
        return Markup('<span class="badge">measured</span>')
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
        "e": _number(decided(e) or None),
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
        "violations": DASH if word(i.verdict) in ("MEASURED", "NOT_APPLICABLE") else number(i.violations),
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
    """The assumptions of a claim: as recorded in its provenance, else those of the claim that has its id here."""
    from theorylab.registry import claim_of

    recorded = e.provenance.get("assumes")
    if recorded is None:
        claim = claim_of(e.id)
        if claim is None:
            return "not recorded."
        recorded = [f"{a.name}: {a.text}" for a in claim.assumes]
    if isinstance(recorded, Mapping):
        recorded = [f"{k}: {v}" for k, v in recorded.items()]
    return "; ".join(str(a).rstrip(".") for a in recorded) + "." if recorded else "none."


def _evidence(e: Evidence) -> str:
    """What the verdict rests on, in one sentence."""
    run = sum(i.replicates or i.n for i in e.instances)
    parts = [f"{number(e.n)} {e.instances[0].unit if e.scope == 'models' and e.instances else 'replicates'}"]
    parts += [f"{number(run)} run in all, for means and slack"] if run > e.n else []
    parts += [f"e-value {number(decided(e))}"] if decided(e) else []
    of = "best constant in" if word(e.verdict) == "CONSTANT MEASURED" else INTERVALS.get(e.kind, "interval")
    parts += [f"{of} {span(e.interval)}"] if e.interval is not None else []
    if {"T1", "T2", "size", "margin"} <= set(e.growth):
        g = e.growth
        parts += [f"{g['size']} from {number(g['T1'])} to {number(g['T2'])}", f"margin {number(g['margin'])}"]
    parts += [f"slack {number(e.slack)}"] if e.slack is not None else []
    parts += [f"took {number(e.seconds)} s"] if e.seconds else []
    return ", ".join(parts) + f". {word(e.verdict).replace('_', ' ')}: {explain(e.verdict, e.provenance)}"


RUN = ("profile", "seed", "budget", "target")


def _provenance(e: Evidence) -> str:
    """What a claim's numbers came from: the settings and versions of the run, digests of code and models."""
    known = {k: v for k, v in e.provenance.items() if isinstance(v, (str, int, float))}
    parts = [f"{k} {known[k]}" for k in RUN if k in known]
    if parts:
        support, refute = levels(e.provenance)
        parts.append(f"levels {number(support)} to support and {number(refute)} to refute")
    parts += [f"{k} {known[k]}" for k in ("theorylab", "python", "numpy", "numba") if k in known]
    for what, digests in (("code", [i.code for i in e.instances]), ("models", [i.digest for i in e.instances])):
        short = list(dict.fromkeys(d[:12] for d in digests if d))
        parts += [f"{what} {' '.join(short)}"] if short else []
    return ", ".join(parts) + "." if parts else "not recorded."


def _again(e: Evidence) -> str:
    """The command that repeats the check of a claim without runs to replay."""
    from theorylab.registry import claim_file

    options = [f" --{k} {e.provenance[k]}" for k in ("profile", "seed") if k in e.provenance]
    return f"theorylab check {shlex.quote(claim_file(e.id) or e.id)}{''.join(options)}"


def _claim(
    e: Evidence, anchors: Mapping[str, str], verdicts: Mapping[str, str], figures: Mapping[str, list[dict[str, Any]]]
) -> dict[str, Any]:
    text = clean(e.text)
    if len(text) > SHORT:
        text = text[:SHORT].rsplit(" ", 1)[0] + " \N{HORIZONTAL ELLIPSIS}"
    instances = [_instance(i) for i in e.instances]
    replays = [r for r in dict.fromkeys([e.replay, *(i.replay for i in e.instances)]) if r]
    replays = replays or ([_again(e)] if e.scope == "models" else [])
    several = len(e.instances) > 1
    sentences = [(f"{i.learner} on {i.model}. " if several else "") + vacuity(i) for i in e.instances if vacuity(i)]
    return {
        "id": e.id,
        "anchor": anchors[e.id],
        "short": text,
        "text": e.text,
        "kind": e.kind,
        "scope": (SCOPES.get(e.kind, "along runs of the learner") if e.scope == "run" else "for all models")
        + ("; repeats a formula of the algorithm" if e.copies else ""),
        "constants": e.constants,
        "verdict": e.verdict,
        "source_tag": e.source_tag,
        "source_text": TAGS.get(e.source_tag, "no explanation of this tag is registered."),
        "assumptions": _assumptions(e),
        "steps": [{"id": s, "anchor": anchors.get(s, ""), "verdict": verdicts.get(s, "")} for s in e.steps],
        "evidence": _evidence(e),
        "provenance": _provenance(e),
        "vacuity": list(dict.fromkeys(sentences)),
        "row": _row(e),
        "toothless": e.toothless,
        "figures": figures.get(e.id, []),
        "instances": instances,
        "columns": [
            dict(label=label, key=key, style=style)
            for label, key, style, _ in COLUMNS
            if any(i[key] != DASH for i in instances)
        ],
        "controls": e.controls,
        "replays": [Markup(escape(command(r, 76, ""))) for r in replays],
    }


def _kills(
    evidence: Sequence[Evidence], matrices: Mapping[tuple[str, str], list[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """Kill matrices of a paper, a learner each: for each planted fault the claims that caught it, missed it or did not
    meet it, by their names without the paper's."""
    out = []
    for key, tried in kill_groups(evidence).items():
        table = kill_table(tried)
        names = table.pop("fault")
        short = {id: id.removeprefix(f"{key[0]}.") for id in table}
        mutants = []
        for i, m in enumerate(names):
            whose = {
                what: ", ".join(short[id] for id, column in table.items() if column[i] == what)
                for what in (CAUGHT, COPIED, MISSED, IDLE)
            }
            mutants.append({"name": m, **{what.replace(" ", "_"): text for what, text in whose.items()}})
        alive = [clean(m) for m in names if not any(e.kills.get(m) for e in tried)]
        idle = [clean(e.id) for e in tried if not any(e.kills.values())]
        remarks = [f"Caught by no claim of this report: {', '.join(alive)}."] if alive else []
        remarks += [f"Caught none of the faults planted in this run: {', '.join(idle)}."] if idle else []
        said = {"mutants": mutants, "wide": len(tried) > 6, "remarks": remarks, "figures": matrices.get(key, [])}
        out.append({"learner": key[1], **said})
    return out


#: tone of what catches an automatic mutant; a formula and a reason are weaker than a property
TONES = {"formula": "open", "equivalent": "open", "alive": "bad", "not run": "bad"}
STATES = {
    "not run": "not run: no file of automatic mutants beside the claims names this learner.",
    "out of date": "out of date: the learner's text has changed since its mutants were run, so that they show nothing.",
}


def _automatic(evidence: Sequence[Evidence], anchors: Mapping[str, str]) -> list[dict[str, Any]]:
    """What became of the automatic mutants of each learner on the page, from the files beside the claims."""
    from theorylab.automatic import counts as fates
    from theorylab.automatic import record_of
    from theorylab.errors import InputError
    from theorylab.learner import UNITS
    from theorylab.registry import find_learner, home_of

    settings = {unit: setting for setting, unit in UNITS.items()}
    homes: dict[tuple[str, str], dict[str, None]] = {}
    for e in evidence:
        for i in e.instances:
            if i.learner and i.unit in settings:
                homes.setdefault((i.learner, settings[i.unit]), {})[home_of(e.paper)] = None
    out = []
    for (name, setting), packages in homes.items():
        try:
            record, state = record_of(find_learner(name, setting), [p for p in packages if p])
        except InputError:  # a learner that was given as an object
            record, state = None, "not run"
        rows = record.mutants if record is not None and state == "current" else ()
        alive = ", ".join(r.name for r in rows if r.by in ("alive", "not run"))
        out.append(
            {
                "learner": f"{name} ({setting})",
                "said": fates(r.by for r in rows) if rows else STATES[state],
                "alive": f"No claim, test or reason accounts for: {alive}." if alive else "",
                "rows": [
                    {**asdict(r), "tone": TONES.get(r.by, "good"), "anchor": anchors.get(r.detail, "")} for r in rows
                ],
            }
        )
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


def _run(provenance: Mapping[str, Any]) -> str:
    """The run in a line below the title."""
    if "theorylab" not in provenance:
        return ""
    support, refute = levels(provenance)
    parts = [f"TheoryLab {provenance['theorylab']}", *(f"{k} {provenance[k]}" for k in RUN[:2] if k in provenance)]
    return ", ".join(parts) + f", error levels {number(support)} to support and {number(refute)} to refute."


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
                "kills": _kills(members, matrices),
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
        automatic=_automatic(evidence, anchors),
        claims=list(claims.values()),
        words=[(w, explain(w, provenance)) for w in occurring(evidence)],
        tags=[(t, TAGS[t]) for t in TAGS if any(e.source_tag == t for e in evidence)],
        run=_run(provenance),
        legend=[*VERDICT_COLUMNS, *((label, text) for label, _, _, text in COLUMNS if label != "interval")],
        provenance=_flat({k: v for k, v in provenance.items() if k != "assumes"}),
        badge=_badge,
        dash=DASH,
    )
