/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The header is read by hand, since what it says decides whether anything behind it is looked at, and so are
 * the records behind the question: ldns would read all that they hold and follow each pointer in it, which a
 * tenant makes as long as it likes. ldns reads the question, and writes the answers. An answer is
 * authoritative: addresses, no data, or no such name, the latter two with an SOA record, whose short TTL lets
 * whoever caches them ask again soon.
 *
 * Names are compared as texts in lower case, dots between labels. A byte that would be mistaken for such a
 * dot, or end the text, becomes one that no name of ours has.
 */
#include "dns_msg.h"

#include <ctype.h>
#include <ldns/ldns.h>

#include "dns_names.h"

#define FLAG_QR	       0x80 /* byte 2 */
#define FLAG_RD	       0x01 /* byte 2 */
#define OPCODE_MASK    0x78 /* byte 2 */
#define RCODE_MASK     0x0f /* byte 3 */
#define FLAG_RA	       0x80 /* byte 3 */
#define UDP_SIZE_PLAIN 512  /* without EDNS */
#define BADVERS_HIGH   1    /* extended rcode 16: its bits above the header's four */
#define NO_NAME_BYTE   '\x01'
#define RR_SIZE	       10 /* of a record behind its owner: type, class, TTL, size of its data */
#define BARE_SIZE_MAX  (DNS_MSG_HEADER_SIZE + LDNS_MAX_DOMAINLEN + 4) /* header and question */

static uint16_t get_u16(const uint8_t *p)
{
	return (uint16_t)(p[0] << 8 | p[1]);
}

uint16_t dns_msg_id(const uint8_t *message)
{
	return get_u16(message);
}

void dns_msg_set_id(uint8_t *message, uint16_t id)
{
	message[0] = (uint8_t)(id >> 8);
	message[1] = (uint8_t)id;
}

enum dns_msg_rcode dns_msg_rcode(const uint8_t *message)
{
	return message[3] & RCODE_MASK;
}

/* The end of a name that stands there in full, or 0: it does not end, is too long, or has a pointer, which no
 * question needs. */
static size_t name_end(const uint8_t *data, size_t size, size_t start)
{
	size_t i = start;

	while (i < size && data[i] != 0) {
		if (data[i] > 63)
			return 0;
		i += 1u + data[i];
	}
	return i < size && i - start < LDNS_MAX_DOMAINLEN ? i + 1 : 0;
}

/* The end of the only question, or 0: there is not exactly one, or it does not end. */
static size_t question_end(const uint8_t *data, size_t size)
{
	size_t end;

	if (size <= DNS_MSG_HEADER_SIZE || get_u16(data + 4) != 1)
		return 0;
	end = name_end(data, size, DNS_MSG_HEADER_SIZE);
	return end && end + 4 <= size ? end + 4 : 0;
}

/* What counts of a request's OPT. */
struct edns {
	bool is_there, dnssec_ok;
	uint8_t version;
	uint16_t udp_size;
};

/* The records behind the question, of which only an OPT says anything to us: one, of the root. What they hold
 * is passed over. */
static bool read_additional(const uint8_t *data, size_t size, size_t i, struct edns *ret)
{
	*ret = (struct edns){};
	for (uint16_t n = get_u16(data + 10); n > 0; n--) {
		bool is_root = i < size && data[i] == 0;
		const uint8_t *rr;

		i = name_end(data, size, i);
		if (!i || size - i < RR_SIZE)
			return false;
		rr = data + i;
		i += RR_SIZE + get_u16(rr + 8);
		if (i > size)
			return false;
		if (get_u16(rr) != LDNS_RR_TYPE_OPT)
			continue;
		if (ret->is_there || !is_root)
			return false;
		*ret = (struct edns){true, rr[6] & 0x80, rr[5], get_u16(rr + 2)};
	}
	return true;
}

/* How much its sender takes by UDP. */
static uint16_t udp_limit(const struct edns *edns)
{
	return (uint16_t)MIN(MAX(edns->udp_size, UDP_SIZE_PLAIN), DNS_MSG_UDP_SIZE);
}

