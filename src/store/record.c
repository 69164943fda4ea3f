/* SPDX-License-Identifier: Apache-2.0 */
#include "record.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <unistd.h>

#include "sum.h"

#define N_SLOTS	  2
#define SLOT_SIZE 512

struct slot {
	char identity[STORE_IDENTITY_SIZE];
	uint64_t revision;
};

struct record {
	int fd;
	bool lasts;
	unsigned int next; /* the slot that is written next: never the one that holds the newest */
};

/* "<identity> revision=<number> sum=<16 digits>", the sum of what is before " sum=". */
static int read_slot(const struct record *record, unsigned int index, struct slot *ret)
{
	char text[SLOT_SIZE + 1] = "", line[SLOT_SIZE];
	int identity_length = 0;

	if (pread(record->fd, text, SLOT_SIZE, (off_t)index * SLOT_SIZE) != SLOT_SIZE ||
	    sscanf(text, "%32[0-9a-f]%n revision=%" SCNu64, ret->identity, &identity_length,
		   &ret->revision) != 2 ||
	    identity_length != STORE_IDENTITY_SIZE - 1)
		return -ENODATA;
	(void)str_format(line, sizeof(line), "%s revision=%" PRIu64, ret->identity, ret->revision);
	(void)str_format(line + strlen(line), sizeof(line) - strlen(line), " sum=%016" PRIx64 " ",
			 sum_of_text(line));
	return str_starts(text, line) ? 0 : -ENODATA;
}

/* The slot with the highest revision. */
static int newest(const struct record *record, struct slot *ret, unsigned int *ret_index)
{
	int found = -ENODATA;

	for (unsigned int i = 0; i < N_SLOTS; i++) {
		struct slot slot;

		if (read_slot(record, i, &slot) < 0 || (found == 0 && slot.revision <= ret->revision))
			continue;
		*ret = slot;
		*ret_index = i;
		found = 0;
	}
	return found;
}

int record_open(const char *path, bool lasts, struct record **ret)
{
	_cleanup_(closep) int fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
	struct record *record;
	unsigned int index;
	struct slot slot;

	if (fd < 0)
		return -errno;
	record = calloc(1, sizeof(*record));
	if (!record)
		return -ENOMEM;
	record->fd = TAKE_FD(fd);
	record->lasts = lasts;
	if (newest(record, &slot, &index) == 0)
		record->next = (index + 1) % N_SLOTS;
	*ret = record;
	return 0;
}

struct record *record_free(struct record *record)
{
	if (!record)
		return NULL;
	closep(&record->fd);
	free(record);
	return NULL;
}

int record_read(const struct record *record, char ret_identity[STORE_IDENTITY_SIZE], uint64_t *ret_revision)
{
	unsigned int index;
	struct slot slot;
	int r;

	r = newest(record, &slot, &index);
	if (r < 0)
		return r;
	(void)str_copy(ret_identity, STORE_IDENTITY_SIZE, slot.identity);
	*ret_revision = slot.revision;
	return 0;
}

static int write_slot(struct record *record, const char *text)
{
	ssize_t n = pwrite(record->fd, text, SLOT_SIZE, (off_t)record->next * SLOT_SIZE);

	if (n != SLOT_SIZE)
		return n < 0 ? -errno : -ENOSPC;
	return record->lasts && fdatasync(record->fd) < 0 ? -errno : 0;
}

int record_write(struct record *record, const char *identity, uint64_t revision)
{
	char text[SLOT_SIZE];
	int length, r;

	memset(text, ' ', sizeof(text));
	length = str_format(text, sizeof(text), "%s revision=%" PRIu64, identity, revision);
	if (length < 0)
		return length;
	length += str_format(text + length, sizeof(text) - (size_t)length, " sum=%016" PRIx64,
			     sum_of_text(text));
	text[length] = ' ';
	text[SLOT_SIZE - 1] = '\n';
	r = write_slot(record, text);
	if (r == 0)
		record->next = (record->next + 1) % N_SLOTS;
	return r;
}

int record_set(struct record *record, const char *identity, uint64_t revision)
{
	int r = 0;

	for (unsigned int i = 0; r == 0 && i < N_SLOTS; i++)
		r = record_write(record, identity, revision);
	return r;
}
