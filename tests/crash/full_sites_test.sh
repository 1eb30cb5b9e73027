#!/bin/sh
# full_sites_test.sh -- every call of os_file_write() in the engine is one that full_test has refused room.
#   full_sites_test.sh PROGRAM SOURCE     (full_test, the folder src)
set -u
program=$1
source=$2
met=$(YORE_FULL_STRIDE=1000000 "$program" the_disk_fills_up_at_every_octet) || { echo "$met"; exit 1; }
passed=0
failed=0
for site in $(grep -n 'os_file_write(' "$source"/journal/*.c "$source"/table/*.c "$source"/engine/*.c |
    sed 's|.*/\([^/]*:[0-9]*\):.*|\1|'); do
    if echo "$met" | grep -q "^  $site of .* refused in [1-9]"; then
        passed=$((passed + 1))
    else
        echo "$site has never met a full disk: add a workload to tests/crash/full_workloads.c"
        failed=$((failed + 1))
    fi
done
[ "$passed" -gt 0 ] || { echo "no site was found"; failed=1; }
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
