import type { Command } from "commander";
import type { StyrClient } from "../client/styr-client.ts";
import { finishCaRotation, readCa, revokeCertificates, rotateCa } from "../client/trust.ts";
import type { AwaitedHost, CaEndReport, CaReport } from "../model/trust-reports.ts";
import { ask } from "./ask.ts";
import { CliFailure } from "./failure.ts";
import { documentOption } from "./inspect.ts";
import { renderYaml } from "./listing.ts";
import { plainJson, plainText } from "./plain-text.ts";
import { openSession } from "./session.ts";
import type { Terminal } from "./terminal.ts";

export function register(program: Command, terminal: Terminal): void {
  const ca = program
    .command("ca")
    .description("The cluster's certificate authority: show it, change it, take certificates back.");
  ca.command("show")
    .description("Which CAs are believed, and how far a change of them is.")
    .addOption(documentOption("text"))
    .action(async ({ output }: { output: string }, command: Command) => {
      await show(terminal, await readCa(openSession(command, terminal)), output);
    });
  ca.command("rotate")
    .description(
      "Change the CA: first all believe the new one too, then it signs, then the old one goes. By itself, while all runs.",
    )
    .option("--finish", "do not wait for nodes that are silent: they have to join again. Shows which, and asks")
    .option("--force", "with --finish: do not wait for those that are heard, either")
    .option("-y, --yes", "do not ask")
    .action(async (flags: RotateFlags, command: Command) => {
      const client = openSession(command, terminal);
      if (flags.finish) await finish(terminal, client, flags);
      else await rotate(terminal, client);
    });
  ca.command("revoke")
    .description("Take back every certificate that a node, a server or the admin has now.")
    .argument("<name>", "of the node or server; admin for pki/admin.crt")
    .option("--role <role>", "node, server or admin (default: admin for the name admin, else node)")
    .action(async (name: string, options: { role?: string }, command: Command) => {
      const role = options.role ?? (name === "admin" ? "admin" : "node");
      if (!["node", "server", "admin"].includes(role))
        throw new CliFailure(`--role ${role}: it is node, server or admin`);
      await revokeCertificates(openSession(command, terminal), name, role);
      terminal.out(`what the ${role} ${plainText(name)} has is taken no more\n`);
      if (role === "node")
        terminal.err(`next: to let it come back, a new token: ${terminal.asTyped("styr token create --role agent")}\n`);
    });
}

interface RotateFlags {
  readonly finish?: true;
  readonly force?: true;
  readonly yes?: true;
}

async function rotate(terminal: Terminal, client: StyrClient): Promise<void> {
  terminal.out(`${renderCa(await rotateCa(client))}\n`);
  terminal.err(
    "When it is over, older backups are of no use: restored from one, no host would come back.\n" +
      `next: ${terminal.asTyped("styr ca show")} says how far it is; then ${terminal.asTyped("styr backup FILE")}\n`,
  );
}

async function finish(terminal: Terminal, client: StyrClient, { force, yes }: RotateFlags): Promise<void> {
  const { rotation } = await readCa(client);
  if (!rotation) throw new CliFailure("the CA is not being changed", { next: "styr ca show" });
  const given = rotation.waitsFor.filter(({ heard }) => force || !heard);
  const out = namesOf(given.filter(({ role }) => role === "node"));
  if (out.length > 0 && !yes) {
    terminal.out(`have to join again, as they do not get a certificate of the new CA: ${out.join(", ")}\n`);
    const question = `do not wait for ${out.length === 1 ? "it" : `these ${out.length} nodes`}?`;
    if (!(await ask(terminal, question)))
      throw new CliFailure("nothing was changed: nodes would be locked out", { next: "styr ca rotate --finish --yes" });
  }
  sayEnd(terminal, await finishCaRotation(client, namesOf(given)));
}

function namesOf(hosts: readonly AwaitedHost[]): readonly string[] {
  return [...new Set(hosts.map(({ host }) => host))].sort();
}

function sayEnd(terminal: Terminal, { lockedOut, waitsFor }: CaEndReport): void {
  const out = lockedOut.map(plainText).join(", ");
  if (out !== "") terminal.out(`not waited for, and locked out when the old CA goes: ${out}\n`);
  const heard = namesOf(waitsFor).map(plainText).join(", ");
  terminal.out(
    heard === "" ? "nobody is waited for: the change goes on\n" : `still waits for ${heard}, as they are heard\n`,
  );
  const rejoin = `; on each that is locked out, styr join with a new token: ${terminal.asTyped("styr token create --role agent")}`;
  terminal.err(
    `next: ${terminal.asTyped("styr ca show")}, and styr backup FILE when it is over${out === "" ? "" : rejoin}\n`,
  );
}

async function show(terminal: Terminal, report: CaReport, output: string): Promise<void> {
  if (output === "json") terminal.out(`${plainJson(JSON.stringify(report, null, 2))}\n`);
  else if (output === "yaml") terminal.out(await renderYaml(report));
  else terminal.out(`${renderCa(report)}\n`);
}

export function renderCa({ clusterId, authorities, rotation, refused }: CaReport): string {
  const lines = [`cluster  ${clusterId}`];
  for (const { hash, signs, madeAt, expiresAt, hosts } of authorities) {
    const has = `${hosts} ${hosts === 1 ? "certificate" : "certificates"} of hosts`;
    lines.push(
      `CA       ${hash.slice(0, 16)}  ${signs ? "signs" : "is believed"}; ${has}; made ${madeAt}, good until ${expiresAt}`,
    );
  }
  if (rotation) lines.push(...rotationLines(rotation));
  for (const { name, role, before, why } of refused)
    lines.push(`refused  certificates of ${role} ${plainText(name)} from before ${before}: ${plainText(why)}`);
  return lines.join("\n");
}

const STEPS = {
  believe: "step 1 of 2: every host gets to believe the new CA before it signs",
  renew: "step 2 of 2: every host gets a certificate of the new CA before the old one goes",
} as const;

export function rotationLines({
  step,
  startedAt,
  by,
  waitsFor,
  givenUp = [],
}: NonNullable<CaReport["rotation"]>): readonly string[] {
  const waits = waitsFor.map(
    ({ host, role, until, heard }) =>
      `  waits for ${role} ${plainText(host)}, ${heard ? "which is heard: it takes seconds" : `which is silent, until ${until} at most`}`,
  );
  const out = namesOf(waitsFor.filter(({ role, heard }) => role === "node" && !heard));
  return [
    `change   begun by ${plainText(by)} at ${startedAt}; ${STEPS[step]}`,
    ...waits,
    ...(givenUp.length === 0 ? [] : [`  does not wait for ${givenUp.map(plainText).join(", ")}`]),
    ...(out.length === 0
      ? []
      : [`  styr ca rotate --finish does not wait for ${out.map(plainText).join(", ")}: they have to join again then`]),
  ];
}
