"""Changes to the bytes of a file, each drawn from a `random.Random`."""

import gzip
import re
import struct
import zlib

from seeds import compressed

# Numbers at the edges of types, as sizes and as values.
INTEGERS = [0, 1, 2, 3, 7, 8, 64, 100, 127, 128, 255, 256, 1000, 4096, 65535, 65536, 2**20, 2**24, 2**28 + 1,
            2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**40, 2**53 + 1, 2**60, 2**62, 2**63 - 1, 2**63, 2**64 - 1]
NUMBERS = [str(n) for n in INTEGERS] + ["-" + str(n) for n in INTEGERS[1:]] + """-0 0.5 1.5 1e-3 3e-27 1e-45 1e-50
    1e38 3.5e38 1e39 1e308 1e400 -1e39 nan inf -inf NaN Infinity 1_000 0x1F 0b1 0o7 1. .5 +1 00 1e 1700000001 100000001
    16777217""".split()
BYTES = [0, 1, 9, 10, 13, 27, 32, 34, 35, 39, 44, 45, 46, 59, 61, 91, 92, 93, 127, 128, 0xC3, 0xEF, 0xFE, 0xFF]
TEXT = """, ; " "" ' ''' \"\"\" # = [ ] [[ ]] { } \\ \\u0000 \\n é ü 😀 \ufeff null NA nan ? - -- = @ + =1+1 true
    false auto none last ../ /etc/passwd /dev/zero /dev/null . .. ~ %s %n $HOME""".split()
TEXT += [" ", "\x00", "\x1b[31m", "\r", "\r\n", "\n", "\n\n", "\t"]
MOST_BYTES = 1 << 20


