"""What clients would refuse, and with it the whole catalog, is refused where it
is written."""

import json

import pytest

from harness import packages

HEAD = """name = "tool"
version = "1.0"
title = "Tool"
"""
PAYLOAD = """
[[payload]]
file = "tool.sh"
"""
EXEC = """
[handler.exec]
"""

BAD = {
    "a line break in the title": (HEAD.replace('"Tool"', '"""\nTool\n"""') +
                                  PAYLOAD + EXEC, "title"),
    "a tab in the name": (HEAD.replace('"tool"', '"to\\tol"') + PAYLOAD + EXEC,
                          "name"),
    "a bell in the version": (HEAD.replace('"1.0"', '"1\\u0007"') + PAYLOAD +
                              EXEC, "version"),
    "a NUL in an argument": (HEAD + PAYLOAD + EXEC +
                             'arguments = ["a\\u0000b"]\n', "NUL"),
    "a NUL in a file rule": (HEAD + PAYLOAD + EXEC +
                             '[is_installed.file]\npath = "/a\\u0000b"\n',
                             "control characters"),
    "a package name": (HEAD + PAYLOAD +
                       '[handler.deb]\npackages = ["BAD NAME"]\n',
                       "BAD NAME"),
}


@pytest.fixture
def publisher(publisher, repository, work):
    assert publisher("init", repository.folder, "--name", "Checks"), \
        publisher.output
    packages.script(work / "tool.sh", "exit 0\n")
    return publisher


@pytest.mark.parametrize("text, said", BAD.values(), ids=BAD)
def test_bad_descriptions(publisher, repository, work, text, said):
    description = work / "update.toml"
    description.write_text(text)
    assert not publisher("add", repository.folder, description)
    assert said in publisher.output and "update.toml" in publisher.output
    # The same without the fault.
    description.write_text(HEAD + PAYLOAD + EXEC)
    assert publisher("add", repository.folder, description), publisher.output


def test_bundles_have_their_members(publisher, repository, work, api):
    (work / "tool.toml").write_text(HEAD + PAYLOAD + EXEC)
    assert publisher("add", repository.folder, "tool.toml"), publisher.output
    assert publisher("list", repository.folder, "--json")
    (tool,) = json.loads(publisher.output)["updates"]
    member = tool["update_id"]
    bundle = work / "bundle.toml"
    bundle.write_text(f"""name = "all"
version = "1.0"
title = "All"

[[bundled_updates]]
update_id = "{member}"
revision = 1
""")
    assert publisher("add", repository.folder, bundle), publisher.output
    assert publisher("publish", repository.folder), publisher.output
    api.add_service(repository.url, repository.root)
    assert publisher("remove", repository.folder, member), publisher.output
    assert not publisher("publish", repository.folder)
    assert "all: the bundle contains update" in publisher.output


@pytest.mark.parametrize("name", ["a\nb", "\x07", "x" * 2000])
def test_the_service_has_a_name(publisher, work, name):
    assert not publisher("init", work / "other", "--name", name)
    assert "service name" in publisher.output
    assert not (work / "other/root.json").exists()
