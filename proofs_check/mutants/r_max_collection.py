"""Faults planted in R-MAX for collection: each is one wrong line, as it is found in real code."""

from __future__ import annotations

from dataclasses import replace

from mdps.learners.r_max_collection import (
    backup,
    enough,
    iterate,
    learn_row,
    learner,
    model,
    plan,
    sweep,
    watch,
)
from mdps.learners.zero_one_ucrl import tally
from proofs_check.mutants import zero_one_ucrl as shared
from theorylab.compiler import Kernel
from theorylab.kernel import kernel
from theorylab.learner import Learner

# Model


@kernel
def nothing_ahead(st, p, s, a):
    """An unknown pair is worth nothing."""
    return backup(st, p, s, a) if st.known[s, a] == 1 else 0.0


@kernel
def undiscounted(st, p, s, a):
    """The step that plays an unknown pair is not discounted."""
    return backup(st, p, s, a) if st.known[s, a] == 1 else 1.0


@kernel
def one_less(p, s, a):
    """A pair is known one visit early, but not before its first."""
    return max(1, p.b[s, a] - 1)


@kernel
def one_more(p, s, a):
    """A pair is known one visit late."""
    return max(1, p.b[s, a]) + 1


@kernel
def as_asked(p, s, a):
    """A pair of which nothing is asked is known unseen, and leads nowhere."""
    return p.b[s, a]


@kernel
def row_of_seen(st, p, s, a):
    """Frequencies over the visits counted, none before the first."""
    if st.N[s, a] > 0:
        learn_row(st, p, s, a)


@kernel
def first_row(st, p, s, a):
    """A row is kept as it was when its pair became known."""
    if st.width[s, a] == 0:
        learn_row(st, p, s, a)


@kernel
def row_ahead(st, p, s, a):
    """Frequencies divide by N + 1."""
    learn_row(st, p, s, a)
    for s2 in range(p.S):
        st.p_hat[s, a, s2] *= st.N[s, a] / (st.N[s, a] + 1.0)


@kernel
def row_without_loop(st, p, s, a):
    """The mass of the self-loop is lost."""
    learn_row(st, p, s, a)
    st.p_hat[s, a, s] = 0.0


# Planner


@kernel
def one_sweep(st, p):
    """Value iteration stops after one sweep."""
    for x in range(p.S):
        st.v[x] = 0.0
    sweep(st, p)
    return True


@kernel
def change_only(st, p):
    """The last change is compared with the precision itself, without gamma / (1 - gamma)."""
    for x in range(p.S):
        st.v_next[x] = 0.0
    for _ in range(p.max_sweeps):
        for x in range(p.S):
            st.v[x] = st.v_next[x]
        if sweep(st, p) <= p.precision:
            return True
    return False


@kernel
def warm(st, p):
    """Value iteration starts from the values of the last plan."""
    for _ in range(p.max_sweeps):
        for x in range(p.S):
            st.v[x] = st.v_next[x]
        if p.gamma * sweep(st, p) <= (1.0 - p.gamma) * p.precision:
            return True
    return False


@kernel
def minimise(st, p):
    """The plan is right, but the policy takes the worst action."""
    done = iterate(st, p)
    for x in range(p.S):
        for a in range(p.A):
            if backup(st, p, x, a) < backup(st, p, x, st.pi[x]):
                st.pi[x] = a
    return done


# Counts and plans


@kernel
def watch_states(st, p, t, s, a, r, s2):
    """A plan is made when all pairs of the state are known."""
    tally(st, p, t, s, a, s2)
    unknown = 0
    for x in range(p.A):
        unknown += 1 if st.N[s, x] < enough(p, s, x) else 0
    return st.finished[0] < 0 and st.N[s, a] == enough(p, s, a) and unknown == 0


@kernel
def watch_always(st, p, t, s, a, r, s2):
    """A new plan at every step."""
    tally(st, p, t, s, a, s2)
    return st.finished[0] < 0


def modelling(**names: Kernel) -> Learner:
    """Another helper of the model."""
    return replace(learner, plan=plan.replace(model=model.replace(**names)))


def planning(**names: Kernel) -> Learner:
    """Another planner."""
    return replace(learner, plan=plan.replace(**names))


def valuing(backup: Kernel) -> Learner:
    """Another value of an action."""
    return planning(iterate=iterate.replace(sweep=sweep.replace(backup=backup)))


def counting(kernel: Kernel) -> Learner:
    """Another count of a transition."""
    return replace(learner, watch=watch.replace(tally=kernel))


def knowing(kernel: Kernel) -> Learner:
    """Another m, in the plan and in the trigger."""
    other = model.replace(enough=kernel, learn_row=row_of_seen)
    return replace(learner, plan=plan.replace(model=other), watch=watch.replace(enough=kernel))


unknown_worthless = valuing(nothing_ahead)
unknown_undiscounted = valuing(undiscounted)
known_early = knowing(one_less)
known_late = knowing(one_more)
unplayed_known = knowing(as_asked)
rows_stale = modelling(learn_row=first_row)
count_ahead = modelling(learn_row=row_ahead)
loops_lost = modelling(learn_row=row_without_loop)
stops_early = planning(iterate=one_sweep)
precision_loose = planning(iterate=change_only)
warm_start = planning(iterate=warm)
policy_minimises = planning(iterate=minimise)
plays_zero = replace(learner, act=shared.act_zero)
trigger_late = replace(learner, watch=watch_states)
trigger_always = replace(learner, watch=watch_always)
counts_lost = counting(shared.tally_without_loops)
successors_lost = counting(shared.tally_staying)
last_step_free = counting(shared.tally_without_last)
closes_late = counting(shared.tally_late)

GENERIC: dict[str, Learner | str] = {
    "bonus zero": "no field: there are no confidence sets",
    "log factor dropped": "no field: there are no confidence sets",
    "delta not divided": "no field: no delta, nothing is promised",
    "wrong variance": "no field: there are no confidence sets",
    "count off by one": count_ahead,
    "lost counts": counts_lost,
    "unvisited at zero": unknown_worthless,
    "no clipping": "no field: values of gamma times frequencies lie in [0, 1]",
    "backup of the wrong stage": "no field: discounted, there are no stages",
    "mass to the wrong state": loops_lost,
    "stale estimate": rows_stale,
    "worst action played": policy_minimises,
    "ties to the last": "equivalent: every maximising action attains v_next, which is all that any step uses",
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing of its own",
    "wrong length in the logarithm": "no field: there is no logarithm",
}
