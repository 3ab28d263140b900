"""Walks a published repository as TUF's specification (section 5) and the
reference implementation ask, with files, securesystemslib (canonical JSON,
formats, keys, signatures) and the cryptography package alone: none of Usher's
code reads or verifies here.

Beyond the specification it asks for what python-tuf 6 and go-tuf 2 refuse
documents for: exactly the four roles in a root, key ids and signatures that are
unique, a spec_version of major version 1, versions from 1 on, hashes that are
not empty and of known algorithms, times without fractions of a second.
"""

import copy
import datetime
import hashlib
import json
import re
import urllib.parse

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from securesystemslib import exceptions, formats
from securesystemslib.signer import Key, Signature

ROLES = {"root", "timestamp", "snapshot", "targets"}
# Of python-tuf's client, in bytes.
MAX_LENGTH = {"root": 512000, "timestamp": 16384, "snapshot": 2000000,
              "targets": 5000000}
KINDS = {("ed25519", "ed25519"), ("ecdsa", "ecdsa-sha2-nistp256"),
         ("rsa", "rsassa-pss-sha256")}


class Refused(Exception):
    """A reader that keeps to the specification would not take this."""


def demand(condition, reason):
    if not condition:
        raise Refused(reason)


def matches(schema, value, what):
    try:
        schema.check_match(value)
    except exceptions.FormatError as error:
        raise Refused(f"{what}: {error}") from error


def is_number(value, least):
    return isinstance(value, int) and not isinstance(value, bool) and \
        value >= least


def key_id(document):
    return hashlib.sha256(
        formats.encode_canonical(document).encode()).hexdigest()


def _object(pairs):
    found = dict(pairs)
    demand(len(found) == len(pairs), "a member twice in one object")
    return found


def _no_number(text):
    raise Refused(f"a number that canonical JSON does not know: {text}")


def read(data, role, length=None):
    """A document's envelope, its form checked, its signatures not yet."""
    demand(len(data) <= (length or MAX_LENGTH[role]), f"{role}: too long")
    try:
        document = json.loads(data.decode(), object_pairs_hook=_object,
                              parse_float=_no_number,
                              parse_constant=_no_number)
    except ValueError as error:
        raise Refused(f"{role}: {error}") from error
    demand(isinstance(document, dict) and
           document.keys() == {"signatures", "signed"}, f"{role}: no envelope")
    for signature in document["signatures"]:
        matches(formats.SIGNATURE_SCHEMA, signature, f"{role}: signature")
    ids = [signature["keyid"] for signature in document["signatures"]]
    demand(len(set(ids)) == len(ids), f"{role}: two signatures of one key")
    signed = document["signed"]
    demand(signed.get("_type") == role, f"{role}: _type")
    demand(re.fullmatch(r"1\.\d+(\.\d+)?", signed.get("spec_version", "")),
           f"{role}: spec_version")
    demand(is_number(signed.get("version"), 1), f"{role}: version")
    matches(formats.ISO8601_DATETIME_SCHEMA, signed.get("expires"),
            f"{role}: expires")
    return document


def expires(document):
    return datetime.datetime.strptime(document["signed"]["expires"],
                                      "%Y-%m-%dT%H:%M:%SZ")


def read_keys(documents, where):
    keys = {}
    for given, document in documents.items():
        what = f"{where}: key {given[:8]}"
        matches(formats.KEY_SCHEMA, document, what)
        matches(formats.PUBLIC_KEY_SCHEMA, document, what)
        demand(document.keys() == {"keytype", "scheme", "keyval"} and
               document["keyval"].keys() == {"public"},
               f"{what}: members that change its id")
        demand((document["keytype"], document["scheme"]) in KINDS,
               f"{what}: kind")
        demand(key_id(document) == given, f"{what}: id")
        public = document["keyval"]["public"]
        if document["keytype"] == "ed25519":
            demand(re.fullmatch("[0-9a-f]{64}", public), f"{what}: encoding")
        else:
            demand(public.startswith("-----BEGIN PUBLIC KEY-----\n") and
                   public.rstrip("\n").endswith("-----END PUBLIC KEY-----"),
                   f"{what}: encoding")
            loaded = serialization.load_pem_public_key(public.encode())
            if document["keytype"] == "rsa":
                demand(isinstance(loaded, rsa.RSAPublicKey) and
                       loaded.key_size >= 2048, f"{what}: RSA")
            else:
                demand(isinstance(loaded, ec.EllipticCurvePublicKey) and
                       loaded.curve.name == "secp256r1", f"{what}: curve")
        # It takes its argument apart.
        keys[given] = Key.from_dict(given, copy.deepcopy(document))
    return keys


def check_role(role, keys, where):
    ids = role["keyids"]
    demand(len(set(ids)) == len(ids), f"{where}: key ids not unique")
    demand(set(ids) <= keys.keys(), f"{where}: a key id without its key")
    demand(is_number(role["threshold"], 1) and role["threshold"] <= len(ids),
           f"{where}: threshold")


