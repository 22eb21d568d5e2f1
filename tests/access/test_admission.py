"""What the page may ask of Gradio's web server, and what it may not."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.access.admission import (
    BadRequestError,
    component_request,
    door,
    event_request,
    from_other_site,
    visitor_of,
)

OWN = ("/widget.js", "/direct", "/api/realtime/token")
CANDIDATE = "candidate:842163049 1 udp 1677729535 198.51.100.7 46154 typ srflx raddr 0.0.0.0"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text(max_size=9),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=20,
)


def asked(**changes):
    """A request to fastrtc's component, as the page makes it."""
    data = {"type": "offer", "sdp": "v=0", "webrtc_id": "abc", "key": "0" * 32}
    return {
        "data": data,
        "component_id": 7,
        "fn_name": "offer",
        "session_hash": "session1",
        **changes,
    }


def candidate(**changes):
    found = {"candidate": CANDIDATE, "sdpMid": "0", "sdpMLineIndex": 0, "usernameFragment": "u"}
    return {"type": "ice-candidate", "webrtc_id": "abc", "candidate": {**found, **changes}}


def event(**changes):
    return {
        "data": ["text"],
        "event_data": None,
        "fn_index": 1,
        "trigger_id": 7,
        "session_hash": "session1",
        **changes,
    }


def to_component(body):
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    rebuilt = component_request(raw, lambda number, name: (number, name) != (8, "offer"))
    return orjson.loads(rebuilt)


def to_event(body, takes=(False,)):
    raw = body if isinstance(body, bytes) else orjson.dumps(body)
    rebuilt = event_request(raw, {1: takes}.get)
    return orjson.loads(rebuilt)


@pytest.mark.parametrize(
    ("path", "who"),
    [
        ("/", "public"),
        ("/login", "public"),
        ("/theme.css", "public"),
        ("/assets/index-1.js", "public"),
        ("/gradio_api/component_server/", "members"),
        ("/gradio_api/queue/join", "members"),
        ("/gradio_api/run/predict", "members"),
        ("/gradio_api/custom_component/0/client/component/index.js", "members"),
        ("/widget.js", "members"),
        ("/direct", "members"),
        ("", "closed"),
        ("//", "closed"),
        ("/config", "members"),
        ("/config/", "closed"),
        ("/assets", "closed"),
        ("/gradio_api/info", "closed"),
        ("/gradio_api/upload", "closed"),
        ("/gradio_api/run/recall", "closed"),
        ("/gradio_api/file=/etc/passwd", "closed"),
        ("/gradio_api/queue/join/", "closed"),
        ("/direct/", "closed"),
        ("/widget.js/assets/", "closed"),
        ("/x/assets/y", "closed"),
    ],
)
def test_a_path_is_for_everybody_for_members_or_closed(path, who):
    assert door(path, OWN) == who


def test_paths_that_we_did_not_add_are_closed():
    assert door("/widget.js", ()) == "closed"


