"""Sphinx settings: MyST pages, reference pages from docstrings, catalogue pages from the registered specs."""

import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "docs" / "_ext")]

with open(ROOT / "pyproject.toml", "rb") as f:
    _project = tomllib.load(f)["project"]

project = "TheoryLab"
author = _project["authors"][0]["name"]
project_copyright = f"2026, {author}"
release = version = _project["version"]

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.mathjax"]
extensions += ["catalogue", "model_pages", "plain_docstrings", "gallery"]
exclude_patterns = ["_build", "_ext"]

html_theme = "furo"
html_title = f"TheoryLab {release}"
html_show_sourcelink = False

myst_enable_extensions = ["dollarmath", "deflist", "colon_fence"]
myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_default_options = {"members": True}
autodoc_typehints = "signature"
autodoc_preserve_defaults = True
maximum_signature_line_length = 100

# a verdict table has 102 columns: in this size they fit the page
_blocks = {"code-font-size": "70%"}
html_theme_options = {"light_css_variables": _blocks, "dark_css_variables": _blocks}
