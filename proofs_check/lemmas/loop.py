"""LOOP's deterministic steps, on random data and hypotheses, against sums over data and searches written here.

Transitions (s, a, s'), rewards r (S,A) known, hypothesis f = (Q, J), V(s) = max_a Q(s,a), B a bound on the range of V,
E(f) = Q + J - r - P V, n visits, P_hat frequencies.

    losses       L(f, Q) - inf over all tables g of L(f, g) = sum n (Q + J - r - P_hat V)^2            L9   [derived]
    triangle     |sqrt excess - sqrt(sum n E^2)| <= sqrt(sum n ((P_hat - P) V)^2)                      L10  [derived]
    elimination  inf of the excess over Q with max_a Q = V is
                 sum n (c - V)_+^2 + sum_s min_a n (V - c)_+^2,  c = r + P_hat V - J                   b1   [derived]
    law_bound    U(pi) is at least the gain of every f with excess <= beta that pi is greedy for       b2   [derived]
    dual         so is the bound of any multipliers                                                    b2   [derived]
    box          a bonus sqrt(beta / n) for each pair on its own promises no less than the set         b5   [derived]
    distance     |E(f)| <= B TV(P_f, P) + |r_f - r| for Q + J = r_f + P_f V                            M4   [derived]
    mixture      E(f)(s,a) = (theta_f - theta)^T X(s,a), X = psi + sum_s' phi V_f(s')                  X    [derived]
    transition   E(f)(s,a) + (P V)(s,a) - V(s) = J - r(s,a) where a is greedy                          L2   [recalled]
    eluder       sum_{i<t} E(f_t)(x_i)^2 <= b for all t: |E(f_t)(x_t)| > u at most (b/u^2 + 1) dim(u) times
                                                                                                       E    [derived]
    scale        rewards times k, B k, beta k^2 and the cap times k: gains times k                          [derived]

Excesses are relative to the size of what is compared.
"""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from itertools import combinations, product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from mdps.loop.relaxations import box_bound
from mdps.loop.tabular import Empirical, dual_bound, empirical, excess, largest_gain, minimal_excess, policy_bounds

__all__ = [
    "box", "distance", "dual", "elimination", "eluder", "false_box", "false_distance", "false_dual",
    "false_elimination", "false_eluder", "false_law_bound", "false_losses", "false_mixture", "false_scale",
    "false_transition", "false_triangle", "law_bound", "losses", "mixture", "scale", "transition", "triangle",
]  # fmt: skip

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Excess = tuple[float, str]
INSTANCES = 4


def _worst(sides: list[Excess]) -> Excess:
    return max(sides, key=lambda side: np.inf if side[0] != side[0] else side[0])


def _rows(rng: np.random.Generator, *shape: int) -> Floats:
    """Laws (..., n): certain, sparse or spread."""
    rows: Floats = rng.dirichlet(np.full(shape[-1], rng.choice([0.05, 0.5, 2.0])), size=shape[:-1])
    return rows


def _data(rng: np.random.Generator, S: int, A: int) -> tuple[list[tuple[int, int, int]], Floats]:
    """Transitions (s, a, s') of a random model, some pairs unvisited, and its rewards."""
    P, n = _rows(rng, S, A, S), rng.integers(0, rng.choice([2, 6, 20]), size=(S, A))
    steps = [(s, a, int(rng.choice(S, p=P[s, a]))) for s in range(S) for a in range(A) for _ in range(n[s, a])]
    return steps, rng.random((S, A))


def _model(rng: np.random.Generator, S: int, A: int) -> Empirical:
    """An empirical model without unvisited pairs; visits spread over three decades."""
    n = np.exp(rng.uniform(0.0, 7.0, (S, A)))
    return Empirical(_rows(rng, S, A, S), n, rng.random((S, A)))


def _sizes(rng: np.random.Generator) -> tuple[int, int]:
    return int(rng.integers(1, 4)), int(rng.integers(1, 4))


