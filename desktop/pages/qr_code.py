"""A text as a QR code, to be photographed: black upon white in every theme, or no camera would read it."""

from PySide6.QtCore import Qt
from PySide6.QtGui import QColor, QImage, QPixmap
from PySide6.QtWidgets import QLabel

_MODULE = 3
"""The side of one of its squares on the screen, in pixels that do not depend on the display."""


class QrCode(QLabel):
    """Shows a text as a QR code; ``name`` is what a screen reader says, for it can read none."""

    def __init__(self, text: str, name: str) -> None:
        super().__init__()
        ratio = self.devicePixelRatioF()
        picture = QPixmap.fromImage(qr_image(text, round(_MODULE * ratio)))
        picture.setDevicePixelRatio(ratio)
        self.setPixmap(picture)
        self.setFixedSize(picture.deviceIndependentSize().toSize())
        self.setAccessibleName(name)


def qr_image(text: str, module: int) -> QImage:
    """Return a QR code (ISO/IEC 18004) with its quiet zone, each of its squares ``module`` pixels wide."""
    from qrcode.constants import ERROR_CORRECT_M
    from qrcode.main import QRCode

    code = QRCode(error_correction=ERROR_CORRECT_M, border=4)
    code.add_data(text)
    rows = code.get_matrix()
    image = QImage(len(rows), len(rows), QImage.Format.Format_RGB32)
    image.fill(QColor("white"))
    for y, row in enumerate(rows):
        for x, dark in enumerate(row):
            if dark:
                image.setPixelColor(x, y, QColor("black"))
    side = len(rows) * module
    return image.scaled(
        side, side, Qt.AspectRatioMode.KeepAspectRatio, Qt.TransformationMode.FastTransformation
    )
