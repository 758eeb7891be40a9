"""LOOP on a finite class of value functions (Algorithm 1 with the value-based discrepancy). Mean rewards known.

The class is `values` (M,S,A) with gains `gains` (M,); V_m(s) = max_a Q_m(s,a), policies greedy with the lowest action.
The auxiliary class `auxiliary` (K,S,A) should hold every Q_m and every Bellman update r + P V_m - J_m of it
(completeness; `mdps.loop.values.completed` builds it); by default it is the class itself. With f = (Q_f, J_f) and g of
the auxiliary class,

    L_t(f,g) = sum_{i <= t} (g(s_i,a_i) - r_i - V_f(s_{i+1}) + J_f)^2,      excess(f) = L_t(f, Q_f) - min_g L_t(f,g)
             = sum n (Q_f - c_f)^2 - min_g sum n (g - c_f)^2,      c_f = r + P_hat V_f - J_f,

since the sum of squares around c_f is common to both. At the first step, and whenever the excess of the hypothesis in
play has reached factor * beta on all data (factor = 4), the next is the one of largest gain with excess <= beta, ties
to the lowest index. `beta` in units of reward squared, B = `span`:

    form 0   9 B^2 ln(M K / delta), for which lemmas F1 to F5 hold                     [derived]
    form 1   (B^2 / 2) ln(K / delta), optimism only                                    [derived]
    form 2   constant * ln(T (M + K)^2 / delta) B, the paper's form; the constant is not specified there     [recalled]

`scale` multiplies it; `beta` > 0 replaces the form. The excess is looked up lazily, at the same triggers as at every
step: L_t(f,g) never falls for any g, so that excess(f) now <= L_t(f, Q_f) - min_g of the last lookup.

Plans are array programs: NumPy, or CuPy where the run is on a device. Any table g of the auxiliary class bounds an
excess from below; entry m + M, where `completed` puts the Bellman update of hypothesis m, rules most of them out. The
rest are taken by decreasing gain, in blocks of `block` whose losses against all K tables are one matrix product, until
one is in the set [derived]. Cost: O(1) a step, O(S A K) a lookup, O(S A (M + K block)) a block of a plan.

State: Q (S,A), V (S,), J (1,), pi (S,), played (1,) the hypothesis in play; N (S,A) visits, moves (S,A,S) transitions;
own (1,) = L_t(f, Q_f) minus `least` = min_g of the last lookup bounds the excess; upsilon (1,) that bound, equal to the
excess after a lookup; mean (S,A) = c_f of the last lookup; switches (1,) optimisations so far, the first included.

Source: he2024, Algorithm 1 [recalled; value-based discrepancy: source, a review]; lazy lookups [derived].
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mdps.learners._loop import act, checked_factors, checked_span
from theorylab.errors import InputError
from theorylab.kernel import kernel, log
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """No data (the state arrives zeroed)."""
    st.switches[0] = 0


@kernel
def record(st, p, s, a, s2):
    """One more transition, and its square in L_t(f, Q_f)."""
    st.N[s, a] += 1
    st.moves[s, a, s2] += 1
    e = st.Q[s, a] - p.r[s, a] - st.V[s2] + st.J[0]
    st.own[0] += e * e


@kernel
def lookup(st, p):
    """The excess of the hypothesis in play on all data: sum n (Q - c)^2 - min_g sum n (g - c)^2."""
    own = 0.0
    for s in range(p.S):
        for a in range(p.A):
            st.mean[s, a] = 0.0
            n = st.N[s, a]
            if n > 0:
                ahead = 0.0
                for s2 in range(p.S):
                    ahead += st.moves[s, a, s2] * st.V[s2]
                st.mean[s, a] = p.r[s, a] + ahead / n - st.J[0]
                e = st.Q[s, a] - st.mean[s, a]
                own += n * e * e
    least = 0.0
    for k in range(p.K):
        total = 0.0
        for s in range(p.S):
            for a in range(p.A):
                e = p.auxiliary[k, s, a] - st.mean[s, a]
                total += st.N[s, a] * e * e
        if k == 0 or total < least:
            least = total
    return own - least


@kernel
def watch(st, p, t, s, a, r, s2):
    """Record the step; true when the excess of the hypothesis in play has reached factor * beta."""
    record(st, p, s, a, s2)
    limit = p.factor * p.beta
    st.upsilon[0] = st.own[0] - st.least[0]
    # room for rounding in the running sum: a lookup too many changes nothing
    if st.upsilon[0] < limit * (1.0 - 1e-9):
        return False
    st.upsilon[0] = lookup(st, p)
    st.least[0] = st.own[0] - st.upsilon[0]
    return st.upsilon[0] >= limit


def targets(n: Any, P_hat: Any, p: Any, rows: Any, xp: Any) -> tuple[Any, Any]:
    """c = r + P_hat V - J (m,X) of hypotheses `rows`, and sum n (Q - c)^2 (m,), on n (X,), P_hat (X,S), X = SA."""
    Q, J, V = (xp.asarray(x[rows]) for x in (p.flat, p.gains, p.V_m))
    c = xp.asarray(p.r.reshape(-1)) + V @ P_hat.T - J[:, None]
    return c, (n * (Q - c) ** 2).sum(axis=1)


def excesses(n: Any, P_hat: Any, p: Any, rows: Any, xp: Any) -> Any:
    """Excess of hypotheses `rows` (m,) on one replicate's data: n (X,), P_hat (X,S), X = SA; (m,), reward squared."""
    c, own = targets(n, P_hat, p, rows, xp)
    G = xp.asarray(p.auxiliary.reshape(p.K, -1))
    # sum n (g - c)^2 around the centre of all g, so that little is cancelled
    centre = G.mean(axis=0)
    c, G = c - centre, G - centre
    other = (n * c * c).sum(axis=1)[:, None] - 2.0 * (n * c) @ G.T + (G * G) @ n
    return own - other.min(axis=1)


