"""The command line: what scripts rely on."""

import json
import os
import subprocess

import pytest

OK, FAILED, USAGE, PARTLY, DENIED, NO_SERVICE, NOTHING = range(7)
RESTART = 8

COMMANDS = ["search", "show", "download", "install", "uninstall", "history",
            "hide", "unhide", "accept-eula", "services", "sessions", "status"]


@pytest.fixture
def service(api, repository):
    repository.add_archive("alpha", "1", {"alpha": b"#!/bin/sh\necho alpha\n"})
    repository.add_archive("beta", "1", {"beta": b"#!/bin/sh\necho beta\n"})
    repository.publish()
    return api.add_service(repository.url, repository.root)


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_each_command_has_an_example(cli, command):
    result = cli.run(command, "--help")
    assert result.code == OK
    assert f"usher {command}" in result.stdout


def test_version(cli):
    result = cli.run("--version")
    assert result.code == OK
    assert result.stdout.strip()


def test_a_job_that_somebody_ended_can_be_dropped(api, cli, service, stubs):
    session = api.open_session("script").session.name
    updates = api.search(session, "", service.service_id)
    job = api.begin_download(session, updates).name
    api.call(api.downloaders.EndDownload,
             stubs.downloader.EndDownloadRequest(job=job))
    assert len(api.list_jobs(session)) == 1
    ended = cli.run("--client-id", "script", "jobs", "end", job, "--json")
    assert ended.code == OK, ended.stderr
    assert ended.json["result_code"] == "Succeeded"
    assert len(api.list_jobs(session)) == 0


def test_main_job_in_json(cli, service, daemon):
    found = cli.run("search", "--json")
    assert found.code == OK
    assert sorted(u["name"] for u in found.json["updates"]) == ["alpha", "beta"]
    assert not any(u["is_installed"] for u in found.json["updates"])

    shown = cli.run("show", "alpha", "--json")
    assert shown.code == OK
    assert "alpha" in shown.stdout

    assert cli.run("download", "alpha", "--json").json["result_code"]
    installed = cli.run("install", "alpha", "--json")
    assert installed.code == OK, installed.stderr
    program = daemon.state / "products/alpha/current/alpha"
    assert subprocess.run([program], capture_output=True, text=True,
                          check=True).stdout == "alpha\n"

    history = cli.run("history", "--json")
    assert len(history.json["entries"]) == 1

    assert cli.run("uninstall", "alpha", "--json").code == OK
    again = cli.run("uninstall", "alpha")
    assert again.code == NOTHING and "alpha 1 is not installed" in again.stderr
    nothing = cli.run("uninstall", "gamma")
    assert nothing.code == NOTHING
    assert "no update is named gamma" in nothing.stderr
    assert not program.exists()


def test_same_in_plain_text(cli, service):
    found = cli.run("search")
    assert found.code == OK
    assert "alpha" in found.stdout and "beta" in found.stdout
    assert "\x1b" not in found.stdout + found.stderr
    installed = cli.run("install", "alpha", "--yes")
    assert installed.code == OK, installed.stderr
    assert "\r" not in installed.stdout + installed.stderr
    assert "alpha" in cli.run("history").stdout


def test_hiding(cli, service):
    assert cli.run("hide", "alpha").code == OK
    names = [u["name"] for u in cli.run("search", "--json").json["updates"]]
    assert names == ["beta"]
    assert cli.run("unhide", "alpha").code == OK
    assert len(cli.run("search", "--json").json["updates"]) == 2


def test_services_sessions_status(cli, service):
    services = cli.run("services", "--json")
    assert service.service_id in services.stdout
    assert cli.run("sessions", "--json").code == OK
    status = cli.run("status", "--json")
    assert status.code == OK
    assert f"uid:{os.geteuid()}" in status.stdout


def test_nobody_answers(cli):
    result = cli.run("search", "--json")
    assert result.code == NO_SERVICE
    assert result.error["symbol"] == "WU_E_NO_SERVICE"
    plain = cli.run("search")
    assert plain.code == NO_SERVICE
    assert "usherd" in plain.stderr
    assert not plain.stdout


def test_bad_criteria(cli, service):
    result = cli.run("search", "--criteria", "IsInstalled=7", "--json")
    assert result.code == FAILED
    assert result.error["hresult"] == "0x80240032"
    assert result.error["symbol"] == "WU_E_INVALID_CRITERIA"
    assert result.error["message"]


def test_usage_errors(cli):
    assert cli.run("no-such-command").code == USAGE
    assert cli.run("search", "--no-such-option").code == USAGE


def test_usage_errors_in_json_say_their_exit_code(cli):
    for words, named in ((["no-such-command"], "no-such-command"),
                         (["history", "--limit", "-3"], "--limit"),
                         (["services", "no-such-command"], "no-such-command")):
        result = cli.run("--json", *words)
        assert result.code == USAGE
        assert json.loads(result.stdout)["exit_code"] == USAGE
        assert named in result.error["message"]
        assert len(result.error["message"]) < 200
        assert named in cli.run(*words).stderr


def test_unknown_update(cli, service):
    result = cli.run("install", "no-such-update", "--json")
    assert result.code == NOTHING
    json.loads(result.stdout)


def test_damaged_payload_is_a_failure(cli, service, repository):
    for path in repository.published.glob("targets/payloads/*/*"):
        path.write_bytes(b"\0" * path.stat().st_size)
    result = cli.run("install", "alpha", "--json")
    assert result.code == FAILED
    assert "0x80246002" in result.stdout


def test_output_to_a_closed_pipe_ends_quietly(cli, service, platform, daemon):
    done = subprocess.run(
        ["sh", "-c", f"{platform.command('usher')[0]} search --json | true"],
        env={**os.environ, "USHER_ADDRESS": str(daemon.address)},
        capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "terminate" not in done.stderr
