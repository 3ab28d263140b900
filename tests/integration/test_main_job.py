"""The main job through nothing but gRPC: any language can be a client."""

import json
import subprocess

import pytest

from harness import packages
from harness.api import Failure


def test_archive_over_http(api, stubs, daemon, repository, serve):
    repository.add_archive("greeter", "1.0", {"greet": b"#!/bin/sh\necho one\n"})
    repository.publish()
    web = serve(repository.published)
    service = api.add_service(web.url, repository.root)
    assert service.update_count == 1
    assert service.root_version == 1

    opened = api.open_session("main-job", user_locale="en-GB")
    assert not opened.attached
    session = opened.session.name

    found = api.search(session, "IsInstalled=0 and Type='Software'",
                       service.service_id)
    assert [u.name for u in found] == ["greeter"]
    update = found[0]
    assert not update.is_downloaded and not update.is_installed
    assert update.max_download_size > 0

    job = api.begin_download(session, [update])
    states = [event.state for event in api.watch(job.name)]
    assert states[-1] == stubs.job.JOB_STATE_COMPLETED
    result = api.end_download(job.name)
    assert result.result_code == stubs.types.OPERATION_RESULT_CODE_SUCCEEDED
    assert [r.hresult for r in result.update_results] == [0]

    result = api.install(session, [update])
    assert result.result_code == stubs.types.OPERATION_RESULT_CODE_SUCCEEDED
    program = daemon.installed("greeter", "greet")
    assert daemon.run_installed("greeter", "greet") == "one"
    assert api.search(session, "IsInstalled=1", service.service_id)[
        0].is_installed

    result = api.uninstall(session, [update])
    assert result.result_code == stubs.types.OPERATION_RESULT_CODE_SUCCEEDED
    assert not program.exists()
    assert not api.search(session, "IsInstalled=1", service.service_id)

    history = api.query_history()
    types = stubs.types
    assert [(e.operation, e.result_code) for e in history] == [
        (types.UPDATE_OPERATION_UNINSTALLATION,
         types.OPERATION_RESULT_CODE_SUCCEEDED),
        (types.UPDATE_OPERATION_INSTALLATION,
         types.OPERATION_RESULT_CODE_SUCCEEDED)]
    assert all(e.client_application_id == "main-job" for e in history)
    assert all(e.update_identity == update.identity for e in history)


def test_upgrade_supersedes_and_undoes(api, stubs, daemon, repository):
    repository.add_archive("tool", "1.0", {"tool": b"#!/bin/sh\necho 1.0\n"})
    repository.add_archive("tool", "2.0", {"tool": b"#!/bin/sh\necho 2.0\n"})
    repository.publish()
    service = api.add_service(repository.url, repository.root)
    session = api.open_session().session.name

    newest = api.search(session, "IsInstalled=0", service.service_id)
    assert [u.version for u in newest] == ["2.0"]
    both = api.search(session, "IsInstalled=0", service.service_id,
                      include_potentially_superseded_updates=True)
    assert sorted(u.version for u in both) == ["1.0", "2.0"]
    by_version = {u.version: u for u in both}

    for version in ("1.0", "2.0"):
        update = by_version[version]
        api.download(session, [update])
        result = api.install(session, [update])
        assert result.hresult == 0, result
        assert daemon.run_installed("tool", "tool") == version


def test_exec_handler_reports_exit_codes(api, stubs, platform, repository,
                                         work):
    marker = work / "marker"
    repository.add_exec("agent", "1", platform.installer(
        work / "agent", sh=f'echo "$1" > {marker}\nexit 10\n',
        cmd=f"echo %~1>{platform.path(marker)}\nexit /b 10\n"),
        arguments=["hello"], exit_codes={10: "success_reboot_required"})
    repository.add_exec("broken", "1", platform.installer(
        work / "broken", sh="exit 42\n", cmd="exit /b 42\n"))
    repository.publish()
    service = api.add_service(repository.url, repository.root)
    session = api.open_session().session.name
    found = {u.name: u for u in api.search(session, "IsInstalled=0",
                                           service.service_id)}
    updates = [found["agent"], found["broken"]]
    api.download(session, updates)
    result = api.install(session, updates)
    assert result.hresult == 0x00240003, result
    assert (result.result_code ==
            stubs.types.OPERATION_RESULT_CODE_SUCCEEDED_WITH_ERRORS)
    assert marker.read_text() == "hello\n"
    assert result.update_results[0].reboot_required
    assert result.reboot_required
    broken = result.update_results[1]
    assert broken.result_code == stubs.types.OPERATION_RESULT_CODE_FAILED
    assert broken.unmapped_result_code == 42
    assert broken.message


