/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A header and records of one size, each with a sum: one that changed on disk is a nonce that is lost. The
 * header counts the records, after they are written: a file with fewer was cut, be it between two of them.
 * `turn` is taken back while a file is emptied, and when something could not be written until that is mended:
 * then the program's memory alone has everything. It is copied behind what the other file has, so at each
 * moment all that was ever written is on file; what did not get there in the end is cut off again.
 */
#include "nonce_journal.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../../lib/fnv.h"
#include "../../lib/log.h"
#include "../../lib/mix.h"
#include "nonces.h"

#define FILES	     2
#define LONG_RECORDS 65536 /* from here on the other file may go on */
/* With more than is remembered and this, it does not wait until the other's are forgotten. */
#define TOO_LONG_RECORDS (16 * LONG_RECORDS)

static const char magic[8] = "plnonce4";
/* Has floor, stamps and sums in the same places, but a part of the key's digest where the account is now. */
static const char old_magic[8] = "plnonce3";

struct header {
	char magic[8];
	char boot[40];
	int64_t floor;
	uint64_t turn; /* the file that goes on has one more than the other; 0: something is missing */
	uint64_t n;
	uint64_t sum; /* of what is before it */
};

struct kept {
	struct nonce_record record;
	uint64_t sum;
};

struct file {
	int fd;
	struct header header; /* as it should be on file */
	int64_t newest;	      /* of its stamps */
	bool is_written;      /* since it was on the disk last */
};

struct nonce_journal {
	struct file files[FILES];
	unsigned int current; /* that goes on */
	char boot[40];
	bool copying;	   /* into this file, since it was the one for it, and nothing failed */
	unsigned int copy; /* which */
	size_t n_before;   /* records of the other file before it was copied into */
	bool failed;	   /* something may be missing on file */
	bool says_all;	   /* the files, as they are, say that nothing is missing */
	int64_t old_floor; /* would cover all that a file of the format before tells of */
};

_Static_assert(sizeof(struct header) == 80 && sizeof(struct kept) == 32, "no holes on file");

static off_t place_of(size_t n)
{
	return (off_t)(sizeof(struct header) + n * sizeof(struct kept));
}

