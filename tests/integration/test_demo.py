"""The demo, as the README promises it, on the build that is tested."""

import os
import pathlib
import shutil
import subprocess

import pytest

from harness import users

pytestmark = pytest.mark.linux_only("./dev demo is for Linux; windows/ has the transcript")

DEMO = pathlib.Path(__file__).resolve().parents[1] / "demo"
PROGRAMS = ("usherd", "usher", "usher-publish")


@pytest.fixture
def demo(platform, work):
    """demo(user=None) runs it to the end, as another user if given."""

    def demo(user=None):
        # A checkout may lie in a folder that other users cannot enter.
        folder = work / "demo"
        (folder / "bin").mkdir(parents=True)
        for program in PROGRAMS:
            shutil.copy(*platform.command(program), folder / "bin")
        shutil.copytree(DEMO, folder / "demo")
        home = folder / "tmp"
        home.mkdir()
        identity = {}
        if user is not None:
            os.chown(home, user, user)
            identity = users.as_user(user)
        fetched = subprocess.run(
            ["apt-get", "-qq", "download", "hello"], cwd=home, check=False,
            stdin=subprocess.DEVNULL, capture_output=True, text=True,
            **identity)
        if fetched.returncode != 0:
            pytest.skip("needs apt to fetch Debian's packages: "
                        f"{fetched.stderr.strip()[:200]}")
        done = subprocess.run(
            [folder / "demo/demo.sh"], stdin=subprocess.DEVNULL, cwd=home,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
            check=False, **identity,
            env={**os.environ, "HOME": str(home), "TMPDIR": str(home),
                 "LC_ALL": "C.UTF-8",
                 "PATH": f"{folder / 'bin'}:{os.environ['PATH']}"})
        left = [path.name for path in home.iterdir()
                if path.suffix != ".deb"]
        return done.returncode, done.stdout, left
    return demo


def check(outcome):
    code, output, left = outcome
    assert code == 0, output
    assert output.rstrip().endswith(
        "Done. Nothing is left of this on the machine."), output
    assert left == [], output
    # What was not signed was refused, what was uninstalled is gone.
    assert "# refused, exit code 1" in output
    assert "configured by a vendor's installer" in output
    assert output.count("No such file or directory") >= 4, output


def test_demo(demo):
    check(demo())


@pytest.mark.root
def test_demo_as_an_ordinary_user(platform, demo):
    if platform.sanitized and not users.may_enter(platform.build):
        pytest.skip("the libraries of a sanitized build are in a folder that "
                    "other users cannot enter")
    check(demo(users.ALICE))
