"""What the claims on magnetic mirror descent (MMD) measure: a second account of each iteration, and probes on it.

Iteration t = 1, 2, ... (the loop's t + 1) goes from z_t, policies pi0, to z_{t+1}, policies pi1. Payoffs are summed
leaf by leaf of the tree, masses node by node, and not by the layout that the learner reads. The tables `leaf_0`,
`leaf_1` are the players' last sequences before a leaf, `pay_0` and `pay_1` its payoffs times chance; `node_row`,
`node_other`, `node_chance` a decision's infoset, its opponent's last sequence, its probability by chance alone.

Memory, by sequence (Q,): pi0, pi1; l0 and l1, their logarithms. See `sequence_form` and `behavioural` for the rest.
Nothing is known of the policy before the first iteration if it was drawn: measures of that one iteration are `NEVER`.
"""

from __future__ import annotations

from proofs_check.papers._cfr_probes import fold, plan_of
from theorylab.kernel import exp, kernel, log, sqrt
from theorylab.learner import f8
from theorylab.probe import NEVER, Monitor

#: divergences below this are rounding
SMALL = 1e-10


@kernel
def leaves(g, x, p, tr):
    """g = payoffs of the leaves right after each sequence, the opponent's plan being in x."""
    for q in range(p.Q):
        g[q] = 0.0
    for n in range(tr.leaf_0.shape[0]):
        one = tr.leaf_0[n]
        two = tr.leaf_1[n]
        g[one] += tr.pay_0[n] * x[two]
        g[two] += tr.pay_1[n] * x[one]


@kernel
def excess(r):
    """exp(-r) - 1 + r, to all digits near 0 too."""
    if abs(r) > 0.25:
        return exp(-r) - 1.0 + r
    total = 1.0
    for k in range(14):
        total = 1.0 - r / (16.0 - k) * total
    return r * r / 2.0 * total


@kernel
def distance(x, pi, log_pi, log_to, p):
    """B(pi; to), x the plan of pi: sum over infosets of x(before) KL(pi, to), in terms that are not negative."""
    total = 0.0
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            total += x[p.seq_before[i]] * pi[q] * excess(log_pi[q] - log_to[q])
    return total


@kernel
def divergence(pi, log_pi, log_to, first, last):
    """KL(pi, to) at one infoset."""
    total = 0.0
    for q in range(first, last):
        total += pi[q] * (log_pi[q] - log_to[q])
    return total


@kernel
def softmax(pull, first, last):
    """pull less the logarithm of its summed exponentials, which is returned."""
    top = pull[first]
    for q in range(first + 1, last):
        top = max(top, pull[q])
    total = 0.0
    for q in range(first, last):
        total += exp(pull[q] - top)
    top += log(total)
    for q in range(first, last):
        pull[q] -= top
    return top


@kernel
def answer(pull, p):
    """From pulls to the logarithms of the policy that maximises <pull, x> - psi(x), psi the dilated entropy."""
    for n in range(p.I):
        i = p.I - 1 - n
        top = softmax(pull, p.seq_first[i], p.seq_first[i] + p.seq_count[i])
        pull[p.seq_before[i]] += top


@kernel
def first_policy(p, tr):
    """pi1 and l1 of the policy that is given."""
    for q in range(p.Q):
        tr.pi1[q] = p.first[q]
        tr.l1[q] = log(p.first[q])


@kernel
def move_on(st, p, tr, t):
    """What was after the last iteration is before this one; sums[0] = 1 where it is known."""
    tr.sums[0] = 0.0 if t == 0 and p.random == 1 else 1.0
    for q in range(p.Q):
        tr.pi0[q] = tr.pi1[q]
        tr.l0[q] = tr.l1[q]
        if q != 0 and q != p.second:
            tr.pi1[q] = st.pi[q]
            tr.l1[q] = log(st.pi[q])


@kernel
def lawful(st, p, tr, t):
    """Largest of |sum of a policy - 1| and |logits - ln pi|."""
    worst = 0.0
    for i in range(p.I):
        total = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            total += st.pi[q]
            worst = max(worst, abs(st.logits[q] - tr.l1[q]))
        worst = max(worst, abs(total - 1.0))
    return worst


@kernel
def last_iterate(st, p, tr, t):
    """|value of the policy that is stood for - value of pi|, player 0."""
    return abs(tr.value - tr.sums[4])


