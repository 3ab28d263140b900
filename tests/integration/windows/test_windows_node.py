"""Node.js for Windows over the named pipe, doing the main job."""

import shutil

import pytest

from harness import node
from harness import windows_programs as programs
from harness.stubs import REPOSITORY

SERVICE = "usher-node"
STATE = r"C:\node state"


@pytest.fixture(scope="session")
def example(tmp_path_factory):
    """The Node.js example beside its packages, and node.exe."""
    source = REPOSITORY / "client/examples/node"
    try:
        program = node.windows_node()
        modules = node.modules(source)
    except node.NotPossible as reason:
        pytest.skip(f"needs Node.js for Windows: {reason}")
    folder = tmp_path_factory.mktemp("node")
    # Wine shows symbolic links as what they lead to.
    (folder / "node_modules").symlink_to(modules / "node_modules")
    shutil.copy(source / "install_update.js", folder)
    return program, folder / "install_update.js"


@pytest.fixture
def service(wine, windows_build):
    # A pipe of its own, by name.
    config = wine.drive_c / "node.toml"
    config.write_text("[service]\nsocket = '\\\\.\\pipe\\usher-node'\n")
    with wine.running_service(SERVICE, windows_build / "bin/usherd.exe",
                              "--state-dir", STATE, "--config",
                              r"C:\node.toml"):
        yield r"\\.\pipe\usher-node"
    shutil.rmtree(wine.drive_c / "node state", ignore_errors=True)


def test_node_does_the_main_job(wine, service, usher, example, repository,
                                work, serve):
    reason = programs.missing()
    if reason:
        pytest.skip(f"no packages for Windows: {reason}")
    tool = programs.program(work / "greet.exe", "hello")
    repository.add_archive("greeter", "1.0", {"greet.exe": tool.read_bytes()})
    repository.publish()
    root = work / "root.json"
    root.write_bytes(repository.root)
    added = usher("--address", service, "services", "add",
                  serve(repository.published).url, "--root", wine.path(root))
    assert added.code == 0, added.output

    program, script = example
    done = wine.run(program, wine.path(script), "greeter", environment={
        "USHER_ADDRESS": service,
        "USHER_PROTO": wine.path(REPOSITORY / "proto")})
    assert done.code == 0, done.output
    lines = done.output.splitlines()
    assert lines[0] == "found greeter 1.0"
    assert [line for line in lines if line.endswith(": done")] == [
        "download: done", "install: done", "uninstall: done"]
    assert "history: greeter 1.0 OPERATION_RESULT_CODE_SUCCEEDED" in lines
