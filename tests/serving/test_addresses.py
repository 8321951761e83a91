"""Links that others can use, and names that are ours."""

import pytest

from explorer.serving import addresses
from explorer.serving.addresses import class_origin, is_known_host, is_loopback, own_names, reachable_origin


@pytest.mark.parametrize("host", ["localhost", "LOCALHOST", "127.0.0.1", "127.1.2.3", "::1", "0.0.0.0"])
def test_this_machine_alone_reaches_a_loopback(host: str) -> None:
    """By name or number; all addresses are none that a link can name."""
    assert is_loopback(host)
    assert not is_loopback("192.168.1.7")
    assert not is_loopback("school.example")


def test_a_link_names_the_network_address(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of the loopback; a name or address of the network stays as it is."""
    monkeypatch.setattr(addresses, "network_address", lambda: "192.168.1.7")
    assert reachable_origin("http://localhost:8501/reduction?net=x") == "http://192.168.1.7:8501"
    assert reachable_origin("http://[::1]:8501/") == "http://192.168.1.7:8501"
    assert reachable_origin("https://school.example/reduction") == "https://school.example"
    assert reachable_origin("") == ""


def test_without_a_network_the_link_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no better one."""
    monkeypatch.setattr(addresses, "network_address", lambda: "")
    assert reachable_origin("http://127.0.0.1:8501/") == "http://127.0.0.1:8501"


def test_an_address_of_version_6_is_in_brackets() -> None:
    """As a URL needs it."""
    assert class_origin("fd00::7", 8501) == "http://[fd00::7]:8501"


@pytest.mark.parametrize("host", ["192.168.1.7:8501", "[fd00::7]:8501", "school.example", "SCHOOL.EXAMPLE.:80"])
def test_a_request_to_this_server_is_known(host: str) -> None:
    """By number, or by a name that is in the class's link."""
    assert is_known_host(host, own_names("http://school.example:8501"))


@pytest.mark.parametrize("host", ["", "evil.example", "school.example.evil.example", "a@evil.example", "[", "evil:x"])
def test_a_request_to_another_name_is_not(host: str) -> None:
    """As a page elsewhere sends it whose name leads here."""
    assert not is_known_host(host, own_names("http://school.example:8501"))
