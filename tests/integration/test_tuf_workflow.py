"""The client workflow of The Update Framework, section by section, against a
repository that does as it pleases."""

import json
import subprocess

import pytest

from harness.tuf_repository import TOP_LEVEL, Key, TufRepository, in_days


def test_first_refresh(tuf):
    repository, server, client = tuf
    assert client.init()
    assert server.requests == []
    assert client.refresh(), client.errors
    assert server.requests == ["metadata/2.root.json", "metadata/timestamp.json",
                               "metadata/1.snapshot.json",
                               "metadata/1.targets.json"]
    for role in ("root", "timestamp", "snapshot", "targets"):
        assert client.stored(role) == repository.signed[role][-1]


def test_nothing_new_is_two_requests(tuf):
    _, server, client = tuf
    assert client.init() and client.refresh()
    server.requests.clear()
    assert client.refresh()
    assert server.requests == ["metadata/2.root.json",
                               "metadata/timestamp.json"]


@pytest.mark.parametrize("bend", [
    lambda root: root["signed"].pop("version"),
    lambda root: root["signatures"][0].update(sig="ab" * 64),
    lambda root: root["signed"]["roles"].pop("snapshot"),
    lambda root: root["signed"]["roles"]["root"].update(threshold=0),
    lambda root: root["signed"].update(_type="targets"),
    lambda root: root["signed"].update(spec_version="2.0.0"),
], ids=["no version", "wrong signature", "no snapshot role", "threshold zero",
        "another type", "another specification"])
def test_first_root_is_no_root(tuf, bend):
    repository, server, client = tuf
    root = json.loads(repository.signed["root"][0])
    bend(root)
    client.init(json.dumps(root).encode())
    assert not client.refresh()
    assert server.requests == []


# Keys by number, threshold, who signs; the last says whether it is taken.
ROOTS = {
    "one key for another": [([1], 1, [1]), ([2], 1, [2, 1]), ([2], 1, [2])],
    "signatures of strangers": [([1], 1, [3, 1, 4]), ([2], 1, [3, 2, 1, 4]),
                                ([2], 1, [3, 2, 4])],
    "any three of five": [([0, 1, 2, 3, 4], 3, [0, 2, 4]),
                          ([0, 1, 2, 3, 4], 3, [0, 4, 1]),
                          ([0, 1, 2, 3, 4], 3, [0, 1, 3])],
    "one of five rotated": [([0, 1, 2, 3, 4], 3, [0, 2, 4]),
                            ([0, 1, 3, 4, 5], 3, [0, 4, 1])],
    "all of five rotated": [([0, 1, 2, 3, 4], 3, [0, 2, 4]),
                            ([5, 6, 7, 8, 9], 3, [0, 2, 4, 5, 6, 7]),
                            ([5, 6, 7, 8, 9], 3, [5, 6, 7])],
    "threshold raised": [([1, 2, 3], 1, [1]), ([1, 2, 3], 2, [1, 2])],
    "threshold lowered": [([1, 2, 3], 2, [1, 2]), ([1, 2, 3], 1, [1, 2]),
                          ([1, 2, 3], 1, [1])],
    "the old key missing": [([1], 1, [1]), ([2], 1, [2, 3, 4]), False],
    "the new key missing": [([1], 1, [1]), ([2], 1, [1, 3, 4]), False],
    "too few new ones": [([0, 1, 2, 3, 4], 3, [0, 2, 4]),
                         ([0, 1, 3, 4, 5], 3, [0, 2, 4]), False],
    "too few old ones": [([0, 1, 2, 3, 4], 3, [0, 2, 4]),
                         ([0, 1, 3, 4, 5], 3, [0, 4, 5]), False],
    "new threshold not met": [([1, 2, 3], 1, [1]), ([1, 2, 3], 2, [2]), False],
    "old threshold not met": [([1, 2, 3], 2, [1, 2]), ([1, 2, 3], 1, [1]),
                              False],
}


