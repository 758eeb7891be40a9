"""Wei, Jafarnia-Jahromi, Luo, Sharma, Jain 2020: two model-free learners for the average reward, rewards in [0, 1].

Optimistic Q-learning (weakly communicating MDPs, sp the span of the optimal bias), by discounting with gamma:

    theorem 1    regret(T) <= O~(sp (S A)^{1/3} T^{2/3}) for gamma = 1 - (SA/T)^{1/3}                 [order: source]
    lemma 2      |g* - (1-gamma) V*_gamma(s)| <= (1-gamma) sp, sp(V*_gamma) <= 2 sp                   [recalled]
    lemma 3      0 <= Qhat - Q*_gamma <= sum_i a_n^i gamma (Vhat - V*_gamma)(s_i') + 12 sp sqrt((H/n) ln(2T/delta)),
                 n >= 1 visits, with probability 1 - delta                                            [recalled]

The level of lemma 3 is derived here: r + gamma V*(s') moves in an interval of length D = gamma sp(V*_gamma) (one more
where rewards are random), sum_i (a_n^i)^2 <= 2H/n for real H >= 1, so a pair and a count fail on one side with
probability at most exp(-b_n^2 n / (H D^2)) = (delta/2T)^(16 scale^2 sp^2 / D^2), and there are S A T of them. The start
H must not lie below Q*: H = 1/(1-gamma) never does, gamma/(1-gamma) of the authors' code does where the gain is near 1.

MDP-OOMD (ergodic MDPs: every policy irreducible and aperiodic), one bandit in each state:

    regret       O~(sqrt(t_mix^3 rho A T)), rho = max over policies of sum_s m*(s)/m(s) <= t_hit      [recalled]
    lemma        regret against pi* is the sum of regrets of the bandits, weighted by m*              [recalled]
    estimator    right in the mean for the reward of N steps, off N g + q by a bias after N steps     [derived]

Rewards need not be known by either. The steps are named q-... and oomd-...
"""

from __future__ import annotations

from proofs_check.papers import _model_free_lemmas as lemmas
from proofs_check.papers._oomd_steps import CLAIMS as OOMD
from proofs_check.papers._optimistic_q_steps import CLAIMS as OPTIMISTIC_Q
from theorylab.claim import Claim, Pointwise

RATES = Claim(
    id="wei2020.rates",
    text="For real H >= 1 the weights a_n^i of a_n = (H+1)/(H+n) sum to one, are at most 2H/n, sum_i (a_n^i)^2 <= "
    "2H/n, "
    "1/sqrt(n) <= sum_i a_n^i / sqrt(i) <= 2/sqrt(n), sum_{n >= i} a_n^i <= 1 + 1/H; gamma (1 + 1/H) <= 1 for both H.",
    source_tag="recalled",
    scope="models",
    learner="optimistic-q",
    kind=Pointwise(),
    quantity=lemmas.rates,
    false_twin=lemmas.false_rates,
    instances={},
)

claims = [
    *OPTIMISTIC_Q,
    *OOMD,
    RATES,
    *(Claim.of(x) for x in (lemmas.CLOSENESS, lemmas.DECOMPOSITION, lemmas.TRUNCATION)),
]
