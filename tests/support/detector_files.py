"""Files of every detector in their official structures, for tests that read them."""

import csv
import json

import numpy as np

from tf_wsgen.datasets.keypoint_conventions import CONVENTIONS

SIZE = (640, 480)
# Frame and person of every row: two people, one, two again.
FRAMES, PERSONS = [0, 0, 1, 2, 2], [0, 1, 0, 0, 1]
ROWS = len(FRAMES)


def write(path, content):
    path.write_text(json.dumps(content))
    return path


def by_frame(people):
    return [[person for frame, person in zip(FRAMES, people, strict=True) if frame == f] for f in range(3)]


def flat(points, confidence):
    return np.concatenate([points, confidence[:, None]], axis=-1).ravel().tolist()


def mmpose_people(points, confidence):
    return [
        {"keypoints": p.tolist(), "keypoint_scores": c.tolist(), "bbox": [[1.0, 2, 3, 4]], "bbox_score": 0.5 + i / 10}
        for i, (p, c) in enumerate(zip(points, confidence, strict=True))
    ]


def mmpose(points, confidence):
    frames = by_frame(mmpose_people(points, confidence))
    names = {len(table.joints): table.joints for table in (CONVENTIONS[name] for name in JSON["mmpose"][1])}
    joints = names[points.shape[1]]
    return {
        "meta_info": {
            "dataset_name": "somebody's",
            "num_keypoints": len(joints),
            "keypoint_id2name": {str(index): joint for index, joint in enumerate(joints)},
        },
        "instance_info": [{"frame_id": i, "instances": people} for i, people in enumerate(frames)],
    }


def openpose_frames(points, confidence):
    people = [
        {"person_id": [-1], "pose_keypoints_2d": flat(p, c), "face_keypoints_2d": [], "hand_left_keypoints_2d": []}
        for p, c in zip(points, confidence, strict=True)
    ]
    return [{"version": 1.3, "people": frame} for frame in by_frame(people)]


def alphapose(points, confidence):
    return [
        {"image_id": f"{f}.jpg", "category_id": 1, "keypoints": flat(p, c), "score": 2.5, "idx": [0.0]}
        for f, p, c in zip(FRAMES, points, confidence, strict=True)
    ]


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
        {"image_id": f, "category_id": 1, "keypoints": flat(p, c), "score": 0.75}
        for f, p, c in zip(FRAMES, points, confidence, strict=True)
    ]


def landmarks(points, confidence):
    return [
        {"x": x / SIZE[0], "y": y / SIZE[1], "z": 0.1, "visibility": v}
        for (x, y), v in zip(points, confidence, strict=True)
    ]


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


def wide_csv(path, convention, points, confidence, quantities=("x", "y", "confidence")):
    joints = CONVENTIONS[convention].joints
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
