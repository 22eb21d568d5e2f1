"""What a provider gets to know of a visitor."""

import pytest

from components.direct.visitor import identifier


def test_a_visitor_is_the_same_whenever_and_wherever_the_app_runs():
    assert identifier("192.0.2.1", "sk-1") == "8e660bfdd8bc96d3d0ed52a61c4815bb"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:1", True),
        ("2001:db8::1", "2001:0db8:0:0::1", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
        ("a proxy's word", "another", False),
    ],
)
def test_who_is_the_same_visitor(one, other, same):
    assert (identifier(one, "sk-1") == identifier(other, "sk-1")) is same


def test_another_key_tells_nothing_about_the_visitors_of_the_first():
    assert identifier("192.0.2.1", "sk-1") != identifier("192.0.2.1", "sk-2")


@pytest.mark.parametrize(("address", "key"), [("192.0.2.1", ""), ("", "sk-1")])
def test_without_a_key_or_a_visitor_there_is_nothing_to_tell(address, key):
    assert identifier(address, key) == ""


def test_nothing_of_the_address_is_in_it():
    told = identifier("192.0.2.1", "sk-1")

    assert len(told) == 32
    assert set(told) <= set("0123456789abcdef")
