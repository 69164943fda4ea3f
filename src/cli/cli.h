/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line's parts. A command is a row of a table: which action it calls, how its options become
 * parameters, which part of the answer it shows, and what --wait waits for. One interpreter (command.c)
 * carries rows out; the few commands that are more than one call have a function of their own.
 */
#pragma once

#include <jansson.h>

#include "../lib/options.h"
#include "../lib/params.h"
#include "../lib/util.h"
#include "../schema/schema.h"

#define CLI_DEFAULT_STATE_DIR "/var/lib/privlink"

/* Where the API is, who calls, and how to print; read from options, environment and files by config.c. */
struct cli {
	char *endpoint; /* https://host:port */
	char *ca;	/* file with the certificates to trust; NULL: the system's */
	bool ca_is_own; /* nobody named it: it is the one of this machine's privlinkd */
	char *key_id, *key_secret;
	char *region; /* NULL: none was given */
	char *state_dir;
	char *config_path; /* --config */
	char *output;	   /* table, wide or json */
	bool json, wide, wait;
	bool is_last_resort; /* the key is the administrator's, of the machine, since nothing else was said */
	char account[24];    /* whose key it is, once asked; "": not yet, or nobody knows */
	unsigned int timeout_s;
	uint64_t deadline_ms; /* of the wait that calls belong to, now_mono_ms(); 0: none */
	bool is_patient;      /* calls that come too often wait for their turn however long that takes */
	void *curl;	      /* the connection, kept between calls */
};

/* Frees what it holds, not the struct. */
void cli_done(struct cli *cli);

/* Exit codes. */
enum { CLI_OK = 0, CLI_FAILED = 1, CLI_USAGE = 2, CLI_UNREACHABLE = 3 };

/* ---- options of all commands ---- */

extern const struct option_table cli_options;

/* Takes them out of the arguments, from the front to the first word if `front_only`. Negative errno after a
 * message. */
int cli_take_options(struct cli *cli, int *argc, char **argv, bool front_only);

/* ---- settings ---- */

/* Fills what the options left open from the environment, the configuration file and the administrator's key
 * file, in this order. Prints what is wrong (a file that cannot be read or parsed) and returns a negative
 * errno. */
int cli_config_load(struct cli *cli);
/* Where this machine keeps its state: the option, else the environment, else the usual place. Borrowed. */
const char *cli_state_dir(const struct cli *cli);

/* ---- calls ---- */

void cli_product_list(char *ret, size_t size); /* "privatelink, vpc, …" for messages */

struct cli_reply {
	long status;
	json_t *body;		 /* an object */
	uint64_t retry_after_ms; /* when a call that came too often may come again; 0: nothing is said */
};
/* Drops the body. */
void cli_reply_done(struct cli_reply *reply);

/* Signs and sends one call; again, where the API says that the account calls too often, and when it may
 * again, if that is within --timeout (cli->is_patient: anyway). 0: an answer came, be it an error of the API.
 * Prints what failed on the way and returns a negative errno otherwise. */
int cli_send(struct cli *cli, const struct product_info *product, const char *action,
	     const struct params *params, struct cli_reply *ret);
/* Why libcurl (`code`, and its own `words`) did not reach the API, and what to do. */
void cli_say_unreached(struct cli *cli, int code, const char *words);
bool cli_reply_is_error(const struct cli_reply *reply);
/* "Code: Message (RequestId)" on stderr. */
void cli_reply_print_error(const struct cli_reply *reply);
/* The two above and cli_send() in one, for whom every error is the end: 0 and the answer (the caller's), or
 * CLI_FAILED after it was printed. */
int cli_call(struct cli *cli, const char *product, const char *action, const struct params *params,
	     json_t **ret);

/* The same page by page, where the action's answer is a list that comes so: the first answer, with all
 * entries. */
struct cli_view;
int cli_call_pages(struct cli *cli, const char *product, const struct action *action,
		   const struct cli_view *view, struct params *params, json_t **ret);
/* Sets a parameter, in place of one of that name. 0 or -ENOMEM. */
int cli_set_param(struct params *params, const char *name, const char *value);
/* Takes a parameter out: its value, the caller's; NULL: it is not there. For those that are not the API's. */
char *cli_take_param(struct params *params, const char *name);
/* The number of the account whose key it is, or NULL (nothing is printed). */
const char *cli_account(struct cli *cli);
/* Turns names of objects in the parameters of a product's action into their ids. Exit code; what is not to be
 * found, or found twice, is told. */
int cli_resolve_names(struct cli *cli, const char *product, struct params *params);
/* The id of the account's instance of that name; the caller's to free. Likewise. */
int cli_instance_id(struct cli *cli, const char *name, char **ret);

/* ---- tables ---- */

struct cli_column {
	const char *title, *path; /* of the value in an entry: "VpcAttributes.VSwitchId" */
	bool wide;		  /* left out where there is no room for all */
	bool remark;		  /* a sentence, that goes below the table then */
};

#define CLI_WIDTH 80 /* of a list, but with -o wide */

