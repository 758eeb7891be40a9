"""A learner's kernels stepped by hand on the python target, beside a transcription of the published pseudo-code.

The environment is written here once more, from the addressed draws alone: the outcome of visit n of a site is the
pair of doubles at (n, site), the first gives the next state by the inverse of P's cumulative sums, the second the
reward. Each comparison feeds one trajectory, the kernels' own, to both sides and returns the first difference in words,
or None. Logarithms may differ in the last bits, hence tolerances; a choice is compared where it does not hang on those.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.reference.ucb1 import UCB1
from tests.reference.ucb_h import UCBH
from tests.reference.ucrl2 import UCRL2
from theorylab.learner import Learner, resolve
from theorylab.rng import ENVIRONMENT, INITIAL, LEARNER, Rng, draw, key_words

CLOSE = 1e-9


class Machine:
    """One replicate of a learner: state arrays `st`, parameters `p`, and its kernels as plain functions."""

    def __init__(self, learner: Learner, sizes: dict[str, int], params: dict[str, Any], rng: Rng) -> None:
        values = learner.parameters(params, sizes)
        self.p = SimpleNamespace(**values)
        self.st = SimpleNamespace(**{k: np.zeros(resolve(f, values), f.dtype) for k, f in learner.state.items()})
        self.rng = rng
        kernels = {k: getattr(learner, k) for k in ("act", "learn", "watch", "plan")}
        self.calls = {k: v.build("python") for k, v in kernels.items() if v is not None}
        learner.begin.build("python")(self.st, self.p)

    def act(self, *place: int) -> int:
        return int(self.calls["act"](self.st, self.p, *place, self.rng))

    def learn(self, *step: Any) -> None:
        self.calls["learn"](self.st, self.p, *step)

    def watch(self, *step: Any) -> bool:
        return bool(self.calls["watch"](self.st, self.p, *step))

    def plan(self, *place: int) -> bool:
        return bool(self.calls["plan"](self.st, self.p, *place, self.rng))


class World:
    """Addressed outcomes of a tabular model or a bandit, from its arrays P, r, mu0 or means."""

    def __init__(self, model: Any, seed: int = 0, replicate: int = 0) -> None:
        k0, k1 = (int(k) for k in key_words(seed))
        self.model, self.rng = model, Rng(k0, k1, replicate)
        self.random = model.reward_law.kind == "bernoulli"
        self.served: dict[tuple[int, ...], int] = {}

    def draw(self, place: tuple[int, ...], site: int) -> tuple[float, float]:
        n = self.served.get(place, 0)
        self.served[place] = n + 1
        u, v = draw(self.rng, n, site, ENVIRONMENT)
        return float(u), float(v)

    def reward(self, mean: float, v: float) -> float:
        return float(v < mean) if self.random else mean

    def pull(self, a: int) -> float:
        return self.reward(float(self.model.means[a]), self.draw((a,), a)[1])

    def start(self, k: int) -> int:
        return choose(self.model.mu0, float(draw(self.rng, k, 0, INITIAL)[0]))

    def step(self, h: int, s: int, a: int) -> tuple[float, int]:
        """Reward and next state of the pair (s, a) at stage h (0 where there are no stages)."""
        m = self.model
        law = m.P[h, s, a] if m.stage_dependent else m.P[s, a]
        u, v = self.draw((h, s, a), (h * m.S + s) * m.A + a)
        return self.reward(float(m.r[s, a]), v), choose(law, u)


def choose(law: NDArray[np.float64], u: float) -> int:
    """The first state whose cumulative probability exceeds u; the last possible one takes what rounding leaves."""
    possible = np.flatnonzero(law > 0)
    passed = np.cumsum(law[possible])[:-1] <= u
    return int(possible[passed.sum()])


def far(ours: Any, theirs: Any, tol: float = CLOSE) -> bool:
    return not bool(np.all(np.abs(np.asarray(ours, float) - np.asarray(theirs, float)) <= tol))


def clear(values: NDArray[np.float64], ties: bool) -> bool:
    """Whether the largest entry leads by more than rounding, or with `ties` is shared to the last bit.

    UCRL2 has no such ties: two actions that may move all mass to the best state are worth the same, but sums in
    another order differ in the last bits.
    """
    if values.size < 2:
        return True
    low, high = np.sort(values)[-2:]
    return bool(high - low > CLOSE or (ties and high == low))


def sampling_differs(machine: Machine) -> str | None:
    """Of an action drawn from st.pi: a cumulative probability equal to the draw is passed, the last takes the rest."""
    u = float(draw(machine.rng, 0, 0, LEARNER)[0])
    last = machine.p.A - 1
    for first, second, wanted in ((u, 1.0 - u, min(1, last)), (0.5 * u, 0.0, last)):
        machine.st.pi[0] = [first, second, *last * [0.0]][: last + 1]
        if (a := machine.act(0, 0)) != wanted:
            return f"action {a} against {wanted} at the draw {u} from {machine.st.pi[0].tolist()}"
    return None


def compare_ucb1(learner: Learner, model: Any, rounds: int, params: dict[str, Any] | None = None) -> str | None:
    """UCB1: the action, N, reward sums and indices at every round."""
    world, given = World(model), params or {}
    machine = Machine(learner, {"A": model.A, "T": rounds}, given, world.rng)
    reference = UCB1(model.A, **given)
    for t in range(rounds):
        a, wanted = machine.act(t), reference.act(t)
        if t >= model.A and far(machine.st.ucb, reference.index):
            return f"round {t}: indices {machine.st.ucb} against {reference.index}"
        if a != wanted and clear(reference.index, True):
            return f"round {t}: arm {a} against {wanted}"
        r = world.pull(a)
        machine.learn(t, a, r)
        reference.learn(a, r)
        for name, ours, theirs in (("N", machine.st.N, reference.N), ("total", machine.st.total, reference.total)):
            if far(ours, theirs, 0.0):
                return f"round {t}: {name} {ours} against {theirs}"
    return None


def compare_ucb_h(learner: Learner, model: Any, episodes: int, params: dict[str, Any]) -> str | None:
    """UCB-H: the action before, and Q, V, N and the bonus after, every step."""
    world = World(model)
    sizes = {"S": model.S, "A": model.A, "H": model.H, "K": episodes, "T": episodes * model.H}
    machine = Machine(learner, sizes, params, world.rng)
    reference = UCBH(model.S, model.A, model.H, episodes, params["delta"], params["c"])
    for k in range(episodes):
        s = world.start(k)
        for h in range(model.H):
            where = f"episode {k}, stage {h}, state {s}"
            a, wanted = machine.act(k, h, s), reference.act(h, s)
            if a != wanted and clear(reference.Q[h, s], True):
                return f"{where}: action {a} against {wanted}"
            r, s2 = world.step(h, s, a)
            machine.learn(k, h, s, a, r, s2)
            reference.learn(h, s, a, r, s2)
            for name in ("Q", "V", "N"):
                if far(getattr(machine.st, name), getattr(reference, name)):
                    return f"{where}: {name} differs"
            if far(machine.st.bonus[0], reference.bonus):
                return f"{where}: bonus {machine.st.bonus[0]} against {reference.bonus}"
            s = s2
    return None


def compare_ucrl2(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> str | None:
    """UCRL2: the steps at which it plans, everything about each plan, and nu after every step."""
    return follow_ucrl2(learner, model, steps, params)[0]


def follow_ucrl2(learner: Learner, model: Any, steps: int, params: dict[str, Any]) -> tuple[str | None, Any, UCRL2]:
    """The first difference, the learner's state and the transcription at the end."""
    world = World(model)
    machine = Machine(learner, {"S": model.S, "A": model.A, "T": steps}, params, world.rng)
    cap = 1.0 if params.get("cap_rewards", 1) else None
    reference = UCRL2(model.S, model.A, params["delta"], reward_cap=cap)
    s, due = world.start(0), True
    for t in range(steps):
        episodes = reference.episodes
        made = not due or machine.plan(t, s)
        wanted = reference.act(s)
        if due != (reference.episodes > episodes):
            return f"step {t}: {'a plan' if due else 'no plan'}, against the transcription", machine.st, reference
        if made != (not due or reference.iterations <= machine.p.max_sweeps):
            return f"step {t}: {sweeps_said(made, reference)}", machine.st, reference
        if not made:  # on both sides: the run ends here
            return None, machine.st, reference
        if due and (wrong := plans_differ(machine.st, reference)):
            return f"step {t}: {wrong}", machine.st, reference
        a = machine.act(t, s)
        if a != wanted and clear(reference.q[s], False):
            return f"step {t}: action {a} against {wanted}", machine.st, reference
        reference.pi[s] = a  # where two actions tie within rounding both are right: go on with the kernels' choice
        r, s2 = world.step(0, s, a)
        due = machine.watch(t, s, a, r, s2)
        reference.learn(s, a, r, s2)
        if far(machine.st.nu, reference.nu, 0.0):
            return f"step {t}: nu {machine.st.nu.tolist()} against {reference.nu.tolist()}", machine.st, reference
        s = s2
    return None, machine.st, reference


