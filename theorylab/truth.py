"""What a simulation knows and a learner does not: exact values, gaps and sampling tables of a model.

Tables by setting (rows are s*A + a, or h*S*A + s*A + a when the model depends on the stage; m successors a row):

    bandit     r_mean, mean, gap (A,)
    episodic   succ, prob, cum (rows, m), r_mean (rows,), mu0, mu0_cum (S,), V_star (H+1,S), Q_star, gap (H,S,A)
    average    succ, prob, cum, r_mean, mu0_cum, gain, bias (S,), gap (S,A)

`cum` holds cumulative probabilities, with 2 at a row's last successor, which takes what rounding leaves; rows with
more than 32 successors get Vose's alias table instead (`cum` = thresholds, `alias`). Everything is exact up to the
planner's certified error, kept as `error`.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Any

import numpy as np

from theorylab.errors import InputError
from theorylab.games.form import ExtensiveForm
from theorylab.games.matrix import MatrixGame
from theorylab.learner import KNOWN, Learner
from theorylab.linear import LinearMDP, LinearMixtureMDP
from theorylab.linear_bandit import LinearBandit
from theorylab.model import Bandit, TabularMDP

__all__ = ["SCAN_LIMIT", "Truth", "alias_table", "embedded", "known_to", "sizes_at", "truth_of"]

SCAN_LIMIT = 32
GAMES = (ExtensiveForm, MatrixGame)
LAWS = {"deterministic": 0, "bernoulli": 1, "gaussian": 2}


@dataclass(frozen=True)
class Truth:
    """Tables for the loop, and the certified error of what was planned."""

    setting: str
    tables: dict[str, Any]
    law: int
    error: float
    plan: Any = None

    @property
    def alias(self) -> bool:
        """True where next states are drawn from alias tables."""
        return "alias" in self.tables


def embedded(model: Any) -> TabularMDP | Bandit:
    """The model that a loop runs: a tabular MDP or bandit itself, or the exact embedding of a linear one.

    Raises `InputError` for other records, and for a `LinearMDP` whose rewards depend on the stage: its embedding has
    other states than its features.
    """
    if isinstance(model, (TabularMDP, Bandit)):
        return model
    if isinstance(model, LinearBandit):
        return model.bandit()
    if isinstance(model, LinearMDP) and model.r.ndim == 3:
        raise InputError(
            f"model '{model.name}': theta depends on the stage, so that the tabular embedding has H*S states, which "
            "its features do not have; give one theta, or run a tabular learner on .tabular()"
        )
    if isinstance(model, (LinearMDP, LinearMixtureMDP)):
        return model.tabular()
    embedding = next((f"give its {k}()" for k in ("tabular", "bandit") if hasattr(model, k)), "")
    mend = embedding or "give a TabularMDP, a Bandit, or a linear model"
    raise InputError(f"no loop runs a {type(model).__name__}: {mend}")


def known_to(learner: Learner, model: Any) -> dict[str, np.ndarray]:
    """The arrays of a model that a learner is told, by the names of `theorylab.learner.KNOWN`; all of a game's layout.

    Raises `InputError` where the model has no such array, and for "P" of a stage-dependent model.
    """
    out: dict[str, np.ndarray] = {}
    if learner.setting == "game":
        from theorylab.games.layout import as_tree, layout

        return {k: np.array(v) for k, v in layout(as_tree(model)).arrays.items()}
    for name in learner.knows:
        source: Any = embedded(model) if name in ("r", "P") else model
        field = "phi" if name == "transition_phi" else name
        kinds: dict[str, Any] = {"phi": LinearMDP, "transition_phi": LinearMixtureMDP}
        if not hasattr(source, field) or (name in kinds and not isinstance(source, kinds[name])):
            raise InputError(
                f"learner '{learner.name}' is told {KNOWN[name]}; model '{model.name}' is a {type(model).__name__}"
            )
        if name == "P":
            if source.stage_dependent:
                raise InputError(f"learner '{learner.name}' is told one kernel; '{model.name}' has one for each stage")
            array = source.dense()
        else:
            array = getattr(source, field)
        out[name] = np.array(array, dtype=float)  # a private, writable copy: compiled code has one type for it
    return out


def sizes_at(model: Any, length: int) -> dict[str, int]:
    """S, A, H, K, T, d of a run of `length` rounds, episodes or steps, as far as the model has them; plans nothing.

    Of a game: Q, I, I0, second, A (`theorylab.games.layout`) and T.
    """
    extra = {"d": int(model.d)} if hasattr(model, "d") else {}
    if isinstance(model, GAMES):
        from theorylab.games.layout import as_tree, layout

        return {**layout(as_tree(model)).sizes, "T": length}
    model = embedded(model)
    if model.setting == "bandit":
        return {"A": model.A, "T": length, **extra}
    sizes = {"S": model.S, "A": model.A, **extra}
    if model.setting == "episodic":
        return {**sizes, "H": model.H, "K": length, "T": length * model.H}
    return {**sizes, "T": length}


def alias_table(prob: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Vose's alias method for each row of `prob` (rows, m): thresholds in [0, 1] and aliases, both (rows, m)."""
    rows, m = prob.shape
    threshold, alias = np.ones((rows, m)), np.tile(np.arange(m), (rows, 1))
    for i in range(rows):
        scaled = (prob[i] * m).tolist()
        small = [j for j in range(m) if scaled[j] < 1.0]
        large = [j for j in range(m) if scaled[j] >= 1.0]
        while small and large:
            j, k = small.pop(), large.pop()
            threshold[i, j], alias[i, j] = scaled[j], k
            scaled[k] = (scaled[k] + scaled[j]) - 1.0
            (small if scaled[k] < 1.0 else large).append(k)
    return threshold, alias


