#!/bin/bash
# A shell with a private service to play with; ends with the shell.
set -euo pipefail
source "$(dirname "$(readlink -f "$0")")/lib.sh"

start_service usherd.log usherd --state-dir "$WORK/state"
export USHER_ADDRESS=$WORK/state/usher.sock
echo "A private usherd runs in $WORK/state. Try: usher status; usher --help;"
echo "usher-publish --help. Leaving this shell ends it and removes the folder."
bash -i || true
