"""Who gets a place, who does not and why, and when a place is free again."""

import pytest

from components.core.places import NoPlaceError, Place, Places

ADA, BOB = "192.0.2.1", "192.0.2.2"


def refused(places, visitor, now=0.0):
    with pytest.raises(NoPlaceError) as error:
        places.take(visitor, now)
    return error.value


def test_every_place_is_taken_once():
    places = Places(2, 2)
    first = places.take(ADA, 0.0)
    places.take(BOB, 0.0)
    error = refused(places, ADA)
    assert str(error).startswith("All 2 calls that this app takes at a time are busy.")
    assert error.all_taken

    places.give_back(first)
    places.give_back(first)
    places.take(BOB, 0.0)
    assert refused(places, ADA).all_taken


def test_one_visitor_gets_his_share_and_others_the_rest():
    places = Places(4, 2)
    for _ in range(2):
        own = places.take(ADA, 0.0)
    error = refused(places, ADA)
    assert str(error).startswith("2 calls run from here already")
    assert not error.all_taken

    places.take(BOB, 0.0)
    places.give_back(own)
    places.take(ADA, 0.0)


def test_who_has_his_share_is_told_so_even_when_all_is_taken():
    places = Places(2, 1)
    places.take(ADA, 0.0)
    places.take(BOB, 0.0)

    assert str(refused(places, ADA)).startswith("1 call runs from here already")
    assert refused(places, "192.0.2.3").all_taken


def test_a_single_place_is_nobodys_share():
    places = Places(1, 1)
    places.take(ADA, 0.0)

    assert str(refused(places, ADA)).startswith("Someone else is in a call")


def test_a_place_for_a_while_is_free_after_it():
    places = Places(1, 1)
    lent = places.take(ADA, 0.0, until=60.0)
    assert refused(places, BOB, 59.9).all_taken

    places.take(BOB, 60.0)
    places.give_back(lent)
    assert refused(places, ADA, 1000.0).all_taken


def test_who_comes_when_no_calls_are_taken_any_more_is_told_why():
    places = Places(2, 2)
    places.take(ADA, 0.0)
    places.take(BOB, 0.0, until=30.0)
    assert (places.closed, places.followed) == (False, 1)

    places.close("The app is being stopped.")
    error = refused(places, ADA)

    assert (str(error), error.all_taken) == ("The app is being stopped.", True)
    assert (places.closed, places.followed) == (True, 1)


def test_who_wants_to_know_is_told_of_each_place_that_is_given_back_once():
    places = Places(2, 2)
    freed: list[Place] = []
    places.freed = freed.append
    place = places.take(ADA, 0.0)
    places.give_back(place)
    places.give_back(place)

    assert freed == [place]
