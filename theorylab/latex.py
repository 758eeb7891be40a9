"""The verdict table for a paper: LaTeX, booktabs, a row per claim and instance.

All text is escaped for pdfLaTeX; a character that it may lack stands as its code point, U+1F600, so that the table
always compiles and nothing is lost.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence

from theorylab.evidence import Evidence
from theorylab.table import clean, e_value, number, word

__all__ = ["escape", "latex_table"]

SPECIAL = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
    "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "<": r"\textless{}", ">": r"\textgreater{}",
    "|": r"\textbar{}", '"': "''", "-": "{-}", "[": "{[}", "]": "{]}", "\N{EN DASH}": "--", "\N{EM DASH}": "---",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}", "\N{MULTIPLICATION SIGN}": r"\ensuremath{\times}",
    "\N{LESS-THAN OR EQUAL TO}": r"\ensuremath{\le}", "\N{GREATER-THAN OR EQUAL TO}": r"\ensuremath{\ge}",
    "\N{INFINITY}": r"\ensuremath{\infty}", "\N{N-ARY SUMMATION}": r"\ensuremath{\sum}",
    "\N{SQUARE ROOT}": r"\ensuremath{\surd}", "\N{MINUS SIGN}": r"\ensuremath{-}",
    "\N{ELEMENT OF}": r"\ensuremath{\in}", "\N{ALMOST EQUAL TO}": r"\ensuremath{\approx}",
}  # fmt: skip
GREEK = {"SMALL LETTER LAMDA": "lambda", "CAPITAL LETTER LAMDA": "Lambda"}
#: capital letters that TeX has no command for, since they look Latin; omicron likewise
LATIN = {"ALPHA", "BETA", "EPSILON", "ZETA", "ETA", "IOTA", "KAPPA", "MU", "NU", "OMICRON", "RHO", "TAU", "CHI"}
HEAD = r"Claim & Instance & Verdict & $n$ & $e$-value & Slack & Bound & Trivial & Content from \\"


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
    """Text that LaTeX sets as it stands; control characters become U+FFFD."""
    return "".join(_character(c) for c in clean(text))


def _number(value: float | None) -> str:
    """A number in LaTeX: 3.4e8 as a product with a power of ten; "--" for None."""
    text = number(value, missing="")
    if not text:
        return "--"
    if text in ("inf", "-inf"):
        return rf"${text.replace('inf', chr(92) + 'infty')}$"
    mantissa, _, exponent = text.partition("e")
    return rf"${mantissa} \times 10^{{{exponent}}}$" if exponent else f"${text}$"


def _power(text: str) -> str:
    return _number(float(text)) if text != "-" else "--"


def _verdict(verdict: str) -> str:
    name = word(verdict)
    return escape(name.replace("_", " ").capitalize() + verdict.removeprefix(name).replace("ON", "on"))


def latex_table(evidence: Sequence[Evidence], *, cited: Collection[str] = ()) -> str:
    r"""A `tabular` with booktabs rules; needs `\usepackage{booktabs}`.

    `cited` holds the papers whose keys are in the bibliography: their claims carry a `\cite`. Where a claim has several
    instances, or its verdict is not its instance's, a row for the claim stands first.
    """
    lines = [
        "% needs \\usepackage{booktabs}, and references.bib for the citations",
        r"\begin{tabular}{@{}lllrrrrrr@{}}",
        r"\toprule",
        HEAD,
    ]
    for paper in dict.fromkeys(e.paper for e in evidence):
        lines.append(r"\midrule")
        for k, e in enumerate(e for e in evidence if e.paper == paper):
            cite = rf"~\cite{{{paper}}}" if k == 0 and paper in cited else ""
            name = escape(e.id) + cite
            alone = len(e.instances) == 1 and e.instances[0].verdict == e.verdict
            if not alone:
                what = "all models" if e.scope == "models" and not e.instances else f"all ({len(e.instances)})"
                cells = [name, what, _verdict(e.verdict), _number(e.n), _number(e.e_value or None), _number(e.slack)]
                lines.append(" & ".join([*cells, "--", "--", _number(e.nonvacuous_from)]) + r" \\")
            for i in e.instances:
                value = _power(e_value(i.verdict, i.e_support, i.e_refute))
                content = r"$> 10^{18}$" if i.vacuous and i.nonvacuous_from is None else _number(i.nonvacuous_from)
                cells = [
                    name if alone else "",
                    f"{escape(i.learner)} on {escape(i.model)}, {_number(i.length)} {escape(i.unit)}",
                    _verdict(i.verdict), _number(i.n), value, _number(i.slack), _number(i.bound), _number(i.trivial),
                    content,
                ]  # fmt: skip
                lines.append(" & ".join(cells) + r" \\")
    return "\n".join([*lines, r"\bottomrule", r"\end{tabular}"]) + "\n"
