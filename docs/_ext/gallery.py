"""The directive of the gallery: commands that are run when the page is read, and the figure that the last one draws.

    ```{gallery}
    theorylab run width.toml
    theorylab figure results/width --kind curves
    ```

Lines are run in order in one scratch folder for the whole page; one that ends with a backslash goes on in the next, and
one that begins with `python` is given to this interpreter. A block of the page named by `:file: NAME` is written there
first. The figure, as SVG, and its caption come from the stored results as `theorylab figure` finds them. A command that
fails stops the build with what it said; exit codes 1 and 3 of a check are verdicts and no failures.
"""

from __future__ import annotations

import argparse
import os
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
FOLDER = "_build/gallery"  # of pictures, below docs; not in version control
VERDICTS = (0, 1, 3)


def run(line: str, folder: Path) -> None:
    """Run a command line in the folder. Raises RuntimeError with what it said if it fails."""
    program, *arguments = shlex.split(line)
    start = [sys.executable, "-m", "theorylab"] if program == "theorylab" else [sys.executable]
    target = None
    if ">" in arguments:
        target, arguments = folder / arguments[-1], arguments[: arguments.index(">")]
    path = os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
    done = subprocess.run([*start, *arguments], cwd=folder, env={**os.environ, "PYTHONPATH": path},
                          capture_output=True, text=True)  # fmt: skip
    if done.returncode not in VERDICTS:
        raise RuntimeError(f"`{line}` ended with exit code {done.returncode}: {done.stderr.strip()[-2000:]}")
    if target is not None:
        target.write_text(done.stdout, encoding="utf-8")


def drawing(line: str, folder: Path) -> Any:
    """The one drawing that a line `theorylab figure ...` makes of the stored results, and its size."""
    from theorylab.figure_command import drawings_of

    options = argparse.ArgumentParser()
    options.add_argument("source")
    options.add_argument("claim", nargs="?")
    for name in ("kind", "policy", "size", "format"):
        options.add_argument(f"--{name}")
    given = options.parse_args(shlex.split(line)[2:])
    place = folder / given.source
    (one, *more) = drawings_of(place if place.exists() else Path(given.source), given.claim, given.kind, given.policy)
    if more:
        raise RuntimeError(f"`{line}` draws {1 + len(more)} figures; name the claim and the kind of one")
    return one, given.size or "neurips"


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    from docutils import nodes
    from docutils.parsers.rst import directives
    from sphinx.util.docutils import SphinxDirective

    def scratch(env: Any) -> Path:
        if not hasattr(env, "gallery_folder"):
            env.gallery_folder = Path(tempfile.mkdtemp(prefix="gallery-"))
        return Path(env.gallery_folder)

    class Gallery(SphinxDirective):
        has_content = True
        option_spec = {"file": directives.unchanged_required}  # noqa: RUF012

        def run(self) -> list[nodes.Node]:
            folder, text = scratch(self.env), "\n".join(self.content)
            name = self.options.get("file")
            shown = nodes.literal_block(text, text, language="toml" if name else "console")
            if name is not None:
                (folder / name).write_text(text + "\n", encoding="utf-8")
                return [shown]
            self.env.note_dependency(__file__)
            lines = text.replace("\\\n", " ").splitlines()
            for line in lines:
                if not line.startswith("theorylab figure "):
                    run(line, folder)
            from theorylab.figure_style import render

            one, size = drawing(lines[-1], folder)
            pictures = Path(self.env.srcdir) / FOLDER
            pictures.mkdir(parents=True, exist_ok=True)
            name = f"{self.env.new_serialno('gallery'):02d}-{one.name}.svg"  # two plans of one model share a name
            (pictures / name).write_bytes(render(one.draw(size), "svg"))
            image = nodes.image(uri=f"{FOLDER}/{name}", alt=one.caption)
            return [shown, nodes.figure("", image, nodes.caption(one.caption, one.caption))]

    def clear(app: Sphinx, env: Any) -> None:
        if hasattr(env, "gallery_folder"):
            shutil.rmtree(env.gallery_folder)
            del env.gallery_folder

    app.add_directive("gallery", Gallery)
    app.connect("env-updated", clear)
    return {"version": "1", "parallel_read_safe": False}