# Sequence form. With z* = (tables `star`, `star_log`) the quantal response equilibrium, eta and alpha those of the run,
# F = minus g: sums[1] = B(z*; z_t), [2] = B(z*; z_{t+1}), [3] = (1 + eta alpha)^-t B_0, [4] value of player 0,
# [5] = B(z_{t+1}; z_t), [6] = B(z_{t+1}; z*), [7] = eta <F(z_t) - F(z_{t+1}), z* - z_{t+1}>, [8] first-order error,
# [9] largest difference from mirror descent on the regularised operator, [10] regularised gap.


@kernel
def begin_sequences(p, tr):
    """The first policy; plan and payoffs of it, the plan of z*, and the infosets right after each sequence."""
    first_policy(p, tr)
    plan_of(tr.x1, tr.pi1, p)
    leaves(tr.g1, tr.x1, p, tr)
    plan_of(tr.star_x, tr.star, p)
    for i in range(p.I):
        tr.below[p.seq_before[i]] += 1.0
    tr.sums[2] = distance(tr.star_x, tr.star, tr.star_log, tr.l1, p)
    tr.sums[3] = tr.sums[2]


@kernel
def first_order(p, tr, eta, alpha):
    """How far z_{t+1} is from maximising eta <g(z_t), x> - eta alpha psi(x) - B(x; z_t), in nats.

    The gradient at z_{t+1}, with all that follows added from the last infosets to the first, must be the same for all
    actions of an infoset.
    """
    for q in range(p.Q):
        before = tr.l0[q] + 1.0 - tr.below[q]
        after = tr.l1[q] + 1.0 - tr.below[q]
        tr.work[q] = eta * tr.g0[q] - (1.0 + eta * alpha) * after + before
    worst = 0.0
    for n in range(p.I):
        i = p.I - 1 - n
        mean = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            mean += tr.pi1[q] * tr.work[q]
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            worst = max(worst, abs(tr.work[q] - mean))
        tr.work[p.seq_before[i]] += mean
    return worst


@kernel
def operator(p, tr, eta, alpha):
    """Largest |ln pi_{t+1} - the same by mirror descent on F + alpha grad psi with eta / (1 + eta alpha)|."""
    smaller = eta / (1.0 + eta * alpha)
    for q in range(p.Q):
        tr.work[q] = tr.l0[q] + smaller * (tr.g0[q] - alpha * tr.l0[q])
    answer(tr.work, p)
    worst = 0.0
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            worst = max(worst, abs(tr.work[q] - tr.l1[q]))
    return worst


@kernel
def regularised_gap(p, tr, alpha):
    """alpha B(z_{t+1}; quantal best responses to it)."""
    for q in range(p.Q):
        tr.work[q] = tr.g1[q] / alpha
    answer(tr.work, p)
    return alpha * distance(tr.x1, tr.pi1, tr.l1, tr.work, p)


@kernel
def observe_sequences(st, p, tr, t):
    """The account of one iteration."""
    eta = p.etas[0]
    alpha = p.alphas[0]
    move_on(st, p, tr, t)
    for q in range(p.Q):
        tr.g0[q] = tr.g1[q]
    plan_of(tr.x1, tr.pi1, p)
    leaves(tr.g1, tr.x1, p, tr)
    tr.sums[1] = tr.sums[2]
    tr.sums[2] = distance(tr.star_x, tr.star, tr.star_log, tr.l1, p)
    tr.sums[3] = tr.sums[3] / (1.0 + eta * alpha) if tr.sums[0] == 1.0 else tr.sums[2]
    tr.sums[4] = 0.0
    tr.sums[7] = 0.0
    for q in range(p.Q):
        tr.sums[4] += tr.x1[q] * tr.g1[q] if q < p.second else 0.0
        tr.sums[7] += eta * (tr.g1[q] - tr.g0[q]) * (tr.star_x[q] - tr.x1[q])
    tr.sums[5] = distance(tr.x1, tr.pi1, tr.l1, tr.l0, p)
    tr.sums[6] = distance(tr.x1, tr.pi1, tr.l1, tr.star_log, p)
    tr.sums[8] = first_order(p, tr, eta, alpha)
    tr.sums[9] = operator(p, tr, eta, alpha)
    tr.sums[10] = regularised_gap(p, tr, alpha)


sequence_form = Monitor(
    {
        **{k: f8["Q"] for k in ("pi0", "pi1", "l0", "l1", "x1", "g0", "g1", "star_x", "below", "work")},
        "sums": f8[11],
    },
    begin_sequences,
    observe_sequences,
)


