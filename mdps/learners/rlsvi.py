"""RLSVI: randomised least-squares value iteration, tabular. Episodic, a kernel of its own at each of H stages.

Before each episode, backward from Q_H = 0, every cell has one draw of its own (the regression's noise integrated):

    Q_h(s,a) ~ N( (beta H + sum_i (r_i + max_b Q_{h+1}(s'_i, b))) / (n + beta),  v / (n + beta) ),

the sum over the n = N_h(s,a) visits so far: Gaussian regression noise of variance v and the prior N(H, v/beta). The
theory has v = 3 H^2 and beta >= 3; here v = v_scale * 3 H^2. The greedy policy is played, ties to the lowest action. Q
is not clipped. Rewards are unknown and lie in [0, 1].

State: N (H,S,A) visits, total (H,S,A) reward sums, moves (H,S,A,S) transitions; Q (H,S,A) the draw, V (H+1,S) its
maxima, V[H] = 0, pi (H,S). Addresses: visit = episode, site = (h,s,a) flattened. Cost: S A H normals and S^2 A H a
plan, O(1) a step.

Source: osband2019, theorem 1 [source: v, beta, the prior's mean]; closed form [derived].
"""

from __future__ import annotations

from typing import Any

from theorylab.errors import InputError
from theorylab.kernel import LEARNER, kernel, normal, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """No data (the state arrives zeroed)."""
    st.V[p.H, 0] = 0.0


@kernel
def act(st, p, k, h, s, rng):
    """The episode's policy."""
    return st.pi[h, s]


@kernel
def watch(st, p, k, h, s, a, r, s2):
    """Count the step; true after the last stage."""
    st.N[h, s, a] += 1
    st.total[h, s, a] += r
    st.moves[h, s, a, s2] += 1
    return h == p.H - 1


@kernel
def target_sum(st, p, h, s, a):
    """sum_i (r_i + max_b Q_{h+1}(s'_i, b)) over the visits of the cell."""
    total = st.total[h, s, a]
    if st.N[h, s, a] > 0:
        for s2 in range(p.S):
            total += st.moves[h, s, a, s2] * st.V[h + 1, s2]
    return total


@kernel
def draw_cell(st, p, k, h, s, a, rng):
    """One draw of the posterior of Q_h(s,a)."""
    weight = 1.0 / (st.N[h, s, a] + p.beta)
    mean = (p.pull + target_sum(st, p, h, s, a)) * weight
    return mean + sqrt(p.v * weight) * normal(rng, k, (h * p.S + s) * p.A + a, LEARNER)


@kernel
def plan(st, p, k, rng):
    """All cells, backward."""
    for i in range(p.H):
        h = p.H - 1 - i
        for s in range(p.S):
            top = 0.0
            best = 0
            for a in range(p.A):
                value = draw_cell(st, p, k, h, s, a, rng)
                st.Q[h, s, a] = value
                if a == 0 or value > top:
                    top = value
                    best = a
            st.V[h, s] = top
            st.pi[h, s] = best
    return True


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """v = v_scale 3 H^2, in squared reward units, and pull = beta H, the weight of the prior times its mean."""
    for name, least in (("beta", "above 0"), ("v_scale", "at least 0")):
        if p[name] < 0 or (name == "beta" and p[name] == 0):
            raise InputError(f"learner 'rlsvi': {name}={p[name]!r} must be {least}")
    H = float(p["H"])
    return dict(v=p["v_scale"] * 3.0 * H * H, pull=p["beta"] * H)


learner = Learner(
    name="rlsvi",
    setting="episodic",
    cite="osband2019",
    source_tag="source",
    params=dict(v_scale=1.0, beta=3.0),
    state=dict(
        N=i8["H", "S", "A"], total=f8["H", "S", "A"], moves=i8["H", "S", "A", "S"], Q=f8["H", "S", "A"],
        V=f8["H+1", "S"], pi=i8["H", "S"],
    ),
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="Noise variance v_scale 3 H^2 and prior N(H, v/beta); v_scale=1, beta=3 is the theory, whose theorem is about "
    "the mean over models drawn from a prior.",
)  # fmt: skip
