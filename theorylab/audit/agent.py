"""What an agent is to the audit: a class found by `PACKAGE.MODULE:NAME`, duck-typed.

    Agent(S, A, horizon, seed, **params)     horizon None outside episodes, S = 1 for a bandit; a factory will do
    act(state, stage) -> action              stage counts from 0, always 0 outside episodes
    observe(state, action, reward, next_state, done)
    begin_episode()                          optional
    train(env, length)                       instead of act and observe: the agent drives an `AuditEnv` itself

It may let be read, as attributes or methods without arguments (`READOUTS`, with shapes), None meaning "not now". They
are read at each decision, after `act` has chosen and before the outcome is known. Class attributes say what holds of
it: `knows = ("r",)` is told the mean rewards as a keyword; `greedy = False` does not maximise its Q; `optimistic =
False` does not claim that Q and V bound the optimal ones; `randomised = True` another seed plays otherwise;
`minimises_regret = False` pursues something else. This module needs only numpy: it runs in the agent's interpreter.
"""

from __future__ import annotations

import importlib
import operator
import os
import sys
import traceback
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from theorylab.errors import InputError

__all__ = [
    "READOUTS",
    "TRAITS",
    "Maker",
    "OfClass",
    "Setup",
    "drives",
    "failing",
    "find",
    "index_of",
    "of_class",
    "read",
]

#: read-out -> its meaning; shapes by setting are in `theorylab.audit.checks.SHAPES`
READOUTS = {
    "Q": "action values or indices that the agent maximises",
    "V": "state values",
    "counts": "visits of pairs (of arms) so far",
    "transitions": "transitions seen so far",
    "reward_sums": "sums of the rewards of pairs so far",
    "p_hat": "estimated kernel of the last plan",
    "r_hat": "estimated mean rewards of the last plan",
    "radius_p": "radius around p_hat: (S,A) in the 1-norm, (S,A,S) for each entry",
    "p_low": "lower ends of a box around the kernel",
    "p_high": "upper ends of a box around the kernel",
    "radius_r": "radius around r_hat",
    "r_up": "upper bounds on the mean rewards",
    "bonus": "what is added for the error of r_hat + p_hat V",
    "policy": "actions (integers) or probabilities (floats)",
    "gain": "upper bound on the optimal average reward",
    "p_plan": "kernel that the plan was made with, where it is no estimate",
    "r_plan": "mean rewards that the plan was made with",
    "V_low": "lower bounds on the optimal state values",
    "counts_plan": "visits of pairs when their model was last renewed",
    "u": "state values before the last sweep of a plan",
    "u_next": "state values after it",
    "radius_kl": "radius around p_hat in Kullback-Leibler divergence KL(p_hat, p)",
    "mixing": "weight tau of the kernel in tau P + (1 - tau) I",
    "precision": "what the span of a last sweep, or its largest change, is below",
    "trip": "expected steps to the open states, 0 on them",
    "goal": "1 for open states",
    "need": "visits of pairs that are asked for",
    "attempts": "trips begun",
    "inflation": "factor of the norm in a linear agent's sample",
    "top": "the largest index of the last decision",
    "choice": "the arm committed to, -1 before",
    "alive": "1 for arms that are still played",
    "stopped": "decisions after which the agent was done, -1 before",
}
LACKS = "agent '{}' has no act(state, stage); add it, or train(env, length)"
#: what an agent says of itself, with what is assumed where it says nothing
TRAITS: dict[str, Any] = {
    "greedy": True,
    "optimistic": True,
    "randomised": False,
    "minimises_regret": True,
    "delta": None,
    "cap": None,  # largest value of an exposed Q, where it is neither H nor H - h times the largest reward
    "monotone": False,  # Q never grows
    "plans": False,  # a plan is made before every episode, or in every epoch, from all that was seen
    "epochs": None,  # "doubling", "tsde" or "powers": when plans are made
    "caps_rewards": False,  # r_up is capped at the largest reward
    "above_mean": False,  # an index is at least the arm's mean
    "each_once": False,  # every arm is played in the first A rounds
    "fair_share": False,  # an index is above the mean while an arm has less than T/A plays
    "explores": None,  # plays of every arm before it commits
    "rate": None,  # "1/n" or "(H+1)/(H+n)" of a temporal-difference update
    "root_n": None,  # names of read-outs that are one number over the root of the visits
    "radius_grows": False,  # `inflation` grows with every observation
    "told_kernel": False,  # p_plan is the true kernel
    "one_level": False,  # an index is mean + width, n width^2 the same for all arms
    "ridge": None,  # lambda of a linear agent whose Q is an estimate and one multiple of a norm
    "one_regression": False,  # value-targeted regression: one for all stages
    "law": None,  # of its draws, see theorylab.audit.sampling
    "anytime": None,  # True: what it does does not depend on the length; False: it does
}


@dataclass(frozen=True)
class Setup:
    """What an agent is made from.

    Attributes:
        setting: "bandit", "episodic" or "average". S, A: sizes; H: stages, None outside episodes. length: rounds,
            episodes or steps. seed: the agent's own, below 2^32. known: arrays that it is told, by name.
        study, replicate, twin, model: for the package's learners, whose draws have addresses; twin: another draw.
    """

    setting: str
    S: int
    A: int
    H: int | None
    length: int
    seed: int
    known: dict[str, np.ndarray] = field(default_factory=dict)
    study: int = 0
    replicate: int = 0
    twin: bool = False
    model: Any = None


