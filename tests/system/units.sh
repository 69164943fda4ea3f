#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The units: systemd reads them without a complaint (where there is one), waits until a daemon is ready, reloads it by SIGHUP,
# and does not start it again when only an operator helps. What the daemons do for their part is in tests/api/daemon.py and
# tests/net/reload.sh.
#
#   units.sh SOURCE BUILD
set -u
source_dir=$1 build=$2
dir=$(mktemp -d /tmp/privlink-units-XXXXXX) || exit 1
trap 'rm -rf "${dir:?}"' EXIT
. "$(dirname "$0")/../tap.sh" || exit 1

value() { sed -n "s/^$2=//p" "$dir/$1.service"; } # UNIT NAME
status() { sed -n "s/^#define EXIT_$1_REFUSED //p" "$source_dir/src/cmd/exit_status.h"; }

for unit in privlinkd privlink-agent; do
	# Programs that are there: systemd looks.
	sed "s|^ExecStart=[^ ]*/|ExecStart=$build/src/cmd/|" "$build/packaging/$unit.service" >"$dir/$unit.service"
	is "$(value $unit Type)" notify "$unit: what comes after it waits until it is ready"
	is "$(value $unit ExecReload)" '/bin/kill -HUP $MAINPID' "$unit: a reload is SIGHUP"
	is "$(value $unit ExecStart | grep -o "[^ ]*/privlink/$unit.conf$" | xargs -r basename)" "$unit.conf" \
		"$unit: its settings are in a file"
	is "$([ -f "$source_dir/packaging/$unit.conf" ] && echo there)" there "$unit: which is installed"
	if command -v systemd-analyze >/dev/null; then
		is "$(systemd-analyze verify "$dir/$unit.service" 2>&1 | grep -F "$unit.service" | grep -vF 'man ')" "" \
			"$unit: systemd understands all of it"
	else
		skip "$unit: systemd understands all of it" "there is no systemd here"
	fi
done
is "$(value privlinkd RestartPreventExitStatus)" "$(status STORE) $(status SETTINGS)" \
	"privlinkd is not started again when its store or its settings need an operator"
is "$(value privlink-agent RestartPreventExitStatus)" "$(status SETTINGS)" "nor is the agent when its settings do"
is "$(value privlink-agent After | grep -o privlinkd.service)" privlinkd.service "the agent comes after privlinkd"

# What the agent's unit leaves it suffices to end the process of a connectivity test, which is nobody's.
bounds() { value "$1" CapabilityBoundingSet | tr '[:upper:]' '[:lower:]' | sed 's/cap_/+/g; s/ /,/g; s/^/-all,/'; } # UNIT
if [ "$(id -u)" = 0 ]; then
	setpriv --reuid 65534 --regid 65534 --clear-groups sleep 60 &
	disown
	until grep -qsx sleep "/proc/$!/comm"; do :; done
	setpriv --bounding-set "$(bounds privlink-agent)" bash -c "kill -KILL $!"
	ok $? "the agent may end a process that has become nobody"
	kill -KILL $! 2>/dev/null
else
	skip "the agent may end a process that has become nobody" "needs root"
fi

# Ports below 1024 are for who has a right; what privlinkd's unit leaves it suffices for HTTPS at its usual one.
if [ "$(id -u)" = 0 ]; then
	unshare --net setpriv --bounding-set "$(bounds privlinkd)" \
		python3 -c 'import socket; socket.socket().bind(("0.0.0.0", 443))' 2>/dev/null
	ok $? "privlinkd may listen at port 443"
else
	skip "privlinkd may listen at port 443" "needs root"
fi
for unit in privlinkd privlink-agent; do
	is "$(sed -n '/^\[Unit\]/,/^\[Service\]/s/^StartLimitIntervalSec=//p' "$dir/$unit.service")" 0 \
		"$unit is started again however often it failed"
