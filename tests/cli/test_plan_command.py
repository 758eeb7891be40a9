"""`theorylab plan`: what it prints, that each printed number is right, and what it refuses."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from scipy.sparse import csr_array

from tests.cli.calling import Done
from theorylab.criteria import AverageReward, Discounted, FiniteHorizon, ShortestPath
from theorylab.errors import InputError
from theorylab.family import GAMES
from theorylab.model import Bandit, TabularMDP
from theorylab.plan.api import plan
from theorylab.plan.record import Plan
from theorylab.plan_command import Solved, Subject, as_json, criterion_of, find, proved, solve, start_value
from theorylab.plan_text import as_text
from theorylab.registry import find_model, names

ROOT = Path(__file__).resolve().parents[2]
ROWS = (
    ("diameter", 14.7223379629, 2e-9, "steps", ""),
    ("mixing time", None, None, "steps", "the optimal policy is periodic"),
    ("variance", 0.25, float("inf"), "reward^2", "it is long"),
    ("gain", 0.5, 0.0, "reward", ""),
)


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Known hardness measures in place of those of the model."""

    class Known:
        def as_rows(self) -> tuple[Any, ...]:
            return ROWS

    module = ModuleType("theorylab.hardness")
    module.hardness = lambda model: Known()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "theorylab.hardness", module)


def refused(done: Done, *words: str) -> None:
    """Exit code 2, one line on standard error that names the entry, nothing on standard output."""
    assert done.code == 2 and done.out == ""
    assert done.err.startswith("theorylab: ") and done.err.count("\n") == 1, done.err
    for word in words:
        assert word in done.err


def ring(S: int, criterion: Any) -> TabularMDP:
    """One action, a ring of states, reward s at state s (sparse)."""
    P = csr_array((np.ones(S), (np.arange(S), (np.arange(S) + 1) % S)), shape=(S, S))
    return TabularMDP(P=P, r=(np.arange(S) / S)[:, None], criterion=criterion, name="ring")


def text_of(model: Any, **more: Any) -> str:
    return as_text(Solved(Subject(model, model.digest), plan(model), ()), **more)


# text


def test_riverswim(call: Any, measured: None) -> None:
    done = call("plan", "riverswim")
    lines = done.out.splitlines()
    assert done.code == 0 and done.err == "" and max(map(len, lines)) <= 100
    assert lines[0] == "riverswim-osband-6: 6 states, 2 actions, average reward"
    assert re.fullmatch(r"hash       [0-9a-f]{16}", lines[1])
    assert "Osband, Russo and Van Roy (2013)" in done.out and "[source]" in done.out
    (gain,) = re.findall(r"^gain +(\S+)  \(error at most \S+; reward per step\)$", done.out, re.MULTILINE)
    places = len(gain.partition(".")[2])
    # the exact gain, by hand: stationary law of "right" times its rewards
    assert places >= 10 and abs(Fraction(gain) - Fraction(7203, 16805)) <= Fraction(1, 10**places)
    table = lines[lines.index("") + 5 :]
    assert [row.split()[0] for row in table[1:7]] == ["0", "1", "2", "3", "4", "5"]
    assert table[1].endswith("1       1 (0.6), 0 (0.4)") and table[2].endswith("1 (0.6), 2 (0.35), 0 (0.05)")
    assert "  diameter          14.72233796 steps  (error at most 2.1e-9)" in lines
    assert "  mixing time       none: the optimal policy is periodic" in lines
    assert "  largest variance  ~0.25 reward^2  (it is long)" in lines
    assert not [line for line in lines if line.startswith("  gain")]  # it is above


def test_measures_agree_with_what_was_published(call: Any) -> None:
    record = json.loads(call("plan", "riverswim-osband-6", "--json").out)
    known = find("riverswim-osband-6", {}, None).published
    assert known is not None and record["model"]["published"] == known.name
    measured = {row["name"]: row for row in record["hardness"]}
    for name, text in known.known.items():
        row = measured[name.replace("_", " ")]
        places = len(text.partition(".")[2])
        assert abs(Fraction(row["value"]) - Fraction(text)) <= Fraction(1, 10**places) + Fraction(row["error"])
    assert set(known.known) == {"gain", "bias_span", "diameter", "gap"}


