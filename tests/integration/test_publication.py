"""Publishing as its readers see it: a kill at each step, a reader in a loop, a
folder that somebody else writes to, and what a cron job is told."""

import json
import os
import shutil
import subprocess
import threading

import pytest

from harness.vendor import Vendor

pytestmark = pytest.mark.linux_only("what it kills and looks at is usher-publish, "
                                    "whose own tests under Wine are marked own_publisher")

DAY = 24 * 3600


@pytest.fixture
def publisher(platform, work):
    """publisher(*words) runs usher-publish: its exit code. What it said is in
    .output, and the result of --json in .json."""

    def run(*words, fault=None, now=None):
        environment = dict(os.environ)
        if fault:
            environment["USHER_FAULT"] = fault
        if now:
            environment["SOURCE_DATE_EPOCH"] = str(int(now))
        done = subprocess.run(
            platform.command("usher-publish") + list(map(str, words)),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, cwd=work, env=environment, start_new_session=True)
        run.output = done.stdout + done.stderr
        run.errors = done.stderr
        run.json = json.loads(done.stdout) if "--json" in words and \
            done.stdout else None
        return done.returncode
    return run


@pytest.fixture
def repository(repository):
    """Has published once."""
    repository.add_archive("tool", "1", {"tool": b"one"})
    repository.publish()
    return repository


def add(repository, version, name="tool"):
    """One more update in the draft."""
    repository.add_archive(name, str(version), {name: b"%d" % version})
    for path in repository.sources.glob("*.toml"):
        repository.run("add", repository.folder, path)
        path.unlink()


def updates(publisher, folder, root):
    """How many a client sees, who verifies everything down to the payloads."""
    assert publisher("verify", folder, "--root", root, "--json") == 0, \
        publisher.output
    return publisher.json["updates"]


# --- a kill at each step ---

@pytest.mark.parametrize("fault", [
    "publisher.payload", "publisher.payloads_written",
    "publisher.catalog_written", "publisher.settings_written",
    "publisher.targets_written", "publisher.snapshot_written",
    "publisher.timestamp_written"])
def test_a_kill_leaves_the_old_state_or_the_new(repository, publisher, work,
                                                fault):
    root = work / "root.json"
    shutil.copy(repository.folder / "root.json", root)
    add(repository, 2)
    assert publisher("publish", repository.folder, fault=fault) == -9
    assert updates(publisher, repository.published, root) == (
        2 if fault == "publisher.timestamp_written" else 1)
    # Neither a cron job nor the next publication is in trouble.
    assert publisher("refresh-timestamp", repository.folder) == 0, \
        publisher.output
    assert publisher("publish", repository.folder) == 0, publisher.output
    assert updates(publisher, repository.published, root) == 2
    add(repository, 3)
    assert publisher("publish", repository.folder) == 0, publisher.output
    assert updates(publisher, repository.published, root) == 3
    assert not list(repository.folder.rglob("*.tmp"))


def test_killed_again_and_again(repository, publisher):
    root = repository.folder / "root.json"
    for version, fault in enumerate((
            "publisher.targets_written", "publisher.snapshot_written",
            "publisher.settings_written", "publisher.targets_written"), 2):
        add(repository, version)
        assert publisher("publish", repository.folder, fault=fault) == -9
        assert updates(publisher, repository.published, root) == 1
    assert publisher("publish", repository.folder) == 0, publisher.output
    assert updates(publisher, repository.published, root) == 5


@pytest.mark.parametrize("fault", ["publisher.refresh_recorded",
                                   "publisher.refresh_written"])
def test_a_kill_while_refreshing(repository, publisher, fault):
    root = repository.folder / "root.json"
    for _ in range(2):
        assert publisher("refresh-timestamp", repository.folder,
                         fault=fault) == -9
        assert updates(publisher, repository.published, root) == 1
    assert publisher("refresh-timestamp", repository.folder) == 0, \
        publisher.output
    assert publisher("publish", repository.folder) == 0, publisher.output
    assert updates(publisher, repository.published, root) == 1


