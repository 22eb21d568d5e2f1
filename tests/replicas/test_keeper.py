"""Two replicas keep what was said for each other."""

from components.core.conversation import Conversation, Message, Status
from components.replicas.keeper import Keeper
from components.replicas.kept import Kept
from components.replicas.store import MemoryStore

ADA = "a" * 32


def said(text):
    return Kept(Conversation(messages=(Message("1", "user", Status.DONE, (text,)),)))


async def test_what_one_replica_keeps_another_reads_and_drops():
    store = MemoryStore(shared=True)
    one, two = Keeper(store, "one"), Keeper(store, "two")
    assert await two.read(ADA) is None
    assert await one.keep(ADA, said("Hello."))

    assert await two.read(ADA) == said("Hello.")
    await two.drop(ADA)
    assert await one.read(ADA) is None


async def test_who_has_claimed_a_call_keeps_it_from_then_on():
    store = MemoryStore(shared=True)
    one, two = Keeper(store, "one"), Keeper(store, "two")
    await one.keep(ADA, said("Hello."))

    assert await two.claim(ADA) == said("Hello.")
    assert not await one.keep(ADA, said("Still here?"))
    assert await two.keep(ADA, said("Goodbye."))
    assert await one.read(ADA) == said("Goodbye.")
