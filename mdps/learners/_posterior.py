"""Posterior of a tabular model with one kernel for all stages: counts, Dirichlet rows by gammas, Beta rewards.

Row (s,a) of the kernel has the prior Dirichlet(mass, ..., mass), hence the posterior Dirichlet(mass + moves[s,a,:]):
one Gamma(shape, 1) draw an entry, divided by their sum. Where mean rewards are unknown they have the prior Beta(1, 1)
and the posterior Beta(1 + total, 1 + n - total), which is exact for rewards 0 and 1; a reward strictly between enters
as a fraction of a success.

Addresses: visit = the episode (or the step at which the plan is made); site = s*A + a for a row, its gammas one after
the other, and S*A + s*A + a for a reward.
"""

from __future__ import annotations

from typing import Any

from theorylab.errors import InputError
from theorylab.kernel import LEARNER, gamma, kernel

#: the least prior mass of a row: below it all gammas of a row could be too small for a double
LEAST_MASS = 0.05


@kernel
def begin_rewards(st, p):
    """Rewards as told; where they are unknown the first plan samples over them."""
    for s in range(p.S):
        for a in range(p.A):
            st.r[s, a] = p.r[s, a]


@kernel
def sample_kernel(st, p, visit, rng):
    """P[s,a,:] ~ Dirichlet(mass + moves[s,a,:]), independent over the pairs."""
    for s in range(p.S):
        for a in range(p.A):
            site = s * p.A + a
            index = 0
            total = 0.0
            for s2 in range(p.S):
                x, index = gamma(rng, visit, site, LEARNER, p.mass + st.moves[s, a, s2], index)
                st.P[s, a, s2] = x
                total += x
            for s2 in range(p.S):
                st.P[s, a, s2] = st.P[s, a, s2] / total


@kernel
def sample_rewards(st, p, visit, rng):
    """r[s,a] ~ Beta(1 + total, 1 + n - total); false where a sum of rewards left [0, n]: they were not in [0, 1]."""
    for s in range(p.S):
        for a in range(p.A):
            n = 0
            for s2 in range(p.S):
                n += st.moves[s, a, s2]
            won = st.total[s, a]
            if won < 0.0 or won > n:
                return False
            index = 0
            total = 0.0
            for i in range(2):
                shape = 1.0 + won if i == 0 else 1.0 + n - won
                x, index = gamma(rng, visit, p.S * p.A + s * p.A + a, LEARNER, shape, index)
                total += x
                if i == 0:
                    st.r[s, a] = x
            st.r[s, a] = st.r[s, a] / total
    return True


@kernel
def sample_model(st, p, visit, rng):
    """A model from the posterior; false where unknown rewards were not in [0, 1]."""
    sample_kernel(st, p, visit, rng)
    if p.known_rewards == 0:
        return sample_rewards(st, p, visit, rng)
    return True


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """mass: prior mass of an entry; prior=0 stands for 1/S, a row of mass 1. known_rewards is a switch."""
    if p["known_rewards"] not in (0, 1):
        raise InputError(f"learner 'psrl': known_rewards={p['known_rewards']!r} must be 1 (told) or 0 (sampled)")
    mass = float(p["prior"]) if p["prior"] != 0 else 1.0 / p["S"]
    if mass * p["S"] < LEAST_MASS:
        raise InputError(
            f"learner 'psrl': prior={p['prior']!r} gives a row the mass {mass * p['S']:.3g}; it must be at least "
            f"{LEAST_MASS} (prior=0 stands for 1/S an entry)"
        )
    return {"mass": mass}
