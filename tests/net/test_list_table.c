/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Lists in a flat BPF array: what is shared, what rests, what is adopted. Needs a real map, hence root.
 */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>

#include "datapath/list_table.h"
#include "tests/tap.h"

#define SIZE 10

static uint32_t kernel_value(int fd, uint32_t index)
{
	uint32_t value = UINT32_MAX;

	(void)bpf_map_lookup_elem(fd, &index, &value);
	return value;
}

static void test_sharing(int fd)
{
	const uint32_t a[] = {1, 2, 3, 4}, b[] = {5, 6, 7, 8}, c[] = {9, 9, 9};
	struct list_table *table;
	uint32_t first_a = 0, again = 0, first_b = 0, first_c = 0;

	tap_is_int(list_table_new(fd, &table), 0, "an array without lists");
	tap_is_int(list_table_take(table, a, 4, &first_a), 0, "a list is written");
	tap_is_int(kernel_value(fd, first_a + 3), 4, "into the kernel's array");
	tap_ok(list_table_take(table, a, 4, &again) == 0 && again == first_a, "the same list is shared");
	tap_is_int(list_table_free_count(table), SIZE - 4, "and takes no more room");
	tap_is_int(list_table_take(table, b, 4, &first_b), 0, "another list has a region of its own");
	tap_is_int(list_table_take(table, c, 3, &first_c), -ENOSPC, "a third one has no room");

	(void)list_table_give(table, first_a, 4);
	tap_is_int(list_table_take(table, c, 3, &first_c), -ENOSPC, "nor when a shared list loses one user");
	(void)list_table_give(table, first_a, 4);
	tap_is_int(list_table_take(table, c, 3, &first_c), -ENOSPC, "nor at once when it has none any more");
	tap_ok(list_table_take(table, a, 4, &again) == 0 && again == first_a, "a resting list is used again");
	(void)usleep((LIST_REST_MS + 50) * 1000);
	tap_is_int(list_table_take(table, c, 3, &first_c), -ENOSPC, "and is then not free after the rest");
	(void)list_table_give(table, first_a, 4);
	(void)usleep((LIST_REST_MS + 50) * 1000);
	tap_ok(list_table_take(table, c, 3, &first_c) == 0 && kernel_value(fd, first_c) == 9,
	       "without users and rested, its region is given out");
	tap_ok(list_table_equals(table, first_b, b, 4) && !list_table_equals(table, first_b, a, 4),
	       "a list is compared by its elements");
	list_table_free(table);
}

static void test_adopting(int fd)
{
	const uint32_t values[] = {1, 2, 3, 4, 5, 6, 7, 8, 9, 10}, *list = values + 2, other[SIZE] = {11},
		       four = 4;
	struct list_table *table;
	uint32_t first = 0, read_anew[] = {3, 4, 7};

	for (uint32_t i = 0; i < SIZE; i++)
		(void)bpf_map_update_elem(fd, &i, &values[i], BPF_ANY);
	(void)list_table_new(fd, &table);
	tap_is_int(list_table_adopt(table, 2, 3), 0, "a list that a row names is adopted");
	tap_ok(list_table_equals(table, 2, list, 3), "with its elements");
	tap_is_int(list_table_adopt(table, 2, 3), 0, "by a second row as well");
	tap_is_int(list_table_adopt(table, 0, 2), 0, "and one at the array's start");
	tap_is_int(list_table_adopt(table, 4, 2), -EEXIST, "one that overlaps is refused");
	tap_is_int(list_table_adopt(table, 8, 3), -EEXIST, "and one beyond the end");
	tap_is_int(list_table_adopt(table, 0xfffffffe, 4), -EEXIST, "and far beyond");
	tap_ok(list_table_take(table, list, 3, &first) == 0 && first == 2, "new users share adopted lists");
	(void)list_table_give(table, 0, 2);
	(void)bpf_map_update_elem(fd, &four, &read_anew[2], BPF_ANY);
	tap_is_int(list_table_reset(table, NULL), 0, "of all lists nobody is a user any more");
	tap_ok(list_table_equals(table, 2, read_anew, 3), "their elements are read anew");
	tap_is_int(list_table_adopt(table, 2, 3), 0, "a row still has one");
	tap_is_int(list_table_settle(table), 0, "and no row another one");
	tap_is_int(list_table_take(table, other, 6, &first), -ENOSPC, "what has rested goes on resting");
	tap_ok(list_table_reset(table, NULL) == 0 && list_table_settle(table) == 0, "once more");
	tap_is_int(list_table_take(table, other, 6, &first), -ENOSPC,
		   "and what a row had until a moment ago rests, too");
	tap_ok(list_table_take(table, read_anew, 3, &first) == 0 && first == 2, "unless it is used again");
	(void)usleep((LIST_REST_MS + 50) * 1000);
	tap_is_int(list_table_take(table, other, 6, &first), -ENOSPC, "as that one is");
	tap_ok(list_table_take(table, other, 2, &first) == 0 && first == 0, "then the others' room is free");
	(void)list_table_give(table, 2, 3);
	(void)list_table_give(table, 0, 2);
	(void)list_table_reset(table, NULL);
	(void)list_table_settle(table);
	(void)usleep((LIST_REST_MS + 50) * 1000);
	tap_ok(list_table_take(table, other, SIZE, &first) == 0, "and in the end all of it");
	list_table_free(table);
}