size_t dns_msg_error(const uint8_t *request, size_t size, enum dns_msg_rcode rcode, uint8_t *ret)
{
	size_t end = question_end(request, size);

	if (end > DNS_MSG_REQUEST_SIZE_MAX)
		end = 0;
	memset(ret, 0, DNS_MSG_HEADER_SIZE);
	memcpy(ret, request, end ? end : 2);
	memset(ret + 6, 0, 6);
	ret[2] = FLAG_QR | (request[2] & (OPCODE_MASK | FLAG_RD));
	ret[3] = FLAG_RA | (uint8_t)rcode;
	return end ? end : DNS_MSG_HEADER_SIZE;
}

/* Answering */

struct answering {
	const struct dns_msg_request *request;
	ldns_pkt *in; /* header and question */
	struct edns edns;
	const ldns_rr *question;
	char name[DOMAIN_SIZE + 2]; /* lower case, without the last dot */
};

static void answering_done(struct answering *a)
{
	ldns_pkt_free(a->in);
}

static void name_text(const ldns_rdf *dname, char ret[DOMAIN_SIZE + 2])
{
	const uint8_t *data = ldns_rdf_data(dname);
	size_t size = MIN(ldns_rdf_size(dname), (size_t)LDNS_MAX_DOMAINLEN), n = 0;

	for (size_t i = 0; i < size && data[i] != 0; i += 1u + data[i]) {
		if (n)
			ret[n++] = '.';
		for (size_t j = i + 1; j <= i + data[i] && j < size; j++)
			ret[n++] = data[j] == '.' || data[j] == 0 ? NO_NAME_BYTE : (char)tolower(data[j]);
	}
	ret[n] = '\0';
}

static ldns_pkt *reply_new(const struct answering *a, enum dns_msg_rcode rcode)
{
	ldns_pkt *out = ldns_pkt_new();
	ldns_rr *question = ldns_rr_clone(a->question);

	if (!out || !question || !ldns_pkt_push_rr(out, LDNS_SECTION_QUESTION, question)) {
		ldns_rr_free(question);
		ldns_pkt_free(out);
		return NULL;
	}
	ldns_pkt_set_id(out, ldns_pkt_id(a->in));
	ldns_pkt_set_qr(out, true);
	ldns_pkt_set_rd(out, ldns_pkt_rd(a->in));
	ldns_pkt_set_cd(out, ldns_pkt_cd(a->in));
	ldns_pkt_set_ra(out, true);
	ldns_pkt_set_rcode(out, (ldns_pkt_rcode)rcode);
	if (a->edns.is_there) {
		ldns_pkt_set_edns_udp_size(out, DNS_MSG_UDP_SIZE);
		ldns_pkt_set_edns_do(out, a->edns.dnssec_ok);
	}
	return out;
}

static size_t size_limit(const struct answering *a)
{
	return a->request->tcp ? DNS_MSG_SIZE_MAX : udp_limit(&a->edns);
}

static void drop_section(ldns_pkt *out, ldns_pkt_section section)
{
	ldns_rr_list *list = section == LDNS_SECTION_ANSWER ? ldns_pkt_answer(out) : ldns_pkt_authority(out);

	ldns_rr_list_deep_free(list);
	if (section == LDNS_SECTION_ANSWER)
		ldns_pkt_set_answer(out, ldns_rr_list_new());
	else
		ldns_pkt_set_authority(out, ldns_rr_list_new());
	ldns_pkt_set_section_count(out, section, 0);
}

/* Writes the reply and frees it (NULL: out of memory, the request is to be answered by an error). */
static void reply_write(const struct answering *a, ldns_pkt *out, uint8_t *ret, size_t *ret_size)
{
	uint8_t *wire = NULL;
	size_t size = 0;

	*ret_size = 0;
	if (out && ldns_pkt2wire(&wire, out, &size) == LDNS_STATUS_OK && size > size_limit(a)) {
		free(wire);
		wire = NULL;
		drop_section(out, LDNS_SECTION_ANSWER);
		drop_section(out, LDNS_SECTION_AUTHORITY);
		ldns_pkt_set_tc(out, true);
		(void)ldns_pkt2wire(&wire, out, &size);
	}
	ldns_pkt_free(out);
	if (wire && size <= DNS_MSG_SIZE_MAX) {
		memcpy(ret, wire, size);
		*ret_size = size;
	} else {
		*ret_size = dns_msg_error(a->request->data, a->request->size, DNS_MSG_SERVFAIL, ret);
	}
	free(wire);
}

