"""Root keys in several hands: ceremonies by the commands that people type, and
a service that follows from the first root."""

import json
import os
import pty
import re
import shutil

import pytest

pytestmark = pytest.mark.linux_only(
    "the ceremonies but one: that one shows usher-publish.exe at work")


@pytest.fixture
def holders(publisher, work):
    """alice, bob, carol and dave: a folder for each, with a root key whose
    public half is exported."""
    folders = {}
    for name in ("alice", "bob", "carol", "dave"):
        folders[name] = work / name
        folders[name].mkdir()
        key = folders[name] / "root.pem"
        assert publisher("keys", "create", key), publisher.output
        assert publisher("keys", "export", key), publisher.output
        (folders[name] / "root.pub.pem").write_text(publisher.output)
    return folders


def key_id(publisher, folder):
    assert publisher("keys", "show", "--json", folder / "root.pem")
    return json.loads(publisher.output)["keys"][0]["key_id"]


@pytest.mark.on_wine
@pytest.mark.own_publisher
def test_two_of_three_with_a_rotation(publisher, holders, repository, serve,
                                      daemon, cli, work):
    repository.add_archive("thing", "1", {"thing": b"one"})
    repository.publish()
    first_root = work / "first-root.json"
    shutil.copy(repository.published / "metadata/1.root.json", first_root)
    server = serve(repository.published)
    daemon.start()
    added = cli.run("services", "add", server.url, "--root", first_root)
    assert added.code == 0, added.stderr

    # From the one key of init to two of three.
    draft = work / "second.json"
    init_key = key_id(publisher, repository.folder / "keys")
    publics = [holders[name] / "root.pub.pem"
               for name in ("alice", "bob", "carol")]
    assert publisher("root", "draft", repository.folder, draft)
    assert publisher("root", "add-key", draft, *publics)
    assert publisher("root", "remove-key", draft, init_key[:8])
    assert publisher("root", "set", draft, "--threshold", 2)
    assert publisher("root", "sign", draft, "--key",
                     repository.folder / "keys/root.pem")
    assert "is not one of this root's keys" in publisher.output

    # Each signs a copy at home.
    for name in ("alice", "bob"):
        shutil.copy(draft, holders[name])
    for name in ("alice", "bob"):
        copy = holders[name] / draft.name
        assert publisher("root", "sign", copy, "--key",
                         holders[name] / "root.pem")
        assert not publisher("root", "publish", repository.folder, copy)
        assert "signed by 1 of the 2 keys that the new root" in publisher.output
        assert publisher("root", "combine", draft, copy)
    assert publisher("root", "show", draft, "--previous", first_root)
    assert "signed by 2 of the 2 keys that this root asks for" in \
        publisher.output
    assert "signed by 1 of the 1 keys that the root before it (1)" in \
        publisher.output
    assert publisher("root", "publish", repository.folder, draft), \
        publisher.output

    # Bob loses his key; Dave takes his place. Alice and Carol sign.
    third = work / "third.json"
    assert publisher("root", "draft", repository.folder, third)
    assert publisher("root", "add-key", third, holders["dave"] / "root.pub.pem")
    assert publisher("root", "remove-key", third,
                     key_id(publisher, holders["bob"]))
    assert publisher("root", "sign", third, "--key",
                     holders["alice"] / "root.pem")
    assert publisher("root", "sign", third, "--key",
                     holders["dave"] / "root.pem")
    # Enough of the new keys, not of the old.
    assert not publisher("root", "publish", repository.folder, third)
    assert "signed by 1 of the 2 keys that the public root" in publisher.output
    assert publisher("root", "sign", third, "--key",
                     holders["carol"] / "root.pem")
    assert publisher("root", "publish", repository.folder, third), \
        publisher.output

    assert not publisher("renew-root", repository.folder)
    assert "root draft" in publisher.output

    # The client that knows only the first root follows through both.
    repository.add_archive("thing", "2", {"thing": b"two"})
    repository.publish()
    refreshed = cli.run("services", "refresh")
    assert refreshed.code == 0, refreshed.stderr
    listed = json.loads(cli.run("services", "list", "--json").stdout)
    assert [s["root_version"] for s in listed["services"]] == [3]
    assert "thing 2" in cli.run("search").stdout
    log = server.access_log.read_text()
    assert re.search(r"GET /metadata/2.root.json 200", log)
    assert re.search(r"GET /metadata/3.root.json 200", log)

    # Bob's old key opens nothing any more.
    fourth = work / "fourth.json"
    assert publisher("root", "draft", repository.folder, fourth)
    assert publisher("root", "sign", fourth, "--key",
                     holders["alice"] / "root.pem", "--key",
                     holders["bob"] / "root.pem")
    assert not publisher("root", "publish", repository.folder, fourth)