@pytest.mark.parametrize("case", ROOTS.values(), ids=ROOTS)
def test_root_rotation(tuf, case):
    repository, _, client = tuf
    taken = case[-1] is not False
    keys = [Key() for _ in range(10)]
    repository.signed["root"].clear()
    repository.root["version"] = 0
    for numbers, threshold, signers in (c for c in case if c is not False):
        role = repository.root["roles"]["root"]
        role.update(keyids=[], threshold=threshold)
        repository.signers["root"] = []
        for number in numbers:
            repository.add_key("root", keys[number])
        repository.signers["root"] = [keys[n] for n in signers]
        repository.publish("root")
    assert client.init()
    assert client.refresh() == taken, client.errors
    assert client.stored("root") == repository.signed["root"][-1 if taken
                                                              else -2]


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_rotated_role_key(tuf, role):
    repository, _, client = tuf
    assert client.init() and client.refresh()
    repository.rotate_key(role)
    repository.publish("root")
    repository.publish_targets("targets")
    assert client.refresh(), client.errors
    assert client.stored(role) == repository.signed[role][-1]

    # The next one is signed by a key that nobody named.
    stranger = Key()
    repository.signers[role] = [stranger]
    repository.publish_targets("targets")
    trusted = client.stored(role)
    assert not client.refresh()
    assert client.stored(role) == trusted


# Keys by number, threshold, who signs, whether it is taken.
ROLES = {
    "another key": ([2], 1, [2], True),
    "signatures of strangers": ([1], 1, [3, 1, 4], True),
    "the new key missing": ([2], 1, [1, 3, 4], False),
    "one of three is no longer the role's": ([0, 1, 3, 4, 5], 3, [0, 2, 4],
                                             False),
    "too few": ([0, 1, 3, 4, 5], 3, [0, 4], False),
    "three of five": ([0, 1, 2, 3, 4], 3, [0, 2, 4], True),
    "another three of five": ([0, 1, 2, 3, 4], 3, [0, 4, 1], True),
    "the last three of five": ([0, 1, 2, 3, 4], 3, [2, 3, 4], True),
}


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
@pytest.mark.parametrize("numbers, threshold, signers, taken", ROLES.values(),
                         ids=ROLES)
def test_role_rotation(tuf, role, numbers, threshold, signers, taken):
    repository, _, client = tuf
    assert client.init() and client.refresh()
    before = client.stored(role)
    keys = [Key() for _ in range(6)]
    repository.root["roles"][role] = {"keyids": [], "threshold": threshold}
    for number in numbers:
        repository.add_key(role, keys[number])
    repository.signers[role] = [keys[n] for n in signers]
    repository.publish("root")
    repository.publish_targets("targets")
    assert client.refresh() == taken, client.errors
    if taken:
        assert client.stored(role) == repository.signed[role][-1]
    else:
        assert f"{role}.json: signed by" in client.errors
        # New keys of timestamp or snapshot drop what the old ones signed.
        assert client.trusted().get(role) == (before if role == "targets"
                                              else None)


@pytest.mark.parametrize("role", TOP_LEVEL)
def test_unsigned(tuf, role):
    repository, _, client = tuf
    repository.signers[role] = []
    repository.publish("root")
    repository.publish_targets("targets")
    assert client.init() and not client.refresh()
    assert f"{role}.json: signed by 0 of the 1" in client.errors
    # What comes before it in the workflow is taken.
    assert client.versions() == {
        "root": {"root": 1}, "timestamp": {"root": 2},
        "snapshot": {"root": 2, "timestamp": 2},
        "targets": {"root": 2, "timestamp": 2, "snapshot": 2}}[role]


def test_a_key_id_signs_once(tuf):
    """Section 4.2.1, and even where the signatures are enough."""
    repository, _, client = tuf
    document = json.loads(repository.signed["snapshot"][-1])
    document["signatures"].append(document["signatures"][0])
    repository.signed["snapshot"][-1] = json.dumps(document).encode()
    assert client.init() and not client.refresh()
    assert "snapshot.json: malformed: signatures names a key twice" in \
        client.errors
    assert set(client.versions()) == {"root", "timestamp"}


