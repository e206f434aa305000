"""What `tf-wsgen benchmark` measures: each figure beside its limit on the same machine, timed by turns."""
