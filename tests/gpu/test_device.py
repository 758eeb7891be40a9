"""The CUDA target: on a real device (marker `gpu`) it gives the bits of the cpu target; without one it says so."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from tests.gpu import programs
from theorylab import device
from theorylab.conformance import default_models, digests, small_run, watched
from theorylab.errors import InputError
from theorylab.learner import Learner
from theorylab.registry import find_learner, iter_specs
from theorylab.simulation import Simulation

LEARNERS = list(iter_specs("learners"))


@pytest.mark.gpu
@pytest.mark.parametrize("learner", LEARNERS, ids=[f"{x.name}-{x.setting}" for x in LEARNERS])
@pytest.mark.parametrize("replicates", [1, 64, 200])
def test_a_learner_on_a_device(learner: Learner, replicates: int) -> None:
    expected = digests(small_run(learner, target="cpu", replicates=replicates, length=50))
    found = digests(small_run(learner, target="cuda", replicates=replicates, length=50))
    assert [k for k in expected if found[k] != expected[k]] == []


@pytest.mark.gpu
@pytest.mark.parametrize("setting", ["bandit", "episodic", "average"])
def test_other_reward_laws_and_alias_tables_on_a_device(setting: str) -> None:
    for model in default_models(setting)[1:]:
        runs = [
            Simulation(
                find_learner("uniform", setting), model, replicates=40, length=60, seed=3, target=target
            ).advance()
            for target in ("cpu", "cuda")
        ]
        assert digests(runs[0]) == digests(runs[1])


@pytest.mark.gpu
@pytest.mark.parametrize("setting", ["bandit", "episodic", "average"])
def test_stop_and_resume_across_targets(setting: str) -> None:
    learner, model = find_learner("uniform", setting), default_models(setting)[0]

    def make(target: str) -> Simulation:
        return Simulation(learner, model, replicates=5, length=40, seed=1, target=target, **watched(setting))

    expected = digests(make("cpu").advance())
    assert digests(make("cuda").advance(7).advance(8).advance()) == expected


@pytest.mark.gpu
def test_functions_and_samplers_on_a_device() -> None:
    found = programs.on_cuda()
    assert found["philox"] == [list(words) for _, words in programs.KNOWN]
    assert found == programs.on_cpu()


def test_without_a_device_the_target_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba import cuda

    monkeypatch.setattr(cuda, "is_available", lambda: False)
    monkeypatch.setattr(cuda, "cuda_error", lambda: "no driver\nwas found")
    learner, model = find_learner("uniform", "bandit"), default_models("bandit")[0]
    simulation = Simulation(learner, model, replicates=1, length=3, target="cuda")
    with pytest.raises(
        InputError, match=r"no usable CUDA device, driver or toolkit \(no driver was found\)"
    ) as refused:
        simulation.advance()
    assert "--target cpu" in str(refused.value) and "same bits" in str(refused.value)


def test_without_numba_cuda_the_target_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    import numba

    monkeypatch.setitem(sys.modules, "numba.cuda", None)
    monkeypatch.delattr(numba, "cuda", raising=False)
    with pytest.raises(InputError, match=r"numba-cuda is missing .* install theorylab\[gpu\]"):
        device.require()


def test_contraction_is_off_only_while_a_loop_is_compiled(monkeypatch: pytest.MonkeyPatch) -> None:
    from numba.cuda.cudadrv import nvvm

    seen: list[dict[str, object]] = []
    monkeypatch.setattr(nvvm, "compile_ir", lambda ir, **options: seen.append(options))
    plain = nvvm.compile_ir
    with device.uncontracted(), device.uncontracted():
        nvvm.compile_ir("", arch="sm_90")
    nvvm.compile_ir("", arch="sm_90")
    assert nvvm.compile_ir is plain
    assert seen == [{"fma": False, "arch": "sm_90"}, {"arch": "sm_90"}]


def test_the_replicate_axis_goes_last_and_comes_back() -> None:
    x = np.arange(24).reshape(2, 3, 4)
    moved = device.last(x)
    assert moved.shape == (3, 4, 2) and moved.flags.c_contiguous
    assert (np.moveaxis(moved, -1, 0) == x).all()
    assert device.last(x[:, 0, 0]).shape == (2,)


def test_launch_copies_to_the_device_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    """The transfers of `launch`, with a stand-in for the device whose kernel counts in the state it is given."""
    log: list[object] = []

    class Array:
        def __init__(self, x: np.ndarray) -> None:
            assert x.flags.c_contiguous
            self.x = x.copy()

        def copy_to_host(self) -> np.ndarray:
            return self.x

    class Kernel:
        def __getitem__(self, grid: tuple[int, int]) -> object:
            def call(states: tuple[Array, ...], observed: tuple[Array, ...], *rest: object) -> None:
                log.append((grid, rest[-2:], rest[-5:-3]))
                for i in range(int(str(rest[-2])), int(str(rest[-1]))):
                    states[0].x[..., i] += 100 + i

            return call

    fake = SimpleNamespace(to_device=Array, synchronize=lambda: None)
    monkeypatch.setattr(device, "require", lambda: fake)
    learner, model = find_learner("ucb-h", "episodic"), default_models("episodic")[0]
    simulation = Simulation(learner, model, replicates=70, length=9, target="cuda")
    monkeypatch.setattr(type(simulation.entry), "compile_cuda", lambda self, **bind: Kernel())
    name = next(iter(simulation.state))
    before = simulation.state[name]
    simulation.advance(4)
    assert simulation.state[name] is before  # in place
    assert (before.reshape(70, -1) == 100 + np.arange(70)[:, None]).all()
    assert log == [((1, 64), (0, 0), (0, 4)), ((2, 64), (0, 70), (0, 4))]
