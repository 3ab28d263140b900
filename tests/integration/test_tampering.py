"""What is not exactly what was signed is refused, by name, and leaves nothing."""

import shutil

import pytest

from harness.api import Failure

# Symbols that say "this is not what was signed".
UNTRUSTED = {"WU_E_METADATA_BAD_SIGNATURE",
             "WU_E_METADATA_SIGNATURE_VERIFY_FAILED",
             "WU_E_DM_INCORRECTFILEHASH"}


def flip(path):
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 0x01
    path.write_bytes(data)


def flip_signed_content(path):
    """Changes a value inside, so that the document stays well-formed."""
    text = path.read_text()
    changed = text.replace('"spec_version":"1.0', '"spec_version":"1.1', 1)
    if changed == text:
        changed = text.replace('"spec_version": "1.0', '"spec_version": "1.1',
                               1)
    assert changed != text
    path.write_text(changed)


def truncate(path):
    data = path.read_bytes()
    path.write_bytes(data[:len(data) // 2])


# Under Wine half of the families, over HTTP: what is compared there is the same
# code, and a URL of a file is used by other tests.
WINE_PART = pytest.mark.wine_part(damage=["flipped"])
WINE_OVER_HTTP = pytest.mark.wine_part(url=["http"])

DAMAGE = {"flipped": flip, "truncated": truncate}
FILES = ["timestamp", "snapshot", "targets", "catalog"]


@pytest.fixture
def published(repository):
    repository.add_archive("thing", "1", {"thing": b"#!/bin/sh\necho 1\n"})
    repository.publish()
    return repository


@pytest.fixture(params=["file", "http"])
def url(request, published, serve):
    if request.param == "file":
        return published.url
    return serve(published.published).url


def assert_nothing_kept(daemon, stubs, api):
    listed = api.call(api.services.ListUpdateServices,
                      stubs.update_service.ListUpdateServicesRequest())
    assert not listed.services
    kept = [p for p in (daemon.state).rglob("*") if p.is_file() and (
        "repositories" in p.parts or "content" in p.parts or
        "partial" in p.parts or "catalogs" in p.parts)]
    assert not kept


@WINE_OVER_HTTP
@WINE_PART
@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("file", FILES)
def test_registration_refuses_damage(api, stubs, daemon, published, url, file,
                                     damage):
    path = published.file(file)
    DAMAGE[damage](path)
    with pytest.raises(Failure) as caught:
        api.add_service(url, published.root)
    assert caught.value.symbol in UNTRUSTED, caught.value
    named = caught.value.subject + caught.value.message
    assert file in named, named
    assert_nothing_kept(daemon, stubs, api)


@WINE_OVER_HTTP
@pytest.mark.parametrize("file", ["timestamp", "snapshot", "targets"])
def test_registration_refuses_well_formed_changes(api, stubs, daemon, published,
                                                  url, file):
    flip_signed_content(published.file(file))
    with pytest.raises(Failure) as caught:
        api.add_service(url, published.root)
    assert caught.value.symbol in UNTRUSTED, caught.value
    assert file in caught.value.subject + caught.value.message
    assert_nothing_kept(daemon, stubs, api)


@WINE_PART
@pytest.mark.parametrize("damage", DAMAGE)
def test_registration_refuses_a_damaged_root(api, stubs, daemon, published,
                                             damage):
    path = published.folder / "tampered-root.json"
    path.write_bytes(published.root)
    DAMAGE[damage](path)
    with pytest.raises(Failure) as caught:
        api.add_service(published.url, path.read_bytes())
    assert "root" in caught.value.subject + caught.value.message
    assert_nothing_kept(daemon, stubs, api)


@WINE_OVER_HTTP
@WINE_PART
@pytest.mark.parametrize("damage", DAMAGE)
@pytest.mark.parametrize("file", FILES)
def test_refresh_refuses_damage_and_keeps_what_was(api, published, url, file,
                                                   damage):
    service = api.add_service(url, published.root).service_id
    published.add_archive("second", "1", {"second": b"#!/bin/sh\necho 2\n"})
    published.publish()
    intact = published.file(file).read_bytes()
    DAMAGE[damage](published.file(file))
    with pytest.raises(Failure) as caught:
        api.refresh(service)
    assert caught.value.symbol in UNTRUSTED, caught.value
    assert file in caught.value.subject + caught.value.message
    session = api.open_session().session.name
    assert [u.name for u in api.search(session, "", service)] == ["thing"]

    published.file(file).write_bytes(intact)
    assert api.refresh(service).changed
    assert sorted(u.name for u in api.search(session, "", service)) == [
        "second", "thing"]


@WINE_OVER_HTTP
@WINE_PART
@pytest.mark.parametrize("damage", DAMAGE)
def test_refresh_refuses_a_damaged_new_root(api, published, url, damage):
    service = api.add_service(url, published.root).service_id
    published.rotate_root()
    DAMAGE[damage](published.file("root"))
    with pytest.raises(Failure) as caught:
        api.refresh(service)
    assert caught.value.symbol in UNTRUSTED, caught.value
    assert "root" in caught.value.subject + caught.value.message


@WINE_OVER_HTTP
def test_refresh_follows_a_new_root(api, published, url):
    service = api.add_service(url, published.root).service_id
    published.rotate_root()
    assert api.refresh(service).service.root_version == 2


@WINE_OVER_HTTP
@WINE_PART
@pytest.mark.parametrize("damage", DAMAGE)
def test_damaged_payload_is_not_cached(api, stubs, daemon, published, url,
                                       damage):
    service = api.add_service(url, published.root).service_id
    DAMAGE[damage](published.file("payload"))
    session = api.open_session().session.name
    updates = api.search(session, "", service)
    result = api.download(session, updates)
    assert result.result_code == stubs.types.OPERATION_RESULT_CODE_FAILED
    assert result.update_results[0].hresult == 0x80246002
    assert result.update_results[0].message
    content = daemon.state / "cache/content"
    assert not [p for p in content.rglob("*") if p.is_file()]
    assert not api.search(session, "", service)[0].is_downloaded


def test_expired_metadata_is_refused(api, stubs, daemon, repository, serve):
    repository.add_archive("thing", "1", {"thing": b"#!/bin/sh\n"})
    repository.publish(long_ago=True)
    web = serve(repository.published)
    with pytest.raises(Failure) as caught:
        api.add_service(web.url, repository.root)
    assert caught.value.symbol == "CERT_E_EXPIRED", caught.value
    assert_nothing_kept(daemon, stubs, api)


@WINE_OVER_HTTP
def test_rolled_back_metadata_is_refused(api, published, url):
    service = api.add_service(url, published.root).service_id
    old = {path: path.read_bytes()
           for path in published.published.glob("metadata/*")}
    published.add_archive("second", "1", {"second": b"#!/bin/sh\n"})
    published.publish()
    assert api.refresh(service).changed

    shutil.rmtree(published.published / "metadata")
    (published.published / "metadata").mkdir()
    for path, data in old.items():
        path.write_bytes(data)
    with pytest.raises(Failure) as caught:
        api.refresh(service)
    assert caught.value.symbol == "WU_E_REDIRECTOR_ID_SMALLER", caught.value
    session = api.open_session().session.name
    assert len(api.search(session, "", service)) == 2


def test_a_stranger_s_repository_is_refused(api, stubs, daemon, platform, work,
                                            published):
    other = type(published)(platform, work / "other", work / "other-sources")
    other.add_archive("thing", "1", {"thing": b"#!/bin/sh\n"})
    other.publish()
    with pytest.raises(Failure) as caught:
        api.add_service(other.url, published.root)
    assert caught.value.symbol in UNTRUSTED
    assert_nothing_kept(daemon, stubs, api)
