"""`make reset`: throw the data folder away, so that the next start begins anew. Refuses while it is in use."""

import shutil
import sys

from devservers import postgres, run
from devservers.process import ServerFailed


def main() -> int:
    if not run.DATA.exists():
        print("There is nothing to reset.")
        return 0
    try:
        with run.locked():
            postgres.remove(run.DATA / "postgres")
            shutil.rmtree(run.DATA)
            # The lock is emptied at the end of this block; give it a folder to be in.
    except ServerFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    print("The data folder is empty. `make run` starts anew.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
