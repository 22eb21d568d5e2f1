"""Modules that are not there."""

import importlib
import sys

import pytest

from components.page.missing import remember_missing


@pytest.fixture
def absent(monkeypatch):
    name = "no_module_has_this_name"
    yield name
    sys.modules.pop(name, None)


def test_what_is_missing_is_searched_once(absent, monkeypatch):
    remember_missing(absent)
    monkeypatch.setattr(sys, "meta_path", [])  # nobody to search

    with pytest.raises(ImportError, match=r"None in sys\.modules"):
        importlib.import_module(absent)
    remember_missing(absent)


def test_what_is_installed_is_found_as_ever(monkeypatch):
    monkeypatch.delitem(sys.modules, "colorsys", raising=False)
    remember_missing("colorsys")
    assert "colorsys" not in sys.modules

    import_again = importlib.import_module("colorsys")
    remember_missing("colorsys")
    assert sys.modules["colorsys"] is import_again
