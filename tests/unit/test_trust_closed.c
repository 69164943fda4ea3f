/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What others may not read on the host does not come into the world.copy, which all can read.
 */
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>

#include "ports/trust.h"
#include "tests/tap.h"
#include "trust_world.h"

static struct trust_world world;

static bool has_no_proc;

/* In place of the real one (meson.build). */
ssize_t __real_readlink(const char *path, char *ret, size_t size);
ssize_t __wrap_readlink(const char *path, char *ret, size_t size);
ssize_t __wrap_readlink(const char *path, char *ret, size_t size)
{
	if (!has_no_proc || !str_starts(path, "/proc/"))
		return __real_readlink(path, ret, size);
	errno = ENOENT;
	return -1;
}

static void set_mode(const char *name, mode_t mode)
{
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", world.host, name);
	(void)chmod(streq(name, ".") ? world.host : path, mode); /* into a closed one no path leads */
}

static void make_directory(const char *name, mode_t mode)
{
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", world.host, name);
	(void)mkdir(path, mode);
}

static mode_t mode_of(const char *directory, const char *name)
{
	char path[256];
	struct stat st;

	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	return lstat(path, &st) < 0 ? 0 : st.st_mode & ALLPERMS;
}

/* Where the host has a key, as others may not read it. */
static const struct {
	const char *name;
	const char *closed; /* a file or a directory */
	mode_t open_mode, closed_mode;
} cases[] = {
	{"site.key", "site.key", 0644, 0600},
	{"site.key", "site.key", 0644, 0640},
	{"certs/site.key", "certs/site.key", 0644, 0660},
	{"keys/site.key", "keys", 0755, 0700},
	{"keys/site.key", "keys", 0755, 0711},
	{"keys/site.key", "keys", 0755, 0754},
	{"keys/deep/site.key", "keys", 0755, 0750},
	{"keys/deep/site.key", "keys/deep", 0755, 0700},
	{"certs/keys/site.key", "certs/keys", 0755, 0700},
};

static void test_closed(const char *scratch)
{
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[16];

		(void)str_format(name, sizeof(name), "closed-%zu", i);
		make_world(&world, scratch, name);
		make_directory("keys", 0755);
		make_directory("keys/deep", 0755);
		make_directory("certs/keys", 0755);
		put(world.host, cases[i].name, "secret\n");
		set_mode(cases[i].closed, cases[i].closed_mode);
		tap_ok(sync_world(&world) == 1 && !has(world.copy, cases[i].name, ""),
		       "%s: %s is %o, and is not copied", cases[i].name, cases[i].closed,
		       cases[i].closed_mode);
		tap_ok(has(world.copy, "openssl.cnf", "config") && has(world.copy, "certs/11111111.0", "one"),
		       "the rest is");
		tap_is_int(sync_world(&world), 0, "a second pass writes nothing");
		set_mode(cases[i].closed, cases[i].open_mode);
		tap_ok(sync_world(&world) == 1 && has(world.copy, cases[i].name, "secret"),
		       "it is when all may read it");
		set_mode(cases[i].closed, cases[i].closed_mode);
		tap_ok(sync_world(&world) == 1 && !has(world.copy, cases[i].name, ""),
		       "and goes from the copy when they no more may");
		tap_ok(type_of(world.host, cases[i].closed) != S_IFDIR ||
			       (type_of(world.copy, cases[i].closed) == S_IFDIR &&
				mode_of(world.copy, cases[i].closed) == 0700),
		       "of a directory an empty one stays, closed as well");
	}
}

/* A link that leads out of the trust store is copied by content. */
static void test_closed_target(const char *scratch)
{
	char path[256], outside[256];

	make_world(&world, scratch, "target");
	(void)str_format(outside, sizeof(outside), "%s/target/outside", scratch);
	(void)mkdir(outside, 0755);
	put(outside, "site.pem", "secret\n");
	(void)str_format(path, sizeof(path), "%s/certs/site.pem", world.host);
	(void)file_link(path, "../../outside/site.pem");
	tap_ok(sync_world(&world) == 1 && has(world.copy, "certs/site.pem", "secret"),
	       "what a link leads to is copied");
	(void)chmod(outside, 0700);
	tap_ok(sync_world(&world) == 1 && !has(world.copy, "certs/site.pem", ""),
	       "not from where others may not go");
	(void)chmod(outside, 0755);
	tap_is_int(sync_world(&world), 1, "from elsewhere it is");
	(void)str_format(path, sizeof(path), "%s/site.pem", outside);
	(void)chmod(path, 0640);
	tap_ok(sync_world(&world) == 1 && !has(world.copy, "certs/site.pem", ""),
	       "but not what they may not read");
}

