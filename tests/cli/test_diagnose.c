/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What privlink diagnose makes of a test that failed and of what the node has seen meanwhile: the first
 * broken thing, and what to do about it.
 */
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "../tap.h"
#include "src/cli/diagnose.h"

static const char *text_of(const json_t *object, const char *name)
{
	return json_string_value(json_object_get(object, name)) ?: "";
}

static const struct {
	const char *name;
	const char *kind, *code; /* of the step that failed; "": none did */
	bool is_known;		 /* what the node has seen: */
	uint64_t sent;
	const char *drops;	    /* "reason=packets …" */
	const char *cause, *advice; /* what is expected: the code, and a word of the advice */
} cases[] = {
	{"nothing failed", "", "", true, 9, "", "", ""},
	{"nothing failed, though packets were dropped", "", "", true, 9, "icmp_type=1", "", ""},
	{"the name is not known", "Name", "NameNotFound", true, 9, "", "NameNotFound", "endpoint show"},
	{"the name has no address", "Name", "NameEmpty", true, 9, "", "NameEmpty", "endpoint path"},
	{"the name leads elsewhere", "Name", "NameElsewhere", true, 9, "", "NameElsewhere",
	 "other endpoints"},
	{"the resolver refuses", "Name", "NameRefused", true, 9, "", "NameRefused", "journalctl"},
	{"there is no route", "Connect", "NoRoute", true, 0, "", "NoRoute", "i-1 -- ip route"},
	{"the instance refuses itself", "Connect", "SocketFailed", true, 0, "", "SocketFailed", "firewall"},
	{"nothing listens", "Connect", "Refused", true, 9, "", "Refused", "provider"},
	{"no packet comes out", "Connect", "Timeout", true, 0, "", "Timeout", "No packet has come out"},
	{"no answer comes", "Connect", "Timeout", true, 9, "", "Timeout", "nothing comes back"},
	{"nobody can see why", "Connect", "Timeout", false, 0, "", "Timeout",
	 "as root on the instance's node"},
	{"another MAC", "Connect", "Timeout", true, 0, "bad_mac=6", "bad_mac", "i-1 -- ip link"},
	{"another address", "Connect", "Timeout", true, 0, "bad_source=6", "bad_source", "i-1 -- ip addr"},
	{"a wrong neighbour", "Connect", "Timeout", true, 2, "not_gateway=6", "not_gateway", "ip neigh"},
	{"a rule that came meanwhile", "Connect", "Timeout", true, 2, "policy_in=6", "policy_in", "groups"},
	{"fragments", "Head", "Timeout", true, 9, "fragment=3", "fragment", "smaller"},
	{"packets that are too large", "Tls", "Timeout", true, 9, "too_big=3", "too_big", "MTU"},
	{"no source is left", "Connect", "Timeout", true, 2, "nat_exhausted=6", "nat_exhausted", "sources"},
	{"the table is full", "Connect", "Timeout", true, 2, "flow_table_full=6 icmp_type=1",
	 "flow_table_full", "privlink flows"},
	{"the endpoint has its share", "Connect", "Timeout", true, 2, "flow_share=6", "flow_share",
	 "endpoint has as many"},
	{"the account has its share", "Connect", "Timeout", true, 2, "account_share=6", "account_share",
	 "account's endpoints and instances"},
	{"the server is gone", "Connect", "Timeout", true, 2, "backend_gone=6", "backend_gone", "provider"},
	{"a reason without advice", "Connect", "Timeout", true, 2, "bad_gso=6", "bad_gso", "doc/datapath.md"},
	{"a drop does not explain a certificate", "Tls", "CertificateName", true, 9, "icmp_type=9",
	 "CertificateName", "certificate of the endpoint's name"},
	{"an old certificate", "Tls", "CertificateExpired", true, 9, "", "CertificateExpired", "renewed"},
	{"nobody knows the authority", "Tls", "CertificateUntrusted", true, 9, "", "CertificateUntrusted",
	 "ca.crt"},
	{"no TLS", "Tls", "NotTls", true, 9, "", "NotTls", "another port"},
	{"no HTTP", "Head", "HeadTooLong", true, 9, "", "HeadTooLong", "HTTP"},
};

static void read_drops(const char *text, json_t *ret)
{
	char copy[128], *rest = copy, *word;

	(void)str_copy(copy, sizeof(copy), text);
	while ((word = strsep(&rest, " ")) && *word) {
		char *number = strchr(word, '=');

		*number++ = '\0';
		(void)json_object_set_new(ret, word, json_integer(strtol(number, NULL, 10)));
	}
}

