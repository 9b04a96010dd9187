"""Tokens, style sheet, fonts and icons."""

import dataclasses

import pytest
from PySide6.QtCore import Qt
from PySide6.QtGui import QPalette
from PySide6.QtWidgets import QApplication, QPushButton, QWidget

from desktop.theme.appearance import Appearance, Scheme, appearance
from desktop.theme.icons import icon, icon_names, icon_pixmap
from desktop.theme.stylesheet import stylesheet
from desktop.theme.tokens import (
    AVATAR_COLOURS,
    DARK,
    LIGHT,
    SURFACES,
    TEXT_PAIRS,
    Theme,
    avatar_colour,
    contrast,
)


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_every_text_is_readable_on_its_surface(theme: Theme) -> None:
    weak = {
        (ink, surface): round(ratio, 2)
        for ink, surface in TEXT_PAIRS
        if (ratio := contrast(getattr(theme, ink), getattr(theme, surface))) < 4.5
    }
    assert weak == {}


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
def test_highlighted_code_is_readable(theme: Theme) -> None:
    colours = dataclasses.asdict(theme.syntax)
    assert {name: c for name, c in colours.items() if contrast(c, theme.code) < 4.5} == {}


def test_initials_are_readable_on_every_avatar() -> None:
    assert [c for c in AVATAR_COLOURS if contrast("#ffffff", c) < 4.5] == []
    assert avatar_colour("Researcher") == avatar_colour("Researcher")


def test_contrast_of_known_pairs() -> None:
    assert contrast("#000000", "#ffffff") == pytest.approx(21.0)
    assert contrast("#777777", "#777777") == pytest.approx(1.0)
    assert set(SURFACES) <= {field.name for field in dataclasses.fields(Theme)}


def test_every_icon_renders_in_the_asked_colour(qapp: QApplication) -> None:
    names = icon_names()
    assert len(names) >= 40
    for name in names:
        image = icon_pixmap(name, "#ff0000", 24).toImage()
        inked = [
            image.pixelColor(x, y)
            for x in range(image.width())
            for y in range(image.height())
            if image.pixelColor(x, y).alpha() > 200
        ]
        assert inked, name
        assert all(c.red() > 200 and c.green() < 60 and c.blue() < 60 for c in inked), name


def test_unknown_icon_is_refused(qapp: QApplication) -> None:
    with pytest.raises(FileNotFoundError):
        icon("no-such-icon", "#000000")


def test_stylesheet_scales_with_the_zoom(qapp: QApplication) -> None:
    assert "font-size: 20px" in stylesheet(LIGHT, 1.0)
    assert "font-size: 40px" in stylesheet(LIGHT, 2.0)
    assert "{" not in stylesheet(DARK).replace("{ ", "").replace("{\n", "")


def test_scheme_zoom_and_motion_reach_the_application(qapp: QApplication) -> None:
    look = appearance()
    before = look.look
    seen: list[str] = []
    look.changed.connect(lambda: seen.append(look.look.theme.name))
    look.apply(qapp, Scheme.DARK)
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == DARK.bg
    look.set_zoom(2.0)
    assert qapp.font().pixelSize() == 28
    look.set_reduced_motion(True)
    assert look.look.reduced_motion
    look.apply(qapp, Scheme.LIGHT)
    assert qapp.palette().color(QPalette.ColorRole.Window).name() == LIGHT.bg
    assert seen[0] == "dark" and seen[-1] == "light"
    assert before is not look.look


def test_system_scheme_falls_back_to_light(qapp: QApplication) -> None:
    own = Appearance()
    own.apply(qapp, Scheme.SYSTEM)
    unknown_or_light = qapp.styleHints().colorScheme() != Qt.ColorScheme.Dark
    assert own.look.theme is (LIGHT if unknown_or_light else DARK)


def test_buttons_of_each_kind_have_their_own_colours(qapp: QApplication, qtbot) -> None:
    appearance().apply(qapp, Scheme.LIGHT)
    host = QWidget()
    qtbot.addWidget(host)
    plain, primary = QPushButton("Later", host), QPushButton("Allow once", host)
    primary.setProperty("kind", "primary")
    primary.move(0, 60)
    host.resize(200, 120)
    host.show()
    picture = host.grab().toImage()
    assert picture.pixelColor(primary.x() + 5, 60 + primary.height() // 2).name() == LIGHT.accent
    assert picture.pixelColor(5, plain.height() // 2).name() == LIGHT.panel
