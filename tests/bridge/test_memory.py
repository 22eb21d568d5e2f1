"""For how long, and how much, is kept of ended calls."""

from components.bridge.memory import Memory


def test_a_value_is_kept_for_its_time_and_no_longer() -> None:
    memory = Memory[str](5, 10.0)
    memory.put("ada", "hello", 100.0)
    assert memory.get("ada", 109.9) == "hello"
    assert memory.get("ada", 110.0) is None
    assert memory.get("nobody", 100.0) is None


def test_a_new_value_takes_the_place_of_the_old_one_and_has_its_own_time() -> None:
    memory = Memory[str](5, 10.0)
    memory.put("ada", "first", 0.0)
    memory.put("bob", "other", 1.0)
    memory.put("ada", "second", 5.0)
    assert memory.purge(5.0) == 11.0
    assert memory.get("bob", 11.0) is None
    assert memory.get("ada", 14.0) == "second"


def test_the_oldest_goes_when_there_are_too_many() -> None:
    memory = Memory[int](3, 10.0)
    for number in range(5):
        memory.put(str(number), number, float(number))
    assert [memory.get(str(number), 5.0) for number in range(5)] == [None, None, 2, 3, 4]


def test_it_says_when_something_is_due() -> None:
    memory = Memory[int](3, 10.0)
    assert memory.purge(0.0) is None
    memory.put("ada", 1, 0.0)
    memory.put("bob", 2, 3.0)
    assert memory.purge(3.0) == 10.0
    memory.drop("ada")
    memory.drop("nobody")
    assert memory.purge(3.0) == 13.0
    assert memory.purge(13.0) is None
