"""Q-learning with epsilon-greedy exploration. Tabular, episodic, a kernel of its own at each of H stages. A reference.

    n = N_h(s,a),   a_n = 1/n (horizon_rate=0) or (H+1)/(H+n) (horizon_rate=1)
    Q_h(s,a) <- (1 - a_n) Q_h(s,a) + a_n [ r + max_b Q_{h+1}(s', b) ],     Q_H = 0

With probability `epsilon` the action is uniform over all A, else the first maximiser of Q_h(s,.). Either rate has a_1 =
1, so that the start value `start` only rules before the first visit. Rewards in [0, 1], not known. There is no regret
theorem for it in episodes: watkins1992 proves convergence in the limit [recalled], for the discounted setting.

State: Q (H+1,S,A), Q[H] = 0; N (H,S,A) visits. Addresses: the coin of episode k at (h, s) is the first double at visit
k, site h*S + s, and the uniform action floor(A v) comes from the second. An episode's policy is thus fixed before the
episode, as updates of stage h do not touch later stages. Cost O(A) a step.
"""

from __future__ import annotations

from typing import Any

from theorylab.errors import InputError
from theorylab.kernel import LEARNER, draw, kernel
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """Q = start, Q[H] = 0, no visits (the state arrives zeroed)."""
    for h in range(p.H):
        for s in range(p.S):
            for a in range(p.A):
                st.Q[h, s, a] = p.start


@kernel
def largest(st, p, h, s):
    """max_b Q_h(s, b)."""
    top = st.Q[h, s, 0]
    for a in range(1, p.A):
        top = max(top, st.Q[h, s, a])
    return top


@kernel
def act(st, p, k, h, s, rng):
    """The coin, then a uniform action or the first maximiser."""
    if p.epsilon > 0.0:
        u, v = draw(rng, k, h * p.S + s, LEARNER)
        if u < p.epsilon:
            return int(v * p.A)
    top = largest(st, p, h, s)
    best = 0
    while best < p.A - 1 and st.Q[h, s, best] != top:
        best += 1
    return best


@kernel
def learn(st, p, k, h, s, a, r, s2):
    """The update of one cell."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    rate = (p.H + 1.0) / (p.H + n) if p.horizon_rate == 1 else 1.0 / n
    st.Q[h, s, a] = (1.0 - rate) * st.Q[h, s, a] + rate * (r + largest(st, p, h + 1, s2))


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """Nothing is derived; epsilon is a probability and horizon_rate a switch."""
    if not 0.0 <= p["epsilon"] <= 1.0:
        raise InputError(f"learner 'q-learning': epsilon={p['epsilon']!r} must lie in [0, 1]")
    if p["horizon_rate"] not in (0, 1):
        raise InputError(f"learner 'q-learning': horizon_rate={p['horizon_rate']!r} must be 0 (1/n) or 1 ((H+1)/(H+n))")
    return {}


learner = Learner(
    name="q-learning",
    setting="episodic",
    cite="watkins1992",
    source_tag="recalled",
    params=dict(epsilon=0.1, horizon_rate=0, start=0.0),
    state=dict(Q=f8["H+1", "S", "A"], N=i8["H", "S", "A"]),
    begin=begin,
    act=act,
    learn=learn,
    derive=derive,
    text="A reference without a regret theorem: epsilon-greedy, from Q = 0; rate 1/n, or (H+1)/(H+n) with "
    "horizon_rate=1.",
)
