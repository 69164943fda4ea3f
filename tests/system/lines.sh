# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# The lines that quickstart and README tell people to try, taken from their texts and run as they stand, with what is to be
# seen beside. A line that the table does not know fails. Sourced by quickstart.sh, while a walk's daemons run.

# Runs the line; passes if it ends with the status and prints the pattern.
line_gives() { # STATUS PATTERN
	local got said
	said=$(cd "$source_dir" && eval "$line" 2>&1 </dev/null)
	got=$?
	[ "$got" = "$1" ] && grep -qE -- "$2" <<<"$said"
	ok $? "tried: $line"
	[ "$got" = "$1" ] && grep -qE -- "$2" <<<"$said" || { echo "# status $got, wanted $1 and $2"; sed 's/^/# /' <<<"$said"; }
}

# Until the line gives that: a change of rules is in force soon, but not at once.
line_comes_to() { # STATUS
	local deadline=$((SECONDS + 30))
	until [ $SECONDS -ge $deadline ]; do
		(eval "$line") >/dev/null 2>&1 </dev/null
		[ $? = "$1" ] && return
		sleep 0.1
	done
}

# A shell is asked what its network is.
line_is_a_shell() {
	is "$(echo 'ip -4 -o address show eth0' | eval "$line" 2>&1 | grep -oE 'inet [0-9.]+')" "inet 10.0.1.10" "tried: $line"
}

# The packages of the API's tests, as these install them.
npm_packages() {
	(cd "$source_dir/tests/api" && { [ -f node_modules/.package-lock.json ] || npm ci --no-audit --no-fund --ignore-scripts >/dev/null; }) ||
		{ ok 1 "npm ci"; return 1; }
}

# The table. What quickstart itself does (it is tried in quickstart.sh) and what another test runs is named.
try_line() {
	case $line in
	'export PATH='*) eval "$line"; ok $? "tried: $line" ;;
	'privlink exec '*' -- curl -s https://'*) line_gives 0 '^PAI-DLC, answered in cn-hangzhou-[hi]$' ;;
	'privlink exec '*' -- bash') line_is_a_shell ;;
	'privlink exec '*'# times out') line_comes_to 28; line_gives 28 'curl: \(28\)' ;;
	'privlink exec '*'# answers again') line_comes_to 0; line_gives 0 '^PAI-DLC, answered' ;;
	'privlink endpoint list') line_gives 0 'privateLink_aiworkspace .*Active +Connected' ;;
	'privlink endpoint show '*) line_gives 0 '^Status +Active' ;;
	'privlink counters') line_gives 0 '^no_place +' ;;
	'privlink sg rules '*) line_gives 0 '^\(implicit\) +ingress' ;;
	'privlink sg revoke '* | 'privlink sg authorize '*) line_gives 0 '^$' ;;
	'set -a; . /var/lib/privlink/quickstart.env; set +a') eval "$line"; ok $? "tried: $line" ;;
	'NODE_EXTRA_CA_CERTS='*) npm_packages && NODE_PATH=$source_dir/tests/api/node_modules line_gives 0 "EndpointName: 'privateLink_dlc'" ;;
	*quickstart | *'quickstart --down' | ./quickstart\ *) ok 0 "tried by this test: $line" ;;
	./check*) ok 0 "that is what runs this test: $line" ;;
	*) ok 1 "what is to be seen of it stands in the table: $line" ;;
	esac
}

# Commands stand in README indented by four, what continues one by more; what they print stands in blocks that begin with "[".
# (The section on the installation is the business of operations.sh.)
readme_commands() {
	sed '/^## Install/,/^## /d' "$source_dir/README.md" | awk '
		/^    / && !in_block { in_block = 1; is_output = $0 ~ /^    \[/ || $0 ~ /^      / }
		!/^    / && !/^$/ { in_block = 0 }
		in_block && !is_output && /^    [^ ]/ { if (command != "") print command; command = substr($0, 5) }
		in_block && !is_output && /^     / { command = command " " substr($0, 9) }
		END { print command }' | sed -E 's/^(\.\/[a-z]+( --[a-z]+)?)  .*/\1/; s/\\ / /'
}

readme_output() {
	awk '
		/^    / && !in_block { in_block = 1; is_output = $0 ~ /^    \[/ }
		!/^    / && !/^$/ { in_block = 0 }
		in_block && is_output && NF { print substr($0, 5) }' "$source_dir/README.md"
}

# Each line of README's sample is one that the walk printed, but for ids, numbers and what … stands for.
compare_sample() {
	local pattern lines
	mapfile -t lines < <(readme_output)
	for line in "${lines[@]}"; do
		pattern=$(sed -E 's/[][().*^$+?{}|\\]/\\&/g; s/\b([a-z]+)-[a-z0-9]{20}\b/\1-[a-z0-9]{20}/g; s/…/.*/g; s/127\\\.0\\\.0\\\.1:8080/127\\.0\\.0\\.1:[0-9]+/g
			s/\b[0-9]+( ms| milliseconds| s$| packets| dropped)/[0-9]+\1/g; s/ +/ +/g' <<<"$line")
		grep -qE -- "^$pattern *$" "$dir/log" || break
	done
	[ "$line" = "${lines[-1]}" ] && [ ${#lines[@]} -gt 15 ]
	ok $? "README's sample is what the walk prints"
	[ "$line" = "${lines[-1]}" ] || echo "# not printed: $line"
}

try_lines() {
	local lines line
	compare_sample
	mapfile -t lines < <(sed '1,/^Next, try:$/d; s/^    //' "$dir/log")
	[ ${#lines[@]} -gt 5 ]
	ok $? "there are lines to try at the end of the walk"
	for line in "${lines[@]}"; do
		try_line
	done
	mapfile -t lines < <(readme_commands)
	[ ${#lines[@]} -gt 3 ]
	ok $? "and in README"
	for line in "${lines[@]}"; do
		try_line
	done
}
