"""A PKCS#11 token for a test: SoftHSM, in a folder of its own."""

import os
import pathlib
import subprocess

from . import platform as platforms

PIN = "4711 nine"
LABEL = "Usher test"


def module():
    """SoftHSM's library."""
    path = pathlib.Path("/usr/lib/softhsm/libsofthsm2.so")
    if not path.exists():
        raise FileNotFoundError(f"{path}: ./dev deps installs softhsm2")
    return path


class Token:
    """`environment` is what programs need to see the token."""

    def __init__(self, folder):
        (folder / "tokens").mkdir(parents=True)
        (folder / "softhsm2.conf").write_text(
            f"directories.tokendir = {folder}/tokens\n"
            "objectstore.backend = file\nlog.level = ERROR\n")
        self.environment = {**os.environ,
                            "SOFTHSM2_CONF": str(folder / "softhsm2.conf"),
                            "PKCS11_MODULE_PATH": str(module())}
        self.environment.pop("USHER_PKCS11_PIN", None)
        self._run("softhsm2-util", "--init-token", "--free", "--label", LABEL,
                  "--so-pin", "12345678", "--pin", PIN)

    def _run(self, program, *words):
        subprocess.run([platforms.find(program), *words], check=True,
                       capture_output=True, env=self.environment)

    def make_key(self, label, kind, number, *more):
        """`kind`: "EC:prime256v1", "rsa:2048", "EC:edwards25519"; `more`:
        further options of pkcs11-tool."""
        self._run("pkcs11-tool", "--module", str(module()), "--token-label",
                  LABEL, "--login", "--pin", PIN, "--keypairgen", "--key-type",
                  kind, "--id", f"{number:02x}", "--label", label, *more)

    @staticmethod
    def uri(label, query=""):
        token = LABEL.replace(" ", "%20")
        return f"pkcs11:token={token};object={label}{query}"
