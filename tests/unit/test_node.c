/* SPDX-License-Identifier: Apache-2.0 */
#include <sys/stat.h>
#include <unistd.h>

#include "agent/node_name.h"
#include "lib/file_write.h"
#include "tests/tap.h"

static char directory[] = "/tmp/test_node.XXXXXX";

static const struct node_marks nothing = {}, one = {.v = {{"alpha", "pl0", 3}}, .n = 1},
			       two = {.v = {{"alpha", "pl0", 3}, {"beta", "pl7", 1}}, .n = 2};
static const struct node_state alpha = {.name = "alpha"}, beta = {.name = "beta"};

static void test_names(void)
{
	static const struct {
		const char *name;
		const char *given;
		const struct node_state *recorded;
		const struct node_marks *marks;
		const char *kept, *host;
		int result;
		const char *node; /* or a part of the sentence */
	} cases[] = {
		{"nothing is known: the host's name", NULL, NULL, &nothing, NULL, "host", 0, "host"},
		{"without its domain", NULL, NULL, &nothing, NULL, "host.example.org", 0, "host"},
		{"a host's name that is none for a node", NULL, NULL, &nothing, NULL, ".", -EINVAL,
		 "--node NAME"},
		{"the file before the host", NULL, &alpha, &nothing, NULL, "host", 0, "alpha"},
		{"devices before the host", NULL, NULL, &one, NULL, "host", 0, "alpha"},
		{"devices before kept rows", NULL, NULL, &one, "alpha", "host", 0, "alpha"},
		{"kept rows before the host", NULL, NULL, &nothing, "kept", "host", 0, "kept"},
		{"what is given before all", "gamma", &alpha, &nothing, "kept", "host", 0, "gamma"},
		{"given, and its devices are here", "alpha", &beta, &one, NULL, "host", 0, "alpha"},
		{"given, recorded otherwise, with devices", "gamma", &alpha, &one, NULL, "host", -EEXIST,
		 "start without --node"},
		{"recorded, and devices of another node", NULL, &beta, &one, NULL, "host", -EEXIST,
		 "--remove --node alpha"},
		{"devices of two nodes", NULL, NULL, &two, NULL, "host", -EEXIST, "--remove --node beta"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct node_name_sources sources = {
			.state_dir = "/var/lib/privlink",
			.given = cases[i].given,
			.recorded = cases[i].recorded,
			.marks = cases[i].marks,
			.kept = cases[i].kept,
			.host = cases[i].host,
		};
		char node[PORT_NODE_NAME_MAX + 1] = "", why[512] = "";
		int r = node_name_decide(&sources, node, why, sizeof(why));

		tap_is_int(r, cases[i].result, "name: %s", cases[i].name);
		if (!tap_ok(r == 0 ? streq(node, cases[i].node) : strstr(why, cases[i].node) != NULL,
			    "name: %s: %s", cases[i].name, cases[i].node))
			tap_note("got \"%s\", \"%s\"", node, why);
	}
}

static int load_text(const char *text, struct node_state *ret)
{
	char path[64];

	(void)str_format(path, sizeof(path), "%s/node.json", directory);
	(void)file_write(path, text, strlen(text), 0600, geteuid(), getegid());
	return node_state_load(directory, ret);
}

#define STORE	 "0123456789abcdef0123456789abcdef"
#define TIMELINE "0123456789abcdef"

/* What has the file's name and is none: nobody waits for it. */
static void test_no_file(void)
{
	struct node_state read;
	char path[64];

	(void)str_format(path, sizeof(path), "%s/node.json", directory);
	(void)unlink(path);
	tap_is_int(mkfifo(path, 0600), 0, "file: a pipe in its place");
	tap_is_int(node_state_load(directory, &read), -EUCLEAN, "file: is damage, and does not keep anyone");
	(void)unlink(path);
	tap_is_int(mkdir(path, 0700), 0, "file: a directory in its place");
	tap_is_int(node_state_load(directory, &read), -EISDIR, "file: is told as one");
	(void)rmdir(path);
}

static void test_file(void)
{
	static const struct {
		const char *name, *text;
	} damaged[] = {
		{"an empty file", ""},
		{"one that was cut", "{\"name\": \"alpha\", \"sto"},
		{"zeros", "\0\0\0\0"},
		{"a list", "[]"},
		{"no name", "{\"store\": \"\", \"revision\": 0}"},
		{"a name with a slash", "{\"name\": \"a/b\", \"store\": \"\", \"revision\": 0}"},
		{"a name that is too long",
		 "{\"name\": \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\", \"store\": \"\", \"revision\": 0}"},
		{"no store", "{\"name\": \"alpha\", \"revision\": 0}"},
		{"a store that is none", "{\"name\": \"alpha\", \"store\": \"beef\", \"revision\": 0}"},
		{"a timeline that is none",
		 "{\"name\": \"alpha\", \"store\": \"\", \"timeline\": \"beef\", \"revision\": 0}"},
		{"a timeline that is no text",
		 "{\"name\": \"alpha\", \"store\": \"\", \"timeline\": 7, \"revision\": 0}"},
		{"a negative revision", "{\"name\": \"alpha\", \"store\": \"\", \"revision\": -1}"},
		{"a revision that is no whole number",
		 "{\"name\": \"alpha\", \"store\": \"\", \"revision\": 1e300}"},
		{"no revision", "{\"name\": \"alpha\", \"store\": \"\"}"},
	};
	struct node_state state = {.store = STORE, .revision = 1ull << 40, .timeline = TIMELINE}, read = {};

	(void)str_copy(state.name, sizeof(state.name), "alpha");
	tap_is_int(node_state_load(directory, &read), -ENOENT, "file: there is none at first");
	tap_is_int(node_state_save(directory, &state), 0, "file: it is written");
	tap_is_int(node_state_load(directory, &read), 0, "file: and read");
	tap_ok(streq(read.name, state.name) && streq(read.store, state.store) &&
		       read.revision == state.revision && streq(read.timeline, TIMELINE),
	       "file: as it was");
	for (size_t i = 0; i < ARRAY_SIZE(damaged); i++)
		tap_is_int(load_text(damaged[i].text, &read), -EUCLEAN, "file: %s is damage",
			   damaged[i].name);
	test_no_file();
	tap_is_int(node_state_remove(directory), 0, "file: it goes");
	tap_is_int(rmdir(directory), 0, "file: and leaves nothing beside it");
	tap_is_int(node_state_save(directory, &state), 0, "file: a directory that is gone is made again");
	(void)node_state_remove(directory);
	(void)rmdir(directory);
}

int main(void)
{
	if (!mkdtemp(directory))
		return EXIT_FAILURE;
	test_names();
	test_file();
	return tap_done();
}
