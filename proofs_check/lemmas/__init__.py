"""Lemmas that several papers share."""
