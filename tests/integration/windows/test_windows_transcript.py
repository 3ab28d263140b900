"""The transcript in docs/windows.md is what happens."""

import shutil
import sys

import pytest

from harness import windows_programs as programs
from harness.stubs import REPOSITORY

sys.path.append(str(REPOSITORY / "tests/demo"))
import windows_transcript as demo  # noqa: E402


def test_the_documentation_shows_what_happens(wine, windows_build, platform,
                                              work, serve):
    reason = programs.missing()
    if reason:
        pytest.skip(f"no packages for Windows: {reason}")
    repository = demo.publish(platform, work)
    try:
        transcript = demo.main_job(wine, windows_build,
                                   serve(repository.published).url,
                                   repository.root)
    finally:
        shutil.rmtree(wine.drive_c / "ProgramData/Usher", ignore_errors=True)
    assert transcript == demo.documented(), (
        "tests/demo/windows_transcript.py --update writes it anew")
