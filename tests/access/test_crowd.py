"""Who may be connected, and who makes room for whom."""

import pytest

from components.access.crowd import Crowd


class Connection:
    def __init__(self) -> None:
        self.closed = False

    def close_now(self) -> None:
        self.closed = True


@pytest.fixture
def crowd() -> Crowd:
    return Crowd(most=4, most_of_a_visitor=2)


def enter(crowd: Crowd, visitor: str, number: int = 1) -> list[Connection]:
    entered = [Connection() for _ in range(number)]
    for each in entered:
        assert crowd.enter(each, visitor)
    return entered


def test_a_visitor_s_oldest_silent_connection_makes_room_for_his_newest(crowd):
    (other,) = enter(crowd, "b")
    first, second, third = enter(crowd, "a", 3)

    assert [each.closed for each in (other, first, second, third)] == [False, True, False, False]
    assert len(crowd) == 3


def test_a_request_under_way_is_not_closed_for_another(crowd):
    first, second = enter(crowd, "a", 2)
    crowd.asks(first)
    enter(crowd, "a")

    assert (first.closed, second.closed) == (False, True)


def test_a_visitor_whose_requests_take_all_his_places_gets_no_more(crowd):
    for each in enter(crowd, "a", 2):
        crowd.asks(each)

    assert not crowd.enter(Connection(), "a")
    enter(crowd, "b")


def test_the_oldest_silent_connection_of_all_makes_room_when_the_house_is_full(crowd):
    first, *_ = enter(crowd, "a", 2)
    enter(crowd, "b", 2)
    enter(crowd, "c")

    assert first.closed
    assert len(crowd) == 4


def serve(crowd: Crowd, visitor: str, number: int = 1) -> list[Connection]:
    served = enter(crowd, visitor, number)
    for each in served:
        crowd.asks(each)
    return served


def test_a_full_house_in_which_all_are_served_takes_from_who_has_the_most():
    crowd = Crowd(most=5, most_of_a_visitor=5)
    serve(crowd, "b")
    first, second, third = serve(crowd, "a", 3)
    serve(crowd, "b")
    serve(crowd, "c")

    assert [each.closed for each in (first, second, third)] == [True, False, False]
    assert len(crowd) == 5


def test_a_full_house_in_which_all_are_served_alike_takes_nobody():
    crowd = Crowd(most=2, most_of_a_visitor=5)
    for visitor in ("a", "b"):
        serve(crowd, visitor)

    assert not crowd.enter(Connection(), "c")
    assert not crowd.enter(Connection(), "a")


def test_a_proxy_makes_room_for_nobody():
    crowd = Crowd(most=4)
    serve(crowd, "", 4)

    assert not crowd.enter(Connection(), "a")
    assert not crowd.enter(Connection(), "")


def test_a_connection_that_is_answered_is_silent_again_and_younger_than_others(crowd):
    first, second = enter(crowd, "a", 2)
    crowd.asks(first)
    crowd.falls_silent(first)
    enter(crowd, "a")

    assert (first.closed, second.closed) == (False, True)


def test_who_leaves_makes_room_once(crowd):
    first, second = enter(crowd, "a", 2)
    for each in (first, second):
        crowd.asks(each)
    crowd.leave(first)
    crowd.leave(first)
    crowd.falls_silent(first)
    enter(crowd, "a")

    assert not crowd.enter(Connection(), "a") or not second.closed
    assert len(crowd) == 2


def test_many_visitors_behind_one_proxy_are_not_counted_as_one(crowd):
    connections = enter(crowd, "", 4)

    assert not any(each.closed for each in connections)
    enter(crowd, "")
    assert connections[0].closed
