/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Scripts of packets: what an end of a connection sends, and what the other one gets for it, line by line.
 *
 *	== a handshake			a script begins, with a connection that is not there yet
 *	client S 1000 -> server =	what comes out is what was sent, translated, to the byte
 *	server S. 5000 1001 -> client =
 *	client . 1001 5001 -> server =
 *	state live			new, live or closing; none: there is no flow
 *	client R 7 -> nothing (no_flow)	dropped, under that reason; else it is counted as delivered
 *
 * A segment is flags (S F R P U E W, the dot is ACK), its number, with ACK that of the acknowledgement, and
 * then, as they are needed, `+100` bytes of payload, `win N`, `urg N`, `sack FROM TO`, `stamps A B`,
 * `mss N`, `ttl N`, `gso N`, and `cut`: it may be fragmented. The payload follows from the number, so that it
 * cannot be at a wrong place unseen; `+h` is the PROXY header, and `h` in a number its size. A datagram is
 * `udp +100`, a fragment `fragment ID AT +SIZE [more]`, an ICMP error about what its sender got last
 * `icmp TYPE CODE [mtu N]`.
 *
 * In between may stand:
 *
 *	open			a handshake; the client goes on at 1001, the server at 5001
 *	local			client and server are instances of one VPC; to be said first
 *	datagrams		what comes is UDP
 *	proxy			the listener sends headers
 *	rules on|off		that allow the connection
 *	mtu N			of the server
 *	pass SECONDS		nobody says anything for so long
 *	sweep N			the timer goes round until N rows are left
 *	flows N			so many rows there are
 *	counted REASON N	since the script began
 *
 * Usage: test_script FILE...
 */
#include "../tap.h"
#include "talk.h"

#define WORDS_MAX 32

static int who_is(const char *word)
{
	return strcmp(word, "client") == 0 ? CLIENT : strcmp(word, "server") == 0 ? SERVER : -1;
}

static int reason_by_name(const char *name)
{
	for (int i = 0; i < PL_REASON_MAX; i++)
		if (strcmp(reason_name(i), name) == 0)
			return i;
	return -1;
}

/* "(no_flow)" at the end: the reason; without, delivered. */
static int take_reason(struct words *words)
{
	char *last = words->n ? words->word[words->n - 1] : NULL;
	size_t size = last ? strlen(last) : 0;

	if (!last || *last != '(' || last[size - 1] != ')')
		return PL_DELIVERED;
	words->n--;
	last[size - 1] = '\0';
	return reason_by_name(last + 1);
}

static struct words part(const struct talk *talk, char **words, size_t first, size_t end)
{
	return (struct words){.word = words + first, .n = end - first, .header = talk->header};
}

/* WHO shape -> WHOM shape (reason) */
static bool run_packet(struct talk *talk, char **words, size_t n)
{
	int who = who_is(words[0]), whom = -1, reason;
	struct shape in, want;
	struct words left, right;
	size_t arrow = 0;
	struct outcome o;
	struct pkt p;

	while (arrow < n && strcmp(words[arrow], "->") != 0)
		arrow++;
	if (arrow + 1 >= n)
		return fails(talk, "no arrow");
	left = part(talk, words, 1, arrow);
	right = part(talk, words, arrow + 1, n);
	reason = take_reason(&right);
	if (right.n && who_is(right.word[0]) >= 0) {
		whom = who_is(right.word[0]);
		right.word++;
		right.n--;
	}
	if (!shape_read(&in, &left) || !shape_read(&want, &right) || reason < 0 ||
	    (whom < 0) != (want.kind == SHAPE_NOTHING))
		return fails(talk, "no such packet");
	/* While nobody has answered a SYN begins anew, from another source. */
	if (who == CLIENT && in.kind == SHAPE_TCP && in.flags == SYN)
		talk->is_seen = false;
	p = in.kind == SHAPE_FRAGMENT ? make_fragment(talk, who, &in) : make(talk, who, &in);
	talk->node->gso_size = in.gso_size;
	o = node_send(talk->node, talk->slots[who], &p);
	talk->node->gso_size = 0;
	if (o.reason != reason)
		return fails(talk, reason_name(o.reason));
	if (whom < 0)
		return o.verdict == TC_ACT_SHOT || fails(talk, "something is sent");
	if (o.verdict != TC_ACT_REDIRECT)
		return fails(talk, "nothing is sent");
	return arrives(talk, whom, &p, &o.out, &want);
}