def test_a_kill_between_the_two_places_of_a_root(repository, publisher, work):
    first = work / "first.json"
    shutil.copy(repository.folder / "root.json", first)
    assert publisher("renew-root", repository.folder,
                     fault="publisher.root_written") == -9
    assert (repository.folder / "root.json").read_bytes() == \
        first.read_bytes()
    assert publisher("publish", repository.folder) == 0, publisher.output
    assert (repository.folder / "root.json").read_bytes() == \
        (repository.published / "metadata/2.root.json").read_bytes()
    assert updates(publisher, repository.published, first) == 1
    assert publisher("renew-root", repository.folder) == 0, publisher.output
    assert updates(publisher, repository.published, first) == 1


@pytest.mark.parametrize("fault", [
    "publisher.vendor_recorded", "publisher.vendor_version_written",
    "publisher.vendor_document_written"])
def test_a_kill_at_a_vendors(platform, repository, publisher, work, fault):
    acme = Vendor(platform, "acme", repository, work / "acme",
                  work / "acme-sources")
    acme.introduce()
    acme.add_archive("anvil", "1", {"anvil": b"one"})
    acme.deliver()
    add(acme, 2, "anvil")
    assert publisher("publish", acme.folder, fault=fault) == -9
    # Whichever it is, it is whole.
    acme.take()
    assert publisher("publish", repository.folder) == 0, publisher.output
    root = repository.folder / "root.json"
    assert updates(publisher, repository.published, root) in (2, 3)
    assert publisher("publish", acme.folder) == 0, publisher.output
    acme.take()
    assert publisher("publish", repository.folder) == 0, publisher.output
    assert updates(publisher, repository.published, root) == 3


# --- a reader in a loop ---

@pytest.mark.parametrize("prune", [False, True], ids=["published", "mirrored"])
def test_a_reader_never_meets_a_half_state(repository, publisher, serve,
                                           platform, work, prune):
    """Reads over and over while there are 20 publications, from the repository
    or from a mirror that is brought up to date after each."""
    root = work / "root.json"
    shutil.copy(repository.folder / "root.json", root)
    served = repository.published

    def mirror():
        if prune:
            assert publisher("mirror", repository.folder, work / "mirror",
                             "--root", root, "--prune") == 0, publisher.output
    if prune:
        served = work / "mirror"
        mirror()
    url = serve(served).url
    done = threading.Event()
    readings = []

    def read():
        while not done.is_set():
            readings.append(subprocess.run(
                platform.command("usher-publish") +
                ["verify", url, "--root", str(root), "--json"],
                stdin=subprocess.DEVNULL, capture_output=True, text=True,
                check=False))
    reader = threading.Thread(target=read)
    reader.start()
    try:
        for version in range(2, 22):
            add(repository, version)
            assert publisher("publish", repository.folder) == 0, \
                publisher.output
            mirror()
    finally:
        done.set()
        reader.join()
    failed = [reading.stderr for reading in readings if reading.returncode]
    assert not failed, failed[0]
    seen = [json.loads(reading.stdout)["updates"] for reading in readings]
    assert seen == sorted(seen) and len(seen) > 3


def test_a_slow_reader_is_not_cut_off(repository, publisher, serve, work):
    """What the timestamp of before named is there, however many publications
    there have been since."""
    old = json.loads(
        (repository.published / "metadata/timestamp.json").read_text())
    shutil.copytree(repository.published, work / "old")
    for version in range(2, 10):
        add(repository, version)
        assert publisher("publish", repository.folder) == 0, publisher.output
    assert old["signed"]["meta"]["snapshot.json"]["version"] == 1
    for path in (work / "old").rglob("*"):
        if path.is_file() and path.name != "timestamp.json":
            now = repository.published / path.relative_to(work / "old")
            assert now.read_bytes() == path.read_bytes()
    # Unless it is asked for.
    add(repository, 10)
    assert publisher("publish", repository.folder, "--keep", 1, "--keep-for",
                     0) == 0, publisher.output
    documents = sorted(path.name for path in
                       (repository.published / "metadata").iterdir())
    assert documents == ["1.root.json", "10.snapshot.json", "10.targets.json",
                         "timestamp.json"]
    assert publisher("publish", repository.folder, "--keep-for", "long") == 2


# --- a folder that somebody else writes to ---

