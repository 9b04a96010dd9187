"""What a service calls expired counts only under a key that it showed first."""

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from memory import notes
from tests.memory.sync.service.looking import state_of
from tests.memory.sync.service.offices import Office, settle
from tests.memory.sync.service.scenes import give_last_day


def test_an_expiry_under_another_key_sets_aside_and_erases_nothing(offices: list[Office]) -> None:
    one, other, _third = offices
    note = one.do(notes.add_note, "for a day").id
    one.seal()
    one.do(give_last_day, note, one.hosted.service.today + 1)
    one.do(notes.pin_note, note, pinned=True)
    settle(*offices)
    object.__setattr__(one.hosted.service.keys, "signer", Ed25519PrivateKey.generate())
    one.hosted.clock.pass_days(2)
    one.hosted.do_day()
    for _round in range(2):
        done = other.sync()
        assert [reason for _where, reason in done.refused] == ["expiry"] and done.erased == 0
    # What is gone there without proof is out of sight for its days, to be taken back.
    assert state_of(other, note) == "aside"
