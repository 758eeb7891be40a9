"""Figures of stored studies and of models: what is drawn is what is stored, and the bytes are the same everywhere."""

from __future__ import annotations

import csv
import itertools
import json
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from matplotlib.text import Text

from mdps.learners.gosprl import learner as gosprl
from theorylab.coverage import LEVELS, Coverage, collects, coverage_of, coverage_probes, monitor_of
from theorylab.criteria import Discounted, FiniteHorizon, ShortestPath
from theorylab.errors import InputError
from theorylab.figure_command import choose_study, drawings_of, execute
from theorylab.figure_models import model_drawings, subject_of
from theorylab.figure_study import Learned, study_drawings, study_figure, study_table
from theorylab.figure_style import DASHES, LEAST, MARKS, PALETTE, SIZES, legend_columns, look, write_table
from theorylab.plan.occupancies import occupancy
from theorylab.plan_command import find
from theorylab.registry import find_learner, find_model
from theorylab.result import Result
from theorylab.simulation import Simulation
from theorylab.study import Study
from theorylab.study import execute as run_study

ROOT = Path(__file__).resolve().parents[2]
COLLECT = dict(
    name="collect", replicates=4, block=2, target="python", checkpoints=30,
    learners=[dict(name=n, params=dict(samples=2)) for n in ("known-p-greedy", "uniform-collection")],
    models=[dict(family="riverswim", params=dict(states=3), length=120)],
)  # fmt: skip
WIDTH = dict(
    name="width", replicates=3, target="python",
    learners=[dict(name="ucb1"), dict(name="uniform")],
    models=[dict(family="bernoulli", params=dict(means=[0.9, 0.6]), lengths=[20, 40])],
)  # fmt: skip


