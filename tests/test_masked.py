"The collection of planted defenses: what they are, and that the checks find them on other clips and with another network, too."

import pytest

from videopure import check_defense, moving_shapes, tiny_classifier
from videopure.masked import HONEST, MASKED

BUDGET = {"steps": 6, "queries": 8, "draws": 1, "grid": [], "eot": 2, "progress": False}


def test_there_are_enough_of_both():
    assert len(MASKED) >= 20 and len(HONEST) >= 8 and not MASKED.keys() & HONEST.keys()
    assert all(one.about and one.check for one in MASKED.values()) and not any(one.check for one in HONEST.values())


@pytest.mark.parametrize("name", [*MASKED, *HONEST])
def test_each_is_made_anew_and_answers_clips(name):
    classifier, (clips, _) = tiny_classifier(), moving_shapes(2, seed=93_000)
    one = (MASKED | HONEST)[name]
    assert one.make(classifier) is not one.make(classifier) or name == "bare"
    assert one.make(classifier)(clips).shape == (2, 10)


@pytest.mark.slow
@pytest.mark.parametrize("name", [*MASKED, *HONEST])
def test_checks_find_the_planted_ones_and_leave_the_honest_ones_alone(name):
    clips, labels = moving_shapes(4, seed=93_001)
    one = (MASKED | HONEST)[name]
    report = check_defense(one.make(tiny_classifier("robust")), clips, labels, eps=16 / 255, **BUDGET)
    failed = [check.name for check in report.checks if check.verdict == "failed"]
    assert one.check in failed if one.check else not failed, failed
