"""OpenSpiel: its solvers in C++ and in Python. Prints CPU seconds of the iterations as JSON.

python benchmarks/peers/on_openspiel.py GAME TASK ITERATIONS
"""

from __future__ import annotations

import json
import sys
import time
from importlib.metadata import version

import pyspiel
from open_spiel.python.algorithms import cfr, exploitability
from open_spiel.python.algorithms.mmd_dilated import MMDDilatedEnt
from open_spiel.python.policy import UniformRandomPolicy


def main(name, task, iterations):
    """Solve, time the iterations alone, and evaluate the policy once, outside of the clock."""
    game, n = pyspiel.load_game(name), int(iterations)
    value = float("nan")
    if task.startswith("exploitability"):
        own = task == "exploitability-c++"
        policy = pyspiel.UniformRandomPolicy(game) if own else UniformRandomPolicy(game)
        call = pyspiel.nash_conv if own else exploitability.nash_conv
        started = time.process_time()
        for _ in range(n):
            value = call(game, policy) / 2
    else:
        solver = {
            "cfr-c++": lambda: pyspiel.CFRSolver(game),
            "cfr-plus-c++": lambda: pyspiel.CFRPlusSolver(game),
            "cfr-python": lambda: cfr.CFRSolver(game),
            "cfr-plus-python": lambda: cfr.CFRPlusSolver(game),
            "mmd-dilated-python": lambda: MMDDilatedEnt(game, 0.1),
        }[task]()
        step = getattr(solver, "evaluate_and_update_policy", None) or solver.update_sequences
        started = time.process_time()
        for _ in range(n):
            step()
    seconds = time.process_time() - started
    if task.startswith("cfr"):
        own = task.endswith("c++")
        call = pyspiel.nash_conv if own else exploitability.nash_conv
        value = call(game, solver.average_policy()) / 2
    elif task.startswith("mmd"):
        value = solver.get_gap()
    print(json.dumps(dict(seconds=seconds / n, value=value, version=f"OpenSpiel {version('open_spiel')}")))


if __name__ == "__main__":
    main(*sys.argv[1:])
