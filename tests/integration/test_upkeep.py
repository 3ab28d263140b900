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
