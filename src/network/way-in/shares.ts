/**
 * Connections that the way in has, and how many of them requests of one namespace may hold: services that hang hold one for each request, for
 * as long as clients wait. The last quarter is for those that have less than a quarter; nobody has more than three.
 */
export const MOST_CONNECTIONS = 10_000;

const TABLE = "held-by-namespace";

/** Counts what each namespace holds; empty when nobody asks. */
export const SHARES = [`backend ${TABLE}`, "    stick-table type string len 64 size 16k expire 2m store conn_cur"].join(
  "\n",
);

/** For each backend of a namespace, before anything else is done with a request. `connections`: in all. */
export function shareLines(named: string, connections: number): readonly string[] {
  const namespace = named.replaceAll(/[^A-Za-z0-9_.-]+/g, "-");
  const [quarter, most] = [Math.floor(connections / 4), Math.floor((connections * 3) / 4)];
  const refuse = `return status 503 content-type text/plain string "services of ${namespace} hold too many connections: this one waits for some of them to end\\n"`;
  return [
    `    http-request track-sc0 str(${namespace}) table ${TABLE}`,
    `    http-request ${refuse} if { sc0_conn_cur gt ${most} } || { fe_conn(way-in) gt ${most} } { sc0_conn_cur gt ${quarter} }`,
  ];
}
