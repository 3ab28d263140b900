"""Keys that stay in a token: a real SoftHSM, reached as a smart card would be."""

import json
import shutil
import subprocess

import pytest

from harness.reference_walk import Walk
from harness.token import PIN, Token, module

pytestmark = pytest.mark.linux_only("a PKCS#11 module for Linux")

KEYS = {"root": "EC:prime256v1", "targets": "rsa:2048",
        "snapshot": "EC:prime256v1", "timestamp": "rsa:2048"}


@pytest.fixture(scope="module")
def filled(tmp_path_factory):
    """A token with a key for each role."""
    token = Token(tmp_path_factory.mktemp("token"))
    for number, (label, kind) in enumerate(KEYS.items()):
        token.make_key(label, kind, number + 1)
    # Such as the key for signatures of a PIV card.
    token.make_key("careful", "EC:prime256v1", 9, "--always-auth")
    return token


@pytest.fixture
def run(platform, work, filled):
    """run(*words, **environment) runs usher-publish without a terminal: exit
    code 0 or not, and what was said."""

    def run(*words, pin=PIN, **environment):
        environment = {**filled.environment, **environment}
        if pin:
            environment["USHER_PKCS11_PIN"] = pin
        done = subprocess.run(
            platform.command("usher-publish") + list(map(str, words)),
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            check=False, cwd=work, start_new_session=True, env=environment)
        # Neither a crash at the end, when the module is unloaded.
        assert done.returncode in (0, 1), done
        run.output, run.errors = done.stdout, done.stderr
        return done.returncode == 0
    return run


def key_id(run, file):
    assert run("keys", "show", "--json", file), run.errors
    return json.loads(run.output)["keys"][0]["key_id"]


def test_a_repository_whose_keys_are_in_a_token(run, filled, work):
    keys = work / "keys"
    keys.mkdir()
    for role in KEYS:
        # A name of its own, or the usual one.
        name = "targets.pem" if role == "targets" else f"{role}.uri"
        (keys / name).write_text(filled.uri(role) + "\n")
    repo = work / "repo"
    assert run("init", repo, "--name", "Token", "--keys", keys), run.errors
    assert "new keys" not in run.output
    assert sorted(path.name for path in keys.iterdir()) == [
        "root.uri", "snapshot.uri", "targets.pem", "timestamp.uri"]
    assert run("publish", repo), run.errors
    assert run("refresh-timestamp", repo), run.errors
    assert run("renew-root", repo), run.errors
    assert run("publish", repo, "--renew"), run.errors

    # What the token has signed counts for us and for others.
    first = repo / "public/metadata/1.root.json"
    assert run("verify", repo, "--root", first, pin=None), run.errors
    walk = Walk(repo / "public", first.read_bytes())
    assert walk.versions == {"root": 2, "timestamp": 4, "snapshot": 2,
                             "targets": 2}
    schemes = {key["scheme"] for key in
               json.loads(first.read_bytes())["signed"]["keys"].values()}
    assert schemes == {"ecdsa-sha2-nistp256", "rsassa-pss-sha256"}

    # Without the token nothing is signed, and nothing is changed.
    before = (repo / "public/metadata/timestamp.json").read_bytes()
    assert not run("refresh-timestamp", repo, pin="wrong one")
    assert "PIN is wrong" in run.errors and "timestamp.uri" in run.errors
    assert not run("refresh-timestamp", repo, pin=None)
    assert "USHER_PKCS11_PIN" in run.errors
    assert (repo / "public/metadata/timestamp.json").read_bytes() == before


def test_a_ceremony_with_a_key_in_a_token(run, filled, work):
    """From a key file to two of two, one of them in a token."""
    repo = work / "repo"
    assert run("init", repo, "--name", "Ceremony"), run.errors
    assert run("publish", repo), run.errors
    uri = filled.uri("root")
    assert run("keys", "export", uri), run.errors
    (work / "token.pub.pem").write_text(run.output)
    assert key_id(run, "token.pub.pem") == key_id(run, uri)

    assert run("root", "draft", repo, "next.json")
    assert run("root", "add-key", "next.json", "token.pub.pem")
    assert run("root", "set", "next.json", "--threshold", "2")
    assert run("root", "sign", "next.json", "--key", repo / "keys/root.pem")
    shutil.copy(work / "next.json", work / "copy.json")
    # By the URI in place of a file, its PIN in a file.
    (work / "pin").write_text(PIN + "\n")
    assert run("root", "sign", "copy.json", "--key",
               filled.uri("root", f"?pin-source={work}/pin"), pin=None), \
        run.errors
    assert not run("root", "publish", repo, "next.json")
    assert run("root", "combine", "next.json", "copy.json"), run.errors
    assert run("root", "publish", repo, "next.json"), run.errors
    first = (repo / "public/metadata/1.root.json").read_bytes()
    assert Walk(repo / "public", first).versions["root"] == 2

    # A key that is none of the root's, and a key added by its URI.
    assert run("root", "draft", repo, "third.json")
    assert run("root", "sign", "third.json", "--key",
               filled.uri("snapshot", "?pin-source=pin"), pin=None)
    assert "is not one of this root's keys" in run.errors
    assert "pin" not in run.errors.split("is not one")[0]
    assert run("root", "add-key", "third.json", filled.uri("snapshot"))


