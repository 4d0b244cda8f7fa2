import type { StyrClient } from "../client/styr-client.ts";
import type { RoutesReport } from "../model/route-row.ts";

/** How a URL is tried now: the name of a route leads to a way-in node perhaps later, so curl is told where it is. */
export async function curlWords(client: StyrClient, url: string): Promise<string> {
  const { hostname, protocol } = new URL(url);
  if (/^[\d.]+$|^\[/.test(hostname) || hostname === "localhost") return `curl ${url}`;
  // Who may not read routes is told the URL as it is.
  const report = await client.request<RoutesReport>("GET", "/styr/v1/routes").catch(() => undefined);
  const address = report?.wayIn.find((each) => each.address !== undefined && each.trouble === undefined)?.address;
  return address === undefined ? `curl ${url}` : curlAt(url, hostname, protocol === "https:" ? 443 : 80, address);
}

function curlAt(url: string, host: string, port: number, address: string): string {
  // Of a wildcard any name will do.
  const name = host.replace(/^(?:\*|%2a)\./i, "www.");
  const shown = url.replace("://*.", "://www.");
  return `curl --resolve ${name}:${port}:${address} ${shown}`;
}