def test_what_was_put_back_is_not_signed_again(repository, publisher, work):
    """Whoever can write to the web server's folder gets no roll-back signed by
    the cron job."""
    root = repository.folder / "root.json"
    timestamp = repository.published / "metadata/timestamp.json"
    old = timestamp.read_bytes()
    add(repository, 2)
    assert publisher("publish", repository.folder) == 0
    timestamp.write_bytes(old)
    for command in ("refresh-timestamp", "publish"):
        assert publisher(command, repository.folder) == 1
        assert "is not what was signed here" in publisher.output
        assert "--renew" in publisher.output
        assert timestamp.read_bytes() == old
    assert publisher("publish", repository.folder, "--renew") == 0, \
        publisher.output
    assert updates(publisher, repository.published, root) == 2
    assert publisher("refresh-timestamp", repository.folder) == 0


def test_a_vendors_document_is_what_was_taken(platform, repository, publisher,
                                              work):
    acme = Vendor(platform, "acme", repository, work / "acme",
                  work / "acme-sources")
    acme.introduce()
    acme.add_archive("anvil", "1", {"anvil": b"one"})
    acme.deliver()
    acme.add_archive("anvil", "2", {"anvil": b"two"})
    acme.deliver()
    metadata = repository.published / "metadata"
    newest = metadata / "2.acme.json"
    good = newest.read_bytes()
    # An older one that the vendor has signed, under the name of the newest.
    newest.write_bytes((metadata / "1.acme.json").read_bytes())
    add(repository, 2)
    assert publisher("publish", repository.folder) == 1
    assert "is not what was taken from the vendor" in publisher.output
    # The timestamp can go on: clients leave out this vendor and nobody else.
    assert publisher("refresh-timestamp", repository.folder) == 4
    assert "vendor acme is missing or is not what was signed" in \
        publisher.output
    assert acme.take()["changed"]
    assert newest.read_bytes() == good
    assert publisher("publish", repository.folder) == 0, publisher.output
    assert updates(publisher, repository.published,
                   repository.folder / "root.json") == 4


def test_a_vendors_own_folder(platform, repository, publisher, work):
    acme = Vendor(platform, "acme", repository, work / "acme",
                  work / "acme-sources")
    acme.introduce()
    acme.add_archive("anvil", "1", {"anvil": b"one"})
    acme.publish()
    old = acme.document.read_bytes()
    acme.add_archive("anvil", "2", {"anvil": b"two"})
    acme.publish()
    acme.document.write_bytes(old)
    assert publisher("publish", acme.folder) == 1
    assert "is not what was signed here" in publisher.output
    # Nor does a second person sign it.
    assert publisher("keys", "create", "second.pem") == 0
    assert publisher("vendor", "sign", acme.folder, "--key", "second.pem") == 1
    assert "publish again first" in publisher.output
    (acme.published / "metadata/9007199254740990.acme.json").write_text("{}")
    assert publisher("publish", acme.folder, "--renew", "--json") == 0, \
        publisher.output
    assert publisher.json["targets_version"] == 3
    assert publisher("vendor", "sign", acme.folder, "--key",
                     "second.pem") == 0, publisher.output
    assert publisher("publish", acme.folder, "--json") == 0, publisher.output
    assert not publisher.json["changed"]
    assert acme.take()["version"] == 3


def test_a_vendors_document_that_is_gone(platform, repository, publisher,
                                         work):
    acme = Vendor(platform, "acme", repository, work / "acme",
                  work / "acme-sources")
    acme.introduce()
    acme.add_archive("anvil", "1", {"anvil": b"one"})
    acme.deliver()
    (repository.published / "metadata/1.acme.json").unlink()
    assert publisher("publish", repository.folder) == 1
    assert f"vendor take {repository.folder} acme FROM" in publisher.output
    assert acme.take()["changed"]
    assert publisher("publish", repository.folder) == 0, publisher.output


# --- a new root is announced ---

def test_a_new_root_comes_with_a_new_timestamp(repository, publisher, work):
    root = repository.folder / "root.json"
    assert publisher("renew-root", repository.folder, "--json") == 0, \
        publisher.output
    assert publisher.json["timestamp_version"] == 2
    assert publisher("root", "draft", repository.folder, "next.json") == 0
    assert publisher("root", "sign", "next.json", "--key",
                     repository.folder / "keys/root.pem") == 0
    assert publisher("root", "publish", repository.folder, "next.json",
                     "--json") == 0, publisher.output
    assert publisher.json["timestamp_version"] == 3
    assert publisher("verify", repository.folder, "--root", root, "--json") == 0
    assert publisher.json["timestamp_version"] == 3


