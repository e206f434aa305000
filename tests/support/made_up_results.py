"""Results as a reproduction measures them, with made-up numbers."""

CHOICES = ("zero_code", "mean_shift", "mean_of_hypotheses", "best_hypothesis")


def run(name="base", source="some data", **changes):
    about = {
        "name": name,
        "words": "made up",
        "updates": 12000,
        "seed": 7,
        "source": source,
        "train_2d": 1234,
        "train_3d": 5678,
        "validation_fraction": 0.05,
        "evaluation": {"num_hypotheses": 10, "diversity_chosen": 5, "diversity_pool": 100},
    }
    return about | changes


def errors(zero=50.0, std=20.0, actions=("Directions", "Walking"), source="some data", name="base"):
    """Row all: P2 of ZC `zero`, of MS 1 more, of BH 4 less, P1 twice that; each further action 1 mm more than all."""

    def choices(offset, means=False):
        found = {}
        for index, choice in enumerate(CHOICES):
            p2 = zero + (0.0, 1.0, 2.0, -4.0)[index] + offset
            found[choice] = {"p1": 2.0 * p2, "p2": p2}
            if means:
                found[choice] |= {"p1_action_mean": 2.0 * p2 + 0.5, "p2_action_mean": p2 + 0.5}
        return found

    found = {"num_rows": 4321, "seed": 9, "source": source, "checkpoint": "best", "updates": 9000}
    found |= choices(0.0, means=bool(actions))
    found["best_hypothesis"]["num_hypotheses"] = 10
    found["diversity"] = {"std": std, "std_fps": 1.5 * std}
    found["per_action"] = {name: {"num_rows": 100 + i} | choices(1.0 + i) for i, name in enumerate(actions)}
    return {"run": run(name, source), **found}


def failed(name="base", source="some data"):
    return {"run": run(name, source), "source": source, "failed": "Loss mmd_squared is nan after update 300."}


def shares(source="some data", scenes=("all",)):
    """3DPCK of scene s, alignment a, choice c: 0.5 + 0.1 s + 0.05 a + 0.01 c; AUC is half of it."""
    found = {}
    for s, scene in enumerate(scenes):
        found[scene] = {"num_rows": 10 * (s + 1)}
        for c, choice in enumerate(("zero_code", "best_hypothesis")):
            values = {a: 0.5 + 0.1 * s + 0.05 * i + 0.01 * c for i, a in enumerate(("root", "scale", "pa"))}
            found[scene][choice] = {a: {"pck": value, "auc": value / 2} for a, value in values.items()}
    about = {"num_rows": 40, "num_hypotheses": 10, "seed": 9, "source": source, "checkpoint": "best", "updates": 9000}
    return {"run": run(source="Human3.6M"), **about, "scenes": found}
