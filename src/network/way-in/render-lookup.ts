/** From a request's host and path to its backend, `txn.to`, as lines of HAProxy's frontend; and the answer to those that have none. Pure. */
import { CHALLENGE_PATH } from "../../model/way-in/host-owners.ts";
import { FILES } from "./files.ts";

const UNFOUND = "unless { var(txn.to) -m found }";
const IS_PROOF = `{ path_beg ${CHALLENGE_PATH}/ }`;
const IS_FOREIGN = "{ var(txn.owner) -m found } { var(txn.to) -m found } !{ var(txn.owner),strcmp(txn.backer) eq 0 }";

/** `data`: the folder of its maps. */
export function lookupLines(data: string): readonly string[] {
  const map = (name: keyof typeof FILES, how = "map") => `${how}(${data}/${FILES[name]})`;
  return [
    ...HOST,
    `set-var(txn.answer) path,${map("challenges")} if ${IS_PROOF}`,
    'return status 200 content-type text/plain lf-string "%[var(txn.answer)]" if { var(txn.answer) -m found }',
    `set-var(txn.owner) var(txn.host),${map("hosts")}`,
    `set-var(txn.owner) var(txn.wild),${map("hosts")} unless { var(txn.owner) -m found }`,
    ...lookAt("var(txn.host),concat(,txn.path)", "var(txn.host),concat(,txn.path,/)", map, IS_PROOF),
    ...lookAt("var(txn.wild),concat(,txn.path)", "var(txn.wild),concat(,txn.path,/)", map),
    ...lookAt("path", "path,concat(/)", map),
    `return status 404 content-type text/plain string "nothing is reached under this host name and path\\n" ${UNFOUND}`,
  ].map((line) => `    http-request ${line}`);
}

const HOST = [
  // A slash in it would be taken for the beginning of a path: the client would choose which route is looked at.
  "deny deny_status 400 if { req.fhdr_cnt(host) gt 1 }",
  "deny deny_status 400 if { req.fhdr(host) -m found } !{ req.fhdr(host) -m reg ^([A-Za-z0-9._-]+(:[0-9]*)?)?$ }",
  "set-var(txn.path) path",
  "set-var(txn.host) req.hdr(host),field(1,:),lower,regsub([.]$,)",
  "set-var(txn.wild) var(txn.host),regsub(^[^.]*,*)",
  "capture var(txn.host) len 100",
];

/**
 * What a host's owner has no route for is not answered by a wildcard, or a route of every host, of somebody else. At the host itself only
 * those have routes that its owner let in; proofs for certificates (`only`) are nobody's but the owner's.
 */
function lookAt(
  path: string,
  folder: string,
  map: (name: keyof typeof FILES, how?: string) => string,
  only = "",
): readonly string[] {
  return [
    `set-var(txn.to) ${path},${map("exact")} ${UNFOUND}`,
    `set-var(txn.to) ${folder},${map("prefix", "map_beg")} ${UNFOUND}`,
    `set-var(txn.backer) var(txn.to),${map("backers")} if { var(txn.to) -m found }`,
    `unset-var(txn.to) if ${IS_FOREIGN} ${only}`.trimEnd(),
  ];
}
