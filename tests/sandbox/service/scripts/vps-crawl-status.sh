#!/usr/bin/env bash
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# One snapshot of the crawls on this host (contract 3.5). Not read-only: show-job rewrites the crawler's state file.
set -uo pipefail

REPO_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
CLI="$REPO_DIR/.venv/bin/healtharchive"
ENV_FILE=/etc/healtharchive/backend.env
YEAR="$(date -u +%Y)"
JOB_ID=""
RECENT_LINES=5000
STATE_DIR=/srv/healtharchive/ops/watchdog
failures=0

usage() {
  echo "Usage: vps-crawl-status.sh [--year YEAR] [--job-id ID] [--env-file FILE] [--recent-lines N]"
}

while [[ $# -gt 0 ]]; do
  case "$1" in
    --year) YEAR="${2:-}"; shift ;;
    --job-id) JOB_ID="${2:-}"; shift ;;
    --env-file) ENV_FILE="${2:-}"; shift ;;
    --recent-lines) RECENT_LINES="${2:-}"; shift ;;
    -h | --help) usage; exit 0 ;;
    *)
      echo "ERROR: Unknown argument: $1" >&2
      usage >&2
      exit 2
      ;;
  esac
  shift
done

ok() { echo "OK   $1"; }
warn() { echo "WARN $1" >&2; }
fail() {
  echo "FAIL $1" >&2
  failures=$((failures + 1))
}
section() { printf '\n[%s]\n' "$1"; }

if [[ -x "$CLI" ]]; then ok "cli $CLI"; else fail "cli missing: $CLI"; fi
if [[ -f "$ENV_FILE" ]]; then
  ok "env file $ENV_FILE"
  set -a
  # shellcheck disable=SC1090
  source "$ENV_FILE"
  set +a
else
  fail "env file missing: $ENV_FILE"
fi
if systemctl is-active --quiet healtharchive-worker.service; then ok "worker active"; else fail "worker not active"; fi

section annual-status
"$CLI" annual-status --year "$YEAR" || warn "annual-status failed"

section "running jobs"
running="$("$CLI" list-jobs --status running --limit 20)" || warn "list-jobs failed"
echo "$running"
if [[ -z "$JOB_ID" ]]; then
  JOB_ID="$(sed -n 's/^\([0-9][0-9]*\) .*/\1/p' <<<"$running" | head -n 1)"
fi

if [[ -n "$JOB_ID" ]]; then
  section "job $JOB_ID"
  job="$("$CLI" show-job --id "$JOB_ID")" || warn "show-job failed"
  echo "$job"
  output_dir="$(sed -n 's/^Output dir: *//p' <<<"$job")"
  log="$(find "$output_dir" -maxdepth 1 -name "archive_*.combined.log" -printf "%T@ %p\n" | sort -n | tail -n 1 | cut -d" " -f2-)"
  if [[ -z "$log" ]]; then
    warn "no combined log for job $JOB_ID"
  elif ! command -v rg >/dev/null; then
    warn "rg is not installed; log tails left out"
  else
    section "crawlStatus tail"
    tail -n "$RECENT_LINES" "$log" | rg '"context":"crawlStatus"' | tail -n 5
    section "recent timeouts in $log"
    tail -n "$RECENT_LINES" "$log" | rg 'Navigation timeout' | tail -n 5
  fi
  section "recent warc.gz"
  find "$output_dir" -name '*.warc.gz' -printf '%TY-%Tm-%TdT%TH:%TM %s %p\n' 2>/dev/null | sort | tail -n 5
fi

section "crawl metrics"
if ! curl -fsS --max-time 5 http://127.0.0.1:9100/metrics | sed -n '/^healtharchive_crawl_/p'; then
  fail "node exporter unreachable on 127.0.0.1:9100"
fi

for name in crawl-auto-recover storage-hotpath-auto-recover worker-auto-start; do
  section "$name watchdog"
  if [[ -r "$STATE_DIR/$name.json" ]]; then cat "$STATE_DIR/$name.json"; else warn "no state: $STATE_DIR/$name.json"; fi
done

section disk
df -h / /srv/healtharchive/jobs || warn "df failed"

echo
if [[ $failures -gt 0 ]]; then
  echo "ERROR: $failures failure(s) detected." >&2
  exit 1
fi
echo "OK: snapshot complete."
