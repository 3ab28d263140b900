"""What clients would refuse, and with it the whole catalog, is refused where it
is written."""

import json
import os
import subprocess

import pytest

from harness import packages

pytestmark = pytest.mark.linux_only(
    "usher-publish alone, and the same code; the C++ tests of the publisher run "
    "under Wine")

HEAD = """name = "tool"
version = "1.0"
title = "Tool"
"""
PAYLOAD = """
[[payload]]
file = "tool.sh"
"""
EXEC = """
[handler.exec]
"""

BAD = {
    "a line break in the title": (HEAD.replace('"Tool"', '"""\nTool\n"""') +
                                  PAYLOAD + EXEC, "title"),
    "a tab in the name": (HEAD.replace('"tool"', '"to\\tol"') + PAYLOAD + EXEC,
                          "name"),
    "a bell in the version": (HEAD.replace('"1.0"', '"1\\u0007"') + PAYLOAD +
                              EXEC, "version"),
    "a NUL in an argument": (HEAD + PAYLOAD + EXEC +
                             'arguments = ["a\\u0000b"]\n', "NUL"),
    "a NUL in a file rule": (HEAD + PAYLOAD + EXEC +
                             '[is_installed.file]\npath = "/a\\u0000b"\n',
                             "control characters"),
    "a package name": (HEAD + PAYLOAD +
                       '[handler.deb]\npackages = ["BAD NAME"]\n',
                       "BAD NAME"),
}


@pytest.fixture
def publisher(publisher, repository, work):
    assert publisher("init", repository.folder, "--name", "Checks"), \
        publisher.output
    packages.script(work / "tool.sh", "exit 0\n")
    return publisher


@pytest.mark.parametrize("text, said", BAD.values(), ids=BAD)
def test_bad_descriptions(publisher, repository, work, text, said):
    description = work / "update.toml"
    description.write_text(text)
    assert not publisher("add", repository.folder, description)
    assert said in publisher.output and "update.toml" in publisher.output
    # The same without the fault.
    description.write_text(HEAD + PAYLOAD + EXEC)
    assert publisher("add", repository.folder, description), publisher.output


def test_bundles_have_their_members(publisher, repository, work, api):
    (work / "tool.toml").write_text(HEAD + PAYLOAD + EXEC)
    assert publisher("add", repository.folder, "tool.toml"), publisher.output
    assert publisher("list", repository.folder, "--json")
    (tool,) = json.loads(publisher.output)["updates"]
    member = tool["update_id"]
    bundle = work / "bundle.toml"
    bundle.write_text(f"""name = "all"
version = "1.0"
title = "All"

[[bundled_updates]]
update_id = "{member}"
revision = 1
""")
    assert publisher("add", repository.folder, bundle), publisher.output
    assert publisher("publish", repository.folder), publisher.output
    api.add_service(repository.url, repository.root)
    assert publisher("remove", repository.folder, member), publisher.output
    assert not publisher("publish", repository.folder)
    assert "all: the bundle contains update" in publisher.output


@pytest.mark.parametrize("name", ["a\nb", "\x07", "x" * 2000, "", b"caf\xe9"])
def test_the_service_has_a_name(publisher, work, name):
    if isinstance(name, bytes):
        name = os.fsdecode(name)
    assert not publisher("init", work / "other", "--name", name)
    assert "name" in publisher.output
    assert not (work / "other/root.json").exists()


# --- what is not UTF-8 cannot be in a catalog ---

LATIN = "Copyright \xa9 M\xfcller\n".encode("latin-1")


@pytest.fixture
def tool(publisher, repository, work):
    """An update is there."""
    (work / "tool.toml").write_text(HEAD + PAYLOAD + EXEC)
    assert publisher("add", repository.folder, "tool.toml"), publisher.output
    return repository


@pytest.mark.parametrize("key", ["eula_text_file", "release_notes_file"])
def test_text_files_in_another_encoding(publisher, tool, work, key):
    (work / "latin.txt").write_bytes(LATIN)
    (work / "other.toml").write_text(
        HEAD.replace('"tool"', '"other"') + f'{key} = "latin.txt"\n' + PAYLOAD +
        EXEC)
    assert not publisher("add", tool.folder, "other.toml")
    assert "other.toml:4:" in publisher.output
    assert "latin.txt is not UTF-8" in publisher.output
    assert publisher("publish", tool.folder), publisher.output


@pytest.mark.parametrize("words, said", [
    (("--eula", "latin.txt"), "latin.txt is not UTF-8"),
    (("--release-notes", "latin.txt"), "latin.txt is not UTF-8"),
    (("--min-os", os.fsdecode(b"debian:\xff")), "not UTF-8"),
    (("--support-url", os.fsdecode(b"https://e.example/\xff")), "not UTF-8")])
