"""The flow through a module as files for slides: an SVG that moves, a still per step, and an animated GIF."""

import io
import zipfile

from PIL import Image, ImageDraw

from explorer.views import fonts, map_images, palette
from explorer.views.flow import SHIFT, Flow, Sprite, animated_svg, sheet_edge, still_svg

FRAMES_PER_S = 6  # of the GIF
_BACKGROUND = palette.LIGHT.background


def svg_file(flow: Flow) -> str:
    """Return the animation as a document of its own."""
    return _standalone(animated_svg(flow))


def frames_zip(flow: Flow) -> bytes:
    """Return a zip with an SVG per step."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, time in enumerate(flow.stills, 1):
            archive.writestr(f"flow_{flow.name}_{number}.svg", _standalone(still_svg(flow, time)))
    return file.getvalue()


def _standalone(drawing: str) -> str:
    """Return an SVG of a page as a document: with a namespace, the colour of its text, and the font."""
    style = f'style="background:{_BACKGROUND};color:{palette.LIGHT.ink}" '
    drawing = drawing.replace(
        'style="width:100%', f'xmlns="http://www.w3.org/2000/svg" {style}data-style="width:100%', 1
    )
    return fonts.embed(drawing.replace('font-family="inherit"', f'font-family="{fonts.FAMILY}, sans-serif"', 1))


def gif(flow: Flow) -> bytes:
    """Return the animation as a GIF that repeats."""
    count = round(flow.duration * FRAMES_PER_S)
    pictures = [_picture(flow, number / FRAMES_PER_S) for number in range(count)]
    file = io.BytesIO()
    first, *others = [picture.quantize(64, Image.Quantize.FASTOCTREE) for picture in pictures]
    first.save(
        file, "GIF", save_all=True, append_images=others, duration=round(1000 / FRAMES_PER_S), loop=0, optimize=True
    )
    return file.getvalue()


def _picture(flow: Flow, time: float) -> Image.Image:
    """Draw one frame of the GIF."""
    picture = Image.new("RGB", (round(flow.width), round(flow.height)), _BACKGROUND)
    ImageDraw.Draw(picture).text(
        (0, 2), f"Flow through {flow.name}", palette.LIGHT.ink, font=fonts.picture_font(15, bold=True)
    )
    for sprite in flow.sprites:
        _, x, y, opacity = sprite.at(time)
        if opacity > 0.02:
            _draw(picture, sprite, x, y, opacity)
    return picture


def _draw(picture: Image.Image, sprite: Sprite, x: float, y: float, opacity: float) -> None:
    draw = ImageDraw.Draw(picture)
    ink = palette.mix(_BACKGROUND, palette.LIGHT.ink, opacity)
    fill = palette.mix(_BACKGROUND, sprite.colour, opacity)
    if not sprite.width:
        draw.text((x, y - 12), sprite.text[0], ink, font=fonts.picture_font(13))
        return
    if not sprite.sheets:
        draw.rectangle((x, y, x + sprite.width, y + sprite.height), outline=fill, width=3)
        return
    edge = palette.mix(_BACKGROUND, sheet_edge(sprite), opacity)
    for sheet in reversed(range(sprite.sheets)):
        left, top = x + sheet * SHIFT[0], y + sheet * SHIFT[1]
        draw.rectangle((left, top, left + sprite.width, top + sprite.height), fill, edge)
    if sprite.face and opacity > 0.5:
        face = Image.fromarray(map_images.pixels(sprite.face)).convert("RGB")
        size = (round(sprite.width), round(sprite.height))
        picture.paste(face.resize(size, Image.Resampling.NEAREST), (round(x), round(y)))
    for line, text in enumerate(sprite.text):
        font = fonts.picture_font(12, bold=not line)
        draw.text((x, y + sprite.height + 5 + 15 * line), text, ink, font=font)
