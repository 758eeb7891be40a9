"""A report in a browser: headless Chromium, driven over its DevTools pipe, measures the page as a reader has it.

No console messages, no requests, nothing wider than the window from phones to desks, folds open on paper, every figure
drawn, every link leads somewhere. Skipped where no Chromium is installed.
"""

from __future__ import annotations

import base64
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.report.conftest import HOSTILE, claim, instance
from theorylab.evidence import Evidence
from theorylab.report import write_report

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome", "chrome-headless-shell")
PROGRAM = next(filter(None, map(shutil.which, NAMES)), None)
pytestmark = pytest.mark.skipif(PROGRAM is None, reason=f"no Chromium is installed ({', '.join(NAMES)})")
WIDTHS = (360, 390, 768, 1160, 1300)
LIMIT = 120.0
RENUMBER = (
    "import os, sys; [os.dup2(int(a), n) for a, n in zip(sys.argv[1:], (3, 4))]; os.execv(sys.argv[3], sys.argv[3:])"
)

#: elements that stand out of the window, but for commands, which scroll by themselves, and headings kept for listeners
WIDE = """(() => {
  const clipped = e => e && getComputedStyle(e).clipPath !== 'none';
  const inside = e => e.closest('pre') || clipped(e.closest('thead'));
  return {
    page: document.scrollingElement.scrollWidth, window: innerWidth,
    out: [...document.body.querySelectorAll('*')].filter(e => !e.closest('svg') && !inside(e))
      .filter(e => e.getClientRects().length && e.getBoundingClientRect().right > innerWidth + 1)
      .map(e => e.tagName + ' ' + e.textContent.slice(0, 60)),
  };
})()"""
FIGURES = """[...document.querySelectorAll('figure svg')].map(s => {
  const shown = [...s.querySelectorAll('path, use')].filter(e => e.getBoundingClientRect().width > 0).length;
  const box = s.getBoundingClientRect();
  return {name: s.getAttribute('aria-label'), width: box.width, height: box.height, shown};
})"""
LINKS = """[...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href').slice(1))
  .filter(id => !document.getElementById(id))"""
FOLDS = """[...document.querySelectorAll('details')].map(d => {
  const inner = d.querySelector('table');
  return {open: d.open, shown: inner.checkVisibility({contentVisibilityAuto: true}), height: inner.offsetHeight};
})"""
#: contrast of text with what lies behind it, by WCAG; the least of each element with text of its own
CONTRAST = """(() => {
  const parse = c => c.match(/[\\d.]+/g).map(Number);
  const lum = ([r, g, b]) => [r, g, b].map(v => v / 255).map(v => v <= .04045 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((s, v, k) => s + v * [.2126, .7152, .0722][k], 0);
  const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor);
    if (c.length < 4 || c[3] > 0) return c; } return [255, 255, 255]; };
  return [...document.body.querySelectorAll('*')].filter(e => !e.closest('svg'))
    .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()))
    .map(e => { const a = lum(parse(getComputedStyle(e).color)), b = lum(behind(e));
      return [(Math.max(a, b) + .05) / (Math.min(a, b) + .05), e.tagName + ' ' + e.textContent.slice(0, 40)]; })
    .reduce((least, one) => one[0] < least[0] ? one : least, [99, '']);
})()"""


