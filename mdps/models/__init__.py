"""Families of Markov decision processes, one a file: `mdps.models.riverswim(states=6)`.

`from_gymnasium(env, criterion=...)` reads an environment with a transition table, `to_gymnasium(model)` makes an
environment of a model; `rescale_rewards(model, low, high)` maps the rewards of a model to [0, 1];
`with_restarts(model)` makes a communicating model of an episodic one, with the states `restartable_states(model)`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from theorylab.package import lazy_models

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any: ...


FUNCTIONS = {
    "from_gymnasium": "_gymnasium",
    "rescale_rewards": "_rescale",
    "restartable_states": "_restarts",
    "to_gymnasium": "_gymnasium",
    "with_restarts": "_restarts",
}
lazy_models(__name__, FUNCTIONS)
