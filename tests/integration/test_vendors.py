"""Vendors who publish with keys of their own into somebody else's repository:
by the commands that people type, with hostile vendors, and with a service."""

import json
import os
import pathlib
import random
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from securesystemslib.formats import encode_canonical

from harness.reference_walk import Walk
from harness.vendor import Vendor

pytestmark = pytest.mark.linux_only(
    "usher-publish alone, but for how the service reads the result")


@pytest.fixture
def repository(repository):
    """Has published once."""
    repository.add_archive("own", "1", {"own": b"own"})
    repository.publish()
    return repository


@pytest.fixture
def vendor(platform, repository, work):
    """vendor(name) is a new vendor, introduced to the repository."""

    def new(name, introduce=True):
        made = Vendor(platform, name, repository, work / name,
                      work / f"{name}-sources")
        if introduce:
            made.introduce()
        return made
    return new


@pytest.fixture
def refuses(repository, vendor):
    """refuses(vendor, text): the repository does not take its folder, says
    `text`, and is as it was."""

    def check(delivered, text):
        before = snapshot(repository.folder)
        with pytest.raises(AssertionError) as raised:
            delivered.take()
        assert text in str(raised.value)
        assert snapshot(repository.folder) == before
    return check


def snapshot(folder):
    """Every file's content, but for what waits to be published."""
    return {str(path.relative_to(folder)): path.read_bytes()
            for path in sorted(pathlib.Path(folder).rglob("*"))
            if path.is_file() and "waiting" not in path.parts}


def names(cli):
    return sorted(update["name"] for update in
                  cli.run("search", "--json").json["updates"])


@pytest.fixture
def service(serve, repository, daemon, cli):
    """A running daemon that has registered the repository."""
    server = serve(repository.published)
    daemon.start()
    root = repository.folder / "root.json"
    added = cli.run("services", "add", server.url, "--root", root)
    assert added.code == 0, added.stderr
    return server


def refresh(cli):
    done = cli.run("services", "refresh")
    assert done.code == 0, done.stderr
    [listed] = cli.run("services", "list", "--json").json["services"]
    return listed.get("last_refresh_error", "")


@pytest.mark.on_wine
def test_a_vendor_publishes_with_its_own_key(vendor, repository, service, cli):
    acme = vendor("acme")
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.deliver()
    assert refresh(cli) == ""
    assert names(cli) == ["own", "tool"]
    installed = cli.run("install", "tool", "--yes")
    assert installed.code == 0, installed.stdout + installed.stderr

    # Its next version needs neither the targets key nor the root key.
    for role in ("targets", "root"):
        (repository.folder / f"keys/{role}.pem").unlink()
    acme.add_archive("tool", "2", {"tool": b"two"})
    taken = acme.deliver()
    assert taken["payloads_new"] == 1
    assert refresh(cli) == ""
    assert "tool 2" in cli.run("search").stdout
    verified = json.loads(repository.run("verify", repository.folder, "--json"))
    assert verified["ok"]
    # The reference implementation's library reads it, too.
    assert sorted(Walk(repository.published, repository.root).targets) == [
        "catalog/acme/catalog.usc", "catalog/catalog.usc"]


def test_what_was_taken_shows_after_publish_only(vendor, repository, service,
                                                 cli):
    acme = vendor("acme")
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.publish()
    acme.take()
    assert refresh(cli) == ""
    assert names(cli) == ["own"]
    again = acme.take()
    assert not again["changed"]
    repository.run("publish", repository.folder)
    assert refresh(cli) == ""
    assert names(cli) == ["own", "tool"]


@pytest.mark.on_wine
def test_removal_and_return(vendor, repository, service, cli, work):
    acme = vendor("acme")
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.deliver()
    assert refresh(cli) == ""
    old = work / "old"
    shutil.copytree(acme.published, old)

    repository.run("vendor", "remove", repository.folder, "acme")
    repository.run("publish", repository.folder)
    assert refresh(cli) == ""
    assert names(cli) == ["own"]
    assert json.loads(repository.run(
        "vendor", "list", repository.folder, "--json")) == {"vendors": []}

    # Back under the same key: its old version does not count again.
    repository.run("vendor", "add", repository.folder, "acme", "--key",
                   acme.public_key())
    acme.add_archive("tool", "2", {"tool": b"two"})
    acme.deliver()
    assert refresh(cli) == ""
    assert "tool 2" in cli.run("search").stdout
    with pytest.raises(AssertionError) as raised:
        acme.take(old)
    assert "has version 1, and the repository has version 2" in str(raised.value)