def test_a_published_instance_is_recognised_by_its_content(call: Any, measured: None) -> None:
    named = call("plan", "riverswim-osband-6").out
    given = call("plan", "riverswim", "--param", "states=6").out
    assert named.splitlines()[1:] == given.splitlines()[1:]
    assert "published as riverswim-osband-6: gain 0.4286224338, bias span" in given
    assert "published as" not in call("plan", "riverswim", "--param", "states=7").out
    assert "published as" not in call("plan", "riverswim", "--gamma", "0.9").out


def test_stages_are_shown_in_runs(measured: None) -> None:
    found = find("riverswim", {}, FiniteHorizon(20))
    text = as_text(solve(found))
    (row,) = re.findall(r"^ +1 .*$", text, re.MULTILINE)
    runs = re.findall(r"(\d)x(\d+)", row)
    track = [int(a) for a, n in runs for _ in range(int(n))]
    assert track == plan(found.model).pi[:, 1].tolist() and len(runs) >= 2
    assert "20 stages" in text and "value      3.39726395915  (error" in text


def test_a_long_table_is_cut() -> None:
    text = text_of(ring(50, Discounted(0.5)))
    rows = re.findall(r"^ +\d+  \d", text, re.MULTILINE)
    assert len(rows) == 20 and "... 30 more states\n" in text
    assert "more states" not in text_of(ring(21, Discounted(0.5)))  # a line saved would be none
    assert "state" not in text_of(ring(50, Discounted(0.5)), policy=False).partition("method")[2].replace("states", "")


def test_ties_are_marked() -> None:
    P = np.full((2, 3, 2), 0.5)
    model = TabularMDP(P=P, r=np.array([[0.5, 0.25, 0.5], [0.0, 1.0, 0.0]]), criterion=Discounted(0.5))
    text = text_of(model)
    assert re.search(r"^ +0 .* 0=2 +0 \(0.5\), 1 \(0.5\)$", text, re.MULTILINE)
    assert "the only optimal one in 1 of 2 states, ties in 1" in text and "both actions are as good" in text


def test_a_plane_of_states(call: Any, measured: None) -> None:
    done = call("plan", "frozen-lake")
    start = done.out.splitlines().index("greedy action at stage 0, and V at stage 0")
    plane = done.out.splitlines()[start + 1 : start + 5]
    assert [line.split()[:4] for line in plane][1][1] == "H" and plane[3].split()[3] == "G"
    assert all(len(line.split()) == 8 for line in plane)


def test_bandits(call: Any, measured: None) -> None:
    done = call("plan", "bernoulli", "--param", "means=[0.9, 0.6, 0.9]")
    lines = done.out.splitlines()
    assert done.code == 0 and lines[0] == "bernoulli(0.9,0.6,0.9): 3 arms, bandit"
    rows = [line.split() for line in lines if re.match(r" +\d +0\.", line)]
    assert [(r[1], r[-1]) for r in rows] == [("0.9", "0.0"), ("0.6", "0.3"), ("0.9", "0.0")]
    record = json.loads(call("plan", "bernoulli", "--json").out)
    assert record["solution"]["gaps"] == pytest.approx([0.1, 0.0]) and record["solution"]["best_mean"] == 0.6
    assert as_text(Solved(Subject(Bandit(np.linspace(0, 1, 60)), ""), None, ())).count("\n") < 40


def test_linear_models_are_solved_by_their_embedding(call: Any, measured: None) -> None:
    done = call("plan", "linear-sphere")
    assert done.code == 0 and "embedding  a LinearBandit with d = 5, solved as the Bandit that it is" in done.out
    record = json.loads(call("plan", "one-hot", "--json").out)
    assert record["model"]["embedded"] == "LinearMDP" and record["solution"]["V"]
    assert record["model"]["d"] == 12  # one feature a state and action


def test_rewards_are_described_by_their_law(call: Any, measured: None) -> None:
    said = {name: call("plan", name, "--no-policy").out.splitlines()[2] for name in ("bernoulli", "gaussian")}
    assert said["bernoulli"] == "rewards    bernoulli, 0 or 1"
    assert said["gaussian"] == "rewards    gaussian with sd 1, means in [0, 1]"  # draws leave the interval


def test_a_model_without_rewards_shows_its_states(call: Any, measured: None) -> None:
    text = call("plan", "four-rooms").out
    assert "policy     all actions are as good in every state, to within rounding\n" in text
    assert "states\n. . . . # . . . .\n" in text and "bias\n" not in text


