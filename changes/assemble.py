"""CHANGELOG.md from fragments: one file a change, so that parallel changes never touch the same lines.

A fragment is `changes/NNNN-name.md`: a first line `TYPE: added|changed|fixed`, then prose. Fragments directly in
the folder are unreleased; those in `changes/VERSION/` belong to that version. Newest version first; within a
version by type, then by number.

    python changes/assemble.py            write CHANGELOG.md
    python changes/assemble.py --check    exit 1 if CHANGELOG.md is not what the fragments give
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

TYPES = ("added", "changed", "fixed")
NAME = re.compile(r"\d{4}-[a-z0-9-]+\.md")
HEADER = (
    "# Changelog\n\nAssembled from `changes/` by `make changelog`; add a fragment there instead of editing this file.\n"
)


def read(path: Path) -> tuple[str, str]:
    """Type and prose of a fragment. A fragment out of form: `ValueError` with the mend."""
    first, _, prose = path.read_text(encoding="utf-8").partition("\n")
    kind = first.removeprefix("TYPE:").strip()
    if not first.startswith("TYPE:") or kind not in TYPES:
        raise ValueError(f"{path.name}: the first line is {first!r}; it must be 'TYPE: ' and one of {', '.join(TYPES)}")
    if not prose.strip():
        raise ValueError(f"{path.name}: no prose after the type; say what changed, for a user of the library")
    if not NAME.fullmatch(path.name):
        raise ValueError(f"{path.name}: call it NNNN-name.md, as in 0007-ucrl2.md")
    return kind, prose.strip()


def section(title: str, folder: Path) -> str:
    """The changelog's section of one folder of fragments; empty text if it has none."""
    found = [read(p) for p in sorted(folder.glob("*.md")) if p.name != "README.md"]
    if not found:
        return ""
    lines = [f"## {title}", ""]
    for kind in TYPES:
        texts = [prose for k, prose in found if k == kind]
        if texts:
            lines += [f"### {kind.capitalize()}", ""]
            lines += ["- " + text.replace("\n", "\n  ") for text in texts]
            lines.append("")
    return "\n".join(lines)


def assemble(folder: Path) -> str:
    """The whole changelog of a folder of fragments."""
    versions = [p for p in folder.iterdir() if p.is_dir() and re.fullmatch(r"\d+(\.\d+)*", p.name)]
    versions.sort(key=lambda p: tuple(int(n) for n in p.name.split(".")), reverse=True)
    parts = [section("Unreleased", folder), *(section(p.name, p) for p in versions)]
    return "\n".join([HEADER, *(p for p in parts if p)])


def main(arguments: list[str]) -> int:
    """Write, or with --check compare."""
    folder = Path(__file__).parent
    target, text = folder.parent / "CHANGELOG.md", assemble(folder)
    if "--check" in arguments:
        return int(not target.exists() or target.read_text(encoding="utf-8") != text)
    target.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
