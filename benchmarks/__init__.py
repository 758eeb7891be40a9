"""Benchmarks: what the library's generic loops cost beside hand-written ones. `python -m benchmarks.run`.

    limits/     hand-written, specialised loops: same addresses, same arithmetic, no generic machinery
    loops.py    loop time of the library over that of the limit, and the fixed cost of a call of `run`
    guard.py    compiled kernels against the same source as plain Python
    run.py      all tables, printed and written to results/loop-times.md

Every comparison asserts first that both sides return the same bits. Nothing asserts a speed.
"""
