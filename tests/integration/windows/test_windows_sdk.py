"""The SDK's DLL as a stranger uses it: installed, found by CMake, linked by a
program that was compiled with the same tools, run."""

import shutil
import subprocess

import pytest

from harness.stubs import REPOSITORY

SERVICE = "usher-sdk"
STATE = r"C:\sdk state"


@pytest.fixture(scope="module")
def examples(windows_build, tmp_path_factory):
    """The folder of the compiled example programs, with the DLL."""
    folder = tmp_path_factory.mktemp("examples")
    prefix = folder / "prefix"
    cache = (windows_build / "CMakeCache.txt").read_text()
    libraries = [line.split("=", 1)[1] for line in cache.splitlines()
                 if line.startswith("USHER_WINDOWS_PREFIX:")][0]
    for command in (
            ["cmake", "--install", windows_build, "--component", "sdk",
             "--prefix", prefix],
            ["cmake", "-G", "Ninja", "-S", REPOSITORY / "client/examples", "-B",
             folder / "build", "-DCMAKE_TOOLCHAIN_FILE=" +
             str(REPOSITORY / "cmake/windows-toolchain.cmake"),
             f"-DUSHER_WINDOWS_PREFIX={libraries}",
             f"-Dusher_DIR={prefix / 'lib/cmake/usher'}",
             "-DCMAKE_EXE_LINKER_FLAGS=-static"],
            ["cmake", "--build", folder / "build"]):
        done = subprocess.run(list(map(str, command)), capture_output=True,
                              text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
    shutil.copy(prefix / "bin/libusher.dll", folder / "build")
    return folder / "build"


def test_a_program_finds_updates_through_the_dll(wine, windows_build, usher,
                                                 examples, repository, serve,
                                                 work):
    repository.add_archive("sample", "1.5", {"sample.txt": b"hi\n"})
    repository.publish()
    root = work / "root.json"
    root.write_bytes(repository.root)
    with wine.running_service(SERVICE, windows_build / "bin/usherd.exe",
                              "--state-dir", STATE):
        added = usher("--state-dir", STATE, "--yes", "services", "add",
                      serve(repository.published).url, "--root",
                      wine.path(root))
        assert added.code == 0, added.output
        log = (wine.drive_c / "sdk state/log/usherd.log").read_text()
        address = log.split("ready at ", 1)[1].split()[0]
        listed = wine.run(examples / "list_updates.exe",
                          environment={"USHER_ADDRESS": address})
    shutil.rmtree(wine.drive_c / "sdk state", ignore_errors=True)
    assert listed.code == 0, listed.output
    name, version, update_id, _ = listed.output.splitlines()[0].split("\t")
    assert (name, version) == ("sample", "1.5")
    assert len(update_id) == 36


def test_a_program_learns_why_it_failed(wine, examples):
    failed = wine.run(examples / "list_updates.exe",
                      environment={"USHER_ADDRESS": r"\\.\pipe\nobody"})
    assert failed.code == 1
    assert "0x80240001" in failed.output
