"""Lock-steps: all replicates advance together as NumPy arrays, one call a step. The best that arrays alone give."""
