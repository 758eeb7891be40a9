"""Planted faults, by learner: what the controls of the claims must catch."""
