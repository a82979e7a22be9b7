"""Intervals, medians and p-values: as scipy has them, or as one counts them by hand, and never surer than they may be. (notebook 13d)"""

import itertools
import math

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from videopure.statistics import Accuracy, Median, Paired, clustered, flip_test, holm
from videopure.video import VideoPureError


def test_wilson_interval_is_scipys():
    for n in (1, 2, 7, 30, 1000):
        for right in {0, 1, n // 3, n - 1, n}:
            want = binomtest(right, n).proportion_ci(method="wilson")
            assert Accuracy(right, n).interval == pytest.approx((want.low, want.high), abs=1e-6)


@pytest.mark.parametrize("right, n", [(0, 0), (-1, 3), (4, 3)])
def test_no_accuracy(right, n):
    with pytest.raises(VideoPureError, match="no accuracy"):
        Accuracy(right, n)


def test_mcnemar_is_scipys():
    for b, c in itertools.product((0, 1, 4, 30, 700), repeat=2):
        want = binomtest(b, b + c).pvalue if b + c else 1.0
        assert Paired(3, b, c, 2).p == pytest.approx(want, rel=1e-6)


# ---------------------------------------------------------------- groups, several questions


def test_flips_are_counted_as_by_trying_all():
    random = np.random.default_rng(0)
    for _ in range(30):
        some = random.integers(-4, 7, random.integers(1, 11)).tolist()
        totals = [abs(sum(s * d for s, d in zip(signs, some))) for signs in itertools.product((1, -1), repeat=len(some))]
        assert flip_test(some) == sum(total >= abs(sum(some)) for total in totals) / len(totals)


def test_flips_known_by_hand():
    assert flip_test([2, 5, 1, 1, 3, 2, 1, 4]) == 2 / 256
    assert flip_test([3, -1]) == 1.0  # totals 4, 2, -2, -4: all as large
    assert flip_test([3, 3, -1]) == 4 / 8  # 7 and 5, and their opposites
    assert flip_test([0, 0, 0]) == 1.0


def test_clips_alone_are_mcnemars_test():
    for b, c in itertools.product((0, 1, 4, 30, 200), repeat=2):
        if b + c:
            assert flip_test([1] * b + [-1] * c + [0] * 3) == pytest.approx(Paired(3, b, c, 2).p, rel=1e-9)


@pytest.mark.parametrize("differences", [[], [0.5], "ab", [None], 3])
def test_no_differences(differences):
    with pytest.raises(VideoPureError):
        flip_test(differences)


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.5]) == [1.0, 1.0] and holm([]) == []
    ps = np.random.default_rng(0).random(20).tolist()
    assert all(p <= corrected <= min(1, 20 * p) for p, corrected in zip(ps, holm(ps)))


@pytest.mark.parametrize("ps", [[1.5], [-0.1], [math.nan], ["x"], None])
def test_no_p_values(ps):
    with pytest.raises(VideoPureError):
        holm(ps)


# ---------------------------------------------------------------- medians


def test_the_interval_of_a_median_is_as_short_as_it_may_be():
    "The probability that the true median lies outside is at most 2.5 % on either side, and would be more with the next number."
    for n in (1, 5, 6, 7, 20, 101):
        found = Median.of(range(1, n + 1))
        k = int(found.low) if math.isfinite(found.low) else 0
        assert binom.cdf(k - 1, n, 0.5) <= 0.025 < binom.cdf(k, n, 0.5)
        assert found.high == (n + 1 - k if k else math.inf) and found.value == (n + 1) / 2
    assert math.isinf(Median.of([1] * 5).high) and Median.of([1] * 6).high == 1


def test_the_median_of_what_never_broke():
    inf = math.inf
    assert Median.of([inf] * 10).value == Median.of([inf] * 10).low == inf
    assert Median.of([1, 2, 3, 4, 5, 6, inf, inf, inf]) == Median(5, 2, inf, 9)
    assert Median.of([1, inf]).value == inf  # half of the clips, and no more, are known to break


@pytest.mark.parametrize("values", [[], [math.nan, 1.0]])
def test_no_median(values):
    with pytest.raises(VideoPureError, match="no median"):
        Median.of(values)


# -- clips that depend on each other ------------------------------------------------------------------------------------------------------


def test_clips_of_a_group_count_for_less():
    groups = [f"g{i // 6}" for i in range(48)]
    alike, mixed = [i < 24 for i in range(48)], [i % 2 == 0 for i in range(48)]
    narrow, wide = clustered(mixed, groups), clustered(alike, groups)
    assert (narrow.right, narrow.n) == (wide.right, wide.n) == (24, 48)
    assert wide.independent < 8 < narrow.independent <= 48 * (1.959964 / 2.3646) ** 2 + 1e-6
    width = lambda a: a.interval[1] - a.interval[0]
    assert width(wide) > width(narrow) > width(Accuracy(24, 48))
    assert clustered([True] * 48, groups).independent == clustered([False] * 48, groups).independent == 8
    assert clustered([True, False], "aa").independent == 1


def test_each_clip_its_own_group_is_nearly_wilson():
    outcomes = [i % 10 > 0 for i in range(400)]
    low, high = clustered(outcomes, range(400)).interval
    assert (low, high) == pytest.approx(Accuracy.of(outcomes).interval, abs=0.002)


@pytest.mark.parametrize("groups", [[], ["a"], ["a", "b", "c"]])
def test_groups_that_do_not_fit_are_refused(groups):
    with pytest.raises(VideoPureError, match="a group for each outcome"):
        clustered([True, False], groups)


@pytest.mark.parametrize("values", [[], [float("nan")], [-float("inf"), float("inf")], [-float("inf"), 1.0]])
def test_no_median_of_what_has_none(values):
    with pytest.raises(VideoPureError, match="no median"):
        Median.of(values)