static size_t records_in(off_t size)
{
	return (size_t)(size - place_of(0)) / sizeof(struct kept);
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

static int open_file(const char *path, const char *ending, struct file *ret)
{
	char text[PATH_MAX];

	if (str_format(text, sizeof(text), "%s%s", path, ending) < 0)
		return -ENAMETOOLONG;
	ret->fd = open(text, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	return ret->fd < 0 ? -errno : 0;
}

int nonce_journal_open(const char *path, struct nonce_journal **ret)
{
	struct nonce_journal *journal = calloc(1, sizeof(*journal));
	int r;

	if (!journal)
		return -ENOMEM;
	*journal = (struct nonce_journal){
		.files = {{.fd = -1, .is_written = true}, {.fd = -1, .is_written = true}},
		.old_floor = INT64_MIN};
	r = open_file(path, "", &journal->files[0]);
	if (r == 0)
		r = open_file(path, ".2", &journal->files[1]);
	if (r < 0) {
		nonce_journal_free(journal);
		return r;
	}
	read_boot(journal->boot);
	*ret = journal;
	return 0;
}

struct nonce_journal *nonce_journal_free(struct nonce_journal *journal)
{
	if (!journal)
		return NULL;
	for (size_t i = 0; i < FILES; i++)
		closep(&journal->files[i].fd);
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
static int take_all(int fd, size_t n, nonce_journal_take take, void *context, int64_t now)
{
	_cleanup_(freep) struct kept *all = calloc(n + 1, sizeof(*all));
	bool whole = true;
	int r;

	if (!all)
		return -ENOMEM;
	r = read_all(fd, all, n * sizeof(*all), place_of(0));
	for (size_t i = 0; r == 0 && i < n; i++) {
		if (all[i].sum == sum_of(&all[i].record))
			r = take(context, &all[i].record, now);
		else
			whole = false;
	}
	return r < 0 ? r : whole;
}

/* 1: it is one of ours; 0: it is not. */
static int look_at(int fd, struct header *ret, off_t *ret_size)
{
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	*ret_size = st.st_size;
	if (st.st_size < place_of(0))
		return 0;
	r = read_all(fd, ret, sizeof(*ret), 0);
	return r < 0 ? r : memcmp(ret->magic, magic, sizeof(magic)) == 0;
}

uint64_t nonce_old_value(uint64_t key, uint64_t nonce)
{
	uint64_t value = mix64(key) ^ nonce;

	return value ? value : 1;
}

struct old_taker {
	nonce_journal_take take;
	void *context;
	int64_t newest;
};

static int take_old(void *context, const struct nonce_record *record, int64_t now)
{
	const struct nonce_record taken = {.uid = NONCE_UID_OLD,
					   .value = nonce_old_value((uint64_t)record->uid, record->value),
					   .stamp = record->stamp};
	struct old_taker *taker = context;

	taker->newest = MAX(taker->newest, record->stamp);
	return taker->take(taker->context, &taken, now);
}

/* A floor beyond what is accepted now is of a clock that was set back; all would be refused for as long. */
static int read_old_file(struct nonce_journal *journal, int fd, const struct header *header, off_t size,
			 nonce_journal_take take, void *context, int64_t now, struct header *ret)
{
	struct old_taker taker = {.take = take, .context = context, .newest = INT64_MIN};
	int r;

	r = take_all(fd, records_in(size), take_old, &taker, now);
	if (r < 0)
		return r;
	journal->old_floor = MIN(taker.newest, now + NONCE_LIFE_S);
	memcpy(ret->magic, old_magic, sizeof(old_magic));
	if (header->sum == sum_of_header(header))
		ret->floor = MIN(header->floor, now + NONCE_LIFE_S);
	return 0;
}

/* 1: all that was ever written, and then `ret` is its header; 0: it is not, and `ret` is that, or only what
 * is known of it: what the file is (magic) and a floor, or nothing. */
static int read_file(struct nonce_journal *journal, int fd, nonce_journal_take take, void *context,
		     int64_t now, struct header *ret)
{
	struct header header = {};
	off_t size;
	size_t n;
	int all, r;

	*ret = (struct header){.floor = INT64_MIN};
	r = look_at(fd, &header, &size);
	if (r == 0 && memcmp(header.magic, old_magic, sizeof(old_magic)) == 0)
		return read_old_file(journal, fd, &header, size, take, context, now, ret);
	if (r <= 0)
		return r;
	memcpy(ret->magic, magic, sizeof(magic));
	n = records_in(size);
	all = take_all(fd, n, take, context, now);
	if (all < 0 || header.sum != sum_of_header(&header))
		return MIN(all, 0);
	*ret = header;
	return all && header.turn > 0 && n >= header.n && size == place_of(n);
}

static bool is_of_boot(const struct nonce_journal *journal, const struct header *header)
{
	return journal->boot[0] && memcmp(header->boot, journal->boot, sizeof(header->boot)) == 0;
}

int nonce_journal_read(struct nonce_journal *journal, nonce_journal_take take, void *context, int64_t now,
		       int64_t *ret_floor)
{
	struct header headers[FILES];
	bool whole = true;

	for (size_t i = 0; i < FILES; i++) {
		int r = read_file(journal, journal->files[i].fd, take, context, now, &headers[i]);

		if (r < 0)
			return r;
		whole = whole && r > 0 && is_of_boot(journal, &headers[i]);
	}
	*ret_floor = headers[0].magic[0] ? MAX(headers[0].floor, headers[1].floor) : INT64_MIN;
	journal->says_all =
		whole && (headers[0].turn == headers[1].turn + 1 || headers[1].turn == headers[0].turn + 1);
	return journal->says_all;
}

/* ---- writing ---- */

static int write_all(struct file *file, const void *data, size_t size, off_t place)
{
	file->is_written = true;
	for (size_t done = 0; done < size;) {
		ssize_t n = pwrite(file->fd, (const char *)data + done, size - done, place + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		done += (size_t)n;
	}
	return 0;
}

static int write_header(struct file *file, bool whole)
{
	struct header header = file->header;

	if (!whole)
		header.turn = 0;
	header.sum = sum_of_header(&header);
	return write_all(file, &header, sizeof(header), 0);
}

/* Nothing stays behind its first n records. */
static int cut_file(struct file *file, size_t n)
{
	file->header.n = n;
	file->is_written = true;
	return ftruncate(file->fd, place_of(n)) < 0 ? -errno : 0;
}

/* Copies that are in vain take no room, but between those that were written meanwhile. */
static void stop_copying(struct nonce_journal *journal)
{
	if (journal->copying && journal->copy != journal->current)
		(void)cut_file(&journal->files[!journal->current], journal->n_before);
	journal->copying = false;
}

/* The mark that something is missing may be what cannot be written. */
static void fail(struct nonce_journal *journal, int r)
{
	const bool is_known = journal->failed;

	stop_copying(journal);
	journal->failed = true;
	if (write_header(&journal->files[journal->current], false) == 0)
		journal->says_all = false;
	if (!is_known && journal->says_all)
		log_warning("cannot write down nonces, nor that some are missing: %s; until one of them can "
			    "be, all calls are refused",
			    strerror(-r));
	else if (!is_known)
		log_warning("cannot write down nonces: %s; until that is mended, calls are refused that are "
			    "stamped ahead of the clock, and after the next start those stamped before it",
			    strerror(-r));
}

/* As one without records, but not yet on file. */
static void begin_file(struct nonce_journal *journal, unsigned int i, uint64_t turn, int64_t floor)
{
	struct file *file = &journal->files[i];

	file->header = (struct header){.floor = floor, .turn = turn};
	memcpy(file->header.magic, magic, sizeof(magic));
	memcpy(file->header.boot, journal->boot, sizeof(journal->boot));
	file->newest = INT64_MIN;
}

/* It says that something is missing until it is whole. */
static int empty_file(struct file *file)
{
	int r = write_header(file, false);

	return r < 0 ? r : cut_file(file, 0);
}

/* Once a disk is at rest it takes a millisecond, also where there is nothing to write. */
static int sync_file(struct file *file)
{
	if (!file->is_written)
		return 0;
	if (fdatasync(file->fd) < 0)
		return -errno;
	file->is_written = false;
	return 0;
}

/* From the place of the nth on. */
static int write_records(struct file *file, size_t nth, const struct nonce_record *records, size_t n)
{
	_cleanup_(freep) struct kept *all = calloc(n + 1, sizeof(*all));

	if (!all)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++)
		all[i] = (struct kept){records[i], sum_of(&records[i])};
	return write_all(file, all, n * sizeof(*all), place_of(nth));
}

static int64_t newest_of(const struct nonce_record *records, size_t n)
{
	int64_t newest = INT64_MIN;

	for (size_t i = 0; i < n; i++)
		newest = MAX(newest, records[i].stamp);
	return newest;
}

/* Behind what it has. */
static int append(struct file *file, const struct nonce_record *records, size_t n, bool whole)
{
	int r;

	r = write_records(file, file->header.n, records, n);
	if (r < 0)
		return r;
	file->header.n += n;
	file->newest = MAX(file->newest, newest_of(records, n));
	return write_header(file, whole);
}

static int append_and_sync(struct file *file, const struct nonce_record *records, size_t n)
{
	int r = append(file, records, n, false);

	return r < 0 ? r : sync_file(file);
}

/* What an earlier run has left counts, whatever the header says of it. */
static int count_records(struct file *file)
{
	struct header header;
	off_t size;
	int r;

	r = look_at(file->fd, &header, &size);
	if (r > 0)
		file->header.n = records_in(size);
	return MIN(r, 0);
}

static int write_anew(struct nonce_journal *journal, const struct nonce_record *records, size_t n)
{
	struct file *file = &journal->files[0], *other = &journal->files[1];
	int r;

	r = append_and_sync(other, records, n);
	if (r < 0) {
		(void)cut_file(other, other->header.n);
		return r;
	}
	r = empty_file(file);
	if (r == 0)
		r = append_and_sync(file, records, n);
	if (r == 0)
		r = write_header(file, true);
	if (r == 0)
		r = empty_file(other);
	return r < 0 ? r : write_header(other, true);
}

/* At each moment one of the files has the records: whoever is killed meanwhile loses none. */
int nonce_journal_rewrite(struct nonce_journal *journal, int64_t floor, const struct nonce_record *records,
			  size_t n)
{
	int r;

	stop_copying(journal);
	journal->current = 0;
	begin_file(journal, 0, 2, floor);
	begin_file(journal, 1, 1, floor);
	for (size_t i = 0; i < FILES; i++)
		journal->files[i].newest = newest_of(records, n);
	r = count_records(&journal->files[0]);
	if (r == 0)
		r = count_records(&journal->files[1]);
	if (r == 0)
		r = write_anew(journal, records, n);
	if (r < 0) {
		/* The header takes the place of one of the format before: what that had is not read again. */
		journal->files[0].header.floor = MAX(floor, journal->old_floor);
		fail(journal, r);
		return r;
	}
	journal->files[1].newest = INT64_MIN;
	journal->failed = false;
	journal->says_all = true;
	(void)nonce_journal_sync(journal);
	return 0;
}

/* The other file goes on, without what it had. */
static int change_files(struct nonce_journal *journal, int64_t floor)
{
	uint64_t turn = journal->files[journal->current].header.turn + 1;

	journal->copying = false;
	journal->current = !journal->current;
	begin_file(journal, journal->current, turn, floor);
	return empty_file(&journal->files[journal->current]);
}

/* What is not on file the next start refuses, also where its clock is behind that of now. */
static void cover(struct nonce_journal *journal, int64_t stamp)
{
	struct header *header = &journal->files[journal->current].header;

	header->floor = MAX(header->floor, stamp);
}

int nonce_journal_append(struct nonce_journal *journal, int64_t floor, const struct nonce_record *record,
			 int64_t now)
{
	const struct file *file = &journal->files[journal->current],
			  *other = &journal->files[!journal->current];
	int r = 0;

	if (!journal->failed && file->header.n >= LONG_RECORDS && other->newest <= floor)
		r = change_files(journal, floor);
	if (r == 0)
		r = append(&journal->files[journal->current], record, 1, !journal->failed);
	if (r < 0 && record->stamp <= now)
		cover(journal, record->stamp);
	if (r < 0)
		fail(journal, r);
	else
		journal->says_all = !journal->failed;
	return r;
}

bool nonce_journal_says_all(const struct nonce_journal *journal)
{
	return journal->says_all;
}

int nonce_journal_sync(struct nonce_journal *journal)
{
	int r = 0;

	for (size_t i = 0; i < FILES; i++)
		r = MIN(r, sync_file(&journal->files[i]));
	if (r < 0)
		fail(journal, r);
	return r;
}

/* ---- copying ---- */

static bool is_too_long(const struct file *file, size_t n_remembered)
{
	return file->header.n >= TOO_LONG_RECORDS + n_remembered;
}

/* What is copied to mend comes behind what the other file has, if that is needed still. Where that has got
 * too long, by failures again and again, it comes behind what the current one has; then the other one is not
 * needed any more. Where both have, mending waits until the other one is not. */
static bool begin_to_mend(struct nonce_journal *journal, int64_t floor, size_t n_remembered)
{
	struct file *other = &journal->files[!journal->current];
	bool is_needed = other->newest > floor;

	journal->copy = journal->current;
	if (is_needed && is_too_long(other, n_remembered))
		return !is_too_long(&journal->files[journal->current], n_remembered);
	journal->copy = !journal->current;
	if (!is_needed) {
		begin_file(journal, !journal->current, other->header.turn, floor);
		if (empty_file(other) < 0)
			return false;
	}
	journal->n_before = other->header.n;
	return true;
}

bool nonce_journal_copy_begin(struct nonce_journal *journal, int64_t floor, size_t n_remembered)
{
	stop_copying(journal);
	if (journal->failed) {
		journal->copying = begin_to_mend(journal, floor, n_remembered);
	} else {
		journal->copy = journal->current;
		journal->copying = journal->files[!journal->current].newest > floor &&
				   is_too_long(&journal->files[journal->current], n_remembered);
	}
	return journal->copying;
}

void nonce_journal_copy(struct nonce_journal *journal, const struct nonce_record *records, size_t n)
{
	struct file *file = &journal->files[journal->copy];
	const off_t place = place_of(file->header.n);
	int r;

	if (!journal->copying)
		return;
	r = append(file, records, n, !journal->failed);
	if (r < 0)
		fail(journal, r);
	else
		(void)sync_file_range(file->fd, place, (off_t)(n * sizeof(struct kept)),
				      SYNC_FILE_RANGE_WRITE);
}

/* The files have everything, once that is on the disk. Of records that were cut, nothing stays; what is
 * forgotten may never have been written. */
static int mend(struct nonce_journal *journal, int64_t floor)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < FILES; i++) {
		journal->files[i].header.floor = floor;
		r = cut_file(&journal->files[i], journal->files[i].header.n);
		if (r == 0)
			r = sync_file(&journal->files[i]);
	}
	journal->says_all |= r == 0; /* whichever of the headers can be written */
	for (size_t i = 0; r == 0 && i < FILES; i++)
		r = write_header(&journal->files[i], true);
	return r;
}

void nonce_journal_copy_end(struct nonce_journal *journal, int64_t floor)
{
	const bool mending = journal->copying && journal->failed;
	const bool has_all = journal->copy == journal->current; /* it, without the other one */
	int r = 0;

	if (!journal->copying)
		return;
	if (mending)
		r = mend(journal, floor);
	if (r < 0) {
		fail(journal, r);
		return;
	}
	journal->copying = false;
	journal->failed = false;
	if (nonce_journal_sync(journal) == 0 && has_all)
		journal->files[!journal->current].newest = INT64_MIN;
}
