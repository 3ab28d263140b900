"""The Debian packages: made, installed, run, upgraded, removed, purged."""

import pathlib
import re
import subprocess

import pytest

from harness.machine import Machine, NotPossible

pytestmark = pytest.mark.root


def checked(done):
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def packages(platform, tmp_path_factory):
    """The packages of this build by name."""
    folder = tmp_path_factory.mktemp("packages")
    checked(subprocess.run(
        ["cpack", "--config", platform.build / "CPackConfig.cmake", "-B",
         folder], cwd=platform.build, capture_output=True, text=True,
        check=False))
    return {path.name.split("_")[0]: path for path in folder.glob("*.deb")}


@pytest.fixture
def machine(packages):
    try:
        machine = Machine()
    except NotPossible as reason:
        pytest.skip(f"needs an overlay file system: {reason}")
    yield machine
    machine.close()


def field(package, name):
    return checked(subprocess.run(["dpkg-deb", "-f", package, name],
                                  capture_output=True, text=True,
                                  check=False)).strip()


def newer(package, folder):
    """The same package with a higher version."""
    tree = folder / "tree"
    checked(subprocess.run(["dpkg-deb", "-R", package, tree],
                           capture_output=True, text=True, check=False))
    control = tree / "DEBIAN/control"
    text = control.read_text()
    control.write_text(re.sub(r"(?m)^Version: (.*)$", r"Version: \1+next",
                              text))
    target = folder / "newer.deb"
    checked(subprocess.run(["dpkg-deb", "-b", tree, target],
                           capture_output=True, text=True, check=False))
    return target


def into(machine, package):
    """Copies a package to where the machine sees it."""
    inside = pathlib.Path("/tmp") / package.name
    machine.take(package, inside)
    return inside


def wait_ready(usherd):
    seen = []
    for line in usherd.stderr:
        seen.append(line)
        if " ready at " in line:
            return
    raise AssertionError("usherd ended:\n" + "".join(seen))


def test_the_packages_name_what_they_need(packages):
    assert set(packages) == {"usher", "usher-publish", "libusher-dev"}
    for package in packages.values():
        assert "libc6 (>=" in field(package, "Depends")
        assert field(package, "Maintainer") and field(package, "Description")
    assert "libgrpc" not in field(packages["usher-publish"], "Depends")


def test_installed_upgraded_removed_and_purged(machine, packages, tmp_path):
    checked(machine.run("dpkg", "-i", *(into(machine, packages[name])
                                        for name in packages)))
    checked(machine.run("getent", "group", "usher-admin"))
    checked(machine.run("test", "-e", "/etc/systemd/system/multi-user.target."
                        "wants/usherd.service"))
    checked(machine.run("usher-publish", "--version"))

    usherd = machine.start("usherd")
    try:
        wait_ready(usherd)
        assert "0.1.0" in checked(machine.run("usher", "status"))
        # The door of the machine's service is open to every user.
        search = machine.run("setpriv", "--reuid=65534", "--regid=65534",
                             "--clear-groups", "usher", "search")
        assert "WU_E_AU_NO_REGISTERED_SERVICE" in search.stderr
        # A new version while the service runs: files are replaced below it.
        upgrade = newer(packages["usher"], tmp_path)
        checked(machine.run("dpkg", "-i", into(machine, upgrade)))
        assert "+next" in checked(machine.run(
            "dpkg-query", "-W", "-f", "${Version}", "usher"))
        checked(machine.run("usher", "status"))
    finally:
        machine.run("pkill", "-TERM", "-x", "usherd")
        assert usherd.wait() == 0

    checked(machine.run("dpkg", "-r", "usher"))
    checked(machine.run("test", "!", "-e", "/usr/bin/usherd"))
    # A removed service keeps its records; a purged one does not.
    checked(machine.run("test", "-e", "/var/lib/usher/usher.db"))
    checked(machine.run("dpkg", "-P", "usher"))
    for folder in ("/var/lib/usher", "/var/cache/usher", "/var/log/usher"):
        checked(machine.run("test", "!", "-e", folder))


def test_a_unit_that_was_switched_off_stays_off(machine, packages, tmp_path):
    link = "/etc/systemd/system/multi-user.target.wants/usherd.service"
    checked(machine.run("dpkg", "-i", into(machine, packages["usher"])))
    checked(machine.run("systemctl", "disable", "usherd.service"))
    checked(machine.run("test", "!", "-e", link))
    upgrade = newer(packages["usher"], tmp_path)
    checked(machine.run("dpkg", "-i", into(machine, upgrade)))
    checked(machine.run("test", "!", "-e", link))


def test_the_unit_is_one_that_systemd_understands(machine, packages):
    checked(machine.run("dpkg", "-i", into(machine, packages["usher"])))
    done = machine.run("systemd-analyze", "verify", "--man=no",
                       "/lib/systemd/system/usherd.service")
    complaints = [line for line in (done.stdout + done.stderr).splitlines()
                  if "usherd" in line]
    assert done.returncode == 0 and complaints == []
