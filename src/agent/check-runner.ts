import { type Driver, DriverError, type RunRef } from "../drivers/driver.ts";
import type { Container, Pod, ProbeAction } from "../model/pod.ts";
import { type Transport, TransportError } from "../seams/transport.ts";
import { ConfigurationError } from "./configuration-error.ts";
import { hostPortOf } from "./environment.ts";
import type { ProbeAnswer } from "./probe-state.ts";

export interface CheckTarget {
  readonly pod: Pod;
  readonly container: Container;
  readonly ref: RunRef;
  readonly driver: Driver;
  readonly transport: Transport;
  /** Where the pod listens; the host's address on the host network. */
  readonly podAddress: string;
  readonly hostAddress: string;
}

export interface CheckOptions {
  readonly timeoutMs: number;
  /** Ask the host port of this name on the host's address. */
  readonly assignedPort?: string;
  readonly ignoreHttp1xx?: boolean;
}

/**
 * Carries out one probe, hook or health check. Never rejects for what the container did; the words say what it answered.
 * Neutral when its driver could not be asked: as the kubelet does, an error of the runtime is not one of the container.
 */
export async function runCheck(action: ProbeAction, target: CheckTarget, options: CheckOptions): Promise<ProbeAnswer> {
  try {
    if (action.exec) return await runCommand(action.exec.command ?? [], target, options.timeoutMs);
    if (action.httpGet) return await runHttp(action.httpGet, target, options);
    if (action.tcpSocket) return await runTcp(action.tcpSocket, target, options);
  } catch (error) {
    if (error instanceof DriverError && error.temporary) return { verdict: "neutral", words: error.message };
    if (error instanceof DriverError || error instanceof TransportError || error instanceof ConfigurationError) {
      return { verdict: "failure", words: error.message };
    }
    throw error;
  }
  return { verdict: "success", words: "nothing to check" };
}

async function runCommand(
  command: readonly string[],
  { driver, ref }: CheckTarget,
  timeoutMs: number,
): Promise<ProbeAnswer> {
  if (!driver.probe) return { verdict: "failure", words: `the ${driver.name} driver cannot run commands` };
  const { exitCode, output } = await driver.probe(ref, command, timeoutMs);
  if (exitCode === 0) return { verdict: "success", words: output };
  return { verdict: "failure", words: `command ended with exit code ${exitCode}${output ? `: ${output.trim()}` : ""}` };
}

async function runHttp(
  { path = "/", port, host, scheme, httpHeaders }: NonNullable<ProbeAction["httpGet"]>,
  target: CheckTarget,
  { timeoutMs, assignedPort, ignoreHttp1xx }: CheckOptions,
): Promise<ProbeAnswer> {
  const to = addressOf(port, host, target, assignedPort);
  const url = `${(scheme ?? "HTTP").toLowerCase()}://${bracketed(to.host)}:${to.port}${path.startsWith("/") ? "" : "/"}${path}`;
  const headers = Object.fromEntries((httpHeaders ?? []).map(({ name, value }) => [name, value]));
  const { status } = await target.transport.httpGet({ url, headers, timeoutMs });
  if (status >= 200 && status < 400) return { verdict: "success", words: `HTTP status ${status}` };
  if (status < 200 && ignoreHttp1xx === true) return { verdict: "neutral", words: `HTTP status ${status}` };
  return { verdict: "failure", words: `HTTP probe failed with statuscode: ${status} (${url})` };
}

async function runTcp(
  { port, host }: NonNullable<ProbeAction["tcpSocket"]>,
  target: CheckTarget,
  { timeoutMs, assignedPort }: CheckOptions,
): Promise<ProbeAnswer> {
  const to = addressOf(port, host, target, assignedPort);
  await target.transport.tcpConnect(to.host, to.port, timeoutMs);
  return { verdict: "success", words: `connected to ${to.host}:${to.port}` };
}

function addressOf(
  port: number | string,
  host: string | undefined,
  { pod, container, podAddress, hostAddress }: CheckTarget,
  assignedPort: string | undefined,
): { readonly host: string; readonly port: number } {
  if (assignedPort !== undefined) return { host: hostAddress, port: hostPortOf(pod, container, assignedPort) };
  return { host: host || podAddress, port: portNumber(port, container) };
}

function portNumber(port: number | string, container: Container): number {
  if (typeof port === "number") return port;
  const named = container.ports?.find(({ name }) => name === port)?.containerPort;
  const number = named ?? Number(port);
  if (!Number.isInteger(number) || number < 1 || number > 65_535) {
    throw new ConfigurationError(`container ${container.name} has no port "${port}"`);
  }
  return number;
}

function bracketed(host: string): string {
  return host.includes(":") && !host.startsWith("[") ? `[${host}]` : host;
}
