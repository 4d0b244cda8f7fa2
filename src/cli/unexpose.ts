import type { Command } from "commander";
import type { RouteRow, RoutesReport } from "../model/route-row.ts";
import { CliFailure } from "./failure.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("unexpose")
    .description("Take back what styr expose did: of a workload, or of one host name.")
    .argument("<name>", "a workload, a host name, or host name and path: example.org/shop")
    .action(async (name: string, _options: object, command: Command) => {
      const client = openSession(command, terminal);
      const { routes } = await client.request<RoutesReport>("GET", "/styr/v1/routes");
      for (const { exposure = "", host, path, to } of meant(name, routes)) {
        await client.request("DELETE", `/styr/v1/exposures/${encodeURIComponent(exposure)}`);
        terminal.out(`${plainText(`${host || "every host"}${path} does not lead to ${to} any more`)}\n`);
      }
      terminal.err(`next: ${terminal.asTyped("styr routes")}\n`);
    });
}

/** Routes that `styr expose` made and the name means: all of a host or of a workload, or the one of a host and path. */
export function meant(name: string, routes: readonly RouteRow[]): readonly RouteRow[] {
  const wanted = name.replace(/\/+$/, "") || "/";
  const bare = (text: string) => text.replace(/^\//, "").replace(/\.service$/, "");
  const fits = ({ host, path, to }: RouteRow) => {
    const place = `${host}${path === "/" ? "" : path}`;
    const isWorkload = bare(to) === bare(name) || to.endsWith(`/${name}`);
    return host === wanted.toLowerCase() || place === wanted || isWorkload;
  };
  const found = routes.filter(fits);
  const ours = found.filter(({ exposure }) => exposure !== undefined);
  if (ours.length > 0) return ours;
  const owner = found[0]?.source;
  const why = owner === undefined ? "" : `; ${owner} asks for it: change it there`;
  throw new CliFailure(`nothing was exposed as "${name}"${why}`, { next: "styr routes" });
}
