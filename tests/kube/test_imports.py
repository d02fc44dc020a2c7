"""What importing costs: nothing that dials is loaded before the first cluster is dialled."""

import subprocess
import sys

LIGHT = "applying client discovery kubeconfig listing paths pool watching"


def test_the_client_library_is_loaded_late() -> None:
    """It takes more than a second; commands and the schema would pay for it."""
    modules = ", ".join(f"app.kube.{name}" for name in LIGHT.split())
    heavy = "[name for name in ('aiohttp', 'kubernetes') if name in sys.modules]"

    told = subprocess.run(
        [sys.executable, "-c", f"import sys, {modules}; print({heavy})"],
        check=True,
        capture_output=True,
        text=True,
    )

    assert told.stdout == "[]\n"
