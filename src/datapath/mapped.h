/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Arrays of the data path that are mapped into our memory (BPF_F_MMAPABLE): a row is written by plain stores.
 */
#pragma once

#include "../lib/util.h"

struct mapped {
	void *rows;
	uint32_t n;    /* rows */
	size_t stride; /* bytes from one to the next */
	size_t size;   /* bytes that are mapped */
};

/* The descriptor may be closed afterwards. -EINVAL: rows are not of that size. */
int mapped_open(int fd, uint32_t row_size, struct mapped *ret);
void mapped_close(struct mapped *mapped);
