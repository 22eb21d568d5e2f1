"""Where the server is, and how the key travels there."""

import pytest

from components.protocol.addresses import headers, realtime_url


@pytest.mark.parametrize(
    ("base_url", "expected"),
    [
        ("https://api.openai.com/v1", "wss://api.openai.com/v1/realtime?model=m"),
        ("https://api.openai.com/v1/", "wss://api.openai.com/v1/realtime?model=m"),
        ("http://localhost:8080/v1", "ws://localhost:8080/v1/realtime?model=m"),
        ("ws://127.0.0.1:8765/v1/realtime", "ws://127.0.0.1:8765/v1/realtime?model=m"),
        ("wss://h/v1/realtime/", "wss://h/v1/realtime?model=m"),
        ("HTTPS://h/v1", "wss://h/v1/realtime?model=m"),
        ("ws://h", "ws://h/realtime?model=m"),
        ("ws://[::1]:9", "ws://[::1]:9/realtime?model=m"),
        ("wss://user:pass@h/v1", "wss://user:pass@h/v1/realtime?model=m"),
        ("wss://h/v1?key=1&b=2", "wss://h/v1/realtime?key=1&b=2&model=m"),
        ("wss://h/v1/realtime?model=other", "wss://h/v1/realtime?model=other"),
        ("wss://h/v1/realtime?a=1&model=other", "wss://h/v1/realtime?a=1&model=other"),
        ("wss://h/v1/realtime?submodel=x", "wss://h/v1/realtime?submodel=x&model=m"),
        ("wss://h/v1/realtime?call_id=rtc_1", "wss://h/v1/realtime?call_id=rtc_1"),
        ("wss://h/v1#part", "wss://h/v1/realtime?model=m"),
        (
            "https://r.openai.azure.com/openai/v1",
            "wss://r.openai.azure.com/openai/v1/realtime?model=m",
        ),
        (
            "https://r.openai.azure.com/openai/realtime?api-version=2025-04-01&deployment=d",
            "wss://r.openai.azure.com/openai/realtime?api-version=2025-04-01&deployment=d",
        ),
    ],
)
def test_every_usual_form_of_a_base_url_leads_to_its_socket(base_url, expected):
    assert realtime_url(base_url, "m") == expected


def test_a_model_s_name_is_quoted():
    assert realtime_url("ws://h", "a/b c&d=é").endswith("?model=a%2Fb%20c%26d%3D%C3%A9")


@pytest.mark.parametrize(
    ("url", "key", "expected"),
    [
        ("wss://api.openai.com/v1/realtime", "sk-1", {"Authorization": "Bearer sk-1"}),
        ("ws://127.0.0.1:8765/v1/realtime", "", {}),
        ("wss://r.openai.azure.com/openai/v1/realtime", "k", {"api-key": "k"}),
        ("wss://R.OpenAI.Azure.com/openai/v1/realtime", "k", {"api-key": "k"}),
        ("wss://openai.azure.com.evil.org/v1", "k", {"Authorization": "Bearer k"}),
        ("wss://evilopenai.azure.com/v1", "k", {"Authorization": "Bearer k"}),
        ("nonsense", "k", {"Authorization": "Bearer k"}),
    ],
)
def test_the_key_travels_as_the_server_expects_it(url, key, expected):
    assert headers(url, key) == expected
    assert headers(url, key, "ada") == (
        {**expected, "OpenAI-Safety-Identifier": "ada"} if key else {}
    )
