"""A pytest plugin for continuous integration: a skipped test is a failure, because nobody reads what was not tested."""

import pytest


class NoSkips:
    """Counts the tests that were skipped, and fails the session when there is one."""

    def __init__(self) -> None:
        self.skipped: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Notes a skipped test; one that is expected to fail is none."""
        if report.skipped and not hasattr(report, "wasxfail"):
            self.skipped.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Notes a file that was skipped whole."""
        if report.skipped:
            self.skipped.append(report.nodeid)

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Turns skips into a failure."""
        if self.skipped and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Says which tests were skipped."""
        for name in self.skipped:
            terminalreporter.write_line(f"SKIPPED, which is a failure in CI: {name}")


def pytest_configure(config: pytest.Config) -> None:
    """Registers the counter in the process that reports."""
    if not hasattr(config, "workerinput"):
        config.pluginmanager.register(NoSkips(), "no-skips")