# L9, L10


def _losses(rng: np.random.Generator, unvisited: float) -> Excess:
    sides = []
    for _ in range(INSTANCES):
        S, A = _sizes(rng)
        steps, r = _data(rng, S, A)
        Q, J = rng.normal(0.0, 1.0, (S, A)), float(rng.uniform(-1.0, 1.0))
        V = Q.max(axis=1)
        moves = np.zeros((S, A, S), dtype=np.int64)
        own, targets = 0.0, {pair: [] for pair in product(range(S), range(A))}  # type: ignore[var-annotated]
        for s, a, s2 in steps:
            moves[s, a, s2] += 1
            y = r[s, a] + V[s2] - J
            targets[s, a].append(y)
            own += (Q[s, a] - y) ** 2
        # sum (g - y_i)^2 = n (g - mean)^2 + sum_{i<j} (y_i - y_j)^2 / n: the infimum without its minimiser
        least = sum(sum((x - y) ** 2 for x, y in combinations(ys, 2)) / len(ys) for ys in targets.values() if ys)
        e = empirical(moves, r)
        free = (e.n == 0.0) * (Q + J - e.r - e.P_hat @ V) ** 2
        value = excess(e, Q, J) + unvisited * float(free.sum())
        sides.append((abs(value - (own - least)) / (1.0 + own), f"S={S}, A={A}, {len(steps)} transitions"))
    return _worst(sides)


def losses(rng: np.random.Generator) -> Excess:
    """L9: distance of sum n e_hat^2 from the losses."""
    return _losses(rng, 0.0)


def false_losses(rng: np.random.Generator) -> Excess:
    """The false twin: unvisited pairs at weight one (pitfall 13)."""
    return _losses(rng, 1.0)


def _triangle(rng: np.random.Generator, norm: Callable[[Floats], float]) -> Excess:
    sides = []
    for _ in range(INSTANCES):
        S, A = _sizes(rng)
        e = _model(rng, S, A)
        P, Q, J = _rows(rng, S, A, S), rng.normal(0.0, 1.0, (S, A)), float(rng.uniform(-1.0, 1.0))
        V = Q.max(axis=1)
        off = e.P_hat @ V - P @ V
        # rewards for which E is a multiple of (P_hat - P) V, to which the triangle is tight
        E = rng.uniform(-2.0, 2.0) * off + rng.choice([0.0, 0.01]) * rng.normal(size=(S, A))
        e = Empirical(e.P_hat, e.n, Q + J - P @ V - E)
        left = abs(np.sqrt(excess(e, Q, J)) - np.sqrt((e.n * E**2).sum()))
        size = 1.0 + float((e.n * off**2).sum()) ** 0.5
        sides.append(((left - norm(e.n * off**2)) / size, f"S={S}, A={A}"))
    return _worst(sides)


def triangle(rng: np.random.Generator) -> Excess:
    """L10: excess over its right-hand side."""
    return _triangle(rng, lambda squares: float(np.sqrt(squares.sum())))


def false_triangle(rng: np.random.Generator) -> Excess:
    """The false twin: the largest pair in place of the sum over pairs."""
    return _triangle(rng, lambda squares: float(np.sqrt(squares.max())))


# b1


def _least(n: float, c: float, top: float) -> float:
    """min over q <= top of n (q - c)^2 by ternary search, without the formula."""
    low, high = min(c, top) - 1.0, top
    for _ in range(100):
        a, b = low + (high - low) / 3.0, high - (high - low) / 3.0
        low, high = (low, b) if (a - c) ** 2 <= (b - c) ** 2 else (a, high)
    q = 0.5 * (low + high)
    return n * min((q - c) ** 2, (top - c) ** 2)


