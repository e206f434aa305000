"""Keypoints in CSV: a header, and a row a joint or a row a person, as spreadsheets and pandas write them.

Columns may be called in several ways (`COLUMNS`). Without a person there is one in each frame, or in each row where a
row is a person; without a frame each row is one. DeepLabCut's header of several lines and SLEAP's columns are known.
The separator is the header's comma, semicolon or tab; a first column without a name is pandas' index. Empty cells, NaN
and joints without a row are missing. The encoding is UTF-8, or UTF-16 where the file begins with its mark.
"""

import codecs
import csv
import difflib
import pathlib
import re
from collections import Counter
from collections.abc import Iterator, Sequence

import numpy as np

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS, Convention, convention_by_name, convention_of
from tf_wsgen.datasets.readers.joint_names import convention_of_names, listed
from tf_wsgen.datasets.readers.json_values import FileContent, Person, attempt
from tf_wsgen.errors import InputError
from tf_wsgen.files import existing_file, one_sentence

SEPARATORS = ",;\t"
INDEX = ("", "unnamed: 0", "index")
COLUMNS = {
    "frame": ("frame", "frame_id", "frame_number", "frame_idx", "image", "image_id", "image_name"),
    "person": ("person", "person_id", "track_id", "track"),
    "joint": (
        *("joint", "joint_name", "joint_id", "keypoint", "keypoint_id", "bodypart"),
        *("landmark", "landmark_name", "landmark_id", "landmark_index"),
    ),
}
QUANTITIES = {
    "x": ("x",),
    "y": ("y",),
    "z": ("z",),
    "confidence": ("confidence", "conf", "c", "score", "likelihood", "probability", "prob", "visibility", "v"),
}
# SLEAP's score of the whole person, and the frame's time, which its number tells.
OF_THE_ROW = ("instance.score", "time", "timestamp", "time_s", "time_ms", "timestamp_ms")
# What tables have beside the joints: classes, boxes, sizes.
OTHERS = re.compile(
    r"(class|label|category|action|activity)(_(id|name))?|((image|img|frame|video)_?)?(width|height)|fps|area"
    r"|b?box(_.*|[0-9]*)|[xy](_?(min|max)|[12])"
)
MEANT = {name: column for names in (COLUMNS, QUANTITIES) for column, several in names.items() for name in several}
# Numbers of lines, and their cells.
Rows = Iterator[tuple[int, list[str]]]
MISSING = ("", "nan", "na", "n/a", "null", "none")
EXPECTED = (
    "expected frame, person, joint, x, y(, confidence) or frame, person, <joint>_x, <joint>_y(, <joint>_confidence), …"
)


def encoding_of(start: bytes) -> str:
    """The encoding of a text by its first bytes: Excel and PowerShell write UTF-16."""
    return "utf-16" if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)) else "utf-8-sig"


