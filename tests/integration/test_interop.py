"""What usher-publish signs, read by the reference implementation's library; and
private keys that go from one to the other."""

import datetime
import hashlib
import json
import pathlib
import shutil
import subprocess

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from securesystemslib import interface, keys
from securesystemslib.formats import encode_canonical
from securesystemslib.signer import SSlibSigner

from harness import node
from harness.reference_walk import Refused, Walk, key_id
from harness.stubs import REPOSITORY
from harness.tuf_repository import TufRepository, TufServer

pytestmark = pytest.mark.linux_only(
    "what is signed is read by other programs; it is the same whoever signs")

SCHEMES = ("ed25519", "ecdsa-sha2-nistp256", "rsassa-pss-sha256")


class Publisher:
    """usher-publish on one repository, in `folder`."""

    def __init__(self, platform, work, passphrase):
        self.work = work
        self.folder = work / "repo"
        self.public = self.folder / "public"
        self.keys = self.folder / "keys"
        self.passphrase = passphrase
        self._command = platform.command("usher-publish")
        self._words = []
        if passphrase:
            file = work / "passphrase"
            file.write_text(passphrase + "\n")
            self._words = ["--passphrase-file", file]

    def __call__(self, *words, signs=False):
        words = [*words, *(self._words if signs else [])]
        done = subprocess.run([*self._command, *map(str, words)],
                              stdin=subprocess.DEVNULL, capture_output=True,
                              text=True, check=False, cwd=self.work)
        assert done.returncode == 0, (words, done.stderr)
        return done.stdout

    def add(self, version):
        payload = self.work / f"tool-{version}.sh"
        payload.write_text(f"echo {version}\n")
        update = self.work / f"tool-{version}.toml"
        update.write_text(f'name = "tool"\nversion = "{version}"\n'
                          f'title = "Tool – {version}"\n'
                          f'[[payload]]\nfile = "{payload.name}"\n'
                          "[handler.exec]\n")
        self("add", self.folder, update)

    def publish(self, version):
        self.add(version)
        self("publish", self.folder, signs=True)

    def metadata(self):
        return {path.name: path.read_bytes()
                for path in (self.public / "metadata").iterdir()}

    @property
    def first_root(self):
        return (self.public / "metadata/1.root.json").read_bytes()

    def walk(self, **more):
        return Walk(self.public, self.first_root, **more)


def begin(platform, work, scheme, passphrase=None):
    publisher = Publisher(platform, work, passphrase)
    publisher("init", publisher.folder, "--name", "Interop – é 日本",
              "--scheme", scheme, signs=True)
    publisher.publish("1")
    return publisher