/* A record owned by `owner`, which it takes. */
static ldns_rr *record_new(ldns_rdf *owner, ldns_rr_type type)
{
	ldns_rr *rr = ldns_rr_new();

	if (!rr || !owner) {
		ldns_rdf_deep_free(owner);
		ldns_rr_free(rr);
		return NULL;
	}
	ldns_rr_set_owner(rr, owner);
	ldns_rr_set_type(rr, type);
	ldns_rr_set_class(rr, LDNS_RR_CLASS_IN);
	ldns_rr_set_ttl(rr, PLAN_NAME_TTL_S);
	return rr;
}

static bool record_push(ldns_rr *rr, ldns_rdf *rdf)
{
	if (rdf && ldns_rr_push_rdf(rr, rdf))
		return true;
	ldns_rdf_deep_free(rdf);
	return false;
}

static bool add_address(const struct answering *a, ldns_pkt *out, const struct netaddr *addr)
{
	bool v4 = netaddr_is_v4(addr);
	ldns_rr *rr = record_new(ldns_rdf_clone(ldns_rr_owner(a->question)),
				 v4 ? LDNS_RR_TYPE_A : LDNS_RR_TYPE_AAAA);

	if (!rr)
		return false;
	if (!record_push(rr, ldns_rdf_new_frm_data(v4 ? LDNS_RDF_TYPE_A : LDNS_RDF_TYPE_AAAA, v4 ? 4 : 16,
						   addr->bytes + (v4 ? 12 : 0))) ||
	    !ldns_pkt_push_rr(out, LDNS_SECTION_ANSWER, rr)) {
		ldns_rr_free(rr);
		return false;
	}
	return true;
}

/* The SOA of `zone`, whose serial is the plan's revision. */
static bool add_soa(const struct answering *a, ldns_pkt *out, ldns_pkt_section section, const char *zone)
{
	const uint32_t numbers[] = {(uint32_t)a->request->plan->revision, 3600, 600, 86400, PLAN_NAME_TTL_S};
	ldns_rr *rr = record_new(ldns_dname_new_frm_str(zone), LDNS_RR_TYPE_SOA);
	bool ok;

	if (!rr)
		return false;
	ok = record_push(rr, ldns_dname_new_frm_str(zone)) && record_push(rr, ldns_dname_new_frm_str(zone));
	for (size_t i = 0; i < ARRAY_SIZE(numbers) && ok; i++)
		ok = record_push(rr, ldns_native2rdf_int32(i ? LDNS_RDF_TYPE_PERIOD : LDNS_RDF_TYPE_INT32,
							   numbers[i]));
	if (!ok || !ldns_pkt_push_rr(out, section, rr)) {
		ldns_rr_free(rr);
		return false;
	}
	return true;
}

/* A record of the question's name whose data is a name: NS, PTR. */
static bool add_name(const struct answering *a, ldns_pkt *out, ldns_rr_type type, const char *target)
{
	ldns_rr *rr = record_new(ldns_rdf_clone(ldns_rr_owner(a->question)), type);

	if (!rr)
		return false;
	if (!record_push(rr, ldns_dname_new_frm_str(target)) ||
	    !ldns_pkt_push_rr(out, LDNS_SECTION_ANSWER, rr)) {
		ldns_rr_free(rr);
		return false;
	}
	return true;
}

static bool wants(const struct answering *a, ldns_rr_type type)
{
	ldns_rr_type wanted = ldns_rr_get_type(a->question);

	return wanted == type || wanted == LDNS_RR_TYPE_ANY;
}

static bool is_near(const struct answering *a, const struct plan_name *name, size_t i)
{
	return streq(name->zones[i], a->request->asker->zone);
}

static bool has_near(const struct answering *a, const struct plan_name *name)
{
	for (size_t i = 0; i < name->n_addrs; i++)
		if (is_near(a, name, i))
			return true;
	return false;
}

/* Adds the name's addresses, turned around; with affinity only those of the asker's zone, where there are
 * any. */