def _cumulative(prob: np.ndarray) -> np.ndarray:
    cum = np.cumsum(prob, axis=1)
    last = prob.shape[1] - 1 - np.argmax(prob[:, ::-1] > 0, axis=1)
    return np.where(np.arange(prob.shape[1]) >= last[:, None], 2.0, cum)


def _sampling(model: TabularMDP) -> dict[str, Any]:
    rows = model.rows()
    succ, prob = np.ascontiguousarray(rows.succ), np.ascontiguousarray(rows.prob)
    times = succ.shape[0] // (model.S * model.A)
    mu0_cum = _cumulative(model.mu0[None, :])[0]
    out: dict[str, Any] = dict(
        succ=succ, prob=prob, r_mean=np.tile(model.r.ravel(), times), mu0=np.array(model.mu0), mu0_cum=mu0_cum
    )
    if succ.shape[1] > SCAN_LIMIT:
        out["cum"], out["alias"] = alias_table(prob)
    else:
        out["cum"] = _cumulative(prob)
    out["stride"] = model.S * model.A if times > 1 else 0
    out["width"] = int(succ.shape[1])
    return out


_cache: OrderedDict[tuple[str, str], Truth] = OrderedDict()


def truth_of(model: Any) -> Truth:
    """Exact values and sampling tables of a bandit, a finite-horizon or an average-reward model; of a game nothing.

    A linear model is run as its exact embedding. Raises `InputError` for a criterion that no loop runs yet, and where
    one optimal gain does not exist.
    """
    if isinstance(model, GAMES):
        return Truth("game", {"sd": 0.0}, 0, 0.0)
    model = embedded(model)
    # the name does not determine the arrays, so the digest alone is the key
    key = (type(model).__name__, model.digest)
    if key in _cache:
        _cache.move_to_end(key)
        return _cache[key]
    _cache[key] = _bandit(model) if isinstance(model, Bandit) else _mdp(model)
    if len(_cache) > 64:
        _cache.popitem(last=False)
    return _cache[key]


def _bandit(model: Bandit) -> Truth:
    mean = np.array(model.means, dtype=float)
    law = model.reward_law
    tables = dict(r_mean=mean, mean=mean, gap=np.array(model.gaps, dtype=float), sd=float(law.sd))
    return Truth("bandit", tables, LAWS[law.kind], 0.0)


def _mdp(model: TabularMDP) -> Truth:
    from theorylab.plan import gaps, plan

    if model.setting not in ("episodic", "average"):
        raise InputError(
            f"model '{model.name}' has the criterion {model.criterion}; simulations run FiniteHorizon(H) and "
            "AverageReward(): choose one with dataclasses.replace(model, criterion=...)"
        )
    solved = plan(model)
    tables = _sampling(model)
    tables["sd"] = float(model.reward_law.sd)
    tables["gap"] = np.ascontiguousarray(gaps(model))
    if model.setting == "episodic":
        tables["V_star"] = np.ascontiguousarray(solved.V)
        tables["Q_star"] = np.ascontiguousarray(solved.Q)
    else:
        assert solved.gain is not None
        tables["gain"] = float(solved.gain)
        tables["bias"] = np.ascontiguousarray(solved.bias)
    return Truth(model.setting, tables, LAWS[model.reward_law.kind], float(solved.certified_error), solved)