@pytest.mark.parametrize(
    ("method", "headers", "refused"),
    [
        ("POST", {}, False),  # no browser
        ("POST", {"sec-fetch-site": "same-origin"}, False),
        ("GET", {"sec-fetch-site": "none"}, False),
        ("POST", {"sec-fetch-site": "cross-site"}, True),
        ("POST", {"sec-fetch-site": "same-site"}, True),
        ("GET", {"sec-fetch-site": "cross-site"}, True),
        ("GET", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, False),
        ("POST", {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate"}, True),
        ("POST", {"origin": "https://a.example", "host": "a.example"}, False),
        ("POST", {"origin": "https://A.example", "host": "a.EXAMPLE"}, False),
        ("POST", {"origin": "https://evil.example", "host": "a.example"}, True),
        ("POST", {"origin": "http://a.example:8080", "host": "a.example"}, True),
        ("POST", {"origin": "null", "host": "a.example"}, True),
        ("POST", {"origin": "null"}, True),
        ("POST", {"origin": "https://", "host": ""}, True),
        ("POST", {"origin": "https://a.example"}, True),
        (
            "POST",
            {"origin": "https://a.example", "host": "127.0.0.1", "x-forwarded-host": "a.example"},
            False,
        ),
        (
            "POST",
            {"origin": "https://b", "host": "127.0.0.1", "x-forwarded-host": "a.example, b"},
            True,
        ),
        (
            "POST",
            {
                "sec-fetch-site": "same-origin",
                "origin": "https://a.example",
                "host": "proxy:7860",
            },
            False,
        ),
        ("OPTIONS", {"sec-fetch-site": "same-origin"}, True),
    ],
)
def test_pages_of_other_sites_are_told_apart(method, headers, refused):
    assert from_other_site(method, headers) is refused


@pytest.mark.parametrize(
    ("host", "visitor"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::9", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", "unknown"),
        ("testclient", "unknown"),
        ("1" * 10_000, "unknown"),
    ],
)
def test_a_visitor_has_one_name(host, visitor):
    assert visitor_of(host) == visitor


def test_an_offer_passes_with_its_key_alone():
    passed = to_component(asked(extra=1))

    assert passed == asked(
        data={
            "type": "offer",
            "sdp": "v=0",
            "webrtc_id": "abc",
            "key": "0" * 32,
            "rejoin": False,
        }
    )


@pytest.mark.parametrize(
    ("sent", "passed"),
    [
        ({"rejoin": True, "key": 7}, {"rejoin": True}),
        ({"rejoin": "yes", "key": "no name"}, {"rejoin": False}),
        ({"other": {}}, {"rejoin": False}),
        (
            {"wishes": {"voice": "cedar", "speed": 1.2}},
            {"rejoin": False, "wishes": {"voice": "cedar", "speed": 1.2}},
        ),
        (
            {"wishes": {"voice": {"id": 1}, "a b": 1, "speed": None}},
            {"rejoin": False, "wishes": {"speed": None}},
        ),
        ({"api_key": "k" * 400}, {"rejoin": False, "api_key": "k" * 400}),
        ({"api_key": "k" * 401}, {"rejoin": False, "api_key": "?"}),
        ({"api_key": ["k"]}, {"rejoin": False, "api_key": "?"}),
        ({"api_key": ""}, {"rejoin": False}),
        ({"wishes": {}}, {"rejoin": False}),
        ({"wishes": ["voice"]}, {"rejoin": False}),
        ({"wishes": {f"x{n}": 1 for n in range(41)}}, {"rejoin": False}),
    ],
)
def test_of_an_offer_only_what_can_be_meant_passes(sent, passed):
    offer = {"type": "offer", "sdp": "v=0", "webrtc_id": "abc"}

    assert to_component(asked(data={**offer, **sent}))["data"] == {**offer, **passed}


@pytest.mark.parametrize(
    "found",
    [
        {},
        {"candidate": ""},
        {"sdpMid": None, "sdpMLineIndex": 1},
        {"sdpMLineIndex": None},
        {"candidate": "candidate:1 1 TCP 1 a-b.local 9 typ host tcptype active generation 0"},
        {"candidate": "candidate:1 2 udp 1 2001:db8::1 9 typ relay"},
    ],
)
def test_a_candidate_passes(found):
    passed = to_component(asked(data=candidate(**found)))["data"]

    expected = candidate(**found)
    del expected["candidate"]["usernameFragment"]
    assert passed == expected


@pytest.mark.parametrize(
    ("function", "sent", "passed"),
    [
        ("turn", [], {}),
        ("turn", {"a": "b"}, {}),
        ("quit_output_stream", {"webrtc_id": "abc", "b": 1}, {"webrtc_id": "abc"}),
    ],
)
def test_the_other_functions_pass(function, sent, passed):
    assert to_component(asked(fn_name=function, data=sent))["data"] == passed


NO_JSON = [b"", b"{", b"\xff\xfe", b"[]", b"1", b'"x"', b"[" * 100_000, b'{"a":' * 5000, b"NaN"]


@pytest.mark.parametrize("raw", [*NO_JSON, b'{"fn_name":"\xed\xa0\x80"}'])
def test_what_is_no_json_object_is_refused(raw):
    with pytest.raises(BadRequestError, match="not"):
        to_component(raw)
    with pytest.raises(BadRequestError, match="not"):
        to_event(raw)


@pytest.mark.parametrize(
    "change",
    [
        {"fn_name": "like"},
        {"fn_name": "__init__"},
        {"fn_name": 1},
        {"component_id": "7"},
        {"component_id": None},
        {"component_id": 8},
        {"session_hash": ""},
        {"session_hash": "a b"},
        {"session_hash": "a" * 65},
        {"session_hash": None},
    ],
)
def test_what_the_page_would_not_ask_of_its_component_is_refused(change):
    with pytest.raises(BadRequestError):
        to_component(asked(**change))


@pytest.mark.parametrize(
    "change",
    [
        {"data": None},
        {"data": []},
        {"data": {}},
        {"data": {"type": "offer", "sdp": "v=0"}},
        {"data": {"type": "offer", "sdp": "v=0", "webrtc_id": ""}},
        {"data": {"type": "offer", "sdp": "v=0", "webrtc_id": ["abc"]}},
        {"data": {"type": "offer", "sdp": 1, "webrtc_id": "abc"}},
        {"data": {"type": "offer", "sdp": "v" * 65_537, "webrtc_id": "abc"}},
        {"data": {"type": "answer", "sdp": "v=0", "webrtc_id": "abc"}},
        {"data": {"type": "ice-candidate", "webrtc_id": "abc"}},
        {"data": {"type": "ice-candidate", "webrtc_id": "abc", "candidate": "x"}},
        {"data": candidate(candidate=None)},
        {"data": candidate(candidate="candidate:1 x udp 1 a 9 typ host")},
        {"data": candidate(candidate=f"{CANDIDATE}\n")},
        {"data": candidate(candidate=f"{CANDIDATE}{' x' * 500}")},
        {"data": candidate(sdpMid=7)},
        {"data": candidate(sdpMLineIndex="0")},
        {"fn_name": "quit_output_stream", "data": {"webrtc_id": None}},
    ],
)
def test_an_offer_that_no_browser_makes_passes_as_nothing(change):
    """Where offers are taken it is refused in words that the page can show."""
    assert to_component(asked(**change))["data"] == {}


@pytest.mark.parametrize(
    ("data", "takes"),
    [
        ([], ()),
        (["text"], (False,)),
        ([None], (False,)),
        (["abc"], (True,)),
        ([{"textbox": "", "webrtc_id": "abc"}, "b"], (True, False)),
    ],
)
def test_an_event_passes_without_what_it_does_not_need(data, takes):
    sent = event(data=data, event_data={"index": 1}, batched=True, simple_format=True)

    assert to_event(sent, takes) == event(data=data)


@pytest.mark.parametrize(
    ("change", "takes"),
    [
        ({"fn_index": 2}, (False,)),
        ({"fn_index": None}, (False,)),
        ({"fn_index": "1"}, (False,)),
        ({"session_hash": ""}, (False,)),
        ({"session_hash": 1}, (False,)),
        ({"trigger_id": "7"}, (False,)),
        ({"data": None}, (False,)),
        ({"data": []}, (False,)),
        ({"data": ["a", "b"]}, (False,)),
        ({"data": [1]}, (False,)),
        ({"data": [["a"]]}, (False,)),
        ({"data": ["a" * 257]}, (False,)),
        ({"data": [{"textbox": "", "webrtc_id": "abc"}]}, (False,)),
        ({"data": [None]}, (True,)),
        ({"data": [{}]}, (True,)),
        ({"data": [{"textbox": "", "webrtc_id": 1}]}, (True,)),
        ({"data": [{"textbox": "", "webrtc_id": "a b"}]}, (True,)),
        ({"data": [{"textbox": "x", "webrtc_id": "abc"}]}, (True,)),
        ({"data": [{"textbox": "", "webrtc_id": "abc", "path": "/etc"}]}, (True,)),
    ],
)
def test_what_no_event_of_ours_takes_is_refused(change, takes):
    with pytest.raises(BadRequestError):
        to_event(event(**change), takes)


@given(JSON)
def test_junk_is_refused_and_breaks_nothing(junk):
    assert to_component(asked(data=junk))["data"] == {}
    with pytest.raises(BadRequestError):
        to_component(asked(component_id=junk, session_hash=junk))
    with pytest.raises(BadRequestError):
        event_request(orjson.dumps(junk), {1: (False,)}.get)
