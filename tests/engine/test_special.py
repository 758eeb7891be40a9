"""Elementary functions and samplers of + - * / sqrt: accuracy against ball arithmetic, edges, targets, laws.

Ball arithmetic (python-flint, 200 bits) is exact here. The laws are tested by Kolmogorov and Smirnov's statistic on
20,000 draws with a fixed seed; p = 1e-3 would be met by chance once in a thousand seeds, and this seed is fixed.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
from flint import arb, ctx
from numpy.typing import NDArray
from scipy import stats

from theorylab.compiler import kernel, u64
from theorylab.rng import LEARNER, Rng
from theorylab.special import beta, exp, exp_each, gamma, log, log_each, normal, normal_inverse

Floats = NDArray[np.float64]
INF, NAN = math.inf, math.nan
DRAWS = 20_000
#: shape of the gamma law, and the two shapes of the beta law
SHAPES = ((0.1, 0.5, 0.5), (0.7, 1.0, 3.0), (1.0, 0.2, 7.0), (2.5, 12.0, 4.0), (60.0, 1.0, 1.0))


@kernel
def tabulate(x, out):  # type: ignore[no-untyped-def]
    """log, exp and normal_inverse of every entry."""
    for i in range(x.shape[0]):
        out[i, 0] = log(x[i])
        out[i, 1] = exp(x[i])
        out[i, 2] = normal_inverse(x[i])


@kernel
def fill(k0, k1, shapes, start, stop, out):  # type: ignore[no-untyped-def]
    """For each replicate a normal draw, then a gamma and a beta draw for every row of shapes."""
    for i in range(start, stop):
        rng = Rng(k0, k1, u64(i))
        out[i, 0] = normal(rng, 3, 0, LEARNER)
        for j in range(shapes.shape[0]):
            g, _ = gamma(rng, 4, j, LEARNER, shapes[j, 0], 0)
            out[i, 2 * j + 1] = g
            out[i, 2 * j + 2] = beta(rng, 5, j, LEARNER, shapes[j, 1], shapes[j, 2])


@pytest.fixture(autouse=True)
def precise() -> Iterable[None]:
    before = ctx.prec
    ctx.prec = 200
    yield
    ctx.prec = before


@pytest.fixture(scope="module")
def samples() -> Floats:
    """(DRAWS, 11) draws on the cpu target."""
    out = np.zeros((DRAWS, 1 + 2 * len(SHAPES)))
    fill.build("cpu")(np.uint64(77), np.uint64(5), np.array(SHAPES), 0, DRAWS, out)
    return out


def generator(seed: int) -> np.random.Generator:
    return np.random.Generator(np.random.Philox(seed))


def error(f: Callable[[float], float], exact: Callable[[Any], Any], points: Iterable[float]) -> float:
    """Largest error of f in units of the last place of the exact value."""
    worst = 0.0
    for x in map(float, points):
        truth = exact(arb(x))
        worst = max(worst, abs(float((arb(f(x)) - truth) / arb(math.ulp(float(truth.mid()))))))
    return worst


LOG_POINTS = {
    "all exponents": np.exp(generator(1).uniform(-708, 709, 3000)),
    "around 1": generator(2).uniform(0.3, 3.0, 3000),
    "next to 1": 1.0 + generator(3).uniform(-1e-6, 1e-6, 500),
    "subnormal": generator(4).integers(1, 2**52, 500).astype(np.uint64).view(np.float64),
    "powers of two": np.concatenate([[5e-324], np.ldexp(1.0, np.arange(-1022, 1024, 5)), [np.finfo(float).max]]),
}
EXP_POINTS = {
    "normal results": generator(5).uniform(-708.39, 709.78, 4000),
    "around 0": generator(6).uniform(-1.0, 1.0, 2000),
    "tiny": generator(7).uniform(-1e-9, 1e-9, 300),
    "largest results": np.linspace(709.4, 709.7827, 300),
    "multiples of ln 2 / 2": np.arange(-2043, 2047, 7) * 0.34657359027997264,
}


@pytest.mark.parametrize("points", LOG_POINTS.values(), ids=list(LOG_POINTS))
def test_log_is_within_an_ulp(points: Floats) -> None:
    assert error(log, lambda x: x.log(), points) < 1.0


@pytest.mark.parametrize("points", EXP_POINTS.values(), ids=list(EXP_POINTS))
def test_exp_is_within_an_ulp(points: Floats) -> None:
    assert error(exp, lambda x: x.exp(), points) < 1.0


@kernel
def side_by_side(x, out):  # type: ignore[no-untyped-def]
    """As `log` and `exp` of every entry, in loops that are vectorised, and after them the branching ones."""
    for i in range(x.shape[0]):
        for j in range(8):
            out[i, 0, j] = log_each(x[i, j])
        for j in range(8):
            out[i, 1, j] = exp_each(x[i, j])
        for j in range(8):
            out[i, 2, j] = log(x[i, j])
            out[i, 3, j] = exp(x[i, j])


def test_the_forms_without_a_branch_have_the_same_bits() -> None:
    edges = [0.0, -0.0, INF, -INF, NAN, 5e-324, 2.2250738585072014e-308, 709.782712893384, 709.7827128933841]
    edges += [-708.3964185322641, -708.3964185322642, 1e-310, -1e300, 1.7976931348623157e308]
    points = np.concatenate([*LOG_POINTS.values(), *EXP_POINTS.values(), edges, -LOG_POINTS["all exponents"]])
    x = np.resize(points, (-(-points.size // 8), 8))
    for target in ("cpu", "python"):
        rows = x if target == "cpu" else np.concatenate([x[::40], x[-2:]])
        out = np.zeros((len(rows), 4, 8))
        side_by_side.build(target)(rows, out)
        each, branching = out[:, :2], out[:, 2:]
        different = (each.view(np.int64) != branching.view(np.int64)) & ~(np.isnan(each) & np.isnan(branching))
        assert not different.any(), (target, rows[np.argwhere(different)[0][0]])


def same(a: float, b: float) -> bool:
    return (math.isnan(a) and math.isnan(b)) or (a == b and math.copysign(1, a) == math.copysign(1, b))


@pytest.mark.parametrize(
    ("f", "x", "expected"),
    [
        (log, 0.0, -INF), (log, -0.0, -INF), (log, -1.0, NAN), (log, -INF, NAN), (log, INF, INF), (log, NAN, NAN),
        (log, 1.0, 0.0), (log, 5e-324, -744.4400719213812),
        (exp, 0.0, 1.0), (exp, -0.0, 1.0), (exp, INF, INF), (exp, -INF, 0.0), (exp, NAN, NAN),
        (exp, 1.0, 2.7182818284590455), (exp, 709.79, INF), (exp, 709.0, 8.218407461554972e307),
        (exp, -708.4, 0.0), (exp, -745.0, 0.0),
        (normal_inverse, 0.5, 0.0), (normal_inverse, 0.0, -INF), (normal_inverse, 1.0, INF),
        (normal_inverse, NAN, NAN),
    ],
)  # fmt: skip
def test_edges(f: Callable[[float], float], x: float, expected: float) -> None:
    assert same(f(x), expected)


def quantile_error(u: float) -> float:
    """Relative error of normal_inverse at u, by Newton's method on the distribution function in ball arithmetic."""
    z = normal_inverse(u)
    x = arb(z)
    for _ in range(3):
        # from the smaller tail, where the difference to u does not cancel
        excess = (-x / arb(2).sqrt()).erfc() / 2 - arb(u)
        x = arb((x - excess * (2 * arb.pi()).sqrt() * (x * x / 2).exp()).mid())
    return abs(float((arb(z) - x) / x))


