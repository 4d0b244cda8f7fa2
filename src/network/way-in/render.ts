/**
 * HAProxy's configuration. Pure. Whatever comes from users is either in a map file, where a line is a key and a value without blanks
 * (plan.ts lets nothing else pass), or one of few options whose form was checked (option-problem.ts).
 */
import type { Backend } from "./backend.ts";
import { FILES } from "./files.ts";
import { HARD_STOP_MINUTES } from "./pace.ts";
import { renderBackend } from "./render-backend.ts";
import { lookupLines } from "./render-lookup.ts";
import { MOST_CONNECTIONS, SHARES } from "./shares.ts";
import type { Slots } from "./slots.ts";

export interface WayInPlaces {
  /** Where its sockets are. */
  readonly folder: string;
  readonly address: string;
  readonly httpPort: number;
  readonly httpsPort: number;
  /** In all; default MOST_CONNECTIONS. */
  readonly connections?: number;
  /** HAProxy gives up root for this user, where there is one. */
  readonly user?: string;
}

/**
 * RFC 8586: every pass adds a word to this header, which programs behind may not take off. A request that comes in again may do so for
 * good reasons, of a proxy that is reached here itself; one that comes in so often never ends.
 */
const MOST_PASSES = 8;
const LOOPS = [
  `return status 508 content-type text/plain string "this request has come in here ${MOST_PASSES} times: its service leads back to the way in\\n" if { req.hdr_cnt(CDN-Loop) ge ${MOST_PASSES} }`,
  "add-header CDN-Loop styrmann",
  // A proxy behind takes off what a client has named there.
  "del-header Connection if { req.hdr(Connection) -i -m beg cdn-loop x-forwarded- x-real-ip }",
].map((line) => `    http-request ${line}`);

/** `slots` by name of backend. */
export function renderConfig(
  places: WayInPlaces & {
    /** Where the files are that it reads. */
    readonly data: string;
  },
  backends: Iterable<Backend>,
  slots: (backend: string) => Slots,
): string {
  const sorted = [...backends].sort((a, b) => (a.name < b.name ? -1 : 1));
  const parts = [globalPart(places), DEFAULTS, frontend(places), SHARES];
  for (const backend of sorted) parts.push(renderBackend(backend, slots(backend.name), places));
  return `${parts.join("\n\n")}\n`;
}

/** Mozilla's "intermediate" of 2023 (ssl-config.mozilla.org, 5.7). */
const CIPHERS = [
  ...["ECDHE-ECDSA-AES128-GCM-SHA256", "ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-ECDSA-AES256-GCM-SHA384"],
  ...["ECDHE-RSA-AES256-GCM-SHA384", "ECDHE-ECDSA-CHACHA20-POLY1305", "ECDHE-RSA-CHACHA20-POLY1305"],
  ...["DHE-RSA-AES128-GCM-SHA256", "DHE-RSA-AES256-GCM-SHA384", "DHE-RSA-CHACHA20-POLY1305"],
].join(":");
const SUITES = "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256";

function globalPart({ folder, user }: WayInPlaces): string {
  return [
    "# Made by styr: changes are overwritten.",
    "global",
    "    log stdout format raw local0 info",
    `    stats socket ${folder}/${FILES.socket} mode 600 level admin expose-fd listeners`,
    // WebSockets, of what a reload leaves behind; how many workers there are at once is a matter of their pace.
    `    hard-stop-after ${HARD_STOP_MINUTES}m`,
    // A second HAProxy on the same port would take half of the requests, and nobody would say so.
    "    noreuseport",
    // Connections are as many as half of these: by itself it would take what the host allows, and memory for each.
    `    fd-hard-limit ${2 * MOST_CONNECTIONS}`,
    ...(user === undefined ? [] : [`    user ${user}`, `    group ${user}`]),
    `    ssl-default-bind-ciphers ${CIPHERS}`,
    `    ssl-default-bind-ciphersuites ${SUITES}`,
    "    ssl-default-bind-options prefer-client-ciphers ssl-min-ver TLSv1.2 no-tls-tickets",
    "    tune.http.maxhdr 101",
  ].join("\n");
}

/**
 * A connect that fails costs its request nothing but this time: it is tried again elsewhere. After a reload idle connections stay with
 * the old worker until their next answer, which says that it was the last: closed at once, a request could be on its way on them.
 */
const DEFAULTS = `defaults
    mode http
    log global
    option httplog
    option dontlognull
    option redispatch 1
    option idle-close-on-response
    retries 3
    timeout connect 1500ms
    timeout client 60s
    timeout server 60s
    timeout http-request 10s
    timeout http-keep-alive 60s
    timeout queue 10s
    timeout tunnel 1h
    timeout client-fin 30s
    http-error status 503 content-type text/plain string "no copy of this service is ready to answer\\n"
    http-error status 502 content-type text/plain string "the service ended the connection without an answer\\n"
    http-error status 504 content-type text/plain string "the service did not answer in time\\n"`;

function frontend({ data, address, httpPort, httpsPort }: Parameters<typeof renderConfig>[0]): string {
  return [
    "frontend way-in",
    `    bind ${address}:${httpPort}`,
    `    bind ${address}:${httpsPort} ssl crt-list ${data}/${FILES.certificates} alpn h2,http/1.1`,
    ...LOOPS,
    // What a client says of itself is not believed, nor what is the same to programs behind (CGI has one name for X-Real-IP and X_Real_IP).
    "    http-request del-header ^x[_-](forwarded|real)[_-] -m reg",
    "    http-request set-header X-Forwarded-For %[src]",
    "    http-request set-header X-Real-IP %[src]",
    "    http-request set-header X-Forwarded-Host %[req.hdr(host)]",
    "    http-request set-header X-Forwarded-Port %[dst_port]",
    "    http-request set-header X-Forwarded-Proto https if { ssl_fc }",
    "    http-request set-header X-Forwarded-Proto http unless { ssl_fc }",
    "    http-request del-header Forwarded",
    // httpoxy: CGI programs would take it for a setting.
    "    http-request del-header Proxy",
    ...lookupLines(data),
    "    use_backend %[var(txn.to)]",
  ].join("\n");
}
