/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the program costs the verifier and the machine: it loads with and without the checksum helpers, and
 * stays within budgets that were set a good bit above what it takes today. A kernel refuses a million
 * instructions; growing past a budget is a decision to be taken, not an accident.
 */
#include "../tap.h"
#include "node.h"

#define VERIFIED_MAX   160000 /* instructions that the verifier looks at; 6.1 looks at some more than 6.18 */
#define TRANSLATED_MAX 17000  /* instructions of the program */

static void test_program(const struct bpf_program *program, const char *mode)
{
	struct bpf_prog_info info = {0};
	uint32_t size = sizeof(info);

	must(bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size), "info");
	tap_note("%s (%s): %u instructions, %u verified, %u bytes of machine code",
		 bpf_program__name(program), mode, info.xlated_prog_len / 8, info.verified_insns,
		 info.jited_prog_len);
	tap_ok(info.verified_insns > 0 && info.verified_insns <= VERIFIED_MAX,
	       "%s (%s) stays within %d verified instructions", bpf_program__name(program), mode,
	       VERIFIED_MAX);
	tap_ok(info.xlated_prog_len / 8 <= TRANSLATED_MAX, "%s (%s) stays within %d instructions",
	       bpf_program__name(program), mode, TRANSLATED_MAX);
}

static void test_names(const struct node *node)
{
	const struct bpf_map *map;
	bool ok = true;

	bpf_object__for_each_map(map, node->bpf->obj) {
		if (!bpf_map__is_internal(map) && strlen(bpf_map__name(map)) > 15) {
			tap_note("too long: %s", bpf_map__name(map));
			ok = false;
		}
	}
	tap_ok(ok, "no map's name is cut by the kernel");
}

int main(void)
{
	for (int helpers = 0; helpers < 2; helpers++) {
		struct node *node = node_new(&(struct node_options){.helpers = helpers});
		const char *mode = helpers ? "helpers" : "direct";
		struct bpf_program *program;

		bpf_object__for_each_program(program, node->bpf->obj) test_program(program, mode);
		if (!helpers)
			test_names(node);
		node_free(node);
	}
	return tap_done();
}
