"""Amounts of money as people read them."""


def dollars(micros: int) -> str:
    """Return millionths of a dollar as ``$1.20``; below ten cents with as many digits as say something."""
    amount = micros / 1_000_000
    if micros == 0 or abs(micros) >= 100_000:
        return f"${amount:,.2f}"
    return f"${amount:.4f}".rstrip("0").ljust(5, "0") if abs(micros) >= 100 else f"${amount:.6f}".rstrip("0")