def verify(document, role, keys, where):
    payload = formats.encode_canonical(document["signed"]).encode()
    good = 0
    for signature in document["signatures"]:
        if signature["keyid"] not in role["keyids"]:
            continue
        try:
            keys[signature["keyid"]].verify_signature(
                Signature.from_dict(dict(signature)), payload)
            good += 1
        except exceptions.UnverifiedSignatureError:
            pass
    demand(good >= role["threshold"],
           f"{where}: signed by {good} of {role['threshold']}")


def check_content(data, described, where):
    if "length" in described:
        demand(is_number(described["length"], 0) and
               len(data) == described["length"], f"{where}: length")
    if "hashes" in described:
        demand(described["hashes"], f"{where}: hashes are empty")
        matches(formats.HASHDICT_SCHEMA, described["hashes"],
                f"{where}: hashes")
    for algorithm, digest in described.get("hashes", {}).items():
        demand(algorithm in hashlib.algorithms_guaranteed,
               f"{where}: hash algorithm")
        demand(hashlib.new(algorithm, data).hexdigest() == digest,
               f"{where}: {algorithm}")


class Walk:
    """One refresh of a client that trusts `root` (bytes), on the folder
    `public`, at `now` (UTC). Refused, or what was found: `versions`, by role,
    and `targets`, content by name."""

    def __init__(self, public, root, now=None):
        self.public = public
        self.now = now or datetime.datetime.utcnow()
        self.versions = {}
        self.targets = {}
        self._roots(root)
        timestamp = self._top_level("timestamp", "timestamp.json", None)
        meta = timestamp["signed"]["meta"]
        demand(meta.keys() == {"snapshot.json"}, "timestamp: meta")
        snapshot = self._named("snapshot", meta["snapshot.json"])
        meta = snapshot["signed"]["meta"]
        demand("targets.json" in meta, "snapshot: meta")
        self._targets(self._named("targets", meta["targets.json"]), meta, set())

    def _bytes(self, name):
        try:
            return (self.public / name).read_bytes()
        except OSError as error:
            raise Refused(f"{name}: missing") from error

    def _roots(self, data):
        document = read(data, "root")
        self._take_root(document)
        verify(document, self.roles["root"], self.keys, "the first root")
        while True:
            version = self.versions["root"] + 1
            path = self.public / f"metadata/{version}.root.json"
            if not path.exists():
                break
            document = read(path.read_bytes(), "root")
            demand(document["signed"]["version"] == version, "root: version")
            verify(document, self.roles["root"], self.keys,
                   "root, by the one before it")
            self._take_root(document)
            verify(document, self.roles["root"], self.keys, "root, by itself")
        demand(expires(document) > self.now, "root: expired")

    def _take_root(self, document):
        signed = document["signed"]
        demand(signed.get("consistent_snapshot") is True,
               "root: consistent_snapshot")
        demand(signed["roles"].keys() == ROLES, "root: roles")
        self.keys = read_keys(signed["keys"], "root")
        self.roles = signed["roles"]
        for name, role in self.roles.items():
            check_role(role, self.keys, f"root: {name}")
        used = {i for role in self.roles.values() for i in role["keyids"]}
        demand(used == self.keys.keys(), "root: a key without a role")
        self.versions["root"] = signed["version"]

    def _top_level(self, role, name, described):
        return self._document(role, role, name, described, self.roles[role],
                              self.keys)

    def _named(self, role, described):
        return self._top_level(role, f"{described['version']}.{role}.json",
                               described)

    def _document(self, role, kind, name, described, signers, keys):
        data = self._bytes(f"metadata/{name}")
        if described is not None:
            demand(is_number(described["version"], 1), f"{role}: meta version")
            check_content(data, described, role)
        document = read(data, kind, described and described.get("length"))
        verify(document, signers, keys, role)
        if described is not None:
            demand(document["signed"]["version"] == described["version"],
                   f"{role}: version")
        demand(expires(document) > self.now, f"{role}: expired")
        self.versions[role] = document["signed"]["version"]
        return document

    def _targets(self, document, meta, seen):
        signed = document["signed"]
        for name, described in signed["targets"].items():
            demand("length" in described and "hashes" in described,
                   f"{name}: length and hashes")
            folder, slash, base = name.rpartition("/")
            # A client may ask for it by any of the hashes.
            for digest in described["hashes"].values():
                data = self._bytes(f"targets/{folder}{slash}{digest}.{base}")
                check_content(data, described, name)
                self.targets.setdefault(name, data)
        delegations = signed.get("delegations", {"keys": {}, "roles": []})
        keys = read_keys(delegations["keys"], "delegations")
        for role in delegations["roles"]:
            name = role["name"]
            check_role(role, keys, f"delegation of {name}")
            demand(isinstance(role["terminating"], bool) and
                   ("paths" in role) != ("path_hash_prefixes" in role),
                   f"delegation of {name}")
            demand(f"{name}.json" in meta, f"snapshot: no {name}.json")
            if name in seen:
                continue
            seen.add(name)
            described = meta[f"{name}.json"]
            file = urllib.parse.quote(name, safe="")
            self._targets(
                self._document(name, "targets",
                               f"{described['version']}.{file}.json",
                               described, role, keys), meta, seen)
