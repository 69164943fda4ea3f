/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What root asks of the privlinkd of this machine over its feed's socket, without a key: privlink admin
 * new-key, privlink store.
 */
#include "cli.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/file_write.h"

#define DEFAULT_RUN_DIR "/run/privlink"
#define ANSWER_MAX	(64 * 1024)
#define STATE_DIR_HINT	"(--state-dir says where privlinkd keeps its state)"
#define BACKUP		"privlink.db.backup" /* in the store's directory (store_back_up()) */

struct text {
	char data[ANSWER_MAX];
	size_t size;
};

void cli_local_refused(const char *run_dir)
{
	char path[PATH_MAX], sentence[2048];
	FILE *f;

	if (str_format(path, sizeof(path), "%s/privlinkd.refused",
		       run_dir ?: getenv("PRIVLINK_RUN_DIR") ?: DEFAULT_RUN_DIR) < 0)
		return;
	f = fopen(path, "re");
	if (!f)
		return;
	if (fgets(sentence, sizeof(sentence), f)) {
		sentence[strcspn(sentence, "\n")] = '\0';
		(void)cli_fail("the privlinkd of this machine does not serve: %s", sentence);
	}
	fclose(f);
}

static size_t collect(char *data, size_t size, size_t n, void *context)
{
	struct text *text = context;

	if (size * n > sizeof(text->data) - text->size)
		return 0;
	memcpy(text->data + text->size, data, size * n);
	text->size += size * n;
	return size * n;
}

static int perform(CURL *curl, const char *run_dir, const char *socket_path, const char *url,
		   const char *body, struct text *ret, long *ret_status)
{
	CURLcode code;

	curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
	curl_easy_setopt(curl, CURLOPT_URL, url);
	curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body);
	curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, collect);
	curl_easy_setopt(curl, CURLOPT_WRITEDATA, ret);
	curl_easy_setopt(curl, CURLOPT_PROXY, "");
	curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
	code = curl_easy_perform(curl);
	if (code != CURLE_OK)
		return cli_local_refused(run_dir), cli_fail("no privlinkd answers at %s/feed.sock: start it, "
							    "or see in its log why it does not serve",
							    run_dir);
	curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, ret_status);
	return CLI_OK;
}

static int show_answer(const struct text *text, long status, json_t **ret)
{
	json_t *answer = json_loadb(text->data, text->size, 0, NULL);
	const char *error = json_string_value(json_object_get(answer, "error"));
	int r = CLI_OK;

	if (error)
		r = cli_fail("privlinkd: %s", error);
	else if (status != 200 || !json_is_object(answer))
		r = cli_fail("privlinkd answered status %ld without saying why", status);
	if (r == CLI_OK)
		*ret = json_incref(answer);
	json_decref(answer);
	return r;
}

/* POST /admin/v1/<name>. Exit code; the answer is the caller's. */
static int ask(const char *run_dir, const char *name, const char *body, json_t **ret)
{
	_cleanup_(freep) struct text *text = calloc(1, sizeof(*text));
	char path[PATH_MAX], url[128];
	CURL *curl = curl_easy_init();
	long status = 0;
	int r;

	if (!text || !curl)
		r = cli_fail("out of memory");
	else if (str_format(path, sizeof(path), "%s/feed.sock", run_dir) < 0)
		r = cli_fail("%s: too long a name", run_dir);
	else if (str_format(url, sizeof(url), "http://privlinkd/admin/v1/%s", name) < 0)
		r = CLI_FAILED;
	else
		r = perform(curl, run_dir, path, url, body, text, &status);
	if (r == CLI_OK)
		r = show_answer(text, status, ret);
	if (text)
		explicit_bzero(text, sizeof(*text));
	curl_easy_cleanup(curl);
	return r;
}

struct local {
	const char *run_dir;
	bool revoke_others;
	const char *account;
	const char *argument;
};

