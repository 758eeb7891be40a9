"""Learner specs: what a learning algorithm is to the engine.

A learner is a module-level object: name, setting, source, parameters with defaults, state fields with shapes in
letters, and scalar kernels on ONE replicate. The runner allocates the state and does all batching. Two forms:

* step learner: `begin(st, p)`, `act`, `learn` at every step;
* epoch learner: `begin`, `act`, `watch` (updates the counts; true when the epoch has ended) and a plan, for algorithms
  that hold a policy between plans. The plan has one of three forms:
  - `plan`, a kernel (computes the next policy; true when it succeeded);
  - `plan_batch`, an array program over the replicates whose epoch ended;
  - `plan_one`, a call per replicate where a solver is needed.

The last two are plain functions (a *host plan*): the compiled loop stops each replicate where its plan is due, the
host plans, and the loop goes on, each replicate on its own clock. They write the state in place and raise `InputError`
where no plan exists. `plan_batch` gets copies of the rows, the axis of the n replicates first, as arrays of `xp`
(NumPy, or CuPy on a device); what it computes for one replicate may not depend on which others are there, in any bit:
batched products (`x @ y` on three axes) keep that, a product over stacked replicates does not. Host plans draw no
random numbers.

Kernel signatures by setting (`st` state record, `p` parameters, `rng` the replicate's address space; all indices
count from 0):

    bandit     act(st, p, t, rng) -> a             learn(st, p, t, a, r)
    episodic   act(st, p, k, h, s, rng) -> a       learn | watch(st, p, k, h, s, a, r, s2)     plan(st, p, k, rng)
    average    act(st, p, t, s, rng) -> a          learn | watch(st, p, t, s, a, r, s2)        plan(st, p, t, s, rng)

    game       begin(st, p, rng)                   learn(st, p, t, rng)            act(st, p, pi)

    host plans: episodic plan_one(st, p, k), plan_batch(st, p, k, xp); average plan_one(st, p, t, s), plan_batch(st, p,
    t, s, xp), with k, t, s of shape (n,) in a batch

A learner of games is a solver: `learn` is one iteration, and `act` writes the policy by sequence that it stands for,
such as an average. Its fields have LANES columns more, a replicate each (`theorylab.games.kernels`), and `p` holds the
arrays of the game (`theorylab.games.layout`).

`p` holds the learner's parameters, what it is told of the model (`knows`), what `derive` adds, and the sizes S, A, H,
K, T, d that exist in the setting; numbers or arrays.
`act` of an episodic learner must not write the state, since the exact value of its policy is found by asking it.
A learner never checks itself: probes (`theorylab.probe`) live beside the claims.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from theorylab.compiler import Kernel
from theorylab.errors import InputError, nearest

if TYPE_CHECKING:
    import numpy as np

__all__ = ["KNOWN", "SETTINGS", "Field", "Learner", "f8", "i8", "resolve"]

SETTINGS = ("bandit", "episodic", "average", "game")
#: what a learner may be told of the model, with the records that have it
KNOWN = {
    "r": "mean rewards (S,A): a TabularMDP, LinearMDP or LinearMixtureMDP",
    "P": "the stationary kernel (S,A,S): a TabularMDP, LinearMDP or LinearMixtureMDP",
    "features": "features of the arms (A,d): a LinearBandit",
    "phi": "features of pairs (S,A,d): a LinearMDP",
    "transition_phi": "features of transitions (S,A,S,d): a LinearMixtureMDP",
}
#: what one unit of a run's length is called in each setting
UNITS = {"bandit": "rounds", "episodic": "episodes", "average": "steps", "game": "iterations"}


@dataclass(frozen=True)
class Field:
    """One array of a state: element type and shape, letters (`"S"`, `"H+1"`) or numbers, replicate axis left out."""

    dtype: str
    shape: tuple[str | int, ...]


class _Type:
    def __init__(self, dtype: str) -> None:
        self.dtype = dtype

    def __getitem__(self, shape: str | int | tuple[str | int, ...]) -> Field:
        return Field(self.dtype, shape if isinstance(shape, tuple) else (shape,))


#: float64 and int64 fields: `f8["H", "S", "A"]`, `i8[1]`
f8, i8 = _Type("f8"), _Type("i8")


def resolve(spec: Field, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of a field at given sizes; letters may be summed or multiplied with numbers (`"H+1"`, `"S*A"`).

    The fields of a learner's state may also name its integer parameters, those of `derive` included: `sizes` are then
    all its parameters.
    """

    def one(entry: str | int) -> int:
        if isinstance(entry, int):
            return entry
        return sum(math.prod(int(w) if w.isdigit() else sizes[w] for w in t.split("*")) for t in entry.split("+"))

    try:
        return tuple(one(e) for e in spec.shape)
    except KeyError as missing:
        raise InputError(
            f"state shape {spec.shape} uses {missing}, which is no size of this setting and no parameter "
            f"(sizes: { ({k: v for k, v in sizes.items() if isinstance(v, int)}) })"
        ) from None


