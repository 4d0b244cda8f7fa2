/** A server's journal as a process of its own: told by lines on stdin, tells by lines of JSON. `server-process.ts NAME PREFIX ENDPOINT…` */
import { createInterface } from "node:readline";
import { identity, never, openEtcdJournal } from "./open-etcd-journal.ts";

const [name = "", prefix = "", ...endpoints] = process.argv.slice(2);
const tell = (line: object) => process.stdout.write(`${JSON.stringify(line)}\n`);

const journal = await openEtcdJournal(endpoints, { prefix });
const loaded = await journal.load();
let revision = loaded.revision;
let leads = false;
tell({ loaded: revision });
journal.follow({
  batch: (entries) => {
    revision = entries.at(-1)?.revision ?? revision;
    tell({ heard: entries.map((entry) => entry.key) });
  },
  lost: (reason) => tell({ cut: reason }),
});

async function campaign(): Promise<void> {
  const leadership = await journal.campaign(identity(name), never);
  leads = true;
  leadership.lost.addEventListener("abort", () => {
    leads = false;
    tell({ deposed: (leadership.lost.reason as Error).message });
  });
  tell({ leads: leadership.term });
}

async function append(key: string): Promise<void> {
  try {
    await journal.append([{ kind: "Pod", key, revision: revision + 1, json: "{}" }]);
    revision++;
    tell({ wrote: key });
  } catch (error) {
    tell({ refused: key, by: (error as Error).name, words: (error as Error).message, leads });
  }
}

for await (const line of createInterface({ input: process.stdin })) {
  const [verb, word = ""] = line.split(" ");
  if (verb === "campaign") void campaign();
  if (verb === "append") await append(word);
}
process.exit(0);
