"""Copies of a published repository: mirrors, parts of it, packs, and what two
states of it have different."""

import fcntl
import http.server
import json
import os
import pathlib
import shutil
import subprocess
import threading
import time

import pytest

from harness.vendor import Vendor

pytestmark = pytest.mark.linux_only(
    "copies are made of files by the same code; a mirror, a pack and what the "
    "service makes of them show usher-publish.exe at work")


@pytest.fixture
def publisher(publishing, work):
    """publisher(*words) runs usher-publish: exit code, and what it said."""

    def run(*words, fault=None):
        environment = {**os.environ, **publishing.environment}
        if fault:
            environment["USHER_FAULT"] = fault
        done = subprocess.run(
            publishing.command("usher-publish") + publishing.words(words),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, cwd=work, env=environment)
        run.output = done.stdout + done.stderr
        run.json = json.loads(done.stdout) if "--json" in words and \
            done.stdout else None
        return done.returncode
    run.output = ""
    return run


@pytest.fixture
def repository(platform, repository, work):
    """Two updates of its own and one of a vendor, and a second root."""
    repository.add_archive("tool", "1", {"tool": os.urandom(3000)})
    repository.add_archive("other", "1", {"other": os.urandom(3000)})
    repository.publish()
    acme = Vendor(platform, "acme", repository, work / "acme",
                  work / "acme-sources")
    acme.introduce()
    acme.add_archive("anvil", "1", {"anvil": os.urandom(3000)})
    acme.deliver()
    repository.rotate_root()
    repository.acme = acme
    return repository


@pytest.fixture
def root(repository):
    return repository.folder / "root.json"


def content(folder):
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(pathlib.Path(folder).rglob("*"))
            if path.is_file() and not path.name.startswith(".usher-mirror")}


def payloads(folder):
    return sorted(path.name for path in
                  pathlib.Path(folder).glob("targets/payloads/*/*"))


# --- mirrors ---

@pytest.mark.on_wine
@pytest.mark.own_publisher
def test_a_service_refreshes_from_a_mirror(repository, publisher, serve, daemon,
                                           cli, root, work):
    server = serve(repository.published)
    first_root = repository.published / "metadata/1.root.json"
    # From the newest root and from the oldest.
    for trusted in (root, first_root):
        shutil.rmtree(work / "mirror", ignore_errors=True)
        assert publisher("mirror", server.url, work / "mirror", "--root",
                         trusted, "--json") == 0, publisher.output
        assert publisher.json["updates"] == 3
        assert publisher.json["payloads"] == 3
    assert (work / "mirror/metadata/1.root.json").exists()
    assert publisher("verify", work / "mirror", "--root", first_root) == 0

    mirror = serve(work / "mirror")
    server.stop()
    daemon.start()
    added = cli.run("services", "add", mirror.url, "--root", first_root)
    assert added.code == 0, added.stderr
    done = cli.run("install", "anvil", "--yes")
    assert done.code == 0, done.stdout + done.stderr


def test_only_what_is_new_is_fetched(repository, publisher, serve, root, work):
    server = serve(repository.published)
    assert publisher("mirror", server.url, "mirror", "--root", root) == 0
    server.stop_serving()
    before = len(server.requests())
    server.start()
    assert publisher("mirror", server.url, "mirror", "--root", root,
                     "--json") == 0, publisher.output
    assert publisher.json["files_copied"] == 0
    server.stop_serving()
    paths = [request[1] for request in server.requests()[before:]]
    assert paths and all(path.startswith("/metadata/") for path in paths)
    server.start()

    # A damaged file is replaced, a new payload is fetched.
    [damaged] = (work / "mirror").glob("targets/payloads/*/other-1.tar.gz")
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    repository.add_archive("tool", "2", {"tool": os.urandom(3000)})
    repository.publish()
    assert publisher("mirror", server.url, "mirror", "--root", root,
                     "--json") == 0, publisher.output
    # Two payloads, a catalog, targets, snapshot, timestamp.
    assert publisher.json["files_copied"] == 6
    assert publisher("verify", "mirror", "--root", root) == 0


