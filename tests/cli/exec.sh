#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# privlink exec: a command in an instance finds the instance's resolver, name switch and trust store, and no one else's,
# whatever the host does to its own files meanwhile. The instance here is a namespace made by hand.
#
#   exec.sh PRIVLINK MIRROR_TEST
set -u
privlink=$(realpath "$1")
mirror=$(realpath "$2")
id=i-exectest$(printf %012d $$)
dir=$(mktemp -d /tmp/privlink-exec-XXXXXX) || exit 1
. "$(dirname "$0")/../tap.sh" || exit 1

clean_up() {
	local place
	for place in "$dir/root/run/netns/$id" "$dir"/root/{proc,usr}; do
		mountpoint -q "$place" && umount -l "$place"
	done
	ip netns del "$id" 2>/dev/null
	rm -rf "/etc/netns/${id:?}" "${dir:?}"
	rmdir /etc/netns 2>/dev/null
}

if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 0
fi
at_end clean_up
trap 'exit 130' INT TERM HUP

make_instance_files() { # DIRECTORY
	mkdir -p "$1" "$dir/ssl/certs"
	echo "nameserver 100.100.2.136" >"$1/resolv.conf"
	echo "hosts: files dns" >"$1/nsswitch.conf"
	echo "127.0.0.1 localhost of-the-instance" >"$1/hosts"
	ln -sfn "$dir/ssl" "$1/ssl"
	echo "the instance's" >"$dir/ssl/certs/ca-certificates.crt"
}

run() { "$privlink" exec "$id" -- "$@"; }

ip netns add "$id"
make_instance_files "/etc/netns/$id"
is "$("$privlink" exec --state-dir "$dir" "$id" -- echo one two)" "one two" "options in front leave the command as it is"
is "$(run cat /etc/resolv.conf)" "nameserver 100.100.2.136" "the resolver is the VPC's"
is "$(run cat /etc/nsswitch.conf)" "hosts: files dns" "names are asked of files and DNS only"
is "$(run cat /etc/ssl/certs/ca-certificates.crt)" "the instance's" "the trust store is the instance's"
is "$(run getent hosts of-the-instance | awk '{ print $1; exit }')" "127.0.0.1" "the hosts file is the instance's"
is "$(run cat /etc/passwd)" "$(cat /etc/passwd)" "the rest of /etc is the host's"
is "$(run ls /sys/class/net)" "lo" "/sys shows the instance's devices"
is "$(run ls /sys/fs/bpf 2>/dev/null)" "" "the host's BPF file system is out of sight"
is "$(run sh -c 'echo $SSL_CERT_FILE $REQUESTS_CA_BUNDLE $NODE_EXTRA_CA_CERTS')" \
	"$(printf '/etc/ssl/certs/ca-certificates.crt %.0s' 1 2 3 | sed 's/ $//')" "libraries are told where the trust store is"
is "$(https_proxy=http://192.0.2.1 run sh -c 'echo "${https_proxy-none}"')" none "the host's proxy is not the instance's"
is "$(cd /usr && run pwd)" /usr "the working directory stays"
is "$(run uname -n)" "$id" "an instance without a host name has its id"
echo web-1.example >"/etc/netns/$id/hostname"
echo "10.0.0.7 web-1.example" >>"/etc/netns/$id/hosts"
is "$(run uname -n) $(run cat /etc/hostname)" "web-1.example web-1.example" "the host name is the instance's"
# shellcheck disable=SC2016
is "$(run sh -c 'getent hosts $(hostname)' | awk '{ print $1; exit }')" 10.0.0.7 "which is found"
is "$(HOSTNAME=of-the-host run sh -c 'echo $HOSTNAME')" web-1.example "a shell is told the same"
is "$(unset HOSTNAME; run sh -c 'echo ${HOSTNAME-none}')" none "if it was told any"
host_name=$(uname -n)
is "$(run sh -c 'hostname changed && uname -n && echo again >/proc/sys/kernel/hostname && uname -n' | paste -sd' ')" \
	"changed again" "a command may change it"
is "$(uname -n)" "$host_name" "and the host keeps its own"
[ "$(uname -n)" = "$host_name" ] || hostname "$host_name"
printf '%0100d' 0 >"/etc/netns/$id/hostname"
run true
is $? 0 "a host name that is too long ends no command"
rm "/etc/netns/$id/hostname"

