/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store.id, beside the disk of the store: whose store it is, with a sum that tells a damaged file from that
 * of another store.
 */
#include "daemon_store_parts.h"

#include <inttypes.h>
#include <unistd.h>

#include "daemon_files.h"
#include "lib/file_write.h"
#include "lib/log.h"
#include "store/sum.h"

#define IDENTITY_FILE_SIZE (STORE_IDENTITY_SIZE + 32)

/* A line with the identity, and one with its sum, by which a damaged one is told from another store's. */
static void format_identity(const char *identity, char ret[IDENTITY_FILE_SIZE])
{
	(void)str_format(ret, IDENTITY_FILE_SIZE, "%s\nsum=%016" PRIx64 "\n", identity,
			 sum_of_text(identity));
}

/* Files from before there were sums have the first line only, and get theirs at the first start. */
static int parse_identity(const char *text, struct known *ret)
{
	char identity[STORE_IDENTITY_SIZE], whole[IDENTITY_FILE_SIZE];
	size_t length = strspn(text, "0123456789abcdef");

	if (length != STORE_IDENTITY_SIZE - 1)
		return -EINVAL;
	(void)str_format(identity, sizeof(identity), "%.*s", (int)length, text);
	format_identity(identity, whole);
	ret->has_sum = streq(text, whole);
	if (text[length] && !streq(text + length, "\n") && !ret->has_sum)
		return -EINVAL;
	(void)str_copy(ret->identity, sizeof(ret->identity), identity);
	return 0;
}

int daemon_identity_read(const struct place *place, struct known *ret)
{
	_cleanup_(freep) char *text = NULL;
	int r;

	*ret = (struct known){};
	if (access(place->identity, F_OK) < 0 && errno == ENOENT)
		return 0;
	r = daemon_read_file("file", place->identity, &text);
	if (r < 0)
		return r;
	ret->here = true;
	if (parse_identity(text, ret) < 0)
		log_warning("cannot read file=%s, it is damaged: it holds no store's identity any more",
			    place->identity);
	return 0;
}

int daemon_identity_write(const struct place *place, const struct known *known, const struct store *store)
{
	char text[IDENTITY_FILE_SIZE];
	int r;

	if (known->has_sum && streq(known->identity, store_identity(store)))
		return 0;
	format_identity(store_identity(store), text);
	r = file_write(place->identity, text, strlen(text), 0644, geteuid(), getegid());
	return r < 0 ? log_errno(r, "cannot write file=%s", place->identity) : 0;
}
