/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Options of a program that is made up: lines of a file, words of a command line, which place wins, and what
 * is said of what cannot be used.
 */
#include "lib/options.h"

#include <unistd.h>

#include "../tap.h"
#include "lib/log.h"

struct values {
	char *config, *name, *secret;
	bool dry;
	unsigned int count;
	enum log_level level;
};

static int is_short(const char *value)
{
	return strlen(value) <= 8 ? 0 : -EINVAL;
}

#define MEMBER(m) offsetof(struct values, m)

/* clang-format off */
static const struct option_row rows[] = {
	{ "config", OPTION_TEXT, MEMBER(config), NULL, "FILE", "a file", OPTION_NOT_FILE },
	{ "the-name", OPTION_TEXT, MEMBER(name), "nobody", "NAME", "whose it is", .check = is_short, .expected = "8 letters" },
	{ "secret", OPTION_TEXT, MEMBER(secret), NULL, "TEXT", "what is wiped", .secret = true },
	{ "dry", OPTION_SWITCH, MEMBER(dry), NULL, NULL, "do nothing" },
	{ "count", OPTION_NUMBER, MEMBER(count), "3", "N", "how many", OPTION_ARGUMENT },
	{ "log-level", OPTION_LEVEL, MEMBER(level), "info", "LEVEL", "how much to say" },
};
/* clang-format on */

static char said[4096];

static void hear(const char *text)
{
	size_t length = strlen(said);

	(void)str_format(said + length, sizeof(said) - length, "%s\n", text);
}

static const struct option_table table = {rows, ARRAY_SIZE(rows), "TRY_", hear};
static const struct option_table daemon_table = {.rows = rows, .n = ARRAY_SIZE(rows), .complain = hear};

static char directory[] = "/tmp/privlink-options-XXXXXX", path[256];

static int read_bytes(const struct option_table *of, struct values *values, const char *bytes, size_t n)
{
	FILE *f = fopen(path, "w");

	said[0] = '\0';
	if (!f)
		return -errno;
	fwrite(bytes, 1, n, f);
	fclose(f);
	return options_file(of, values, path);
}

static int read_text(const struct option_table *of, struct values *values, const char *text)
{
	return read_bytes(of, values, text, strlen(text));
}

/* ---- a file ---- */

static const struct {
	const char *text;
	const char *name; /* what the-name is then; NULL: still open */
} good[] = {
	{"", NULL},
	{"  \t\n# the-name = a\n", NULL},
	{"the-name = a", "a"},
	{"  the-name=a  \r\n", "a"},
	{"the_name = a b # the rest\n", "a b"},
	{"the-name = a#b\n", "a#b"},
	{"the-name = \"a # b\" # the rest\n", "a # b"},
	{"the-name = 'a'\n", "a"},
	{"the-name = a\"\n", "a\""},
	{"the-name = 'a\"'  \r\n", "a\""},
	{"TRY_THE_NAME=a=b\nTRY_OTHERS=c\n", "a=b"},
	{"the-name = a", "a"},
};

#define QUOTES "option the-name has a value whose quotes do not go around all of it"

static const struct {
	const char *text, *complaint; /* after "cannot read config=<path> " */
} bad[] = {
	{"the-name a\n", "line=1: expected \"name = value\", not \"the-name a\""},
	{"\n= a\n", "line=2: expected \"name = value\", not \"= a\""},
	{"name = a\n", "line=1: there is no option \"name\" (--help lists them)"},
	{"THE_NAME = a\n", "line=1: there is no option \"THE_NAME\" (--help lists them)"},
	{"count = 5\n", "line=1: there is no option \"count\" (--help lists them)"},
	{"config = /x\n", "line=1: there is no option \"config\" (--help lists them)"},
	{"the-name =\n", "line=1: option the-name expects 8 letters, not \"\""},
	{"the-name = # a\n", "line=1: option the-name expects 8 letters, not \"\""},
	{"the-name = too long a name\n",
	 "line=1: option the-name expects 8 letters, not \"too long a name\""},
	{"the-name = \"a\n", "line=1: " QUOTES},
	{"the-name = \"a\" b\n", "line=1: " QUOTES},
	{"the-name = \"a\"b\"\n", "line=1: " QUOTES},
	{"the-name = 'a'# b\n", "line=1: " QUOTES},
	{"dry = perhaps\n", "line=1: option dry expects yes or no, not \"perhaps\""},
	{"log-level = loud\n",
	 "line=1: option log-level expects error, warning, info or debug, not \"loud\""},
	{"the-name = a\n\nTRY_THE_NAME = a\n", "line=3: option the-name stands in line=1 already"},
};