def csv_content(path: pathlib.Path, kind: str, convention: str | None) -> FileContent:
    """All people of a CSV file, and the convention that has the joints' names.

    Raises:
        InputError: The file is no CSV of joints, with line, what was found and what was expected.
    """
    with existing_file(path, kind).open("rb") as file:
        encoding = encoding_of(file.read(2))
    with one_sentence(path, kind), open(path, encoding=encoding, newline="") as file:
        first = file.readline()
        file.seek(0)
        separator = max(SEPARATORS, key=first.count)
        try:
            reader = csv.reader(file, strict=True, delimiter=separator)
            header = [name.strip() for name in next(reader, [])]
            rows = ((reader.line_num, row) for row in reader)
            if header[:1] == ["scorer"]:
                header, lines, cells = _deeplabcut(rows)
                columns, joints, unread = _columns(header)
            else:
                index = int(len(header) > 1 and header[0].lower() in INDEX)
                columns, joints, unread = _columns(header[index:])
                lines, cells = _cells(rows, len(header))
                cells = cells[index:]
        except csv.Error as error:
            raise InputError(f"{path}: cannot be read as {kind} ({error}).") from None
    if not lines:
        raise InputError("no people found.")
    people, who, names_of_people = _people(cells, columns, lines)
    at, which, names, values = _joints(cells, columns, joints, lines, separator == ";")
    if not len(at):
        raise InputError("no people found.")
    table, place = _convention_of_columns([names[index] for index in np.unique(which).tolist()], convention)
    key = who[at] * len(table.joints) + np.array([place.get(name, 0) for name in names])[which]
    if len(np.unique(key)) < len(key):
        again = np.setdiff1d(np.arange(len(key)), np.unique(key, return_index=True)[1])[0]
        frame, person = people[who[at[again]]]
        of = "" if person is None else f" of person {person}"
        raise InputError(f"line {lines[at[again]]}: {names[which[again]]}{of} in frame {frame!r} is there already.")
    found = np.zeros((len(people), len(table.joints), 3))
    found.reshape(-1, 3)[key] = values
    seen, first = np.unique(who[at], return_index=True)
    entries = [
        Person(f"line {lines[at[row]]}", *people[number], found[number, :, :2], found[number, :, 2], None)
        for number, row in zip(seen.tolist(), first.tolist(), strict=True)
    ]
    notes = []
    if any("z" in places for places in joints.values()):
        notes.append("columns of z are not read: x and y are taken for places in the image")
    if unread:
        notes.append(f"columns that are no joints are not read: {listed(unread)}")
    if names_of_people:
        told = ", ".join(f"{number} is {name[:40]!r}" for number, name in enumerate(names_of_people[:10]))
        notes.append(f"people: {told}{' and so on' if len(names_of_people) > 10 else ''}")
    return FileContent("csv", entries, table, notes=tuple(notes))


def _cells(rows: Rows, count: int) -> tuple[list[int], list[list[str]]]:
    """The numbers of the lines that are not empty, and their cells, by column."""
    lines: list[int] = []
    cells: list[str] = []
    for line, row in rows:
        if len(row) == count:
            lines.append(line)
            cells += row
        elif row:
            raise InputError(f"line {line} has {len(row)} cells; expected {count}.")
    return lines, [cells[column::count] for column in range(count)]


def _deeplabcut(rows: Rows) -> tuple[list[str], list[int], list[list[str]]]:
    """Header, lines and cells, a row a person, of DeepLabCut's table, which has its columns' names in several lines."""
    names: dict[str, list[str]] = {}
    for _, row in rows:
        names[row[0].strip().lower() if row else ""] = [name.strip() for name in row[1:]]
        if "coords" in names:
            break
    if not {"bodyparts", "coords"} <= names.keys():
        raise InputError("begins like DeepLabCut's tables; expected lines 'bodyparts' and 'coords' below.")
    who = names.get("individuals", [""] * len(names["coords"]))
    columns = list(zip(who, names["bodyparts"], names["coords"], strict=True))
    # Labels made by hand have folder, video and image in columns of their own.
    index = 1 + next((place for place, name in enumerate(names["coords"]) if name), 0)
    columns = columns[index - 1 :]
    joints = list(dict.fromkeys((joint, coordinate) for _, joint, coordinate in columns))
    people = list(dict.fromkeys(person for person, _, _ in columns))
    lines, cells = _cells(rows, len(columns) + index)
    frames = list(map("/".join, zip(*cells[:index], strict=True)))
    found = dict(zip(columns, cells[index:], strict=True))

    def by_turns(of_people: list[list[str]]) -> list[str]:
        return [text for row in zip(*of_people, strict=True) for text in row]

    empty = [""] * len(lines)
    table = [by_turns([frames] * len(people)), [str(number) for number in range(len(people))] * len(lines)]
    table += [by_turns([found.get((person, *joint), empty) for person in people]) for joint in joints]
    header = ["frame", "person", *(f"{joint}_{coordinate}" for joint, coordinate in joints)]
    return header, [line for line in lines for _ in people], table


