"""Scan packages: a repository in one file, without any server or network."""

import os
import shutil
import subprocess
import threading
import time

import pytest

from harness import packages
from harness.api import Failure
from harness.scan_package import pack

UNTRUSTED = {"WU_E_METADATA_BAD_SIGNATURE",
             "WU_E_METADATA_SIGNATURE_VERIFY_FAILED",
             "WU_E_DM_INCORRECTFILEHASH"}
NO_PACKAGE = "WU_E_OL_INVALID_SCANFILE"
PATIENCE = 120  # seconds; only a hang reaches it


@pytest.fixture
def published(repository):
    repository.add_archive("thing", "1", {"thing": b"#!/bin/sh\necho one\n"})
    repository.publish()
    return repository


@pytest.fixture
def first(published, work):
    return pack(published.published, work / "first.usp")


@pytest.fixture
def second(first, published, work):
    """A newer package of the same repository."""
    published.add_archive("thing", "2", {"thing": b"#!/bin/sh\necho two\n"})
    published.publish()
    return pack(published.published, work / "second.usp")


def add(api, path, root, flags=1, **fields):
    return api.call(api.services.AddScanPackageService,
                    api.stubs.update_service.AddScanPackageServiceRequest(
                        scan_file_location=api.path(path),
                        root_metadata=root, flags=flags, **fields))


def refused(api, path, root, **fields):
    with pytest.raises(Failure) as caught:
        add(api, path, root, **fields)
    return caught.value


def services(api):
    return list(api.call(
        api.services.ListUpdateServices,
        api.stubs.update_service.ListUpdateServicesRequest()).services)


def remove(api, service):
    api.call(api.services.RemoveUpdateService,
             api.stubs.update_service.RemoveUpdateServiceRequest(
                 service_id=service.service_id))


def kept(daemon):
    """The folders of packages that the service has."""
    folder = daemon.state / "scan-packages"
    return list(folder.iterdir()) if folder.exists() else []


def assert_nothing_kept(daemon, api):
    assert not services(api)
    assert not kept(daemon)
    assert not list((daemon.state / "cache/catalogs").iterdir())


def offered(api, service):
    session = api.open_session().session.name
    return [u.version for u in api.search(session, "IsInstalled=0",
                                          service.service_id, online=True)]


def run_installed(api, daemon, service):
    """Downloads and installs what is offered; what the program says."""
    session = api.open_session().session.name
    updates = api.search(session, "IsInstalled=0", service.service_id)
    result = api.download(session, updates)
    assert result.hresult == 0, result
    assert api.install(session, updates).hresult == 0
    return daemon.run_installed("thing", "thing")


def until(condition):
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline


def test_the_whole_job(api, connect, stubs, platform, daemon, published, first):
    root = published.root
    service = add(api, first, root, service_name="On a stick")
    assert service.is_scan_package_service and not service.is_volatile
    assert not service.can_register_with_au
    assert service.name == "On a stick"
    assert service.update_count == 1 and service.root_version == 1
    assert service.service_url.startswith(
        platform.url(daemon.state / "scan-packages"))
    assert services(api) == [service]
    # Neither the package nor what it was made of is needed any more.
    first.unlink()
    shutil.rmtree(published.folder)
    if platform.has_modes:
        for folder, _, files in os.walk(daemon.state / "scan-packages"):
            assert os.stat(folder).st_mode & 0o077 == 0
            for name in files:
                assert os.stat(os.path.join(folder, name)).st_mode & 0o077 == 0

    daemon.stop()
    daemon.start()
    api = connect()
    assert offered(api, service) == ["1"]
    assert run_installed(api, daemon, service) == "one"
    assert offered(api, service) == []
    entry, = api.query_history()
    assert entry.service_id == service.service_id
    assert entry.result_code == stubs.types.OPERATION_RESULT_CODE_SUCCEEDED
    assert not api.refresh(service.service_id).changed

    remove(api, service)
    assert_nothing_kept(daemon, api)
    assert len(api.query_history()) == 1


