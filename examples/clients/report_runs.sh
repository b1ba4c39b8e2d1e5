#!/bin/sh
# Reports runs that a CI job counted: report_runs.sh RUNS KEY [STEP]
# KEY identifies the job (such as "$GITHUB_RUN_ID"): repeating the job with it doesn't count twice.
set -eu
runs=${1:?the number of runs} key=${2:?a key for this job, such as \$GITHUB_RUN_ID} step=${3:-}

# The token comes from standard input, so that it isn't in the list of processes.
echo "Authorization: Bearer ${CADENCE_TOKEN:?a token made with /cadence token}" | curl --silent --show-error --fail-with-body --max-time 20 --retry 3 -H @- -H "Content-Type: application/json" -H "Idempotency-Key: $key" -d "{\"runs\": $runs${step:+, \"step\": \"$step\"}}" "${CADENCE_URL:?the address of Rollout Cadence}/api/v1/runs"
