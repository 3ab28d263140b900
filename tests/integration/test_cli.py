"""The command line: what scripts rely on."""

import json
import os
import shutil
import subprocess

import pytest

from harness import packages, users

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


@pytest.mark.wine_part(command=["search", "install"])
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
    program = daemon.installed("alpha", "alpha")
    assert daemon.run_installed("alpha", "alpha") == "alpha"

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


def test_services_sessions_status(cli, service, platform):
    services = cli.run("services", "--json")
    assert service.service_id in services.stdout
    assert cli.run("sessions", "--json").code == OK
    status = cli.run("status", "--json")
    assert status.code == OK
    assert platform.own_user() in status.stdout


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


# --- exit codes that nothing above ends with ---

def test_some_fail(api, cli, repository, work):
    repository.add_archive("good", "1", {"good": b"#!/bin/sh\n"})
    repository.add_exec("broken", "1",
                        packages.script(work / "broken.sh", "exit 42\n"))
    repository.publish()
    api.add_service(repository.url, repository.root)
    result = cli.run("install", "good", "broken", "--json")
    assert result.code == PARTLY
    assert result.json["exit_code"] == PARTLY
    assert result.json["result_code"] == "SucceededWithErrors"
    outcome = {u["name"]: u["result_code"] for u in result.json["updates"]}
    assert outcome == {"good": "Succeeded", "broken": "Failed"}
    # All of what is left: nothing but a failure.
    assert cli.run("install", "broken").code == FAILED


def test_restart_required(api, cli, platform, repository, work):
    repository.add_exec(
        "agent", "1",
        platform.installer(work / "agent", sh="exit 10\n", cmd="exit /b 10\n"),
        exit_codes={10: "success_reboot_required"})
    repository.publish()
    api.add_service(repository.url, repository.root)
    result = cli.run("install", "agent", "--json")
    assert result.code == RESTART
    assert result.json["exit_code"] == RESTART
    assert result.json["reboot_required"]


@pytest.mark.root
def test_access_denied(cli, daemon, connect, repository, work, monkeypatch):
    if cli.platform.sanitized and not users.may_enter(cli.platform.build):
        pytest.skip("the libraries of a sanitized build are in a folder that "
                    "other users cannot enter")
    repository.add_archive("alpha", "1", {"alpha": b"#!/bin/sh\n"})
    repository.publish()
    daemon.open_to_everyone()
    daemon.start()
    connect().add_service(repository.url, repository.root)
    # A checkout may lie in a folder that other users cannot enter.
    reachable = shutil.copy(cli.platform.command("usher")[0], work / "usher")
    monkeypatch.setattr(type(cli.platform), "command",
                        lambda self, name: [str(reachable)])
    for words in (["install", "alpha"], ["uninstall", "alpha", "--force"],
                  ["download", "alpha"], ["hide", "alpha"],
                  ["accept-eula", "alpha"],
                  ["sessions", "--all"]):
        result = cli.run(*words, "--json", user=users.ALICE)
        assert result.code == DENIED, (words, result.stdout)
        assert result.json["exit_code"] == DENIED
        assert result.error["symbol"] == "E_ACCESSDENIED"
        plain = cli.run(*words, user=users.ALICE)
        assert plain.code == DENIED
        assert "administrator" in plain.stderr
    assert cli.run("search", user=users.ALICE).code == OK


def test_too_many_connections_say_so(cli, daemon, connect):
    daemon.configure("[limits]\nconnections_per_user = 1\n")
    daemon.start()
    api = connect()
    api.open_session()
    result = cli.run("status")
    assert result.code == NO_SERVICE
    assert "limits.connections_per_user" in result.stderr


# --- licence terms ---

def test_licence_terms_are_accepted_once(cli, licensed, daemon):
    assert "Thou shalt not sue." in cli.run("show", "licensed").stdout

    # Nobody is there to be asked, and --yes is not an acceptance.
    refused = cli.run("install", "licensed", "--yes", "--json")
    assert refused.code == FAILED
    assert refused.error["symbol"] == "WU_E_EULAS_DECLINED"
    assert "--accept-eula" in refused.error["advice"]
    [update] = cli.run("search", "--json").json["updates"]
    assert not update["eula_accepted"] and not update["is_downloaded"]
    assert not daemon.installed("licensed", "run").exists()

    accepted = cli.run("accept-eula", "licensed")
    assert accepted.code == OK
    assert "licence terms accepted" in accepted.stdout
    [update] = cli.run("search", "--json").json["updates"]
    assert update["eula_accepted"]
    assert cli.run("install", "licensed", "--yes").code == OK
    assert daemon.run_installed("licensed", "run") == "ran"


def test_licence_terms_are_accepted_with_the_installation(cli, licensed):
    assert cli.run("install", "--all", "--accept-eula").code == OK


# --- a repository that cannot be reached ---

def test_old_catalogs_are_not_used_in_silence(cli, daemon, connect, repository):
    # Every search looks for news.
    daemon.configure('[repository]\nrefresh_interval = "0s"\n')
    daemon.start()
    repository.add_archive("alpha", "1", {"alpha": b"#!/bin/sh\n"})
    repository.add_archive("beta", "1", {"beta": b"#!/bin/sh\n"})
    repository.publish()
    connect().add_service(repository.url, repository.root)
    assert cli.run("download", "alpha", "beta").code == OK
    repository.published.rename(repository.published.with_suffix(".away"))
    for words in (["show", "alpha"], ["install", "alpha"],
                  ["install", "--all"], ["uninstall", "alpha"],
                  ["hide", "beta"]):
        plain = cli.run(*words, "--offline")
        assert "warning:" not in plain.stderr, words
    for words in (["show", "alpha"], ["install", "no-such-update"],
                  ["unhide", "beta"], ["install", "--all", "--force"],
                  ["uninstall", "alpha", "beta"], ["search", "--all"]):
        plain = cli.run(*words)
        assert plain.stderr.count("warning:") == 1, (words, plain.stderr)
        answer = cli.run(*words, "--json")
        [warning] = answer.json["warnings"]
        assert warning["message"] and warning["hresult"] != "0x00000000"
        assert warning["message"] in plain.stderr
        assert "warning:" not in answer.stderr
        assert answer.json["exit_code"] == answer.code
    assert cli.run("show", "alpha", "--quiet").stderr == ""
    assert cli.run("show", "alpha", "--offline", "--json").json[
        "warnings"] == []


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


def test_output_to_a_closed_pipe_ends_quietly(cli, service, platform):
    done = subprocess.run(
        ["sh", "-c", '"$@" search --json | true', "sh",
         *platform.command("usher")], env=cli.environment(),
        capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "terminate" not in done.stderr
