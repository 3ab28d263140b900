"""Peers that do not speak like gRPC: refused, and nobody else notices."""

import os
import select
import socket
import struct

import pytest

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
SETTINGS, HEADERS, CONTINUATION = 4, 1, 9
END_HEADERS = 4


def frame(kind, flags, stream, payload):
    return (struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) +
            struct.pack(">I", stream) + payload)


def integer(bits, value):
    limit = (1 << bits) - 1
    if value < limit:
        return bytes([value])
    out = [limit]
    value -= limit
    while value >= 128:
        out.append(value % 128 + 128)
        value //= 128
    return bytes(out + [value])


def header(name, value):
    return (b"\0" + integer(7, len(name)) + name + integer(7, len(value)) +
            value)


def request_headers(*extra):
    block = b"".join(header(name, value) for name, value in (
        (b":method", b"POST"), (b":scheme", b"http"),
        (b":path", b"/usher.v1.SessionService/ListSessions"),
        (b":authority", b"usher"), (b"content-type", b"application/grpc"),
        *extra))
    return block


def header_frames(block, size=16000):
    pieces = [block[i:i + size] for i in range(0, len(block), size)]
    out = b""
    for index, piece in enumerate(pieces):
        last = END_HEADERS if index == len(pieces) - 1 else 0
        out += frame(CONTINUATION if index else HEADERS, last, 1, piece)
    return out


def padding(size):
    return tuple((b"x-%d" % n, b"v" * 1000) for n in range(size // 1000))


ATTACKS = {
    # CVE-2023-1428: an odd value, then headers above the limit.
    "te": header_frames(request_headers((b"te", b"x"), *padding(60000))),
    "scheme": header_frames(request_headers((b":scheme", b"x"),
                                            *padding(60000))),
    "grpclb": header_frames(request_headers((b"grpclb_client_stats", b"x"),
                                            *padding(60000))),
    # CVE-2023-33953: a string that claims to be a gigabyte.
    "endless": header_frames(request_headers() + b"\0" + integer(7, 1) +
                             b"x" + integer(7, 1 << 30) + b"v" * 100000),
    "binary": header_frames(request_headers((b"x-bin", b"!!!not base64"))),
    "garbage": os.urandom(65536),
    "endless-integer": frame(HEADERS, END_HEADERS, 1,
                             b"\x7f" + b"\x80" * 10000),
}


@pytest.mark.wine_part(attack=["te", "endless", "garbage"])
@pytest.mark.parametrize("attack", ATTACKS)
def test_service_outlives_hostile_frames(api, daemon, connect, attack):
    peer = daemon.dial()
    peer.settimeout(10)
    try:
        peer.sendall(PREFACE + frame(SETTINGS, 0, 0, b"") + ATTACKS[attack])
        peer.recv(65536)
    except (ConnectionError, socket.timeout):
        pass  # refused at once is fine, too
    api.open_session("bystander")
    connect().open_session("newcomer")
    peer.close()
    assert daemon.process.poll() is None


@pytest.mark.linux_only(
    "the relay's sockets would be counted; windows/test_windows_crowd.py has "
    "many clients on the pipe")
def test_silent_and_many_connections(api, daemon, connect):
    """More connections than one caller may have: the rest are turned away,
    and those who speak are still heard once they are gone."""
    peers = []
    try:
        for _ in range(600):
            peer = socket.socket(socket.AF_UNIX)
            peer.settimeout(5)
            peer.connect(str(daemon.address))
            peers.append(peer)
    except (ConnectionError, socket.timeout):
        pass
    api.open_session("bystander")
    for peer in peers:
        peer.close()
    connect().open_session("newcomer")
    assert daemon.process.poll() is None


@pytest.mark.linux_only("the relay reads; RpcTest has such a client on the pipe")
def test_a_client_that_does_not_read_does_not_hold_up_a_stop(daemon, api):
    peer = daemon.dial()
    peer.sendall(PREFACE + frame(SETTINGS, 0, 0, b""))
    # Each is answered, until the service can neither write nor take more.
    peer.setblocking(False)
    settings = frame(SETTINGS, 0, 0, b"") * 100
    rest = settings
    while select.select([], [peer], [], 1)[1]:
        rest = rest[peer.send(rest):] or settings
    code, _ = daemon.stop()
    assert code == 0, daemon.output
    peer.close()
