import pytest

from tests.practice.local_packages import require_local


def test_what_is_there_is_not_missed() -> None:
    require_local("json", "asyncio")


def test_in_ci_a_missing_package_is_a_failure(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="no_such_package"):
        require_local("json", "no_such_package")

    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no_such_package"):
        require_local("json", "no_such_package")
