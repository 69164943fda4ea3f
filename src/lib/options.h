/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program's options: one table, from which the command line (getopt_long), files of "name = value" lines,
 * the environment and --help are served. The first place that gives a value wins, so places are read in the
 * order of their rank; what a file says is checked also where it no longer counts.
 *
 * In a file, # begins a comment at the start of a line or after a blank, a value may stand in quotes (one
 * that begins with a quote must end with it), and an underscore is as good as a dash in a name. No option may
 * stand twice in one file. A zero byte is an error: a file whose blocks were lost must not count as an empty
 * one.
 */
#pragma once

#include <stdio.h>

#include "util.h"

#define OPTIONS_MAX 32

enum option_kind {
	OPTION_TEXT,   /* char *: NULL until it is given; the table's, see options_done() */
	OPTION_SWITCH, /* bool: --name, or "name = yes" */
	OPTION_NUMBER, /* unsigned int, not 0; `check` knows its range */
	OPTION_LEVEL,  /* enum log_level */
};

enum option_from { OPTION_ANYWHERE, OPTION_NOT_FILE, OPTION_ARGUMENT };

struct option_row {
	const char *name; /* without the dashes */
	enum option_kind kind;
	size_t member;		  /* its offset in the program's values */
	const char *otherwise;	  /* the default, as text; NULL: none */
	const char *value, *help; /* what --help calls its value (NULL: it has none), and says of it */
	enum option_from from;
	int (*check)(const char *value); /* negative: not good. NULL: any text but an empty one */
	const char *expected;		 /* what `check` wants, for messages; NULL: as `value` */
	bool secret; /* wiped from the command line, where everyone can read it, and from memory */
};

struct option_table {
	const struct option_row *rows;
	size_t n;
	/* "PRIVLINK_": then region may come as PRIVLINK_REGION, from the environment and from files, which
	 * may hold other names that begin so. NULL: no environment. */
	const char *prefix;
	void (*complain)(const char *text); /* NULL: an error of the log */
};

/* For `values` that are all zero before the first of these is called. Each tells all that is wrong, and where
 * (file and line), before it returns -EINVAL; what is right was taken. Others: -ENOMEM, a file's errno. */

/* The whole command line. Of an option that is given twice, the last one counts. */
int options_arguments(const struct option_table *table, void *values, int argc, char **argv);
/* Only what begins at argv[*i], with its full name. 1: it was taken and *i is at its last word. 0: it is none
 * of the table's. */
int options_argument(const struct option_table *table, void *values, int argc, char **argv, int *i);
int options_environment(const struct option_table *table, void *values);
int options_file(const struct option_table *table, void *values, const char *path);
int options_defaults(const struct option_table *table, void *values);
/* A daemon's: the command line, the file that its option "config" names, the defaults. */
int options_read(const struct option_table *table, void *values, int argc, char **argv);

/* A line or two for each option. */
void options_help(const struct option_table *table, FILE *to);
/* Frees the texts, and makes the options' values all zero. */
void options_done(const struct option_table *table, void *values);