done
# On a bare directory where the disk of the state belongs, or one above it, they would begin anew. A disk of the store's own is
# another thing: without it privlinkd says what to do.
wanted_by() { value "$1" WantedBy | grep -o 'var-lib\S*mount' | sort | xargs; } # UNIT
requires() { # UNIT MOUNT: to systemd, it cannot start without that
	local place=$dir/$1-$2
	mkdir "$place" && cp "$dir/$1.service" "$place" && printf '[Mount]\n# no What=\n' >"$place/$2.mount" || return 1
	SYSTEMD_UNIT_PATH="$place:" systemd-analyze --man=no verify "$place/$1.service" 2>&1 |
		grep -q "Failed to create $1.service/start: Unit $2.mount has a bad unit file setting"
}
for unit in privlinkd privlink-agent; do
	is "$(value $unit RequiresMountsFor)" /var/lib/privlink "$unit does not start without the disk of its state"
	for mount in var var-lib var-lib-privlink; do
		if command -v systemd-analyze >/dev/null; then
			requires $unit $mount
			ok $? "to systemd, $unit requires $mount.mount where there is one"
		else
			skip "to systemd, $unit requires $mount.mount where there is one" "there is no systemd here"
		fi
	done
done
is "$(wanted_by privlinkd)" "var-lib-privlink-store.mount var-lib-privlink.mount" "a disk that comes later starts privlinkd"
is "$(wanted_by privlink-agent)" var-lib-privlink.mount "and the agent, which has nothing on the store's"
is "$(value privlinkd After | grep -o 'var-lib\S*mount')" var-lib-privlink-store.mount "privlinkd waits for the store's disk"
if command -v systemd-analyze >/dev/null; then
	! requires privlinkd var-lib-privlink-store
	ok $? "but starts without it, and says what to do"
else
	skip "but starts without it, and says what to do" "there is no systemd here"
fi

# Each example in a file of settings is one that its daemon takes.
for daemon in privlinkd privlink-agent; do
	user=()
	[ $daemon != privlinkd ] || user=(--user nobody)
	sed -n 's/^#\([a-z-]* = .*\)/\1/p' "$source_dir/packaging/$daemon.conf" | grep -v '^\(cert\|key\) ' >"$dir/$daemon.conf"
	is "$(grep -c = "$dir/$daemon.conf") $("$build/src/cmd/$daemon" --config "$dir/$daemon.conf" --check --state-dir "$dir" \
		--catalogue "$source_dir/data/catalogue.json" "${user[@]}" 2>/dev/null)" \
		"$(grep -c = "$dir/$daemon.conf") OK" "$daemon takes the settings that its file shows"
done

# As privlinkd (tests/api/daemon.py), the agent ends for good by what its catalogue says, and not by one that is not there yet.
ends() { # CATALOGUE: how an agent of no node that there is ends by it
	timeout 60 unshare --net "$build/src/cmd/privlink-agent" --node "units-$$" --state-dir "$dir/agent" --run-dir "$dir/agent" \
		--catalogue "$1" >"$dir/agent.log" 2>&1
	echo "$? $(grep -cF "cannot read catalogue=$1: " "$dir/agent.log")"
}
if [ "$(id -u)" = 0 ]; then
	echo '{"regions": [' >"$dir/damaged.json"
	is "$(ends "$dir/damaged.json")" "$(status SETTINGS) 1" "an agent with a damaged catalogue waits for an operator"
	is "$(ends "$dir")" "$(status SETTINGS) 1" "and so where it is no file"
	is "$(ends "$dir/nowhere.json")" "1 1" "without one, systemd starts it again"
	is "$(ends /proc/self/mem)" "1 1" "and so where it cannot be read"
	rm -f "/run/privlink-node-units-$$.pid"
else
	skip "an agent with a damaged catalogue waits for an operator" "needs root"
fi

# The agent's words about a setting it cannot use; privlinkd's are in tests/api/daemon.py.
printf '# this node\nnode = -x\n' >"$dir/bad.conf"
grep -qF "config=$dir/bad.conf line=2: option node expects at most 30 letters, digits, '-' and '_', of which the first is a letter or a digit, not \"-x\"" \
	<<<"$("$build/src/cmd/privlink-agent" --config "$dir/bad.conf" --check --state-dir "$dir" 2>&1)"
ok $? "a node's name that is none is told with file, line and the rule"
for zones in ',' ',,,'; do
	printf 'zones = %s\n' "$zones" >"$dir/bad.conf"
	grep -qF "config=$dir/bad.conf line=1: option zones expects zones, separated by commas, not \"$zones\"" \
		<<<"$("$build/src/cmd/privlink-agent" --config "$dir/bad.conf" --check --state-dir "$dir" 2>&1)"
	ok $? "zones = $zones names none, which is not all"
done

tap_done