@pytest.mark.parametrize(
    "points",
    [
        generator(8).uniform(0.0, 1.0, 800),
        10.0 ** generator(9).uniform(-300, -1, 500),
        1.0 - 10.0 ** generator(10).uniform(-16, -1, 300),
        0.5 + generator(11).uniform(-0.01, 0.01, 300),
        np.array([0.075, 0.925, 0.07499999, 0.92500001, 2.0**-53, 1 - 2.0**-53]),
    ],
    ids=["all", "lower tail", "upper tail", "centre", "seams"],
)
def test_the_normal_quantile_is_accurate(points: Floats) -> None:
    assert max(quantile_error(float(u)) for u in points) < 2e-15


def test_the_normal_quantile_is_odd_and_increasing() -> None:
    u = np.sort(np.concatenate([generator(12).uniform(0, 0.5, 500), [0.075 + k * 2.0**-54 for k in range(-20, 20)]]))
    z = [normal_inverse(float(x)) for x in u]
    assert all(a <= b for a, b in itertools.pairwise(z))
    assert all(normal_inverse(1.0 - x) == -normal_inverse(x) for x in (2.0**-k for k in range(1, 50)))


def test_python_and_cpu_agree_on_functions() -> None:
    points = [*LOG_POINTS.values(), *EXP_POINTS.values(), generator(13).uniform(0, 1, 2000)]
    x = np.concatenate([*points, [0.0, -0.0, -1.0, INF, -INF, NAN]])
    python, cpu = np.zeros((x.size, 3)), np.zeros((x.size, 3))
    tabulate.build("python")(x, python)
    tabulate.build("cpu")(x, cpu)
    assert np.array_equal(np.isnan(python), np.isnan(cpu))
    assert np.nan_to_num(python, nan=0.0).tobytes() == np.nan_to_num(cpu, nan=0.0).tobytes()


def test_python_and_cpu_agree_on_samplers(samples: Floats) -> None:
    python = np.zeros((60, samples.shape[1]))
    fill.build("python")(77, 5, np.array(SHAPES), 0, 60, python)
    assert python.tobytes() == samples[:60].tobytes()


def test_the_normal_law(samples: Floats) -> None:
    assert stats.kstest(samples[:, 0], "norm").pvalue > 1e-3


@pytest.mark.parametrize("j", range(len(SHAPES)))
def test_the_gamma_and_beta_laws(j: int, samples: Floats) -> None:
    shape, a, b = SHAPES[j]
    assert stats.kstest(samples[:, 2 * j + 1], stats.gamma(shape).cdf).pvalue > 1e-3
    assert stats.kstest(samples[:, 2 * j + 2], stats.beta(a, b).cdf).pvalue > 1e-3


def test_the_law_tests_have_power(samples: Floats) -> None:
    assert stats.kstest(samples[:, 0] * 1.08, "norm").pvalue < 1e-3
    shape, a, b = SHAPES[3]
    assert stats.kstest(samples[:, 7], stats.gamma(shape * 1.05).cdf).pvalue < 1e-3
    assert stats.kstest(samples[:, 8], stats.beta(a, b * 1.1).cdf).pvalue < 1e-3


def test_a_gamma_draw_says_which_blocks_it_used() -> None:
    rng = Rng(77, 5, 3)
    _, used = gamma(rng, 4, 0, LEARNER, 2.5, 10)
    assert used > 10
    _, boosted = gamma(rng, 4, 0, LEARNER, 0.5, 10)
    assert boosted >= 12  # one block for the boost, one at least for the proposal
