"""What all requests to a worker process share: their function, their progress and their failure. Free of torch."""

from typing import ClassVar, Generic, TypeVar

from explorer.config import Frozen

R = TypeVar("R")


class JobRequest(Frozen, Generic[R]):
    """A request to a worker process, with a result of type R. Requests with equal fields have equal results.

    ``function`` is the function, as ``module:name``, that the worker calls with the fields by name, without ``kind``.
    It returns the result, or yields :class:`Progress` and at last the result. What is ``slow`` takes seconds, and waits
    until no other request does. ``longest_step_s`` are the seconds that it may go without progress, if the queue allows
    fewer.
    """

    function: ClassVar[str]
    slow: ClassVar[bool] = False
    longest_step_s: ClassVar[float] = 0
    kind: str

    @classmethod
    def result_type(cls) -> type[R]:
        """Return R."""
        arguments = (base.__pydantic_generic_metadata__["args"] for base in cls.__mro__ if issubclass(base, JobRequest))
        result: type[R] = next(filter(None, arguments))[0]
        return result


class Progress(Frozen):
    """How much of a request is done: ``done`` of ``total`` steps; ``message`` says in a few words what happens now."""

    done: int
    total: int
    message: str = ""


class Failure(Frozen):
    """There is no result; ``reason`` is a sentence for the reader."""

    reason: str
