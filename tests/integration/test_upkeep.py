"""What administrators do to a service by hand: clear its cache, register a
repository again, lose files of its state."""

import shutil

import pytest

from harness.api import Failure


@pytest.fixture
def thing(repository):
    repository.add_archive("thing", "1", {"thing": b"#!/bin/sh\n"})
    repository.publish()
    return repository


@pytest.mark.parametrize("whole", [True, False])
def test_a_cleared_cache_fills_again(api, daemon, thing, whole):
    service = api.add_service(thing.url, thing.root).service_id
    session = api.open_session().session.name
    updates = api.search(session, "", service)
    assert api.download(session, updates).hresult == 0
    for entry in [daemon.state / "cache"] if whole else list(
            (daemon.state / "cache").iterdir()):
        shutil.rmtree(entry)
    result = api.download(session, updates)
    # Fetched anew, not "already downloaded".
    assert [r.hresult for r in result.update_results] == [0], result
    assert api.install(session, updates).hresult == 0


def test_registering_again_minds_the_root(api, platform, work, thing):
    service = api.add_service(thing.url, thing.root)
    with pytest.raises(Failure) as caught:
        api.add_service(thing.url, b"no root.json")
    assert caught.value.symbol == "WU_E_METADATA_SIGNATURE_VERIFY_FAILED"
    other = type(thing)(platform, work / "other", work / "other-sources")
    other.publish()
    with pytest.raises(Failure) as caught:
        api.add_service(thing.url, other.root)
    assert caught.value.symbol == "WU_E_DS_ROWEXISTS"
    assert "remove it first" in caught.value.message
    # The root of then is fine, also when it has an heir by now.
    thing.rotate_root()
    api.refresh(service.service_id)
    again = api.add_service(thing.url, thing.root, name="Renamed")
    assert again.service_id == service.service_id
    assert again.name == "Renamed"


def test_a_lost_root_is_registered_anew_as_the_error_says(api, stubs, daemon,
                                                          thing):
    service = api.add_service(thing.url, thing.root).service_id
    shutil.rmtree(daemon.state / "repositories" / service)
    for attempt in (lambda: api.refresh(service),
                    lambda: api.add_service(thing.url, thing.root)):
        with pytest.raises(Failure) as caught:
            attempt()
        assert "remove the update service and register it again" in (
            caught.value.message)
    api.call(api.services.RemoveUpdateService,
             stubs.update_service.RemoveUpdateServiceRequest(
                 service_id=service))
    assert api.add_service(thing.url, thing.root).update_count == 1
