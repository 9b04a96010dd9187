"""Hints: a listening device hears that a space moved on, and nothing about spaces of others."""

import json

from tests.memory.sync.hosted.conftest import NewOwner
from tests.memory.sync.hosted.device import Device
from tests.memory.sync.hosted.running import Running


def test_a_listener_hears_of_its_own_spaces_only(ada: Device, second: Device, new_owner: NewOwner) -> None:
    eve = new_owner("eve")
    with second.http.stream("GET", "/v1/events", headers=second.headers) as stream:
        assert stream.status_code == 200
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        eve.pushed(eve.sealed())
        ada.pushed(ada.sealed(), ada.sealed())
        heard = next(line for line in lines if line.startswith("data:"))
        assert json.loads(heard.removeprefix("data:")) == {"space_id": ada.space_id, "head": 2}


def test_the_stream_needs_a_session(ada: Device) -> None:
    assert ada.http.get("/v1/events").status_code == 401


def test_a_service_that_stops_lets_go_of_who_listens(service: Running, ada: Device) -> None:
    with ada.http.stream("GET", "/v1/events", headers=ada.headers) as stream:
        lines = stream.iter_lines()
        assert next(lines) == "retry: 2000"
        service.stop()
        assert [line for line in lines if line] == [], "whole to its end"