class Maker:
    """Makes fresh agents for replicates."""

    name: str
    knows: tuple[str, ...] = ()

    def build(self, setup: Setup) -> Any:
        """A fresh agent."""
        raise NotImplementedError

    def vary(self, setup: Setup, delta: float | None = None, length: int | None = None) -> Any:
        """A fresh agent with another delta or told another length; None where the maker cannot make it."""
        return None

    def __str__(self) -> str:
        return self.name


@dataclass
class OfClass(Maker):
    """Agents of a class or factory `cls(S, A, horizon, seed, **params)`."""

    cls: Any
    params: Mapping[str, Any]
    name: str

    def __post_init__(self) -> None:
        self.knows = tuple(getattr(self.cls, "knows", ()))

    def build(self, setup: Setup) -> Any:
        """A fresh agent; what its constructor raises is named."""
        if isinstance(self.cls, type) and not (hasattr(self.cls, "act") or hasattr(self.cls, "train")):
            raise InputError(LACKS.format(self.name))
        with failing(self.name, "its constructor"):
            agent = self.cls(setup.S, setup.A, setup.H, setup.seed, **self.params, **setup.known)
        drives(agent, self.name)
        return agent

    def vary(self, setup: Setup, delta: float | None = None, length: int | None = None) -> Any:
        """With another delta, where it is a parameter."""
        if delta is None or "delta" not in self.params or not hasattr(self.cls, "act"):
            return None
        return Shown(OfClass(self.cls, {**self.params, "delta": delta}, self.name).build(setup))


class Shown:
    """An agent of a class, with its read-outs as the package's learners give theirs."""

    def __init__(self, agent: Any) -> None:
        self.agent = agent
        self.act, self.observe = agent.act, agent.observe

    def begin_episode(self) -> None:
        """Where the agent has it."""
        begin = getattr(self.agent, "begin_episode", None)
        if begin is not None:
            begin()

    def audit_read(self) -> dict[str, np.ndarray]:
        """Its read-outs."""
        return read(self.agent)


def of_class(agent: Any, **params: Any) -> OfClass:
    """A class or factory, or its name "PACKAGE.MODULE:NAME", with further keyword parameters, as a maker of agents."""
    if isinstance(agent, str):
        return OfClass(find(agent), params, agent)
    name = getattr(agent, "__qualname__", type(agent).__name__)
    return OfClass(agent, params, f"{getattr(agent, '__module__', '')}:{name}")


def find(name: str) -> Any:
    """The object called "PACKAGE.MODULE:NAME"; modules of the current folder count. Raises `InputError`."""
    module, colon, attribute = name.partition(":")
    if not colon or not module or not attribute:
        raise InputError(f"'{name}' is not of the form PACKAGE.MODULE:Agent; name the module and the class")
    if os.getcwd() not in sys.path:
        sys.path.insert(0, os.getcwd())
    try:
        loaded = importlib.import_module(module)
    except ModuleNotFoundError as missing:
        if missing.name is None or not (module == missing.name or module.startswith(missing.name + ".")):
            raise InputError(f"module '{module}' needs '{missing.name}', which is not installed; install it") from None
        raise InputError(f"no module '{module}'; run from its folder, or set PYTHONPATH") from None
    except Exception as wrong:
        raise InputError(f"module '{module}' cannot be imported: {last_line(wrong)}; correct it") from None
    found = loaded
    for part in attribute.split("."):
        if not hasattr(found, part):
            have = ", ".join(sorted(k for k, v in vars(loaded).items() if isinstance(v, type)))
            raise InputError(f"module '{module}' has no '{attribute}'; it has the classes {have or '(none)'}")
        found = getattr(found, part)
    if not callable(found):
        raise InputError(f"'{name}' is {found!r}; name a class or a factory")
    return found


def drives(agent: Any, name: str) -> bool:
    """True where the agent drives the loop itself (`train`); `InputError` where it can neither act nor train."""
    if callable(getattr(agent, "act", None)):
        if not callable(getattr(agent, "observe", None)):
            raise InputError(f"agent '{name}' has act but no observe(state, action, reward, next_state, done); add it")
        return False
    if not callable(getattr(agent, "train", None)):
        raise InputError(LACKS.format(name))
    return True


def last_line(wrong: BaseException) -> str:
    """The error and the last line of its own traceback."""
    frames = traceback.extract_tb(wrong.__traceback__)
    where = f" ({os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}: {frames[-1].line})" if frames else ""
    return f"{type(wrong).__name__}: {wrong}{where}"


class failing:
    """Context in which what an agent raises becomes an `InputError` that names the call and the last line."""

    def __init__(self, name: str, call: str) -> None:
        self.name, self.call = name, call

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: Any, wrong: BaseException | None, trace: Any) -> None:
        if isinstance(wrong, Exception) and not isinstance(wrong, InputError):
            raise InputError(f"agent '{self.name}' raised in {self.call}: {last_line(wrong)}; correct it") from wrong


def read(agent: Any) -> dict[str, np.ndarray]:
    """Copies of what the agent lets be read now, by name; what is absent or None is left out."""
    out = {}
    for name in READOUTS:
        value = getattr(agent, name, None)
        if callable(value):
            value = value()
        if value is not None:
            out[name] = np.array(value)
    return out


def index_of(action: Any) -> int | None:
    """An action as a Python integer; None where it is no integer."""
    try:
        return operator.index(action)
    except TypeError:
        return (
            int(action) if isinstance(action, np.ndarray) and action.size == 1 and action.dtype.kind in "iu" else None
        )