@dataclass(frozen=True, eq=False)
class Learner:
    """A learning algorithm as the engine sees it; see the module's text for the kernels.

    Attributes:
        name: its name everywhere (`ucb-h`).
        setting: "bandit", "episodic", "average" or "game".
        cite: BibTeX key of the paper that defines it; source_tag: how the rule was checked.
        params: parameter names with defaults (`delta` must stay in (0, 1), a multiplier `scale` may not be negative).
        arrays: names of parameters that are arrays, with type and shape; None in `derive`, which must then give
            them, where the user does not. A letter that is no size and no parameter, such as the M of a class of M
            hypotheses, is read off the first array given that has it, and becomes an integer parameter.
        knows: what the learner is told of the model, by names of `KNOWN`; each becomes an array of `p`.
        state: field name -> `Field`.
        accepts: parameters and the model -> nothing; raises `InputError` for a model on which the task cannot be done.
        failure: state of a replicate whose plan failed and the parameters -> why, and what mends it; None where there
            were too many sweeps.
        example: a small model -> parameters to run it with, where the defaults do not suffice: for conformance.
        derive: parameters, sizes and what is known -> further constants of `p`, numbers or arrays (logarithms through
            `theorylab.kernel.log`).
        text: one paragraph on what the paper leaves open and what was chosen.
    """

    name: str
    setting: str
    begin: Kernel
    act: Kernel
    learn: Kernel | None = None
    watch: Kernel | None = None
    plan: Kernel | None = None
    plan_batch: Callable[..., None] | None = None
    plan_one: Callable[..., None] | None = None
    params: dict[str, float | int] = field(default_factory=dict)
    arrays: dict[str, Field] = field(default_factory=dict)
    knows: tuple[str, ...] = ()
    state: dict[str, Field] = field(default_factory=dict)
    derive: Callable[[dict[str, Any]], dict[str, Any]] | None = None
    accepts: Callable[[dict[str, Any], Any], None] | None = None
    failure: Callable[[dict[str, np.ndarray], dict[str, Any]], str | None] | None = None
    example: Callable[[Any], dict[str, Any]] | None = None
    cite: str = ""
    source_tag: str = "source"
    text: str = ""

    def __post_init__(self) -> None:
        if self.setting not in SETTINGS:
            raise InputError(f"learner '{self.name}': setting '{self.setting}'{nearest(self.setting, SETTINGS)}")
        for name in self.knows:
            if name not in KNOWN:
                raise InputError(f"learner '{self.name}' knows '{name}'{nearest(name, KNOWN)}")
        plans = [x for x in (self.plan, self.plan_batch, self.plan_one) if x is not None]
        step, epoch = self.learn is not None, self.watch is not None and len(plans) == 1
        if step == epoch or (self.watch is None) != (not plans):
            raise InputError(
                f"learner '{self.name}': give either `learn` (step learner) or both `watch` and one of `plan`, "
                "`plan_batch`, `plan_one` (epoch learner)"
            )
        if (self.epochs and self.setting == "game") or (self.hosted and self.setting == "bandit"):
            raise InputError(f"learner '{self.name}': a {self.setting} has no epochs; give `learn`")

    @property
    def epochs(self) -> bool:
        """True for an epoch learner."""
        return self.watch is not None

    @property
    def hosted(self) -> bool:
        """True for an epoch learner whose plan is a function of the host."""
        return self.epochs and self.plan is None

    @property
    def settable(self) -> tuple[str, ...]:
        """Names of all parameters, numbers and arrays."""
        return (*self.params, *self.arrays)

    def parameters(
        self,
        given: Mapping[str, Any] | None,
        sizes: Mapping[str, int],
        known: Mapping[str, np.ndarray] | None = None,
    ) -> dict[str, Any]:
        """Defaults overridden by `given`, then the sizes, what is known, and the derived constants.

        Raises `InputError` for an unknown name, a number that is not finite, an array of another shape or type, and
        an array that neither the user nor `derive` gives.
        """
        values: dict[str, Any] = {**self.params, **dict.fromkeys(self.arrays)}
        for key, value in (given or {}).items():
            if key not in self.settable:
                have = nearest(key, self.settable) if self.settable else "; it has none"
                raise InputError(f"learner '{self.name}' has no parameter '{key}'{have}")
            if key in self.arrays:
                continue
            if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
                raise InputError(f"learner '{self.name}': parameter {key}={value!r} is not a finite number")
            values[key] = type(self.params[key])(value)
        if "delta" in values and not 0.0 < values["delta"] < 1.0:
            raise InputError(f"learner '{self.name}': delta={values['delta']} must lie strictly between 0 and 1")
        if values.get("scale", 0.0) < 0.0:
            raise InputError(f"learner '{self.name}': scale={values['scale']}, a multiplier, may not be negative")
        values.update(sizes)
        for key in self.arrays:
            if given is not None and key in given:
                values.update(self._letters(key, given[key], values))
                values[key] = self._array(key, given[key], values)
        values.update(known or {})
        if self.derive is not None:
            values.update(self.derive(dict(values)))
        for key in self.arrays:
            if values[key] is None:
                raise InputError(f"learner '{self.name}': give the array {key} of shape {self.arrays[key].shape}")
            values[key] = self._array(key, values[key], values)
        return values

    def _letters(self, key: str, value: Any, values: Mapping[str, Any]) -> dict[str, int]:
        """The lengths that an array given binds to letters of its shape that nothing else defines."""
        import numpy as np

        try:
            shape, wanted = np.asarray(value, dtype=float).shape, self.arrays[key].shape
        except (TypeError, ValueError):
            return {}  # refused with the array
        if len(shape) != len(wanted):
            raise InputError(f"learner '{self.name}': {key} has shape {shape}, not ({', '.join(map(str, wanted))})")
        return {
            w: n for w, n in zip(wanted, shape, strict=True) if isinstance(w, str) and w.isalpha() and w not in values
        }

    def _array(self, key: str, value: Any, sizes: Mapping[str, Any]) -> np.ndarray:
        import numpy as np

        spec = self.arrays[key]
        shape = resolve(spec, sizes)
        try:
            array = np.array(value, dtype=float)
        except (TypeError, ValueError):
            raise InputError(f"learner '{self.name}': {key} is no array of numbers; give shape {shape}") from None
        if array.shape != shape:
            raise InputError(f"learner '{self.name}': {key} has shape {array.shape}, not {shape}")
        bad = ~np.isfinite(array)
        if spec.dtype.startswith("i"):
            bad |= array != np.round(array)
        if bad.any():
            at = tuple(int(i) for i in np.argwhere(bad)[0])
            kind = "an integer" if spec.dtype.startswith("i") else "finite"
            raise InputError(f"learner '{self.name}': {key}[{', '.join(map(str, at))}] = {array[at]} is not {kind}")
        return array.astype(spec.dtype)
