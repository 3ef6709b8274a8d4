"""A text of n pieces: prepended, appended, joined."""

from variants import variant

SIZES = (1000, 2000, 4000, 8000)
PIECE = 8


def data(n):
    return (["12345678"] * n,)


# Appending requests as many bytes as prepending, but realloc can usually extend the text in place.


@variant(allocs="n", bytes="STR * n + PIECE * n * (n + 1) // 2")
def before(pieces):
    text = ""
    for piece in pieces:
        text = piece + text
    return text


@variant(allocs="n", bytes="STR * n + PIECE * n * (n + 1) // 2")
def behind(pieces):
    text = ""
    for piece in pieces:
        text += piece
    return text


@variant(allocs="0", bytes="PIECE * n")
def join(pieces):
    return "".join(pieces)
