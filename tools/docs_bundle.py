"""RapiDoc, the program that shows an OpenAPI document in a browser: one file of one package of npm's.

Its package names dependencies that are in the file already (160 MB), so it is packed and not installed.
"""

import base64
import fcntl
import hashlib
import subprocess
import tarfile
import tempfile
from pathlib import Path

from tools.node import find_npm, with_node

NAME = "rapidoc-min.js"
_PACKAGE = "rapidoc@9.3.8"
# Of the package as npm has it; a new version's: `npm view rapidoc@VERSION dist.integrity`.
_SHA512 = "eCYEbr1Xr8OJZvVCw8SXl9zBCRoLJbhNGuG5IZTHq/RWAOq/O4MafUCuFEyZHsrhLrlUcGZMa64pyhpib8fQKQ=="
_FOLDER = Path(__file__).parent.parent / ".tools" / "rapidoc"


def fetch_bundle(folder: Path = _FOLDER) -> Path:
    """Return the file; fetched from npm where it is not there yet.

    Raises CalledProcessError after npm's words, ValueError for a package that is another one than was locked.
    """
    bundle = folder / NAME
    stamp = folder / ".locked"
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (stamp.is_file() and stamp.read_text("utf-8") == _SHA512 and bundle.is_file()):
            bundle.write_bytes(_download())
            stamp.write_text(_SHA512, "utf-8")
    return bundle


def _download() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        command = [*find_npm(), "pack", _PACKAGE, "--silent", "--pack-destination", folder]
        subprocess.run(command, cwd=folder, env=with_node(), check=True, stdin=subprocess.DEVNULL, capture_output=True)
        (package,) = Path(folder).glob("*.tgz")
        return read_bundle(package)


def read_bundle(package: Path) -> bytes:
    """Return the program in a package. Raises ValueError for another package."""
    found = base64.b64encode(hashlib.sha512(package.read_bytes()).digest()).decode()
    if found != _SHA512:
        raise ValueError(f"{_PACKAGE} is not what was locked: its SHA-512 is {found}")
    with tarfile.open(package) as archive:
        member = archive.extractfile(f"package/dist/{NAME}")
        if member is None:
            raise ValueError(f"{_PACKAGE} has no {NAME}")
        return member.read()
