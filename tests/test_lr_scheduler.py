"""Learning-rate schedules: the figures of MXNet 1.9.1, and what cannot be asked for."""

import pytest

from numblocks import lr_scheduler


def test_factor():
    s = lr_scheduler.FactorScheduler(2, 0.5, base_lr=1.0)
    assert [s(n) for n in range(1, 8)] == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.125]


def test_factor_stops():
    s = lr_scheduler.FactorScheduler(1, 0.1, stop_factor_lr=0.05, base_lr=1.0)
    assert s(50) == 0.05


def test_multi_factor():
    s = lr_scheduler.MultiFactorScheduler([2, 4], 0.5, base_lr=1.0)
    assert [s(n) for n in range(1, 8)] == [1, 1, 0.5, 0.5, 0.25, 0.25, 0.25]


def test_cosine_with_warmup():
    s = lr_scheduler.CosineScheduler(5, base_lr=1.0, final_lr=0.1, warmup_steps=2)
    assert [s(n) for n in range(6)] == pytest.approx([0, 0.5, 1, 0.775, 0.325, 0.1])
    assert s(100) == pytest.approx(0.1) == s.base_lr


def test_poly():
    s = lr_scheduler.PolyScheduler(4, base_lr=1.0, pwr=1, final_lr=0.2)
    assert [s(n) for n in range(6)] == pytest.approx([1, 0.8, 0.6, 0.4, 0.2, 0.2])


def test_constant_warmup():
    s = lr_scheduler.FactorScheduler(
        10, base_lr=1.0, warmup_steps=3, warmup_begin_lr=0.2, warmup_mode="constant"
    )
    assert [s(n) for n in range(5)] == [0.2, 0.2, 0.2, 1, 1]


def test_a_new_start_moves_the_whole_schedule():
    s = lr_scheduler.CosineScheduler(4, base_lr=1.0, warmup_steps=2)
    s.start_from(2.0)
    assert [s(n) for n in range(5)] == pytest.approx([0, 1, 2, 1, 0])


@pytest.mark.parametrize(
    "make",
    [
        lambda: lr_scheduler.LRScheduler(warmup_steps=-1),
        lambda: lr_scheduler.LRScheduler(0.1, 5, 0.2),
        lambda: lr_scheduler.LRScheduler(warmup_mode="sudden"),
        lambda: lr_scheduler.FactorScheduler(0),
        lambda: lr_scheduler.FactorScheduler(1, 2),
        lambda: lr_scheduler.MultiFactorScheduler([3, 2]),
        lambda: lr_scheduler.MultiFactorScheduler([]),
        lambda: lr_scheduler.CosineScheduler(0),
        lambda: lr_scheduler.PolyScheduler(3, warmup_steps=3),
    ],
)
def test_refused(make):
    with pytest.raises(ValueError):
        make()


def test_base_has_no_schedule():
    with pytest.raises(NotImplementedError):
        lr_scheduler.LRScheduler()(1)
