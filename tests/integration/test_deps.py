"""./dev deps: what it does to the machine besides installing packages."""

import os
import pathlib
import subprocess

import pytest

SCRIPT = pathlib.Path(__file__).resolve().parents[2] / "dev.d/deps.sh"
OWN = "#!/bin/sh\n# The machine's own.\nexit 104\n"


@pytest.fixture
def policy(work):
    return work / "policy-rc.d"


@pytest.fixture
def deps(policy):
    """deps(commands) runs them with the functions of the script, everything
    taken for installed."""
    def run(commands):
        program = (f"set -euo pipefail\nsource {SCRIPT}\n"
                   'as_root() { "$@"; }\nis_installed() { true; }\n'
                   f"{commands}\n")
        subprocess.run(["bash", "-c", program], check=True,
                       env={"PATH": "/usr/bin:/bin",
                            "USHER_DEPS_POLICY": str(policy)})
    return run


def test_services_are_forbidden_and_allowed_again(deps, policy, work):
    deps(f"forbid_services; {policy} && exit 1 || (($? == 101)); "
         "allow_services")
    assert not list(work.iterdir())


def test_a_policy_of_the_machine_comes_back(deps, policy, work):
    policy.write_text(OWN)
    deps(f"forbid_services; ! grep -q own {policy}; allow_services")
    assert policy.read_text() == OWN
    assert list(work.iterdir()) == [policy]


@pytest.mark.parametrize("before", [None, OWN])
def test_what_a_killed_run_left_goes_though_nothing_is_missing(
        deps, policy, work, before):
    if before is not None:
        policy.write_text(before)
    deps("forbid_services")
    deps("command_deps")
    assert ([path.read_text() for path in work.iterdir()] ==
            ([before] if before else []))


def test_a_run_killed_between_two_steps_is_mended(deps, policy, work):
    policy.write_text(OWN)
    # Up to each of the two renames.
    for moves in (0, 1):
        deps("mv() { ((moves-- > 0)) || exit 0; command mv \"$@\"; }; "
             f"moves={moves}; forbid_services")
        deps("command_deps")
        assert policy.read_text() == OWN
        assert list(work.iterdir()) == [policy]


def test_a_policy_of_the_machine_alone_stays(deps, policy, work):
    policy.write_text(OWN)
    deps("command_deps")
    assert policy.read_text() == OWN
    assert list(work.iterdir()) == [policy]


def test_a_run_that_is_installing_keeps_its_policy(deps, policy, work):
    """Another ./dev, for which nothing is missing, waits for it."""
    fifo = work.with_name(work.name + "-fifo")
    os.mkfifo(fifo)
    try:
        deps(f"""
          exec {{held}}<{work}
          flock "$held"
          forbid_services
          (exec {{held}}<&-; command_deps) >{fifo} &
          read -r said <{fifo}
          [[ $said == Waiting* ]]
          grep -qF "$POLICY_MARK" {policy}
          exec {{held}}<&-
          wait
        """)
    finally:
        fifo.unlink()
    assert not list(work.iterdir())
