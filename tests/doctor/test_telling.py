import subprocess
import sys

import pytest

from components.doctor.telling import tell_problems
from tests.running import ROOT


@pytest.mark.parametrize("in_json", [True, False])
def test_settings_that_cannot_be_used_are_all_told(
    capsys: pytest.CaptureFixture[str], in_json: bool
) -> None:
    assert tell_problems(["MAX_CALLS is 'x'.", "REALTIME_VOICE is 'y'."], in_json) == 1
    told = capsys.readouterr().out

    assert "MAX_CALLS is 'x'." in told
    assert "REALTIME_VOICE is 'y'." in told
    assert in_json == told.startswith("{")


def test_wrong_settings_are_told_without_importing_what_would_be_examined() -> None:
    code = (
        "import sys\n"
        "from components.doctor.telling import tell_problems\n"
        "tell_problems(['MAX_CALLS is x.'], False)\n"
        "sys.exit('gradio' in sys.modules)\n"
    )
    asked = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, check=True)

    assert asked.stdout == b"failed   Settings: MAX_CALLS is x.\n"
