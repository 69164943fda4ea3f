/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An address is compared with those of the table, byte by byte, and nothing is looked for anywhere else. What
 * is not in it is the API's to refuse, as every address that it does not know.
 */
#include "console.h"

#include "../../http/negotiate.h"

#define HOME "/console/"

/* A page may load its own files, ask its own origin, and be in nobody's frame. */
static const char policy[] =
	"Content-Security-Policy: default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
	"connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'\r\n"
	"X-Content-Type-Options: nosniff\r\n"
	"Referrer-Policy: no-referrer\r\n"
	"Cache-Control: no-cache\r\n";

static bool is_method(const struct server_request *request, const char *method)
{
	return streq(request->method, method);
}

static void say(struct server_request *request, unsigned int status, const char *text)
{
	const struct server_content content = {
		.type = "text/plain; charset=utf-8", .headers = policy, .bytes = text, .size = strlen(text)};

	server_answer_content(request, status, &content);
}

static void send_to_home(struct server_request *request, unsigned int status)
{
	server_add_header(request, "Location", HOME);
	say(request, status, "The console is at " HOME ".\n");
}

static void send_file(struct server_request *request, const struct console_file *file)
{
	bool gzip = negotiate_takes_gzip(server_header(request, "accept-encoding"));
	const struct console_form *form = gzip ? &file->gzip : &file->plain;
	struct server_content content = {
		.type = file->type, .headers = policy, .bytes = form->bytes, .size = form->size};

	server_add_header(request, "ETag", form->tag);
	server_add_header(request, "Vary", "Accept-Encoding");
	if (negotiate_has_tag(server_header(request, "if-none-match"), form->tag)) {
		server_answer_content(request, 304, &content);
		return;
	}
	if (gzip)
		server_add_header(request, "Content-Encoding", "gzip");
	server_answer_content(request, 200, &content);
}

static const struct console_file *find_file(const char *path)
{
	if (!str_starts(path, HOME))
		return NULL;
	for (size_t i = 0; i < console_n_files; i++)
		if (streq(console_files[i].name, path + strlen(HOME)))
			return &console_files[i];
	return NULL;
}

/* What a person's browser asks for when it is given no more than host and port. Calls of the API have
 * parameters, or are signed, and do not ask for a page. */
static bool is_browser(const struct server_request *request)
{
	return console_n_files > 0 && is_method(request, "GET") && streq(request->path, "/") &&
	       request->query[0] == '\0' && request->body_size == 0 &&
	       !server_header(request, "authorization") &&
	       negotiate_names_type(server_header(request, "accept"), "text/html");
}

bool console_answer(struct server_request *request)
{
	bool bare = streq(request->path, "/console"), home = bare || streq(request->path, HOME);
	const struct console_file *file = find_file(request->path);

	if (is_browser(request)) {
		send_to_home(request, 302);
		return true;
	}
	if (!home && !file)
		return false;
	if (console_n_files == 0) {
		say(request, 404, "This privlinkd was built without the console.\n");
	} else if (!is_method(request, "GET") && !is_method(request, "HEAD")) {
		server_add_header(request, "Allow", "GET, HEAD");
		say(request, 405, "The console's files can be read, and nothing else.\n");
	} else if (bare) {
		send_to_home(request, 308);
	} else {
		send_file(request, file);
	}
	return true;
}
