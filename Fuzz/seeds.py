#!/usr/bin/env python3
"""Sound files of every format and variant that the program reads: what fuzzers start from.

    seeds.py DIRECTORY [--program admm-mpi]

makes DIRECTORY/TARGET/NAME for the targets csv, gzip, idx, hdf5, model, toml and decimal, and the dictionaries
DIRECTORY/TARGET.dict. Models are trained by the program, in a second or two.
"""

import argparse
import gzip
import io
import os
import pathlib
import random
import re
import struct
import subprocess
import tempfile

import h5py
import numpy as np

ROOT = pathlib.Path(__file__).resolve().parent.parent

# A job of one rank without mpirun: nothing of Open MPI's that takes time.
ALONE = {
    "OMPI_MCA_ess_singleton_isolated": "1", "OMPI_MCA_btl": "self", "OMPI_MCA_pml": "ob1",
    "OMPI_ALLOW_RUN_AS_ROOT": "1", "OMPI_ALLOW_RUN_AS_ROOT_CONFIRM": "1",
    "OMPI_MCA_rmaps_base_oversubscribe": "1", "OPENBLAS_NUM_THREADS": "1",
}


def csv():
    """Texts of samples: delimiters, headers, quotes, line ends, labels of every kind."""
    r = random.Random(1)
    rows = [[r.randrange(2), round(r.gauss(0, 1), 4), r.randrange(100), f"{r.random():.3e}"] for _ in range(12)]
    names = ["y", "a", "b", "jet pt"]

    def text(rows, delimiter=",", end="\n", header=None):
        lines = ([header] if header else []) + rows
        return end.join(delimiter.join(map(str, row)) for row in lines).encode() + end.encode()

    files = {
        "plain": text(rows), "header": text(rows, header=names), "semicolons": text(rows, ";"),
        "tabs": text(rows, "\t", header=names), "blanks": text(rows, " "), "aligned": text(rows, "   "),
        "crlf": text(rows, end="\r\n", header=names), "cr": text(rows, end="\r"),
        "bom": b"\xef\xbb\xbf" + text(rows, header=names),
        "no-end": text(rows)[:-1], "blank-lines": text(rows, end="\n\n"), "one": b"1,2\n0,3\n",
        "quoted": b'"y","a ""x""","b, c"\n"1","2.5",3\n0,"1e3",4\n', "padded": b"1 , 2.0 ,  3\n 0, 4 ,5 \n",
        "missing": b"y,a,b\n1,,3\n0,NA,4\n1,nan,5\n0,?,6\n", "infinite": b"1,inf,2\n0,-inf,3\n1,Infinity,4\n0,5,6\n",
        "text-labels": b"kind,a\ncat,1\ndog,2\n\"fig, ripe\",3\ncat,4\n",
        "utf8": "y,größe\nä,1\nö,2\nä,3\n".encode(),
        "latin1": "y,a\nÄl,1\nÖl,2\n".encode("latin-1"), "decimal-commas": b"1;0,5\n0;1,5\n",
        "number-names": b"target,0,1\n1,2,3\n0,4,5\n", "twice": b"y,a,y,b\n1,2,0,4\n0,5,1,6\n",
        "large-labels": b"9007199254740992,1\n9007199254740993,2\n", "regression": b"0.5,1\n0.25,2\n-1e3,3\n7,4\n",
        "classes": text([[i % 5, i, i * i] for i in range(20)]),
        "wide": text([[i % 2] + [j * i for j in range(200)] for i in range(4)]),
        "long": text([[i % 2, i, i / 7] for i in range(2000)]), "constant": b"1,5,1\n0,5,2\n1,5,3\n",
        "tiny": b"1,3e-27\n0,1e-27\n1,4e-27\n0,2e-27\n", "huge": b"1,3e38\n0,-3e38\n1,1e39\n",
        "digits": b"1,0.1234567890123456789012345678901234567890\n0,123456789012345678901234567890e-20\n",
        "times": b"1,1700000001,a\n", "trailing": b"1,2,3,\n0,4,5,\n", "comment": b"# made by hand\n1,2\n0,3\n",
        "libsvm": b"1 1:0.5 3:2\n0 2:1\n", "label-last": b"1,2,cat\n3,4,dog\n5,6,cat\n",
    }
    dictionary = ["nan", "NA", "inf", "-Infinity", "1e39", "1e-50", "1e-27", "\"", "\"\"", "\r\n", "\r", "\t", ";",
                  ",,", "\n\n", "\xef\xbb\xbf", "\x00", "9007199254740993", "1700000001",
                  "y,", "#", "0x10", "1_000", "\xc4", "\x1b["]
    return files, dictionary


