"""Delegations: who is asked about a target, in which order, and on whose
word."""

import hashlib

import pytest

from harness.tuf_repository import in_days

# Delegations as (delegator, role, options), and the roles that are asked for a
# target that nobody has, in their order.
GRAPHS = {
    "one": ([("targets", "a", {})], "a"),
    "two": ([("targets", "a", {}), ("targets", "b", {})], "ab"),
    "depth first": ([("targets", "a", {}), ("targets", "b", {}),
                     ("a", "c", {}), ("a", "d", {})], "acdb"),
    "three levels": ([("targets", "a", {}), ("targets", "b", {}),
                      ("a", "c", {}), ("c", "d", {})], "acdb"),
    "terminating": ([("targets", "a", {}), ("targets", "b", {}),
                     ("a", "c", {"terminating": True}), ("a", "d", {})], "ac"),
    "below a terminating one": ([("targets", "a", {}), ("targets", "b", {}),
                                 ("a", "c", {"terminating": True}),
                                 ("c", "d", {})], "acd"),
    "paths": ([("targets", "a", {"paths": ["*.py"]}), ("targets", "b", {}),
               ("a", "c", {})], "b"),
    "paths below": ([("targets", "a", {}), ("targets", "b", {}),
                     ("a", "c", {"paths": ["*.py"]}), ("c", "d", {})], "ab"),
    "circle": ([("targets", "a", {}), ("targets", "b", {}), ("b", "c", {}),
                ("c", "d", {}), ("d", "b", {})], "abcd"),
    "itself": ([("targets", "a", {}), ("a", "a", {}), ("a", "b", {})], "ab"),
    "two ways": ([("targets", "a", {}), ("targets", "b", {}), ("b", "c", {}),
                  ("a", "c", {})], "acb"),
    "two ways, one for other paths": ([
        ("targets", "a", {}), ("targets", "b", {}), ("b", "c", {}),
        ("a", "c", {"paths": ["*.py"]})], "abc"),
    "upper case": ([("targets", "A", {}), ("targets", "a", {})], "Aa"),
}


@pytest.mark.parametrize("delegations, asked", GRAPHS.values(), ids=GRAPHS)
def test_order(tuf, delegations, asked):
    repository, server, client = tuf
    for delegator, role, options in delegations:
        repository.delegate(delegator, role, **options)
    names = {role for _, role, _ in delegations}
    repository.publish_targets("targets", *sorted(names))
    assert client.init() and not client.download("missing")
    assert "has no target missing" in client.errors
    assert server.roles == list(asked)
    # What was fetched is kept, each role in a file of its own.
    assert len(client.versions()) == 4 + len(asked)
    assert not client.download("missing")
    assert server.roles == []


@pytest.mark.parametrize("target, asked", [
    ("top", ""), ("README.md", "a"), ("releases/x/x_v1", "bc"),
    ("releases/y/y_v1.zip", "bd")])
def test_paths(tuf, target, asked):
    repository, server, client = tuf
    repository.delegate("targets", "a", paths=["*.doc", "*.md"])
    repository.delegate("targets", "b", paths=["releases/*/*"])
    repository.delegate("b", "c", paths=["releases/x/*"])
    repository.delegate("b", "d", paths=["releases/y/*.zip"])
    repository.add_artifact(asked[-1:] or "targets", target, b"content")
    repository.publish_targets("targets", *"abcd")
    assert client.init() and client.download(target), client.errors
    assert client.downloaded() == [b"content"]
    assert server.roles == list(asked)


def test_a_path_must_be_delegated_all_the_way(tuf):
    repository, server, client = tuf
    repository.delegate("targets", "b", paths=["releases/*/*"])
    repository.delegate("b", "d", paths=["releases/y/*.zip"])
    repository.add_artifact("d", "releases/z/z_v1.zip", b"content")
    repository.publish_targets("targets", "b", "d")
    assert client.init() and not client.download("releases/z/z_v1.zip")
    assert server.roles == ["b"]


def test_a_role_speaks_only_for_its_paths(tuf):
    repository, _, client = tuf
    repository.delegate("targets", "a", paths=["a/*"])
    repository.add_artifact("a", "b/file", b"not its own")
    repository.publish_targets("targets", "a")
    assert client.init() and not client.download("b/file")
    assert client.downloaded() == []


def test_the_first_one_is_right(tuf):
    repository, _, client = tuf
    repository.delegate("targets", "a")
    repository.delegate("targets", "b")
    repository.add_artifact("b", "file", b"of b")
    repository.publish_targets("targets", "a", "b")
    assert client.init() and client.download("file")
    assert client.downloaded() == [b"of b"]
    repository.add_artifact("a", "file", b"of a")
    repository.publish_targets("a")
    assert client.download("file")
    assert client.downloaded() == [b"of a"]


def test_hash_prefixes(tuf):
    repository, server, client = tuf
    digest = hashlib.sha256(b"file").hexdigest()
    other = "0" if digest[0] != "0" else "1"
    repository.delegate("targets", "a", hash_prefixes=[other])
    repository.delegate("targets", "b", hash_prefixes=[other, digest[:3]])
    repository.add_artifact("b", "file", b"content")
    repository.publish_targets("targets", "a", "b")
    assert client.init() and client.download("file"), client.errors
    assert server.roles == ["b"]


