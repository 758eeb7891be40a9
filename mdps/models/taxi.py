"""Gymnasium's Taxi as a tabular model: fetch a passenger and bring them to one of four places.

A state of the game is ((taxi row * 5 + column) * 5 + place of the passenger) * 4 + destination: 500 of them, 404 of
which occur. One absorbing state of value 0 is appended (state 500): the step that delivers the passenger leads there.
Actions south, north, east, west, pick up, drop off. A step costs 1, an illegal pick-up or drop-off 10, delivery earns
20. P (501,6,501), r (501,6), range [-10, 20]: for learners that need rewards in [0, 1] use `rescale_rewards(model)`.
The first state is uniform over the 300 with the passenger waiting away from the destination.

The table is read from the environment (Taxi-v3; Taxi-v4 without rain and with a steadfast passenger is the same;
Dietterich, 2000) [source].
"""

from __future__ import annotations

from dataclasses import replace

from mdps.models._gymnasium import from_gymnasium
from theorylab.family import Family, Published
from theorylab.model import Criterion, FiniteHorizon, TabularMDP


def build(H: int = 200, criterion: Criterion | None = None) -> TabularMDP:
    """Taxi, episodes of H stages unless another `criterion` is given."""
    from gymnasium.envs.toy_text.taxi import TaxiEnv

    model = from_gymnasium(TaxiEnv(), criterion=FiniteHorizon(H) if criterion is None else criterion)
    return replace(model, name="taxi-v3")


family = Family(
    name="taxi",
    build=build,
    setting="mdp",
    cite="dietterich2000",
    source_tag="source",
    text="Gymnasium's Taxi-v3, episodic; rewards -1, -10 and 20, delivery leads to an absorbing state.",
    tags=("episodic",),
    published=(
        Published(
            name="taxi-v3",
            params={},
            digest="f6dac74b7abf8252",
            known={"value": "7.93", "gap": "1"},
            text="Episodes of 200 steps as registered in Gymnasium.",
        ),
    ),
)