static void test_good_lines(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		struct values values = {};
		int r = read_text(&table, &values, good[i].text);

		tap_ok(r == 0 && !said[0], "file %zu has nothing wrong", i);
		tap_is_str(values.name ?: "open", good[i].name ?: "open", "and says what it says");
		options_done(&table, &values);
	}
}

static void test_bad_lines(void)
{
	char want[1024];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		struct values values = {};

		tap_is_int(read_text(&table, &values, bad[i].text), -EINVAL, "file %zu is refused", i);
		(void)str_format(want, sizeof(want), "cannot read config=%s %s\n", path, bad[i].complaint);
		tap_is_str(said, want, "with file, line and what is wrong");
		options_done(&table, &values);
	}
}

static void test_all_lines(void)
{
	struct values values = {};

	tap_is_int(read_text(&table, &values, "dry = yes\nnothing\nlog-level = loud\nthe-name = a\n"),
		   -EINVAL, "two bad lines of four");
	tap_ok(strstr(said, "line=2:") && strstr(said, "line=3:") && !strstr(said, "line=4:"),
	       "both are told");
	tap_ok(values.dry && streq(values.name ?: "", "a"), "the good ones are taken");
	options_done(&table, &values);
	tap_is_int(read_text(&daemon_table, &values, "TRY_THE_NAME = a\n"), -EINVAL,
		   "without a prefix there are no names of the environment");
}

static void test_zero_bytes(void)
{
	static const char texts[][16] = {"", "dry = yes\n", "dry = yes"};
	struct values values = {};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		tap_is_int(read_bytes(&table, &values, texts[i], sizeof(texts[i])), -EINVAL,
			   "file %zu with zero bytes is refused", i);
		tap_ok(strstr(said, i == 1 ? "line=2: it holds a zero byte" : "line=1: it holds a zero byte"),
		       "and says where");
	}
	options_done(&table, &values);
}

static void test_long_lines(void)
{
	char text[4096];
	struct values values = {};

	memset(text, '#', sizeof(text));
	tap_is_int(read_bytes(&table, &values, text, 4094), 0, "a line of 4094 characters is read");
	text[4094] = '\n';
	tap_is_int(read_bytes(&table, &values, text, 4095), 0, "and with its end, too");
	text[4094] = '#';
	tap_is_int(read_bytes(&table, &values, text, 4095), -EINVAL, "one of 4095 is not");
	tap_ok(strstr(said, "line=1: it is longer than 4094 characters"), "and that is told");
	options_done(&table, &values);
}

static void test_no_file(void)
{
	struct values values = {};
	char want[512];

	said[0] = '\0';
	tap_is_int(options_file(&table, &values, directory), -EISDIR, "a directory is no file");
	(void)str_format(want, sizeof(want), "cannot read config=%s: it is a directory, and no file\n",
			 directory);
	tap_is_str(said, want, "and that is said");
	said[0] = '\0';
	tap_is_int(options_file(&table, &values, "/nowhere"), -ENOENT, "nor is what is not there");
	tap_is_str(said, "cannot open config=/nowhere: No such file or directory\n", "and that is said");
}

/* ---- the command line ---- */

static int read_arguments(struct values *values, char **argv)
{
	int argc = 0;

	while (argv[argc])
		argc++;
	said[0] = '\0';
	return options_arguments(&table, values, argc, argv);
}

#define ARGUMENTS(...) ((char *[]){"program", __VA_ARGS__, NULL})

static void test_arguments(void)
{
	struct values values = {};
	char secret[] = "--secret=hidden";

	tap_is_int(read_arguments(&values,
				  ARGUMENTS("--the-name", "a", "--dry", "--count=7", "--the-name=b", secret)),
		   0, "a command line is read");
	tap_ok(streq(values.name ?: "", "b") && values.dry && values.count == 7, "the last of two counts");
	tap_is_str(values.secret ?: "", "hidden", "a secret is taken");
	tap_is_str(secret, "--secret=", "and nobody sees it any more");
	tap_is_int(read_arguments(&values, ARGUMENTS("--what", "--the-name", "too long a name", "--dry=1",
						     "-x", "--count")),
		   -EINVAL, "a bad one is refused");
	tap_is_str(said,
		   "there is no option --what (--help lists them)\n"
		   "cannot use option --the-name: it expects 8 letters, not \"too long a name\"\n"
		   "--dry takes no value\nthere is no option -x (--help lists them)\n--count needs a value "
		   "(N)\n",
		   "and all of it is told");
	tap_is_int(read_arguments(&values, ARGUMENTS("word")), -EINVAL, "so is a word");
	tap_is_str(said, "unexpected argument=word\n", "with the word");
	options_done(&table, &values);
	tap_ok(!values.name && !values.secret, "nothing is kept at the end");
}

