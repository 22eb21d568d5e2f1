"""One response at a time: asked for, expected, unwanted, ended."""

from components.responses import BEGIN_LIMIT_S, Responses


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
