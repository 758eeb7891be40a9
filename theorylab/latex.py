r"""The tables of verdicts for a paper: LaTeX with booktabs, ready to `\input`.

`latex_table` has a row per claim and fits a column of 3.25 in; `instance_table` has a row per claim and instance and
fits a page of 5.5 in. Both come with caption and label, as a `table`, or as a `longtable` where the rows fill more than
a page.

All text is escaped for pdfLaTeX; a character that it may lack stands as its code point, U+1F600, so that the table
always compiles and nothing is lost.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Collection, Mapping, Sequence

from theorylab.evidence import FAILURES, Evidence, InstanceEvidence
from theorylab.table import WORDS, clean, decided, levels, number, occurring, word

__all__ = ["escape", "instance_table", "latex_table"]

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "[": "{[}", "]": "{]}", "`": r"\textasciigrave{}", "\N{EN DASH}": "--",
    "\N{EM DASH}": "---", "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{MULTIPLICATION SIGN}": r"\ensuremath{\times}",
    "\N{LESS-THAN OR EQUAL TO}": r"\ensuremath{\le}", "\N{GREATER-THAN OR EQUAL TO}": r"\ensuremath{\ge}",
    "\N{INFINITY}": r"\ensuremath{\infty}", "\N{N-ARY SUMMATION}": r"\ensuremath{\sum}",
    "\N{SQUARE ROOT}": r"\ensuremath{\surd}", "\N{MINUS SIGN}": r"\ensuremath{-}",
    "\N{ELEMENT OF}": r"\ensuremath{\in}", "\N{ALMOST EQUAL TO}": r"\ensuremath{\approx}",
}  # fmt: skip
GREEK = {"SMALL LETTER LAMDA": "lambda", "CAPITAL LETTER LAMDA": "Lambda"}
#: capital letters that TeX has no command for, since they look Latin; omicron likewise
LATIN = {"ALPHA", "BETA", "EPSILON", "ZETA", "ETA", "IOTA", "KAPPA", "MU", "NU", "OMICRON", "RHO", "TAU", "CHI"}
DASH = "--"
#: lines that a page holds beside the caption; a table of more is set as a longtable
LINES = 40
#: source tag -> mark on the claim and what it says in the caption; "source" carries none
SOURCES = {
    "recalled": ("r", "statement quoted from memory, to be compared with the paper"),
    "derived": ("d", "statement worked out by the authors of the check"),
}
#: key -> heading and what it says in the caption
NUMBERS = {
    "n": ("$n$", "replicates (or models, calls or points) used"),
    "e": ("$e$", "e-value of the verdict, valid whenever one stops (against the statement where it is refuted)"),
    "slack": ("slack", "the theorem's constant over the smallest that would do here"),
    "bound": ("bound", "at the final length, in reward units"),
    "trivial": ("trivial", "what any algorithm satisfies at that length"),
    "from": ("from", "least length at which the bound is below what any algorithm satisfies"),
}


def _character(c: str) -> str:
    if c in SPECIAL:
        return SPECIAL[c]
    if " " <= c <= "~" or (unicodedata.category(c) in ("Lu", "Ll") and c <= "\xff"):
        return c
    name = unicodedata.name(c, "")
    if name.startswith("GREEK "):
        letter = name.removeprefix("GREEK ")
        size, _, base = letter.partition(" LETTER ")
        if size in ("SMALL", "CAPITAL") and base.isalpha() and not (size == "CAPITAL" and base in LATIN):
            if base not in ("OMICRON",):
                command = GREEK.get(letter, base.lower() if size == "SMALL" else base.capitalize())
                return rf"\ensuremath{{\{command}}}"
    return rf"\texttt{{U+{ord(c):04X}}}"


def escape(text: object) -> str:
    """Text that LaTeX sets as it stands; control characters become U+FFFD, and <= and >= their signs."""
    joined = clean(text).replace("<=", "\N{LESS-THAN OR EQUAL TO}").replace(">=", "\N{GREATER-THAN OR EQUAL TO}")
    # TeX joins hyphens that touch to a dash
    return "-{}".join("".join(_character(c) for c in part) for part in re.split("-(?=-)", joined))


def _name(text: object) -> str:
    """A name that may be broken before a letter behind a dot, comma, slash, bracket or underscore, and at hyphens."""
    return re.sub(r"(\.|,|/|\(|\\_)(?=[^\s\d])", r"\1\\allowbreak ", escape(text))


def _digits(whole: str) -> str:
    return r"\,".join(reversed([whole[max(k - 3, 0) : k] for k in range(len(whole), 0, -3)]))


def _count(value: int | None) -> str:
    """A whole number: in groups of three from 10,000 on, to three digits from a million on."""
    if value is None:
        return DASH
    if abs(value) >= 1_000_000:
        return _number(float(value))
    return f"${_digits(str(value)) if value >= 10_000 else value}$"


def _number(value: float | None) -> str:
    """A number to three digits: 3.4e8 as a product with a power of ten, 1e-3 as the power; a dash for None."""
    if value is None:
        return DASH
    if math.isnan(value):
        return "nan"
    if math.isinf(value):
        return rf"${'-' if value < 0 else ''}\infty$"
    if value == 0.0 or 2e-3 <= abs(value) < 9999.5:
        return f"${number(value)}$"
    mantissa, _, exponent = f"{value:.2e}".partition("e")
    mantissa = mantissa.rstrip("0").rstrip(".")
    power = rf"10^{{{int(exponent)}}}"
    return f"${power}$" if mantissa == "1" else rf"${mantissa} \times {power}$"


def _evalue(value: float) -> str:
    """An e-value; a large one by the power of ten that it reaches."""
    if not value:
        return DASH
    if value < 1e4 or math.isinf(value):
        return _number(value)
    return rf"$\ge 10^{{{math.floor(math.log10(value))}}}$"


def _verdict(verdict: str) -> str:
    name = word(verdict)
    return escape(name.replace("_", " ").capitalize() + verdict.removeprefix(name).replace("ON", "on"))


def _of_claim(e: Evidence) -> str:
    """The verdict with what it is of: the range of a growth claim, the interval of a constant."""
    text = _verdict(e.verdict)
    if e.growth and "T1" in e.growth and word(e.verdict) != "NOT_APPLICABLE" and " on " not in text:
        return f"{text} on {_interval(e.growth['T1'], e.growth['T2'])}"
    if word(e.verdict) == "CONSTANT MEASURED" and e.interval is not None:
        return f"{text}: {_interval(*e.interval)}"
    return text


def _interval(low: float, high: float) -> str:
    """In brackets; it may be broken behind the comma."""
    ends = [_count(int(x)) if math.isfinite(x) and x == int(x) else _number(x) for x in (low, high)]
    return f"{{[}}{', '.join(ends)}{{]}}"


def _from(e: Evidence | InstanceEvidence) -> str:
    bound = e.bound if isinstance(e, InstanceEvidence) else next((i.bound for i in e.instances), None)
    beyond = e.vacuous and e.nonvacuous_from is None and bound is not None
    return r"$> 10^{18}$" if beyond else _count(e.nonvacuous_from)


def _caption(evidence: Sequence[Evidence], shown: Sequence[str], cited: Collection[str], what: str) -> str:
    provenance = evidence[0].provenance if evidence else {}
    version = f"~{escape(provenance['theorylab'])}" if "theorylab" in provenance else ""
    run = [f"profile {escape(provenance['profile'])}"] if "profile" in provenance else []
    run += [f"seed~{escape(provenance['seed'])}"] if "seed" in provenance else []
    cite = r"~\cite{theorylab}" if "theorylab" in cited else ""
    parts = [f"Verdicts of TheoryLab{version}{cite} on {what}" + (f" ({', '.join(run)})." if run else ".")]
    support, refute = (_number(a) for a in levels(provenance))
    for w in occurring(evidence):
        text = WORDS.get(w, "no explanation of this word is registered.").rstrip(".")
        said = escape(text.replace("{s}", "SUPPORT").replace("{r}", "REFUTE"))
        said = re.sub(r"\bP\b", "$P$", said).replace("SUPPORT", support).replace("REFUTE", refute)
        said = said.replace(r" \ensuremath{\le} ", r"~\ensuremath{\le}~")
        parts.append(rf"\emph{{{_verdict(w)}}}: {said}.")
    parts.append("; ".join(f"{NUMBERS[key][0]}: {NUMBERS[key][1]}" for key in shown) + "; a dash: no such number.")
    tags = {e.source_tag for e in evidence}
    marks = [rf"\textsuperscript{{{mark}}}~{text}" for tag, (mark, text) in SOURCES.items() if tag in tags]
    return " ".join(parts + ([", ".join(marks) + "."] if marks else []))


def _table(
    columns: str, head: Sequence[str], rows: Sequence[str], caption: str, label: str, size: str, short: str
) -> str:
    """A float with a tabular, or a longtable where the rows fill more than a page."""
    heading = " & ".join(head) + r" \\"
    set_up = rf"\{size}\setlength{{\tabcolsep}}{{2.5pt}}"
    title = rf"\caption[{short}]{{{caption}}}\label{{{label}}}"
    # in a narrow column a row of text beyond a word or two takes a second line
    if sum(1 + (len(row) > 60) for row in rows) <= LINES:
        return "\n".join(
            [
                r"% needs \usepackage{booktabs,array}, and references.bib for the citations",
                r"\begin{table}[t]",
                title,
                r"\medskip",
                rf"\centering{set_up}",
                rf"\begin{{tabular}}{{{columns}}}",
                r"\toprule",
                heading,
                r"\midrule",
                *rows,
                r"\bottomrule",
                r"\end{tabular}",
                r"\end{table}",
            ]
        )
    n = len(head)
    return "\n".join(
        [
            r"% needs \usepackage{booktabs,array,longtable}, and references.bib for the citations; a longtable stands",
            r"% in one column: \onecolumn before it in a class with two",
            rf"{{{set_up}\setlength{{\LTcapwidth}}{{\linewidth}}",
            rf"\begin{{longtable}}{{{columns}}}",
            title + r"\\",
            r"\toprule",
            heading,
            r"\midrule",
            r"\endfirsthead",
            rf"\multicolumn{{{n}}}{{@{{}}l@{{}}}}{{\tablename~\thetable, continued}} \\",
            r"\toprule",
            heading,
            r"\midrule",
            r"\endhead",
            r"\midrule",
            rf"\multicolumn{{{n}}}{{@{{}}r@{{}}}}{{continued on the next page}} \\",
            r"\endfoot",
            r"\bottomrule",
            r"\endlastfoot",
            *rows,
            r"\end{longtable}}",
        ]
    )


def _layout(widths: Sequence[float], shown: Sequence[str]) -> str:
    text = "".join(rf">{{\raggedright\arraybackslash}}p{{{w}\linewidth}}" for w in widths)
    return f"@{{}}{text}{'r' * len(shown)}@{{}}"


def _shown(cells: Sequence[dict[str, str]], keys: Sequence[str]) -> list[str]:
    """The columns of numbers that say something."""
    return [key for key in keys if any(c[key] != DASH for c in cells)]


def _claims_of(evidence: Sequence[Evidence]) -> dict[str, list[Evidence]]:
    return {p: [e for e in evidence if e.paper == p] for p in dict.fromkeys(e.paper for e in evidence)}


def _short(e: Evidence) -> str:
    """A claim's name under the heading of its paper, with the mark of its source."""
    mark = rf"\textsuperscript{{{SOURCES[e.source_tag][0]}}}" if e.source_tag in SOURCES else ""
    return _name(e.id.removeprefix(f"{e.paper}.")) + mark


