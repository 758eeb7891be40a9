"""How the claims on one solver of games are put together; see `zinkevich2007`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from proofs_check.papers import _cfr_probes as own
from proofs_check.papers import _cfr_tables as sizes
from theorylab.claim import Bound, Claim, Context, Control, Instance, Pointwise
from theorylab.learner import Learner
from theorylab.probe import Monitor, Probe

__all__ = ["Paper"]

RANDOM = {"random": 1}
QUICK = (
    Instance("kuhn", 2000),
    Instance("kuhn", 1200, {}, RANDOM),
    Instance("perturbed-rps", 500, {}, RANDOM),
    Instance("matching-pennies", 200, {}, RANDOM),
    Instance("random-matrix", 500, {"m": 3, "n": 4, "seed": 1}),
)
LONG = (Instance("kuhn", 10_000), Instance("perturbed-rps", 10_000, {}, RANDOM))
LEDUC = Instance("leduc", 400)
#: of steps; of bounds that are printed, which say nothing on larger games in any time; of derived ones
STEPS = {"quick": QUICK, "standard": (*LONG, LEDUC, Instance("liars-dice", 100, {"sides": 4}))}
PRINTED = {"quick": QUICK, "standard": LONG}
DERIVED = {"quick": QUICK, "standard": (*LONG, LEDUC)}


@dataclass(frozen=True)
class Paper:
    """The claims of a key on one learner: what they measure with, and the faults by name."""

    key: str
    learner: Learner
    monitor: Monitor
    tables: Callable[[Context], dict[str, Any]] | None
    faults: Mapping[str, Learner]
    place: Instance

    @cached_property
    def controls(self) -> dict[str, Control]:
        """A control a fault, made once: claims that share one share its run."""
        return {name: Control(name, fault, replicates=1) for name, fault in self.faults.items()}

    def step(
        self, name: str, text: str, tag: str, value: Any, tol: float, caught: str, copies: bool = False,
        place: Instance | None = None,
    ) -> Claim:  # fmt: skip
        """A step, measured after every iteration; faults are planted at `place`, by default the paper's."""
        return Claim(
            id=f"{self.key}.{name}",
            text=text,
            source_tag=tag,
            learner=self.learner.name,
            kind=Pointwise(),
            quantity=Probe(f"{self.learner.name}.{name}", value, "step", tol),
            instances=STEPS,
            control_instance=place or self.place,
            assumes=(sizes.zero_sum,),
            controls=tuple(self.controls[c] for c in caught.split("; ")),
            tables=self.tables,
            monitor=self.monitor,
            copies=copies,
        )

    def floored(self) -> list[Claim]:
        """The steps that regret matching+ has with any prediction."""
        return [
            self.step(
                "nonnegative",
                "Regrets are floored: Q_T >= 0.",
                "recalled", own.nonnegative, 0.0, "floor left out",
            ),
            self.step(
                "dominates",
                "Q_t >= Q_{t-1} + r_t, r_t the counterfactual regrets of the policies played, each against what it "
                "saw.",
                "derived", own.dominates, 1e-9,
                "regrets not accumulated; regrets discounted; conditional values; player 1's sign; values not passed "
                "up; mean of actions for their policy; simultaneous; values computed once",
            ),
        ]  # fmt: skip

    def final(
        self,
        name: str,
        text: str,
        tag: str,
        bound: Bound,
        place: Instance,
        caught: str,
        steps: list[Claim],
        paper: str = "",
    ) -> Claim:
        """A bound on exploitability after every number of iterations; trivial is the range of payoffs."""
        return Claim(
            id=f"{self.key}.{name}",
            paper=paper,
            text=text,
            source_tag=tag,
            learner=self.learner.name,
            kind=Pointwise(),
            quantity="exploitability",
            bound=bound,
            trivial=sizes.trivial,
            instances=PRINTED if tag == "recalled" else DERIVED,
            control_instance=place,
            assumes=(sizes.zero_sum,),
            controls=tuple(self.controls[c] for c in caught.split("; ")),
            steps=tuple(c.id for c in steps),
        )