@kernel
def rate(st, p, tr, t):
    """(1 + eta alpha) B(z*; z_{t+1}) / B(z*; z_t) - 1."""
    if tr.sums[0] == 0.0 or tr.sums[1] < SMALL:
        return NEVER
    return tr.sums[2] * (1.0 + p.etas[0] * p.alphas[0]) / tr.sums[1] - 1.0


@kernel
def closed_form(st, p, tr, t):
    """B(z*; z_{t+1}) (1 + eta alpha)^t / B_0 - 1."""
    if tr.sums[3] < SMALL:
        return NEVER
    return tr.sums[2] / tr.sums[3] - 1.0


@kernel
def three_points(st, p, tr, t):
    """|(1 + eta alpha) B(z*; z+) + B(z+; z) + eta alpha B(z+; z*) - B(z*; z) - eta <F(z) - F(z+), z* - z+>|."""
    if tr.sums[0] == 0.0:
        return NEVER
    pull = p.etas[0] * p.alphas[0]
    return abs((1.0 + pull) * tr.sums[2] + tr.sums[5] + pull * tr.sums[6] - tr.sums[1] - tr.sums[7])


@kernel
def optimal(st, p, tr, t):
    """`first_order`."""
    return tr.sums[8] if tr.sums[0] == 1.0 else NEVER


@kernel
def same_as_mirror_descent(st, p, tr, t):
    """`operator`."""
    return tr.sums[9] if tr.sums[0] == 1.0 else NEVER


@kernel
def vanishing(st, p, tr, t):
    """Regularised gap at the end over the range of payoffs, less 1e-8."""
    return tr.sums[10] / tr.width - 1e-8


# Behavioural form. By sequence: a0 and a1, logarithms of the magnet; x0 and x1, plans; q0 and q1, action values; even
# and even_log, the uniform policy; mass (I,). sums[1] and [2]: stepsize and temperature of the iteration, [3] and [4]
# values of player 0 before and after.


@kernel
def values(p, tr):
    """q1 = action values on condition that the infoset is reached, under pi1; sums[4], the value of player 0."""
    plan_of(tr.x1, tr.pi1, p)
    leaves(tr.q1, tr.x1, p, tr)
    fold(tr.q1, tr.pi1, p)
    tr.sums[4] = tr.q1[0]
    for i in range(p.I):
        tr.mass[i] = 0.0
    for n in range(tr.node_row.shape[0]):
        tr.mass[tr.node_row[n]] += tr.node_chance[n] * tr.x1[tr.node_other[n]]
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            tr.q1[q] = tr.q1[q] / tr.mass[i]


@kernel
def begin_values(p, tr):
    """The first policy, its values, and the uniform magnet."""
    first_policy(p, tr)
    values(p, tr)
    for i in range(p.I):
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            tr.even[q] = 1.0 / p.seq_count[i]
            tr.even_log[q] = log(tr.even[q])
            tr.a1[q] = tr.even_log[q]


@kernel
def observe_values(st, p, tr, t):
    """The account of one iteration."""
    root = sqrt(t + 1.0) if p.schedule == 1 else 1.0
    tr.sums[1] = p.etas[0] / root
    tr.sums[2] = p.alphas[0] / root
    tr.sums[3] = tr.sums[4]
    move_on(st, p, tr, t)
    for q in range(p.Q):
        tr.q0[q] = tr.q1[q]
        tr.x0[q] = tr.x1[q]
        tr.a0[q] = tr.a1[q]
        tr.a1[q] = (1.0 - p.magnet) * tr.a1[q] + p.magnet * tr.l1[q]
    for i in range(p.I):
        softmax(tr.a1, p.seq_first[i], p.seq_first[i] + p.seq_count[i])
    values(p, tr)


behavioural = Monitor(
    {
        **{k: f8["Q"] for k in ("pi0", "pi1", "l0", "l1", "a0", "a1", "x0", "x1", "q0", "q1", "even", "even_log")},
        "mass": f8["I"],
        "sums": f8[5],
    },
    begin_values,
    observe_values,
)


@kernel
def own_step(p, tr, i):
    """The stepsize of an infoset."""
    return tr.sums[1] * (tr.x0[p.seq_before[i]] if p.weighted == 1 else 1.0)