@pytest.fixture(scope="module")
def stored(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two finished studies."""
    place = tmp_path_factory.mktemp("results")
    for table in (COLLECT, WIDTH):
        run_study(Study.from_table(table), place / str(table["name"]))
    return place


def learned(name: str, scale: float, r: int = 60, points: int = 30) -> Learned:
    n = np.unique(np.geomspace(1, 10_000, points).astype(np.int64))
    noise = 1.0 + 0.2 * np.random.default_rng(0).standard_normal((r, 1))
    return Learned(name, n, scale * noise * np.sqrt(n))


def inside(figure: Figure) -> None:
    """No text beyond the edges, and none below the least size."""
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    for text in figure.findobj(lambda a: isinstance(a, Text) and a.get_visible() and a.get_text()):
        assert text.get_fontsize() >= LEAST, text
    for ax in figure.axes:
        box = ax.get_tightbbox(renderer)
        assert box.x0 >= -1 and box.y0 >= -1, (ax.get_xlabel(), box)
        assert box.x1 <= figure.bbox.x1 + 1 and box.y1 <= figure.bbox.y1 + 1, (ax.get_xlabel(), box)
    for legend in figure.legends:
        box = legend.get_window_extent(renderer)
        assert box.x0 >= -1 and box.x1 <= figure.bbox.x1 + 1, [t.get_text() for t in legend.get_texts()]


# coverage


def test_levels_are_the_steps_at_which_requirements_were_met() -> None:
    """Against the visits of the same run, read at every step."""
    model = find_model("riverswim")(states=3)
    b = np.array([[1, 2], [0, 3], [1, 0]])
    spec = find_learner("uniform-collection", "average")
    at = np.full(4, np.inf)
    options: dict[str, Any] = dict(replicates=1, length=60, params={"b": b}, target="python", seed=3)
    plain, watched = Simulation(spec, model, **options), Simulation(
        spec, model, **options, probes=coverage_probes(), monitor=monitor_of(spec)
    )  # fmt: skip
    for t in range(1, 61):
        visits = plain.advance(t).observed["visits"][0]
        met = int(((visits >= b) & (b > 0)).sum())
        at[:met] = np.minimum(at[:met], t)
    found = coverage_of(watched.advance().curves())
    assert found is not None and found.asked == 4
    assert found.share.tolist() == [math.ceil(j * 4 / LEVELS) / 4 for j in range(1, LEVELS + 1)]
    assert found.steps[0].tolist() == [at[math.ceil(j * 4 / LEVELS) - 1] for j in range(1, LEVELS + 1)]
    assert np.isfinite(at[:2]).all()
    n = np.arange(61)
    assert found.at(n)[0].tolist() == [(at <= k).sum() / 4 for k in n]


def test_requirements_on_states_count_one_each() -> None:
    """Against the visits of the same run; the last visit of a state meets its requirement and a pair's at once."""
    model = find_model("riverswim")(states=3)
    spec = find_learner("uniform-collection", "average")
    for b, states in ((np.zeros((3, 2), dtype=int), [3, 0, 2]), (np.array([[1, 2], [0, 3], [1, 0]]), [4, 6, 0])):
        options: dict[str, Any] = dict(replicates=1, length=60, params={"b": b, "b_states": states}, target="python")
        plain, watched = Simulation(spec, model, **options), Simulation(
            spec, model, **options, probes=coverage_probes(), monitor=monitor_of(spec)
        )  # fmt: skip
        asked = int((b > 0).sum() + (np.array(states) > 0).sum())
        at = np.full(asked, np.inf)
        for t in range(1, 61):
            visits = plain.advance(t).observed["visits"][0]
            met = int(((visits >= b) & (b > 0)).sum() + ((visits.sum(axis=1) >= states) & (np.array(states) > 0)).sum())
            at[:met] = np.minimum(at[:met], t)
        found = coverage_of(watched.advance().curves())
        assert found is not None and found.asked == asked
        assert found.steps[0].tolist() == [at[math.ceil(j * asked / LEVELS) - 1] for j in range(1, LEVELS + 1)]
        assert np.isfinite(at[:2]).all()


def test_the_other_numbers_of_a_study_do_not_change(stored: Path) -> None:
    result = Result.read(stored / "collect")
    cell = result.cells[0]
    study = Study.from_table(COLLECT)
    learner, model = study.build(cell)
    plain = Simulation(
        learner, model, replicates=4, length=cell.length, seed=study.seed, target=study.target,
        params=study.learners[cell.learner_at].params, checkpoints=result.curves[0].checkpoints,
    ).advance().curves()  # fmt: skip
    assert (plain["regret"] == result.curves[0]["regret"]).all() and not plain.probes
    final = coverage_of(result.curves[0])
    assert final is not None and final.steps.shape == (4, LEVELS)
    done = plain.final["finished"][:, 0]
    assert (final.steps[:, -1] == np.where(done < 0, np.inf, done)).all()


def test_what_asks_for_nothing_is_refused() -> None:
    model = find_model("riverswim")(states=3)
    spec = find_learner("uniform-collection", "average")
    run = Simulation(spec, model, replicates=1, length=3, params={"samples": 0}, target="python",
                     probes=coverage_probes(), monitor=monitor_of(spec))  # fmt: skip
    with pytest.raises(InputError, match="asks for no sample"):
        coverage_of(run.advance().curves())
    assert collects(gosprl) and not collects(find_learner("ucb1", "bandit"))


# studies


def test_a_table_holds_mean_limits_and_quantiles() -> None:
    x = np.random.default_rng(1).gamma(1.0, size=(50, 3))
    table = study_table([Learned("a", np.array([1, 2, 4]), x)])
    assert np.allclose(table["mean"], x.mean(axis=0)) and table["replicates"] == [50] * 3
    reach = 2.009575 * x.std(axis=0, ddof=1) / math.sqrt(50)  # t of 49 degrees of freedom at 0.975
    assert np.allclose(np.array(table["mean_high"]) - table["mean"], reach, rtol=1e-6)
    assert np.allclose(np.array(table["mean"]) - table["mean_low"], reach, rtol=1e-6)
    ordered = np.sort(x, axis=0)
    for name, rank in (("q025", 2), ("q50", 25), ("q975", 49)):
        assert table[name] == ordered[rank - 1].tolist()
    alone = study_table([Learned("a", np.array([1]), np.array([[2.0]]))])
    assert alone["mean"] == alone["q025"] == alone["q975"] == [2.0] and math.isnan(alone["mean_low"][0])


def test_limits_of_the_mean_hold_as_often_as_they_say() -> None:
    rng = np.random.default_rng(2)
    x = rng.standard_normal((8, 4000))  # 8 replicates, 4000 means at once
    data = Learned("a", np.arange(4000), x).summary()
    share = float(((data["mean_low"] <= 0) & (0 <= data["mean_high"])).mean())
    assert abs(share - 0.95) < 4 * math.sqrt(0.95 * 0.05 / 4000)


def test_a_study_is_drawn_from_its_folder(stored: Path, tmp_path: Path) -> None:
    made = choose_study(stored / "width", None, None)
    assert [d.kind for d in made] == ["curves", "reward"] * 2 and len({d.name for d in made}) == 4
    result = Result.read(stored / "width")
    table = made[0].table()
    uniform = [v for v, name in zip(table["mean"], table["learner"], strict=True) if name == "uniform"]
    assert np.allclose(uniform, result["uniform", "bernoulli", 20]["regret"].mean(axis=0))
    assert "mean of 3 replicates" in made[0].caption and "least to largest" in made[0].caption
    found = choose_study(stored / "collect", "riverswim", "coverage")
    assert [d.kind for d in found] == ["coverage"] and "share of 6 requirements met" in found[0].caption
    files = execute(stored / "collect", None, kind="coverage", size="icml", format="svg", out=tmp_path)
    with files[1].open(newline="") as stream:
        rows = list(csv.DictReader(stream))
    first = Result.read(stored / "collect").curves[0]
    kept = coverage_of(first)
    assert kept is not None
    means = [float(r["mean"]) for r in rows if r["learner"] == "known-p-greedy"]
    assert np.allclose(means, kept.at(first.checkpoints).mean(axis=0)) and rows[0]["replicates"] == "4"


def test_nothing_of_a_study_is_missing_or_clipped() -> None:
    few, many = [learned("ucb1", 1.0), learned("half of the width", 0.5)], [learned(f"learner-{k}", k + 1.0, 5) for k in
                                                                            range(9)]  # fmt: skip
    for size, learners, kind in (("icml", few, "curves"), ("slides", many, "curves"), ("neurips", few, "reward")):
        figure = study_figure(learners, heading="width: bernoulli", kind=kind, unit="rounds",
                              what="cumulative regret (reward units)", size=size)  # fmt: skip
        inside(figure)
        words = [t.get_text() for t in figure.legends[0].get_texts()]
        assert words[-1] == "95 % limits of the mean"
        assert words[-2] == ("2.5–97.5 % of 60 replicates" if learners is few else "least to largest of 5 replicates")
    alone = study_figure([learned("a", 1.0, 1)], heading="h", kind="curves", unit="steps", what="w (u)")
    assert [t.get_text() for t in alone.legends[0].get_texts()] == ["a", "1 replicate"]


def test_axes_are_linear_unless_that_hides_a_learner() -> None:
    for scale, expected in ((3.0, "linear"), (300.0, "log")):
        learners = [learned("a", 1.0), learned("b", scale)]
        ax = study_figure(learners, heading="h", kind="curves", unit="rounds", what="w").axes[0]
        assert ax.get_xscale() == ax.get_yscale() == expected
        assert expected == "log" or ax.get_ylim()[0] == 0.0


def test_learners_differ_in_grey() -> None:
    looks = [look(k) for k in range(168)]
    assert len({(x["color"], str(x["linestyle"]), x["marker"]) for x in looks}) == 168
    assert len({(str(x["linestyle"]), x["marker"]) for x in looks[:24]}) == 24
    assert len(set(map(str, DASHES))) == 6 and len(set(MARKS)) == 8
    grey = [float(np.dot(np.power(to_rgb(c), 2.2), (0.2126, 0.7152, 0.0722))) for c in PALETTE]
    for (a, x), (b, y) in itertools.combinations(enumerate(grey), 2):
        assert abs(x - y) > 0.02 or str(DASHES[a % 6]) != str(DASHES[b % 6])


def test_legends_take_as_many_columns_as_fit() -> None:
    assert legend_columns(["a", "b", "c"], "neurips") == 3 and legend_columns(["a", "b"], "icml") == 2
    assert legend_columns(["x" * 60, "y" * 60], "neurips") == 1 and legend_columns([], "icml") == 1


def test_what_a_study_does_not_hold_is_refused(stored: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no coverage"):
        choose_study(stored / "width", None, "coverage")
    with pytest.raises(InputError, match="no model of the study is labelled 'bernouli'; nearest: bernoulli"):
        choose_study(stored / "width", "bernouli", None)
    with pytest.raises(InputError, match="a study has curves, reward, coverage, not 'slack'"):
        choose_study(stored / "width", None, "slack")
    with pytest.raises(InputError, match="--policy belongs to a model"):
        drawings_of(stored / "width", None, None, "uniform")
    (tmp_path / "study.json").write_text("{}")
    with pytest.raises(InputError, match="finish it with"):
        drawings_of(tmp_path, None, None, None)


# models


@pytest.mark.parametrize("criterion", [None, Discounted(0.9), FiniteHorizon(7), ShortestPath(3)])
def test_an_occupancy_is_that_of_the_policy(criterion: Any) -> None:
    subject = find("riverswim", {"states": 4}, criterion, unit_cost=isinstance(criterion, ShortestPath))
    by_kind = {d.kind: d for d in model_drawings(subject, "uniform")}
    shape = (7, 4, 2) if isinstance(criterion, FiniteHorizon) else (4, 2)
    d = occupancy(subject.model, np.full(shape, 0.5))
    assert by_kind["occupancy"].table()["occupancy"] == d.ravel().tolist()
    drawn = np.asarray(by_kind["occupancy"].draw("neurips").axes[0].images[0].get_array())
    expected = d.sum(axis=2).T / 7 if d.ndim == 3 else d.T
    assert np.allclose(drawn, expected) and "uniform play" in by_kind["occupancy"].caption
    for size in ("neurips", "icml", "slides"):
        figure = by_kind["occupancy"].draw(size)
        assert figure.get_size_inches()[0] == SIZES[size][0]
        inside(figure)


def test_a_plane_shows_visits_and_a_transition_table_sums_to_one() -> None:
    subject = find("deep-sea", {"N": 4}, None)
    picture, occupied = model_drawings(subject)
    plane = np.ma.filled(occupied.draw("icml").axes[0].images[0].get_array(), np.nan)
    assert np.allclose(np.diag(plane), 0.25) and np.nansum(plane) == pytest.approx(1.0)
    table = picture.table()
    assert set(table) == {"stage", "state", "V", "action"}
    still = model_drawings(find("riverswim", {"states": 4}, None))[0].table()
    sums: dict[tuple[int, int], float] = {}
    for s, a, p in zip(still["state"], still["action"], still["probability"], strict=True):
        sums[s, a] = sums.get((s, a), 0.0) + p
    assert len(sums) == 8 and all(math.isclose(v, 1.0) for v in sums.values())


def test_a_policy_of_a_file_is_drawn_and_a_wrong_one_refused(tmp_path: Path) -> None:
    np.save(tmp_path / "left.npy", np.zeros(3, dtype=int))
    subject = find("riverswim", {"states": 3}, Discounted(0.5))
    occupied = model_drawings(subject, str(tmp_path / "left.npy"))[1]
    assert occupied.table()["occupancy"][:2] == [1.0, 0.0] and "policy left" in occupied.caption
    with pytest.raises(InputError, match=r"cannot be read as a \.npy file"):
        model_drawings(subject, str(tmp_path / "none.npy"))
    np.save(tmp_path / "short.npy", np.zeros(2, dtype=int))
    with pytest.raises(InputError):
        model_drawings(subject, str(tmp_path / "short.npy"))


def test_a_plan_that_was_stored_gives_back_its_model(tmp_path: Path) -> None:
    from theorylab.plan_command import as_json, solve

    asked: list[tuple[str, dict[str, Any], Any, bool]] = [
        ("riverswim", {"states": 4}, Discounted(0.9), False), ("four-rooms", {}, ShortestPath(5), True),
        ("riverswim", {}, FiniteHorizon(3), False), ("bernoulli", {"means": (0.5, 0.6)}, None, False),
        ("riverswim-osband-6", {}, None, False),
    ]  # fmt: skip
    for name, params, criterion, unit_cost in asked:
        subject = find(name, params, criterion, unit_cost=unit_cost)
        file = tmp_path / "plan.json"
        file.write_text(json.dumps(as_json(solve(subject))))
        assert subject_of(str(file)).digest == subject.digest
    changed = json.loads(file.read_text())
    changed["model"]["digest"] = "0"
    file.write_text(json.dumps(changed))
    with pytest.raises(InputError, match="not the one of the file; plan it again"):
        drawings_of(file, None, None, None)


def test_what_is_no_model_is_refused() -> None:
    with pytest.raises(InputError, match=r"there is no file or folder 'riverswm'; as a model: .*nearest: riverswim"):
        drawings_of(Path("riverswm"), None, None, None)
    with pytest.raises(InputError, match="a model has picture, occupancy, not 'slack'"):
        drawings_of(Path("riverswim"), None, "slack", None)
    with pytest.raises(InputError, match=r"has no claim 'a\.b'"):
        drawings_of(Path("riverswim"), "a.b", None, None)
    with pytest.raises(InputError, match="it has no states to occupy"):
        drawings_of(Path("bernoulli"), None, "occupancy", None)


# bytes

SCRIPT = """
import hashlib, sys
from pathlib import Path
from theorylab.figure_command import drawings_of
from theorylab.figure_style import render
sizes, formats, *sources = sys.argv[1:]
for source in sources:
    for d in drawings_of(Path(source), None, None, None):
        for size in sizes.split(","):
            for form in formats.split(","):
                data = render(d.draw(size), form) + repr(dict(d.table())).encode()
                print(d.name, size, form, hashlib.sha256(data).hexdigest())
"""


def printed(seed: str, *arguments: str) -> list[str]:
    done = subprocess.run([sys.executable, "-c", SCRIPT, *arguments], env={**os.environ, "PYTHONHASHSEED": seed},
                          cwd=ROOT, capture_output=True, text=True, check=True)  # fmt: skip
    return done.stdout.splitlines()


@pytest.mark.long
def test_every_kind_is_the_same_bytes_in_every_process(stored: Path, tmp_path: Path) -> None:
    """Every kind of figure, size and format, in processes with different hash seeds."""
    from tests.report.conftest import curve, instance
    from tests.report.test_evidence_figures import claim, coins, compared, growing, matrix
    from theorylab.evidence import to_json

    one = instance("SUPPORTED", curve=curve(500, 10.0, 0.8), e_path=coins(0.0, 0.05))
    known = [
        claim("a.thm", "SUPPORTED", one),
        growing(),
        claim("g.b", "SUPPORTED", compared(), kills={}),
        *matrix(4, 3),
    ]
    (tmp_path / "evidence.json").write_text(to_json(known))
    search = dict(id="l", verdict="NO VIOLATION FOUND", quantity="ratio", evaluations=9, trace=[[1, 0.1], [4, 0.5]],
                  best=0.5)  # fmt: skip
    (tmp_path / "search.json").write_text(json.dumps(search))
    sources = [str(tmp_path), str(tmp_path / "search.json"), str(stored / "collect"), str(stored / "width"),
               "riverswim", "deep-sea"]  # fmt: skip
    runs = [printed(seed, ",".join(SIZES), "pdf,svg,png", *sources) for seed in ("0", "1")]
    assert runs[0] == runs[1] and len(runs[0]) >= 15 * 15


@pytest.mark.long
def test_a_study_and_a_model_are_the_same_bytes_in_every_process(stored: Path) -> None:
    arguments = ("icml", "svg", str(stored / "collect"), "riverswim")
    assert printed("1", *arguments) == printed("2", *arguments) != []


@pytest.mark.long
@pytest.mark.parametrize("size", sorted(SIZES))
def test_no_size_clips_a_study_or_a_model(size: str, stored: Path) -> None:
    drawn = [*study_drawings(Result.read(stored / "collect")), *study_drawings(Result.read(stored / "width"))]
    for name, params, criterion in (
        ("riverswim", {}, None), ("deep-sea", {}, None), ("riverswim", {}, FiniteHorizon(20)),
        ("garnet", dict(S=10, A=3, b=3, seed=1), Discounted(0.9)), ("four-rooms", {}, ShortestPath(5)),
        ("bernoulli", dict(means=(0.9, 0.6)), None), ("wheel", {}, None),
    ):  # fmt: skip
        drawn += model_drawings(find(name, dict(params), criterion))
    for d in drawn:
        inside(d.draw(size))


def test_a_coverage_between_levels_is_that_of_the_last_one(tmp_path: Path) -> None:
    steps = np.full((2, LEVELS), np.inf)
    steps[0] = np.arange(1, LEVELS + 1)
    found = Coverage(100, np.arange(1, LEVELS + 1) / LEVELS, steps)
    assert found.at(np.array([0, 1, 10, 99])).tolist() == [[0.0, 0.05, 0.5, 1.0], [0.0] * 4]
    file = write_table({"n": [1.0], "replicates": [3], "state": [2], "x": [0.5]}, tmp_path / "a.csv")
    assert file.read_text() == "n,replicates,state,x\n1,3,2,0.5\n"
