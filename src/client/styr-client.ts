/** Our own endpoints (docs/api.md), typed. Dialects' endpoints are called through `connection`. */
import type { IncomingMessage } from "node:http";
import type { AgentReport } from "../model/agent-report.ts";
import type {
  BrakeReleaseReport,
  BrakeReport,
  ErrorReport,
  EventRow,
  ForgetReport,
  InspectReport,
  LogLine,
  LogTrouble,
  NodeRow,
  RowChange,
  ServerRow,
  SettingsReport,
  StatusReport,
  UsageRow,
  VersionReport,
  WhyReport,
} from "../model/reports.ts";
import type { ServiceRow } from "../model/service-row.ts";
import type { Workload } from "../model/workload.ts";
import { ClientError } from "./client-error.ts";
import { type Connection, parseAnswer } from "./connection.ts";
import { readJsonLines } from "./json-lines.ts";

export interface LogsQuery {
  readonly follow?: boolean;
  readonly previous?: boolean;
  readonly container?: string;
  readonly tailLines?: number;
  readonly sinceMs?: number;
}

export class StyrClient {
  readonly connection: Connection;

  constructor(connection: Connection) {
    this.connection = connection;
  }

  async workloads(): Promise<readonly Workload[]> {
    return (await this.#get<{ workloads: readonly Workload[] }>("/styr/v1/workloads")).workloads;
  }

  watchWorkloads(signal: AbortSignal): AsyncGenerator<RowChange<Workload>, void, undefined> {
    return this.#stream("/styr/v1/workloads?watch=true", signal);
  }

  async workload(name: string): Promise<Workload> {
    return (await this.inspect(name)).workload;
  }

  inspect(name: string): Promise<InspectReport> {
    return this.#get(workloadPath(name));
  }

  why(name: string): Promise<WhyReport> {
    return this.#get(`${workloadPath(name)}/why`);
  }

  async *logs(name: string, query: LogsQuery, signal: AbortSignal): AsyncGenerator<LogLine | LogTrouble> {
    yield* this.#stream<LogLine | LogTrouble>(`${workloadPath(name)}/logs${queryText({ ...query })}`, signal);
  }

  async usage(workload?: string): Promise<readonly UsageRow[]> {
    return (await this.#get<{ usage: readonly UsageRow[] }>(`/styr/v1/usage${queryText({ workload })}`)).usage;
  }

  async events(workload?: string): Promise<readonly EventRow[]> {
    return (await this.#get<{ events: readonly EventRow[] }>(`/styr/v1/events${queryText({ workload })}`)).events;
  }

  watchEvents(signal: AbortSignal, workload?: string): AsyncGenerator<RowChange<EventRow>, void, undefined> {
    return this.#stream(`/styr/v1/events${queryText({ workload, watch: true })}`, signal);
  }

  async services(): Promise<readonly ServiceRow[]> {
    return (await this.#get<{ services: readonly ServiceRow[] }>("/styr/v1/services")).services;
  }

  watchServices(signal: AbortSignal): AsyncGenerator<RowChange<ServiceRow>, void, undefined> {
    return this.#stream("/styr/v1/services?watch=true", signal);
  }

  async nodes(): Promise<readonly NodeRow[]> {
    return (await this.#get<{ nodes: readonly NodeRow[] }>("/styr/v1/nodes")).nodes;
  }

  watchNodes(signal: AbortSignal): AsyncGenerator<RowChange<NodeRow>, void, undefined> {
    return this.#stream("/styr/v1/nodes?watch=true", signal);
  }

  async setCordoned(node: string, cordoned: boolean): Promise<void> {
    const path = `/styr/v1/nodes/${encodeURIComponent(node)}/cordon`;
    const { status, text } = await this.connection.call({ method: cordoned ? "PUT" : "DELETE", path });
    if (status >= 300) throw refusal(status, text);
  }

  status(): Promise<StatusReport> {
    return this.#get("/styr/v1/status");
  }

  /** What a host says of itself that runs an agent only. */
  agent(): Promise<AgentReport> {
    return this.#get("/styr/v1/agent");
  }

  version(): Promise<VersionReport> {
    return this.#get("/styr/v1/version");
  }

  async object(kind: string, key?: string): Promise<object> {
    const path = `/styr/v1/objects/${encodeURIComponent(kind)}`;
    return this.#get(key === undefined ? path : `${path}/${encodeURIComponent(key)}`);
  }

  /** Any of our own endpoints that answers with JSON. */
  async request<T>(method: string, path: string, body?: unknown): Promise<T> {
    const { status, text } = await this.connection.call({ method, path, ...(body === undefined ? {} : { body }) });
    if (status < 200 || status > 299) throw refusal(status, text);
    return parseAnswer(text === "" ? "null" : text, path) as T;
  }

  /** Any of our own endpoints that answers with JSON values, one per line. */
  stream<T>(path: string, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    return this.#stream(path, signal);
  }

  /** Undefined while it does not hold. */
  async brake(): Promise<BrakeReport | undefined> {
    const { brake } = await this.#get<{ brake: BrakeReport | null }>("/styr/v1/brake");
    return brake ?? undefined;
  }

  releaseBrake(nodes: readonly string[]): Promise<BrakeReleaseReport> {
    return this.request("POST", "/styr/v1/brake/release", nodes.length === 0 ? {} : { nodes });
  }

  forgetNode(node: string, force: boolean): Promise<ForgetReport> {
    return this.request(
      "DELETE",
      `/styr/v1/nodes/${encodeURIComponent(node)}${queryText({ force: force || undefined })}`,
    );
  }

  /** None where the server is of a version that has no list of them. */
  async servers(): Promise<readonly ServerRow[]> {
    try {
      return (await this.#get<{ servers: readonly ServerRow[] }>("/styr/v1/servers")).servers;
    } catch (error) {
      if (error instanceof ClientError && error.status === 404) return [];
      throw error;
    }
  }

  async forgetServer(server: string): Promise<void> {
    await this.request("DELETE", `/styr/v1/servers/${encodeURIComponent(server)}`);
  }

  settings(): Promise<SettingsReport> {
    return this.#get("/styr/v1/settings");
  }

  /** By field; null takes back what was chosen. */
  changeSettings(wish: Readonly<Record<string, number | boolean | string | null>>): Promise<SettingsReport> {
    return this.request("PATCH", "/styr/v1/settings", wish);
  }

  async #get<T>(path: string): Promise<T> {
    const { status, text } = await this.connection.call({ method: "GET", path });
    if (status !== 200) throw refusal(status, text);
    return parseAnswer(text, path) as T;
  }

  async *#stream<T>(path: string, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
    const response = await this.connection.open({ method: "GET", path, signal });
    if (response.statusCode !== 200) throw refusal(response.statusCode ?? 0, await bodyText(response));
    try {
      yield* readJsonLines<T>(response);
    } catch (error) {
      if (signal.aborted) return;
      throw new ClientError(`the server broke off: ${(error as Error).message}`, { next: "styr status" });
    }
  }
}

export function workloadPath(name: string): string {
  return `/styr/v1/workloads/${encodeURIComponent(name)}`;
}

function queryText(values: Readonly<Record<string, string | number | boolean | undefined>>): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(values)) if (value !== undefined) query.set(name, String(value));
  return query.size === 0 ? "" : `?${query}`;
}

async function bodyText(response: IncomingMessage): Promise<string> {
  let text = "";
  response.setEncoding("utf8");
  for await (const chunk of response) text += chunk as string;
  return text;
}

/** Our own endpoints' error bodies, and anything else that may stand in the way. */
export function refusal(status: number, text: string): ClientError {
  const report = errorReport(text);
  if (status === 401) return unknownHere(report);
  if (!report) return new ClientError(`the server answered ${status}: ${text.trim().slice(0, 200)}`, { status });
  const causes = (report.causes ?? []).map(({ field, message }) => `\n  ${field}: ${message}`).join("");
  return new ClientError(report.message + causes, { status });
}

/** What the server says of a token that was good once is more than we know. */
function unknownHere(report: ErrorReport | undefined): ClientError {
  const words = /^Unauthorized: ((?:token|certificate) .*)$/.exec(report?.message ?? "")?.[1];
  const message = words ?? "the server does not know you";
  return new ClientError(message, { status: 401, ...(words ? {} : { next: "--token TOKEN (or STYR_TOKEN)" }) });
}

function errorReport(text: string): ErrorReport | undefined {
  if (!text.startsWith("{")) return undefined;
  const { error } = parseAnswer(text, "a request") as { error?: ErrorReport };
  return typeof error?.message === "string" ? error : undefined;
}
