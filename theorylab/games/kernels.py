"""Passes over a game in sequence form, as kernels: what every solver is made of.

Vectors have Q rows, an entry a sequence of either player, and LANES columns, a replicate each: neighbouring columns are
updated side by side, and the compiler sees how many they are. `p` holds the arrays of `theorylab.games.layout`. `who`
is the player whose part is worked on: 0, 1 or BOTH = 2.
"""

from __future__ import annotations

from typing import Any

from theorylab.compiler import u64
from theorylab.kernel import LEARNER, Rng, draw, exp, exp_each, kernel, log, log_each

__all__ = [
    "BOTH", "LANES", "add_plan", "behave", "best", "best_reply", "exponential", "gradient", "infosets_of", "logarithm",
    "masses", "realise", "scatter", "sequences_of", "spread", "start", "uniform",
]  # fmt: skip

#: replicates side by side: bound when a loop is built
LANES: Any = 1
BOTH = 2


@kernel
def exponential(x):
    """exp x: with replicates side by side in the form that is vectorised, which has the same bits."""
    return exp(x) if LANES == 1 else exp_each(x)


@kernel
def logarithm(x):
    """As `exponential`, of log x."""
    return log(x) if LANES == 1 else log_each(x)


@kernel
def infosets_of(p, who):
    """First infoset of a player, and one after its last."""
    return p.I0 if who == 1 else 0, p.I0 if who == 0 else p.I


@kernel
def sequences_of(p, who):
    """First sequence of a player, and one after its last."""
    return p.second if who == 1 else 0, p.second if who == 0 else p.Q


@kernel
def uniform(pi, p):
    """All actions of an infoset alike."""
    for q in range(p.Q):
        for j in range(LANES):
            pi[q, j] = 1.0
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                pi[q, j] = 1.0 / p.seq_count[i]


@kernel
def scatter(pi, p, rng):
    """At every infoset a policy uniform on the simplex: exponential weights, drawn for each replicate on its own."""
    for j in range(LANES):
        own = Rng(rng.k0, rng.k1, rng.replicate + u64(j))
        pi[0, j] = 1.0
        pi[p.second, j] = 1.0
        for i in range(p.I):
            total = 0.0
            for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
                u, _ = draw(own, 0, q, LEARNER)
                pi[q, j] = -log(1.0 - u) + 1e-300
                total += pi[q, j]
            for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
                pi[q, j] = pi[q, j] / total


@kernel
def start(pi, p, rng):
    """The policy to begin with: uniform, or with p.random = 1 drawn by `scatter`."""
    if p.random == 1:
        scatter(pi, p, rng)
    else:
        uniform(pi, p)


@kernel
def realise(x, pi, p, who):
    """x = the realisation plans of pi."""
    for j in range(LANES):
        x[0, j] = 1.0
        x[p.second, j] = 1.0
    low, high = infosets_of(p, who)
    for i in range(low, high):
        before = p.seq_before[i]
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                x[q, j] = x[before, j] * pi[q, j]


@kernel
def sparse_product(out, x, start, column, weight, low, high):
    """Rows low..high of out = M x, M in CSR."""
    for q in range(low, high):
        for j in range(LANES):
            out[q, j] = 0.0
        for k in range(start[q], start[q + 1]):
            factor = weight[k]
            at = column[k]
            for j in range(LANES):
                out[q, j] += factor * x[at, j]


@kernel
def gradient(g, x, p, who):
    """g = payoffs of the leaves right after each sequence, given the other's plan in x."""
    low, high = sequences_of(p, who)
    sparse_product(g, x, p.pay_start, p.pay_column, p.pay, low, high)


@kernel
def spread(g, pi, p, who):
    """From the leaves to the root: g becomes the counterfactual values of sequences, when pi is played from there."""
    low, high = infosets_of(p, who)
    for n in range(high - low):
        i = high - 1 - n
        before = p.seq_before[i]
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            for j in range(LANES):
                g[before, j] += pi[q, j] * g[q, j]


@kernel
def best(g, p):
    """As `spread`, with the best action everywhere: g[0] and g[second] are the values of best responses."""
    for n in range(p.I):
        i = p.I - 1 - n
        before = p.seq_before[i]
        first = p.seq_first[i]
        for j in range(LANES):
            top = g[first, j]
            for q in range(first + 1, first + p.seq_count[i]):
                top = max(top, g[q, j])
            g[before, j] += top


@kernel
def best_reply(pi, g, p, who):
    """As `best`, and pi = a best action of each infoset, ties to the lowest."""
    low, high = infosets_of(p, who)
    for n in range(high - low):
        i = high - 1 - n
        before = p.seq_before[i]
        first = p.seq_first[i]
        for j in range(LANES):
            top = first
            for q in range(first + 1, first + p.seq_count[i]):
                if g[q, j] > g[top, j]:
                    top = q
            for q in range(first, first + p.seq_count[i]):
                pi[q, j] = 1.0 if q == top else 0.0
            g[before, j] += g[top, j]


@kernel
def masses(m, x, p):
    """m (I, LANES) = the mass of each infoset, given the other's plan in x."""
    sparse_product(m, x, p.mass_start, p.mass_column, p.mass, 0, p.I)


@kernel
def add_plan(total, x, p, weight, who):
    """total += weight x."""
    low, high = sequences_of(p, who)
    for q in range(low, high):
        for j in range(LANES):
            total[q, j] += weight * x[q, j]


@kernel
def behave(pi, total, p):
    """pi = the policy of summed plans; uniform where they do not reach an infoset."""
    for i in range(p.I):
        first = p.seq_first[i]
        last = first + p.seq_count[i]
        for j in range(LANES):
            mass = 0.0
            for q in range(first, last):
                mass += total[q, j]
            for q in range(first, last):
                pi[q, j] = total[q, j] / mass if mass > 0.0 else 1.0 / p.seq_count[i]
