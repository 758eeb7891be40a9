"""Stochastic shortest paths: the largest expected sum of rewards until the goal is entered.

V[goal] = 0 and V[s] = max_a r[s,a] + sum_s2 P[s,a,s2] V[s2] elsewhere; the rows of the goal are not used. V (S,),
Q (S,A), in units of reward; rewards of any sign.

The problem is well posed when the goal can be reached from every state, and a policy that avoids it for ever collects
a negative average reward: then V is the unique solution, is attained by a policy that reaches the goal with
probability 1 (a proper policy), and all others are worth minus infinity. Both conditions are checked: the first on the
graph; the second for the maximal end components without the goal, by the sign of rewards or a certified gain.

1. Policy iteration, from a proper policy (each state takes an action that may come one arc nearer to the goal). A
   state changes its action for one better by the tie tolerance; policies stay proper, as their values rise. Where
   rounding brings a policy back, it ends there.
2. Value iteration, from 0, until |T v - v| <= tol: for comparison; it takes about max hitting time * log(1/tol) sweeps.
3. Certificate: the bracket of `bracket`, with W the hitting times of the goal, or -V where all rewards are negative.

The float64 entries of P and r are taken as given; the maximum is over the policies whose rows as given have spectral
radius below 1 off the goal, which are the proper ones unless rows sum to more than 1. Sources: Bertsekas and
Tsitsiklis, An analysis of stochastic shortest path problems (1991), propositions 2 and 3 [recalled]; the check by end
components and the certificate [derived].
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from theorylab.assume import reachability
from theorylab.errors import InputError
from theorylab.model import ShortestPath, TabularMDP
from theorylab.plan.bracket import average, bracket, lengthen, stranded, taken, ties
from theorylab.plan.certify import Rounding, U, dot_bound, greedy, tie_tolerance
from theorylab.plan.chains import SMALL, Absorption, policy_chain, policy_graph, support
from theorylab.plan.components import component_gain
from theorylab.plan.record import Plan
from theorylab.plan.structure import distances, end_components, nearest_policy

__all__ = ["METHODS", "evaluate_policy", "solve"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

METHODS = ("policy-iteration", "value-iteration")
MOST_STEPS = 1_000
MOST_SWEEPS = 100_000
LOOSE = 1e-6  # improvements beyond it, relative to the values, are clear


def _goal(model: TabularMDP) -> int:
    if not isinstance(model.criterion, ShortestPath):
        raise InputError(f"the criterion is {model.criterion}; this planner needs ShortestPath(goal)")
    return model.criterion.goal


def _q(model: TabularMDP, v: Floats, goal: int) -> Floats:
    q = model.r + average(model, v)
    q[goal] = 0.0
    return q


def _named(states: Ints) -> str:
    shown = ", ".join(map(str, states[:8].tolist()))
    return ("state " if states.size == 1 else "states ") + shown + (", ..." if states.size > 8 else "")


def require_well_posed(model: TabularMDP, goal: int) -> Ints:
    """Arcs to the goal from each state, (S,); see the module docstring.

    Raises:
        InputError: a state that cannot reach the goal, or states where a policy can stay for ever without a loss.
    """
    layer = distances(reachability(model), np.array([goal]))
    if (layer < 0).any():
        raise InputError(
            f"unreachable goal: state {int(np.argmin(layer))} cannot reach state {goal} under any policy; "
            "remove the states that cannot reach it, or choose another goal"
        )
    off = np.arange(model.S) != goal
    if not off.any() or model.r[off].max() < 0:
        return layer
    label, stays = end_components(model, off)
    for k in range(int(label.max()) + 1):
        members = np.flatnonzero(label == k)
        allowed = stays[members]
        rewards = np.where(allowed, model.r[members], np.nan)
        if np.nanmax(rewards) < 0:
            continue
        where = f"ill-posed: {_named(members)} can be kept for ever, away from goal {goal},"
        mend = "make rewards there negative (a cost of every step), or use Discounted(gamma) or AverageReward()"
        if np.nanmin(rewards) >= 0:
            raise InputError(f"{where} and no reward there is negative; {mend}")
        gain, error, _ = component_gain(model, members, allowed)
        if gain + error < 0:
            continue
        if gain - error >= 0:
            raise InputError(f"{where} at an average reward of {gain:.6g} a step, which is not negative; {mend}")
        raise InputError(
            f"{where} at an average reward of {gain:.3g} a step, whose sign its certified error {error:.3g} leaves "
            f"open; {mend}"
        )
    return layer


def _finish(model: TabularMDP, goal: int, v: Floats, pi: Ints, steps: int, method: str) -> Plan:
    q = _q(model, v, goal)
    gap = v[:, None] - q
    rounding = Rounding.of(model).entries(average(model, np.abs(v)), q)
    error = float("inf")
    for tied in ties(v, gap, rounding):
        longer, W = lengthen(model, goal, pi, tied)
        if W is not None and np.isfinite(error := bracket(model, goal, W, longer, taken(gap, longer), gap, rounding)):
            break
    if (np.delete(model.r, goal, axis=0) < 0).all():
        # -V falls by a cost on tied rows, and where it may rise the gap is larger: it brackets whatever the ties
        error = min(error, bracket(model, goal, -v, pi, taken(gap, pi), gap, rounding))
    residual = float(np.abs(q.max(axis=1) - v).max())
    best = greedy(q, tie_tolerance(v))
    if (away := stranded(support(policy_chain(model, best)[0]), goal)) is not None:
        raise InputError(
            f"from state {away} some policy never reaches goal {goal} and is as good as the best up to the tie "
            f"tolerance {tie_tolerance(v):.3g}; make the losses of staying away larger, or rescale the rewards"
        )
    return Plan(v, q, best, None, None, residual, error, steps, method)


def solve(model: TabularMDP, method: str = "auto", tol: float = 1e-10) -> Plan:
    """Optimal values of a shortest-path model, dense or CSR.

    Args:
        model: with criterion ShortestPath(goal).
        method: "auto" or "policy-iteration" (step 1), or "value-iteration" (step 2).
        tol: largest |T v - v| at which value iteration stops, in units of reward.

    Raises:
        InputError: a goal that cannot be reached, a policy that can stay away from it without a loss (the states are
            named), or value iteration that has not reached `tol`.
    """
    goal = _goal(model)
    pi = nearest_policy(model, require_well_posed(model, goal))
    if model.S == 1:
        return Plan(np.zeros(1), np.zeros((1, model.A)), np.zeros(1, np.int64), None, None, 0.0, 0.0, 0, METHODS[0])
    if method == "value-iteration":
        v = np.zeros(model.S)
        for sweep in range(1, MOST_SWEEPS + 1):
            q = _q(model, v, goal)
            new = q.max(axis=1)
            change, v = float(np.abs(new - v).max()), new
            if change <= tol:
                pi = greedy(q, tie_tolerance(v))
                return _finish(model, goal, v, pi, sweep, method)
        raise InputError(f"value iteration: tol {tol} not reached in {MOST_SWEEPS} sweeps; use method='auto'")
    v, loose = np.zeros(model.S), model.S > SMALL
    met: set[bytes] = set()
    for step in range(1, MOST_STEPS + 1):
        chain, reward = policy_chain(model, pi)
        if (away := stranded(support(chain), goal)) is not None:
            raise InputError(
                f"policy iteration met a policy that never reaches goal {goal} from state {away}: its losses are too "
                "small for float64 to tell; make the losses of staying away larger, or rescale the rewards"
            )
        # while clear improvements are left, one run of the iterative solver is enough
        system = Absorption(chain, goal)
        v = system.solve(reward, v, 1) if loose else system.solve(reward, v)
        q = _q(model, v, goal)
        better = q.max(axis=1) > taken(q, pi) + (LOOSE * float(np.abs(v).max()) if loose else tie_tolerance(v))
        # a policy that comes back shows that rounding decides
        if not better.any() or pi.tobytes() in met:
            if not loose:
                return _finish(model, goal, v, pi, step, METHODS[0])
            loose = False
            met.clear()
        met.add(pi.tobytes())
        pi = np.where(better, np.argmax(q, axis=1), pi)
    raise InputError(
        f"policy iteration did not settle in {MOST_STEPS} steps: values of size {float(np.abs(v).max()):.3g} drown its "
        "comparisons in rounding; check P for near-zero probabilities"
    )


def evaluate_policy(model: TabularMDP, pi: NDArray[Any]) -> Plan:
    """Values of a proper policy: pi int (S,), or float (S,A) with rows summing to 1. What it does at the goal is moot.

    Raises:
        InputError: a policy that does not reach the goal with probability 1; names a state.
    """
    goal = _goal(model)
    chain, reward = policy_chain(model, pi)
    if (away := stranded(policy_graph(model, pi, chain), goal)) is not None:
        raise InputError(
            f"the policy is improper: from state {away} it does not reach goal {goal} with probability 1, so its sum "
            "of rewards need not be finite; give a policy that reaches the goal from every state"
        )
    system = Absorption(chain, goal)
    v = system.solve(reward)
    q = _q(model, v, goal)
    averaging = 0.0 if pi.ndim == 1 else float(np.abs(pi.sum(axis=1) - 1).max()) + 2 * dot_bound(model.A)
    down = v - taken(q, pi)
    down[goal] = 0.0
    error = 0.0
    if model.S > 1:
        rounding = taken(Rounding.of(model).entries(average(model, np.abs(v)), q), pi) * (1 + averaging)
        rounding = (rounding + averaging * taken(np.abs(q), pi)) * (1 + 8 * U)
        W = system.solve(np.ones(model.S))
        error = bracket(model, goal, W, pi, down, None, rounding, averaging=averaging)
    return Plan(v, q, pi.copy(), None, None, float(np.abs(down).max()), error, 1, "linear solve")
