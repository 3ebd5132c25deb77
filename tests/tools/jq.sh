#!/usr/bin/env bash
# Builds the jq that GitHub's ubuntu-24.04 has, from the sources that a package of the Python registry carries:
# `jq.sh PYTHON FOLDER`. Debian 12's is older, and takes ten times as long to start. Needs a C compiler and make.
set -euo pipefail
pin=$(dirname "$(realpath "$0")")/jq.txt
rm -rf "$2"
mkdir -p "$2/bin"
cd "$2"
"$1" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary :all: --require-hashes --dest . -r "$pin"
tar xzf jq-*.tar.gz --strip-components=2 --wildcards '*/deps/jq-1.7.1.tar.gz'
tar xzf jq-1.7.1.tar.gz
(
  cd jq-1.7.1
  ./configure --quiet --with-oniguruma=builtin --disable-docs --disable-maintainer-mode --disable-shared --enable-static
  make --silent -j2
) >build.log 2>&1
mv jq-1.7.1/jq bin/
rm -rf jq-*
bin/jq --version
