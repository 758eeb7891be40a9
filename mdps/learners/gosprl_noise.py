"""GOSPRL for a noise-weighted sample: b(s,a) = max(least, ceil(samples V_hat(s,a))). Average setting.

V(s,a) = sum_{s2} sqrt(p (1 - p)) / sqrt(S), in [0, 1], is the transitional noise of a pair [source: UAI20]; V_hat takes
p_hat for p. Pairs that are noisier are asked for more; `least` visits of each come first, so that p_hat means something
[derived]. The requirement moves with p_hat and settles as samples come in. State: those of `gosprl` and `_adaptive`.
"""

from __future__ import annotations

from typing import Any

from mdps.learners._adaptive import adaptive, positive
from mdps.learners.gosprl_modest import ceiling
from theorylab.kernel import kernel, sqrt


@kernel
def noise(st, p, s, a):
    """V_hat(s,a)."""
    n = float(max(1, st.N[s, a]))
    total = 0.0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        total += sqrt(x * (1.0 - x))
    return total / sqrt(float(p.S))


@kernel
def ask(st, p, s, a):
    """Visits asked of a pair."""
    return max(p.least, ceiling(p.samples * noise(st, p, s, a)))


def check(p: dict[str, Any]) -> dict[str, Any]:
    """Refuses sample sizes below one."""
    positive("gosprl-noise", p, "samples", "least")
    return {}


learner = adaptive(
    "gosprl-noise",
    ask,
    params=dict(samples=100, least=5),
    check=check,
    text="Samples in proportion to the transitional noise: `samples` of a pair of noise 1, `least` of every pair.",
)