def _heading(text: str, columns: int, cite: str) -> str:
    return rf"\multicolumn{{{columns}}}{{@{{}}l@{{}}}}{{\textbf{{{text}}}{cite}}} \\*"


def _cite(key: str, cited: Collection[str]) -> str:
    return rf"~\cite{{{key}}}" if key in cited else ""


def latex_table(evidence: Sequence[Evidence], *, cited: Collection[str] = ()) -> str:
    r"""A row per claim, under its paper; needs `\usepackage{booktabs,array}`, or also `longtable` beyond a page.

    `cited` holds the keys that are in the bibliography: papers carry a `\cite`, the caption one of `theorylab`.
    """
    made = {
        e.id: {
            "n": _count(e.n),
            "e": _evalue(decided(e)),
            "slack": _number(e.slack),
            "from": _from(e),
        }
        for e in evidence
    }
    shown = _shown(list(made.values()), ("n", "e", "slack", "from"))
    rows: list[str] = []
    papers = _claims_of(evidence)
    for paper, claims in papers.items():
        rows += [r"\addlinespace"] if rows else []
        rows.append(_heading(escape(paper), 2 + len(shown), _cite(paper, cited)))
        for e in claims:
            rows.append(" & ".join([_short(e), _of_claim(e), *(made[e.id][key] for key in shown)]) + r" \\")
    what = f"{_plural(len(evidence), 'claim')} of {_plural(len(papers), 'source')}"
    head = ["claim", "verdict", *(NUMBERS[key][0] for key in shown)]
    note = " Of several instances, $e$, slack and from are of the one that decides." if len(shown) > 1 else ""
    example = rf" Names are those under the source, as in \texttt{{{_name(evidence[0].id)}}}." if evidence else ""
    caption = _caption(evidence, shown, cited, what) + note + example
    return _table(_layout((0.24, 0.2), shown), head, rows, caption, "tab:verdicts", "footnotesize", "Verdicts") + "\n"


