import type { Command } from "commander";
import { type KubernetesObject, mergeObject } from "../client/dialects/kubernetes.ts";
import { NODE_LABEL } from "../model/well-known.ts";
import { findNode } from "./cordon.ts";
import { CliFailure } from "./failure.ts";
import { plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

/** Key → value; null takes it away. */
export type LabelChanges = Readonly<Record<string, string | null>>;

export function register(program: Command, terminal: Terminal): void {
  program
    .command("label")
    .description("Labels of a node: show them, set some, take some away.")
    .argument("<node>", "a name, or a beginning that only one node has")
    .argument("[changes...]", "KEY=VALUE sets a label, KEY- takes it away")
    .action(async (name: string, texts: readonly string[], _options: object, command: Command) => {
      const changes = labelChanges(texts);
      const client = openSession(command, terminal);
      const rows = await client.nodes();
      const names = rows.map((row) => row.name);
      const node = findNode(name, names);
      const before = rows.find((row) => row.name === node)?.labels ?? {};
      if (texts.length > 0) await mergeObject(client.connection, nodeCalled(node), { metadata: { labels: changes } });
      const lines = texts.length > 0 ? changedLines(node, before, changes) : labelLines(before);
      for (const line of lines) terminal.out(`${plainText(line)}\n`);
      if (NODE_LABEL.wayIn in changes) terminal.err(`next: ${terminal.asTyped("styr routes")}\n`);
    });
}

function nodeCalled(name: string): KubernetesObject {
  return { apiVersion: "v1", kind: "Node", metadata: { name } };
}

/** The server says which keys and values there can be. */
export function labelChanges(texts: readonly string[]): LabelChanges {
  return Object.fromEntries(
    texts.map((text) => {
      const [, key = "", value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
      if (value === undefined && text.length > 1 && text.endsWith("-")) return [text.slice(0, -1), null];
      if (value === undefined) throw new CliFailure(`${text}: say KEY=VALUE to set a label, or KEY- to take it away`);
      // Any other would be taken, and mean nothing.
      if (key === NODE_LABEL.wayIn && !["true", "false"].includes(value))
        throw new CliFailure(`${text}: a node is a way in or not: true or false`);
      return [key, value];
    }),
  );
}

function changedLines(
  node: string,
  before: Readonly<Record<string, string>>,
  changes: LabelChanges,
): readonly string[] {
  return Object.entries(changes).map(([key, value]) => {
    const had = before[key];
    if (value === null) return had === undefined ? `node ${node} has no ${key}` : `node ${node} has no ${key} any more`;
    const was = had === undefined || had === value ? "" : ` (it was ${had})`;
    return `node ${node} has ${key}=${value}${was}`;
  });
}

function labelLines(labels: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${value}`)
    .sort();
}
