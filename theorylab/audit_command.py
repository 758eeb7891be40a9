"""The work of `theorylab audit`: find agent and model, audit, and put the report into words or JSON."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from typing import Any

from theorylab.audit.agent import Maker, of_class
from theorylab.audit.judging import FAILED, Report, audit
from theorylab.audit.own import of_learner
from theorylab.errors import InputError
from theorylab.family import GAMES
from theorylab.registry import find_model
from theorylab.truth import truth_of

__all__ = ["as_text", "command_of", "execute"]

LENGTHS = {"episodic": 200, "average": 2000, "bandit": 2000}


def execute(
    agent: str,
    model: str,
    params: Mapping[str, Mapping[str, Any]],
    *,
    length: int | None,
    delta: float | None,
    replicates: int,
    burn_in: int | None,
    like: str | None,
    python: str | None,
    seed: int,
    as_json: bool,
) -> tuple[str, int]:
    """The report as text or JSON, and the exit code: 1 if a check failed, else 0. Bad input raises `InputError`.

    `params` has the parameters of "model", "agent" and "like".
    """
    family = find_model(model)
    if family.setting in GAMES:
        raise InputError(f"'{family.name}' is a game; an audit plays an agent on an MDP or a bandit, choose one")
    built = family(**params["model"])
    setting = truth_of(built).setting
    size = LENGTHS[setting] if length is None else length
    if params["like"] and like is None:
        raise InputError("--like-param belongs to --like; give --like LEARNER too")
    report = audit(
        _maker(agent, python, setting, params["agent"]),
        built,
        length=size,
        seed=seed,
        delta=delta,
        replicates=replicates,
        burn_in=burn_in,
        like=like,
        like_params=params["like"],
        replay=command_of(agent, model, params, size, delta, replicates, burn_in, like, python, seed),
    )
    text = json.dumps(report.to_dict(), indent=2, allow_nan=False) + "\n" if as_json else as_text(report)
    return text, report.exit_code


def _maker(agent: str, python: str | None, setting: str, params: Mapping[str, Any]) -> Maker:
    if python is not None:
        from theorylab.audit.remote import of_remote

        return of_remote(agent, python, **params)
    if ":" in agent:
        return of_class(agent, **params)
    if "." in agent:
        raise InputError(f"'{agent}' is not of the form PACKAGE.MODULE:Agent; name the class after a colon")
    return of_learner(agent, setting, **params)


def command_of(
    agent: str,
    model: str,
    params: Mapping[str, Mapping[str, Any]],
    length: int,
    delta: float | None,
    replicates: int,
    burn_in: int | None,
    like: str | None,
    python: str | None,
    seed: int,
) -> str:
    """The command that gives the same report again."""
    words = ["theorylab", "audit", agent, "--model", model]
    for option, key in (("--param", "model"), ("--agent-param", "agent"), ("--like-param", "like")):
        for name, value in params[key].items():
            text = value if isinstance(value, str) else json.dumps(list(value) if isinstance(value, tuple) else value)
            words += [option, f"{name}={text}"]
    words += ["--length", str(length), "--seed", str(seed), "--replicates", str(replicates)]
    words += ["--delta", str(delta)] if delta is not None else []
    words += ["--burn-in", str(burn_in)] if burn_in is not None else []
    words += ["--like", like] if like is not None else []
    words += ["--python", python] if python is not None else []
    return shlex.join(words)


def as_text(report: Report) -> str:
    """A table of the checks that apply, the first failure of each that failed, and the line that replays it."""
    from rich.console import Console
    from rich.table import Table

    console = Console(width=120, highlight=False)
    table = Table("check", "verdict", "what", "failed", "e", box=None, pad_edge=False)
    absent = []
    for r in report.results:
        if r.verdict == "NOT_APPLICABLE":
            absent.append(f"  {r.name}: {r.note}")
            continue
        share = f"{r.violations}/{r.n}" if r.kind in ("invariant", "rate") else ""
        e = "" if r.e_value is None else f"{r.e_value:.3g}"
        table.add_row(r.name, r.verdict, r.words + (f" [{r.note}]" if r.note else ""), share, e, end_section=False)
    with console.capture() as caught:
        console.print(
            f"{report.agent} on {report.model}: {report.length} {report.unit}, {report.replicates} replicates"
            + (f", delta = {report.delta}" if report.delta is not None else ""),
            markup=False,
        )
        console.print(table, markup=False)
        for r in report.results:
            if r.first is not None:
                f, word = r.first, "FAILS" if r.verdict in FAILED else "failed once"
                where = f"replicate {f.replicate}, step {f.t}"
                if report.setting == "episodic":
                    where += f" (episode {f.episode}, stage {f.stage})"
                where += f", state {f.state}" + (f", action {f.action}" if f.action >= 0 else "")
                console.print(f"{r.name} {word}: {where}: {f.text}", markup=False)
        if absent:
            console.print("not applicable:\n" + "\n".join(absent), markup=False)
        console.print(f"replay: {report.replay}", markup=False, soft_wrap=True)
    return caught.get()
