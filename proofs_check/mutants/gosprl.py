"""Faults planted in GOSPRL: each is one wrong line, as it is found in real code.

Two that are known from other code have no place here. A G that moves during an attempt: with a fixed requirement no
state closes on the way, so the frozen G and a fresh one are the same. A requirement that falls: b is fixed.
"""

from __future__ import annotations

from dataclasses import replace

from mdps.learners import _collection, gosprl
from mdps.learners._collection import backup, bound_entry, count, on_the_way
from mdps.learners.gosprl import bound_row, doubled, entry_radius, learner, log_term
from theorylab.compiler import Kernel
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner

# Radii


@kernel
def no_radius(p, x, n, iota):
    """The radius is zero: the plan trusts the frequencies."""
    return 0.0


@kernel
def no_log(p, n):
    """The logarithm is dropped."""
    return 1.0


@kernel
def no_delta(p, n):
    """delta is left out of the logarithm."""
    return log(6.0 * p.S * p.A * n)


@kernel
def deviation_for_variance(p, x, n, iota):
    """The variance stands outside of the root."""
    return 2.0 * x * (1.0 - x) * sqrt(iota / n) + 6.0 * iota / n


@kernel
def row_with_time(st, p, s, a):
    """The logarithm holds the time instead of the visits."""
    n = float(max(1, st.N[s, a]))
    iota = log_term(p, float(max(1, st.t_k[0])))
    st.width[s, a] = 0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        st.beta[s, a, s2] = entry_radius(p, x, n, iota)
        bound_entry(st, s, a, s2, x - p.alpha * st.beta[s, a, s2])


@kernel
def row_ahead(st, p, s, a):
    """Radii and frequencies divide by N + 1."""
    n = st.N[s, a] + 1.0
    iota = log_term(p, n)
    st.width[s, a] = 0
    for s2 in range(p.S):
        x = st.moves[s, a, s2] / n
        st.beta[s, a, s2] = entry_radius(p, x, n, iota)
        bound_entry(st, s, a, s2, x - p.alpha * st.beta[s, a, s2])


# Truncation


@kernel
def uncut(st, s, a, s2, low):
    """Negative entries are kept."""
    st.plow[s, a, s2] = 0.0
    if st.goal[s2] == 0:
        st.plow[s, a, s2] = low
        st.support[s, a, st.width[s, a]] = s2
        st.width[s, a] += 1


@kernel
def lower_entry(st, p, s, a, s2):
    """p_hat - alpha beta, cut at zero."""
    x = float(st.moves[s, a, s2]) / max(1, st.N[s, a])
    return max(0.0, x - p.alpha * st.beta[s, a, s2])


@kernel
def row_refilled(st, p, s, a):
    """The mass that is cut off stays with the pair's own state."""
    bound_row(st, p, s, a)
    left = 1.0
    for s2 in range(p.S):
        left -= lower_entry(st, p, s, a, s2)
    st.width[s, a] = 0
    for s2 in range(p.S):
        more = left if s2 == s and st.N[s, a] > 0 else 0.0
        bound_entry(st, s, a, s2, lower_entry(st, p, s, a, s2) + more)


@kernel
def row_scaled(st, p, s, a):
    """Rows are normalised after the truncation."""
    bound_row(st, p, s, a)
    total = 0.0
    for s2 in range(p.S):
        total += lower_entry(st, p, s, a, s2)
    st.width[s, a] = 0
    for s2 in range(p.S):
        bound_entry(st, s, a, s2, lower_entry(st, p, s, a, s2) / max(total, 1e-300))


@kernel
def row_unseen_uniform(st, p, s, a):
    """A pair not yet visited is believed to lead anywhere."""
    bound_row(st, p, s, a)
    if st.N[s, a] == 0:
        st.width[s, a] = 0
        for s2 in range(p.S):
            bound_entry(st, s, a, s2, 1.0 / p.S)


@kernel
def row_unseen_stays(st, p, s, a):
    """A pair not yet visited is believed to stay."""
    bound_row(st, p, s, a)
    if st.N[s, a] == 0:
        st.width[s, a] = 0
        for s2 in range(p.S):
            bound_entry(st, s, a, s2, 1.0 if s2 == s else 0.0)


@kernel
def first_model(st, p):
    """The model of the first attempt is kept."""
    for s in range(p.S):
        for a in range(p.A):
            st.U[s, a] = st.N[s, a]
            if st.attempts[0] == 1:
                bound_row(st, p, s, a)


@kernel
def doubled_baseline(st, p):
    """U is refreshed for the pairs that have doubled only: samples in G and short trips are left out of it."""
    for s in range(p.S):
        for a in range(p.A):
            if doubled(st, s, a):
                st.U[s, a] = st.N[s, a]
            bound_row(st, p, s, a)


# Planner


