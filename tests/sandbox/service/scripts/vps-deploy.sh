#!/usr/bin/env bash
# GNU General Public License v3.0 or later (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
#
# Deploy a commit on this host (contract 3.1). Dry-run unless --apply. Nothing is ever rolled back.
set -euo pipefail

usage() {
  cat <<'END'
Usage: vps-deploy.sh [--apply] [--ref REF] [options]

  --apply                       act (default: print what would be done)
  --ref REF                     fetch and check out REF, detached (default: git pull --ff-only)
  --repo-dir DIR                checkout (default: the one this script is in)
  --env-file FILE               default /etc/healtharchive/backend.env
  --health-url URL              default http://127.0.0.1:8001/api/health
  --lock-file FILE              default /tmp/healtharchive-deploy.lock
  --allow-dirty                 deploy over local changes
  --no-pull                     leave the checkout as it is
  --skip-deps, --skip-migrations, --skip-restart
  --restart-replay              restart the replay service too
  --skip-worker-restart         leave the worker alone
  --force-worker-restart        restart the worker even while crawls run
  --skip-baseline-drift         no drift check
  --baseline-mode local|live    default local
  --skip-public-surface-verify  no public verification
  --install-systemd-units       copy the unit templates over the host's units
  --apply-alerting              install the alert rules
  --public-api-base URL, --public-frontend-base URL, --public-timeout-seconds N
  -h, --help                    this text
END
}

APPLY=0
REF=""
REPO_DIR="$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)"
ENV_FILE=/etc/healtharchive/backend.env
HEALTH_URL=http://127.0.0.1:8001/api/health
LOCK_FILE=/tmp/healtharchive-deploy.lock
ALLOW_DIRTY=0 NO_PULL=0 SKIP_DEPS=0 SKIP_MIGRATIONS=0 SKIP_RESTART=0 RESTART_REPLAY=0
SKIP_WORKER=0 FORCE_WORKER=0 SKIP_DRIFT=0 SKIP_VERIFY=0 INSTALL_UNITS=0 APPLY_ALERTING=0
BASELINE_MODE=local
API_BASE=https://api.archive.example.org
FRONTEND_BASE=https://archive.example.org
PUBLIC_TIMEOUT=60
HEALTH_ATTEMPTS=30
WEBHOOK_FILE=/etc/healtharchive/observability/alertmanager_webhook_url

# Step 1. A flag without its value ends in bash's own "unbound variable"; values are not checked here.
while [[ $# -gt 0 ]]; do
  case "$1" in
    --apply) APPLY=1 ;;
    --ref) REF="$2"; shift ;;
    --repo-dir) REPO_DIR="$2"; shift ;;
    --env-file) ENV_FILE="$2"; shift ;;
    --health-url) HEALTH_URL="$2"; shift ;;
    --lock-file) LOCK_FILE="$2"; shift ;;
    --allow-dirty) ALLOW_DIRTY=1 ;;
    --no-pull) NO_PULL=1 ;;
    --skip-deps) SKIP_DEPS=1 ;;
    --skip-migrations) SKIP_MIGRATIONS=1 ;;
    --skip-restart) SKIP_RESTART=1 ;;
    --restart-replay) RESTART_REPLAY=1 ;;
    --skip-worker-restart) SKIP_WORKER=1 ;;
    --force-worker-restart) FORCE_WORKER=1 ;;
    --skip-baseline-drift) SKIP_DRIFT=1 ;;
    --baseline-mode) BASELINE_MODE="$2"; shift ;;
    --skip-public-surface-verify) SKIP_VERIFY=1 ;;
    --install-systemd-units) INSTALL_UNITS=1 ;;
    --apply-alerting) APPLY_ALERTING=1 ;;
    --public-api-base) API_BASE="$2"; shift ;;
    --public-frontend-base) FRONTEND_BASE="$2"; shift ;;
    --public-timeout-seconds) PUBLIC_TIMEOUT="$2"; shift ;;
    -h | --help) usage; exit 0 ;;
    *)
      echo "ERROR: Unknown argument: $1" >&2
      usage >&2
      exit 2
      ;;
  esac
  shift
done

die() {
  echo "ERROR: $2" >&2
  exit "$1"
}

run() {
  echo "+ $*"
  if [[ $APPLY == 1 ]]; then "$@"; fi
}

load_environment() {
  set -a
  # shellcheck disable=SC1090
  source "$ENV_FILE"
  set +a
}

migrate() {
  (load_environment && "$VENV/bin/alembic" upgrade head)
}

# "No jobs found." is the only answer that allows a restart; no answer at all counts as a running crawl.
crawl_may_be_running() {
  local answer
  answer="$( (load_environment && "$VENV/bin/healtharchive" list-jobs --status running --limit 1) 2>/dev/null || true)"
  [[ "$answer" != "No jobs found." ]]
}

wait_for_health() {
  local attempt
  for ((attempt = 1; attempt <= HEALTH_ATTEMPTS; attempt++)); do
    if curl -fsS --max-time 2 -o /dev/null "$HEALTH_URL" 2>/dev/null; then return 0; fi
    sleep 1
  done
  die 1 "Health check failed after $HEALTH_ATTEMPTS attempts: $HEALTH_URL"
}

# Step 2.
git -C "$REPO_DIR" rev-parse --is-inside-work-tree >/dev/null 2>&1 || die 1 "Not a git repo: $REPO_DIR"
[[ -f "$ENV_FILE" ]] || die 1 "Env file not found: $ENV_FILE"
VENV="$REPO_DIR/.venv"
[[ -x "$VENV/bin/python3" ]] || die 1 "Missing venv at $VENV"
cd "$REPO_DIR"

