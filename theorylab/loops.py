"""The three interaction loops, generic in the learner, the reward law and the probes.

Names in capitals are placeholders that `theorylab.simulation` binds before a build:

    BEGIN ACT LEARN WATCH PLAN      the learner's kernels           EPOCHS   True for an epoch learner
    VIEW OBSERVED TABLES PARAMS     record views of one replicate   NEXT     the sampler of the next state
    START PROBE_STEP PROBE_PLAN PROBE_EPISODE PROBE_END             generated sweeps over the probes
    LAW                             0 deterministic, 1 Bernoulli, 2 Gaussian rewards
    AHEAD                           True to draw the next outcome of a site when the site is served (CPU)
    EXACT                           True when V^{pi_k} is computed exactly in each episode
    HOST                            True for plans of the host: the loop stops a replicate where its plan is due

A loop runs from `t0` to `t1` and keeps all that it needs in the observation record `ob`, so it can stop and go on
anywhere: visits (the environment's counters), ahead and ahead_r (outcomes drawn ahead), acc (running sums), status
(error code, index), cur (current state, epoch flag, number of epochs, clock), scratch, and per probe pmax, pfirst,
pcount. The epoch flag is 1 where a plan is due and 2 where the host has made it; the clock counts what a replicate has
completed, in loops with HOST only.
Regret, with the exact V_star, gain and gaps in `tb`: bandit sum of gaps; episodic sum of V_star - V^{pi_k} at the
first state of each episode, and sum of gaps along the path; average reward t * gain - rewards, and sum of gaps. Each
step costs one Philox block: its two doubles give the next state and the reward. Status 1: an action outside [0, A); 2:
a plan that failed.
"""

from __future__ import annotations

from typing import Any

from theorylab.compiler import grid1, kernel, u64
from theorylab.rng import ENVIRONMENT, INITIAL, Rng, draw
from theorylab.special import normal_of

__all__ = ["LOOPS", "block", "block_cuda"]

BEGIN: Any = None
ACT: Any = None
LEARN: Any = None
WATCH: Any = None
PLAN: Any = None
VIEW: Any = None
OBSERVED: Any = None
TABLES: Any = None
PARAMS: Any = None
NEXT: Any = None
REPLICATE: Any = None
START: Any = None
PROBE_STEP: Any = None
PROBE_PLAN: Any = None
PROBE_EPISODE: Any = None
PROBE_END: Any = None
EPOCHS = False
EXACT = False
HOST = False
AHEAD = False
LAW = 0


@kernel
def reward(tb, row, v):
    """A reward with mean tb.r_mean[row], from one uniform draw."""
    if LAW == 1:
        return 1.0 if v < tb.r_mean[row] else 0.0
    if LAW == 2:
        return tb.r_mean[row] + tb.sd * normal_of(v)
    return tb.r_mean[row]


@kernel
def next_scan(tb, row, u):
    """Next state by counting passed cumulative probabilities; the last successor takes what rounding leaves."""
    j = 0
    for i in range(tb.width):
        if u >= tb.cum[row, i]:
            j += 1
    return tb.succ[row, j]


@kernel
def next_alias(tb, row, u):
    """Next state by an alias table: O(1) for rows with many successors."""
    x = u * tb.width
    j = int(x)
    if x - j >= tb.cum[row, j]:
        j = tb.alias[row, j]
    return tb.succ[row, j]


@kernel
def foresee(tb, ob, rng, row, site, n):
    """Keep the outcome of visit n of a site: next state + 1, and the reward where it is random.

    An outcome is a function of its address, so the next one of a site may be drawn as soon as the site has been
    served: the generator's latency then leaves the path from state to action to next state. The bits are the same.
    """
    u, v = draw(rng, n, site, ENVIRONMENT)
    ob.ahead[site] = 1 + NEXT(tb, row, u)
    if LAW > 0:
        ob.ahead_r[site] = reward(tb, row, v)


@kernel
def serve(tb, ob, rng, row, site, n):
    """Next state and reward of visit n of a site, drawn ahead where AHEAD is set."""
    if AHEAD:
        if ob.ahead[site] == 0:
            foresee(tb, ob, rng, row, site, n)
        s2 = ob.ahead[site] - 1
        r = ob.ahead_r[site] if LAW > 0 else tb.r_mean[row]
        foresee(tb, ob, rng, row, site, n + 1)
        return s2, r
    u, v = draw(rng, n, site, ENVIRONMENT)
    return NEXT(tb, row, u), reward(tb, row, v)


