"""The tooltip that the diagram and the strip share: script and style, which go before those of a component."""

from explorer.paths import ASSETS

TOOLTIP_JS, TOOLTIP_CSS = ((ASSETS / "tooltip" / f"tooltip.{kind}").read_text("utf-8") for kind in ("js", "css"))
