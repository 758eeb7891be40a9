"""Bandit policies, one a file; each file defines a module-level `learner`."""