def test_what_readers_have_stays_until_the_next_publication(
        vendor, repository, service, cli):
    acme = vendor("acme")
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.deliver()
    for version in range(2, 10):
        acme.add_archive("tool", str(version), {"tool": b"%d" % version})
        acme.publish()
        assert acme.take()["version"] == version
        repository.run("verify", repository.folder)
    assert refresh(cli) == ""
    assert "tool 1" in cli.run("search", "tool").stdout
    repository.run("publish", repository.folder)
    repository.run("verify", repository.folder)
    assert refresh(cli) == ""
    assert "tool 9" in cli.run("search", "tool").stdout
    # What nobody was told of is gone, the state before stays for readers.
    documents = (repository.published / "metadata").glob("*.acme.json")
    assert sorted(path.name for path in documents) == ["1.acme.json",
                                                       "9.acme.json"]
    assert len(list(repository.published.glob("targets/catalog/acme/*"))) == 2


def test_who_comes_back_is_checked_again(vendor, repository, refuses):
    acme = vendor("acme")
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.deliver()
    back = ("vendor", "add", repository.folder, "acme", "--key",
            acme.public_key())
    repository.run("vendor", "remove", repository.folder, "acme")
    repository.run(*back)
    with pytest.raises(AssertionError) as raised:
        repository.run("publish", repository.folder)
    assert "vendor acme has come back" in str(raised.value)
    assert acme.take()["changed"]
    assert not acme.take()["changed"]
    repository.run("publish", repository.folder)
    bolt = vendor("bolt")
    bolt.add_archive("tool", "1", {"tool": b"evil"})
    bolt.publish()
    refuses(bolt, "belongs to vendor acme already")

    # The id is free while acme is away, and taken when it is back.
    repository.run("vendor", "remove", repository.folder, "acme")
    assert bolt.take()["changed"]
    repository.run(*back)
    refuses(acme, "belongs to vendor bolt already")
    repository.run("vendor", "remove", repository.folder, "acme")
    repository.run("publish", repository.folder)
    repository.run("verify", repository.folder)


def test_two_of_two_keys(vendor, repository, refuses, work):
    acme = vendor("acme", introduce=False)
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.publish()
    second = work / "second.pem"
    repository.run("keys", "create", second)
    second_public = work / "second.pub.pem"
    second_public.write_text(repository.run("keys", "export", second))
    repository.run("vendor", "add", repository.folder, "acme", "--key",
                   acme.public_key(), "--key", second_public,
                   "--threshold", "2")
    refuses(acme, "must be signed by the keys that vendor acme has here")
    acme.run("vendor", "sign", acme.folder, "--key", second)
    assert acme.take()["changed"]
    repository.run("publish", repository.folder)


@pytest.mark.parametrize("kind", ["acme.json", "catalog.usc", "tool-1.tar.gz"])
@pytest.mark.parametrize("missing", [False, True])
def test_what_is_damaged_is_taken_again(vendor, repository, kind, missing):
    acme = vendor("acme")
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.deliver()
    [path] = [path for path in repository.published.rglob(f"*{kind}")
              if kind != "catalog.usc" or "acme" in path.parts]
    good = path.read_bytes()
    path.unlink()
    if not missing:
        path.write_bytes(b"x" * len(good))
    assert acme.take()["changed"]
    assert path.read_bytes() == good
    assert not acme.take()["changed"]
    repository.run("publish", repository.folder)
    repository.run("verify", repository.folder)
    # What is damaged is not in the way of the next version.
    path.write_bytes(b"x" * len(good))
    acme.add_archive("other", "1", {"other": b"two"})
    acme.publish()
    acme.take()


def test_either_half_of_a_key_introduces_a_vendor(vendor, repository):
    acme = vendor("acme", introduce=False)
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.publish()
    repository.run("vendor", "add", repository.folder, "acme", "--key",
                   acme.key)
    repository.run("vendor", "set-keys", repository.folder, "acme", "--key",
                   acme.public_key())
    assert acme.take()["changed"]


