"""Servers that lie in ways that no document can: endless answers, none at all,
redirects, another answer each time; and a client that is killed at every
step."""

import json
import os
import queue
import threading

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


def old_or_new(client, repository, before, may_miss=()):
    """Every document that is trusted is, byte for byte, the old one or the new
    one, and of the new ones none without those that speak for it. Returns the
    names of the new ones."""
    now = client.trusted()
    assert set(before) - set(may_miss) <= set(now) <= set(before)
    new = {name for name, data in now.items() if data != before[name]}
    for name in new:
        assert now[name] == repository.signed[name][-1], name
    order = ["root", "timestamp", "snapshot", "targets", "vendor", "team"]
    assert new == set(order[:len(new)])
    return new


# What a client takes of the new state before it comes to each file.
TAKEN = {"root": 0, "timestamp": 1, "snapshot": 2, "targets": 3, "vendor": 4,
         "team": 5, "file.bin": 6}
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
    before = client.trusted()
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
    assert len(old_or_new(client, repository, before)) == TAKEN[which]
    assert client.downloaded() == [b"first"]
    server.lies.clear()
    assert client.download("file.bin"), client.errors
    assert client.downloaded() == [b"second"]


@pytest.mark.parametrize("which, sends", [
    ("timestamp", "nothing"), ("timestamp", "headers"),
    *((which, "half") for which in FILES)])
def test_stalled_answers(tree, which, sends):
    """A server that goes silent holds nobody up, and leaves nothing of what it
    had begun to send."""
    repository, server, client = tree
    before = client.trusted()
    next_versions(repository)
    path = attacked(repository, which)
    answer = server.answer(path)
    given_up = threading.Event()
    done = queue.Queue()

    def stalls(handler):
        if sends != "nothing":
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(answer)))
            handler.end_headers()
        if sends == "half":
            handler.wfile.write(answer[:len(answer) // 2])
        handler.wfile.flush()
        done.put(given_up.wait(timeout=60))
        handler.close_connection = True

    server.lies[path] = stalls
    client.impatient = True
    assert not client.download("file.bin")
    # The client has ended, and the server not.
    assert done.empty()
    given_up.set()
    assert done.get(timeout=60)
    assert len(old_or_new(client, repository, before)) == TAKEN[which]
    # Nothing half is left beside it.
    assert not [file for file in (*client.metadata_dir.iterdir(),
                                  *client.target_dir.iterdir())
                if file.name.endswith(".tmp")]
    assert client.downloaded() == [b"first"]
    server.lies.clear()
    assert client.download("file.bin"), client.errors
    assert client.downloaded() == [b"second"]


@pytest.mark.parametrize("which", FILES)
@pytest.mark.parametrize("location", ["itself", "file:///etc/hostname",
                                      "ftp://127.0.0.1/x", "//["])
def test_redirects_lead_nowhere(tree, which, location):
    repository, server, client = tree
    before = client.trusted()
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
    assert len(old_or_new(client, repository, before)) == TAKEN[which]
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


# Where the client is killed, and how many of the new documents it has then.
STEPS = {"root_written": 1, "timestamp_written": 2, "snapshot_written": 3,
         "targets_written": 4, "delegated_written": 5}


def goes_on(repository, server, client, before, may_miss=()):
    """From what a kill has left: a server that lies gains nothing by it, one
    that does not is believed."""
    new = old_or_new(client, repository, before, may_miss)
    server.lies["metadata/timestamp.json"] = os.urandom(100)
    assert not client.refresh()
    # At most the root, which comes before the lie.
    assert old_or_new(client, repository, before, may_miss) <= new | {"root"}
    server.lies.clear()
    assert client.download("file.bin"), client.errors
    assert client.downloaded() == [b"second"]
    assert client.trusted() == {name: repository.signed[name][-1]
                                for name in before}
    # No temporary file is left for good.
    assert not [path for path in client.metadata_dir.iterdir()
                if not path.name.endswith(".json")]


@pytest.mark.parametrize("step, taken", STEPS.items())
def test_a_kill_at_each_step(tree, step, taken):
    repository, server, client = tree
    before = client.trusted()
    next_versions(repository)
    client.download("file.bin", fault=f"repository.{step}")
    assert len(old_or_new(client, repository, before)) == taken
    goes_on(repository, server, client, before)


@pytest.mark.parametrize("step, gone", [
    ("timestamp_removed", {"timestamp"}),
    ("snapshot_removed", {"timestamp", "snapshot"}),
    ("root_written", {"timestamp", "snapshot"})])
@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
def test_a_kill_while_keys_are_recovered(tree, role, step, gone):
    """Versions were run up by whoever had stolen a key; a root names another
    key, and the client dies while it forgets what the old one signed."""
    repository, server, client = tree
    repository.bodies[role]["version"] = 99
    repository.update_snapshot()
    assert client.refresh(), client.errors
    before = client.trusted()
    repository.bodies[role]["version"] = 3
    repository.rotate_key(role)
    next_versions(repository)
    client.download("file.bin", fault=f"repository.{step}")
    now = client.trusted()
    assert set(before) - set(now) == gone
    assert now["root"] == (repository.signed["root"][-1]
                           if step == "root_written" else before["root"])
    goes_on(repository, server, client, before,
            may_miss=("timestamp", "snapshot"))