@pytest.mark.parametrize("bits", [1, 4, 5, 9])
def test_bins(tuf, bits):
    repository, server, client = tuf
    names = repository.delegate_bins("targets", bits, "bin")
    target = "some/target"
    number = int.from_bytes(hashlib.sha256(target.encode()).digest()[:4],
                            "big") >> (32 - bits)
    repository.add_artifact(names[number], target, b"content")
    repository.publish_targets("targets", *names)
    assert client.init() and client.download(target), client.errors
    assert server.roles == [names[number]]


@pytest.mark.parametrize("role, quoted", [
    ("?", "%3F"), ("#", "%23"), ("/role", "%2Frole"),
    ("../role", "..%2Frole"), ("..\\role", "..%5Crole"), ("a b", "a%20b"),
    ("ü", "%C3%BC"), ("con", "con"), ("x" * 250, "x" * 250)])
def test_odd_role_names(tuf, role, quoted):
    repository, server, client = tuf
    repository.delegate("targets", role)
    repository.add_artifact(role, "file", b"content")
    repository.publish_targets("targets", role)
    assert client.init() and client.download("file"), client.errors
    assert server.roles == [quoted]
    assert len(client.versions()) == 5
    assert sorted(p.name for p in client.metadata_dir.parent.iterdir()) == [
        "initial_root.json", "metadata", "targets"]


@pytest.mark.parametrize("target", ["../file", "a/../../file", "/file",
                                    "c:/file", "a\\..\\file"])
def test_targets_outside_make_their_role_unusable(tuf, target):
    repository, _, client = tuf
    repository.delegate("targets", "a")
    repository.add_artifact("a", target, b"content")
    repository.publish_targets("targets", "a")
    assert client.init() and not client.download(target)
    assert client.downloaded() == []
    assert sorted(client.versions()) == ["root", "snapshot", "targets",
                                         "timestamp"]


def test_expired_role(tuf):
    repository, _, client = tuf
    repository.delegate("targets", "a")
    repository.add_artifact("a", "file", b"content")
    repository.bodies["a"]["expires"] = in_days(-1)
    repository.publish_targets("targets", "a")
    assert client.init() and client.refresh()
    assert not client.download("file") and "expired" in client.errors
    assert "a" not in client.versions()
    repository.bodies["a"]["expires"] = in_days(7)
    repository.publish_targets("a")
    assert client.download("file"), client.errors
    # It has expired since; a newer one is taken instead.
    repository.add_artifact("a", "second", b"more")
    repository.publish_targets("a")
    assert not client.download("second", days=10)
    repository.bodies["a"]["expires"] = in_days(25)
    repository.publish_targets("a")
    assert client.download("second", days=10), client.errors


def test_a_cached_role_is_judged_by_its_delegator_of_now(tuf):
    repository, server, client = tuf
    repository.delegate("targets", "a")
    repository.add_artifact("a", "file", b"content")
    repository.publish_targets("targets", "a")
    assert client.init() and client.download("file")
    # Its key is taken away; the role itself stays as it is.
    entry = repository.bodies["targets"]["delegations"]["roles"][0]
    entry["keyids"].clear()
    repository.signers["a"], old = [], repository.signers["a"]
    repository.add_key("a", delegator="targets")
    repository.publish_targets("targets")
    (client.target_dir / "file").unlink()
    assert not client.download("file")
    assert "a.json: signed by 0 of the 1" in client.errors
    assert client.downloaded() == []
    # Both sign: that is enough.
    repository.signers["a"] += old
    repository.publish_targets("a")
    assert client.download("file"), client.errors


def test_a_role_of_two_delegators_needs_the_word_of_the_one_who_asks(tuf):
    repository, _, client = tuf
    repository.delegate("targets", "a", paths=["a/*"])
    repository.delegate("targets", "b", paths=["b/*"])
    repository.delegate("a", "c", paths=["a/*"])
    repository.delegate("b", "c", paths=["b/*"])
    repository.signers["c"].pop()  # b's key does not sign
    repository.add_artifact("c", "a/file", b"for a")
    repository.add_artifact("c", "b/file", b"for b")
    repository.publish_targets("targets", "a", "b", "c")
    assert client.init()
    assert not client.download("a/file", "b/file")
    assert client.downloaded() == [b"for a"]
    assert "c.json: signed by 0 of the 1" in client.errors


def test_role_that_the_snapshot_does_not_name(tuf):
    repository, _, client = tuf
    repository.delegate("targets", "a")
    repository.publish_targets("targets")
    assert client.init() and not client.download("file")
    assert "does not name a.json" in client.errors


def test_too_many_roles(tuf):
    repository, server, client = tuf
    previous = "targets"
    names = [f"r{n}" for n in range(40)]
    for name in names:
        repository.delegate(previous, name)
        previous = name
    repository.add_artifact(previous, "file", b"content")
    repository.publish_targets("targets", *names)
    assert client.init() and not client.download("file")
    assert "32 levels deep" in client.errors
    assert len(server.roles) == 32
