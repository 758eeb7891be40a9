"""Faults planted in MaxEnt and WeightedMaxEnt: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners._collection import count
from mdps.learners._evi import iterate, sort_states
from mdps.learners.max_ent import box, doubled, drift, gradient, learner, plan, renew, watch, weight
from mdps.learners.ucrl2b import box_maximum, sweeps
from proofs_check.mutants.ucrl2b import to_worst
from theorylab.compiler import Kernel
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner

# boxes


@kernel
def no_width(p, x, n):
    """No radius."""
    return 0.0


@kernel
def width_without_log(p, x, n):
    """The logarithm is dropped."""
    return p.alpha * (2.0 * sqrt(x * (1.0 - x) / n) + 6.0 / n)


@kernel
def width_without_delta(p, x, n):
    """delta is left out of the logarithm."""
    level = log(6.0 * p.S * p.A * n)
    return p.alpha * (2.0 * sqrt(x * (1.0 - x) * level / n) + 6.0 * level / n)


@kernel
def width_unrooted(p, x, n):
    """The variance stands outside of the root."""
    level = log(6.0 * p.S * p.A * n / p.delta)
    return p.alpha * (2.0 * x * (1.0 - x) * sqrt(level / n) + 6.0 * level / n)


@kernel
def width_ahead(p, x, n):
    """The radius is that of N + 1 visits."""
    level = log(6.0 * p.S * p.A * (n + 1.0) / p.delta)
    return p.alpha * (2.0 * sqrt(x * (1.0 - x) * level / (n + 1.0)) + 6.0 * level / (n + 1.0))


@kernel
def width_of_run(p, x, n):
    """The logarithm holds the length of the run instead of the visits."""
    level = log(6.0 * p.S * p.A * p.T / p.delta)
    return p.alpha * (2.0 * sqrt(x * (1.0 - x) * level / n) + 6.0 * level / n)


@kernel
def box_unseen_stays(st, p, s, a):
    """A pair not yet visited is believed to stay."""
    box(st, p, s, a)
    if st.N[s, a] == 0:
        st.free[s, a] = 0.0
        for s2 in range(p.S):
            st.low[s, a, s2] = 1.0 if s2 == s else 0.0
            st.high[s, a, s2] = st.low[s, a, s2]


@kernel
def box_uncut(st, p, s, a):
    """Upper ends are not cut at one."""
    box(st, p, s, a)
    if st.N[s, a] > 0:
        n = float(st.N[s, a])
        level = log(6.0 * p.S * p.A * n / p.delta)
        for s2 in range(p.S):
            x = st.moves[s, a, s2] / n
            st.high[s, a, s2] = x + p.alpha * (2.0 * sqrt(x * (1.0 - x) * level / n) + 6.0 * level / n)


# gradient and weights


@kernel
def gradient_negated(p, w, x):
    """The entropy is minimised."""
    return w * (log(x + p.mu) + x / (x + p.mu))


@kernel
def gradient_of_log(p, w, x):
    """The second term of the derivative is forgotten."""
    return -w * log(x + p.mu)


@kernel
def gradient_unweighted(p, w, x):
    """The weights are left out."""
    return -(log(x + p.mu) + x / (x + p.mu))


@kernel
def renew_once(st, p, t):
    """The gradient of the first episode is kept."""
    st.phi[0] = 0.0
    for s in range(p.S):
        for a in range(p.A):
            st.U[s, a] = st.N[s, a]
            box(st, p, s, a)
            st.w[s, a] = weight(st, p, s, a)
            if t == 0.0:
                st.r_up[s, a] = gradient(p, st.w[s, a], 0.0)


@kernel
def renew_by_length(st, p, t):
    """Visits are divided by the length of the run."""
    renew(st, p, float(p.T))


@kernel
def renew_with_drift(st, p, t):
    """The drift is not set back to zero."""
    before = st.phi[0]
    renew(st, p, t)
    st.phi[0] = before


@kernel
def noise_of_mean(st, p, s, a):
    """The plug-in noise: no allowance for what is not known."""
    n = float(max(1, st.N[s, a]))
    total = 0.0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        total += sqrt(x * (1.0 - x))
    return total / sqrt(float(p.S))


@kernel
def noise_of_variance(st, p, s, a):
    """Variances in place of deviations."""
    n = float(max(1, st.N[s, a]))
    error = sqrt(2.0 * log(4.0 * p.S * p.S * p.A * n * n / p.delta) / n)
    total = 0.0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        total += x * (1.0 - x) + error
    return total / sqrt(float(p.S))


# planning and episodes


@kernel
def plan_anyway(st, p, t, s, rng):
    """The plan counts as made after `max_sweeps`: without radii sweeps need not converge."""
    plan(st, p, t, s, rng)
    return True


@kernel
def one_sweep(st, p, t, s, rng):
    """The stopping rule is that of time 1 at every plan."""
    renew(st, p, float(t))
    done = sweeps(st, p, 0)
    for x in range(p.S):
        st.policy[x] = st.pi[x]
    return done


@kernel
def plan_minimising(st, p, t, s, rng):
    """The plan is right, but the policy takes the worst action."""
    done = plan(st, p, t, s, rng)
    for x in range(p.S):
        worst = 0.0
        for a in range(p.A):
            value = st.r_up[x, a] + p.tau * box_maximum(st, p, x, a)
            if a == 0 or value < worst:
                worst = value
                st.policy[x] = a
    return done


@kernel
def act_zero(st, p, t, s, rng):
    """Action 0 is played, whatever the plan."""
    return 0


@kernel
def quadrupled(st, s):
    """A pair may reach four times the visits before the episode."""
    a = st.policy[s]
    return st.N[s, a] - st.U[s, a] >= 4 * max(1, st.U[s, a])


@kernel
def always(st, s):
    """A plan at every step."""
    return True


@kernel
def no_drift(st, p, t):
    """The drift of the gradient is not looked at."""
    return 0.0


@kernel
def squared_drift(st, p, t):
    """The root of the norm is forgotten."""
    total = drift(st, p, t)
    return total * total


# counts


@kernel
def self_loops_lost(st, p, t, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    if s2 != s:
        st.moves[s, a, s2] += 1
        count(st, p, t, s, a)
    st.phi[0] += drift(st, p, t + 1.0)
    return st.phi[0] > p.Q or doubled(st, s2)


@kernel
def successor_lost(st, p, t, s, a, r, s2):
    """Every transition is recorded as staying."""
    st.moves[s, a, s] += 1
    count(st, p, t, s, a)
    st.phi[0] += drift(st, p, t + 1.0)
    return st.phi[0] > p.Q or doubled(st, s2)


def _renew(**names: Kernel) -> Learner:
    return replace(learner, plan=plan.replace(renew=renew.replace(**names)))


def _width(width: Kernel) -> Kernel:
    return renew.replace(box=box.replace(half_width=width))


def _climbing(g: Kernel) -> Learner:
    planned = plan.replace(renew=renew.replace(gradient=g))
    return replace(learner, plan=planned, watch=watch.replace(drift=drift.replace(gradient=g)))


def _weighted(noise: Kernel) -> Learner:
    return _renew(weight=weight.replace(noise=noise))


radius_zero = replace(learner, plan=plan_anyway.replace(plan=plan.replace(renew=_width(no_width))))
log_dropped = _renew(box=box.replace(half_width=width_without_log))
delta_dropped = _renew(box=box.replace(half_width=width_without_delta))
variance_unrooted = _renew(box=box.replace(half_width=width_unrooted))
count_ahead = _renew(box=box.replace(half_width=width_ahead))
length_in_log = _renew(box=box.replace(half_width=width_of_run))
unseen_stays = replace(learner, plan=plan_anyway.replace(plan=plan.replace(renew=renew.replace(box=box_unseen_stays))))
uncut = _renew(box=box_uncut)
negated = _climbing(gradient_negated)
log_only = _climbing(gradient_of_log)
weights_ignored = _climbing(gradient_unweighted)
gradient_stale = replace(learner, plan=plan.replace(renew=renew_once))
divided_by_length = replace(learner, plan=plan.replace(renew=renew_by_length))
drift_kept = replace(learner, plan=plan.replace(renew=renew_with_drift))
plug_in_noise = _weighted(noise_of_mean)
variance_for_noise = _weighted(noise_of_variance)
mass_to_worst = replace(learner, plan=plan.replace(sweeps=iterate.replace(MAXIMUM=to_worst, PREPARE=sort_states)))
stops_early = replace(learner, plan=one_sweep)
policy_minimises = replace(learner, plan=plan_minimising)
plays_zero = replace(learner, act=act_zero)
trigger_late = replace(learner, watch=watch.replace(doubled=quadrupled))
trigger_always = replace(learner, watch=watch.replace(doubled=always))
drift_ignored = replace(learner, watch=watch.replace(drift=no_drift))
drift_squared = replace(learner, watch=watch.replace(drift=squared_drift))
counts_lost = replace(learner, watch=self_loops_lost)
successors_lost = replace(learner, watch=successor_lost)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": variance_for_noise,
    "count off by one": count_ahead,
    "lost counts": counts_lost,
    "unvisited at zero": unseen_stays,
    "no clipping": uncut,
    "backup of the wrong stage": "no field: average reward, there are no stages",
    "mass to the wrong state": mass_to_worst,
    "stale estimate": gradient_stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: every maximising action attains u_next, which is all that any step uses",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing of its own",
    "wrong length in the logarithm": length_in_log,
}