def test_a_timestamp_key_that_is_elsewhere(repository, publisher, work):
    keys = repository.folder / "keys"
    (keys / "timestamp.pem").rename(work / "away.pem")
    assert publisher("renew-root", repository.folder, "--json") == 0, \
        publisher.output
    assert "timestamp_version" not in publisher.json
    assert f"usher-publish refresh-timestamp {repository.folder}" in \
        publisher.errors
    # Encrypted: nobody is asked for its passphrase.
    (work / "words").write_text("secret\n")
    assert publisher("keys", "import", work / "away.pem", "--out",
                     keys / "timestamp.pem", "--passphrase-file",
                     "words") == 0, publisher.output
    assert publisher("renew-root", repository.folder) == 0, publisher.output
    assert "refresh-timestamp" in publisher.errors
    assert publisher("renew-root", repository.folder, "--passphrase-file",
                     "words", "--json") == 0, publisher.output
    assert publisher.json["timestamp_version"] == 2


# --- what a cron job is told ---

def test_what_expires_soon_has_an_exit_code(platform, repository, publisher,
                                            work):
    acme = Vendor(platform, "acme", repository, work / "acme",
                  work / "acme-sources")
    acme.introduce()
    add(acme, 1, "anvil")
    assert publisher("publish", acme.folder, "--expires-targets",
                     "20 days") == 0
    acme.take()
    assert publisher("publish", repository.folder) == 0
    assert publisher("refresh-timestamp", repository.folder, "--json") == 0
    assert publisher.errors == ""
    now = os.stat(repository.published / "metadata/timestamp.json").st_mtime
    # Remarks from two weeks on, and from a week on the exit code, too.
    for days, code in ((8, 0), (14, 4), (21, 4)):
        assert publisher("refresh-timestamp", repository.folder,
                         now=now + days * DAY) == code, (days, publisher.output)
        assert "the document of vendor acme" in publisher.errors
        assert ("has expired" in publisher.errors) == (days > 20)
    assert publisher("refresh-timestamp", repository.folder,
                     now=now + 85 * DAY) == 4
    assert "the targets and the snapshot expires" in publisher.errors
    assert publisher("refresh-timestamp", repository.folder, "--json",
                     now=now + 725 * DAY) == 4
    assert "the root expires" in publisher.errors
    assert publisher.json["vendors_expire"] < publisher.json["targets_expires"]


def test_a_time_that_the_set_clock_has_passed(repository, publisher):
    """What is asked for is not silently replaced by a default."""
    assert publisher("publish", repository.folder, "--renew",
                     "--expires-targets", "2040-01-01",
                     now=2_208_988_800) == 2  # 2040-01-01
    assert "2040-01-01" in publisher.output


# --- vendors ---

def test_a_vendor_returns_to_a_full_house(platform, repository, publisher,
                                          work):
    acme = Vendor(platform, "acme", repository, work / "acme",
                  work / "acme-sources")
    acme.introduce()
    acme.add_archive("anvil", "1", {"anvil": b"one"})
    acme.deliver()
    repository.run("vendor", "remove", repository.folder, "acme")
    file = repository.folder / "usher-repository.json"
    settings = json.loads(file.read_text())
    [gone] = settings["vendors"]
    settings["vendors"] += [
        {**gone, "name": f"v{n}", "version": 0, "removed": False}
        for n in range(999)]
    file.write_text(json.dumps(settings))
    key = acme.public_key()
    assert publisher("vendor", "add", repository.folder, "acme", "--key",
                     key) == 0, publisher.output
    assert publisher("vendor", "add", repository.folder, "more", "--key",
                     key) == 1
    assert "has 1000 vendors" in publisher.output


def test_what_has_not_changed_is_not_written(repository, publisher):
    files = [path for path in repository.folder.rglob("*")
             if path.is_file() and path.suffix != ".lock"]
    before = {path: path.stat().st_mtime_ns for path in files}
    assert publisher("publish", repository.folder, "--json") == 0
    assert not publisher.json["changed"]
    assert {path: path.stat().st_mtime_ns for path in files} == before