@kernel
def foresee_arm(tb, ob, rng, a, n):
    """Keep the reward of pull n of an arm."""
    _, v = draw(rng, n, a, ENVIRONMENT)
    ob.ahead[a] = 1
    ob.ahead_r[a] = reward(tb, a, v)


@kernel
def bandit(st, p, tb, ob, rng, t0, t1, cps):
    """Rounds t0..t1 of a bandit; curve columns: regret, gap_regret, reward."""
    if t0 == 0:
        BEGIN(st, p)
        START(p, tb, ob)
    c = 0
    while c < cps.shape[0] and cps[c] <= t0:
        c += 1
    regret = ob.acc[0]
    total = ob.acc[2]
    for t in range(t0, t1):
        a = ACT(st, p, t, rng)
        if a < 0 or a >= p.A:
            ob.status[0] = 1
            ob.status[1] = t
            break
        n = ob.visits[a]
        ob.visits[a] = n + 1
        r = tb.r_mean[a]
        if LAW > 0:
            if AHEAD:
                if ob.ahead[a] == 0:
                    foresee_arm(tb, ob, rng, a, n)
                r = ob.ahead_r[a]
                foresee_arm(tb, ob, rng, a, n + 1)
            else:
                _, v = draw(rng, n, a, ENVIRONMENT)
                r = reward(tb, a, v)
        LEARN(st, p, t, a, r)
        regret += tb.gap[a]
        total += r
        PROBE_STEP(st, p, tb, ob, t, a, r, regret)
        if c < cps.shape[0] and t + 1 == cps[c]:
            ob.curve[c, 0] = regret
            ob.curve[c, 1] = regret
            ob.curve[c, 2] = total
            c += 1
    ob.acc[0] = regret
    ob.acc[2] = total
    if t1 == p.T:
        PROBE_END(st, p, tb, ob, t1, 0, 0.0, regret)


@kernel
def policy_gap(st, p, tb, ob, k, start, rng):
    """V_star - V^{pi_k} at the episode's first state, by backward evaluation of the policy `act` plays in episode k."""
    w = ob.scratch
    for s in range(p.S):
        w[p.H % 2, s] = 0.0
    for i in range(p.H):
        h = p.H - 1 - i
        for s in range(p.S):
            a = ACT(st, p, k, h, s, rng)
            row = h * tb.stride + s * p.A + a
            v = tb.r_mean[row]
            for j in range(tb.width):
                v += tb.prob[row, j] * w[(h + 1) % 2, tb.succ[row, j]]
            w[h % 2, s] = v
    return tb.V_star[0, start] - w[0, start]


@kernel
def episodic(st, p, tb, ob, rng, t0, t1, cps):
    """Episodes t0..t1 of H stages; curve columns: regret, gap_regret, reward."""
    k0 = max(t0, ob.cur[3]) if HOST else t0
    if k0 == 0 and ob.cur[1] == 0:
        BEGIN(st, p)
        START(p, tb, ob)
        ob.cur[1] = 1
    c = 0
    while c < cps.shape[0] and cps[c] <= k0:
        c += 1
    regret = ob.acc[0]
    gap = ob.acc[1]
    total = ob.acc[2]
    reached = k0
    for k in range(k0, t1):
        if EPOCHS and ob.cur[1] > 0:
            if HOST and ob.cur[1] == 1:
                break
            if not PLAN(st, p, k, rng):
                ob.status[0] = 2
                ob.status[1] = k
                break
            ob.cur[1] = 0
            ob.cur[2] += 1
            PROBE_PLAN(st, p, tb, ob, k, 0, 0, 0, 0.0, 0, regret, gap)
        u, _ = draw(rng, k, 0, INITIAL)
        s = 0
        while u >= tb.mu0_cum[s]:
            s += 1
        if EXACT:
            regret += policy_gap(st, p, tb, ob, k, s, rng)
        for h in range(p.H):
            a = ACT(st, p, k, h, s, rng)
            if a < 0 or a >= p.A:
                ob.status[0] = 1
                ob.status[1] = k
                break
            row = h * tb.stride + s * p.A + a
            n = ob.visits[h, s, a]
            ob.visits[h, s, a] = n + 1
            s2, r = serve(tb, ob, rng, row, (h * p.S + s) * p.A + a, n)
            if s2 < 0:  # never: it tells the compiler that the index is not negative
                ob.status[0] = 3
                break
            if EPOCHS:
                if WATCH(st, p, k, h, s, a, r, s2):
                    ob.cur[1] = 1
            else:
                LEARN(st, p, k, h, s, a, r, s2)
            gap += tb.gap[h, s, a]
            total += r
            PROBE_STEP(st, p, tb, ob, k * p.H + h, h, s, a, r, s2, regret, gap)
            s = s2
        if ob.status[0] != 0:
            break
        PROBE_EPISODE(st, p, tb, ob, k, 0, 0, 0, 0.0, 0, regret, gap)
        if c < cps.shape[0] and k + 1 == cps[c]:
            ob.curve[c, 0] = regret
            ob.curve[c, 1] = gap
            ob.curve[c, 2] = total
            c += 1
        reached = k + 1
    ob.cur[3] = reached
    ob.acc[0] = regret
    ob.acc[1] = gap
    ob.acc[2] = total
    if k0 < reached == p.K:
        PROBE_END(st, p, tb, ob, t1, 0, 0, 0, 0.0, 0, regret, gap)


