/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads the catalogue. It is an operator's file, so whatever is wrong with it is said with the place
 * ("regions[3] .zones[0].id: …"), and members that nobody knows are refused: a mistyped one would be lost
 * silently otherwise.
 */
#include "catalogue.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../lib/ident.h"
#include "check.h"

#define PLACE_SIZE	   64
#define REGION_PLACEHOLDER "{RegionId}"
#define SERVICE_ID_PREFIX  "epsrv-"
#define SERVICE_ID_MIN	   20 /* characters behind the prefix */
#define SERVICE_ID_MAX	   21
#define FILE_MAX	   ((size_t)16 * 1024 * 1024)
#define READ_STEP	   ((size_t)256 * 1024)

/* Where the reader is and where it tells what is wrong. */
struct reader {
	char place[PLACE_SIZE];
	char *why;
	size_t why_size;
};

static int _printf_(2, 3) complain(struct reader *reader, const char *format, ...)
{
	char text[TEXT_SIZE];
	va_list ap;

	va_start(ap, format);
	(void)vsnprintf(text, sizeof(text), format, ap);
	va_end(ap);
	(void)snprintf(reader->why, reader->why_size, "%s%s%s", reader->place, *reader->place ? ": " : "",
		       text);
	return -EINVAL;
}

/* Copies the text member `name`; it must be there, not empty, and fit. */
static int read_text(struct reader *reader, const json_t *object, const char *name, char *dst, size_t size)
{
	const char *s = json_string_value(json_object_get(object, name));

	if (!s || *s == '\0')
		return complain(reader, "\"%s\" must be a text", name);
	if (utf8_length(s) < 0)
		return complain(reader, "\"%s\" has control characters", name);
	if (str_copy(dst, size, s) < 0)
		return complain(reader, "\"%s\" is longer than %zu bytes", name, size - 1);
	return 0;
}

/* An id: lower-case letters, digits, '-' inside. */
static int read_id(struct reader *reader, const json_t *object, const char *name, char *dst, size_t size)
{
	int r = read_text(reader, object, name, dst, size);

	if (r < 0)
		return r;
	for (const char *p = dst; *p; p++)
		if (!((*p >= 'a' && *p <= 'z') || (*p >= '0' && *p <= '9') || (*p == '-' && p > dst && p[1])))
			return complain(reader, "\"%s\": \"%s\" may have a-z, 0-9 and inner '-' only", name,
					dst);
	return 0;
}

static int read_bool(struct reader *reader, const json_t *object, const char *name, bool *ret)
{
	const json_t *value = json_object_get(object, name);

	if (!json_is_boolean(value))
		return complain(reader, "\"%s\" must be true or false", name);
	*ret = json_is_true(value);
	return 0;
}

/* The array member `name`, with one element at least. */
static int read_array(struct reader *reader, const json_t *object, const char *name, const json_t **ret)
{
	const json_t *array = json_object_get(object, name);

	if (!json_is_array(array) || json_array_size(array) == 0)
		return complain(reader, "\"%s\" must be a list with an element at least", name);
	*ret = array;
	return 0;
}

/* An object with members from `names` (NULL-terminated) only. */
static int expect_object(struct reader *reader, const json_t *json, const char *const *names)
{
	const char *name;
	json_t *value;

	if (!json_is_object(json))
		return complain(reader, "must be an object");
	json_object_foreach((json_t *)json, name, value) {
		const char *const *known = names;

		while (*known && !streq(*known, name))
			known++;
		if (!*known)
			return complain(reader, "there is no member \"%s\"", name);
	}
	return 0;
}

static int read_zone(struct reader *reader, const json_t *json, struct catalogue_region *region)
{
	static const char *const names[] = {"id", "local_name", NULL};
	struct catalogue_zone *zone = &region->zones[region->n_zones];
	int r;

	r = expect_object(reader, json, names);
	if (r == 0)
		r = read_id(reader, json, "id", zone->id, sizeof(zone->id));
	if (r == 0)
		r = read_text(reader, json, "local_name", zone->local_name, sizeof(zone->local_name));
	if (r < 0)
		return r;
	if (!str_starts(zone->id, region->id))
		return complain(reader, "zone \"%s\" does not begin with its region's id", zone->id);
	for (size_t i = 0; i < region->n_zones; i++)
		if (streq(region->zones[i].id, zone->id))
			return complain(reader, "zone \"%s\" is there twice", zone->id);
	region->n_zones++;
	return 0;
}