def _people(
    cells: list[list[str]], columns: dict[str, int], lines: list[int]
) -> tuple[list[tuple[str, int | None]], np.ndarray, list[str]]:
    """Frame and person of everybody, (R,) which of them a row is about, and the persons' names if they have some."""
    numbers = ["0"] * len(lines) if "joint" in columns else list(map(str, range(len(lines))))
    frames = cells[columns["frame"]] if "frame" in columns else numbers
    persons = cells[columns["person"]] if "person" in columns else [""] * len(lines)
    numbers_of_persons, names = _numbers_of_persons(persons, lines)
    texts: dict[tuple[str, str], tuple[str, int | None]] = {}
    people: dict[tuple[str, int | None, int | None], int] = {}
    who = np.empty(len(lines), np.int64)
    for row, named in enumerate(zip(frames, persons, strict=True)):
        if named not in texts:
            texts[named] = _whole(named[0]), numbers_of_persons[named[1]]
        # In a row a person, who has no number is somebody else in each row.
        alone = texts[named][1] is None and "joint" not in columns
        who[row] = people.setdefault((*texts[named], row if alone else None), len(people))
    return [(frame, person) for frame, person, _ in people], who, names


def _joints(
    cells: list[list[str]],
    columns: dict[str, int],
    joints: dict[str, dict[str, int]],
    lines: list[int],
    comma_is_point: bool,
) -> tuple[np.ndarray, np.ndarray, list[str], np.ndarray]:
    """The M joints that have coordinates: (M,) rows and which of the names, the names, (M, 3) x, y, confidence."""
    values, there = np.ones((len(lines), len(joints), 3)), np.ones((len(lines), len(joints)), bool)
    for index, (joint, places) in enumerate(joints.items()):
        texts = {quantity: cells[place] for quantity, place in places.items()}
        wrong = np.zeros(len(lines), bool)
        for axis, quantity in enumerate(("x", "y", "confidence")):
            if quantity in texts:
                values[:, index, axis], unreadable = _floats(texts[quantity], comma_is_point)
                wrong |= unreadable
        there[:, index] = ~np.isnan(values[:, index, :2]).all(axis=-1)
        for row in np.flatnonzero(wrong).tolist():
            found = {name: texts[name][row].strip() if name in texts else "1" for name in ("x", "y", "confidence")}
            if there[row, index] or not all(found[axis].lower() in MISSING for axis in "xy"):
                names = ", ".join(f"{joint}_{name}".lstrip("_") for name in found)
                raise InputError(f"line {lines[row]}: {names} are {list(found.values())}; expected numbers.")
    values[np.isnan(values[..., :2]).any(axis=-1)] = 0.0
    rows, which = np.nonzero(there)
    names = list(joints)
    if "joint" in columns:
        texts = cells[columns["joint"]]
        number = {text: place for place, text in enumerate(dict.fromkeys(texts))}
        names, which = list(map(str.strip, number)), np.array([number[text] for text in texts])[rows]
    return rows, which, names, values[there]


def _floats(texts: list[str], comma_is_point: bool) -> tuple[np.ndarray, np.ndarray]:
    """Numbers, NaN for texts that are none, and (N,) which these are."""
    unreadable = np.zeros(len(texts), bool)
    try:
        return np.array(list(map(float, texts))), unreadable
    except ValueError:
        # Some are missing, have another decimal point, or are wrong.
        values = np.full(len(texts), np.nan)
    for row, text in enumerate(texts):
        try:
            values[row] = float(text.strip().replace(",", ".") if comma_is_point else text.strip())
        except ValueError:
            unreadable[row] = True
    return values, unreadable


