"""Planning by linear programming: occupancy measures, through HiGHS (SciPy) or a cone solver (cvxpy).

Over x >= 0, maximise sum r x subject to the balance of flow at every state, mu being the initial law:

    Discounted      sum_a x[s2,a] = mu[s2] + gamma sum_{s,a} P[s,a,s2] x[s,a]          x = discounted visits
    FiniteHorizon   sum_a x[h,s2,a] = mu_h[s2] + sum_{s,a} P[h-1,s,a,s2] x[h-1,s,a]    mu_h = mu at h = 0, else 0
    AverageReward   sum_a x[s2,a] = sum_{s,a} P[s,a,s2] x[s,a],  sum x = 1             x = long-run frequencies
    ShortestPath    sum_a x[s2,a] = mu[s2] + sum_{s,a} P[s,a,s2] x[s,a] off the goal   x = expected visits

`solve` puts one unit of mu on every state (and stage), so that every state is visited and x names an action in each,
argmax_a x. With average reward x says nothing of states that the best class leaves: there x gives the gain and a state
`ref` of the class, and a second program, the shortest path to ref with rewards r - gain, gives the policy.

The solver is trusted for the policy alone. That policy is evaluated by a linear solve, and the error bound is computed
from the residual of the optimality equation there, rounding included; it is what `Plan.certified_error` says. An
optimum that is off shows as a large bound, and beyond `tol` is refused.

Sources: Puterman (1994), sections 6.9 (discounted), 8.8 (average reward); Altman, Constrained Markov decision
processes (1999) [recalled]; the second program and the bounds for finite horizons and shortest paths [derived].
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, diags_array, vstack

from theorylab.criteria import AverageReward, Discounted, FiniteHorizon, RewardLaw, ShortestPath
from theorylab.errors import InputError, nearest
from theorylab.model import TabularMDP
from theorylab.plan import average_reward, backward_induction, discounted, shortest_path
from theorylab.plan.bracket import average, smallest_eta
from theorylab.plan.certify import Rounding, U, greedy, tie_tolerance
from theorylab.plan.record import Plan
from theorylab.plan.structure import distances, pattern, require_one_gain

__all__ = ["OccupancyLP", "Optimum", "maximise", "occupancy_lp", "solve"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

HIGHS = {"highs": "highs-ipm", "highs-ipm": "highs-ipm", "highs-ds": "highs-ds"}
# the gain used in the second program is raised by this, relative to the rewards, so that no cycle can tie with it
RAISED = 1e-9


class OccupancyLP(NamedTuple):
    """maximise c @ x subject to A_eq @ x = b_eq, x >= 0.

    Attributes:
        A_eq: CSR, a row a state (a stage and state, h*S + s); with average reward the balance of the last state, which
            the others imply, is replaced by sum x = 1.
        b_eq: right-hand side.
        c: rewards; a column s*A + a, or (h*S + s)*A + a.
    """

    A_eq: Any
    b_eq: Floats
    c: Floats


@dataclass(frozen=True, eq=False)
class Optimum:
    """What a solver returned; nothing in it is certified.

    Attributes:
        status: "optimal", "infeasible", "unbounded", or "failed" with the solver's words in `text`.
        x: solution (n,); None unless optimal.
        multipliers: of the rows of A_ub, >= 0 up to the solver's tolerance; None unless optimal.
        iterations: of the solver, 0 where it does not say.
    """

    status: str
    text: str
    x: Floats | None = None
    multipliers: Floats | None = None
    iterations: int = 0


def _sources(S: int, A: int) -> Any:
    """CSR (S, S*A): sums over the actions of a state."""
    return csr_array((np.ones(S * A), (np.repeat(np.arange(S), A), np.arange(S * A))), shape=(S, S * A))


def occupancy_lp(model: TabularMDP, start: Any = None) -> OccupancyLP:
    """The linear program of a model (see the module docstring), for research that builds on it.

    Args:
        model: any criterion; P dense or CSR. With average reward each row of P is divided by its sum.
        start: mass put on each state, (S,), or on each stage and state, (H,S); None: mu0. Not used by average reward.

    Raises:
        InputError: a `start` of another shape or with a negative entry.
    """
    S, A, criterion = model.S, model.A, model.criterion
    leave = _sources(S, A)
    H = criterion.H if isinstance(criterion, FiniteHorizon) else 1
    mass = np.array(model.mu0 if start is None else start, dtype=np.float64)
    if mass.shape not in ((S,), (H, S)) or not (np.isfinite(mass) & (mass >= 0)).all():
        raise InputError(
            f"start of shape {mass.shape} must be finite masses >= 0 of shape {(S,)}"
            + (f" or {(H, S)}" if H > 1 else "")
        )
    flat = pattern(model)
    if isinstance(criterion, FiniteHorizon):
        rows: list[tuple[Any, Any, Any]] = []
        for h in range(H):
            rows.append(_block(leave, h * S, h * S * A))
            if h + 1 < H:
                stage = flat[h * S * A : (h + 1) * S * A] if model.stage_dependent else flat
                rows.append(_block(-stage.T, (h + 1) * S, h * S * A))
        value, i, j = (np.concatenate([part[k] for part in rows]) for k in range(3))
        right = np.zeros((H, S))
        right[: mass.shape[0] if mass.ndim == 2 else 1] = mass
        return OccupancyLP(
            csr_array((value, (i, j)), shape=(H * S, H * S * A)), right.ravel(), np.tile(model.r.ravel(), H)
        )
    c = model.r.ravel().copy()
    mass = mass.reshape(S)
    if isinstance(criterion, AverageReward):
        even = diags_array(1 / np.asarray(flat.sum(axis=1)).ravel())
        balance = csr_array(leave - (even @ flat).T)
        total = csr_array(np.ones((1, S * A)))
        return OccupancyLP(vstack([balance[:-1], total], format="csr"), np.eye(S)[-1], c)
    if isinstance(criterion, Discounted):
        return OccupancyLP(csr_array(leave - criterion.gamma * flat.T), mass, c)
    # a unit at the goal has left: nothing flows in, and what it would earn there does not count
    off = np.ones(S)
    off[criterion.goal] = 0.0
    inside = diags_array(off)
    c[criterion.goal * A : (criterion.goal + 1) * A] = 0.0
    return OccupancyLP(csr_array(leave - inside @ flat.T @ diags_array(np.repeat(off, A))), mass * off, c)


def _block(part: Any, row: int, column: int) -> tuple[Any, Any, Any]:
    entries = part.tocoo()
    return entries.data, entries.row.astype(np.int64) + row, entries.col.astype(np.int64) + column


def maximise(lp: OccupancyLP, solver: str = "highs", A_ub: Any = None, b_ub: Any = None) -> Optimum:
    """Solve an occupancy program, with further rows A_ub @ x <= b_ub if given.

    Args:
        solver: "highs" (interior point with crossover, the same as "highs-ipm"), "highs-ds" (dual simplex), or the
            name of a solver of cvxpy in lower case, such as "clarabel" or "scs".

    Objective and rows of A_ub are scaled to entries of at most 1 before the solver's absolute tolerances apply.

    Raises:
        InputError: an unknown solver, or one that is not installed.
    """
    scale = float(np.abs(lp.c).max()) or 1.0
    rows = np.zeros((0, lp.c.size)) if A_ub is None else np.asarray(A_ub, dtype=np.float64)
    sizes = np.abs(rows).max(axis=1, initial=0.0)
    sizes[sizes == 0] = 1.0
    right = np.zeros(0) if b_ub is None else np.asarray(b_ub, dtype=np.float64) / sizes
    run = _highs if solver in HIGHS else _cvxpy
    out = run(lp._replace(c=lp.c / scale), rows / sizes[:, None], right, solver)
    return out if out.multipliers is None else replace(out, multipliers=out.multipliers * scale / sizes)


def _highs(lp: OccupancyLP, rows: Floats, right: Floats, solver: str) -> Optimum:
    from scipy.optimize import linprog

    more = {"A_ub": rows, "b_ub": right} if rows.size else {}
    # presolve costs ten times the interior-point solve here
    options = {"presolve": HIGHS[solver] != "highs-ipm"}
    result = linprog(-lp.c, A_eq=lp.A_eq, b_eq=lp.b_eq, bounds=(0, None), method=HIGHS[solver], options=options, **more)
    if result.status != 0 or result.x is None:
        kind = {2: "infeasible", 3: "unbounded"}.get(result.status, "failed")
        return Optimum(kind, str(result.message))
    multipliers = -result.ineqlin.marginals if rows.size else np.zeros(0)
    return Optimum("optimal", str(result.message), result.x, multipliers, int(result.nit))


def _cvxpy(lp: OccupancyLP, rows: Floats, right: Floats, solver: str) -> Optimum:
    import warnings

    try:
        import cvxpy
    except ImportError:
        raise InputError(f"solver '{solver}' needs cvxpy, which is not installed; install it, or use 'highs'") from None
    cp: Any = cvxpy
    known = {name.lower(): name for name in cp.installed_solvers()}
    if solver not in known:
        raise InputError(f"solver '{solver}' is unknown or not installed{nearest(solver, [*HIGHS, *known])}")
    x = cp.Variable(lp.c.size, nonneg=True)
    constraints = [lp.A_eq @ x == lp.b_eq]
    if rows.size:
        constraints.append(rows @ x <= right)
    problem = cp.Problem(cp.Maximize(lp.c @ x), constraints)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # "may be inaccurate": said by the status, and refused
            problem.solve(solver=known[solver])
    except cp.error.SolverError as error:
        return Optimum("failed", str(error))
    if problem.status != cp.OPTIMAL or x.value is None:
        kind = {cp.INFEASIBLE: "infeasible", cp.UNBOUNDED: "unbounded"}.get(problem.status, "failed")
        return Optimum(kind, str(problem.status))
    multipliers = np.atleast_1d(constraints[1].dual_value) if rows.size else np.zeros(0)
    return Optimum(
        "optimal", str(problem.status), np.asarray(x.value), multipliers, problem.solver_stats.num_iters or 0
    )


def solution(lp: OccupancyLP, solver: str, what: str) -> tuple[Floats, int]:
    """(x, iterations) of a program that must have an optimum; `what` names it in the error."""
    out = maximise(lp, solver)
    if out.x is None:
        mend = {
            "infeasible": "the flow cannot balance: check that rows of P sum to 1 and that the goal can be reached",
            "unbounded": "some rewards can be collected for ever: make them negative, or use another criterion",
        }.get(out.status, "try solver='highs-ds' or 'clarabel', or plan(model, method='auto')")
        raise InputError(f"linear program ({what}, {solver}): {out.status} ({out.text}); {mend}")
    return out.x, out.iterations


def solve(model: TabularMDP, *, solver: str = "highs", tol: float = 1e-6) -> Plan:
    """Optimal values by linear programming; an oracle beside the planners by dynamic programming.

    Args:
        model: Discounted, FiniteHorizon, AverageReward (weakly communicating) or ShortestPath; dense or CSR.
        solver: as for `maximise`.
        tol: largest certified error that is accepted, relative to max(1, max |V|).

    V, Q, gain and bias are those of the policy that the program's solution names, up to rounding; `certified_error`
    bounds their distance from the optimum (gain, or V), `bias_error` is infinite. S = 1000, A = 10, 10 successors:
    about a second with HiGHS.

    Raises:
        InputError: a program without optimum, a solver that failed or is missing (with its words), a solution that
            does not name a policy, one whose certified error is above `tol`, a model that is not weakly communicating,
            or a goal that some state cannot reach.
    """
    if not tol > 0:
        raise InputError(f"tol is {tol}; give a positive tolerance")
    criterion = model.criterion
    if isinstance(criterion, AverageReward):
        require_one_gain(model)
        pi, steps = _average_policy(model, solver)
    else:
        if isinstance(criterion, ShortestPath):
            _require_reachable(model, criterion.goal)
        H = criterion.H if isinstance(criterion, FiniteHorizon) else 1
        lead = (H, model.S) if isinstance(criterion, FiniteHorizon) else (model.S,)
        x, steps = solution(occupancy_lp(model, np.ones(lead)), solver, str(criterion))
        pi = np.argmax(x.reshape(*lead, model.A), axis=-1)
    plan = _certified(model, _evaluated(model, pi), f"linear programming ({solver})", steps)
    if not plan.certified_error <= tol * max(1.0, float(np.abs(plan.V).max())):
        raise InputError(
            f"the policy of the linear program's solution ({solver}) is certified within {plan.certified_error:.3g} of "
            f"the optimum only, tol is {tol:g}: use plan(model, method='auto'), or "
            "linear_program.solve with solver='highs-ds' or a larger tol"
        )
    return plan


def _evaluated(model: TabularMDP, pi: Ints) -> Plan:
    if isinstance(model.criterion, FiniteHorizon):
        return backward_induction.evaluate_policy(model, pi)
    if isinstance(model.criterion, Discounted):
        return discounted.evaluate_policy(model, pi)
    if isinstance(model.criterion, ShortestPath):
        return shortest_path.evaluate_policy(model, pi)
    return average_reward.evaluate_policy(model, pi)


def _require_reachable(model: TabularMDP, goal: int) -> None:
    lost = distances(_arcs(model), np.array([goal])) < 0
    if lost.any():
        raise InputError(
            f"state {int(np.argmax(lost))} cannot reach the goal {goal} under any policy, so the linear program is "
            "infeasible: remove that state, or choose another goal"
        )


def _arcs(model: TabularMDP) -> Any:
    """CSR (S,S): which states some action can lead to."""
    positive = csr_array((pattern(model) > 0).astype(np.int32))
    return csr_array(_sources(model.S, model.A) @ positive)


def _average_policy(model: TabularMDP, solver: str) -> tuple[Ints, int]:
    """The two programs of the module docstring."""
    S, A = model.S, model.A
    lp = occupancy_lp(model)
    x, steps = solution(lp, solver, str(model.criterion))
    table = x.reshape(S, A)
    ref = int(np.argmax(table.sum(axis=1)))
    if S == 1:
        return np.array([int(np.argmax(table[0]))]), steps
    level = float(lp.c @ x) + RAISED * float(np.ptp(model.r))
    law = RewardLaw("deterministic", low=-1e100, high=1e100)
    way = replace(model, r=model.r - level, reward_law=law, criterion=ShortestPath(ref))
    y, more = solution(occupancy_lp(way, np.ones(S)), solver, f"the way to state {ref}")
    pi = np.argmax(y.reshape(S, A), axis=-1)
    pi[ref] = int(np.argmax(table[ref]))
    chain = csr_array((pattern(model)[np.arange(S) * A + pi] > 0).astype(np.int32))
    if (distances(chain, np.array([ref])) < 0).any():
        raise InputError(
            f"the linear program's solution ({solver}) does not name a policy, as actions tie: use solver='highs', or "
            "plan(model, method='auto')"
        )
    return pi, steps + more


def _backup(model: TabularMDP, v: Floats, rate: float = 1.0) -> Floats:
    out: Floats = model.r + rate * average(model, v)
    return out


def _certified(model: TabularMDP, policy: Plan, method: str, steps: int) -> Plan:
    """The policy's values as optimal ones, with a bound on how far they are from it."""
    criterion, V = model.criterion, policy.V
    if isinstance(criterion, FiniteHorizon):
        residual, error = _finite_error(model, policy)
        return Plan(V, policy.Q, greedy(policy.Q, tie_tolerance(V)), None, None, residual, error, steps, method)
    rounding, v_max = Rounding.of(model), float(np.abs(V).max())
    if isinstance(criterion, ShortestPath):
        Q = _backup(model, V)
        Q[criterion.goal] = 0.0
        residual = float(np.abs(Q.max(axis=1) - V).max())
        error = _path_error(model, policy, Q, criterion.goal)
        # the greedy policy of ties may miss the goal; the evaluated one reaches it
        return Plan(V, Q, policy.pi.copy(), None, None, residual, error, steps, method)
    if isinstance(criterion, Discounted):
        Q = _backup(model, V, criterion.gamma)
        q_max = float(np.abs(Q).max())
        residual = float(np.abs(Q.max(axis=1) - V).max())
        # the product with gamma rounds once more than `backup` counts
        wrong = rounding.backup(v_max, q_max) + 2 * U * rounding.row_sum * v_max + U * residual
        rate = criterion.gamma * rounding.row_sum * (1 + 4 * U)
        error = (residual + wrong) / (1 - rate) * (1 + 16 * U) if rate < 1 else float("inf")
        return Plan(V, Q, greedy(Q, tie_tolerance(V)), None, None, residual, error, steps, method)
    assert policy.gain is not None
    Q = _backup(model, V)
    drift = Q.max(axis=1) - V
    # for any v, min(T v - v) <= gain <= max(T v - v)
    wrong = rounding.backup(v_max, float(np.abs(Q).max())) + rounding.defect * v_max + U * float(np.abs(drift).max())
    width = max(policy.gain - float(drift.min()), float(drift.max()) - policy.gain, 0.0)
    error = (width * (1 + 4 * U) + wrong) * (1 + 8 * U)
    residual = float(np.abs(drift - policy.gain).max())
    pi = greedy(Q, tie_tolerance(V))
    return Plan(V, Q, pi, policy.gain, V.copy(), residual, error, steps, method, float("inf"))


