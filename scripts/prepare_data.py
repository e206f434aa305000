"""Turns a data set's official files into the prepared file that training and evaluation read.

python scripts/prepare_data.py --dataset h36m --source data_3d_h36m.npz --output h36m.h5 --preview h36m.png
python scripts/prepare_data.py --dataset cmu --source cmu_folder --output cmu.h5 --test_subjects 02
"""

from absl import flags
from command_line import image_size, new_file, run

_DATASETS = ["h36m", "mpi_inf_3dhp", "mpii", "cmu", "bvh", "arrays", "detections"]
_DATASET = flags.DEFINE_enum("dataset", None, _DATASETS, "What the source is.", required=True)
_SOURCE = flags.DEFINE_string("source", None, "File or folder of the data set.", required=True)
_OUTPUT = flags.DEFINE_string("output", None, "Prepared HDF5 file to write.", required=True)
_OVERWRITE = flags.DEFINE_bool("overwrite", False, "Replace the output if it is there.")
_PREVIEW = flags.DEFINE_string("preview", None, "PNG file: 12 random rows, 2D beside 3D.")
# Options of the readers; which data set takes which, tf_wsgen/datasets/prepare.py tells.
_OPTIONS = {
    "detections": flags.DEFINE_string("detections", None, "h36m, mpii: file (or folder) of detected 2D poses."),
    "convention": flags.DEFINE_string("convention", None, "h36m, arrays, detections: joint convention, as coco17."),
    "train_subjects": flags.DEFINE_list("train_subjects", None, "h36m: subjects of the group train."),
    "test_subjects": flags.DEFINE_list("test_subjects", None, "h36m, cmu, bvh: subjects of the group test."),
    "test_sequences": flags.DEFINE_list("test_sequences", None, "cmu, bvh: sequences of the group test."),
    "stride": flags.DEFINE_integer("stride", None, "h36m, mpi_inf_3dhp, cmu, bvh: every how many frames.", 1),
    "test_stride": flags.DEFINE_integer("test_stride", None, "h36m: every how many test frames (64).", 1),
    "keep_corrupt": flags.DEFINE_bool("keep_corrupt", None, "h36m: keep S11's damaged recording."),
    "group": flags.DEFINE_enum("group", None, ["train", "test"], "mpii, arrays, detections, .mat: where rows go."),
    "cameras": flags.DEFINE_list("cameras", None, "cmu, bvh: human36m or random; mpi_inf_3dhp: camera numbers."),
    "num_random": flags.DEFINE_integer("num_random", None, "cmu, bvh: random cameras a sequence.", 1),
    "seed": flags.DEFINE_integer("seed", None, "cmu, bvh: of cameras, noise and dropped joints (0).", 0),
    "noise": flags.DEFINE_float("noise", None, "cmu, bvh: scale of the simulated detector's errors; 0 is exact.", 0.0),
    "dropped_joints": flags.DEFINE_integer("dropped_joints", None, "cmu, bvh: limb joints hidden a row.", 0),
    "annotation": flags.DEFINE_enum("annotation", None, ["univ_annot3", "annot3"], "mpi_inf_3dhp: which 3D."),
    "only_valid": flags.DEFINE_bool("only_valid", None, "mpi_inf_3dhp: leave out frames that are not valid."),
    "occluded_as_missing": flags.DEFINE_bool("occluded_as_missing", None, "mpii: joints out of sight are missing."),
    "unit": flags.DEFINE_string("unit", None, "arrays: mm or m; bvh: mm, cm, m, cmu, inch, a number, auto."),
    "up": flags.DEFINE_enum("up", None, ["y", "z", "x", "-y", "-z", "-x"], "bvh: the axis that points up (y)."),
    "joint_names": flags.DEFINE_string("joint_names", None, "bvh: YAML file, the file's joint for each of human16's."),
    "frame": flags.DEFINE_string("frame", None, "arrays: of the 3D, camera, or world_z_up for 3D alone."),
    "format": flags.DEFINE_string("format", None, "detections: the detector's format."),
    "lowest_confidence": flags.DEFINE_float("lowest_confidence", None, "detections: below it joints are missing.", 0.0),
    "image_size": flags.DEFINE_string("image_size", None, "detections: WIDTHxHEIGHT of the images in pixels."),
}


def main() -> None:
    output, preview = new_file(_OUTPUT.value), new_file(_PREVIEW.value)
    options = {name: flag.value for name, flag in _OPTIONS.items()}
    options["image_size"] = image_size(options["image_size"])

    from tqdm import tqdm

    from tf_wsgen.datasets.prepare import prepare

    with tqdm(unit="row", dynamic_ncols=True, desc="Writing") as bar:
        review = prepare(_DATASET.value, _SOURCE.value, output, options, _OVERWRITE.value, bar.write, bar.update)
    print(review.table())
    if preview:
        from tf_wsgen.evaluation.figures import draw_clips

        draw_clips(review.samples, preview, _SOURCE.value)
    print(f"\nWritten to {output}.")


if __name__ == "__main__":
    run(main)
