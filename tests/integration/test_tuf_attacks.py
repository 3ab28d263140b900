"""Servers that lie in ways that no document can: endless answers, redirects,
another answer each time; and a client that is killed at every step."""

import json
import os
import queue

import pytest

LIMIT = 64 * 1024 * 1024  # the largest metadata that a client takes


@pytest.fixture
def tree(tuf):
    """Top-level targets, a role, and a role below it, which has a target."""
    repository, server, client = tuf
    repository.delegate("targets", "vendor")
    repository.delegate("vendor", "team")
    repository.add_artifact("team", "file.bin", b"first")
    repository.publish_targets("targets", "vendor", "team")
    assert client.init() and client.download("file.bin"), client.errors
    return repository, server, client


def next_versions(repository):
    """Everything has a next version, root included."""
    repository.publish("root")
    repository.add_artifact("team", "file.bin", b"second")
    repository.publish_targets("targets", "vendor", "team")


def metadata_files(repository):
    """What a client fetches in the next refresh, in order."""
    snapshot = repository.signed["snapshot"][-1]
    meta = json.loads(snapshot)["signed"]["meta"]
    version = json.loads(snapshot)["signed"]["version"]
    return ["2.root.json", "timestamp.json", f"{version}.snapshot.json",
            *(f"{meta[role + '.json']['version']}.{role}.json"
              for role in ("targets", "vendor", "team"))]


def unchanged_since(client, before):
    """What is on disk is of the old state or of the new one, never other."""
    for name, version in client.versions().items():
        assert version >= before.get(name, 0)


FILES = ["root", "timestamp", "snapshot", "targets", "vendor", "team",
         "file.bin"]


def attacked(repository, which):
    if which == "file.bin":
        info = json.loads(repository.signed["team"][-1])["signed"]["targets"]
        return f"targets/{info['file.bin']['hashes']['sha256']}.file.bin"
    [name] = [name for name in metadata_files(repository)
              if f".{which}." in f".{name}"]
    return "metadata/" + name


@pytest.mark.parametrize("which", FILES)
def test_endless_answers(tree, which):
    repository, server, client = tree
    before = client.versions()
    next_versions(repository)
    sent = queue.Queue()

    def endless(handler):
        handler.send_response(200)
        handler.end_headers()
        total = 0
        try:
            # Ends long after the client should have hung up.
            while total < 4 * LIMIT:
                handler.wfile.write(b"{" * 65536)
                total += 65536
        except OSError:
            pass
        handler.close_connection = True
        sent.put(total)

    server.lies[attacked(repository, which)] = endless
    assert not client.download("file.bin")
    assert "limit" in client.errors or "more than" in client.errors, \
        client.errors
    # The server may notice after the client has ended. Some is in buffers on
    # the way.
    assert sent.get(timeout=60) < LIMIT + 16 * 1024 * 1024
    unchanged_since(client, before)
    server.lies.clear()
    assert client.download("file.bin"), client.errors
    assert client.downloaded()[-1] in (b"first", b"second")


@pytest.mark.parametrize("which", FILES)
@pytest.mark.parametrize("location", ["itself", "file:///etc/hostname",
                                      "ftp://127.0.0.1/x", "//["])
def test_redirects_lead_nowhere(tree, which, location):
    repository, server, client = tree
    before = client.versions()
    next_versions(repository)

    def redirect(handler):
        handler.send_response(302)
        handler.send_header("Location", handler.path if location == "itself"
                            else location)
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    path = attacked(repository, which)
    server.lies[path] = redirect
    server.requests.clear()
    assert not client.download("file.bin")
    assert server.requests.count(path) <= 6
    unchanged_since(client, before)
    server.lies.clear()
    assert client.download("file.bin"), client.errors


def test_another_answer_each_time(tree):
    """Every file as it was and as it is, in turn: what a client trusts goes
    forward only, and fits together whenever a refresh succeeds."""
    repository, server, client = tree
    old, _ = repository.copy()
    next_versions(repository)
    new, _ = repository.copy()
    trusted = client.versions()
    outcomes = set()
    for turn in range(24):
        # Another half of the files is old each time.
        count = [0]

        def choose(path, turn=turn, count=count):
            count[0] += 1
            repository.signed = old if (turn >> (count[0] % 5)) & 1 else new
            return None

        original = server.answer
        server.answer = lambda path: choose(path) or original(path)
        try:
            done = client.download("file.bin")
        finally:
            server.answer = original
            repository.signed = new
        outcomes.add(done)
        now = client.versions()
        for name, version in trusted.items():
            assert now[name] >= version, (turn, name)
        trusted = now
        if done:
            named = json.loads(client.stored("timestamp"))["signed"]["meta"]
            assert named["snapshot.json"]["version"] == now["snapshot"]
            meta = json.loads(client.stored("snapshot"))["signed"]["meta"]
            for role in ("targets", "vendor", "team"):
                assert meta[role + ".json"]["version"] == now[role]
    assert False in outcomes
    assert client.download("file.bin"), client.errors
    assert b"second" in client.downloaded()


@pytest.mark.parametrize("fault, times", [
    ("repository.root_written", 1), ("repository.timestamp_written", 1),
    ("repository.snapshot_written", 1), ("repository.targets_written", 1),
    ("repository.delegated_written", 1)])
def test_a_kill_at_each_step(tree, fault, times):
    repository, server, client = tree
    before = client.versions()
    next_versions(repository)
    for _ in range(times):
        client.download("file.bin", fault=fault)
    # All of it can be read, and is of one of the two states.
    unchanged_since(client, before)
    for path in client.metadata_dir.glob("*.json"):
        json.loads(path.read_bytes())
    # A server that lies now gains nothing by it.
    server.lies["metadata/timestamp.json"] = os.urandom(100)
    assert not client.refresh()
    unchanged_since(client, before)
    server.lies.clear()
    assert client.download("file.bin"), client.errors
    assert b"second" in client.downloaded()
    assert not [path for path in client.metadata_dir.iterdir()
                if not path.name.endswith(".json")]
