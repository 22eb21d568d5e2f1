"""How long a call may go on, and what is said about it."""

import pytest

from components.core.allowance import GOODBYE_S, NO_CAP, NO_PRICE, Allowance, Limits, Verdict
from components.protocol.prices import Cost


def begun(**limits):
    allowance = Allowance(Limits(**limits))
    allowance.begin(100.0)
    return allowance


def said(allowance, now, answering=False):
    verdict = allowance.verdict(now, answering)
    assert not verdict.over
    return verdict.sentence


def test_call_without_limits_never_ends():
    allowance = begun()
    allowance.spend(Cost(10**9, unknown=10**9))

    assert allowance.verdict(10**9, False) is None


def test_call_that_has_not_begun_has_all_its_time():
    assert Allowance(Limits(10, 10, 10)).verdict(10**9, False) is None


def test_time_counts_from_the_first_connection_only():
    allowance = begun(call_s=60)
    allowance.begin(150.0)

    assert allowance.verdict(160.0, False).over


def test_time_is_counted_down_and_then_up():
    allowance = begun(call_s=60)

    assert allowance.verdict(160.0 - GOODBYE_S - 0.1, False) is None
    assert said(allowance, 131.5) == "This call ends in 29 seconds."
    assert said(allowance, 159.5) == "This call ends in 1 second."
    assert allowance.verdict(160.0, True) == Verdict(
        True, "The time for this call is up. You can start another."
    )


def test_silent_call_is_asked_for_a_minute_before_it_ends():
    allowance = begun(idle_s=600)
    question = "Nobody has spoken for 10 minutes. Say something, or the call ends in"

    assert allowance.verdict(699.9, False) is None
    assert said(allowance, 700.0) == f"{question} 60 seconds."
    assert said(allowance, 759.5) == f"{question} 1 second."
    assert allowance.verdict(760.0, False) == Verdict(
        True, "The call has ended because nobody spoke. You can start another."
    )


@pytest.mark.parametrize(
    ("idle_s", "sentence"),
    [
        (10, "Nobody has spoken for 10 seconds. Say something, or the call ends in 5 seconds."),
        (1, "Nobody has spoken for 1 second. Say something, or the call ends in 1 second."),
        (60, "Nobody has spoken for 60 seconds. Say something, or the call ends in 30 seconds."),
        (90, "Nobody has spoken for 90 seconds. Say something, or the call ends in 45 seconds."),
    ],
)
def test_short_patience_leaves_less_time_for_the_question(idle_s, sentence):
    allowance = begun(idle_s=idle_s)

    assert said(allowance, 100.0 + idle_s) == sentence
    assert allowance.verdict(100.0 + 1.5 * idle_s, False).over


def test_a_word_withdraws_the_question():
    allowance = begun(idle_s=600)
    allowance.active(750.0)
    allowance.active(300.0)

    assert allowance.verdict(760.0, False) is None
    assert said(allowance, 1350.0).startswith("Nobody has spoken")


def test_end_of_the_time_is_more_urgent_than_silence():
    allowance = begun(call_s=100, idle_s=80)

    assert said(allowance, 185.0) == "This call ends in 15 seconds."
    assert "time" in allowance.verdict(200.0, False).sentence


def test_silence_may_end_the_call_before_its_time():
    allowance = begun(call_s=140, idle_s=80)

    assert "nobody spoke" in allowance.verdict(220.0, False).sentence


def test_call_that_has_cost_all_it_may_ends_after_its_answer():
    allowance = begun(cost=0.5)
    allowance.spend(None)
    allowance.spend(Cost(0.24))
    allowance.spend(Cost(0.49))
    assert allowance.verdict(101.0, False) is None

    allowance.spend(Cost(0.5))
    assert allowance.spent
    assert said(allowance, 101.0, answering=True) == (
        "This call has reached its limit of $0.50 and ends after this answer."
    )
    assert allowance.verdict(102.0, False) == Verdict(
        True, "This call has reached its limit of $0.50. You can start another."
    )


def test_tiny_limit_is_told_as_it_is():
    allowance = begun(cost=0.002)
    allowance.spend(Cost(1.0))

    assert "$0.002." in allowance.verdict(101.0, False).sentence


@pytest.mark.parametrize(
    ("costs", "spent"),
    [
        ([Cost(0.0, 9)], False),
        ([Cost(0.0, 10)], True),
        ([Cost(0.3, 0), Cost(0.3, 1)], False),
        ([Cost(0.3, 0), Cost(0.3, 2)], False),
        ([Cost(0.3, 0), Cost(0.3, 3)], True),
        ([Cost(0.01, 0), Cost(0.01, 12)], False),
        ([Cost(0.4, 0), Cost(0.5, 0), Cost(0.5, 1)], False),
        ([Cost(0.4, 0), Cost(0.5, 0), Cost(0.5, 2)], True),
    ],
)
def test_what_has_no_known_cost_counts_as_the_dearest_answer_or_as_a_tenth(costs, spent):
    allowance = begun(cost=1.0)
    for cost in costs:
        allowance.spend(cost)

    assert allowance.spent is spent


