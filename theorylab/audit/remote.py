"""Agents in another interpreter: the audit's side of a pipe of JSON lines to `theorylab.audit.child`.

For packages whose requirements exclude this one's: the model, its counters and every check stay here, and the child
needs numpy alone. The child's folder of work and search path begin with the current folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import theorylab
from theorylab.audit.agent import Maker, Setup
from theorylab.audit.child import decode, encode
from theorylab.audit.world import OutOfRange, Over
from theorylab.errors import InputError

__all__ = ["Remote", "RemoteAgent", "of_remote"]


class RemoteAgent:
    """An agent that lives in a process of its own."""

    def __init__(self, maker: Remote, setup: Setup | None) -> None:
        root = str(Path(theorylab.__file__).parents[1])
        path = os.pathsep.join([os.getcwd(), root, *filter(None, [os.environ.get("PYTHONPATH")])])
        self.heard = tempfile.TemporaryFile("w+")
        try:
            self.process = subprocess.Popen(
                [maker.python, "-m", "theorylab.audit.child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self.heard,
                text=True,
                env={**os.environ, "PYTHONPATH": path},
            )
        except OSError as wrong:
            raise InputError(f"--python {maker.python}: {wrong.strerror}; give the path of an interpreter") from None
        self.name = maker.name
        message: dict[str, Any] = {"new": maker.name, "params": dict(maker.params)}
        if setup is not None:
            keys = ("setting", "S", "A", "H", "length", "seed")
            message["setup"] = {**{k: getattr(setup, k) for k in keys}, "known": encode(setup.known)}
        self.setup = setup
        self.about = self.ask(message)
        self.last: dict[str, np.ndarray] = {}
        for name, value in self.about.get("traits", {}).items():
            setattr(self, name, value)
        if self.about.get("drives"):
            self.train = self._train
        else:
            self.act, self.observe = self._act, self._observe

    def ask(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and take the answer; an agent's error becomes an `InputError`."""
        assert self.process.stdin is not None and self.process.stdout is not None
        try:
            self.process.stdin.write(json.dumps(message) + "\n")
            self.process.stdin.flush()
            line = self.process.stdout.readline()
        except BrokenPipeError:
            line = ""
        if not line:
            self.heard.seek(0)
            said = [x.strip() for x in self.heard.read().splitlines() if x.strip()] or ["it said nothing"]
            self.audit_close()
            code = self.process.returncode
            raise InputError(f"agent '{self.name}': its interpreter stopped with code {code}: {said[-1]}")
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            self.audit_close()
            raise InputError(answer["error"])
        return answer

    def begin_episode(self) -> None:
        """Tell the agent."""
        self.ask({"begin": True})

    def _act(self, state: int, stage: int) -> Any:
        answer = self.ask({"act": [state, stage]})
        self.last = decode(answer["read"])
        return answer["action"]

    def _observe(self, state: int, action: int, reward: float, next_state: int, done: bool) -> None:
        self.ask({"observe": [state, action, reward, next_state, done]})
        self.last = {}

    def _train(self, env: Any, length: int) -> None:
        assert self.setup is not None
        asked = self.ask({"train": length, "S": self.setup.S, "A": self.setup.A, "H": self.setup.H})
        while "trained" not in asked:
            try:
                if "reset" in asked:
                    answer = {"state": env.reset()[0]}
                else:
                    self.last = decode(asked["read"])
                    state, reward, _, done, _ = env.step(asked["step"])
                    answer = {"state": state, "reward": reward, "done": done}
                    self.last = {}
            except (Over, OutOfRange):
                self.ask({"stop": True})
                self.last = {}
                raise
            asked = self.ask(answer)

    def audit_read(self) -> dict[str, np.ndarray]:
        """What came with the last action; asked for anew where that is spent."""
        return self.last or decode(self.ask({"read": True})["read"])

    def audit_close(self) -> None:
        """End the process by closing its input."""
        assert self.process.stdin is not None and self.process.stdout is not None
        if not self.process.stdin.closed:
            try:
                self.process.stdin.close()
            except BrokenPipeError:
                pass
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()
        self.heard.close()


@dataclass
class Remote(Maker):
    """Makes agents "PACKAGE.MODULE:NAME" in the interpreter `python`, one process a replicate."""

    name: str
    python: str
    params: Mapping[str, Any]

    def __post_init__(self) -> None:
        probe = RemoteAgent(self, None)
        self.knows = tuple(probe.about["knows"])
        probe.audit_close()

    def build(self, setup: Setup) -> RemoteAgent:
        """A fresh process with a fresh agent."""
        return RemoteAgent(self, setup)


def of_remote(name: str, python: str, **params: Any) -> Remote:
    """An agent by name in another interpreter, as a maker of agents."""
    return Remote(name, python, params)
