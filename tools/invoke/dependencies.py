"""The third-party packages of the functions, built for Lambda once per set of locked requirements."""

import hashlib
from pathlib import Path

from tools.local_cloud import sam
from tools.local_cloud.checkout import LOCAL, ROOT

_LAYER = "DependenciesLayer"
_REQUIREMENTS = ROOT / "layers" / "dependencies" / "requirements.txt"
_BUILDS = LOCAL / "dependencies"


def build_dependencies() -> Path:
    """Return the folder of packages, as a function imports them. Raises LocalCloudError."""
    digest = hashlib.sha256(_REQUIREMENTS.read_bytes() + sam.ARCHITECTURE.encode()).hexdigest()[:16]
    LOCAL.mkdir(exist_ok=True)
    return sam.build_once(_BUILDS / digest, LOCAL / "invoke-build.log", sam.ARCHITECTURE, _LAYER) / _LAYER / "python"
