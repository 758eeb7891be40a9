"""rlberry-scool's UCBVI under `theorylab audit`, in that package's own environment.

    theorylab audit benchmarks.peers.audit_rlberry_scool:UCBVI --python .peers/rlberry_scool/bin/python --model ...

The agent runs its own loop on an `AuditEnv`. Read-outs are its own arrays: Q, V, visits, R_hat, P_hat, and as bonus
B_sa. Before its first backup Q is all zero by construction and V the cap; Q, V and P_hat are not shown until then,
and P_hat, R_hat and B_sa as they were at the last backup, which is what Q was computed from.
"""

from __future__ import annotations

import logging

from rlberry.spaces import Discrete
from rlberry_scool.agents.ucbvi import UCBVIAgent

logging.disable(logging.CRITICAL)


class UCBVI:
    """UCBVIAgent with its defaults but gamma = 1 and the model's horizon; `stage_dependent` is passed on."""

    def __init__(self, S, A, horizon, seed, stage_dependent=False, bonus_scale_factor=1.0):
        self.horizon, self.seed = horizon, seed
        self.options = dict(stage_dependent=bool(stage_dependent), bonus_scale_factor=bonus_scale_factor)
        self.agent = None

    def train(self, env, length):
        """Its own fit; what its backups were made from is kept."""
        env.observation_space, env.action_space = Discrete(env.observation_space.n), Discrete(env.action_space.n)
        env.reward_range = (0.0, 1.0)
        self.agent = UCBVIAgent(
            env, gamma=1.0, horizon=self.horizon, seeder=self.seed % 2**31, copy_env=False, **self.options
        )
        run = self.agent._run_episode

        def episode(*args, **kwargs):
            found = run(*args, **kwargs)
            self.planned = {k: getattr(self.agent, k).copy() for k in ("P_hat", "R_hat", "B_sa")}
            return found

        self.agent._run_episode = episode
        self.agent.fit(length)

    def _after(self, name):
        return None if self.agent is None or self.agent.episode == 0 else getattr(self.agent, name)

    @property
    def Q(self):
        """Q of the last backup."""
        return self._after("Q")

    @property
    def V(self):
        """V of the last backup."""
        return self._after("V")

    @property
    def counts(self):
        """Its visits."""
        return None if self.agent is None else self.agent.N_sa

    @property
    def p_hat(self):
        """Its kernel at the last backup."""
        return self.planned["P_hat"] if self._after("Q") is not None else None

    @property
    def r_hat(self):
        """Its mean rewards at the last backup."""
        return self.planned["R_hat"] if self._after("Q") is not None else None

    @property
    def bonus(self):
        """Its bonus at the last backup, (H,S,A)."""
        return self.planned["B_sa"] if self._after("Q") is not None else None