@pytest.mark.root
def test_deb_handler_installs_real_packages(api, stubs, repository, work):
    name = "usher-integration-probe"
    try:
        for version in ("1.0-1", "1.1-1"):
            repository.add_deb(packages.deb(work, name, version))
        repository.publish()
        service = api.add_service(repository.url, repository.root)
        session = api.open_session().session.name
        found = {u.version: u for u in api.search(
            session, "", service.service_id,
            include_potentially_superseded_updates=True)}
        for version in ("1.0-1", "1.1-1"):
            update = found[version]
            api.download(session, [update])
            result = api.install(session, [update])
            assert result.hresult == 0, result
            assert subprocess.run(
                [f"/usr/bin/{name}"], check=True, capture_output=True,
                text=True).stdout.strip() == f"{name} {version}"
        assert api.uninstall(session, [found["1.1-1"]]).hresult == 0
        status = subprocess.run(
            ["dpkg-query", "-W", "-f", "${db:Status-Status}", name],
            capture_output=True, text=True, check=False).stdout
        assert status != "installed"
    finally:
        subprocess.run(["dpkg", "--purge", name], check=False,
                       capture_output=True)


def test_installing_what_is_not_downloaded_is_a_result(api, stubs, repository):
    repository.add_archive("a", "1", {"a": b"#!/bin/sh\n"})
    repository.publish()
    service = api.add_service(repository.url, repository.root)
    session = api.open_session().session.name
    updates = api.search(session, "", service.service_id)
    result = api.install(session, updates)
    assert result.result_code == stubs.types.OPERATION_RESULT_CODE_FAILED
    assert result.update_results[0].hresult == 0x80246007


def test_bad_criteria_name_the_position(api):
    session = api.open_session().session.name
    with pytest.raises(Failure) as caught:
        api.search(session, "IsInstalled=2")
    assert caught.value.hresult == 0x80240032
    assert caught.value.symbol == "WU_E_INVALID_CRITERIA"
    assert caught.value.request_id


def test_an_installer_may_say_anything(api, platform, repository, cli, work):
    """What is not UTF-8, or cut in the middle of a character, must not make the
    history unreadable."""
    for name, said in (("binary", b"\xff\xfe failed"),
                       ("chopped", ("\u65e5\u672c\u8a9e" * 200).encode())):
        repository.add_exec(name, "1", platform.complaining_installer(
            work / name, said, 9))
    repository.publish()
    api.add_service(repository.url, repository.root)
    for name in ("binary", "chopped"):
        done = cli.run("install", name)
        assert done.code == 1, done.stdout + done.stderr
    history = cli.run("history", "--json")
    assert history.code == 0, history.stderr
    messages = [entry["message"] for entry in
                json.loads(history.stdout)["entries"]]
    assert any("\ufffd\ufffd failed" in message for message in messages)
    assert any(message.endswith("\u65e5\u672c\u8a9e") for message in messages)


def test_install_all_twice_takes_nothing_back(api, repository, cli):
    for version in ("1.0", "2.0"):
        repository.add_archive("tool", version, {"tool": version.encode()})
    repository.publish()
    api.add_service(repository.url, repository.root)
    assert "tool 2.0" in cli.run("install", "--all").stdout
    assert cli.run("search").code == 6  # nothing is offered
    again = cli.run("install", "--all")
    assert "tool" not in again.stdout, again.stdout
    installed = cli.run("search", "--installed").stdout
    assert "tool 2.0" in installed and "tool 1.0" not in installed


def revise(repository, name, version, change):
    """The next revision of an update, which change(text) describes."""
    text = (repository.sources / f"{name}-{version}.added").read_text()
    path = repository.sources / f"{name}-{version}-revised.toml"
    path.write_text("revision = 2\n" + change(text))
    repository.publish()


def test_what_is_installed_can_be_uninstalled_when_it_is_revised(
        api, daemon, repository, cli):
    """A repository offers the newest revision only."""
    repository.add_archive("tool", "1.0", {"tool": b"one"})
    repository.publish()
    api.add_service(repository.url, repository.root)
    assert cli.run("install", "tool").code == 0
    revise(repository, "tool", "1.0", lambda text: text.replace(
        "Test update", "Better described, the test update"))
    assert cli.run("services", "refresh").code == 0

    (update,) = cli.run("search", "--installed", "--json").json["updates"]
    assert update["revision"] == 2
    assert not update["is_installed"] and update["is_present"]
    assert "older revision" in cli.run("search", "--installed").stdout
    assert "tool" in cli.run("search").stdout
    done = cli.run("uninstall", "tool")
    assert done.code == 0, done.stdout + done.stderr
    assert not (daemon.state / "products/tool").exists()
    assert cli.run("search", "--installed").code == 6
    again = cli.run("uninstall", "tool")
    assert again.code == 6 and "not installed" in again.stderr