def sweeps_said(made: bool, reference: Any) -> str:
    """Of a plan that one side alone could make."""
    return f"the plan {'was made' if made else 'failed'}, against {reference.iterations} sweeps"


def ranked(u: NDArray[np.float64]) -> list[int]:
    """States by decreasing u, equal ones by index."""
    return sorted(range(len(u)), key=lambda s: (-float(u[s]), s))


def not_first(st: Any) -> str | None:
    """The first state without a visit whose planned action is not 0: all its actions look alike to the last bit."""
    wrong = [s for s in range(len(st.pi)) if not st.N[s].any() and st.pi[s] != 0]
    return f"pi[{wrong[0]}] is {st.pi[wrong[0]]} where no action was tried" if wrong else None


def plans_differ(st: Any, reference: UCRL2) -> str | None:
    """The first array of a plan that differs."""
    for name, ours, theirs in (
        ("N", st.N, reference.N),
        ("nu", st.nu, reference.nu),
        ("total", st.total, reference.R),
        ("moves", st.moves, reference.P),
        ("p_hat", st.p_hat, reference.p_hat),
        ("radius_p", st.radius_p, reference.radius_p),
        ("radius_r", st.radius_r, reference.radius_r),
        ("sweeps", st.sweeps[0], reference.iterations),
        ("u", st.u, reference.u),
        ("u_next", st.u_next, reference.u_next),
    ):
        if far(ours, theirs):
            return f"{name} differs by {np.max(np.abs(ours - theirs)):.3g}"
    change = reference.u_next - reference.u
    if far(st.gain, (change.min(), change.max())):
        return f"gain {st.gain} against {change.min()}, {change.max()}"
    if st.order.tolist() != ranked(st.u):
        return f"order {st.order} of u {st.u}"
    if wrong := not_first(st):
        return wrong
    for s in range(len(st.pi)):
        if clear(reference.q[s], False) and st.pi[s] != reference.pi[s]:
            return f"pi[{s}] is {st.pi[s]} against {reference.pi[s]}"
        reference.pi[s] = st.pi[s]
    return None
