"""What a revoked device and the service together must not achieve."""

import pytest

from memory.sync import account_log
from memory.sync.account import Account
from memory.sync.admission import admit_put, erases_at_once, may_rewrap
from memory.sync.errors import SignerRefused
from memory.sync.header import PUT, Header
from memory.sync.space_keys import SpaceKey
from tests.memory.sync.making import AT, RID, SPACE, Office

ELSEWHERE = "66" * 16


def of_the_second(office: Office, space: str = SPACE) -> Header:
    return Header(PUT, 2, 0, 0, space, RID, "0e" * 16, office.second.id, AT, 0)


def revoked(office: Office, *opened: str) -> Account:
    """The account after the second device went, and after spaces opened their next epoch."""
    account = office.grown(office.writer.revoke_device(office.account, office.second.id, AT))
    for space in opened:
        key = SpaceKey.new(space, account.current_epoch(space) + 1)
        account = account_log.extend(account, [office.writer.new_epoch(account, key, AT)])
    return account


def test_an_active_device_is_heard(office: Office) -> None:
    header = of_the_second(office)
    admit_put(office.account, header, 2, held_before=False)
    assert may_rewrap(office.account, header, held_before=False)
    assert erases_at_once(office.account, header)


def test_what_was_held_before_the_revocation_stays(office: Office) -> None:
    account = revoked(office, SPACE)
    admit_put(account, of_the_second(office), 2, held_before=True)
    assert may_rewrap(account, of_the_second(office), held_before=True)


def test_a_record_that_comes_after_the_revocation_needs_a_key_its_device_never_had(office: Office) -> None:
    header = of_the_second(office)
    for account, under in (
        (revoked(office), 2),
        (revoked(office), 3),  # an epoch that the log does not know
        (revoked(office, SPACE), 2),
        (revoked(office, ELSEWHERE), 2),  # another space opened one
        (revoked(office, SPACE, SPACE), 2),
    ):
        with pytest.raises(SignerRefused):
            admit_put(account, header, under, held_before=False)
        assert not may_rewrap(account, header, held_before=False)
    admit_put(revoked(office, SPACE), header, 3, held_before=False)
    admit_put(revoked(office, SPACE, SPACE), header, 4, held_before=False)


def test_its_marker_erases_nothing_by_itself(office: Office) -> None:
    assert not erases_at_once(revoked(office), of_the_second(office))


def test_a_device_that_nobody_added(office: Office) -> None:
    stranger = Header(PUT, 2, 0, 0, SPACE, RID, "0e" * 16, "77" * 16, AT, 0)
    for ask in (
        lambda: admit_put(office.account, stranger, 2, held_before=True),
        lambda: may_rewrap(office.account, stranger, held_before=False),
        lambda: erases_at_once(office.account, stranger),
    ):
        with pytest.raises(SignerRefused):
            ask()
