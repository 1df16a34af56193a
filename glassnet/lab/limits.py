"""How large what a visitor sends may be."""

MAX_TEXT = 2**20  # bytes of a request without a file
MAX_FILE = 10 * 2**20  # bytes of a file
MAX_ROWS = 50_000  # rows of a CSV file
MAX_PIXELS = 50_000_000  # pixels of a picture, which a small file can unpack to
