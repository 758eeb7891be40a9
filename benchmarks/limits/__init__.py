"""Hand-written loops, one file a learner: `prepare(model, ...)` returns a function `simulate(curve)` to be timed."""