def measure(name: str, value: float | None, error: float | None, unit: str, reason: str = "") -> str:
    """The line of one measure of a model with average reward."""
    model = ring(3, AverageReward())
    row = (name, value, error, unit, reason)
    text = as_text(Solved(Subject(model, ""), plan(model), (row,)), policy=False)
    return " ".join(text.partition("hardness\n")[2].split())


def test_measures_say_no_more_than_is_proved() -> None:
    inf = float("inf")
    assert measure("branching", 1.0, 0.0, "successors") == "branching 1 successor (exact)"
    assert measure("branching", 2.0, 0.0, "successors") == "branching 2 successors (exact)"
    assert measure("gap", 0.5, 1e-13, "reward") == "smallest gap 0.5000000000 reward (error at most 1.1e-13)"
    assert measure("gap", inf, 0.0, "reward", "every action is optimal") == "smallest gap none: every action is optimal"
    assert measure("gap", 1e-17, 1e-16, "reward", "(0, 1)") == "smallest gap at most 1.2e-16 reward ((0, 1))"
    assert measure("gap", 0.0, inf, "reward", "(0, 1)") == "smallest gap undecided: (0, 1)"
    assert measure("inverse gaps", 1.8e16, inf, "1/reward", "see gap") == "sum of 1/gap undecided: see gap"
    assert measure("ties", 7.0, 3.0, "actions", "see gap") == "ties 4 to 7 actions (see gap)"
    assert measure("bias span", 0.25, inf, "reward", "no bound") == "bias span ~0.25 reward (no bound)"


def test_the_average_reward_view_stands_apart(call: Any) -> None:
    text = call("plan", "riverswim", "--gamma", "0.9", "--no-policy").out
    own, view = text.partition("hardness\n")[2].split("\n\nas an average-reward problem\n")
    assert "smallest gap" in own and "diameter" not in own and "largest variance" in own
    assert [line.split("  ")[1] for line in view.splitlines()] == ["gain", "bias span", "diameter", "mixing time"]
    assert "as an average-reward problem" not in call("plan", "riverswim").out


def test_numbers_without_a_proved_error_are_marked() -> None:
    found = find("gridworld", {}, None)
    good = plan(found.model)
    assert good.bias is not None
    solved = Plan(
        good.V.copy(), good.Q.copy(), good.pi.copy(), good.gain, good.bias.copy(), 0.0, 1e-12, 1, "given", None
    )
    text = as_text(Solved(found, solved, ()))
    assert "greedy action, and bias (no error proved)\n" in text and "~" not in text.partition("bias (no")[2]
    assert max(map(len, text.splitlines())) <= 100


@pytest.mark.parametrize("name", sorted(names("models")))
def test_every_family_is_printed_in_100_columns_and_games_are_refused(name: str) -> None:
    if find_model(name).setting in GAMES:
        with pytest.raises(InputError, match=f"'{name}' is a game, .* by theorylab.games.solve"):
            find(name, {}, None)
        return
    found = find(name, {}, None)
    solved = Solved(found, None if isinstance(found.model, Bandit) else plan(found.model), ())
    text = as_text(solved)
    assert max(map(len, text.splitlines())) <= 100, text
    assert text.startswith(f"{found.model.name}: ") and f"\nhash       {found.digest[:16]}\n" in text


def test_long_fractions_are_cut(call: Any, measured: None) -> None:
    text = call("plan", "frozen-lake", "--exact").out
    assert max(map(len, text.splitlines())) <= 100
    assert re.search(r"^ +0 +0\.744190  48 digits / 48 digits ", text, re.MULTILINE)
    start = text.partition("\nexact ")[2].partition("(its")[0]
    assert abs(Fraction("".join(start.split())) - Fraction("0.744190287829")) < Fraction(1, 10**12)


# numbers


def test_what_is_proved_to_be_optimal() -> None:
    P = np.full((1, 2, 1), 1.0)

    def known(lead: float) -> bool:
        model = TabularMDP(P=P, r=np.array([[0.5, 0.5 + lead]]), criterion=Discounted(0.5))
        return bool(proved(model, plan(model)).all())

    assert known(1e-3) and known(1e-13) and not known(0.0)
    model = TabularMDP(P=P, r=np.array([[0.5, 0.5 + 1e-3]]), criterion=Discounted(0.5))
    good = plan(model)
    for error, holds in ((4e-4, True), (6e-4, False)):  # the lead must pass the errors of both actions
        solved = Plan(good.V.copy(), good.Q.copy(), good.pi.copy(), None, None, 0.0, error, 1, "given")
        assert bool(proved(model, solved).all()) is holds
    single = ring(3, AverageReward())
    assert proved(single, plan(single)).all()


