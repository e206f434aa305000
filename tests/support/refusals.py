"""Tables of cases, and what a user meets in most of them: a refusal of one clear sentence."""

import pytest

from tf_wsgen.datasets.clip import check_clip
from tf_wsgen.errors import InputError


def table(names: str, rows: dict):
    """A test for every row, called by its key; a row of one value needs no tuple."""
    return pytest.mark.parametrize(names.split() if " " in names else names, rows.values(), ids=rows)


def refuses(message: str, call, *arguments, **options) -> str:
    """The one line of the call's InputError, which matches the message."""
    with pytest.raises(InputError, match=message) as error:
        call(*arguments, **options)
    assert "\n" not in str(error.value)
    return str(error.value)


def reading(reader):
    """What a reader gives, as a list; each clip is checked as it comes, as the writer of prepared files does."""

    def read(*arguments, **options):
        clips = []
        for clip in reader(*arguments, **options):
            check_clip(clip)
            clips.append(clip)
        return clips

    return read


def changed(array, index, value):
    """A copy with another value there."""
    array = array.copy()
    array[index] = value
    return array