def compressed(payload, level=6, name="", **more):
    out = io.BytesIO()
    with gzip.GzipFile(filename=name, fileobj=out, mode="wb", compresslevel=level, mtime=0, **more) as file:
        file.write(payload)
    return out.getvalue()


def with_header_fields(payload):
    """A member with every optional field: extra, name, comment and a sum of the header."""
    import zlib
    header = b"\x1f\x8b\x08" + bytes([2 | 4 | 8 | 16]) + bytes(4) + b"\x00\x03"
    header += struct.pack("<H", 6) + b"AB\x02\x00xy" + b"name.csv\0" + b"a comment\0"
    return header + struct.pack("<H", zlib.crc32(header) & 0xFFFF) + compressed(payload)[10:]


def gz():
    """gzip files: levels, several members, stored blocks, padding, all fields of the header."""
    texts, _ = csv()
    images, _ = idx()
    levels = {"plain": 9, "header": 1, "quoted": 6, "crlf": 0, "missing": 9, "classes": 3}
    files = {f"{name}.level{level}": compressed(texts[name], level) for name, level in levels.items()}
    files |= {
        "two-members": compressed(texts["plain"][:50]) + compressed(texts["plain"][50:]),
        "many-members": b"".join(compressed(bytes([byte])) for byte in texts["one"]),
        "empty-member": compressed(b"") + compressed(texts["one"]), "padded": compressed(texts["one"]) + bytes(512),
        "fields": with_header_fields(texts["header"]), "named": compressed(texts["one"], name="one.csv"),
        "repeats": compressed(b"1,2\n0,3\n" * 20000, 9), "empty": compressed(b""),
        "junk-after": compressed(texts["one"]) + b"junk",
    }
    files |= {f"idx-{name}": compressed(data, 9) for name, data in images.items() if name.startswith("uint8")}
    return files, ["\x1f\x8b\x08\x00", "\x00\x00\xff\xff", "\x01\x00\x00\xff\xff", "\x00\x00\x08\x03"]


IDX_TYPES = {"uint8": (0x08, ">u1"), "int8": (0x09, ">i1"), "int16": (0x0B, ">i2"), "int32": (0x0C, ">i4"),
             "float": (0x0D, ">f4"), "double": (0x0E, ">f8")}


def idx_file(array, kind):
    code, dtype = IDX_TYPES[kind]
    head = bytes([0, 0, code, array.ndim]) + b"".join(struct.pack(">I", n) for n in array.shape)
    return head + array.astype(dtype).tobytes()


def idx():
    """IDX files of all types and one to four dimensions."""
    files = {}
    for kind in IDX_TYPES:
        for shape in [(6,), (6, 3), (6, 2, 2), (4, 2, 2, 2)]:
            array = np.arange(np.prod(shape)).reshape(shape) % 100
            files[f"{kind}-{len(shape)}"] = idx_file(array, kind)
    files["bytes-as-classes"] = idx_file(np.arange(50) % 10, "uint8")
    return files, ["\x00\x00\x08\x03", "\x00\x00\x0d\x01", "\x00\x00\x0e\x02", "\x7f\xff\xff\xff", "\xff\xff\xff\xff",
                   "\x00\x10\x00\x00", "\x40\x00\x00\x00", "\x80\x00\x00\x00"]


