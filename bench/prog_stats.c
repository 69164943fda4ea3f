/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel says of the programs on the ingress of devices: how often they ran, and for how long.
 *
 *	prog_stats IFINDEX…
 *
 * The kernel counts as long as this runs (what kernel.bpf_stats_enabled switches on as well, but bound to a
 * descriptor: nothing has to be put back, whoever is killed). First it prints what the two readings of the
 * clock make of an empty program, {"empty_ns": …}; then, for each line that it reads, one line of numbers
 *since the programs were loaded: {"IFINDEX": {"ns": …, "runs": …}, …}. A program that is jumped to counts for
 *the one that was attached.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <linux/pkt_cls.h>

#define TCX_INGRESS   46 /* BPF_TCX_INGRESS of Linux 6.6; not in Debian 12's headers */
#define EMPTY_REPEATS 1000000
#define DEVICES_MAX   16

static _Noreturn void die(const char *what, int error)
{
	(void)fprintf(stderr, "prog_stats: %s: %s\n", what, strerror(error));
	exit(EXIT_FAILURE);
}

static struct bpf_prog_info info_of(int fd)
{
	struct bpf_prog_info info = {0};
	__u32 size = sizeof(info);

	if (bpf_obj_get_info_by_fd(fd, &info, &size) < 0)
		die("program", errno);
	return info;
}

static double measure_empty(void)
{
	const struct bpf_insn program[] = {
		{.code = BPF_ALU | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = TC_ACT_SHOT},
		{.code = BPF_JMP | BPF_EXIT},
	};
	char frame[64] = {0};
	int fd = bpf_prog_load(BPF_PROG_TYPE_SCHED_CLS, "empty", "Dual BSD/GPL", program, 2, NULL);
	struct bpf_prog_info info;

	LIBBPF_OPTS(bpf_test_run_opts, opts, .data_in = frame, .data_size_in = sizeof(frame),
		    .repeat = EMPTY_REPEATS);
	if (fd < 0 || bpf_prog_test_run_opts(fd, &opts) < 0)
		die("an empty program", errno);
	info = info_of(fd);
	(void)close(fd);
	return info.run_cnt ? (double)info.run_time_ns / (double)info.run_cnt : 0;
}

/* The program that runs first on what comes in by a device of this namespace. */
static int open_program(const char *ifindex)
{
	__u32 ids[8], flags, n = 8;
	int fd;

	if (bpf_prog_query(atoi(ifindex), TCX_INGRESS, 0, &flags, ids, &n) < 0)
		die("programs of a device (needs Linux 6.6)", errno);
	if (n == 0)
		die("programs of a device", ENOENT);
	fd = bpf_prog_get_fd_by_id(ids[0]);
	if (fd < 0)
		die("program of a device", errno);
	return fd;
}

int main(int argc, char **argv)
{
	int fds[DEVICES_MAX], n = argc - 1;
	char line[16];

	for (int i = 1; i < argc; i++)
		if (atoi(argv[i]) <= 0)
			n = 0;
	if (n < 1 || n > DEVICES_MAX) {
		(void)fprintf(stderr, "usage: prog_stats IFINDEX…\n");
		return 2;
	}
	if (bpf_enable_stats(BPF_STATS_RUN_TIME) < 0)
		die("cannot let the kernel count", errno);
	for (int i = 0; i < n; i++)
		fds[i] = open_program(argv[1 + i]);
	printf("{\"empty_ns\": %.1f}\n", measure_empty());
	(void)fflush(stdout);
	while (fgets(line, sizeof(line), stdin)) {
		for (int i = 0; i < n; i++) {
			struct bpf_prog_info info = info_of(fds[i]);

			printf("%s\"%s\": {\"ns\": %llu, \"runs\": %llu}", i ? ", " : "{", argv[1 + i],
			       info.run_time_ns, info.run_cnt);
		}
		printf("}\n");
		(void)fflush(stdout);
	}
	return EXIT_SUCCESS;
}