def test_a_part(repository, publisher, root, work):
    part = work / "part"
    assert publisher("mirror", repository.folder, part, "--root", root,
                     "--name", "t*l", "--json") == 0, publisher.output
    assert payloads(part) == ["tool-1.tar.gz"]
    assert publisher.json["updates"] == 3
    listed = json.loads(repository.run("list", repository.folder, "--json"))
    [other] = [update["update_id"] for update in listed["updates"]
               if update["name"] == "other"]
    assert publisher("mirror", repository.folder, part, "--root", root,
                     "--update", other, "--prune", "--keep-for", "0",
                     "--json") == 0
    assert payloads(part) == ["other-1.tar.gz"]
    assert publisher.json["files_removed"] == 1
    assert publisher("mirror", repository.folder, part, "--root", root,
                     "--no-payloads", "--prune", "--keep-for", "0") == 0
    assert payloads(part) == []
    before = content(part)
    assert publisher("mirror", repository.folder, part, "--root", root,
                     "--name", "nothing") == 1
    assert "no update \"nothing\"" in publisher.output
    assert content(part) == before


def test_what_readers_may_be_reading_is_pruned_a_day_later(repository, publisher,
                                                          root, work):
    mirror = work / "mirror"

    def run(*words, hours=0):
        os.environ["SOURCE_DATE_EPOCH"] = str(start + hours * 3600)
        try:
            assert publisher("mirror", repository.folder, mirror, "--root",
                             root, "--prune", "--json", *words) == 0, \
                publisher.output
        finally:
            del os.environ["SOURCE_DATE_EPOCH"]
        return publisher.json["files_removed"], publisher.json["files_unnamed"]

    start = int(time.time())
    assert run() == (0, 0)
    before = content(mirror)
    repository.add_archive("tool", "2", {"tool": b"two"})
    repository.publish()
    listed = json.loads(repository.run("list", repository.folder, "--json"))
    [first] = [update["update_id"] for update in listed["updates"]
               if update["version"] == "1" and update["name"] == "tool"]
    repository.run("remove", repository.folder, first)
    repository.run("publish", repository.folder)
    # Who holds the timestamp of before finds all that it leads to: a catalog,
    # targets, snapshot and the payload that is gone.
    assert run() == (0, 4)
    after = content(mirror)
    assert {name for name in before if after.get(name) != before[name]} == {
        "metadata/timestamp.json"}
    # Nor does another run end it, but time; each file's own.
    assert run(hours=20) == (0, 4)
    repository.add_archive("tool", "3", {"tool": b"three"})
    repository.publish()
    assert run(hours=23) == (0, 7)
    assert run(hours=25) == (4, 3)
    assert publisher("verify", mirror, "--root", root) == 0
    assert run(hours=48) == (3, 0)
    assert not (mirror / ".usher-mirror.unnamed").exists()
    # A damaged list: everything is new in it.
    (mirror / "targets/stray").write_text("stray")
    assert run(hours=50) == (0, 1)
    (mirror / ".usher-mirror.unnamed").write_text('{"targets/stray": "x"')
    assert run(hours=90) == (0, 1)
    assert run("--keep-for", "0", hours=90) == (1, 0)
    assert publisher("verify", mirror, "--root", root) == 0


@pytest.mark.parametrize("pattern, chosen", [
    ("*", ["anvil", "other", "tool"]), ("tool", ["tool"]), ("to", []),
    ("ool", []), ("*o*l", ["tool"]), ("**o**", ["other", "tool"]),
    ("t*o", []), ("*l*", ["anvil", "tool"]), ("a*v*l*", ["anvil"]),
    ("*a*n*v*i*l*x", []), ("", [])])
def test_patterns(repository, publisher, root, work, pattern, chosen):
    code = publisher("mirror", repository.folder, "part", "--root", root,
                     "--name", pattern)
    assert code == (0 if chosen else 1), publisher.output
    found = payloads(work / "part") if chosen else []
    assert found == [f"{name}-1.tar.gz" for name in chosen]