/* Options of all commands here, and as many arguments as `n_arguments` says. */
static int read_arguments(const char *command, int argc, char **argv, bool wants_argument, struct local *ret)
{
	*ret = (struct local){.run_dir = getenv("PRIVLINK_RUN_DIR") ?: DEFAULT_RUN_DIR};
	for (int i = 0; i < argc; i++) {
		bool is_key = streq(command, "admin new-key");

		if (streq(argv[i], "--run-dir") && i + 1 < argc)
			ret->run_dir = argv[++i];
		else if (is_key && streq(argv[i], "--revoke-others"))
			ret->revoke_others = true;
		else if (is_key && streq(argv[i], "--account") && i + 1 < argc)
			ret->account = argv[++i];
		else if (wants_argument && !ret->argument && argv[i][0] != '-')
			ret->argument = argv[i];
		else
			return cli_usage("%s: unexpected argument %s", command, argv[i]);
	}
	if (wants_argument && !ret->argument)
		return cli_usage("%s needs a file (privlink %s --help)", command, command);
	return geteuid() == 0 ? CLI_OK : cli_fail("%s needs root", command);
}

/* ---- admin new-key ---- */

static int write_admin_file(const char *path, const json_t *answer)
{
	char text[512];
	int r;

	r = str_format(text, sizeof(text),
		       "PRIVLINK_ACCESS_KEY_ID=%s\nPRIVLINK_ACCESS_KEY_SECRET=%s\nPRIVLINK_ACCOUNT_ID=%lld\n",
		       json_string_value(json_object_get(answer, "key_id")) ?: "",
		       json_string_value(json_object_get(answer, "secret")) ?: "",
		       (long long)json_integer_value(json_object_get(answer, "account")));
	if (r >= 0)
		r = file_write(path, text, strlen(text), 0600, geteuid(), getegid());
	explicit_bzero(text, sizeof(text));
	return r;
}

/* Whether the file can be replaced: found out before there is a key that could be lost. */
static int check_place(const char *path)
{
	_cleanup_(freep) char *directory = strdup(path);
	char *slash = directory ? strrchr(directory, '/') : NULL;

	if (slash)
		*slash = '\0';
	return directory && access(directory, W_OK) < 0 ? -errno : 0;
}

static int request_key(const struct local *local, json_t **ret)
{
	json_t *question = json_pack("{s:b}", "revoke_others", local->revoke_others);
	char *body, *end;
	int r;

	if (local->account) {
		long long uid = strtoll(local->account, &end, 10);

		if (*end || uid <= 0) {
			json_decref(question);
			return cli_usage("--account %s: expected an account's number", local->account);
		}
		(void)json_object_set_new(question, "account", json_integer(uid));
	}
	body = json_dumps(question, JSON_COMPACT);
	json_decref(question);
	r = body ? ask(local->run_dir, "key", body, ret) : cli_fail("out of memory");
	free(body);
	return r;
}

int cli_run_admin_new_key(struct cli *cli, int argc, char **argv)
{
	json_t *answer = NULL;
	struct local local;
	char path[PATH_MAX];
	int r;

	r = read_arguments("admin new-key", argc, argv, false, &local);
	if (r != CLI_OK)
		return r;
	if (str_format(path, sizeof(path), "%s/admin.env", cli_state_dir(cli)) < 0)
		return cli_fail("%s: too long a name", cli_state_dir(cli));
	r = check_place(path);
	if (r < 0)
		return cli_fail("cannot write %s: %s", path, strerror(-r));
	r = request_key(&local, &answer);
	if (r != CLI_OK)
		return r;
	r = write_admin_file(path, answer);
	json_decref(answer);
	if (r < 0)
		return cli_fail("cannot write the new key to %s: %s (run this again; --revoke-others ends "
				"the key that was lost)",
				path, strerror(-r));
	printf("%s\n", path);
	return CLI_OK;
}

/* ---- store ---- */

