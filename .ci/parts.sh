# What `run` and `nightly` share: parts that are run one after the other, and their sums. To be sourced.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

passed=0
failed=0
log=$(mktemp)
trap 'rm -f "$log"' EXIT

# Names a part that cannot run here, and why.
left_out() {
  echo "left out: $1"
}

# part LIMIT COMMAND...: runs the command for at most LIMIT and adds the sums of its last `N passed, N failed`.
# Without such a line the part counts as one, by its exit code; an exit code that the sums do not explain is a failure.
part() {
  local limit=$1 code=0 sums part_passed=0 part_failed=0
  shift
  echo "== $*"
  timeout --kill-after=10s "$limit" "$@" 2>&1 | tee "$log" || code=${PIPESTATUS[0]}
  if [ "$code" = 124 ] || [ "$code" = 137 ]; then echo "$* did not end within $limit"; fi
  sums=$(grep -E '^[0-9]+ passed, [0-9]+ failed$' "$log" | tail -n 1 || true)
  if [ -n "$sums" ]; then
    read -r part_passed _ part_failed _ <<<"$sums"
  elif [ "$code" = 0 ]; then
    part_passed=1
  fi
  if [ "$code" != 0 ] && [ "$part_failed" = 0 ]; then part_failed=1; fi
  passed=$((passed + part_passed))
  failed=$((failed + part_failed))
}

# have COMMAND PACKAGE...: promises that COMMAND can be called; installs the Debian packages where that is allowed.
have() {
  local command=$1
  shift
  command -v "$command" >/dev/null && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null || return
  echo "== install $*"
  export DEBIAN_FRONTEND=noninteractive
  timeout --kill-after=10s 2m apt-get update -q || return
  timeout --kill-after=10s 4m apt-get install -q -y --no-install-recommends "$@" || return
  command -v "$command" >/dev/null
}

# The closing line; the exit code is 0 only if something passed and nothing failed.
finish() {
  echo "$passed passed, $failed failed"
  [ "$failed" = 0 ] && [ "$passed" != 0 ]
}
