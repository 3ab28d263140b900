"""Staged rollouts and channels: who is offered what."""

import hashlib
import json
import subprocess

import pytest

from harness import packages


def draw(machine, seed):
    """As the catalog's format describes it, written a second time."""
    digest = hashlib.sha256(f"{machine}\n{seed}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % 10000


@pytest.fixture
def publisher(repository):
    """The repository, with what staging needs."""

    class Publisher:
        folder = repository.folder

        def add(self, name, keys=""):
            payload = packages.archive(
                repository.sources / f"{name}.tar.gz",
                {name: f"#!/bin/sh\necho {name}\n".encode()})
            (repository.sources / f"{name}.toml").write_text(
                f'name = "{name}"\nversion = "1"\ntitle = "{name}"\n'
                f"is_uninstallable = true\n{keys}\n"
                f'[[payload]]\nfile = "{payload.name}"\n'
                f'[handler.archive]\nproduct = "{name}"\nversion = "1"\n')

        def rollout(self, *words):
            (update,) = json.loads(repository.run(
                "rollout", self.folder, *words, "--json"))["updates"]
            repository.publish()
            return update

        def list(self):
            return {u["name"]: u for u in json.loads(repository.run(
                "list", self.folder, "--json"))["updates"]}

    return Publisher()


class Machine:
    """A running daemon that knows the repository."""

    def __init__(self, usherd, api, repository):
        self.usherd = usherd
        self.api = api
        self.service = api.add_service(repository.url, repository.root)
        self.session = api.open_session().session.name

    def found(self, criteria):
        return {u.name: u for u in self.api.search(
            self.session, criteria, self.service.service_id)}

    def offered(self):
        return set(self.found("IsInstalled=0"))

    def installed(self):
        return set(self.found("IsInstalled=1"))

    def refresh(self):
        assert self.api.refresh(self.service.service_id).changed


@pytest.fixture
def machine(platform, stubs, repository, work):
    """machine("name", config="") is one with that rollout id."""
    opened = []

    def machine(name, config=""):
        usherd = platform.daemon(work / name, work / f"{name}-run")
        usherd.configure(f'[machine]\nrollout_id = "{name}"\n{config}\n')
        opened.append(usherd)
        usherd.start()
        opened.append(usherd.connect(stubs))
        return Machine(usherd, opened[-1], repository)

    yield machine
    for thing in reversed(opened):
        thing.close()


def test_none_all_and_a_share_that_grows(publisher, repository, machine):
    publisher.add("none", "rollout_percent = 0")
    publisher.add("all", "rollout_percent = 100")
    publisher.add("some", "rollout_percent = 0.01\n"
                  'update_id = "6b1f2c1e-57f5-4d0e-9a53-0e2f5f0f4a11"')
    repository.publish()
    update = publisher.list()["some"]
    assert update["rollout_percent"] == 0.01 and not update["channels"]
    one, two = machine("one"), machine("two")
    draws = {m: draw(name, update["update_id"])
             for m, name in ((one, "one"), (two, "two"))}
    sooner, later = sorted(draws, key=draws.get)
    assert draws[later] > draws[sooner] > 1

    assert one.offered() == two.offered() == {"all"}
    # One hundredth of a percent short of the first, then his.
    for share, gets in ((draws[sooner], set()), (draws[sooner] + 1, {"some"})):
        changed = publisher.rollout("some", share / 100)
        assert changed["change"] == "revised"
        assert changed["rollout_percent"] == share / 100
        for each in (one, two):
            each.refresh()
        assert sooner.offered() == {"all"} | gets
        assert later.offered() == {"all"}
    publisher.rollout(update["update_id"], "100")
    for each in (one, two):
        each.refresh()
        assert each.offered() == {"all", "some"}


def test_who_has_it_keeps_it(publisher, repository, machine, stubs):
    publisher.add("tool", "rollout_percent = 100")
    repository.publish()
    one = machine("one")
    updates = list(one.found("IsInstalled=0").values())
    one.api.download(one.session, updates)
    done = one.api.install(one.session, updates)
    assert (done.result_code ==
            stubs.types.OPERATION_RESULT_CODE_SUCCEEDED), done
    assert one.installed() == {"tool"}
    # Stopped, resumed: neither is news to who has it.
    for percent in ("0", "100", "0"):
        assert publisher.rollout("tool", percent)["change"] == "revised"
        one.refresh()
        assert one.installed() == {"tool"} and not one.offered()
    done = one.api.uninstall(one.session, one.found("IsInstalled=1").values())
    assert (done.result_code ==
            stubs.types.OPERATION_RESULT_CODE_SUCCEEDED), done
    assert not one.installed() and not one.offered()


def test_channels(publisher, repository, machine):
    publisher.add("plain")
    publisher.add("early", 'channels = ["beta"]')
    repository.publish()
    one, two = machine("one"), machine("two", 'channels = ["beta", "edge"]')
    assert one.offered() == {"plain"}
    assert two.offered() == {"plain", "early"}
    changed = publisher.rollout("early", "--channel", "stable",
                                "--channel", "edge")
    assert changed["channels"] == ["edge", "stable"]
    assert changed["previous_channels"] == ["beta"]
    publisher.rollout("plain", "0", "--channel", "beta")
    for each in (one, two):
        each.refresh()
        assert each.offered() == {"early"}
    publisher.rollout("plain", "100", "--all-channels")
    one.refresh()
    assert one.offered() == {"early", "plain"}
    assert not publisher.list()["plain"]["channels"]


def test_the_configuration_counts_at_the_next_start(publisher, repository,
                                                    machine, stubs):
    publisher.add("early", 'channels = ["beta"]')
    repository.publish()
    one = machine("one")
    assert not one.offered()
    one.usherd.stop()
    one.usherd.configure('[machine]\nchannels = ["beta"]\n')
    one.usherd.start()
    api = one.usherd.connect(stubs)
    found = api.search(api.open_session().session.name, "IsInstalled=0",
                       one.service.service_id)
    assert [u.name for u in found] == ["early"]
    api.close()


def test_a_machine_draws_once_for_ever(publisher, repository, platform, daemon,
                                       connect):
    for number in range(40):
        publisher.add(f"u{number}", "rollout_percent = 50")
    repository.publish()
    ids = {name: u["update_id"] for name, u in publisher.list().items()}
    daemon.start()
    service = connect().add_service(repository.url, repository.root)
    file = daemon.state / "rollout-id"
    number = file.read_text().strip()
    assert len(bytes.fromhex(number)) == 16
    if platform.has_modes:
        assert file.stat().st_mode & 0o777 == 0o600
    expected = {n for n, i in ids.items() if draw(number, i) < 5000}
    for _ in range(2):
        api = connect()
        found = api.search(api.open_session().session.name, "IsInstalled=0",
                           service.service_id)
        assert {u.name for u in found} == expected
        daemon.stop()
        daemon.start()
    assert file.read_text().strip() == number
    logs = daemon.output + "".join(
        path.read_text() for path in (daemon.state / "log").glob("*"))
    assert number not in logs


@pytest.mark.linux_only("usher-publish and Debian packages alone")
def test_packages_keep_their_share(publisher, repository, work):
    package = packages.deb(work, "pkg", "1.0")
    repository.add_deb(package)
    assert publisher.list()["pkg"]["rollout_percent"] == 100
    repository.run("add-deb", repository.folder, "--rollout-percent", "5",
                   "--channel", "beta", "--channel", "edge", package)
    repository.run("add-deb", repository.folder, "--reboot", "always", package)
    update = publisher.list()["pkg"]
    assert update["rollout_percent"] == 5 and update["revision"] == 3
    assert update["channels"] == ["beta", "edge"]
    shown = json.loads(repository.run("show", repository.folder, "pkg",
                                      "--json"))
    assert shown["offers"] == [{"update_id": update["update_id"],
                                "rollout_percent": 5,
                                "channels": ["beta", "edge"]}]
    assert "5% of the machines on beta, edge" in repository.run(
        "list", repository.folder)


@pytest.mark.linux_only("usher-publish and Debian packages alone")
@pytest.mark.parametrize("words, code, said", [
    (["pkg"], 2, "PERCENT"),
    (["pkg", "101"], 2, "from 0 to 100"),
    (["pkg", "0.005"], 2, "steps of 0.01"),
    (["pkg", "5", "--channel", "Beta"], 2, "lower-case"),
    (["pkg", "--channel", "a", "--all-channels"], 2, "--all-channels"),
    (["other", "5"], 1, "usher-publish list"),
    (["pkg", "5"], 1, "2 updates are named"),
])
def test_refusals(publisher, repository, platform, work, words, code, said):
    for version in ("1", "2"):
        repository.add_deb(packages.deb(work, "pkg", version))
    before = publisher.list()
    done = subprocess.run(
        platform.command("usher-publish") +
        ["rollout", str(repository.folder), *words],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stderr
    assert said in done.stderr
    assert publisher.list() == before
