"""Requirement rules of your own for GOSPRL: visits asked for as a function of the data, as a kernel.

    rule = adaptive("by-branching", ask, params={}, text="...")         a learner, for `theorylab.run` and studies

`ask(st, p, s, a)` returns the visits asked of a pair, from `st.N` (S,A) visits, `st.moves` (S,A,S) transitions, its own
parameters in `p`, and `own_radius(st, p, s, a)`, the radii of the pair's law summed over successors. `mdps.learners`
has `gosprl-modest`, `gosprl-noise`, `gosprl-explore` and `gosprl-diameter` made of it.
"""

from mdps.learners._adaptive import adaptive, evenly, own_radius

__all__ = ["adaptive", "evenly", "own_radius"]