def _finite_error(model: TabularMDP, policy: Plan) -> tuple[float, float]:
    """e[h] = rho e[h+1] + max |max_a Q[h] - V[h]| + rounding bounds |V[h] - V_star[h]|; Q is V[h+1] backed up."""
    rounding = Rounding.of(model)
    error = worst = residual = 0.0
    for h in range(model.H - 1, -1, -1):
        gap = float(np.abs(policy.Q[h].max(axis=1) - policy.V[h]).max())
        v_max, q_max = float(np.abs(policy.V[h + 1]).max()), float(np.abs(policy.Q[h]).max())
        error = (rounding.row_sum * error + gap + U * gap + rounding.backup(v_max, q_max)) * (1 + 8 * U)
        worst, residual = max(worst, error), max(residual, gap)
    return residual, worst


def _path_error(model: TabularMDP, policy: Plan, Q: Floats, goal: int) -> float:
    """V from below is off by the policy's own error, from above by eta W, V + eta W being above all (see `bracket`).

    W is the policy's hitting times, or -V where every reward is negative; the smaller bound counts.
    """
    rounding, V, off = Rounding.of(model), policy.V, np.arange(model.S) != goal
    if not off.any():
        return 0.0
    law = RewardLaw("deterministic", low=-1.0, high=0.0)
    times = -_evaluated(replace(model, r=np.full(model.r.shape, -1.0), reward_law=law), policy.pi).V
    flat = model.flat
    v_max, q_max = float(np.abs(V).max()), float(np.abs(Q[off]).max())
    best = float("inf")
    for W in (times, -V) if (model.r[off] < 0).all() else (times,):
        if not (W[off] > 0).all():
            continue
        slope = W[:, None] - (flat @ W).reshape(model.S, model.A)
        w_max = float(W.max())
        eta = smallest_eta(
            (V[:, None] - Q)[off], slope[off], rounding.backup(v_max, q_max), rounding.backup(w_max, 0.0)
        )
        best = min(best, eta * w_max * (1 + 8 * U))
    return max(best, policy.certified_error)
