"""LOOP-EVI: a relaxation of LOOP for linear mixture MDPs, by extended value iteration. Average reward, T steps.

LOOP asks for one theta of the confidence set with the largest gain, which is not convex. Here each pair has its own
maximiser, as in UCRL2-VTR: optimistic gains are at least LOOP's, what is played is not a policy of one model, and its
trigger, the excess loss of the hypothesis played, does not exist; the determinant takes its place [derived]. So this is
not LOOP, and is named after what was left out.

    sqrt(beta) = sqrt(lam) B + span sqrt( ((d/2) ln(1 + T span^2/(d lam)) + ln(1/delta)) / 2 )        [derived]

is the radius, constant in time, for |theta|_2 <= B and |X|_2 <= span (|phi_V|_2 <= 1 for V in [0, 1]^S); `span` bounds
that of the optimal bias. The plausible set {theta : |theta - theta_hat|_A^2 <= beta} is that of LOOP's value-targeted
excess loss with a ridge lam. Sweeps, centring of the targets, and how far theta must be a valid kernel: see
`mdps.learners._average_linear`; precision 1/sqrt(T). State: as there. `scale` multiplies the radius.

Damping: tau = .02 by default. In runs of 1e5 steps on one-hot models with the constants of the theory, plans failed on
JumpRiverSwim in both that were tried at tau = .2 and in none of 64 at .02; on RiverSwim-4 in 8 of 8 at .2, in 13 of 64
at .02 and in 6 of 64 at .005 [computed]: there no damping is safe. A smaller tau takes more sweeps.

Source: he2024, its linear mixture class; radius and relaxation [derived].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._average_linear import (
    STATE,
    act,
    begin,
    checked_damping,
    doubled,
    feature,
    include,
    iterate,
    positive,
    regress,
    successors,
)
from theorylab.kernel import kernel, log, sqrt
from theorylab.learner import Learner


@kernel
def watch(st, p, t, s, a, r, s2):
    """Add the step's sample; true when the determinant has doubled."""
    feature(st, p, s, a, 1)
    include(st, p, st.w[s2], 1.0)
    return doubled(st, p)


@kernel
def plan(st, p, t, s, rng):
    """Estimate, then the sweeps; false if they do not stop within the limit."""
    regress(st, p)
    st.radius[0] = p.beta_root
    return iterate(st, p)


def derive(p: dict[str, Any]) -> dict[str, Any]:
    """beta_root = scale sqrt(beta), precision = 1/sqrt(T), and the features by successor."""
    name = "loop-evi"
    positive(name, p, "span", "lam", "B")
    checked_damping(name, p)
    size = 0.5 * p["d"] * log(1.0 + p["T"] * p["span"] * p["span"] / (p["d"] * p["lam"]))
    root = sqrt(p["lam"]) * p["B"] + p["span"] * sqrt((size + log(1.0 / p["delta"])) / 2.0)
    return dict(beta_root=p["scale"] * root, precision=1.0 / sqrt(float(p["T"])), **successors(p))


learner = Learner(
    name="loop-evi",
    setting="average",
    cite="he2024",
    source_tag="derived",
    params=dict(delta=0.1, span=10.0, B=1.0, lam=1.0, tau=0.02, scale=1.0, max_sweeps=100_000),
    knows=("transition_phi", "r"),
    state=STATE,
    begin=begin,
    act=act,
    watch=watch,
    plan=plan,
    derive=derive,
    text="A relaxation of LOOP, not LOOP: a theta for each pair, and the determinant for a trigger [derived].",
)