# Step 3, in a dry run too. The file is created or truncated, and stays.
exec 9>"$LOCK_FILE"
flock -n 9 || die 2 "Deploy lock is held; another deploy may be running: $LOCK_FILE"

# Step 4.
echo "HealthArchive backend deploy"
echo "----------------------------"
echo "Mode:        $([[ $APPLY == 1 ]] && echo APPLY || echo DRY-RUN)"
echo "Repo:        $REPO_DIR"
if [[ -n "$REF" ]]; then echo "Ref:         $REF"; fi
echo "Env file:    $ENV_FILE"
echo "Health URL:  $HEALTH_URL"
echo "Lock file:   $LOCK_FILE"
echo "Baseline:    $([[ $SKIP_DRIFT == 1 ]] && echo SKIPPED || echo "$BASELINE_MODE")"
echo "Public verify: $([[ $SKIP_VERIFY == 1 ]] && echo SKIPPED || echo "$API_BASE $FRONTEND_BASE")"
echo "Systemd units: $([[ $INSTALL_UNITS == 1 ]] && echo INSTALL || echo SKIP)"
echo "Alerting:     $([[ $APPLY_ALERTING == 1 ]] && echo APPLY || echo SKIP)"
echo
echo "Current git SHA: $(git rev-parse HEAD)"

# Step 5.
dirty="$(git status --porcelain)"
if [[ -n "$dirty" && $ALLOW_DIRTY == 0 ]]; then
  echo "ERROR: Working tree is dirty. Commit/stash changes or pass --allow-dirty." >&2
  echo "$dirty" >&2
  exit 2
fi

# Step 6.
if [[ -n "$REF" ]]; then
  run git fetch --prune origin
  run git checkout --detach "$REF"
elif [[ $NO_PULL == 0 ]]; then
  run git pull --ff-only
fi
echo "Target git SHA:  $(git rev-parse HEAD)"
echo

# Steps 7 and 8.
if [[ $SKIP_DEPS == 1 ]]; then
  echo "Skipping dependency install (--skip-deps)."
else
  run "$VENV/bin/pip" install -e ".[dev]"
fi
if [[ $SKIP_MIGRATIONS == 1 ]]; then
  echo "Skipping migrations (--skip-migrations)."
else
  echo "+ $VENV/bin/alembic upgrade head"
  if [[ $APPLY == 1 ]]; then migrate; fi
fi

# Step 9.
if [[ $INSTALL_UNITS == 1 ]]; then
  run sudo cp -r docs/deployment/systemd/. /etc/systemd/system/
fi

# Steps 10 and 11.
worker_skipped=0
if [[ $SKIP_RESTART == 1 ]]; then
  echo "Skipping service restart (--skip-restart)."
else
  run sudo systemctl daemon-reload
  run sudo systemctl restart healtharchive-api
  if [[ $SKIP_WORKER == 1 ]]; then
    worker_skipped=1
  elif [[ $FORCE_WORKER == 0 ]] && crawl_may_be_running; then
    echo "WARN: Detected running crawl jobs; skipping worker restart to avoid SIGTERMing crawls."
    echo "      Override with: --force-worker-restart"
    worker_skipped=1
  fi
  if [[ $worker_skipped == 1 ]]; then
    echo "Skipping worker restart."
  else
    run sudo systemctl restart healtharchive-worker
  fi
  # An inactive unit makes this exit 3, and "set -e" ends the script without a word of its own.
  run sudo systemctl status healtharchive-api --no-pager -l
  if [[ $worker_skipped == 1 ]]; then
    echo "+ sudo systemctl is-active healtharchive-worker || true"
    echo "+ sudo systemctl status healtharchive-worker --no-pager -l || true"
    if [[ $APPLY == 1 ]]; then
      state="$(sudo systemctl is-active healtharchive-worker || true)"
      sudo systemctl status healtharchive-worker --no-pager -l || true
      echo "INFO: Worker restart was skipped; current worker state: $state."
    fi
  else
    run sudo systemctl status healtharchive-worker --no-pager -l
  fi
  # Step 12.
  if [[ $RESTART_REPLAY == 1 ]]; then
    run sudo systemctl restart healtharchive-replay
  fi
fi

# Step 13.
echo "+ wait_for_health \"$HEALTH_URL\" (attempts=$HEALTH_ATTEMPTS, delay=1s)"
echo "+ bash -lc curl -fsS \"$HEALTH_URL\" | head -c 2000; echo"
if [[ $APPLY == 1 ]]; then
  wait_for_health
  curl -fsS "$HEALTH_URL" | head -c 2000
  echo
fi

# Step 14: here a bad --baseline-mode is found.
if [[ $SKIP_DRIFT == 1 ]]; then
  echo "Skipping baseline drift check (--skip-baseline-drift)."
else
  run "$VENV/bin/python3" scripts/check_baseline_drift.py --mode "$BASELINE_MODE"
fi

# Step 15.
if [[ $SKIP_VERIFY == 1 ]]; then
  echo "Skipping public surface verification (--skip-public-surface-verify)."
else
  run "$VENV/bin/python3" scripts/verify_public_surface.py --api-base "$API_BASE" --frontend-base "$FRONTEND_BASE" \
    --timeout-seconds "$PUBLIC_TIMEOUT"
fi

# Step 16. The stand-in has no alert rules: what is real is that it fails without the webhook file.
if [[ $APPLY_ALERTING == 1 ]]; then
  run sudo test -s "$WEBHOOK_FILE" || die 1 "Alertmanager webhook file not found: $WEBHOOK_FILE"
fi

# Step 17, in a dry run too.
echo
echo "Deploy complete."
