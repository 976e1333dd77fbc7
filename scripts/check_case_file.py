#!/usr/bin/env python3
"""Proves that a case file is complete and unchanged. Needs Python 3.10 or newer, no network and nothing else.

    python3 check_case_file.py FILE.zip --keys case-file-keys.json

FILE.zip may also be the folder it was unpacked into. The keys are what the portal publishes at
/.well-known/case-file-keys.json; take them from there, over HTTPS, and not from the one who gave you the file. Take
this program from there too, /.well-known/case-file-check.py: one that came with a forged file would praise it.
A key may also be given itself, as 64 hexadecimal digits.

Checked: the signature under the manifest; that each file is there, as the manifest tells it, and in its order; that
none was added; and for each case, that each audit entry has the digest that stands at its place in its seal, none of
its places is empty, no entry was added or moved, and seals that follow each other are linked.

Exit code 0: whole. 1: not whole, with a line for each fault. 2: it cannot be read at all.
"""

import argparse
import hashlib
import itertools
import json
import sys
import zipfile
from pathlib import Path

MANIFEST, SIGNATURE = "manifest.json", "manifest.sig"


# --- Ed25519 (RFC 8032), verifying only -----------------------------------------------------------------------

P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT = pow(2, (P - 1) // 4, P)


def _x_of(y, sign):
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT % P
    if (x * x - square) % P or (not x and sign):
        return None
    return P - x if x % 2 != sign else x


def _point(raw):
    number = int.from_bytes(raw, "little")
    y, sign = number & (2**255 - 1), number >> 255
    x = _x_of(y, sign)
    return None if x is None else (x, y, 1, x * y % P)


def _add(one, other):
    a = (one[1] - one[0]) * (other[1] - other[0]) % P
    b = (one[1] + one[0]) * (other[1] + other[0]) % P
    c = 2 * one[3] * other[3] * D % P
    d = 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(number, point):
    found = (0, 1, 1, 0)
    while number:
        if number & 1:
            found = _add(found, point)
        point = _add(point, point)
        number >>= 1
    return found


BASE_Y = 4 * pow(5, P - 2, P) % P
BASE = (_x_of(BASE_Y, 0), BASE_Y, 1, _x_of(BASE_Y, 0) * BASE_Y % P)


def signature_holds(public, message, signature):
    """Whether `signature` (64 bytes) is the one of `message` under the public key (32 bytes)."""
    if len(public) != 32 or len(signature) != 64:
        return False
    key, first = _point(public), _point(signature[:32])
    number = int.from_bytes(signature[32:], "little")
    if key is None or first is None or number >= ORDER:
        return False
    digest = hashlib.sha512(signature[:32] + public + message).digest()
    one, other = _times(number, BASE), _add(first, _times(int.from_bytes(digest, "little") % ORDER, key))
    return (one[0] * other[2] - other[0] * one[2]) % P == 0 and (
        one[1] * other[2] - other[1] * one[2]
    ) % P == 0


# --- The archive ------------------------------------------------------------------------------------------------


class Folder:
    """An unpacked case file. The order of its files is lost, so it is not looked at."""

    has_order = False

    def __init__(self, path):
        self._path = path
        self.names = sorted(
            str(file.relative_to(path).as_posix()) for file in path.rglob("*") if file.is_file()
        )

    def open(self, name):
        return (self._path / name).open("rb")


class Zip:
    """A case file as it came."""

    has_order = True

    def __init__(self, path):
        self._zip = zipfile.ZipFile(path)
        self.names = [entry.filename for entry in self._zip.infolist() if not entry.is_dir()]

    def open(self, name):
        return self._zip.open(name)


def _digest(archive, name):
    total, size = hashlib.sha256(), 0
    with archive.open(name) as file:
        while True:
            piece = file.read(1 << 20)
            if not piece:
                return total.hexdigest(), size
            total.update(piece)
            size += len(piece)


def _bytes(archive, name):
    with archive.open(name) as file:
        return file.read()


# --- What is checked ----------------------------------------------------------------------------------------------


def check_signature(archive, manifest, raw, keys, say):
    """The signature, under a key that is trusted; without one, the key's fingerprint is told instead."""
    key_id, own = str(manifest.get("key_id")), str(manifest.get("public_key"))
    if SIGNATURE not in archive.names:
        say("missing: manifest.sig, the signature under the manifest")
        return
    if keys is not None and keys.get(key_id, keys.get("")) != own:
        say(f"signature: made under the key {key_id}, which is not among the keys given")
        return
    try:
        holds = signature_holds(
            bytes.fromhex(own), raw, bytes.fromhex(_bytes(archive, SIGNATURE).decode().strip())
        )
    except ValueError:
        holds = False
    if not holds:
        say(
            "signature: it does not fit the manifest, so somebody changed manifest.json, manifest.sig or the key"
        )


def check_files(archive, manifest, say):
    """Each file of the manifest is there as it tells, none besides, in its order."""
    told = {file["path"]: file for file in manifest["files"]}
    if len(told) != len(manifest["files"]):
        say("manifest: it names a file twice")
    for name in sorted({name for name in archive.names if archive.names.count(name) > 1}):
        say(f"added: {name} is in the archive more than once")
    there = set(archive.names)
    for name, file in told.items():
        if name not in there:
            say(f"missing: {name}")
            continue
        try:
            digest, size = _digest(archive, name)
        except (OSError, zipfile.BadZipFile, EOFError) as error:
            say(f"broken: {name} cannot be read ({error})")
            continue
        if (digest, size) != (file["sha256"], file["size"]):
            say(f"changed: {name} is not the file that the manifest tells of")
    for name in sorted(there - set(told) - {MANIFEST, SIGNATURE}):
        say(f"added: {name} is not in the manifest")
    if archive.has_order:
        present = [name for name in archive.names if name in told]
        expected = [name for name in told if name in there]
        moved = next((pair for pair in zip(present, expected, strict=False) if pair[0] != pair[1]), None)
        if moved:
            say(f"reordered: {moved[0]} stands where {moved[1]} belongs")


def entry_digest(facts):
    """SHA-256 of an audit entry, as the portal computes it before it seals it."""
    text = json.dumps(facts, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(text.encode()).hexdigest()


def check_audit(archive, case, say):
    """Each entry of one case against its seal, and the seals against each other."""
    name, reference = case["audit"], case["reference"]
    if name not in archive.names:
        return
    try:
        document = json.loads(_bytes(archive, name))
        entries, seals = document["entries"], {seal["number"]: seal for seal in document["seals"]}
        _check_entries(entries, seals, reference, say)
        _check_seals(document["seals"], reference, say)
    except (ValueError, KeyError, TypeError) as error:
        say(f"broken: {name} is not what an audit file looks like ({type(error).__name__} {error})")
        return
    if len(entries) != case["audit_entries"]:
        say(
            f"audit of {reference}: {len(entries)} entries, but the manifest tells of {case['audit_entries']}"
        )


def _check_entries(entries, seals, reference, say):
    found, before = set(), (0, -1)
    for item in entries:
        facts, number, place = item["entry"], item["seal"], item["place"]
        label = f"audit of {reference}: entry {facts['id']} ({facts['action']}, {facts['at'][:19]})"
        if number is None:
            continue  # Too new to be sealed; the signed manifest alone proves it, and counts it.
        if number not in seals or place not in seals[number]["ours"]:
            say(f"{label} was added: no seal has a place for it")
            continue
        if (number, place) in found:
            say(f"{label} was added: its place is another entry's")
            continue
        found.add((number, place))
        listed = seals[number]["entry_digests"]
        if place >= len(listed) or entry_digest(facts) != listed[place]:
            say(f"{label} was changed: seal {number} holds another digest at place {place}")
        if (number, place) < before:
            say(f"{label} was reordered: it belongs before the one that stands before it")
        before = max(before, (number, place))
    for number, seal in seals.items():
        for place in seal["ours"]:
            if (number, place) not in found:
                say(f"audit of {reference}: an entry is missing: place {place} of seal {number}")


def _check_seals(seals, reference, say):
    for one, other in itertools.pairwise(seals):
        if other["number"] <= one["number"]:
            say(
                f"audit of {reference}: seal {other['number']} was reordered: it stands after seal {one['number']}"
            )
        elif other["number"] == one["number"] + 1 and other["previous_digest"] != one["digest"]:
            say(f"audit of {reference}: seal {other['number']} does not follow seal {one['number']}")


def check(archive, keys):
    """Everything; answers (manifest, faults), a line for each fault."""
    faults = []
    raw = _bytes(archive, MANIFEST)
    manifest = json.loads(raw)
    check_signature(archive, manifest, raw, keys, faults.append)
    check_files(archive, manifest, faults.append)
    for case in manifest["cases"]:
        check_audit(archive, case, faults.append)
        faults.extend(
            f"told by the portal itself, {case['reference']}: {problem}" for problem in case["problems"]
        )
    return manifest, faults


def read_keys(text):
    """Key ids to public keys, out of a published file, or one key whose id does not matter."""
    if len(text) == 64 and all(letter in "0123456789abcdef" for letter in text.lower()):
        return {"": text.lower()}
    return {key["id"]: key["public_key"] for key in json.loads(Path(text).read_text())["keys"]}


def main(arguments=None):
    """The command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("file", type=Path, help="the case file: a zip, or the folder it was unpacked into")
    parser.add_argument("--keys", help="the portal's published keys (a JSON file), or one public key in hex")
    given = parser.parse_args(arguments)
    out = sys.stdout.write
    try:
        keys = read_keys(given.keys) if given.keys else None
        archive = Folder(given.file) if given.file.is_dir() else Zip(given.file)
        manifest, faults = check(archive, keys)
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile) as error:
        out(f"It cannot be read: {type(error).__name__}: {error}\n")
        return 2
    for fault in faults:
        out(f"{fault}\n")
    out(f"Case file {manifest['export']}, made {manifest['made_at']} by {manifest['made_by']}.\n")
    out(f"{len(manifest['cases'])} case(s), {len(manifest['files'])} files.\n")
    for file in manifest["left_out"]:
        out(f"Left out when it was made: {file['path']}: {file['why']}\n")
    if keys is None:
        out(
            f"The key was not compared with one you trust. It is {manifest['key_id']}: {manifest['public_key']}\n"
        )
    out(f"NOT WHOLE: {len(faults)} fault(s).\n" if faults else "WHOLE: complete and unchanged.\n")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
