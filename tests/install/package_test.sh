#!/bin/sh
# Builds the three packages, looks into them, installs and removes them below a scratch root (or, as
# root, with dpkg's own scripts and database kept there), and runs the consumer against that tree.
#   package_test.sh BUILD SOURCE CC [CXX]
set -u
build=$1 source=$2 cc=$3 cxx=${4:-}
command -v dpkg-deb >/dev/null 2>&1 || { echo "skipped: no dpkg-deb"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passed=0 failed=0

step() { # step NAME COMMAND...
    name=$1
    shift
    if "$@" >"$work/log" 2>&1; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $name: $*"
        cat "$work/log"
    fi
}
field_has() { # field_has PACKAGE FIELD TEXT
    dpkg-deb -f "$work"/"$1"_*.deb "$2" | grep -qF "$3"
}
holds() { # holds PACKAGE PATTERN
    dpkg-deb -c "$work"/"$1"_*.deb | grep -qE "$2"
}

step "cpack" cpack --config "$build/CPackConfig.cmake" -G DEB -B "$work"
multiarch=$(dpkg-architecture -qDEB_HOST_MULTIARCH)
for package in libyore0 libyore-dev yore; do
    step "$package is there" sh -c "ls $work/${package}_*.deb"
    step "$package names its licence" holds "$package" "usr/share/doc/$package/copyright"
done
step "library in the multiarch folder" holds libyore0 "usr/lib/$multiarch/libyore.so.0"
step "header" holds libyore-dev "usr/include/yore/yore.h"
step "static library" holds libyore-dev "usr/lib/$multiarch/libyore.a"
step "no header in the runtime package" sh -c "! dpkg-deb -c $work/libyore0_*.deb | grep -q include"
step "program" holds yore "usr/bin/yore"
step "runtime dependencies" field_has libyore0 Depends libzstd1
step "same version" field_has libyore-dev Depends "libyore0 (="
step "program dependencies" field_has yore Depends libedit2

root=$work/root
mkdir -p "$root/var/lib/dpkg/info" "$root/var/lib/dpkg/updates" "$root/var/log"
: >"$root/var/lib/dpkg/status"
: >"$root/var/lib/dpkg/available"
quiet_dpkg() {
    dpkg --root="$root" --log="$work/dpkg.log" --force-depends --force-not-root \
        --force-script-chrootless "$@"
}
step "install" quiet_dpkg --install "$work"/*.deb
step "consumer of the packages" env YORE_INSTALLED="$root/usr" \
    "$source/tests/install/consumer_test.sh" "$build" "$source" "$cc" "$cxx"
step "remove" quiet_dpkg --purge yore libyore-dev libyore0
step "nothing is left" sh -c "test -z \"\$(find $root/usr -type f -name '*yore*' 2>/dev/null)\""

echo "$passed passed, $failed failed"
[ "$failed" = 0 ]