/* Prints entries (an array of objects) as aligned columns; the array ends with a NULL title. Nothing for
 * none. */
void cli_table_print(const struct cli *cli, const json_t *entries, const struct cli_column *columns);
/* Prints one object as lines "Title  value". */
void cli_fields_print(const json_t *object, const struct cli_column *columns);
/* The value at a path as text for people: lists are joined by commas, control characters become '?'. Owned by
 * the caller; NULL when out of memory. */
char *cli_value_text(const json_t *object, const char *path);
/* The value at a path; arrays on the way give their first entry. NULL: nothing there. */
const json_t *cli_value_at(const json_t *object, const char *path);

/* Words in lines of CLI_WIDTH; the first line begins at `column`, the others at `indent`. */
void cli_print_wrapped(const char *text, size_t column, size_t indent);
/* An answer of GetEndpointPath, for people. Exit code. */
int cli_path_print(const struct cli *cli, const json_t *path);
/* Begins a connectivity test and waits for its end: the answer of GetConnectivityTest (the caller's). Exit
 * code. */
int cli_test_run(struct cli *cli, const struct params *params, json_t **ret);
/* Its steps, for people. Exit code. */
int cli_test_print(const struct cli *cli, const json_t *answer);
/* Says why it has ended without a verdict. CLI_FAILED. */
int cli_test_fail(const json_t *answer);

/* ---- the agent of this node ---- */

/* Whether there is one that we may ask. */
bool cli_agent_is_here(void);

/* Asks {"command": command}. CLI_OK and the answer (the caller's), or CLI_FAILED after a message. */
int cli_agent_ask(struct cli *cli, const char *command, json_t **ret);

/* An answer that has many lines. */
struct cli_agent {
	int fd;
	char *text; /* that has come, `size` bytes */
	size_t size;
};
/* Asks. CLI_OK, or CLI_FAILED after a message. */
int cli_agent_open(struct cli *cli, const json_t *question, struct cli_agent *ret);
void cli_agent_close(struct cli_agent *agent);
/* The next line; the caller's. NULL: none comes in time (-1: without limit), or no more. */
char *cli_agent_next(struct cli_agent *agent, int timeout_ms);

/* A line of an answer that has many: CLI_AGENT_MORE, or the exit code, which ends it. */
typedef int (*cli_agent_line)(void *context, const json_t *line);
#define CLI_AGENT_MORE (-1)
/* Asks, and calls for each line; with `waits` the next one may come whenever it likes. Exit code. */
int cli_agent_follow(struct cli *cli, const json_t *question, bool waits, cli_agent_line line, void *context);
/* The question of {"command": command, "target": …, "address": …, "port": …} from a command's own options;
 * the caller's. NULL after a message. */
json_t *cli_agent_question(const char *command, const struct params *params);

/* ---- commands ---- */

enum cli_option_type {
	CLI_TEXT,  /* --name VALUE: parameter=VALUE */
	CLI_FLAG,  /* --name: parameter=true */
	CLI_LIST,  /* repeatable: parameter.N=VALUE */
	CLI_TUPLE, /* repeatable: VALUE "a,b,c" becomes parameter.N.<member> by position */
};

/* An option as the action's table has it, or one of the command's own: of another name, or that turns its
 * value into parameters in a way of its own. */
struct cli_option {
	const char *name; /* "--vpc", or "VPC" for an argument by position */
	const char *parameter;
	enum cli_option_type type;
	bool required;
	/* Such a way; `n` counts the option's uses from 1. 0 or -EINVAL. */
	int (*add)(struct cli *cli, const struct cli_option *option, const char *value, unsigned int n,
		   struct params *params);
	const char *help;
	const struct param_spec *members; /* TUPLE: of which the first `parts` */
	unsigned int parts;
	char within[64]; /* "HealthCheckConfig.", in front of the parameter */
};

#define CLI_OPTIONS_MAX 32

struct cli_option_list {
	struct cli_option v[CLI_OPTIONS_MAX];
	size_t n;
};

/* The state to wait for: the action is called with `query` (its %s is the object's id) until every pair of
 * `conditions` ("Status=Available,…", paths in the entry) holds, or with `gone` until the object is not
 * found. When all of `blocked` holds, someone else's turn has come: waiting ends well, and `blocked_note`
 * says whose. */
struct cli_wait {
	const char *action;
	const char *query;
	const char *conditions;
	const char *blocked, *blocked_note;
	bool gone;
	const char *product; /* of the action, where it is not the command's */
};

struct cli_command {
	const char *group, *name, *help;
	const char *product, *action;
	const struct cli_option *options; /* beside those of the action's table; ends with a NULL name */
	const char *fixed;		  /* "AddressType=Intranet&…": parameters that are always sent */
	const char *id; /* path in the answer (create) or name of the parameter (others): what to print, what
			   to wait for; NULL: the answer is shown */
	const struct cli_wait *wait;
	/* Adds to the entries of the list what the API leaves unsaid; for people, not with --json. Exit code.
	 */
	int (*complete)(struct cli *cli, json_t *answer, json_t *entries);
	int (*run)(struct cli *cli, int argc, char **argv); /* a command of its own kind; exit code */
	const char *usage;				    /* of such a command */
	bool is_text;		       /* of such a command: what it prints is no JSON, ever */
	const char *notes;	       /* what else its help says; lines */
	const struct cli_column *more; /* what `complete` has added to the answer; ends with a NULL title */
	const char *whats;	       /* of a list: what is in it, of the account's own ("endpoints"), … */
	bool of_all;		       /* … or of all accounts' */
};