static json_t *test_of(const char *kind, const char *code)
{
	/* Ping fails in each of them: a group may refuse it, and that breaks nothing. */
	json_t *steps_list = json_pack("[{s:s, s:s, s:s, s:s, s:s, s:s}, {s:s, s:s}]", "Kind", "Ping",
				       "Target", "10.0.1.8", "ZoneId", "h", "Result", "Failed", "Code",
				       "Timeout", "Text", "No answer.", "Kind", "Connect", "Result", "Ok");

	if (*kind)
		(void)json_array_append_new(steps_list,
					    json_pack("{s:s, s:s, s:s, s:s, s:s, s:s}", "Kind", kind,
						      "Target", "10.0.1.8:443", "ZoneId", "h", "Result",
						      "Failed", "Code", code, "Text", "As it is."));
	return json_pack("{s:o}", "Steps", steps_list);
}

static void test_causes(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct seen seen = {.is_known = cases[i].is_known,
				    .sent = cases[i].sent,
				    .instance = "i-1",
				    .drops_there = json_object()};
		json_t *test = test_of(cases[i].kind, cases[i].code), *cause;

		read_drops(cases[i].drops, seen.drops_there);
		cause = diagnose_cause(test, &seen);
		if (!tap_ok(streq(text_of(cause, "Code"), cases[i].cause) &&
				    strstr(text_of(cause, "Advice"), cases[i].advice),
			    "%s: %s", cases[i].name, *cases[i].cause ? cases[i].cause : "no cause"))
			tap_note("got %s: %s", text_of(cause, "Code"), text_of(cause, "Advice"));
		json_decref(cause);
		json_decref(test);
		seen_done(&seen);
	}
}

/* An agent that tells of a packet every 10 ms, until nobody listens or 5 s are over. */
static pid_t start_agent(const int fds[2])
{
	static const char line[] = "{\"verdict\": \"pass\", \"reason\": \"local\", \"from\": \"i-1\"}\n";
	const struct timespec pause = {.tv_nsec = 10000000};
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)close(fds[0]);
	for (int i = 0; i < 500 && send(fds[1], line, strlen(line), MSG_NOSIGNAL) > 0; i++)
		(void)nanosleep(&pause, NULL);
	_exit(0);
}

static void test_steady_traffic(void)
{
	struct seen seen = {
		.is_known = true, .instance = "i-1", .drops = json_object(), .drops_there = json_object()};
	uint64_t begin_ms = now_mono_ms();
	int fds[2];
	pid_t pid;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	pid = start_agent(fds);
	(void)close(fds[1]);
	seen.agent.fd = fds[0];
	seen_end(&seen, NULL, NULL);
	tap_ok(now_mono_ms() - begin_ms < 3000, "the end does not wait for an instance that always sends");
	tap_ok(seen.sent > 0, "of which packets were counted");
	seen_done(&seen);
	(void)waitpid(pid, NULL, 0);
}

static const struct {
	const char *name, *packet;
	bool counts;
} dropped[] = {
	{"to a target", "\"source\": \"10.0.1.10:4000\", \"destination\": \"10.0.1.8:443\"", true},
	{"an echo request to a target", "\"source\": \"10.0.1.10\", \"destination\": \"10.0.1.8\"", true},
	{"from a target", "\"source\": \"10.0.1.8:443\", \"destination\": \"10.0.1.10:4000\"", true},
	{"from a server behind a target",
	 "\"source\": \"10.9.0.4:443\", \"destination\": \"198.18.0.1:9\", \"sent_source\": \"10.0.1.8:443\", "
	 "\"sent_destination\": \"10.0.1.10:4000\"",
	 true},
	{"to a resolver", "\"source\": \"10.0.1.10:4000\", \"destination\": \"100.100.2.136:53\"", true},
	{"to something else", "\"source\": \"10.0.1.10:4000\", \"destination\": \"10.0.1.80:443\"", false},
	{"of IPv4, before its addresses were known", "\"ethertype\": \"0x0800\"", true},
	{"that asks for a neighbour", "\"ethertype\": \"0x0806\"", true},
	{"of IPv6", "\"ethertype\": \"0x86dd\"", false},
};

static void test_dropped(const char *name, const char *packet, bool counts)
{
	struct seen seen = {
		.is_known = true, .instance = "i-1", .drops = json_object(), .drops_there = json_object()};
	json_t *test = test_of("Connect", "Timeout");
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
	(void)dprintf(fds[1], "{\"verdict\": \"drop\", \"reason\": \"why\", %s}\n", packet);
	(void)close(fds[1]);
	seen.agent.fd = fds[0];
	seen_end(&seen, NULL, test);
	tap_ok(json_object_size(seen.drops) == 1 && !!seen_worst_drop(&seen) == counts,
	       "a packet %s that is dropped %s", name, counts ? "may be the cause" : "explains nothing");
	json_decref(test);
	seen_done(&seen);
}

int main(void)
{
	test_causes();
	for (size_t i = 0; i < ARRAY_SIZE(dropped); i++)
		test_dropped(dropped[i].name, dropped[i].packet, dropped[i].counts);
	test_steady_traffic();
	return tap_done();
}
