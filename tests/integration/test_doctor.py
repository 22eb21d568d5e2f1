"""`python app.py --doctor` as its users run it."""

import json

import pytest

from tests.running import ended_app, ended_fork

pytestmark = pytest.mark.integration

KEY = "sk-0123456789abcdefghij"


def test_an_app_that_can_hold_calls_here_is_well(tmp_path):
    status, told, errors = ended_app(tmp_path, "--doctor")

    assert status == 0, told
    assert errors == ""
    assert all(line.startswith("ok ") for line in told.splitlines())
    assert "Sound through the bridge: connected in" in told


def test_a_server_that_cannot_be_reached_is_found_and_the_rest_is_examined(tmp_path):
    variables = {"REALTIME_BASE_URL": "http://127.0.0.1:9/v1", "OPENAI_API_KEY": KEY}
    status, told, errors = ended_fork(tmp_path, "--doctor", "--json", **variables)

    assert status == 1
    verdicts = {each["check"]: each["verdict"] for each in json.loads(told)["findings"]}
    assert verdicts["Key"] == "failed"
    assert verdicts["Sound through the bridge"] == "ok"
    assert KEY not in told + errors


def test_settings_that_cannot_be_used_are_a_finding(tmp_path):
    status, told, _ = ended_app(tmp_path, "--doctor", "--json", MAX_CALLS="many")

    assert status == 1
    [finding] = json.loads(told)["findings"]
    assert finding["found"].startswith("MAX_CALLS is 'many'")