@pytest.mark.parametrize("passphrase", [None, "correct horse"],
                         ids=["plain", "encrypted"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_reference_reads_what_is_published(platform, work, scheme,
                                               passphrase):
    publisher = begin(platform, work, scheme, passphrase)
    walk = publisher.walk()
    assert walk.versions == {"root": 1, "timestamp": 1, "snapshot": 1,
                             "targets": 1}
    assert list(walk.targets) == ["catalog/catalog.usc"]
    before = publisher.metadata()

    publisher.publish("2")
    assert publisher.walk().targets != walk.targets
    publisher("refresh-timestamp", publisher.folder, signs=True)
    assert publisher.walk().versions == {"root": 1, "timestamp": 3,
                                         "snapshot": 2, "targets": 2}
    publisher("renew-root", publisher.folder, signs=True)
    assert publisher.walk().versions["root"] == 2

    # The root's key goes to two others, of other schemes, both of which sign;
    # the timestamp's key is changed in two roots.
    others = [other for other in SCHEMES if other != scheme]
    root_key = publisher.keys / "root.pem"
    for number, other in enumerate(others):
        publisher("keys", "create", f"root{number}.pem", "--scheme", other,
                  signs=True)
    publisher("keys", "create", "timestamp.pem", "--scheme", others[0],
              signs=True)
    publisher("root", "draft", publisher.folder, "third.json")
    for number, _ in enumerate(others):
        publisher("root", "add-key", "third.json", f"root{number}.pem",
                  signs=True)
    publisher("root", "add-key", "third.json", "timestamp.pem", "--role",
              "timestamp", signs=True)
    roles = json.loads(publisher.first_root)["signed"]["roles"]
    publisher("root", "remove-key", "third.json", roles["root"]["keyids"][0])
    publisher("root", "set", "third.json", "--threshold", len(others))
    publisher("root", "sign", "third.json", "--key", root_key,
              *(f"--key=root{number}.pem" for number, _ in enumerate(others)),
              signs=True)
    publisher("root", "publish", publisher.folder, "third.json", signs=True)
    assert publisher.walk().versions["root"] == 3
    shutil.move(work / "timestamp.pem", publisher.keys / "timestamp.pem")
    publisher("publish", publisher.folder, "--renew", signs=True)
    publisher("root", "draft", publisher.folder, "fourth.json")
    publisher("root", "remove-key", "fourth.json", "--role", "timestamp",
              roles["timestamp"]["keyids"][0])
    publisher("root", "sign", "fourth.json",
              *(f"--key=root{number}.pem" for number, _ in enumerate(others)),
              signs=True)
    publisher("root", "publish", publisher.folder, "fourth.json", signs=True)
    walk = publisher.walk()
    # Each new root came with a new timestamp.
    assert walk.versions == {"root": 4, "timestamp": 7, "snapshot": 3,
                             "targets": 3}
    # From each root on.
    for version in (2, 3, 4):
        root = publisher.metadata()[f"{version}.root.json"]
        assert Walk(publisher.public, root).versions == walk.versions
    # What has a version in its name never changes.
    after = publisher.metadata()
    for name, data in before.items():
        assert name == "timestamp.json" or after[name] == data


@pytest.fixture(scope="module")
def tuf_js(tmp_path_factory):
    """tuf-js, The Update Framework's client for JavaScript: the program."""
    program = REPOSITORY / "tests/programs/tuf_js"
    try:
        folder = node.modules(program)
    except node.NotPossible as reason:
        pytest.skip(f"needs Node.js packages: {reason}")
    copied = tmp_path_factory.mktemp("tuf_js")
    (copied / "node_modules").symlink_to(folder / "node_modules")
    shutil.copy(program / "refresh.js", copied)
    return copied / "refresh.js"


@pytest.mark.parametrize("scheme", SCHEMES)
def test_tuf_js_follows(platform, work, serve, tuf_js, scheme):
    """Another client, over HTTP, from the first root to the last."""
    publisher = begin(platform, work, scheme)
    folder = work / "client"
    folder.mkdir()
    (folder / "root.json").write_bytes(publisher.first_root)
    url = serve(publisher.public).url

    def refresh():
        done = subprocess.run(
            [shutil.which("node"), tuf_js, f"{url}/metadata", f"{url}/targets",
             folder, "catalog/catalog.usc"], stdin=subprocess.DEVNULL,
            capture_output=True, text=True, check=False)
        refresh.errors = done.stderr
        return json.loads(done.stdout) if done.returncode == 0 else None

    assert refresh() == publisher.walk().versions, refresh.errors
    publisher.publish("2")
    publisher("renew-root", publisher.folder)
    # Three root keys, one of each kind, all of which sign.
    names = [f"root{number}.pem" for number, _ in enumerate(SCHEMES)]
    for name, kind in zip(names, SCHEMES):
        publisher("keys", "create", name, "--scheme", kind)
    publisher("root", "draft", publisher.folder, "next.json")
    publisher("root", "add-key", "next.json", *names)
    publisher("root", "set", "next.json", "--threshold", 4)
    publisher("root", "sign", "next.json", "--key",
              publisher.keys / "root.pem", *(f"--key={n}" for n in names))
    publisher("root", "publish", publisher.folder, "next.json")
    publisher("refresh-timestamp", publisher.folder)
    found = refresh()
    assert found == publisher.walk().versions, refresh.errors
    assert found == {"root": 3, "timestamp": 5, "snapshot": 2, "targets": 2}
    assert (folder / "downloaded").read_bytes() == \
        publisher.walk().targets["catalog/catalog.usc"]

    # It does look.
    publisher("refresh-timestamp", publisher.folder)
    forger = Forger(publisher)
    forger.bend("timestamp", flip_signature, sign=False)
    assert refresh() is None
    assert "timestamp was signed by 0/1 keys" in refresh.errors


def test_the_walk_takes_what_others_publish(work):
    """It asks for nothing that only Usher's repositories have."""
    repository = TufRepository()
    repository.with_hashes = True
    repository.add_artifact("targets", "a/b", b"content")
    repository.delegate("targets", "röle/1", ["x/*"])
    repository.add_artifact("röle/1", "x/y", b"more")
    repository.publish_targets("röle/1", "targets")
    (work / "metadata").mkdir()
    for role, documents in repository.signed.items():
        for document in documents:
            version = json.loads(document)["signed"]["version"]
            name = "timestamp.json" if role == "timestamp" else \
                f"{version}.{role.replace('ö', '%C3%B6').replace('/', '%2F')}" \
                ".json"
            (work / "metadata" / name).write_bytes(document)
    for name, content in repository.artifacts.items():
        described = {**repository.bodies["targets"]["targets"],
                     **repository.bodies["röle/1"]["targets"]}[name]
        path = pathlib.Path(name)
        target = work / "targets" / path.parent / \
            f"{described['hashes']['sha256']}.{path.name}"
        target.parent.mkdir(parents=True)
        target.write_bytes(content)
    walk = Walk(work, repository.signed["root"][0])
    assert walk.targets == repository.artifacts


class Forger:
    """A publisher's folder that is bent, and signed afresh with its own keys
    where `sign` is called: what the walk says then is about the content."""

    def __init__(self, publisher):
        self.public = publisher.public
        self._keys = {
            role: serialization.load_pem_private_key(
                (publisher.keys / f"{role}.pem").read_bytes(), None)
            for role in ("root", "targets", "snapshot", "timestamp")}

    def path(self, role):
        folder = self.public / "metadata"
        if role == "timestamp":
            return folder / "timestamp.json"
        return max(folder.glob(f"*.{role}.json"),
                   key=lambda path: int(path.name.split(".")[0]))

    def bend(self, role, change, sign=True):
        path = self.path(role)
        document = json.loads(path.read_bytes())
        change(document["signed"] if sign else document)
        if sign:
            payload = encode_canonical(document["signed"]).encode()
            document["signatures"][0]["sig"] = \
                self._keys[role].sign(payload).hex()
        path.write_text(json.dumps(document))
        # Those above say what is below.
        above = {"targets": "snapshot", "snapshot": "timestamp"}.get(role)
        if above:
            def describe(signed):
                data = path.read_bytes()
                described = signed["meta"][f"{role}.json"]
                described["length"] = len(data)
                described["hashes"] = {}
                described["hashes"]["sha256"] = \
                    hashlib.sha256(data).hexdigest()
            self.bend(above, describe)


def set_in(*path, to):
    def change(signed):
        for name in path[:-1]:
            signed = signed[name] if name != "*" else \
                next(iter(signed.values()))
        signed[path[-1]] = to
    return change


def rename_key(signed):
    role = signed["roles"]["targets"]
    key = signed["keys"].pop(role["keyids"][0])
    role["keyids"] = ["0" * 64]
    signed["keys"]["0" * 64] = key


def with_extra_key_member(signed):
    role = signed["roles"]["targets"]
    key = signed["keys"].pop(role["keyids"][0])
    key["keyid_hash_algorithms"] = ["sha256"]
    role["keyids"] = [key_id(key)]
    signed["keys"][key_id(key)] = key


def flip_signature(document):
    signature = document["signatures"][0]
    signature["sig"] = ("0" if signature["sig"][0] != "0" else "1") + \
        signature["sig"][1:]


FORGERIES = {
    # Signed content, changed without signing.
    "signature root": ("root", False, flip_signature, "signed by 0"),
    "signature timestamp": ("timestamp", False, flip_signature, "signed by 0"),
    "signature snapshot": ("snapshot", False, flip_signature, "signed by 0"),
    "signature targets": ("targets", False, flip_signature, "signed by 0"),
    "content": ("timestamp", False, set_in("signed", "version", to=9),
                "signed by 0"),
    "twice signed": ("timestamp", False,
                     lambda d: d["signatures"].append(d["signatures"][0]),
                     "two signatures"),
    # Signed by the right keys, and wrong.
    "type": ("targets", True, set_in("_type", to="root"), "_type"),
    "spec": ("targets", True, set_in("spec_version", to="2.0.0"),
             "spec_version"),
    "no spec": ("timestamp", True, lambda s: s.pop("spec_version"),
                "spec_version"),
    "expires form": ("snapshot", True,
                     set_in("expires", to="2099-01-01T00:00:00.5Z"),
                     "expires"),
    "expired": ("targets", True, set_in("expires", to="2001-01-01T00:00:00Z"),
                "targets: expired"),
    "version": ("targets", True, set_in("version", to=7), "targets: version"),
    "version zero": ("timestamp", True, set_in("version", to=0), "version"),
    "version true": ("timestamp", True, set_in("version", to=True), "version"),
    "meta": ("timestamp", True, set_in("meta", "x.json", to={"version": 1}),
             "timestamp: meta"),
    "meta version": ("timestamp", True,
                     set_in("meta", "snapshot.json", "version", to=2),
                     "missing"),
    "meta length": ("timestamp", True,
                    set_in("meta", "snapshot.json", "length", to=2),
                    "snapshot: length"),
    "meta hash": ("timestamp", True,
                  set_in("meta", "snapshot.json", "hashes", "sha256",
                         to="0" * 64), "snapshot: sha256"),
    "no hashes": ("timestamp", True,
                  set_in("meta", "snapshot.json", "hashes", to={}), "empty"),
    "target length": ("targets", True, set_in("targets", "*", "length", to=1),
                      "length"),
    "target hash": ("targets", True,
                    set_in("targets", "*", "hashes", "sha256", to="0" * 64),
                    "missing"),
    "target algorithm": ("targets", True,
                         lambda s: set_in("targets", "*", "hashes", "crc", to=[
                             *s["targets"].values()][0]["hashes"]["sha256"])(s),
                         "hash algorithm"),
    "key id": ("root", True, rename_key, "id"),
    "key members": ("root", True, with_extra_key_member, "members"),
    "roles": ("root", True, set_in("roles", "mirrors", to={
        "keyids": [], "threshold": 1}), "root: roles"),
    "threshold": ("root", True, set_in("roles", "targets", "threshold", to=0),
                  "threshold"),
    "idle key": ("root", True, lambda s: s["roles"].update(
        targets=s["roles"]["snapshot"]), "without a role"),
    "consistent": ("root", True, set_in("consistent_snapshot", to=False),
                   "consistent_snapshot"),
}


@pytest.fixture(scope="module")
def published(platform, tmp_path_factory):
    return begin(platform, tmp_path_factory.mktemp("published"), "ed25519")


@pytest.mark.parametrize("name", FORGERIES)
def test_the_walk_can_fail(published, work, name):
    role, sign, change, said = FORGERIES[name]
    shutil.copytree(published.folder, work / "repo")
    publisher = copy_of(published, work)
    publisher.walk()
    Forger(publisher).bend(role, change, sign)
    with pytest.raises(Refused) as refused:
        publisher.walk()
    assert said in str(refused.value)


def copy_of(publisher, work):
    copied = object.__new__(Publisher)
    copied.__dict__.update(publisher.__dict__)
    copied.work = work
    copied.folder = work / "repo"
    copied.public = copied.folder / "public"
    copied.keys = copied.folder / "keys"
    return copied


def test_the_walk_sees_other_content_and_the_time(published, work):
    shutil.copytree(published.folder, work / "repo")
    publisher = copy_of(published, work)
    with pytest.raises(Refused, match="timestamp: expired"):
        publisher.walk(now=datetime.datetime.utcnow() +
                       datetime.timedelta(days=15))
    catalog, = (publisher.public / "targets/catalog").iterdir()
    catalog.write_bytes(catalog.read_bytes()[:-1] + b"?")
    with pytest.raises(Refused, match="sha256"):
        publisher.walk()
    catalog.unlink()
    with pytest.raises(Refused, match="missing"):
        publisher.walk()


ODD_NAMES = ["a b/c#d?e", "100%", "%41", "ü/日本", "plus+and&", "aa:b"]


@pytest.mark.parametrize("algorithms", [("sha256",), ("sha512",),
                                        ("sha512", "sha256")])
def test_repositories_of_others_are_verified_and_mirrored(platform, work,
                                                          algorithms):
    """With names that a URL would read otherwise, with either hash."""
    repository = TufRepository()
    repository.delegate("targets", "odd #role?", paths=["*", "*/*"])
    for name in ODD_NAMES:
        repository.add_artifact("odd #role?", name, name.encode(), algorithms)
    repository.publish_targets("targets", "odd #role?")
    (work / "root.json").write_bytes(repository.signed["root"][0])
    server = TufServer(repository)
    try:
        for words in (("verify", server.url),
                      ("mirror", server.url, "mirror"),
                      ("mirror", server.url, "mirror"),
                      ("verify", "mirror")):
            done = subprocess.run(
                [*platform.command("usher-publish"), *words, "--root",
                 "root.json"], capture_output=True, text=True, check=False,
                cwd=work)
            assert done.returncode == 0, (words, done.stderr)
        mirrored = sorted(path.read_bytes()
                          for path in (work / "mirror/targets").rglob("*")
                          if path.is_file())
        assert mirrored == sorted(name.encode() for name in ODD_NAMES)
        # Each hash is verified.
        [name, *_] = ODD_NAMES
        hashes = repository.bodies["odd #role?"]["targets"][name]["hashes"]
        hashes[algorithms[0]] = hashes[algorithms[0]][::-1]
        repository.publish_targets("odd #role?")
        done = subprocess.run(
            [*platform.command("usher-publish"), "mirror", server.url,
             "mirror", "--root", "root.json"], capture_output=True, text=True,
            check=False, cwd=work)
        assert done.returncode != 0
        assert "is not what" in done.stderr
    finally:
        server.close()


@pytest.mark.parametrize("passphrase", [None, "correct horse"],
                         ids=["plain", "encrypted"])
@pytest.mark.parametrize("scheme", SCHEMES)
def test_private_keys_of_ours_sign_elsewhere(platform, work, scheme,
                                             passphrase):
    """A root that the reference's library signs with a key of ours is
    published by us."""
    publisher = begin(platform, work, scheme, passphrase)
    file = publisher.keys / "root.pem"
    key = serialization.load_pem_private_key(
        file.read_bytes(), passphrase and passphrase.encode())
    exported = publisher("keys", "export", file, signs=True)
    assert key.public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo).decode() == exported

    publisher("root", "draft", publisher.folder, "next.json")
    draft = work / "next.json"
    document = json.loads(draft.read_bytes())
    root_id, = document["signed"]["roles"]["root"]["keyids"]
    described = document["signed"]["keys"][root_id]
    payload = encode_canonical(document["signed"]).encode()
    if scheme == "ed25519":
        # securesystemslib signs so only with PyNaCl, which is not here.
        signature = {"keyid": root_id, "sig": key.sign(payload).hex()}
    else:
        load = keys.import_ecdsakey_from_private_pem \
            if scheme.startswith("ecdsa") else \
            keys.import_rsakey_from_private_pem
        private = load(file.read_text(), scheme, passphrase)["keyval"]
        signer = SSlibSigner({
            "keyid": root_id, "keytype": described["keytype"],
            "scheme": scheme, "keyval": {**described["keyval"],
                                         "private": private["private"]}})
        signature = signer.sign(payload).to_dict()
    document["signatures"] = [signature]
    draft.write_text(json.dumps(document))
    publisher("root", "publish", publisher.folder, "next.json")
    assert publisher.walk().versions["root"] == 2


def write_ed25519_json(file):
    """As interface.generate_and_write_unencrypted_ed25519_keypair() does, if
    there is PyNaCl."""
    key = ed25519.Ed25519PrivateKey.generate()
    private = key.private_bytes(serialization.Encoding.Raw,
                                serialization.PrivateFormat.Raw,
                                serialization.NoEncryption())
    public = key.public_key().public_bytes(serialization.Encoding.Raw,
                                           serialization.PublicFormat.Raw)
    pathlib.Path(file).write_text(json.dumps(
        {"keytype": "ed25519", "scheme": "ed25519", "keyid": "00",
         "keyid_hash_algorithms": ["sha256", "sha512"],
         "keyval": {"public": public.hex(), "private": private.hex()}}))


def public_of(data, passphrase=None):
    """The public half of a private key file, as the others read it."""
    passphrase = passphrase and passphrase.encode()
    if data[:1] == b"{":
        value = json.loads(data)["keyval"]["private"]
        key = serialization.load_pem_private_key(value.encode(), None) \
            if value.startswith("-----") else \
            ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(value))
    elif data[:1] == b"\x30":
        key = serialization.load_der_private_key(data, passphrase)
    else:
        key = serialization.load_pem_private_key(data, passphrase)
    return key.public_key().public_bytes(
        serialization.Encoding.DER,
        serialization.PublicFormat.SubjectPublicKeyInfo)


