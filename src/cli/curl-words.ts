import { ClientError } from "../client/client-error.ts";
import type { StyrClient } from "../client/styr-client.ts";
import type { RoutesReport } from "../model/route-row.ts";

/**
 * How a URL is tried now: the name of a route leads to a way-in node perhaps later, so curl is told where it is. `warn`: hears why that
 * could not be asked.
 */
export async function curlWords(client: StyrClient, url: string, warn: (words: string) => void): Promise<string> {
  const { hostname, protocol } = new URL(url);
  if (/^[\d.]+$|^\[/.test(hostname) || hostname === "localhost") return `curl ${url}`;
  const report = await client.request<RoutesReport>("GET", "/styr/v1/routes").catch((error: unknown) => {
    if (error instanceof ClientError) return error;
    throw error;
  });
  // Who may not read routes is told the URL as it is.
  if (report instanceof ClientError && report.status === 403) return `curl ${url}`;
  if (report instanceof ClientError) {
    warn(`where ${url} comes in could not be asked: ${report.message}`);
    return "styr routes";
  }
  const address = report.wayIn.find((each) => each.address !== undefined && each.trouble === undefined)?.address;
  return address === undefined ? `curl ${url}` : curlAt(url, hostname, protocol === "https:" ? 443 : 80, address);
}

function curlAt(url: string, host: string, port: number, address: string): string {
  // Of a wildcard any name will do.
  const name = host.replace(/^(?:\*|%2a)\./i, "www.");
  const shown = url.replace("://*.", "://www.");
  return `curl --resolve ${name}:${port}:${address} ${shown}`;
}
