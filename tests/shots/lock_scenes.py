"""The scenes of the app lock."""

from desktop.locking import LockGate
from tests.shots import PASSPHRASE
from tests.shots.camera import Camera, Scene
from vault.secret import Secret


def lock_scenes() -> dict[str, Scene]:
    """Return the scenes in their order; the last one unlocks, so that others may follow."""
    return {"locked": _locked, "locked-wrong": _wrong, "settings-lock": _settings}


def _gate(camera: Camera) -> LockGate:
    return camera.lifecycle.window.findChildren(LockGate)[0]


async def _locked(camera: Camera) -> None:
    await camera.opened()
    await camera.office.app_lock.lock()


async def _wrong(camera: Camera) -> None:
    await _locked(camera)
    gate = _gate(camera)
    gate.passphrase.setText("not this one")
    gate._unlock()
    await camera.until(gate.fault.text, "the refusal")


async def _settings(camera: Camera) -> None:
    await camera.office.app_lock.unlock(Secret(PASSPHRASE))
    camera.contents.show_page("settings").search.setText("lock")  # type: ignore[attr-defined]  # the Settings page
