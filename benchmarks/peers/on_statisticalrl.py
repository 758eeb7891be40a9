"""statisticalRL: UCRL2, UCB and Thompson sampling in that package's own environments. Prints CPU seconds as JSON.

python benchmarks/peers/on_statisticalrl.py ARRAYS.npz TASK SIZE
"""

from __future__ import annotations

import io
import json
import sys
import time
from contextlib import redirect_stdout
from importlib.metadata import version

import numpy as np

if not hasattr(np, "Inf"):
    setattr(np, "Inf", np.inf)  # noqa: B010  the package uses the name of NumPy 1


def play(env, learner, steps):
    """The package's own loop, without its pictures."""
    from statisticalrl_experiments.oneRun import oneXpNoRender

    started = time.process_time()
    with redirect_stdout(io.StringIO()):
        oneXpNoRender(env, learner, steps, "")
    return time.process_time() - started


def ucrl2(arrays, steps):
    """UCRL2 on the package's RiverSwim of six states."""
    from statisticalrl_environments.MDPs_discrete.envs.RiverSwim import RiverSwim
    from statisticalrl_learners.MDPs_discrete.UCRL2 import UCRL2

    return play(RiverSwim(6), UCRL2(6, 2, delta=0.1), steps)


def bandit(arrays):
    """The package's bandit with Bernoulli arms."""
    from statisticalrl_environments.MABs.StochasticBandits import BernoulliBandit

    return BernoulliBandit(list(arrays["means"]))


def ucb(arrays, rounds):
    """Its UCB index policy."""
    from statisticalrl_learners.MABs.UCB import UCB

    return play(bandit(arrays), UCB(len(arrays["means"]), delta=lambda t: 1.0 / (t * t)), rounds)


def thompson(arrays, rounds):
    """Its Thompson sampling."""
    from statisticalrl_learners.MABs.TS import TS

    return play(bandit(arrays), TS(len(arrays["means"])), rounds)


def main(path, task, size):
    """Run one task."""
    seconds = {"ucrl2": ucrl2, "ucb1": ucb, "thompson": thompson}[task](np.load(path), int(size))
    print(json.dumps(dict(seconds=seconds, version=f"statisticalRL {version('statisticalRL')}")))


if __name__ == "__main__":
    main(*sys.argv[1:])
