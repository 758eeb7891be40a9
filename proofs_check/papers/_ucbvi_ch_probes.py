"""What the Chernoff-Hoeffding bonus of azar2017 adds to the probes: its formula."""

from __future__ import annotations

from proofs_check.papers._ucbvi_probes import bound_to
from theorylab.kernel import kernel, sqrt


@kernel
def formula(st, p, tr, h, s, a):
    """7 H L / sqrt(n), n from the monitor's transitions; times the scale."""
    return p.scale * 7.0 * p.H * tr.log_term / sqrt(float(tr.before[s, a]))


@kernel
def own(st, p, h, s, a):
    """The learner's bonus."""
    return st.bonus[s, a]


probes, monitor = bound_to(formula, own)