def test_an_online_key_changes_without_a_broken_moment(
        publisher, repository, work, serve, daemon, cli):
    repository.add_archive("thing", "1", {"thing": b"one"})
    repository.publish()
    root = work / "root.json"
    shutil.copy(repository.published / "metadata/1.root.json", root)
    daemon.start()
    added = cli.run("services", "add", serve(repository.published).url,
                    "--root", root)
    assert added.code == 0, added.stderr
    keys = repository.folder / "keys"
    assert publisher("keys", "create", work / "new.pem")
    root_key = keys / "root.pem"
    old = json.loads((repository.published / "metadata/1.root.json")
                     .read_text())["signed"]["roles"]["timestamp"]["keyids"][0]

    def refresh():
        done = cli.run("services", "refresh")
        assert done.code == 0, done.stderr

    # At once, it would leave clients with a timestamp that they do not trust.
    assert publisher("root", "draft", repository.folder, "a.json")
    assert publisher("root", "add-key", "a.json", "new.pem", "--role",
                     "timestamp")
    shutil.copy(work / "a.json", work / "hasty.json")
    assert publisher("root", "remove-key", "hasty.json", old, "--role",
                     "timestamp")
    assert publisher("root", "sign", "hasty.json", "--key", root_key)
    assert not publisher("root", "publish", repository.folder, "hasty.json")
    assert "two roots" in publisher.output
    refresh()

    assert publisher("root", "sign", "a.json", "--key", root_key)
    assert publisher("root", "publish", repository.folder, "a.json"), \
        publisher.output
    refresh()
    shutil.move(work / "new.pem", keys / "timestamp.pem")
    assert publisher("publish", repository.folder, "--renew"), publisher.output
    refresh()
    assert publisher("root", "draft", repository.folder, "b.json")
    assert publisher("root", "remove-key", "b.json", old, "--role", "timestamp")
    assert publisher("root", "sign", "b.json", "--key", root_key)
    assert publisher("root", "publish", repository.folder, "b.json"), \
        publisher.output
    refresh()


def test_a_signature_in_anothers_name_keeps_nobody_out(publisher, holders,
                                                       repository, work):
    repository.add_archive("thing", "1", {"thing": b"one"})
    repository.publish()
    draft = work / "draft.json"
    root_key = repository.folder / "keys/root.pem"
    bob = holders["bob"] / "root.pem"
    assert publisher("root", "draft", repository.folder, draft)
    assert publisher("root", "add-key", draft, holders["bob"] / "root.pub.pem")
    assert publisher("root", "set", draft, "--threshold", 2)
    from_bob, hostile = work / "from-bob.json", work / "hostile.json"
    shutil.copy(draft, from_bob)
    assert publisher("root", "sign", from_bob, "--key", bob)
    assert publisher("root", "sign", draft, "--key", root_key)
    forged = json.loads(from_bob.read_text())
    forged["signatures"][0]["sig"] = "00" * 64
    hostile.write_text(json.dumps(forged))
    # Whichever comes first.
    for order in ((hostile, from_bob), (from_bob, hostile)):
        copy = work / f"{order[0].stem}-first.json"
        shutil.copy(draft, copy)
        assert publisher("root", "combine", copy, *order), publisher.output
        assert len(json.loads(copy.read_text())["signatures"]) == 2
    assert publisher("root", "publish", repository.folder, copy), \
        publisher.output


