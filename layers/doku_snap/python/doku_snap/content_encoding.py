"""Undoing a content encoding that was not asked for, without letting a small body become a large one."""

import contextlib
import zlib

# The wrappers to try, as zlib's wbits: deflate should be in zlib's wrapper, and often is bare.
_GZIP = (16 + zlib.MAX_WBITS,)
_DEFLATE = (zlib.MAX_WBITS, -zlib.MAX_WBITS)
_WRAPPERS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _DEFLATE}


class BrokenEncoding(Exception):
    """The body is not what its encoding says; `kind` is one of truncated, too_large, unparsable."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


def decode_content(body: bytes, encoding: str, limit: int) -> bytes:
    """The body without its `Content-Encoding`, at most `limit` bytes of it. Raises BrokenEncoding.

    Knows gzip (one member) and deflate, the latter with and without zlib's wrapper. A body of any other encoding is
    returned as it is: some servers write what is none ("utf-8"), and who reads the body will see.
    """
    wrappers = _WRAPPERS.get(encoding.strip().lower(), ())
    if not wrappers or not body:
        return body
    for wrapper in wrappers:
        with contextlib.suppress(zlib.error):
            return _inflate(body, wrapper, limit)
    raise BrokenEncoding("unparsable")


def _inflate(body: bytes, wrapper: int, limit: int) -> bytes:
    """Inflate one stream; only zeros may follow it. Raises zlib.error, BrokenEncoding."""
    inflater = zlib.decompressobj(wrapper)
    decoded = inflater.decompress(body, limit + 1)
    if len(decoded) > limit:
        raise BrokenEncoding("too_large")
    if not inflater.eof:
        raise BrokenEncoding("truncated")
    if inflater.unused_data.strip(b"\0"):
        raise BrokenEncoding("unparsable")
    return decoded
