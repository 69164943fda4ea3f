/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where the nonces of before are lost, calls stamped before the start are refused, and nothing is served in
 * the second of the start.
 */
#include "daemon_nonces.h"

#include <limits.h>
#include <time.h>
#include <unistd.h>

#include "api/frame/nonce_journal.h"
#include "lib/log.h"

/* Whether this is the first start of all: nobody has a key yet, so nothing was ever signed. */
static bool is_first_start(const char *state_dir)
{
	static const char *const names[] = {"store/privlink.db", "store.id", "admin.env"};
	char path[PATH_MAX];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_format(path, sizeof(path), "%s/%s", state_dir, names[i]) < 0 ||
		    access(path, F_OK) == 0)
			return false;
	return true;
}

/* A stamp has no parts of a second: until the present one is over, nothing new can be told from what was sent
 * before. Calls that come meanwhile wait in the sockets. */
static void wait_for_next_second(const struct nonces *nonces)
{
	const struct timespec pause = {.tv_nsec = 10 * 1000 * 1000};

	for (int i = 0; i < 200 && !nonces_remember_since(nonces, now_unix_s()); i++)
		(void)nanosleep(&pause, NULL);
}

static int load(struct nonces *nonces, const char *path, bool is_first)
{
	struct nonce_journal *journal;
	int r;

	r = nonce_journal_open(path, &journal);
	if (r == 0)
		r = nonces_load(nonces, journal, is_first, now_unix_s());
	if (r < 0)
		return log_errno(r, "cannot read the nonces file=%s", path);
	if (r > 0)
		log_info("remembering no nonces of an earlier run "
			 "file=%s: calls stamped before now are refused",
			 path);
	/* Also where the second is that of a start which was cut off. */
	wait_for_next_second(nonces);
	if (!nonces_remember_since(nonces, now_unix_s()))
		log_warning("the clock is behind calls that were made before: calls are refused until it has "
			    "caught up (set the clock, or remove file=%s and start again)",
			    path);
	return 0;
}

int daemon_nonces_open(const char *state_dir, struct nonces **ret)
{
	char path[PATH_MAX];
	struct nonces *nonces;
	int r;

	if (str_format(path, sizeof(path), "%s/nonces", state_dir) < 0)
		return log_errno(-ENAMETOOLONG, "cannot use directory=%s", state_dir);
	r = nonces_new(&nonces);
	if (r < 0)
		return log_errno(r, "cannot remember nonces");
	r = load(nonces, path, is_first_start(state_dir));
	if (r < 0) {
		nonces_free(nonces);
		return r;
	}
	*ret = nonces;
	return 0;
}
