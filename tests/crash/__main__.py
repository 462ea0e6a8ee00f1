"""./dev points: every named crash point, how often each evening passes it, and which of them die there in the tests."""

from collections import Counter

from typer import echo

from tests.crash.stages import ELSEWHERE, PASSED, stage


def main() -> None:
    """Lives each evening once on SQLite, and prints what it passed."""
    passed: dict[str, Counter[str]] = {}
    for scene in PASSED:
        with stage(scene, None) as lived:
            passed[scene] = Counter(lived.points)
    points = sorted(set().union(*passed.values()))
    for point in points:
        where = ", ".join(f"{scene} {times[point]}" for scene, times in passed.items() if times[point])
        echo(f"{point:18} {sum(times[point] for times in passed.values()):3}  {where}")
    for point in sorted(ELSEWHERE):
        echo(f"{point:18}   -  killed in tests/keeping")
    echo(f"{len(points) + len(ELSEWHERE)} points, passed {sum(sum(times.values()) for times in passed.values())} times in {len(PASSED)} evenings")


if __name__ == "__main__":
    main()
