"""Occupancy measures: how often a policy takes each action in each state, from the initial law mu0.

    FiniteHorizon   d[h,s,a] = Pr(s_h = s, a_h = a)                                      (H,S,A), each stage sums to 1
    Discounted      d[s,a] = (1 - gamma) sum_t gamma^t Pr(s_t = s, a_t = a)              (S,A), sums to 1
    AverageReward   d[s,a] = lim (1/T) sum_{t<T} Pr(s_t = s, a_t = a)                    (S,A), sums to 1
    ShortestPath    d[s,a] = expected number of times that a is taken in s before the goal; 0 at the goal

The limit exists for every policy, periodic and multichain ones included: it is the mixture of the stationary laws of
the recurrent classes, weighted by the probabilities of absorption from mu0 (Puterman, 1994, appendix A.4) [recalled].
With d, sum(d * r) is the value (FiniteHorizon, ShortestPath), 1 - gamma times the value, or the gain, all from mu0.

Errors [derived]. Finite horizon: all terms are non-negative, so that each entry carries the relative error gamma_k of
its k roundings. Else y = b + y K is solved for a sub-stochastic K >= 0. If W > 0 and (I - K) W >= c > 0, then I - K is
an M-matrix with 0 <= (I - K)^-1 1 <= W / c, and the residual e of a computed y gives |y - exact|_1 <= sum |e| W / c.
W is the computed number of steps to absorption, or 1 when discounting. The float64 entries of P, mu0 and the policy are
taken as given; for average reward, rows are divided by their exact sums.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.linalg import LinAlgWarning, lu_factor, lu_solve
from scipy.sparse import csr_array, eye_array
from scipy.sparse.csgraph import breadth_first_order
from scipy.sparse.linalg import LinearOperator, bicgstab, gmres, splu

from theorylab.errors import InputError
from theorylab.model import AverageReward, Discounted, FiniteHorizon, ShortestPath, TabularMDP
from theorylab.plan.certify import UNDERFLOW, Rounding, U, dot_bound
from theorylab.plan.chains import policy_chain, policy_graph
from theorylab.plan.inputs import as_tabular, checked_policy
from theorylab.plan.record import Certified
from theorylab.plan.structure import closed_classes, distances

__all__ = ["certified_occupancy", "occupancy"]

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SMALL = 400  # states up to which a sparse chain is solved as a dense one
MOST_PRODUCTS = 300  # of BiCGStab, then of GMRES, before a sparse LU takes over
INNER = 1e-8  # relative residual asked of one run; refinement does the rest
ROUNDS = 6  # of refinement


def occupancy(model: Any, pi: ArrayLike) -> Floats:
    """The occupancy measure of a policy, (H,S,A) or (S,A); see the module docstring and `certified_occupancy`."""
    values: Floats = certified_occupancy(model, pi).value
    return values


def certified_occupancy(model: Any, pi: ArrayLike) -> Certified:
    """The occupancy measure of a policy with a bound on the largest error of an entry, rounding included.

    Args:
        model: any criterion; dense, stage-dependent or CSR.
        pi: integers (S,) or, for a finite horizon, (H,S); or floats (S,A) or (H,S,A), probabilities of actions.

    Returns:
        Certified: value (H,S,A) or (S,A), probabilities, or numbers of steps for ShortestPath; error in the same unit,
        infinite where the chain is so slow that rounding hides whether it is absorbed.

    Raises:
        InputError: a policy of a wrong shape or with a wrong entry (named); for ShortestPath, a state that occurs and
            from which the goal is not reached (named); an equation that is singular in double precision.
    """
    model = as_tabular(model)
    policy = checked_policy(model, pi)
    if isinstance(model.criterion, FiniteHorizon):
        return _forward(model, policy)
    chain, _ = policy_chain(model, policy)
    if isinstance(model.criterion, Discounted):
        gamma = model.criterion.gamma
        states = np.arange(model.S)
        x, error = _Killed(model, policy, gamma * chain, 0.0).visits((1 - gamma) * model.mu0, np.ones(model.S))
    elif isinstance(model.criterion, ShortestPath):
        states, x, error = _until(model, policy, chain, model.criterion.goal)
    else:
        states, x, error = _long_run(model, policy, chain)
    visits = np.zeros(model.S)
    visits[states] = x
    d = np.zeros((model.S, model.A))
    if policy.ndim == 1:
        d[np.arange(model.S), policy] = visits
    else:
        d = visits[:, None] * policy
        off = _off_one(policy)
        error = error * (1 + off) + U * float(d.max()) + UNDERFLOW
        if isinstance(model.criterion, AverageReward):
            error += 1.01 * off * float(d.max())  # the policy stands for its rows divided by their sums
    return Certified(d, error * (1 + 8 * U))


def _off_one(pi: Floats) -> float:
    """An upper bound on |sum - 1| over the rows of a stochastic policy."""
    return float(np.abs(pi.sum(axis=1) - 1).max()) + dot_bound(pi.shape[1])


def _forward(model: TabularMDP, pi: NDArray[Any]) -> Certified:
    H, S, A = model.H, model.S, model.A
    if model.sparse:
        stages, terms = [model.P], int(np.bincount(model.P.indices, minlength=S).max())
    else:
        stages = list(model.P.reshape(-1, S * A, S))
        terms = max(int(np.count_nonzero(stage, axis=0).max()) for stage in stages)
    d = np.zeros((H, S, A))
    x, rows = model.mu0, np.arange(S)
    for h in range(H):
        P = stages[h % len(stages)]
        if pi.ndim == 2:
            d[h, rows, pi[h]] = x
            x = x @ P[rows * A + pi[h]]
        else:
            d[h] = x[:, None] * pi[h]
            x = d[h].ravel() @ P
    # products and sums of non-negative numbers: one rounding by the policy and `terms` by P in each stage
    roundings = H * (terms + 1)
    relative = dot_bound(roundings)
    error = relative * (1 + 2 * relative) * float(d.max()) + 4 * roundings * S * A * UNDERFLOW
    return Certified(d, error * (1 + 8 * U))


class _Killed:
    """A chain that ends: y = b + y K for a sub-stochastic K (n,n), dense or CSR; K is part of the chain of a policy.

    `defect`: bound on the relative error of an entry of K with respect to the exact chain, rounding of K apart.
    """

    def __init__(self, model: TabularMDP, pi: NDArray[Any], K: Any, defect: float) -> None:
        self.n = int(K.shape[0])
        self.K = K.toarray() if not isinstance(K, np.ndarray) and self.n <= SMALL else K
        dense = isinstance(self.K, np.ndarray)
        graph = self.K != 0 if dense else self.K.astype(bool)
        # roundings of an entry of K (average over actions, discount), of a product with it, and of sums with b and y
        inside = model.A + 2 if pi.ndim == 2 else 2
        self.columns, self.rows = (int(graph.sum(axis=axis).max(initial=0)) + inside + 3 for axis in (0, 1))
        self.defect = defect
        self._lu: Any = None

    def _direct(self, b: Floats, back: bool) -> Floats:
        if self._lu is None:
            dense = isinstance(self.K, np.ndarray)
            system = np.eye(self.n) - self.K if dense else (eye_array(self.n, format="csr") - self.K).tocsc()
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("error", LinAlgWarning)
                    self._lu = lu_factor(system, check_finite=False) if dense else splu(system)
            except (RuntimeError, LinAlgWarning):
                raise _singular() from None
        if isinstance(self._lu, tuple):
            x: Floats = lu_solve(self._lu, b, trans=int(back), check_finite=False)
        else:
            x = self._lu.solve(b, trans="T" if back else "N")
        return x

    def _krylov(self, b: Floats, back: bool) -> Floats | None:
        turned = self.K.T.tocsr() if back else self.K
        operator = LinearOperator((self.n, self.n), matvec=lambda v: v - turned @ v, dtype=np.float64)
        with np.errstate(all="ignore"):  # a breakdown of BiCGStab shows as a solution that is not finite
            x, info = bicgstab(operator, b, rtol=INNER, atol=0.0, maxiter=MOST_PRODUCTS // 2)
            if info != 0 or not np.isfinite(x).all():
                x, info = gmres(operator, b, rtol=INNER, atol=0.0, restart=30, maxiter=MOST_PRODUCTS // 30)
        return x if info == 0 and np.isfinite(x).all() else None

    def _solve(self, b: Floats, back: bool) -> Floats:
        """y with y = b + y K (`back`), or y = b + K y, refined until the residual stops shrinking."""
        y, rest, size = np.zeros(self.n), b, np.inf
        for round_ in range(ROUNDS):
            iterative = not isinstance(self.K, np.ndarray) and self._lu is None
            more = self._krylov(rest, back) if iterative else self._direct(rest, back)
            if more is None:
                if round_ > 0:
                    break  # what is left may be rounding alone
                more = self._direct(rest, back)
            step = y + more
            with np.errstate(over="ignore", invalid="ignore"):  # of a system that is all but singular
                new = b - step + (step @ self.K if back else self.K @ step)
            if not np.abs(new).sum() < size / 2:
                break
            y, rest, size = step, new, float(np.abs(new).sum())
        if not np.isfinite(size):
            raise _singular()
        return y

    def visits(self, b: Floats, W: Floats | None = None) -> tuple[Floats, float]:
        """y and a bound on |y - exact|_1, for b >= 0 that carries two roundings; W as in the module docstring."""
        if self.n == 0:
            return b, 0.0
        y = np.maximum(self._solve(b, back=True), 0.0)  # the exact y is not negative
        inflow = y @ self.K
        size = b + inflow + y
        rest = np.abs(b - y + inflow) + (dot_bound(self.columns + 2) + self.defect) * size * (1 + 8 * U)
        rest += self.columns * UNDERFLOW
        W = self._solve(np.ones(self.n), back=False) if W is None else W
        fall = W - self.K @ W
        w_max = float(np.abs(W).max())
        # rows of K sum to at most 1 + 1e-8; the factors leave room for the subtraction
        noise = (2.1 * dot_bound(self.rows) + 1.01 * self.defect) * w_max + self.rows * UNDERFLOW
        c = float(fall.min()) - noise * (1 + 8 * U)
        if not (c > 0 and (W > 0).all()):
            return y, float("inf")
        return y, float((rest * W).sum()) / c * (1 + 4 * self.n * U + 1e-12)


def _singular() -> InputError:
    return InputError(
        "the equations of the occupancy measure are singular in double precision: the policy leaves some states with "
        "probabilities below 1e-16; use larger probabilities, or FiniteHorizon(H)"
    )


def _reached(model: TabularMDP, graph: Any) -> Ints:
    """The states that occur, in ascending order."""
    start = np.flatnonzero(model.mu0 > 0)
    rows, cols = np.full(start.size, model.S), start
    arcs = graph.tocoo()
    wide = csr_array(
        (np.ones(arcs.row.size + rows.size), (np.concatenate([arcs.row, rows]), np.concatenate([arcs.col, cols]))),
        shape=(model.S + 1, model.S + 1),
    )
    order = breadth_first_order(wide, model.S, return_predecessors=False)
    return np.sort(order[1:]).astype(np.int64)


def _part(chain: Any, rows: Ints, cols: Ints) -> Any:
    return chain[np.ix_(rows, cols)] if isinstance(chain, np.ndarray) else chain[rows][:, cols]


def _until(model: TabularMDP, pi: NDArray[Any], chain: Any, goal: int) -> tuple[Ints, Floats, float]:
    """(states, expected visits before the goal, bound on their L1 error)."""
    # the walk ends at the goal, whose row does not matter
    arcs = policy_graph(model, pi, chain).tocoo()
    keep = arcs.row != goal
    graph = csr_array((arcs.data[keep], (arcs.row[keep], arcs.col[keep])), shape=(model.S, model.S))
    states = _reached(model, graph)
    lost = states[distances(graph, np.array([goal]))[states] < 0]
    if lost.size:
        raise InputError(
            f"improper policy: from state {lost[0]}, which occurs, it does not reach the goal {goal}, so the expected "
            "number of visits is infinite; give a policy that reaches the goal from every state that occurs"
        )
    states = states[states != goal]
    x, error = _Killed(model, pi, _part(chain, states, states), 0.0).visits(model.mu0[states])
    return states, x, error


def _long_run(model: TabularMDP, pi: NDArray[Any], chain: Any) -> tuple[Ints, Floats, float]:
    """(states, long-run frequencies, bound on their L1 error)."""
    graph = policy_graph(model, pi, chain)
    states = _reached(model, graph)
    classes = [states[c] for c in closed_classes(graph[states][:, states])]
    defect = Rounding.of(model).defect
    if pi.ndim == 2:
        defect += _off_one(pi)
    defect = 1.01 * defect  # room for |1 / sum - 1| and products of two such
    total = float(model.mu0.sum())
    weights, error = np.array([total]), dot_bound(model.S) * total
    if len(classes) > 1:
        transient = np.setdiff1d(states, np.concatenate(classes))
        start = np.array([model.mu0[c].sum() for c in classes])
        y, off = _Killed(model, pi, _part(chain, transient, transient), defect).visits(model.mu0[transient])
        entered = np.array([(y @ _part(chain, transient, c)).sum() for c in classes])
        weights = start + entered
        error = off * (1 + defect + 1e-8) + (dot_bound(3 * model.S + model.A + 8) + defect) * float(weights.sum())
    laws = [_stationary(model, pi, _part(chain, c, c), defect) for c in classes]
    frequencies = np.concatenate([w * law for w, (law, _) in zip(weights, laws, strict=True)])
    error += sum(float(w) * off for w, (_, off) in zip(weights, laws, strict=True)) + 2 * U * float(weights.sum())
    return np.concatenate(classes), frequencies, error * (1 + 1e-9)


def _stationary(model: TabularMDP, pi: NDArray[Any], chain: Any, defect: float) -> tuple[Floats, float]:
    """The stationary law of an irreducible chain (n,n), as visits between returns to a state; L1 error."""
    n = int(chain.shape[0])
    if n == 1:
        return np.ones(1), 0.0
    # a state that is visited often makes returns quick, hence the bound small
    guess = np.full(n, 1.0 / n)
    for _ in range(50):
        guess = (guess + guess @ chain) / 2
    ref = int(np.argmax(guess))
    others = np.delete(np.arange(n), ref)
    leave = _part(chain, np.array([ref]), others)
    b = (leave if isinstance(leave, np.ndarray) else leave.toarray()).ravel()
    y, error = _Killed(model, pi, _part(chain, others, others), defect).visits(b)
    law = np.insert(y, ref, 1.0)
    scale = float(law.sum())
    return law / scale, (2 * error / scale + dot_bound(n + 3)) * (1 + 1e-9)