static void test_one_argument(void)
{
	struct values values = {};
	char *argv[] = {"--dr", "--count", "5", "--count=6", "word", "--count", NULL};
	int i = 0;

	said[0] = '\0';
	tap_is_int(options_argument(&table, &values, 6, argv, &i), 0,
		   "an abbreviation may be another's option");
	i = 1;
	tap_ok(options_argument(&table, &values, 6, argv, &i) == 1 && i == 2 && values.count == 5,
	       "an option and its value are taken");
	i = 3;
	tap_ok(options_argument(&table, &values, 6, argv, &i) == 1 && i == 3 && values.count == 6,
	       "also in one word");
	i = 4;
	tap_is_int(options_argument(&table, &values, 6, argv, &i), 0, "a word is not");
	i = 5;
	tap_is_int(options_argument(&table, &values, 6, argv, &i), -EINVAL,
		   "without its value it is refused");
	tap_is_str(said, "--count needs a value (N)\n", "and why");
}

/* ---- places ---- */

static void test_places(void)
{
	struct values values = {};

	setenv("TRY_THE_NAME", "e", 1);
	setenv("TRY_SECRET", "", 1);
	setenv("TRY_COUNT", "9", 1);
	setenv("TRY_LOG_LEVEL", "loud", 1);
	said[0] = '\0';
	tap_is_int(options_environment(&table, &values), -EINVAL, "the environment is checked");
	tap_is_str(said, "cannot use TRY_LOG_LEVEL: it expects error, warning, info or debug, not \"loud\"\n",
		   "with the variable's name");
	unsetenv("TRY_LOG_LEVEL");
	(void)options_environment(&table, &values);
	tap_is_int(read_text(&table, &values, "the-name = f\nsecret = s\nlog-level = debug\n"), 0,
		   "then a file");
	tap_is_int(options_defaults(&table, &values), 0, "then what is usual");
	tap_is_str(values.name, "e", "the first place wins");
	tap_is_str(values.secret, "s", "an empty variable is none");
	tap_ok(values.count == 3 && values.level == LOG_LEVEL_DEBUG, "the last fills what is open");
	tap_is_int(read_text(&table, &values, "the-name = too long a name\n"), -EINVAL,
		   "what no longer counts is checked all the same");
	options_done(&table, &values);
}

static void test_read(void)
{
	struct values values = {}, file = {};
	char *argv[] = {"program", "--config", path, "--the-name", "a", NULL};

	(void)read_text(&daemon_table, &file, "the-name = f\ndry = yes\n");
	options_done(&daemon_table, &file);
	tap_is_int(options_read(&daemon_table, &values, 5, argv), 0, "a daemon's options are read");
	tap_ok(streq(values.name, "a") && values.dry && values.count == 3,
	       "the command line, then its file, then what is usual");
	options_done(&daemon_table, &values);
}

static void test_help(void)
{
	char *text = NULL;
	size_t size = 0;
	FILE *f = open_memstream(&text, &size);

	options_help(&table, f);
	fclose(f);
	tap_is_str(text,
		   "  --config FILE      a file (TRY_CONFIG)\n"
		   "  --the-name NAME    whose it is (TRY_THE_NAME; nobody)\n"
		   "  --secret TEXT      what is wiped (TRY_SECRET)\n"
		   "  --dry              do nothing (TRY_DRY)\n"
		   "  --count N          how many (3)\n"
		   "  --log-level LEVEL  how much to say (TRY_LOG_LEVEL; info)\n",
		   "--help is the table");
	free(text);
}

int main(void)
{
	if (!mkdtemp(directory))
		return EXIT_FAILURE;
	(void)str_format(path, sizeof(path), "%s/options.conf", directory);
	test_good_lines();
	test_bad_lines();
	test_all_lines();
	test_zero_bytes();
	test_long_lines();
	test_no_file();
	test_arguments();
	test_one_argument();
	test_places();
	test_read();
	test_help();
	(void)unlink(path);
	(void)rmdir(directory);
	return tap_done();
}