def test_keys_that_were_revoked_lead_nowhere_back(repository, publisher, work):
    first = work / "first.json"
    shutil.copy(repository.published / "metadata/1.root.json", first)
    shutil.copytree(repository.published, work / "old")
    (work / "old/metadata/2.root.json").unlink()
    # New keys of the timestamp and the snapshot, in two roots.
    keys = repository.folder / "keys"
    for role in ("timestamp", "snapshot"):
        assert publisher("keys", "create", f"{role}.pem") == 0
    def root(name, *steps):
        assert publisher("root", "draft", repository.folder, name) == 0
        for words in steps:
            assert publisher("root", words[0], name, *words[1:]) == 0, \
                publisher.output
        assert publisher("root", "sign", name, "--key", keys / "root.pem") == 0
        assert publisher("root", "publish", repository.folder, name) == 0, \
            publisher.output
    before = json.loads(first.read_text())["signed"]["roles"]
    root("a.json", *(("add-key", f"{role}.pem", "--role", role)
                     for role in ("timestamp", "snapshot")))
    for role in ("timestamp", "snapshot"):
        shutil.move(work / f"{role}.pem", keys / f"{role}.pem")
    assert publisher("publish", repository.folder, "--renew") == 0
    root("b.json", *(("remove-key", before[role]["keyids"][0], "--role", role)
                     for role in ("timestamp", "snapshot")))
    assert publisher("mirror", repository.folder, "mirror", "--root",
                     first) == 0, publisher.output
    state = content(work / "mirror")
    for words in ((), ("--prune",)):
        assert publisher("mirror", "old", "mirror", "--root", first,
                         *words) == 1
        assert "gone back to an older state" in publisher.output
        assert content(work / "mirror") == state
    assert publisher("verify", work / "mirror", "--root", first) == 0


@pytest.mark.parametrize("status", [403, 404, 410])
def test_servers_that_have_other_words_for_missing(repository, publisher, root,
                                                   work, status):
    class Handler(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *args):
            super().__init__(*args, directory=str(repository.published))

        def send_error(self, code, *_):
            super().send_error(status if code == 404 else code)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            for words in (("verify", url), ("mirror", url, "mirror"),
                          ("pack", url, "all.usp"),
                          ("diff", url, repository.folder)):
                assert publisher(*words, "--root", root) == 0, publisher.output
        finally:
            server.shutdown()


@pytest.mark.parametrize("kind", ["timestamp.json", ".snapshot.json",
                                  ".targets.json", "2.root.json",
                                  "catalog.usc", "tool-2.tar.gz"])
