"""Progress: a bar or a status on a terminal, a line every ten seconds elsewhere; never on standard output."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from theorylab.progress import Progress

ROOT = Path(__file__).resolve().parents[2]
SHOW = """
import sys
from theorylab.progress import Progress
with Progress() as progress:
    progress("controls of [bold]ucb1[/bold]")
    print("a result")
    progress._bar and progress._bar.rich.refresh()
    progress.fraction(3, 24, "ucb1 on [0.5, 0.6]")
    progress._bar and progress._bar.rich.refresh()
print("done", file=sys.stderr)
"""


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Pipe(io.StringIO):
    """Sets an event when it is written to."""

    def __init__(self) -> None:
        super().__init__()
        self.written = threading.Event()

    def write(self, text: str) -> int:
        count = super().write(text)
        self.written.set()
        return count


def shown(text: str) -> list[str]:
    """What a terminal was sent, without the control sequences, a line each time it was drawn."""
    plain = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text)
    return [line.rstrip() for line in re.split(r"[\r\n]+", plain) if line.strip()]


def test_a_line_every_ten_seconds_and_none_before() -> None:
    clock, out = Clock(), io.StringIO()
    progress = Progress(stream=out, clock=clock)
    progress("controls of ucb1")
    for now, lines in (
        (9.9, 0),
        (10.0, 1),
        (10.1, 1),
        (19.0, 1),
        (20.5, 2),
        (29.0, 2),
        (30.0, 3),
        (75.0, 4),
        (79.0, 4),
    ):
        clock.now = 1000.0 + now
        progress.tick()
        assert out.getvalue().count("\n") == lines, now
    assert out.getvalue().splitlines()[1:] == [
        "[0:00:20] controls of ucb1", "[0:00:30] controls of ucb1", "[0:01:15] controls of ucb1",
    ]  # fmt: skip


def test_the_time_left_is_at_the_rate_since_the_first_count() -> None:
    clock = Clock()
    progress = Progress(stream=io.StringIO(), clock=clock)
    assert progress.times() == "0:00:00"
    clock.now += 100.0  # compilation: not a part of the rate
    progress.fraction(1, 9, "x")
    assert progress.times() == "0:01:40"  # one count gives no rate
    clock.now += 60.0
    progress.fraction(3, 9, "x")
    assert progress.times() == "0:02:40, 0:03:00 left"
    clock.now += 30.0
    assert progress.times() == "0:03:10, 0:04:30 left"  # nothing was done meanwhile
    progress("controls of ucb1")
    assert progress.times() == "0:03:10"
    progress("2 of 5 learners, last ucb1: 3 claims")
    assert progress.times() == "0:03:10"  # another piece of work, its first count
    clock.now += 3600.0
    progress("4 of 5 learners, last psrl: 3 claims")
    assert progress.times() == "1:03:10, 0:30:00 left"


def test_the_rate_forgets_blocks_that_were_stored() -> None:
    clock = Clock()
    progress = Progress(stream=io.StringIO(), clock=clock)
    for done in range(1, 101):
        progress.fraction(done, 200)
    for done in range(101, 121):
        clock.now += 10.0
        progress.fraction(done, 200)
    assert progress.times().endswith(", 0:13:20 left")  # 80 blocks of 10 s


@pytest.mark.parametrize("text", ["3 of them", "of 3 ", "claim: 3 of 4 instances", "3 of 4"])
def test_texts_without_a_count(text: str) -> None:
    progress = Progress(stream=io.StringIO(), clock=Clock())
    progress(text)
    assert progress._total == 0


def test_lines_come_by_themselves_and_stop() -> None:
    out = Pipe()
    with Progress(0.001, stream=out) as progress:
        progress.fraction(3, 24, "ucb1")
        out.written.clear()
        assert out.written.wait(30.0)
    assert "] 3 of 24 blocks  ucb1\n" in out.getvalue()
    assert progress._thread is not None and not progress._thread.is_alive()


def test_a_reader_that_is_gone_does_not_stop_the_work() -> None:
    class Gone(Pipe):
        def write(self, text: str) -> int:
            self.written.set()
            raise BrokenPipeError

    out = Gone()
    with Progress(0.001, stream=out) as progress:
        assert out.written.wait(30.0)
    assert progress._thread is not None and not progress._thread.is_alive()


def test_a_terminal_shows_a_status_and_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "70")
    clock, out = Clock(), Terminal()
    with Progress(stream=out, clock=clock) as progress:
        assert progress._bar is not None and progress._thread is None
        for step in (lambda: progress("controls of [b]x[/b]"), lambda: progress.fraction(6, 24, "y" * 99)):
            clock.now += 5.0
            out.truncate(out.seek(0))
            step()
            progress._bar.rich.refresh()
            lines = shown(out.getvalue())
            assert lines
            if "controls" in lines[-1]:
                assert "━" not in lines[-1] and lines[-1].endswith("0:00:05 controls of [b]x[/b]")
            else:
                # 24 columns: a quarter of them are done; too long a text is cut at the end of the line
                assert re.search(r"━{6}\S*━ 0:00:10 6 of 24 blocks  y+…$", lines[-1]), lines
                assert len(lines[-1]) <= 70
        out.truncate(out.seek(0))
    assert "\x1b[2K" in out.getvalue() and out.getvalue().endswith("\x1b[2K")  # the line is wiped


def test_a_terminal_that_rewrites_nothing_gets_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "dumb")
    out = Terminal()
    with Progress(stream=out) as progress:
        assert progress._bar is None
    assert out.getvalue() == ""


@pytest.mark.parametrize("terminal", [False, True])
def test_standard_output_is_left_alone(terminal: bool) -> None:
    """As a process: standard error a pipe, or a pseudo-terminal; standard output a pipe."""
    reader, writer = os.openpty() if terminal else os.pipe()
    env = {**os.environ, "PYTHONPATH": str(ROOT), "TERM": "xterm", "COLUMNS": "90"}
    done = subprocess.run([sys.executable, "-c", SHOW], stdout=subprocess.PIPE, stderr=writer, env=env, check=True)
    os.close(writer)
    seen = b""
    try:
        while part := os.read(reader, 65536):
            seen += part
    except OSError:  # how a pseudo-terminal says that its other side is closed
        pass
    os.close(reader)
    assert done.stdout == b"a result\n"
    lines = shown(seen.decode())
    assert lines[-1] == "done"
    if terminal:
        assert any(line.endswith("controls of [bold]ucb1[/bold]") for line in lines)
        assert any("━" in line and line.endswith("3 of 24 blocks  ucb1 on [0.5, 0.6]") for line in lines)
    else:
        assert lines == ["done"]
