/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A host's trust store in a scratch directory, and questions about what became of it.
 */
#pragma once

#include <dirent.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "ports/files.h"
#include "ports/trust.h"

static const char ca_pem[] = "-----BEGIN CERTIFICATE-----\n"
			     "MIIBdTCCASegAwIBAgIUMlXhgea9Zd+v3Rv/7P9mD6OFInAwBQYDK2VwMC8xETAP\n"
			     "BgNVBAoMCHByaXZsaW5rMRowGAYDVQQDDBFwcml2bGluayBsb2NhbCBDQTAgFw0y\n"
			     "NjExMjQwNjEwMTdaGA8yMTI2MTAzMTA2MTAxN1owLzERMA8GA1UECgwIcHJpdmxp\n"
			     "bmsxGjAYBgNVBAMMEXByaXZsaW5rIGxvY2FsIENBMCowBQYDK2VwAyEA12qgF8qJ\n"
			     "3BTblBlUTR010e3sFcHOC9lbk8COna0AAaijUzBRMB0GA1UdDgQWBBTPMWGpi34N\n"
			     "uj78DMD16p3mXFxsqTAfBgNVHSMEGDAWgBTPMWGpi34Nuj78DMD16p3mXFxsqTAP\n"
			     "BgNVHRMBAf8EBTADAQH/MAUGAytlcANBAADQljbUfZFu5DGe/BJ7L64/cjBD1IR0\n"
			     "GcFY9rhhFq6T4lATKM+FB6ESr6xyzNonSrPOKlUXyY7z8QmjvYPELgI=\n"
			     "-----END CERTIFICATE-----\n";
static const char spaced_pem[] = "-----BEGIN CERTIFICATE-----\n"
				 "MIIBizCCAT2gAwIBAgIUU6CqfXRQtN0WxoGOz4Ti15UlRMYwBQYDK2VwMDoxCzAJ\n"
				 "BgNVBAYTAkNOMRcwFQYDVQQKDA4gIFR3byAgIFdvcmRzIDESMBAGA1UEAwwJU29t\n"
				 "ZSBDQSAxMCAXDTI2MTEyNDA2MTAxN1oYDzIxMjYxMDMxMDYxMDE3WjA6MQswCQYD\n"
				 "VQQGEwJDTjEXMBUGA1UECgwOICBUd28gICBXb3JkcyAxEjAQBgNVBAMMCVNvbWUg\n"
				 "Q0EgMTAqMAUGAytlcAMhAO0ls3nPLXLXNrq3DPQtxTQiotudcEICr0zu3WSmkHqA\n"
				 "o1MwUTAdBgNVHQ4EFgQUjIuUX7s9qZq5W2kAFZyPp/4XMdAwHwYDVR0jBBgwFoAU\n"
				 "jIuUX7s9qZq5W2kAFZyPp/4XMdAwDwYDVR0TAQH/BAUwAwEB/zAFBgMrZXADQQDS\n"
				 "IYv2dSfqiPfPbDHbq6A6G0iyg5PfX7L+WkJyktEMQo8dvE6igexrQVAHCq77wCnA\n"
				 "HPHDxzWyDjC89rWAj5kM\n"
				 "-----END CERTIFICATE-----\n";

static inline void put(const char *directory, const char *name, const char *content)
{
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	(void)file_update(path, content, strlen(content), 0644);
}

/* What is too large to be read. */
static inline void make_huge(const char *directory, const char *name)
{
	char path[256];

	put(directory, name, "");
	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	(void)truncate(path, (off_t)FILE_SIZE_MAX + 1);
}

static inline bool has(const char *directory, const char *name, const char *part)
{
	_cleanup_(freep) char *content = NULL;
	char path[256];
	size_t size;

	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	return file_read(path, &content, &size) == 0 && strstr(content, part);
}

static inline void make_host(const char *host)
{
	char path[256];

	(void)mkdir(host, 0755);
	(void)str_format(path, sizeof(path), "%s/certs", host);
	(void)mkdir(path, 0755);
	(void)str_format(path, sizeof(path), "%s/private", host);
	(void)mkdir(path, 0700);
	put(host, "openssl.cnf", "config\n");
	put(host, "private/key.pem", "secret\n");
	put(host, "certs/one.pem", "one\n");
	put(host, "certs/ca-certificates.crt", "host's bundle");
	(void)str_format(path, sizeof(path), "%s/certs/11111111.0", host);
	(void)file_link(path, "one.pem");
}

/* The names in a directory. */
static inline int count(const char *directory)
{
	DIR *dir = opendir(directory);
	int n = -2; /* without "." and ".." */

	while (dir && readdir(dir))
		n++;
	if (dir)
		(void)closedir(dir);
	return n;
}

static inline mode_t type_of(const char *directory, const char *name)
{
	char path[256];
	struct stat st;

	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	return lstat(path, &st) < 0 ? 0 : st.st_mode & S_IFMT;
}

/* Puts a link to `target` where `name` is. */
static inline void replace_by_link(const char *directory, const char *name, const char *target)
{
	char path[256];

	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	(void)file_remove_tree(path);
	(void)file_link(path, target);
}

/* What tells one file from another that has its name. */
static inline ino_t file_of(const char *directory, const char *name)
{
	char path[256];
	struct stat st;

	(void)str_format(path, sizeof(path), "%s/%s", directory, name);
	return stat(path, &st) < 0 ? 0 : st.st_ino;
}

struct trust_world {
	char root[100], host[128], ca[128], kept[128], kept_bundle[128], copy[128];
};

static inline struct trust_paths paths_of(const struct trust_world *world)
{
	return (struct trust_paths){.host = world->host,
				    .ca = world->ca,
				    .kept = world->kept,
				    .kept_bundle = world->kept_bundle,
				    .copy = world->copy};
}

/* A host and a CA; no copy yet. */
static inline void make_world(struct trust_world *world, const char *scratch, const char *name)
{
	(void)str_format(world->root, sizeof(world->root), "%s/%s", scratch, name);
	(void)mkdir(world->root, 0755);
	(void)str_format(world->host, sizeof(world->host), "%s/host", world->root);
	(void)str_format(world->ca, sizeof(world->ca), "%s/ca.crt", world->root);
	(void)str_format(world->kept, sizeof(world->kept), "%s/ca.kept", world->root);
	(void)str_format(world->kept_bundle, sizeof(world->kept_bundle), "%s/bundle.kept", world->root);
	(void)str_format(world->copy, sizeof(world->copy), "%s/copy", world->root);
	make_host(world->host);
	put(world->root, "ca.crt", ca_pem);
}

/* Copies, with a report. */
static inline int report_world(const struct trust_world *world, struct trust_report *ret)
{
	const struct trust_paths paths = paths_of(world);

	return trust_sync(&paths, ret);
}

static inline int sync_world(const struct trust_world *world)
{
	struct trust_report report;

	return report_world(world, &report);
}
