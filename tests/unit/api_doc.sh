#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# doc/api.md is what the tables say: `build/src/schema/api_doc >doc/api.md` makes it so.
#
#   api_doc.sh SOURCE API_DOC
set -u
. "$(dirname "$0")/../tap.sh" || exit 1

difference=$(diff "$1/doc/api.md" <("$2") | head -20)
[ -z "$difference" ]
ok $? "doc/api.md is printed from the tables"
[ -z "$difference" ] || sed 's/^/# /' <<<"$difference"
tap_done
