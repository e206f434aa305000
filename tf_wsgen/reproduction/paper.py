"""What the paper prints: the figures beside ours (Li and Lee, BMVC 2020; errors in mm, 3DPCK in per cent)."""

from tf_wsgen.datasets.readers.human36m import ACTIONS

HUMAN36M, MPI_INF_3DHP = "Human3.6M", "MPI-INF-3DHP"
# Where a table has the mean over all rows ("Avg.", "All").
ALL = "all"


def _by_action(numbers: str) -> dict[str, float]:
    return dict(zip((*ACTIONS, ALL), map(float, numbers.split()), strict=True))


# Tables 1 and 2, by 2D and choice; their order of the actions is that of `ACTIONS`.
P2_BY_ACTION = {
    ("detected", "zero_code"): _by_action(
        "42.1 44.7 45.4 51.0 49.3 51.5 41.2 46.2 57.5 70.8 48.7 44.1 50.8 42.1 43.7 48.7"
    ),
    ("detected", "mean_shift"): _by_action(
        "41.4 44.3 44.6 50.2 49.3 51.8 40.1 46.2 57.7 72.7 48.7 45.4 49.6 43.8 43.3 48.7"
    ),
    ("detected", "best_hypothesis"): _by_action(
        "38.5 41.7 39.6 45.2 45.8 46.5 37.8 42.7 52.4 62.9 45.3 40.9 45.3 38.6 38.4 44.3"
    ),
    ("ground truth", "best_hypothesis"): _by_action(
        "26.8 31.2 26.9 33.0 31.0 36.9 28.7 31.2 36.6 46.4 30.0 30.8 31.5 24.7 27.2 31.6"
    ),
}
P1_BY_ACTION = {
    ("detected", "zero_code"): _by_action(
        "67.9 75.5 71.8 81.8 81.4 93.7 75.2 81.3 88.8 114.1 75.9 79.1 83.3 74.3 79.0 81.1"
    ),
    ("detected", "mean_shift"): _by_action(
        "66.0 74.7 71.1 80.6 81.1 93.0 73.2 83.7 90.0 117.4 75.8 79.3 82.1 74.4 77.8 80.9"
    ),
    ("detected", "best_hypothesis"): _by_action(
        "62.0 69.7 64.3 73.6 75.1 84.8 68.7 75.0 81.2 104.3 70.2 72.0 75.0 67.0 69.0 73.9"
    ),
    ("ground truth", "best_hypothesis"): _by_action(
        "54.8 61.9 48.6 63.6 55.8 73.7 59.0 61.3 62.2 85.7 52.8 60.2 57.5 51.3 56.8 60.0"
    ),
}
# Table 3, P2 of the best hypothesis by number of missing joints. Its heading has "Smoke" twice; the first is Photo.
P2_MISSING = {
    1: _by_action("35.4 41.3 33.7 42.3 39.1 47.1 36.2 46.9 46.4 57.7 38.6 43.0 42.0 34.8 37.0 41.2"),
    2: _by_action("50.9 53.9 49.8 54.8 54.7 65.1 49.4 49.3 63.5 76.1 54.5 54.3 59.8 54.8 56.1 56.4"),
}
# Table 4a, by model.
ABLATION = {
    "full": {"best_hypothesis": 31.6, "zero_code": 35.3, "std": 77.4, "std_fps": 122.3},
    "without": {"best_hypothesis": 36.3, "zero_code": 37.4, "std": 3.6, "std_fps": 4.8},
}
# Table 4b, by λ_reg: STD, and P2 of the best hypothesis. The text names 12.0 too, the table has no figures for it.
DIVERSITY_WEIGHTS = {
    7.0: {"std": 72.0, "best_hypothesis": 33.0},
    7.5: {"std": 77.4, "best_hypothesis": 31.6},
    8.0: {"std": 81.0, "best_hypothesis": 31.9},
    9.0: {"std": 91.5, "best_hypothesis": 32.8},
    10.0: {"std": 98.2, "best_hypothesis": 34.2},
    11.0: {"std": 108.2, "best_hypothesis": 36.1},
    12.0: {},
}
# Table 5, 3DPCK by choice and scene.
PCK_BY_SCENE = {
    "zero_code": {"GS": 82.1, "no GS": 81.0, "outdoor": 72.3, ALL: 79.3},
    "best_hypothesis": {"GS": 86.9, "no GS": 86.6, "outdoor": 79.3, ALL: 85.0},
}
