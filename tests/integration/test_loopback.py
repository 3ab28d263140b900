"""The opt-in loopback port: off by default, and worth nothing without the
secret that the file system guards."""

import contextlib
import json
import os
import socket
import stat

import grpc
import pytest

from harness import platform as platforms
from harness.api import Api, Failure


@pytest.fixture
def doors(daemon):
    """The two files, of a daemon that was told to open the port."""
    daemon.configure("[loopback]\nenabled = true\n")
    daemon.start()

    def read(who):
        path = daemon.state / f"loopback-{who}.json"
        return path, json.loads(path.read_text())
    return {who: read(who) for who in ("user", "administrator")}


@pytest.fixture
def dial(stubs):
    opened = []

    def dial(door, secret=None):
        content = door[1]
        opened.append(Api(stubs, content["address"],
                          secret=secret or content["secret"]))
        return opened[-1]
    yield dial
    for api in opened:
        api.close()


def listening_sockets(pid):
    """Inodes of the listening TCP sockets that a process holds."""
    listening = set()
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}", encoding="ascii") as lines:
            for line in list(lines)[1:]:
                fields = line.split()
                if fields[3] == "0A":
                    listening.add(fields[9])
    held = set()
    for link in os.listdir(f"/proc/{pid}/fd"):
        try:
            target = os.readlink(f"/proc/{pid}/fd/{link}")
        except FileNotFoundError:
            continue
        if target.startswith("socket:["):
            held.add(target[8:-1])
    return listening & held


@pytest.mark.linux_only(
    "reads /proc; windows/test_windows_service.py looks at Wine's ports")
def test_no_port_is_open_unless_asked_for(daemon):
    daemon.start()
    assert not listening_sockets(daemon.process.pid)
    assert not list(daemon.state.glob("loopback-*"))


def test_the_administrators_door_does_the_main_job(doors, dial, repository):
    repository.add_archive("greeter", "1.0", {"greet": b"#!/bin/sh\necho one\n"})
    repository.publish()
    api = dial(doors["administrator"])
    service = api.add_service(repository.url, repository.root)
    session = api.open_session("loopback").session
    assert session.owner == "loopback:administrator"
    updates = api.search(session.name, "IsInstalled=0", service.service_id)
    assert api.download(session.name, updates).hresult == 0
    assert api.install(session.name, updates).hresult == 0
    assert api.search(session.name, "IsInstalled=1", service.service_id)


def test_the_users_door_does_not_install(doors, dial, repository):
    repository.add_archive("greeter", "1.0", {"greet": b"#!/bin/sh\necho one\n"})
    repository.publish()
    service = dial(doors["administrator"]).add_service(repository.url,
                                                       repository.root)
    api = dial(doors["user"])
    session = api.open_session("loopback").session
    assert session.owner == "loopback:user"
    updates = api.search(session.name, "IsInstalled=0", service.service_id)
    with pytest.raises(Failure) as refused:
        api.install(session.name, updates)
    assert refused.value.hresult == 0x80070005
    # The secret of one door does not open the other.
    other = dial(doors["administrator"], secret=doors["user"][1]["secret"])
    with pytest.raises(Failure) as refused:
        other.open_session("loopback")
    assert refused.value.code == grpc.StatusCode.UNAUTHENTICATED
    assert refused.value.subject == "x-usher-secret"


@pytest.mark.linux_only("the modes of files")
def test_who_can_read_the_secrets(daemon, doors):
    assert listening_sockets(daemon.process.pid)
    for path, _ in doors.values():  # a private service: both are private
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secrets = {content["secret"] for _, content in doors.values()}
    assert len(secrets) == 2
    daemon.stop()
    assert not list(daemon.state.glob("loopback-*"))
    daemon.start()
    for path, _ in doors.values():
        assert json.loads(path.read_text())["secret"] not in secrets


@pytest.mark.linux_only("on Windows gRPC accepts TCP connections by itself")
def test_connections_are_limited_and_the_silent_ones_end(daemon):
    daemon.configure("[loopback]\nenabled = true\n"
                     "[limits]\nconnections_per_user = 4\n")
    daemon.start()
    content = json.loads((daemon.state / "loopback-user.json").read_text())
    host, port = content["address"].split(":")
    preface = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(3) + b"\4" + bytes(5)
    with contextlib.ExitStack() as stack:
        def connect():
            return stack.enter_context(
                socket.create_connection((host, int(port)), timeout=60))
        for _ in range(3):
            peer = connect()
            peer.sendall(preface)
            assert peer.recv(1)  # the server's settings
        silent = connect()
        refused = connect()
        assert refused.recv(1) == b""
        # It is given up after a while; until then it takes a place.
        assert silent.recv(1) == b""
        again = connect()
        again.sendall(preface)
        assert again.recv(1)
    daemon.stop()
    assert "limits.connections_per_user (4)" in daemon.output
    assert "said nothing" in daemon.output


def test_health_and_reflection_want_the_secret_too(doors, stubs):
    content = doors["user"][1]
    with grpc.insecure_channel(content["address"]) as channel:
        health = stubs.health_grpc.HealthStub(channel)
        reflection = stubs.reflection_grpc.ServerReflectionStub(channel)
        request = stubs.health.HealthCheckRequest()
        question = stubs.reflection.ServerReflectionRequest(list_services="*")
        for secret in (None, "0" * 64):
            metadata = [("x-usher-secret", secret)] if secret else []
            for call in (
                    lambda m: health.Check(request, metadata=m),
                    lambda m: list(health.Watch(request, metadata=m)),
                    lambda m: list(reflection.ServerReflectionInfo(
                        iter([question]), metadata=m))):
                with pytest.raises(grpc.RpcError) as refused:
                    call(metadata)
                assert (refused.value.code() ==
                        grpc.StatusCode.UNAUTHENTICATED), refused.value
        metadata = [("x-usher-secret", content["secret"])]
        assert health.Check(request, metadata=metadata).status == \
            stubs.health.HealthCheckResponse.SERVING
        (answer,) = reflection.ServerReflectionInfo(iter([question]),
                                                    metadata=metadata)
        assert answer.list_services_response.service


@pytest.mark.root
def test_an_open_service_lets_users_read_theirs(daemon, work):
    folder = work / "doors"
    folder.mkdir(mode=0o755)
    daemon.address = work / "usher.sock"
    daemon.configure(
        "[service]\nworld_accessible = true\n"
        f'socket = "{daemon.address}"\n'
        f'[loopback]\nenabled = true\nfolder = "{folder}"\n')
    daemon.start()
    assert platforms.is_root()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode)
             for path in folder.iterdir()}
    assert modes == {"loopback-user.json": 0o644,
                     "loopback-administrator.json": 0o600}