extern const struct cli_command cli_commands[]; /* ends with a NULL group */

/* What the tables say of a command (action.c). The action; NULL: the command is of a kind of its own. */
const struct action *cli_action(const struct cli_command *command);
void cli_options_of(const struct cli_command *command, struct cli_option_list *ret);

#define CLI_PATH_SIZE	160
#define CLI_COLUMNS_MAX 16

/* What is shown of an answer. */
struct cli_view {
	char list[CLI_PATH_SIZE]; /* of the entries; "": the answer is one object */
	struct cli_column columns[CLI_COLUMNS_MAX + 1];
	char paths[CLI_COLUMNS_MAX][CLI_PATH_SIZE];
};
void cli_view_of(const struct action *action, struct cli_view *ret);

/* Parses the options of the command, calls and prints. Exit code. */
int cli_command_run(struct cli *cli, const struct cli_command *command, int argc, char **argv);
/* Turns arguments into parameters; CLI_USAGE after a message. */
int cli_command_parse(struct cli *cli, const struct cli_command *command, int argc, char **argv,
		      struct params *ret);
void cli_command_help(const struct cli_command *command, FILE *to);

/* Polls until the object is in the state, to cli->deadline_ms at most. Exit code; prints why it gave up. */
int cli_wait_for(struct cli *cli, const struct cli_command *command, const char *id);

/* "privlink: <text>" on stderr, and CLI_USAGE or CLI_FAILED, so that a caller says `return cli_usage("…")`.
 */
int cli_usage(const char *format, ...) _printf_(1, 2);
int cli_fail(const char *format, ...) _printf_(1, 2);

/* A cli_command's `complete` of a security group's rules. */
int cli_add_implicit_rules(struct cli *cli, json_t *answer, json_t *entries);
/* Of connections: Waiting or Refused in place of Disconnected. */
int cli_show_acceptance(struct cli *cli, json_t *answer, json_t *entries);
/* Of a service: puts a member of that name into the answer, whom it lets in. */
#define CLI_WHITELIST "(whitelist)"
int cli_add_whitelist(struct cli *cli, json_t *answer, json_t *entries);

/* Ways of cli_options: "30m" (ago) or a time; a number from 1 on. */
int cli_add_time(struct cli *cli, const struct cli_option *option, const char *value, unsigned int n,
		 struct params *params);
int cli_add_number(struct cli *cli, const struct cli_option *option, const char *value, unsigned int n,
		   struct params *params);

/* A call as a command line that makes it, with `parameters` (an object of texts): by the command that is made
 * for it, else by "privlink call". The caller's; NULL when out of memory. */
char *cli_command_line(const struct cli *cli, const char *product, const char *action, const char *region,
		       const json_t *parameters);

/* Says on stderr whose objects a list shows, where that may not be what is meant, or that there are none. */
void cli_say_whose(struct cli *cli, const struct cli_command *command, const json_t *entries);

/* Commands that are more than one call. */
int cli_run_audit(struct cli *cli, int argc, char **argv);
int cli_run_endpoint_monitor(struct cli *cli, int argc, char **argv);
int cli_run_service_monitor(struct cli *cli, int argc, char **argv);
int cli_run_call(struct cli *cli, int argc, char **argv);
int cli_run_endpoint_test(struct cli *cli, int argc, char **argv);
int cli_run_exec(struct cli *cli, int argc, char **argv);
int cli_run_accept_store(struct cli *cli, int argc, char **argv);
int cli_run_path(struct cli *cli, int argc, char **argv);
int cli_run_diagnose(struct cli *cli, int argc, char **argv);
int cli_run_counters(struct cli *cli, int argc, char **argv);
int cli_run_trace(struct cli *cli, int argc, char **argv);
int cli_run_flows(struct cli *cli, int argc, char **argv);
int cli_run_flow_log(struct cli *cli, int argc, char **argv);
int cli_run_ca_init(struct cli *cli, int argc, char **argv);
int cli_run_ca_show(struct cli *cli, int argc, char **argv);
int cli_run_ca_issue(struct cli *cli, int argc, char **argv);
/* Says why the privlinkd of this machine refused to serve, if it did (NULL: the usual run directory). */
void cli_local_refused(const char *run_dir);
int cli_run_admin_new_key(struct cli *cli, int argc, char **argv);
int cli_run_store_show(struct cli *cli, int argc, char **argv);
int cli_run_store_backup(struct cli *cli, int argc, char **argv);
int cli_run_version(struct cli *cli, int argc, char **argv);