def test_bad_input_changes_nothing(publisher, holders, repository, work):
    repository.add_archive("thing", "1", {"thing": b"one"})
    repository.publish()
    draft = work / "draft.json"
    assert publisher("root", "draft", repository.folder, draft)
    before = draft.read_bytes()
    alice = holders["alice"] / "root.pub.pem"
    init_key = key_id(publisher, repository.folder / "keys")
    garbage = work / "garbage"
    garbage.write_bytes(b"\x00nothing")
    for words, said in (
            (("draft", repository.folder, draft), "not overwritten"),
            (("add-key", draft, garbage), "garbage"),
            (("add-key", draft, alice, alice), "already"),
            (("add-key", draft, alice, "--role", "mirror"), "no role"),
            (("add-key", draft, work / "none"), "none"),
            (("remove-key", draft, init_key), "lower the threshold"),
            (("remove-key", draft, init_key[:5]), "at least 6 digits"),
            (("remove-key", draft, "ffffffff"), "no key of the role"),
            (("set", draft, "--threshold", 2), "from 1 to 1"),
            (("set", draft), "--threshold or --expires"),
            (("set", draft, "--expires", "2001-01-01"), "next 100 years"),
            (("sign", draft, "--key", alice), "root.pub.pem"),
            (("combine", draft, garbage), "no root.json"),
            (("combine", draft,
              repository.published / "metadata/1.root.json"), "not copies"),
            (("publish", repository.folder, draft), "signed by 0 of the 1"),
            (("publish", repository.folder,
              repository.published / "metadata/1.root.json"), "next root"),
            (("show", garbage), "no root.json"),
            (("show",
              repository.published / "metadata/timestamp.json"), "_type")):
        assert not publisher("root", *words), words
        assert said in publisher.output, (words, publisher.output)
        assert draft.read_bytes() == before
    # A threshold of a role that "publish" could not meet.
    assert publisher("root", "add-key", draft, alice, "--role", "targets")
    assert not publisher("root", "set", draft, "--role", "targets",
                         "--threshold", 2)
    assert "must be 1" in publisher.output
    # Changing a signed draft takes the signatures away, and says so.
    assert publisher("root", "sign", draft, "--key",
                     repository.folder / "keys/root.pem")
    assert publisher("root", "set", draft, "--expires", "in 1 year")
    assert "signatures that were there" in publisher.output
    assert not publisher("root", "publish", repository.folder, draft)
    assert not (repository.published / "metadata/2.root.json").exists()


