#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# privlink ca: the authority's key is root's alone, and OpenSSL agrees with what is issued.   ca.sh PRIVLINK CATALOGUE
set -u
privlink=$(realpath "$1")
catalogue=$2
. "$(dirname "$0")/../tap.sh" || exit 1

if [ "$(id -u)" != 0 ]; then
	echo "1..0 # SKIP needs root"
	exit 0
fi
dir=$(mktemp -d) || exit 1
trap 'rm -rf "${dir:?}"' EXIT
state=$dir/state
ca() { "$privlink" ca "$@" --state-dir "$state"; }
names() { openssl x509 -in "$1" -noout -ext subjectAltName; }

ca issue --name early --out "$dir/early" --san DNS:a.example 2>/dev/null
is $? 1 "without an authority nothing is issued"
is "$(ca init)" "$state/ca.crt" "init says where the certificate is"
is "$(stat -c %a "$state/ca" "$state/ca/ca.key" "$state/ca.crt" | tr '\n' ' ')" "700 600 644 " "the key is root's alone"
ca init 2>/dev/null >/dev/full
is $? 1 "an answer that cannot be written is no success"
before=$(sha256sum "$state/ca.crt" "$state/ca/ca.key")
ca init >/dev/null
is "$(sha256sum "$state/ca.crt" "$state/ca/ca.key")" "$before" "a second init changes nothing"
openssl verify -CAfile "$state/ca.crt" "$state/ca.crt" >/dev/null 2>&1
ok $? "the authority's certificate is its own"

ca issue --name web --out "$dir/web" --san DNS:web.example,IP:10.0.0.1 --san IP:::1 --owner nobody >/dev/null
openssl verify -purpose sslserver -verify_hostname web.example -CAfile "$state/ca.crt" "$dir/web/web.crt" >/dev/null 2>&1
ok $? "OpenSSL accepts a server's certificate"
openssl verify -verify_hostname other.example -CAfile "$state/ca.crt" "$dir/web/web.crt" >/dev/null 2>&1
is $? 2 "and not for another name"
for address in 10.0.0.1 ::1; do
	openssl verify -verify_ip $address -CAfile "$state/ca.crt" "$dir/web/web.crt" >/dev/null 2>&1
	ok $? "it is valid for the address $address"
done
for file in "$state/ca.crt" "$dir/web/web.crt"; do
	begin=$(date -d "$(openssl x509 -in "$file" -noout -startdate | cut -d= -f2)" +%s)
	[ $((begin + 23 * 3600)) -lt "$(date +%s)" ]
	ok $? "$(basename "$file") is valid from a day before it was made"
done
is "$(stat -c '%a %U' "$dir/web/web.key")" "600 nobody" "the key is its owner's alone"
is "$(openssl pkey -in "$dir/web/web.key" -pubout)" "$(openssl x509 -in "$dir/web/web.crt" -pubkey -noout)" \
	"key and certificate belong together"

ca issue --name api --api --catalogue "$catalogue" --out "$dir/api" >/dev/null
for name in DNS:localhost "IP Address:127.0.0.1" "IP Address:0:0:0:0:0:0:0:1" "DNS:*.cn-hangzhou.aliyuncs.com" \
	"DNS:*.eu-central-1.aliyuncs.com"; do
	names "$dir/api/api.crt" | grep -qF "$name"
	ok $? "the API's certificate is for $name"
done

ca issue --name x --out "$dir/x" --san web.example 2>/dev/null
is $? 2 "a name without its kind is a usage error"
ca issue --name ../x --out "$dir/x" --san DNS:a 2>/dev/null
is $? 2 "a name with a slash is a usage error"

mv "$state/ca/ca.key" "$dir/kept.key"
before=$(sha256sum "$state/ca.crt")
ca init >/dev/null 2>&1
is $? 1 "a certificate whose key is kept elsewhere is refused"
is "$(sha256sum "$state/ca.crt") $(ls "$state/ca")" "$before " "and stays, without a new key"
mv "$dir/kept.key" "$state/ca/ca.key"
key=$(openssl pkey -in "$state/ca/ca.key" -pubout)
rm "$state/ca.crt"
ca init >/dev/null
is $? 0 "a key without its certificate gets a new one"
is "$(openssl pkey -in "$state/ca/ca.key" -pubout)" "$key" "and is the same key"
openssl verify -CAfile "$state/ca.crt" "$dir/web/web.crt" >/dev/null 2>&1
ok $? "under which what it signed stays good"

openssl ecparam -genkey -name prime256v1 -noout -out "$state/ca/ca.key" 2>/dev/null
ca init >/dev/null 2>&1
is $? 1 "a key and a certificate that do not belong together are refused"

tap_done
