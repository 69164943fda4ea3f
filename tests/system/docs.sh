#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# doc/security.md claims nothing without a test: each line of its tables names one, each test that is named is run by meson,
# and each case that is named stands in it.
#
#   docs.sh SOURCE
set -u
source_dir=$1
document=$source_dir/doc/security.md
. "$(dirname "$0")/../tap.sh" || exit 1

# "`FILE`" and "*CASE*" of a line, in their order.
marked() { grep -oE '`tests/[^`]*`|\*[^*]+\*' | tr -d '`*'; }

# A case as its source has it. A variable's name in a name of ours is that of the source.
has_case() { # FILE CASE
	tr -s ' \t\n' ' ' <"$source_dir/$1" | sed 's/" "//g' | grep -qF -- "$2"
}

is_run() { # FILE: the meson.build beside it has its name, be it without what all names there have in common
	local name=${1##*/}
	name=${name%%.*}
	grep -qE "'(${name}|${name#test_}|${name#fuzz_})(\.[a-z]+)?'" "$source_dir/${1%/*}/meson.build"
}

file=
while IFS= read -r line; do
	case $line in
	'| could try'* | '|---'*) continue ;;
	'|'*) marks=$(marked <<<"${line##* | }") ;;
	'* '* | '  '*) marks=$(marked <<<"$(sed -E 's/\*\*[^*]*\*\*//g; s/^\* //' <<<"$line")") ;;
	*) continue ;;
	esac
	if [[ $line == '|'* ]]; then
		grep -q '^tests/' <<<"$marks"
		ok $? "a test shows: ${line:2:60}"
	fi
	while IFS= read -r mark; do
		case $mark in
		'') ;;
		tests/*)
			file=$mark
			[ -f "$source_dir/$file" ] && is_run "$file"
			ok $? "$file is a test that is run"
			;;
		*)
			has_case "$file" "$mark"
			ok $? "$file has the case \"$mark\""
			;;
		esac
	done <<<"$marks"
done <"$document"
for document in "$source_dir"/doc/*.md; do
	grep -qF "\`doc/${document##*/}\`" "$source_dir/README.md"
	ok $? "README names doc/${document##*/}"
	grep -qF "'../doc/${document##*/}'" "$source_dir/packaging/meson.build"
	ok $? "doc/${document##*/} is installed"
done
tap_done