def test_a_flipped_byte_gets_in_nowhere(repository, publisher, root, work,
                                        kind):
    assert publisher("mirror", repository.folder, "mirror", "--root",
                     repository.published / "metadata/1.root.json") == 0
    good = content(work / "mirror")
    repository.add_archive("tool", "2", {"tool": os.urandom(3000)})
    repository.publish()
    path = max((path for path in repository.published.rglob(f"*{kind}")
                if "acme" not in path.parts),
               key=lambda path: path.stat().st_mtime_ns)
    original = path.read_bytes()
    for at in (len(original) // 3, len(original) // 2, len(original) - 9):
        path.write_bytes(original[:at] + bytes([original[at] ^ 0x11]) +
                         original[at + 1:])
        code = publisher("mirror", repository.folder, "mirror", "--root",
                         repository.published / "metadata/1.root.json")
        if kind == "2.root.json":
            # Copied already; the trusted one is its predecessor.
            assert code == 1, publisher.output
        else:
            assert code == 1, publisher.output
        mirrored = content(work / "mirror")
        # What is named first is there; nothing that was there has changed, and
        # what the timestamp names is the old state.
        for name, data in good.items():
            assert mirrored[name] == data
        for name, data in mirrored.items():
            assert name in good or data == (
                repository.published / name).read_bytes() and \
                data != path.read_bytes()
        assert publisher("verify", work / "mirror", "--root", root) == 0
    path.write_bytes(original)
    assert publisher("mirror", repository.folder, "mirror", "--root", root) == 0
    assert content(work / "mirror")["metadata/timestamp.json"] != \
        good["metadata/timestamp.json"]


@pytest.fixture
def next_state(repository, publisher, work):
    """The mirror has a state, and the repository the next one, of both."""
    first = repository.published / "metadata/1.root.json"
    assert publisher("mirror", repository.folder, "mirror", "--root",
                     first) == 0
    repository.add_archive("tool", "2", {"tool": os.urandom(3000)})
    repository.publish()
    repository.acme.add_archive("anvil", "2", {"anvil": os.urandom(3000)})
    repository.acme.deliver()
    return content(work / "mirror")


@pytest.mark.parametrize("kind", [".acme.json", "catalog.usc",
                                  "anvil-2.tar.gz"])
@pytest.mark.parametrize("missing", [False, True])
def test_a_vendors_fault_stops_nobody_else(repository, publisher, root, work,
                                           next_state, kind, missing):
    folder = repository.published
    path = max((path for path in folder.rglob(f"*{kind}")
                if kind != "catalog.usc" or "acme" in path.parts),
               key=lambda path: path.stat().st_mtime_ns)
    original = path.read_bytes()
    damaged = bytearray(original)
    damaged[len(damaged) // 2] ^= 0x11
    path.unlink()
    if not missing:
        path.write_bytes(damaged)
    name = str(path.relative_to(folder))
    assert publisher("mirror", repository.folder, "mirror", "--root", root,
                     "--json") == 4, publisher.output
    [fault] = publisher.json["faults"]
    assert fault["vendor"] == "acme" and not fault["expired"]
    assert kind.lstrip(".") in fault["message"]
    assert "note: vendor acme: " in publisher.output
    expected = content(folder)
    expected.pop(name, None)
    mirrored = content(work / "mirror")
    assert name not in mirrored
    assert mirrored["metadata/timestamp.json"] == \
        expected["metadata/timestamp.json"]
    assert {"tool-1.tar.gz", "other-1.tar.gz", "tool-2.tar.gz"} <= set(
        payloads(work / "mirror"))
    for kind in ("snapshot", "targets"):
        newest = repository.file(kind)
        assert mirrored[str(newest.relative_to(folder))] == newest.read_bytes()
    assert publisher("pack", repository.folder, "all.usp", "--root",
                     root) == 4, publisher.output
    # A part of what could not be read is asked for.
    assert publisher("mirror", repository.folder, "part", "--root", root,
                     "--name", "anvil*") == 4, publisher.output
    # It is whole again with the next run.
    path.write_bytes(original)
    assert publisher("mirror", repository.folder, "mirror", "--root",
                     root) == 0, publisher.output
    assert publisher("verify", work / "mirror", "--root", root) == 0
    assert content(work / "mirror")[name] == original


def test_a_lapsed_vendor_is_copied_as_it_is(repository, publisher, root, work,
                                            next_state, monkeypatch):
    del next_state
    now = time.time()
    monkeypatch.setenv("SOURCE_DATE_EPOCH", str(int(now + 100 * 24 * 3600)))
    # The vendor has published for the last time a hundred days ago.
    assert publisher("publish", repository.folder) == 0, publisher.output
    for command in ("mirror", "pack"):
        to = work / f"all-{command}"
        assert publisher(command, repository.folder, to, "--root", root,
                         "--json") == 4, publisher.output
        [fault] = publisher.json["faults"]
        assert fault["vendor"] == "acme" and fault["expired"]
        assert publisher.json["updates"] == 5
    mirrored = content(work / "all-mirror")
    expected = content(repository.published)
    for name in ("metadata/timestamp.json", "metadata/2.acme.json"):
        assert mirrored[name] == expected[name]
    # With its files, so that nothing is fetched again when it is back.
    assert "anvil-2.tar.gz" in payloads(work / "all-mirror")


def test_a_fault_of_the_network_is_not_a_vendors(repository, publisher, root,
                                                 work, next_state):
    class Handler(http.server.SimpleHTTPRequestHandler):
        broken = ""

        def __init__(self, *args):
            super().__init__(*args, directory=str(repository.published))

        def do_GET(self):
            if Handler.broken in self.path:
                self.send_error(503)
            else:
                super().do_GET()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,)).start()
        url = f"http://127.0.0.1:{server.server_port}"
        try:
            for broken in ("acme.json", "catalog/acme/", "anvil-2"):
                Handler.broken = broken
                assert publisher("mirror", url, "mirror", "--root", root) == 1
                assert content(work / "mirror")["metadata/timestamp.json"] == \
                    next_state["metadata/timestamp.json"]
            Handler.broken = "nothing"
            assert publisher("mirror", url, "mirror", "--root",
                             root) == 0, publisher.output
        finally:
            server.shutdown()


