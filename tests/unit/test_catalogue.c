/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The catalogue that we ship, and what the reader says about broken ones.
 */
#include "model/catalogue.h"

#include <stdio.h>
#include <unistd.h>

#include "../tap.h"

#define ZONES	"\"zones\": [{\"id\": \"xx-a-b\", \"local_name\": \"B\"}]"
#define REGIONS "\"regions\": [{\"id\": \"xx-a\", \"local_name\": \"A\", " ZONES "}]"
#define SERVICE_(name, domain, regions)                                                                      \
	"{\"product\": \"p\", \"name\": \"" name "\", \"domain\": \"" domain "\", \"description\": \"d\", "  \
	"\"policy_supported\": false, \"regions\": [" regions "]}"
#define WITH_IDS(ids)                                                                                        \
	"{" REGIONS ", \"services\": [{\"product\": \"p\", \"name\": \"n.{RegionId}.p\", \"domain\": "       \
	"\"p.{RegionId}.d\", \"description\": \"d\", \"policy_supported\": false, \"regions\": [\"xx-a\"], " \
	"\"ids\": " ids "}]}"
#define SERVICE SERVICE_("n.{RegionId}.p", "p.{RegionId}.d", "\"xx-a\"")
#define SERVICE_OF(product, id)                                                                              \
	"{\"product\": \"" product "\", \"name\": \"n.{RegionId}." product "\", \"domain\": \"" product      \
	".{RegionId}.d\", \"description\": \"d\", \"policy_supported\": false, \"regions\": [\"xx-a\"], "    \
	"\"ids\": {\"xx-a\": \"" id "\"}}"
#define ID_FORM	 "services[0]: ids: that for \"xx-a\" must be \"epsrv-\" and 20 or 21 of a-z and 0-9"
#define SERVICES "\"services\": [" SERVICE "]"

static int load_text(const char *text, struct catalogue **ret, char *ret_why, size_t why_size)
{
	char path[] = "/tmp/test-catalogue-XXXXXX";
	int fd = mkstemp(path), r;

	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		exit(EXIT_FAILURE);
	(void)close(fd);
	r = catalogue_load(path, ret, ret_why, why_size);
	(void)unlink(path);
	return r;
}

static void test_shipped(void)
{
	static const struct {
		const char *name, *domain, *region;
		bool offered;
	} services[] = {
		{"com.aliyuncs.privatelink.cn-hangzhou.pai-dlc", "pai-dlc-vpc.cn-hangzhou.aliyuncs.com",
		 "cn-hangzhou", true},
		{"com.aliyuncs.privatelink.cn-wulanchabu.aiworkspace",
		 "aiworkspace-vpc.cn-wulanchabu.aliyuncs.com", "cn-wulanchabu", true},
		{"com.aliyuncs.privatelink.cn-beijing.aiworkspace", "aiworkspace-vpc.cn-beijing.aliyuncs.com",
		 "cn-beijing", true},
		{"com.aliyuncs.privatelink.cn-shanghai.aiworkspace",
		 "aiworkspace-vpc.cn-shanghai.aliyuncs.com", "cn-shanghai", false},
		{"com.aliyuncs.privatelink.me-central-1.pai-dsw", "pai-dsw-vpc.me-central-1.aliyuncs.com",
		 "me-central-1", true},
		{"com.aliyuncs.privatelink.cn-chengdu.pai-dsw", "pai-dsw-vpc.cn-chengdu.aliyuncs.com",
		 "cn-chengdu", false},
		{"com.aliyuncs.privatelink.ap-southeast-8.pai-dlc", "pai-dlc-vpc.ap-southeast-8.aliyuncs.com",
		 "ap-southeast-8", true},
		{"com.aliyuncs.privatelink.eu-west-1.pai-dlc", "pai-dlc-vpc.eu-west-1.aliyuncs.com",
		 "eu-west-1", false},
	};
	char path[PATH_TEXT_SIZE], why[TEXT_SIZE], region[REGION_SIZE], domain[DOMAIN_SIZE];
	const char *root = getenv("PRIVLINK_SOURCE_ROOT");
	struct catalogue *c = NULL;

	(void)str_format(path, sizeof(path), "%s/data/catalogue.json", root ? root : ".");
	if (!tap_ok(catalogue_load(path, &c, why, sizeof(why)) == 0, "the shipped catalogue is read")) {
		tap_note("%s", why);
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(services); i++) {
		const struct catalogue_service *s = catalogue_service_by_name(c, services[i].name, region);

		if (!tap_ok(s, "%s is a service's name", services[i].name))
			continue;
		tap_is_str(region, services[i].region, "its region is told");
		tap_is_int(catalogue_expand(s->domain, region, domain, sizeof(domain)), 0,
			   "its domain is written");
		tap_is_str(domain, services[i].domain, "the domain is right");
		tap_is_int(catalogue_service_in(s, region), services[i].offered, "it is %soffered there",
			   services[i].offered ? "" : "not ");
	}
	tap_ok(!catalogue_service_by_name(c, "com.aliyuncs.privatelink.cn-mars.pai-dlc", region),
	       "no region, no service");
	tap_ok(!catalogue_service_by_name(c, "com.aliyuncs.privatelink.cn-hangzhou.pai-eas", region),
	       "no such product");
	tap_ok(!catalogue_service_by_name(c, "", region), "no name, no service");
	tap_ok(catalogue_zone(c, "cn-hangzhou", "cn-hangzhou-h") &&
		       catalogue_zone(c, "eu-west-1", "eu-west-1a") &&
		       catalogue_zone(c, "cn-wulanchabu", "cn-wulanchabu-a"),
	       "zones are there");
	tap_ok(!catalogue_zone(c, "cn-hangzhou", "cn-beijing-h") && !catalogue_zone(c, "x", "cn-hangzhou-h"),
	       "in their own region only");
	tap_is_int(catalogue_expand("{RegionId}", "cn-hangzhou", domain, 11), -E2BIG,
		   "a name that does not fit");
	tap_ok(catalogue_service_id(&c->services[1], 0, domain) == 0 &&
		       streq(c->services[1].regions[0], "cn-hangzhou"),
	       "a service of the catalogue has an id");
	tap_is_str(domain, "epsrv-p09bobpu3qbe4jbzklm8",
		   "that of pai-dlc in cn-hangzhou on every installation");
	for (size_t i = 0; i < c->n_regions; i++)
		if (c->regions[i].n_zones < 2)
			tap_ok(false, "%s has two zones", c->regions[i].id);
	tap_ok(!catalogue_free(c) && !catalogue_free(NULL), "it is freed");
}

