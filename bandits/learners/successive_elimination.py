"""Successive elimination: the best arm with confidence 1 - delta. Stochastic bandits, A arms, rewards in [0, 1].

    in round t = 1, 2, ... play every surviving arm once; then drop each arm j with
    max_i mean_i - mean_j >= 2 alpha_t,    alpha_t = scale * sqrt(ln(c A t^2 / delta) / t),    i over the survivors;
    stop when one arm is left

After it has stopped the learner plays the arm that is left. The printed loop runs "until |S| > 1" where "while" is
meant. A round of the paper is one play of every survivor, a step of the loop here one play.
State: N (A,) plays, total (A,) reward sums, alive (A,) the surviving arms in increasing order, filled up to left (1,),
place (1,) the position of the next arm in it, sweep (1,) rounds completed, alpha (1,) the last width (reward
units), stop (1,) plays used when one arm was left (-1 before; that arm is alive[0]).
`scale` is 1 in the theorem, which needs c > 4; the default is c = 5. Cost O(1) a play, O(A) a round.
Source: evendar2006, algorithm 3 [source].
"""

from __future__ import annotations

from typing import Any

from theorylab.errors import InputError
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner, f8, i8


@kernel
def begin(st, p):
    """Every arm survives."""
    st.left[0] = p.A
    st.place[0] = 0
    st.sweep[0] = 0
    st.alpha[0] = 0.0
    st.stop[0] = 0 if p.A == 1 else -1
    for a in range(p.A):
        st.N[a] = 0
        st.total[a] = 0.0
        st.alive[a] = a


@kernel
def act(st, p, t, rng):
    """The next survivor in turn."""
    return st.alive[st.place[0]]


@kernel
def width(st, p, n):
    """alpha_n."""
    return p.scale * sqrt(log(p.c_A_over_delta * n * n) / n)


@kernel
def eliminate(st, p):
    """End of a round: drop the arms that trail the largest mean by 2 alpha."""
    st.sweep[0] += 1
    n = float(st.sweep[0])
    st.alpha[0] = width(st, p, n)
    top = st.total[st.alive[0]] / n
    for i in range(1, st.left[0]):
        top = max(top, st.total[st.alive[i]] / n)
    kept = 0
    for i in range(st.left[0]):
        a = st.alive[i]
        if top - st.total[a] / n < 2.0 * st.alpha[0]:
            st.alive[kept] = a
            kept += 1
    st.left[0] = kept


@kernel
def learn(st, p, t, a, r):
    """Count the play, add the reward; the last survivor's play ends the round."""
    st.N[a] += 1
    st.total[a] += r
    if st.left[0] > 1:
        st.place[0] += 1
        if st.place[0] == st.left[0]:
            st.place[0] = 0
            eliminate(st, p)
            if st.left[0] == 1:
                st.stop[0] = t + 1


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """c A / delta; a width that is not positive would drop the leading arm too."""
    for name in ("scale", "c"):
        if p[name] <= 0.0:
            raise InputError(f"learner 'successive-elimination': {name}={p[name]} must be positive")
    ratio = p["c"] * p["A"] / p["delta"]
    if ratio <= 1.0:
        raise InputError(f"learner 'successive-elimination': c A / delta = {ratio:g} must exceed 1; give a larger c")
    return dict(c_A_over_delta=ratio)


learner = Learner(
    name="successive-elimination",
    setting="bandit",
    cite="evendar2006",
    source_tag="source",
    params=dict(delta=0.1, c=5.0, scale=1.0),
    state=dict(N=i8["A"], total=f8["A"], alive=i8["A"], left=i8[1], place=i8[1], sweep=i8[1], alpha=f8[1], stop=i8[1]),
    derive=derive,
    begin=begin,
    act=act,
    learn=learn,
    text=(
        "Rounds of one play of every surviving arm, width sqrt(ln(c A t^2/delta)/t), arms that trail by 2 alpha are "
        "dropped; plays the arm that is left for ever."
    ),
)
