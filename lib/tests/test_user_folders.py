import os
import subprocess
import sys
from pathlib import Path

import pytest
from skyaccept.lib.export import influxdb
from skyaccept.lib.user_folders import user_folder

HOMELESS = """
import os, pwd
pwd.getpwuid = {}.__getitem__
from skyaccept.lib import requirements
from skyaccept.lib.export import influxdb
from skyaccept.lib.user_folders import user_folder
print(requirements.load().documents[0].document, influxdb.spool_folder(), user_folder("XDG_CACHE_HOME", ".cache"))
"""


def test_a_variable_names_the_folder_if_absolute(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    assert influxdb.spool_folder() == tmp_path / "state" / "skyaccept" / "influxdb"
    for relative in ("", "state"):
        monkeypatch.setenv("XDG_STATE_HOME", relative)
        assert user_folder("XDG_STATE_HOME", ".local", "state") == tmp_path / ".local" / "state"


@pytest.mark.slow
def test_everything_loads_for_a_user_without_a_home(tmp_path: Path) -> None:
    """Neither HOME nor an entry in the list of users, as in containers with arbitrary user ids."""
    without = ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME")
    environment = {name: value for name, value in os.environ.items() if name not in without}
    environment["SKYACCEPT_CACHE"] = str(tmp_path)  # who runs the tests may be able to write to the root folder
    done = subprocess.run([sys.executable, "-c", HOMELESS], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["LSE-30", "/.local/state/skyaccept/influxdb", "/.cache"]
