/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The limit of descriptors, from what it may be at the start.
 */
#include "lib/descriptors.h"

#include <sys/resource.h>

#include "lib/util.h"
#include "tests/tap.h"

static void set_limit(rlim_t now, rlim_t most)
{
	struct rlimit limit = {now, most};

	if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
		exit(EXIT_FAILURE);
}

static long long limit_now(void)
{
	struct rlimit limit;

	return getrlimit(RLIMIT_NOFILE, &limit) < 0 ? -1 : (long long)limit.rlim_cur;
}

int main(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return EXIT_FAILURE;
	set_limit(64, limit.rlim_max);
	tap_is_int(descriptors_raise_limit(), 0, "a low limit is raised");
	tap_is_int(limit_now(), (long long)MIN(limit.rlim_max, (rlim_t)DESCRIPTORS_MAX),
		   "as far as it may be, and is of use");
	if (limit.rlim_max > DESCRIPTORS_MAX) {
		set_limit(DESCRIPTORS_MAX + 1, limit.rlim_max);
		tap_ok(descriptors_raise_limit() == 0 && limit_now() == DESCRIPTORS_MAX + 1,
		       "one that is higher stays");
	}
	set_limit(64, 128);
	tap_ok(descriptors_raise_limit() == 0 && limit_now() == 128, "where it may be little it is that");
	return tap_done();
}
