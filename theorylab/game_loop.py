"""The loop of solvers of games: iterations on a block of LANES replicates at once. See `theorylab.loops` for the names.

Curve columns: exploitability, value (expected payoff of player 0), value_1 (of player 1), of the policy that `act` of
the learner writes: half the sum of what the players gain by best responses, (gain_0 + gain_1)/2, in a zero-sum game
(max_x x^T U_0 y + max_y x^T U_1 y)/2. They are computed at checkpoints, and after every iteration with EXACT. Status 4:
a policy with an entry that is no probability or an infoset whose entries do not sum to one; status[2] is its column.
"""

from __future__ import annotations

from typing import Any

from theorylab.compiler import grid1, kernel, u64
from theorylab.games.kernels import BOTH, LANES, best, gradient, realise
from theorylab.rng import Rng
from theorylab.validate import SUM_TOLERANCE

__all__ = ["COLUMNS", "block_games", "block_games_cuda", "game"]

#: what a run of a solver records
COLUMNS = ("exploitability", "value", "value_1")

BEGIN: Any = None
ACT: Any = None
LEARN: Any = None
VIEW: Any = None
OBSERVED: Any = None
TABLES: Any = None
PARAMS: Any = None
START: Any = None
LANE: Any = None
PROBE_STEP: Any = None
PROBE_END: Any = None
PROBED = False
EXACT = False


@kernel
def unlawful(pi, p):
    """A column of pi that is no policy; LANES if all are."""
    for i in range(p.I):
        for j in range(LANES):
            total = 0.0
            for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
                if not pi[q, j] >= 0.0:
                    return j
                total += pi[q, j]
            if not abs(total - 1.0) <= SUM_TOLERANCE:
                return j
    return LANES


@kernel
def evaluate(ob, p):
    """Values of the policy in ob.policy, and what best responses gain."""
    realise(ob.plan, ob.policy, p, BOTH)
    gradient(ob.grad, ob.plan, p, BOTH)
    for j in range(LANES):
        one = 0.0
        two = 0.0
        for q in range(p.second):
            one += ob.plan[q, j] * ob.grad[q, j]
        for q in range(p.second, p.Q):
            two += ob.plan[q, j] * ob.grad[q, j]
        ob.acc[1, j] = one
        ob.acc[2, j] = two
    best(ob.grad, p)
    for j in range(LANES):
        ob.acc[0, j] = ((ob.grad[0, j] - ob.acc[1, j]) + (ob.grad[p.second, j] - ob.acc[2, j])) / 2.0


@kernel
def game(st, p, tb, ob, rng, t0, t1, cps):
    """Iterations t0..t1."""
    if t0 == 0:
        for j in range(LANES):
            ob.policy[0, j] = 1.0
            ob.policy[p.second, j] = 1.0
        BEGIN(st, p, rng)
        START(p, tb, ob)
    c = 0
    while c < cps.shape[0] and cps[c] <= t0:
        c += 1
    for t in range(t0, t1):
        LEARN(st, p, t, rng)
        due = c < cps.shape[0] and t + 1 == cps[c]
        if EXACT or due:
            ACT(st, p, ob.policy)
            column = unlawful(ob.policy, p)
            if column < LANES:
                ob.status[0] = 4
                ob.status[1] = t
                ob.status[2] = column
                break
            evaluate(ob, p)
        if PROBED:
            PROBE_STEP(LANE(st), p, tb, ob, t, ob.acc[0, 0], ob.acc[1, 0], ob.acc[2, 0])
        if due:
            for j in range(LANES):
                for k in range(3):
                    ob.curve[c, k, j] = ob.acc[k, j]
            c += 1
    if PROBED and t1 == p.T and ob.status[0] == 0:
        PROBE_END(LANE(st), p, tb, ob, t1, ob.acc[0, 0], ob.acc[1, 0], ob.acc[2, 0])


@kernel
def block_games(states, observed, tables, params, k0, k1, first, t0, t1, cps, i0, i1):
    """Blocks i0..i1 of LANES replicates, one block after the other."""
    p = PARAMS(params)
    tb = TABLES(tables)
    for i in range(i0, i1):
        rng = Rng(k0, k1, u64(first + i * LANES))
        game(VIEW(states, i), p, tb, OBSERVED(observed, i), rng, t0, t1, cps)


@kernel
def block_games_cuda(states, observed, tables, params, k0, k1, first, t0, t1, cps, i0, i1):
    """One replicate a thread, LANES = 1; the record views put the replicate axis last."""
    i = grid1() + i0
    if i < i1:
        p = PARAMS(params)
        tb = TABLES(tables)
        rng = Rng(k0, k1, u64(first + i))
        game(VIEW(states, i), p, tb, OBSERVED(observed, i), rng, t0, t1, cps)