# What a command shares with the host, as privlink exec --help says: it is no boundary for root.
namespaces() { stat -Lc %n:%i /proc/self/ns/* | sed 's|.*/||' | grep -v _for_children; }
export -f namespaces
is "$(diff <(namespaces) <(run bash -c namespaces) | sed -n 's/^> \([a-z]*\):.*/\1/p' | paste -sd' ')" "mnt net uts" \
	"namespaces of its own: mount, network, UTS; the others are the host's"
is "$(run grep ^Cap /proc/self/status)" "$(grep ^Cap /proc/self/status)" "capabilities are the caller's"
is "$(run cut -d " " -f 1,22 "/proc/$$/stat")" "$(cut -d " " -f 1,22 "/proc/$$/stat")" "so are the processes that it sees"
echo "of the host" >"$dir/shared"
run sh -c "echo 'of the instance' >>$dir/shared"
is "$(tail -n 1 "$dir/shared")" "of the instance" "and the files"
is "$(run nsenter --net="/proc/$$/ns/net" readlink /proc/self/ns/net)" "$(readlink /proc/self/ns/net)" \
	"root gets back into the host's network"
"$privlink" exec --help | grep -q 'no boundary'
ok $? "which the help says"
run sh -c 'exit 7'
is $? 7 "the exit status is the command's"
run no-such-command 2>/dev/null
is $? 127 "a command that does not exist ends with 127"
run no-such-command 2>/dev/full
is $? 127 "also where nobody can be told"
run sh -c 'kill -TERM $$'
is $? 143 "a signal is the command's end as in a shell"
"$privlink" exec i-doesnotexist00000000 -- true 2>/dev/null
is $? 1 "an instance that is not here is an error"
"$privlink" exec ../../etc -- true 2>/dev/null
is $? 2 "what is no instance id is refused"

# The host's resolv.conf is a bind mount or a file that renames cannot touch in some containers, so the renaming is
# tried on a file of our own below /etc.
victim=/etc/privlink-exec-$$
echo "the host's" >"$victim"
echo "the instance's" >"/etc/netns/$id/${victim##*/}"
mkfifo "$dir/go"
run sh -c "cat $dir/go >/dev/null; cat $victim" >"$dir/said" &
waiting=$!
echo "the host's new one" >"$victim.new"
mv "$victim.new" "$victim"
echo go >"$dir/go"
wait $waiting
is "$(cat "$dir/said")" "the instance's" "a file that the host renames into place does not uncover the host's"
is "$(run cat "$victim")" "the instance's" "nor does it for the next command"
rm -f "$victim"

mkdir -p "$dir/hidden"
had_nscd=$([ -d /run/nscd ] && echo yes)
mkdir -p /run/nscd && : >/run/nscd/socket-of-the-test
is "$(run ls /run/nscd)" "" "the socket of the host's name cache is hidden"
rm -f /run/nscd/socket-of-the-test
[ -n "$had_nscd" ] || rmdir /run/nscd

mounts=$(wc -l </proc/self/mountinfo)
run true
is "$(wc -l </proc/self/mountinfo)" "$mounts" "no mount reaches the host"

# A root that is no mount point.
root=$dir/root
mkdir -p "$root"/{proc,sys,dev,usr,run,etc/netns,tmp}
for link in bin sbin lib lib64; do
	[ -L /$link ] && cp -P /$link "$root/$link"
done
cp -a /etc/passwd /etc/group /etc/ld.so.cache "$root/etc/" 2>/dev/null
echo "nameserver of-the-host" >"$root/etc/resolv.conf"
mkdir -p "$root/run/netns"
: >"$root/run/netns/$id"
mount --bind /usr "$root/usr" && mount -t proc proc "$root/proc" && mount --bind "/run/netns/$id" "$root/run/netns/$id"
make_instance_files "$root/etc/netns/$id"
cp "$privlink" "$root/tmp/privlink"
is "$(chroot "$root" /tmp/privlink exec "$id" -- cat /etc/resolv.conf)" "nameserver 100.100.2.136" \
	"it works in a chroot whose root is no mount point"
is "$(chroot "$root" cat /etc/resolv.conf)" "nameserver of-the-host" "which stays as it was"
is "$(findmnt -rn -o TARGET | grep -c "^$root/etc")" 0 "and no mount is left in it"

is "$("$mirror" "/etc/netns/$id" cat /etc/resolv.conf)" "nameserver 100.100.2.136" "without overlayfs: the resolver is the VPC's"
is "$("$mirror" "/etc/netns/$id" cat /etc/passwd)" "$(cat /etc/passwd)" "without overlayfs: the rest is the host's"
is "$("$mirror" "/etc/netns/$id" cat /etc/ssl/certs/ca-certificates.crt)" "the instance's" \
	"without overlayfs: the trust store is the instance's"
is "$("$mirror" "/etc/netns/$id" ls /etc/apt)" "$(ls /etc/apt)" "without overlayfs: directories are there"
is "$("$mirror" "/etc/netns/$id" stat -c '%a %U %G' /etc/shadow)" "$(stat -c '%a %U %G' /etc/shadow)" \
	"without overlayfs: a file keeps its mode and owner"

tap_done