def possible(n: Any, P_hat: Any, p: Any, xp: Any) -> Any:
    """Hypotheses by decreasing gain, without those that one table of the auxiliary class, `pair`, rules out already."""
    c, own = targets(n, P_hat, p, slice(None), xp)
    g = xp.asarray(p.auxiliary.reshape(p.K, -1)[p.pair])
    left = own - (n * (g - c) ** 2).sum(axis=1) <= p.beta + 1e-9 * (1.0 + own)  # room for rounding: the rest decide
    return p.by_gain[(left.get() if xp is not np else left)[p.by_gain]]


def choose(n: Any, P_hat: Any, p: Any, xp: Any) -> tuple[int, float]:
    """The hypothesis of largest gain in the confidence set, and its excess.

    Raises `InputError` where the set is empty, which a class without the truth or an incomplete one can be.
    """
    left = possible(n, P_hat, p, xp)
    for i in range(0, left.size, p.block):
        rows = left[i : i + p.block]
        excess = excesses(n, P_hat, p, rows, xp)
        inside = xp.flatnonzero(excess <= p.beta)
        if inside.size:
            first = int(inside[0])
            return int(rows[first]), float(excess[first])
    raise InputError(
        f"no hypothesis has an excess loss of at most beta={p.beta:.6g}: the class lacks the truth, the auxiliary "
        "class lacks its Bellman updates (mdps.loop.values.completed), or beta is too small"
    )


def adopt(st: Any, p: Any, i: int, m: int, excess: float, xp: Any) -> None:
    """Replicate i of the batch plays hypothesis m from now on."""
    st.played[i, 0] = m
    st.Q[i], st.V[i], st.pi[i] = (xp.asarray(x[m]) for x in (p.values, p.V_m, p.pi_m))
    st.J[i, 0] = p.gains[m]
    targets = xp.asarray((p.values[m] - p.r + p.gains[m])[..., None] - p.V_m[m])
    st.own[i, 0] = (st.moves[i] * targets**2).sum()
    st.upsilon[i, 0] = excess
    st.least[i, 0] = st.own[i, 0] - excess
    st.switches[i, 0] += 1