static int read_region(struct reader *reader, const json_t *json, size_t index, struct catalogue *c)
{
	static const char *const names[] = {"id", "local_name", "zones", NULL};
	struct catalogue_region *region = &c->regions[index];
	const json_t *zones = NULL;
	int r;

	r = expect_object(reader, json, names);
	if (r < 0)
		return r;
	r = read_id(reader, json, "id", region->id, sizeof(region->id));
	if (r < 0)
		return r;
	r = read_text(reader, json, "local_name", region->local_name, sizeof(region->local_name));
	if (r < 0)
		return r;
	r = read_array(reader, json, "zones", &zones);
	if (r < 0)
		return r;
	for (size_t i = 0; i < index; i++)
		if (streq(c->regions[i].id, region->id))
			return complain(reader, "region \"%s\" is there twice", region->id);

	region->zones = calloc(json_array_size(zones), sizeof(*region->zones));
	if (!region->zones)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(zones); i++) {
		(void)str_format(reader->place, PLACE_SIZE, "regions[%zu].zones[%zu]", index, i);
		r = read_zone(reader, json_array_get(zones, i), region);
	}
	return r;
}

/* A pattern must name the region exactly once: a name must tell the region that it belongs to. */
static int read_pattern(struct reader *reader, const json_t *object, const char *name, char *dst, size_t size)
{
	const char *found;
	int r;

	r = read_text(reader, object, name, dst, size);
	if (r < 0)
		return r;
	found = strstr(dst, REGION_PLACEHOLDER);
	if (!found || strstr(found + 1, REGION_PLACEHOLDER))
		return complain(reader, "\"%s\" must contain " REGION_PLACEHOLDER " once", name);
	return 0;
}

static int read_service_regions(struct reader *reader, const json_t *list, const struct catalogue *c,
				struct catalogue_service *service)
{
	size_t n = json_array_size(list);

	service->regions = calloc(n, sizeof(*service->regions));
	service->ids = calloc(n, sizeof(*service->ids));
	if (!service->regions || !service->ids)
		return -ENOMEM;
	for (size_t i = 0; i < n; i++) {
		const char *region = json_string_value(json_array_get(list, i));
		char expanded[DOMAIN_SIZE];

		if (!region || !catalogue_region(c, region))
			return complain(reader, "regions[%zu]: \"%s\" is not a region of the catalogue", i,
					region ? region : "");
		if (catalogue_service_in(service, region))
			return complain(reader, "regions[%zu]: \"%s\" is there twice", i, region);
		if (catalogue_expand(service->name, region, expanded, SERVICE_NAME_SIZE) < 0 ||
		    catalogue_expand(service->domain, region, expanded, DOMAIN_SIZE) < 0)
			return complain(reader, "regions[%zu]: the names for \"%s\" are too long", i, region);
		(void)str_copy(service->regions[service->n_regions++], REGION_SIZE, region);
	}
	return 0;
}

static bool is_service_id(const char *id)
{
	const char *s = id + strlen(SERVICE_ID_PREFIX);
	size_t n;

	if (!str_starts(id, SERVICE_ID_PREFIX))
		return false;
	n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789");
	return s[n] == '\0' && n >= SERVICE_ID_MIN && n <= SERVICE_ID_MAX;
}

/* The member "ids": by region, for those regions whose service is to have an id that was chosen. */
static int read_service_ids(struct reader *reader, const json_t *json, struct catalogue_service *service)
{
	json_t *ids = json_object_get(json, "ids"), *value;
	const char *region;

	if (!ids)
		return 0;
	if (!json_is_object(ids))
		return complain(reader, "\"ids\" must be an object: an id for each region");
	json_object_foreach(ids, region, value) {
		const char *id = json_string_value(value);
		size_t i = 0;

		while (i < service->n_regions && !streq(service->regions[i], region))
			i++;
		if (i == service->n_regions)
			return complain(reader, "ids: \"%s\" is none of the service's regions", region);
		if (!id || !is_service_id(id))
			return complain(reader,
					"ids: that for \"%s\" must be \"" SERVICE_ID_PREFIX
					"\" and 20 or 21 of a-z and 0-9",
					region);
		(void)str_copy(service->ids[i], ID_SIZE, id);
	}
	return 0;
}

