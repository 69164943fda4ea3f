/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What is taken from resolv.conf, and that a file that was replaced is read again.
 */
#include "dns/dns_servers.h"

#include <stdio.h>
#include <unistd.h>

#include "tests/tap.h"

static const char *servers_of(const struct dns_servers *conf)
{
	static char text[256];
	char addr[NETADDR_TEXT_SIZE];

	text[0] = '\0';
	for (size_t i = 0; i < conf->n_servers; i++) {
		netaddr_format(&conf->servers[i], addr);
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", i ? " " : "", addr);
	}
	return text;
}

static void test_parse(void)
{
	static const struct {
		const char *text, *servers, *what;
	} cases[] = {
		{"nameserver 1.1.1.1\n", "1.1.1.1", "a server"},
		{"nameserver 1.1.1.1", "1.1.1.1", "a last line without an end"},
		{"search x\nnameserver\t1.1.1.1 # why\r\noptions edns0\nnameserver  2001:db8::1\n",
		 "1.1.1.1 2001:db8::1", "tabs, comments, other lines, IPv6"},
		{"#nameserver 1.1.1.1\n;nameserver 1.1.1.2\n nameserver 1.1.1.3\nnameserverx 1.1.1.4\n", "",
		 "comments and words that are longer"},
		{"nameserver 1.1.1\nnameserver x\nnameserver\nnameserver \n", "", "what is no address"},
		{"nameserver 1.1.1.1\nnameserver 1.1.1.2\nnameserver 1.1.1.3\nnameserver 1.1.1.4\n",
		 "1.1.1.1 1.1.1.2 1.1.1.3", "three at most"},
		{"nameserver 198.18.0.2\nnameserver 0.0.0.0\nnameserver ::\nnameserver 127.0.0.53\n",
		 "127.0.0.53", "never ourselves"},
		{"", "", "nothing"},
	};
	struct dns_servers conf;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		dns_servers_parse(cases[i].text, &conf);
		tap_is_str(servers_of(&conf), cases[i].servers, "resolv.conf: %s", cases[i].what);
	}
}

static void write_file(const char *path, const char *text)
{
	FILE *file = fopen(path, "we");

	if (!file || fputs(text, file) < 0 || fclose(file) != 0)
		exit(EXIT_FAILURE);
}

static void test_file(void)
{
	char directory[] = "/tmp/test_dns_servers.XXXXXX", path[64], other[64];
	struct dns_servers_file file = {.path = path};

	if (!mkdtemp(directory))
		exit(EXIT_FAILURE);
	snprintf(path, sizeof(path), "%s/resolv.conf", directory);
	snprintf(other, sizeof(other), "%s/other", directory);
	tap_is_str(servers_of(dns_servers_get(&file)), "", "a missing file names no server");
	write_file(path, "nameserver 1.1.1.1\n");
	file.looked_ms = 0;
	tap_is_str(servers_of(dns_servers_get(&file)), "1.1.1.1", "a file that appears is read");
	write_file(other, "nameserver 2.2.2.2\n");
	(void)rename(other, path);
	tap_is_str(servers_of(dns_servers_get(&file)), "1.1.1.1", "within a second nobody looks again");
	file.looked_ms = 0;
	tap_is_str(servers_of(dns_servers_get(&file)), "2.2.2.2", "a file that was replaced is read again");
	(void)unlink(path);
	file.looked_ms = 0;
	tap_is_str(servers_of(dns_servers_get(&file)), "", "a file that has gone names no server");
	(void)rmdir(directory);
}

int main(void)
{
	test_parse();
	test_file();
	return tap_done();
}