@pytest.mark.parametrize("wrong", ["ab" * 64, "", "not hexadecimal"])
def test_a_wrong_signature_beside_the_right_one(tuf, wrong):
    repository, _, client = tuf
    first = repository.signers["timestamp"][0]
    repository.add_key("timestamp")
    repository.publish("root", "timestamp")
    document = json.loads(repository.signed["timestamp"][-1])
    [signature] = [s for s in document["signatures"]
                   if s["keyid"] == first.id]
    signature["sig"] = wrong
    repository.signed["timestamp"][-1] = json.dumps(document).encode()
    assert client.init() and client.refresh(), client.errors
    assert client.versions()["timestamp"] == 2


def test_keys_of_kinds_that_are_not_known(tuf):
    """They are kept as they stand, and sign for nobody."""
    repository, _, client = tuf
    identity = Key()
    identity.document = {
        "keytype": "sigstore-oidc", "scheme": "Fulcio",
        "keyval": {"identity": "a@example.com",
                   "issuer": "https://example.com"}}
    identity.id = "1d" * 32
    repository.add_key("root", identity)
    repository.add_key("targets", identity)
    repository.delegate("targets", "a")
    repository.add_key("a", identity, "targets")
    repository.add_artifact("a", "file", b"content")
    repository.publish("root")
    repository.publish_targets("targets", "a")
    assert client.init() and client.download("file"), client.errors
    for role in ("root", "targets", "a"):
        assert client.stored(role) == repository.signed[role][-1]
    repository.root["roles"]["root"]["threshold"] = 2
    repository.publish("root")
    assert not client.refresh()
    assert "root.json: signed by 1 of the 2" in client.errors
    assert client.versions()["root"] == 2


def test_a_key_id_is_what_the_root_says(tuf):
    """Whatever members the key has, and however its id was made."""
    repository, _, client = tuf
    assert client.init()
    key = Key()
    key.document["keyid_hash_algorithms"] = ["md5"]
    key.id = "any id"
    repository.root["roles"]["snapshot"]["keyids"].clear()
    repository.signers["snapshot"].clear()
    repository.add_key("snapshot", key)
    repository.publish("root")
    repository.update_snapshot()
    assert client.refresh(), client.errors
    assert client.versions()["snapshot"] == 2


def test_threshold_of_a_role(tuf):
    repository, _, client = tuf
    for _ in range(3):
        repository.add_key("snapshot")
    repository.root["roles"]["snapshot"]["threshold"] = 5
    repository.publish("root")
    repository.update_snapshot()
    assert client.init() and not client.refresh()
    assert "signed by 4 of the 5" in client.errors
    repository.root["roles"]["snapshot"]["threshold"] = 4
    repository.publish("root")
    assert client.refresh(), client.errors


def test_a_threshold_that_no_keys_reach(tuf):
    """The root that says it is a root like any other; the role is unusable
    until the next one."""
    repository, _, client = tuf
    assert client.init() and client.refresh()
    repository.root["roles"]["snapshot"]["threshold"] = 2
    repository.publish("root")
    repository.update_snapshot()
    assert not client.refresh()
    assert client.versions() == {"root": 2, "timestamp": 2, "snapshot": 1,
                                 "targets": 1}
    # Nor does an id help that no key belongs to.
    repository.root["roles"]["snapshot"]["keyids"].append("ab" * 32)
    repository.publish("root")
    assert not client.refresh()
    assert client.versions()["root"] == 3
    repository.root["roles"]["snapshot"]["threshold"] = 1
    repository.publish("root")
    assert client.refresh(), client.errors
    assert client.versions()["snapshot"] == 2


def test_one_key_under_many_ids_counts_once(tuf):
    repository, _, client = tuf
    key = Key()
    repository.signers["snapshot"] = []
    repository.root["roles"]["snapshot"] = {"keyids": [], "threshold": 2}
    for number in range(5):
        double = Key()
        double.private, double.id = key.private, f"{number:064x}"
        double.document = {**key.document, "number": number}
        repository.add_key("snapshot", double)
    repository.publish("root")
    repository.update_snapshot()
    assert client.init() and not client.refresh()
    assert "signed by 1 of the 2" in client.errors


