"""A repository of The Update Framework that a test can bend, its web server,
and the client that is tested. Canonical JSON is that of the reference
implementation's library, signatures are the cryptography package's: nothing of
Usher's own code signs or serializes here."""

import copy
import datetime
import hashlib
import http.server
import json
import os
import subprocess
import threading
import urllib.parse

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import (ec, ed25519, padding,
                                                       rsa)
from securesystemslib.formats import encode_canonical

TOP_LEVEL = ("root", "timestamp", "snapshot", "targets")


def in_days(days):
    return (datetime.datetime.utcnow() +
            datetime.timedelta(days=days)).strftime("%Y-%m-%dT%H:%M:%SZ")


class Key:
    """A private key of one of the schemes."""

    def __init__(self, scheme="ed25519", hex_point=False):
        self.scheme = scheme
        if scheme == "ed25519":
            self.private = ed25519.Ed25519PrivateKey.generate()
            self.type = "ed25519"
            public = self._public(serialization.Encoding.Raw,
                                  serialization.PublicFormat.Raw).hex()
        elif scheme.startswith("ecdsa"):
            self.private = ec.generate_private_key(ec.SECP256R1())
            self.type = "ecdsa"
            public = self._public(
                serialization.Encoding.X962,
                serialization.PublicFormat.UncompressedPoint).hex() \
                if hex_point else self._pem()
        else:
            self.private = rsa.generate_private_key(65537, 2048)
            self.type = "rsa"
            public = self._pem()
        self.document = {"keytype": self.type, "scheme": scheme,
                         "keyval": {"public": public}}
        self.id = hashlib.sha256(
            encode_canonical(self.document).encode()).hexdigest()

    def _public(self, encoding, form):
        return self.private.public_key().public_bytes(encoding, form)

    def _pem(self):
        return self._public(
            serialization.Encoding.PEM,
            serialization.PublicFormat.SubjectPublicKeyInfo).decode()

    def sign(self, data):
        if self.scheme == "ed25519":
            return self.private.sign(data).hex()
        if self.scheme.startswith("ecdsa"):
            return self.private.sign(data, ec.ECDSA(hashes.SHA256())).hex()
        if self.scheme == "rsassa-pss-sha256":
            pad = padding.PSS(padding.MGF1(hashes.SHA256()), 32)
        else:
            pad = padding.PKCS1v15()
        return self.private.sign(data, pad, hashes.SHA256()).hex()