def planned(choice: Callable[..., tuple[int, float]], adoption: Callable[..., None] = adopt) -> Callable[..., None]:
    """The plan of a batch whose hypotheses are `choice(n, P_hat, p, xp)`."""

    def plan_batch(st: Any, p: Any, t: Any, s: Any, xp: Any) -> None:
        """The next hypothesis of each replicate."""
        n = st.N.reshape(len(t), -1).astype(float)
        P_hat = st.moves.reshape(len(t), p.S * p.A, p.S) / xp.maximum(n, 1.0)[:, :, None]
        for i in range(len(t)):
            adoption(st, p, i, *choice(n[i], P_hat[i], p, xp), xp)

    return plan_batch


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """V, pi of every hypothesis, their order by gain; beta."""
    name = "loop-values"
    checked_factors(name, p, "factor", "constant", "block")
    values, gains = p["values"], p["gains"]
    if values is None or gains is None:
        return {}  # refused by the engine, which names the array
    auxiliary = values if p["auxiliary"] is None else p["auxiliary"]
    V = values.max(axis=2)
    checked_span(name, V, p["span"])
    B, cap = p["span"], p["cap"]
    for what, far, mend in (
        ("values", np.abs(V).max(axis=1) > 0.5 * B * (1.0 + 1e-9), f"|V| above span/2 = {0.5 * B}: centre it"),
        ("gains", gains > cap, f"above cap={cap}: leave it out"),
    ):
        if far.any():
            raise InputError(f"learner '{name}': hypothesis {what}[{int(np.flatnonzero(far)[0])}] is {mend}")
    M, K, delta, beta = len(values), len(auxiliary), p["delta"], p["beta"]
    if beta == 0.0:
        forms = (
            9.0 * B * B * log(M * K / delta),
            0.5 * B * B * log(K / delta),
            p["constant"] * log(p["T"] * (M + K) * (M + K) / delta) * B,
        )
        beta = forms[p["form"]]
    return dict(
        beta=p["scale"] * beta,
        auxiliary=auxiliary,
        K=K,
        flat=np.ascontiguousarray(values.reshape(M, -1)),
        V_m=V,
        pi_m=values.argmax(axis=2),
        by_gain=np.argsort(-gains, kind="stable"),
        pair=(np.arange(M) + M) % K,
    )


def example(model: Any) -> dict[str, Any]:
    """The truth and three neighbours, with their Bellman updates."""
    from mdps.loop.values import completed, perturbed

    values, gains = perturbed(model, 4, spread=1.0, seed=0)
    return dict(values=values, gains=gains, auxiliary=completed(model, values, gains), span=40.0, scale=0.001)


learner = Learner(
    name="loop-values",
    setting="average",
    cite="he2024",
    source_tag="recalled",
    params=dict(delta=0.05, span=0.0, beta=0.0, form=0, constant=1.0, scale=1.0, factor=4.0, cap=1.0, block=128),
    arrays=dict(values=f8["M", "S", "A"], gains=f8["M"], auxiliary=f8["K", "S", "A"]),
    knows=("r",),
    state=dict(
        Q=f8["S", "A"], V=f8["S"], J=f8[1], pi=i8["S"], N=i8["S", "A"], moves=i8["S", "A", "S"], upsilon=f8[1],
        switches=i8[1], played=i8[1], own=f8[1], least=f8[1], mean=f8["S", "A"],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan_batch=planned(choose),
    derive=derive,
    example=example,
    text="The auxiliary class must be complete for the theorem: the experimenter builds it from the true kernel. "
    "Pairs never visited weigh nothing.",
)  # fmt: skip