def in_memory(make, **options):
    """The bytes of an HDF5 file that `make` fills."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "a.h5")
        with h5py.File(path, "w", **options) as file:
            make(file)
        return pathlib.Path(path).read_bytes()


def hdf5():
    """HDF5 files: types, layouts, filters, texts, versions of the format, and what is not read: links and views."""
    x = (np.arange(24).reshape(8, 3) % 7).astype("f4")
    y = np.arange(8) % 2
    text = h5py.string_dtype()
    files = {}

    def add(name, features=x, labels=y, options={}, features_options={}, labels_options={}, more=lambda file: None):
        def make(file):
            file.create_dataset("features", data=features, **features_options)
            if labels is not None:
                file.create_dataset("labels", data=labels, **labels_options)
            more(file)
        files[name] = in_memory(make, **options)

    for dtype in ["i1", "u1", "i2", ">i4", "u8", "i8", "f2", ">f4", "f8", "longdouble"]:
        add(f"features-{dtype.replace('>', 'big-')}", x.astype(dtype))
    for dtype in ["i1", "u2", ">i8", "f4", "f8", "bool"]:
        add(f"labels-{dtype.replace('>', 'big-')}", labels=y.astype(dtype))
    add("labels-text", labels=np.array(["cat", "dög"] * 4, dtype=object), labels_options={"dtype": text})
    add("labels-fixed", labels=np.array([b"cat", b"dog"] * 4, dtype="S5"))
    add("labels-enum", labels=y.astype("i1"),
        labels_options={"dtype": h5py.enum_dtype({"no": 0, "yes": 1}, basetype="i1")})
    add("labels-column", labels=y.reshape(8, 1))
    add("no-labels", labels=None)
    add("images", x.reshape(8, 3, 1))
    for name, options in {
        "chunked": {"chunks": (3, 2)}, "gzip": {"chunks": (4, 3), "compression": "gzip"},
        "shuffle": {"chunks": (4, 3), "shuffle": True, "compression": 9},
        "lzf": {"chunks": (4, 3), "compression": "lzf"}, "fletcher": {"chunks": (4, 3), "fletcher32": True},
        "scale-offset": {"chunks": (4, 3), "scaleoffset": 2}, "growing": {"maxshape": (None, 3), "chunks": (4, 3)},
    }.items():
        add(name, features_options=options)
    for version in ["earliest", "v108", "latest"]:
        add(f"version-{version}", options={"libver": version}, features_options={"chunks": (4, 3)})
    add("user-block", options={"userblock_size": 512})
    add("tracked", options={"track_order": True})

    def add_names(file):
        file.create_dataset("feature_names", data=np.array(["a", "b", "jet pt"], dtype=object), dtype=text)
        file.create_dataset("class_names", data=np.array(["no", "yes"], dtype=object), dtype=text)
    add("names", more=add_names)
    add("names-fixed", more=lambda file: file.create_dataset("feature_names", data=np.array([b"a", b"b", b"c"])))
    add("attributes", more=lambda file: file.attrs.update({"made": "by hand", "n": 8, "list": [1.0, 2.0]}))
    add("group", more=lambda file: file.create_group("g/h").create_dataset("features", data=x))

    def unwritten(shape, labels):
        def make(file):
            file.create_dataset("features", shape, "f4", chunks=True)
            file.create_dataset("labels", labels, "i4", chunks=True)
        return in_memory(make)

    files["unwritten"] = unwritten((8, 3), (8,))
    files["unwritten-tall"] = unwritten((2**40, 2), (2**40,))
    files["unwritten-wide"] = unwritten((2, 2**36), (2,))
    files["unwritten-square"] = unwritten((2**40, 2**40), (4,))
    files["unwritten-labels"] = unwritten((4, 2), (4, 2**40, 2**40))
    files["unwritten-billion"] = unwritten((10**9, 28), (10**9,))
    files["many-names"] = in_memory(lambda file: (
        file.create_dataset("features", data=x), file.create_dataset("labels", data=y),
        file.create_dataset("feature_names", (2**40,), text, chunks=True)))

    def linked(file):
        file.create_dataset("x", data=x)
        file["features"] = h5py.SoftLink("/x")
        file["labels"] = h5py.ExternalLink("/etc/passwd", "/labels")
    files["links"] = in_memory(linked)
    files["external"] = in_memory(lambda file: (
        file.create_dataset("features", (8, 3), "u1", external=[("/etc/passwd", 0, 24)]),
        file.create_dataset("labels", data=y)))

    def virtual(file):
        file.create_dataset("x", data=x)
        layout = h5py.VirtualLayout((8, 3), "f4")
        layout[:] = h5py.VirtualSource(".", "x", (8, 3))
        file.create_virtual_dataset("features", layout)
        file.create_dataset("labels", data=y)
    files["virtual"] = in_memory(virtual)
    files["loop"] = in_memory(lambda file: file.__setitem__("features", h5py.SoftLink("/features")))
    files["compound"] = in_memory(lambda file: (
        file.create_dataset("features", data=np.zeros(8, dtype=[("a", "f4"), ("b", "i4")])),
        file.create_dataset("labels", data=y)))
    files["empty-dataset"] = in_memory(lambda file: file.create_dataset("features", data=h5py.Empty("f4")))
    files["scalar"] = in_memory(lambda file: file.create_dataset("features", data=3.0))
    files["groups"] = in_memory(lambda file: (file.create_group("features"), file.create_group("labels")))
    return files, ["HDF\r\n\x1a\n", "TREE", "HEAP", "SNOD", "OHDR", "GCOL", "FRHP", "BTHD", "\xff" * 8]


def decimals():
    words = """1 -1 +2.5 0.1 .5 5. 1e3 1E-3 1e+38 3.4028235e38 3.4028236e38 1e39 1e-45 7e-46 1e-50 -0 0e999999999999
    1e99999999999999999999 123456789012345678901234567890 0.000000000000000000000000000000000000000000001
    16777217 16777219.0000000000000000001 8388608.5 9007199254740993 1.17549435e-38 1.40129846e-45
    99999999999999999999e-20 18446744073709551616 1e22 1e23 . e5 + - 1e 1e+ 1.2.3 nan inf 0x10 1_0 ١""".split()
    return {f"{i:02}": word.encode() for i, word in enumerate(words)}, ["e-", "E+", "0000000000", "9999999999", "."]


# What toml++ has to parse, sound and not.
TOML_PIECES = [
    b"", b"[data]\ntrain = 'x.csv'\n", b"data.train = \"x.csv\"\ntraining.iterations = 0x10\n",
    b"data = {train = 'a', header = true}\n",
    b"[data]\ntrain = '''a\nb'''\n", b'[data]\ntrain = """a\\\n  b"""\n',
    b"[[data]]\ntrain = 'x'\n", b"[data.more]\nx = 1\n",
    b"[data]\ntrain = \"\\u00e9\\U0001F600\\t\"\n", b"[network]\nhidden = [10, 20,\n # c\n 30]\n",
    b"[taylor]\nbeta = [1.0, 2e3]\n",
    b"[taylor]\nbeta = inf\ngamma = nan\n", b"[stop]\ntime_limit = \"1h30m\"\n", b"[stop]\ntime_limit = 07:32:00\n",
    b"[output]\ndirectory = 1979-05-27T07:32:00Z\n", b"\xef\xbb\xbf[data]\r\ntrain = 'x'\r\n",
    b"[data]\ntrain = \"x\\u0000y\"\n",
    b"[data]\ntrain = '''a''''\n", b'[data]\ntrain = """a"""""\n', b"[ data ] # c\n'train' = \"x\"\n",
    b"\"data\".\"train\" = 'x'\n",
    b"[data]\ntrain = 'x'\nclasses = [\"a\", 'b', \"c\\\"d\"]\n",
    b"[data]\nsynthetic = 1_000\nsynthetic_noise = 0b101\n",
    b"[data]\ntrain = 'x'\n[data]\ntest = 'y'\n", b"[taylor]\nmultiplier = \"all\"\npenalty = 2\n",
    b"[data]\nsynthetic = 9223372036854775807\n",
    b"[=a]\n", b"[.a]\n", b"[#a]\n", b"[@data]\n", "[état]\n".encode(), b"[data\n", b"data = 5\n",
    b"[data]\nclasses = [[[[[[1]]]]]]\n",
]


def keys():
    """section.key and a value for each, from the manual."""
    section, found = "", []
    for line in (ROOT / "docs/configuration.md").read_text().splitlines():
        if match := re.match(r"## \[(\w+)\]", line):
            section = match[1]
        elif section and (match := re.match(r"\| `(\w+)` \| (.*?) \| (.*?) \|", line)):
            default = re.search(r"`([^`]*)`", match[3])
            found.append((section, match[1], default[1] if default else '"a"', match[2]))
    return found


def toml():
    files = {f"piece-{i:02}": piece for i, piece in enumerate(TOML_PIECES)}
    # Not with the files that a machine may have: reading them takes its time.
    for path in sorted((ROOT / "configs").glob("*.toml")):
        files[path.stem] = path.read_bytes().replace(b"/usr/share/", b"")
    for section in {key[0] for key in keys()}:
        lines = [f"{name} = {value}" for s, name, value, _ in keys() if s == section]
        files[f"all-{section}"] = f"[{section}]\n".encode() + "\n".join(lines).encode() + b"\n"
    # What --set takes: a line each.
    files["options"] = "\n".join(f"{s}.{name}={value}" for s, name, value, _ in keys()).encode()
    words = {name for s, name, _, _ in keys()} | {s for s, _, _, _ in keys()}
    words |= {word for _, _, _, accepts in keys() for word in re.findall(r'"(\w+)"', accepts)}
    tokens = ['"""', "'''", "[[", "]]", " = ", "\\u0000", "\\U0010FFFF", "inf", "nan", "-1", "0x", "1e400",
              "9223372036854775807", "1979-05-27", "true", "{", "}", "\x00", "\x1b", "\xef\xbb\xbf"]
    return files, sorted(words) + tokens


