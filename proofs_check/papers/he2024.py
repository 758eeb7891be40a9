"""He, Zhong, Yang 2024: LOOP and MLE-LOOP, average reward with general function approximation.

    theorem 1   with probability 1 - 5 delta, regret(T) <= O(sp(V*) d sqrt(T beta)), d = max(sqrt(d_G), kappa_G) of the
                average-reward generalised eluder coefficients, beta = c ln(T N^2 / delta) sp(V*), constants unspecified
                [recalled]
    theorem 2   the same for MLE-LOOP with a bracketing number [recalled]

Of the paper's text the abstract, its reviews and the list of its algorithms were at hand [source]; its body is
recalled, and every statement with explicit constants is derived. Steps stand in a file for each class of hypotheses.
"""

from __future__ import annotations

from proofs_check.papers._loop_evi_steps import CLAIMS as EVI
from proofs_check.papers._loop_lemmas import CLAIMS as LEMMAS
from proofs_check.papers._loop_linear_steps import CLAIMS as LINEAR
from proofs_check.papers._loop_models_steps import CLAIMS as MODELS
from proofs_check.papers._loop_tabular_steps import CLAIMS as TABULAR
from proofs_check.papers._loop_values_steps import CLAIMS as VALUES
from proofs_check.papers._mle_loop_steps import CLAIMS as MLE

claims = [*MODELS, *MLE, *TABULAR, *VALUES, *EVI, *LEMMAS, *LINEAR]
