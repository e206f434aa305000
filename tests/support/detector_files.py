"""Files of every detector in their official structures, for tests that read them."""

import csv
import json
import pickle

import h5py
import numpy as np

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS

SIZE = (640, 480)
# Frame and person of every row: two people, one, two again.
FRAMES, PERSONS = [0, 0, 1, 2, 2], [0, 1, 0, 0, 1]
ROWS = len(FRAMES)
# Frames by a file's own numbers.
NUMBERS = [10, 11, 14]


def truth(convention):
    """(5, K, 2) pixels and (5, K) confidences with two decimals: exact in every format. The first ear is missing."""
    rng, count = np.random.default_rng(7), len(CONVENTIONS[convention].joints)
    points, confidence = rng.integers(1000, 40000, (ROWS, count, 2)) / 100, rng.integers(30, 99, (ROWS, count)) / 100
    points[0, 3], confidence[0, 3] = 0, 0
    return points, confidence


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def by_frame(people):
    return [[person for frame, person in zip(FRAMES, people, strict=True) if frame == f] for f in range(3)]


def flat(points, confidence):
    return np.concatenate([points, confidence[..., None]], axis=-1).ravel().tolist()


def dense_rows(points, confidence):
    return np.concatenate([points, confidence[..., None]], axis=-1)


def triples(points, confidence):
    return np.concatenate([points, confidence[..., None]], axis=-1).reshape(len(points), -1).tolist()


def dense(points, confidence):
    """(frames, people, K, 3), not a number where nobody is."""
    values = np.full((3, 2, points.shape[1], 3), np.nan)
    found = np.concatenate([points, confidence[..., None]], axis=-1)
    values[FRAMES, PERSONS] = np.where(confidence[..., None] > 0, found, np.nan)
    return values


def mmpose_people(points, confidence):
    return [
        {"keypoints": p.tolist(), "keypoint_scores": c.tolist(), "bbox": [[1.0, 2, 3, 4]], "bbox_score": 0.5 + i / 10}
        for i, (p, c) in enumerate(zip(points, confidence, strict=True))
    ]


def mmpose_before_1(points, confidence):
    people = zip(points, confidence, strict=True)
    return by_frame([{"bbox": [1.0, 2, 3, 4, 0.9], "keypoints": dense_rows(*person).tolist()} for person in people])


def mmpose_tested(points, confidence):
    """As `tools/test.py --out` of MMPose before 1.0, in two batches."""
    names, rows = [f"clip/{frame:03}.jpg" for frame in FRAMES], dense_rows(points, confidence).tolist()
    return [{"preds": rows[cut], "boxes": [], "image_paths": names[cut]} for cut in (slice(3), slice(3, None))]


def vitpose(points, confidence):
    people = zip(points.tolist(), confidence.tolist(), strict=True)
    return by_frame([{"keypoints": p, "scores": c, "bbox": [1.0, 2, 3, 4]} for p, c in people])


def mmpose_lists(points, confidence):
    return by_frame(mmpose_people(points, confidence))


def mmpose_frames(points, confidence):
    return [{"frame_id": i, "instances": people} for i, people in enumerate(mmpose_lists(points, confidence))]


def mmpose(points, confidence):
    names = {len(table.joints): table.joints for table in (CONVENTIONS[name] for name in JSON["mmpose"][1])}
    named = {str(index): joint for index, joint in enumerate(names[points.shape[1]])}
    about = {"dataset_name": "somebody's", "num_keypoints": len(named), "keypoint_id2name": named}
    return {"meta_info": about, "instance_info": mmpose_frames(points, confidence)}


def openpose_frames(points, confidence):
    people = [{"person_id": [-1], "pose_keypoints_2d": t, "face_keypoints_2d": []} for t in triples(points, confidence)]
    return [{"version": 1.3, "people": frame} for frame in by_frame(people)]


def openpose_of_2017(points, confidence):
    return json.loads(json.dumps(openpose_frames(points, confidence)).replace("_2d", ""))