class Browser:
    """One headless Chromium with one page; `sent` and `said` hold its requests and console messages."""

    def __init__(self, home: Path) -> None:
        ours, theirs = os.pipe(), os.pipe()
        # the pipe's ends must be 3 and 4 there: keep these above, so that neither lies in the way
        into, out = (fcntl.fcntl(fd, fcntl.F_DUPFD, 10) for fd in (theirs[0], ours[1]))
        options = ["--headless", "--no-sandbox", "--disable-gpu", "--remote-debugging-pipe", f"--user-data-dir={home}"]
        options += [
            "--no-first-run",
            "--disable-background-networking",
            "--disable-extensions",
            "--disable-dev-shm-usage",
        ]
        self.process = subprocess.Popen(
            [sys.executable, "-IS", "-c", RENUMBER, str(into), str(out), str(PROGRAM), *options, "about:blank"],
            pass_fds=(into, out),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for fd in (theirs[0], ours[1], into, out):
            os.close(fd)
        self.write, self.read = theirs[1], ours[0]
        self.rest, self.next, self.session = b"", 0, ""
        self.sent: list[str] = []
        self.said: list[str] = []
        self.loaded = False
        target = self("Target.createTarget", url="about:blank")["targetId"]
        self.session = self("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self(f"{domain}.enable")
        self("Emulation.setScrollbarsHidden", hidden=True)

    def __call__(self, method: str, **params: Any) -> Any:
        self.next += 1
        asked = {"id": self.next, "method": method, "params": params}
        if self.session:
            asked["sessionId"] = self.session
        os.write(self.write, json.dumps(asked).encode() + b"\0")
        while (got := self._message()).get("id") != self.next:
            self._heard(got)
        assert "error" not in got, got
        return got["result"]

    def _message(self) -> dict[str, Any]:
        end = time.monotonic() + LIMIT
        while b"\0" not in self.rest:
            some = os.read(self.read, 1 << 20)
            assert some and time.monotonic() < end, "the browser has gone"
            self.rest += some
        head, _, self.rest = self.rest.partition(b"\0")
        message: dict[str, Any] = json.loads(head)
        return message

    def _heard(self, event: dict[str, Any]) -> None:
        params = event.get("params", {})
        match event.get("method"):
            case "Network.requestWillBeSent":
                self.sent.append(params["request"]["url"])
            case "Runtime.consoleAPICalled" | "Runtime.exceptionThrown" | "Log.entryAdded":
                self.said.append(json.dumps(params))
            case "Page.loadEventFired":
                self.loaded = True

    def open(self, page: Path) -> None:
        self.sent, self.said, self.loaded = [], [], False
        self("Page.navigate", url=page.as_uri())
        while not self.loaded:
            self._heard(self._message())

    def ask(self, script: str) -> Any:
        answer = self("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"]["value"]

    def view(self, width: int, *, media: str = "", dark: bool = False) -> None:
        self("Emulation.setDeviceMetricsOverride", width=width, height=900, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self("Emulation.setEmulatedMedia", media=media, features=[scheme])

    def close(self) -> None:
        os.write(self.write, json.dumps({"id": 0, "method": "Browser.close"}).encode() + b"\0")
        self.process.wait(30)
        os.close(self.write)
        os.close(self.read)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    one = Browser(tmp_path_factory.mktemp("profile"))
    yield one
    one.close()


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three claims: one with figures, one refuted, one with hostile names and long ones."""
    n = [1.0, 4.0, 16.0, 64.0, 128.0]
    sides = {"log_e_support": [0.04 * x for x in n], "log_e_refute": [-0.04 * x for x in n]}
    path = {"n": n, **sides, "threshold_support": [4.6] * 5, "threshold_refute": [6.9] * 5}
    long = instance("SUPPORTED", model="a_very_long_model_name_without_any_place_to_break_it_" * 2, curve={})
    made = [
        claim("auer2002.thm1", "SUPPORTED", instance("SUPPORTED", e_path=path), long),
        claim("jin2018.optimism", "REFUTED", instance("REFUTED", violations=9, n=9, first=37), kills={}),
        claim("nobody1999.hostile", "INCONCLUSIVE", instance("INCONCLUSIVE", model=HOSTILE, note=HOSTILE),
              text=HOSTILE, kills={}),
    ]  # fmt: skip
    return write_report(tmp_path_factory.mktemp("small"), made)


def pages(pdf: bytes) -> int:
    return len(re.findall(rb"/Type\s*/Page\b", pdf))


def inspect(browser: Browser, page: Path) -> None:
    """All that a reader must not meet; the page stays open."""
    browser.view(1300)
    browser.open(page)
    assert browser.said == [] and browser.sent == [page.as_uri()]
    assert browser.ask(LINKS) == []
    for width in WIDTHS:
        browser.view(width)
        found = browser.ask(WIDE)
        assert found["window"] == width and found["page"] <= width and found["out"] == [], (width, found)
        for figure in browser.ask(FIGURES):
            assert figure["width"] > 150 and figure["height"] > 100 and figure["shown"] > 20 and figure["name"], figure
    for media, dark in (("", False), ("", True), ("print", False)):
        browser.view(1300, media=media, dark=dark)
        least, where = browser.ask(CONTRAST)
        assert least >= 4.5, (media, dark, where)
    browser.view(1040, media="print")  # A4 landscape within its margins
    assert browser.ask(WIDE)["out"] == []
    assert all(f["shown"] and f["height"] > 10 for f in browser.ask(FOLDS))
    assert browser.sent == [page.as_uri()] and browser.said == []


def test_a_report_as_a_reader_has_it(browser: Browser, small: Path) -> None:
    inspect(browser, small)
    folds = browser.ask(FOLDS)
    assert folds and not any(f["open"] for f in folds)
    browser.view(1300)
    assert not any(f["shown"] for f in browser.ask(FOLDS))  # the fold is closed on a screen
    assert len(browser.ask(FIGURES)) == 2


def test_the_measures_can_fail(browser: Browser, small: Path, tmp_path: Path) -> None:
    """A copy with a wide table, a dead link, a request, a console message, pale text and folds hidden in print."""
    text = small.read_text(encoding="utf-8")
    text = re.sub(r"<meta http-equiv[^>]*>", "", text).replace("details::details-content", "details.none")
    spoilt = """<a href="#nowhere">x</a><p style="width: 1200px; color: #bbb">wide</p><img src="gone.png" alt="">
      <script>console.error("x")</script></body>"""
    page = tmp_path / "index.html"
    page.write_text(text.replace("</body>", spoilt), encoding="utf-8")
    browser.view(768)
    browser.open(page)
    assert browser.sent == [page.as_uri(), (tmp_path / "gone.png").as_uri()] and len(browser.said) >= 1
    assert browser.ask(LINKS) == ["nowhere"]
    found = browser.ask(WIDE)
    assert found["page"] > 768 and any(e.startswith("P wide") for e in found["out"])
    assert browser.ask(CONTRAST)[0] < 4.5
    browser.view(1040, media="print")
    assert not any(f["shown"] for f in browser.ask(FOLDS))


def test_the_page_refuses_to_fetch(browser: Browser, small: Path, tmp_path: Path) -> None:
    """Its policy stops what a hostile text might smuggle in, were it not escaped."""
    page = tmp_path / "index.html"
    smuggled = '<img src="http://127.0.0.1:9/x.png" alt=""><script>document.title = "ran"</script></body>'
    page.write_text(small.read_text(encoding="utf-8").replace("</body>", smuggled), encoding="utf-8")
    browser.open(page)
    assert browser.ask("document.title") != "ran" and any("Content Security Policy" in line for line in browser.said)


@pytest.mark.long
def test_every_verdict_as_a_reader_has_it(
    browser: Browser, tmp_path: Path, evidence: list[Evidence], recwarn: pytest.WarningsRecorder
) -> None:
    page = write_report(tmp_path / "report", evidence)
    inspect(browser, page)
    pdf = base64.b64decode(browser("Page.printToPDF", preferCSSPageSize=True, printBackground=False)["data"])
    assert 5 < pages(pdf) < 60


@pytest.mark.long
def test_a_figure_is_not_cut_by_the_end_of_a_page(browser: Browser, small: Path) -> None:
    """Every figure, row, statement and command asks for one page; a heading stays with what follows."""
    browser.view(1040, media="print")
    browser.open(small)
    styles = browser.ask(
        """Object.fromEntries(['figure', 'tr', '.statement', 'pre', 'h3', 'thead'].map(s => {
          const c = getComputedStyle(document.querySelector(s));
          return [s, [c.breakInside, c.breakAfter, c.display]]; }))"""
    )
    assert {k for k, v in styles.items() if v[0] == "avoid"} >= {"figure", "tr", ".statement", "pre"}
    assert styles["h3"][1] == "avoid" and styles["thead"][2] == "table-header-group"
