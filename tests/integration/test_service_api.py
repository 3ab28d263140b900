"""What every gRPC service offers besides its own calls, and size."""

import re

import grpc
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool

from harness.api import Failure

SERVICES = {"SessionService", "SearcherService", "DownloaderService",
            "InstallerService", "JobService", "UpdateStateService",
            "HistoryService", "UpdateServiceManager", "SystemService"}


def test_health_of_each_service(api, stubs):
    h = stubs.health
    for service in ["", *(f"usher.v1.{name}" for name in SERVICES)]:
        answer = api.call(api.health.Check,
                          h.HealthCheckRequest(service=service))
        assert answer.status == h.HealthCheckResponse.SERVING, service
    with pytest.raises(Failure) as caught:
        api.call(api.health.Check, h.HealthCheckRequest(service="no.such"))
    assert caught.value.code == grpc.StatusCode.NOT_FOUND


def test_health_is_watched_until_the_service_stops(api, stubs, daemon):
    h = stubs.health
    unknown = api.stream(api.health.Watch,
                         h.HealthCheckRequest(service="no.such"))
    assert next(unknown).status == h.HealthCheckResponse.SERVICE_UNKNOWN
    watch = api.stream(api.health.Watch, h.HealthCheckRequest())
    assert next(watch).status == h.HealthCheckResponse.SERVING
    assert daemon.stop()[0] == 0
    assert next(watch).status == h.HealthCheckResponse.NOT_SERVING
    with pytest.raises(Failure) as caught:
        next(watch)
    assert caught.value.symbol == "WU_E_SERVICE_STOP"


def test_reflection_describes_all(api, stubs):
    """As a tool does: ask for the names, then for the files of each, and read
    them into a pool."""
    r = stubs.reflection
    stub = stubs.reflection_grpc.ServerReflectionStub(api.channel)

    def ask(**question):
        (answer,) = stub.ServerReflectionInfo(
            iter([r.ServerReflectionRequest(**question)]))
        return answer
    listed = {s.name
              for s in ask(list_services="*").list_services_response.service}
    assert listed == {f"usher.v1.{name}" for name in SERVICES} | {
        "grpc.health.v1.Health", "grpc.reflection.v1alpha.ServerReflection"}
    for name in listed:
        answer = ask(file_containing_symbol=name).file_descriptor_response
        files = {file.name: file for file in map(
            descriptor_pb2.FileDescriptorProto.FromString,
            answer.file_descriptor_proto)}
        pool = descriptor_pool.DescriptorPool()

        def add(file):
            if file is not None:
                for needed in file.dependency:
                    add(files.pop(needed, None))
                pool.AddSerializedFile(file.SerializeToString())
        while files:
            add(files.popitem()[1])
        assert pool.FindServiceByName(name).methods, name
    assert not ask(file_containing_symbol="no.such").HasField(
        "file_descriptor_response")


def test_agent_info(api, stubs):
    info = api.call(api.system.GetAgentInfo,
                    stubs.system.GetAgentInfoRequest())
    assert (info.api_major_version, info.api_minor_version) == (8, 0)
    assert info.product_version_string.count(".") == 2


def test_request_id_of_the_caller_reaches_error_and_log(api, stubs, daemon):
    with pytest.raises(Failure) as caught:
        api.call(api.sessions.GetSession,
                 stubs.session.GetSessionRequest(name="sessions/" + "0" * 32),
                 metadata=[("x-usher-request-id", "test.request-42")])
    assert caught.value.request_id == "test.request-42"
    assert caught.value.code == grpc.StatusCode.NOT_FOUND
    daemon.stop()
    logged = "".join(p.read_text() for p in
                     (daemon.state / "log").glob("*.log")) + daemon.output
    assert "test.request-42" in logged


def logged(daemon):
    """The lines of the daemon's log, once it has stopped."""
    daemon.stop()
    return [line for path in sorted((daemon.state / "log").glob("*.log"))
            for line in path.read_text().splitlines()]


def test_lines_of_a_job_carry_the_id_of_the_call_that_began_it(
        daemon, connect, stubs, repository):
    daemon.configure('[repository]\nrefresh_interval = "0s"\n'
                     '[log]\nlevel = "debug"\n')
    daemon.start()
    api = connect()
    repository.add_archive("thing", "1", {"thing": b"#!/bin/sh\n"})
    repository.publish()
    service = api.add_service(repository.url, repository.root)
    session = api.open_session("lines").session.name
    updates = api.search(session, "", service.service_id)
    repository.add_archive("other", "1", {"other": b"#!/bin/sh\n"})
    repository.publish()

    def under(request_id):
        return [("x-usher-request-id", request_id)]
    f, d, i = stubs.searcher, stubs.downloader, stubs.installer
    searcher = api.call(api.searchers.CreateSearcher,
                        f.CreateSearcherRequest(parent=session)).name
    search = api.call(api.searchers.BeginSearch,
                      f.SearchRequest(searcher=searcher), under("my-search"))
    assert search.request_id == "my-search"
    list(api.stream(api.searchers.EndSearch,
                    f.EndSearchRequest(job=search.name)))
    downloader = api.call(api.downloaders.CreateDownloader,
                          d.CreateDownloaderRequest(
                              parent=session, downloader=d.Downloader(
                                  updates=[u.identity for u in updates]),
                              update_mask={"paths": ["updates"]})).name
    download = api.call(api.downloaders.BeginDownload,
                        d.BeginDownloadRequest(downloader=downloader),
                        under("my-download"))
    assert api.end_download(download.name).hresult == 0
    installer = api.call(api.installers.CreateInstaller,
                         i.CreateInstallerRequest(
                             parent=session, installer=i.Installer(
                                 updates=[u.identity for u in updates]),
                             update_mask={"paths": ["updates"]})).name
    install = api.call(api.installers.BeginInstall,
                       i.BeginInstallRequest(installer=installer),
                       under("my-install"))
    assert api.call(api.installers.EndInstall, i.EndInstallRequest(
        job=install.name)).hresult == 0

    lines = logged(daemon)

    def about(request_id, *words):
        return [line for line in lines if f"request_id={request_id} " in line
                and all(word in line for word in words)]
    update = updates[0].identity.update_id
    for request_id, job in (("my-download", download), ("my-install", install)):
        assert len(about(request_id, " call ", "method=")) == 1
        assert len(about(request_id, job.name, "begins")) == 1
        assert len(about(request_id, " update ", job.name, update,
                         "revision=1", "CODE_SUCCEEDED", "hresult=0x00000000",
                         "duration_ms=")) == 1
        assert len(about(request_id, " job ", job.name, "duration_ms=")) == 1
    assert len(about("my-search", " refresh ", service.service_id,
                     "changed=true")) == 1
    assert about("my-search", search.name, "begins")


