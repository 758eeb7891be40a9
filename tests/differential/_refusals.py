"""Parameters without meaning: what a learner must refuse, and what it must say."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from theorylab.errors import InputError
from theorylab.learner import Learner

#: parameters, what the learner is told of the model, a part of the message
Refusal = tuple[dict[str, Any], dict[str, Any], str]


def unrefused(learner: Learner, cases: Sequence[Refusal], sizes: dict[str, int]) -> str | None:
    """The first of the cases that is accepted, or refused with other words."""
    for params, known, says in cases:
        try:
            learner.parameters(params, sizes, known)
        except InputError as refusal:
            if says not in str(refusal):
                return f"refused with '{refusal}', not '{says}'"
        except Exception as error:  # a mutant may raise anything
            return f"{type(error).__name__} for '{says}': {error}"
        else:
            return f"not refused: {says}"
    return None
