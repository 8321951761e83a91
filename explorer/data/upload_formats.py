"""Recognise what a user uploaded by its first bytes, whatever its name, and read it. Free of torch."""

import os
from collections.abc import Sequence
from pathlib import PurePosixPath

from explorer.data.archives import first_bytes, is_tar, open_archive, read_decompressed
from explorer.data.array_sets import from_cifar, from_idx, from_named_arrays
from explorer.data.arrays import DataError, is_idx, read_idx, read_npy, read_npz
from explorer.data.cifar import is_pickle, read_batches
from explorer.data.image_archive import ToArray, read_image_archive
from explorer.data.import_report import ImportOptions, LabelledImages, Upload, printable

MAX_FILES = 8  # of one upload; CIFAR-10 has seven
MAX_FILE_BYTES = 200_000_000
MAX_BATCH_BYTES = 160_000_000  # of one file of CIFAR; that of CIFAR-100's training images has 155 million
_ADVICE = "Upload a zip with a folder of images per class."
_PACK = "Unpack it and pack it as a zip."
_SAVE = "save the arrays with numpy.savez(images=…, labels=…)."
_NPY = b"\x93NUMPY"

# Files that cannot be read, by how they begin: what they are, and the remedy.
_OTHERS: tuple[tuple[tuple[bytes, ...], str, str], ...] = (
    ((b"Rar!",), "a RAR archive", _PACK),
    ((b"7z\xbc\xaf\x27\x1c",), "a 7z archive", _PACK),
    ((b"(\xb5/\xfd",), "compressed by Zstandard", _PACK),
    ((b"\x89HDF",), "an HDF5 file", f"Read it with h5py and {_SAVE}"),
    ((b"MATLAB",), "a MATLAB file", f"Read it with scipy.io.loadmat and {_SAVE}"),
    ((b"PAR1",), "a Parquet file", "Read it with pandas and save the images in a zip, with a folder per class."),
    ((b"SQLite format 3",), "a database (SQLite)", "Save the images as files in a zip, with a folder per class."),
    ((b"%PDF",), "a PDF document", _ADVICE),
    ((b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*"), "a single image", _ADVICE),
)


def check_uploads(uploads: Sequence[Upload]) -> tuple[Upload, ...]:
    """Return the files with printable names. Raises DataError if there are too many, or if one is too large."""
    if not 1 <= len(uploads) <= MAX_FILES:
        raise DataError(
            f"Upload one archive, one .npz, two or four IDX files, or CIFAR's batches: at most {MAX_FILES} files."
        )
    checked = tuple(Upload(printable(upload.name) or "file", upload.file) for upload in uploads)
    for name, file in checked:
        size = file.seek(0, os.SEEK_END)
        file.seek(0)
        if size > MAX_FILE_BYTES:
            raise DataError(
                f"{name} has {size / 1e6:,.0f} MB; the limit is {MAX_FILE_BYTES / 1e6:,.0f} MB. Use fewer or smaller "
                "images."
            )
    return checked


def read_uploads(uploads: Sequence[Upload], options: ImportOptions, to_array: ToArray | None = None) -> LabelledImages:
    """Read uploads of any format. ``to_array`` is for image files. Raises DataError with what is wrong."""
    heads = [first_bytes(upload.file) for upload in uploads]
    if all(map(is_idx, heads)):
        return from_idx({upload.name: read_idx(upload.file, upload.name) for upload in uploads})
    if all(head.startswith(_NPY) for head in heads):
        arrays = {PurePosixPath(upload.name).stem: read_npy(upload.file, upload.name) for upload in uploads}
        return from_named_arrays(", ".join(upload.name for upload in uploads), arrays, options)
    if all(map(is_pickle, heads)):
        batches = {upload.name: read_decompressed(upload.file, MAX_BATCH_BYTES) for upload in uploads}
        return from_cifar(*read_batches(batches), options)
    if len(uploads) == 1 and (heads[0].startswith(b"PK") or is_tar(heads[0])):
        return _read_archive(uploads[0], options, to_array)
    raise DataError(_refusal(uploads, heads))


def _read_archive(upload: Upload, options: ImportOptions, to_array: ToArray | None) -> LabelledImages:
    name, file = upload
    archive = open_archive(file, name, options.encoding)
    names = [entry.path.name for entry in archive.entries]
    if archive.is_zip and names and all(name.endswith(".npy") for name in names):
        file.seek(0)
        return from_named_arrays(name, read_npz(file, name), options)
    if any(name.startswith("data_batch_") for name in names) or {"train", "test", "meta"} <= set(names):
        files = [entry for entry in archive.entries if entry.path.suffix in ("", ".meta")]
        contents = {entry.path.name: content for entry, content in archive.read(files, MAX_BATCH_BYTES)}
        batches = {name: content for name, content in contents.items() if is_pickle(content)}
        return from_cifar(*read_batches(batches), options)
    return read_image_archive(archive, options, to_array)


def _refusal(uploads: Sequence[Upload], heads: Sequence[bytes]) -> str:
    """Return a sentence on what the first file that does not fit is, and the remedy."""
    for upload, head in zip(uploads, heads, strict=True):
        for starts, what, remedy in _OTHERS:
            if head.startswith(starts):
                return f"{upload.name} is {what}, which cannot be imported. {remedy}"
        if not (is_idx(head) or is_tar(head) or head.startswith((b"PK", _NPY))):
            return f"{upload.name} {_describe_unknown(head)}"
    return "These files do not belong together. Upload one archive or one .npz alone, or IDX files in pairs."


def _describe_unknown(head: bytes) -> str:
    if not head:
        return f"is empty or damaged. {_ADVICE}"
    try:
        text = head.decode()
    except UnicodeDecodeError:
        return f"is not an archive (zip, tar), an .npz, an IDX file or a batch of CIFAR. {_ADVICE}"
    if text.count(",") > 2:
        return (
            "is a table of text. Pixels in a CSV file are not read: save them with numpy.savez(images=…, labels=…). "
            "Labels in a CSV file are read from a zip with the images."
        )
    return f"is not an archive (zip, tar), an .npz, an IDX file or a batch of CIFAR. {_ADVICE}"
