"""What the learners of LOOP on all tables share: data, the excess loss of the hypothesis in play, the trigger, beta.

With n = N(s,a) visits and P_hat their transitions, the inner infimum of LOOP over all tables is the mean of a pair, and

    excess(f) = sum n e^2,    e(s,a) = Q(s,a) + J - r(s,a) - (P_hat V)(s,a)        [derived; docs of mdps.loop.tabular].

For the hypothesis in play `ahead` holds n P_hat V, so a step changes one term of the sum: O(1). All terms are computed
afresh at every plan. The hypothesis is given up where

    trigger 0   excess >= factor * beta on all data; factor = 4 is the paper's                      [recalled]
    trigger 1   at every step
    trigger 2   a pair has doubled its visits of the last plan, n - n_before >= max(1, n_before)

`beta` in units of reward squared, B = `span`:

    form 0   9 B^2 ((SA/2) ln(1 + T/(SA)) + S ln(T + 1) + ln(1/delta)), for which lemmas T1 to T8 hold    [derived]
    form 1   B^2 ((SA/2) ln(1 + T/(SA)) + ln(1/delta)), optimism only                                    [derived]
    form 2   constant * B (ln(T/delta) + 2 ln N), the paper's form, with ln N = SA ln ceil(B T/2) + ln ceil(T/2) for the
             tables and gains at mesh 1/T; the constant is not specified there                  [recalled; N derived]

`scale` multiplies it; `beta` > 0 replaces the form. The learner knows T and the mean rewards, which enter the losses in
place of the rewards paid: their noise plays no part.
"""

from __future__ import annotations

from collections.abc import Callable
from math import ceil
from typing import Any

import numpy as np

from mdps.learners._loop import act, checked_factors
from mdps.loop.tabular import Optimistic, empirical
from theorylab.errors import InputError
from theorylab.kernel import kernel, log
from theorylab.learner import Field, Learner, f8, i8

__all__ = ["PARAMS", "act", "begin", "derive_as", "example", "planned", "watch"]

PARAMS: dict[str, float | int] = dict(
    delta=0.05, span=0.0, beta=0.0, form=0, constant=1.0, scale=1.0, factor=4.0, trigger=0, cap=1.0
)
STATE: dict[str, Field] = dict(
    Q=f8["S", "A"], V=f8["S"], J=f8[1], pi=i8["S"], N=i8["S", "A"], moves=i8["S", "A", "S"], upsilon=f8[1],
    switches=i8[1], before=i8["S", "A"], ahead=f8["S", "A"], loss=f8["S", "A"], at_plan=f8[1], bound=f8[1],
    programs=i8[1],
)  # fmt: skip


@kernel
def begin(st, p):
    """No data (the state arrives zeroed)."""
    st.switches[0] = 0


@kernel
def record(st, p, s, a, s2):
    """One more transition of a pair, and its term of the excess loss."""
    st.N[s, a] += 1
    st.moves[s, a, s2] += 1
    st.ahead[s, a] += st.V[s2]
    n = float(st.N[s, a])
    e = st.Q[s, a] + st.J[0] - p.r[s, a] - st.ahead[s, a] / n
    st.upsilon[0] += n * e * e - st.loss[s, a]
    st.loss[s, a] = n * e * e


@kernel
def watch(st, p, t, s, a, r, s2):
    """Record the step; true when the hypothesis is given up."""
    record(st, p, s, a, s2)
    if p.trigger == 0:
        return st.upsilon[0] >= p.factor * p.beta
    if p.trigger == 1:
        return True
    return st.N[s, a] - st.before[s, a] >= max(1, st.before[s, a])


def adopt(st: Any, p: Any, found: Optimistic) -> None:
    """The hypothesis found is played from now on; its excess loss is summed afresh."""
    st.Q[:], st.V[:], st.J[0], st.pi[:] = found.Q, found.V, found.J, found.pi
    st.before[:] = st.N
    st.ahead[:] = st.moves @ st.V
    n = np.maximum(st.N, 1)
    st.loss[:] = st.N * (st.Q + st.J[0] - p.r - st.ahead / n) ** 2
    st.upsilon[0] = st.at_plan[0] = st.loss.sum()
    st.bound[0] = found.bound
    st.programs[0] += found.programs
    st.switches[0] += 1


def planned(step: Callable[[Any, Any], Optimistic]) -> Callable[..., None]:
    """The plan of a learner whose next hypothesis is `step(data, p)`."""

    def plan_one(st: Any, p: Any, t: int, s: int) -> None:
        """The next hypothesis, from all transitions so far."""
        adopt(st, p, step(empirical(st.moves, p.r), p))

    return plan_one


def beta_of(p: dict[str, Any]) -> float:
    """beta of the form asked for, before `scale`; reward squared."""
    B, S, A, T, delta = p["span"], p["S"], p["A"], float(p["T"]), p["delta"]
    if p["form"] == 2:
        size = S * A * log(float(ceil(max(2.0, B * T / 2.0)))) + log(float(ceil(max(2.0, T / 2.0))))
        return float(p["constant"] * B * (log(T / delta) + 2.0 * size))
    optimism = 0.5 * S * A * log(1.0 + T / (S * A)) + log(1.0 / delta)
    return float(B * B * optimism if p["form"] == 1 else 9.0 * B * B * (optimism + S * log(T + 1.0)))


def derive_as(name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """`derive` of a learner: beta; refuses parameters without meaning."""

    def derive(p: dict[str, Any]) -> dict[str, Any]:
        checked_factors(name, p, "factor", "constant", "cap")
        if not p["span"] > 0.0:
            raise InputError(
                f"learner '{name}': span={p['span']} must be positive: give a bound on the span of the bias"
            )
        if p["trigger"] not in (0, 1, 2):
            raise InputError(f"learner '{name}': trigger={p['trigger']} is none of 0 excess, 1 every step, 2 doubling")
        r = p["r"]
        if r.min() < 0.0 or r.max() > p["cap"]:
            s, a = (int(i) for i in np.argwhere((r < 0.0) | (r > p["cap"]))[0])
            raise InputError(
                f"learner '{name}': r[{s}, {a}] = {r[s, a]} is outside [0, cap] = [0, {p['cap']}]; rescale"
            )
        return dict(beta=p["scale"] * (p["beta"] or beta_of(p)))

    return derive


def example(model: Any) -> dict[str, Any]:
    """A span that fits small models, and a budget that is exceeded within some ten steps."""
    return dict(span=4.0, scale=0.01)


def learner_as(name: str, step: Callable[[Any, Any], Optimistic], text: str, **params: float | int) -> Learner:
    """A learner of this family: its next hypothesis is `step(data, p)`, data a `mdps.loop.tabular.Empirical`."""
    return Learner(
        name=name,
        setting="average",
        cite="he2024",
        source_tag="recalled",
        params={**PARAMS, **params},
        knows=("r",),
        state=STATE,
        begin=begin,
        act=act,
        watch=watch,
        plan_one=planned(step),
        derive=derive_as(name),
        example=example,
        text=text,
    )