def test_keys_change(vendor, repository, service, cli, work):
    acme = vendor("acme")
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.deliver()
    assert refresh(cli) == ""
    new = work / "new.pem"
    repository.run("keys", "create", new)
    public = work / "new.pub.pem"
    public.write_text(repository.run("keys", "export", new))
    repository.run("vendor", "set-keys", repository.folder, "acme", "--key",
                   public)
    # Clients would have to leave it out: not published.
    with pytest.raises(AssertionError) as raised:
        repository.run("publish", repository.folder)
    assert "take a folder that it has signed with its present keys" in \
        str(raised.value)
    shutil.copy(new, acme.key)
    # Nothing else has changed, and it is signed with the new key.
    assert json.loads(acme.run("publish", acme.folder, "--json"))["changed"]
    assert not json.loads(acme.run("publish", acme.folder,
                                   "--json"))["changed"]
    acme.take()
    repository.run("publish", repository.folder)
    assert refresh(cli) == ""
    assert names(cli) == ["own", "tool"]


def test_a_lapsed_vendor_is_left_out_and_named(vendor, repository, service,
                                               cli):
    acme = vendor("acme")
    bolt = vendor("bolt")
    for one in (acme, bolt):
        one.add_archive(f"{one.name}-tool", "1", {"tool": b"one"})
        one.deliver()
    assert refresh(cli) == ""
    assert names(cli) == ["acme-tool", "bolt-tool", "own"]
    # What lies on the server is not what was signed.
    [catalog] = repository.published.glob("targets/catalog/acme/*")
    bolt.add_archive("bolt-tool", "2", {"tool": b"two"})
    acme.add_archive("acme-tool", "2", {"tool": b"two"})
    for one in (acme, bolt):
        one.deliver()
    [newest] = [path for path in
                repository.published.glob("targets/catalog/acme/*")
                if path != catalog]
    content = newest.read_bytes()
    newest.write_bytes(content[:-1] + bytes([content[-1] ^ 1]))
    assert "acme" in refresh(cli)
    assert [name for name in names(cli) if name.startswith("acme")] == []
    assert "bolt-tool 2" in cli.run("search").stdout
    newest.write_bytes(content)
    assert refresh(cli) == ""
    assert "acme-tool 2" in cli.run("search").stdout


# --- hostile vendors: nothing of theirs gets in ---

def test_flipped_bytes(vendor):
    acme = vendor("acme")
    acme.add_archive("tool", "1", {"tool": os.urandom(2000)})
    acme.publish()
    files = [path for path in acme.published.rglob("*") if path.is_file() and
             not path.name.startswith("1.")]
    assert len(files) == 3
    for path in files:
        content = path.read_bytes()
        for _ in range(5):
            at = random.Random(len(content)).randrange(len(content))
            path.write_bytes(content[:at] + bytes([content[at] ^ 0x20]) +
                             content[at + 1:])
            with pytest.raises(AssertionError):
                acme.take()
        for cut in (b"", content[:-2], content + b"x"):
            path.write_bytes(cut)
            with pytest.raises(AssertionError):
                acme.take()
        path.write_bytes(content)
    assert acme.take()["changed"]


def test_another_vendors_updates(vendor, repository, refuses):
    acme = vendor("acme")
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.deliver()
    bolt = vendor("bolt")
    bolt.add_archive("tool", "1", {"tool": b"evil"})
    bolt.publish()
    refuses(bolt, "belongs to vendor acme already")
    # Nor the repository's own, and the other way round.
    mallory = vendor("mallory")
    mallory.add_archive("own", "1", {"own": b"evil"})
    mallory.publish()
    refuses(mallory, "belongs to the repository's own catalog already")
    repository.add_archive("tool", "1", {"tool": b"ours"})
    with pytest.raises(AssertionError) as raised:
        repository.publish()
    assert "belongs to vendor acme already" in str(raised.value)


def test_another_role(vendor, repository, refuses):
    acme = vendor("acme")
    bolt = vendor("bolt", introduce=False)
    bolt.add_archive("tool", "1", {"tool": b"one"})
    bolt.publish()
    # Bolt's folder under acme's name.
    shutil.copytree(bolt.folder, acme.folder, dirs_exist_ok=True)
    shutil.copy(bolt.document, acme.document)
    refuses(acme, "must be signed by the keys that vendor acme has here")
    repository.run("vendor", "set-keys", repository.folder, "acme", "--key",
                   bolt.public_key())
    refuses(acme, "is no catalog in the vendor's folder catalog/acme/")


