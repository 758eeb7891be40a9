"""statisticalRL's UCRL2 and PSRL under `theorylab audit`, in that package's own environment.

    theorylab audit benchmarks.peers.audit_statisticalrl:UCRL2 --python .peers/statisticalrl/bin/python --model ...

play and update are the package's, in its own order. Read-outs are its own arrays; visits are Nk + vk, as it keeps
those of the current episode apart. p_hat is formed from its sums exactly as its `new_episode` forms it, at the moment
it does.
"""

from __future__ import annotations

import io
from contextlib import redirect_stdout

import numpy as np

if not hasattr(np, "Inf"):
    setattr(np, "Inf", np.inf)  # noqa: B010  the package uses the name of NumPy 1

from statisticalrl_learners.MDPs_discrete import PSRL as psrl
from statisticalrl_learners.MDPs_discrete import UCRL2 as ucrl2


class Base:
    """The package's interface as act and observe; ties are broken with NumPy's global generator, which is seeded."""

    greedy = False
    randomised = True

    def __init__(self, S, A, horizon, seed, delta=0.1):
        if horizon is not None:
            raise ValueError("the package's learners are for average reward")
        np.random.seed(seed)  # noqa: NPY002  the package draws from it
        self.delta, self.S, self.A = delta, S, A
        self.learner = self.make(S, A, delta)
        self.started = False

    def act(self, state, stage):
        """The package's play."""
        with redirect_stdout(io.StringIO()):
            if not self.started:
                self.learner.reset(state)
                self.started = True
            return int(self.learner.play(state))

    def observe(self, state, action, reward, next_state, done):
        """The package's update."""
        self.learner.update(state, action, reward, next_state)

    @property
    def counts(self):
        """Visits before and in the episode."""
        return self.learner.Nk + self.learner.vk

    @property
    def policy(self):
        """Probabilities of the episode's policy."""
        return self.learner.policy


class UCRL2(Base):
    """Its UCRL2; what its plans were made from is kept as it was then."""

    def make(self, S, A, delta):
        """The learner, with the arguments of EVI kept when it is called."""
        learner = ucrl2.UCRL2(S, A, delta=delta)
        plan = learner.EVI

        def keeping(r_estimate, p_estimate, **options):
            self.r_hat, self.p_hat = r_estimate.copy(), p_estimate.copy()
            return plan(r_estimate, p_estimate, **options)

        learner.EVI = keeping
        self.r_hat = self.p_hat = None
        return learner

    @property
    def radius_p(self):
        """Its radii in the 1-norm."""
        return self.learner.p_distances

    @property
    def radius_r(self):
        """Its radii of mean rewards."""
        return self.learner.r_distances

    @property
    def transitions(self):
        """Its transition counts."""
        return self.learner.Pk

    @property
    def reward_sums(self):
        """Its reward sums."""
        return self.learner.Rk


class PSRL(Base):
    """Its PSRL."""

    optimistic = False

    def make(self, S, A, delta):
        """The learner."""
        return psrl.PSRL(S, A, delta)

    @property
    def transitions(self):
        """Pseudo-counts less the prior's."""
        return self.learner.p_pseudoCounts - 1.0

    @property
    def reward_sums(self):
        """Successes less the prior's."""
        return self.learner.r_successCounts - 1.0