class TufRepository:
    """The documents of one repository. `signed` holds what is served: of each
    role all versions, root.json's from 1 on."""

    def __init__(self):
        self.bodies = {role: {"_type": role, "spec_version": "1.0.31",
                              "version": 1, "expires": in_days(30)}
                       for role in TOP_LEVEL}
        self.bodies["root"].update(consistent_snapshot=True, keys={}, roles={})
        self.bodies["timestamp"]["meta"] = {"snapshot.json": {"version": 1}}
        self.bodies["snapshot"]["meta"] = {"targets.json": {"version": 1}}
        self.bodies["targets"]["targets"] = {}
        self.signers = {}
        self.signed = {}
        self.artifacts = {}
        self.with_hashes = False
        for role in TOP_LEVEL:
            self.signers[role] = []
            self.root["roles"][role] = {"keyids": [], "threshold": 1}
            self.add_key(role)
        self.publish("targets", "snapshot", "timestamp", "root", bump=False)

    @property
    def root(self):
        return self.bodies["root"]

    def add_key(self, role, key=None, delegator=None):
        """A key more for a role, said by the root or a delegator."""
        key = key or Key()
        place = self.root
        entry = self.root["roles"].get(role)
        if delegator:
            place = self.bodies[delegator]["delegations"]
            entry = next(r for r in place["roles"] if r["name"] == role)
        place["keys"][key.id] = key.document
        entry["keyids"].append(key.id)
        self.signers.setdefault(role, []).append(key)
        return key

    def rotate_key(self, role):
        self.root["roles"][role]["keyids"].clear()
        self.signers[role].clear()
        return self.add_key(role)

    def sign(self, role):
        body = self.bodies[role]
        data = encode_canonical(body).encode()
        signatures = [{"keyid": key.id, "sig": key.sign(data)}
                      for key in self.signers[role]]
        return json.dumps({"signatures": signatures, "signed": body},
                          indent=1).encode()

    def describe(self, role):
        found = {"version": self.bodies[role]["version"]}
        if self.with_hashes:
            data = self.signed[role][-1]
            found["length"] = len(data)
            found["hashes"] = {"sha256": hashlib.sha256(data).hexdigest()}
        return found

    def publish(self, *roles, bump=True):
        """Signs roles as they stand, after raising their versions."""
        for role in roles:
            if bump:
                self.bodies[role]["version"] += 1
            self.signed.setdefault(role, []).append(self.sign(role))

    def publish_targets(self, *roles):
        """These targets roles, the snapshot and the timestamp, each naming the
        other."""
        self.publish(*roles)
        self.update_snapshot()

    def update_snapshot(self):
        meta = self.bodies["snapshot"]["meta"]
        for role in self.signed:
            if role not in ("root", "timestamp", "snapshot"):
                meta[f"{role}.json"] = self.describe(role)
        self.publish("snapshot")
        self.update_timestamp()

    def update_timestamp(self):
        self.bodies["timestamp"]["meta"]["snapshot.json"] = \
            self.describe("snapshot")
        self.publish("timestamp")

    def delegate(self, delegator, role, paths=None, terminating=False,
                 hash_prefixes=None, key=None):
        """A delegation, last in its delegator's list, and the role itself if it
        is new; to be published."""
        delegations = self.bodies[delegator].setdefault(
            "delegations", {"keys": {}, "roles": []})
        entry = {"name": role, "keyids": [], "threshold": 1,
                 "terminating": terminating}
        if hash_prefixes is not None:
            entry["path_hash_prefixes"] = hash_prefixes
        else:
            entry["paths"] = ["*"] if paths is None else paths
        delegations["roles"].append(entry)
        if role not in self.bodies:
            self.new_targets(role)
        self.add_key(role, key, delegator)

    def delegate_bins(self, delegator, bits, prefix):
        key = Key()
        self.bodies[delegator]["delegations"] = {
            "keys": {key.id: key.document},
            "succinct_roles": {"keyids": [key.id], "threshold": 1,
                               "bit_length": bits, "name_prefix": prefix}}
        digits = len(f"{2 ** bits - 1:x}")
        names = [f"{prefix}-{n:0{digits}x}" for n in range(2 ** bits)]
        for name in names:
            self.new_targets(name)
            self.signers[name] = [key]
        return names

    def new_targets(self, role):
        # Publishing raises it to 1.
        self.bodies[role] = {"_type": "targets", "spec_version": "1.0.31",
                             "version": 0, "expires": in_days(30),
                             "targets": {}}

    def add_artifact(self, role, name, content, algorithms=("sha256",)):
        self.artifacts[name] = content
        self.bodies[role]["targets"][name] = {
            "length": len(content),
            "hashes": {algorithm: hashlib.new(algorithm, content).hexdigest()
                       for algorithm in algorithms}}

    def copy(self):
        return copy.deepcopy(self.signed), copy.deepcopy(self.bodies)

    def metadata(self, name):
        """What is served as metadata/{name}; KeyError or IndexError: none."""
        stem = name.removesuffix(".json")
        if stem == "timestamp":
            return self.signed["timestamp"][-1]
        if not self.root["consistent_snapshot"] and not stem.endswith(".root"):
            return self.signed[urllib.parse.unquote(stem)][-1]
        version, _, role = stem.partition(".")
        number = int(version)
        for document in self.signed[urllib.parse.unquote(role)]:
            if json.loads(document)["signed"]["version"] == number:
                found = document
        return found  # the last one that was signed with this version

    def artifact(self, path):
        name = path
        if self.root["consistent_snapshot"]:
            folder, slash, prefixed = path.rpartition("/")
            _, _, base = prefixed.partition(".")
            name = folder + slash + base
        return self.artifacts[name]


