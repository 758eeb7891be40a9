"""The command line: `theorylab check | plan | run | worker | export | list | show | attack | audit | figure |
replay | doctor`.

Exit codes, in this precedence: 2 bad input; 1 a REFUTED, INCONSISTENT or CHECK_INVALID; 0 at least one positive
verdict; 3 no positive verdict. Heavy modules are imported inside the commands, so that `--help` stays light.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from theorylab.errors import InputError, nearest

__all__ = ["app", "main"]

app = typer.Typer(
    help="Checks theorems of reinforcement-learning theory by exact simulation.",
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    no_args_is_help=True,
)
Json = Annotated[bool, typer.Option("--json", help="Print JSON on standard output.")]


def _value(text: str) -> Any:
    """A parameter's value: a JSON number, list, true or false, else the text itself; lists become tuples."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return tuple(value) if isinstance(value, list) else value


def _params(pairs: list[str]) -> dict[str, Any]:
    out = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        if not equals or not key:
            raise InputError(f"--param '{pair}' is not of the form name=value")
        out[key.replace("-", "_")] = _value(text)
    return out


@app.command()
def check(
    names: Annotated[list[str] | None, typer.Argument(help="Claim ids, papers or files; default: all papers.")] = None,
    model: Annotated[str | None, typer.Option(help="Check on this model instead of the profile's.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="name=value, a parameter of --model.")] = None,
    length: Annotated[int | None, typer.Option(help="Rounds, episodes or steps with --model.")] = None,
    learner: Annotated[str | None, typer.Option(help="Put another learner under the claims.")] = None,
    learner_param: Annotated[list[str] | None, typer.Option(help="name=value, a parameter of the learner.")] = None,
    profile: Annotated[str, typer.Option(help="quick, standard or full.")] = "quick",
    alpha_support: Annotated[float, typer.Option(help="P(SUPPORTED though false).")] = 0.01,
    alpha_refute: Annotated[float, typer.Option(help="P(REFUTED though true).")] = 0.001,
    budget: Annotated[int | None, typer.Option(help="Most replicates per instance.")] = None,
    seed: Annotated[int, typer.Option(help="Study seed.")] = 0,
    fresh: Annotated[bool, typer.Option(help="New random addresses; refutes at 1e-6 only.")] = False,
    target: Annotated[str, typer.Option(help="cpu, cuda or python.")] = "cpu",
    report: Annotated[Path | None, typer.Option(help="Write an HTML report, figures and LaTeX here.")] = None,
    ledger: Annotated[
        Path | None, typer.Option(help="Add the evidence to this file, and join it with earlier runs.")
    ] = None,
    plan: Annotated[bool, typer.Option("--plan", help="Show cost and possible outcomes; run nothing.")] = False,
    pilot: Annotated[bool, typer.Option("--pilot", help="With --plan: compile and time a block of each run.")] = False,
    as_json: Json = False,
) -> None:
    """Check claims: verdicts with evidence, and the controls that show each check can fail."""
    if pilot and not plan:
        raise InputError("--pilot belongs to --plan; give --plan too")
    if plan and (report is not None or ledger is not None):
        raise InputError("--plan gives no evidence for --report or --ledger to hold; leave these out")
    from theorylab.loading import claims_of

    claims = claims_of(names or [])
    chosen, given = _model_of(claims, model, param or [], length, profile, _params(learner_param or []))
    if report is not None:
        from theorylab.report import check_folder

        check_folder(report)
    if ledger is not None and ledger.exists():
        from theorylab.ledger import read

        read(ledger)  # a spoilt one is refused before the work whose evidence it is to hold
    from theorylab.check import check_many
    from theorylab.compiler import cache_root
    from theorylab.controls import Outcomes
    from theorylab.evidence import exit_code, to_json
    from theorylab.progress import Progress

    if fresh:
        import secrets

        seed, alpha_refute = secrets.randbits(63), 1e-6
    spec = None
    if learner is not None:
        from theorylab.registry import find_learner

        spec = find_learner(learner, claims[0].setting)
    if plan:
        from theorylab.effort import effort_table, plan_check
        from theorylab.effort import to_json as plan_to_json

        efforts = plan_check(
            claims,
            models=chosen,
            learner=spec,
            params=given,
            profile=profile,
            alpha_support=alpha_support,
            alpha_refute=alpha_refute,
            budget=budget,
            pilot=pilot,
            seed=seed,
            target=target,
        )
        _print(plan_to_json(efforts) if as_json else effort_table(efforts))
        return
    with Progress() as progress:
        evidence = check_many(
            claims,
            models=chosen,
            learner=spec,
            params=given,
            profile=profile,
            alpha_support=alpha_support,
            alpha_refute=alpha_refute,
            budget=budget,
            seed=seed,
            target=target,
            kept=Outcomes(None if fresh else cache_root().parent / "controls"),
            progress=progress,
            processes=1 if target == "cuda" else os.cpu_count() or 1,
        )
    if as_json:
        print(to_json(evidence, curves=False))
    else:
        _print_table(evidence)
    if report is not None:
        from theorylab.report import write_report

        page = write_report(report, evidence, provenance=evidence[0].provenance, processes=os.cpu_count() or 1)
        print(f"report: {page}", file=sys.stderr)
    if ledger is not None:
        from theorylab.ledger import accumulate, append, as_text, read

        joined = accumulate(read(append(ledger, evidence)), alpha_support=alpha_support, alpha_refute=alpha_refute)
        print(as_text(joined), file=sys.stderr if as_json else sys.stdout, end="")
    raise typer.Exit(exit_code(evidence))


def _print_table(evidence: list[Any]) -> None:
    from theorylab.table import verdict_table

    _print(verdict_table(evidence))


def _print(table: Any) -> None:
    if isinstance(table, str):
        print(table)
    else:
        from rich.console import Console

        Console().print(table)


def _model_of(
    claims: list[Any], model: str | None, param: list[str], length: int | None, profile: str, learner: dict[str, Any]
) -> tuple[list[Any] | None, dict[str, Any]]:
    from theorylab.claim import Instance
    from theorylab.registry import find_model

    if model is None:
        if param or length is not None:
            raise InputError("--param and --length belong to --model; give --model NAME too")
        return None, learner
    find_model(model)
    first = next((c.on(profile)[0] for c in claims if c.on(profile)), None)
    if length is None and first is None:
        raise InputError("give --length: the claims have no instance to take it from")
    size = length if length is not None else first.length  # type: ignore[union-attr]
    return [Instance(model, size, _params(param), dict(first.learner) if first else {})], learner


@app.command()
def run(
    study: Annotated[Path, typer.Argument(help="A study file (TOML).")],
    out: Annotated[Path | None, typer.Option(help="Result folder; default: results/NAME.")] = None,
    engine: Annotated[str, typer.Option(help="local (threads on this machine).")] = "local",
    resume: Annotated[bool, typer.Option(help="Reuse finished shards; --no-resume computes all again.")] = True,
    as_json: Json = False,
) -> None:
    """Run a study; finished shards are reused, so a killed run goes on where it stopped."""
    from theorylab.progress import Progress
    from theorylab.study import Study, execute

    plan = Study.read(study)
    folder = out if out is not None else Path("results") / plan.name
    with Progress() as progress:
        progress.fraction(0, len(plan.cells()) * len(plan.blocks()))
        result = execute(plan, folder, engine=engine, resume=resume, progress=progress.fraction)
    rows = result.to_rows()
    if as_json:
        from theorylab.evidence import plain

        print(json.dumps(plain(rows), indent=2))
    else:
        print(f"{'learner':16s} {'model':28s} {'length':>10s} {'R':>6s} {'regret':>12s} {'5 %':>12s} {'95 %':>12s}")
        for r in rows:
            regret = [r["regret_mean"], r["regret_05"], r["regret_95"]]
            regret = (
                regret if regret[0] is not None else [r[f"gap_{k}"] for k in ("regret_mean", "regret_05", "regret_95")]
            )
            print(
                f"{r['learner']:16s} {r['model']:28s} {r['length']:10d} {r['n']:6d} "
                + " ".join(f"{v:12.6g}" for v in regret)
            )
        print(f"results: {folder}", file=sys.stderr)


@app.command()
def worker(
    study: Annotated[Path, typer.Argument(help="A study file (TOML).")],
    shard: Annotated[str, typer.Option(help="I/N: this worker's share, I from 0 to N-1.")],
    out: Annotated[Path | None, typer.Option(help="Result folder; default: results/NAME.")] = None,
) -> None:
    """Run one share of a study's blocks, for job arrays; `theorylab run` then gathers the shards."""
    from theorylab.engines import worker as work
    from theorylab.progress import Progress
    from theorylab.study import Study

    index, slash, count = shard.partition("/")
    if not slash or not index.isdigit() or not count.isdigit() or int(index) >= int(count):
        raise InputError(f"--shard '{shard}' is not I/N with 0 <= I < N")
    plan = Study.read(study)
    folder = out if out is not None else Path("results") / plan.name
    with Progress() as progress:
        work(plan, folder, int(index), int(count), progress=progress.fraction)


KINDS = ("claims", "learners", "models", "papers")


@app.command("list")
def list_(
    kind: Annotated[str, typer.Argument(help="claims, learners, models or papers.")] = "claims", as_json: Json = False
) -> None:
    """List what is registered."""
    from theorylab.registry import iter_specs, papers

    if kind not in KINDS:
        raise InputError(f"unknown list '{kind}'{nearest(kind, KINDS)}")
    if kind == "papers":
        rows = [{"name": p, "claims": sum(c.paper == p for c in iter_specs("papers"))} for p in papers()]
    elif kind == "claims":
        rows = [
            dict(name=c.id, kind=type(c.kind).__name__, tag=c.source_tag, learner=c.learner, text=c.text)
            for c in iter_specs("papers")
        ]
    elif kind == "learners":
        rows = [dict(name=x.name, setting=x.setting, cite=x.cite, text=x.text) for x in iter_specs("learners")]
    else:
        rows = [dict(name=f.name, setting=f.setting, cite=f.cite, text=f.text) for f in iter_specs("models")]
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    if kind == "models":
        wide = max(len(row["name"]) for row in rows)
        for row in rows:
            print(_line(f"{row['name']:{wide}s}  {row['setting']:17s}  {row['text']}"))
        return
    for row in rows:
        rest = "  ".join(str(v) for k, v in row.items() if k not in ("name", "text") and v != "")
        print(f"{row['name']:28s} {rest}")


def _line(text: str, width: int = 100) -> str:
    return text if len(text) <= width else text[: width - 4].rpartition(" ")[0] + " ..."


@app.command()
def show(name: Annotated[str, typer.Argument(help="A claim, paper, learner or model.")], as_json: Json = False) -> None:
    """Show one registered thing: a claim's statement and steps, a learner, a model's published instances."""
    from theorylab.describe import describe

    rows = describe(name)
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    for row in rows:
        for key, value in row.items():
            if isinstance(value, list):
                value = "; ".join(str(v) for v in value)
            print(f"{key:14s} {value}")
        print()


@app.command("plan")
def plan_(
    model: Annotated[str, typer.Argument(help="A family, a published instance, or a .npz file.")],
    param: Annotated[list[str] | None, typer.Option(help="name=value, a parameter of the family.")] = None,
    horizon: Annotated[int | None, typer.Option(help="Criterion: this many stages.")] = None,
    gamma: Annotated[float | None, typer.Option(help="Criterion: discounted by this.")] = None,
    goal: Annotated[int | None, typer.Option(help="Criterion: shortest path to this state.")] = None,
    unit_cost: Annotated[bool, typer.Option("--unit-cost", help="With --goal: a step costs 1, so -V is time.")] = False,
    average: Annotated[bool, typer.Option("--average", help="Criterion: average reward.")] = False,
    method: Annotated[str, typer.Option(help="Planner; auto chooses.")] = "auto",
    tol: Annotated[float, typer.Option(help="Tolerance of iterative planners, in units of reward.")] = 1e-10,
    exact: Annotated[bool, typer.Option("--exact", help="Fractions too, for small models.")] = False,
    policy: Annotated[bool, typer.Option(help="Print values and actions of the states.")] = True,
    figure: Annotated[Path | None, typer.Option(help="Write a picture (.pdf, .svg, .png, .pgf).")] = None,
    size: Annotated[str, typer.Option(help="Size of the figure: neurips, icml, iclr, jmlr, slides.")] = "neurips",
    as_json: Json = False,
) -> None:
    """Solve a model: optimal value and policy with certified error, hardness measures, a picture."""
    from theorylab.plan_command import as_json as record
    from theorylab.plan_command import check_path, criterion_of, find, save_figure, solve
    from theorylab.plan_text import as_text

    check_path(figure, size)
    subject = find(model, _params(param or []), criterion_of(horizon, gamma, goal, average), unit_cost=unit_cost)
    solved = solve(subject, method=method, tol=tol, exact=exact)
    print(json.dumps(record(solved), indent=2, allow_nan=False) if as_json else as_text(solved, policy=policy), end="")
    if figure is not None:
        save_figure(solved, figure, size)
        print(f"figure: {figure}", file=sys.stderr)


@app.command()
def attack(
    name: Annotated[str, typer.Argument(help="A claim on runs (an id, FILE.py:ID), or a target such as a lemma.")],
    states: Annotated[int | None, typer.Option(help="States of the instances; default: the claim's first.")] = None,
    actions: Annotated[int | None, typer.Option(help="Actions or arms; default: the claim's first.")] = None,
    length: Annotated[int | None, typer.Option(help="Rounds, episodes or steps; default: the claim's first.")] = None,
    evaluations: Annotated[int | None, typer.Option(help="Of the search; default 2000 for lemmas, else 500.")] = None,
    seed: Annotated[int, typer.Option(help="Of the search and of its block of replicates.")] = 0,
    replicates: Annotated[int, typer.Option(help="In the block on which instances are compared.")] = 32,
    start: Annotated[list[str] | None, typer.Option(help="A model to begin from, besides the known ones.")] = None,
    budget: Annotated[int | None, typer.Option(help="Most replicates of the fresh check of the winner.")] = None,
    target: Annotated[str, typer.Option(help="cpu, cuda or python.")] = "cpu",
    save: Annotated[Path | None, typer.Option(help="Write the instance as a Python literal with a test.")] = None,
    as_json: Json = False,
) -> None:
    """Search the instance on which a claim or lemma comes closest to failing; exit code 1 if it does fail."""
    from theorylab import attack_command
    from theorylab.progress import Progress
    from theorylab.registry import find_model

    with Progress() as progress:
        outcome = attack_command.execute(
            attack_command.subject_of(name),
            states=states,
            actions=actions,
            length=length,
            evaluations=evaluations,
            seed=seed,
            replicates=replicates,
            starts=[find_model(m)() for m in start or []],
            budget=budget,
            target=target,
            progress=progress,
        )
    if save is not None:
        attack_command.save(outcome, save, name)
    print(json.dumps(attack_command.as_json(outcome, save), indent=2) if as_json else attack_command.as_text(outcome))
    raise typer.Exit(0 if outcome.verdict == "NO VIOLATION FOUND" else 1)


@app.command("audit")
def audit_(
    agent: Annotated[str, typer.Argument(help="PACKAGE.MODULE:Agent, or a learner of this package.")],
    model: Annotated[str, typer.Option(help="A family or a published instance.")],
    param: Annotated[list[str] | None, typer.Option(help="name=value, a parameter of --model.")] = None,
    agent_param: Annotated[list[str] | None, typer.Option(help="name=value, a parameter of the agent.")] = None,
    length: Annotated[int | None, typer.Option(help="Episodes (default 200), steps or rounds (2000).")] = None,
    delta: Annotated[float | None, typer.Option(help="Failure probability of its optimism and radii.")] = None,
    replicates: Annotated[int, typer.Option(help="Most replicates.")] = 64,
    burn_in: Annotated[int | None, typer.Option(help="Length from which regret should be sublinear.")] = None,
    like: Annotated[str | None, typer.Option(help="A learner that it should agree with, step by step.")] = None,
    like_param: Annotated[list[str] | None, typer.Option(help="name=value, a parameter of --like.")] = None,
    python: Annotated[Path | None, typer.Option(help="Interpreter of the agent's own environment.")] = None,
    seed: Annotated[int, typer.Option(help="Study seed.")] = 0,
    as_json: Json = False,
) -> None:
    """Audit anyone's agent: play it on a known model under every check that applies."""
    from theorylab.audit_command import execute

    given = dict(model=_params(param or []), agent=_params(agent_param or []), like=_params(like_param or []))
    text, code = execute(
        agent, model, given, length=length, delta=delta, replicates=replicates, burn_in=burn_in, like=like,
        python=None if python is None else str(python), seed=seed, as_json=as_json,
    )  # fmt: skip
    print(text, end="")
    raise typer.Exit(code)


@app.command()
def figure(
    source: Annotated[Path, typer.Argument(help="A report, JSON of attack or plan, ledger, study folder or model.")],
    claim: Annotated[str | None, typer.Argument(help="A claim, a paper, a model of a study; default: all.")] = None,
    kind: Annotated[str | None, typer.Option(help="Such as regret, curves, occupancy; default: all it has.")] = None,
    policy: Annotated[str | None, typer.Option(help="Of a model: optimal, uniform or a .npy file.")] = None,
    size: Annotated[str, typer.Option(help="neurips, icml, iclr, jmlr or slides.")] = "neurips",
    format: Annotated[str, typer.Option(help="pdf, svg, png or pgf (needs TeX).")] = "pdf",
    out: Annotated[Path, typer.Option(help="Folder for the figures and their data.")] = Path("figures"),
) -> None:
    """Draw figures of what is stored, each with its data as CSV; nothing is run."""
    from theorylab.figure_command import execute

    for file in execute(source, claim, kind=kind, size=size, format=format, out=out, policy=policy):
        print(file)


@app.command("export")
def export_(
    folder: Annotated[Path, typer.Argument(help="Folder of a finished study, such as results/NAME.")],
    to: Annotated[str | None, typer.Option(help="parquet, csv or netcdf; default: by the ending of --out.")] = None,
    out: Annotated[Path | None, typer.Option(help="File to write; default: NAME.parquet, .csv or .nc.")] = None,
) -> None:
    """Write a finished study's curves as one file for pandas, xarray, R and others; nothing is run."""
    from theorylab.export import execute

    print(execute(folder, to, out))


@app.command("replay")
def replay_(
    source: Annotated[str, typer.Argument(help="A report, its evidence.json, or a claim.")],
    claim: Annotated[str | None, typer.Argument(help="A claim of the evidence; default: the first refuted.")] = None,
    file: Annotated[list[Path] | None, typer.Option(help="A file that states the claim, loaded first.")] = None,
    instance: Annotated[int, typer.Option(help="Which of the claim's instances, from 0, without evidence.")] = 0,
    model: Annotated[str | None, typer.Option(help="On this model instead of the claim's own.")] = None,
    param: Annotated[list[str] | None, typer.Option(help="name=value, a parameter of --model.")] = None,
    length: Annotated[int | None, typer.Option(help="Rounds, episodes or steps with --model.")] = None,
    replicate: Annotated[int | None, typer.Option(help="Which; default: the evidence's, else 0.")] = None,
    seed: Annotated[int | None, typer.Option(help="Study seed; default: the evidence's, else 0.")] = None,
    learner: Annotated[str | None, typer.Option(help="Another learner.")] = None,
    learner_param: Annotated[list[str] | None, typer.Option(help="name=value, a parameter of the learner.")] = None,
    back: Annotated[int, typer.Option(help="Steps shown before the stop.")] = 5,
    as_json: Json = False,
) -> None:
    """Run one replicate of a verdict again, step by step, to the first inequality that fails or the closest one."""
    from theorylab.replay_command import execute

    text = execute(
        source, claim, files=file or [], number=instance, model=model, given=_params(param or []), length=length,
        replicate=replicate, seed=seed, learner=learner, params=_params(learner_param or []), back=back,
        as_json=as_json,
    )  # fmt: skip
    print(text, end="")


@app.command()
def doctor(as_json: Json = False) -> None:
    """Look at the installation: versions, compilation, cache, foreign packages, GPU."""
    from theorylab.doctor import examine

    rows = examine()
    if as_json:
        print(json.dumps(rows, indent=2))
    else:
        for row in rows:
            print(f"{row['status']:5s} {row['what']:24s} {row['detail']}")
    raise typer.Exit(1 if any(r["status"] == "FAIL" for r in rows) else 0)


def main() -> NoReturn:
    """Entry point: bad input ends with its message on standard error and exit code 2.

    An error inside somebody's claim, learner or model ends with its traceback and exit code 2 too: never with 1, which
    says that something was refuted.
    """
    try:
        app()
    except InputError as wrong:
        print(f"theorylab: {wrong}", file=sys.stderr)
        raise SystemExit(2) from None
    except MemoryError as wrong:
        print(f"theorylab: not enough memory ({wrong}); take a smaller model or fewer stages", file=sys.stderr)
        raise SystemExit(2) from None
    except Exception as wrong:
        import traceback

        traceback.print_exc()
        print(f"theorylab: stopped by {type(wrong).__name__}: {wrong}; no verdict was reached", file=sys.stderr)
        raise SystemExit(2) from None
    raise SystemExit(0)
