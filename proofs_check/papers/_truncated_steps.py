"""Steps that SCAL and PMEVI-DT take over from UCRL2B (fruit2020), whose sets they use: its probes on their runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from proofs_check.papers import fruit2020
from theorylab.assume import average_reward, communicating, rewards_in_01
from theorylab.claim import Claim, Context, Control, HighProbability, Instance, Pointwise
from theorylab.probe import Monitor, Probe

#: names in fruit2020 of what does not depend on how a plan uses the sets
INHERITED = (
    "radii", "counts", "sums", "estimate", "optimistic-reward", "cap", "coverage", "reward-coverage", "rows", "in-box",
    "attained", "stopping", "doubling", "episodes",
)  # fmt: skip


#: of radii: the variance of a constant reward of 1/3 is zero but for rounding, and they have its square root
ROUNDING = 1e-7


class Steps:
    """Makes the step claims of one learner.

    Attributes: paper, learner: names; instances: profile -> instances; small, narrow: where faults are planted, for
    steps with a level and for the rest; controls: by name; tables, monitor: of the probes.
    """

    def __init__(
        self,
        paper: str,
        learner: str,
        *,
        instances: Mapping[str, tuple[Instance, ...]],
        small: Instance,
        narrow: Instance,
        controls: Mapping[str, Control],
        tables: Callable[[Context], dict[str, Any]],
        monitor: Monitor,
    ) -> None:
        self.paper, self.learner, self.controls = paper, learner, controls
        self.small, self.narrow = small, narrow
        self.common: dict[str, Any] = dict(instances=instances, tables=tables, monitor=monitor)

    def inherited(self, **caught: str) -> list[Claim]:
        """UCRL2B's steps, with its controls or those `caught`; what was read in its paper is recalled of this one."""
        found = {c.id.partition(".")[2]: c for c in fruit2020.STEP_CLAIMS}
        return [self._like(found[name], name, caught.get(name)) for name in INHERITED]

    def _like(self, claim: Claim, name: str, caught: str | None) -> Claim:
        probe = claim.quantity
        names = [k.name for k in claim.controls] if caught is None else caught.split("; ")
        return replace(
            claim,
            id=f"{self.paper}.{name}",
            paper=self.paper,
            learner=self.learner,
            source_tag="recalled" if claim.source_tag == "source" else claim.source_tag,
            quantity=Probe(f"{self.learner}.{name}", probe.value, probe.at, ROUNDING if name == "radii" else probe.tol),
            control_instance=self._where(claim.kind),
            controls=tuple(self.controls[k] for k in names),
            **self.common,
        )

    def _where(self, kind: Any) -> Instance:
        return self.narrow if isinstance(kind, Pointwise) else self.small

    def step(
        self, name: str, text: str, tag: str, kind: Pointwise | HighProbability, value: Any, at: str, tol: float,
        caught: str, *, copies: bool = False, planted: Instance | None = None, more: tuple[Instance, ...] = (),
    ) -> Claim:  # fmt: skip
        """A step of this learner's own; `caught` names the controls, `planted` where they are run if elsewhere, `more`
        further instances."""
        return Claim(
            id=f"{self.paper}.{name}",
            text=text,
            source_tag=tag,
            learner=self.learner,
            kind=kind,
            quantity=Probe(f"{self.learner}.{name}", value, at, tol),
            control_instance=planted or self._where(kind),
            assumes=(average_reward, communicating, rewards_in_01),
            controls=tuple(self.controls[c] for c in caught.split("; ")),
            copies=copies,
            **{**self.common, "instances": {k: (*v, *more) for k, v in self.common["instances"].items()}},
        )
