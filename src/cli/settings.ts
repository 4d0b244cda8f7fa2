import type { Command } from "commander";
import { ClientError } from "../client/client-error.ts";
import type { StyrClient } from "../client/styr-client.ts";
import type { ClusterNetworkSpec } from "../model/cluster-network.ts";
import type { ClusterSettingsSpec } from "../model/cluster-settings.ts";
import { DEFAULT_CLUSTER_SETTINGS } from "../model/cluster-settings.ts";
import type { SettingsReport } from "../model/reports.ts";
import {
  formatSetting,
  parseSetting,
  SETTING_NAMES,
  type SettingName,
  type SettingValue,
  settingNamed,
  settingsRepair,
} from "../model/setting-names.ts";
import { CliFailure } from "./failure.ts";
import { documentOption } from "./inspect.ts";
import { renderYaml } from "./listing.ts";
import { plainJson } from "./plain-text.ts";
import { openSession } from "./session.ts";
import { type Column, renderTable } from "./table.ts";
import type { Terminal } from "./terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  const settings = program
    .command("settings")
    .description(
      "When a node is lost, what the brake holds, how fast pods are moved, how much may be asked: for the whole cluster.",
    )
    .addOption(documentOption("text"))
    .action(async ({ output }: { output: string }, command: Command) => {
      await show(terminal, await openSession(command, terminal).settings(), output);
    });
  settings
    .command("set")
    .description("Choose, for example: styr settings set unreachable-after=10s brake-share=60%")
    .argument("<settings...>", "NAME=VALUE")
    .action(async (words: string[], _options: object, command: Command) => {
      const wish = Object.fromEntries(words.map(parseWish));
      sayChanged(terminal, Object.keys(wish), await change(openSession(command, terminal), wish, words));
    });
  settings
    .command("unset")
    .description("Take back what was chosen: the default is in force again.")
    .argument("<names...>", "as styr settings lists them")
    .action(async (names: string[], _options: object, command: Command) => {
      const wish = Object.fromEntries(names.map((name) => [known(name).field, null]));
      const words = names.map((name) => byDefault(known(name)));
      sayChanged(terminal, Object.keys(wish), await change(openSession(command, terminal), wish, words));
    });
}

type Wish = Readonly<Record<string, SettingValue | null>>;

/** Refused, it says what else has to be chosen with it. */
async function change(client: StyrClient, wish: Wish, words: readonly string[]): Promise<SettingsReport> {
  try {
    return await client.changeSettings(wish);
  } catch (error) {
    if (!(error instanceof ClientError) || error.status !== 400) throw error;
    const { settings } = await client.settings();
    const wanted = Object.fromEntries(
      Object.entries(wish).map(([field, value]) => [
        field,
        value ?? DEFAULT_CLUSTER_SETTINGS[field as keyof ClusterSettingsSpec],
      ]),
    );
    const more = settingsRepair({ ...settings, ...wanted }, Object.keys(wish));
    const next = more === undefined ? "styr settings" : `styr settings set ${[...words, ...more].join(" ")}`;
    throw new CliFailure(error.message, { next });
  }
}

function byDefault(setting: SettingName): string {
  return `${setting.name}=${formatSetting(setting, DEFAULT_CLUSTER_SETTINGS[setting.field])}`;
}

function parseWish(word: string): readonly [string, SettingValue] {
  const at = word.indexOf("=");
  if (at < 1) throw new CliFailure(`"${word}": give NAME=VALUE`, { next: "styr settings" });
  const name = word.slice(0, at);
  const setting = known(name);
  const text = word.slice(at + 1);
  // As -o json shows it.
  const isBare = name === setting.field && setting.unit === "duration" && /^\d+$/.test(text);
  const parsed = parseSetting(setting, isBare ? `${text}ms` : text);
  if (typeof parsed === "string") throw new CliFailure(parsed, { next: "styr settings" });
  return [setting.field, parsed.value];
}

function known(name: string): SettingName {
  const setting = settingNamed(name);
  if (setting) return setting;
  const names = SETTING_NAMES.map((one) => one.name).join(", ");
  throw new CliFailure(`there is no setting "${name}"; there are: ${names}`, { next: "styr settings" });
}

function sayChanged(terminal: Terminal, fields: readonly string[], { settings }: SettingsReport): void {
  for (const setting of SETTING_NAMES.filter(({ field }) => fields.includes(field))) {
    terminal.out(`${setting.name} is ${formatSetting(setting, settings[setting.field])}\n`);
  }
}

async function show(terminal: Terminal, report: SettingsReport, output: string): Promise<void> {
  if (output === "json") terminal.out(`${plainJson(JSON.stringify(report, null, 2))}\n`);
  else if (output === "yaml") terminal.out(await renderYaml(report));
  else {
    terminal.out(`${renderSettings(report, terminal)}\n`);
    if (report.network) terminal.out(`\n${renderNetwork(report.network, terminal)}\n`);
  }
}

export function renderSettings(
  report: SettingsReport,
  { columns, colors }: Pick<Terminal, "columns" | "colors">,
): string {
  return renderTable(settingColumns(report), SETTING_NAMES, { width: columns, colors });
}

type NetworkRow = readonly [name: string, value: string, words: string];

/** What styr settings set does not change: addresses were given out of it, or all nodes would have to agree at once. */
export function renderNetwork(
  network: ClusterNetworkSpec,
  { columns, colors }: Pick<Terminal, "columns" | "colors">,
): string {
  const rows: readonly NetworkRow[] = [
    ["cluster-range", network.clusterRange, "pods' addresses; stays as chosen at the first start"],
    ["node-prefix", String(network.nodePrefix), "each node's part of them; stays as chosen at the first start"],
    ["service-range", network.serviceRange, "addresses of Services; stays as chosen at the first start"],
    ["domain", network.domain, "names of Services end in it; stays"],
    ["network-mode", network.mode, "how packets reach other hosts' pods; styr up --network-mode changes it"],
    ["vxlan-port", String(network.vxlanPort), "UDP port of VXLAN; styr up --vxlan-port changes it"],
  ];
  const header: readonly Column<NetworkRow>[] = [
    { title: "NETWORK", cell: ([name]) => name, firm: true },
    { title: "VALUE", cell: ([, value]) => value, firm: true },
    { title: "MEANING", cell: ([, , words]) => words },
  ];
  return renderTable(header, rows, { width: columns, colors });
}

function settingColumns({ settings, chosen }: SettingsReport): readonly Column<SettingName>[] {
  const isChosen = ({ field }: SettingName) => chosen[field] !== undefined;
  const value = (of: ClusterSettingsSpec) => (setting: SettingName) => formatSetting(setting, of[setting.field]);
  return [
    { title: "NAME", cell: ({ name }) => name, firm: true },
    {
      title: "VALUE",
      cell: (setting) => ({ text: value(settings)(setting), ...(isChosen(setting) ? { color: "yellow" } : {}) }),
      firm: true,
    },
    {
      title: "DEFAULT",
      cell: (setting) => (isChosen(setting) ? value(DEFAULT_CLUSTER_SETTINGS)(setting) : "(default)"),
      firm: true,
    },
    { title: "MEANING", cell: ({ words }) => words },
  ];
}
