"""usher-publish keys import: private keys as other tools write them."""

import json
import os
import stat
import subprocess

import pytest

from harness import platform as platforms

pytestmark = pytest.mark.linux_only(
    "OpenSSL's and OpenSSH's programs for Linux make the keys")

OPENSSL = platforms.find("openssl")


def openssl(*words):
    subprocess.run([OPENSSL, *map(str, words)], check=True,
                   capture_output=True)


@pytest.fixture
def run(platform, work):
    """run(*words, **environment): exit code 0 or not, and what was said. There
    is no terminal."""

    def run(*words, **environment):
        done = subprocess.run(
            platform.command("usher-publish") + list(map(str, words)),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, cwd=work, start_new_session=True,
            env={**os.environ, **environment})
        run.output, run.errors = done.stdout, done.stderr
        return done.returncode == 0
    return run


@pytest.fixture
def plain(work):
    """Keys of the three kinds, PKCS#8: by name."""
    files = {}
    for name, words in (
            ("ed25519", ("-algorithm", "ed25519")),
            ("ecdsa-sha2-nistp256",
             ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")),
            ("rsassa-pss-sha256",
             ("-algorithm", "RSA", "-pkeyopt", "rsa_keygen_bits:2048"))):
        files[name] = work / f"{name}.key"
        openssl("genpkey", *words, "-out", files[name])
    return files


def public(run, *words, **environment):
    assert run("keys", "show", "--json", *words, **environment), run.errors
    return json.loads(run.output)["keys"][0]["public"]


def forms(kind, source, work):
    """The key in all forms that OpenSSL writes: what, file, passphrase."""
    yield "PKCS#8", source, None
    for name, words, passphrase in (
            ("PKCS#8 DER", ("pkcs8", "-topk8", "-nocrypt", "-outform", "DER"),
             None),
            ("PKCS#8 encrypted", ("pkcs8", "-topk8", "-v2", "aes-256-cbc",
                                  "-passout", "pass:old words"), "old words"),
            ("PKCS#8 scrypt", ("pkcs8", "-topk8", "-scrypt", "-passout",
                               "pass:old words"), "old words"),
            ("PKCS#8 encrypted DER", ("pkcs8", "-topk8", "-outform", "DER",
                                      "-passout", "pass:old words"),
             "old words")):
        file = work / (kind + name.replace(" ", "-"))
        openssl(*words, "-in", source, "-out", file)
        yield name, file, passphrase
    if kind == "ed25519":
        return
    for name, words, passphrase in (
            ("traditional", (), None),
            ("traditional DER", ("-outform", "DER"), None),
            ("traditional encrypted", ("-aes128", "-passout",
                                       "pass:old words"), "old words")):
        file = work / (kind + name.replace(" ", "-"))
        openssl("rsa" if kind.startswith("rsa") else "ec", "-in", source,
                "-out", file, *words,
                *(["-traditional"] if kind.startswith("rsa") else []))
        yield name, file, passphrase
    if kind.startswith("ecdsa"):
        # As "openssl ecparam -genkey" writes it, its parameters in front.
        file = work / "with-parameters"
        openssl("ecparam", "-name", "prime256v1", "-genkey", "-out", file)
        assert b"EC PARAMETERS" in file.read_bytes()
        yield "with parameters", file, None


def test_every_form_is_taken_over(run, plain, work):
    new = work / "new-passphrase"
    new.write_text("new words\n")
    old = work / "old-passphrase"
    old.write_text("old words\n")
    for kind, source in plain.items():
        for number, (name, file, passphrase) in enumerate(
                forms(kind, source, work)):
            out = work / f"keys/{kind}-{number}.pem"
            words = ["--from-passphrase-file", old] if passphrase else []
            assert run("keys", "import", file, "--out", out, "--json",
                       "--passphrase-file", new, *words), (name, run.errors)
            said = json.loads(run.output)["keys"][0]
            assert said["scheme"] == kind and said["encrypted"], name
            assert stat.S_IMODE(out.stat().st_mode) == 0o600
            assert stat.S_IMODE(out.parent.stat().st_mode) == 0o700
            text = out.read_text()
            assert text.startswith("-----BEGIN ENCRYPTED PRIVATE KEY-----")
            shown = public(run, out, "--passphrase-file", new)
            assert shown == said["public"]
            if name != "with parameters":
                assert shown == public(run, source)
    # Encrypted as our own are.
    parsed = subprocess.run([OPENSSL, "asn1parse", "-in", out], check=True,
                            capture_output=True, text=True).stdout
    assert "PBKDF2" in parsed and "hmacWithSHA256" in parsed and \
        "aes-256-cbc" in parsed and "0927C0" in parsed  # 600,000 rounds


def test_passphrases_and_the_way_out(run, plain, work):
    source = plain["ed25519"]
    locked = work / "locked"
    openssl("pkcs8", "-topk8", "-in", source, "-out", locked, "-passout",
            "pass:old words")
    out = work / "out.pem"

    # Never plain by omission.
    assert not run("keys", "import", source, "--out", out)
    assert "--passphrase-file" in run.errors and "--unencrypted" in run.errors
    assert not out.exists()
    assert run("keys", "import", source, "--out", out, "--unencrypted")
    assert "still holds the same private key" in run.errors
    assert out.read_text().startswith("-----BEGIN PRIVATE KEY-----")

    # Never overwritten.
    before = out.read_bytes()
    assert not run("keys", "import", source, "--out", out, "--unencrypted")
    assert "never overwritten" in run.errors and str(out) in run.errors
    assert out.read_bytes() == before

    # The two passphrases are told apart.
    other = work / "other.pem"
    words = ("keys", "import", locked, "--out", other)
    assert not run(*words, USHER_PASSPHRASE="old words")
    assert "USHER_FROM_PASSPHRASE" in run.errors
    assert str(locked) in run.errors
    assert not run(*words, USHER_PASSPHRASE="new words",
                   USHER_FROM_PASSPHRASE="other words")
    assert "does not open it" in run.errors
    assert not other.exists()
    assert run(*words, USHER_PASSPHRASE="new words",
               USHER_FROM_PASSPHRASE="old words"), run.errors
    assert public(run, other, USHER_PASSPHRASE="new words") == \
        public(run, source)
    assert not run("keys", "show", other, USHER_PASSPHRASE="old words")


def test_what_cannot_be_used_is_refused_by_name(run, work):
    def key(name, *words):
        openssl("genpkey", *words, "-out", work / name)
        return work / name
    small = key("small", "-algorithm", "RSA", "-pkeyopt",
                "rsa_keygen_bits:1024")
    p384 = key("p384", "-algorithm", "EC", "-pkeyopt",
               "ec_paramgen_curve:P-384")
    x25519 = key("x25519", "-algorithm", "X25519")
    pss = key("pss", "-algorithm", "RSA-PSS")
    half = work / "half"
    openssl("pkey", "-in", p384, "-pubout", "-out", half)
    garbage = work / "garbage"
    garbage.write_bytes(os.urandom(300))
    big = work / "big"
    big.write_bytes(b"-----BEGIN PRIVATE KEY-----\n" + b"A" * 100000)
    for file, said in ((small, "1024 bits"), (p384, "P-256"),
                       (x25519, "not ed25519, ECDSA or RSA"),
                       (pss, "not ed25519, ECDSA or RSA"),
                       (half, "public key"), (garbage, "openssl pkey"),
                       (big, "big"), (work / "none", "none"),
                       (work, str(work))):
        assert not run("keys", "import", file, "--out", "out.pem",
                       "--unencrypted")
        assert said in run.errors and str(file) in run.errors, run.errors
        assert not (work / "out.pem").exists()


def test_openssh_keys_and_the_commands_that_convert_them(run, work):
    """The refusal names commands; they work."""
    keygen = platforms.find("ssh-keygen")
    for kind, words in (("ecdsa", ["-b", "256"]), ("ed25519", [])):
        file = work / kind
        subprocess.run([keygen, "-q", "-t", kind, *words, "-N", "", "-f",
                        file], check=True)
        assert not run("keys", "import", file, "--out", f"{kind}.pem",
                       "--unencrypted")
        assert "ssh-keygen -p -m PKCS8" in run.errors
    subprocess.run([keygen, "-q", "-p", "-m", "PKCS8", "-N", "", "-f",
                    work / "ecdsa"], check=True, stdout=subprocess.DEVNULL)
    # As docs/publishing.md shows it.
    convert = """
import sys
from cryptography.hazmat.primitives.serialization import *
key = load_ssh_private_key(sys.stdin.buffer.read(), None)
print(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8,
                        NoEncryption()).decode())
"""
    with open(work / "ed25519", "rb") as given, \
            open(work / "converted", "wb") as out:
        subprocess.run(["/usr/bin/python3", "-c", convert], stdin=given,
                       stdout=out, check=True)
    for file, kind in (("ecdsa", "ecdsa"), ("converted", "ed25519")):
        assert run("keys", "import", file, "--out", f"{kind}.pem",
                   "--unencrypted"), run.errors


def test_show_takes_public_keys(run, plain, work):
    for kind, source in plain.items():
        half = work / f"{kind}.pub.pem"
        openssl("pkey", "-in", source, "-pubout", "-out", half)
        assert public(run, half) == public(run, source)
