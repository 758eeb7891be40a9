"""The verdict table of a terminal, and the words and numbers that every table and page shares.

A row per claim and instance; lines of at most 100 columns; then the counts, and one line on each verdict word that
occurs, with the probability that it is said wrongly. On a terminal the table is a `rich` renderable, elsewhere plain
text. Text from outside loses its control characters, so that no name can drive a terminal.
"""

from __future__ import annotations

import math
import shlex
import sys
import textwrap
import unicodedata
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from theorylab.evidence import FAILURES, POSITIVE, Evidence, InstanceEvidence

__all__ = ["WORDS", "clean", "counts", "decided", "explain", "number", "plain_table", "verdict_table", "word"]

WIDTH = 100
ALPHA_SUPPORT, ALPHA_REFUTE = 0.01, 0.001

#: verdict word -> what it says and how often it is said wrongly; {s}, {r}: the two error levels
WORDS: Mapping[str, str] = {
    "SUPPORTED": "shown on these instances up to their lengths; P(said if false) <= {s} for each claim.",
    "CONSTANT MEASURED": "the paper leaves it open; P(the interval misses the best one on its instance) <= {s}.",
    "NO VIOLATION FOUND": "held in every replicate or model tried; a search, not a proof; no error level.",
    "IDENTITY HOLDS": "exact at random points, of N values; a false one of degree d passes each with P <= d/N.",
    "CONSISTENT": "growth on the stated range is within the margin; no statement beyond the range.",
    "VACUOUS": "at this length the bound is not below what any algorithm satisfies: nothing was tested; no level.",
    "INCONCLUSIVE": "the budget of replicates ended before the evidence decided; the interval is what is known.",
    "NOT_APPLICABLE": "not of the claim: an assumption is false, or the learner keeps nothing it speaks of.",
    "REFUTED": "code and statement disagree on a stated instance; P(said if true) <= {r} for each claim.",
    "MEASURED": "a point of a sweep; the verdict is on the sweep as a whole.",
    "INCONSISTENT": "growth exceeds the order on the upper half of the stated range, within the claim's regime.",
    "CHECK_INVALID": "a control failed, so the check itself is not to be trusted, whatever its numbers say.",
}


def word(verdict: str) -> str:
    """The verdict's word without a range: "CONSISTENT" for "CONSISTENT ON [64, 4096]"; itself where unknown."""
    known = [w for w in WORDS if verdict == w or verdict.startswith(w + " ")]
    return max(known, key=len) if known else verdict


def tone(verdict: str) -> str:
    """ "good" for positive verdicts, "bad" for failures, "open" for the rest."""
    return "good" if word(verdict) in POSITIVE else "bad" if word(verdict) in FAILURES else "open"


def number(value: float | None, digits: int = 3, missing: str = "-") -> str:
    """A number for people: to the unit from 1e3 to 1e6, else to `digits` significant digits, as 3.4e8, inf, nan."""
    if value is None:
        return missing
    x = float(value)
    if not math.isfinite(x):
        return "nan" if x != x else "inf" if x > 0 else "-inf"
    if abs(x) < 1e6 and (x == int(x) or abs(x) >= 1e3):
        return str(round(x))
    text = f"{x:.{digits}g}"
    if "e" not in text:
        return text
    mantissa, _, exponent = text.partition("e")
    return f"{mantissa}e{int(exponent)}"


def clean(text: object) -> str:
    """Text without control characters (each becomes U+FFFD) and with single spaces for line breaks and tabs."""
    joined = " ".join(str(text).split())
    return "".join("\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cc", "Cf", "Cs") else c for c in joined)


def levels(provenance: Mapping[str, Any]) -> tuple[float, float]:
    """Error levels (support, refute): from `levels`, or `alpha_support` and `alpha_refute`; else 0.01 and 0.001."""
    given = provenance.get("levels")
    inner: Mapping[str, Any] = given if isinstance(given, Mapping) else {}
    support = inner.get("support", provenance.get("alpha_support", ALPHA_SUPPORT))
    refute = inner.get("refute", provenance.get("alpha_refute", ALPHA_REFUTE))
    return float(support), float(refute)


def explain(verdict: str, provenance: Mapping[str, Any] | None = None) -> str:
    """What a verdict says and how often it is said wrongly, in one sentence."""
    support, refute = levels(provenance or {})
    text = WORDS.get(word(verdict), "no explanation of this word is registered.")
    return text.replace("{s}", number(support)).replace("{r}", number(refute))


