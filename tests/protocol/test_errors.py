"""What is read of a server's error objects."""

import pytest

from components.protocol.errors import MOST_READ, ServerError, server_error

WHOLE = {
    "type": "invalid_request_error",
    "code": "invalid_value",
    "message": "No such voice.",
    "param": "session.audio.output.voice",
    "event_id": "settings_1",
}


def test_every_field_of_an_error_is_read():
    assert server_error(WHOLE) == ServerError(
        code="invalid_value",
        type="invalid_request_error",
        message="No such voice.",
        param="session.audio.output.voice",
        event_id="settings_1",
    )


@pytest.mark.parametrize("name", WHOLE)
@pytest.mark.parametrize("odd", [None, 7, ["x"], {"x": "y"}, True])
def test_what_is_no_text_is_empty(name, odd):
    error = server_error({**WHOLE, name: odd})

    assert getattr(error, name) == ""
    assert server_error({**WHOLE, name: ""}) == error


def test_an_error_without_fields_is_empty():
    assert server_error({}) == ServerError()


def test_only_the_beginning_of_long_words_is_kept():
    long = "x" * (MOST_READ + 1)

    error = server_error({"type": long, "code": long, "message": long})

    assert [len(error.type), len(error.code), len(error.message)] == [MOST_READ] * 3


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ServerError(code="rate_limit_exceeded"), True),
        (ServerError(code="inference_rate_limit_exceeded"), True),
        (ServerError(type="rate_limit_error"), True),
        (ServerError(code="insufficient_quota", type="x"), False),
        (ServerError(message="rate_limit_exceeded"), False),
        (ServerError(), False),
    ],
)
def test_overload_is_known_by_code_or_type(error, expected):
    assert error.is_overload is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ServerError(code="session_expired"), True),
        (ServerError(type="session_expired"), False),
        (ServerError(), False),
    ],
)
def test_the_end_of_a_session_is_known_by_its_code(error, expected):
    assert error.is_expiry is expected


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (ServerError(code="conversation_already_has_active_response"), True),
        (ServerError(code="other", message="It already has an active response."), False),
        (ServerError(message="Conversation already has an active response in progress."), True),
        (ServerError(message="x" * 300 + "already has an active response"), False),
        (ServerError(), False),
    ],
)
def test_a_refused_second_response_is_known_by_its_code_or_without_one_by_its_words(
    error, expected
):
    assert error.names_another_response is expected


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (ServerError(type="a", code="b", message="c"), "a.b"),
        (ServerError(type="a"), "a."),
        (ServerError(), "."),
    ],
)
def test_an_error_gives_the_reason_for_a_close_that_has_none(error, reason):
    assert error.close_reason == reason


def test_no_more_of_a_servers_words_is_read_than_people_write():
    error = server_error(
        dict.fromkeys(("code", "type", "message", "param", "event_id"), "x" * 9999)
    )
    assert {len(getattr(error, name)) for name in ServerError.__slots__} == {MOST_READ}
