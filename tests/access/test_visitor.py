"""What a provider gets to know of a visitor."""

from components.access.visitor import identifier


def test_a_visitor_is_the_same_whenever_and_wherever_the_app_runs():
    assert identifier("192.0.2.1", "sk-1") == "8e660bfdd8bc96d3d0ed52a61c4815bb"


def test_two_visitors_are_two():
    assert identifier("192.0.2.1", "sk-1") != identifier("192.0.2.2", "sk-1")


def test_another_key_tells_nothing_about_the_visitors_of_the_first():
    assert identifier("192.0.2.1", "sk-1") != identifier("192.0.2.1", "sk-2")


def test_without_a_key_there_is_nothing_to_tell():
    assert identifier("192.0.2.1", "") == ""