class TufServer:
    """Serves one TufRepository; `requests` are the paths asked for, without
    the answers that `lies` (path → bytes, an int for a status, or a function
    that answers with the request handler) changes."""

    def __init__(self, repository):
        self.repository = repository
        self.requests = []
        self.lies = {}
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                path = self.path.lstrip("/")
                outer.requests.append(path)
                answer = outer.answer(path)
                if isinstance(answer, int):
                    self.send_error(answer)
                    return
                if callable(answer):
                    answer(self)
                    return
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0),
                                                       Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        # The interval is how long close() may wait.
        threading.Thread(target=self._server.serve_forever, args=(0.02,),
                         daemon=True).start()

    def answer(self, path):
        if path in self.lies:
            return self.lies[path]
        kind, _, rest = path.partition("/")
        try:
            if kind == "metadata":
                return self.repository.metadata(rest)
            return self.repository.artifact(urllib.parse.unquote(rest))
        except (KeyError, IndexError, ValueError, UnboundLocalError):
            return 404

    @property
    def roles(self):
        """The delegated roles that were asked for since the last look, as they
        stand in the URL; and forgets all requests."""
        names = []
        for path in self.requests:
            stem = path.removeprefix("metadata/").removesuffix(".json")
            role = stem.partition(".")[2]
            if path.startswith("metadata/") and role and \
                    role not in TOP_LEVEL:
                names.append(role)
        self.requests.clear()
        return names

    def close(self):
        self._server.shutdown()
        self._server.server_close()


class TufClient:
    """usher-tuf-client with its folders."""

    def __init__(self, program, folder, server):
        self.metadata_dir = folder / "metadata"
        self.target_dir = folder / "targets"
        self.metadata_dir.mkdir()
        self.target_dir.mkdir()
        self._program = program
        self._server = server
        self.errors = ""
        self.impatient = False

    def _run(self, *words, days=0, fault=None):
        # A server that stalls on purpose is given up early.
        command = [self._program, "--stall-time",
                   "1" if self.impatient else "30", "--metadata-dir",
                   self.metadata_dir, *words]
        environment = dict(os.environ)
        if days:
            command = ["faketime", "-f", f"+{days}d", *command]
            # faketime preloads a library, which AddressSanitizer takes for a
            # mistake.
            environment["ASAN_OPTIONS"] = ":".join(
                [environment.get("ASAN_OPTIONS", ""),
                 "verify_asan_link_order=0"]).strip(":")
        if fault:
            environment["USHER_FAULT"] = fault
        done = subprocess.run(command, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120,
                              check=False, env=environment)
        self.errors = done.stderr
        if fault:
            assert done.returncode == -9, (done.returncode, done.stderr)
            return False
        assert done.returncode in (0, 1), done.stderr
        return done.returncode == 0

    def init(self, root=None):
        file = self.metadata_dir.parent / "initial_root.json"
        file.write_bytes(root or self._server.repository.signed["root"][0])
        return self._run("init", file)

    def refresh(self, days=0):
        return self._run("--metadata-url", self._server.url + "/metadata",
                         "refresh", days=days)

    def download(self, *names, days=0, fault=None):
        words = [word for name in names for word in ("--target-name", name)]
        return self._run("--metadata-url", self._server.url + "/metadata",
                         *words, "--target-base-url",
                         self._server.url + "/targets", "--target-dir",
                         self.target_dir, "download", days=days, fault=fault)

    def versions(self):
        """What is trusted: version by file name without ".json"."""
        return {file.name.removesuffix(".json"):
                json.loads(file.read_bytes())["signed"]["version"]
                for file in self.metadata_dir.glob("*.json")}

    def stored(self, role):
        return (self.metadata_dir / f"{role}.json").read_bytes()

    def trusted(self):
        """All that is trusted: the bytes by file name without ".json"."""
        return {file.name.removesuffix(".json"): file.read_bytes()
                for file in self.metadata_dir.glob("*.json")}

    def downloaded(self):
        """The contents of all downloaded files, sorted."""
        return sorted(file.read_bytes() for file in self.target_dir.rglob("*")
                      if file.is_file())
