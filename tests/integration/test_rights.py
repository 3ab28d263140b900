"""Who may do what: everyone reads, administrators change."""

import shutil

import pytest

from harness import users
from harness.api import Api, Failure

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
        lambda: client.begin_install(session, [update]),
        lambda: client.begin_install(session, [update], uninstall=True),
        lambda: client.begin_download(session, [update]),
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
        # The installer's own names are no way around either.
        lambda: client.call(client.installers.BeginInstall,
                            i.BeginInstallRequest(
                                installer=f"{session}/installers/{'0' * 32}")),
    ]
    for call in refused[:-1]:
        with pytest.raises(Failure) as caught:
            call()
        assert caught.value.hresult == ACCESS_DENIED
        assert caught.value.symbol == "E_ACCESSDENIED"
    with pytest.raises(Failure) as caught:
        refused[-1]()
    assert caught.value.code.name in ("PERMISSION_DENIED", "NOT_FOUND")

    listed = root.search(root.open_session().session.name, "IsHidden=0",
                         service.service_id)
    assert [x.name for x in listed] == ["thing"]
    assert not root.query_history()


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
