"""Python loads this in every process that a test starts, so that the process keeps the priority of the tests.

The workers of pytest keep the cores busy. A child process of a low priority would wait for them, and its test with it.
Tests of the priority itself start their processes in :func:`tests.processes.environment_with_priorities`.
"""

import os

if hasattr(os, "nice"):
    os.nice = lambda _: os.getpriority(os.PRIO_PROCESS, 0)