def test_nothing_is_proved_without_an_error_of_the_bias() -> None:
    model = find("two-state", {}, None).model
    good = plan(model)
    assert good.bias is not None
    solved = Plan(
        good.V.copy(), good.Q.copy(), good.pi.copy(), good.gain, good.bias.copy(), 0.0, 1e-12, 1, "given", None
    )
    assert not proved(model, solved).any()
    assert "no action is proved optimal" in as_text(Solved(Subject(model, model.digest), solved, ()))


def test_the_value_under_mu0_is_certified() -> None:
    rng = np.random.default_rng(1)
    for S in (1, 7, 400):
        mu0 = rng.dirichlet(np.full(S, 0.3))
        V = rng.standard_normal(S) * 1e3
        model = TabularMDP(P=np.full((S, 1, S), 1 / S), r=np.zeros((S, 1)), mu0=mu0, criterion=Discounted(0.5))
        value, error = start_value(model, Plan(V, V[:, None], np.zeros(S, int), None, None, 0.0, 0.0, 1, "given"))
        exact = sum((Fraction(m) * Fraction(v) for m, v in zip(model.mu0, V, strict=True)), Fraction(0))
        assert abs(Fraction(value) - exact) <= Fraction(error) and error < 1e-9
        worse = start_value(model, Plan(V, V[:, None], np.zeros(S, int), None, None, 0.0, 0.125, 1, "given"))
        assert worse.error >= 0.125 * float(sum(map(Fraction, model.mu0)))


def test_exact_fractions(call: Any, measured: None) -> None:
    done = call("plan", "riverswim", "--exact")
    assert "\nexact      7203/16805  (" in done.out and "21209/3361" in done.out
    record = json.loads(call("plan", "riverswim", "--horizon", "2", "--exact", "--json").out)
    assert record["exact"]["value"] == "1/100" and record["exact"]["V"][2] == ["0"] * 6
    half = find("riverswim", {"start": "uniform"}, Discounted(0.5))
    solved = solve(half, exact=True)
    assert solved.plan is not None and solved.exact_start is not None
    value, error = start_value(half.model, solved.plan)
    assert abs(Fraction(value) - solved.exact_start) <= error + 1e-15  # mu0 of 1/6 as a fraction


def test_exact_refuses_what_is_no_fraction(call: Any, measured: None) -> None:
    refused(call("plan", "garnet", "--exact"), "P[0,0,")
    refused(call("plan", "bernoulli", "--exact"), "the means of a bandit are its solution")
    mu0 = np.array([0.123456789012345, 1 - 0.123456789012345])
    odd = TabularMDP(P=np.full((2, 1, 2), 0.5), r=np.zeros((2, 1)), mu0=mu0, criterion=Discounted(0.5))
    with pytest.raises(InputError, match=r"mu0\[0\] is 0\.123456789012345"):
        solve(Subject(odd, odd.digest), exact=True)


def test_unit_costs_make_values_of_times(call: Any, measured: None) -> None:
    text = call("plan", "riverswim", "--goal", "5", "--unit-cost").out
    assert text.startswith("riverswim-osband-6-unit-cost: 6 states, 2 actions, shortest path to state 5\n")
    (value,) = re.findall(r"^value +-(\S+)  ", text, re.MULTILINE)
    # by hand: from the left end; the diameter of the model
    times = exact_times()
    assert abs(Fraction(value) - times[0]) <= Fraction(1, 10**9)
    assert "in 5 of 5 states\n" in text and re.search(r"^ +5 .* goal$", text, re.MULTILINE)
    refused(call("plan", "riverswim", "--unit-cost"), "--unit-cost belongs to a shortest path; give --goal S too")
    plane = call("plan", "four-rooms", "--goal", "5", "--unit-cost").out.partition("\ngreedy action")[2]
    assert plane.splitlines()[1].split()[6] == "G"


