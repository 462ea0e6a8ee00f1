#!/bin/sh
# What ./dev can do.
cat <<'HELP'
./dev bursarbridge demo       two days on an invented campus, end to end, ending with the three books side by side
./dev bursarbridge --help     every verb of the program
./dev test                    every gate: ruff, format, types, import rules, tests (in CI nothing is skipped)
./dev test PATH or -k WORDS   the same gates, and only those tests; options go to pytest
./dev postgres                a private PostgreSQL for trying things out, and the address of an empty database of it; ./dev postgres stop removes all of it
./dev chaos [--minutes N]     three workers killed, frozen and restarted at random on a PostgreSQL that restarts too; then everything is counted
./dev points                  every named crash point, and how often each evening of the crash tests passes it
./dev simulate [--years N]    campus-years on an invented campus with faults and deaths, judged fee by fee and hold by hold; --plants plants bugs
./dev ruff format             lays the code out
./dev COMMAND...              any command in the locked environment: python, pytest, mypy, lint-imports, uv
HELP
