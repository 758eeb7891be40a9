"""Sokota et al. 2023: magnetic mirror descent (MMD); and mirror descent with common payoffs, of Sokota et al. 2024.

F minus the payoffs g of both players, monotone in zero-sum games; psi the dilated entropy, in one-shot games the sum of
negative entropies; B its Bregman divergence, B(z; w) = sum over infosets of z(before) KL(z, w); eta the stepsize
(1/reward), alpha the temperature (reward), rho the magnet, R the range of payoffs; z_{t+1} = (x', y'), z_t = (x, y).

    theorem 3.4    eta <= alpha / L^2, F L-smooth, psi 1-strongly convex: B(z*; z_{t+1}) <= B(z*; z_t) / (1 + eta
                   alpha), z* the quantal response equilibrium; of a matrix game L = max|A| [source]
    half range     the same with L = (max A - min A) / 2 [derived]
    trees          the same with K of `_mmd_claims` for L / mu_psi: corollary D.6, repaired [derived]. The experiments'
                   eta = alpha / max|A|^2 on trees is beyond every such condition. Measured beside it: the rate holds
                   on Kuhn poker, Leduc poker and 2x2 Dark Hex and fails on 4-sided Liar's Dice, where B falls by a
                   factor 0.097 in a step at alpha = 0.2 and 1 / (1 + eta alpha) = 0.089
    prop. 2.4      the limit in sequence form is the equilibrium of the reduced normal form: the gap vanishes [source]
    prop. D.7      one step is mirror descent on F + alpha grad psi with eta / (1 + eta alpha) [source]
    three points   for maximisers the optimality of z_{t+1} and of z* add up to an equality [derived],
                   (1 + eta alpha) B(z*; z_{t+1}) + B(z_{t+1}; z_t) + eta alpha B(z_{t+1}; z*)
                     = B(z*; z_t) + eta <F(z_t) - F(z_{t+1}), z* - z_{t+1}>;
                   the theorem is this, and the last term at most what stands on the left besides the first
    equation 12    at an infoset p' maximises eta <q,p> - alpha eta KL(p,rho) - KL(p,p_t); q the action values under the
                   old joint policy on condition that the infoset is reached [source]
    fixed points   with a uniform magnet: agent quantal response equilibria, softmax(q/alpha) [source; no proof]
    pennies        matching pennies +-1, alpha < 1: near even play a step of both turns the pair of log odds l by a
                   matrix of |lambda|^2 = (1 + eta^2) / (1 + eta alpha)^2, as q differs by 2 tanh(l/2) = l: below 1 iff
                   eta < 2 alpha / (1 - alpha^2) [derived]. Alternating updates have |lambda|^2 = 1 / (1 + eta alpha)^2

Common payoffs, alpha = 0, both players at once:

    theorem 1      of sokota2024: for a small enough eta the value never falls [source: papers that quote it]
    one-shot       the value changes by <dx, A y> + <x, A dy> + <dx, A dy>; three points make the first two
                   (KL(x',x) + KL(x,x') + KL(y',y) + KL(y,y')) / eta >= (|dx|_1^2 + |dy|_1^2) / eta, the last is at
                   least - (R/2) |dx|_1 |dy|_1 >= - (R/4) (|dx|_1^2 + |dy|_1^2): no loss for eta <= 4 / R [derived]

Lemmas on all small instances: `proofs_check.lemmas.magnetic`, `proofs_check.lemmas.update_equivalence`.
"""

from __future__ import annotations

from proofs_check.papers._mmd_action_claims import ON_DESCENT, ON_MMD
from proofs_check.papers._mmd_dilated_claims import CLAIMS as ON_DILATED
from proofs_check.papers._sokota2023_lemmas import LEMMAS

claims = [*ON_DILATED, *ON_MMD, *ON_DESCENT, *LEMMAS]
