"""The log: what is in it, who can fill it, how large it grows."""

import contextlib
import re
import socket
import struct

import pytest

from harness import users
from harness.api import Api, Failure

pytestmark = pytest.mark.linux_only("the log is the same code; users and rotation here")

ABSENT = "sessions/" + "0" * 32
KILOBYTE = 1024


def files(daemon):
    """From the oldest to the newest."""
    folder = daemon.state / "log"
    return sorted(folder.glob("usherd.*.log"), reverse=True) + [
        folder / "usherd.log"]


def lines(daemon, what=""):
    return [line for path in files(daemon)
            for line in path.read_text().splitlines() if what in line]


def ask_in_vain(api, stubs, times=1, request_id=None):
    """A call that fails by its caller's fault: a line at info."""
    for _ in range(times):
        with pytest.raises(Failure):
            api.call(api.sessions.GetSession,
                     stubs.session.GetSessionRequest(name=ABSENT),
                     metadata=[("x-usher-request-id", request_id or "vain")])


def meet_a_limit(api, stubs):
    """A line at warn."""
    for number in range(2):
        with contextlib.suppress(Failure):
            api.open_session(f"session{number}")


ONE_SESSION = "[limits]\nsessions_per_caller = 1\n"


@pytest.mark.parametrize("level, info, debug", [
    ("debug", True, True), ("info", True, False), ("warn", False, False)])
def test_the_level_says_what_is_written(daemon, connect, stubs, level, info,
                                        debug):
    daemon.configure(f'[log]\nlevel = "{level}"\n{ONE_SESSION}')
    daemon.start()
    api = connect()
    ask_in_vain(api, stubs)
    api.call(api.system.GetAgentInfo, stubs.system.GetAgentInfoRequest(),
             metadata=[("x-usher-request-id", "only-reads")])
    meet_a_limit(api, stubs)
    daemon.stop()
    assert bool(lines(daemon, "request_id=vain")) == info
    assert bool(lines(daemon, "request_id=only-reads")) == debug
    assert lines(daemon, "RESOURCE_EXHAUSTED")


def test_off_writes_no_file(daemon, connect, stubs):
    daemon.configure(f'[log]\nlevel = "off"\n{ONE_SESSION}')
    daemon.start()
    meet_a_limit(connect(), stubs)
    daemon.stop()
    assert not (daemon.state / "log").exists()


def test_rotated_by_size_and_bounded_in_number(daemon, connect, stubs):
    daemon.configure(f"[log]\nmax_bytes = {64 * KILOBYTE}\nfiles = 2\n"
                     "stderr = false\n")
    daemon.start()
    api = connect()
    number = 0
    # Until what was written first has been dropped.
    while number == 0 or lines(daemon, "request_id=number-0 "):
        ask_in_vain(api, stubs, request_id=f"number-{number}")
        number += 1
        assert number < 10000
    daemon.stop()
    assert [path.name for path in files(daemon)] == [
        "usherd.2.log", "usherd.1.log", "usherd.log"]
    for path in files(daemon):
        assert path.stat().st_size <= 64 * KILOBYTE
    # Nothing is lost between two files.
    kept = [int(re.search(r"request_id=number-(\d+) ", line).group(1))
            for line in lines(daemon, "request_id=number-")]
    assert kept == list(range(kept[0], number))


def test_a_jobs_lines_name_the_call_that_began_it(api, stubs, daemon,
                                                  repository):
    repository.add_archive("thing", "1", {"thing": b"#!/bin/sh\n"})
    repository.publish()
    service = api.add_service(repository.url, repository.root)
    session = api.open_session().session.name
    updates = api.search(session, "", service.service_id)
    d = stubs.downloader
    downloader = api.call(
        api.downloaders.CreateDownloader,
        d.CreateDownloaderRequest(
            parent=session, update_mask={"paths": ["updates"]},
            downloader=d.Downloader(updates=[u.identity for u in updates])))
    job = api.call(api.downloaders.BeginDownload,
                   d.BeginDownloadRequest(downloader=downloader.name),
                   metadata=[("x-usher-request-id", "the-beginning")])
    api.call(api.downloaders.EndDownload,
             d.EndDownloadRequest(job=job.name),
             metadata=[("x-usher-request-id", "the-end")])
    daemon.stop()
    begin, update, end = lines(daemon, f"job={job.name} ")
    for line in (begin, end):
        assert "job request_id=the-beginning " in line
        assert "kind=JOB_KIND_DOWNLOAD" in line
    assert "update request_id=the-beginning " in update
    assert begin.endswith(" begins")
    assert f"{updates[0].identity.update_id} revision=1 " in update
    for line in (update, end):
        assert "hresult=0x00000000" in line


