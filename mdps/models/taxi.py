"""Gymnasium's Taxi as a tabular model: fetch a passenger and bring them to one of four places.

A state of the game is ((taxi row * 5 + column) * 5 + place of the passenger) * 4 + destination: 500 of them, 404 of
which occur. One absorbing state of value 0 is appended (state 500): the step that delivers the passenger leads there.
Actions south, north, east, west, pick up, drop off. A step costs 1, an illegal pick-up or drop-off 10, delivery earns
20. P (501,6,501), r (501,6), range [-10, 20]: for learners that need rewards in [0, 1] use `rescale_rewards(model)`.
The first state is uniform over the 300 with the passenger waiting away from the destination.

The table is read from the environment (Taxi-v3; Taxi-v4 without rain and with a steadfast passenger is the same;
Dietterich, 2000) [source].

With `restarts` the model is no longer episodic: the end leads back to the law of the first state, one step and reward
0, under the criterion average reward (`mdps.models.with_restarts`) [derived]. The 100 states that no ride passes
through are dropped: P (401,6,401), r (401,6), and it communicates. `restartable_states(taxi())` lists the states kept.
Exact: gain 793 / 1407 = 0.5636105188, a ride of 13.07 steps that earns 7.93 on average and the restart; bias span
26.58137882; diameter 78.106667 steps, sum over states s of the largest minimal hitting time D_s = 29408.8.
"""

from __future__ import annotations

from dataclasses import replace

from mdps.models._restarts import from_episodes
from theorylab.family import Family, Published
from theorylab.model import Criterion, TabularMDP


def build(H: int | None = None, criterion: Criterion | None = None, restarts: bool = False) -> TabularMDP:
    """Taxi: episodes of H stages (200 if H is None) unless another `criterion` is given.

    With `restarts` one trajectory goes on for ever, with average reward unless another `criterion` is given.

    Raises:
        InputError: `restarts` with H.
    """
    from gymnasium.envs.toy_text.taxi import TaxiEnv

    model = from_episodes("taxi", TaxiEnv, H, 200, criterion, restarts)
    return replace(model, name="taxi-restarts" if restarts else "taxi-v3")


family = Family(
    name="taxi",
    build=build,
    setting="mdp",
    cite="dietterich2000",
    source_tag="source",
    text="Gymnasium's Taxi-v3: rewards -1, -10, 20; episodic, delivery leads to an absorbing state; or with restarts.",
    tags=("episodic",),
    published=(
        Published(
            name="taxi-v3",
            params={},
            digest="f6dac74b7abf8252",
            known={"value": "7.93", "gap": "1"},
            text="Episodes of 200 steps as registered in Gymnasium.",
        ),
        Published(
            name="taxi-restarts",
            params={"restarts": True},
            digest="6f2465fa9abc875e",
            known={"bias_span": "26.58137882", "gap": "1.563610519"},
            tag="derived",
            text="One trajectory without end: delivery leads back to the start. Gain 793 / 1407, diameter 78.106667.",
        ),
    ),
)
