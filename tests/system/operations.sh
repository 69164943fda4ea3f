#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What README.md says of the installation and doc/operations.md of accidents, on a machine of its own (machine.sh). The
# commands are taken from the documents themselves, each in the situation that it is for; one that no case has run is a
# failure. Two instances of a tenant reach each other at every step.
#
#   operations.sh SOURCE
set -u
source_dir=$1
if [ "${2-}" != --inside ]; then
	"$source_dir/tests/system/machine.sh" "${BASH_SOURCE[0]}" "$source_dir" --inside
	status=$?
	[ $status = 77 ] && echo "1..0 # SKIP no machine of its own can be had here"
	exit $status
fi
manual=$source_dir/doc/operations.md
log=/tmp/operations.log
# shellcheck source=tests/tap.sh
. "$source_dir/tests/tap.sh" || exit 1

check() { # NAME COMMAND…
	local name=$1
	shift
	if "$@" >>$log 2>&1; then
		ok 0 "$name"
	else
		ok 1 "$name"
		tail -n 25 $log | sed 's/^/# /'
	fi
}

wait_for() { # SECONDS COMMAND…
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ $SECONDS -lt $deadline ] || return 1
		sleep 0.05
	done
}

# --- the documents' commands: lines "SECTION<tab>COMMAND", where a command has all its lines

commands_of() { # FILE
	awk '
		/^## / { section = substr($0, 4) }
		/^    / {
			line = substr($0, 5)
			if (sub(/\\$/, "", line)) { kept = kept line; next }
			print section "\t" kept line
			kept = ""
		}' "$1"
}
mapfile -t all < <(commands_of "$manual")
declare -A was_run

# Runs the first command of that section that begins so and was not run before, else the first; its output is in $out, its
# status is returned.
run() { # SECTION BEGINNING
	local i found=
	for i in "${!all[@]}"; do
		case ${all[i]} in "$1"$'\t'"$2"*) ;; *) continue ;; esac
		found=${found:-$i}
		[ -z "${was_run[$i]-}" ] && found=$i && break
	done
	if [ -z "$found" ]; then
		echo "no command \"$2\" in section \"$1\"" >>$log
		return 1
	fi
	was_run[$found]=yes
	echo "\$ ${all[found]#*$'\t'}" >>$log
	out=$(bash -c "${all[found]#*$'\t'}" 2>&1)
	local status=$?
	echo "$out" >>$log
	return $status
}
does() { # NAME SECTION BEGINNING: the command succeeds
	check "$1" run "$2" "$3"
}
says() { [[ $out == *"$1"* ]]; } # TEXT: the last command did

# --- what stands on the machine

vpc_of() { privlink call vpc CreateVpc CidrBlock=10.0.0.0/16 | jq -r .VpcId; }
node_live() { privlink node list | grep -q "^machine .* yes"; }
instance() { # VSWITCH GROUP ADDRESS
	privlink call ecs RunInstances VSwitchId="$1" SecurityGroupId="$2" ImageId=debian InstanceType=netns PrivateIpAddress="$3" |
		jq -r '.InstanceIdSets.InstanceIdSet[0]'
}
reaches() { ip netns exec "$a" ping -c 1 -W 10 -q 10.0.1.11; }
serves() { privlink store show; }
has_vpc() { privlink vpc list | grep -q "$1"; }
reads_key() { privlink account list; }
ended() { fails 3 'inactive or failed' systemctl status privlinkd; }
refused() { ended && journalctl -u privlinkd -n 3 | grep -q 'refusing to start'; }
stop_privlinkd() { systemctl stop privlinkd; }
holds() { privlink node list | grep -q accept-store; }
follows() { node_live && lists_no accept-store privlink node list; }

# --- README: the installation

