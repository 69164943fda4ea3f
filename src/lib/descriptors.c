/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Service managers and shells start processes with a limit of 1024, for the sake of select(), which nothing
 * here calls.
 */
#include "descriptors.h"

#include <errno.h>
#include <sys/resource.h>

#include "util.h"

int descriptors_raise_limit(void)
{
	struct rlimit limit;
	rlim_t wanted;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return -errno;
	wanted = MIN(limit.rlim_max, (rlim_t)DESCRIPTORS_MAX);
	if (limit.rlim_cur >= wanted)
		return 0;
	limit.rlim_cur = wanted;
	return setrlimit(RLIMIT_NOFILE, &limit) < 0 ? -errno : 0;
}
