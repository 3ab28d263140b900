"""What usher-publish signs, read by the reference implementation's library. The
other direction is test_tuf_workflow.py and test_tuf_delegations.py."""

import json
import os

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from harness.reference_reader import ReferenceReader, Wrong
from harness.vendor import Vendor

SCHEMES = ["ed25519", "ecdsa-sha2-nistp256", "rsassa-pss-sha256"]


def reader(repository):
    return ReferenceReader(repository.published, repository.root)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_reference_reads_what_we_publish(platform, repository, work,
                                             scheme):
    repository.run("init", repository.folder, "--name", "Integration tests",
                   "--scheme", scheme)
    repository._initialised = True
    repository.add_archive("thing", "1", {"thing": b"one"})
    repository.publish()
    assert list(reader(repository).read()) == ["catalog/catalog.usc"]
    # A second version, a vendor, a new timestamp, a new root.
    repository.add_archive("thing", "2", {"thing": b"two"})
    repository.publish()
    acme = Vendor(platform, "acme", repository, work / "acme",
                  work / "acme-sources")
    acme.introduce()
    acme.add_archive("tool", "1", {"tool": b"one"})
    acme.deliver()
    repository.run("refresh-timestamp", repository.folder)
    repository.rotate_root()
    found = reader(repository).read()
    assert sorted(found) == ["catalog/acme/catalog.usc", "catalog/catalog.usc"]


@pytest.mark.parametrize("scheme", SCHEMES)
def test_it_tells_what_was_tampered_with(repository, scheme):
    repository.run("init", repository.folder, "--name", "Integration tests",
                   "--scheme", scheme)
    repository._initialised = True
    repository.add_archive("thing", "1", {"thing": b"one"})
    repository.publish()
    reader(repository).read()
    for kind in ("timestamp", "snapshot", "targets", "catalog"):
        path = repository.file(kind)
        original = path.read_bytes()
        if kind == "catalog":
            changed = original[:-1] + bytes([original[-1] ^ 1])
        else:
            document = json.loads(original)
            document["signed"]["version"] += 1
            changed = json.dumps(document).encode()
        path.write_bytes(changed)
        with pytest.raises(Wrong):
            reader(repository).read()
        path.write_bytes(original)
    reader(repository).read()


def private_key(scheme):
    if scheme == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if scheme.startswith("ecdsa"):
        return ec.generate_private_key(ec.SECP256R1())
    return rsa.generate_private_key(65537, 3072)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_keys_that_others_made(repository, work, scheme):
    """In each of the forms that other tools write."""
    forms = [serialization.PrivateFormat.PKCS8]
    if scheme != "ed25519":
        forms.append(serialization.PrivateFormat.TraditionalOpenSSL)
    for number, form in enumerate(forms):
        for password in (None, b"secret"):
            key = private_key(scheme)
            path = work / f"theirs-{number}-{password is not None}.pem"
            path.write_bytes(key.private_bytes(
                serialization.Encoding.PEM, form,
                serialization.BestAvailableEncryption(password) if password
                else serialization.NoEncryption()))
            keys = work / f"keys-{number}-{password is not None}"
            words = ["keys", "import", path, "--out", keys / "targets.pem"]
            if password:
                secret = work / "secret"
                secret.write_bytes(password)
                words += ["--old-passphrase-file", secret]
            done = repository.run(*words, "--json")
            [imported] = json.loads(done)["keys"]
            assert imported["scheme"] == scheme
            # The same public half.
            exported = repository.run("keys", "export", keys / "targets.pem")
            assert exported.strip().encode() == key.public_key().public_bytes(
                serialization.Encoding.PEM,
                serialization.PublicFormat.SubjectPublicKeyInfo).strip()
            assert (keys / "targets.pem").stat().st_mode & 0o777 == 0o600
    folder = work / "with-their-key"
    repository.run("init", folder, "--name", "X", "--keys", keys)
    repository.run("publish", folder)
    ReferenceReader(folder / "public", (folder / "root.json").read_bytes()).read()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_others_read_our_keys(repository, work, scheme):
    secret = work / "secret"
    secret.write_text("a passphrase\n")
    path = work / "ours.pem"
    repository.run("keys", "create", path, "--scheme", scheme,
                   "--passphrase-file", secret)
    key = serialization.load_pem_private_key(path.read_bytes(),
                                             b"a passphrase")
    exported = repository.run("keys", "export", path, "--passphrase-file",
                              secret)
    assert exported.strip().encode() == key.public_key().public_bytes(
        serialization.Encoding.PEM,
        serialization.PublicFormat.SubjectPublicKeyInfo).strip()


def test_what_cannot_be_imported(repository, work):
    good = work / "good.pem"
    repository.run("keys", "create", good)
    small = work / "small.pem"
    small.write_bytes(rsa.generate_private_key(65537, 1024).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    other = work / "other.pem"
    other.write_bytes(ec.generate_private_key(ec.SECP384R1()).private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption()))
    openssh = work / "openssh"
    openssh.write_bytes(ed25519.Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.OpenSSH,
        serialization.NoEncryption()))
    public = work / "public.pem"
    public.write_text(repository.run("keys", "export", good))
    nonsense = work / "nonsense"
    nonsense.write_bytes(os.urandom(100))
    for source, text in ((small, "small.pem"), (other, "other.pem"),
                         (openssh, "ssh-keygen -p -m"), (public, "public half"),
                         (nonsense, "nonsense"), (work / "none", "none")):
        with pytest.raises(AssertionError) as raised:
            repository.run("keys", "import", source, "--out", work / "out.pem")
        assert text in str(raised.value)
        assert not (work / "out.pem").exists()
    with pytest.raises(AssertionError) as raised:
        repository.run("keys", "import", good, "--out", good)
    assert "exists already" in str(raised.value)
