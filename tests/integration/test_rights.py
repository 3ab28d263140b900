"""Who may do what: everyone reads, administrators change."""

import shutil

import grpc
import pytest

from harness import users
from harness.api import Api, Failure
from harness.cli import Cli

ACCESS_DENIED = 0x80070005


@pytest.fixture
def stranger(daemon, stubs, repository, work):
    """An unprivileged client beside root's, and a registered service."""
    repository.add_archive("thing", "1", {"thing": b"#!/bin/sh\n"})
    repository.publish()
    daemon.open_to_everyone()
    daemon.start()
    root = Api(stubs, daemon.address)
    service = root.add_service(repository.url, repository.root)
    with users.acting_as(users.ALICE):
        client = Api(stubs, daemon.address)
    yield client, service, root
    client.close()
    root.close()


@pytest.mark.root
def test_reads_everything(stranger, stubs):
    client, service, root = stranger
    session = root.open_session().session.name
    updates = root.search(session, "", service.service_id)
    root.download(session, updates)
    assert root.install(session, updates).hresult == 0

    mine = client.open_session().session.name
    assert [u.name for u in client.search(mine, "IsInstalled=1",
                                          service.service_id)] == ["thing"]
    assert len(client.query_history()) == 1
    listed = client.call(client.services.ListUpdateServices,
                         stubs.update_service.ListUpdateServicesRequest())
    assert [s.service_id for s in listed.services] == [service.service_id]
    info = client.call(client.system.GetSystemInformation,
                       stubs.system.GetSystemInformationRequest())
    assert info.caller == f"uid:{users.ALICE}"
    assert not info.caller_is_administrator


@pytest.mark.root
def test_changes_nothing(stranger, stubs, repository):
    client, service, root = stranger
    session = client.open_session().session.name
    update = client.search(session, "", service.service_id)[0]
    i, d, u = stubs.installer, stubs.downloader, stubs.update_state
    m = stubs.update_service
    refused = [
        lambda: client.call(client.installers.CreateInstaller,
                            i.CreateInstallerRequest(parent=session)),
        lambda: client.call(client.downloaders.CreateDownloader,
                            d.CreateDownloaderRequest(parent=session)),
        lambda: client.call(client.states.SetUpdateHidden,
                            u.SetUpdateHiddenRequest(
                                session=session, key=update.identity,
                                hidden=True)),
        lambda: client.call(client.states.AcceptEula, u.AcceptEulaRequest(
            session=session, key=update.identity)),
        lambda: client.call(client.services.RemoveUpdateService,
                            m.RemoveUpdateServiceRequest(
                                service_id=service.service_id)),
        lambda: client.add_service(repository.url, repository.root),
        lambda: client.call(client.services.AddScanPackageService,
                            m.AddScanPackageServiceRequest(
                                scan_file_location="/nowhere", flags=1,
                                root_metadata=repository.root)),
    ]
    # The names of installers are no way around, whoever's they are.
    theirs = root.begin_install(root.open_session("theirs").session.name, [update])
    for name in (f"{session}/installers/{'0' * 32}", theirs.parent, "nonsense"):
        refused += [
            lambda method=method, request=request: client.call(method, request)
            for method, request in (
                (client.installers.BeginInstall,
                 i.BeginInstallRequest(installer=name)),
                (client.installers.BeginUninstall,
                 i.BeginUninstallRequest(installer=name)),
                (client.installers.UpdateInstaller, i.UpdateInstallerRequest(
                    installer=i.Installer(name=name, is_forced=True),
                    update_mask={"paths": ["is_forced"]})),
                (client.installers.DeleteInstaller,
                 i.DeleteInstallerRequest(name=name)),
                (client.downloaders.BeginDownload, d.BeginDownloadRequest(
                    downloader=name.replace("installers", "downloaders"))),
                (client.downloaders.DeleteDownloader,
                 d.DeleteDownloaderRequest(
                     name=name.replace("installers", "downloaders"))),
            )]
    for call in refused:
        with pytest.raises(Failure) as caught:
            call()
        assert caught.value.code == grpc.StatusCode.PERMISSION_DENIED
        assert caught.value.hresult == ACCESS_DENIED
        assert caught.value.symbol == "E_ACCESSDENIED"

    # The installer of the administrator is still there, as it was.
    kept = root.call(root.installers.GetInstaller,
                     i.GetInstallerRequest(name=theirs.parent))
    assert not kept.is_forced
    result = root.call(root.installers.EndInstall,
                       i.EndInstallRequest(job=theirs.name))
    assert result.hresult == 0x80240022  # it was not downloaded
    # Only that attempt stands in the history.
    assert [e.client_application_id for e in root.query_history()] == ["theirs"]
    listed = root.search(root.open_session().session.name, "IsHidden=0",
                         service.service_id)
    assert [x.name for x in listed] == ["thing"]


