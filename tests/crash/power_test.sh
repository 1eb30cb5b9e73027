#!/bin/sh
# power_test.sh -- runs power_test with an ext4 file system of its own, in memory, behind a loop device.
#   power_test.sh PROGRAM
# All mounts are made in a mount namespace of their own, so that they go with the last process in it,
# however it ends; the loop device is told to detach itself with its last user.  Skipped (77) where no namespace,
# loop device or mount can be had.
set -u
program=$1
if [ "${YORE_POWER_INSIDE:-}" = "" ]; then
    if [ "$(id -u)" -ne 0 ]; then
        echo "skipped: mounting a file system needs root"
        exit 77
    fi
    for tool in mkfs.ext4 losetup unshare; do
        if ! PATH=$PATH:/usr/sbin:/sbin command -v $tool >/dev/null; then
            echo "skipped: there is no $tool"
            exit 77
        fi
    done
    if ! unshare --mount --propagation private true 2>/dev/null; then
        echo "skipped: no mount namespace can be had here"
        exit 77
    fi
    YORE_POWER_INSIDE=1 exec unshare --mount --propagation private "$0" "$program"
fi

PATH=$PATH:/usr/sbin:/sbin
dir=$(mktemp -d)
clean() {
    umount "$dir/mount" 2>/dev/null
    exec 9<&-
    umount "$dir" 2>/dev/null
    rmdir "$dir"
}
trap clean EXIT
trap 'exit 1' HUP INT TERM
skip() {
    echo "skipped: $1"
    exit 77
}
mount -t tmpfs -o size=300m tmpfs "$dir" 2>/dev/null || skip "no tmpfs can be mounted here"
mkdir "$dir/mount"
truncate -s 256M "$dir/image"
mkfs.ext4 -q -F "$dir/image" 2>/dev/null || skip "mkfs.ext4 makes no file system here"
device=$(losetup --find --show "$dir/image" 2>/dev/null) || skip "no loop device is to be had here"
exec 9<"$device"
losetup --detach "$device"
mount "$device" "$dir/mount" 2>/dev/null || skip "no ext4 can be mounted here"
umount "$dir/mount"
YORE_POWER_DEVICE=$device YORE_POWER_DIR=$dir/mount "$program"
