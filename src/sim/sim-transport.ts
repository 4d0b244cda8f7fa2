/** Health checks against simulated containers: whoever runs answers 200, unless its image says otherwise. */
import { parseDurationMs } from "../lib/duration.ts";
import type { Clock } from "../seams/clock.ts";
import { type HttpProbe, type Transport, TransportError } from "../seams/transport.ts";
import type { SimMachine } from "./sim-machine.ts";

/**
 *     fake/hang:after-3s     runs, and stops answering 3 s after its start
 *     fake/warm:after-3s     runs, and begins to answer 3 s after its start
 */
const MANNERS = /\bfake\/(hang|warm)(?::after-(\w+))?/;

export class SimTransport implements Transport {
  readonly #machine: () => SimMachine;
  readonly #hostAddress: string;
  readonly #clock: Clock;

  constructor(machine: () => SimMachine, hostAddress: string, clock: Clock) {
    this.#machine = machine;
    this.#hostAddress = hostAddress;
    this.#clock = clock;
  }

  async httpGet({ url, timeoutMs }: HttpProbe): Promise<{ readonly status: number }> {
    const [, host = "", port = ""] = /^https?:\/\/([^/:]+|\[[^\]]+\])(?::(\d+))?/.exec(url) ?? [];
    await this.#reach(host, Number(port), timeoutMs);
    return { status: 200 };
  }

  async tcpConnect(host: string, port: number, timeoutMs: number): Promise<void> {
    await this.#reach(host, port, timeoutMs);
  }

  async #reach(host: string, port: number, timeoutMs: number): Promise<void> {
    const manner = this.#mannerAt(host, port);
    if (manner === "answers") return;
    if (manner === "refuses") throw new TransportError(`connect ECONNREFUSED ${host}:${port}`);
    await this.#clock.sleep(timeoutMs);
    throw new TransportError(`no answer within ${timeoutMs} ms`);
  }

  #mannerAt(host: string, port: number): "answers" | "refuses" | "hangs" {
    for (const { run, observed } of this.#machine().runs.values()) {
      if (observed.state !== "running") continue;
      const { pod } = run;
      const isOnHost = host === this.#hostAddress && (pod.hostNetwork || pod.ports.some((p) => p.hostPort === port));
      if (pod.address !== host && !isOnHost) continue;
      const [, word, after = ""] = MANNERS.exec(run.spec.image ?? "") ?? [];
      if (word === undefined) return "answers";
      const isAfter = this.#machine().clock.now() - (observed.startedAtMs ?? 0) >= (parseDurationMs(after) ?? 0);
      if (word === "hang") return isAfter ? "hangs" : "answers";
      return isAfter ? "answers" : "refuses";
    }
    return "refuses";
  }
}