def dwpose(points, confidence):
    canvas = {"canvas_width": SIZE[0], "canvas_height": SIZE[1]}
    return [frame | canvas for frame in openpose_frames(points, confidence)]


def alphapose(points, confidence):
    return [
        {"image_id": f"{frame}.jpg", "category_id": 1, "keypoints": values, "score": 2.5, "idx": [0.0]}
        for frame, values in zip(FRAMES, triples(points, confidence), strict=True)
    ]


def alphapose_open(points, confidence):
    return {f"{i}.jpg": frame for i, frame in enumerate(openpose_frames(points, confidence))}


def alphapose_cmu(points, confidence):
    people = by_frame([{"joints": values} for values in triples(points, confidence)])
    return {f"{i}.jpg": {"version": "AlphaPose", "bodies": bodies} for i, bodies in enumerate(people)}


def ultralytics(points, confidence):
    return by_frame(
        [
            {
                "name": "person",
                "confidence": 0.91,
                "keypoints": {"x": p[:, 0].tolist(), "y": p[:, 1].tolist(), "visible": c.tolist()},
            }
            for p, c in zip(points, confidence, strict=True)
        ]
    )


def coco_results(points, confidence):
    return [
        {"image_id": frame, "category_id": 1, "keypoints": values, "score": 0.75}
        for frame, values in zip(FRAMES, triples(points, confidence), strict=True)
    ]


def openpifpaf(points, confidence):
    box = {"bbox": [1, 2, 3, 4], "score": 0.5, "category_id": 1}
    return [{"keypoints": values} | box for values in triples(points, confidence)]


def tfjs(points, confidence):
    names = CONVENTIONS["coco17"].joints
    people = []
    for person in zip(points.tolist(), confidence.tolist(), strict=True):
        joints = [{"x": x, "y": y, "score": c, "name": n} for (x, y), c, n in zip(*person, names, strict=True)]
        people.append({"score": 0.9, "keypoints": joints})
    return by_frame(people)


def ml5(points, confidence):
    named = json.dumps(tfjs(points, confidence)).replace('"score"', '"confidence"')
    return json.loads(named)


def posenet(points, confidence):
    frames = tfjs(points, confidence)
    for pose in (pose for frame in frames for pose in frame):
        for joint in pose["keypoints"]:
            side, _, part = joint.pop("name").partition("_")
            joint |= {"part": side + part.title(), "position": {"x": joint.pop("x"), "y": joint.pop("y")}}
    return frames


def ml5_before_1(points, confidence):
    nose = {"x": 1.0, "y": 2.0, "confidence": 0.9}
    return [
        [{"pose": pose | {"nose": nose}, "skeleton": []} for pose in poses] for poses in posenet(points, confidence)
    ]


def landmarks(points, confidence):
    shares = (points / SIZE).tolist()
    return [{"x": x, "y": y, "z": 0.1, "visibility": v} for (x, y), v in zip(shares, confidence, strict=True)]


def mediapipe_in_browsers(points, confidence):
    frames = mediapipe(points, confidence)
    return [{"frameNumber": i, "poseLandmarks": frame["pose_landmarks"]} for i, frame in enumerate(frames)]


def mediapipe(points, confidence):
    poses = [landmarks(p, c) for p, c in zip(points, confidence, strict=True)]
    return [{"pose_landmarks": frame} for frame in by_frame(poses)]


