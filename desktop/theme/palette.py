"""Qt's own palette, made from the tokens, so that plain widgets match without a style sheet."""

from PySide6.QtGui import QColor, QPalette

from desktop.theme.tokens import Theme, colour


def palette(theme: Theme) -> QPalette:
    """Return the palette of a colour scheme, disabled texts included."""
    result = QPalette()
    role = QPalette.ColorRole
    for where, token in (
        (role.Window, theme.bg),
        (role.WindowText, theme.text),
        (role.Base, theme.panel),
        (role.AlternateBase, theme.side),
        (role.Text, theme.text),
        (role.PlaceholderText, theme.dim),
        (role.Button, theme.panel),
        (role.ButtonText, theme.text),
        (role.BrightText, theme.danger_text),
        (role.ToolTipBase, theme.panel),
        (role.ToolTipText, theme.text),
        (role.Highlight, theme.text_selection),
        (role.HighlightedText, theme.text),
        (role.Link, theme.accent),
        (role.LinkVisited, theme.accent),
        (role.Light, theme.panel),
        (role.Midlight, theme.hover),
        (role.Mid, theme.line),
        (role.Dark, theme.line),
        (role.Shadow, theme.line),
        (role.Accent, theme.accent),
    ):
        result.setColor(where, colour(token))
    faint = QColor(theme.dim)
    faint.setAlpha(140)
    for where in (role.WindowText, role.Text, role.ButtonText):
        result.setColor(QPalette.ColorGroup.Disabled, where, faint)
    return result