def _elimination(rng: np.random.Generator, above: bool) -> Excess:
    sides = []
    for _ in range(INSTANCES):
        S, A = _sizes(rng)
        e = _model(rng, S, A)
        V, J = rng.normal(0.0, 1.0, S), float(rng.uniform(-1.0, 1.0))
        best = 0.0
        for s in range(S):
            c = [float(e.r[s, a] + e.P_hat[s, a] @ V - J) for a in range(A)]
            n, v = e.n[s].tolist(), float(V[s])
            free = [_least(n[a], c[a], v) for a in range(A)]
            best += min(sum(free) - free[k] + n[k] * (v - c[k]) ** 2 for k in range(A))
        formula = minimal_excess(e, V, J)
        if not above:
            formula -= float((e.n * np.maximum(e.r + e.P_hat @ V - J - V[:, None], 0.0) ** 2).sum())
        sides.append((abs(formula - best) / (1.0 + best), f"S={S}, A={A}"))
        Q = np.minimum(V[:, None] - rng.exponential(0.5, (S, A)) * rng.integers(0, 2, (S, A)), V[:, None])
        Q[np.arange(S), rng.integers(0, A, S)] = V
        if above:
            sides.append(((formula - excess(e, Q, J)) / (1.0 + best), f"S={S}, A={A}, a table"))
    return _worst(sides)


def elimination(rng: np.random.Generator) -> Excess:
    """b1: distance of the formula from a search over Q, and its excess over that of a random Q with these values."""
    return _elimination(rng, True)


def false_elimination(rng: np.random.Generator) -> Excess:
    """The false twin: pairs whose backup exceeds V cost nothing (pitfall 2)."""
    return _elimination(rng, False)


# b2, b5


def _promise(e: Empirical, V: Floats, beta: float, pi: Ints, cap: float) -> float:
    """The largest J <= cap of values V with pi greedy and excess at most beta, by bisection; -inf where there is none.

    The excess is convex in J: ternary search for its minimum, then bisection.
    """
    c, free = e.r + e.P_hat @ V - V[:, None], np.arange(e.A) != pi[:, None]

    def cost(J: float) -> float:
        return float((e.n * np.where(free, np.maximum(c - J, 0.0), c - J) ** 2).sum())

    low, high = float(c.min()) - 1.0, float(c.max()) + 1.0
    for _ in range(60):
        a, b = low + (high - low) / 3.0, high - (high - low) / 3.0
        low, high = (low, b) if cost(a) <= cost(b) else (a, high)
    if cost(low) > beta:
        return -np.inf
    high = low + float(np.sqrt(beta / e.n.min())) + float(np.ptp(c)) + 1.0
    for _ in range(56):
        middle = 0.5 * (low + high)
        low, high = (middle, high) if cost(middle) <= beta else (low, middle)
    return min(low, cap)


def _law(P: Floats) -> Floats:
    """The stationary law of a chain with full support."""
    S = len(P)
    system = np.vstack([(np.eye(S) - P).T[1:], np.ones(S)])
    return np.asarray(np.linalg.solve(system, np.eye(S)[-1]))


def _optimist(e: Empirical, beta: float, pi: Ints) -> tuple[Floats, Floats]:
    """Values that spend beta along the stationary law mu of pi, and mu: the hypothesis at which U(pi) is attained."""
    P, n, r = e.of(pi)
    mu = _law(P)
    bonus = np.sqrt(beta) * (mu / n) / np.sqrt((mu**2 / n).sum())
    reward = r + bonus
    gain = float(mu @ reward)
    V = np.linalg.solve(np.eye(e.S) - P + np.outer(np.ones(e.S), mu), reward - gain)
    return V - 0.5 * (V.max() + V.min()), mu


