"""The Windows Installer package: install, upgrade in place, uninstall."""

import shutil
import subprocess

import pytest

from harness.stubs import REPOSITORY

NAME = "usherd"
EVENT_KEY = (r"HKLM\SYSTEM\CurrentControlSet\Services\EventLog\Application"
             r"\Usher")
PATH_KEY = (r"HKLM\SYSTEM\CurrentControlSet\Control\Session Manager"
            r"\Environment")
PROGRAMS = ("usherd.exe", "usher.exe", "usher-publish.exe", "libusher.dll")


@pytest.fixture(scope="session")
def packages(windows_build, tmp_path_factory):
    """{version: package}, made as ./dev package makes it."""
    if shutil.which("wixl") is None or shutil.which("msibuild") is None:
        pytest.skip("wixl and msitools are not installed")
    folder = tmp_path_factory.mktemp("msi")
    made = {}
    for version in ("0.1.0", "0.2.0"):
        made[version] = folder / f"usher-{version}.msi"
        done = subprocess.run(
            [REPOSITORY / "installer/windows/make-msi", windows_build, version,
             made[version]], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
    return made


@pytest.fixture
def msiexec(wine):
    def run(*words):
        result = wine.run("msiexec", *words, "/qn", "/l*v",
                          r"C:\installer.log")
        log = wine.drive_c / "installer.log"
        assert result.code == 0, log.read_text(errors="replace")[-4000:]
    return run


@pytest.fixture
def data(wine):
    folder = wine.drive_c / "ProgramData/Usher"
    shutil.rmtree(folder, ignore_errors=True)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def installed(wine, msiexec, packages, data):
    """Usher 0.1.0, taken away at the end whatever is installed by then."""
    msiexec("/i", wine.path(packages["0.1.0"]))
    yield wine.drive_c / "Program Files/Usher"
    for version in ("0.2.0", "0.1.0"):
        wine.run("msiexec", "/x", wine.path(packages[version]), "/qn")


def test_installs_a_running_service(wine, installed):
    for program in PROGRAMS:
        assert (installed / program).exists(), program
    wine.wait_for_service(NAME, "RUNNING")
    status = wine.run(installed / "usher.exe", "status")
    assert status.code == 0, status.output
    # Set by usherd's own install command, which the package runs.
    key = rf"HKLM\SYSTEM\CurrentControlSet\Services\{NAME}"
    assert wine.registry(key, "ImagePath") == (
        r'"C:\Program Files\Usher\usherd.exe"')
    assert wine.registry(key, "PreshutdownTimeout") is not None
    assert wine.registry(EVENT_KEY, "EventMessageFile") == (
        r"C:\Program Files\Usher\usherd.exe")
    assert r"C:\Program Files\Usher" in wine.registry(PATH_KEY, "PATH")


def test_upgrades_in_place(wine, installed, msiexec, packages, data):
    wine.wait_for_service(NAME, "RUNNING")
    database = data / "usher.db"
    before = database.stat().st_ino
    msiexec("/i", wine.path(packages["0.2.0"]))
    wine.wait_for_service(NAME, "RUNNING")
    assert wine.run(installed / "usher.exe", "status").code == 0
    assert database.stat().st_ino == before, "the state is kept"
    uninstall = r"HKLM\SOFTWARE\Microsoft\Windows\CurrentVersion\Uninstall"
    listed = wine.run("reg", "query", uninstall, "/s").output
    assert "0.2.0" in listed
    assert "0.1.0" not in listed


def test_uninstalls_cleanly(wine, installed, msiexec, packages, data):
    wine.wait_for_service(NAME, "RUNNING")
    msiexec("/x", wine.path(packages["0.1.0"]))
    assert wine.service(NAME) is None
    assert not wine.processes("usherd.exe")
    assert not installed.exists(), sorted(installed.iterdir())
    assert not wine.has_key(EVENT_KEY)
    assert r"C:\Program Files\Usher" not in (
        wine.registry(PATH_KEY, "PATH") or "")
    # What the service has kept stays, as with every reinstallation.
    assert (data / "usher.db").exists()