@pytest.mark.root
def test_a_user_cannot_fill_the_log(daemon, stubs):
    daemon.open_to_everyone()
    daemon.start()
    with users.acting_as(users.ALICE):
        alice = Api(stubs, daemon.address)
    ask_in_vain(alice, stubs, times=300)
    alice.close()
    root = Api(stubs, daemon.address)
    ask_in_vain(root, stubs, times=300, request_id="roots")
    root.close()
    daemon.stop()
    caused = lines(daemon, f"caller=uid:{users.ALICE} method=")
    assert 0 < len(caused) < 200
    said = lines(daemon, f"caller=uid:{users.ALICE} ")
    assert any("more are suppressed" in line for line in said)
    # At the latest when it stops, it is said how many.
    left_out = sum(int(re.search(r"(\d+) more suppressed", line).group(1))
                   for line in said if "more suppressed" in line)
    assert left_out + len(caused) == 300
    # Administrators' calls are always written.
    assert len(lines(daemon, "request_id=roots ")) == 300


def frame(kind, flags, stream, payload):
    return (struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) +
            struct.pack(">I", stream) + payload)


def odd_requests(address, count, value):
    """Calls with metadata of which gRPC's parser complains."""
    block = b""
    for name, text in ((b":method", b"POST"), (b":scheme", b"http"),
                       (b":path", b"/usher.v1.SessionService/ListSessions"),
                       (b":authority", b"usher"), (b"te", value),
                       (b"content-type", b"application/grpc")):
        block += b"\0" + bytes([len(name)]) + name + bytes([len(text)]) + text
    with socket.socket(socket.AF_UNIX) as peer:
        peer.connect(str(address))
        peer.settimeout(60)
        peer.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b""))
        for number in range(count):
            # Ended at once, so that no limit of streams is met.
            stream = 2 * number + 1
            peer.sendall(frame(1, 4, stream, block) +
                         frame(3, 0, stream, struct.pack(">I", 8)))
        # All was read when a ping after it is answered.
        peer.sendall(frame(6, 0, 0, b"the end!"))
        received = b""
        while b"the end!" not in received:
            part = peer.recv(65536)
            if not part:
                return
            received += part


FORGED = "call request_id=forged caller=uid:0"


def test_grpcs_own_lines_are_few_and_harmless(daemon, connect):
    daemon.start()
    odd_requests(daemon.address, 1000, f"x\n{FORGED}".encode())
    connect().open_session("bystander")
    daemon.stop()
    for text in (daemon.output, "\n".join(lines(daemon))):
        assert not any(line.startswith(FORGED) for line in text.splitlines())
        about = [line for line in text.splitlines() if "forged" in line]
        assert 0 < len(about) < 100
        assert all("gRPC: " in line for line in about)


@pytest.mark.parametrize("settings", ['level = "off"', "stderr = false"])
def test_grpc_writes_nowhere_else(daemon, settings):
    daemon.configure(f"[log]\n{settings}\n")
    daemon.start()
    odd_requests(daemon.address, 10, b"forged")
    daemon.stop()
    assert "forged" not in daemon.output


@pytest.mark.root
def test_a_new_open_service_lets_everybody_pass(daemon, stubs):
    """Its log lies in the state folder, too, and is opened first."""
    daemon.configure("[service]\nworld_accessible = true\n")
    daemon.start()
    with users.acting_as(users.ALICE):
        alice = Api(stubs, daemon.address)
    alice.open_session("alice")
    alice.close()
    assert (daemon.state / "log").stat().st_mode & 0o077 == 0
