"""The ways in which programs write one secret: as it is, base64, hexadecimal, URL-encoded, escaped."""

import base64
import re
from functools import cached_property

_SHORTHAND = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_HTML = {"&": "amp", "<": "lt", ">": "gt", '"': "quot", "'": "apos"}
_BASE64 = "[A-Za-z0-9+/_-]"
_ESCAPERS = ("%", "\\", "+", "&")


class SecretForms:
    """Replaces every form of one text; the forms are computed when the first text is redacted."""

    def __init__(self, text: str) -> None:
        self.text = text

    def replace(self, subject: str, mark: str) -> str:
        """Return the subject with each occurrence of the secret, in any form, replaced by the mark."""
        if self._core in subject:
            if self._escaped is not None and any(sign in subject for sign in _ESCAPERS):
                subject = self._escaped.sub(lambda _: mark, subject)
            else:
                subject = subject.replace(self.text, mark)
        for form in self._hexadecimal:
            if form in subject:
                subject = subject.replace(form, mark)
        for form in self._base64:
            if form in subject:
                # The characters on either side still carry some bits of the secret.
                subject = re.sub(f"{_BASE64}?{re.escape(form)}{_BASE64}?={{0,2}}", lambda _: mark, subject)
        return subject

    @cached_property
    def _bytes(self) -> bytes:
        return self.text.encode("utf-8", "surrogatepass")

    @cached_property
    def _core(self) -> str:
        """The longest run of letters and digits, which every form but base64 and hexadecimal leaves as it is."""
        return max(re.findall(r"[A-Za-z0-9]+", self.text), key=len, default="")

    @cached_property
    def _hexadecimal(self) -> tuple[str, str]:
        digits = self._bytes.hex()
        return digits, digits.upper()

    @cached_property
    def _base64(self) -> tuple[str, ...]:
        forms: dict[str, None] = {}
        for offset in range(3):
            data = bytes(offset) + self._bytes
            whole = len(data) * 8 // 6
            first = -(-offset * 8 // 6)
            for encode in (base64.b64encode, base64.urlsafe_b64encode):
                forms[encode(data).decode("ascii")[first:whole]] = None
        return tuple(forms)

    @cached_property
    def _escaped(self) -> re.Pattern[str] | None:
        """Match the text with any of its characters percent-encoded or escaped, even several times over."""
        if self.text.isascii() and self.text.isalnum():
            return None
        return re.compile("".join(_alternatives(character) for character in self.text))


def _alternatives(character: str) -> str:
    if character.isascii() and character.isalnum():
        return character
    data = character.encode("utf-8", "surrogatepass")
    wide = character.encode("utf-16-be", "surrogatepass")
    units = [wide[i : i + 2].hex() for i in range(0, len(wide), 2)]
    choices = [
        "".join(f"%(?:25)*(?i:{byte:02x})" for byte in data),
        "".join(rf"\\+u(?i:{unit})" for unit in units),
        "".join(rf"\\+x(?i:{byte:02x})" for byte in data),
    ]
    if ord(character) < 256:
        choices.append(rf"\\+x(?i:{ord(character):02x})")
    if ord(character) > 0xFFFF:
        choices.append(rf"\\+U(?i:{ord(character):08x})")
    if character in _SHORTHAND:
        choices.append(r"\\+" + _SHORTHAND[character])
    if character == " ":
        choices.append(r"\+")
    if character in _HTML:
        choices += [f"&{_HTML[character]};", f"&#{ord(character)};", f"&#x{ord(character):x};"]
    # Last, because an escaped form may begin with the character itself: "%25", "&amp;".
    choices.append(r"\\*" + re.escape(character) if character != "\\" else r"\\+")
    return f"(?:{'|'.join(choices)})"
