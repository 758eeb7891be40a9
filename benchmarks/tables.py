"""What every table of results begins with: date, processor, load, versions."""

from __future__ import annotations

import datetime
import os
import platform
from pathlib import Path

__all__ = ["header", "processor"]


def processor() -> str:
    """Model name of the processor."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def header(title: str) -> list[str]:
    """Title, date, hardware and versions."""
    import llvmlite
    import numba
    import numpy

    try:
        load = f"{os.getloadavg()[0]:.1f}"
    except OSError:
        load = "unknown"
    return [
        f"# {title}",
        "",
        f"Date {datetime.date.today().isoformat()}; {processor()}, {os.cpu_count()} cores, load average {load};",
        f"Python {platform.python_version()}, numpy {numpy.__version__}, numba {numba.__version__}, "
        f"llvmlite {llvmlite.__version__}.",
        "",
    ]