def test_a_revision_with_another_version_takes_the_place_of_the_first(
        api, daemon, repository, cli):
    repository.add_archive("tool", "1.0", {"tool": b"one"})
    repository.publish()
    api.add_service(repository.url, repository.root)
    assert cli.run("install", "tool").code == 0

    def bring_another_version(text):
        head, tail = text.rsplit('version = "1.0"', 1)
        return f'{head}version = "1.1"{tail}'
    revise(repository, "tool", "1.0", bring_another_version)
    assert cli.run("services", "refresh").code == 0
    assert cli.run("install", "tool").code == 0
    product = daemon.state / "products/tool"
    assert daemon.installed("tool", "tool").resolve().parent.name == "1.1"
    assert not (product / "1.0").exists()
    assert cli.run("uninstall", "tool").code == 0
    assert not product.exists()


def test_an_exec_update_is_uninstalled_as_it_was_installed(
        api, platform, repository, cli, work):
    removed = work / "removed"

    def setup(version):
        return platform.installer(
            work / "setup", sh='test "$USHER_OPERATION" = install || '
            f'echo {version} "$@" >> {removed}\n',
            cmd='if "%USHER_OPERATION%"=="install" exit /b 0\n'
            f'echo {version} %~1>>{platform.path(removed)}\n')
    program = setup("first")
    repository.add_exec("agent", "1", program)
    toml = repository.sources / "agent-1.toml"
    toml.write_text(toml.read_text() +
                    f'uninstall_program = "{program.name}"\n'
                    'uninstall_arguments = ["--remove"]\n')
    repository.publish()
    api.add_service(repository.url, repository.root)
    assert cli.run("install", "agent").code == 0
    setup("second")
    revise(repository, "agent", "1", lambda text: text.replace(
        "--remove", "--purge"))
    assert cli.run("services", "refresh").code == 0
    done = cli.run("uninstall", "agent")
    assert done.code == 0, done.stdout + done.stderr
    assert removed.read_text().split() == ["first", "--remove"]


def test_a_small_cache_is_enough_for_one_update_after_the_other(
        daemon, connect, platform, repository, cli, work):
    """What a job needs is not evicted before it is installed; what could never
    be there as a whole is refused."""
    daemon.configure("[download]\ncache_max_bytes = 1000\n")
    daemon.start()
    sizes = {"one": 700, "two": 800, "huge": 1001}
    for name, size in sizes.items():
        done = work / f"{name}.done"
        program = platform.installer(
            work / name, sh=f"touch {done}\nexit 0\n#",
            cmd=f"echo done>{platform.path(done)}\nexit /b 0\n:")
        with open(program, "ab") as file:
            file.write(b"x" * (size - program.stat().st_size))
        assert program.stat().st_size == size
        repository.add_exec(name, "1", program)
    repository.publish()
    connect().add_service(repository.url, repository.root)
    done = cli.run("install", "one", "two", "huge")
    assert done.code == 3, done.stdout + done.stderr
    assert "cache_max_bytes" in done.stdout + done.stderr
    assert (work / "one.done").exists() and (work / "two.done").exists()
    assert not (work / "huge.done").exists()


@pytest.mark.root
def test_a_failed_upgrade_names_the_packages(api, stubs, repository, work, cli):
    name = "usher-integration-broken"
    try:
        repository.add_deb(packages.deb(work, name, "1.0-1"))
        repository.publish()
        api.add_service(repository.url, repository.root)
        assert cli.run("install", name).code == 0
        repository.add_deb(packages.deb(
            work, name, "1.1-1", scripts={"postinst": "echo no luck >&2; exit 1"}))
        repository.publish()
        assert cli.run("services", "refresh").code == 0
        failed = cli.run("install", name, "--json")
        assert failed.code == 1, failed.stdout + failed.stderr
        message = failed.json["updates"][0]["message"]
        assert f"{name}" in message and "1.1-1 half-configured" in message
        assert "was 1.0-1" in message and "no luck" in message
        entry = api.query_history()[0]
        assert entry.result_code == stubs.types.OPERATION_RESULT_CODE_FAILED
        assert entry.message == message
    finally:
        subprocess.run(["dpkg", "--purge", "--force-remove-reinstreq", name],
                       check=False, capture_output=True)
