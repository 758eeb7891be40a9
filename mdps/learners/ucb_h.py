"""UCB-H: optimistic Q-learning with a Hoeffding bonus. Tabular, episodic, H stages, K episodes, T = KH steps.

    n = N_h(s,a),  a_n = (H+1)/(H+n),  b_n = c sqrt(H^3 i / n),  i = ln(S A T / delta)
    Q_h(s,a) <- (1 - a_n) Q_h(s,a) + a_n [ r + V_{h+1}(s') + b_n ],      V_h(s) <- min(H, max_a Q_h(s,a))

State: Q (H,S,A) and V (H+1,S), start at H, V[H] = 0; N (H,S,A) visits; bonus (1,) the b_n of the last update.
Rewards in [0, 1]. Cost O(A) a step. Ties go to the lowest action. Q and V are updated at once, stage by stage.

Source: jin2018, algorithm 1 [recalled; the rate a_n checked in a later paper's text]. The paper leaves c open
("absolute constant"); with i = ln(SAT/delta), c = 2 suffices for its concentration lemma: sum_i (a_n^i)^2 <= 2H/n and
Azuma's inequality on increments in an interval of length H [derived].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._greedy import act
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """Q = V = H, V[H] = 0, no visits."""
    st.bonus[0] = 0.0
    for h in range(p.H):
        for s in range(p.S):
            st.V[h, s] = float(p.H)
            for a in range(p.A):
                st.Q[h, s, a] = float(p.H)
                st.N[h, s, a] = 0
    for s in range(p.S):
        st.V[p.H, s] = 0.0


@kernel
def learn(st, p, k, h, s, a, r, s2):
    """The update of one cell."""
    n = st.N[h, s, a] + 1
    st.N[h, s, a] = n
    rate = (p.H + 1.0) / (p.H + n)
    bonus = p.c * sqrt(p.H3_iota / n)
    st.bonus[0] = bonus
    st.Q[h, s, a] = (1.0 - rate) * st.Q[h, s, a] + rate * (r + st.V[h + 1, s2] + bonus)
    top = st.Q[h, s, 0]
    for b in range(1, p.A):
        top = max(top, st.Q[h, s, b])
    st.V[h, s] = min(float(p.H), top)


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """iota = ln(S A T / delta) and H^3 iota, in nats."""
    iota = log(p["S"] * p["A"] * p["T"] / p["delta"])
    return dict(iota=iota, H3_iota=float(p["H"]) * p["H"] * p["H"] * iota)


learner = Learner(
    name="ucb-h",
    setting="episodic",
    cite="jin2018",
    source_tag="recalled",
    params=dict(c=2.0, delta=0.1),
    state=dict(Q=f8["H", "S", "A"], V=f8["H+1", "S"], N=i8["H", "S", "A"], bonus=f8[1]),
    begin=begin,
    act=act,
    learn=learn,
    derive=derive,
    text="The paper leaves the bonus constant c open; c = 2 suffices for its concentration lemma [derived].",
)
