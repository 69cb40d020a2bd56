"""Become another program that cannot outlive who started it. Standard library only; started as a script.

    python -I -S _launch.py PARENT_PID DEATH_SIGNAL UID GID program argument...

A small program of its own, because the same steps between fork and exec are unsafe in a process with threads.
UID and GID are -1 to keep the present account.
"""

import ctypes
import os
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    parent, death_signal, uid, gid = (int(value) for value in sys.argv[1:5])
    command = sys.argv[5:]
    if uid != -1:
        os.setgroups([])
        os.setgid(gid)
        os.setuid(uid)
    # After the change of account, because the kernel forgets the death signal when it changes.
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal)
    if os.getppid() != parent:
        sys.exit(1)
    try:
        os.execvp(command[0], command)
    except OSError as error:
        sys.exit(f"{command[0]}: {error.strerror}")


main()