static void set_rules(struct talk *talk, bool on)
{
	uint32_t slot = talk->is_local ? SLOT_A2 : SLOT_ENI_A;

	if (!on)
		node_policy(talk->node, slot, NULL, 0, true);
	else if (talk->is_local)
		node_policy(talk->node, slot, RULES(rules_instance), true);
	else
		node_policy(talk->node, slot, RULES(rules_eni), false);
	node_bump(talk->node, slot);
}

static bool has_state(struct talk *talk, const char *name)
{
	static const char *const names[] = {
		[PL_CLASS_NEW] = "new", [PL_CLASS_LIVE] = "live", [PL_CLASS_CLOSING] = "closing"};
	struct shape shape = {.kind = SHAPE_TCP, .flags = ACK};
	struct pkt p = make(talk, CLIENT, &shape);
	struct pl_flow4_key key = node_key(&p, 10, PL_SIDE_OUT);
	struct pl_flow4 flow;
	uint32_t class;

	if (!node_flow(talk->node, &key, &flow))
		return strcmp(name, "none") == 0 || fails(talk, "there is no flow");
	class = pl_state_class(flow.state, IPPROTO_TCP);
	return strcmp(name, names[class]) == 0 || fails(talk, names[class]);
}

static bool sweep(struct talk *talk, uint32_t rows)
{
	bool ok = false;

	arm_timer(talk->node);
	for (int i = 0; i < 3000 && !ok; i++) {
		ok = node_flows(talk->node) == rows;
		if (!ok)
			(void)usleep(10000);
	}
	stop_timer(talk->node);
	return ok || fails(talk, "the timer leaves another number of rows");
}

static void set_ports(struct talk *talk)
{
	static uint16_t port = 20000;
	struct oracle_tuple *asked = &talk->asked;

	put_addr(asked->saddr, "10.0.0.10");
	put_addr(asked->daddr, talk->is_local ? "10.0.0.11" : "10.0.0.100");
	asked->sport = port++;
	asked->dport = talk->is_local ? 80 : 443;
	talk->slots[CLIENT] = SLOT_A;
	talk->slots[SERVER] = talk->is_local ? SLOT_A2 : SLOT_S1;
}

static bool run_line(struct talk *talk, char *line);

static bool open_connection(struct talk *talk)
{
	char syn[] = "client S 1000 -> server =", syn_ack[] = "server S. 5000 1001 -> client =",
	     ack[] = "client . 1001 5001 -> server =";

	return run_line(talk, syn) && run_line(talk, syn_ack) && run_line(talk, ack);
}

/* One word. */
static bool run_word(struct talk *talk, const char *word)
{
	if (strcmp(word, "open") == 0)
		return open_connection(talk);
	if (strcmp(word, "datagrams") == 0) {
		talk->asked.dport = talk->is_local ? 1500 : 500;
	} else if (strcmp(word, "local") == 0) {
		talk->is_local = true;
		set_ports(talk);
	} else if (strcmp(word, "proxy") == 0) {
		node_proxy(talk->node, ALL_PARTS);
		talk->header = header_size(ALL_PARTS);
	} else {
		return fails(talk, "no such line");
	}
	return true;
}