def exact_times() -> list[Fraction]:
    """Expected steps to the right end of RiverSwim (osband, 6 states) going right: d[s] = T[s] - T[s+1]."""
    steps = [Fraction(5, 3)]
    for _ in range(4):  # .35 d[s] = 1 + .05 d[s-1]
        steps.append((1 + Fraction(1, 20) * steps[-1]) / Fraction(7, 20))
    return [sum(steps[s:], Fraction(0)) for s in range(6)]


# JSON


def test_json_holds_everything_in_full(call: Any, measured: None) -> None:
    record = json.loads(call("plan", "riverswim", "--gamma", "0.9", "--json").out)
    model = find("riverswim", {}, Discounted(0.9)).model
    solved = plan(model)
    assert record["model"]["digest"] == model.digest and record["model"]["criterion"] == "Discounted(gamma=0.9)"
    assert record["model"]["cite"] == "osband2013" and record["model"]["source_tag"] == "source"
    assert record["solution"]["V"] == solved.V.tolist() and record["solution"]["pi"] == solved.pi.tolist()
    assert record["solution"]["V_error"] == solved.certified_error
    assert record["solution"]["value"]["value"] == solved.V[0]
    assert record["solution"]["proved_unique"] == record["solution"]["decisions"] == 6
    keys = ("name", "value", "error", "unit", "reason")
    rows = [dict(zip(keys, row, strict=True)) for row in ROWS]
    rows[2]["error"] = "inf"
    assert record["hardness"] == rows


def test_json_leaves_out_large_arrays_and_says_so() -> None:
    for S, kept in ((10_000, True), (10_001, False)):
        model = ring(S, FiniteHorizon(1))
        solution = as_json(Solved(Subject(model, model.digest), plan(model), ()))["solution"]
        assert ("V" in solution) is kept and ("note" in solution) is not kept


# models of files


def test_a_file_of_plain_arrays(call: Any, measured: None, tmp_path: Path) -> None:
    file = tmp_path / "mine.npz"
    P, r = np.full((2, 1, 2), 0.5), np.array([[1.0], [0.0]])
    np.savez(file, P=P, r=r)
    assert "gain       0.5000000000" in call("plan", file).out
    out = call("plan", file, "--gamma", "0.5").out
    assert out.startswith("mine: 2 states, 1 actions, discounted by 0.5\n") and "value      1.500000" in out
    np.savez(file, P=np.stack([P, P]), r=r)  # stages need their horizon when the file is read
    assert "value      1.500000" in call("plan", file, "--horizon", "2").out


def test_a_saved_file_takes_another_criterion(call: Any, measured: None, tmp_path: Path) -> None:
    from theorylab.npz import save

    save(find("riverswim", {}, None).model, tmp_path / "river.npz")
    stored, built = (call("plan", name, "--gamma", "0.5").out for name in (tmp_path / "river.npz", "riverswim"))
    assert stored.splitlines()[0] == built.splitlines()[0] and stored.splitlines()[1] == built.splitlines()[1]
    assert "source" not in stored


