import io
import sys

from components.output import Output, protect_output


class FullDisk(io.StringIO):
    """Takes nothing."""

    def write(self, text: str) -> int:
        raise OSError(28, "No space left on device")

    def flush(self) -> None:
        raise OSError(28, "No space left on device")


def test_what_can_be_written_is_written():
    stream = io.StringIO()
    print("one", "two", file=Output(stream))  # what is tested

    assert stream.getvalue() == "one two\n"


def test_what_cannot_be_written_is_lost_and_nothing_breaks():
    output = Output(FullDisk())
    print("lost", file=output, flush=True)  # what is tested

    assert output.write("four") == 4


def test_everything_else_is_the_stream_s_own():
    assert Output(io.StringIO()).isatty() is False
    assert Output(io.TextIOWrapper(io.BytesIO(), "latin-1")).encoding == "latin-1"


def test_both_streams_of_the_program_are_protected(monkeypatch):
    monkeypatch.setattr(sys, "stdout", FullDisk())
    monkeypatch.setattr(sys, "stderr", FullDisk())
    protect_output()

    print("lost", flush=True)  # noqa: T201  # what is tested
    sys.stderr.write("lost")
