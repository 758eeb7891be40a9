"""GOSPRL for goal-free and cost-free exploration: samples to plan to any goal at any cost later. Average setting.

With X = `times`, an upper bound on the diameter D, y = omega = max(c_min, epsilon / (theta X)), Gh the largest number
of successors seen of a pair, b(s,a) = ceil(phi(X, y)), and l = ln(X S A / (y epsilon delta)):

    phi(X, y) = alpha0 ( X^3 Gh / (y epsilon^2) l + X^2 S / (y epsilon) l + X^2 Gh / y^2 ln^2(X S A / (y delta)) )

[source: ALT21, equation 6; use of D for X: recalled]. alpha0 is a numerical constant that the source leaves open: the
guarantee is for alpha0 large enough, and 1 asks for far more than a desktop holds. c_min = `cost`, 0 for costs that may
vanish, where the policy competes with those of hitting time at most theta times the fastest. The planning phase is
`mdps.collection.planning`. State: those of `gosprl` and `_adaptive`, branching (1,) = Gh.
"""

from __future__ import annotations

from typing import Any

from mdps.learners._adaptive import adaptive, positive
from mdps.learners.gosprl_modest import ceiling
from theorylab.errors import InputError
from theorylab.kernel import kernel, log
from theorylab.learner import i8


@kernel
def successors(st, p, s, a):
    """Successors seen of a pair, which may raise the largest number of them."""
    degree = 0
    for s2 in range(p.S):
        degree += 1 if st.moves[s, a, s2] > 0 else 0
    st.branching[0] = max(st.branching[0], max(1, degree))
    return degree


@kernel
def ask(st, p, s, a):
    """ceil phi, the same for every pair; Gh of all pairs where a lookup of all begins, else raised by this one."""
    pair = s * p.A + a
    for i in range(0 if pair == 0 else pair, p.S * p.A if pair == 0 else pair + 1):
        successors(st, p, i // p.A, i % p.A)
    Gh = st.branching[0]
    X = p.times
    y = p.omega
    first = log(X * p.S * p.A / (y * p.epsilon * p.delta))
    second = log(X * p.S * p.A / (y * p.delta))
    phi = X * X * X * Gh / (y * p.epsilon * p.epsilon) * first
    phi += X * X * p.S / (y * p.epsilon) * first + X * X * Gh / (y * y) * second * second
    return ceiling(p.alpha0 * phi)


def check(p: dict[str, Any]) -> dict[str, Any]:
    """omega; refuses accuracies, costs and constants without meaning."""
    name = "gosprl-explore"
    positive(name, p, "times", "epsilon", "theta", "alpha0")
    if p["times"] < 1.0:
        raise InputError(f"{name}: times={p['times']} is below 1, which no diameter is; give an upper bound on it")
    if not 0.0 <= p["cost"] <= 1.0:
        raise InputError(f"{name}: cost={p['cost']}, the least cost of a step, must lie in [0, 1]")
    omega = max(p["cost"], p["epsilon"] / (p["theta"] * p["times"]))
    if omega > 1.0:
        raise InputError(f"{name}: epsilon={p['epsilon']} is above theta * times, more than policies can differ by")
    return dict(omega=omega)


learner = adaptive(
    "gosprl-explore",
    ask,
    params=dict(times=10.0, epsilon=0.5, cost=1.0, theta=2.0, alpha0=1.0),
    state=dict(branching=i8[1]),
    check=check,
    source_tag="recalled",
    text="`times` is an upper bound on the diameter, `cost` the least cost of a step (0: costs may vanish), `theta` "
    "the factor of admitted hitting times then, `alpha0` the constant that the source leaves open.",
)