def _confident(rng: np.random.Generator) -> tuple[Empirical, float, Ints, Floats, Floats, float]:
    """A model with full support, beta, a policy, values near its optimist's, its law, and a bound on their range."""
    S, A = _sizes(rng)
    e = _model(rng, S, A)
    e = Empirical(0.9 * e.P_hat + 0.1 / S, e.n, e.r)
    beta, pi = float(np.exp(rng.uniform(-3.0, 3.0))), rng.integers(0, A, S)
    V, mu = _optimist(e, beta, pi)
    V = V + rng.choice([0.0, 0.0, 0.3]) * rng.normal(size=S)
    V -= 0.5 * (V.max() + V.min())
    return e, beta, pi, V, mu, float(np.ptp(V)) * float(rng.choice([1.0, 1.5])) + 1e-3


def _law_bound(rng: np.random.Generator, shared: bool) -> Excess:
    sides = []
    for _ in range(2):
        e, beta, pi, V, mu, span = _confident(rng)
        J = _promise(e, V, beta, pi, np.inf)
        if J == -np.inf:
            continue
        if shared:
            bound = float(policy_bounds(e, beta, span, pi[None])[0])
        else:
            _, n, r = e.of(pi)
            bound = float(mu @ r + np.sqrt(beta / n.sum()))
        sides.append(((J - bound) / (1.0 + span), f"S={e.S}, A={e.A}, beta={beta:.3g}"))
    return _worst([*sides, (-1.0, "no hypothesis")])


def law_bound(rng: np.random.Generator) -> Excess:
    """b2: the gain of a hypothesis over U(pi)."""
    return _law_bound(rng, True)


def false_law_bound(rng: np.random.Generator) -> Excess:
    """The false twin: sqrt(beta / n) at the mean number of visits, sum of n, in place of sqrt(beta sum mu^2 / n)."""
    return _law_bound(rng, False)


def _dual(rng: np.random.Generator, root: bool) -> Excess:
    sides = []
    for _ in range(2):
        e, beta, pi, V, mu, span = _confident(rng)
        J = _promise(e, V, beta, pi, 4.0)
        if J == -np.inf:
            continue
        m = -rng.choice([0.0, 0.1]) * rng.random((e.S, e.A))
        m[np.arange(e.S), pi] = mu + rng.choice([0.0, 0.0, 0.1]) * rng.normal(size=e.S)
        if root:
            bound = dual_bound(e, beta, span, 4.0, pi, m)
        else:
            drift = np.array([(m * e.P_hat[:, :, t]).sum() - m[t].sum() for t in range(e.S)])
            bound = float(((m * e.r).sum() + np.sqrt((m**2 / e.n).sum()) + 0.5 * span * np.abs(drift).sum()) / m.sum())
            bound = bound if m.sum() > 0.1 else np.inf
        sides.append(((J - bound) / (1.0 + span), f"S={e.S}, A={e.A}, beta={beta:.3g}"))
    return _worst([*sides, (-1.0, "no hypothesis")])


def dual(rng: np.random.Generator) -> Excess:
    """b2: the gain of a hypothesis over the bound of random multipliers."""
    return _dual(rng, True)


def false_dual(rng: np.random.Generator) -> Excess:
    """The false twin: sqrt(beta) left out."""
    return _dual(rng, False)


def _box(rng: np.random.Generator, share: bool) -> Excess:
    sides = []
    for _ in range(2):
        e, beta, pi, V, _, span = _confident(rng)
        J = _promise(e, V, beta, pi, 50.0)
        if J == -np.inf:
            continue
        bound = box_bound(e, beta / (e.S * e.A if share else 1), span, 50.0)
        sides.append(((J - bound) / (1.0 + span), f"S={e.S}, A={e.A}, beta={beta:.3g}"))
    return _worst([*sides, (-1.0, "no hypothesis")])


def box(rng: np.random.Generator) -> Excess:
    """b5: the gain of a hypothesis over the box bound."""
    return _box(rng, False)


def false_box(rng: np.random.Generator) -> Excess:
    """The false twin: each pair has an equal share of the budget."""
    return _box(rng, True)


# M4, X, L2


