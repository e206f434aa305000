"""Keypoints in CSV: a header, and a row a joint or a row a person, as spreadsheets and pandas write them.

Columns may be called in several ways (`COLUMNS`); without a person there is one in each frame, without a frame each
row is one. DeepLabCut's header of several lines and SLEAP's columns are known. The separator is the header's comma,
semicolon or tab; a first column without a name is pandas' index. Empty cells, NaN and joints without a row are
missing.
"""

import csv
import difflib
import math
import pathlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, Convention, convention_by_name
from tf_wsgen.datasets.readers.joint_names import convention_of_names
from tf_wsgen.datasets.readers.json_values import FileContent, Person
from tf_wsgen.errors import InputError
from tf_wsgen.files import existing_file, one_sentence

SEPARATORS = ",;\t"
INDEX = ("", "unnamed: 0", "index")
COLUMNS = {
    "frame": ("frame", "frame_id", "frame_number", "frame_idx", "image", "image_id", "image_name"),
    "person": ("person", "person_id", "track_id", "track"),
    "joint": ("joint", "joint_name", "keypoint", "bodypart"),
}
QUANTITIES = {
    "x": ("x",),
    "y": ("y",),
    "z": ("z",),
    "confidence": ("confidence", "conf", "score", "likelihood", "visibility"),
}
# SLEAP's score of the whole person.
OF_THE_ROW = ("instance.score",)
MEANT = {name: column for names in (COLUMNS, QUANTITIES) for column, several in names.items() for name in several}
MISSING = ("", "nan", "na", "n/a", "null", "none")
EXPECTED = (
    "expected frame, person, joint, x, y(, confidence) or frame, person, <joint>_x, <joint>_y(, <joint>_confidence), …"
)


class _Cell(NamedTuple):
    """A joint that has coordinates."""

    line: int
    frame: str
    person: int | None
    joint: str
    values: list[float]


def csv_content(path: pathlib.Path, kind: str, convention: str | None) -> FileContent:
    """All people of a CSV file, and the convention that has the joints' names.

    Raises:
        InputError: The file is no CSV of joints, with line, what was found and what was expected.
    """
    with one_sentence(path, kind), open(existing_file(path, kind), encoding="utf-8-sig", newline="") as file:
        first = file.readline()
        file.seek(0)
        separator = max(SEPARATORS, key=first.count)
        try:
            reader = csv.reader(file, strict=True, delimiter=separator)
            header = [name.strip() for name in next(reader, [])]
            rows = ((reader.line_num, row) for row in reader)
            if header[:1] == ["scorer"]:
                header, rows = _deeplabcut(rows)
            cells = list(_cells(rows, header, separator == ";"))
        except csv.Error as error:
            raise InputError(f"{path}: cannot be read as {kind} ({error}).") from None
    if not cells:
        raise InputError("no people found.")
    table = _convention_of_columns(list(dict.fromkeys(cell.joint for cell in cells)), convention)
    place = {joint: index for index, joint in enumerate(table.joints)}
    people: dict[tuple[str, int | None], Person] = {}
    given = set()
    for line, frame, person, joint, (x, y, confidence) in cells:
        if (frame, person, joint) in given:
            who = "" if person is None else f" of person {person}"
            raise InputError(f"line {line}: {joint}{who} in frame {frame!r} is there already.")
        given.add((frame, person, joint))
        if (frame, person) not in people:
            empty = np.zeros((len(place), 2)), np.zeros(len(place))
            people[frame, person] = Person(f"line {line}", frame, person, *empty, None)
        people[frame, person].points[place[joint]] = x, y
        people[frame, person].confidence[place[joint]] = confidence
    return FileContent("csv", list(people.values()), table)


def _deeplabcut(rows: Iterator[tuple[int, list[str]]]) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """Header and rows, one a person, of DeepLabCut's table, which has its columns' names in several lines."""
    names: dict[str, list[str]] = {}
    for _, row in rows:
        names[row[0].strip().lower() if row else ""] = [name.strip() for name in row[1:]]
        if "coords" in names:
            break
    if not {"bodyparts", "coords"} <= names.keys():
        raise InputError("begins like DeepLabCut's tables; expected lines 'bodyparts' and 'coords' below.")
    who = names.get("individuals", [""] * len(names["coords"]))
    columns = list(zip(who, names["bodyparts"], names["coords"], strict=True))
    joints = list(dict.fromkeys((joint, coordinate) for _, joint, coordinate in columns))
    people = list(dict.fromkeys(who))

    def by_person() -> Iterator[tuple[int, list[str]]]:
        for line, row in rows:
            if len(row) != len(columns) + 1:
                raise InputError(f"line {line} has {len(row)} cells; expected {len(columns) + 1}.")
            cells = dict(zip(columns, row[1:], strict=True))
            for number, person in enumerate(people):
                yield line, [row[0], str(number), *(cells.get((person, *joint), "") for joint in joints)]

    return ["frame", "person", *(f"{joint}_{coordinate}" for joint, coordinate in joints)], by_person()


