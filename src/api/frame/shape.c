/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See shape.h. Values go in through answer_object(), which keeps in mind that memory ran out; a list that
 * could not grow is emptied and gets a marked object instead, so that no caller takes half a list for the
 * whole.
 */
#include "shape.h"

#include "action.h"

json_t *shape_list(json_t *object, const char *name)
{
	answer_object(object, name, json_array());
	return json_object_get(object, name);
}

json_t *shape_object(json_t *object, const char *name)
{
	answer_object(object, name, json_object());
	return json_object_get(object, name);
}

json_t *shape_wrapped(json_t *object, const char *outer, const char *inner)
{
	return shape_list(shape_object(object, outer), inner);
}

static void spoil(json_t *list)
{
	json_t *mark;

	(void)json_array_clear(list);
	mark = json_object();
	answer_object(mark, "list", NULL);
	(void)json_array_append_new(list, mark);
}

json_t *shape_item(json_t *list)
{
	json_t *item = json_object();

	if (json_array_append_new(list, item) == 0)
		return item;
	spoil(list);
	return NULL;
}

void shape_text(json_t *list, const char *text)
{
	if (json_array_append_new(list, json_string(text)) < 0)
		spoil(list);
}

void shape_number(json_t *list, int64_t number)
{
	if (json_array_append_new(list, json_integer(number)) < 0)
		spoil(list);
}
