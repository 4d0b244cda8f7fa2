import type { RouteOptions } from "../network.ts";
import { parsePath } from "./host-and-path.ts";
import { rangesProblem } from "./protection.ts";

const USER = /^[A-Za-z0-9._@-]{1,64}$/;
/** crypt(3): `$6$salt$hash`, or the 13 letters of old ones. */
const ENCRYPTED = /^[A-Za-z0-9./$=,]{13,256}$/;
const REALM = /^[A-Za-z0-9 ._-]{1,64}$/;

/**
 * What of a route's options cannot be meant, in words. They are written into a configuration: what passes here has no letter that
 * means something there.
 */
export function optionProblem(options: RouteOptions): string | undefined {
  const { balance, backendProtocol, timeoutServerMs, maxConnections, auth, rewritePath, stripPath, healthPath } =
    options;
  if (balance !== undefined && !["roundrobin", "leastconn", "source"].includes(balance))
    return `balance: there is no way "${balance}"; there are roundrobin, leastconn and source`;
  if (backendProtocol === "tcp") return "mode tcp: reached at its service port on every node, not by host name";
  if (backendProtocol !== undefined && !["http", "https", "h2c"].includes(backendProtocol))
    return `protocol: there is no "${backendProtocol}"; there are http, https and h2c`;
  if (!isCount(timeoutServerMs, 86_400_000)) return "timeout: a number of milliseconds up to a day";
  if (!isCount(maxConnections, 1_000_000)) return "connections: a number from 1 to 1000000";
  if (!isPath(stripPath)) return `the path that is taken off, ${JSON.stringify(stripPath)}, is no path`;
  if (!isPath(rewritePath)) return `the path that is put in place, ${JSON.stringify(rewritePath)}, is no path`;
  if (!isPath(healthPath)) return `the path of the check, ${JSON.stringify(healthPath)}, is no path`;
  return (
    rangesProblem("who may ask", options.allowFrom) ??
    rangesProblem("who may not ask", options.denyFrom) ??
    (auth && authProblem(auth))
  );
}

function authProblem({ realm, users }: NonNullable<RouteOptions["auth"]>): string | undefined {
  if (realm !== undefined && !REALM.test(realm)) return "auth: the realm has letters that cannot be meant";
  if (users.length === 0) return "auth: no user may come in";
  const isFine = users.every((text) => {
    const at = text.indexOf(":");
    return USER.test(text.slice(0, Math.max(0, at))) && ENCRYPTED.test(text.slice(at + 1));
  });
  return isFine ? undefined : "auth: expected user:encrypted-password, as crypt(3) or mkpasswd makes it";
}

function isCount(value: number | undefined, most: number): boolean {
  return value === undefined || (Number.isInteger(value) && value >= 1 && value <= most);
}

function isPath(path: string | undefined): boolean {
  return path === undefined || !("problem" in parsePath(path, "exact"));
}