def forge(vendor, change):
    """Signs the vendor's document, changed, with its own key."""
    body = json.loads(vendor.document.read_text())["signed"]
    change(body)
    key = serialization.load_pem_private_key(vendor.key.read_bytes(), None)
    shown = json.loads(vendor.run("keys", "show", vendor.key, "--json"))
    vendor.document.write_text(json.dumps({
        "signatures": [{"keyid": shown["keys"][0]["key_id"],
                        "sig": key.sign(encode_canonical(body).encode()).hex()}],
        "signed": body}))


def test_all_versions_at_once(vendor, repository, refuses):
    acme = vendor("acme")
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.deliver()
    intact = acme.document.read_bytes()
    for version in (2 ** 53 - 1, 2 ** 32 + 2):
        forge(acme, lambda body, version=version: body.update(version=version))
        refuses(acme, "ask the vendor whether its key was stolen")
    # As far as it goes, and the way on from there.
    forge(acme, lambda body: body.update(version=2 ** 32 + 1))
    assert acme.take()["version"] == 2 ** 32 + 1
    acme.document.write_bytes(intact)
    with pytest.raises(AssertionError) as raised:
        acme.take()
    assert f"publish --min-version {2 ** 32 + 2}" in str(raised.value)
    acme.run("publish", acme.folder, "--min-version", 2 ** 32 + 2)
    assert acme.take()["version"] == 2 ** 32 + 2
    repository.run("publish", repository.folder)
    repository.run("verify", repository.folder)


@pytest.mark.parametrize("count, length", [(1025, 1), (4, 2 ** 27),
                                           (1, 2 ** 52)])
def test_too_much(vendor, refuses, count, length):
    acme = vendor("acme")
    acme.publish()

    def fill(body):
        body["version"] += 1
        body["targets"] = {
            f"catalog/acme/{n}.usc": {"length": length,
                                      "hashes": {"sha256": f"{n:064x}"}}
            for n in range(count)}
    forge(acme, fill)
    refuses(acme, "at most 1024 of 256 MiB together")


def test_a_document_that_clients_would_not_take(vendor, refuses):
    acme = vendor("acme")
    acme.publish()

    def pad(body):
        body["version"] += 1
        body["padding"] = "x" * (5 * 2 ** 20)
    forge(acme, pad)
    refuses(acme, "larger than the limit of 5242880")


def test_another_service(vendor, repository, refuses, work):
    acme = vendor("acme")
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.publish()
    stranger = Vendor(repository.platform, "acme", repository,
                      work / "stranger", work / "stranger-sources")
    stranger.run("vendor", "init", stranger.folder, "--vendor", "acme",
                 "--service-id", "99999999-2222-4333-8444-555555555555",
                 "--name", "Other", "--keys", acme.folder / "keys")
    stranger.run("publish", stranger.folder)
    refuses(stranger, "the catalog is for service 99999999-")


def test_names_and_arguments(vendor, repository, work):
    acme = vendor("acme")
    for name in ("", "..", "a/b", "targets", "Acme", "con", "x" * 65, ".a"):
        done = subprocess.run(
            repository.platform.command("usher-publish") +
            ["vendor", "add", str(repository.folder), name, "--key",
             str(acme.public_key())],
            capture_output=True, text=True, check=False)
        assert done.returncode == 2, (name, done.stderr)
        assert "cannot name a vendor" in done.stderr or "required" in \
            done.stderr
    for words, text in (
            (("add", "acme", "--key", acme.public_key()), "already"),
            (("add", "two", "--key", acme.public_key(), "--key",
              acme.public_key()), "twice"),
            (("add", "two", "--key", acme.public_key(), "--threshold", "2"),
             "between 1 and"),
            (("add", "two", "--key", repository.folder / "root.json"),
             "root.json"),
            (("remove", "nobody"), "has no vendor"),
            (("take", "nobody", work), "has no vendor"),
            (("take", "acme", work / "nowhere"), "acme.json")):
        with pytest.raises(AssertionError) as raised:
            repository.run("vendor", words[0], repository.folder, *words[1:])
        assert text in str(raised.value)
    for words in (("refresh-timestamp", acme.folder),
                  ("renew-root", acme.folder),
                  ("vendor", "list", acme.folder)):
        with pytest.raises(AssertionError) as raised:
            acme.run(*words)
        assert "is the folder of the vendor acme" in str(raised.value)