export CCACHE_BASEDIR=$source_dir CCACHE_NOHASHDIR=1
mapfile -t install < <(commands_of "$source_dir/README.md" | sed -n 's/^Install\t//p')
is $((${#install[@]} > 4)) 1 "README has an installation"
for command in "${install[@]}"; do
	echo "\$ $command" >>$log
	check "README: ${command%% #*}" bash -c "$command"
done
check "both daemons run, and the node is there" wait_for 20 node_live
is "$(ps -o user= -C privlinkd)" privlink "privlinkd is the user that it was installed for"

make_tenant() { # sets $vpc and $a
	local vswitch group
	vpc=$(vpc_of)
	wait_for 10 has_vpc "$vpc"
	vswitch=$(privlink call vpc CreateVSwitch VpcId="$vpc" ZoneId=cn-hangzhou-h CidrBlock=10.0.1.0/24 | jq -r .VSwitchId)
	group=$(privlink call ecs CreateSecurityGroup VpcId="$vpc" SecurityGroupName=group | jq -r .SecurityGroupId)
	a=$(instance "$vswitch" "$group" 10.0.1.10)
	instance "$vswitch" "$group" 10.0.1.11 >/dev/null
}
make_tenant
check "an instance reaches another one" wait_for 20 reaches

# --- what holds on the machine (doc/security.md)

is "$(sed -n 's/^\(CapPrm\|CapEff\|CapBnd\|NoNewPrivs\):\t*//p' "/proc/$(pgrep -x privlinkd)/status" | sed -n '1,2p;4p' | paste -sd' ')" \
	"0000000000000000 0000000000000000 1" "privlinkd has no capability, and gets none"
for place in admin.env store/privlink.db nonces nonces.2 node.json ca/ca.key tls/api.key; do
	check "there is $place" test -f "/var/lib/privlink/$place"
	check "which another user does not read" fails 1 'Permission denied' \
		setpriv --reuid nobody --clear-groups cat "/var/lib/privlink/$place"
done
is "$(ss -Hltnu | awk '{ print $5 }' | sort | paste -sd' ')" "0.0.0.0:8443 127.0.0.1:8080" "nothing listens on the host but the API"
check "plain HTTP listens on the loopback only" fails 78 'plain HTTP only on loopback' \
	privlinkd --http 0.0.0.0:8081 --state-dir /tmp/other --run-dir /tmp/other
ip addr add 10.0.1.99/32 dev lo
ip addr add 192.0.2.1/32 dev lo
check "the host has an address that a VPC might have" ping -c 1 -W 2 -q 10.0.1.99
check "an instance does not reach an address of the host" fails 1 '100% packet loss' \
	ip netns exec "$a" ping -c 1 -W 1 -q 10.0.1.99
check "nor a port of it" fails 28 'timed out' ip netns exec "$a" curl -sS -m 1 http://192.0.2.1:8443
ip addr del 10.0.1.99/32 dev lo

# --- where to look

s="Where to look"
does "the state of both daemons" "$s" "systemctl status"
does "their logs" "$s" "journalctl"
says "running node=machine"
ok $? "which say what they did"
does "the nodes" "$s" "privlink node list"
does "the store" "$s" "privlink store show"
says "$(head -n 1 /var/lib/privlink/store.id)"
ok $? "with its identity"
does "the counters" "$s" "privlink counters"
[[ $out == *delivered* ]]
ok $? "which have counted the instances' packets"
does "what a start would read" "$s" "privlinkd --config"
is "$out" OK "which is as it should be"

# --- what packets do

s="What packets do"
ip netns exec "$a" ping -c 500 -i 0.2 -W 1 -q 10.0.77.77 >/dev/null 2>&1 & # which nothing has
pinging=$!
does "packets that are dropped" "$s" "privlink trace"
says "DROP no_place"
ok $? "with the reason"
kill $pinging
does "open flows" "$s" "privlink flows"
does "the node's numbers" "$s" "curl"
says '# TYPE privlink_packets_total counter'
ok $? "which Prometheus reads"

# --- who did what

s="Who did what"
does "the calls of the API" "$s" "privlink audit"
says ListNodes
ok $? "which were made above"
does "and those that were refused" "$s" "privlink audit --since"

# --- backup

does "back up: what is beside the store" "Back up" tar
does "back up: the store, while privlinkd serves" "Back up" "privlink store backup"
is "$(stat -c %a /root/privlink.db)" 600 "which nobody else can read"
later=$(vpc_of)
check "a VPC is made after the copy" wait_for 10 has_vpc "$later"

# --- the host gets another name

hostname renamed
systemctl restart privlinkd privlink-agent
check "the host was renamed: both daemons start" wait_for 20 node_live
does "the node's name is on file" "The host gets another name" cat
says '"machine"'
ok $? "as it was"
is "$(privlink node list | tail -n +2 | wc -l)" 1 "there is one node"
check "and instances reach each other" reaches

# --- the disk of the state directory

systemctl stop privlinkd privlink-agent
mv /var/lib/privlink /state-disk
mkdir /var/lib/privlink
echo "/state-disk /var/lib/privlink none bind 0 0" >>/etc/fstab
systemctl start privlinkd privlink-agent >>$log 2>&1
check "the state directory is not mounted: privlinkd does not start" ended
systemctl start privlink-agent >>$log 2>&1
check "instances reach each other meanwhile" reaches
s="All of /var/lib/privlink is not mounted"
does "both daemons are stopped" "$s" "systemctl stop"
does "it is mounted" "$s" mount
does "both daemons start" "$s" "systemctl start"
check "the node follows again" wait_for 20 follows
check "what was there is there" has_vpc "$later"
check "and instances reach each other" reaches

# --- the disk of the store

stop_privlinkd
mkdir /disk
cp -a /var/lib/privlink/store/. /disk/
chown --reference=/var/lib/privlink/store /disk && chmod 700 /disk
rm -rf /var/lib/privlink/store && mkdir /var/lib/privlink/store
echo "/disk /var/lib/privlink/store none bind 0 0" >>/etc/fstab
systemctl start privlinkd >>$log 2>&1
check "the store's disk is not mounted: privlinkd refuses, and says so" wait_for 10 refused
check "instances reach each other meanwhile" reaches
is "$(find /var/lib/privlink/store -type f)" "" "nothing is written where the disk belongs"
s="The store's disk is not mounted"
does "it is mounted" "$s" mount
does "privlinkd starts" "$s" "systemctl start"
check "and serves what was there" wait_for 10 has_vpc "$later"
check "as before, for the agent too" wait_for 20 node_live

# --- the key

rm /var/lib/privlink/admin.env
check "admin.env is lost: calls fail" fails 1 'no access key' privlink vpc list
does "a new key is made" "The administrator's key is lost" "privlink admin new-key"
check "and reaches everything" has_vpc "$later"
cp /var/lib/privlink/admin.env /root/seen.env
does "a key that was seen is replaced" "The administrator's key is lost" "privlink admin new-key --revoke-others"
check "the new one is taken" has_vpc "$later"
check "the seen one is not" fails 1 '^InvalidAccessKeyId.NotFound: ' privlink vpc list --config /root/seen.env

# --- the certificate

serial() { openssl s_client -connect 127.0.0.1:8443 </dev/null 2>/dev/null | openssl x509 -noout -serial; }
s="The certificate ends"
before=$(serial)
pid=$(pgrep -x privlinkd)
does "a new certificate is made" "$s" "privlink ca issue"
is "$(serial)" "$before" "which is not served yet"
does "privlinkd reloads" "$s" "systemctl reload"
is_renewed() { [ -n "$(serial)" ] && [ "$(serial)" != "$before" ]; }
check "and serves it" wait_for 10 is_renewed
is "$(pgrep -x privlinkd)" "$pid" "without being started anew"
does "a restart takes over all settings" "$s" "systemctl restart"
check "and serves" wait_for 10 has_vpc "$later"

# --- damage

stop_privlinkd
cp -a /var/lib/privlink/store /root/whole
database=/var/lib/privlink/store/privlink.db
# A byte of the id within the VPC's row; free space may have what the row was before it became Available.
for place in $(grep -abo "$later" $database | cut -d: -f1); do
	printf 'X' | dd of=$database bs=1 seek=$((place + 6)) conv=notrunc status=none
done
systemctl start privlinkd >>$log 2>&1
check "a byte of the database changed: privlinkd refuses" wait_for 10 refused
check "instances reach each other meanwhile" reaches
s="The store is damaged"
does "it is told to go on with what can be read" "$s" privlinkd
does "and starts" "$s" "systemctl start"
check "and serves" wait_for 10 has_vpc "$vpc"
check "the node holds, and the list of nodes says what to do" wait_for 20 holds
check "nothing of a tenant was taken away" reaches
does "it is told to follow" "$s" "privlink node accept-store"
check "and does" wait_for 20 follows
check "what can be read is as it was" reaches

# --- restore

s=Restore
does "restore: privlinkd is stopped" $s "systemctl stop"
does "the damaged files go" $s "rm -f"
does "the copy is put there" $s install
does "privlinkd is told to take it" $s privlinkd
does "and starts" $s "systemctl start"
check "nothing of a tenant was taken away" reaches
check "the key that was made since is not in it: another one is made" wait_for 10 run "The administrator's key is lost" \
	"privlink admin new-key"
check "what was there when it was copied is there" has_vpc "$vpc"
check "what was made since is not" lists_no "$later" privlink vpc list
check "the node holds" wait_for 20 holds
does "it is told to follow" $s "privlink node accept-store"
check "and does" wait_for 20 follows
check "instances that are in the copy reach each other" reaches

# --- upgrade

s=Upgrade
does "an upgrade is built and installed" $s "meson setup"
does "both daemons are restarted" $s "systemctl daemon-reload"
does "and have all links of their units" $s "systemctl enable"
check "and serve" wait_for 20 serves
check "instances reach each other" reaches

# --- the store is gone for good

of_copy_vpc=$vpc of_copy=$a
stop_privlinkd
umount /var/lib/privlink/store
sed -i '/privlink.store/d' /etc/fstab
s="The store's disk is not mounted"
does "a new store is begun" "$s" "privlinkd --config"
check "the old administrator's key is kept" test -s /var/lib/privlink/admin.env.old
does "privlinkd starts" "$s" "systemctl start"
check "with a key of its own" wait_for 10 reads_key
check "the node holds" wait_for 20 holds
check "and the old tenant's instances go on" reaches
does "it is told that the new store is right" "$s" "privlink node accept-store"
check "then they go" wait_for 20 absent "/run/netns/$of_copy"
check "and it follows" wait_for 20 follows
make_tenant
check "the new store's instances reach each other" wait_for 20 reaches

# --- uninstall

left_by_agent() { ip -o link | grep -o 'privlink/.*'; find /run/netns /etc/netns /sys/fs/bpf -mindepth 1 ! -name '*.debug'; }
s=Uninstall
does "both daemons are stopped" $s "systemctl disable"
check "instances reach each other until then" reaches
does "the agent takes away what is in the kernel" $s "privlink-agent --remove"
is "$(left_by_agent)" "" "no device, no namespace, no pin is left"
does "what was installed goes" $s ninja
umount /var/lib/privlink
does "and what it kept" $s "rm -rf"
does "and its user" $s userdel
is "$(find /usr /etc /run/privlink* /var/lib -xdev -name '*privlink*' 2>/dev/null)" "" "no file of it is left"

# --- the machine is installed anew

vpc=$of_copy_vpc a=$of_copy
hostname reinstalled
for command in "${install[@]}"; do
	case $command in *meson* | systemd-*) check "installed anew: $command" bash -c "$command" ;; esac
done
s="The machine is installed anew"
does "what was beside the store is put back" "$s" tar
does "and the store" "$s" install
does "both daemons start" "$s" "systemctl enable"
check "it is the same node" wait_for 20 node_live
check "which makes its instances again" wait_for 20 reaches
check "the administrator's key is that of the copy" has_vpc "$vpc"

systemctl stop privlink-agent
privlink-agent --remove >>$log 2>&1
systemctl start privlink-agent
is_other() { privlink node list | grep -q "^reinstalled .* yes"; }
check "without node.json it is another node" wait_for 20 is_other
machine_is_lost() { privlink node list | grep -q "^machine .* no"; }
check "the one before is lost" wait_for 60 machine_is_lost
does "it is forgotten" "$s" "privlink node delete"
check "with its instances" wait_for 20 lists_no '^machine ' privlink node list

# --- all of them

for i in "${!all[@]}"; do
	[ -n "${was_run[$i]-}" ]
	ok $? "doc/operations.md: ${all[i]/$'\t'/: } (was run)"
done
tap_done
