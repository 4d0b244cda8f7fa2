/**
 * A path can be spelled in many ways, and each program behind the way in reads them in its own. Routes are found by what it means
 * (RFC 3986, 6.2.2), as nginx finds them; what is passed on is what the client wrote. Pure.
 */

/** More of a path than any route has, decoded (host-and-path.ts). What is cut off begins nothing. */
export const MOST = 1100;

/** Two backslashes within a regular expression, of which HAProxy takes the half twice: of its line, and of a converter's words. */
const BACKSLASH = String.raw`[\\\\\\\\]`;

/** As routeKey (model/way-in/route-key.ts) has them. */
export function cleanPath(decoded: string): string {
  return `${decoded},bytes(0,${MOST}),url_enc,regsub(%2F,/,g)`;
}

export const WHOLE_PATH = "path,url_dec,regsub(//+,/,g),url_enc,regsub(%2F,/,g)";

/** There may be several ways to read the path. */
export const IS_ODD = "{ var(txn.said) -m found }";

/** `txn.path`: where routes are looked for. */
export const PATH: readonly string[] = [
  // Nearly all: there is one way only to read them.
  `set-var(txn.path) path if { path -m found } !{ path -m reg '[^A-Za-z0-9._~/-]|//|/[.]' }`,
  "set-var(txn.said) path,url_dec unless { var(txn.path) -m found }",
  // A percent sign without two digits. Zero ends a text for many a program.
  `deny deny_status 400 if { path -m found } !{ var(txn.path) -m found } !${IS_ODD}`,
  `deny deny_status 400 if ${IS_ODD} { path -m sub %00 }`,
  // Browsers and most clients resolve them; where they lead depends on who else does.
  String.raw`deny deny_status 400 if ${IS_ODD} { var(txn.said) -m reg '[/\\]\.\.?([/\\;]|$)' }`,
  `set-var(txn.path) ${cleanPath("var(txn.said),regsub(//+,/,g)")} if ${IS_ODD}`,
];

/**
 * Other ways to read a path, decoded, and where they differ: slashes as they were written, `%2F` being none; without parameters (`;v=1`),
 * as Java's servlets read it, and with backslashes for slashes, as WHATWG's URLs have them; the same, with two slashes before a host.
 */
export const READINGS: readonly (readonly [path: string, when: string])[] = [
  ["path,regsub(%2[fF],%252F,g),url_dec", "{ path -m sub -i %2f // }"],
  [
    `var(txn.said),regsub(${BACKSLASH},/,g),regsub(;[^/]*,,g),regsub(//+,/,g)`,
    String.raw`{ var(txn.said) -m sub ; \\ }`,
  ],
  [
    `var(txn.said),regsub(${BACKSLASH},/,g),regsub(^//+[^/]*,),regsub(;[^/]*,,g),regsub(//+,/,g)`,
    String.raw`{ var(txn.said) -m reg '^[/\\][/\\]' }`,
  ],
];
