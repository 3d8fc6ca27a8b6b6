"""The few signs a page shows: drawn, not typed, so that they look alike everywhere."""

from __future__ import annotations

_SHAPES = {
    "yes": '<path d="M7 12.4l3.3 3.3L17 9" fill="none" stroke-width="2.4"/>',
    "no": '<path d="M8.4 8.4l7.2 7.2M15.6 8.4l-7.2 7.2" fill="none" stroke-width="2.4"/>',
    "open": '<path d="M8 12h8" fill="none" stroke-width="2.6"/>',
}
_STROKE = 'stroke="currentColor" stroke-linecap="round" stroke-linejoin="round"'


def sign(shape: str) -> str:
    """Return "yes", "no" or "open" in a circle, in the colour of the text around it."""
    ring = '<circle cx="12" cy="12" r="10" fill="none" stroke-width="1.8"/>'
    return f'<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true" {_STROKE}>{ring}{_SHAPES[shape]}</svg>'


def brand() -> str:
    """Return the project's mark: one bar that stands, one that would rise above it, and the line between."""
    bars = (
        '<rect x="3" y="9" width="7" height="12" rx="1.8" fill="var(--champion)"/>'
        '<rect x="14" y="4" width="7" height="17" rx="1.8" fill="var(--challenger)"/>'
        '<path d="M1 9h22" stroke="currentColor" stroke-width="1.6" stroke-dasharray="2.4 2"/>'
    )
    return f'<svg viewBox="0 0 24 24" width="22" height="22" aria-hidden="true">{bars}</svg>'
