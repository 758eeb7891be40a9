"""Progress on standard error: a live line on a terminal, otherwise one line every ten seconds."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Any

__all__ = ["Progress"]


class Progress:
    """Call it with a text (what is being done), or `fraction(done, total)`; use as a context manager."""

    def __init__(self, every: float = 10.0) -> None:
        self.every, self.text, self.started = every, "", time.monotonic()
        self.live = sys.stderr.isatty()
        self._stop = threading.Event()
        self._status: Any = None

    def __enter__(self) -> Progress:
        if self.live:
            from rich.console import Console

            self._status = Console(stderr=True).status("")
            self._status.start()
        else:
            threading.Thread(target=self._lines, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._status is not None:
            self._status.stop()

    def _lines(self) -> None:
        while not self._stop.wait(self.every):
            print(f"[{time.monotonic() - self.started:5.0f} s] {self.text}", file=sys.stderr, flush=True)

    def __call__(self, text: str) -> None:
        self.text = text
        if self._status is not None:
            self._status.update(text)

    def fraction(self, done: int, total: int, text: str = "") -> None:
        """Blocks done of a total, and what the last one was."""
        self(f"{done} of {total} blocks  {text}")