def flip(data):
    changed = bytearray(data)
    changed[len(changed) // 2] ^= 0x01
    return bytes(changed)


@pytest.mark.wine_part(kind=["catalog", "payload"])
@pytest.mark.parametrize("kind", ["root", "timestamp", "snapshot", "targets",
                                  "catalog", "payload"])
def test_a_changed_byte_is_refused(api, daemon, published, work, kind):
    root = published.root
    published.rotate_root()
    path = pack(published.published, work / "bad.usp", change={kind: flip})
    failure = refused(api, path, root)
    assert failure.symbol in UNTRUSTED, failure
    assert kind in failure.subject + failure.message, failure
    assert_nothing_kept(daemon, api)


@pytest.mark.wine_part(kind=["catalog"])
@pytest.mark.parametrize("kind", ["timestamp", "snapshot", "targets",
                                  "catalog"])
def test_a_missing_file_is_named(api, daemon, published, work, kind):
    path = pack(published.published, work / "bad.usp", leave_out=[kind])
    failure = refused(api, path, published.root)
    assert failure.symbol == NO_PACKAGE, failure
    assert kind in failure.subject + failure.message, failure
    assert_nothing_kept(daemon, api)


def test_a_package_may_come_without_payloads(api, published, work):
    path = pack(published.published, work / "bare.usp", leave_out=["payload"])
    service = add(api, path, published.root)
    session = api.open_session().session.name
    updates = api.search(session, "", service.service_id)
    assert [u.name for u in updates] == ["thing"]
    result = api.download(session, updates)
    assert result.update_results[0].hresult == 0x80070002, result


def test_what_is_no_package(api, platform, daemon, published, first, work):
    whole = first.read_bytes()
    bad = work / "bad.usp"
    for size in (0, 1, 512, 700, len(whole) // 2, len(whole) - 10240):
        bad.write_bytes(whole[:size])
        assert refused(api, bad, published.root).symbol == NO_PACKAGE, size
    bad.write_bytes(b"no tar at all" * 1000)
    assert refused(api, bad, published.root).symbol == NO_PACKAGE
    pack(published.published, bad, compression="gz")
    assert refused(api, bad, published.root).symbol == NO_PACKAGE
    # A whole folder, as tar packs it: with entries for the folders.
    for form, reason in (("pax", "regular file"), ("gnu", "ustar or pax")):
        subprocess.run(["tar", "-C", published.published, f"--format={form}",
                        "-cf", bad, "metadata", "targets"], check=True)
        failure = refused(api, bad, published.root)
        assert failure.symbol == NO_PACKAGE and reason in failure.message
    assert refused(api, work, published.root).symbol == "WU_E_INVALID_FILE"
    if platform.name == "linux":  # no other has them
        os.mkfifo(work / "pipe")
        assert refused(api, work / "pipe",
                       published.root).symbol == "WU_E_INVALID_FILE"
    assert_nothing_kept(daemon, api)


def test_a_stranger_s_root_is_refused(api, daemon, platform, work, published,
                                      first):
    other = type(published)(platform, work / "other", work / "other-sources")
    other.publish()
    assert refused(api, first, other.root).symbol in UNTRUSTED
    assert refused(api, first, b"{}").symbol in UNTRUSTED
    assert_nothing_kept(daemon, api)


def test_arguments(api, daemon, published, first, work):
    root = published.root
    for subject, arguments in (
            ("scan_file_location", {"path": "first.usp", "root": root}),
            ("scan_file_location", {"path": "", "root": root}),
            ("root_metadata", {"path": first, "root": b""}),
            ("root_metadata", {"path": first, "root": b"x" * (512 * 1024 + 1)}),
            ("flags", {"path": first, "root": root, "flags": 2}),
            ("session", {"path": first, "root": root, "flags": 0}),
            ("service_name", {"path": first, "root": root,
                              "service_name": "x" * 257})):
        failure = refused(api, **arguments)
        assert failure.hresult == 0x80070057, failure
        assert failure.subject == subject
    assert refused(api, work / "none.usp", root).hresult == 0x80070002
    assert refused(api, first, root, flags=0,
                   session="sessions/" + "0" * 32).code.name == "NOT_FOUND"
    assert_nothing_kept(daemon, api)


def test_a_newer_package_replaces_and_an_older_does_not(
        api, daemon, published, first, second):
    root = published.root
    service = add(api, first, root, service_name="stick")
    assert offered(api, service) == ["1"]
    newer = add(api, second, root)
    assert newer.service_id == service.service_id
    assert newer.name == "stick"
    assert newer.issue_date == service.issue_date
    assert newer.update_count == 2
    assert newer.service_url != service.service_url
    assert services(api) == [newer]
    assert len(kept(daemon)) == 1

    failure = refused(api, first, root)
    assert failure.symbol == "WU_E_REDIRECTOR_ID_SMALLER", failure
    assert services(api) == [newer]
    assert len(kept(daemon)) == 1
    # The same again changes nothing to be seen.
    assert add(api, second, root).update_count == 2
    assert offered(api, newer) == ["2"]
    assert run_installed(api, daemon, newer) == "two"


def test_searches_see_the_old_or_the_new(api, connect, published, first,
                                         second, work):
    root = published.root
    service = add(api, first, root)
    published.add_archive("thing", "3", {"thing": b"#!/bin/sh\necho 3\n"})
    published.publish()
    third = pack(published.published, work / "third.usp")
    seen = []
    adding = threading.Thread(
        target=lambda: [add(connect(), path, root) for path in (second, third)])
    session = api.open_session().session.name
    adding.start()
    while adding.is_alive():
        updates = api.search(session, "", service.service_id,
                             include_potentially_superseded_updates=True)
        seen.append([u.version for u in updates])
        urls = {content.download_url.split("/scan-packages/")[1].split("/")[0]
                for update in updates for content in update.download_contents}
        assert len(urls) == 1, urls
    adding.join()
    for versions in seen:
        assert sorted(versions) in (["1"], ["1", "2"], ["1", "2", "3"])
    assert [len(v) for v in seen] == sorted(len(v) for v in seen)
    assert offered(api, service) == ["3"]


def test_a_bad_newer_package_changes_nothing(api, daemon, published, first,
                                             second, work):
    root = published.root
    service = add(api, first, root)
    for kind in ("timestamp", "snapshot", "targets", "catalog", "payload"):
        bad = pack(published.published, work / "bad.usp", change={kind: flip})
        assert refused(api, bad, root).symbol in UNTRUSTED
    assert services(api) == [service]
    assert len(kept(daemon)) == 1
    assert not api.refresh(service.service_id).changed
    assert run_installed(api, daemon, service) == "one"
    add(api, second, root)
    assert run_installed(api, daemon, service) == "two"


def test_the_root_goes_on(api, published, first, second, work):
    root = published.root
    service = add(api, first, root)
    timestamp = published.published / "metadata/timestamp.json"
    before = timestamp.read_bytes()
    published.rotate_root()
    # A new root alone, so that nothing else makes the second one old.
    timestamp.write_bytes(before)
    third = pack(published.published, work / "third.usp")
    assert add(api, third, root).root_version == 2
    # A root that has been replaced is still good to begin with.
    assert add(api, third, root).root_version == 2
    # Nor is it ever trusted again.
    assert add(api, second, root).root_version == 2
    assert services(api)[0].service_id == service.service_id


def test_a_url_and_a_package_do_not_mix(api, published, first):
    root = published.root
    online = api.add_service(published.url, root)
    failure = refused(api, first, root)
    assert failure.symbol == "WU_E_DS_ROWEXISTS"
    assert published.url in failure.message
    assert services(api) == [online]
    remove(api, online)
    package = add(api, first, root)
    with pytest.raises(Failure) as caught:
        api.add_service(published.url, root)
    assert caught.value.symbol == "WU_E_DS_ROWEXISTS"
    with pytest.raises(Failure) as caught:
        api.add_service(published.url, root, service_id=package.service_id)
    assert caught.value.symbol == "WU_E_DS_ROWEXISTS"
    assert services(api) == [package]


def test_only_who_asks_searches_a_package(api, platform, work, published,
                                          first):
    package = add(api, first, published.root)
    session = api.open_session().session.name
    assert len(api.search(session, "")) == 1  # there is nothing else
    other = type(published)(platform, work / "other", work / "other-sources")
    other.publish()
    api.add_service(other.url, other.root)
    assert not api.search(session, "")
    assert len(api.search(session, "", package.service_id)) == 1


def test_an_expired_package_says_when(api, daemon, repository, work):
    repository.add_archive("thing", "1", {"thing": b"#!/bin/sh\n"})
    repository.publish(long_ago=True)
    path = pack(repository.published, work / "old.usp")
    failure = refused(api, path, repository.root)
    assert failure.symbol == "CERT_E_EXPIRED"
    assert "expired at 20" in failure.message
    assert "new scan package" in failure.message
    assert_nothing_kept(daemon, api)


def test_volatile_ends_with_its_session(api, daemon, connect, published, first,
                                        second):
    root = published.root
    session = api.open_session("owner").session.name
    service = add(api, first, root, flags=0, session=session)
    assert service.is_volatile
    # It outlives a restart, as its session does.
    daemon.stop()
    daemon.start()
    api = connect()
    assert [s.service_id for s in services(api)] == [service.service_id]
    assert offered(api, service) == ["1"]
    assert add(api, second, root, flags=0, session=session).is_volatile
    other = api.open_session("other").session.name
    close(api, other)
    assert len(services(api)) == 1
    close(api, session)
    until(lambda: not services(api))
    until(lambda: not kept(daemon))

    # Registered for good, it is not made volatile.
    session = api.open_session("owner").session.name
    assert add(api, second, root, flags=0, session=session).is_volatile
    assert not add(api, second, root, flags=1).is_volatile
    assert not add(api, second, root, flags=0, session=session).is_volatile
    close(api, session)
    assert offered(api, service) == ["2"]


def close(api, session):
    api.call(api.sessions.CloseSession,
             api.stubs.session.CloseSessionRequest(name=session))


def test_volatile_does_not_come_back_without_its_session(
        api, daemon, connect, published, first):
    session = api.open_session("owner").session.name
    add(api, first, published.root, flags=0, session=session)
    daemon.stop()
    for path in daemon.state.glob("scan-packages/*/session"):
        path.write_text("0" * 32)
    daemon.start()
    assert_nothing_kept(daemon, connect())


def test_a_cancelled_call_leaves_nothing(api, stubs, daemon, repository, work):
    repository.add_exec("large", "1", packages.script(
        work / "large.sh", "exit 0\n#" + "x" * (256 << 20) + "\n"))
    repository.publish()
    path = pack(repository.published, work / "large.usp")
    call = api.services.AddScanPackageService.future(
        stubs.update_service.AddScanPackageServiceRequest(
            scan_file_location=api.path(path),
            root_metadata=repository.root, flags=1))
    until(lambda: any(daemon.state.glob(
        "scan-packages/*/repository/targets/payloads/*/*")))
    call.cancel()
    until(lambda: not kept(daemon))
    assert_nothing_kept(daemon, api)


NEW = ["repository.targets_written", "services.scan_package_copied",
       "services.scan_package_loaded"]
REPLACED = [*NEW, "services.scan_package_named", "services.scan_package_kept"]


def add_and_die(daemon, connect, path, root):
    api = connect()
    with pytest.raises(Failure):
        add(api, path, root)
    daemon.wait_exit()
    daemon.start()
    return connect()


@pytest.mark.wine_part(point=NEW[1:2])
@pytest.mark.parametrize("point", NEW)
def test_killed_while_a_package_is_added(platform, daemon, connect, published,
                                         first, point):
    if not platform.has_fault_points:
        pytest.skip("this build has no fault points")
    daemon.start({"USHER_FAULT": point})
    api = add_and_die(daemon, connect, first, published.root)
    assert_nothing_kept(daemon, api)
    service = add(api, first, published.root)
    assert run_installed(api, daemon, service) == "one"


@pytest.mark.wine_part(point=["services.scan_package_loaded"])
@pytest.mark.parametrize("point", REPLACED)
def test_killed_while_a_package_is_replaced(platform, daemon, connect,
                                            published, first, second, point):
    if not platform.has_fault_points:
        pytest.skip("this build has no fault points")
    daemon.start()
    before = add(connect(), first, published.root, service_name="stick")
    daemon.stop()
    daemon.start({"USHER_FAULT": point})
    api = add_and_die(daemon, connect, second, published.root)
    service, = services(api)
    assert service.name == "stick"
    assert len(kept(daemon)) == 1
    # Old or new, and all of it.
    old = service.service_url == before.service_url
    assert old == (point in NEW[:2])
    assert offered(api, service) == (["1"] if old else ["2"])
    assert run_installed(api, daemon, service) == ("one" if old else "two")
    assert add(api, second, published.root).update_count == 2
    assert len(kept(daemon)) == 1


def test_killed_while_a_package_is_removed(platform, daemon, connect, published,
                                           first):
    if not platform.has_fault_points:
        pytest.skip("this build has no fault points")
    daemon.start({"USHER_FAULT": "services.catalog_removed"})
    api = connect()
    service = add(api, first, published.root)
    with pytest.raises(Failure):
        remove(api, service)
    daemon.wait_exit()
    daemon.start()
    api = connect()
    # It stays, and all of it: the next search brings its catalog back.
    assert services(api)[0].service_url == service.service_url
    assert offered(api, service) == ["1"]
    assert run_installed(api, daemon, service) == "one"
    remove(api, service)
    assert_nothing_kept(daemon, api)


def test_the_newer_package_is_lost_after_a_kill(platform, daemon, connect,
                                                published, first, second):
    if not platform.has_fault_points:
        pytest.skip("this build has no fault points")
    daemon.start()
    add(connect(), first, published.root)
    daemon.stop()
    daemon.start({"USHER_FAULT": "services.scan_package_loaded"})
    api = connect()
    with pytest.raises(Failure):
        add(api, second, published.root)
    daemon.wait_exit()
    newer, = (path for path in kept(daemon)
              if not (path / "successor").exists())
    shutil.rmtree(newer)
    daemon.start()
    api = connect()
    service, = services(api)
    assert offered(api, service) == ["1"]
    assert run_installed(api, daemon, service) == "one"


def test_the_state_folder_may_move(platform, daemon, connect, published, first,
                                   work):
    daemon.start()
    service = add(connect(), first, published.root)
    daemon.stop()
    daemon.move(work / "moved")
    daemon.start()
    api = connect()
    assert services(api)[0].service_url.startswith(platform.url(daemon.state))
    assert run_installed(api, daemon, service) == "one"


@pytest.mark.root
def test_a_full_disk_leaves_nothing(daemon, connect, repository, work):
    daemon.state.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=12m,mode=0755", "tmpfs",
         str(daemon.state)], capture_output=True, text=True, check=False)
    if mounted.returncode != 0:
        pytest.skip("mounting is not permitted here: " + mounted.stderr.strip())
    try:
        repository.add_archive("thing", "1", {"thing": b"#!/bin/sh\n"})
        repository.publish()
        small = pack(repository.published, work / "small.usp")
        repository.add_archive("large", "1", {"noise": os.urandom(16 << 20)})
        repository.publish()
        large = pack(repository.published, work / "large.usp")
        daemon.start()
        api = connect()
        failure = refused(api, large, repository.root)
        assert failure.hresult == 0x80070070, failure
        assert_nothing_kept(daemon, api)
        assert add(api, small, repository.root).update_count == 1
        assert daemon.stop()[0] == 0
    finally:
        subprocess.run(["umount", "-l", str(daemon.state)], check=False)


