import type { Command } from "commander";
import type { Connection } from "../client/connection.ts";
import { deleteWorkload } from "../client/dialects/change-workload.ts";
import { deleteUnit } from "../client/dialects/fleet.ts";
import { deleteObject, namespaceOf } from "../client/dialects/kubernetes.ts";
import { deleteMarathon } from "../client/dialects/marathon.ts";
import type { StyrClient } from "../client/styr-client.ts";
import type { Workload } from "../model/workload.ts";
import { type Item, itemTitle, workloadTitle } from "./apply/item.ts";
import { orderBatch } from "./apply/plan-batch.ts";
import { readInputs } from "./apply/read-inputs.ts";
import { type WaitFlags, waitForChange, waitOptions } from "./change.ts";
import { CliFailure } from "./failure.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

interface DeleteOptions extends WaitFlags {
  readonly file?: readonly string[];
  readonly recursive?: boolean;
  readonly grace?: string;
}

export function register(program: Command, terminal: Terminal): void {
  const remove = program
    .command("delete")
    .description("Stop workloads and forget them, by name or by the files that they came from.")
    .argument("[names...]", "units, apps, controllers, pods")
    .option("-f, --file <file>", "everything that this file names", (file: string, all: string[] = []) => [
      ...all,
      file,
    ])
    .option("-R, --recursive", "folders within folders too")
    .option("--grace <seconds>", "how long a Kubernetes pod may take to end");
  waitOptions(remove).action(async (names: string[], options: DeleteOptions, command: Command) => {
    if (names.length === 0 && !options.file)
      throw new CliFailure("give a name, or a file: styr delete -f FILE; see styr delete --help");
    const client = openSession(command, terminal);
    const items = await readFiles(terminal, options);
    // All names are looked up before anything is deleted: a misspelt one changes nothing.
    const workloads: Workload[] = [];
    for (const name of names) workloads.push(await client.workload(name));
    const gone = await deleteAll(terminal, client, workloads, items, options);
    await waitForChange(terminal, client, gone, { ...options, wants: "gone" });
  });
}

async function readFiles(terminal: Terminal, { file = [], recursive }: DeleteOptions): Promise<readonly Item[]> {
  try {
    const items = await readInputs(file, terminal.stdin, { recursive: recursive ?? false });
    return orderBatch(items).flat().reverse();
  } catch (error) {
    if ((error as Error).name !== "InputError") throw error;
    throw new CliFailure(`${(error as Error).message}\nnothing was changed`);
  }
}

async function deleteAll(
  terminal: Terminal,
  client: StyrClient,
  workloads: readonly Workload[],
  items: readonly Item[],
  { grace }: DeleteOptions,
): Promise<readonly Workload[]> {
  const graceSeconds = grace === undefined ? undefined : Number(grace);
  const rows = items.length > 0 ? await client.workloads() : [];
  for (const workload of workloads) {
    const was = await deleteWorkload(client.connection, workload, graceSeconds);
    terminal.out(`${plainText(workloadTitle(workload))} ${was ? "deleted" : "was gone already"}\n`);
  }
  for (const item of items) {
    const was = await deleteItem(client.connection, item, graceSeconds);
    terminal.out(`${plainText(itemTitle(item))} ${was ? "deleted" : "was gone already"}\n`);
  }
  return [...workloads, ...rows.filter((row) => items.some((item) => isOf(row, item)))];
}

function deleteItem(connection: Connection, item: Item, graceSeconds: number | undefined): Promise<boolean> {
  switch (item.dialect) {
    case "fleet":
    case "fleet-instance":
      return deleteUnit(connection, item.name);
    case "marathon":
      return deleteMarathon(connection, item.kind, item.id);
    case "kubernetes":
      return deleteObject(connection, item.object, graceSeconds);
  }
}

function isOf(row: Workload, item: Item): boolean {
  switch (item.dialect) {
    case "fleet":
    case "fleet-instance":
      return row.dialect === "fleet" && row.name === item.name;
    case "marathon":
      return row.dialect === "marathon" && (row.name === item.id || row.name.startsWith(`${item.id}/`));
    case "kubernetes": {
      const { kind, metadata } = item.object;
      const isThis = row.kind === kind && row.name === metadata.name && row.namespace === namespaceOf(item.object);
      return row.dialect === "kubernetes" && isThis;
    }
  }
}
