"""Numbers as they are saved."""

from __future__ import annotations

from typing import Any

import polars as pl

_DIGITS = 9


def rounded_frame(frame: pl.DataFrame) -> pl.DataFrame:
    """The frame with its numbers to nine significant digits."""
    floats = [name for name, kind in frame.schema.items() if kind.is_float()]
    return frame.with_columns(pl.col(name).round_sig_figs(_DIGITS) for name in floats)


def rounded(value: Any) -> Any:
    """Numbers to nine significant digits, so that the text is the same wherever the arithmetic is; containers are copied."""
    if isinstance(value, float):
        return float(f"{value:.{_DIGITS}g}")
    if isinstance(value, dict):
        return {key: rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [rounded(item) for item in value]
    return value
