#!/bin/sh
# Installs the app into a folder: deploy/build.sh /opt/rnnviz. The Containerfile runs it, and so does a test.
# FOLDER/venv gets what requirements.lock names, each file with the hash that it has there; FOLDER/app the app.
set -eu

source=$(cd "$(dirname "$0")/.." && pwd)
folder=$1

mkdir -p "$folder/app"
"${PYTHON:-python3}" -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet --no-cache-dir --disable-pip-version-check --require-hashes --only-binary :all: \
  --requirement "$source/deploy/requirements.lock"

cp -R "$source/.streamlit" "$source/app.py" "$source/pages" "$source/rnnviz" "$source/LICENSE" "$folder/app/"
"$folder/venv/bin/python" -m compileall -q "$folder/app" # the server cannot write there
chmod -R a+rX,a-w "$folder"
