"""The main job on Windows: publish, serve, search, download, install, history,
uninstall, with a service under the Service Control Manager, a real MSI, an
archive and a vendor's own installer."""

import json
import shutil

import pytest

from harness import windows_programs as programs

SERVICE = "usher-main-job"
STATE = r"C:\main job"
MSI_1 = "{3C0B1B3A-52A0-4E57-8C71-0D6D37B5F001}"
MSI_2 = "{3C0B1B3A-52A0-4E57-8C71-0D6D37B5F002}"
UPGRADE = "{3C0B1B3A-52A0-4E57-8C71-0D6D37B5F0FF}"
COMPONENT = "{3C0B1B3A-52A0-4E57-8C71-0D6D37B5F0FE}"


@pytest.fixture
def published(repository, work, serve):
    """A repository with all three kinds, behind nginx."""
    reason = programs.missing()
    if reason:
        pytest.skip(f"no packages for Windows: {reason}")
    for version, code in (("1.0.0", MSI_1), ("2.0.0", MSI_2)):
        package = programs.msi(work / "msi", "probe", version, code, UPGRADE,
                               COMPONENT)
        repository.add_msi("probe", version, package, code)
        tool = programs.program(work / f"tool-{version}.exe", f"tool {version}")
        repository.add_archive("tool", version, {
            "bin/tool.exe": tool.read_bytes(),
            "bin/größe.txt": version.encode()})
    agent = programs.program(work / "agent.exe", "agent")
    repository.add_exec("agent", "1.0.0", agent,
                        arguments=[r"C:\agent ran.txt", "hällo wörld"],
                        exit_codes={10: "success"})
    repository.publish()
    return serve(repository.published)


@pytest.fixture
def state(wine):
    folder = wine.drive_c / "main job"
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def service(wine, windows_build, state):
    with wine.running_service(SERVICE, windows_build / "bin/usherd.exe",
                              "--state-dir", STATE) as name:
        yield name


@pytest.fixture
def cli(usher, service):
    """cli("search") runs it to its end, which must be a success, and returns
    the members of its JSON."""
    def run(*words, code=0):
        result = usher("--state-dir", STATE, "--json", "--yes", *words)
        assert result.code == code, result.output
        return json.loads(result.output)
    return run


@pytest.fixture
def offered(cli, published, repository, wine, work):
    """The service knows the repository."""
    root = work / "root.json"
    root.write_bytes(repository.root)
    cli("services", "add", published.url, "--root", wine.path(root))


def names(answer):
    return sorted((u["name"], u["version"]) for u in answer["updates"])


def in_use(product):
    """The folder of the version in use. Wine has no junctions, and so there is
    the file .current instead of the junction `current`."""
    return product / (product / ".current").read_text()


def text_of_log(path):
    """Windows writes it in UTF-16, Wine in bytes."""
    data = path.read_bytes()
    return data.decode("utf-16" if data.startswith(b"\xff\xfe") else "utf-8",
                       errors="replace")


def test_msi(wine, cli, offered, state):
    installed = wine.drive_c / "Program Files/probe/probe.exe"
    assert ("probe", "2.0.0") in names(cli("search"))
    cli("download", "probe")
    cli("install", "probe")
    assert wine.run(installed).output == "probe 2.0.0\n"
    assert ("probe", "2.0.0") in names(cli("search", "--installed"))
    assert ("probe", "2.0.0") not in names(cli("search"))
    logs = list(state.glob("**/msi.log"))
    assert logs and "probe" in text_of_log(logs[0])
    cli("uninstall", "probe")
    assert not installed.exists()
    assert ("probe", "2.0.0") in names(cli("search"))
    history = [(e["operation"], e["version"], e["result_code"])
               for e in cli("history", "--update", "probe")["entries"]]
    assert len(history) == 2, history


def test_an_msi_that_was_taken_away_by_hand_is_offered_again(wine, cli,
                                                             offered):
    cli("install", "probe")
    removed = wine.run("msiexec", "/x", MSI_2, "/qn")
    assert removed.code == 0, removed.output
    assert ("probe", "2.0.0") in names(cli("search"))


def test_archive(wine, cli, offered, state):
    product = state / "products/tool"
    cli("install", "tool")
    program = in_use(product) / "bin/tool.exe"
    assert wine.run(program).output == "tool 2.0.0\n"
    assert (in_use(product) / "bin/größe.txt").read_text() == "2.0.0"
    cli("uninstall", "tool")
    assert not program.exists()
    assert not (product / ".current").exists()


def test_exec(wine, cli, offered):
    marker = wine.drive_c / "agent ran.txt"
    marker.unlink(missing_ok=True)
    cli("install", "agent")
    assert marker.exists()
    marker.unlink()


def test_a_flipped_byte_is_refused(cli, offered, repository, state):
    for payload in repository.published.glob("targets/payloads/*/*"):
        data = bytearray(payload.read_bytes())
        data[len(data) // 2] ^= 1
        payload.write_bytes(data)
    answer = cli("download", "tool", code=1)
    assert answer["updates"][0]["hresult"] != 0
    assert not list((state / "cache").glob("**/tool*"))


def test_a_killed_service_goes_on(wine, cli, offered):
    cli("download", "tool")
    wine.kill("usherd.exe")
    assert wine.sc("start", SERVICE).code == 0
    wine.wait_for_service(SERVICE, "RUNNING")
    cli("install", "tool")
    assert ("tool", "2.0.0") in names(cli("search", "--installed"))
    cli("uninstall", "tool")
