"""Updates that are withdrawn after some machines have them."""

import json

import pytest


def offered(cli):
    """Names and versions of what is offered."""
    return sorted(update["title"] for update in
                  cli.run("search", "--json").json["updates"])


@pytest.fixture
def two_versions(repository, serve, daemon, cli):
    repository.add_archive("tool", "1", {"tool": b"one"})
    repository.publish()
    repository.add_archive("tool", "2", {"tool": b"two"})
    repository.publish()
    server = serve(repository.published)
    daemon.start()
    added = cli.run("services", "add", server.url, "--root",
                    repository.folder / "root.json")
    assert added.code == 0, added.stderr
    return json.loads(repository.run("list", repository.folder,
                                     "--json"))["updates"]


def publish_and_refresh(repository, cli):
    repository.run("publish", repository.folder)
    done = cli.run("services", "refresh")
    assert done.code == 0, done.stderr


def test_the_older_version_is_offered_again(repository, two_versions, cli):
    assert offered(cli) == ["tool 2"]
    newest = two_versions[1]["update_id"]
    said = repository.run("yank", repository.folder, newest, "--reason",
                          "loses data")
    assert said.startswith("yanked ")
    assert offered(cli) == ["tool 2"]  # before it is published
    publish_and_refresh(repository, cli)
    assert offered(cli) == ["tool 1"]
    shown = repository.run("show", repository.folder, newest)
    assert "loses data" in shown
    assert json.loads(repository.run("verify", repository.folder,
                                     "--json"))["ok"]
    # Twice is fine, and back again as it was.
    again = json.loads(repository.run("yank", repository.folder, newest,
                                      "--reason", "loses data", "--json"))
    assert again["updates"][0]["change"] == "unchanged"
    repository.run("unyank", repository.folder, newest)
    publish_and_refresh(repository, cli)
    assert offered(cli) == ["tool 2"]
    assert json.loads(repository.run(
        "list", repository.folder, "--json"))["updates"] == two_versions


def test_who_has_it_keeps_it_and_can_uninstall_it(repository, two_versions,
                                                  cli):
    newest = two_versions[1]["update_id"]
    done = cli.run("install", newest, "--yes")
    assert done.code == 0, done.stdout + done.stderr
    repository.run("yank", repository.folder, newest, "--reason", "crashes")
    publish_and_refresh(repository, cli)
    installed = cli.run("search", "--criteria", "IsInstalled=1", "--json").json["updates"]
    assert [update["title"] for update in installed] == ["tool 2"]
    # Neither it nor what it replaced is offered as long as it is installed.
    assert "tool 2" not in offered(cli)
    done = cli.run("uninstall", newest, "--yes")
    assert done.code == 0, done.stdout + done.stderr
    assert offered(cli) == ["tool 1"]


@pytest.mark.linux_only("usher-publish alone")
def test_what_is_asked_for_is_checked(repository, two_versions):
    for words, text in (
            (("yank", "tool", "--reason", "x"), "2 updates are named"),
            (("yank", "nothing", "--reason", "x"), "there is no update"),
            (("yank", two_versions[0]["update_id"], "--reason", ""),
             "1 to 1024 bytes"),
            (("yank", two_versions[0]["update_id"], "--reason", "x" * 1025),
             "1 to 1024 bytes"),
            (("yank", two_versions[0]["update_id"] + ":7", "--reason", "x"),
             "there is no update"),
            (("unyank", "nothing"), "there is no update")):
        with pytest.raises(AssertionError) as raised:
            repository.run(words[0], repository.folder, *words[1:])
        assert text in str(raised.value)
    # One wrong name, and nothing is changed.
    with pytest.raises(AssertionError):
        repository.run("yank", repository.folder, two_versions[0]["update_id"],
                       "nothing", "--reason", "x")
    assert "yanked" not in repository.run("show", repository.folder, "tool")
    # As "list" shows it.
    repository.run("yank", repository.folder,
                   two_versions[0]["update_id"] + ":1", "--reason", "x")
