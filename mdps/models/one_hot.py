"""Any finite MDP as a linear one: one-hot features, so that linear algorithms must reproduce tabular ones.

    form      features                                        parameters
    linear    phi(s,a) = e_(s,a), d = S A                      mu[(s,a), s2] = P[s,a,s2], theta[(s,a)] = r[s,a]
    mixture   phi(s2|s,a) = e_(s,a,s2)/sqrt(S), d = S^2 A      theta[(s,a,s2)] = sqrt(S) P[s,a,s2]

||phi|| = 1 (linear), ||phi_V|| <= 1 (mixture). `.tabular()` has the very arrays of the model, so the same digest (a
sparse model comes back dense). The measures have ||mu(S)|| = sqrt(S A) = sqrt(d) [derived].
"""

from __future__ import annotations

import math

import numpy as np

from theorylab.errors import InputError
from theorylab.family import Family
from theorylab.linear import LinearMDP, LinearMixtureMDP
from theorylab.model import TabularMDP
from theorylab.parameters import choice
from theorylab.registry import find_model

FORMS = ("linear", "mixture")
LARGEST = 2**27  # entries of the largest array, 1 GiB


def build(model: TabularMDP | str = "riverswim", form: str = "linear") -> LinearMDP | LinearMixtureMDP:
    """The embedding of `model`, a TabularMDP or the name of a family or published instance (built with its defaults).

    Raises:
        InputError: a model that is not tabular, an unknown form, or arrays above 2^27 entries.
    """
    choice("one-hot", "form", form, FORMS)
    m = find_model(model)() if isinstance(model, str) else model
    if not isinstance(m, TabularMDP):
        raise InputError(f"one-hot: model is a {type(m).__name__}; give a TabularMDP or the name of a tabular family")
    S, A, name = m.S, m.A, f"one-hot-{form}-{m.name}"
    stages = m.H if m.stage_dependent else 1
    # entries of phi, and of mu or theta
    entries = max((S * A) ** 2, stages * S * A * S) if form == "linear" else max((S * A * S) ** 2, stages * S * A * S)
    if entries > LARGEST:
        raise InputError(
            f"one-hot: the {form} features of {m.name} (S = {S}, A = {A}) fill {entries} entries, above {LARGEST}; "
            "choose a smaller model" + (" or form='linear'" if form == "mixture" else "")
        )
    P = m.dense()
    if form == "linear":
        phi = np.eye(S * A).reshape(S, A, S * A)
        mu = P.reshape(*P.shape[:-3], S * A, S)
        return LinearMDP(phi, mu, m.r.ravel(), m.mu0, m.criterion, m.reward_law, name)
    mixture = np.eye(S * A * S).reshape(S, A, S, S * A * S) / math.sqrt(S)
    theta = math.sqrt(S) * P.reshape(*P.shape[:-3], S * A * S)
    return LinearMixtureMDP(mixture, theta, m.r, m.mu0, m.criterion, m.reward_law, name, P)


family = Family(
    name="one-hot",
    build=build,
    setting="mdp",
    source_tag="derived",
    text="A finite MDP as a linear MDP (d = S A) or a linear mixture MDP (d = S^2 A) with one-hot features.",
    tags=("linear", "linear-mixture"),
)