static bool run_order(struct talk *talk, char **words, size_t n)
{
	uint32_t number = 0;
	int reason;

	if (n == 1)
		return run_word(talk, words[0]);
	if (n == 2 && strcmp(words[0], "state") == 0)
		return has_state(talk, words[1]);
	if (n == 2 && strcmp(words[0], "rules") == 0) {
		set_rules(talk, strcmp(words[1], "on") == 0);
		return true;
	}
	if (n == 3 && strcmp(words[0], "counted") == 0) {
		reason = reason_by_name(words[1]);
		return (reason >= 0 && word_number(words[2], 0, &number) &&
			node_count(talk->node, reason).packets - talk->counted[reason] == number) ||
		       fails(talk, "another number was counted");
	}
	if (n != 2 || !word_number(words[1], 0, &number))
		return fails(talk, "no such line");
	if (strcmp(words[0], "flows") == 0)
		return node_flows(talk->node) == number || fails(talk, "another number of rows");
	if (strcmp(words[0], "sweep") == 0)
		return sweep(talk, number);
	if (strcmp(words[0], "pass") == 0)
		age_flows(talk->node, number);
	else if (strcmp(words[0], "mtu") == 0)
		node_mtu(talk->node, talk->slots[SERVER], number);
	else
		return fails(talk, "no such line");
	return true;
}

static void forget_answers(struct node *node)
{
	uint64_t zero = 0;

	for (uint32_t slot = 0; slot < SLOTS; slot++) {
		map_put(node->bpf->maps.pl_answers, &slot, &zero);
		map_put(node->bpf->maps.pl_icmp_rates, &slot, &zero);
	}
}

static struct talk begin(struct node *node)
{
	struct talk talk = {.node = node};

	node_clear_flows(node);
	forget_answers(node);
	serve_by(node, 1);
	set_ports(&talk);
	for (int i = 0; i < PL_REASON_MAX; i++)
		talk.counted[i] = node_count(node, i).packets;
	return talk;
}

/* As the next script expects the world. */
static void end(struct talk *talk)
{
	node_mtu(talk->node, SLOT_S1, 1500);
	node_mtu(talk->node, SLOT_A2, 1500);
	set_rules(talk, true);
	if (count_faults(talk->node))
		(void)fails(talk, talk->fault ? talk->fault : "rows, tokens and counts do not fit together");
}

static size_t split(char *line, char **words)
{
	size_t n = 0;
	char *rest;

	line[strcspn(line, "#\n")] = '\0';
	for (char *word = strtok_r(line, " \t", &rest); word && n < WORDS_MAX;
	     word = strtok_r(NULL, " \t", &rest))
		words[n++] = word;
	return n;
}

static bool run_line(struct talk *talk, char *line)
{
	char *words[WORDS_MAX];
	size_t n = split(line, words);

	if (!n)
		return true;
	return who_is(words[0]) >= 0 ? run_packet(talk, words, n) : run_order(talk, words, n);
}

static void run_file(struct node *node, const char *path, const char *mode)
{
	FILE *file = fopen(path, "r");
	char line[256], copy[256], name[256] = "", wrong[256];
	struct talk talk = {.node = node};
	int number = 0;
	bool more;

	must(file ? 0 : -errno, path);
	do {
		more = fgets(line, sizeof(line), file);
		number++;
		if (*name && (!more || strncmp(line, "== ", 3) == 0)) {
			end(&talk);
			tap_ok(!talk.fault, "%s (%s)", name, mode);
			if (talk.fault)
				tap_note("%s: %s", *wrong ? wrong : path, talk.fault);
		}
		if (more && strncmp(line, "== ", 3) == 0) {
			snprintf(name, sizeof(name), "%.*s", (int)strcspn(line + 3, "\n"), line + 3);
			talk = begin(node);
			*wrong = '\0';
			continue;
		}
		memcpy(copy, line, sizeof(copy));
		if (more && *name && !talk.fault && !run_line(&talk, line))
			snprintf(wrong, sizeof(wrong), "line %d: %.*s", number, (int)strcspn(copy, "\n"),
				 copy);
	} while (more);
	fclose(file);
}

int main(int argc, char *argv[])
{
	if (argc < 2) {
		fprintf(stderr, "usage: test_script FILE...\n");
		return EXIT_FAILURE;
	}
	for (int helpers = 0; helpers < 2; helpers++) {
		struct node *node = node_new(&(struct node_options){.helpers = helpers});

		for (int i = 1; i < argc; i++)
			run_file(node, argv[i], helpers ? "helpers" : "direct");
		node_free(node);
	}
	return tap_done();
}
