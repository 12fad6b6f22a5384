"""Common part of all command-line programs: flags, help, logging, error messages, exit statuses."""

import contextlib
import errno
import logging
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from dfv.config.command_line import Arguments, Groups, help_text, parse
from dfv.config.fields import ConfigError

HELP = frozenset(("--help", "-h", "-help", "--helpfull"))


@dataclass(frozen=True)
class Program:
    """A program, `python -m MODULE`.

    name: prefix of each message.
    description: the first part of --help.
    groups: the flags, by heading.
    run: does the work, given the parsed arguments.
    errors: exceptions whose text is a message to the user; the status is their `exit_status` or 2. ConfigError is one.
    positional: whether it takes arguments that are not flags.
    stopped: message after Ctrl-C or SIGTERM.
    """

    module: str
    name: str
    description: str
    groups: Groups
    run: Callable[[Arguments], None]
    errors: tuple[type[Exception], ...] = (ConfigError,)
    positional: bool = False
    stopped: str = "stopped."

    def main(self, arguments: list[str] | None = None) -> int:
        """Returns the exit status: 0; 1 for output that cannot be written; 2 for users' errors; 128 + the signal."""
        arguments = sys.argv[1:] if arguments is None else arguments
        try:
            text = self._information(arguments)
            status = 0 if text else self._status(arguments)
            if sys.stdout is not None:  # it is None if it was closed before the start
                print(text, end="", flush=True)
            return status
        except BrokenPipeError:  # the reader of the output, such as `head`, has ended
            self._discard_output()
            return 128 + signal.SIGPIPE
        except OSError as error:
            if sys.stdout is None or error.filename is not None or error.errno != errno.ENOSPC:
                raise
            self._discard_output()
            print(f"{self.name}: standard output cannot be written: {error.strerror}.", file=sys.stderr)
            return 1

    @staticmethod
    def _discard_output() -> None:
        """Drops what is not yet written; otherwise, Python would report it again at its end."""
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())

    def _information(self, arguments: list[str]) -> str:
        """Returns the text that --help or --version asks for; empty without them."""
        if HELP & set(arguments):
            return help_text(self.description, self.groups) + "\n"
        if arguments == ["--version"]:
            from dfv import __version__

            return f"dfv {__version__}\n"
        return ""

    def _status(self, arguments: list[str]) -> int:
        logging.basicConfig(format="%(asctime)s %(message)s", datefmt="%H:%M:%S", level=logging.WARNING)
        logging.getLogger(self.module.split(".")[0]).setLevel(logging.INFO)
        try:
            with _termination_as_exception():
                self.run(parse(arguments, self.groups, self.module, self.positional))
        except self.errors as error:
            print(f"{self.name}: {error}", file=sys.stderr)
            return getattr(error, "exit_status", 2)
        except KeyboardInterrupt:
            return self._stopped(signal.SIGINT)
        except _Terminated:
            return self._stopped(signal.SIGTERM)
        return 0

    def _stopped(self, number: signal.Signals) -> int:
        print(f"{self.name}: {self.stopped}", file=sys.stderr)
        return 128 + number


def has_terminal() -> bool:
    """Whether standard error is a terminal, where progress is shown; it is None if it was closed before the start."""
    return sys.stderr is not None and sys.stderr.isatty()


class _Terminated(BaseException):
    """SIGTERM was received; like KeyboardInterrupt it is no Exception, so that nothing takes it for an error."""


@contextlib.contextmanager
def _termination_as_exception() -> Iterator[None]:
    """Context in which SIGTERM raises _Terminated, so that temporary files and half-written folders are removed."""

    def terminate(number: int, frame: object) -> None:
        raise _Terminated

    if threading.current_thread() is not threading.main_thread():  # only there may handlers be set
        yield
        return
    before = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