int cli_run_store_show(struct cli *cli, int argc, char **argv)
{
	static const struct cli_column columns[] = {{"Store", "store"}, {"Revision", "revision"}, {NULL}};
	json_t *answer = NULL;
	struct local local;
	int r;

	r = read_arguments("store show", argc, argv, false, &local);
	if (r == CLI_OK)
		r = ask(local.run_dir, "store", "{}", &answer);
	if (r != CLI_OK)
		return r;
	if (cli->json) {
		json_dumpf(answer, stdout, JSON_INDENT(2));
		putchar('\n');
	} else {
		cli_fields_print(answer, columns);
	}
	json_decref(answer);
	return CLI_OK;
}

static int copy_all(int from, int to)
{
	struct stat st;
	off_t done = 0;

	if (fstat(from, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	while (done < st.st_size) {
		ssize_t n = sendfile(to, from, &done, (size_t)(st.st_size - done));

		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return fsync(to) < 0 ? -errno : 0;
}

/* All of it under the new name, or nothing. The name until then is nobody else's. */
static int copy_file(int in, const char *to)
{
	_cleanup_(closep) int out = -EBADF;
	char fresh[PATH_MAX];
	int r;

	if (str_format(fresh, sizeof(fresh), "%s.XXXXXX", to) < 0)
		return -ENAMETOOLONG;
	out = mkostemp(fresh, O_CLOEXEC);
	if (out < 0)
		return -errno;
	r = copy_all(in, out);
	if (r == 0)
		r = file_replace(fresh, to);
	if (r < 0)
		(void)unlink(fresh);
	return r;
}

/* The store's directory, which is privlinkd's user's, with a lock: copies have one name, so they are made one
 * after the other. */
static int open_store(struct cli *cli, char path[PATH_MAX])
{
	int fd;

	if (str_format(path, PATH_MAX, "%s/store", cli_state_dir(cli)) < 0)
		return -ENAMETOOLONG;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	while (flock(fd, LOCK_EX) < 0)
		if (errno != EINTR) {
			close(fd);
			return -errno;
		}
	return fd;
}

/* The copy that privlinkd has made. It is not root, and is not believed where that is: it may only be the one
 * file in its own directory, and its own. -EXDEV: it is not. */
static int open_backup(int directory, const char *made)
{
	_cleanup_(closep) int fd = openat(directory, BACKUP, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat place, file, said;

	if (stat(made, &said) < 0)
		return -errno;
	if (fd < 0 || fstat(directory, &place) < 0 || fstat(fd, &file) < 0)
		return errno == ENOENT ? -EXDEV : -errno;
	if (!S_ISREG(file.st_mode) || file.st_uid != place.st_uid || file.st_dev != said.st_dev ||
	    file.st_ino != said.st_ino)
		return -EXDEV;
	return TAKE_FD(fd);
}

static int back_up(const struct local *local, int directory, const char *path)
{
	_cleanup_(json_decrefp) json_t *answer = NULL;
	_cleanup_(closep) int made = -EBADF;
	int r = ask(local->run_dir, "backup", "{}", &answer);

	if (r != CLI_OK)
		return r;
	made = open_backup(directory, json_string_value(json_object_get(answer, "file")) ?: "");
	if (made == -EXDEV)
		return cli_fail("privlinkd's copy of the store is not its own file %s/" BACKUP
				" " STATE_DIR_HINT,
				path);
	r = made < 0 ? made : copy_file(made, local->argument);
	(void)unlinkat(directory, BACKUP, 0);
	if (r < 0)
		return cli_fail("cannot copy the store to %s: %s", local->argument, strerror(-r));
	printf("store=%s revision=%lld\n", json_string_value(json_object_get(answer, "store")) ?: "",
	       (long long)json_integer_value(json_object_get(answer, "revision")));
	return CLI_OK;
}

int cli_run_store_backup(struct cli *cli, int argc, char **argv)
{
	_cleanup_(closep) int directory = -EBADF;
	char path[PATH_MAX];
	struct local local;
	int r = read_arguments("store backup", argc, argv, true, &local);

	if (r != CLI_OK)
		return r;
	directory = open_store(cli, path);
	if (directory < 0)
		return cli_fail("cannot open the store's directory %s: %s " STATE_DIR_HINT, path,
				strerror(-directory));
	return back_up(&local, directory, path);
}
