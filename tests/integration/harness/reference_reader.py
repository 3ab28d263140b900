"""Reads a published repository with the reference implementation's library
(securesystemslib: canonical JSON, keys, signatures) in the order of the
specification's section 5; nothing of Usher's own code verifies here."""

import datetime
import hashlib
import json
import pathlib
import re

from securesystemslib.formats import encode_canonical
from securesystemslib.signer import Key, Signature

EXPIRES = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
COMMON = {"_type", "spec_version", "version", "expires"}
# What each document must have and may have, by the specification's section 4.
MEMBERS = {
    "root": ({"keys", "roles"}, {"consistent_snapshot"}),
    "timestamp": ({"meta"}, set()),
    "snapshot": ({"meta"}, set()),
    "targets": ({"targets"}, {"delegations"}),
}


class Wrong(Exception):
    """The reference would not take it."""


def check(condition, *reason):
    if not condition:
        raise Wrong(" ".join(map(str, reason)))


def parse(data, kind):
    document = json.loads(data)
    check(set(document) == {"signatures", "signed"}, "members", set(document))
    signed = document["signed"]
    required, optional = MEMBERS[kind]
    check(signed["_type"] == kind, "type", signed["_type"])
    check(COMMON | required <= set(signed) <= COMMON | required | optional,
          kind, "has", set(signed))
    check(signed["spec_version"].split(".")[0] == "1", signed["spec_version"])
    check(isinstance(signed["version"], int) and signed["version"] > 0,
          "version")
    check(EXPIRES.match(signed["expires"]), signed["expires"])
    expires = datetime.datetime.strptime(signed["expires"],
                                         "%Y-%m-%dT%H:%M:%SZ")
    check(expires > datetime.datetime.utcnow() or kind == "root", "expired")
    return document


def verify(document, keys, role):
    """Enough of the role's keys have signed."""
    data = encode_canonical(document["signed"]).encode()
    check(role["threshold"] >= 1 and
          len(set(role["keyids"])) == len(role["keyids"]), role)
    good = set()
    for signature in document["signatures"]:
        keyid = signature["keyid"]
        if keyid not in role["keyids"] or keyid not in keys:
            continue
        key = Key.from_dict(keyid, dict(keys[keyid]))
        try:
            key.verify_signature(Signature.from_dict(dict(signature)), data)
        except Exception as error:  # the library has many kinds
            raise Wrong(f"signature of {keyid}: {error}") from error
        good.add(keyid)
    check(len(good) >= role["threshold"], "threshold:", len(good), "of",
          role["threshold"])


def check_keys(keys):
    """Ids as the reference makes them."""
    for keyid, key in keys.items():
        check(set(key) == {"keytype", "scheme", "keyval"}, set(key))
        check(keyid == hashlib.sha256(encode_canonical(key).encode())
              .hexdigest(), "key id", keyid)


def check_content(data, meta):
    if "length" in meta:
        check(len(data) == meta["length"], "length")
    for algorithm, digest in meta.get("hashes", {}).items():
        check(hashlib.new(algorithm, data).hexdigest() == digest, algorithm)


class ReferenceReader:
    """`read()` returns {target name: content} of all roles."""

    def __init__(self, folder, root):
        self.folder = pathlib.Path(folder)
        self.root = root

    def metadata(self, name):
        return (self.folder / "metadata" / name).read_bytes()

    def read(self):
        root = parse(self.root, "root")
        verify(root, root["signed"]["keys"], root["signed"]["roles"]["root"])
        while True:
            path = f"{root['signed']['version'] + 1}.root.json"
            if not (self.folder / "metadata" / path).exists():
                break
            following = parse(self.metadata(path), "root")
            for by in (root, following):
                verify(following, by["signed"]["keys"],
                       by["signed"]["roles"]["root"])
            check(following["signed"]["version"] ==
                  root["signed"]["version"] + 1, "root version")
            root = following
        signed = root["signed"]
        check(signed["consistent_snapshot"] is True, "consistent snapshots")
        check(set(signed["roles"]) ==
              {"root", "timestamp", "snapshot", "targets"}, "roles")
        check_keys(signed["keys"])
        for kind in signed["roles"].values():
            check(set(kind["keyids"]) <= set(signed["keys"]), "unknown key")

        timestamp = self.document("timestamp", "timestamp.json", signed)
        check(list(timestamp["meta"]) == ["snapshot.json"], "timestamp")
        snapshot = self.document("snapshot", "{}.snapshot.json", signed,
                                 timestamp["meta"]["snapshot.json"])
        self.meta = snapshot["meta"]
        targets = self.document("targets", "{}.targets.json", signed,
                                self.meta["targets.json"])
        found = {}
        self.collect(targets, found, lambda name: True)
        return found

    def document(self, kind, name, by, meta=None, role=None):
        data = self.metadata(name.format(meta["version"] if meta else ""))
        if meta:
            check_content(data, meta)
        document = parse(data, kind)
        verify(document, by["keys"], role or by["roles"][kind])
        if meta:
            check(document["signed"]["version"] == meta["version"], "version")
        return document["signed"]

    def collect(self, targets, found, may_describe):
        for name, info in targets["targets"].items():
            check(may_describe(name), name, "is described by a stranger")
            folder, _, base = name.rpartition("/")
            content = (self.folder / "targets" / folder /
                       f"{info['hashes']['sha256']}.{base}").read_bytes()
            check_content(content, info)
            found.setdefault(name, content)
        delegations = targets.get("delegations")
        if not delegations:
            return
        check_keys(delegations["keys"])
        for role in delegations["roles"]:
            check(set(role) == {"name", "keyids", "threshold", "terminating",
                                "paths"}, set(role))
            below = self.document(
                "targets", "{}." + role["name"] + ".json", delegations,
                self.meta[role["name"] + ".json"], role)
            self.collect(below, found, lambda name, role=role: any(
                pathlib.PurePosixPath(name).match(pattern) and
                name.count("/") == pattern.count("/")
                for pattern in role["paths"]))