def their_keys(folder):
    """Key files as the reference's library and PyCA's write them: name, file,
    passphrase."""
    folder.mkdir()
    made = []
    for name, passphrase, write in (
            ("rsa", None, interface.generate_and_write_unencrypted_rsa_keypair),
            ("rsa-enc", "pass", lambda f: interface
             .generate_and_write_rsa_keypair("pass", filepath=f)),
            ("ecdsa", None,
             interface.generate_and_write_unencrypted_ecdsa_keypair),
            ("ed25519", None, write_ed25519_json)):
        write(str(folder / name))
        made.append((name, folder / name, passphrase))
    for extension in ("PEM", "DER"):
        for passphrase in (None, "pass"):
            name = f"ed25519-{extension}-{passphrase}"
            lock = serialization.BestAvailableEncryption(b"pass") \
                if passphrase else serialization.NoEncryption()
            (folder / name).write_bytes(
                ed25519.Ed25519PrivateKey.generate().private_bytes(
                    getattr(serialization.Encoding, extension),
                    serialization.PrivateFormat.PKCS8, lock))
            made.append((name, folder / name, passphrase))
    return made


def test_private_keys_of_others_are_taken_over(platform, work):
    publisher = Publisher(platform, work, None)
    taken = []
    for name, file, passphrase in their_keys(work / "theirs"):
        words = []
        if passphrase:
            secret = work / "their-passphrase"
            secret.write_text(passphrase)
            words = ["--from-passphrase-file", secret]
        out = work / f"{name}.pem"
        publisher("keys", "import", file, "--out", out, "--unencrypted",
                  *words)
        assert public_of(out.read_bytes()) == \
            public_of(file.read_bytes(), passphrase), name
        taken.append(out)
    # A repository signed with some of them.
    publisher.keys.mkdir(parents=True)
    for role, out in zip(("root", "targets", "snapshot", "timestamp"),
                         (taken[1], taken[3], taken[4], taken[7])):
        shutil.move(out, publisher.keys / f"{role}.pem")
    publisher("init", publisher.folder, "--name", "Theirs")
    publisher.publish("1")
    publisher.walk()