def instance_table(
    evidence: Sequence[Evidence], *, cited: Collection[str] = (), sources: Mapping[str, str] | None = None
) -> str:
    r"""A row per instance, under its claim; needs `\usepackage{booktabs,array}`, or also `longtable` beyond a page.

    `cited` as in `latex_table`; `sources`, learner or model -> the key of what defines it, cited where it first stands.
    """
    made = {(e.id, k): _numbers(i) for e in evidence for k, i in enumerate(e.instances)}
    shown = _shown(list(made.values()), list(NUMBERS))
    rows: list[str] = []
    met: set[tuple[str, str]] = set()

    def once(name: str, key: str) -> str:
        if key not in cited or (name, key) in met:
            return ""
        met.add((name, key))
        return rf"~\cite{{{key}}}"

    def define(name: str) -> str:
        return _name(name) + once(name, (sources or {}).get(name, ""))

    for e in evidence:
        if not e.instances:
            continue
        rows += [r"\addlinespace"] if rows else []
        rows.append(_heading(_name(e.id), 2 + len(shown), once(e.paper, e.paper)))
        for k, i in enumerate(e.instances):
            on = f"{define(i.learner)} on {define(i.model)}" if i.learner else define(i.model)
            cells = [f"{on}, {_count(i.length)}~{escape(i.unit)}", _verdict(i.verdict)]
            rows.append(" & ".join([*cells, *(made[e.id, k][key] for key in shown)]) + r" \\")
    head = ["instance", "verdict", *(NUMBERS[key][0] for key in shown)]
    caption = _caption(evidence, shown, cited, f"each instance of {_plural(len(evidence), 'claim')}")
    return _table(_layout((0.3, 0.15), shown), head, rows, caption, "tab:instances", "scriptsize", "Instances") + "\n"


def _plural(n: int, what: str) -> str:
    return f"{n} {what}{'' if n == 1 else 's'}"


def _numbers(i: InstanceEvidence) -> dict[str, str]:
    measured = word(i.verdict) in ("MEASURED", "CONSTANT MEASURED", "VACUOUS")
    return {
        "n": _count(i.n),
        "e": DASH if measured else _evalue(i.e_refute if word(i.verdict) in FAILURES else i.e_support),
        "slack": _number(i.slack),
        "bound": _number(i.bound),
        "trivial": _number(i.trivial),
        "from": _from(i),
    }
