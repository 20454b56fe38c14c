"""Numbers as they are saved."""

from __future__ import annotations

from typing import Any

_DIGITS = 9


def rounded(value: Any) -> Any:
    """Numbers to nine significant digits, so that the text is the same wherever the arithmetic is; containers are copied."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value
