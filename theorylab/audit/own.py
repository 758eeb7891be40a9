"""The package's learners as agents: their kernels on the python target, their state fields as read-outs.

Learner and environment draw from the same addresses as in `theorylab.run`, so that the trajectory is the same, bit
for bit. `FIELDS` says what each learner lets be read; a registered learner that is not in it exposes nothing, which
is a statement of this table and not of the learner. What is left out is left out because the name would promise
something else: RLSVI's V is no bound, KL-UCRL's radius no 1-norm, MVP's r_hat no mean of all that was seen.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from theorylab.audit.agent import TRAITS, Maker, Setup
from theorylab.errors import InputError
from theorylab.host import plan_alone
from theorylab.learner import Field, Learner, resolve
from theorylab.rng import Rng, key_words
from theorylab.truth import known_to, sizes_at

__all__ = ["FIELDS", "Own", "OwnAgent", "of_learner"]

Reader = str | Callable[[Any, Any], Any]
#: read-outs that are one number
NUMBERS = ("inflation", "top", "choice", "stopped", "attempts", "gain", "precision", "mixing")
TWIN = 2**31  # added to the replicate, a 32-bit word of the address: another draw of the learner's


def _from_states(field: str) -> Reader:
    """(S, S*A) with rows next states, as (S,A,S)."""

    def reader(st: Any, p: Any) -> np.ndarray:
        x = getattr(st, field)
        return np.asarray(x.reshape(x.shape[0], x.shape[0], -1).transpose(1, 2, 0))

    return reader


def _moments(P: np.ndarray, V: np.ndarray) -> np.ndarray:
    """(H,S,A) root of the variance of V_{h+1} under the rows of P (H,S,A,S), in two passes."""
    mean = np.einsum("hsay,hy->hsa", P, V)
    return np.asarray(np.sqrt(np.einsum("hsay,hsay->hsa", P, (V[:, None, None, :] - mean[..., None]) ** 2)))


def _euler_bonus(st: Any, p: Any) -> np.ndarray:
    """b_r + phi + e of the module's text, from the state's widths."""
    g = np.zeros(p.H, dtype=int) if p.pooled == 1 else np.arange(p.H)
    up, low, P = st.V_up[1:], st.V_low[1:], st.p_hat[g]
    apart = np.sqrt(np.einsum("hsay,hy->hsa", P, (up - low) ** 2))
    return np.asarray(st.b_r[g] + st.rest[g] + st.root[g] * (_moments(P, up) + apart))


def _mvp_bonus(st: Any, p: Any) -> np.ndarray:
    return np.asarray(st.rest + st.width * _moments(np.broadcast_to(st.p_hat, (p.H, *st.p_hat.shape)), st.V[1:]))


def _moss_index(st: Any, p: Any) -> np.ndarray:
    return np.where(st.N > 0, st.ucb, np.inf)


def _alive(st: Any, p: Any) -> np.ndarray:
    return np.isin(np.arange(p.A), st.alive[: st.left[0]]).astype(int)


_ARMS: dict[str, Reader] = dict(counts="N", reward_sums="total")
_QV: dict[str, Reader] = dict(Q="Q", V="V")
_TOLD: dict[str, Reader] = dict(r_hat=lambda st, p: p.r)
_UCBVI: dict[str, Reader] = dict(
    **_QV, **_TOLD, counts="N", transitions=_from_states("moves"), p_hat=_from_states("p_hat")
)
_UCRL: dict[str, Reader] = dict(
    counts=lambda st, p: st.N + st.nu, transitions="moves", reward_sums="total", gain=lambda st, p: st.gain[1],
    r_up="r_up", policy="pi", u="u", u_next="u_next", counts_plan="N", p_hat="p_hat",
    precision=lambda st, p: 1.0 / np.sqrt(st.N.sum() + 1.0),
)  # fmt: skip
_COLLECT: dict[str, Reader] = dict(
    counts="N", policy="pi", trip="v_next", goal="goal", need="need", p_plan="plow", stopped="finished",
    attempts="attempts", precision=lambda st, p: max(1e-6, 0.5 / max(1, int(st.t_k[0]))),
)  # fmt: skip
_SETS: dict[str, Reader] = dict(
    counts=lambda st, p: st.N + st.nu, transitions="moves", reward_sums="total", counts_plan="N", p_hat="p_hat",
    p_low="low", p_high="high",
)  # fmt: skip
_MODEL: dict[str, Reader] = dict(transitions="moves", policy="pi", p_plan="P", r_plan="r")
#: (learner, setting) -> read-out -> state field, or a function of the state and the parameters
FIELDS: dict[tuple[str, str], dict[str, Reader]] = {
    ("ucb1", "bandit"): dict(**_ARMS, Q="ucb"),
    ("moss", "bandit"): dict(**_ARMS, Q=_moss_index),
    ("kl-ucb", "bandit"): dict(**_ARMS, top="top"),
    ("explore-then-commit", "bandit"): dict(**_ARMS, choice="choice"),
    ("successive-elimination", "bandit"): dict(
        **_ARMS, radius_r=lambda st, p: np.full(p.A, st.alpha[0]), alive=_alive, stopped="stop"
    ),
    ("thompson", "bandit"): dict(counts=lambda st, p: st.successes + st.failures, Q="theta"),
    ("oful", "bandit"): dict(**_ARMS, Q="ucb", inflation="beta"),
    ("lin-thompson", "bandit"): dict(counts="N", Q="value", inflation="beta"),
    ("ucb-h", "episodic"): dict(**_QV, counts="N"),
    ("ucbvi-ch", "episodic"): dict(**_UCBVI, bonus="bonus"),
    ("ucbvi-bf", "episodic"): dict(**_UCBVI, bonus=lambda st, p: st.bonus.reshape(st.Q.shape)),
    ("euler", "episodic"): dict(
        Q="Q_up", V="V_up", V_low="V_low", counts="N", transitions="moves", p_hat="p_hat", r_hat="r_hat",
        radius_r="b_r", policy="pi", bonus=_euler_bonus,
    ),
    ("mvp", "episodic"): dict(
        **_QV, counts="N", transitions="moves", policy="pi", p_hat="p_hat", r_plan="r_hat", counts_plan="n",
        bonus=_mvp_bonus,
    ),
    ("psrl", "episodic"): dict(**_MODEL, V="V"),
    ("rlsvi", "episodic"): dict(Q="Q", counts="N", transitions="moves", reward_sums="total", policy="pi"),
    ("q-learning", "episodic"): dict(Q=lambda st, p: st.Q[:-1], counts="N"),
    ("lsvi-ucb", "episodic"): dict(_QV),
    ("ucrl-vtr", "episodic"): dict(**_QV, inflation="radius"),
    ("psrl", "average"): dict(**_MODEL, counts="N", counts_plan="N_start", u="u", gain=lambda st, p: st.gain[1],
                              precision=lambda st, p: p.precision),
    ("ucrl2", "average"): dict(**_UCRL, radius_p="radius_p", radius_r="radius_r"),
    ("ucrl2b", "average"): dict(**_UCRL, p_low="low", p_high="high", mixing=lambda st, p: p.tau),
    ("kl-ucrl", "average"): dict(**_UCRL, radius_kl="radius_p", mixing=lambda st, p: p.tau),
    ("gosprl", "average"): dict(**_COLLECT, transitions="moves", counts_plan="U"),
    **{
        (f"gosprl-{name}", "average"): dict(**_COLLECT, transitions="moves", counts_plan="U")
        for name in ("policy-iteration", "modest", "noise", "explore", "diameter")
    },
    # trips of another plan, or of rows by slots: neither is what `trip` checks
    ("gosprl-extended", "average"): dict(counts="N", policy="pi", transitions="moves", counts_plan="U"),
    ("gosprl-sparse", "average"): dict(counts="N", policy="pi", counts_plan="U"),
    ("known-p-greedy", "average"): dict(_COLLECT),
    ("zero-one-ucrl", "average"): dict(counts="N", transitions="moves", policy="pi", p_low="low", p_high="high"),
    ("r-max-collection", "average"): dict(counts="N", transitions="moves", policy="pi", p_hat="p_hat"),
    ("max-ent", "average"): dict(counts="N", transitions="moves", p_low="low", p_high="high", counts_plan="U"),
    ("stationary-policy", "average"): dict(counts="N", transitions="moves"),
    ("uniform-collection", "average"): dict(counts="N"),
    # SCAL mixes two actions, and its gain is that of a truncated operator; PMEVI-DT projects: neither sweep is UCRL2's
    ("scal", "average"): dict(_SETS),
    ("pmevi-dt", "average"): dict(**_SETS, policy="pi"),
    **{(name, "average"): dict(counts="N", policy="pi", transitions="moves") for name in ("loop", "loop-ascent",
       "loop-box", "loop-values")},
    **{(name, "average"): dict(counts="N", policy="pi") for name in ("loop-models", "mle-loop", "loop-linear", "fopo")},
    **{(name, "average"): dict(policy="pi") for name in ("loop-evi", "ucrl2-vtr", "lscvi-ucb")},
    ("ucb-cvi", "average"): dict(counts="N", transitions="moves"),
    ("olsvi-fh", "average"): {},
    ("optimistic-q", "average"): dict(counts="N"),
    ("mdp-oomd", "average"): {},
    ("politex", "average"): {},
}  # fmt: skip
_SAMPLED = dict(optimistic=False, randomised=True)
_NONE = dict(minimises_regret=False)
_PLANS = dict(plans=True)
_EPOCHS = dict(plans=True, epochs="doubling")
#: what holds of a learner beside `TRAITS`, by name, and for its setting by name and setting
OWN_TRAITS: dict[str, dict[str, Any]] = {
    "ucb1": dict(each_once=True, above_mean=True, one_level=True, anytime=True),
    "moss": dict(each_once=True, above_mean=True, fair_share=True, optimistic=False),
    "kl-ucb": dict(each_once=True, anytime=True), "explore-then-commit": dict(anytime=True),
    "successive-elimination": dict(anytime=True),
    "oful": dict(anytime=True, radius_grows=True),
    "thompson": dict(**_SAMPLED, anytime=True, law=dict(kind="beta")), "lin-thompson": dict(**_SAMPLED, anytime=False),
    "ucb-h": dict(anytime=False, rate="(H+1)/(H+n)"), "euler": dict(**_PLANS, anytime=False),
    "ucbvi-ch": dict(**_PLANS, root_n=("bonus",), monotone=True, anytime=False),
    "ucbvi-bf": dict(**_PLANS, monotone=True, anytime=False),
    "mvp": dict(cap=1.0, epochs="powers"), "lsvi-ucb": dict(anytime=False),
    "ucrl-vtr": dict(anytime=True, radius_grows=True),
    "psrl": _SAMPLED, "psrl-average": dict(**_PLANS, epochs="tsde"), "rlsvi": dict(**_SAMPLED, anytime=True),
    "ucrl2": dict(**_EPOCHS, root_n=("radius_p", "radius_r"), anytime=True), "ucrl2b": dict(**_EPOCHS, anytime=True),
    "kl-ucrl": dict(**_EPOCHS, anytime=False),
    "q-learning": dict(greedy=False, optimistic=False, randomised=True, anytime=True),
    "uniform": dict(randomised=True, **_NONE),
    "gosprl": dict(**_NONE, anytime=True), "known-p-greedy": dict(**_NONE, told_kernel=True, anytime=True),
    "uniform-collection": dict(randomised=True, **_NONE),
}  # fmt: skip


def _claims(name: str, setting: str, p: Mapping[str, Any]) -> dict[str, Any]:
    """Traits that depend on the parameters."""
    own = {**OWN_TRAITS.get(name, {}), **OWN_TRAITS.get(f"{name}-{setting}", {}), "delta": p.get("delta")}
    if name == "psrl":
        own["law"] = dict(kind="dirichlet", mass=float(p["mass"]), rewards=p["known_rewards"] == 0)
    if name == "rlsvi":
        own["law"] = dict(kind="regression", v=float(p["v_scale"]) * 3.0 * p["H"] ** 2, beta=float(p["beta"]))
    if name == "lin-thompson":
        own["law"] = dict(kind="linear", lam=float(p["lam"]))
        own["anytime"], own["radius_grows"] = p["inflate"] == 0, p["inflate"] == 1
    if name in ("oful", "lsvi-ucb", "ucrl-vtr"):
        own["ridge"] = float(p["lam"])
    if name == "oful":
        own["radius_grows"], own["anytime"] = p["radius"] < 3, True
    if name == "explore-then-commit":
        own["explores"] = int(p["m"])
    if name == "q-learning":
        own["rate"] = "(H+1)/(H+n)" if p["horizon_rate"] == 1 else "1/n"
        own["law"] = dict(kind="epsilon", epsilon=float(p["epsilon"]))
    if name == "ucrl-vtr":
        own["one_regression"] = p["homogeneous"] == 1
    if name in ("ucrl2", "ucrl2b", "kl-ucrl"):
        own["caps_rewards"] = p.get("cap_rewards", 1) == 1
    return own


class OwnAgent:
    """One replicate of a learner on the python target, as an agent."""

    def __init__(self, learner: Learner, params: Mapping[str, Any], setup: Setup) -> None:
        self.learner, self.setting = learner, setup.setting
        sizes = sizes_at(setup.model, setup.length)
        values = learner.parameters(params, sizes, known_to(learner, setup.model))
        spec = dict(learner.state) or {"nothing": Field("f8", (1,))}
        self.st = namedtuple("State", list(spec))(*(np.zeros(resolve(f, values), dtype=f.dtype) for f in spec.values()))
        self.p = namedtuple("Parameters", list(values))(*values.values())
        k0, k1 = key_words(setup.study)
        self.rng = Rng(int(k0), int(k1), setup.replicate + (TWIN if setup.twin else 0))
        built = {
            k: getattr(learner, k).build("python")
            for k in ("begin", "act", "learn", "watch", "plan")
            if getattr(learner, k) is not None
        }
        self._act, self._watch, self._plan = built["act"], built.get("watch"), built.get("plan")
        if learner.hosted:
            self._plan = self._by_host
        self._learn = built.get("learn")
        self.due, self.t, self.k, self.stage = True, 0, -1, 0
        self.fields = FIELDS.get((learner.name, learner.setting), {})
        for name, value in {**TRAITS, **_claims(learner.name, learner.setting, values)}.items():
            setattr(self, name, value)
        built["begin"](self.st, self.p)

    def _by_host(self, st: Any, p: Any, *rest: Any) -> bool:
        plan_alone(self.learner, st, p, *rest[:-1])
        return True

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
        out = {}
        for k, f in self.fields.items():
            x = np.array(f(self.st, self.p) if callable(f) else getattr(self.st, f))
            out[k] = x.reshape(()) if x.shape == (1,) and k in NUMBERS else x
        return out


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

    def vary(self, setup: Setup, delta: float | None = None, length: int | None = None) -> OwnAgent | None:
        """With another delta, or told another length."""
        params = self.params if delta is None else {**self.params, "delta": delta}
        return OwnAgent(self.learner, params, setup if length is None else replace(setup, length=length))


def of_learner(learner: str | Learner, setting: str | None = None, **params: Any) -> Own:
    """A registered learner, or a spec such as a mutant, as a maker of agents; `params` are the learner's."""
    if isinstance(learner, str):
        from theorylab.registry import find_learner

        learner = find_learner(learner, setting)
        assert isinstance(learner, Learner)
    return Own(learner, params, learner.name)
