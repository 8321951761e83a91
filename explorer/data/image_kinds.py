"""Recognise image files that the app does not read by their first bytes, and say what to do instead. Free of torch."""

_SAVE = "Save it as PNG or JPEG."
_HEIC = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF = (b"avif", b"avis")

# What a file is, by how it begins: the start of a sentence, and the remedy.
_STARTS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"\xff\x0a", b"\x00\x00\x00\x0cJXL "), "a JPEG XL image", _SAVE),
    ((b"\xff\x4f\xff\x51", b"\x00\x00\x00\x0cjP  "), "a JPEG 2000 image", _SAVE),
    ((b"8BPS",), "a Photoshop document", "Export it as PNG or JPEG."),
    ((b"\x00\x00\x01\x00",), "an icon (ICO)", _SAVE),
    ((b"\x00\x00\x02\x00\x00\x00\x00\x00", b"\x00\x00\x0a\x00"), "a TGA image", _SAVE),
    ((b"P1\n", b"P2\n", b"P3\n", b"P4\n", b"P5\n", b"P6\n", b"P5 ", b"P6 "), "a Netpbm image (PPM, PGM)", _SAVE),
    ((b"%PDF",), "a PDF document", "Export the page as PNG."),
    ((b"%!PS",), "a PostScript document", "Export the page as PNG."),
    ((b"SIMPLE  =",), "a FITS file", "Save the image as PNG or TIFF with 8 or 16 bits."),
    ((b"\x93NUMPY",), "an array of NumPy", "Save it as PNG with Pillow: Image.fromarray(array).save(…)."),
    ((b"PK\x03\x04",), "a zip", "Unpack it and upload the images in it."),
    ((b"\x1a\x45\xdf\xa3",), "a video", "Save a frame of it as PNG or JPEG."),
    ((b"v/1\x01",), "an OpenEXR image", "Save it as PNG with 8 or 16 bits."),
    ((b"#?RADIANCE",), "a Radiance HDR image", "Save it as PNG with 8 or 16 bits."),
)
_DICOM_START = 128  # bytes before the signature of a DICOM file


def describe_other_kind(head: bytes) -> str:
    """Return in a sentence or two what a file that begins like this is, and the remedy; empty if it is unknown.

    256 bytes are enough. Files that the app reads are unknown here.
    """
    what, remedy = _kind(head)
    return f"This is {what}, which cannot be read here. {remedy}" if what else ""


def _kind(head: bytes) -> tuple[str, str]:
    if head[4:8] == b"ftyp":
        return _container(head)
    for starts, what, remedy in _STARTS:
        if head.startswith(starts):
            return what, remedy
    if head[_DICOM_START : _DICOM_START + 4] == b"DICM":
        return "a DICOM file", "Export the image as PNG with 8 or 16 bits."
    if b"<svg" in head.lower():
        return "a drawing (SVG) without pixels", "Export it as PNG."
    if head.lstrip()[:5].lower() in (b"<!doc", b"<html"):
        return "a web page", "Download the image itself."
    return "", ""


def _container(head: bytes) -> tuple[str, str]:
    """Describe a file of ISO's base media format by its brands; AVIF's come first, since its files may list both."""
    brands = [head[8:12], *(head[place : place + 4] for place in range(16, min(head[3], len(head)), 4))]
    if any(brand in _AVIF for brand in brands):
        return "an AVIF image", _SAVE
    if any(brand in _HEIC for brand in brands):
        return (
            "a HEIC image",
            "Save it as JPEG or PNG. An iPhone takes JPEG with Settings > Camera > Formats > Most Compatible.",
        )
    return "a video", "Save a frame of it as PNG or JPEG."
