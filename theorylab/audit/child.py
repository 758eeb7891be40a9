"""The other end of `theorylab.audit.remote`: runs an agent in its own interpreter, which needs only numpy.

    python -m theorylab.audit.child

Lines of JSON come in on standard input and go out on what was standard output; what the agent prints goes to standard
error. A request is one of `new`, `begin`, `act` (answers with the action and the read-outs), `observe`, `read`,
`train`. During `train` the agent's calls of `reset` and `step` go out as `reset` and `step`, and their answers come
in. An error goes out as `error`, with the last line of its traceback.
"""

from __future__ import annotations

import base64
import json
import os
import sys
from typing import Any, TextIO

import numpy as np

from theorylab.audit.agent import TRAITS, Setup, drives, failing, of_class, read
from theorylab.errors import InputError

__all__ = ["decode", "encode", "main"]


class _Stop(BaseException):
    """The parent needs no more steps."""


def encode(arrays: dict[str, np.ndarray]) -> dict[str, Any]:
    """Arrays as JSON: type, shape, bytes."""
    return {
        k: [v.dtype.str, v.shape, base64.b64encode(np.ascontiguousarray(v).tobytes()).decode()]
        for k, v in arrays.items()
    }


def decode(lines: dict[str, Any]) -> dict[str, np.ndarray]:
    """The arrays of `encode`, writable."""
    return {
        k: np.frombuffer(base64.b64decode(data), dtype=kind).reshape(shape).copy()
        for k, (kind, shape, data) in lines.items()
    }


class _Env:
    """The environment of an agent that drives the loop, in the child."""

    def __init__(self, ask: Any, agent: Any) -> None:
        self.ask, self.agent = ask, agent

    def reset(self) -> int:
        """First state of an episode."""
        return int(self.ask({"reset": True})["state"])

    def step(self, action: Any) -> tuple[int, float, bool]:
        """Play an action."""
        found = self.ask({"step": _number(action), "read": encode(read(self.agent))})
        return int(found["state"]), float(found["reward"]), bool(found["done"])


def _number(action: Any) -> Any:
    return (
        action.item()
        if isinstance(action, np.generic) or (isinstance(action, np.ndarray) and action.size == 1)
        else action
    )


def main() -> None:
    """Serve until standard input ends."""
    out = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what agents print, in C as well, must not meet the protocol
    source: TextIO = sys.stdin
    agent: Any = None
    name = ""

    def send(message: dict[str, Any]) -> None:
        out.write(json.dumps(message, default=str) + "\n")
        out.flush()

    def ask(message: dict[str, Any]) -> dict[str, Any]:
        send(message)
        line = source.readline()
        if not line:
            raise SystemExit(0)
        answer: dict[str, Any] = json.loads(line)
        if "stop" in answer:
            raise _Stop
        return answer

    def serve(m: dict[str, Any]) -> dict[str, Any]:
        nonlocal agent, name
        if "new" in m:
            name = m["new"]
            maker = of_class(name, **m["params"])
            if "setup" not in m:
                return {"knows": list(maker.knows)}
            agent = maker.build(Setup(**{**m["setup"], "known": decode(m["setup"]["known"])}))
            traits = {k: getattr(agent, k, v) for k, v in TRAITS.items()}
            return {"drives": drives(agent, name), "traits": traits}
        if "begin" in m:
            begin = getattr(agent, "begin_episode", None)
            with failing(name, "begin_episode"):
                return {"done": None if begin is None else begin() and None}
        if "act" in m:
            state, stage = m["act"]
            with failing(name, f"act (state {state}, stage {stage})"):
                action = _number(agent.act(state, stage))
            with failing(name, "a read-out"):
                return {"action": action, "read": encode(read(agent))}
        if "observe" in m:
            with failing(name, f"observe({', '.join(map(str, m['observe']))})"):
                agent.observe(*m["observe"])
            return {}
        if "read" in m:
            with failing(name, "a read-out"):
                return {"read": encode(read(agent))}
        from theorylab.audit.space import AuditEnv

        env = _Env(ask, agent)
        try:
            with failing(name, "train"):
                agent.train(AuditEnv(m["S"], m["A"], m["H"], env.reset, env.step), m["train"])
        except _Stop:
            pass
        return {"trained": True}

    for line in iter(source.readline, ""):
        try:
            send(serve(json.loads(line)))
        except InputError as wrong:
            send({"error": str(wrong)})


if __name__ == "__main__":
    main()
