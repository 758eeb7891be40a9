"""GOSPRL-MODEST: uniform model estimation, |p_hat(.|s,a) - p(.|s,a)|_1 <= eta for all pairs. Average setting.

`rule` 0, implicit: a pair is asked for one more visit as long as alpha sum_{s2} beta(s,a,s2) > eta, beta the radius of
its own data (`gosprl`). On the radii's event with alpha >= 1 the error is then at most eta for every pair [derived].

`rule` 1, by formula: with X = sum_{s2} sqrt(p_hat (1 - p_hat)),

    b(s,a) = ceil(57 X^2 / eta^2 ln^2(8 e X sqrt(2 S A) / (sqrt(delta) eta)) + 24 S / eta ln(24 S^2 A / (delta eta)))

[recalled], which is far above what the radii need (X = 0 leaves the second term alone).

Anytime: with `shrink` in (0, 1), eta is multiplied by it whenever all pairs are satisfied, and the run never ends;
with `shrink` = 1 the sample is complete at the first time. State: those of `gosprl` and `_adaptive`, eta (1,) the
accuracy in force, reached (1,) the last one that was met, 0 before. Accuracies are in total mass, up to 2.

In G, gaps under the implicit rule are all 1: ties go to the action with the fewest visits, then to the lowest one. With
the lowest alone a run of 10^4 steps on NoisyRiverSwim never tries some pairs [derived; the reference runs agree].

Source: tarbouriech2021 [formula: recalled; implicit rule and anytime version: derived].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._adaptive import adaptive, evenly, own_radius, positive
from theorylab.errors import InputError
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import f8

IMPLICIT, FORMULA = 0, 1
E = 2.718281828459045


@kernel
def ceiling(x):
    """The smallest integer at or above x >= 0."""
    n = int(x)
    return n + 1 if n < x else n


@kernel
def by_formula(st, p, s, a, eta):
    """b(s,a) of the formula."""
    n = float(max(1, st.N[s, a]))
    X = 0.0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        X += sqrt(x * (1.0 - x))
    b = 24.0 * p.S / eta * log(24.0 * p.S * p.S * p.A / (p.delta * eta))
    if X > 0.0:
        factor = log(8.0 * E * X * sqrt(2.0 * p.S * p.A) / (sqrt(p.delta) * eta))
        b += 57.0 * X * X / (eta * eta) * factor * factor
    return ceiling(b)


@kernel
def ask(st, p, s, a):
    """Visits asked of a pair for the accuracy in force."""
    eta = p.eta if st.eta[0] == 0.0 else st.eta[0]
    if p.rule == FORMULA:
        return by_formula(st, p, s, a, eta)
    return st.N[s, a] + (1 if own_radius(st, p, s, a) > eta else 0)


@kernel
def advance(st, p, t):
    """All pairs are satisfied: done, or on to the next accuracy."""
    eta = p.eta if st.eta[0] == 0.0 else st.eta[0]
    st.reached[0] = eta
    if p.shrink == 1.0:
        return True
    st.eta[0] = p.shrink * eta
    return False


def check(p: dict[str, Any]) -> dict[str, Any]:
    """Refuses accuracies and rules without meaning."""
    positive("gosprl-modest", p, "eta", "alpha")
    if not 0.0 < p["shrink"] <= 1.0:
        raise InputError(f"gosprl-modest: shrink={p['shrink']} must lie in (0, 1]; 1 stops at the first accuracy")
    if p["rule"] not in (IMPLICIT, FORMULA):
        raise InputError(f"gosprl-modest: rule={p['rule']} is neither 0 (implicit) nor 1 (formula)")
    return {}


learner = adaptive(
    "gosprl-modest",
    ask,
    params=dict(eta=0.5, rule=IMPLICIT, shrink=1.0),
    state=dict(eta=f8[1], reached=f8[1]),
    advance=advance,
    choose=evenly,
    check=check,
    source_tag="recalled",
    text="`rule` 0 stops by the radii, 1 by the recalled formula; `shrink` below 1 is the anytime version, which goes "
    "on with accuracies eta, shrink eta, ... and never ends. `reached` is 0 until the first accuracy is met.",
)