@pytest.mark.parametrize("scheme, hex_point", [
    ("ed25519", False), ("ecdsa-sha2-nistp256", False),
    ("ecdsa-sha2-nistp256", True), ("rsassa-pss-sha256", False),
    ("rsa-pkcs1v15-sha256", False)])
def test_schemes(tuf, scheme, hex_point):
    repository, _, client = tuf
    assert client.init()
    repository.add_key("root", Key(scheme, hex_point))
    repository.root["roles"]["root"]["threshold"] = 2
    repository.publish("root")
    assert client.refresh(), client.errors
    # The same signature under other words.
    repository.publish("root")
    bent = json.loads(repository.signed["root"][-1])
    bent["signed"]["note"] = "not signed"
    repository.signed["root"][-1] = json.dumps(bent).encode()
    assert not client.refresh()
    assert client.versions()["root"] == 2


def test_unknown_fields_are_signed_and_kept(tuf):
    repository, _, client = tuf
    assert client.init()
    repository.root["x-note"] = {"a": [1, None, "ü"]}
    repository.root["roles"]["root"]["x-more"] = True
    key = repository.signers["root"][0]
    repository.root["keys"][key.id]["x-owner"] = "somebody"
    repository.publish("root")
    assert client.refresh(), client.errors
    assert client.stored("root") == repository.signed["root"][-1]


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_expired_is_refused(tuf, role):
    repository, _, client = tuf
    repository.bodies[role]["expires"] = in_days(-1)
    if role == "root":
        repository.publish("root")
    else:
        repository.publish_targets("targets")
    assert client.init() and not client.refresh()
    assert f"{role}.json: expired at" in client.errors
    # And what follows is welcome.
    repository.bodies[role]["expires"] = in_days(5)
    repository.publish("root")
    repository.publish_targets("targets")
    assert client.refresh(), client.errors


@pytest.mark.parametrize("role", ["root", "timestamp", "snapshot", "targets"])
def test_what_has_expired_does_not_replace_what_is_trusted(tuf, role):
    repository, _, client = tuf
    assert client.init() and client.refresh()
    repository.bodies[role]["expires"] = in_days(-1)
    repository.publish_targets("targets")
    if role == "root":
        repository.publish("root")
    assert not client.refresh()
    # A root is kept before it is judged by its date (5.3.8, 5.3.10).
    assert client.versions()[role] == (2 if role == "root" else 1)


def test_a_root_given_again(tuf):
    repository, server, client = tuf
    assert client.init()
    repository.publish("root")
    assert client.refresh()
    trusted = {role: client.stored(role) for role in client.versions()}
    assert len(trusted) == 4
    server.requests.clear()
    assert client.init(), client.errors
    assert {role: client.stored(role) for role in client.versions()} == trusted
    # One of somebody else is no reason to change what is trusted.
    stranger = TufRepository()
    stranger.publish("root")
    assert not client.init(stranger.signed["root"][1])
    assert {role: client.stored(role) for role in client.versions()} == trusted
    assert server.requests == []


def test_a_long_absence_is_no_harm(tuf):
    repository, _, client = tuf
    assert client.init() and client.refresh()
    for body in repository.bodies.values():
        body["expires"] = in_days(100)
    repository.publish("root")
    repository.publish_targets("targets")
    # All that the client has expired after 30 days.
    assert client.refresh(days=60), client.errors
    assert not client.refresh(days=120)


@pytest.mark.parametrize("with_hashes", [False, True])
def test_rollbacks(tuf, with_hashes):
    repository, _, client = tuf
    repository.with_hashes = with_hashes
    for _ in range(2):
        repository.publish_targets("targets")
    assert client.init() and client.refresh()
    assert client.versions() == {"root": 1, "timestamp": 3, "snapshot": 3,
                                 "targets": 3}
    timestamp = repository.bodies["timestamp"]
    timestamp["version"] = 1
    repository.publish("timestamp")
    assert not client.refresh() and "rolled back" in client.errors
    timestamp["version"] = 3
    repository.bodies["snapshot"]["version"] = 1
    repository.update_snapshot()  # version 2, named by timestamp 4
    assert not client.refresh() and "rolled back" in client.errors
    repository.bodies["snapshot"]["version"] = 3
    repository.bodies["targets"]["version"] = 1
    repository.publish_targets("targets")  # version 2
    assert not client.refresh() and "rolled back" in client.errors
    assert client.versions()["targets"] == 3


