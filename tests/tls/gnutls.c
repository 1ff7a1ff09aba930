/* TLS by GnuTLS in front of a plain server: PORT BACKEND CERT KEY PRIORITY FLAGS
 *
 * FLAGS: any of rehandshake, reauth, keyupdate (before the first answer), ask (for a client certificate), tickets,
 * cache (of sessions by identifier). */
#include <arpa/inet.h>
#include <gnutls/gnutls.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { SESSIONS = 16 };
static struct { gnutls_datum_t name, data; } cache[SESSIONS];
static int cached;

static int keep(void *p, gnutls_datum_t name, gnutls_datum_t data)
{
	(void)p;
	if (cached == SESSIONS)
		return -1;
	cache[cached].name.data = memcpy(malloc(name.size), name.data, name.size);
	cache[cached].name.size = name.size;
	cache[cached].data.data = memcpy(malloc(data.size), data.data, data.size);
	cache[cached++].data.size = data.size;
	return 0;
}

static gnutls_datum_t find(void *p, gnutls_datum_t name)
{
	gnutls_datum_t found = { NULL, 0 };
	(void)p;
	for (int i = 0; i < cached; i++)
		if (cache[i].name.size == name.size && !memcmp(cache[i].name.data, name.data, name.size)) {
			found.data = memcpy(gnutls_malloc(cache[i].data.size), cache[i].data.data, cache[i].data.size);
			found.size = cache[i].data.size;
		}
	return found;
}

static int forget(void *p, gnutls_datum_t name)
{
	(void)p, (void)name;
	return 0;
}

static int tcp(int port, int listening)
{
	struct sockaddr_in at = { .sin_family = AF_INET, .sin_port = htons(port) };
	int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
	at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
	if (listening ? bind(fd, (void *)&at, sizeof at) || listen(fd, 4) : connect(fd, (void *)&at, sizeof at))
		exit(1);
	return fd;
}

static void handshake(gnutls_session_t s)
{
	int ret;
	do
		ret = gnutls_handshake(s);
	while (ret < 0 && !gnutls_error_is_fatal(ret));
}

static void relay(gnutls_session_t s, int fd, int backend, const char *flags)
{
	char buffer[16384];
	int first = 1;
	for (;;) {
		struct pollfd fds[2] = { { fd, POLLIN, 0 }, { backend, POLLIN, 0 } };
		if (!gnutls_record_check_pending(s))
			poll(fds, 2, -1);
		if (gnutls_record_check_pending(s) || fds[0].revents) {
			ssize_t n = gnutls_record_recv(s, buffer, sizeof buffer);
			if (n == GNUTLS_E_AGAIN || n == GNUTLS_E_INTERRUPTED)
				continue;
			if (n <= 0 || write(backend, buffer, n) != n)
				return;
		} else if (fds[1].revents) {
			ssize_t n = read(backend, buffer, sizeof buffer);
			if (n <= 0)
				return;
			if (first && strstr(flags, "keyupdate"))
				gnutls_session_key_update(s, GNUTLS_KU_PEER);
			if (first && strstr(flags, "reauth"))
				gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUEST);
			if (first && (strstr(flags, "rehandshake") || strstr(flags, "reauth"))) {
				gnutls_rehandshake(s);
				handshake(s);
			}
			first = 0;
			gnutls_record_send(s, buffer, n);
		}
	}
}

int main(int argc, char **argv)
{
	gnutls_certificate_credentials_t cred;
	gnutls_priority_t priority;
	gnutls_datum_t ticket_key;
	if (argc != 7)
		return 2;
	const char *flags = argv[6];
	signal(SIGPIPE, SIG_IGN);
	gnutls_certificate_allocate_credentials(&cred);
	if (gnutls_certificate_set_x509_key_file(cred, argv[3], argv[4], GNUTLS_X509_FMT_PEM) < 0 ||
	    gnutls_priority_init(&priority, argv[5], NULL) < 0)
		return 1;
	gnutls_certificate_set_known_dh_params(cred, GNUTLS_SEC_PARAM_MEDIUM);
	gnutls_session_ticket_key_generate(&ticket_key);
	int listener = tcp(atoi(argv[1]), 1);
	for (;;) {
		gnutls_session_t s;
		int fd = accept(listener, NULL, NULL), backend = tcp(atoi(argv[2]), 0);
		gnutls_init(&s, GNUTLS_SERVER | (strstr(flags, "tickets") ? 0 : GNUTLS_NO_TICKETS));
		gnutls_priority_set(s, priority);
		gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, cred);
		if (strstr(flags, "tickets"))
			gnutls_session_ticket_enable_server(s, &ticket_key);
		if (strstr(flags, "cache")) {
			gnutls_db_set_store_function(s, keep);
			gnutls_db_set_retrieve_function(s, find);
			gnutls_db_set_remove_function(s, forget);
		}
		if (strstr(flags, "ask"))
			gnutls_certificate_server_set_request(s, GNUTLS_CERT_REQUEST);
		gnutls_transport_set_int(s, fd);
		int ret = gnutls_handshake(s);
		if (ret >= 0)
			relay(s, fd, backend, flags);
		else
			gnutls_alert_send_appropriate(s, ret);
		gnutls_bye(s, GNUTLS_SHUT_WR);
		gnutls_deinit(s);
		close(fd);
		close(backend);
	}
}