def test_packages_with_texts_in_another_encoding(publisher, tool, work, words,
                                                 said):
    (work / "latin.txt").write_bytes(LATIN)
    package = packages.deb(work, "hello", "1")
    assert not publisher("add-deb", tool.folder, package, *words)
    assert said in publisher.output
    assert publisher("publish", tool.folder), publisher.output


def test_old_packages_are_taken_as_well_as_can_be(publisher, tool, work):
    index = work / "Packages"
    index.write_bytes(
        b"Package: old\nVersion: 1\nArchitecture: all\nSection: b\xfccher\n"
        b"Filename: pool/old.deb\nSize: 10\nSHA256: " + b"0" * 64 +
        b"\nDescription: caf\xe9\n")
    assert publisher("import-apt", tool.folder, "--metadata-only", index), \
        publisher.output
    assert publisher("show", tool.folder, "old"), publisher.output
    assert "caf\ufffd" in publisher.output
    assert publisher("publish", tool.folder), publisher.output


@pytest.mark.parametrize("reason", [b"caf\xe9 perdu", b"one\ntwo", b"\x1b[2J"])
def test_reasons_are_one_line_of_text(publisher, tool, reason):
    assert not publisher("yank", tool.folder, "tool", "--reason",
                         os.fsdecode(reason))
    assert "one line of UTF-8" in publisher.output
    assert publisher("publish", tool.folder), publisher.output


# --- other input that once did harm ---

def test_a_key_of_very_many_parts(publisher, repository, work):
    (work / "deep.toml").write_text("a" + ".a" * 40000 + " = 1\n")
    assert not publisher("add", repository.folder, "deep.toml")
    assert "deep.toml:1:1: a line with more than 2000 dots" in publisher.output


def test_the_list_of_updates_is_missed(publisher, tool):
    assert publisher("publish", tool.folder), publisher.output
    (tool.folder / "draft.usc").rename(tool.folder / "away")
    for words in (("publish",), ("list",), ("gc",)):
        assert not publisher(words[0], tool.folder, *words[1:])
        assert "restore it from a backup" in publisher.output
    (tool.folder / "away").rename(tool.folder / "draft.usc")
    assert publisher("publish", tool.folder), publisher.output
    assert "Nothing has changed" in publisher.output


def test_what_is_not_there_is_said_to_be(publisher, work):
    assert not publisher("verify", "nosuch")
    assert "nosuch does not exist" in publisher.output


def test_one_of_two_makes_a_key(platform, work):
    """Neither overwrites the other's."""
    for n in range(10):
        command = platform.command("usher-publish") + [
            "keys", "create", str(work / f"{n}.pem"), "--json"]
        both = [subprocess.Popen(command, stdout=subprocess.PIPE,
                                 stderr=subprocess.DEVNULL, text=True)
                for _ in range(2)]
        said = [process.communicate(timeout=60)[0] for process in both]
        assert sorted(process.returncode for process in both) == [0, 1]
        [made] = [json.loads(text) for text in said if "error" not in text]
        shown = json.loads(subprocess.run(
            platform.command("usher-publish") +
            ["keys", "show", str(work / f"{n}.pem"), "--json"],
            check=True, capture_output=True, text=True).stdout)
        assert shown["keys"][0]["key_id"] in json.dumps(made)
    assert len(list(work.glob("*.pem*"))) == 10


def test_updates_do_not_supersede_each_other(publisher, repository, work):
    ids = [f"00000000-0000-4000-8000-00000000000{i}" for i in range(3)]

    def add(number, supersedes, revision):
        path = work / "update.toml"
        listed = json.dumps([ids[other] for other in supersedes])
        path.write_text(
            HEAD.replace('"tool"', f'"tool{number}"') +
            f'update_id = "{ids[number]}"\nrevision = {revision}\n'
            f"superseded_update_ids = {listed}\n" + PAYLOAD + EXEC)
        return publisher("add", repository.folder, path)
    assert add(0, [], 1) and add(1, [0], 1), publisher.output
    assert add(2, [1, 0], 1), publisher.output
    assert not add(0, [1], 2)
    assert "tool0" in publisher.output and "tool1" in publisher.output
    # By way of another one.
    assert not add(0, [2], 2)
    assert "superseded_update_ids" in publisher.output
    # The other way round, when the first way is given up.
    assert add(1, [], 2) and add(2, [], 2), publisher.output
    assert add(0, [2, 1], 2), publisher.output