CONFIGURATIONS = {
    "binary": "[data]\nsynthetic = 60\nsynthetic_features = 3\n[network]\nhidden = [4]\n",
    "classes": "[data]\nsynthetic = 90\nsynthetic_features = 3\nsynthetic_classes = 3\n[network]\nhidden = [4, 3]\n",
    "regression": "[data]\nsynthetic = 60\nsynthetic_features = 3\ntask = \"regression\"\n"
                  "[network]\nhidden = [4]\nloss = \"square\"\n",
    "linear": "[data]\nsynthetic = 60\nsynthetic_features = 3\nstandardize = false\n[network]\nhidden = []\n",
    "named": "[data]\ntrain = \"named.csv\"\nlabel_column = \"kind\"\n[network]\nhidden = [4]\n",
}


def models(program):
    """Models as the program leaves them."""
    files = {}
    with tempfile.TemporaryDirectory() as name:
        directory = pathlib.Path(name)
        rows = [f"{['cat', 'dog', 'fig'][i % 3]},{i},{i * i % 7},{i % 5}\n" for i in range(40)]
        (directory / "named.csv").write_text("kind,größe,b,c\n" + "".join(rows))
        for name, text in CONFIGURATIONS.items():
            (directory / f"{name}.toml").write_text(text + "[training]\niterations = 2\n")
            run = subprocess.run(
                [program, f"{name}.toml", "--quiet", "--output", f"run-{name}"], cwd=directory,
                env=os.environ | ALONE, capture_output=True, text=True, timeout=60)
            if run.returncode != 0:
                raise SystemExit(f"no model {name}: status {run.returncode}\n{run.stderr}")
            files[name] = (directory / f"run-{name}" / "model.h5").read_bytes()
    return files, ["HDF\r\n\x1a\n", "TREE", "HEAP", "SNOD", "GCOL", "W1", "widths"]


def all_seeds(program):
    """(files, dictionary) of each target."""
    seeds = {"csv": csv(), "gzip": gz(), "idx": idx(), "hdf5": hdf5(), "toml": toml(), "decimal": decimals()}
    if program:
        seeds["model"] = models(program)
    return seeds


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("directory", type=pathlib.Path)
    parser.add_argument("--program", help="the program, to train models with")
    options = parser.parse_args()
    for target, (files, dictionary) in all_seeds(options.program).items():
        folder = options.directory / target
        folder.mkdir(parents=True, exist_ok=True)
        for name, data in files.items():
            (folder / name).write_bytes(data)
        quoted = ("".join(f"\\x{byte:02x}" for byte in word.encode("latin-1")) for word in dictionary)
        (options.directory / f"{target}.dict").write_text("".join(f'"{word}"\n' for word in quoted))
        print(f"{target}: {len(files)} seeds, {len(dictionary)} words")


if __name__ == "__main__":
    main()
