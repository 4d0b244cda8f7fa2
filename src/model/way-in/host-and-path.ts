/** Hosts and paths of routes as people write them, made safe and comparable; a sentence for those that are none. Pure. */

const LABEL = "[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?";
const HOST = new RegExp(`^(?:\\*\\.)?${LABEL}(?:\\.${LABEL})*$`);
const LONGEST_HOST = 253;
const LONGEST_PATH = 1024;

/** RFC 3986: what may stand in a path, with percent-encoding. */
const PATH = /^\/(?:[A-Za-z0-9._~!$&'()*+,;=:@/-]|%[0-9A-Fa-f]{2})*$/;

/** In lower case, without the dot at the end; "" means every host. */
export function parseHost(text: string): { readonly host: string } | { readonly problem: string } {
  const host = text.trim().toLowerCase().replace(/\.$/, "");
  if (host === "" || (host.length <= LONGEST_HOST && HOST.test(host))) return { host };
  return { problem: `${shown(text)} is no host name such as example.org or *.example.org` };
}

/** What is a host in an Ingress, and surely a mistake on a command line: an unset variable would take every host. */
export function exposedHostProblem(host: string): string | undefined {
  if (host === "") return "give the name by which it is asked for, such as example.org";
  return /^\d+(?:\.\d+){3}$/.test(host) ? `${host} is an address; names such as example.org come in` : undefined;
}

/** Letters outside of ASCII are encoded as browsers do. A slash at the end of a prefix means nothing. */
export function parsePath(
  text: string,
  type: "prefix" | "exact",
): { readonly path: string } | { readonly problem: string } {
  // Not encodeURI, which would encode the "%" of what is encoded already, and keeps "[" and "#".
  const encoded = text.replaceAll(/[^\x20-\x7e]/gu, (letter) => encodeLetter(letter));
  if (encoded.length > LONGEST_PATH || !PATH.test(encoded))
    return { problem: `${shown(text)} is no path such as /shop` };
  const path = type === "prefix" ? encoded.replace(/\/+$/, "") : encoded;
  return { path: path === "" ? "/" : path };
}

function encodeLetter(letter: string): string {
  return letter < " " || letter === "\x7f" || /\p{Surrogate}/u.test(letter) ? letter : encodeURIComponent(letter);
}

function shown(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 80)}…` : text);
}