def _distance(rng: np.random.Generator, part: float) -> Excess:
    sides = []
    for _ in range(INSTANCES):
        S = int(rng.integers(2, 5))
        p, q, B = _rows(rng, S), _rows(rng, S), float(np.exp(rng.normal()))
        V = rng.uniform(-0.5, 0.5, S) * B
        if rng.random() < 0.7:  # equality: largest where P_f has more mass
            V = np.where(q > p, 0.5, -0.5) * B
        r, r_f, J = rng.random(), rng.random(), rng.uniform(0.0, 1.0)
        Q = r_f + q @ V - J
        E = Q + J - r - p @ V
        tv = 0.5 * float(np.abs(p - q).sum())
        sides.append((float(abs(E) - part * B * tv - abs(r_f - r)) / (1.0 + B), f"S={S}, B={B:.3g}, TV={tv:.3g}"))
    return _worst(sides)


def distance(rng: np.random.Generator) -> Excess:
    """M4: |E(f)| over B TV + |r_f - r|."""
    return _distance(rng, 1.0)


def false_distance(rng: np.random.Generator) -> Excess:
    """The false twin: half of it, B/2 being the bound on |V|."""
    return _distance(rng, 0.5)


def _solved(P: Floats, r: Floats) -> tuple[Floats, float]:
    """Q and J of a model with full support: the policy of largest gain, by enumeration."""
    S, A = r.shape
    J, V, at = -np.inf, np.zeros(S), np.arange(S)
    for pi in product(range(A), repeat=S):
        chain, reward = P[at, list(pi)], r[at, list(pi)]
        mu = _law(chain)
        gain = float(mu @ reward)
        if gain > J:
            J, V[:] = gain, np.linalg.solve(np.eye(S) - chain + np.outer(np.ones(S), mu), reward - gain)
    return np.asarray(r + P @ V - J), J


def _mixture(rng: np.random.Generator, own: bool) -> Excess:
    S, A, d = int(rng.integers(2, 4)), 2, int(rng.integers(2, 4))
    phi = np.moveaxis(0.9 * _rows(rng, d, S, A, S) + 0.1 / S, 0, -1)  # (S,A,S,d)
    psi = rng.random((S, A, d))
    theta, theta_f = _rows(rng, d), _rows(rng, d)
    Q, J = _solved(phi @ theta_f, psi @ theta_f)
    V = Q.max(axis=1)
    E = Q + J - psi @ theta - (phi @ theta) @ V
    seen = V if own else _solved(phi @ theta, psi @ theta)[0].max(axis=1)
    X = psi + np.einsum("satd,t->sad", phi, seen)
    return float(np.abs(E - X @ (theta_f - theta)).max() / (1.0 + np.ptp(V))), f"S={S}, d={d}"


def mixture(rng: np.random.Generator) -> Excess:
    """X: distance of E(f) from (theta_f - theta)^T X, f solved."""
    return _mixture(rng, True)


def false_mixture(rng: np.random.Generator) -> Excess:
    """The false twin: X with the values of the truth."""
    return _mixture(rng, False)


def _transition(rng: np.random.Generator, greedy: bool) -> Excess:
    sides = []
    for _ in range(INSTANCES):
        S, A = _sizes(rng)
        P, r, Q, J = _rows(rng, S, A, S), rng.random((S, A)), rng.normal(size=(S, A)), float(rng.uniform(-1.0, 1.0))
        V = Q.max(axis=1)
        s = int(rng.integers(S))
        a = int(Q[s].argmax()) if greedy else int(rng.integers(A))
        ahead = sum(P[s, a, t] * V[t] for t in range(S))
        E = Q[s, a] + J - r[s, a] - ahead
        sides.append((float(abs(E + ahead - V[s] - (J - r[s, a]))), f"S={S}, A={A}"))
    return _worst(sides)


