/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Identifiers: their forms, their bounds, that no character of a random one is preferred, and that one of a
 * name never changes.
 */
#include "lib/ident.h"

#include "../tap.h"

static void test_ident(void)
{
	char id[24], again[24];

	tap_is_int(ident_new("ep-", id, sizeof(id)), 0, "an id fits in prefix + 21 bytes");
	tap_ok(str_starts(id, "ep-") && strlen(id) == 23, "it has its prefix and 20 characters");
	tap_is_int((int)strspn(id + 3, "abcdefghijklmnopqrstuvwxyz0123456789"), 20, "they are a-z and 0-9");
	tap_is_int(ident_new("ep-", again, sizeof(again)), 0, "another id");
	tap_ok(!streq(id, again), "two ids differ");
	tap_is_int(ident_new("ep-", id, sizeof(id) - 1), -E2BIG, "one byte less is refused");
	tap_is_int(ident_new("ep-", id, 2), -E2BIG, "a buffer smaller than the prefix is refused");
}

static void test_of_name(void)
{
	static const char name[] = "com.aliyuncs.privatelink.cn-hangzhou.pai-dlc";
	char id[24], other[24];

	tap_is_int(ident_of("ep-", name, id, sizeof(id)), 0, "an id of a name fits in prefix + 21 bytes");
	tap_is_str(id, "ep-p09bobpu3qbe4jbzklm8", "it is the same on every machine and in every version");
	tap_is_int((int)strspn(id + 3, "abcdefghijklmnopqrstuvwxyz0123456789"), 20, "they are a-z and 0-9");
	tap_ok(ident_of("ep-", "com.aliyuncs.privatelink.cn-hangzhou.pai-dsw", other, sizeof(other)) == 0 &&
		       !streq(id, other),
	       "another name has another one");
	tap_is_int(ident_of("ep-", name, id, sizeof(id) - 1), -E2BIG, "one byte less is refused");
	tap_is_int(ident_of("ep-", name, id, 2), -E2BIG, "a buffer smaller than the prefix is refused");
}

static void test_uuid(void)
{
	char uuid[UUID_TEXT_SIZE];
	int wrong = 0;

	for (int i = 0; i < 1000; i++) {
		wrong += uuid_new(uuid) < 0 || strlen(uuid) != 36 || strspn(uuid, "0123456789ABCDEF-") != 36;
		wrong += uuid[8] != '-' || uuid[13] != '-' || uuid[18] != '-' || uuid[23] != '-';
		wrong += uuid[14] != '4' || !strchr("89AB", uuid[19]);
	}
	tap_is_int(wrong, 0, "1000 UUIDs are of version 4 in upper case (%s)", uuid);
}

static void test_distribution(void)
{
	int counts[256] = {}, low = 62000, high = 0;
	static char text[62 * 1000 + 1];

	tap_is_int(random_text(text, sizeof(text) - 1), 0, "62000 random letters and digits");
	tap_is_int((int)strlen(text), 62000, "they are all there");
	for (const char *p = text; *p; p++)
		counts[(unsigned char)*p]++;
	for (int c = 0; c < 256; c++) {
		if (counts[c] == 0)
			continue;
		low = MIN(low, counts[c]);
		high = MAX(high, counts[c]);
	}
	/* Standard deviation 31 around 1000: eight of them are never seen. */
	tap_ok(low > 750 && high < 1250, "none of the 62 is preferred (%d to %d of 1000 expected)", low,
	       high);
}

int main(void)
{
	uint8_t a[300], b[300];

	test_ident();
	test_of_name();
	test_uuid();
	test_distribution();
	tap_ok(random_bytes(a, sizeof(a)) == 0 && random_bytes(b, sizeof(b)) == 0 &&
		       memcmp(a, b, sizeof(a)) != 0,
	       "random bytes are there and differ");
	return tap_done();
}