def _cells(rows: Iterator[tuple[int, list[str]]], header: list[str], comma_is_point: bool) -> Iterator[_Cell]:
    index = int(len(header) > 1 and header[0].lower() in INDEX)
    columns, joints = _columns(header[index:])
    people: dict[str, int | None] = {}
    for number, (line, row) in enumerate(rows):
        if not row:
            continue
        if len(row) != len(header):
            raise InputError(f"line {line} has {len(row)} cells; expected {len(header)}.")
        cells = list(map(str.strip, row[index:]))
        frame = _whole(cells[columns["frame"]]) if "frame" in columns else str(0 if "joint" in columns else number)
        who = cells[columns["person"]] if "person" in columns else ""
        if who not in people:
            people[who] = _person(who, line)
        for joint, places in joints.items():
            name = joint or cells[columns["joint"]]
            try:
                x, y = float(cells[places["x"]]), float(cells[places["y"]])
                values = [x, y, float(cells[places["confidence"]]) if "confidence" in places else 1.0]
            except ValueError:
                # Missing, with another decimal point, or wrong.
                texts = {quantity: cells[place] for quantity, place in places.items()}
                if comma_is_point:
                    texts = {quantity: text.replace(",", ".") for quantity, text in texts.items()}
                if all(texts[axis].lower() in MISSING for axis in "xy"):
                    continue
                x, y, _ = values = _numbers(texts, joint, line)
            missing = math.isnan(x), math.isnan(y)
            if not all(missing):
                yield _Cell(line, frame, people[who], name, [0.0, 0.0, 0.0] if any(missing) else values)


def _columns(header: list[str]) -> tuple[dict[str, int], dict[str, dict[str, int]]]:
    """Where frame, person and joint are, and x, y and confidence by joint; "" is the joint that a row names."""
    columns: dict[str, int] = {}
    joints: dict[str, dict[str, int]] = {}
    counts = Counter(header)
    twice = [name for name in header if counts[name] > 1]
    if twice:
        raise InputError(f"line 1 has more than one column {twice[0]!r}; {EXPECTED}")
    for place, name in enumerate(header):
        meant = MEANT.get(name.lower())
        joint, quantity = (meant and ("", meant)) or _of_joint(name)
        if name in OF_THE_ROW:
            continue
        if meant in COLUMNS:
            columns.setdefault(meant, place)
        elif quantity is None:
            raise InputError(f"line 1 has an unknown column {name!r}; {EXPECTED}")
        else:
            joints.setdefault(joint, {}).setdefault(quantity, place)
    if "joint" in columns:
        others = [name for name in joints if name]
        if others:
            raise InputError(f"line 1 has an unknown column '{others[0]}_x' beside joint; {EXPECTED}")
        joints.setdefault("", {})
    for joint, places in joints.items():
        for axis in "xy":
            if axis not in places:
                raise InputError(f"line 1 has no column {f'{joint}_{axis}'.lstrip('_')!r}; {EXPECTED}")
    if not joints or ("joint" not in columns and "" in joints):
        raise InputError("line 1 has no columns of joints.")
    return columns, joints


def _of_joint(name: str) -> tuple[str, str | None]:
    """("nose", "x") of "nose_x"; None where it is no quantity."""
    match = re.fullmatch(r"(.+)[_. ]([A-Za-z]+)", name)
    quantity = MEANT.get(match[2].lower()) if match else None
    return (match[1], quantity) if quantity in QUANTITIES else (name, None)


def _whole(text: str) -> str:
    # Where cells are missing pandas writes whole numbers as 1.0.
    return text if text.isdigit() else re.sub(r"^([0-9]{1,15})\.0*$", r"\1", text)


def _person(text: str, line: int) -> int | None:
    text = _whole(text)
    if text.lower() in MISSING:
        return None
    number = re.fullmatch(r"(?:track_)?([0-9]{1,15})", text)
    if not number:
        raise InputError(f"line {line}: person is {text!r}; expected a whole number from 0.")
    return int(number[1])


def _numbers(texts: dict[str, str], joint: str, line: int) -> list[float]:
    named = {f"{joint}_{name}".lstrip("_"): texts.get(name, "1") for name in ("x", "y", "confidence")}
    try:
        x, y, confidence = map(float, named.values())
    except ValueError:
        raise InputError(f"line {line}: {', '.join(named)} are {list(named.values())}; expected numbers.") from None
    return [0.0, 0.0, 0.0] if math.isnan(x + y) else [x, y, confidence]


def _convention_of_columns(names: Sequence[str], convention: str | None) -> Convention:
    """The convention named, or one with just these joints, or the only one that has them all, or one by the names."""
    tables = list(CONVENTIONS.values()) if convention is None else [convention_by_name(convention)]
    exact = [table for table in tables if set(table.joints) == set(names)]
    fitting = exact or [table for table in tables if set(table.joints) >= set(names)]
    if len(fitting) == 1:
        return fitting[0]
    if convention is None:
        try:
            return convention_of_names(names)
        except InputError:
            # The message below is the better one: it tells which name is meant.
            pass
    if fitting:
        raise InputError(
            f"the joints fit any of {[table.name for table in fitting]}; expected the convention to be named."
        )
    nearest = max(tables, key=lambda table: len(set(table.joints) & set(names)))
    unknown = next(name for name in names if name not in nearest.joints)
    meant = difflib.get_close_matches(unknown, nearest.joints, n=1, cutoff=0.0)[0]
    raise InputError(f"joint {unknown[:40]!r} is unknown in convention {nearest.name!r}; did you mean {meant!r}?")
