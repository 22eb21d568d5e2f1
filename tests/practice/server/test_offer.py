"""Which addresses of an offer the practice server tries."""

import pytest

from components.practice.server.offer import MOST_CANDIDATES, MOST_CHARACTERS, bounded

HEAD = "v=0\r\nm=audio 9 UDP/TLS/RTP/SAVPF 111\r\n"
END = "a=end-of-candidates\r\n"


def candidate(ip="198.51.100.7", port=50_000, transport="udp"):
    return f"a=candidate:1 1 {transport} 2130706431 {ip} {port} typ host\r\n"


@pytest.mark.parametrize("ip", ["127.0.0.1", "192.168.1.7", "2001:db8::7", "fe80::1"])
def test_an_offer_of_a_browser_stays_as_it_is(ip):
    offer = HEAD + candidate(ip) + END
    assert bounded(offer) == offer


@pytest.mark.parametrize(
    "odd",
    [
        candidate("5d9c7a1e.local"),
        candidate("evil.example"),
        candidate("239.1.2.3"),
        candidate(port=0),
        candidate(port=70_000),
        candidate(port="x"),
        candidate(transport="tcp"),
        "a=candidate:1\r\n",
    ],
)
def test_what_is_no_address_of_udp_is_left_out_and_others_may_follow(odd):
    assert bounded(HEAD + odd + candidate() + END) == HEAD + candidate()


def test_few_of_many_are_tried():
    offer = HEAD + "".join(candidate(port=port) for port in range(1, 701)) + END
    assert bounded(offer).count("a=candidate:") == MOST_CANDIDATES
    assert END not in bounded(offer)


def test_each_section_may_repeat_them():
    offer = HEAD + candidate() + HEAD + candidate() + END
    assert bounded(offer) == offer


def test_an_absurd_offer_is_refused():
    with pytest.raises(ValueError, match="too long"):
        bounded(HEAD + "a=x\r\n" * MOST_CHARACTERS)
