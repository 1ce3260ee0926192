#!/bin/sh
# Renews deploy/requirements.lock, and from what it installs docs/licences.md. With --upgrade it takes the newest
# versions within pyproject.toml's ranges; without, it keeps those that still fit. Needs the image's Python, 3.11.
set -eu
cd "$(dirname "$0")/.."

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/tools"
"$scratch/tools/bin/pip" install -q pip-tools==7.6.2 pip-licenses==5.5.5

CUSTOM_COMPILE_COMMAND=deploy/relock.sh "$scratch/tools/bin/pip-compile" -q "$@" --extra app --extra cluster \
  --generate-hashes --strip-extras --no-emit-options --no-emit-index-url --no-emit-find-links \
  --no-emit-trusted-host --output-file deploy/requirements.lock pyproject.toml

python3 -m venv "$scratch/app"
"$scratch/app/bin/pip" install -q --require-hashes --requirement deploy/requirements.lock
{
  cat <<'END'
# Licences of what the image installs

Written by `deploy/relock.sh` with pip-licenses, from what each package says of itself; a test compares this list
with the lock, and knows which licences are allowed. The app's own licence and those of its data: [README](../README.md#data-and-licences).

END
  "$scratch/tools/bin/pip-licenses" --python "$scratch/app/bin/python" --from mixed --format markdown \
    --ignore-packages pip setuptools
} > docs/licences.md
