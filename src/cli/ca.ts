import type { Command } from "commander";
import { finishCaRotation, readCa, revokeCertificates, rotateCa } from "../client/trust.ts";
import type { CaReport } from "../model/trust-reports.ts";
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
    .option("--finish", "end a change at once: hosts that are not through have to join again")
    .action(async ({ finish = false }: { finish?: boolean }, command: Command) => {
      const client = openSession(command, terminal);
      if (finish) sayEnd(terminal, (await finishCaRotation(client)).lockedOut);
      else {
        terminal.out(`${renderCa(await rotateCa(client))}\n`);
        terminal.err(`next: ${terminal.asTyped("styr ca show")} says how far it is\n`);
      }
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

function sayEnd(terminal: Terminal, lockedOut: readonly string[]): void {
  terminal.out("the old CA is no longer believed\n");
  if (lockedOut.length === 0) return;
  terminal.out(
    `locked out, because they had no certificate of the new one yet: ${lockedOut.map(plainText).join(", ")}\n`,
  );
  terminal.err(`next: on each, styr join with a new token: ${terminal.asTyped("styr token create --role agent")}\n`);
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

function rotationLines({ step, startedAt, by, waitsFor }: NonNullable<CaReport["rotation"]>): readonly string[] {
  const waits = waitsFor.map(
    ({ host, role, until }) => `  waits for ${role} ${plainText(host)}, until ${until} at most`,
  );
  const isOut = waitsFor.some(({ role }) => role === "node");
  const end = isOut ? ["  styr ca rotate --finish does not wait: these nodes would have to join again"] : [];
  return [`change   begun by ${plainText(by)} at ${startedAt}; ${STEPS[step]}`, ...waits, ...end];
}