def long_csv(path, convention, points, confidence, header=("frame", "person", "joint", "x", "y", "confidence")):
    with open(path, "w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(header)
        for row in range(ROWS):
            for joint, xy, c in zip(CONVENTIONS[convention].joints, points[row], confidence[row], strict=True):
                if c > 0:
                    writer.writerow([FRAMES[row], PERSONS[row], joint, *xy, c][: len(header)])
    return path


def wide_csv(path, convention, points, confidence, quantities=("x", "y", "confidence"), spell=str):
    joints = list(map(spell, CONVENTIONS[convention].joints))
    with open(path, "w", newline="", encoding="utf-8-sig") as file:
        writer = csv.writer(file)
        writer.writerow(["frame", "person", *(f"{joint}_{q}" for joint in joints for q in quantities)])
        for row in range(ROWS):
            values = np.concatenate([points[row], confidence[row][:, None]], axis=-1)[:, : len(quantities)]
            cells = [["" if c == 0 else v for v in xyc] for xyc, c in zip(values, confidence[row], strict=True)]
            writer.writerow([FRAMES[row], PERSONS[row], *(cell for joint in cells for cell in joint)])
    return path


# Builder, and the conventions that the format comes in.
JSON = {
    "mmpose": (mmpose, ("coco17", "halpe26", "mpii16")),
    "alphapose": (alphapose, ("coco17", "halpe26")),
    "ultralytics": (ultralytics, ("coco17",)),
    "coco_results": (coco_results, ("coco17",)),
    "mediapipe": (mediapipe, ("mediapipe33",)),
}

# Tables and arrays of COCO's joints: written to a path.
COCO = CONVENTIONS["coco17"].joints
IMAGES = [("labeled-data", "walk", f"img{number:03}.png") for number in NUMBERS]
COLUMNS = [("DLC", who, joint, axis) for who in "ab" for joint in COCO for axis in ("x", "y", "likelihood")]


def table_text(rows):
    return "\n".join(",".join("" if str(cell) == "nan" else str(cell) for cell in row) for row in rows)


def deeplabcut_csv(path, points, confidence, index=((10,), (11,), (14,))):
    names, empty = ("scorer", "individuals", "bodyparts", "coords"), [""] * (len(index[0]) - 1)
    head = [[name, *empty, *values] for name, values in zip(names, zip(*COLUMNS, strict=True), strict=True)]
    body = [[*n, *row.ravel()] for n, row in zip(index, dense(points, confidence), strict=True)]
    path.write_text(table_text(head + body))


def collected_csv(path, points, confidence):
    deeplabcut_csv(path, points, confidence, IMAGES)


def csv_in_utf_16(path, points, confidence):
    """As Excel's "Unicode text"."""
    deeplabcut_csv(path, points, confidence)
    path.write_text(path.read_text().replace(",", "\t"), encoding="utf-16")


def json_in_utf_16(path, points, confidence):
    """As PowerShell's >."""
    path.write_text(json.dumps(mmpose_lists(points, confidence)), encoding="utf-16")


def deeplabcut_table(path, points, confidence):
    """As pandas' `to_hdf(…, format="table")`."""
    rows = np.zeros(3, [("index", "<i8"), ("values_block_0", "<f8", (len(COLUMNS),))])
    rows["index"], rows["values_block_0"] = NUMBERS, dense(points, confidence).reshape(3, -1)
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = np.bytes_(b"frame_table")
        group["table"] = rows
        group["table"].attrs["values_block_0_kind"] = np.bytes_(pickle.dumps(COLUMNS, protocol=0))


def deeplabcut_fixed(path, points, confidence, index=None):
    """As pandas' `to_hdf(…, format="fixed")`."""
    with h5py.File(path, "w") as file:
        group = file.create_group("df_with_missing")
        group.attrs["pandas_type"] = np.bytes_(b"frame")
        group["block0_values"] = dense(points, confidence).reshape(3, -1)
        if not index:
            group["axis1"] = NUMBERS
        for axis, rows in {"block0_items": COLUMNS, "axis1": index or []}.items():
            for level, names in enumerate(zip(*rows, strict=True)):
                known = sorted(set(names))
                group[f"{axis}_level{level}"] = np.array(known, "S")
                group[f"{axis}_label{level}"] = np.array([known.index(name) for name in names], np.int8)


def collected_fixed(path, points, confidence):
    deeplabcut_fixed(path, points, confidence, IMAGES)


def collected_with_paths(path, points, confidence):
    deeplabcut_fixed(path, points, confidence)
    with h5py.File(path, "r+") as file:
        del file["df_with_missing/axis1"]
        file["df_with_missing/axis1"] = np.array(list(map("/".join, IMAGES)), "S")


def sleap_csv(path, points, confidence):
    head = [
        "track",
        "frame_idx",
        "instance.score",
        *(f"{joint}.{axis}" for joint in COCO for axis in "x y score".split()),
    ]
    known = zip(FRAMES, PERSONS, triples(points, confidence), strict=True)
    path.write_text(table_text([head, *([f"track_{person}", NUMBERS[f], 0.9, *row] for f, person, row in known)]))


def sleap(path, points, confidence, dims=("track", "xy", "node", "frame")):
    values, order = dense(points, confidence), ("frame", "track", "node", "xy")
    with h5py.File(path, "w") as file:
        file["tracks"] = values[..., :2].transpose([order.index(dim) for dim in dims])
        file["point_scores"] = values[..., 2].transpose([order.index(dim) for dim in dims if dim != "xy"])
        file["node_names"] = np.array(COCO, "S")


def sleap_of_others(path, points, confidence):
    sleap(path, points, confidence, ("frame", "track", "node", "xy"))


def array_of_people(points, confidence):
    return dense(points, confidence).transpose(1, 0, 2, 3)


def pickled_array(path, points, confidence):
    path.write_bytes(pickle.dumps(array_of_people(points, confidence)))


def npy(path, points, confidence):
    np.save(path, array_of_people(points, confidence))


def npz(path, points, confidence):
    np.savez(path, keypoints=array_of_people(points, confidence))


def pyskl(path, points, confidence):
    values = array_of_people(points, confidence)
    annotation = {"frame_dir": "walk", "keypoint": values[..., :2], "keypoint_score": values[..., 2], "label": 3}
    path.write_bytes(pickle.dumps({"split": {}, "annotations": [annotation]}))


def mmpose_before_1_pickled(path, points, confidence):
    people = mmpose_before_1(points, confidence)
    for frame in people:
        for person in frame:
            person["keypoints"] = np.float32(person["keypoints"])
    path.write_bytes(pickle.dumps(people))


def mmpose_tested_pickled(path, points, confidence):
    batches = [batch | {"preds": np.float32(batch["preds"])} for batch in mmpose_tested(points, confidence)]
    path.write_bytes(pickle.dumps(batches))


def openpifpaf_lines(path, points, confidence):
    frames = zip(NUMBERS, by_frame(openpifpaf(points, confidence)), strict=True)
    lines = [{"frame": n, "predictions": [p | {"id_": i} for i, p in enumerate(people)]} for n, people in frames]
    path.write_text("\n".join(map(json.dumps, lines)) + "\n")


# Writer, and what the file is found to be.
CONTAINERS = {
    "dlc.csv": (deeplabcut_csv, "csv", NUMBERS),
    "table.h5": (deeplabcut_table, "deeplabcut", NUMBERS),
    "fixed.h5": (deeplabcut_fixed, "deeplabcut", NUMBERS),
    "CollectedData_DLC.csv": (collected_csv, "csv", NUMBERS),
    "CollectedData_DLC.h5": (collected_fixed, "deeplabcut", NUMBERS),
    "paths.h5": (collected_with_paths, "deeplabcut", NUMBERS),
    "excel.csv": (csv_in_utf_16, "csv", NUMBERS),
    "powershell.json": (json_in_utf_16, "mmpose", range(3)),
    "sleap.csv": (sleap_csv, "csv", NUMBERS),
    "sleap.h5": (sleap, "sleap", range(3)),
    "others.h5": (sleap_of_others, "sleap", range(3)),
    "array.npy": (npy, "array", range(3)),
    "array.npz": (npz, "array", range(3)),
    "array.pkl": (pickled_array, "array", range(3)),
    "pyskl.pkl": (pyskl, "array", range(3)),
    "mmpose.pkl": (mmpose_before_1_pickled, "mmpose", range(3)),
    "tested.pkl": (mmpose_tested_pickled, "mmpose", range(3)),
    "pifpaf.json": (openpifpaf_lines, "openpifpaf", NUMBERS),
}