def occurring(evidence: Sequence[Evidence]) -> list[str]:
    """Verdict words of claims and instances, in the order of `WORDS`, unknown ones last."""
    seen = {word(v) for e in evidence for v in (e.verdict, *(i.verdict for i in e.instances))}
    return [w for w in WORDS if w in seen] + sorted(seen - set(WORDS))


def counts(evidence: Sequence[Evidence]) -> str:
    """ "14 supported, 2 vacuous (16 claims)", in the order of `WORDS`."""
    found = Counter(word(e.verdict) for e in evidence)
    order = [w for w in WORDS if w in found] + sorted(set(found) - set(WORDS))
    parts = [f"{found[w]} {clean(w).lower().replace('_', ' ')}" for w in order]
    total = f"{len(evidence)} claim{'' if len(evidence) == 1 else 's'}"
    return f"{', '.join(parts)} ({total})" if parts else total


def where(i: InstanceEvidence) -> str:
    """The instance in words: "ucb1 on bernoulli(2), 2000 rounds"."""
    return clean(f"{i.learner} on {i.model}, {number(i.length)} {i.unit}".removeprefix(" on "))


def e_value(verdict: str, support: float, refute: float, missing: str = "-") -> str:
    """The e-value that the verdict rests on: the refuting one of a refutation, the supporting one otherwise."""
    value = refute if word(verdict) in FAILURES else support
    return number(value) if value else missing


def decided(e: Evidence) -> float:
    """The e-value that a claim's verdict rests on; 0 for verdicts that rest on none."""
    return 0.0 if word(e.verdict) in ("CONSTANT MEASURED", "VACUOUS") else e.e_value


def remark(
    bound: float | None,
    from_: int | None,
    vacuous: bool,
    slack: float | None,
    constant: tuple[float, float] | None = None,
) -> str:
    """Slack, or the interval of an open constant, and from which length on the bound has content."""
    parts = [f"slack {number(slack)}"] if slack is not None else []
    if constant is not None:
        parts.append(f"constant {number(constant[0])} to {number(constant[1])}")
    if from_ is not None and from_ > 1:
        parts.append(f"non-vacuous from {number(from_)}")
    elif from_ is None and vacuous and bound is not None:
        parts.append("vacuous up to 1e18")
    return ", ".join(parts)


Row = tuple[str, str, str, str, str, str]
HEAD: Row = ("claim", "instance", "verdict", "n", "e-value", "remark")
COLUMNS = (23, 25, 14, 5, 7, 21)  # with single spaces between: 100
RIGHT = (3, 4)


def rows(evidence: Sequence[Evidence]) -> list[Row]:
    """A row per claim and instance; a row for the claim first where it has not just one instance of its verdict."""
    out: list[Row] = []
    for e in evidence:
        name, at = clean(e.id), len(out)
        alone = len(e.instances) == 1 and e.instances[0].verdict == e.verdict
        if not alone:
            what = f"{len(e.instances)} instances" if len(e.instances) != 1 else "1 instance"
            what = "all models" if e.scope == "models" and not e.instances else what
            of = next((i for i in e.instances if i.bound is not None), None)
            text = remark(of.bound if of else None, e.nonvacuous_from, e.vacuous, e.slack)
            failed = [clean(c.name) for c in e.controls if not c.ok]
            if failed:
                text = "failed control: " + ", ".join(failed)
            out.append((name, what, clean(e.verdict), number(e.n), number(e.e_value) if e.e_value else "-", text))
        for i in e.instances:
            value = e_value(i.verdict, i.e_support, i.e_refute)
            measured = i.constant if word(i.verdict) == "CONSTANT MEASURED" else None
            text = remark(i.bound, i.nonvacuous_from, i.vacuous, i.slack, measured)
            out.append((name if alone else "", where(i), clean(i.verdict), number(i.n), value, text))
        if e.toothless:
            out[at] = (*out[at][:5], ", ".join(filter(None, (out[at][5], f"toothless: {clean(e.toothless)}"))))
    return out


def cells(text: str) -> int:
    """Columns that a text takes: wide East Asian characters two, combining marks none."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 0 if unicodedata.combining(c) else 1 for c in text)


def fold(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns: broken at spaces, else behind "." "-" "_" "/", else anywhere."""
    lines = [""]
    for token in text.split(" "):
        if lines[-1] and cells(lines[-1]) + 1 + cells(token) <= width:
            lines[-1] += " " + token
            continue
        if lines[-1]:
            lines.append("")
        while cells(token) > width:
            fits = next(k for k in range(len(token), 0, -1) if cells(token[:k]) <= width or k == 1)
            nice = max((k + 1 for k, c in enumerate(token[:fits]) if c in ".-_/,"), default=fits)
            at = nice if nice > fits // 2 else fits
            lines[-1], token = token[:at], token[at:]
            lines.append("")
        lines[-1] = token
    return lines


