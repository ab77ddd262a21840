#!/usr/bin/env bash
# Builds .venv from requirements.lock, byte-compiled. Called by make; safe to interrupt and to run again.
# A marker is in .venv during the work: found at the start, it means that the last set-up was cut short.
set -euo pipefail
cd "$(dirname "$0")/.."
unset PYTHONDONTWRITEBYTECODE PYTHONPATH VIRTUAL_ENV

venv=.venv
unfinished=$venv/.unfinished
stamp=$venv/.ready

die() { echo "$1" >&2; exit 1; }
step() { echo "make setup: $1 of 3, $2"; }

find_python() {
  local candidate
  for candidate in ${PYTHON:-python3 python python3.13 python3.12 python3.11}; do
    if "$candidate" -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  die "Python 3.11, 3.12 or 3.13 is needed and none is on the PATH: install one, or name it: make PYTHON=/path/to/python3."
}

# uv from the PATH, else the one that the lock names, put into the environment with pip.
find_uv() {
  if uv --version >/dev/null 2>&1; then
    command -v uv
    return
  fi
  if ! $venv/bin/uv --version >/dev/null 2>&1; then
    $venv/bin/python -m pip --version >/dev/null 2>&1 || $venv/bin/python -m ensurepip --upgrade >/dev/null 2>&1 \
      || die "Neither uv nor pip is there: install uv, or Python's venv module (Debian: apt install python3-venv)."
    sed -n '/^uv==/,/^[^ ]/{/^uv==/p;/^ /p;}' requirements.lock >$venv/uv.lock.txt
    $venv/bin/python -m pip install -qq --no-input --disable-pip-version-check --no-deps --require-hashes \
      -r $venv/uv.lock.txt >&2 || die "uv could not be installed: is the package index reachable?"
  fi
  echo "$PWD/$venv/bin/uv"
}

make_venv() {
  local python
  python=$(find_python)
  step 1 "a new environment in $venv with $("$python" --version)"
  rm -rf $venv
  mkdir $venv
  touch $unfinished
  if uv --version >/dev/null 2>&1; then
    uv venv --quiet --allow-existing --python "$python" $venv
  else
    "$python" -m venv $venv >/dev/null 2>&1 \
      || die "Python's venv module is missing: install it (Debian: apt install python3-venv) or install uv."
  fi
}

if [ -e $unfinished ] || ! $venv/bin/python -c '' 2>/dev/null; then
  make_venv
else
  step 1 "the environment in $venv is there"
  rm -f $stamp
  touch $unfinished
fi

uv=$(find_uv)
export VIRTUAL_ENV=$PWD/$venv
# In a terminal uv shows what it downloads and compiles; a log needs the three steps only.
if [ -t 2 ]; then quiet=(); else quiet=(--quiet); fi
step 2 "$(grep -c '^[a-zA-Z0-9].*==' requirements.lock) locked packages (about a minute the first time, 2.1 GB on disk)"
"$uv" pip sync ${quiet[@]+"${quiet[@]}"} --require-hashes --compile-bytecode requirements.lock
step 3 "this project"
"$uv" pip install --quiet --no-deps --no-build-isolation --editable .
rm $unfinished
touch $stamp
echo "make setup: done in $SECONDS s"
