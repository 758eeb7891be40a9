"""Learners for Markov decision processes, one a file; each file defines a module-level `learner`."""