static void test_broken(void)
{
	static const struct {
		const char *text, *why; /* NULL: good */
	} cases[] = {
		{"{" REGIONS ", " SERVICES "}", NULL},
		{"", "line 1, column 0: '[' or '{' expected near end of file"},
		{"{\"regions\": 1,\n \"regions\": 2}",
		 "line 2, column 10: duplicate object key near '\"regions\"'"},
		{"[]", "must be an object"},
		{"{" SERVICES "}", "\"regions\" must be a list with an element at least"},
		{"{" REGIONS ", \"services\": []}", "\"services\" must be a list with an element at least"},
		{"{" REGIONS ", " SERVICES ", \"x\": 1}", "there is no member \"x\""},
		{"{\"regions\": [1], " SERVICES "}", "regions[0]: must be an object"},
		{"{\"regions\": [{\"id\": \"X\", \"local_name\": \"A\", " ZONES "}], " SERVICES "}",
		 "regions[0]: \"id\": \"X\" may have a-z, 0-9 and inner '-' only"},
		{"{\"regions\": [{\"id\": \"xx-a\", " ZONES "}], " SERVICES "}",
		 "regions[0]: \"local_name\" must be a text"},
		{"{\"regions\": [{\"id\": \"xx-c\", \"local_name\": \"A\", " ZONES "}], " SERVICES "}",
		 "regions[0].zones[0]: zone \"xx-a-b\" does not begin with its region's id"},
		{"{\"regions\": [{\"id\": \"01234567890123456789012345678901\", \"local_name\": \"A\", " ZONES
		 "}], " SERVICES "}",
		 "regions[0]: \"id\" is longer than 31 bytes"},
		{"{" REGIONS ", \"services\": [" SERVICE ", " SERVICE "]}",
		 "services[1]: product, name or domain is that of services[0], too"},
		{"{" REGIONS ", \"services\": [" SERVICE_("n.p", "p.{RegionId}.d", "\"xx-a\"") "]}",
		 "services[0]: \"name\" must contain {RegionId} once"},
		{"{" REGIONS
		 ", \"services\": [" SERVICE_("n.{RegionId}", "{RegionId}{RegionId}", "\"xx-a\"") "]}",
		 "services[0]: \"domain\" must contain {RegionId} once"},
		{"{" REGIONS ", \"services\": [" SERVICE_("n.{RegionId}", "{RegionId}.d", "\"xx-b\"") "]}",
		 "services[0]: regions[0]: \"xx-b\" is not a region of the catalogue"},
		{"{" REGIONS
		 ", \"services\": [" SERVICE_("n.{RegionId}", "{RegionId}.d", "\"xx-a\", \"xx-a\"") "]}",
		 "services[0]: regions[1]: \"xx-a\" is there twice"},
		{WITH_IDS("{}"), NULL},
		{WITH_IDS("{\"xx-a\": \"epsrv-k1apjysze8u1l9t6uyg9\"}"), NULL},
		{WITH_IDS("{\"xx-a\": \"epsrv-k1apjysze8u1l9t6uyg9x\"}"), NULL},
		{WITH_IDS("\"epsrv-k1apjysze8u1l9t6uyg9\""),
		 "services[0]: \"ids\" must be an object: an id for each region"},
		{WITH_IDS("{\"xx-b\": \"epsrv-k1apjysze8u1l9t6uyg9\"}"),
		 "services[0]: ids: \"xx-b\" is none of the service's regions"},
		{WITH_IDS("{\"xx-a\": 5}"), ID_FORM},
		{WITH_IDS("{\"xx-a\": \"ep-k1apjysze8u1l9t6uyg9\"}"), ID_FORM},
		{WITH_IDS("{\"xx-a\": \"epsrv-k1apjysze8u1l9t6uyg\"}"), ID_FORM},
		{WITH_IDS("{\"xx-a\": \"epsrv-k1apjysze8u1l9t6uyg9xy\"}"), ID_FORM},
		{WITH_IDS("{\"xx-a\": \"epsrv-K1apjysze8u1l9t6uyg9\"}"), ID_FORM},
		{"{" REGIONS
		 ", \"services\": [" SERVICE_OF("p", "epsrv-k1apjysze8u1l9t6uyg9") ", " SERVICE_OF(
			 "q", "epsrv-k1apjysze8u1l9t6uyg9") "]}",
		 "services[0]: ids: \"epsrv-k1apjysze8u1l9t6uyg9\" is there twice"},
	};
	struct catalogue *c = NULL;
	char why[TEXT_SIZE];

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int r = load_text(cases[i].text, &c, why, sizeof(why));

		if (!cases[i].why) {
			tap_is_int(r, 0, "a small catalogue is read");
			c = catalogue_free(c);
			continue;
		}
		tap_is_int(r, -EINVAL, "a broken catalogue is refused");
		tap_is_str(why, cases[i].why, "it is told: %s", cases[i].why);
	}
	tap_is_int(catalogue_load("/nonexistent/catalogue.json", &c, why, sizeof(why)), -ENOENT,
		   "a missing file is told");
	tap_ok(strstr(why, "/nonexistent/catalogue.json"), "with its path: %s", why);
}

