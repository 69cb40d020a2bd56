"""Make the virtual environment and run something in it. Standard library only, because nothing else is there yet.

python3 bootstrap.py install local|dev      make .venv and install, unless that is done already
python3 bootstrap.py run                    install local, then start everything
"""

import hashlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.abspath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, "bin", "python")
# What installing one kind brings along as well.
INCLUDED = {"local": ["local"], "dev": ["dev", "local"]}


def main():
    if sys.version_info < (3, 11):
        found = ".".join(str(part) for part in sys.version_info[:2])
        sys.exit("Openhours needs Python 3.11 or newer; this is " + found + ". Try: make run PYTHON=python3.11")
    os.chdir(ROOT)
    if sys.argv[1:2] == ["install"] and sys.argv[2:] in (["local"], ["dev"]):
        install(sys.argv[2])
    elif sys.argv[1:] == ["run"]:
        install("local")
        os.execv(PYTHON, [PYTHON, "-m", "devservers.run"])
    else:
        sys.exit(__doc__)


def install(kind):
    """Install the packages of one kind, with their hashes checked. Quick when nothing changed."""
    if is_installed(kind):
        return
    if not works():
        print("Making .venv ...", flush=True)
        call([sys.executable, "-m", "venv", "--clear", VENV], "On Debian and Ubuntu: apt install python3-venv")
    print("Installing packages (about a minute, once) ...", flush=True)
    call(
        [PYTHON, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input", "--require-hashes"]
        + ["--requirement", requirements(kind)],
        "Is there a way to the package index from here?",
    )
    for each in INCLUDED[kind]:
        with open(stamp(each), "w") as file:
            file.write(fingerprint(each))


def is_installed(kind):
    try:
        with open(stamp(kind)) as file:
            return file.read() == fingerprint(kind) and os.path.exists(PYTHON)
    except OSError:
        return False


def works():
    """Whether .venv holds a Python with pip. A folder that was moved or half made does not."""
    command = [PYTHON, "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
    try:
        return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0
    except OSError:
        return False


def call(command, hint):
    code = subprocess.run(command).returncode
    if code != 0:
        sys.exit("That did not work: {}. {}".format(" ".join(command[:4]), hint))


def requirements(kind):
    return os.path.join(ROOT, "requirements-{}.txt".format(kind))


def stamp(kind):
    return os.path.join(VENV, "installed-{}".format(kind))


def fingerprint(kind):
    """Changes when the packages or the place of the folder change."""
    with open(requirements(kind), "rb") as file:
        return hashlib.sha256(file.read() + ROOT.encode()).hexdigest()


if __name__ == "__main__":
    main()