def test_recovery_of_targets_needs_the_snapshot_key_only(tuf):
    repository, _, client = tuf
    repository.bodies["targets"]["version"] = 99
    repository.publish_targets("targets")
    assert client.init() and client.refresh()
    assert client.versions()["targets"] == 100
    repository.rotate_key("snapshot")
    repository.publish("root")
    repository.bodies["targets"]["version"] = 1
    repository.publish_targets("targets")
    assert client.refresh(), client.errors
    assert client.versions()["targets"] == 2


def test_recovery_of_the_timestamp_needs_its_key_only(tuf):
    repository, _, client = tuf
    repository.bodies["timestamp"]["version"] = 99
    repository.publish("timestamp")
    assert client.init() and client.refresh()
    assert client.versions()["timestamp"] == 100
    repository.rotate_key("timestamp")
    repository.publish("root")
    repository.bodies["timestamp"]["version"] = 0
    repository.publish("timestamp")
    assert client.refresh(), client.errors
    assert client.versions()["timestamp"] == 1


@pytest.mark.parametrize("role", ["timestamp", "snapshot"])
def test_recovery_from_versions_run_up(tuf, role):
    repository, _, client = tuf
    repository.bodies[role]["version"] = 99999
    repository.update_snapshot()
    repository.update_timestamp()
    assert client.init() and client.refresh()
    assert client.versions()[role] > 99998
    repository.rotate_key("snapshot")
    repository.rotate_key("timestamp")
    repository.bodies[role]["version"] = 1
    repository.publish("root")
    repository.update_snapshot()
    assert client.refresh(), client.errors
    assert client.versions()[role] == repository.bodies[role]["version"] < 10


def test_same_version_other_content(tuf):
    repository, _, client = tuf
    assert client.init() and client.refresh()
    trusted = client.stored("timestamp")
    repository.bodies["timestamp"]["meta"]["snapshot.json"]["version"] = 100
    repository.publish("timestamp", bump=False)
    assert client.refresh(), client.errors
    assert client.stored("timestamp") == trusted


@pytest.mark.parametrize("role", ["snapshot", "targets"])
def test_content_is_what_its_parent_says(tuf, role):
    repository, server, client = tuf
    repository.with_hashes = True
    repository.publish_targets("targets")
    assert client.init() and client.refresh()
    repository.publish_targets("targets")
    version = repository.bodies[role]["version"]
    # The same document, written otherwise: its signature is right.
    document = json.loads(repository.signed[role][-1])
    server.lies[f"metadata/{version}.{role}.json"] = json.dumps(
        document, separators=(",", ":")).encode()
    assert not client.refresh()
    assert client.versions()[role] == version - 1
    server.lies.clear()
    assert client.refresh(), client.errors


def test_mixed_versions(tuf):
    repository, server, client = tuf
    repository.publish_targets("targets")
    # A snapshot of another version than the timestamp names.
    server.lies["metadata/2.snapshot.json"] = repository.signed["snapshot"][0]
    assert client.init() and not client.refresh()
    assert "has version 1, not 2" in client.errors
    assert "snapshot" not in client.versions()


@pytest.mark.parametrize("role", ["root", "snapshot", "targets"])
def test_version_other_than_in_the_url(tuf, role):
    repository, server, client = tuf
    repository.publish("root")
    repository.publish_targets("targets")
    repository.publish(role)  # version 3
    server.lies[f"metadata/2.{role}.json"] = repository.signed[role][-1]
    assert client.init() and not client.refresh()
    assert "has version 3, not 2" in client.errors
    assert client.versions() == {
        "root": {"root": 1}, "snapshot": {"root": 2, "timestamp": 2},
        "targets": {"root": 2, "timestamp": 2, "snapshot": 2}}[role]


