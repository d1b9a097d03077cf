"""`python -m specdm`: the command line without the installed script."""

from specdm.cli.main import run

if __name__ == "__main__":
    run()