def transition(rng: np.random.Generator) -> Excess:
    """L2 for one transition: distance of its sides."""
    return _transition(rng, True)


def false_transition(rng: np.random.Generator) -> Excess:
    """The false twin: any action."""
    return _transition(rng, False)


# E


def _dimension(E: list[list[Any]], u: Any) -> int:
    """Longest sequence of points in which, for one u' >= u, each has an f with |E(f)| > u' there and
    sum E(f)^2 <= u'^2 over those before it."""
    points = range(len(E[0]))
    sums = {sum(f[i] ** 2 for i in chosen) for f in E for k in points for chosen in combinations(points, k)}

    def longest(before: tuple[int, ...], square: Any) -> int:
        new = (
            x for x in points if x not in before
            and any(sum(f[i] ** 2 for i in before) <= square < f[x] ** 2 for f in E)
        )  # fmt: skip
        return max((1 + longest((*before, x), square) for x in new), default=0)

    return max(longest((), square) for square in {u * u, *(x for x in sums if x > u * u)})


def _eluder(rng: np.random.Generator, one: int) -> Excess:
    n, M, T = int(rng.integers(1, 4)), int(rng.integers(1, 4)), int(rng.integers(1, 9))
    E = [[Fraction(int(k), 4) for k in row] for row in rng.integers(-4, 5, size=(M, n))]
    b, u = Fraction(int(rng.integers(0, 9)), 4), Fraction(int(rng.integers(1, 4)), 4)
    played: list[int] = []
    count = 0
    for _ in range(T):
        inside = [f for f in E if sum(f[x] ** 2 for x in played) <= b]
        if not inside:
            break
        f, x = max(((f, x) for f in inside for x in range(n)), key=lambda fx: (abs(fx[0][fx[1]]) > u, rng.random()))
        count += abs(f[x]) > u
        played.append(x)
    return float(count - (b / (u * u) + one) * _dimension(E, u)), f"{n} points, M={M}, b={b}, u={u}, {count} large"


def eluder(rng: np.random.Generator) -> Excess:
    """E: how many errors are large beyond (b/u^2 + 1) dim(u), hypotheses and points chosen to make them so."""
    return _eluder(rng, 1)


def false_eluder(rng: np.random.Generator) -> Excess:
    """The false twin: (b/u^2) dim(u)."""
    return _eluder(rng, 0)


# scale


def _largest(e: Empirical, beta: float, span: float, cap: float) -> float:
    """The largest gain over a mesh of 9 values on each state but the first, and all greedy policies."""
    mesh = product(np.linspace(-span, span, 9), repeat=e.S - 1)
    values = [np.array([0.0, *v]) for v in mesh]
    found = [
        largest_gain(e, V, np.array(pi), beta, cap)
        for V in values if np.ptp(V) <= span for pi in product(range(e.A), repeat=e.S)
    ]  # fmt: skip
    return max((J for J in found if J is not None), default=-np.inf)


def _scale(rng: np.random.Generator, power: int) -> Excess:
    e = _model(rng, int(rng.integers(1, 3)), 2)
    beta, span, k = float(np.exp(rng.uniform(0.0, 3.0))), float(rng.uniform(0.5, 2.0)), float(rng.choice([0.1, 3.0]))
    other = Empirical(e.P_hat, e.n, k * e.r)
    J = _largest(e, beta, span, 2.0)
    if J == -np.inf:
        return -1.0, "no hypothesis"
    return abs(_largest(other, k**power * beta, k * span, 2.0 * k) / k - J), f"S={e.S}, k={k}, beta={beta:.3g}"


def scale(rng: np.random.Generator) -> Excess:
    """Distance of the largest gain in the other unit from k times that in this one, in units of the rewards."""
    return _scale(rng, 2)


def false_scale(rng: np.random.Generator) -> Excess:
    """The false twin: beta times k, as with sp to the first power (pitfall 9)."""
    return _scale(rng, 1)
