"""SVG for pages: text as text, and without what only an editor needs, in about a fifth of the bytes.

Letters are Times-like, of the reader's fonts where STIX is not installed: their widths nearly agree. Files for papers,
with letters as outlines, are those of `theorylab.figure_style.render`.
"""

from __future__ import annotations

import io
import re

from matplotlib import style
from matplotlib.figure import Figure

from theorylab.figure_style import paper_style

__all__ = ["page_svg", "small_svg"]

_DROPPED = r"<\?xml.*?\?>|<!DOCTYPE.*?>|<metadata>.*?</metadata>|<!--.*?-->"
_FAMILY = "STIXGeneral, 'STIX Two Text', 'Times New Roman', Times, serif"
_MARK = re.compile(r'<use xlink:href="(#\w+)" x="([^"]*)" y="([^"]*)" style="([^"]*)"/>')


def page_svg(figure: Figure) -> bytes:
    """The figure for a page; the same bytes for the same figure."""
    out = io.BytesIO()
    with paper_style("neurips"), style.context({"svg.fonttype": "none", "svg.hashsalt": "theorylab"}):
        figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None})
    return small_svg(out.getvalue().decode("utf-8")).encode("utf-8")


def small_svg(text: str) -> str:
    """Matplotlib's SVG with short identifiers, unused ones dropped, one line a tag.

    Numbers of tags have 4 digits or 1 decimal, those of texts are left alone; styles that follow each other are given
    once. A point is 1/72 inch: nothing moves by more than 0.05 of it.
    """
    text = re.sub(_DROPPED, "", text, flags=re.DOTALL)
    used = dict.fromkeys(re.findall(r'(?:href="|url\()#([\w-]+)', text))
    short = {name: f"a{i:x}" for i, name in enumerate(used)}
    text = re.sub(r' id="([\w-]+)"', lambda m: f' id="{short[m[1]]}"' if m[1] in short else "", text)
    text = re.sub(r'(href="|url\()#([\w-]+)', lambda m: f"{m[1]}#{short[m[2]]}", text)
    text = re.sub(r"<[^>]*>", lambda tag: re.sub(r"-?\d+\.\d+", lambda m: _number(float(m[0])), tag[0]), text)
    text = re.sub(r"\s+", " ", text).replace('" />', '"/>')
    text = re.sub(r'style="[^"]*"', lambda m: m[0].replace(": ", ":").replace("; ", ";"), text)
    text = re.sub(r"'STIXGeneral', 'DejaVu Sans'(, \w+)*", _FAMILY, text)
    text = re.sub(r' d="[^"]*"', lambda m: re.sub(r" ?([MLQCz]) ?", r"\1", m[0]), text)
    lines = text.strip().replace("> <", "><").replace("><", ">\n<").split("\n")
    return "\n".join(_grouped(_without_bare_groups(lines))) + "\n"


def _without_bare_groups(lines: list[str]) -> list[str]:
    """Groups without attributes say nothing."""
    out, kept = [], []
    for line in lines:
        if line.startswith("<g") and not line.endswith("/>"):
            kept.append(line != "<g>")
        if line == "<g>" or (line == "</g>" and not kept.pop()):
            continue
        out.append(line)
    return out


def _grouped(lines: list[str]) -> list[str]:
    """Marks in a row of one style, in a group that has it."""
    out: list[str] = []
    last = None
    for line in lines:
        mark = _MARK.fullmatch(line)
        look = mark[4] if mark else None
        if look != last and last is not None:
            out.append("</g>")
        if mark and look != last:
            out.append(f'<g style="{look}">')
        out.append(f'<use xlink:href="{mark[1]}" x="{mark[2]}" y="{mark[3]}"/>' if mark else line)
        last = look
    return [*out, "</g>"] if last is not None else out


def _number(x: float) -> str:
    return f"{x:.4g}" if abs(x) < 1 else f"{round(x, 1):.10g}"
