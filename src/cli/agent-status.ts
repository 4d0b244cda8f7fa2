/** `styr status` on a host that runs an agent only: what that one knows, whether or not it reaches anybody. */
import { type AgentReport, linkRemedy } from "../model/agent-report.ts";
import { CliFailure, EXIT } from "./failure.ts";
import { renderYaml } from "./listing.ts";
import { plainJson, plainText } from "./plain-text.ts";
import { paint, type Terminal } from "./terminal.ts";
import { age } from "./workload-columns.ts";

/** Certificates are renewed ten days before their end: at five, nobody is doing it. */
const SOON_MS = 5 * 86_400_000;
const MOST_PODS = 20;

interface Options {
  readonly output: string;
  readonly check: boolean;
}

export async function sayAgent(report: AgentReport, { output, check }: Options, terminal: Terminal): Promise<void> {
  const problems = agentProblems(report, terminal.clock.now());
  if (check) for (const words of problems) terminal.out(`${plainText(terminal.asTyped(words))}\n`);
  else if (output === "json") terminal.out(`${plainJson(JSON.stringify(report, null, 2))}\n`);
  else if (output === "yaml") terminal.out(await renderYaml(report));
  else terminal.out(renderAgent(report, terminal));
  if (check && problems.length > 0) throw new CliFailure("", { exitCode: EXIT.failed });
}

export function agentProblems(
  { node, connectedTo, problem, certificateEndsAt }: AgentReport,
  nowMs: number,
): readonly string[] {
  const isLate = certificateEndsAt !== undefined && Date.parse(certificateEndsAt) - nowMs < SOON_MS;
  return [
    ...(connectedTo === undefined ? [`${node} reaches no server: ${problem ?? "none has answered yet"}`] : []),
    ...(isLate ? [`the certificate of ${node} ends at ${certificateEndsAt} and was not renewed`] : []),
  ];
}

export function renderAgent(report: AgentReport, screen: Pick<Terminal, "colors" | "clock" | "asTyped">): string {
  const { node, version, startedAt, servers, podRows = [], certificateEndsAt } = report;
  const nowMs = screen.clock.now();
  const rows: readonly (readonly [string, string])[] = [
    ["agent", `styr ${version} of node ${node}, up ${age(startedAt, nowMs)}`],
    ["server", linkText(report, screen)],
    ["servers", servers.join(", ")],
    ["pods", podsText(report)],
    ...podRows.slice(0, MOST_PODS).map(({ name, phase }) => ["", `${name} ${phase}`] as const),
    ["certificate", certificateEndsAt === undefined ? "not known" : `ends ${certificateEndsAt}`],
    ["next", screen.asTyped(nextOf(report))],
  ];
  // Painted already where it is; the rest of it comes from elsewhere.
  return rows.map(([title, text]) => `${title.padEnd(12)}${title === "server" ? text : plainText(text)}\n`).join("");
}

function linkText(
  { connectedTo, since, problem }: AgentReport,
  { colors, clock }: Pick<Terminal, "colors" | "clock">,
): string {
  const time = since === undefined ? "" : ` for ${age(since, clock.now())}`;
  if (connectedTo !== undefined) return paint(plainText(`linked to ${connectedTo}${time}`), "green", colors);
  const words = `none reached${time}: ${problem ?? "none has answered yet"}; what runs goes on running`;
  return paint(plainText(words), "red", colors);
}

function podsText({ pods }: AgentReport): string {
  if (pods === 0) return "none";
  return `${pods}, by this host's own record${pods > MOST_PODS ? `; the first ${MOST_PODS}:` : ":"}`;
}

function nextOf({ connectedTo, servers, problem }: AgentReport): string {
  const remedy = connectedTo === undefined && problem !== undefined ? linkRemedy(problem) : undefined;
  if (remedy !== undefined) return remedy;
  const [server = "https://HOST:7443"] = connectedTo === undefined ? servers : [connectedTo];
  return `of the whole cluster: styr --server ${server} --token TOKEN --ca FILE status`;
}