@kernel
def average(st, p, tb, ob, rng, t0, t1, cps):
    """Steps t0..t1 of one continuing trajectory; curve columns: regret, gap_regret, reward."""
    first = max(t0, ob.cur[3]) if HOST else t0
    if first == 0 and ob.cur[1] == 0:
        BEGIN(st, p)
        START(p, tb, ob)
        u, _ = draw(rng, 0, 0, INITIAL)
        s = 0
        while u >= tb.mu0_cum[s]:
            s += 1
        ob.cur[0] = s
        ob.cur[1] = 1
    c = 0
    while c < cps.shape[0] and cps[c] <= first:
        c += 1
    s = ob.cur[0]
    due = ob.cur[1] > 0
    gap = ob.acc[1]
    total = ob.acc[2]
    reached = first
    for t in range(first, t1):
        if EPOCHS and due:
            if HOST and ob.cur[1] != 2:
                break
            if not PLAN(st, p, t, s, rng):
                ob.status[0] = 2
                ob.status[1] = t
                break
            due = False
            ob.cur[1] = 0
            ob.cur[2] += 1
            PROBE_PLAN(st, p, tb, ob, t, s, 0, 0.0, 0, t * tb.gain - total, gap)
        a = ACT(st, p, t, s, rng)
        if a < 0 or a >= p.A:
            ob.status[0] = 1
            ob.status[1] = t
            break
        row = s * p.A + a
        n = ob.visits[s, a]
        ob.visits[s, a] = n + 1
        s2, r = serve(tb, ob, rng, row, row, n)
        if s2 < 0:  # never: it tells the compiler that the index is not negative
            ob.status[0] = 3
            break
        if EPOCHS:
            due = WATCH(st, p, t, s, a, r, s2)
        else:
            LEARN(st, p, t, s, a, r, s2)
        gap += tb.gap[s, a]
        total += r
        PROBE_STEP(st, p, tb, ob, t, s, a, r, s2, (t + 1) * tb.gain - total, gap)
        s = s2
        if c < cps.shape[0] and t + 1 == cps[c]:
            ob.curve[c, 0] = (t + 1) * tb.gain - total
            ob.curve[c, 1] = gap
            ob.curve[c, 2] = total
            c += 1
        reached = t + 1
    ob.cur[0] = s
    ob.cur[1] = 1 if due else 0
    ob.cur[3] = reached
    ob.acc[1] = gap
    ob.acc[2] = total
    if first < reached == p.T:
        PROBE_END(st, p, tb, ob, t1, s, 0, 0.0, 0, t1 * tb.gain - total, gap)


@kernel
def block(states, observed, tables, params, k0, k1, first, t0, t1, cps, i0, i1):
    """Replicates i0..i1 one after the other: each keeps its state in the first-level cache."""
    p = PARAMS(params)
    tb = TABLES(tables)
    for i in range(i0, i1):
        rng = Rng(k0, k1, u64(first + i))
        REPLICATE(VIEW(states, i), p, tb, OBSERVED(observed, i), rng, t0, t1, cps)


@kernel
def block_cuda(states, observed, tables, params, k0, k1, first, t0, t1, cps, i0, i1):
    """One replicate a thread; the record views put the replicate axis last."""
    i = grid1() + i0
    if i < i1:
        p = PARAMS(params)
        tb = TABLES(tables)
        rng = Rng(k0, k1, u64(first + i))
        REPLICATE(VIEW(states, i), p, tb, OBSERVED(observed, i), rng, t0, t1, cps)


LOOPS = {"bandit": bandit, "episodic": episodic, "average": average}
