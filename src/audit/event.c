/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a line says of a caller's texts is bounded, is UTF-8 whatever they were, and holds nothing that
 * somebody could sign with: neither signatures nor tokens nor anything that is called a secret. All but ASCII
 * is escaped, so that a line is one line, and harmless on a terminal.
 */
#include "event.h"

#include <stdio.h>
#include <time.h>

#include "../lib/codec.h"

#define REPLACEMENT "\xef\xbf\xbd" /* U+FFFD */

const char *const audit_kind_names[AUDIT_KIND_COUNT_] = {"Change", "Read", "Refused"};

/* Of signing; the line has members of its own for what it keeps of them. */
static const char *const left_out[] = {"Action",    "Version",		"Format",	  "AccessKeyId",
				       "Timestamp", "Signature",	"SignatureNonce", "SignatureMethod",
				       "RegionId",  "SignatureVersion", "SignatureType",  "SecurityToken"};

/* In any case, anywhere in a name. */
static const char *const secret_words[] = {"secret",	 "passwd",	  "password",
					   "privatekey", "userdata",	  "credential",
					   "signature",	 "securitytoken", "authorization"};

int64_t audit_now_ms(void)
{
	struct timespec now;

	(void)clock_gettime(CLOCK_REALTIME, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void audit_time_format(int64_t unix_ms, char ret[AUDIT_TIME_SIZE])
{
	char seconds[TIME_TEXT_SIZE];

	time_format(unix_ms / 1000, seconds);
	(void)str_format(ret, AUDIT_TIME_SIZE, "%.19s.%03dZ", seconds, (int)(unix_ms % 1000));
}

/* The text as UTF-8 of fewer than `size` bytes; what was cut ends with "…". */
static void clean(const char *text, char *ret, size_t size)
{
	static const char dots[] = "\xe2\x80\xa6";
	size_t length = 0;

	while (*text) {
		const char *next = text, *from = text;
		size_t n;

		if (utf8_next(&next) < 0) {
			next = text + 1;
			from = REPLACEMENT;
			n = strlen(REPLACEMENT);
		} else {
			n = (size_t)(next - text);
		}
		if (length + n + sizeof(dots) > size) {
			memcpy(ret + length, dots, sizeof(dots));
			return;
		}
		memcpy(ret + length, from, n);
		length += n;
		text = next;
	}
	ret[length] = '\0';
}

static bool has_secret_word(const char *text)
{
	for (size_t i = 0; i < ARRAY_SIZE(secret_words); i++)
		if (strcasestr(text, secret_words[i]))
			return true;
	return false;
}

/* Also a structure in JSON, of which some member is. */
static bool is_secret(const struct param *param)
{
	const char *value = param->value + strspn(param->value, " \t\r\n");

	return has_secret_word(param->name) || ((*value == '{' || *value == '[') && has_secret_word(value));
}

static bool is_left_out(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(left_out); i++)
		if (streq(name, left_out[i]))
			return true;
	return false;
}

struct parameters {
	json_t *object;
	size_t n, size, omitted;
};

static int add_parameter(struct parameters *to, const struct param *param)
{
	char name[AUDIT_NAME_SIZE], value[AUDIT_TEXT_SIZE] = "(hidden)";
	size_t size;

	if (is_left_out(param->name))
		return 0;
	clean(param->name, name, sizeof(name));
	if (!is_secret(param))
		clean(param->value, value, sizeof(value));
	size = strlen(name) + strlen(value);
	if (to->n == AUDIT_PARAMETERS_MAX || to->size + size > AUDIT_PARAMETERS_SIZE ||
	    json_object_get(to->object, name)) { /* the first one counts */
		to->omitted++;
		return 0;
	}
	to->n++;
	to->size += size;
	return json_object_set_new(to->object, name, json_string(value));
}

static int add_parameters(struct parameters *to, const struct params *params)
{
	int r = 0;

	for (size_t i = 0; params && r == 0 && i < params->n; i++)
		r = add_parameter(to, &params->v[i]);
	return r;
}

static int put(json_t *line, const char *name, json_t *value)
{
	return json_object_set_new(line, name, value);
}

/* What is not known has no member. */
static int put_text(json_t *line, const char *name, const char *text)
{
	char cleaned[AUDIT_TEXT_SIZE];

	if (!text || !*text)
		return 0;
	clean(text, cleaned, sizeof(cleaned));
	return put(line, name, json_string(cleaned));
}

static int put_parameters(json_t *line, const struct audit_event *event)
{
	struct parameters parameters = {.object = json_object()};
	int r = parameters.object ? 0 : -1;

	if (r == 0)
		r = add_parameters(&parameters, event->query);
	if (r == 0)
		r = add_parameters(&parameters, event->form);
	if (put(line, "Parameters", parameters.object) < 0)
		return -1;
	return r < 0 || parameters.omitted == 0
		       ? r
		       : put(line, "ParametersOmitted", json_integer((json_int_t)parameters.omitted));
}

static json_t *new_line(int64_t time_ms, enum audit_kind kind)
{
	char time[AUDIT_TIME_SIZE];

	audit_time_format(time_ms, time);
	return json_pack("{s:s, s:s}", "Time", time, "Kind", audit_kind_names[kind]);
}

static int put_all(json_t *line, const struct audit_event *event)
{
	const struct {
		const char *name, *text;
	} texts[] = {
		{"UserId", event->user},	   {"AccessKeyId", event->key_id},
		{"Product", event->product},	   {"Version", event->version},
		{"Action", event->action},	   {"RegionId", event->region},
		{"SourceAddress", event->address},
	};
	int r = put_text(line, "RequestId", event->request_id);

	if (r == 0 && event->account)
		r = put(line, "AccountId", json_integer(event->account));
	if (r == 0)
		r = put(line, "Signed", json_boolean(event->is_signed));
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(texts); i++)
		r = put_text(line, texts[i].name, texts[i].text);
	if (r == 0)
		r = put(line, "Https", json_boolean(event->https));
	if (r == 0)
		r = put_text(line, "UserAgent", event->user_agent);
	if (r == 0)
		r = put_parameters(line, event);
	if (r == 0)
		r = put(line, "Status", json_integer(event->status));
	if (r == 0)
		r = put_text(line, "Code", event->code ?: "OK");
	return r < 0 ? r : put(line, "DurationMs", json_integer(event->duration_ms));
}

