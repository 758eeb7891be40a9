"""Progress on standard error: a bar or a status on a terminal, otherwise a line every ten seconds."""

from __future__ import annotations

import contextlib
import re
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any, TextIO

__all__ = ["Progress"]

#: how a text begins that says how much of the whole is done: "3 of 24 blocks"
COUNTED = re.compile(r"(\d+) of (\d+) ")
RECENT = 20  # counted texts that the rate is taken over: blocks that were stored before do not spoil it for long


class Progress:
    """Call it with a text (what is being done), or `fraction(done, total)`; use as a context manager.

    A text that begins with "k of n " says how much is done. Then a terminal shows a bar, the time passed and the time
    left at the rate of late, else a status with the time passed; it is gone at the end. What is no terminal gets a line
    with the last text and these times every `every` seconds, hence nothing in shorter runs. Standard output is never
    written to.
    """

    def __init__(
        self, every: float = 10.0, *, stream: TextIO | None = None, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.every, self.stream, self.clock = every, stream or sys.stderr, clock
        self.text, self.started = "at work", clock()
        self._printed, self._total = 0, 0
        self._counts: deque[tuple[float, int]] = deque(maxlen=RECENT)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._bar: _Bar | None = None

    def __enter__(self) -> Progress:
        if self.stream.isatty():
            self._bar = _Bar.on(self.stream, self)
        if self._bar is None:
            self._thread = threading.Thread(target=self._lines, daemon=True)
            self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        if self._bar is not None:
            self._bar.rich.stop()
        if self._thread is not None:
            self._thread.join()

    def __call__(self, text: str) -> None:
        found = COUNTED.match(text)
        done, total = (int(found[1]), int(found[2])) if found else (0, 0)
        if total != self._total or (self._counts and done < self._counts[-1][1]):  # another piece of work
            self._counts.clear()
        if found:
            self._counts.append((self.clock(), done))
        self.text, self._total = text, total
        if self._bar is not None:
            self._bar.show(text, done, total)

    def fraction(self, done: int, total: int, text: str = "") -> None:
        """Blocks done of a total, and what the last one was."""
        self(f"{done} of {total} blocks  {text}")

    def times(self) -> str:
        """The time passed and, from the second counted text on, the time left: "0:00:12, 0:01:10 left"."""
        passed, left = _clock(self.clock() - self.started), ""
        if self._counts and self._counts[-1][1] > self._counts[0][1]:
            (since, first), (_, done) = self._counts[0], self._counts[-1]
            left = f", {_clock((self.clock() - since) / (done - first) * (self._total - done))} left"
        return passed + left

    def tick(self) -> None:
        """Print a line if one is due, `every` seconds after the last or after the start."""
        due = int((self.clock() - self.started) / self.every)
        if due > self._printed:
            self._printed = due
            print(f"[{self.times()}] {self.text}", file=self.stream, flush=True)

    def _lines(self) -> None:
        with contextlib.suppress(OSError, ValueError):  # nobody reads any more, or it is closed: the work goes on
            while not self._stop.wait(self.every - (self.clock() - self.started) % self.every):
                self.tick()


def _clock(seconds: float) -> str:
    minutes, s = divmod(round(seconds), 60)
    return f"{minutes // 60}:{minutes % 60:02d}:{s:02d}"


class _Bar:
    """The live line on a terminal: a `rich` progress display whose columns depend on whether there is a count."""

    def __init__(self, rich: Any, plain: tuple[Any, ...], counted: tuple[Any, ...]) -> None:
        self.rich, self.plain, self.counted = rich, plain, counted
        self.task = rich.add_task("at work", total=None)
        rich.start()

    def show(self, text: str, done: int, total: int) -> None:
        self.rich.columns = self.counted if total else self.plain
        self.rich.update(self.task, description=text, completed=done, total=total or None)

    @classmethod
    def on(cls, stream: TextIO, progress: Progress) -> _Bar | None:
        """The display, or None for a terminal on which lines cannot be rewritten."""
        from rich.console import Console
        from rich.progress import BarColumn, ProgressColumn, SpinnerColumn, TextColumn
        from rich.progress import Progress as Rich
        from rich.table import Column
        from rich.text import Text

        class Times(ProgressColumn):
            def render(self, task: Any) -> Text:
                return Text(progress.times())

        console = Console(file=stream)
        if not console.is_terminal or console.is_dumb_terminal:
            return None
        fixed = Column(no_wrap=True)
        what = TextColumn(
            "{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")
        )
        plain = (SpinnerColumn(table_column=fixed), Times(fixed), what)
        counted = (*plain[:1], BarColumn(24, table_column=fixed), *plain[1:])
        # what others print goes above the bar where that is the same place, and nowhere else
        rich = Rich(
            *plain, console=console, transient=True, expand=True, refresh_per_second=5,
            redirect_stdout=sys.stdout.isatty(), redirect_stderr=stream is sys.stderr,
        )  # fmt: skip
        return cls(rich, plain, counted)