def test_no_root_key_ever_comes_to_the_repository(publisher, holders,
                                                  repository, work):
    """The first root, signed by two of three holders."""
    publics = [word for name in ("alice", "bob", "carol")
               for word in ("--root-key", holders[name] / "root.pub.pem")]
    init = ["init", repository.folder, "--name", "Three"]
    first = work / "first.json"
    for words, said in (
            (["--root-draft", first], "--root-key"),
            (publics, "--root-draft"),
            ([*publics, *publics[:2], "--root-draft", first], "already"),
            ([*publics, "--root-draft", first, "--root-threshold", 4],
             "from 1 to 3"),
            ([*publics, "--root-draft", holders["bob"] / "root.pem"],
             "exists already")):
        assert not publisher(*init, *words), words
        assert said in publisher.output, (words, publisher.output)
        assert not first.exists()
        assert not (repository.folder / "usher-repository.json").exists()
    assert publisher(*init, *publics, "--root-draft", first,
                     "--root-threshold", 2), publisher.output
    assert not list(repository.folder.glob("keys/root*"))
    repository._initialised = True

    # Nothing is public before it is signed.
    folder = repository.folder
    for words in (("publish", folder), ("refresh-timestamp", folder),
                  ("renew-root", folder), ("root", "draft", folder, "x.json")):
        assert not publisher(*words)
        assert f"usher-publish root publish {folder} FILE" in publisher.output
    assert not publisher("root", "publish", folder, first)
    assert "signed by 0 of the 2" in publisher.output
    # Nor does somebody else's root become the first, however well signed.
    foreign = work / "foreign.json"
    shutil.copy(first, foreign)
    assert publisher("root", "add-key", foreign, holders["dave"] / "root.pub.pem")
    assert publisher("root", "sign", foreign, "--key",
                     holders["dave"] / "root.pem", "--key",
                     holders["alice"] / "root.pem")
    assert not publisher("root", "publish", folder, foreign)
    assert "not the one that \"init\" made" in publisher.output

    for name in ("alice", "carol"):
        copy = holders[name] / "first.json"
        shutil.copy(first, copy)
        assert publisher("root", "sign", copy, "--key",
                         holders[name] / "root.pem"), publisher.output
        assert publisher("root", "combine", first, copy), publisher.output
    assert publisher("root", "publish", folder, first), publisher.output
    assert (folder / "root.json").read_bytes() == \
        (repository.published / "metadata/1.root.json").read_bytes()
    repository.add_archive("thing", "1", {"thing": b"one"})
    repository.publish()
    assert publisher("verify", folder), publisher.output
    # It is not published twice, and the next one follows from it.
    assert not publisher("root", "publish", folder, first)
    second = work / "second.json"
    assert publisher("root", "draft", folder, second)
    for name in ("bob", "carol"):
        assert publisher("root", "sign", second, "--key",
                         holders[name] / "root.pem")
    assert publisher("root", "publish", folder, second), publisher.output
    assert publisher("verify", folder), publisher.output


def test_keys_of_different_passphrases_at_a_terminal(platform, publisher,
                                                     repository, work):
    """Two people hold keys of their own; both type at one terminal."""
    words = {"alice": "wonderland", "bob": "builder"}
    for name, word in words.items():
        (work / f"{name}.txt").write_text(word + "\n")
        assert publisher("keys", "create", f"{name}.pem", "--passphrase-file",
                         f"{name}.txt"), publisher.output
    repository.add_archive("thing", "1", {"thing": b"one"})
    repository.publish()
    assert publisher("root", "draft", repository.folder, "next.json")

    def sign(*answers):
        """Each answer is given when its key is asked for."""
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(work)
            command = platform.command("usher-publish") + [
                "root", "sign", "next.json", "--key", "alice.pem", "--key",
                "bob.pem"]
            os.execv(command[0], command)
        said = b""
        for key, answer in answers:
            while f"Passphrase of {key}.pem: ".encode() not in said:
                said += os.read(terminal, 1000)
            os.write(terminal, answer.encode() + b"\n")
        while True:
            try:
                more = os.read(terminal, 1000)
            except OSError:
                more = b""
            if not more:
                break
            said += more
        os.close(terminal)
        _, status = os.waitpid(pid, 0)
        return os.waitstatus_to_exitcode(status), said.decode()

    code, said = sign(("alice", "wonderland"), ("bob", "wrong"))
    assert code == 1 and "bob.pem" in said and "at the terminal" in said
    assert "--passphrase-file" not in said
    code, said = sign(("alice", "wonderland"), ("bob", "builder"))
    assert code == 0, said
    signatures = json.loads((work / "next.json").read_text())["signatures"]
    assert len(signatures) == 2
    # Both from one file.
    (work / "both.txt").write_text("\n".join(words.values()))
    assert publisher("root", "sign", "next.json", "--key", "alice.pem", "--key",
                     "bob.pem", "--passphrase-file", "both.txt"), \
        publisher.output
