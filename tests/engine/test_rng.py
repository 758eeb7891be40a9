"""Philox4x32-10 against published answers and an independent transcription; the addressed draws built on it."""

from __future__ import annotations

import numpy as np
import pytest

from tests.gpu.programs import KNOWN, on_cpu, on_python
from theorylab.errors import InputError
from theorylab.rng import CONTROL, ENVIRONMENT, INITIAL, LEARNER, Rng, draw, draw_indexed, key_words, philox, uniforms


def reference(counter: tuple[int, int, int, int], key: tuple[int, int], rounds: int = 10) -> tuple[int, ...]:
    """Philox4x32 as Salmon et al. (2011) define it: high and low halves of two products, on Python integers."""
    x0, x1, x2, x3 = counter
    for i in range(rounds):
        y0 = (key[0] + i * 0x9E3779B9) % 2**32
        y1 = (key[1] + i * 0xBB67AE85) % 2**32
        high0, low0 = divmod(0xD2511F53 * x0, 2**32)
        high1, low1 = divmod(0xCD9E8D57 * x2, 2**32)
        x0, x1, x2, x3 = high1 ^ x1 ^ y0, low1, high0 ^ x3 ^ y1, low0
    return x0, x1, x2, x3


def reference_draw(seed: int, visit: int, site: int, replicate: int, word: int) -> tuple[float, float]:
    a, b, c, d = reference((visit, site, replicate, word), (seed % 2**32, seed >> 32))
    return (a * 2**21 + (b >> 11)) / 2**53, (c * 2**21 + (d >> 11)) / 2**53


def words(seed: int, replicate: int) -> Rng:
    k0, k1 = key_words(seed)
    return Rng(int(k0), int(k1), replicate)


@pytest.mark.parametrize(("given", "expected"), KNOWN, ids=["zeros", "ones", "pi"])
def test_known_answers(given: tuple[int, ...], expected: tuple[int, ...]) -> None:
    assert reference(given[:4], given[4:]) == expected  # type: ignore[arg-type]
    assert philox(*given) == expected


def test_known_answers_and_draws_on_the_cpu() -> None:
    found = on_cpu()
    assert found["philox"] == [list(w) for _, w in KNOWN]
    assert found == on_python()


def test_blocks_equal_the_reference() -> None:
    generator = np.random.Generator(np.random.Philox(5))
    for row in generator.integers(0, 2**32, size=(200, 6)).tolist():
        assert philox(*row) == reference(tuple(row[:4]), tuple(row[4:]))


def test_a_draw_is_the_reference_at_its_address() -> None:
    seed, replicate = 0xDEADBEEF_01234567, 41
    rng = words(seed, replicate)
    for visit, site, purpose in [(0, 0, ENVIRONMENT), (17, 3, LEARNER), (2**32 - 1, 2**31, INITIAL), (5, 5, CONTROL)]:
        assert draw(rng, visit, site, purpose) == reference_draw(seed, visit, site, replicate, purpose)
        for index in (0, 1, 2**24 - 1):
            expected = reference_draw(seed, visit, site, replicate, purpose + 256 * index)
            assert draw_indexed(rng, visit, site, purpose, index) == expected


def test_uniforms_are_the_draws_of_many_replicates() -> None:
    replicates = np.array([0, 1, 7, 2**32 - 1])
    for seed, visit, site, purpose in [(0, 0, 0, 0), (2**64 - 1, 9, 12, LEARNER), (2**40 + 5, 2**32 - 1, 1, CONTROL)]:
        expected = [draw(words(seed, int(r)), visit, site, purpose)[0] for r in replicates]
        assert uniforms(seed, replicates, visit, site, purpose).tolist() == expected


def test_addresses_do_not_share_draws() -> None:
    base = draw(words(1, 2), 3, 4, ENVIRONMENT)
    others = [
        draw(words(2, 2), 3, 4, ENVIRONMENT),
        draw(words(1 + 2**32, 2), 3, 4, ENVIRONMENT),
        draw(words(1, 3), 3, 4, ENVIRONMENT),
        draw(words(1, 2), 4, 4, ENVIRONMENT),
        draw(words(1, 2), 3, 5, ENVIRONMENT),
        draw(words(1, 2), 3, 4, LEARNER),
        draw_indexed(words(1, 2), 3, 4, ENVIRONMENT, 1),
    ]
    assert len({u for pair in [base, *others] for u in pair}) == 2 * (1 + len(others))
    assert draw_indexed(words(1, 2), 3, 4, ENVIRONMENT, 0) == base


def test_doubles_lie_in_the_unit_interval_at_its_ends() -> None:
    from theorylab.rng import double

    assert double(0, 0) == 0.0
    assert double(0, 2**11 - 1) == 0.0  # the low 11 bits are dropped
    assert double(0, 2**11) == 2.0**-53
    assert double(2**32 - 1, 2**32 - 1) == 1.0 - 2.0**-53


@pytest.mark.parametrize("seed", [-1, 2**64, 1.0, True, "1", None])
def test_seeds_out_of_range_are_refused(seed: object) -> None:
    with pytest.raises(InputError, match=r"seed .* is not an integer in \[0, 2\^64\)"):
        key_words(seed)  # type: ignore[arg-type]


def test_seeds_split_into_words() -> None:
    assert [int(w) for w in key_words(0x89ABCDEF_01234567)] == [0x01234567, 0x89ABCDEF]
    assert [int(w) for w in key_words(np.int64(7))] == [7, 0]  # type: ignore[arg-type]
