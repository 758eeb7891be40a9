"""Content for TheoryLab: a learner, a model and claims."""
