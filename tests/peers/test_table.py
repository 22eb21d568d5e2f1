"""The committed page about compatibility, as far as it can be judged without a run."""

from tests.peers.table import HEAD, PAGE, PEERS, TAIL


def test_the_page_has_a_row_of_each_peer_in_the_version_that_is_pinned():
    text = PAGE.read_text("utf-8")
    rows = text.removeprefix(HEAD).removesuffix(TAIL).splitlines()

    assert text == HEAD + "".join(f"{row}\n" for row in rows) + TAIL
    for row, peer in zip(rows, PEERS.values(), strict=True):
        assert row.startswith(peer.row(peer.pinned).removesuffix("|")), row