static void count(void *context)
{
	(*(int *)context)++;
}

/* Of a full array's five lists rows leave one, and another while nobody looks. */
static void test_settling(int fd)
{
	const uint32_t other[] = {11, 12, 13};
	struct list_table *table;
	int n_breaths = 0, r = 0;
	const struct breath breath = {count, &n_breaths};
	uint32_t first = SIZE;

	for (uint32_t i = 0; i < SIZE; i++)
		(void)bpf_map_update_elem(fd, &i, &i, BPF_ANY);
	(void)list_table_new(fd, &table);
	for (uint32_t i = 0; i < SIZE; i += 2)
		(void)list_table_adopt(table, i, 2);
	(void)list_table_give(table, 0, 2);
	tap_is_int(list_table_reset(table, &breath), 0, "lists are read anew");
	tap_is_int(n_breaths, SIZE / 2, "with a breath for each");
	tap_is_int((long long)list_table_rest_count(table), 1, "which lets none rest that a row may have");
	(void)usleep((LIST_REST_MS + 50) * 1000);
	for (uint32_t i = 4; i < SIZE && r == 0; i += 2)
		r = list_table_adopt(table, i, 2);
	tap_ok(r == 0 && list_table_settle(table) == 0 && list_table_rest_count(table) == 2,
	       "when rows have theirs, what none has any more rests");
	tap_ok(list_table_settle(table) == 0 && list_table_rest_count(table) == 2, "once");
	tap_ok(list_table_take(table, other, 2, &first) == 0 && first == 0, "what has rested is free");
	tap_is_int(list_table_take(table, other + 1, 2, &first), -ENOSPC,
		   "but not what rests since just now");
	(void)usleep((LIST_REST_MS + 50) * 1000);
	tap_ok(list_table_take(table, other + 1, 2, &first) == 0 && first == 2, "that is when it has, too");
	tap_is_int((long long)list_table_rest_count(table), 0, "and nothing rests any more");
	list_table_free(table);
}

/* What a row gets that wants this in place of what it has; 0: its first place is at `ret`. */
static int change(struct list_table *table, uint32_t old, const uint32_t *elements, uint32_t *ret)
{
	int r = list_table_want(table, old, 2, elements, 2, ret);

	return r < 0 ? r : list_table_change(table, old, 2, *ret, 2);
}

/* More than an eighth of the array rests as soon as one list does. */
static void test_waiting(int fd)
{
	const uint32_t a[] = {1, 2}, b[] = {3, 4}, c[] = {5, 6};
	struct list_table *table;
	uint32_t first, second, third, other;

	(void)list_table_new(fd, &table);
	(void)list_table_take(table, a, 2, &first);
	tap_is_int(change(table, first, b, &second), 0, "while nothing rests a list can be left at once");
	tap_is_int(change(table, second, c, &other), -EBUSY, "the next one cannot, while that rests");
	tap_is_int(change(table, second, a, &other), -EBUSY, "also not for the one that rests");
	tap_is_int(list_table_want(table, second, 2, NULL, 0, &other), -EBUSY, "nor for none");
	tap_is_int(change(table, second, b, &other), 0, "it can be wanted again");
	(void)usleep((LIST_REST_MS + 50) * 1000);
	(void)list_table_take(table, a, 2, &first);
	tap_is_int(list_table_give(table, first, 2), 0, "another list comes to rest");
	tap_is_int(change(table, second, c, &third), 0, "who had a list for long can leave it even so");
	tap_is_int(change(table, third, a, &other), -EBUSY, "and has the next one for as long");
	(void)usleep((LIST_REST_MS + 50) * 1000);
	tap_is_int(change(table, third, a, &first), 0, "when all have rested it can be left");
	tap_is_int(change(table, first, c, &third), -EBUSY, "for one that was new");
	(void)usleep((LIST_REST_MS + 50) * 1000);
	tap_is_int(change(table, first, c, &third), 0, "also for one that it had");
	tap_is_int(change(table, third, a, &first), -EBUSY, "which counts from when it is used again");
	list_table_free(table);
}

static void test_unreadable(int fd)
{
	struct list_table *table;
	int own = dup(fd);

	(void)list_table_new(own, &table);
	(void)close(own);
	tap_is_int(list_table_adopt(table, 2, 3), -EBADF, "a list that cannot be read is not adopted");
	tap_is_int(list_table_free_count(table), SIZE, "and takes no room");
	list_table_free(table);
}

int main(void)
{
	int fd;

	if (geteuid() != 0) {
		tap_skip("region table", "needs root");
		return tap_done();
	}
	fd = bpf_map_create(BPF_MAP_TYPE_ARRAY, "pl_test", sizeof(uint32_t), sizeof(uint32_t), SIZE, NULL);
	if (!tap_ok(fd >= 0, "a BPF array"))
		return tap_done();
	test_sharing(fd);
	test_adopting(fd);
	test_settling(fd);
	test_waiting(fd);
	test_unreadable(fd);
	(void)close(fd);
	return tap_done();
}
