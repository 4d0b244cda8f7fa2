import type { Command } from "commander";
import type { ExposureRequest, RouteRow, RoutesReport } from "../model/route-row.ts";
import { CliFailure } from "./failure.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

interface ExposeFlags {
  readonly host: string;
  readonly path?: string;
  readonly port?: string;
  readonly tls?: string;
  readonly redirect?: true;
}

export function register(program: Command, terminal: Terminal): void {
  program
    .command("expose")
    .description("Let HTTP and HTTPS for a host name come in to a workload of any dialect.")
    .argument("<name>", "an app, a controller, a unit or a pod")
    .requiredOption("--host <name>", "for example example.org, or *.example.org")
    .option("--path <path>", "only what is below this path (default: /)")
    .option("--port <number>", "where its copies answer (default: the first port they say)")
    .option("--tls <certificate>", "acme, secret:NAMESPACE/NAME, or file:PATH on the way-in nodes")
    .option("--redirect", "send plain HTTP to HTTPS")
    .action(async (name: string, flags: ExposeFlags, command: Command) => {
      const client = openSession(command, terminal);
      const body = requestOf(name, flags);
      const done = await client.request<{ route: RouteRow; wayIn: RoutesReport["wayIn"] }>(
        "POST",
        "/styr/v1/exposures",
        body,
      );
      for (const line of exposedLines(done, flags.tls)) terminal.out(`${plainText(line)}\n`);
      terminal.err(`next: ${terminal.asTyped(nextStep(done))}\n`);
    });
}

export function requestOf(workload: string, { host, path, port, tls, redirect }: ExposeFlags): ExposureRequest {
  if (port !== undefined && !/^\d{1,5}$/.test(port))
    throw new CliFailure(`--port ${port}: give a number from 1 to 65535`);
  return {
    ...{ workload, host },
    ...(path === undefined ? {} : { path }),
    ...(port === undefined ? {} : { port: Number(port) }),
    ...(tls === undefined ? {} : { tls: tlsOf(tls) }),
    ...(redirect ? { redirectsToHttps: true } : {}),
  };
}

function tlsOf(text: string): NonNullable<ExposureRequest["tls"]> {
  if (text === "acme") return { acme: true };
  const [, kind, value = ""] = /^(secret|file):(.+)$/.exec(text) ?? [];
  if (kind === "secret") return { secret: value };
  if (kind === "file") return { file: value };
  throw new CliFailure(`--tls ${text}: give acme, secret:NAMESPACE/NAME or file:PATH`);
}

export function exposedLines(
  { route, wayIn }: { readonly route: RouteRow; readonly wayIn: RoutesReport["wayIn"] },
  tls: string | undefined,
): readonly string[] {
  const where = wayIn.map(({ node, address }) => (address === undefined ? node : `${node} (${address})`)).join(", ");
  const url = route.url ?? `http://ADDRESS${route.path === "/" ? "" : route.path}`;
  const words = route.words ?? [];
  const isOrdered =
    tls === "acme" && route.certificate !== "acme" && !words.some((each) => /no certificate/.test(each));
  return [
    `${route.to} ${route.isServed ? "is" : "will be"} reached at ${url}`,
    ...(where === "" ? [] : [`requests come in at ${where}: let the name of the host lead there`]),
    ...(isOrdered ? ["a certificate is ordered; until it is there, browsers warn"] : []),
    ...words,
  ];
}

function nextStep({ wayIn }: Pick<RoutesReport, "wayIn">): string {
  if (wayIn.length > 0) return "styr routes";
  return "styr label NODE styrmann.dev/way-in=true makes a node with HAProxy a way in, or styr up --way-in";
}