def test_the_command_line_names_its_calls(api, cli, daemon, repository):
    repository.add_archive("thing", "1", {"thing": b"#!/bin/sh\n"})
    repository.publish()
    api.add_service(repository.url, repository.root)
    assert cli.run("download", "thing", "--json").code == 0
    failed = cli.run("search", "--criteria", "nonsense", "--json")
    request_id = failed.error["request_id"]
    lines = logged(daemon)
    begun = [line for line in lines if " begins" in line
             and "JOB_KIND_DOWNLOAD" in line]
    # The program's own number, not one that the service had to make.
    assert len(begun) == 1
    assert re.search(r"request_id=c[0-9a-f]{12}-[0-9a-f]+ ", begun[0]), begun
    assert re.fullmatch(r"c[0-9a-f]{12}-[0-9a-f]+", request_id)
    assert any(f"request_id={request_id} " in line for line in lines)


@pytest.mark.parametrize("bad", ["spaces are bad", "x" * 65, ""])
def test_odd_request_ids_are_replaced(api, stubs, bad):
    with pytest.raises(Failure) as caught:
        api.call(api.sessions.GetSession,
                 stubs.session.GetSessionRequest(name="sessions/" + "0" * 32),
                 metadata=[("x-usher-request-id", bad)])
    assert caught.value.request_id not in ("", bad)


def test_too_large_a_request_is_refused(api, stubs):
    with pytest.raises(Failure) as caught:
        api.open_session("x" * (8 * 1024 * 1024))
    assert caught.value.code == grpc.StatusCode.RESOURCE_EXHAUSTED
    api.open_session("still there")


@pytest.mark.parametrize("client_id", ["x" * 257, "line\nbreak", "nul\0"])
def test_bad_client_ids_are_refused(api, client_id):
    with pytest.raises(Failure) as caught:
        api.open_session(client_id)
    assert caught.value.hresult == 0x80070057
    assert "client_application_id" in (caught.value.subject +
                                       caught.value.message)


def test_unset_client_id_reads_unknown(api):
    assert api.open_session("").session.client_application_id == "Unknown"


def test_history_indexes(api, stubs):
    assert not api.query_history(0, 10)
    for start, count in ((-1, 1), (0, 0), (0, -1)):
        with pytest.raises(Failure) as caught:
            api.query_history(start, count)
        assert caught.value.symbol == "WU_E_INVALIDINDEX"
    with pytest.raises(Failure) as caught:
        api.query_history(0, 1, "Title='x'")
    assert caught.value.hresult == 0x80240032
    count = api.call(api.history.GetTotalHistoryCount,
                     stubs.history.GetTotalHistoryCountRequest())
    assert count.count == 0


def test_refresh_of_nothing_new_is_two_requests_at_most(api, repository, serve):
    repository.add_archive("thing", "1", {"thing": b"#!/bin/sh\n"})
    repository.publish()
    web = serve(repository.published)
    service = api.add_service(web.url, repository.root)
    web.stop_serving()
    before = len(web.requests())
    web.start()
    assert not api.refresh(service.service_id).changed
    web.stop_serving()
    assert len(web.requests()) - before <= 2, web.requests()[before:]


@pytest.mark.linux_only("measures the heap of the C library")
def test_listing_everything_keeps_memory_bounded(daemon, connect, platform,
                                                 repository, work):
    count = 20000
    index = work / "Packages"
    with open(index, "w", encoding="utf-8") as out:
        for number in range(count):
            out.write(f"Package: made-up-{number}\nVersion: 1.{number}-1\n"
                      "Architecture: all\nMaintainer: Nobody <n@example.org>\n"
                      f"Filename: pool/m/made-up-{number}.deb\nSize: 1000\n"
                      f"SHA256: {number:064x}\n"
                      f"Description: made-up package {number}\n"
                      f" {'Some longer text. ' * 20}\n\n")
    repository.import_packages(index)
    repository.publish()
    daemon.start()
    api = connect()
    service = api.add_service(repository.url, repository.root)
    assert service.update_count == count
    session = api.open_session().session.name
    daemon.reset_peak_memory()
    before = daemon.memory_kib("VmRSS")
    seen = 0
    for response in api.search_stream(session, "IsInstalled=0",
                                      service.service_id):
        assert response.ByteSize() < 1024 * 1024
        seen += len(response.chunk.updates)
        if response.HasField("summary"):
            assert response.summary.update_count == count
    assert seen == count
    if not platform.sanitized:
        grown = daemon.memory_kib("VmHWM") - before
        # The whole listing weighs about 15 MB on the wire.
        assert grown < 12 * 1024, f"{grown} KiB"
