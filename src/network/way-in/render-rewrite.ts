/**
 * Another path in place of the beginning that matched. Backends of many paths do not know which of them it was: how much is cut off stands
 * in a map, by backend and path, so that a site of a thousand paths is one backend. Pure.
 */
import { pathKey } from "../../model/way-in/route-key.ts";
import { type Backend, REWRITING } from "./backend.ts";
import { FILES } from "./files.ts";
import { MOST, WHOLE_PATH } from "./render-paths.ts";

/** Powers of two: no path of a route is longer (host-and-path.ts). */
const BITS = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024];

/** Backend and path, as the path is found by → letters of that path. `prefix`: host and path → backend (plan.ts). */
export function cutsOf(prefix: ReadonlyMap<string, string>): ReadonlyMap<string, string> {
  const rewriting = [...prefix].filter(([, backend]) => isRewriting(backend));
  return new Map(
    rewriting.map(([key, backend]) => {
      const path = key.slice(key.indexOf("/"));
      return [backend + path, `${path.length - 1}`];
    }),
  );
}

function isRewriting(backend: string): boolean {
  return backend.includes(REWRITING);
}

/** `data`: the folder of the maps. */
export function rewriteLines(backend: Backend, data: string): readonly string[] {
  const { options, rewrites, matchedPath } = backend;
  const { rewritePath = "" } = options;
  if (rewrites === undefined) return matchedPath === undefined ? [] : ownLines(matchedPath, rewritePath);
  if (rewrites.pathType === "exact") return [`    http-request set-path ${literal(rewritePath)}`];
  const map = `map_beg_int(${data}/${FILES.cuts})`;
  return [
    // The one as it is found by, the other as it was sent: what is left goes on as it was sent, where that is spelled so.
    `    http-request set-var(txn.cut) var(txn.to),concat(,txn.path,/),${map}`,
    "    http-request deny deny_status 400 unless { var(txn.cut) -m found }",
    `    http-request set-var(txn.sent) path,bytes(0,${MOST})`,
    `    http-request set-var(txn.plain) var(txn.to),concat(,txn.sent,/),${map}`,
    `    http-request set-path %[${WHOLE_PATH}] unless { var(txn.plain) -m found } { var(txn.plain),sub(txn.cut) eq 0 }`,
    // A slash at the end, as no text can be cut to nothing.
    "    http-request set-var(txn.rest) path,concat(/)",
    ...BITS.map(
      (bit) => `    http-request set-var(txn.rest) var(txn.rest),bytes(${bit}) if { var(txn.cut),and(${bit}) gt 0 }`,
    ),
    "    http-request set-var(txn.rest) var(txn.rest),regsub(/$,)",
    ...putLines(rewritePath),
  ];
}

/** The beginning that matched is cut off by its length. */
function ownLines(matched: string, put: string): readonly string[] {
  const isBelow = `{ path ${word(matched)} } or { path_beg ${word(matched)}/ }`;
  return [
    ...plainLines(matched),
    `    http-request deny deny_status 400 unless ${isBelow}`,
    `    http-request set-var(txn.rest) path,bytes(${matched.length})`,
    ...putLines(put),
  ];
}

function putLines(put: string): readonly string[] {
  return [
    `    http-request set-path ${literal(put.replace(/\/+$/, ""))}%[var(txn.rest)] if { var(txn.rest),length gt 0 }`,
    `    http-request set-path ${literal(put)} unless { var(txn.rest),length gt 0 }`,
  ];
}

/** Of `/api/items` and of `/api` itself, but not of `/apiary`; what is left begins with a slash. */
export function stripLines(path: string): readonly string[] {
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

/** Within a log format and between blanks; paths have no others (option-problem.ts). */
function literal(path: string): string {
  return word(path.replaceAll("%", "%%"));
}

export function word(path: string): string {
  return path.replaceAll(/['"#$\\ ]/g, (letter) => `\\${letter}`);
}