static bool add_addresses(const struct answering *a, ldns_pkt *out, const struct plan_name *name)
{
	bool only_near = name->affinity && has_near(a, name);

	for (size_t i = 0; i < name->n_addrs; i++) {
		size_t j = (i + a->request->rotation) % name->n_addrs;
		bool v4 = netaddr_is_v4(&name->addrs[j]);

		if ((!only_near || is_near(a, name, j)) &&
		    wants(a, v4 ? LDNS_RR_TYPE_A : LDNS_RR_TYPE_AAAA) &&
		    !add_address(a, out, &name->addrs[j]))
			return false;
	}
	return true;
}

/* What a zone has of its own: an SOA and, where its name is not a host's, a server. That one is called as the
 * zone is, as in RFC 6303: nobody is to ask it. */
static bool add_zone(const struct answering *a, ldns_pkt *out, const struct dns_found *found)
{
	bool is_host = found->name;

	if ((is_host ? ldns_rr_get_type(a->question) == LDNS_RR_TYPE_SOA : wants(a, LDNS_RR_TYPE_SOA)) &&
	    !add_soa(a, out, LDNS_SECTION_ANSWER, found->zone))
		return false;
	return is_host || !wants(a, LDNS_RR_TYPE_NS) || add_name(a, out, LDNS_RR_TYPE_NS, found->zone);
}

/* Adds all that the name has of what is asked for or, if that is nothing, the SOA. */
static bool add_records(const struct answering *a, ldns_pkt *out, const struct dns_found *found)
{
	if (found->name && !add_addresses(a, out, found->name))
		return false;
	if (found->pointer && wants(a, LDNS_RR_TYPE_PTR) &&
	    !add_name(a, out, LDNS_RR_TYPE_PTR, found->pointer))
		return false;
	if (found->exists && found->zone == a->name && !add_zone(a, out, found))
		return false;
	return ldns_pkt_ancount(out) > 0 || add_soa(a, out, LDNS_SECTION_AUTHORITY, found->zone);
}

/* An answer for a name that is ours. */
static void answer_name(const struct answering *a, const struct dns_found *found, uint8_t *ret,
			size_t *ret_size)
{
	ldns_pkt *out = reply_new(a, found->exists ? DNS_MSG_NOERROR : DNS_MSG_NXDOMAIN);

	if (out)
		ldns_pkt_set_aa(out, true);
	if (out && !add_records(a, out, found)) {
		ldns_pkt_free(out);
		out = NULL;
	}
	reply_write(a, out, ret, ret_size);
}

static void answer_rcode(const struct answering *a, enum dns_msg_rcode rcode, uint8_t *ret, size_t *ret_size)
{
	reply_write(a, reply_new(a, rcode), ret, ret_size);
}

/* Only addresses of ours are known; transfers and the like are nobody's to ask for. */
static bool type_is_refused(ldns_rr_type type)
{
	return type >= LDNS_RR_TYPE_TKEY && type <= LDNS_RR_TYPE_MAILA;
}

static enum dns_msg_verdict answer_question(struct answering *a, uint8_t *ret, size_t *ret_size)
{
	struct dns_found found;

	if (!a->request->asker || type_is_refused(ldns_rr_get_type(a->question))) {
		answer_rcode(a, DNS_MSG_REFUSED, ret, ret_size);
		return DNS_MSG_ANSWER;
	}
	dns_names_find(a->request->plan, a->request->asker, a->name, &found);
	if (found.zone) {
		answer_name(a, &found, ret, ret_size);
		return DNS_MSG_ANSWER;
	}
	if (ldns_pkt_rd(a->in))
		return DNS_MSG_FORWARD;
	answer_rcode(a, DNS_MSG_REFUSED, ret, ret_size);
	return DNS_MSG_ANSWER;
}

static enum dns_msg_verdict answer_error(const struct dns_msg_request *request, enum dns_msg_rcode rcode,
					 uint8_t *ret, size_t *ret_size)
{
	*ret_size = dns_msg_error(request->data, request->size, rcode, ret);
	return DNS_MSG_ANSWER;
}

