/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Members of answers. Handlers add them without looking at results. If one cannot be added, its object is
 * emptied, which frees memory, and gets a mark instead; answer_complete() looks for marks once, at the end of
 * the call.
 */
#include "answer.h"

#include "action.h"

#define MARK "!"

static void set(json_t *object, const char *name, json_t *value)
{
	if (json_object_set_new(object, name, value) == 0)
		return;
	(void)json_object_clear(object);
	(void)json_object_set(object, MARK, json_true());
}

void answer_string(json_t *object, const char *name, const char *value)
{
	set(object, name, json_string(value ? value : ""));
}

void answer_int(json_t *object, const char *name, int64_t value)
{
	set(object, name, json_integer(value));
}

void answer_bool(json_t *object, const char *name, bool value)
{
	set(object, name, json_boolean(value));
}

void answer_time(json_t *object, const char *name, int64_t unix_s)
{
	char text[TIME_TEXT_SIZE];

	time_format(unix_s, text);
	answer_string(object, name, text);
}

void answer_object(json_t *object, const char *name, json_t *value)
{
	set(object, name, value);
}

bool answer_complete(const json_t *answer)
{
	const char *name;
	json_t *value;
	size_t i;

	if (json_is_array(answer)) {
		json_array_foreach(answer, i, value)
			if (!answer_complete(value))
				return false;
		return true;
	}
	if (!json_is_object(answer))
		return true;
	if (json_object_get(answer, MARK))
		return false;
	json_object_foreach((json_t *)answer, name, value)
		if (!answer_complete(value))
			return false;
	return true;
}