@pytest.mark.parametrize("fault", [
    "publisher.payload", "publisher.vendor_payloads_taken",
    "publisher.vendor_document_taken"])
def test_a_kill_while_taking_loses_nothing(vendor, repository, fault):
    acme = vendor("acme")
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.publish()
    before = repository.run("verify", repository.folder, "--json")
    killed = subprocess.run(
        repository.platform.command("usher-publish") +
        ["vendor", "take", str(repository.folder), "acme", str(acme.folder)],
        env={**os.environ, "USHER_FAULT": fault}, check=False,
        capture_output=True)
    assert killed.returncode == -9
    assert repository.run("verify", repository.folder, "--json") == before
    # As a kill in the midst of writing leaves them.
    for folder in ("", "claims", "public/metadata", "public/targets/catalog"):
        (repository.folder / folder / ".x.0123.tmp").write_bytes(b"part")
    acme.take()
    repository.run("publish", repository.folder)
    assert "tool" in json.dumps(acme.run("list", acme.folder))
    assert not list(repository.folder.rglob("*.tmp"))


# --- catalogs in many files ---

def packages_file(path, numbers):
    path.write_text("\n".join(
        f"Package: pkg{n}\nVersion: 1.0-{n}\nArchitecture: amd64\n"
        f"Section: utils\nFilename: pool/pkg{n}.deb\nSize: 10\n"
        f"SHA256: {n:064x}\nDescription: package {n}\n"
        for n in numbers))
    return path


def test_one_update_costs_one_catalog_file(repository, service, cli, work):
    index = packages_file(work / "Packages", range(1, 3001))
    repository.run("import-apt", repository.folder, "--metadata-only", index)
    first = json.loads(repository.run("publish", repository.folder, "--json"))
    assert first["catalog_files"] == 4
    assert refresh(cli) == ""
    assert len(names(cli)) == 3001

    service.stop_serving()
    before = len(service.requests())
    service.start()
    index = packages_file(work / "Packages2", [5000])
    repository.run("import-apt", repository.folder, "--metadata-only", index)
    second = json.loads(repository.run("publish", repository.folder, "--json"))
    assert second["catalog_files"] == 4
    assert second["bytes_written"] < first["bytes_written"] / 2
    assert refresh(cli) == ""
    assert len(names(cli)) == 3002
    service.stop_serving()
    fetched = [request for request in service.requests()[before:]
               if ".usc" in str(request)]
    assert len(fetched) == 1

    # Old files stay for readers, as long as --keep and --keep-for say.
    assert len(list(repository.published.glob("targets/catalog/*.usc"))) == 6
    repository.run("publish", repository.folder, "--renew", "--keep", "1",
                   "--keep-for", "0")
    assert len(list(repository.published.glob("targets/catalog/*.usc"))) == 4


def test_lost_bookkeeping_is_made_again(repository, service, cli, work):
    index = packages_file(work / "Packages", range(1, 1501))
    repository.run("import-apt", repository.folder, "--metadata-only", index)
    repository.run("publish", repository.folder)
    for damage in (lambda path: path.unlink(),
                   lambda path: path.write_text("{}"),
                   lambda path: path.write_text('{"files": {"a": 1}}')):
        damage(repository.folder / "made.json")
        again = json.loads(repository.run("publish", repository.folder,
                                          "--json"))
        assert not again["changed"]
        assert json.loads((repository.folder / "made.json").read_text())[
            "files"].keys() == {"catalog/catalog-00.usc",
                                "catalog/catalog-01.usc"}
    # A catalog file that is gone from the web server's folder comes back.
    made = json.loads((repository.folder / "made.json").read_text())
    target, file = sorted(made["files"].items())[0]
    lost = (repository.published / "targets/catalog" /
            f"{file['sha256']}.{target.split('/')[1]}")
    lost.unlink()
    repository.run("publish", repository.folder)
    assert refresh(cli) == ""
    assert len(names(cli)) == 1501
    repository.run("verify", repository.folder)
