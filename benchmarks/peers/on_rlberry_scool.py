"""rlberry-scool: UCBVI and LSVI-UCB, in that package's own environment and interface. Prints CPU seconds as JSON.

python benchmarks/peers/on_rlberry_scool.py ARRAYS.npz TASK SIZE
"""

from __future__ import annotations

import json
import logging
import sys
import time
from importlib.metadata import version

import numpy as np


def ucbvi(arrays, episodes):
    """UCBVI with that package's simplified Bernstein bonus: a backup of all cells in every episode."""
    from rlberry.envs.finite_mdp import FiniteMDP
    from rlberry_scool.agents.ucbvi import UCBVIAgent

    env = FiniteMDP(arrays["r"], arrays["P"], initial_state_distribution=0)
    agent = UCBVIAgent(env, gamma=1.0, horizon=int(arrays["H"]))
    agent.fit(2)  # compiles
    agent = UCBVIAgent(env, gamma=1.0, horizon=int(arrays["H"]))
    started = time.process_time()
    agent.fit(episodes)
    return time.process_time() - started


def main(path, task, size):
    """Run one task."""
    logging.disable(logging.CRITICAL)
    seconds = {"ucbvi-ch": ucbvi}[task](np.load(path), int(size))
    print(json.dumps(dict(seconds=seconds, version=f"rlberry-scool {version('rlberry-scool')}")))


if __name__ == "__main__":
    main(*sys.argv[1:])