@kernel
def closed_step(st, p, tr, t):
    """Largest error of (1 + alpha eta) ln pi_{t+1} = ln pi_t + alpha eta ln rho + eta q, up to a constant."""
    if tr.sums[0] == 0.0:
        return NEVER
    worst = 0.0
    for i in range(p.I):
        eta = own_step(p, tr, i)
        pull = tr.sums[2] * eta
        shift = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            found = (1.0 + pull) * tr.l1[q] - tr.l0[q] - pull * tr.a0[q] - eta * tr.q0[q]
            if q == p.seq_first[i]:
                shift = found
            worst = max(worst, abs(found - shift))
    return worst


@kernel
def three(p, tr, u, log_u, i):
    """|eta <q, p' - u> - KL(p',p) + KL(u,p) - (1 + pull) KL(u,p') - pull (KL(p',rho) - KL(u,rho))| at an infoset."""
    first = p.seq_first[i]
    last = first + p.seq_count[i]
    eta = own_step(p, tr, i)
    pull = tr.sums[2] * eta
    found = divergence(u, log_u, tr.l0, first, last) - divergence(tr.pi1, tr.l1, tr.l0, first, last)
    found -= (1.0 + pull) * divergence(u, log_u, tr.l1, first, last)
    found += pull * divergence(u, log_u, tr.a0, first, last) - pull * divergence(tr.pi1, tr.l1, tr.a0, first, last)
    for q in range(first, last):
        found += eta * tr.q0[q] * (tr.pi1[q] - u[q])
    return abs(found)


@kernel
def proximity(st, p, tr, t):
    """Largest error of `three` for u = pi_t and u uniform; pull = alpha eta."""
    if tr.sums[0] == 0.0:
        return NEVER
    worst = 0.0
    for i in range(p.I):
        worst = max(worst, three(p, tr, tr.pi0, tr.l0, i))
        worst = max(worst, three(p, tr, tr.even, tr.even_log, i))
    return worst


@kernel
def agent_residual(st, p, tr, t):
    """At the end: largest |pi - softmax(q / alpha)|, less 1e-6."""
    worst = 0.0
    for i in range(p.I):
        first = p.seq_first[i]
        last = first + p.seq_count[i]
        top = tr.q1[first]
        for q in range(first + 1, last):
            top = max(top, tr.q1[q])
        total = 0.0
        for q in range(first, last):
            total += exp((tr.q1[q] - top) / p.alphas[0])
        for q in range(first, last):
            worst = max(worst, abs(tr.pi1[q] - exp((tr.q1[q] - top) / p.alphas[0]) / total))
    return worst - 1e-6


@kernel
def odds(log_pi, p):
    """Squared distance of the log odds of two players with two actions each from 0."""
    one = log_pi[p.seq_first[0]] - log_pi[p.seq_first[0] + 1]
    two = log_pi[p.seq_first[1]] - log_pi[p.seq_first[1] + 1]
    return one * one + two * two


@kernel
def spectral(p):
    """|lambda|^2 - 1 = (1 + eta^2) / (1 + eta alpha)^2 - 1 of a step in matching pennies, linearised at even play."""
    own = 1.0 + p.etas[0] * p.alphas[0]
    return (1.0 + p.etas[0] * p.etas[0]) / (own * own) - 1.0


@kernel
def wrong_way(st, p, tr, t):
    """Near even play (squared distance 1e-10 to 1e-2): distance after / before, less (1 + |lambda|^2) / 2.

    With the table `repels` = 1, where it must grow, minus that.
    """
    before = odds(tr.l0, p)
    if not 1e-10 < before < 1e-2:
        return NEVER
    found = odds(tr.l1, p) / before - 1.0 - spectral(p) / 2.0
    return -found if tr.repels == 1.0 else found


# Common payoffs, alpha = 0. At the two infosets of a one-shot game |d| is the sum of |pi_{t+1} - pi_t|.


@kernel
def no_loss(st, p, tr, t):
    """The value before less the value after."""
    return tr.sums[3] - tr.sums[4] if tr.sums[0] == 1.0 else NEVER


@kernel
def squares(p, tr):
    """|dx|^2 + |dy|^2."""
    total = 0.0
    for i in range(p.I):
        change = 0.0
        for q in range(p.seq_first[i], p.seq_first[i] + p.seq_count[i]):
            change += abs(tr.pi1[q] - tr.pi0[q])
        total += change * change
    return total


@kernel
def certain_gain(st, p, tr, t):
    """(1/eta - R/4) (|dx|^2 + |dy|^2) less the gain, R the range of payoffs."""
    if tr.sums[0] == 0.0:
        return NEVER
    return (1.0 / tr.sums[1] - tr.width / 4.0) * squares(p, tr) - (tr.sums[4] - tr.sums[3])
