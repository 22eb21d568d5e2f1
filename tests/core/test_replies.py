"""One response at a time: asked for, expected, unwanted, ended."""

from components.core.replies import BEGIN_LIMIT_S, MOST_REPEATS, MOST_UNWANTED, Responses


def asked(request="q1", now=0.0):
    responses = Responses()
    responses.want()
    assert responses.due
    responses.requested(request, now)
    return responses


def running(response="r1"):
    responses = asked()
    assert responses.created(response)
    return responses


def test_nothing_is_under_way_at_first():
    responses = Responses()

    assert not responses.thinking
    assert not responses.busy
    assert not responses.due
    assert responses.to_cancel == ""


def test_request_is_made_once():
    responses = asked()

    assert responses.thinking
    assert not responses.due


def test_second_request_waits_for_the_end_of_the_first_response():
    responses = running()
    responses.want()
    assert not responses.due
    assert responses.busy

    responses.done("r1")
    assert responses.due


def test_expected_response_is_thinking_until_it_is_given_up():
    responses = Responses()
    responses.expect(5.0)
    responses.expect(9.0)
    assert responses.thinking

    responses.expire(5.0 + BEGIN_LIMIT_S - 0.1)
    assert responses.thinking

    responses.expire(5.0 + BEGIN_LIMIT_S)
    assert not responses.thinking


def test_response_that_has_begun_is_not_given_up():
    responses = running()
    responses.expire(1e9)

    assert responses.thinking


def test_interruption_makes_a_running_response_unwanted():
    responses = running()

    assert responses.interrupt()
    assert not responses.thinking
    assert responses.to_cancel == "r1"
    assert responses.is_unwanted("r1")

    responses.done("r1")
    assert not responses.is_unwanted("r1")
    assert not responses.busy


def test_interruption_of_a_request_cancels_the_response_when_it_begins():
    responses = asked()
    assert not responses.interrupt()
    assert responses.to_cancel == ""

    assert not responses.created("r1")
    assert responses.to_cancel == "r1"
    assert responses.is_unwanted("r1")


def test_interruption_forgets_what_was_only_expected_or_wanted():
    responses = Responses()
    responses.expect(0.0)
    assert not responses.interrupt()
    assert not responses.busy

    responses.want()
    assert not responses.interrupt()
    assert not responses.due


def test_dismissal_cancels_and_asks_for_nothing_more():
    responses = running()
    responses.want()
    responses.dismiss()

    assert responses.to_cancel == "r1"
    responses.done("r1")
    assert not responses.due

    responses.dismiss()
    assert not responses.busy


def test_refused_request_is_over():
    responses = asked()
    responses.refused("q1", False, 0.0)

    assert not responses.busy


def test_request_refused_because_of_another_response_is_made_again_after_it():
    responses = asked()
    responses.refused("q1", True, 0.0)
    assert not responses.due

    responses.done("another")
    assert responses.due


def test_refusal_of_something_else_changes_nothing():
    responses = asked()
    responses.refused("", False, 0.0)
    responses.refused("q9", False, 0.0)
    assert responses.thinking

    Responses().refused("q1", False, 0.0)


def test_end_of_another_response_changes_nothing():
    responses = running()
    responses.done("r0")
    assert responses.thinking

    responses.done("")
    assert not responses.thinking

    responses.done("r1")
    assert not responses.busy


def test_response_that_nobody_announced_is_the_running_one():
    responses = Responses()
    assert responses.created("r1")
    assert responses.created("r2")
    responses.done("r2")

    assert not responses.busy


def test_new_connection_knows_of_no_response():
    responses = running()
    responses.interrupt()
    responses.reset()

    assert not responses.busy
    assert not responses.is_unwanted("r1")


def test_refusal_that_names_no_id_can_only_mean_the_request():
    responses = asked()

    assert not responses.refused("", False, 1.0)
    assert responses.refused("", True, 1.0)

    responses.done("other")
    assert responses.due


def test_wish_survives_the_refusal_of_an_earlier_request():
    responses = asked()
    responses.interrupt()
    responses.want()

    assert not responses.refused("q1", True, 1.0)

    responses.done("other")
    assert responses.due


def test_refusal_of_what_was_given_up_brings_no_wish_back():
    responses = asked()
    responses.interrupt()
    responses.refused("q1", True, 1.0)
    responses.done("other")

    assert not responses.due


def test_failed_response_is_asked_for_again_after_a_pause():
    responses = running()

    assert responses.done("r1")
    assert responses.want_again(5.0)
    assert responses.busy
    responses.expire(4.9)
    assert not responses.due

    responses.expire(5.0)
    assert responses.due


def test_it_is_asked_for_again_a_few_times_only():
    responses = Responses()
    for _ in range(MOST_REPEATS):
        assert responses.want_again(1.0)
    assert not responses.want_again(1.0)

    responses.completed()
    assert responses.want_again(1.0)


def test_another_turn_of_the_user_is_another_matter():
    responses = Responses()
    for _ in range(MOST_REPEATS):
        responses.want_again(1.0)
    responses.want()

    assert responses.want_again(1.0)


def test_other_words_of_the_user_take_its_place():
    for move_on in (Responses.interrupt, Responses.dismiss, Responses.reset):
        responses = Responses()
        responses.want_again(1.0)
        move_on(responses)
        responses.expire(2.0)
        assert not responses.due


def test_nobody_waits_for_a_response_that_was_stopped():
    responses = running()
    responses.interrupt()

    assert not responses.done("r1")
    assert not responses.done("r1")


def test_server_that_never_ends_a_response_does_not_fill_the_memory():
    responses = Responses()
    for number in range(MOST_UNWANTED + 1):
        responses.created(f"r{number}")
        responses.interrupt()

    assert not responses.is_unwanted("r0")
    assert responses.is_unwanted("r1")


def test_id_that_is_used_again_is_another_response():
    responses = running("r1")
    responses.interrupt()
    responses.created("r1")
    responses.created("r1")

    assert not responses.is_unwanted("r1")


def test_other_response_may_have_been_taken_for_the_one_asked_for():
    responses = asked()
    responses.created("other")

    assert responses.refused("q1", True, 1.0)
    responses.expire(99.0)
    assert not responses.due

    responses.done("other")
    assert responses.due
