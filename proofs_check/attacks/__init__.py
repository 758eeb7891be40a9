"""Lemmas for all models as targets of a worst-case search: one file each, with a module-level `target`."""