def test_it_never_goes_back(repository, publisher, root, work):
    shutil.copytree(repository.published, work / "old")
    repository.add_archive("tool", "2", {"tool": b"two"})
    repository.publish()
    assert publisher("mirror", repository.folder, "mirror", "--root", root) == 0
    before = content(work / "mirror")
    assert publisher("mirror", work / "old", "mirror", "--root", root) == 1
    assert "rolled back" in publisher.output
    assert content(work / "mirror") == before
    # Nor into a publisher's own folder.
    assert publisher("mirror", work / "old", repository.folder, "--root",
                     root) == 1
    assert "publisher's own folder" in publisher.output


@pytest.mark.parametrize("fault", [
    "mirror.payload", "mirror.payloads", "mirror.catalogs", "mirror.snapshot",
    "mirror.timestamp"])
def test_a_kill_leaves_the_old_state_or_the_new(repository, publisher, root,
                                                work, fault):
    assert publisher("mirror", repository.folder, "mirror", "--root", root) == 0
    repository.add_archive("tool", "2", {"tool": b"two"})
    repository.publish()
    repository.acme.add_archive("anvil", "2", {"anvil": b"two"})
    repository.acme.deliver()
    assert publisher("mirror", repository.folder, "mirror", "--root", root,
                     fault=fault) == -9
    assert publisher("verify", work / "mirror", "--root", root,
                     "--json") == 0, publisher.output
    assert publisher.json["updates"] == (5 if fault == "mirror.timestamp" else
                                         3)
    # As a kill in the midst of writing leaves them.
    for folder in ("metadata", "targets/catalog/acme"):
        (work / "mirror" / folder / ".x.usc.0123.tmp").write_bytes(b"part")
    assert publisher("mirror", repository.folder, "mirror", "--root",
                     root) == 0, publisher.output
    assert publisher("verify", work / "mirror", "--root", root, "--json") == 0
    assert publisher.json["updates"] == 5
    assert not list((work / "mirror").glob(".usher-mirror.new"))
    assert not list((work / "mirror").rglob("*.tmp"))


