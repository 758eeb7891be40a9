"""Wrong lines for UCRL2-VTR and LOOP-EVI in what they share: `mdps.learners._average_linear`."""

from __future__ import annotations

from mdps.learners._average_linear import backup, centre, include, iterate
from theorylab.kernel import kernel, log, product, rank_one_inverse, sqrt


@kernel
def larger_ridge(st, p):
    """A starts at (lam + 1) I."""
    for i in range(p.d):
        st.A_inv[i, i] = 1.0 / (p.lam + 1.0)


@kernel
def nothing_unknown(st, p):
    """The inverse starts at zero: directions never seen have no width."""
    for i in range(p.d):
        st.A_inv[i, i] = 0.0


@kernel
def uncentred(st, p):
    """w = u, not its distance from the midrange."""
    centre(st, p)
    st.mid[0] = 0.0
    for s in range(p.S):
        st.w[s] = st.u[s]
        st.half[0] = max(st.half[0], abs(st.u[s]))


@kernel
def half_range_off(st, p):
    """Half the range is taken off, not the midrange."""
    centre(st, p)
    for s in range(p.S):
        st.w[s] = st.u[s] - st.half[0]


@kernel
def without_values(st, p, s, a, power):
    """The features are summed without the values."""
    for i in range(p.d):
        st.x[i] = 0.0
        for m in range(p.reach):
            st.x[i] += p.moves[i, m, s * p.A + a]


@kernel
def unclipped(st, p, j):
    """The closed form as it is, whatever valid kernels allow."""
    return st.part[j] + st.radius[0] * st.width[j]


@kernel
def pessimistic(st, p, j):
    """The sign of the width is wrong."""
    return max(-st.half[0], min(st.half[0], st.part[j] - st.radius[0] * st.width[j]))


@kernel
def squared(st, p, j):
    """The square of the norm is used as the norm."""
    return max(-st.half[0], min(st.half[0], st.part[j] + st.radius[0] * st.width[j] * st.width[j]))


@kernel
def untruncated(st, p):
    """The span is not truncated."""
    backup(st, p)
    for s in range(p.S):
        top = st.Q[s, 0]
        for a in range(1, p.A):
            top = max(top, st.Q[s, a])
        st.u_next[s] = top


@kernel
def minimises(st, p):
    """The policy takes the smallest Q."""
    backup(st, p)
    for s in range(p.S):
        for a in range(p.A):
            if st.Q[s, a] < st.Q[s, st.pi[s]]:
                st.pi[s] = a


@kernel
def one_sweep(st, p):
    """Nothing is iterated."""
    for s in range(p.S):
        st.u[s] = 0.0
    backup(st, p)
    for s in range(p.S):
        st.u_next[s] = p.tau * st.u_next[s]
    return True


@kernel
def first_kept(st, p):
    """The estimate of the first plans is kept."""
    if st.n[0] < 2:
        product(st.A_inv, st.b, st.theta, p.d)
    st.log_det_plan[0] = st.log_det[0]


@kernel
def act_zero(st, p, t, s, rng):
    """Action 0 is played."""
    return 0


@kernel
def tripled(st, p):
    """The determinant triples before a new plan."""
    return st.log_det[0] - st.log_det_plan[0] >= log(3.0)


@kernel
def always(st, p):
    """A plan at every step."""
    return True


@kernel
def log_det_of_one(st, p, y, v):
    """The determinant grows by ln(1 + |X|) for ln(1 + |X|^2)."""
    root = sqrt(v)
    for i in range(p.d):
        st.x[i] = st.x[i] / root
        st.b[i] += st.x[i] * (y / root)
    st.log_det[0] += log(1.0 + sqrt(rank_one_inverse(st.A_inv, st.x, st.work, p.d)))
    st.n[0] += 1


@kernel
def target_unweighted(st, p, y, v):
    """The target is not divided by sigma."""
    include(st, p, y * sqrt(v), v)


no_clip = iterate.replace(backup=backup.replace(inner=unclipped))
lower = iterate.replace(backup=backup.replace(inner=pessimistic))
width_squared = iterate.replace(backup=backup.replace(inner=squared))
not_centred = iterate.replace(backup=backup.replace(centre=uncentred))
half_off = iterate.replace(backup=backup.replace(centre=half_range_off))
no_truncation = iterate.replace(backup=untruncated)
minimising = iterate.replace(backup=minimises)
