"""Checks of linear agents: estimates solve their normal equations on what was seen, widths are one multiple of a norm.

The multiple itself is the agent's: only that it is one number, for every arm or pair, is tested. Features are the
model's, counts and rewards the environment's; the trait `ridge` is lambda.
"""

from __future__ import annotations

import numpy as np

from theorylab.audit.checks import EPISODIC, HELD, Check, Failure, Memory, Outcome, Scale
from theorylab.audit.world import Moment

__all__ = ["REGRESSION"]

LOOSE = 1e-6


def _one_multiple(m: Moment, excess: np.ndarray, norm: np.ndarray, cap: float, mean: np.ndarray) -> Outcome:
    """excess = multiple * norm with one multiple >= 0, wherever mean + excess is below the cap; elsewhere at least
    that."""
    below = mean + excess < cap - LOOSE
    free = below & (norm > 1e-9)
    if not free.any():
        return None
    ratio = excess[free] / norm[free]
    multiple = float(np.median(ratio))
    tol = LOOSE * max(1.0, abs(multiple))
    i = int(np.abs(ratio - multiple).argmax())
    if not abs(ratio[i] - multiple) <= tol or multiple < -tol:
        text = f"(Q - estimate)/norm = {ratio[i]:.10g} for one entry, {multiple:.10g} for most"
        return Failure.at(m, text, float(ratio[i]), multiple)
    short = ~below & (mean + multiple * norm < cap - 1e3 * LOOSE)
    if short.any():
        at = tuple(int(x) for x in np.argwhere(short)[0])
        text = f"Q{list(at)} is at its cap, estimate + width = {float((mean + multiple * norm)[at]):.10g}"
        return Failure.at(m, text, cap, float((mean + multiple * norm)[at]))
    return HELD


def _arms(m: Moment, c: Memory, s: Scale) -> Outcome:
    X = m.world.features
    if m.last or X is None or X.ndim != 2:
        return None
    V = c.traits["ridge"] * np.eye(X.shape[1]) + (X.T * m.world.visits) @ X
    mean = X @ np.linalg.solve(V, X.T @ m.world.sums)
    norm = np.sqrt(np.einsum("ai,ai->a", X, np.linalg.solve(V, X.T).T))
    return _one_multiple(m, m.read["Q"] - mean, norm, np.inf, mean)


def _pairs(m: Moment, c: Memory, s: Scale) -> Outcome:
    """LSVI: the targets of stage h are r + V_{h+1} of this plan."""
    w, phi = m.world, m.world.features
    if m.last or m.stage or phi is None or phi.ndim != 3:
        return None
    Q, V = m.read["Q"], m.read["V"]
    mean, norm = np.zeros_like(Q), np.zeros_like(Q)
    flat = phi.reshape(-1, phi.shape[-1])
    for h in range(w.H):
        Lam = c.traits["ridge"] * np.eye(flat.shape[1]) + (flat.T * w.visits[h].ravel()) @ flat
        y = (w.sums[h] + (w.moves[h] @ V[h + 1] if h + 1 < w.H else 0.0)).ravel()
        mean[h] = (flat @ np.linalg.solve(Lam, flat.T @ y)).reshape(mean[h].shape)
        norm[h] = np.sqrt(np.einsum("xi,xi->x", flat, np.linalg.solve(Lam, flat.T).T)).reshape(mean[h].shape)
    return _one_multiple(m, Q - mean, norm, float(s.cap[0]), mean)


def _targets(m: Moment, c: Memory, s: Scale) -> Outcome:
    """Value-targeted regression: samples phi_V(s,a), V(s') with V = V_{h+1} of the episode's own plan."""
    w, phi = m.world, m.world.features
    if phi is None or phi.ndim != 4:
        return None
    d, H, V = phi.shape[-1], w.H, m.read["V"]
    G = 1 if c.traits["one_regression"] else H
    Sigma, b = c.more.setdefault("vtr", (np.stack([c.traits["ridge"] * np.eye(d)] * G), np.zeros((G, d))))
    last = c.more.pop("sample", None)
    if last is not None:  # its next state is known now; after the last stage the value is 0
        g, x, ahead = last
        Sigma[g] += np.outer(x, x)
        b[g] += x * (ahead[m.state] if m.stage else 0.0)
    if m.last:
        return None
    out: Outcome = None
    if m.stage == 0:
        mean, norm = np.zeros_like(m.read["Q"]), np.zeros_like(m.read["Q"])
        for h in range(H):
            g = min(h, G - 1)
            x = np.einsum("sayi,y->sai", phi, V[h + 1] if h + 1 < H else np.zeros(w.S))
            mean[h] = w.means(2) + x @ np.linalg.solve(Sigma[g], b[g])
            norm[h] = np.sqrt(np.einsum("sai,ij,saj->sa", x, np.linalg.inv(Sigma[g]), x))
        kinds = [slice(None)] if G == 1 else [slice(h, h + 1) for h in range(H)]
        for k in kinds:
            found = _one_multiple(m, (m.read["Q"] - mean)[k], norm[k], float(s.cap[0]), mean[k])
            out = found if found is not None and out in (None, HELD) else out
    if m.stage + 1 < H:
        x = np.einsum("yi,y->i", phi[m.state, m.action], V[m.stage + 1])
        c.more["sample"] = (min(m.stage, G - 1), x, V[m.stage + 1])
    elif m.stage + 1 == H:
        c.more["sample"] = (min(m.stage, G - 1), np.zeros(d), np.zeros(w.S))
    return out


REGRESSION = (
    Check("ridge", "index = ridge estimate + one multiple of the norm", "invariant", ("Q",), ("bandit",), _arms,
          "ridge"),
    Check("least-squares", "Q = least squares on the targets of this plan + one multiple of the norm", "invariant",
          ("Q", "V"), EPISODIC, _pairs, "ridge"),
    Check("value-targets", "Q = r + regression on the values of each episode + one multiple of the norm", "invariant",
          ("Q", "V"), EPISODIC, _targets, "ridge"),
)  # fmt: skip