static int read_service(struct reader *reader, const json_t *json, size_t index, struct catalogue *c)
{
	static const char *const names[] = {"product",		"name",	   "domain", "description",
					    "policy_supported", "regions", "ids",    NULL};
	struct catalogue_service *service = &c->services[index];
	const json_t *regions = NULL;
	int r;

	r = expect_object(reader, json, names);
	if (r < 0)
		return r;
	r = read_id(reader, json, "product", service->product, sizeof(service->product));
	if (r < 0)
		return r;
	r = read_pattern(reader, json, "name", service->name, sizeof(service->name));
	if (r < 0)
		return r;
	r = read_pattern(reader, json, "domain", service->domain, sizeof(service->domain));
	if (r < 0)
		return r;
	r = read_text(reader, json, "description", service->description, sizeof(service->description));
	if (r < 0)
		return r;
	r = read_bool(reader, json, "policy_supported", &service->policy_supported);
	if (r < 0)
		return r;
	r = read_array(reader, json, "regions", &regions);
	if (r < 0)
		return r;
	for (size_t i = 0; i < index; i++)
		if (streq(c->services[i].product, service->product) ||
		    streq(c->services[i].name, service->name) ||
		    streq(c->services[i].domain, service->domain))
			return complain(reader, "product, name or domain is that of services[%zu], too", i);
	r = read_service_regions(reader, regions, c, service);
	return r < 0 ? r : read_service_ids(reader, json, service);
}

/* How many services of the catalogue have that id, in some region. */
static size_t count_id(const struct catalogue *c, const char *id)
{
	char other[ID_SIZE];
	size_t n = 0;

	for (size_t i = 0; i < c->n_services; i++)
		for (size_t k = 0; k < c->services[i].n_regions; k++)
			n += catalogue_service_id(&c->services[i], k, other) == 0 && streq(other, id);
	return n;
}

static int check_service_ids(struct reader *reader, const struct catalogue *c)
{
	for (size_t i = 0; i < c->n_services; i++)
		for (size_t k = 0; k < c->services[i].n_regions; k++) {
			const char *id = c->services[i].ids[k];

			(void)str_format(reader->place, PLACE_SIZE, "services[%zu]", i);
			if (*id && count_id(c, id) > 1)
				return complain(reader, "ids: \"%s\" is there twice", id);
		}
	return 0;
}

static int read_root(struct reader *reader, const json_t *root, struct catalogue *c)
{
	static const char *const names[] = {"regions", "services", NULL};
	const json_t *regions = NULL, *services = NULL;
	int r;

	r = expect_object(reader, root, names);
	if (r == 0)
		r = read_array(reader, root, "regions", &regions);
	if (r == 0)
		r = read_array(reader, root, "services", &services);
	if (r < 0)
		return r;

	c->regions = calloc(json_array_size(regions), sizeof(*c->regions));
	c->services = calloc(json_array_size(services), sizeof(*c->services));
	if (!c->regions || !c->services)
		return -ENOMEM;
	for (size_t i = 0; r == 0 && i < json_array_size(regions); i++) {
		(void)str_format(reader->place, PLACE_SIZE, "regions[%zu]", i);
		c->n_regions = i + 1;
		r = read_region(reader, json_array_get(regions, i), i, c);
	}
	for (size_t i = 0; r == 0 && i < json_array_size(services); i++) {
		(void)str_format(reader->place, PLACE_SIZE, "services[%zu]", i);
		c->n_services = i + 1;
		r = read_service(reader, json_array_get(services, i), i, c);
	}
	return r < 0 ? r : check_service_ids(reader, c);
}

/* Up to the end, wherever stat() says that is. */
static int read_rest(struct reader *reader, int fd, char **ret, size_t *ret_size)
{
	_cleanup_(freep) char *text = NULL;
	size_t size = 0, room = 0;
	ssize_t n;

	do {
		if (size == room) {
			char *larger = realloc(text, room + READ_STEP);

			if (!larger)
				return -ENOMEM;
			text = larger;
			room += READ_STEP;
		}
		n = read(fd, text + size, room - size);
		if (n < 0 && errno != EINTR)
			return -errno;
		size += n > 0 ? (size_t)n : 0;
		if (size > FILE_MAX)
			return complain(reader, "it is larger than %zu MiB", FILE_MAX >> 20);
	} while (n != 0);
	*ret = TAKE_PTR(text);
	*ret_size = size;
	return 0;
}

/* By ourselves: jansson takes an error of reading for the end of the text. Never waits: pipes and devices are
 * refused. */