/* What the machine is to blame for is not the text's fault: it may be over the next time. */
static void test_files(void)
{
	struct catalogue *c = NULL;
	char why[TEXT_SIZE];

	/* No page is there at address 0: the kernel says EIO. */
	tap_is_int(catalogue_load("/proc/self/mem", &c, why, sizeof(why)), -EIO,
		   "an error of reading is no fault of the text: %s", why);
	tap_is_int(catalogue_load("/tmp", &c, why, sizeof(why)), -EINVAL, "a directory is no file");
	tap_is_str(why, "it is no file", "which is told");
	tap_is_int(catalogue_load("/dev/zero", &c, why, sizeof(why)), -EINVAL, "nor is a device");
}

static void test_size(void)
{
	char path[] = "/tmp/test-catalogue-XXXXXX", why[TEXT_SIZE];
	struct catalogue *c = NULL;
	int fd = mkstemp(path);

	if (fd < 0 || ftruncate(fd, 16 * 1024 * 1024 + 1) < 0)
		exit(EXIT_FAILURE);
	(void)close(fd);
	tap_is_int(catalogue_load(path, &c, why, sizeof(why)), -EINVAL, "a file without end is refused");
	tap_is_str(why, "it is larger than 16 MiB", "by its size");
	(void)unlink(path);
}

static unsigned int allocations_left;

static void *allocate(size_t size)
{
	if (allocations_left == 0) {
		errno = ENOMEM;
		return NULL;
	}
	allocations_left--;
	return malloc(size);
}

static void test_memory(void)
{
	struct catalogue *c = NULL;
	char why[TEXT_SIZE];
	unsigned int n = 0;
	int r = -ENOMEM;

	json_set_alloc_funcs(allocate, free);
	for (; r == -ENOMEM; n++) {
		allocations_left = n;
		r = load_text("{" REGIONS ", " SERVICES "}", &c, why, sizeof(why));
	}
	json_set_alloc_funcs(malloc, free);
	tap_ok(r == 0 && n > 10,
	       "without memory for one of %u things that is said, not a fault of the text: %s", n, why);
	catalogue_free(c);
}

int main(void)
{
	test_shipped();
	test_broken();
	test_files();
	test_size();
	test_memory();
	return tap_done();
}
