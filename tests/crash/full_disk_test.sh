#!/bin/sh
# full_disk_test.sh -- a real file system without room: writes stop with a clear error, reads go on; with
# room again everything acknowledged is there.
#   full_disk_test.sh PROGRAM     (full_disk_writer)
# Needs root for a tmpfs of its own; skipped (77) otherwise.  YORE_FULL_DISK_ROUNDS: sizes tried (default 6).
set -u
program=$1
rounds=${YORE_FULL_DISK_ROUNDS:-6}
if [ "$(id -u)" -ne 0 ]; then
    echo "skipped: mounting a tmpfs needs root"
    exit 77
fi
dir=$(mktemp -d)
trap 'umount "$dir" 2>/dev/null; rmdir "$dir"' EXIT
passed=0
failed=0
i=0
while [ "$i" -lt "$rounds" ]; do
    size=$((1500 + i * 677))
    if ! mount -t tmpfs -o size=${size}k tmpfs "$dir" 2>/dev/null; then
        echo "skipped: no tmpfs can be mounted here"
        exit 77
    fi
    if count=$("$program" fill "$dir/db") && mount -o remount,size=64m "$dir" &&
        "$program" check "$dir/db" "$count"; then
        passed=$((passed + 1))
        echo "  ${size} KiB: full after $count commits, all of them there with room again"
    else
        failed=$((failed + 1))
        echo "  ${size} KiB: FAILED"
    fi
    umount "$dir"
    i=$((i + 1))
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
