"""Collecting a prescribed sample in an unknown communicating MDP: requirements, bounds, what a sample is good for."""
