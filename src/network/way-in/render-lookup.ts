/** From a request's host and path to its backend, `txn.to`, as lines of HAProxy's frontend; and the answer to those that have none. Pure. */
import { CHALLENGE_PATH } from "../../model/way-in/host-owners.ts";
import { CLOSED, GUARDED } from "./backend.ts";
import { FILES } from "./files.ts";
import { cleanPath, IS_ODD, PATH, READINGS } from "./render-paths.ts";

const IS_PROOF = `{ var(txn.path) -m beg ${CHALLENGE_PATH}/ }`;
const IS_FOUND = "{ var(txn.found) -m found }";
const IS_FOREIGN = `{ var(txn.owner) -m found } ${IS_FOUND} !{ var(txn.owner),strcmp(txn.backer) eq 0 }`;
const KEEPS_OUT = `-m end ${GUARDED} ${CLOSED}`;
/** Another reading of the path leads to where not everybody may come in, and the first one does not. */
const IS_AROUND = `{ var(txn.other) ${KEEPS_OUT} } !{ var(txn.other),strcmp(txn.to) eq 0 }`;

/** `data`: the folder of its maps. The last lines of a frontend: once a backend is found, and no other reading could find another, no more are read. */
export function lookupLines(data: string): readonly string[] {
  const map: MapOf = (name, how = "map") => `${how}(${data}/${FILES[name]})`;
  return [
    ...HOST,
    ...PATH,
    `set-var(txn.answer) path,${map("challenges")} if { path_beg ${CHALLENGE_PATH}/ }`,
    'return status 200 content-type text/plain lf-string "%[var(txn.answer)]" if { var(txn.answer) -m found }',
    `set-var(txn.owner) var(txn.host),${map("hosts")}`,
    `set-var(txn.owner) var(txn.wild),${map("hosts")} unless { var(txn.owner) -m found }`,
    ...search("to", "path", map, "", [
      `allow if { var(txn.to) -m found } !${IS_ODD} !{ var(txn.to) -m end ${CLOSED} }`,
    ]),
    ...READINGS.flatMap(([path, when]) => readAgain(path, when, map)),
    `return status 404 content-type text/plain string "this path is closed: its route is not served\\n" if { var(txn.to) -m end ${CLOSED} }`,
    'return status 404 content-type text/plain string "nothing is reached under this host name and path\\n" unless { var(txn.to) -m found }',
  ].map((line) => `    http-request ${line}`);
}

const HOST = [
  // A slash in it would be taken for the beginning of a path: the client would choose which route is looked at.
  "deny deny_status 400 if { req.fhdr_cnt(host) gt 1 }",
  "deny deny_status 400 if { req.fhdr(host) -m found } !{ req.fhdr(host) -m reg ^([A-Za-z0-9._-]+(:[0-9]*)?)?$ }",
  "set-var(txn.host) req.hdr(host),field(1,:),lower,regsub([.]$,)",
  "set-var(txn.wild) var(txn.host),regsub(^[^.]*,*)",
  "capture var(txn.host) len 100",
];

type MapOf = (name: keyof typeof FILES, how?: string) => string;

/**
 * By the path in `txn.{path}` to the backend in `txn.{to}`: first at the host, then at its wildcard, then at every host. `then`: lines after
 * each of them.
 */
function search(to: string, path: string, map: MapOf, when: string, then: readonly string[]): readonly string[] {
  const [host, wild] = ["host", "wild"].map((name) => [
    `var(txn.${name}),concat(,txn.${path})`,
    `var(txn.${name}),concat(,txn.${path},/)`,
  ]) as [[string, string], [string, string]];
  return [
    ...[...lookAt(to, host, map, when, IS_PROOF), ...then],
    ...[...lookAt(to, wild, map, when), ...then],
    ...[...lookAt(to, [`var(txn.${path})`, `var(txn.${path}),concat(/)`], map, when), ...then],
  ];
}

/**
 * What a host's owner has no route for is not answered by a wildcard, or a route of every host, of somebody else. At the host itself only
 * those have routes that its owner let in; proofs for certificates (`only`) are nobody's but the owner's.
 */
function lookAt(
  to: string,
  [path, folder]: readonly [string, string],
  map: MapOf,
  when: string,
  only = "",
): readonly string[] {
  const isSettled = `{ var(txn.${to}) -m found }`;
  return [
    "unset-var(txn.found)",
    `set-var(txn.found) ${path},${map("exact")} if !${isSettled} ${when}`.trimEnd(),
    `set-var(txn.found) ${folder},${map("prefix", "map_beg")} if !${isSettled} !${IS_FOUND} ${when}`.trimEnd(),
    `set-var(txn.backer) var(txn.found),${map("backers")} if ${IS_FOUND}`,
    // Only what was found here: those that its owner let in at the host itself stay.
    `unset-var(txn.found) if ${IS_FOREIGN} ${only}`.trimEnd(),
    `set-var(txn.${to}) var(txn.found) if ${IS_FOUND}`,
  ];
}

/** Where not everybody may come in is who answers by any reading of the path; where two such are, nobody does. */
function readAgain(path: string, when: string, map: MapOf): readonly string[] {
  return [
    "unset-var(txn.other)",
    "unset-var(txn.read)",
    `set-var(txn.read) ${cleanPath(path)} if ${when}`,
    ...search("other", "read", map, "{ var(txn.read) -m found }", []),
    `deny deny_status 400 if ${IS_AROUND} { var(txn.to) ${KEEPS_OUT} }`,
    `set-var(txn.to) var(txn.other) if ${IS_AROUND}`,
  ];
}
