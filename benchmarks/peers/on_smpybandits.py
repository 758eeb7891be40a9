"""SMPyBandits: UCB and Thompson sampling, its policies in a plain loop. Prints CPU seconds as JSON.

python benchmarks/peers/on_smpybandits.py ARRAYS.npz TASK SIZE
"""

from __future__ import annotations

import io
import json
import sys
import time
from contextlib import redirect_stdout
from importlib.metadata import version

import numpy as np


def main(path, task, size):
    """Run one task; the loop around the policy is two lines, so that the policy's own cost is what is measured."""
    with redirect_stdout(io.StringIO()):
        from SMPyBandits.Arms import Bernoulli
        from SMPyBandits.Policies import UCB, Thompson

    means = np.load(path)["means"]
    arms = [Bernoulli(float(m)) for m in means]
    policy = {"ucb1": UCB, "thompson": Thompson}[task](len(arms))
    policy.startGame()
    started = time.process_time()
    for t in range(int(size)):
        a = policy.choice()
        policy.getReward(a, arms[a].draw(t))
    seconds = time.process_time() - started
    print(json.dumps(dict(seconds=seconds, version=f"SMPyBandits {version('SMPyBandits')}")))


if __name__ == "__main__":
    main(*sys.argv[1:])