def test_a_key_that_wants_the_pin_each_time(run, filled, work):
    repo = work / "repo"
    (work / "keys").mkdir()
    for role in KEYS:
        (work / f"keys/{role}.uri").write_text(filled.uri("careful"))
    assert run("init", repo, "--name", "Careful", "--keys", work / "keys"), \
        run.errors
    assert run("publish", repo), run.errors
    Walk(repo / "public", (repo / "root.json").read_bytes())
    assert "PIN" not in run.errors


def test_what_goes_wrong_is_said_with_the_way_out(run, filled, work):
    uri = filled.uri("targets")
    for words, environment, said in (
            ((uri,), {"pin": "0000"}, "the PIN is wrong"),
            ((filled.uri("targets", "?pin-value=0000"),), {},
             "the PIN is wrong"),
            ((uri,), {"pin": None}, "USHER_PKCS11_PIN"),
            ((filled.uri("nothing"),), {}, "pkcs11-tool"),
            (("pkcs11:token=other;object=targets",), {}, "p11-kit"),
            ((uri,), {"OPENSSL_ENGINES": str(work)},
             "apt install libengine-pkcs11-openssl"),
            ((uri,), {"PKCS11_MODULE_PATH": str(work / "none.so")},
             "does not load"),
            ((filled.uri("targets", f"?module-path={work}/none.so"),), {},
             "none.so"),
            ((filled.uri("targets", "?pin-source=none"),), {}, "none"),
            ((uri, filled.uri("root", f"?module-path={module()}")), {},
             "same module-path"),
            (("pkcs11:token=a",), {}, "names no key"),
            ((work / "no.uri",), {}, "no.uri")):
        assert not run("keys", "show", *words, **environment), words
        assert said in run.errors, (words, run.errors)
        # The message names the key, and not the PIN.
        assert "0000" not in run.errors and PIN not in run.errors
    # It is no place for new keys, and nothing to take over.
    assert not run("keys", "create", uri)
    assert "pkcs11-tool" in run.errors
    (work / "targets.uri").write_text(uri)
    assert not run("keys", "import", "targets.uri", "--out", "x.pem",
                   "--unencrypted")
    assert "does not leave it" in run.errors


def test_the_pin_is_not_shown(run, filled):
    assert run("keys", "show", filled.uri("root", "?pin-value=" +
                                          PIN.replace(" ", "%20")), pin=None)
    assert run.output.startswith(filled.uri("root") + "\n")
    assert "4711" not in run.output


def test_modules_that_the_machine_is_configured_with(run, filled, work):
    """Without a module's path the tokens are those of p11-kit."""
    plain = {"PKCS11_MODULE_PATH": ""}
    assert run("keys", "show", filled.uri("root",
                                          f"?module-path={module()}"),
               **plain), run.errors
    shown = run.output
    filled_environment = dict(filled.environment)
    filled.environment.pop("PKCS11_MODULE_PATH")
    try:
        assert run("keys", "show", filled.uri("root")), run.errors
    finally:
        filled.environment = filled_environment
    assert run.output.splitlines()[1:] == shown.splitlines()[1:]


def test_an_ed25519_key_hides_its_token(run, work):
    """A limit of the engine in Debian 12 (libp11 0.4.12); when this fails, the
    advice in the message and in docs/publishing.md can go."""
    token = Token(work / "other")
    token.make_key("ecdsa", "EC:prime256v1", 1)
    environment = {"SOFTHSM2_CONF": token.environment["SOFTHSM2_CONF"]}
    assert run("keys", "show", token.uri("ecdsa"), **environment), run.errors
    token.make_key("ed", "EC:edwards25519", 2)
    assert not run("keys", "show", token.uri("ed"), **environment)
    assert not run("keys", "show", token.uri("ecdsa"), **environment)
    assert "ed25519" in run.errors
