"""Peers: each script runs in an environment of its own, since the packages' requirements exclude each other."""