@pytest.mark.parametrize("role", ["timestamp", "snapshot", "targets"])
def test_missing(tuf, role):
    repository, server, client = tuf
    assert client.init() and client.refresh()
    before = client.trusted()
    repository.publish_targets("targets")
    name = "timestamp.json" if role == "timestamp" else f"2.{role}.json"
    server.lies["metadata/" + name] = 404
    assert not client.refresh()
    assert server.requests[-1] == "metadata/" + name
    new = {"timestamp": [], "snapshot": ["timestamp"],
           "targets": ["timestamp", "snapshot"]}[role]
    assert client.trusted() == {
        **before, **{name: repository.signed[name][-1] for name in new}}
    server.lies.clear()
    assert client.refresh(), client.errors


def test_one_kind_of_document_is_no_other(tuf):
    """A snapshot that could be a timestamp, were it not for its type."""
    repository, server, client = tuf
    repository.add_key("snapshot", repository.signers["timestamp"][0])
    repository.publish("root")
    repository.bodies["snapshot"]["meta"] = {"snapshot.json": {"version": 1}}
    repository.publish("snapshot")
    server.lies["metadata/timestamp.json"] = repository.signed["snapshot"][-1]
    assert client.init() and not client.refresh()
    assert "timestamp.json: malformed: signed._type" in client.errors
    assert client.versions() == {"root": 2}


@pytest.mark.parametrize("name", ["2.root.json", "timestamp.json",
                                  "1.snapshot.json", "1.targets.json"])
@pytest.mark.parametrize("answer", [b"", b"{", b"[]", b"\xff" * 100, b"{}",
                                    b"[" * 100_000, b"x" * 70_000_000, 500],
                         ids=["empty", "half", "list", "binary", "nothing",
                              "deep", "endless", "status 500"])
def test_nonsense_changes_nothing(tuf, name, answer):
    _, server, client = tuf
    assert client.init()
    server.lies["metadata/" + name] = answer
    assert not client.refresh()
    assert ".".join(name.split(".")[-2:]) in client.errors
    assert set(client.versions()) <= {"root", "timestamp", "snapshot"}
    server.lies.clear()
    assert client.refresh(), client.errors


def test_without_consistent_snapshots(tuf):
    repository, server, client = tuf
    repository.root["consistent_snapshot"] = False
    repository.publish("root")
    repository.add_artifact("targets", "folder/a file", b"content")
    repository.publish_targets("targets")
    assert client.init() and client.download("folder/a file"), client.errors
    assert server.requests[-3:] == ["metadata/snapshot.json",
                                    "metadata/targets.json",
                                    "targets/folder/a%20file"]
    assert client.downloaded() == [b"content"]


def test_downloads(tuf):
    repository, server, client = tuf
    repository.add_artifact("targets", "file.txt", b"first")
    repository.add_artifact("targets", "path/to/file.txt", b"another")
    repository.publish_targets("targets")
    assert client.init()
    assert client.download("file.txt", "path/to/file.txt"), client.errors
    assert client.downloaded() == [b"another", b"first"]

    # What is there is not fetched again; what has changed takes its place.
    server.requests.clear()
    assert client.download("file.txt")
    assert not any(path.startswith("targets/") for path in server.requests)
    repository.add_artifact("targets", "file.txt", b"second")
    repository.publish_targets("targets")
    assert client.download("file.txt")
    assert client.downloaded() == [b"another", b"second"]

    # The first failure ends it.
    repository.add_artifact("targets", "one", b"good")
    repository.add_artifact("targets", "two", b"good too")
    repository.publish_targets("targets")
    repository.artifacts["one"] = b"evil"
    assert not client.download("one", "two")
    assert client.downloaded() == [b"another", b"second"]
    assert not client.download("missing", "two")
    assert client.downloaded() == [b"another", b"second"]


@pytest.mark.parametrize("algorithms", [("sha256",), ("sha512",),
                                        ("sha256", "sha512")])
