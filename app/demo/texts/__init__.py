"""The words and lists of the demonstration, as YAML beside this file."""

from functools import cache
from pathlib import Path
from typing import Any

import yaml

FOLDER = Path(__file__).parent


@cache
def read(name: str) -> Any:  # noqa: ANN401 - each file has its own shape, told in its head.
    """What stands in `<name>.yaml`, read once."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    return yaml.load((FOLDER / f"{name}.yaml").read_text("utf-8"), Loader=loader)  # nosec B506  # noqa: S506 - a safe loader.
