/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Fragments of two CPUs at once: both send datagrams of one port that have the same rows to choose from. What
 * has begun passes as a whole, whatever the other CPU begins meanwhile.
 */
#include "../tap.h"
#include "fragments.h"
#include "race.h"

#define DATAGRAMS     60000
#define FRAGMENT_SIZE 8
#define FRAGMENTS     3
#define HELD_MS	      4000				/* less than PL_FRAGMENT_MS */
#define HELD_ID	      (PL_FRAGMENTS / PL_FRAGMENT_WAYS) /* has the same rows as 0, and as PL_FRAGMENTS more */

/* One of the fragments of a datagram without a checksum. */
static struct pkt fragment_of(const struct node *node, uint16_t id, size_t number)
{
	struct pkt whole = from(node, SLOT_A,
				(struct pkt_spec){.src = "10.0.0.10",
						  .dst = "10.0.0.100",
						  .protocol = IPPROTO_UDP,
						  .sport = 4000,
						  .dport = 500,
						  .payload = "three fragments!"});

	put16(whole.data + PKT_L4 + 6, 0);
	return cut(&whole, id, number * FRAGMENT_SIZE, FRAGMENT_SIZE);
}

/* A datagram that falls silent makes room for others: one in whose middle the machine was away is not looked
 * at. */
static bool is_cut(struct node *node, uint16_t id, int64_t start_ns)
{
	for (size_t number = 1; number < FRAGMENTS; number++) {
		struct pkt p = fragment_of(node, id, number);

		if (!node_leaves(node, SLOT_A, &p))
			return now_ns() - start_ns < PL_FRAGMENT_SILENT_MS * 1000000ll / 2;
	}
	return false;
}

static void send_datagrams(struct racer *racer)
{
	for (unsigned int i = 0; i < node_rounds(DATAGRAMS); i++) {
		uint16_t id = (uint16_t)((2 * i + (unsigned int)racer->cpu) * PL_FRAGMENTS);
		struct pkt p = fragment_of(racer->node, id, 0);
		int64_t start_ns = now_ns();

		if (!node_leaves(racer->node, SLOT_A, &p))
			continue;
		racer->passed++;
		racer->lost += is_cut(racer->node, id, start_ns);
	}
}

/* All rows but one that those datagrams have to choose from are another's, which has begun only just. */
static void hold_ways(struct node *node)
{
	int fd = bpf_map__fd(node->bpf->maps.pl_fragments);
	struct pl_fragments rows;
	uint32_t slot = SLOT_A;
	size_t held = 0;

	(void)bpf_map_delete_elem(fd, &slot);
	for (uint16_t i = 0; i < PL_FRAGMENT_WAYS - 1; i++) {
		struct pkt p = fragment_of(node, HELD_ID + i * PL_FRAGMENTS, 0);

		must(node_leaves(node, SLOT_A, &p) ? 0 : -EBUSY, "a datagram begins");
	}
	must(bpf_map_lookup_elem(fd, &slot, &rows), "pl_fragments");
	for (size_t i = 0; i < PL_FRAGMENTS; i++)
		if (rows.rows[i].size) {
			rows.rows[i].seen += HELD_MS;
			held++;
		}
	must(held == PL_FRAGMENT_WAYS - 1 ? 0 : -EINVAL, "rows");
	must(bpf_map_update_elem(fd, &slot, &rows, BPF_EXIST), "pl_fragments");
}

static void test_fragments(struct node *node, bool held, const char *what)
{
	struct race race = race_of(node, send_datagrams);
	unsigned int n = 2 * node_rounds(DATAGRAMS);

	node_clear_flows(node);
	if (held)
		hold_ways(node);
	race_begin(&race);
	race_end(&race);
	tap_note("%u of %u datagrams began", race_passed(&race), n);
	tap_ok(race_passed(&race) > (held ? 0 : n / 2),
	       "two CPUs of a port send fragments, %s: datagrams begin", what);
	tap_is_int(race_lost(&race), 0, "two CPUs of a port send fragments, %s: none takes the other's row",
		   what);
}

int main(void)
{
	struct node *node = node_new(&(struct node_options){.n_flows = 16384});

	test_fragments(node, false, "among four rows");
	test_fragments(node, true, "with one row left");
	node_free(node);
	return tap_done();
}
