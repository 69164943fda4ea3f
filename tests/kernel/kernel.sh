#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The suites that meet the kernel, on Debian 12's own (6.1): boots it once, runs them there, and repeats every case here.
#
#   kernel.sh BUILD SUITE...
set -u
here=$(cd "$(dirname "$0")" && pwd)
build=$1
shift
suites=("$@")

if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 0
fi
out=$(mktemp -d) || exit 1
trap 'rm -rf "${out:?}"' EXIT
arguments=()
for suite in "${suites[@]}"; do
	arguments+=(--suite "privlink:$suite")
done

cat >"$out/tests" <<END
uname -r >/out/release
rm -f $(printf %q "$build/meson-logs/kernel.json")
meson test -C $(printf %q "$build") --no-rebuild --logbase kernel --timeout-multiplier 10 --num-processes 1 ${arguments[*]}
echo \$? >/out/status
free -m # what the tests have left of the guest's memory, where its files are, too
df -m / /run
cp $(printf %q "$build/meson-logs/kernel.json") /out/
END
# Emulated processors that wait for each other take half as much time again; what needs two of them is in the suite bpf.
case " ${suites[*]} " in
*" bpf "*) cpus=2 ;;
*) cpus=1 ;;
esac
OUT=$out KERNEL_CPUS=${KERNEL_CPUS:-$cpus} "$here/run" bash /out/tests 2>&1 | sed -u 's/^/# /'
if [ ! -s "$out/kernel.json" ]; then
	echo "Bail out! the guest did not run the tests"
	exit 1
fi
"$here/repeat-tap" "$(cat "$out/status")" "$out/kernel.json" "$(sed 's/-.*//' "$out/release")"
