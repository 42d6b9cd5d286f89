#!/usr/bin/env bash
# Sets the canary's share of the traffic in percent: scripts/canary_share.sh 10
set -euo pipefail
share=${1:?Give the share in percent.}
[[ "$share" =~ ^[0-9]+$ ]] && ((share <= 100)) || { echo "The share must be a whole number from 0 to 100, not $share." >&2; exit 64; }
kubectl -n "${NAMESPACE:-spaceport}" patch httproute inference --type=json -p "[
  {\"op\": \"replace\", \"path\": \"/spec/rules/0/backendRefs/0/weight\", \"value\": $((100 - share))},
  {\"op\": \"replace\", \"path\": \"/spec/rules/0/backendRefs/1/weight\", \"value\": $share}
]"
