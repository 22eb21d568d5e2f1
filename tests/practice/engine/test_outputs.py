from components.practice.engine.outputs import Emit, Forget, Outbox


def test_outputs_are_collected_in_order_and_handed_over_once() -> None:
    outbox = Outbox(lambda prefix: f"{prefix}_1")

    outbox.emit("input_audio_buffer.cleared")
    outbox.ask(Forget("item_1"))

    assert outbox.drain() == [
        Emit({"type": "input_audio_buffer.cleared", "event_id": "event_1"}),
        Forget("item_1"),
    ]
    assert outbox.drain() == []