/* Takes `line`. */
static char *finish(json_t *line)
{
	char *text = json_dumps(line, JSON_COMPACT | JSON_ENSURE_ASCII), *grown;
	size_t length;

	json_decref(line);
	if (!text)
		return NULL;
	length = strlen(text);
	grown = realloc(text, length + 2);
	if (!grown) {
		free(text);
		return NULL;
	}
	memcpy(grown + length, "\n", 2);
	return grown;
}

_Static_assert(9 * AUDIT_TEXT_SIZE * 6 + 1024 < AUDIT_LINE_MAX,
	       "a line without its parameters fits, also where each byte needs an escape");

char *audit_event_line(const struct audit_event *event)
{
	json_t *line = new_line(event->time_ms, event->kind);
	size_t n = (event->query ? event->query->n : 0) + (event->form ? event->form->n : 0);
	char *text;

	if (!line || put_all(line, event) < 0) {
		json_decref(line);
		return NULL;
	}
	text = finish(json_incref(line));
	if (text && strlen(text) > AUDIT_LINE_MAX) {
		free(text);
		text = NULL;
		if (json_object_del(line, "Parameters") == 0 &&
		    put(line, "ParametersOmitted", json_integer((json_int_t)n)) == 0)
			text = finish(json_incref(line));
	}
	json_decref(line);
	return text;
}

char *audit_omitted_line(enum audit_kind kind, uint64_t n, const char *why)
{
	json_t *line = new_line(audit_now_ms(), kind);

	if (!line || put(line, "Omitted", json_integer((json_int_t)n)) < 0 ||
	    put_text(line, "Why", why) < 0) {
		json_decref(line);
		return NULL;
	}
	return finish(line);
}