def test_two_at_once_exclude_each_other(platform, repository, publisher, root,
                                        serve, work):
    repository.add_archive("big", "1", {"big": os.urandom(300000)})
    repository.publish()
    server = serve(repository.published, rate=20000)
    first = subprocess.Popen(
        platform.command("usher-publish") +
        ["mirror", server.url, str(work / "mirror"), "--root", str(root)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        # It makes this folder when it has the lock.
        while not (work / "mirror/.usher-mirror.new").exists():
            with pytest.raises(subprocess.TimeoutExpired):
                first.wait(0.01)
        assert publisher("mirror", repository.folder, work / "mirror",
                         "--root", root) == 1
        assert "another usher-publish is at work" in publisher.output
    finally:
        first.terminate()
        first.wait()


# --- packs ---

@pytest.mark.on_wine
@pytest.mark.own_publisher
def test_a_pack_is_the_repository_in_one_file(repository, publisher, root,
                                              work):
    assert publisher("pack", repository.folder, "all.usp", "--root", root,
                     "--json") == 0, publisher.output
    assert publisher.json["payloads"] == 3
    names = subprocess.run(["tar", "tf", work / "all.usp"], check=True,
                           capture_output=True, text=True).stdout.split()
    assert names[0] == "metadata/1.root.json"
    assert names[2] == "metadata/timestamp.json"
    assert [name for name in names if name.startswith("targets/payloads/")] == \
        names[-3:]
    (work / "unpacked").mkdir()
    subprocess.run(["tar", "xf", work / "all.usp", "-C", work / "unpacked"],
                   check=True)
    assert publisher("verify", work / "unpacked", "--root", root) == 0
    assert not (work / "all.usp.new").exists()
    assert publisher("diff", work / "unpacked", repository.folder, "--root",
                     root) == 0, publisher.output

    # The same state, the same bytes; and nothing is left beside it.
    assert publisher("pack", repository.folder, "again.usp", "--root",
                     root) == 0
    assert (work / "all.usp").read_bytes() == (work / "again.usp").read_bytes()
    assert not list(work.glob("*.new"))

    (repository.published / "metadata/timestamp.json").write_text("{}")
    before = (work / "all.usp").read_bytes()
    assert publisher("pack", repository.folder, "all.usp", "--root", root) == 1
    assert (work / "all.usp").read_bytes() == before
    assert not list(work.glob("*.new"))


def test_what_a_killed_pack_leaves_is_taken_away(repository, publisher, root,
                                                 work):
    words = ("pack", repository.folder, "all.usp", "--root", root)
    assert publisher(*words, fault="mirror.payload") == -9
    assert (work / "all.usp.new/content").exists()
    assert not (work / "all.usp").exists()
    # Somebody is still at it.
    with open(work / "all.usp.new/lock", "w", encoding="ascii") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert publisher(*words) == 1
        assert "another usher-publish is making this pack" in publisher.output
    assert publisher(*words) == 0, publisher.output
    assert [path.name for path in work.glob("all.usp*")] == ["all.usp"]


@pytest.mark.on_wine
@pytest.mark.own_publisher
def test_a_service_takes_a_pack(repository, publisher, daemon, cli, root, work):
    assert publisher("pack", repository.folder, "all.usp", "--root", root) == 0
    shutil.move(repository.folder, work / "gone")
    daemon.start()
    added = cli.run("services", "add-scan-package", work / "all.usp", "--root",
                    work / "gone/root.json")
    assert added.code == 0, added.stderr
    for name in ("tool", "anvil"):
        done = cli.run("install", name, "--yes")
        assert done.code == 0, done.stdout + done.stderr
    assert "anvil" in cli.run("history").stdout


# --- differences ---

def test_differences(repository, publisher, root, work):
    assert publisher("diff", repository.folder) == 0, publisher.output
    assert publisher.output == "No difference.\n"
    shutil.copytree(repository.published, work / "old")
    listed = json.loads(repository.run("list", repository.folder, "--json"))
    ids = {update["name"]: update["update_id"] for update in listed["updates"]}
    repository.add_archive("new", "1", {"new": b"new"})
    for path in sorted(repository.sources.glob("*.toml")):
        repository.run("add", repository.folder, path)
        path.unlink()
    repository.run("remove", repository.folder, ids["other"])
    repository.run("yank", repository.folder, ids["tool"], "--reason", "bad")
    assert publisher("diff", repository.folder, "--json") == 3
    draft = publisher.json
    assert draft["different"]
    assert [update["name"] for update in draft["added"]] == ["new"]
    assert [update["name"] for update in draft["removed"]] == ["other"]
    [change] = draft["changed"]
    assert not change["before"]["yanked"] and change["after"]["yanked"]
    assert draft["trust"] == []

    repository.publish()
    assert publisher("diff", repository.folder) == 0
    assert publisher("diff", "old", repository.folder, "--root", root) == 3
    assert f"~ {ids['tool']}  tool 1  yanked\n" in publisher.output
    assert f"- {ids['other']}  other 1\n" in publisher.output
    assert "delegation" not in publisher.output
    # Who signs.
    repository.run("vendor", "remove", repository.folder, "acme")
    repository.run("publish", repository.folder)
    assert publisher("diff", "old", repository.folder, "--root", root) == 3
    assert "- delegation to acme: 1 of " in publisher.output
    assert "anvil" in publisher.output
    assert publisher("diff", "old", work / "nothing", "--root", root) == 1
    assert publisher("diff", repository.acme.folder) == 1
    assert "is the folder of the vendor acme" in publisher.output
    assert publisher("diff") == 2