@kernel
def warm(st, p, t):
    """Value iteration starts from the values of the last attempt."""
    precision = max(1e-6, 0.5 / max(1, t))
    change = 1.0
    while change > precision:
        change = sweep(st, p)
    return True


@kernel
def sweep(st, p):
    """One sweep; the largest change."""
    for x in range(p.S):
        st.v[x] = st.v_next[x]
    change = 0.0
    for x in range(p.S):
        st.v_next[x] = 0.0
        if st.goal[x] == 0:
            least = 0.0
            for a in range(p.A):
                value = backup(st, x, a)
                if a == 0 or value < least:
                    least = value
                    st.pi[x] = a
            st.v_next[x] = least
            change = max(change, abs(least - st.v[x]))
    return change


@kernel
def one_sweep(st, p, t):
    """Value iteration stops after one sweep."""
    for x in range(p.S):
        st.v_next[x] = 0.0
    sweep(st, p)
    return True


@kernel
def free_arrival(st, s, a):
    """The step that enters G costs nothing."""
    value = 0.0
    for j in range(st.width[s, a]):
        s2 = st.support[s, a, j]
        value += st.plow[s, a, s2] * (1.0 + st.v[s2])
    return value


@kernel
def maximise(st, p, t):
    """The plan is right, but the policy takes the worst action."""
    done = _collection.shortest_path(st, p, t)
    for x in range(p.S):
        if st.goal[x] == 0:
            for a in range(p.A):
                if backup(st, x, a) > backup(st, x, st.pi[x]):
                    st.pi[x] = a
    return done


# Requirement and rule


@kernel
def refresh_late(st, p, s):
    """A state closes when every requirement is exceeded."""
    best = st.pi[s]
    gap = 0
    for a in range(p.A):
        short = st.need[s, a] - st.N[s, a] + 1
        if short > gap:
            gap = short
            best = a
    is_open = 1 if gap > 0 else 0
    st.pi[s] = best
    st.goals[0] += is_open - st.goal[s]
    st.goal[s] = is_open


@kernel
def refresh_early(st, p, s):
    """A state closes as soon as one of its requirements is met."""
    best = st.pi[s]
    gap = 0
    is_open = 1
    for a in range(p.A):
        short = st.need[s, a] - st.N[s, a]
        if short > gap:
            gap = short
            best = a
        if short <= 0:
            is_open = 0
    st.pi[s] = best
    st.goals[0] += is_open - st.goal[s]
    st.goal[s] = is_open


@kernel
def refresh_smallest(st, p, s):
    """The open action with the smallest gap is played."""
    best = st.pi[s]
    gap = 0
    for a in range(p.A):
        short = st.need[s, a] - st.N[s, a]
        if short > 0 and (gap == 0 or short < gap):
            gap = short
            best = a
    is_open = 1 if gap > 0 else 0
    st.pi[s] = best
    st.goals[0] += is_open - st.goal[s]
    st.goal[s] = is_open


@kernel
def refresh_last(st, p, s):
    """Ties between the largest gaps go to the last action."""
    best = st.pi[s]
    gap = 0
    for a in range(p.A):
        short = st.need[s, a] - st.N[s, a]
        if short > 0 and short >= gap:
            gap = short
            best = a
    is_open = 1 if gap > 0 else 0
    st.pi[s] = best
    st.goals[0] += is_open - st.goal[s]
    st.goal[s] = is_open


@kernel
def refresh_without_action(st, p, s):
    """The action of an open state is not looked up again after its sample."""
    before = st.pi[s]
    _collection.refresh(st, p, s)
    st.pi[s] = before


@kernel
def refresh_pairs_only(st, p, s):
    """What is asked of states is not looked at."""
    asked = st.need_states[s]
    st.need_states[s] = 0
    _collection.refresh(st, p, s)
    st.need_states[s] = asked


@kernel
def refresh_one_action(st, p, s):
    """The visits of a state are those of its first action."""
    visits = 0
    for a in range(1, p.A):
        visits += st.N[s, a]
    st.need_states[s] += visits
    _collection.refresh(st, p, s)
    st.need_states[s] -= visits


@kernel
def refresh_most_visited(st, p, s):
    """Where a state alone is short, the action with the most visits is played."""
    _collection.refresh(st, p, s)
    gap = 0
    most = 0
    for a in range(p.A):
        gap = max(gap, st.need[s, a] - st.N[s, a])
        if st.N[s, a] > st.N[s, most]:
            most = a
    if st.goal[s] == 1 and gap == 0:
        st.pi[s] = most


@kernel
def settle_without_last(st, p, t):
    """The step that completes the sample is not charged."""
    before = st.finished[0]
    now = 1 if st.goals[0] == 0 and before < 0 else 0
    st.finished[0] = t if now == 1 else before
    for x in range(now * p.S):
        st.pi[x] = 0


