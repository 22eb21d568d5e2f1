"""Where ICE may send its checks, by a visitor's wish."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from components.media.candidates import MOST_CANDIDATES, Candidate, Candidates, Targets

HERE, OUTSIDE = Targets(outside=False), Targets(outside=True)
INTERNET = Targets(outside=True, private=False)
LOOPBACK = ["127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]
LINK_LOCAL = ["169.254.169.254", "fe80::1", "::ffff:169.254.169.254"]
PRIVATE = ["192.168.1.7", "10.0.0.1", "172.16.0.1", "fd00::1", "100.64.0.9", "::ffff:10.0.0.1"]
PUBLIC = ["1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"]
NEVER = [
    "0.0.0.0",
    "::",
    "224.0.0.251",
    "ff02::fb",
    "255.255.255.255",
    "240.0.0.1",
    "::ffff:0.0.0.0",
]


def line(ip="192.0.2.7", port="9", component="1", transport="udp", priority="99", kind="host"):
    return f"candidate:1 {component} {transport} {priority} {ip} {port} typ {kind} generation 0"


def taken(text, targets=HERE):
    return Candidates(targets).take(text)


@pytest.mark.parametrize("ip", LOOPBACK + LINK_LOCAL + PRIVATE + PUBLIC)
def test_visitors_of_this_machine_may_be_anywhere(ip):
    assert taken(line(ip)) == Candidate("1", 99, ip, 9, "host")


@pytest.mark.parametrize("targets", [HERE, OUTSIDE, INTERNET])
@pytest.mark.parametrize("ip", NEVER)
def test_nobody_is_everywhere_or_nowhere(ip, targets):
    assert taken(line(ip), targets) is None


@pytest.mark.parametrize("ip", LOOPBACK + LINK_LOCAL)
def test_visitors_from_outside_do_not_name_this_machine(ip):
    assert taken(line(ip), OUTSIDE) is None


def test_private_addresses_are_for_visitors_near_by():
    assert all(taken(line(ip), OUTSIDE) for ip in PRIVATE + PUBLIC)
    assert not any(taken(line(ip), INTERNET) for ip in PRIVATE + LOOPBACK + LINK_LOCAL)
    assert all(taken(line(ip), INTERNET) for ip in PUBLIC)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "candidate:",
        "candidate:1 1 udp 99 192.0.2.7",
        line(port="0"),
        line(port="65536"),
        line(port="99999999999"),
        line(port="-1"),
        line(port="x"),
        line(priority="0"),
        line(priority="2147483648"),
        line(priority="9" * 5000),
        line(component="2"),
        line(transport="tcp"),
        line(kind="prflx"),
        line(kind="odd"),
        line(ip="0a1b2c3d-1111-2222-3333-444455556666.local"),
        line(ip="intern.example"),
        line(ip="localhost"),
        line(ip="1.2.3"),
        line(ip="999.1.1.1"),
        line(ip="fe80::1%eth0"),
        line(ip="¹.1.1.1"),
    ],
)
def test_what_no_check_can_be_sent_to_is_not_taken(text):
    assert taken(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "candidate:2393089663 1 udp 2122260223 192.168.86.60 63692 typ host generation 0 "
        "ufrag LkZb network-id 1 network-cost 10",
        "candidate:0 1 UDP 2122252543 192.168.1.2 54321 typ host",
        "842163049 1 udp 1677729535 203.0.113.9 46154 typ srflx raddr 192.168.1.2 rport x",
        "candidate:3 1 udp 41885439 203.0.113.9 46154 typ relay raddr 0.0.0.0 rport 0\r\n",
    ],
)
def test_candidates_of_browsers_are_taken(text):
    assert taken(text) is not None


def test_a_candidate_is_written_without_what_nobody_needs():
    text = line(kind="srflx") + " raddr 10.0.0.1 rport x"

    assert taken(text).line() == "1 1 udp 99 192.0.2.7 9 typ srflx"


def test_of_a_connection_so_many_are_taken():
    candidates = Candidates(HERE)
    ports = [port for port in range(1, 1000) if candidates.take(line(port=str(port)))]

    assert len(ports) == MOST_CANDIDATES
    assert candidates.take(line(port="1"))  # each section may repeat it
    assert candidates.take_late(line(port="2000")) is None


def test_a_late_candidate_is_taken_once():
    candidates = Candidates(HERE)
    candidates.take(line(port="1"))

    assert candidates.take_late(line(port="1")) is None
    assert candidates.take_late(line(port="2"))
    assert candidates.take_late(line(port="2")) is None
    assert candidates.take_late("junk") is None


@given(st.text(max_size=200))
def test_any_text_is_no_error(text):
    taken(f"candidate:1 1 udp {text}")
    taken(text)
