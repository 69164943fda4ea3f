/* SPDX-License-Identifier: Apache-2.0 */
#include "mapped.h"

#include <sys/mman.h>
#include <unistd.h>

#include <bpf/bpf.h>

int mapped_open(int fd, uint32_t row_size, struct mapped *ret)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	struct bpf_map_info info = {};
	uint32_t size = sizeof(info);
	struct mapped mapped = {};

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		return -errno;
	if (info.value_size != row_size)
		return -EINVAL;
	mapped.n = info.max_entries;
	mapped.stride = (info.value_size + 7u) / 8 * 8;
	mapped.size = (mapped.n * mapped.stride + page - 1) / page * page;
	mapped.rows = mmap(NULL, mapped.size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (mapped.rows == MAP_FAILED)
		return -errno;
	*ret = mapped;
	return 0;
}

void mapped_close(struct mapped *mapped)
{
	if (mapped->rows)
		(void)munmap(mapped->rows, mapped->size);
	*mapped = (struct mapped){};
}
