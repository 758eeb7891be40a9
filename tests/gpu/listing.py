"""PTX of the loops of learners, with probes and a monitor; prints what the tests look at, as JSON.

A process of its own, since it compiles for a device that is not there: `python -m tests.gpu.listing FOLDER NAME ...`
also writes each text to FOLDER. A name is that of the learner, a dash, and its setting.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from theorylab.conformance import models_for, watched
from theorylab.device import ptx
from theorylab.registry import iter_specs


def look(text: str) -> dict[str, Any]:
    """Target, entry points, calls left, and the instructions that multiply or add doubles, with their counts."""
    double = re.findall(r"^\s*(?:@!?%p\d+ )?((?:fma|mad|mul|add|sub|div|sqrt)\.[a-z0-9.]*f64)\b", text, re.MULTILINE)
    return dict(
        target=re.findall(r"^\.target (\S+)", text, re.MULTILINE),
        entries=len(re.findall(r"\.visible \.entry", text)),
        calls=len(re.findall(r"^\s*call", text, re.MULTILINE)),
        fused=len(re.findall(r"\b(?:fma|mad)\.\S*f(?:32|64)\b", text)),
        double={name: double.count(name) for name in sorted(set(double))},
    )


def main() -> None:
    """Print the looks at the learners named."""
    out, folder, wanted = {}, Path(sys.argv[1]), sys.argv[2:]
    for learner in iter_specs("learners"):
        name = f"{learner.name}-{learner.setting}"
        if name in wanted:
            text = ptx(learner, models_for(learner)[0], **watched(learner.setting))
            out[name] = look(text)
            (folder / f"{name}.ptx").write_text(text, encoding="utf-8")
    sys.stdout.write(json.dumps(out))


if __name__ == "__main__":
    main()
