"""Becomes another program that is told to stop when the supervisor dies.

Run as a script with the standard library only: `launch.py PARENT SIGNAL ACCOUNT COMMAND…`. It runs between fork and
exec of the program in a process of its own, because the supervisor has threads and may not run code there.
ACCOUNT is a user name, or `-` for the one who started it.
"""

import ctypes
import os
import pwd
import sys

PR_SET_PDEATHSIG = 1


def become(account: str) -> None:
    """Drops root's rights for good."""
    who = pwd.getpwnam(account)
    os.initgroups(account, who.pw_gid)
    os.setgid(who.pw_gid)
    os.setuid(who.pw_uid)


def main(arguments: list[str]) -> None:
    parent, death_signal, account, *command = arguments
    if account != "-":
        become(account)
    # After the change of user: the kernel forgets the wish when rights change.
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, int(death_signal), 0, 0, 0) != 0:
        sys.exit(f"prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != int(parent):
        sys.exit("the supervisor has ended")
    try:
        os.execv(command[0], command)  # noqa: S606  no shell is meant: the supervisor's own argument list
    except OSError as why:
        sys.exit(f"{command[0]} cannot be started: {why.strerror}")


if __name__ == "__main__":
    main(sys.argv[1:])