def test_what_a_transcript_costs_says_nothing_of_an_answer():
    allowance = begun(cost=1.0)
    allowance.spend(Cost(0.001), answer=False)
    allowance.spend(Cost(0.001, unknown=10), answer=True)

    assert allowance.spent


def test_call_that_ends_by_what_is_unknown_says_that_it_is_not_sure():
    allowance = begun(cost=1.0)
    allowance.spend(Cost(0.1, unknown=0))
    allowance.spend(Cost(0.1, unknown=9))

    assert allowance.verdict(101.0, False) == Verdict(
        True, "This call may have reached its limit of $1.00. You can start another."
    )


def test_call_without_a_known_price_is_never_spent():
    allowance = begun(cost=0.5)
    allowance.spend(None)

    assert not allowance.spent


# A limit that the user has chosen


def test_a_user_may_choose_a_limit_below_that_of_the_app_and_never_above():
    allowance = begun(cost=0.5)
    assert allowance.cap(0.51, Cost(0.0)) == "The limit of this app is $0.50. Choose less."
    assert allowance.capped is None
    assert allowance.cap(0.5, Cost(0.0)) == ""
    assert allowance.cap(0.055, Cost(0.0)) == ""
    assert allowance.capped == 0.055

    allowance.spend(Cost(0.054))
    assert allowance.verdict(101.0, False) is None
    allowance.spend(Cost(0.055))
    assert said(allowance, 101.0, answering=True) == (
        "This call has reached your limit of $0.055 and ends after this answer."
    )
    assert allowance.verdict(102.0, False) == Verdict(
        True, "This call has reached your limit of $0.055. You can start another."
    )


def test_a_user_may_limit_a_call_that_the_app_does_not():
    allowance = begun()
    allowance.spend(Cost(1.2345))
    assert allowance.cap(1.2345, Cost(1.2345)) == ""

    assert allowance.spent
    assert "$1.2345." in allowance.verdict(101.0, False).sentence


def test_a_limit_below_what_was_spent_can_be_taken_back_before_the_call_ends():
    allowance = begun(cost=0.5)
    allowance.spend(Cost(0.2))
    allowance.cap(0.1, Cost(0.2))
    assert said(allowance, 101.0, answering=True).endswith("ends after this answer.")

    assert allowance.cap(None, Cost(0.2)) == ""
    assert allowance.verdict(101.0, False) is None
    assert allowance.capped is None
    allowance.spend(Cost(0.5))
    assert allowance.spent


def test_taking_back_a_limit_does_not_give_more_than_the_app_allows():
    allowance = begun(cost=0.5)
    allowance.spend(Cost(0.6))
    allowance.cap(0.1, Cost(0.6))
    allowance.cap(None, Cost(0.6))

    assert allowance.spent


def test_what_has_no_known_cost_counts_against_the_users_limit_as_well():
    allowance = begun(cost=5.0)
    allowance.cap(0.1, Cost(0.0))
    allowance.spend(Cost(0.0, unknown=10))

    assert allowance.spent
    assert "may have reached your limit of $0.10." in allowance.verdict(101.0, False).sentence


@pytest.mark.parametrize("value", ["0.1", True, 0, -1, 0.0009, 1000.1, float("nan"), [], {}])
def test_what_is_no_amount_is_no_limit(value):
    allowance = begun()

    assert allowance.cap(value, Cost(0.0)) == NO_CAP
    assert allowance.capped is None


def test_without_a_price_there_is_no_limit_of_cost():
    allowance = begun()

    assert allowance.cap(0.5, None) == NO_PRICE
    assert allowance.capped is None


def test_what_a_call_has_used_elsewhere_counts_as_its_own():
    allowance = begun(call_s=60, used_s=50, cost=1.0, used_cost=0.75)
    assert said(allowance, 100.0) == "This call ends in 10 seconds."
    allowance.spend(Cost(0.2))
    assert not allowance.spent
    allowance.spend(Cost(0.25))

    assert allowance.spent
    assert allowance.counted == 0.25
    assert "has reached its limit of $1.00" in allowance.verdict(101.0, False).sentence


def test_silence_counts_from_where_the_call_goes_on():
    assert begun(idle_s=60, used_s=500).verdict(101.0, False) is None


def test_unknown_costs_count_as_they_do_for_the_limit():
    allowance = begun(cost=1.0)
    assert allowance.counted == 0.0
    allowance.spend(Cost(0.0, unknown=2))
    assert allowance.counted == pytest.approx(0.2)
    allowance.spend(Cost(0.25, unknown=2))
    assert allowance.counted == pytest.approx(0.75)


def test_a_call_can_be_ended_for_a_reason_of_others_after_the_answer_under_way():
    allowance = begun(cost=1.0)
    allowance.answer_no_more("Try again tomorrow.")
    assert allowance.spent
    assert said(allowance, 101.0, answering=True) == "Try again tomorrow."

    allowance.cap(None, Cost(0.0))
    assert allowance.spent
    assert allowance.verdict(102.0, False) == Verdict(True, "Try again tomorrow.")
