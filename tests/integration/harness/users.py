"""Acting as another user; needs root."""

import contextlib
import os

# Ids that no account of the machine need have: the kernel knows users by
# number.
ALICE = 40001
BOB = 40002


@contextlib.contextmanager
def acting_as(uid):
    """The process (all threads) has another effective user meanwhile.

    The kernel notes the effective user when a socket connects, so a gRPC
    channel that becomes ready inside belongs to that user for good.
    """
    groups = os.getgroups()
    os.setgroups([])
    os.setegid(uid)
    os.seteuid(uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)


def as_user(uid):
    """Arguments for subprocess.run."""
    return {"user": uid, "group": uid, "extra_groups": []}


def may_enter(folder):
    """Whether every user may enter the folder and those above it."""
    folder = folder.resolve()
    return all(part.stat().st_mode & 0o001
               for part in (folder, *folder.parents))