static void test_closed_store(const char *scratch)
{
	make_world(&world, scratch, "store");
	(void)sync_world(&world);
	set_mode("certs/ca-certificates.crt", 0600);
	tap_ok(sync_world(&world) == 1 && has(world.copy, "certs/ca-certificates.crt", ca_pem) &&
		       !has(world.copy, "certs/ca-certificates.crt", "host's"),
	       "a bundle that others may not read is as good as none");
	set_mode("certs/ca-certificates.crt", 0644);
	set_mode("certs", 0700);
	tap_ok(sync_world(&world) == 1 && !has(world.copy, "certs/one.pem", ""), "so are certificates");
	tap_ok(has(world.copy, "cert.pem", ca_pem) && has(world.copy, TRUST_CA_FILE, ca_pem) &&
		       mode_of(world.copy, "certs") == 0755,
	       "but the CA is there for all");
	set_mode("certs", 0755);
	set_mode(".", 0700);
	tap_ok(sync_world(&world) == 1 && !has(world.copy, "openssl.cnf", "") &&
		       !has(world.copy, "certs/one.pem", "") && has(world.copy, "cert.pem", ca_pem),
	       "and all of a store");
	set_mode(".", 0755);
	tap_ok(sync_world(&world) == 1 && has(world.copy, "openssl.cnf", "config") &&
		       has(world.copy, "cert.pem", "host's bundle\n-----BEGIN"),
	       "until it is opened");
}

/* What of the store is told to be closed, where `name` has this mode. */
static const char *closed_with(const char *name, mode_t closed_mode, mode_t open_mode)
{
	static struct trust_report report;

	set_mode(name, closed_mode);
	(void)report_world(&world, &report);
	set_mode(name, open_mode);
	return report.closed;
}

static void test_told(const char *scratch)
{
	make_world(&world, scratch, "told");
	tap_is_str(closed_with(".", 0755, 0755), "", "of an open store nothing is told to be closed");
	tap_is_str(closed_with("private", 0700, 0700), "", "nor that its keys are");
	tap_is_str(closed_with(".", 0750, 0755), ".", "a closed store is told");
	tap_is_str(closed_with("certs", 0754, 0755), "certs", "so are certificates");
	tap_is_str(closed_with("certs/ca-certificates.crt", 0640, 0644), "certs/ca-certificates.crt",
		   "and a bundle");
}

/* What everyone may go through, but not list. */
static void test_unlisted_store(const char *scratch)
{
	static const mode_t modes[] = {0711, 0751};

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		char name[16];

		(void)str_format(name, sizeof(name), "unlisted-%zu", i);
		make_world(&world, scratch, name);
		put(world.host, "certs/site.key", "secret\n");
		set_mode("certs/site.key", 0640);
		set_mode("certs", modes[i]);
		set_mode(".", modes[i]);
		tap_ok(sync_world(&world) == 1 && has(world.copy, "openssl.cnf", "config") &&
			       has(world.copy, "certs/11111111.0", "one") &&
			       has(world.copy, "cert.pem", "host's bundle\n-----BEGIN"),
		       "of a store of mode %o, what all may read is copied", modes[i]);
		tap_ok(!has(world.copy, "certs/site.key", ""), "and nothing else");
	}
}

/* Whether root may read whatever it wishes, as on a disk of its own. */
static void be_almighty(bool almighty)
{
	const uint32_t mask = 1u << CAP_DAC_OVERRIDE | 1u << CAP_DAC_READ_SEARCH;
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {};

	(void)syscall(SYS_capget, &header, data);
	data[0].effective = almighty ? data[0].permitted : data[0].effective & ~mask;
	(void)syscall(SYS_capset, &header, data);
}

static void test_no_right(const char *scratch)
{
	make_world(&world, scratch, "right");
	make_directory("keys", 0755);
	put(world.host, "keys/site.key", "secret\n");
	(void)sync_world(&world);
	be_almighty(false);
	set_mode("private", 0);
	put(world.host, "certs/one.pem", "another\n");
	tap_ok(sync_world(&world) == 1 && has(world.copy, "certs/one.pem", "another"),
	       "keys that not even root may look into are not looked into");
	set_mode("keys", 0);
	tap_ok(sync_world(&world) == 1 && !has(world.copy, "keys/site.key", ""),
	       "another such directory is a closed one");
	tap_is_int(sync_world(&world), 0, "and stays so");
	tap_is_str(closed_with("certs", 0, 0755), "certs", "certificates, too");
	tap_is_str(closed_with(".", 0, 0755), ".", "and all of a store");
	tap_ok(sync_world(&world) == 1 && has(world.copy, "cert.pem", "host's bundle\n-----BEGIN"),
	       "until it is opened");
	be_almighty(true);
}

/* Without /proc nobody knows who may read what. */
static void test_no_proc(const char *scratch)
{
	make_world(&world, scratch, "proc");
	(void)sync_world(&world);
	has_no_proc = true;
	tap_is_int(sync_world(&world), -ENOSYS, "a host without /proc is an error");
	tap_ok(has(world.copy, "openssl.cnf", "config") && has(world.copy, "certs/11111111.0", "one") &&
		       has(world.copy, "cert.pem", "host's bundle"),
	       "and the copy keeps what it has");
	has_no_proc = false;
	tap_is_int(sync_world(&world), 0, "which is what it is to have");
}

int main(void)
{
	char scratch[64];

	(void)str_format(scratch, sizeof(scratch), "/tmp/test-trust-closed-%d", (int)getpid());
	(void)mkdir(scratch, 0755);
	test_closed(scratch);
	test_closed_target(scratch);
	test_closed_store(scratch);
	test_told(scratch);
	test_unlisted_store(scratch);
	test_no_right(scratch);
	test_no_proc(scratch);
	(void)file_remove_tree(scratch);
	return tap_done();
}