def _line(row: Sequence[str]) -> list[str]:
    folded = [fold(text, width) for text, width in zip(row, COLUMNS, strict=True)]
    out = []
    for k in range(max(len(f) for f in folded)):
        parts = []
        for c, (f, width) in enumerate(zip(folded, COLUMNS, strict=True)):
            text = f[k] if k < len(f) else ""
            pad = " " * (width - cells(text))
            parts.append(pad + text if c in RIGHT else text + pad)
        out.append(" ".join(parts).rstrip())
    return out


def _quoted(token: str) -> str:
    """A word of a shell command, in double quotes where it has single ones and nothing that those would change."""
    return f'"{token}"' if "'" in token and not set(token) & set('"$`\\!') else shlex.quote(token)


def _units(tokens: Sequence[str], width: int) -> list[str]:
    """Options with their values, where the two fit into the width; other words alone."""
    out: list[str] = []
    for k, token in enumerate(tokens):
        value = k > 0 and tokens[k - 1].startswith("--") and not token.startswith("--")
        if value and len(tokens[k - 1]) + 1 + len(token) <= width:
            out[-1] += " " + token
        else:
            out.append(token)
    return out


def command(text: str, width: int = WIDTH, indent: str = "    ") -> str:
    """A shell command on lines of at most `width` columns where its words allow it, joined by backslashes."""
    text = clean(text)
    try:
        tokens = [_quoted(t) for t in shlex.split(text)]
    except ValueError:
        return text
    lines = [indent]
    for unit in _units(tokens, width - len(indent) - 5):
        if len(lines[-1]) + len(unit) + 3 > width and lines[-1].strip():
            lines.append(indent + "  ")
        lines[-1] += (" " if lines[-1].strip() else "") + unit
    return " \\\n".join(lines)


def _foot(evidence: Sequence[Evidence]) -> list[str]:
    provenance = evidence[0].provenance if evidence else {}
    out = textwrap.wrap(counts(evidence), WIDTH)
    for w in occurring(evidence):
        out += textwrap.wrap(f"{clean(w)}: {explain(w, provenance)}", WIDTH, subsequent_indent="    ")
    for e in evidence:
        if word(e.verdict) == "REFUTED" and e.scope == "models":
            for i in e.instances:
                out += fold(f"counterexample to {clean(e.id)}: {clean(i.note)}", WIDTH)
        if word(e.verdict) == "REFUTED" and e.replay:
            out += [*fold(f"replay {clean(e.id)}:", WIDTH), command(e.replay)]
    return out


def plain_table(evidence: Sequence[Evidence]) -> str:
    """The table as plain text, at most 100 columns a line (a single word of a replay command may be longer)."""
    lines = [*_line(HEAD), " ".join("-" * w for w in COLUMNS)]
    for row in rows(evidence):
        lines += _line(row)
    return "\n".join([*lines, "", *_foot(evidence)]) + "\n"


def verdict_table(evidence: Sequence[Evidence], *, terminal: bool | None = None) -> Any:
    """The verdicts for a terminal: a `rich` renderable if standard output is one, else plain text.

    `terminal` decides instead of standard output where given. Print what comes back with `rich.print` or `print`.
    """
    if not (sys.stdout.isatty() if terminal is None else terminal):
        return plain_table(evidence)
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    style: Callable[[str], str] = {"good": "green", "bad": "bold red", "open": "yellow"}.__getitem__
    table = Table(box=None, padding=(0, 1, 0, 0), pad_edge=False, width=WIDTH, header_style="bold")
    for c, (name, width) in enumerate(zip(HEAD, COLUMNS, strict=True)):
        table.add_column(name, width=width, overflow="fold", justify="right" if c in RIGHT else "left")
    for row in rows(evidence):
        made = ["\n".join(fold(text, width)) for text, width in zip(row, COLUMNS, strict=True)]
        table.add_row(*(Text(t, style=style(tone(row[2])) if c == 2 else "") for c, t in enumerate(made)))
    return Group(table, Text(""), *(Text(line) for line in _foot(evidence)))