@pytest.mark.root
def test_command_line_says_so(stranger, cli, work, monkeypatch):
    _, _, _ = stranger
    if cli.platform.sanitized and not users.may_enter(cli.platform.build):
        pytest.skip("the libraries of a sanitized build are in a folder that "
                    "other users cannot enter")
    # A checkout may lie in a folder that other users cannot enter.
    *prefix, binary = cli.platform.command("usher")
    reachable = shutil.copy(binary, work / "usher")
    monkeypatch.setattr(type(cli.platform), "command",
                        lambda self, name: [*prefix, str(reachable)])
    result = cli.run("install", "thing", "--json", user=users.ALICE)
    assert result.code != 0
    assert result.error["hresult"] == "0x80070005"
    assert result.error["symbol"] == "E_ACCESSDENIED"
    assert cli.run("search", "--json", user=users.ALICE).code == 0
    assert cli.run("history", "--json", user=users.ALICE).code == 0


@pytest.mark.root
def test_users_may_download_when_policy_says_so(daemon, stubs, repository):
    repository.add_archive("thing", "1", {"thing": b"#!/bin/sh\n"})
    repository.publish()
    daemon.open_to_everyone(policy="users_may_download = true")
    daemon.start()
    root = Api(stubs, daemon.address)
    service = root.add_service(repository.url, repository.root)
    with users.acting_as(users.ALICE):
        client = Api(stubs, daemon.address)
    session = client.open_session().session.name
    updates = client.search(session, "", service.service_id)
    assert client.download(session, updates).hresult == 0
    with pytest.raises(Failure) as caught:
        client.begin_install(session, updates)
    assert caught.value.hresult == ACCESS_DENIED
    client.close()
    root.close()


@pytest.mark.root
def test_users_cannot_shut_out_administrators(daemon, stubs, platform, work):
    """They take all sessions; root sees whose they are and closes one."""
    daemon.open_to_everyone()
    with daemon.config.open("a") as config:
        config.write("[limits]\nsessions = 3\n")
    daemon.start()
    with users.acting_as(users.ALICE):
        alice = Api(stubs, daemon.address)
    taken = [alice.open_session(f"session{n}").session.name for n in range(3)]
    with pytest.raises(Failure) as refused:
        alice.open_session("one more")
    assert refused.value.subject == "limits.sessions"

    cli = Cli(platform, daemon, work)
    listed = cli.run("sessions", "list", "--all", "--json")
    assert listed.code == 0, listed.stderr
    assert {session["name"] for session in listed.json["sessions"]
            if session["owner"] == f"uid:{users.ALICE}"} == set(taken)
    closed = cli.run("sessions", "close", taken[1].split("/")[1], "--json")
    assert closed.code == 0, closed.stderr
    assert closed.json["session"] == taken[1]
    s = stubs.session
    names = [session.name for session in alice.call(
        alice.sessions.ListSessions, s.ListSessionsRequest()).sessions]
    assert names == [taken[0], taken[2]]
    again = cli.run("sessions", "close", taken[1], "--json")
    assert again.code == 6  # nothing found
    assert taken[1] in again.error["message"]

    # Others close only their own.
    with users.acting_as(users.BOB):
        bob = Api(stubs, daemon.address)
    with pytest.raises(Failure) as refused:
        bob.call(bob.sessions.CloseSession, s.CloseSessionRequest(name=taken[0]))
    assert refused.value.code == grpc.StatusCode.NOT_FOUND
    bob.close()
    alice.close()
