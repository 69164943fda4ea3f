/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The little of DNS that it takes (RFC 1035, section 4): one question, and A records among the answers. Names
 * in the answer are passed over, so a pointer is never followed.
 */
#include "connectivity_name.h"

#define HEADER_SIZE  12
#define FLAG_ANSWER  0x80
#define FLAG_RECURSE 0x01
#define TYPE_A	     1
#define CLASS_IN     1
#define RECORD_SIZE  10 /* behind its name */
#define LABEL_MAX    63

int connectivity_name_ask(const char *name, uint16_t id, uint8_t ret[CONNECTIVITY_QUERY_SIZE])
{
	const uint8_t header[HEADER_SIZE] = {(uint8_t)(id >> 8), (uint8_t)id, FLAG_RECURSE, 0, 0, 1};
	size_t used = HEADER_SIZE;

	memcpy(ret, header, sizeof(header));
	while (*name) {
		size_t length = strcspn(name, ".");

		if (length == 0 || length > LABEL_MAX || used + length > HEADER_SIZE + 253)
			return -EINVAL;
		ret[used++] = (uint8_t)length;
		memcpy(ret + used, name, length);
		used += length;
		name += length + (name[length] == '.');
	}
	memcpy(ret + used, (const uint8_t[]){0, 0, TYPE_A, 0, CLASS_IN}, 5);
	return (int)(used + 5);
}

static unsigned int u16(const uint8_t *p)
{
	return (unsigned int)p[0] << 8 | p[1];
}

/* Behind the name that begins there; 0: there is none. */
static size_t behind_name(const uint8_t *data, size_t size, size_t at)
{
	while (at < size) {
		if (data[at] == 0)
			return at + 1;
		if (data[at] >= 0xc0)
			return at + 2 <= size ? at + 2 : 0;
		if (data[at] > LABEL_MAX)
			return 0;
		at += (size_t)data[at] + 1;
	}
	return 0;
}

static int read_records(const uint8_t *data, size_t size, size_t at, unsigned int n,
			struct connectivity_addresses *ret)
{
	for (; n > 0; n--) {
		const uint8_t *record;
		size_t length;

		at = behind_name(data, size, at);
		if (at == 0 || size - at < RECORD_SIZE)
			return -EBADMSG;
		record = data + at;
		length = u16(record + 8);
		at += RECORD_SIZE;
		if (size - at < length)
			return -EBADMSG;
		if (u16(record) == TYPE_A && length == 4 && ret->n < CONNECTIVITY_ADDRESSES_MAX)
			ret->v[ret->n++] = u16(data + at) << 16 | u16(data + at + 2);
		at += length;
	}
	return 0;
}

int connectivity_name_read(const uint8_t *data, size_t size, uint16_t id, struct connectivity_addresses *ret)
{
	size_t at;

	*ret = (struct connectivity_addresses){};
	if (size < HEADER_SIZE)
		return -EBADMSG;
	if (u16(data) != id || !(data[2] & FLAG_ANSWER))
		return -EAGAIN;
	ret->rcode = data[3] & 0x0f;
	if (ret->rcode != 0)
		return 0;
	if (u16(data + 4) != 1)
		return -EBADMSG;
	at = behind_name(data, size, HEADER_SIZE);
	if (at == 0 || size - at < 4)
		return -EBADMSG;
	return read_records(data, size, at + 4, u16(data + 6), ret);
}
