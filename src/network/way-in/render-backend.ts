import { createHash } from "node:crypto";
import type { RouteOptions } from "../../model/network.ts";
import { pathKey } from "../../model/way-in/route-key.ts";
import type { Backend } from "./backend.ts";
import { WHOLE_PATH } from "./render-paths.ts";
import type { Slots } from "./slots.ts";

/** Where an unused slot points: an address that is never anybody's (RFC 1112, class E). */
export const NOWHERE = "240.0.0.1:1";

export function renderBackend(backend: Backend, slots: Slots, httpsPort: number): string {
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
    ...rules(backend, httpsPort),
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

function rules({ name, options, redirectsToHttps, matchedPath }: Backend, httpsPort: number): readonly string[] {
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
    ...(options.rewritePath === undefined ? [] : rewriteLines(matchedPath ?? "/", options.rewritePath)),
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

/** The beginning that matched is cut off by its length, and the other one put before the rest. */
function rewriteLines(matched: string, put: string): readonly string[] {
  const cut = matched === "/" ? 0 : matched.length;
  const before = literal(put.replace(/\/+$/, ""));
  const whole = literal(put);
  return [
    ...(matched === "/"
      ? []
      : [...plainLines(matched), `    http-request deny deny_status 400 unless ${isBelow(matched)}`]),
    `    http-request set-var(txn.rest) path,bytes(${cut})`,
    `    http-request set-path ${before}%[var(txn.rest)] if { var(txn.rest),length gt 0 }`,
    `    http-request set-path ${whole} unless { var(txn.rest),length gt 0 }`,
  ];
}

/** Of `/api/items` and of `/api` itself, but not of `/apiary`; what is left begins with a slash. */
function stripLines(path: string): readonly string[] {
  const off = path.replace(/\/+$/, "");
  if (off === "") return [];
  return [
    ...plainLines(off),
    `    http-request set-path ${literal(off)}/ if { path ${word(off)} }`,
    `    http-request set-var(txn.rest) path,bytes(${off.length}) if { path_beg ${word(off)}/ }`,
    "    http-request set-path %[var(txn.rest)] if { var(txn.rest),length gt 0 }",
  ];
}

/** A path that begins with this one in another spelling is put into this one: it is cut by its length. */
function plainLines(path: string): readonly string[] {
  const key = pathKey(path);
  const isOther = `!{ path ${word(path)} } !{ path_beg ${word(path)}/ }`;
  return [
    `    http-request set-var(txn.whole) ${WHOLE_PATH}`,
    `    http-request set-var(txn.below) var(txn.whole),bytes(${key.length})`,
    `    http-request set-path ${literal(path)}%[var(txn.below)] if ${isOther} { var(txn.whole) -m beg ${key}/ }`,
    `    http-request set-path ${literal(path)} if ${isOther} { var(txn.whole) -m str ${key} }`,
  ];
}

function isBelow(path: string): string {
  return `{ path ${word(path)} } or { path_beg ${word(path)}/ }`;
}

/** Within a log format and between blanks; paths have no others (option-problem.ts). */
function literal(path: string): string {
  return word(path.replaceAll("%", "%%"));
}

function word(path: string): string {
  return path.replaceAll(/['"#$\\ ]/g, (letter) => `\\${letter}`);
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
