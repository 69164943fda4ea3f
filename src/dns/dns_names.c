/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The sources are asked in turn, and the first one that knows the name has it: the plan, the asker's own host
 * name, names that RFC 6761 and RFC 7686 keep from leaving a machine, reverse names of addresses that are
 * private or the VPC's.
 */
#include "dns_names.h"

#include <string.h>
#include <strings.h>

#include "../lib/vec.h"
#include "dns_reverse.h"

static int name_compare(const struct plan_name *name, uint32_t vpc, const char *text)
{
	if (name->vpc != vpc)
		return name->vpc < vpc ? -1 : 1;
	return plan_domain_compare(name->name, text);
}

/* The first name of the plan that is not before (vpc, text). */
static size_t name_bound(const struct plan *plan, uint32_t vpc, const char *text)
{
	return LOWER_BOUND(i, plan->n_names, name_compare(plan->names[i], vpc, text) < 0);
}

static const struct plan_name *find_name(const struct plan *plan, uint32_t vpc, const char *text)
{
	size_t i = name_bound(plan, vpc, text);

	return i < plan->n_names && name_compare(plan->names[i], vpc, text) == 0 ? plan->names[i] : NULL;
}

/* Whether names of the VPC stand below this one: then it exists, without data. */
static bool has_names_below(const struct plan *plan, uint32_t vpc, const char *text)
{
	char below[DOMAIN_SIZE + 3];
	size_t i;

	if (str_format(below, sizeof(below), ".%s", text) < 0)
		return false;
	i = name_bound(plan, vpc, below);
	return i < plan->n_names && plan->names[i]->vpc == vpc && str_ends(plan->names[i]->name, below);
}

static const struct plan_domain *find_domain(const struct plan *plan, const char *text)
{
	size_t place = LOWER_BOUND(i, plan->n_domains, strcmp(plan->domains[i].name, text) < 0);

	return place < plan->n_domains && streq(plan->domains[place].name, text) ? &plan->domains[place]
										 : NULL;
}

/* Where the domain begins that the name is at or below. */
static const char *domain_of(const struct plan *plan, const char *text)
{
	for (const char *p = text; p; p = strchr(p, '.') ? strchr(p, '.') + 1 : NULL)
		if (find_domain(plan, p))
			return p;
	return NULL;
}

static bool find_in_plan(const struct plan *plan, uint32_t vpc, const char *text, struct dns_found *ret)
{
	const char *domain = domain_of(plan, text);

	ret->name = find_name(plan, vpc, text);
	ret->exists = ret->name || (domain && has_names_below(plan, vpc, text));
	ret->zone = domain ? domain : ret->name ? text : NULL;
	return ret->zone;
}

/* As the instance's /etc/hosts has it, which says nothing to who asks for another type. */
static bool find_own(const struct plan_port *asker, const char *text, struct dns_found *ret)
{
	if (!*asker->host_name || strcasecmp(asker->host_name, text) != 0)
		return false;
	ret->own.addrs = (struct netaddr *)&asker->addr; /* is only read */
	ret->own.n_addrs = 1;
	ret->name = &ret->own;
	ret->exists = true;
	ret->zone = text;
	return true;
}

static bool find_special(const char *text, struct dns_found *ret)
{
	static const char *const nobodys[] = {"test", "invalid", "onion"};
	static struct netaddr loopback[] = {
		{{[10] = 0xff, [11] = 0xff, [12] = 127, [15] = 1}},
		{{[15] = 1}},
	};
	static const struct plan_name localhost = {.addrs = loopback, .n_addrs = ARRAY_SIZE(loopback)};
	const char *dot = strrchr(text, '.'), *last = dot ? dot + 1 : text;

	if (streq(last, "localhost")) {
		ret->name = &localhost;
		ret->exists = true;
		ret->zone = last;
	}
	for (size_t i = 0; i < ARRAY_SIZE(nobodys); i++)
		if (streq(last, nobodys[i])) {
			ret->exists = last == text;
			ret->zone = last;
		}
	return ret->zone;
}

static bool is_before(const struct plan_reverse *reverse, uint32_t vpc, const struct netaddr *addr)
{
	return reverse->vpc < vpc || (reverse->vpc == vpc && netaddr_compare(&reverse->addr, addr) < 0);
}

/* The first address of the VPC that is not before `addr`. */
static size_t reverse_bound(const struct plan *plan, uint32_t vpc, const struct netaddr *addr)
{
	return LOWER_BOUND(i, plan->n_reverse, is_before(&plan->reverse[i], vpc, addr));
}

/* The VPC's own addresses may be somebody else's outside. */
static bool find_reverse(const struct plan *plan, const struct plan_port *asker, const char *text,
			 struct dns_found *ret)
{
	uint32_t vpc = asker->row.vpc;
	struct dns_reverse reverse;
	size_t i;

	if (!dns_reverse_parse(text, &reverse))
		return false;
	ret->zone = dns_reverse_local_zone(text, &reverse);
	if (!ret->zone)
		ret->zone = dns_reverse_zone_of(text, &reverse, &asker->network);
	if (!ret->zone)
		return false;
	i = reverse_bound(plan, vpc, &reverse.prefix.addr);
	if (!reverse.strays && i < plan->n_reverse && plan->reverse[i].vpc == vpc &&
	    netprefix_contains(&reverse.prefix, &plan->reverse[i].addr)) {
		ret->exists = true;
		if (reverse.prefix.length == 128)
			ret->pointer = plan->reverse[i].name->name;
	}
	ret->exists |= ret->zone == text;
	return true;
}

void dns_names_find(const struct plan *plan, const struct plan_port *asker, const char *text,
		    struct dns_found *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (!find_in_plan(plan, asker->row.vpc, text, ret) && !find_own(asker, text, ret) &&
	    !find_special(text, ret))
		(void)find_reverse(plan, asker, text, ret);
}
