import { createHash } from "node:crypto";
import type { RouteOptions } from "../../model/network.ts";
import type { Backend } from "./backend.ts";
import { rewriteLines, stripLines, word } from "./render-rewrite.ts";
import { MOST_CONNECTIONS, shareLines } from "./shares.ts";
import type { Slots } from "./slots.ts";

/** Where an unused slot points: an address that is never anybody's (RFC 1112, class E). */
export const NOWHERE = "240.0.0.1:1";

export interface BackendPlaces {
  readonly httpsPort: number;
  /** Of the way in, in all. */
  readonly connections?: number;
  /** The folder of the maps. */
  readonly data: string;
}

export function renderBackend(backend: Backend, slots: Slots, places: BackendPlaces): string {
  const { name, options, source } = backend;
  const users = options.auth?.users ?? [];
  return [
    ...(users.length > 0 ? [`userlist users-${name}`, ...users.map(userLine), ""] : []),
    `# ${source.replaceAll(/[^\x20-\x7e]/g, "?")}`,
    `backend ${name}`,
    `    balance ${options.balance ?? "roundrobin"}`,
    ...(options.balance === "source" ? ["    hash-type consistent"] : []),
    // What was sent and may have been done is not sent again.
    "    retry-on conn-failure empty-response",
    "    http-request disable-l7-retry unless { method GET HEAD OPTIONS }",
    ...shareLines(backend.service.split("/")[0] ?? "", places.connections ?? MOST_CONNECTIONS),
    ...rules(backend, places),
    ...healthLines(options),
    ...(options.sticky ? stickyLines(name) : []),
    ...(options.timeoutServerMs === undefined ? [] : [`    timeout server ${options.timeoutServerMs}ms`]),
    `    default-server ${serverOptions(options)}`.trimEnd(),
    ...slots.map((slot, at) => {
      const place = slot ? `${slot.address}:${slot.port}` : NOWHERE;
      return `    server s${at + 1} ${place}${slot?.state === "on" ? "" : " disabled"}`;
    }),
  ].join("\n");
}

function userLine(text: string): string {
  const at = text.indexOf(":");
  return `    user ${text.slice(0, at)} password ${text.slice(at + 1)}`;
}

function rules(backend: Backend, { httpsPort, data }: BackendPlaces): readonly string[] {
  const { name, options, redirectsToHttps } = backend;
  const port = httpsPort === 443 ? "" : `:${httpsPort}`;
  const realm = (options.auth?.realm ?? "restricted").replaceAll(" ", "\\ ");
  return [
    ...rangeLines("allowed", options.allowFrom),
    ...(options.allowFrom ? ["    http-request deny unless allowed"] : []),
    ...rangeLines("denied", options.denyFrom),
    ...(options.denyFrom ? ["    http-request deny if denied"] : []),
    ...(redirectsToHttps
      ? [
          `    http-request redirect location https://%[req.hdr(host),field(1,:)]${port}%[pathq] code 308 unless { ssl_fc }`,
        ]
      : []),
    ...(options.auth ? [`    http-request auth realm ${realm} unless { http_auth(users-${name}) }`] : []),
    ...rewriteLines(backend, data),
    ...(options.stripPath === undefined ? [] : stripLines(options.stripPath)),
    ...(options.hsts
      ? ['    http-response set-header Strict-Transport-Security "max-age=15768000" if { ssl_fc }']
      : []),
  ];
}

/** Lines of one name are one list; a line has 64 words at most. */
function rangeLines(name: string, ranges: readonly string[] = []): readonly string[] {
  const lines = Array.from({ length: Math.ceil(ranges.length / 40) }, (_, at) => ranges.slice(at * 40, at * 40 + 40));
  return lines.map((each) => `    acl ${name} src ${each.join(" ")}`);
}

function healthLines({ healthPath }: RouteOptions): readonly string[] {
  if (healthPath === undefined) return [];
  return [`    option httpchk GET ${word(healthPath)}`, "    http-check expect status 200-399"];
}

/** The cookie is made from the server's address, so that it means the same on every node and after every reload. */
function stickyLines(name: string): readonly string[] {
  const key = createHash("sha256").update(`sticky ${name}`).digest("hex").slice(0, 32);
  return ["    cookie styrmann insert indirect nocache httponly dynamic", `    dynamic-cookie-key ${key}`];
}

function serverOptions({ backendProtocol, maxConnections, healthPath }: RouteOptions): string {
  const protocol = { http: "", https: "ssl verify none", h2c: "proto h2", tcp: "" }[backendProtocol ?? "http"];
  const limit = maxConnections === undefined ? "" : `maxconn ${maxConnections}`;
  const check = healthPath === undefined ? "" : "check inter 2s fall 2 rise 1";
  return [protocol, limit, check].filter((word) => word !== "").join(" ");
}
