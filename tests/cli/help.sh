#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Every --help is there and says what its command is, and every line in one that tells people to run something is run. A line
# that the table does not know fails.
#
#   help.sh SOURCE PRIVLINK PRIVLINKD PRIVLINK_AGENT
set -u
source_dir=$1
privlink=$2
daemons=("$3" "$4")
. "$(dirname "$0")/../tap.sh" || exit 1

# Keeps the text in `help`.
helps() { # WANTED-FIRST-LINE COMMAND...
	local wanted=$1 status
	shift
	help=$("$@" 2>&1)
	status=$?
	# shellcheck disable=SC2053 # a pattern
	[ $status = 0 ] && [[ ${help%%$'\n'*} == $wanted ]]
	ok $? "${*##*/} says what it is" || printf '# status %s\n%s\n' $status "$help" | sed 's/^/# /'
	texts+=$help$'\n'
}

texts=
helps 'usage: privlink COMMAND *' "$privlink" --help
[ "$(LC_ALL=C.UTF-8 awk 'length > 80' <<<"$help")" = "" ]
ok $? "privlink --help fits 80 columns"
# "  group      verb, verb," and more verbs on lines of their own; or "  command    Sentence."
commands=$(awk '/^Options/ { exit }
	/^  [a-z]/ { group = $1; $1 = "" }
	/^ / { if ($0 ~ /\.$/) print group; else { gsub(",", ""); for (i = group == $1 ? 2 : 1; i <= NF; i++) if ($i != "") print group, $i } }' <<<"$help")
[ "$(wc -l <<<"$commands")" -gt 60 ]
ok $? "privlink --help names its commands"
for group in $(awk 'NF == 2 { print $1 }' <<<"$commands" | sort -u); do
	helps "usage: privlink $group COMMAND *" "$privlink" "$group" --help
	grep -qF "privlink $group COMMAND --help shows its options." <<<"$help"
	ok $? "and how to learn more of $group"
	[ "$(sed -nE 's/^  ([a-z-]+) +[A-Z].*/\1/p' <<<"$help" | sort)" = "$(awk -v g="$group" '$1 == g { print $2 }' <<<"$commands" | sort)" ]
	ok $? "its commands are those of privlink --help"
done
while read -r group name; do
	# shellcheck disable=SC2086
	helps "usage: privlink $group${name:+ $name}*" "$privlink" $group $name --help
done <<<"$commands"
for daemon in "${daemons[@]}"; do
	helps '*' "$daemon" --help
	grep -q '^ *--state-dir DIR ' <<<"$help" && grep -qi 'usage: \|privlinkd - ' <<<"$help"
	ok $? "with its options"
done
helps "The mission's walk*" "$source_dir/quickstart" --help
helps 'Builds privlink and runs every test*' "$source_dir/check" --help

# What the texts tell people to run. (quickstart's own options are tried in tests/system/quickstart.sh.)
while IFS= read -r line; do
	case $line in
	[Uu]'sage: '* | '  ./quickstart '*) ;;
	'privlink '*' COMMAND --help shows its options.') ;; # above, with each command
	*'(privlink instance attach)'*) "$privlink" instance attach --help | grep -q -- '--netns'; ok $? "there is what is told: $line" ;;
	*'(privlink flow-log there)'*) "$privlink" flow-log --help | grep -q -- '--limit'; ok $? "there is what is told: $line" ;;
	*'(privlink endpoint set-flow-log)'*) "$privlink" endpoint set-flow-log --help | grep -q STATE; ok $? "there is what is told: $line" ;;
	*) ok 1 "what is to be seen of it stands in the table: $line" ;;
	esac
done < <(grep -E '(^ *|\(|[:,;] |\b(run|with|see|by|and|or) )(\./)?(privlink|quickstart|privlinkd|privlink-agent) +(--)?[a-z]' <<<"$texts" | sort -u)

tap_done