/* One question, and behind it at most OPT and a signature that we do not read. */
static bool counts_are_sane(const uint8_t *data)
{
	return get_u16(data + 4) == 1 && get_u16(data + 6) == 0 && get_u16(data + 8) == 0 &&
	       get_u16(data + 10) <= 2;
}

/* Header and question, to where it ends, as if nothing stood behind it. */
static bool read_question(struct answering *a, size_t end)
{
	uint8_t bare[BARE_SIZE_MAX];

	memcpy(bare, a->request->data, end);
	memset(bare + 6, 0, 6);
	return ldns_wire2pkt(&a->in, bare, end) == LDNS_STATUS_OK;
}

/* All of a request behind its header. */
static bool read_request(struct answering *a)
{
	const struct dns_msg_request *request = a->request;
	size_t end = question_end(request->data, request->size);

	return end && request->size <= DNS_MSG_REQUEST_SIZE_MAX && counts_are_sane(request->data) &&
	       read_additional(request->data, request->size, end, &a->edns) && read_question(a, end);
}

enum dns_msg_verdict dns_msg_answer(const struct dns_msg_request *request, uint8_t *ret, size_t *ret_size)
{
	_cleanup_(answering_done) struct answering a = {.request = request};
	const uint8_t *data = request->data;

	if (request->size < DNS_MSG_HEADER_SIZE || data[2] & FLAG_QR)
		return DNS_MSG_SILENCE;
	if (data[2] & OPCODE_MASK)
		return answer_error(request, DNS_MSG_NOTIMP, ret, ret_size);
	if (!read_request(&a))
		return answer_error(request, DNS_MSG_FORMERR, ret, ret_size);

	a.question = ldns_rr_list_rr(ldns_pkt_question(a.in), 0);
	name_text(ldns_rr_owner(a.question), a.name);
	if (a.edns.is_there && a.edns.version != 0) {
		ldns_pkt *out = reply_new(&a, DNS_MSG_NOERROR);

		if (out)
			ldns_pkt_set_edns_extended_rcode(out, BADVERS_HIGH);
		reply_write(&a, out, ret, ret_size);
		return DNS_MSG_ANSWER;
	}
	if (ldns_rr_get_class(a.question) != LDNS_RR_CLASS_IN) {
		answer_rcode(&a, DNS_MSG_NOTIMP, ret, ret_size);
		return DNS_MSG_ANSWER;
	}
	return answer_question(&a, ret, ret_size);
}

/* Forwarding */

int dns_msg_query(const struct dns_msg_request *request, uint16_t id, uint8_t *ret, size_t *ret_size)
{
	size_t end = question_end(request->data, request->size);
	struct edns edns;
	uint16_t udp_size;

	if (!end || !read_additional(request->data, request->size, end, &edns))
		return -EBADMSG;
	udp_size = udp_limit(&edns);

	memcpy(ret, request->data, end);
	dns_msg_set_id(ret, id);
	ret[2] = FLAG_RD;
	ret[3] = request->data[3] & 0x10; /* checking disabled */
	memset(ret + 6, 0, 6);
	if (edns.is_there) { /* root, type OPT, size, no extended rcode, version 0, flags, no options */
		const uint8_t opt[11] = {
			0, 0, LDNS_RR_TYPE_OPT,		(uint8_t)(udp_size >> 8), (uint8_t)udp_size,
			0, 0, edns.dnssec_ok ? 0x80 : 0};

		memcpy(ret + end, opt, sizeof(opt));
		ret[11] = 1;
		end += sizeof(opt);
	}
	*ret_size = end;
	return 0;
}

bool dns_msg_is_reply(const uint8_t *query, size_t query_size, const uint8_t *reply, size_t reply_size)
{
	size_t end = question_end(query, query_size);

	if (!end || question_end(reply, reply_size) != end || !(reply[2] & FLAG_QR) ||
	    dns_msg_id(query) != dns_msg_id(reply))
		return false;
	/* Lengths of labels are below 64 and so not letters; type and class could be, and are compared as
	 * they are. */
	for (size_t i = DNS_MSG_HEADER_SIZE; i < end - 4; i++)
		if (tolower(query[i]) != tolower(reply[i]))
			return false;
	return memcmp(query + end - 4, reply + end - 4, 4) == 0;
}
