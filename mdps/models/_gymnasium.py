"""Tabular models from Gymnasium environments that carry a transition table, and environments from tabular models.

`env.unwrapped.P[s][a]` is a list of (probability, next state, reward, terminated) and
`env.unwrapped.initial_state_distrib` the law of the first state, as in Gymnasium's toy-text environments. The table
becomes P (S,A,S), r (S,A), mu0 (S,):

    P[s,a,s2] = sum of the probabilities of the entries that lead to s2,   r[s,a] = expected reward.

Original states come first and in order. An episode that has ended earns nothing more: a state that other states enter
only with terminated=True (and in which no episode starts) becomes absorbing with reward 0 in place; where some state
is entered both ways, one absorbing state is appended, and its terminated entries lead there. The joint law of reward
and next state is replaced by independent draws with the same means: V and Q are unaffected. Truncation by a time limit
is not part of the table; use FiniteHorizon(H). `to_gymnasium` goes the other way.
"""

from __future__ import annotations

import math
import operator
from numbers import Real
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from theorylab.errors import InputError
from theorylab.model import BERNOULLI, Criterion, RewardLaw, ShortestPath, TabularMDP
from theorylab.validate import floats

__all__ = ["from_gymnasium", "to_gymnasium"]

Entry = tuple[float, int, float, bool]


def _label(env: Any) -> str:
    spec = getattr(env, "spec", None)
    return str(getattr(spec, "id", None) or type(env).__name__)


def _open(env: Any) -> Any:
    if not isinstance(env, str):
        return env
    import gymnasium  # only needed to look up an id

    try:
        return gymnasium.make(env)
    except gymnasium.error.Error as error:
        raise InputError(f"from_gymnasium: cannot make '{env}' ({error}); give an id of gymnasium.registry") from None


def _entry(probability: Any, state: Any, reward: Any, terminated: Any) -> Entry:
    """The four numbers of an entry; a text, a state such as 0.7 or a flag such as "False" is refused, not converted."""
    for x in (probability, reward):
        if isinstance(x, (bool, np.bool_)) or not isinstance(x, Real):
            raise TypeError(f"{x!r} is no real number")
    if not isinstance(terminated, (bool, np.bool_)):
        raise TypeError(f"terminated is {terminated!r}, not True or False")
    return float(probability), operator.index(state), float(reward), bool(terminated)


