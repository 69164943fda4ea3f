/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An array of borrowed rows that is sorted when it is whole.
 */
#include "gather.h"

#include "../../lib/vec.h"

void gathered_done(struct gathered *gathered)
{
	free(gathered->rows);
	*gathered = (struct gathered){};
}

int gather(struct gathered *gathered, const void *row)
{
	int r;

	if (!row)
		return 0;
	r = VEC_ROOM(gathered->rows, gathered->n, gathered->size);
	if (r < 0)
		return r;
	gathered->rows[gathered->n++] = row;
	gathered->n_found++;
	return 0;
}

int gather_children(struct gathered *gathered, const struct snapshot *rows, enum ref ref, const char *id,
		    const char *within)
{
	for (const void *v = NULL; (v = snapshot_children_in(rows, ref, id, within, v));) {
		int r = gather(gathered, v);

		if (r < 0)
			return r;
	}
	return 0;
}

static int compare_rows(const void *a, const void *b)
{
	return strcmp(snapshot_id(*(const void *const *)a), snapshot_id(*(const void *const *)b));
}

void gathered_sort(struct gathered *gathered)
{
	size_t n = 0;

	if (gathered->n == 0)
		return;
	qsort(gathered->rows, gathered->n, sizeof(*gathered->rows), compare_rows);
	for (size_t i = 0; i < gathered->n; i++)
		if (i == 0 || gathered->rows[i] != gathered->rows[i - 1])
			gathered->rows[n++] = gathered->rows[i];
	gathered->n = n;
}