class Mutator:
    """Mutates files; the same changes for the same `random`."""

    def __init__(self, random, others, words):
        """others: contents of other files, to splice in; words: tokens of the format."""
        self.random = random
        self.others = others
        self.words = [word.encode("utf-8") if isinstance(word, str) else word for word in words]

    def bytes(self, data):
        """One to four changes of any bytes."""
        for _ in range(self.few()):
            data = self.random.choice([
                self.flip, self.flip, self.put_byte, self.put_integer, self.put_integer, self.cut, self.drop,
                self.repeat, self.splice, self.insert, self.swap])(data)
        return data[:MOST_BYTES]

    def text(self, data):
        """One to four changes of a text's words, lines and bytes."""
        for _ in range(self.few()):
            data = self.random.choice([
                self.put_number, self.put_number, self.put_number, self.put_word, self.put_word, self.edit_line,
                self.edit_line, self.delimiters, self.insert, self.flip, self.put_byte, self.drop, self.repeat,
                self.splice, self.cut])(data)
        return data[:MOST_BYTES]

    def gzip(self, data, inner):
        """Changes the contents and compresses them anew, so that the sum fits; now and then the compressed bytes."""
        if self.random.random() < 0.3:
            return self.bytes(data)
        try:
            payload = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            return self.bytes(data)
        payload = inner(payload)
        cut = self.random.randrange(len(payload) + 1)
        packed = compressed(payload, self.random.randrange(10))
        return self.random.choice([
            packed, packed, packed, compressed(payload[:cut]) + compressed(payload[cut:]),
            packed + bytes(self.random.randrange(600)), packed + packed, packed + b"\x1f\x8b",
            packed[:-self.random.randrange(1, 9)]])

    def few(self):
        return self.random.choice([1, 1, 1, 2, 3, 4])

    def place(self, data):
        """Somewhere; more often in a header."""
        length = max(len(data), 1)
        return self.random.randrange(min(length, self.random.choice([16, 64, 1024, length, length])))

    # MARK: Bytes

    def flip(self, data):
        if not data:
            return data
        at = self.place(data)
        return data[:at] + bytes([data[at] ^ 1 << self.random.randrange(8)]) + data[at + 1:]

    def put_byte(self, data):
        at = self.place(data)
        return data[:at] + bytes([self.random.choice(BYTES)]) + data[at + 1:]

    def put_integer(self, data):
        """A size that lies."""
        at, size = self.place(data), self.random.choice([1, 2, 4, 4, 8, 8])
        value = self.random.choice(INTEGERS) % (1 << 8 * size)
        code = {1: "B", 2: "H", 4: "I", 8: "Q"}[size]
        return data[:at] + struct.pack(self.random.choice("<>") + code, value) + data[at + size:]

    def cut(self, data):
        return data[:self.random.randrange(len(data) + 1)]

    def piece(self, data):
        start = self.random.randrange(len(data) + 1)
        return start, min(len(data), start + self.random.choice([1, 2, 4, 16, 100, 1000, 10000]))

    def drop(self, data):
        start, end = self.piece(data)
        return data[:start] + data[end:]

    def repeat(self, data):
        start, end = self.piece(data)
        times = self.random.choice([1, 1, 2, 10, 100, 10000])
        return data[:start] + data[start:end] * min(times + 1, MOST_BYTES // max(end - start, 1)) + data[end:]

    def splice(self, data):
        other = self.random.choice(self.others)
        start, end = self.piece(other)
        at = self.random.randrange(len(data) + 1)
        if self.random.random() < 0.5:
            return data[:at] + other[start:]
        return data[:at] + other[start:end] + data[at:]

    def insert(self, data):
        at = self.random.randrange(len(data) + 1)
        return data[:at] + self.word() + data[at:]

    def swap(self, data):
        (a, b), (c, d) = sorted([self.piece(data), self.piece(data)])
        b = min(b, c)
        return data[:a] + data[c:d] + data[b:c] + data[a:b] + data[d:]

    # MARK: Texts

    def word(self):
        if self.words and self.random.random() < 0.5:
            return self.random.choice(self.words)
        return self.random.choice(TEXT).encode()

    def put_number(self, data):
        return self.replace(data, rb"[-+]?[0-9][0-9.eE+_-]*", self.random.choice(NUMBERS).encode())

    def put_word(self, data):
        return self.replace(data, rb"[^\s,;=\[\]]+", self.word() * self.random.choice([1, 1, 1, 1, 2, 1000]))

    def replace(self, data, pattern, new):
        found = list(re.finditer(pattern, data[:1 << 16]))
        if not found:
            return data + new
        match = self.random.choice(found)
        return data[:match.start()] + new + data[match.end():]

    def edit_line(self, data):
        lines = data.split(b"\n")
        i, j = self.random.randrange(len(lines)), self.random.randrange(len(lines))
        kind = self.random.randrange(6)
        if kind == 0:
            del lines[i]
        elif kind == 1:
            lines.insert(i, lines[j])
        elif kind == 2:
            lines[i], lines[j] = lines[j], lines[i]
        elif kind == 3:
            lines.insert(i, b"")
        elif kind == 4:
            lines[i] += self.random.choice([b",", b",1", b" ", b"\t", b"\r", b"# c", b"\"", b"\0", b";"])
        else:
            lines[i] = lines[i][self.random.randrange(len(lines[i]) + 1):]
        return b"\n".join(lines)

    def delimiters(self, data):
        """Another delimiter, decimal commas, other line ends or another encoding, for all of a text."""
        old, new = self.random.choice([
            (b",", b";"), (b",", b"\t"), (b",", b" "), (b",", b", "), (b".", b","), (b"\n", b"\r\n"), (b"\n", b"\r"),
            (b"\r\n", b"\n"), (b"\n", b"\n\n"), (b";", b","), (b"\"", b"'"), (b"=", b":"), (b"\n", b",\n")])
        if self.random.random() < 0.1:
            return data.decode("latin-1").encode(self.random.choice(["utf-16", "utf-8", "utf-32-le"]))
        return data.replace(old, new)