def test_hash_algorithms(tuf, algorithms):
    repository, server, client = tuf
    repository.add_artifact("targets", "a/file", b"content", algorithms)
    repository.publish_targets("targets")
    assert client.init() and client.download("a/file"), client.errors
    assert client.downloaded() == [b"content"]
    digests = repository.bodies["targets"]["targets"]["a/file"]["hashes"]
    [asked] = [path for path in server.requests if path.startswith("targets/")]
    assert asked in [f"targets/a/{digest}.file" for digest in digests.values()]
    # Each is verified, and not only the one that is asked for.
    for algorithm in algorithms:
        digests[algorithm] = digests[algorithm][::-1]
        repository.publish_targets("targets")
        [file] = client.target_dir.iterdir()
        file.unlink()
        assert not client.download("a/file")
        assert f"has the {algorithm} " in client.errors
        assert client.downloaded() == []
        digests[algorithm] = digests[algorithm][::-1]
        repository.publish_targets("targets")
        assert client.download("a/file"), client.errors


@pytest.mark.parametrize("hashes", [{"sha3-256": "ab" * 32},
                                    {"sha256": "ab"}])
def test_no_hash_that_is_known(tuf, hashes):
    repository, server, client = tuf
    repository.add_artifact("targets", "file", b"content")
    repository.bodies["targets"]["targets"]["file"]["hashes"] = hashes
    repository.publish_targets("targets")
    assert client.init() and not client.download("file")
    assert "no sha256 or sha512 of file" in client.errors
    assert not [path for path in server.requests
                if path.startswith("targets/")]


def test_long_target_names(tuf):
    repository, _, client = tuf
    names = ["ü" * 500, "ü" * 499 + "u", "a/" * 400 + "b"]
    for name in names:
        repository.add_artifact("targets", name, name.encode())
    repository.publish_targets("targets")
    assert client.init() and client.download(*names), client.errors
    assert client.downloaded() == sorted(name.encode() for name in names)
    # Each again in its place.
    repository.add_artifact("targets", names[0], b"another")
    repository.publish_targets("targets")
    assert client.download(names[0]), client.errors
    assert client.downloaded() == sorted(
        [b"another", *(name.encode() for name in names[1:])])


@pytest.mark.parametrize("words", [
    [], ["refresh"], ["--metadata-dir", "x", "refresh", "more"],
    ["--metadata-dir", "x", "--metadata-url", "http://127.0.0.1:1", "unknown"],
    ["--metadata-dir", "x", "--metadata-url", "http://127.0.0.1:1",
     "download"]], ids=" ".join)
def test_the_protocol_knows_one_failure(platform, tmp_path, words):
    done = subprocess.run([*platform.command("usher-tuf-client"), *words],
                          capture_output=True, cwd=tmp_path, check=False)
    assert done.returncode == 1, done.stderr
    assert done.stderr


def test_a_repository_like_those_of_tuf_on_ci(tuf):
    """Of the kind that the public suite keeps: ECDSA alone, members of its own
    in every place, the online key for two roles, and a delegation to people."""
    repository, _, client = tuf
    owner, online, other = (Key("ecdsa-sha2-nistp256") for _ in range(3))
    owner.document["x-tuf-on-ci-keyowner"] = "@owner"
    other.document["x-tuf-on-ci-keyowner"] = "@other"
    online.document["x-tuf-on-ci-online-uri"] = "gcpkms:projects/x"
    repository.root.update(keys={}, version=0)
    repository.root["x-tuf-on-ci-expiry-period"] = 7300
    repository.signed["root"].clear()
    for role, key in (("root", owner), ("targets", owner),
                      ("snapshot", online), ("timestamp", online)):
        repository.signers[role] = []
        repository.root["roles"][role] = {"keyids": [], "threshold": 1,
                                          "x-tuf-on-ci-signing-period": 60}
        repository.add_key(role, key)
    repository.delegate("targets", "delegatedrole", terminating=True,
                        paths=["delegatedrole/*", "delegatedrole/*/*"],
                        key=owner)
    repository.add_key("delegatedrole", other, "targets")
    repository.signers["delegatedrole"].remove(owner)
    repository.add_artifact("delegatedrole", "delegatedrole/artifact", b"it")
    repository.publish("root")
    repository.publish_targets("targets", "delegatedrole")
    assert client.init() and client.refresh(), client.errors
    assert client.download("delegatedrole/artifact"), client.errors
    assert client.downloaded() == [b"it"]
