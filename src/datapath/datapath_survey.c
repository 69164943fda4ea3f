/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whether the kernel's tables are as they were written. Each thing is compared by itself, in the kernel and
 * in the mirror, so that who has found a difference a while ago can ask whether it is still there.
 */
#include "../lib/vec.h"
#include "datapath_tables.h"

/* What is compared. */
enum { CONFIG, PORTS, LIMITS, BACKENDS, SERVERS, PROXIES, LISTENERS, ENIS, PLACES, TABLES };
enum { GROUP = TABLES, SET, LIST };

struct list_place {
	uint32_t first, count;
};

struct survey {
	struct datapath *datapath;
	const struct plan *plan;
	datapath_doubt call;
	void *context;
	uint32_t walked; /* the table */
};

static struct table *table_of(struct datapath *datapath, uint32_t what)
{
	struct table *const tables[TABLES] = {
		[CONFIG] = &datapath->config,	    [PORTS] = &datapath->ports,
		[LIMITS] = &datapath->limits,	    [BACKENDS] = &datapath->backends,
		[SERVERS] = &datapath->servers,	    [PROXIES] = &datapath->proxies,
		[LISTENERS] = &datapath->listeners, [ENIS] = &datapath->enis,
		[PLACES] = &datapath->places,
	};

	return tables[what];
}

static bool is_set(const struct datapath *datapath, uint32_t number, const struct pl_set *wanted)
{
	return memcmp(set_table_get(datapath->sets, number), wanted, sizeof(*wanted)) == 0;
}

/* What is in force in the slot names the groups that the plan has there. */
static bool has_sets(const struct datapath *datapath, const struct plan *plan, uint32_t slot)
{
	const struct plan_port *port = plan_port_by_slot(plan, slot);
	const struct pl_port *port_row = rowset_find(&datapath->ports.mirror, &slot);
	const struct pl_eni *eni_row = rowset_find(&datapath->enis.mirror, &slot);
	size_t place = LOWER_BOUND(i, plan->n_enis, plan->enis[i].slot < slot);
	const struct plan_eni *eni =
		place < plan->n_enis && plan->enis[place].slot == slot ? &plan->enis[place] : NULL;

	return (!port || !port_row || is_set(datapath, port_row->set, &port->set)) &&
	       (!eni || !eni_row ||
		(is_set(datapath, eni_row->set, &eni->set) &&
		 is_set(datapath, eni_row->balancer_set, &eni->balancer_set)));
}

static bool stands(struct datapath *datapath, const struct plan *plan, uint32_t what, const void *key)
{
	struct list_place list;
	uint32_t number;

	if (what < TABLES)
		return table_row_stands(table_of(datapath, what), key);
	memcpy(&number, key, sizeof(number));
	memcpy(&list, key, sizeof(list));
	switch (what) {
	case GROUP:
		return group_table_stands(datapath->groups, number);
	case SET:
		return has_sets(datapath, plan, number);
	default:
		return list_table_stands(datapath->maglev, list.first, list.count);
	}
}

const char *datapath_doubt_name(struct datapath *datapath, const struct datapath_doubtful *doubtful)
{
	static const char *const names[] = {
		[GROUP - TABLES] = "pl_groups", [SET - TABLES] = "pl_sets", [LIST - TABLES] = "pl_maglev"};

	return doubtful->what < TABLES ? table_of(datapath, doubtful->what)->name
				       : names[doubtful->what - TABLES];
}

bool datapath_has_doubt(struct datapath *datapath, const struct plan *plan,
			const struct datapath_doubtful *doubtful)
{
	return doubtful->what > LIST || datapath->is_stale ||
	       !stands(datapath, plan, doubtful->what, doubtful->key);
}

static int ask(struct survey *survey, uint32_t what, const void *key, size_t size)
{
	struct datapath_doubtful doubtful = {.what = what};

	memcpy(doubtful.key, key, size);
	return stands(survey->datapath, survey->plan, what, doubtful.key)
		       ? 0
		       : survey->call(survey->context, &doubtful);
}

/* Of a row of the kernel's: rows that are in the mirror are asked for by that. */
static int ask_unknown(void *context, const void *key, const void *value)
{
	struct survey *survey = context;
	const struct table *table = table_of(survey->datapath, survey->walked);

	(void)value;
	return rowset_find(&table->mirror, key) ? 0
						: ask(survey, survey->walked, key, table->mirror.key_size);
}

static int ask_table(struct survey *survey, uint32_t what)
{
	const struct table *table = table_of(survey->datapath, what);
	int r = 0;

	for (size_t i = 0; i < table->mirror.n && r >= 0; i++)
		r = ask(survey, what, rowset_key(&table->mirror, i), table->mirror.key_size);
	survey->walked = what;
	return r < 0 ? r : table_walk(table->fd, ask_unknown, survey);
}

static int ask_groups(struct survey *survey)
{
	uint32_t end = group_table_end(survey->datapath->groups);
	int r = 0;

	for (uint32_t i = 0; i < end && r >= 0; i++)
		r = ask(survey, GROUP, &i, sizeof(i));
	return r;
}

static int ask_sets(struct survey *survey, const struct rowset *rows)
{
	int r = 0;

	for (size_t i = 0; i < rows->n && r >= 0; i++)
		r = ask(survey, SET, rowset_key(rows, i), rows->key_size);
	return r;
}

static int ask_list(void *context, uint32_t first, uint32_t count)
{
	const struct list_place list = {first, count};

	return ask(context, LIST, &list, sizeof(list));
}

int datapath_find_doubts(struct datapath *datapath, const struct plan *plan, datapath_doubt call,
			 void *context)
{
	struct survey survey = {.datapath = datapath, .plan = plan, .call = call, .context = context};
	int r = 0;

	for (uint32_t what = 0; what < TABLES && r >= 0; what++)
		r = ask_table(&survey, what);
	if (r >= 0)
		r = ask_groups(&survey);
	if (r >= 0)
		r = ask_sets(&survey, &datapath->ports.mirror);
	if (r >= 0)
		r = ask_sets(&survey, &datapath->enis.mirror);
	return r < 0 ? r : list_table_each(datapath->maglev, ask_list, &survey);
}

void datapath_doubt_fds(struct datapath *datapath, int ret[DATAPATH_DOUBT_FDS])
{
	_Static_assert(TABLES + 1 == DATAPATH_DOUBT_FDS, "all tables, and lists");

	for (uint32_t what = 0; what < TABLES; what++)
		ret[what] = table_of(datapath, what)->fd;
	ret[TABLES] = list_table_fd(datapath->maglev);
}
