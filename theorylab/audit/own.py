"""The package's learners as agents: their kernels on the python target, their state fields as read-outs.

Learner and environment draw from the same addresses as in `theorylab.run`, so that the trajectory is the same, bit
for bit. `FIELDS` says what each learner lets be read; a registered learner that is not in it exposes nothing, which
is a statement of this table and not of the learner. What is left out is left out because the name would promise
something else: RLSVI's V is no bound, KL-UCRL's radius no 1-norm, MVP's r_hat no mean of all that was seen.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorylab.audit.agent import TRAITS, Maker, Setup
from theorylab.errors import InputError
from theorylab.learner import Field, Learner, resolve
from theorylab.rng import Rng, key_words
from theorylab.truth import known_to, sizes_at

__all__ = ["FIELDS", "Own", "OwnAgent", "of_learner"]

Reader = str | Callable[[Any], np.ndarray]
TWIN = 2**31  # added to the replicate, a 32-bit word of the address: another draw of the learner's


def _mean(st: Any) -> np.ndarray:
    return np.asarray(st.total / np.maximum(1, st.N))


def _from_states(field: str) -> Callable[[Any], np.ndarray]:
    """(S, S*A) with rows next states, as (S,A,S)."""

    def reader(st: Any) -> np.ndarray:
        x = getattr(st, field)
        return np.asarray(x.reshape(x.shape[0], x.shape[0], -1).transpose(1, 2, 0))

    return reader


def _visits(st: Any) -> np.ndarray:
    return np.asarray(st.N + st.nu)


def _high(st: Any) -> np.ndarray:
    return np.asarray(st.gain[1])


def _staged(field: str) -> Callable[[Any], np.ndarray]:
    return lambda st: getattr(st, field).reshape(st.Q.shape)


_ARMS: dict[str, Reader] = dict(counts="N", reward_sums="total")
_QV: dict[str, Reader] = dict(Q="Q", V="V")
_UCBVI: dict[str, Reader] = dict(**_QV, counts="N", transitions=_from_states("moves"), p_hat=_from_states("p_hat"))
_UCRL: dict[str, Reader] = dict(
    counts=_visits, transitions="moves", reward_sums="total", gain=_high, r_up="r_up", policy="pi"
)
_COLLECT: dict[str, Reader] = dict(counts="N", policy="pi")
#: (learner, setting) -> read-out -> state field, or a function of the state
FIELDS: dict[tuple[str, str], dict[str, Reader]] = {
    ("ucb1", "bandit"): dict(**_ARMS, Q="ucb"),
    ("moss", "bandit"): dict(**_ARMS),
    ("kl-ucb", "bandit"): dict(_ARMS),
    ("explore-then-commit", "bandit"): dict(_ARMS),
    ("successive-elimination", "bandit"): dict(_ARMS),
    ("thompson", "bandit"): dict(counts=lambda st: st.successes + st.failures, Q="theta"),
    ("oful", "bandit"): dict(**_ARMS, Q="ucb"),
    ("lin-thompson", "bandit"): dict(counts="N", Q="value"),
    ("ucb-h", "episodic"): dict(**_QV, counts="N"),
    ("ucbvi-ch", "episodic"): dict(**_UCBVI, bonus="bonus"),
    ("ucbvi-bf", "episodic"): dict(**_UCBVI, bonus=_staged("bonus")),
    ("euler", "episodic"): dict(
        Q="Q_up", V="V_up", counts="N", transitions="moves", p_hat="p_hat", r_hat="r_hat", radius_r="b_r", policy="pi"
    ),
    ("mvp", "episodic"): dict(**_QV, counts="N", transitions="moves", policy="pi"),
    ("psrl", "episodic"): dict(V="V", transitions="moves", policy="pi"),
    ("rlsvi", "episodic"): dict(Q="Q", counts="N", transitions="moves", reward_sums="total", policy="pi"),
    ("q-learning", "episodic"): dict(Q=lambda st: st.Q[:-1], counts="N"),
    ("lsvi-ucb", "episodic"): dict(_QV),
    ("ucrl-vtr", "episodic"): dict(_QV),
    ("psrl", "average"): dict(counts="N", transitions="moves", policy="pi"),
    ("ucrl2", "average"): dict(**_UCRL, p_hat="p_hat", radius_p="radius_p"),
    ("ucrl2b", "average"): dict(**_UCRL, p_low="low", p_high="high"),
    ("kl-ucrl", "average"): dict(_UCRL),
    ("gosprl", "average"): dict(**_COLLECT, transitions="moves"),
    ("known-p-greedy", "average"): dict(_COLLECT),
    ("uniform-collection", "average"): dict(counts="N"),
}
_SAMPLED = dict(optimistic=False, randomised=True)
_NONE = dict(minimises_regret=False)
#: what holds of a learner beside `TRAITS`
OWN_TRAITS: dict[str, dict[str, Any]] = {
    "thompson": _SAMPLED, "lin-thompson": _SAMPLED, "psrl": _SAMPLED, "rlsvi": _SAMPLED,
    "q-learning": dict(greedy=False, optimistic=False, randomised=True), "uniform": dict(randomised=True, **_NONE),
    "gosprl": _NONE, "known-p-greedy": _NONE, "uniform-collection": dict(randomised=True, **_NONE),
}  # fmt: skip


class OwnAgent:
    """One replicate of a learner on the python target, as an agent."""

    def __init__(self, learner: Learner, params: Mapping[str, Any], setup: Setup) -> None:
        self.learner, self.setting = learner, setup.setting
        sizes = sizes_at(setup.model, setup.length)
        values = learner.parameters(params, sizes, known_to(learner, setup.model))
        spec = dict(learner.state) or {"nothing": Field("f8", (1,))}
        self.st = namedtuple("State", list(spec))(*(np.zeros(resolve(f, sizes), dtype=f.dtype) for f in spec.values()))
        self.p = namedtuple("Parameters", list(values))(*values.values())
        k0, k1 = key_words(setup.study)
        self.rng = Rng(int(k0), int(k1), setup.replicate + (TWIN if setup.twin else 0))
        built = {
            k: getattr(learner, k).build("python")
            for k in ("begin", "act", "learn", "watch", "plan")
            if getattr(learner, k) is not None
        }
        self._act, self._watch, self._plan = built["act"], built.get("watch"), built.get("plan")
        self._learn = built.get("learn")
        self.due, self.t, self.k, self.stage = True, 0, -1, 0
        self.fields = FIELDS.get((learner.name, learner.setting), {})
        for name, value in {**TRAITS, **OWN_TRAITS.get(learner.name, {}), "delta": values.get("delta")}.items():
            setattr(self, name, value)
        built["begin"](self.st, self.p)

    def _replan(self, *args: Any) -> None:
        if self._plan is not None and self.due:
            if not self._plan(self.st, self.p, *args, self.rng):
                raise InputError(f"learner '{self.learner.name}': planning did not converge; raise its sweep limit")
            self.due = False

    def begin_episode(self) -> None:
        """Plan where a plan is due."""
        self.k += 1
        if self.setting == "episodic":
            self._replan(self.k)

    def act(self, state: int, stage: int) -> int:
        """The learner's action."""
        self.stage = stage
        if self.setting == "bandit":
            return int(self._act(self.st, self.p, self.t, self.rng))
        if self.setting == "episodic":
            return int(self._act(self.st, self.p, self.k, stage, state, self.rng))
        self._replan(self.t, state)
        return int(self._act(self.st, self.p, self.t, state, self.rng))

    def observe(self, state: int, action: int, reward: float, next_state: int, done: bool) -> None:
        """The learner's update."""
        if self.setting == "bandit":
            what: tuple[Any, ...] = (self.t, action, reward)
        elif self.setting == "episodic":
            what = (self.k, self.stage, state, action, reward, next_state)
        else:
            what = (self.t, state, action, reward, next_state)
        self.t += 1
        if self._watch is not None:
            self.due = bool(self._watch(self.st, self.p, *what)) or self.due
        else:
            assert self._learn is not None
            self._learn(self.st, self.p, *what)

    def audit_read(self) -> dict[str, np.ndarray]:
        """Copies of the fields of the table."""
        return {k: np.array(f(self.st) if callable(f) else getattr(self.st, f)) for k, f in self.fields.items()}


@dataclass
class Own(Maker):
    """Makes agents of one learner."""

    learner: Learner
    params: dict[str, Any]
    name: str

    def build(self, setup: Setup) -> OwnAgent:
        """A fresh replicate of the learner."""
        if self.learner.setting != setup.setting:
            raise InputError(f"learner '{self.name}' is for the setting {self.learner.setting}, not {setup.setting}")
        return OwnAgent(self.learner, self.params, setup)


def of_learner(learner: str | Learner, setting: str | None = None, **params: Any) -> Own:
    """A registered learner, or a spec such as a mutant, as a maker of agents; `params` are the learner's."""
    if isinstance(learner, str):
        from theorylab.registry import find_learner

        learner = find_learner(learner, setting)
        assert isinstance(learner, Learner)
    return Own(learner, params, learner.name)
