import type { Command } from "commander";
import type { RouteRow, RoutesReport } from "../model/route-row.ts";
import { type Listing, type ListingOptions, outputOption, showListing } from "./listing.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  program
    .command("routes")
    .description("What comes in from outside: host names and paths, where they lead, and what is wrong.")
    .addOption(outputOption())
    .action(async (options: ListingOptions, command: Command) => {
      const client = openSession(command, terminal);
      const report = await client.request<RoutesReport>("GET", "/styr/v1/routes");
      await showListing(terminal, routeListing(report), options, undefined);
      for (const { node, trouble } of options.output === undefined ? report.wayIn : [])
        if (trouble !== undefined) terminal.err(plainText(`${node} is a way in with trouble: ${trouble}\n`));
      if (options.output === undefined && report.wayIn.length === 0 && report.routes.length > 0)
        terminal.err(`next: ${terminal.asTyped("styr label NODE styrmann.dev/way-in=true")}\n`);
    });
}

function routeListing({ routes }: RoutesReport): Listing<RouteRow> {
  return {
    columns: [
      { title: "HOST", cell: ({ host }) => host || "*", firm: true },
      { title: "PATH", cell: ({ path, pathType }) => (pathType === "exact" ? `=${path}` : path), firm: true },
      { title: "TO", cell: ({ to }) => to, firm: true },
      { title: "BY", cell: ({ source }) => source, dropRank: 1 },
      { title: "CERTIFICATE", cell: ({ certificate }) => certificate ?? "", dropRank: 2 },
      {
        title: "SERVED",
        cell: ({ isServed }) => ({ text: isServed ? "yes" : "no", color: isServed ? "green" : "red" }),
      },
    ],
    remark: {
      title: "REMARK",
      text: ({ words, isServed }) =>
        words ? { text: words.join("; "), color: isServed ? "yellow" : "red" } : undefined,
    },
    name: ({ host, path }) => `${host}${path}`,
    empty: "nothing comes in from outside; next: styr expose NAME --host example.org",
    fetch: async () => routes,
    // Without -w nobody asks for it.
    watch: () => {
      throw new Error("routes are not watched");
    },
    order: (a, b) => (`${a.host} ${a.path}` < `${b.host} ${b.path}` ? -1 : 1),
  };
}