static int read_file(struct reader *reader, const char *path, char **ret, size_t *ret_size)
{
	_cleanup_(closep) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct stat st;
	int r = fd < 0 || fstat(fd, &st) < 0 ? -errno : 0;

	if (r == 0 && !S_ISREG(st.st_mode))
		return complain(reader, "it is no file");
	if (r == 0)
		r = read_rest(reader, fd, ret, ret_size);
	if (r < 0 && r != -EINVAL)
		(void)complain(reader, "cannot read %s: %s", path, strerror(-r));
	return r;
}

/* Where jansson had no memory it finds fault with the text, or says nothing. */
static int parse(struct reader *reader, const char *text, size_t size, json_t **ret)
{
	json_error_t error;

	errno = 0;
	*ret = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (*ret)
		return 0;
	if (errno == ENOMEM)
		return -ENOMEM;
	return complain(reader, "line %d, column %d: %s", error.line, error.column, error.text);
}

int catalogue_load(const char *path, struct catalogue **ret, char *ret_why, size_t why_size)
{
	struct reader reader = {.why = ret_why, .why_size = why_size};
	_cleanup_(freep) char *text = NULL;
	struct catalogue *catalogue;
	size_t size = 0;
	json_t *root;
	int r;

	(void)str_copy(ret_why, why_size, "");
	r = read_file(&reader, path, &text, &size);
	if (r == 0)
		r = parse(&reader, text, size, &root);
	if (r < 0)
		return r;
	catalogue = calloc(1, sizeof(*catalogue));
	r = catalogue ? read_root(&reader, root, catalogue) : -ENOMEM;
	json_decref(root);
	if (r < 0) {
		(void)catalogue_free(catalogue);
		return r;
	}
	*ret = catalogue;
	return 0;
}

struct catalogue *catalogue_free(struct catalogue *catalogue)
{
	if (!catalogue)
		return NULL;
	for (size_t i = 0; i < catalogue->n_regions; i++)
		free(catalogue->regions[i].zones);
	for (size_t i = 0; i < catalogue->n_services; i++) {
		free(catalogue->services[i].regions);
		free(catalogue->services[i].ids);
	}
	free(catalogue->regions);
	free(catalogue->services);
	free(catalogue);
	return NULL;
}

const struct catalogue_region *catalogue_region(const struct catalogue *c, const char *region)
{
	for (size_t i = 0; i < c->n_regions; i++)
		if (streq(c->regions[i].id, region))
			return &c->regions[i];
	return NULL;
}

const struct catalogue_zone *catalogue_zone(const struct catalogue *c, const char *region, const char *zone)
{
	const struct catalogue_region *found = catalogue_region(c, region);

	for (size_t i = 0; found && i < found->n_zones; i++)
		if (streq(found->zones[i].id, zone))
			return &found->zones[i];
	return NULL;
}

int catalogue_expand(const char *pattern, const char *region, char *ret, size_t size)
{
	const char *found = strstr(pattern, REGION_PLACEHOLDER);
	int r;

	if (!found)
		r = str_copy(ret, size, pattern);
	else
		r = str_format(ret, size, "%.*s%s%s", (int)(found - pattern), pattern, region,
			       found + strlen(REGION_PLACEHOLDER));
	return r < 0 ? r : 0;
}

bool catalogue_service_in(const struct catalogue_service *service, const char *region)
{
	for (size_t i = 0; i < service->n_regions; i++)
		if (streq(service->regions[i], region))
			return true;
	return false;
}

int catalogue_service_id(const struct catalogue_service *service, size_t index, char *ret)
{
	char name[SERVICE_NAME_SIZE];
	int r;

	if (service->ids[index][0])
		return str_copy(ret, ID_SIZE, service->ids[index]) < 0 ? -E2BIG : 0;
	r = catalogue_expand(service->name, service->regions[index], name, sizeof(name));
	return r < 0 ? r : ident_of(SERVICE_ID_PREFIX, name, ret, ID_SIZE);
}

const struct catalogue_service *catalogue_service_by_name(const struct catalogue *c, const char *name,
							  char *ret_region)
{
	char expanded[SERVICE_NAME_SIZE];

	for (size_t i = 0; i < c->n_services; i++)
		for (size_t k = 0; k < c->n_regions; k++) {
			const char *region = c->regions[k].id;

			if (catalogue_expand(c->services[i].name, region, expanded, sizeof(expanded)) < 0 ||
			    !streq(expanded, name))
				continue;
			(void)str_copy(ret_region, REGION_SIZE, region);
			return &c->services[i];
		}
	return NULL;
}