def _table(raw: Any, name: str) -> list[list[list[Entry]]]:
    """The table as lists [s][a] of entries with positive probability, every index checked."""
    table = getattr(raw, "P", None)
    if table is None or not hasattr(table, "__len__") or len(table) == 0:
        raise InputError(
            f"from_gymnasium: environment '{name}' has no transition table (unwrapped.P); use a toy-text environment "
            "such as FrozenLake-v1, or build a TabularMDP(P=..., r=...) from its dynamics"
        )
    S = len(table)
    out: list[list[list[Entry]]] = []
    try:
        A = len(table[0])
        for s in range(S):
            if len(table[s]) != A:
                raise InputError(f"from_gymnasium: '{name}': state {s} has {len(table[s])} actions, state 0 has {A}")
            out.append([[_entry(*entry) for entry in table[s][a]] for a in range(A)])
    except (KeyError, IndexError, TypeError, ValueError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(
            f"from_gymnasium: '{name}': the table is malformed at state {len(out)} ({type(error).__name__}: {error}); "
            "P[s][a] must list (probability, next state, reward, terminated) for every state and action 0, 1, ..."
        ) from None
    for s, actions in enumerate(out):
        for a, entries in enumerate(actions):
            for p, n, x, _ in entries:
                if not (p >= 0 and math.isfinite(p) and 0 <= n < S and math.isfinite(x)):
                    raise InputError(
                        f"from_gymnasium: '{name}': P[{s}][{a}] has an entry with probability {p}, next state {n}, "
                        f"reward {x}; probabilities must be >= 0, states in 0..{S - 1}, rewards finite"
                    )
            actions[a] = [e for e in entries if e[0] > 0]
    return out


def _mean(entries: list[Entry]) -> float:
    """Expected reward; equal rewards give that number exactly, so that rounding cannot leave the declared range."""
    rewards = [x for _, _, x, _ in entries]
    low, high = min(rewards), max(rewards)
    if low == high:
        return low
    total = math.fsum(p for p, _, _, _ in entries)
    # a convex combination lies between the extremes; rounding may put it one unit outside
    return min(max(math.fsum(p * x for p, _, x, _ in entries) / total, low), high)


def _initial(raw: Any, mu0: ArrayLike | None, S: int, name: str) -> NDArray[np.float64]:
    law = getattr(raw, "initial_state_distrib", None) if mu0 is None else mu0
    if law is None:
        raise InputError(f"from_gymnasium: environment '{name}' has no initial_state_distrib; give mu0=...")
    out = floats(law, f"from_gymnasium: '{name}': the initial law")
    if out.shape != (S,):
        raise InputError(f"from_gymnasium: '{name}': the initial law has shape {out.shape}; expected ({S},)")
    return out


def from_gymnasium(
    env: Any, *, criterion: Criterion, mu0: ArrayLike | None = None, reward_law: RewardLaw | None = None
) -> TabularMDP:
    """The model of an environment with a transition table (see the module docstring).

    Args:
        env: an environment, wrapped or not, or an id for `gymnasium.make`.
        criterion: FiniteHorizon(H), Discounted(gamma), AverageReward() or ShortestPath(goal).
        mu0: (S,), law of the initial state; default the environment's.
        reward_law: default bernoulli if every reward is 0 or 1, else deterministic with the range of the rewards seen
            (0 included where states absorb).

    Returns:
        A dense model with S states, or S + 1 if an absorbing state had to be appended.

    Raises:
        InputError: an environment without a table, or a malformed entry (named).
    """
    made = _open(env)
    name = _label(made)
    raw = getattr(made, "unwrapped", made)
    table = _table(raw, name)
    S, A = len(table), len(table[0])
    start = _initial(raw, mu0, S, name)

    ended, entered = np.zeros(S, dtype=bool), start > 0
    for s in range(S):
        for entries in table[s]:
            for _, n, _, terminated in entries:
                if terminated:
                    ended[n] = True
                elif n != s:
                    entered[n] = True
    absorbing = ended & ~entered
    appended = bool((ended & entered).any())
    N = S + appended

    P, r = np.zeros((N, A, N)), np.zeros((N, A))
    rewards: set[float] = {0.0} if appended or absorbing.any() else set()
    for s in range(S):
        for a, entries in enumerate(table[s]):
            if absorbing[s]:
                P[s, a, s] = 1.0
                continue
            into: dict[int, list[float]] = {}
            for p, n, x, terminated in entries:
                into.setdefault(S if terminated and not absorbing[n] else n, []).append(p)
                rewards.add(x)
            for n, parts in into.items():
                P[s, a, n] = math.fsum(parts)
            r[s, a] = _mean(entries) if entries else 0.0
    if appended:
        P[S, :, S] = 1.0
        start = np.append(start, 0.0)
    seen = BERNOULLI if rewards <= {0.0, 1.0} else RewardLaw("deterministic", min(rewards), max(rewards))
    law = seen if reward_law is None else reward_law
    return TabularMDP(P=P, r=r, mu0=start, criterion=criterion, reward_law=law, name=f"gymnasium-{name}")


def to_gymnasium(model: TabularMDP) -> Any:
    """The model as a `gymnasium.Env` with spaces Discrete(S) and Discrete(A).

    `reset` draws the first state from mu0, `step` the reward from the model's reward law and the next state from P.
    `info` holds "stage", the number of steps taken in the episode. When an episode ends follows from the criterion:

        FiniteHorizon(H)     truncated after H steps. The state does not show the stage, so to whoever sees states alone
                             this is a time limit, and no state is terminal; the model's values count nothing after it.
        ShortestPath(goal)   terminated when the goal is entered.
        Discounted(gamma)    never: the sum of rewards has to be discounted by the caller.
        AverageReward()      never.

    Stationary models carry their table: `env.unwrapped.P[s][a]` and `env.unwrapped.initial_state_distrib`, with mean
    rewards, so that from_gymnasium(env, criterion=model.criterion, reward_law=model.reward_law) has the same arrays
    (dense). Only the row of the goal of a shortest-path model may differ: it comes back absorbing with reward 0, as
    nothing after the goal counts. Transitions that depend on the stage are stepped through, but have no table.

    Raises:
        InputError: not a TabularMDP, or a shortest-path model whose episodes may start in the goal.
    """
    if not isinstance(model, TabularMDP):
        raise InputError(f"to_gymnasium: got a {type(model).__name__}; give a TabularMDP")
    if isinstance(model.criterion, ShortestPath) and model.mu0[model.criterion.goal] > 0:
        raise InputError(
            f"to_gymnasium: mu0[{model.criterion.goal}] is {float(model.mu0[model.criterion.goal])!r}, the goal: an "
            "episode cannot start where it ends; give another mu0"
        )
    from mdps.models._environment import TabularEnv  # imports gymnasium

    return TabularEnv(model)
