/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A header and records of one size, each with a sum: one that changed on disk is a nonce that is lost. The
 * header counts the records, after they are written: a file with fewer was cut, be it between two of them.
 * `whole` is taken back while the file is rewritten, and for good when something could not be written.
 */
#include "nonce_journal.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/fnv.h"
#include "../../lib/log.h"

#define SPARE_RECORDS 65536 /* beyond twice what is worth keeping */

static const char magic[8] = "plnonce3";

struct header {
	char magic[8];
	char boot[40];
	int64_t floor;
	uint64_t whole, n;
	uint64_t sum; /* of what is before it */
};

struct kept {
	struct nonce_record record;
	uint64_t sum;
};

struct nonce_journal {
	int fd;
	struct header header;
	bool failed;
};

_Static_assert(sizeof(struct header) == 80 && sizeof(struct kept) == 32, "no holes on file");

static off_t place_of(size_t n)
{
	return (off_t)(sizeof(struct header) + n * sizeof(struct kept));
}

/* Whether a record is as it was written, not whether it is honest. */
static uint64_t sum_of(const struct nonce_record *record)
{
	return fnv_add(FNV_START, record, sizeof(*record));
}

static uint64_t sum_of_header(const struct header *header)
{
	return fnv_add(FNV_START, header, offsetof(struct header, sum));
}

/* "": unknown, and equal to no other. */
static void read_boot(char ret[40])
{
	_cleanup_(closep) int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(ret, 0, 40);
	if (fd >= 0 && read(fd, ret, 36) != 36)
		memset(ret, 0, 40);
}

int nonce_journal_open(const char *path, struct nonce_journal **ret)
{
	struct nonce_journal *journal = calloc(1, sizeof(*journal));
	int r;

	if (!journal)
		return -ENOMEM;
	journal->fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (journal->fd < 0) {
		r = -errno;
		free(journal);
		return r;
	}
	memcpy(journal->header.magic, magic, sizeof(magic));
	read_boot(journal->header.boot);
	*ret = journal;
	return 0;
}

struct nonce_journal *nonce_journal_free(struct nonce_journal *journal)
{
	if (!journal)
		return NULL;
	closep(&journal->fd);
	free(journal);
	return NULL;
}

/* ---- reading ---- */

static int read_all(int fd, void *data, size_t size, off_t place)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pread(fd, (char *)data + done, size - done, place + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

/* 1: all of them; 0: some are not as they were written. */
static int take_all(const struct nonce_journal *journal, size_t n, nonce_journal_take take, void *context,
		    int64_t now)
{
	_cleanup_(freep) struct kept *all = calloc(n + 1, sizeof(*all));
	bool whole = true;
	int r;

	if (!all)
		return -ENOMEM;
	r = read_all(journal->fd, all, n * sizeof(*all), place_of(0));
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (all[i].sum == sum_of(&all[i].record))
			r = take(context, &all[i].record, now);
		else
			whole = false;
	}
	return r < 0 ? r : whole;
}

int nonce_journal_read(struct nonce_journal *journal, nonce_journal_take take, void *context, int64_t now,
		       int64_t *ret_floor)
{
	struct header header;
	struct stat st;
	size_t n;
	int all, r;

	*ret_floor = INT64_MIN;
	if (fstat(journal->fd, &st) < 0)
		return -errno;
	if (st.st_size < place_of(0))
		return 0;
	r = read_all(journal->fd, &header, sizeof(header), 0);
	if (r < 0)
		return r;
	if (memcmp(header.magic, magic, sizeof(magic)) != 0)
		return 0;
	n = (size_t)(st.st_size - place_of(0)) / sizeof(struct kept);
	all = take_all(journal, n, take, context, now);
	if (all < 0 || header.sum != sum_of_header(&header))
		return MIN(all, 0);
	*ret_floor = header.floor;
	return all && header.whole && n >= header.n && st.st_size == place_of(n) && header.boot[0] &&
	       memcmp(header.boot, journal->header.boot, sizeof(header.boot)) == 0;
}

/* ---- writing ---- */

static int write_all(int fd, const void *data, size_t size, off_t place)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = pwrite(fd, (const char *)data + done, size - done, place + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int write_header(struct nonce_journal *journal, bool whole)
{
	journal->header.whole = whole;
	journal->header.sum = sum_of_header(&journal->header);
	return write_all(journal->fd, &journal->header, sizeof(journal->header), 0);
}

static void fail(struct nonce_journal *journal, int r)
{
	if (!journal->failed)
		log_warning("cannot write down nonces: %s; after the next start, calls that were stamped "
			    "before it will be refused",
			    strerror(-r));
	journal->failed = true;
	(void)write_header(journal, false);
}

static int write_records(int fd, const struct nonce_record *records, size_t n)
{
	_cleanup_(freep) struct kept *all = calloc(n + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		all[i] = (struct kept){records[i], sum_of(&records[i])};
	return write_all(fd, all, n * sizeof(*all), place_of(0));
}

int nonce_journal_rewrite(struct nonce_journal *journal, int64_t floor, const struct nonce_record *records,
			  size_t n)
{
	int r;

	journal->header.floor = floor;
	r = write_header(journal, false);
	if (r == 0 && ftruncate(journal->fd, place_of(0)) < 0)
		r = -errno;
	if (r == 0)
		r = write_records(journal->fd, records, n);
	journal->header.n = n;
	if (r == 0)
		r = write_header(journal, true);
	if (r < 0) {
		fail(journal, r);
		return r;
	}
	journal->failed = false;
	nonce_journal_sync(journal);
	return 0;
}

void nonce_journal_append(struct nonce_journal *journal, const struct nonce_record *record)
{
	const struct kept kept = {*record, sum_of(record)};
	int r;

	if (journal->failed)
		return; /* until it is rewritten */
	r = write_all(journal->fd, &kept, sizeof(kept), place_of(journal->header.n));
	if (r == 0) {
		journal->header.n++;
		r = write_header(journal, true);
	}
	if (r < 0)
		fail(journal, r);
}

void nonce_journal_sync(struct nonce_journal *journal)
{
	if (fdatasync(journal->fd) < 0 && !journal->failed)
		fail(journal, -errno);
}

bool nonce_journal_failed(const struct nonce_journal *journal)
{
	return journal->failed;
}

bool nonce_journal_is_long(const struct nonce_journal *journal, size_t n)
{
	return journal->header.n > 2 * n + SPARE_RECORDS;
}
