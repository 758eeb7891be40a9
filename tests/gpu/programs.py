"""Kernels run on a CUDA device or in the simulator: `python -m tests.gpu.programs` prints their results as JSON.

One thread computes the known answers of Philox, doubles at addresses, and the elementary functions and samplers on a
table of inputs; floats are printed exactly (as hexadecimal). Used in the test's own process where there is a
device, and in a process of its own for the simulator.
"""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import numpy as np

from theorylab.compiler import kernel, u64
from theorylab.rng import LEARNER, Rng, draw, draw_indexed, philox
from theorylab.special import beta, exp, gamma, log, normal, normal_inverse

ONES = 0xFFFFFFFF
#: counter and key, then the four words that Random123 publishes for them
KNOWN = [
    ((0, 0, 0, 0, 0, 0), (0x6627E8D5, 0xE169C58D, 0xBC57AC4C, 0x9B00DBD8)),
    ((ONES,) * 6, (0x408F276D, 0x41C83B0E, 0xA20BC7C6, 0x6D5451FD)),
    (
        (0x243F6A88, 0x85A308D3, 0x13198A2E, 0x03707344, 0xA4093822, 0x299F31D0),
        (0xD16CFE09, 0x94FDCCEB, 0x5001E420, 0x24126EA1),
    ),
]
X = np.array(
    [0.0, -0.0, -1.0, math.inf, -math.inf, math.nan, 5e-324, 1e-310, 2.0**-1022, 1e300, 1.0, 0.5, 0.7071, 0.99, 1.01,
     3.7, 1e-9, 700.0, -700.0, 709.7, 1e-17, 0.075, 0.925, 1e-200, 12345.678]
)  # fmt: skip
SHAPES = np.array([0.3, 1.0, 2.5, 40.0])


@kernel
def compute(words, answers, k0, k1, x, functions, shapes, samples):  # type: ignore[no-untyped-def]
    """Fill `answers` (n,4) with Philox blocks, `functions` (m,3) and `samples` (s,6); all arrays are given."""
    for i in range(words.shape[0]):
        a, b, c, d = philox(words[i, 0], words[i, 1], words[i, 2], words[i, 3], words[i, 4], words[i, 5])
        answers[i, 0] = a
        answers[i, 1] = b
        answers[i, 2] = c
        answers[i, 3] = d
    for i in range(x.shape[0]):
        functions[i, 0] = log(x[i])
        functions[i, 1] = exp(x[i])
        functions[i, 2] = normal_inverse(x[i])
    rng = Rng(k0, k1, u64(7))
    for i in range(shapes.shape[0]):
        u, v = draw(rng, i, 2, LEARNER)
        w, _ = draw_indexed(rng, i, 2, LEARNER, 3)
        g, _ = gamma(rng, i, 3, LEARNER, shapes[i], 0)
        samples[i, 0] = u
        samples[i, 1] = v
        samples[i, 2] = w
        samples[i, 3] = normal(rng, i, 4, LEARNER)
        samples[i, 4] = g
        samples[i, 5] = beta(rng, i, 5, LEARNER, shapes[i], 1.5)


def inputs() -> tuple[list[Any], list[Any]]:
    """Arguments of `compute`, and those of them that it fills."""
    words = np.array([w for w, _ in KNOWN], dtype=np.uint64)
    answers = np.zeros((len(KNOWN), 4), dtype=np.uint64)
    functions, samples = np.zeros((X.size, 3)), np.zeros((SHAPES.size, 6))
    k0, k1 = np.uint64(123), np.uint64(456)
    return [words, answers, k0, k1, X, functions, SHAPES, samples], [answers, functions, samples]


def results(out: list[Any]) -> dict[str, Any]:
    """What `compute` found, exactly."""
    answers, functions, samples = (np.asarray(x) for x in out)
    return dict(
        philox=[[int(w) for w in row] for row in answers],
        functions=[[float(v).hex() for v in row] for row in functions],
        samples=[[float(v).hex() for v in row] for row in samples],
    )


def on_python() -> dict[str, Any]:
    """On the python target: unsigned words as Python integers."""
    arguments, out = inputs()
    arguments[0] = arguments[0].astype(object)
    compute.build("python")(*[int(v) if isinstance(v, np.uint64) else v for v in arguments])
    return results(out)


def on_cpu() -> dict[str, Any]:
    """On the cpu target."""
    arguments, out = inputs()
    compute.build("cpu")(*arguments)
    return results(out)


def on_cuda() -> dict[str, Any]:
    """On the CUDA target, one thread."""
    from theorylab.device import require, uncontracted

    cuda = require()
    arguments, _ = inputs()
    moved = [cuda.to_device(v) if isinstance(v, np.ndarray) else v for v in arguments]
    with uncontracted(), np.errstate(all="ignore"):
        compute.compile_cuda()[1, 1](*moved)
        cuda.synchronize()
    return results([moved[j].copy_to_host() for j in (1, 5, 7)])


if __name__ == "__main__":
    sys.stdout.write(json.dumps(on_cuda()))
