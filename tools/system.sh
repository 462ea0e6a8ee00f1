#!/bin/sh
# The real servers that tests talk to: OpenSSH's sshd, PostgreSQL and Dovecot. Present, installed where that is allowed, or named.
# Exit 1 only in CI, where nothing may be skipped. With the name of one of the packages: that one alone, and exit 1 without it.
set -eu

find_sshd() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v sshd >/dev/null; }
find_postgres() { command -v initdb >/dev/null || ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1; }
find_dovecot() { PATH="$PATH:/usr/sbin:/usr/local/sbin" command -v dovecot >/dev/null; }
only=${1:-}
missing() {
  [ "${only:-openssh-server}" != openssh-server ] || find_sshd || printf '%s ' openssh-server
  [ "${only:-postgresql}" != postgresql ] || find_postgres || printf '%s ' postgresql
  [ "${only:-dovecot-imapd}" != dovecot-imapd ] || find_dovecot || printf '%s ' dovecot-imapd
}

wanted=$(missing)
if [ -n "$wanted" ] && [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
  echo "installing: $wanted" >&2
  # RUNLEVEL=1: no service starts; private servers are run, of our own.
  export RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive
  # shellcheck disable=SC2086 # the words are package names
  { apt-get update -qq && apt-get install -y -qq --no-install-recommends $wanted; } </dev/null >/tmp/bursarbridge-apt.$$ 2>&1 ||
    cat /tmp/bursarbridge-apt.$$ >&2
  rm -f /tmp/bursarbridge-apt.$$
  wanted=$(missing)
fi
[ -n "$wanted" ] || exit 0
echo "not installed: $wanted(Debian, as root: RUNLEVEL=1 apt-get install $wanted)" >&2
[ -z "$only" ] || exit 1
if [ -n "${CI:-}" ]; then
  echo "in CI nothing is skipped, so this is a failure" >&2
  exit 1
fi
echo "the tests that need them are skipped" >&2
