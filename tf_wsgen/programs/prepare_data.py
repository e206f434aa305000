"""Turns a data set's official files into the prepared file that training and evaluation read.

python scripts/prepare_data.py --dataset h36m --source data_3d_h36m.npz --output h36m.h5 --preview h36m.png
python scripts/prepare_data.py --dataset cmu --source cmu_folder --output cmu.h5 --test_subjects 02
"""

import dataclasses

from tf_wsgen.files import check_new
from tf_wsgen.programs.command_line import Size, option

DATASETS = ("h36m", "mpi_inf_3dhp", "mpii", "cmu", "bvh", "arrays", "detections")


@dataclasses.dataclass(frozen=True, kw_only=True)
class Options:
    """Flags of the program; which data set takes which, `tf_wsgen.datasets.prepare` tells."""

    dataset: str = option("What the source is.", required=True, choices=DATASETS)
    source: str = option("File or folder of the data set.", required=True)
    output: str = option("Prepared HDF5 file to write.", required=True)
    overwrite: bool = option("Replace the output if it is there.", False)
    preview: str | None = option("PNG file: 12 random rows, 2D beside 3D.")
    detections: str | None = option("h36m, mpii: file (or folder) of detected 2D poses.")
    convention: str | None = option("h36m, arrays, detections: joint convention, as coco17.")
    train_subjects: list | None = option("h36m: subjects of the group train.")
    test_subjects: list | None = option("h36m, cmu, bvh: subjects of the group test.")
    test_sequences: list | None = option("cmu, bvh: sequences of the group test.")
    stride: int | None = option("h36m, mpi_inf_3dhp, cmu, bvh: every how many frames.", least=1)
    test_stride: int | None = option("h36m: every how many test frames (64).", least=1)
    keep_corrupt: bool | None = option("h36m: keep S11's damaged recording.")
    group: str | None = option("mpii, arrays, detections, .mat: where rows go.", choices=("train", "test"))
    cameras: list | None = option("cmu, bvh: human36m or random; mpi_inf_3dhp: camera numbers.")
    num_random: int | None = option("cmu, bvh: random cameras a sequence.", least=1)
    seed: int | None = option("cmu, bvh: of cameras, noise and dropped joints (0).", least=0)
    noise: float | None = option("cmu, bvh: scale of the simulated detector's errors; 0 is exact.", least=0.0)
    dropped_joints: int | None = option("cmu, bvh: limb joints hidden a row.", least=0)
    annotation: str | None = option("mpi_inf_3dhp: which 3D.", choices=("univ_annot3", "annot3"))
    only_valid: bool | None = option("mpi_inf_3dhp: leave out frames that are not valid.")
    occluded_as_missing: bool | None = option("mpii: joints out of sight are missing.")
    unit: str | None = option("arrays: mm, cm or m; bvh: mm, cm, m, cmu, inch, a number, auto.")
    up: str | None = option("bvh: the axis that points up (y).", choices=("y", "z", "x", "-y", "-z", "-x"))
    joint_names: str | None = option("bvh: YAML file, the file's joint for each of human16's.")
    frame: str | None = option("arrays: of the 3D, camera, or world_z_up for 3D alone.")
    format: str | None = option("detections: the detector's format.")
    lowest_confidence: float | None = option("detections: below it joints are missing.", least=0.0)
    track: str | None = option("detections: how people are followed (auto).", choices=("auto", "file", "off"))
    image_size: Size | None = option("detections: WIDTHxHEIGHT of the images in pixels.")


def main(options: Options) -> None:
    """Reads, writes and reviews."""
    check_new(options.output, options.overwrite, options.source)
    if options.preview:
        check_new(options.preview, overwrite=True)
    shared = ("dataset", "source", "output", "overwrite", "preview")
    given = {name: value for name, value in vars(options).items() if name not in shared}

    from tqdm import tqdm

    from tf_wsgen.datasets.prepare import prepare

    with tqdm(unit="row", dynamic_ncols=True, desc="Writing") as bar:
        review = prepare(
            options.dataset, options.source, options.output, given, options.overwrite, bar.write, bar.update
        )
    print(review.table())
    if options.preview:
        from tf_wsgen.evaluation.figures import draw_clips

        draw_clips(review.samples, options.preview, options.source)
    print(f"\nWritten to {options.output}.")
