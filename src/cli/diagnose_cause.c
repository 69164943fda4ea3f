/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is broken, and what to do about it: a pure function of a connectivity test's steps and of what the
 * instance's node has seen.
 */
#include "diagnose.h"

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

struct finding {
	const char *code;   /* of a step of the test, or a reason to drop */
	const char *advice; /* what to do */
};

/* By the code of the step that failed first (src/agent/connectivity_probe.c). */
static const struct finding steps[] = {
	{"NameNotFound", "The name is not one of this VPC: use the endpoint's (privlink endpoint show)."},
	{"NameEmpty", "No zone of the endpoint is in the name: see privlink endpoint path."},
	{"NameElsewhere", "Something else answers for the name: look for it in the VPC's other endpoints."},
	{"NameRefused", "Look at the log of the node's agent (journalctl -u privlink-agent)."},
	{"NoRoute", "Look at the instance's device and routes: privlink exec INSTANCE -- ip route."},
	{"SocketFailed",
	 "Look at the instance's own firewall and routes: privlink exec INSTANCE -- ip route."},
	{"Refused", "The server refuses connections: its provider has to start what listens there."},
	{"Closed", "The server ends connections at once: its provider has to look at its log."},
	{"NotTls", "The server speaks no TLS on this port: use another port, or http."},
	{"TlsFailed", "Client and server do not agree: their versions and ciphers of TLS differ."},
	{"CertificateName", "The server needs a certificate of the endpoint's name, or clients the server's "
			    "own name."},
	{"CertificateExpired", "The server's certificate is to be renewed by its provider."},
	{"CertificateUntrusted",
	 "Add the authority to what the instance trusts (ca.crt of its node), or take "
	 "another certificate."},
	{"CertificateInvalid", "The server's certificate is to be made anew by its provider."},
	{"CertificateTooLarge", "The server's certificates are to be fewer."},
	{"HeadTooLong", "What answers is no server of HTTP."},
	{NULL},
};

/* By the reason why most packets of the instance were dropped (bpf/pl_reasons.h). */
static const struct finding drops[] = {
	{"bad_mac",
	 "The instance sends with another MAC than its port's: privlink exec INSTANCE -- ip link."},
	{"bad_source", "The instance sends from another address than its own: privlink exec INSTANCE -- ip "
		       "addr."},
	{"not_gateway", "The instance sends to a MAC that is not the gateway's: privlink exec INSTANCE -- ip "
			"neigh."},
	{"no_place", "Nothing in the instance's VPC has that address: ask the name again."},
	{"options", "The instance sets options of IPv4, which do not pass: take them out."},
	{"fragment", "Fragments came without the first one of their datagram, or long after it: make its "
		     "packets smaller."},
	{"too_big",
	 "Packets are larger than their receiver's MTU: let ICMP reach who sends them, or give the "
	 "instance that MTU: privlink exec INSTANCE -- ip link."},
	{"ethertype", "The instance sends something else than IPv4: a tagged VLAN, say."},
	{"policy_out", "The instance's security groups refuse it: see privlink diagnose again, in a moment."},
	{"policy_in", "The endpoint's security groups refuse it: see privlink diagnose again, in a moment."},
	{"eni_not_connected", "The node does not have the connection in force yet: see privlink node list."},
	{"no_listener", "The node knows no listener on this port: see privlink node list."},
	{"no_backend", "No server is there for the zone: its provider has to look at the health of servers."},
	{"backend_gone", "The server has gone away: its provider has to look at its servers."},
	{"nat_exhausted", "All translated sources to the server are in use: more servers, or more ports of "
			  "them, make room."},
	{"flow_table_full", "The node's table of flows is full: see who has them with privlink flows."},
	{"flow_share", "The endpoint has as many open flows as the node's table has room for more: see who "
		       "has them with privlink flows."},
	{"account_share", "The account's endpoints and instances have as many open flows together as the "
			  "node's table has room for more: see who has them with privlink flows."},
	{NULL},
};

static const char *advice_of(const struct finding *findings, const char *code)
{
	for (; findings->code; findings++)
		if (streq(findings->code, code))
			return findings->advice;
	return NULL;
}

/* Where no answer came: what the node has seen says how far the packets came. */
static const char *silence_advice(const struct seen *seen)
{
	if (!seen->is_known)
		return "Ask again as root on the instance's node, which then says where packets stay.";
	if (seen->sent == 0)
		return "No packet has come out of the instance: look at its device, its neighbours and its own "
		       "firewall (privlink exec INSTANCE -- ip addr).";
	return "Packets leave for the server and nothing comes back: its provider has to look at its firewall, "
	       "its routes and its load.";
}

/* With the instance's id in it; the caller's. */
static json_t *filled(const char *advice, const char *instance)
{
	static const char word[] = "INSTANCE";
	const char *at = strstr(advice, word);

	if (!at)
		return json_string(advice);
	return json_sprintf("%.*s%s%s", (int)(at - advice), advice, instance, at + strlen(word));
}

json_t *diagnose_cause(const json_t *test, const struct seen *seen)
{
	const json_t *list = json_object_get(test, "Steps"), *step, *first = NULL;
	const char *drop = seen_worst_drop(seen), *code, *advice;
	size_t i;

	json_array_foreach(list, i, step)
		if (!first && !streq(text_of(step, "Kind"), "Ping") &&
		    streq(text_of(step, "Result"), "Failed"))
			first = step;
	if (!first)
		return NULL;
	code = text_of(first, "Code");
	if (drop && streq(code, "Timeout")) {
		code = drop;
		advice = advice_of(drops, drop) ?: "doc/datapath.md says what the reason means.";
	} else {
		advice = advice_of(steps, code) ?: silence_advice(seen);
	}
	return json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "Code", code, "Kind", text_of(first, "Kind"),
			 "Target", text_of(first, "Target"), "ZoneId", text_of(first, "ZoneId"), "Text",
			 text_of(first, "Text"), "Advice", filled(advice, seen->instance));
}
