/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

int bytes_grow(char **v, size_t *room, size_t needed)
{
	size_t size = MAX(*room, (size_t)1024);
	char *grown;

	if (needed < *room)
		return 0;
	while (size <= needed)
		size *= 2;
	grown = realloc(*v, size);
	if (!grown)
		return -ENOMEM;
	*v = grown;
	*room = size;
	return 0;
}

int bytes_add(struct bytes *bytes, const char *data, size_t size)
{
	int r = bytes_grow(&bytes->v, &bytes->room, bytes->n + size);

	if (r < 0)
		return r;
	memcpy(bytes->v + bytes->n, data, size);
	bytes->n += size;
	return 0;
}

void bytes_drop(struct bytes *bytes, size_t n)
{
	bytes->n -= n;
	if (bytes->n > 0)
		memmove(bytes->v, bytes->v + n, bytes->n);
}

void bytes_done(struct bytes *bytes)
{
	free(bytes->v);
	*bytes = (struct bytes){};
}