# refusals


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["riverswin"], ["unknown model 'riverswin'", "nearest: riverswim"]),
        (["riverswim-osband-7"], ["unknown model", "riverswim-osband-6"]),
        (["riverswim", "--param", "state=3"], ["no parameter 'state'", "nearest: states"]),
        (["riverswim", "--param", "states=1"], ["states is 1"]),
        (["riverswim", "--param", "states"], ["not of the form name=value"]),
        (["riverswim", "--gamma", "1"], ["gamma is 1.0"]),
        (["riverswim", "--horizon", "0"], ["H is 0"]),
        (["riverswim", "--gamma", "0.5", "--horizon", "3"], ["--horizon and --gamma exclude each other"]),
        (["riverswim", "--goal", "6"], ["goal is 6", "0..5"]),
        (["riverswim", "--method", "magic"], ["unknown method 'magic'"]),
        (["riverswim", "--tol", "-1"], ["tol"]),
        (["bernoulli", "--gamma", "0.5"], ["is a bandit"]),
        (["bernoulli", "--method", "magic"], ["--method 'magic'", "leave it out"]),
        (["bernoulli", "--unit-cost"], ["--unit-cost belongs to a shortest path"]),
        (["riverswim-osband-6", "--param", "states=4"], ["published instance", "states is fixed"]),
        (["linear-chain", "--average"], ["transitions for its 6 stages"]),
        (["linear-chain", "--horizon", "3"], ["transitions for its 6 stages"]),
        (["frozen-lake", "--goal", "15"], ["state 5 cannot reach state 15"]),
        (["frozen-lake", "--average"], ["not weakly communicating"]),
        (["riverswim", "--size", "nips"], ["unknown figure size 'nips'"]),
        (["no.npz"], ["no.npz"]),
        (["no.npz", "--param", "a=1"], ["a file has none"]),
        (["riverswim", "--figure", "a.gif"], ["'.gif'", ".pdf, .svg, .png"]),
        (["riverswim", "--figure", "no/a.pdf"], ["there is no folder 'no'"]),
        (["riverswim", "--figure", "a.pdf", "--size", "nips"], ["unknown figure size 'nips'"]),
    ],
)
def test_plan_refuses(
    call: Any, measured: None, args: list[str], words: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    refused(call("plan", *args), *words)
    assert not list(tmp_path.iterdir())


def test_files_that_hold_no_model_are_refused(call: Any, measured: None, tmp_path: Path) -> None:
    file = tmp_path / "a.npz"
    file.write_text("text")
    refused(call("plan", file), str(file))
    np.savez(file, weights=np.ones(3))
    refused(call("plan", file), str(file), "weights")
    P = np.stack([np.eye(2), np.eye(2)], axis=1)  # two states that never meet: two gains
    np.savez(file, P=P, r=np.array([[1.0, 1.0], [0.0, 0.0]]))
    refused(call("plan", file), "states 0 and 1")
    P[0, 0] = (0.5, 0.6)
    np.savez(file, P=P, r=np.zeros((2, 2)))
    refused(call("plan", file), "P[0,0,:]")


def test_criteria_of_the_options() -> None:
    assert criterion_of(None, None, None, False) is None
    assert criterion_of(3, None, None, False) == FiniteHorizon(3)
    assert criterion_of(None, 0.5, None, False) == Discounted(0.5)
    assert criterion_of(None, None, 0, False) == ShortestPath(0)
    assert criterion_of(None, None, None, True) == AverageReward()


def test_too_little_memory_is_said(call: Any, measured: None, monkeypatch: pytest.MonkeyPatch) -> None:
    def plan_of(model: Any, **options: Any) -> None:
        raise MemoryError("Unable to allocate 44.7 GiB")

    monkeypatch.setattr("theorylab.plan_command.plan_of", plan_of)
    refused(call("plan", "riverswim", "--horizon", "1000000000"), "44.7 GiB", "fewer stages")


# figures, help, list, show


def test_a_figure_is_written(call: Any, measured: None, tmp_path: Path) -> None:
    for name, start in (("a.png", b"\x89PNG"), ("a.svg", b"<?xml"), ("a.pdf", b"%PDF")):
        done = call("plan", "riverswim", "--no-policy", "--figure", tmp_path / name, "--size", "icml")
        assert done.code == 0 and done.err == f"figure: {tmp_path / name}\n"
        assert (tmp_path / name).read_bytes().startswith(start)


def test_help_imports_nothing_heavy() -> None:
    code = (
        "import sys\nfrom theorylab.cli import main\nsys.argv = ['theorylab', 'plan', '--help']\ntry:\n    main()\n"
        "except SystemExit as end:\n    print(end.code, sorted({'numpy', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "0 []" and "--figure" in done.stdout


def test_models_are_listed_with_what_they_are(call: Any) -> None:
    lines = call("list", "models").out.splitlines()
    assert max(map(len, lines)) <= 100
    (line,) = [line for line in lines if line.startswith("end-of-optimism")]
    assert line.split()[1] == "linear-bandit" and "Three arms" in line


def test_show_lists_published_instances(call: Any) -> None:
    family, *instances = json.loads(call("show", "riverswim", "--json").out)
    assert family["name"] == "riverswim" and "riverswim-osband-6" in [p["name"] for p in instances]
    (one,) = json.loads(call("show", "riverswim_osband_6", "--json").out)
    assert one in instances and one["gain"] == "0.4286224338" and len(one["digest"]) == 16
    assert one["params"] == ["states=6", "variant=osband"] and one["cite"] == "osband2013"
    text = call("show", "riverswim-osband-6").out
    assert re.search(r"^diameter +14\.722338$", text, re.MULTILINE)
    refused(call("show", "riverswim-osband-7"), "nothing is called 'riverswim-osband-7'", "riverswim-osband-6")
