#!/bin/sh
# Fuzzes one target after another, one process at a time, and prints one line for each: executions, findings.
#
# usage: fuzz/campaign.sh SECONDS LAYER_SECONDS [NAME...]
#
# SECONDS for each target, LAYER_SECONDS for each row of the layer tables. NAMEs choose targets (capture packet flow
# keylog rule measure) and rows (layer:mqtt layer:quic ...); without any, all of them. Inputs that crash, take longer
# than a second or more than 2 GiB are kept in fuzz/artifacts/. Needs cargo-fuzz, or programs that were built before in
# the folder PLAINSIGHT_FUZZ_PROGRAMS. Seeds are made if there are none.
set -eu
cd "$(dirname "$0")"
target_seconds=$1 layer_seconds=$2
shift 2
[ -d corpus ] || ./seeds.py
programs=${PLAINSIGHT_FUZZ_PROGRAMS:-}
if [ -z "$programs" ]; then
    cargo fuzz build -s none
    programs=$(ls -d target/*/release | head -n 1)
fi
if [ $# -eq 0 ]; then
    set -- capture packet flow keylog rule measure
    for row in $(PLAINSIGHT_LAYER=list "$programs/layer" "$PWD/campaign.sh" 2>/dev/null); do
        set -- "$@" "layer:$row"
    done
fi

printf '%-28s %8s %12s %9s\n' target seconds executions findings
for name in "$@"; do
    target=${name%%:*} row=${name#*:} seconds=$target_seconds folder=corpus/$target
    if [ "$target" = layer ]; then
        seconds=$layer_seconds folder=corpus/layer-$row
        mkdir -p "$folder"
        export PLAINSIGHT_LAYER="$row"
    fi
    found=artifacts/$(echo "$name" | tr : -)
    log=$found/log
    mkdir -p "$found" "corpus/$target"
    # New inputs go to the first folder, those of the second are only read.
    "$programs/$target" "$folder" "corpus/$target" -max_total_time="$seconds" -max_len=8192 -timeout=120 \
        -rss_limit_mb=2048 -report_slow_units=1 -print_final_stats=1 -artifact_prefix="$found/" >"$log" 2>&1 || true
    # A process that waits for its turn looks slow: what is not slow when it is run again is no finding.
    for unit in "$found"/slow-unit-*; do
        [ -f "$unit" ] || continue
        took=$("$programs/$target" "$unit" 2>&1 | sed -n 's/^Executed .* in \([0-9]*\) ms$/\1/p')
        [ "${took:-9999}" -ge 1000 ] || rm "$unit"
    done
    done=$(sed -n 's/^stat::number_of_executed_units: *//p' "$log")
    [ -n "$done" ] || done=$(sed -n 's/^#\([0-9]*\).*/\1/p' "$log" | tail -n 1)
    findings=$(find "$found" -type f ! -name log | wc -l)
    printf '%-28s %8s %12s %9s\n' "$name" "$seconds" "${done:-0}" "$findings"
done
