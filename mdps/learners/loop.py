"""LOOP on all tables, exactly (Algorithm 1 with the value-based discrepancy). Average reward, mean rewards known.

The class holds every table Q (S,A) with |V| <= B/2, V(s) = max_a Q(s,a), and every gain J <= cap. At the first step,
and whenever the excess loss of the hypothesis in play has reached 4 beta on all data, old and new,

    f = (Q, J) becomes the hypothesis of largest gain among those with excess <= beta,

and its greedy action is played. The maximum is exact: the excess is least over Q for given (V, J, policy) in closed
form, the rest is a cone program for each deterministic policy, and these are solved in the order of a certified bound
until no other policy can be better (`mdps.loop.tabular`). Largest number of policies A^S enumerated: `limit`. beta, the
trigger and their variants: `mdps.learners._loop_tabular`. Ties: lowest policy; V of least sum of squares.

State: Q (S,A), V (S,), J (1,), pi (S,) of the hypothesis in play; N (S,A) visits, moves (S,A,S) transitions; upsilon
(1,) its excess loss on all data, loss (S,A) its terms, ahead (S,A) = n P_hat V; at_plan (1,) its excess when it was
chosen; bound (1,) certified upper bound on the largest gain then; before (S,A) visits then; switches (1,) optimisations
so far, the first included; programs (1,) cone programs solved so far. Fails where no hypothesis is left: `span` is
below the true span, or beta too small; nothing is clipped. Cost: O(1) a step; a plan A^S linear systems and a few cone
programs.

Source: he2024, Algorithm 1 [recalled]; the reduction of its optimisation [derived].
"""

from __future__ import annotations

from typing import Any

from mdps.learners._loop_tabular import learner_as
from mdps.loop.tabular import Empirical, Optimistic, optimise


def step(data: Empirical, p: Any) -> Optimistic:
    """The hypothesis of largest gain in the confidence set."""
    return optimise(data, p.beta, p.span, p.cap, p.limit)


learner = learner_as(
    "loop",
    step,
    "The class, beta and the choice among maximisers are not the paper's, which has general classes and an unspecified "
    "constant: all tables with |V| <= span/2, derived beta, lowest policy and least squares of V.",
    limit=1_000_000,
)
