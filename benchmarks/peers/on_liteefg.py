"""LiteEFG: its own baselines on a game of OpenSpiel. Prints CPU seconds of the iterations as JSON.

python benchmarks/peers/on_liteefg.py GAME TASK ITERATIONS
"""

from __future__ import annotations

import io
import json
import sys
import time
from contextlib import redirect_stdout
from importlib.metadata import version


def main(name, task, iterations):
    """One iteration is the update and, for averages, that of the averaged strategy, as in its own training loop."""
    n = int(iterations)
    with redirect_stdout(io.StringIO()):
        import LiteEFG as leg
        import pyspiel
        from LiteEFG.baselines import CFR, MMD, CFRplus

        env = leg.OpenSpielEnv(pyspiel.load_game(name), traverse_type="Enumerate")
        graph = {
            "cfr": CFR.graph,
            "cfr-plus": CFRplus.graph,
            "mmd": lambda: MMD.graph(eta=0.1, tau=1.0, feedback="Q"),
            "exploitability": CFR.graph,
        }[task]()
        env.set_graph(graph)
        average = {"cfr": "avg-iterate", "cfr-plus": "linear-avg-iterate"}.get(task, "default")
        graph.update_graph(env)
        env.update_strategy(graph.current_strategy())
        started = time.process_time()
        if task == "exploitability":
            for _ in range(n):
                value = sum(env.exploitability(graph.current_strategy(), average)) / 2
        else:
            for _ in range(n):
                graph.update_graph(env)
                env.update_strategy(graph.current_strategy())
        seconds = time.process_time() - started
        value = sum(env.exploitability(graph.current_strategy(), average)) / 2
    print(json.dumps(dict(seconds=seconds / n, value=value, version=f"LiteEFG {version('LiteEFG')}")))


if __name__ == "__main__":
    main(*sys.argv[1:])
