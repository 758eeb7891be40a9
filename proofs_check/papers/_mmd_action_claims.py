"""Sokota et al. 2023 and 2024, action values: claims on runs of `mmd` and `mirror-descent`; see `sokota2023`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from mdps.learners.mirror_descent import learner as DESCENT
from mdps.learners.mmd import learner as MMD
from proofs_check.mutants import mirror_descent as descent_faults
from proofs_check.mutants import mmd as mmd_faults
from proofs_check.papers import _mmd_probes as own
from proofs_check.papers._mmd_claims import (
    common_payoffs,
    half_range,
    nodes_of,
    one_shot,
    pennies,
    statement,
)
from theorylab.claim import Claim, Context, Control, Instance
from theorylab.errors import InputError
from theorylab.games.layout import as_tree
from theorylab.games.matrix import MatrixGame
from theorylab.learner import Learner

Places = tuple[tuple[Instance, ...], tuple[Instance, ...]]
RANDOM = {"random": 1}
CONTROLS = {
    "mmd": {name: Control(name, fault, replicates=1) for name, fault in mmd_faults.FAULTS.items()},
    "mirror-descent": {name: Control(name, fault, replicates=1) for name, fault in descent_faults.FAULTS.items()},
}


def claim(
    learner: Learner, name: str, text: str, tag: str, value: Any, tol: float, instances: Places, place: Instance,
    caught: str, **more: Any,
) -> Claim:  # fmt: skip
    """A claim with the faults that it must catch, at `place`."""
    return statement(
        name, text, tag, learner, value, tol,
        instances=instances, place=place, monitor=own.behavioural, tables=more.pop("tables", nodes_of),
        controls=tuple(CONTROLS[learner.name][c] for c in caught.split("; ")), **more,
    )  # fmt: skip


def on(family: str, length: int, model: Mapping[str, Any] | None = None, **learner: Any) -> Instance:
    """An instance with a first policy drawn."""
    return Instance(family, length, model or {}, {**RANDOM, **learner})


# MMD

ANNEALED: dict[str, Any] = {"eta": 1.0, "alpha": 1.0, "schedule": 1}
MOVING: dict[str, Any] = {"eta": 0.1, "alpha": 1.0, "magnet": 0.05}
WEIGHTED: dict[str, Any] = {"eta": 2.0, "alpha": 2.0, "schedule": 1, "weighted": 1}
ITERATIONS: Places = (
    (
        on("kuhn", 200, **ANNEALED),
        on("kuhn", 100, **MOVING),
        on("kuhn", 100, **WEIGHTED),
        on("dark-hex", 30, **ANNEALED),
        on("perturbed-rps", 100, eta=0.1, alpha=0.2),
        on("tiny-hanabi", 60, {"variant": "A"}, eta=0.1, alpha=0.5),
    ),
    (on("liars-dice", 60, {"sides": 4}, **MOVING), on("leduc", 60, eta=1.0, alpha=5.0, schedule=1)),
)
#: everything that is optional at once
FULL = on("kuhn", 6, eta=0.5, alpha=0.5, schedule=1, magnet=0.1, weighted=1)
FIXED: Places = (
    (on("kuhn", 700, eta=0.05, alpha=0.5), on("kuhn", 500, eta=0.1, alpha=1.0)),
    (on("kuhn", 20_000, eta=0.01, alpha=0.1), on("dark-hex", 1500, eta=0.05, alpha=0.5)),
)


def temperature(c: Context) -> float:
    """alpha, one and positive."""
    alphas = np.atleast_1d(c.alphas)
    if len(alphas) != 1 or not alphas[0] > 0.0:
        raise InputError(
            f"alphas={alphas.tolist()}: a temperature of zero, or several, where the theorem needs one that is "
            "positive; give alpha > 0"
        )
    return float(alphas[0])


def fixed(c: Context) -> dict[str, Any]:
    """Tables, where temperature and magnet stay as they are."""
    temperature(c)
    if c.schedule != 0 or c.magnet != 0.0:
        raise InputError("schedule or magnet is not 0: fixed points are those of one temperature and a uniform magnet")
    return nodes_of(c)


def threshold(alpha: float) -> float:
    """2 alpha / (1 - alpha^2)."""
    return 2.0 * alpha / (1.0 - alpha * alpha)


def side(factor: float) -> Any:
    """Tables, where eta is at most (factor < 1) or at least (factor > 1) so many times the threshold."""

    def made(c: Context) -> dict[str, Any]:
        limit, eta = factor * threshold(temperature(c)), float(c.etas[0])
        if (eta > limit * (1.0 + 1e-12)) if factor < 1.0 else (eta < limit * (1.0 - 1e-12)):
            raise InputError(f"eta={eta:g} is on the wrong side of {factor:g} 2 alpha/(1 - alpha^2) = {limit:g}")
        return {**nodes_of(c), "repels": float(factor > 1.0)}

    return made


def near(length: int, alpha: float, factor: float) -> Instance:
    """Matching pennies from a first policy near even play, eta `factor` times the threshold."""
    first = (1.0, 0.51, 0.49, 1.0, 0.497, 0.503)
    return Instance("matching-pennies", length, {}, {"alpha": alpha, "eta": factor * threshold(alpha), "first": first})


BELOW: Places = ((near(200, 0.1, 0.95), near(200, 0.3, 0.95)), (near(200, 0.6, 0.95),))
ABOVE: Places = ((near(200, 0.1, 1.05), near(200, 0.3, 1.05)), (near(200, 0.6, 1.05),))
STEPPED = "; ".join(k for k in mmd_faults.FAULTS if k not in ("average with the first policy", "logits not normalised"))

ON_MMD: list[Claim] = [
    claim(
        MMD, "step",
        "Equation 12: (1 + alpha eta) ln pi_{t+1} = ln pi_t + alpha eta ln rho_t + eta q_t up to a constant an "
        "infoset, q_t the action values under the old joint policy, on condition that the infoset is reached.",
        "source", own.closed_step, 1e-9, ITERATIONS, FULL, STEPPED, assumes=(), copies=True,
    ),
    claim(
        MMD, "proximity",
        "Three points: eta <q, p' - u> = KL(p',p) - KL(u,p) + (1 + alpha eta) KL(u,p') + alpha eta (KL(p',rho) - "
        "KL(u,rho)) at every infoset, p = pi_t, p' = pi_{t+1}, for u = p and u uniform.",
        "derived", own.proximity, 1e-9, ITERATIONS, FULL, STEPPED, assumes=(),
    ),
    claim(
        MMD, "policies",
        "Policies sum to 1 at every infoset, and the logits are their logarithms.",
        "derived", own.lawful, 1e-10, ITERATIONS, FULL, "logits not normalised", assumes=(),
    ),
    claim(
        MMD, "last_iterate",
        "What is stood for is the last iterate, not an average.",
        "source", own.last_iterate, 1e-10, ITERATIONS, FULL, "average with the first policy", assumes=(),
    ),
    claim(
        MMD, "fixed_points",
        "At a constant temperature with a uniform magnet an agent quantal response equilibrium is reached: "
        "|pi - softmax(q / alpha)| < 1e-6 at the end. No proof; seen.",
        "source", own.agent_residual, 0.0, FIXED, on("kuhn", 30, eta=0.5, alpha=2.0),
        "softmax of minus values; counterfactual values; player 1's sign; chance left out; values not passed up; "
        "plans of the first policies; not divided by 1 + eta alpha; old policy not divided; "
        "uniform restart; player 1 waits",
        tables=fixed, at="end",
    ),
    claim(
        MMD, "pennies_converge",
        "Matching pennies: at 0.95 of eta = 2 alpha / (1 - alpha^2), near the equilibrium, the squared distance of the "
        "log odds from it falls at every step, by half of 1 - |lambda|^2 at least, |lambda|^2 = (1 + eta^2) / "
        "(1 + eta alpha)^2.",
        "derived", own.wrong_way, 0.0, BELOW, near(20, 0.3, 0.95),
        "temperature left out; not divided by 1 + eta alpha; stepsize trebled",
        assumes=(pennies,), tables=side(0.95),
    ),
    claim(
        MMD, "pennies_diverge",
        "Matching pennies: at 1.05 of eta = 2 alpha / (1 - alpha^2) the equilibrium repels: near it the distance grows "
        "at every step, by half of |lambda|^2 - 1 at least. Alternating updates would converge.",
        "derived", own.wrong_way, 0.0, ABOVE, near(20, 0.3, 1.05),
        "alternating; uniform restart; every second iteration",
        assumes=(pennies,), tables=side(1.05),
    ),
]  # fmt: skip

# Mirror descent, common payoffs


def shared_payoffs(name: str, row: Any) -> MatrixGame:
    """A one-shot game with common payoffs."""
    row = np.asarray(row, dtype=float)
    return MatrixGame(row, row, name=name)


def together(row: MatrixGame, length: int, scaled: float) -> Instance:
    """An instance with eta = scaled / (max A - min A)."""
    return Instance.of(row, length, {**RANDOM, "eta": float(scaled / np.ptp(row.row))})


def drawn(m: int, n: int, seed: int) -> MatrixGame:
    """Payoffs uniform in [0, 1]."""
    row = np.random.Generator(np.random.Philox(key=[seed, 0])).random((m, n))
    return shared_payoffs(f"common-{m}x{n}-{seed}", row)


COORDINATE = shared_payoffs("coordination", [[1.0, 0.0], [0.0, 1.0]])
CLASHING = shared_payoffs("clashing", [[1.0, -1.0, 0.5], [-1.0, 1.0, 0.0], [0.25, -0.5, 1.0]])


def opposed(length: int, eta: float) -> Instance:
    """The coordination game, where the players lean to different actions: eta = 4 takes them to the mirror image."""
    return Instance.of(COORDINATE, length, {"eta": eta, "first": (1.0, 0.52, 0.48, 1.0, 0.48, 0.52)})


#: short enough that no probability is rounded to 0
AT_LIMIT: Places = (
    (opposed(30, 4.0), together(COORDINATE, 30, 4.0), together(CLASHING, 60, 4.0), together(drawn(3, 4, 1), 60, 4.0)),
    (together(drawn(20, 30, 2), 100, 4.0), together(drawn(2, 2, 3), 100, 4.0)),
)
HALFWAY: Places = (
    (opposed(30, 2.0), together(COORDINATE, 60, 2.0), together(CLASHING, 60, 2.0), together(drawn(3, 4, 1), 60, 2.0)),
    (together(drawn(20, 30, 2), 200, 2.0),),
)
HANABI: Places = (
    tuple(on("tiny-hanabi", 60, {"variant": name}, eta=0.1) for name in "AE"),
    tuple(on("tiny-hanabi", 300, {"variant": name}, eta=0.1) for name in "BCDF"),
)
MD_ALL: Places = (AT_LIMIT[0] + HALFWAY[0] + HANABI[0], AT_LIMIT[1] + HALFWAY[1] + HANABI[1])
MD_FULL = on("kuhn", 6, eta=0.5, schedule=1, weighted=1)
MD_STEPPED = "; ".join(
    k for k in descent_faults.FAULTS if k not in ("average with the first policy", "logits not normalised")
)


def limited(factor: float) -> Any:
    """Tables, where eta is at most factor / (max A - min A)."""

    def made(c: Context) -> dict[str, Any]:
        limit = factor / (2.0 * half_range(as_tree(c.model)))
        if not float(c.etas.max()) <= limit * (1.0 + 1e-12):
            raise InputError(f"eta={c.etas.max():g} is above {factor:g}/(max A - min A) = {limit:g}; lower it")
        return nodes_of(c)

    return made


ON_DESCENT: list[Claim] = [
    claim(
        DESCENT, "md_theorem1",
        "Theorem 1, as later papers quote it: with common payoffs and a small enough stepsize, updates of both players "
        "at all infosets at once never lower the expected payoff. Tiny Hanabi, eta = 0.1.",
        "source", own.no_loss, 1e-12, HANABI, on("tiny-hanabi", 12, {"variant": "A"}, eta=0.1),
        "softmax of minus values", assumes=(common_payoffs,), paper="sokota2024",
    ),
    claim(
        DESCENT, "md_limit",
        "One-shot games with common payoffs A, both players at once: the value never falls for eta <= 4 / (max A - "
        "min A).",
        "derived", own.no_loss, 1e-12, AT_LIMIT, opposed(12, 4.0),
        "stepsize trebled; softmax of minus values", assumes=(common_payoffs, one_shot),
        tables=limited(4.0), paper="sokota2024", steps=("md_proximity",),
    ),
    claim(
        DESCENT, "md_gain",
        "It rises by at least (1/eta - (max A - min A)/4) (|dx|_1^2 + |dy|_1^2): strictly for eta < 4 / (max A - "
        "min A), unless the policies stay as they are.",
        "derived", own.certain_gain, 1e-12, HALFWAY, opposed(12, 2.0),
        "softmax of minus values; uniform restart; stepsize trebled", assumes=(common_payoffs, one_shot),
        tables=limited(4.0), paper="sokota2024", steps=("md_proximity",),
    ),
    claim(
        DESCENT, "md_step",
        "ln pi_{t+1} = ln pi_t + eta q_t up to a constant an infoset, q_t action values under the old joint policy.",
        "source", own.closed_step, 1e-9, MD_ALL, MD_FULL, MD_STEPPED, assumes=(), copies=True, paper="sokota2024",
    ),
    claim(
        DESCENT, "md_proximity",
        "Three points: eta <q, p' - u> = KL(p',p) - KL(u,p) + KL(u,p') at every infoset, p = pi_t, p' = pi_{t+1}, for "
        "u = p and u uniform.",
        "derived", own.proximity, 1e-9, MD_ALL, MD_FULL, MD_STEPPED, assumes=(), paper="sokota2024",
    ),
    claim(
        DESCENT, "md_policies",
        "Policies sum to 1 at every infoset, and the logits are their logarithms.",
        "derived", own.lawful, 1e-9, MD_ALL, MD_FULL, "logits not normalised", assumes=(), paper="sokota2024",
    ),
    claim(
        DESCENT, "md_last_iterate",
        "What is stood for is the last iterate, not an average.",
        "source", own.last_iterate, 1e-10, MD_ALL, MD_FULL, "average with the first policy", assumes=(),
        paper="sokota2024",
    ),
]  # fmt: skip
