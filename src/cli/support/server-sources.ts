/** What a server is asked for. */
import type { StyrClient } from "../../client/styr-client.ts";
import { redactObject } from "../../lib/redact-object.ts";
import type { StatusReport } from "../../model/reports.ts";
import { json, type Source } from "./source.ts";

const MOST_EXPLAINED = 10;
/** Of each kind: what is wrong is seen in the first ones, or in the lists. */
const MOST_OBJECTS = 2_000;

export function serverSources(client: StyrClient): readonly Source[] {
  let asked: Promise<StatusReport> | undefined;
  const status = () => {
    asked ??= client.status();
    return asked;
  };
  const one = (about: string, path: string, read: () => Promise<unknown>): Source => ({
    about,
    read: async () => [json(path, redactObject(await read()))],
  });
  return [
    one("how the cluster fares, as styr status has it", "status.json", status),
    one("versions", "version.json", () => client.version()),
    one("nodes and their health", "nodes.json", () => client.nodes()),
    one("workloads and their copies", "workloads.json", () => client.workloads()),
    one("events", "events.json", () => client.events()),
    one("settings", "settings.json", () => client.settings()),
    { about: "why what is in trouble is so, as styr why has it", read: () => explanations(client, status) },
    {
      about: "stored objects, without values of secrets, config maps and environments",
      read: () => objects(client, status),
    },
    { about: "metrics of the server", read: () => metrics(client) },
  ];
}

async function explanations(client: StyrClient, status: () => Promise<StatusReport>) {
  const { troubled = [] } = await status();
  const reports = [];
  for (const { name } of troubled.slice(0, MOST_EXPLAINED)) reports.push(await client.why(name));
  return reports.map((report, at) => json(`why/${at + 1}.json`, redactObject(report)));
}

/** Kinds that the server shows to nobody are not among the answers. */
async function objects(client: StyrClient, status: () => Promise<StatusReport>) {
  const kinds = Object.keys((await status()).store.objects).sort();
  const files = [];
  for (const kind of kinds) {
    const found = await objectsOf(client, kind);
    if (found !== undefined) files.push(json(`objects/${kind}.json`, found));
  }
  return files;
}

async function objectsOf(client: StyrClient, kind: string): Promise<unknown> {
  const { status, text } = await client.connection.call({ method: "GET", path: `/styr/v1/objects/${kind}` });
  // It is shown to nobody, or not to whoever asks here.
  if (status === 404 || status === 403) return undefined;
  if (status !== 200) throw new Error(`the server answered ${status} to objects of kind ${kind}`);
  const all = (JSON.parse(text) as { readonly objects: readonly unknown[] }).objects;
  return { total: all.length, objects: all.slice(0, MOST_OBJECTS).map(redactObject) };
}

async function metrics(client: StyrClient) {
  const { status, text } = await client.connection.call({ method: "GET", path: "/metrics" });
  if (status !== 200) throw new Error(`the server answered ${status}`);
  return [{ path: "metrics.txt", text }];
}
