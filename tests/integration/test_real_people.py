"""A real person who runs, seen by three calibrated cameras at once: how far the packaged model is from the truth.

The truth is triangulated from the same keypoints, of a joint in the frames of those cameras that agree on it best; with
`-s` the figures of docs/model_card.md are printed. The cameras are the synchronous ones of Pose2Sim's demonstration.
"""

import itertools
import xml.etree.ElementTree as xml

import numpy as np
import scipy.ndimage

from tf_wsgen.geometry.perspective_camera import PerspectiveCamera
from tf_wsgen.metrics.pose_error import protocol_2

CAMERAS = ("cam01", "cam02", "cam04")
# Qualisys counts 64 parts a pixel, and its cameras look along −z with y up.
PARTS = 64.0
FLIPPED = np.diag([1.0, -1.0, -1.0])
# Pixels that cameras may disagree by, of a person 700 pixels tall; frames of 60 a second that a median is taken of.
DISAGREEMENT, FRAMES = 12.0, 7


def cameras_of(path):
    """Qualisys' calibration; the lenses' distortion, 3 pixels at most, is left out."""
    for camera in xml.parse(path).getroot().iter("camera"):
        place, lens = camera.find("transform").attrib, camera.find("intrinsic").attrib
        turn = np.array([[float(place[f"r{row}{column}"]) for column in "123"] for row in "123"])
        focal, centre = (
            np.array([float(lens[name + axis]) for axis in "UV"]) / PARTS for name in ("focalLength", "centerPoint")
        )
        position = np.array([float(place[axis]) for axis in "xyz"])
        yield camera.get("serial"), PerspectiveCamera(camera.get("serial"), FLIPPED @ turn, position, focal, centre)


def triangulated(cameras, keypoints):
    """(F, J, 3) places in the world of (C, F, J, 2) pixels, the linear solution."""
    rays = np.stack([(k - c.centre) / c.focal_length for c, k in zip(cameras, keypoints, strict=True)])
    matrices = np.stack([np.c_[c.rotation, -c.rotation @ c.position] for c in cameras])[:, None, None]
    rows = rays[..., None] * matrices[..., 2:, :] - matrices[..., :2, :]
    system = np.moveaxis(rows, 0, 2).reshape(*keypoints.shape[1:3], -1, 4)
    places = np.linalg.svd(system)[2][..., -1, :]
    return places[..., :3] / places[..., 3:]


def disagreement(cameras, keypoints, places):
    """(F, J) pixels, the sum over cameras, none of which counts more than `DISAGREEMENT`."""
    off = [c.project(c.to_camera_frame(places)) - k for c, k in zip(cameras, keypoints, strict=True)]
    return np.minimum(np.linalg.norm(off, axis=-1), DISAGREEMENT).sum(axis=0)


def truth(cameras, keypoints):
    """(F, J, 3) of the cameras that agree best, all or two of them, without what jumps."""
    several = [list(some) for count in (2, 3) for some in itertools.combinations(range(len(cameras)), count)]
    found = np.stack([triangulated([cameras[c] for c in some], keypoints[some]) for some in several])
    best = np.argmin([disagreement(cameras, keypoints, places) for places in found], axis=0)
    places = np.take_along_axis(found, best[None, ..., None], axis=0)[0]
    return scipy.ndimage.median_filter(places, (FRAMES, 1, 1))


def test_a_running_man_is_nearer_than_a_constant_pose(video_folder, run_program, tmp_path):
    of_name = dict(cameras_of(video_folder / "Calib.qca.txt"))
    cameras, found = [of_name[name] for name in CAMERAS], []
    for name, camera in zip(CAMERAS, cameras, strict=True):
        video = ("--video", video_folder / f"{name}.mp4", "--person", "largest")
        detector = ("--detector_model", video_folder / "pose_landmark_heavy.tflite")
        output, lens = tmp_path / f"{name}.npz", ("--focal_length", camera.mean_focal_length)
        finished = run_program("predict", *video, *detector, *lens, "--output", output)
        assert finished.returncode == 0, finished.stderr[-2000:]
        with np.load(output) as arrays:
            found.append({key: arrays[key] for key in ("frame", "keypoints", "pose_3d")})
    frames = sorted(set.intersection(*(set(one["frame"].tolist()) for one in found)))
    assert len(frames) > 90
    rows = [np.searchsorted(one["frame"], frames) for one in found]
    places = truth(cameras, np.stack([one["keypoints"][row] for one, row in zip(found, rows, strict=True)]))
    seen = [camera.to_camera_frame(places) for camera in cameras]
    errors = [
        protocol_2(one["pose_3d"][row], np.float32(pose)).numpy().mean()
        for one, row, pose in zip(found, rows, seen, strict=True)
    ]
    poses = np.float32(places)
    constant = min(protocol_2(np.broadcast_to(pose, poses.shape), poses).numpy().mean() for pose in poses)
    print(
        f"P2 {np.round(errors, 1)}, mean {np.mean(errors):.1f} mm; the best of its own poses throughout {constant:.1f}"
    )
    assert np.mean(errors) < 0.9 * constant