def _columns(header: list[str]) -> tuple[dict[str, int], dict[str, dict[str, int]], list[str]]:
    """Where frame, person and joint are; x, y and confidence by joint, "" where a row names it; what is not read."""
    columns: dict[str, int] = {}
    joints: dict[str, dict[str, int]] = {}
    unread = [name for name in header if OTHERS.fullmatch(name.lower())]
    counts = Counter(header)
    for place, name in enumerate(header):
        if counts[name] > 1:
            raise InputError(f"line 1 has more than one column {name!r}; {EXPECTED}")
        meant = MEANT.get(name.lower())
        joint, quantity = ("", meant) if meant else _of_joint(name)
        if name.lower() in OF_THE_ROW or name in unread:
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
    elif joints.get("", {}).keys() == {"confidence"}:
        unread.append(header[joints.pop("")["confidence"]])  # The whole person's.
    for joint, places in joints.items():
        for axis in "xy":
            if axis not in places:
                raise InputError(f"line 1 has no column {f'{joint}_{axis}'.lstrip('_')!r}; {EXPECTED}")
    if not joints or ("joint" not in columns and "" in joints):
        raise InputError("line 1 has no columns of joints.")
    return columns, joints, unread


def _of_joint(name: str) -> tuple[str, str | None]:
    """("nose", "x") of "nose_x"; None where it is no quantity."""
    match = re.fullmatch(r"(.+)[_. ]([A-Za-z]+)", name)
    quantity = MEANT.get(match[2].lower()) if match else None
    return (match[1], quantity) if quantity in QUANTITIES else (name, None)


def _whole(text: str) -> str:
    # Where cells are missing pandas writes whole numbers as 1.0.
    text = text.strip()
    return text if text.isdigit() else re.sub(r"^([0-9]{1,15})\.0*$", r"\1", text)


def _numbers_of_persons(texts: list[str], lines: list[int]) -> tuple[dict[str, int | None], list[str]]:
    """The person's number by text, None where it is missing; names are numbered as they appear, and told."""
    numbers = dict.fromkeys(texts)
    there = {text: _whole(text) for text in numbers if _whole(text).lower() not in MISSING}
    found = {text: re.fullmatch(r"(?:track_)?([0-9]{1,15})", name) for text, name in there.items()}
    named = [text for text, number in found.items() if number is None]
    if named and len(named) < len(found):
        raise InputError(
            f"line {lines[texts.index(named[0])]}: person is {there[named[0]]!r}, and others are numbers; expected a "
            "whole number from 0, or names of all."
        )
    names = list(dict.fromkeys(there[text] for text in named))
    places = {name: place for place, name in enumerate(names)}
    numbers |= {text: places[there[text]] if number is None else int(number[1]) for text, number in found.items()}
    return numbers, names


def _convention_of_columns(names: Sequence[str], convention: str | None) -> tuple[Convention, dict[str, int]]:
    """The convention named, or one with just these joints, or the only one that has them all, or one by the names.

    And the places of the names among its joints: where these are spelt differently, their order is the names';
    numbers for names are the places.
    """
    tables = list(CONVENTIONS.values()) if convention is None else [convention_by_name(convention)]
    if all(re.fullmatch("[0-9]{1,3}", name) for name in names):
        places = {name: int(name) for name in names}
        table = tables[0] if convention else convention_of(max(places.values()) + 1)
        if max(places.values()) < len(table.joints):
            return table, places
    exact = [table for table in tables if set(table.joints) == set(names)]
    fitting = exact or [table for table in tables if set(table.joints) >= set(names)]
    if len(fitting) == 1:
        return fitting[0], {joint: place for place, joint in enumerate(fitting[0].joints)}
    # Where the names tell none, the messages below are better: they tell which name or convention is meant.
    if convention is None and isinstance(found := attempt(convention_of_names, names), Convention):
        return found, {name: place for place, name in enumerate(names)}
    if fitting:
        raise InputError(
            f"the joints fit any of {[table.name for table in fitting]}; expected the convention to be named."
        )
    nearest = max(tables, key=lambda table: len(set(table.joints) & set(names)))
    unknown = next(name for name in names if name not in nearest.joints)
    meant = difflib.get_close_matches(unknown, nearest.joints, n=1, cutoff=0.0)[0]
    raise InputError(f"joint {unknown[:40]!r} is unknown in convention {nearest.name!r}; did you mean {meant!r}?")
