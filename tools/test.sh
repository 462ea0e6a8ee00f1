#!/bin/sh
# Every gate, each reported; pytest last, so that its closing line is the last word. Arguments go to pytest.
set -u
cd "$(dirname "$0")/.."
run() { .uv/bin/uv run --no-sync "$@" </dev/null; }
failed=""
gate() {
  name=$1
  shift
  echo "== $name" >&2
  run "$@" || failed="$failed $name,"
}

sh tools/system.sh || failed="$failed system,"
gate ruff ruff check .
gate format ruff format --check .
gate types mypy
gate imports lint-imports --no-logo
echo "== tests" >&2
[ -z "${CI:-}" ] || set -- -p tools.no_skips "$@"
run python -m pytest -n 2 --dist worksteal "$@" || failed="$failed tests,"
[ -z "$failed" ] || {
  echo "./dev test: failed:${failed%,}" >&2
  exit 1
}