def test_command_line(api, cli, published, first, work):
    root = work / "root.json"
    root.write_bytes(published.root)
    # Its working folder is not the service's.
    done = cli.run("services", "add-scan-package", first.relative_to("/"),
                   "--root", root, "--name", "stick", "--json")
    assert done.code == 0, done.stdout
    service = done.json["service"]
    assert done.json["command"] == "services add-scan-package"
    assert service["name"] == "stick"
    assert service["is_scan_package_service"] and not service["is_volatile"]
    assert cli.run("install", "thing", "--service", "stick").code == 0
    assert cli.run("services", "remove", "stick").code == 0
    assert not services(api)

    done = cli.run("services", "add-scan-package", first, "--root", root,
                   "--volatile")
    assert done.code == 0, done.stderr
    assert "until this client's session ends" in done.stdout
    assert services(api)[0].is_volatile

    (work / "bad.usp").write_bytes(b"no tar")
    done = cli.run("services", "add-scan-package", work / "bad.usp", "--root",
                   root, "--json")
    assert done.code == 1
    assert done.error["symbol"] == NO_PACKAGE
    assert cli.run("services", "add-scan-package", first).code == 2
    assert cli.run("services", "add-scan-package", work / "none.usp", "--root",
                   root).code == 2
    assert "usher-publish pack" in cli.run("services", "add-scan-package",
                                           "--help").stdout
