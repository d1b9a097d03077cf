"""The command `specdm`: its commands, and what becomes of errors."""

from __future__ import annotations

import shlex
import sys
import traceback
from collections.abc import Sequence
from typing import Annotated, NoReturn

import typer

from specdm.cli import (
    annotate,
    catalog,
    demo,
    distill,
    doctor,
    evaluate,
    export,
    info,
    merge,
    pull,
    push,
    reliability,
    report,
    sample,
    scene,
    train,
    usefulness,
)
from specdm.errors import SpecDMError
from specdm.version import __version__

USER_ERROR = 2
STOPPED = 130  # what a shell reports for a process that SIGINT ended

app = typer.Typer(
    name="specdm",
    help="Synthetic image-mask pairs from a little labelled spectral imagery.",
    epilog="Example: specdm demo",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (
    demo.demo,
    info.info,
    catalog.catalog,
    train.train,
    distill.distill,
    sample.sample,
    merge.merge,
    annotate.annotate,
    scene.scene,
    evaluate.evaluate,
    reliability.reliability,
    usefulness.usefulness,
    export.export,
    push.push,
    pull.pull,
    report.report,
    doctor.doctor,
):
    app.command(epilog=sys.modules[command.__module__].EXAMPLE)(command)


def _print_version(wanted: bool) -> None:
    if wanted:
        print(f"specdm {__version__}")
        raise typer.Exit


@app.callback()
def specdm(
    version: Annotated[
        bool, typer.Option("--version", help="Print the version.", callback=_print_version, is_eager=True)
    ] = False,
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
) -> None:
    """Synthetic image-mask pairs from a little labelled spectral imagery."""


def run(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and leave the process.

    Args:
        arguments: what follows the command's name; default: those of the process.

    Raises:
        SystemExit: always. 0 done, 2 a user's mistake (one line on stderr), 130 stopped by Ctrl-C.
    """
    given = list(sys.argv[1:] if arguments is None else arguments)
    debug = "--debug" in given
    # taken out, so that it may stand anywhere
    given = [argument for argument in given if argument != "--debug"]
    try:
        # `obj` is what commands find in their context: what was typed, for the report
        code = app(given, prog_name="specdm", standalone_mode=False, obj=shlex.join(["specdm", *given]))
    except (KeyboardInterrupt, typer.Abort):
        code = STOPPED
    except Exception as error:
        if not _is_for_the_user(error):
            raise
        if debug:
            traceback.print_exc()
        _print_line(_message(error))
        sys.exit(USER_ERROR)
    if code == STOPPED:
        _print_line(
            "stopped; a run goes on from its last checkpoint with specdm train RUN, specdm sample and specdm merge go "
            "on by the same command, and specdm usefulness RUN goes on with what has no record"
        )
    sys.exit(code if isinstance(code, int) else 0)


def _is_for_the_user(error: Exception) -> bool:
    # typer's own errors come from click or from its copy of click, whichever typer is installed; both have
    # this method. Other exceptions are defects and deserve their traceback.
    return isinstance(error, (SpecDMError, OSError)) or hasattr(error, "format_message")


def _message(error: Exception) -> str:
    if isinstance(error, OSError):
        where = f"{error.filename}: " if error.filename else ""
        return f"{where}{error.strerror or error}"
    if hasattr(error, "format_message"):
        context = getattr(error, "ctx", None)
        path = context.command_path if context is not None else "specdm"
        return f"{error.format_message()} (see {path} --help)"
    return str(error)


def _print_line(message: str) -> None:
    print("specdm:", " ".join(message.split()), file=sys.stderr)
