/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The audit log: a line of JSON for each call of the API. There are three sequences of files, so that what is
 * frequent does not push out what is rare: calls that change something, calls that read, and calls that were
 * refused before it was known whose they are (or because there were too many). A sequence is a number of
 * files of bounded size; the oldest one goes when a new one begins.
 *
 * Nothing waits for the disk. A change's line is written before its answer leaves, so that no kill takes the
 * line of a change that its caller knows of; those of reads and refused calls are gathered and written at the
 * end of the loop's turn. A loss of power takes what the kernel has not brought to the disk yet. What cannot
 * be written is left out, counted, and told by a line of its own as soon as something can be written; calls
 * go on.
 */
#pragma once

#include "../lib/loop.h"
#include "../lib/params.h"

enum audit_kind { AUDIT_CHANGE, AUDIT_READ, AUDIT_REFUSED, AUDIT_KIND_COUNT_ };
#define AUDIT_KINDS_ALL ((1u << AUDIT_KIND_COUNT_) - 1)

enum audit_level { AUDIT_NONE, AUDIT_CHANGES, AUDIT_ALL }; /* CHANGES: all but reads */

#define AUDIT_LINE_MAX	      (16 * 1024)
#define AUDIT_PARAMETERS_MAX  50   /* of one call, … */
#define AUDIT_PARAMETERS_SIZE 2048 /* … names and values together, … */
#define AUDIT_NAME_SIZE	      128  /* … of one the name … */
#define AUDIT_TEXT_SIZE	      256  /* … and the value; also the user agent */

/* How many refused calls a second get a line, of callers who are known by their signature and of others; the
 * rest is counted. */
#define AUDIT_REFUSED_PER_S_MAX 20

struct audit_settings {
	enum audit_level level;
	uint64_t file_size_max;
	unsigned int files_max; /* of each kind */
	uint64_t free_min;	/* what other users of the disk keep: no line is written when less is free */
};

struct audit;

/* A call that was answered. Texts may be NULL, and are the caller's of the API: anything. */
struct audit_event {
	enum audit_kind kind;
	int64_t time_ms; /* when it came, since 1970 */
	int64_t duration_ms;
	const char *request_id;
	int64_t account;  /* 0: unknown */
	bool is_signed;	  /* the account is known by its signature, not only by the name of its key */
	const char *user; /* the account's user who called; NULL: the account itself */
	const char *key_id, *product, *version, *action, *region, *address, *user_agent;
	bool https;
	const struct params *query, *form;
	unsigned int status;
	const char *code; /* NULL: it succeeded */
};

/* Continues what is in the directory; what cannot be used of it is logged when it is to be written. */
int audit_new(struct loop *loop, const char *directory, const struct audit_settings *settings,
	      struct audit **ret);
/* Writes what is left. */
struct audit *audit_free(struct audit *audit);

/* Takes note of a call, if its kind is to be recorded. */
void audit_add(struct audit *audit, const struct audit_event *event);
/* Writes what was gathered, now. */
void audit_flush(struct audit *audit);
