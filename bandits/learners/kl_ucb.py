"""KL-UCB: the optimistic index policy with Bernoulli divergences. Stochastic bandits, A arms, rewards in [0, 1].

    play each arm once; then  argmax_j max{q <= 1 : N_j kl(mean_j, q) <= budget},
    budget = scale * (ln n + c ln ln n),  n = rounds played so far + 1,  kl(p, q) = p ln(p/q) + (1-p) ln((1-p)/(1-q))

c = 3 in the theorems, 0 is the paper's recommendation and the default. ln ln n counts as 0 at n = 2, which only a
bandit of one arm reaches.

With S rewards in N plays and F = N - S, N kl(mean, q) = rest - S ln q - F ln(1 - q), where rest = S ln(S/N) + F ln(F/N)
changes only when the arm is played. So once the index q of one arm is known, whether another arm's is larger
takes two products: it is exactly when N kl(mean, q) < budget or mean > q. Roots are found for those arms alone.

Root (`upper`): f(q) = N kl(mean, q) - budget is convex and increasing on [mean, 1). The start lies to the right of the
root, since kl(p, q) >= (q-p)^2 / (2v) for every v that x (1-x) does not exceed between p and 1 (v = 1/4 is Pinsker's
inequality), or, where that leaves [0, 1), since -S ln q >= 0. From there Newton's steps decrease and stay to the right.
The search ends with a step e of at most 1e-8 m, m = min(q - mean, 1 - q): f''/f' <= 3/m, so that the root is within
1.5 e^2/m, about 1.5e-16 m, of the last point [derived]. The index of an arm that paid 1 at every play is 1.

State: N (A,) plays, total (A,) reward sums, rest (A,) nats, top (1,) the largest index of the last decision (reward
units), leader (1,) its arm. `scale` is 1 in the theorems. Ties of computed indices go to the lowest arm; equal plays
and equal sums give equal bits. Cost: O(A) products, one root of about four Newton steps, and one more for each arm that
overtakes.
Source: garivier2011, algorithm 1 [source].
"""

from __future__ import annotations

from theorylab.kernel import exp, kernel, log, sqrt
from theorylab.learner import Learner, f8, i8

#: nats of N kl by which an arm must miss an index before its own is known to be smaller; far above rounding
CLEAR = 1e-6
#: 2^-54, the least that 1 - q is taken for, and 2^-51, more than an index q can be off by: few digits of 1 - q are left
#: near 1, and an index must not be passed over for the rounding of another
ROOM, SLIP = 5.551115123125783e-17, 4.440892098500626e-16


@kernel
def upper(N, S, rest, budget):
    """The largest q <= 1 with N kl(S/N, q) <= budget; N plays with rewards S, budget >= 0."""
    F = N - S
    if F <= 0.0:
        return 1.0
    mean = S / N
    variance = 0.25 if mean < 0.5 else mean * (1.0 - mean)
    q = mean + sqrt(2.0 * variance * budget / N)
    if q <= mean:  # no budget, or one that rounding loses
        return mean
    if q >= 1.0:
        q = 1.0 - exp((rest - budget) / F)
    for _ in range(100):
        if q >= 1.0:  # the root is within 2^-53 of 1
            return 1.0
        slope = F / (1.0 - q) - S / q
        step = (rest - S * log(q) - F * log(1.0 - q) - budget) / slope
        q = q - step
        if step <= 1e-8 * min(q - mean, 1.0 - q):
            break
    return q


@kernel
def begin(st, p):
    """Zero counts and sums."""
    st.top[0] = 0.0
    st.leader[0] = 0
    for a in range(p.A):
        st.N[a] = 0
        st.total[a] = 0.0
        st.rest[a] = 0.0


@kernel
def allowance(p, n):
    """scale (ln n + c ln ln n), in nats; ln ln 2 < 0 counts as 0."""
    log_n = log(n)
    if p.c == 0.0:
        return p.scale * log_n
    return p.scale * (log_n + p.c * max(log(log_n), 0.0))


@kernel
def act(st, p, t, rng):
    """The arm with the largest index; the first A rounds play each arm once."""
    if t < p.A:
        st.leader[0] = t
        return t
    budget = allowance(p, t + 1.0)
    first = st.leader[0]
    best = first
    q = -1.0
    log_q = 0.0
    log_1q = 0.0
    for i in range(p.A + 1):  # the last leader, then the others in order
        a = first if i == 0 else i - 1
        n = float(st.N[a])
        s = st.total[a]
        if (i == 0 or a != first) and (s >= q * n or st.rest[a] - s * log_q - (n - s) * log_1q <= budget + CLEAR):
            x = upper(n, s, st.rest[a], budget)
            if x > q or (x == q and a < best):
                best = a
                q = x
                room = max(1.0 - q, ROOM)
                log_q = log(q)
                log_1q = log(room) + SLIP / room
    st.leader[0] = best
    st.top[0] = q
    return best


@kernel
def entropy_part(x, n):
    """x ln(x/n), 0 at x = 0."""
    if x <= 0.0:
        return 0.0
    return x * log(x / n)


@kernel
def learn(st, p, t, a, r):
    """Count the play, add the reward and renew what N kl(mean, .) has of the mean alone."""
    st.N[a] += 1
    st.total[a] += r
    n = float(st.N[a])
    s = st.total[a]
    st.rest[a] = entropy_part(s, n) + entropy_part(n - s, n)


learner = Learner(
    name="kl-ucb",
    setting="bandit",
    cite="garivier2011",
    source_tag="source",
    params=dict(c=0.0, scale=1.0),
    state=dict(N=i8["A"], total=f8["A"], rest=f8["A"], top=f8[1], leader=i8[1]),
    begin=begin,
    act=act,
    learn=learn,
    text=(
        "Index max{q : N kl(mean, q) <= scale (ln n + c ln ln n)}, n counting the round that is decided; c = 0 by "
        "default, 3 in the theorems; ties to the lowest arm. Roots by Newton's method from the right."
    ),
)