@kernel
def settle_by_total(st, p, t):
    """Complete when there are as many samples as were asked for, whichever they are."""
    missing = 0
    for s in range(p.S):
        for a in range(p.A):
            missing += st.need[s, a] - st.N[s, a]
    before = st.finished[0]
    now = 1 if missing <= 0 and before < 0 else 0
    st.finished[0] = t + 1 if now == 1 else before


# Counts and the end of an attempt


@kernel
def watch_without_loops(st, p, t, s, a, r, s2):
    """Transitions that stay in the state are not counted."""
    inside = st.goal[s] == 1
    if s2 != s:
        st.moves[s, a, s2] += 1
        inside = count(st, p, t, s, a)
    twice = doubled(st, s, a)
    return on_the_way(st, inside, s2) and (inside or twice)


@kernel
def watch_without_goals(st, p, t, s, a, r, s2):
    """The transition of a sample taken in G is not counted."""
    inside = count(st, p, t, s, a)
    if not inside:
        st.moves[s, a, s2] += 1
    twice = doubled(st, s, a)
    return on_the_way(st, inside, s2) and (inside or twice)


@kernel
def start_from_one(st, t):
    """t_k counts from one."""
    st.attempts[0] += 1
    st.t_k[0] = t + 1


@kernel
def quadrupled(st, s, a):
    """An attempt ends when the visits of a pair in it are four times those before it."""
    return st.N[s, a] - st.U[s, a] >= 4 * max(1, st.U[s, a])


@kernel
def never(st, s, a):
    """An attempt ends in G only."""
    return False


@kernel
def always(st, s, a):
    """A new attempt at every step."""
    return True


def planted(truncate: Kernel | None = None, shortest_path: Kernel | None = None, **row: Kernel) -> Learner:
    """A plan with another truncation or planner, or with other helpers of a row."""
    if row:
        truncate = gosprl.truncate.replace(bound_row=bound_row.replace(**row))
    names = {k: v for k, v in (("truncate", truncate), ("shortest_path", shortest_path)) if v is not None}
    return replace(learner, plan=gosprl.plan.replace(**names))


def counting(**helpers: Kernel) -> Learner:
    """Other helpers of the count of a visit."""
    return replace(learner, watch=gosprl.watch.replace(count=count.replace(**helpers)))


def rows(bound_row: Kernel) -> Learner:
    """Another row of the model."""
    return planted(gosprl.truncate.replace(bound_row=bound_row))


radius_zero = planted(entry_radius=no_radius)
log_dropped = planted(log_term=no_log)
delta_dropped = planted(log_term=no_delta)
variance_unrooted = planted(entry_radius=deviation_for_variance)
time_in_log = rows(row_with_time)
count_ahead = rows(row_ahead)
clipping_off = planted(bound_entry=uncut)
mass_stays = rows(row_refilled)
rows_normalised = rows(row_scaled)
unseen_uniform = rows(row_unseen_uniform)
unseen_stays = rows(row_unseen_stays)
model_stale = planted(first_model)
baseline_stale = planted(doubled_baseline)
warm_start = planted(shortest_path=warm)
stops_early = planted(shortest_path=one_sweep)
arrival_free = planted(shortest_path=_collection.shortest_path.replace(backup=free_arrival))
policy_maximises = planted(shortest_path=maximise)
closes_late = counting(refresh=refresh_late)
closes_early = counting(refresh=refresh_early)
smallest_gap = counting(refresh=refresh_smallest)
ties_last = counting(refresh=refresh_last)
action_stale = counting(refresh=refresh_without_action)
states_ignored = counting(refresh=refresh_pairs_only)
states_by_one_action = counting(refresh=refresh_one_action)
states_most_visited = counting(refresh=refresh_most_visited)
last_step_free = counting(settle=settle_without_last)
stops_on_total = counting(settle=settle_by_total)
counts_lost = replace(learner, watch=watch_without_loops)
goal_samples_lost = replace(learner, watch=watch_without_goals)
time_from_one = replace(learner, plan=gosprl.plan.replace(start_attempt=start_from_one))
trigger_late = replace(learner, watch=gosprl.watch.replace(doubled=quadrupled))
trigger_never = replace(learner, watch=gosprl.watch.replace(doubled=never))
trigger_always = replace(learner, watch=gosprl.watch.replace(doubled=always))

GENERIC: dict[str, Learner | str] = {
    "bonus zero": radius_zero,
    "log factor dropped": log_dropped,
    "delta not divided": delta_dropped,
    "wrong variance": variance_unrooted,
    "count off by one": count_ahead,
    "lost counts": counts_lost,
    "unvisited at zero": unseen_stays,
    "no clipping": clipping_off,
    "backup of the wrong stage": "no field: there are no stages",
    "mass to the wrong state": mass_stays,
    "stale estimate": warm_start,
    "worst action played": policy_maximises,
    "ties to the last": ties_last,
    "late trigger": trigger_late,
    "draw reused": "no field: the learner draws nothing",
    "wrong length in the logarithm": time_in_log,
}
