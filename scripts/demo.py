"""`tf-wsgen demo`; `--help` tells its options."""

from tf_wsgen.programs.command_line import run

if __name__ == "__main__":
    run("demo")
