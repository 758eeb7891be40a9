"""Slow transcriptions of published pseudo-code, one algorithm a file, compared step by step with the fast learners."""
