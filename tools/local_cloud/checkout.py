"""Where things are in this checkout. Everything a run writes lies under `.local/`."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "template.yaml"
SAM_CONFIG = ROOT / "samconfig.toml"
SAM_BIN = ROOT / ".tools" / "sam" / "bin"
MINISTACK_PYTHON = ROOT / ".tools" / "ministack" / "bin" / "python"
LOCAL = ROOT / ".local"
