/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Runs a fuzz target over its seeds without a fuzzer, so that every build does: each file of the directories
 * given, then each of its beginnings (a message cut at any byte), then the file with one byte changed, at
 * every place. The input sits in an allocation of its very size, where a sanitizer sees a read beyond the
 * end.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "../tap.h"

#define SEED_SIZE_MAX (1 << 20)
#define CUTS_MAX      4096 /* a long seed is cut and changed at that many places */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void run(const uint8_t *data, size_t size)
{
	uint8_t *copy = malloc(size ? size : 1);

	if (!copy)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	(void)LLVMFuzzerTestOneInput(copy, size);
	free(copy);
}

static void run_cut(const uint8_t *data, size_t size)
{
	size_t step = 1 + size / CUTS_MAX;

	for (size_t length = 0; length < size; length += step)
		run(data, length);
}

static void run_changed(uint8_t *data, size_t size)
{
	static const uint8_t masks[] = {0x01, 0x80, 0xff, 0x20};
	size_t step = 1 + size / CUTS_MAX;

	for (size_t i = 0; i < size; i += step)
		for (size_t k = 0; k < sizeof(masks); k++) {
			data[i] ^= masks[k];
			run(data, size);
			data[i] ^= masks[k];
		}
}

static bool replay_file(const char *path)
{
	FILE *file = fopen(path, "rbe");
	uint8_t *data = malloc(SEED_SIZE_MAX);
	size_t size;

	if (!file || !data)
		return false;
	size = fread(data, 1, SEED_SIZE_MAX, file);
	(void)fclose(file);
	run(data, size);
	run_cut(data, size);
	run_changed(data, size);
	free(data);
	return true;
}

static void replay_directory(const char *directory)
{
	struct dirent **names;
	char path[4096];
	int n = scandir(directory, &names, NULL, alphasort), n_seeds = 0;

	for (int i = 0; i < n; i++) {
		struct stat st;

		(void)snprintf(path, sizeof(path), "%s/%s", directory, names[i]->d_name);
		if (stat(path, &st) == 0 && S_ISREG(st.st_mode)) {
			tap_ok(replay_file(path), "%s, cut and changed at every byte", names[i]->d_name);
			n_seeds++;
		}
		free(names[i]);
	}
	if (n >= 0)
		free(names);
	tap_ok(n_seeds > 0, "there are seeds in %s", directory);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		replay_directory(argv[i]);
	return tap_done();
}
