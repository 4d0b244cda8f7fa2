import type { Mounted } from "../../http/mount.ts";
import { refusal } from "./agent-api.ts";

/** RFC 9110, 15.5.20: the request was sent to somebody who cannot answer it. */
const MISDIRECTED = 421;

/** The agent's own routes; whoever asks for anything else is told which servers to ask. */
export class AgentMounted implements Mounted {
  readonly #own: Mounted;
  readonly #servers: () => readonly string[];
  readonly #caFile: string;

  /** `caFile`: on this host, with the CA of the servers. */
  constructor(own: Mounted, servers: () => readonly string[], caFile: string) {
    this.#own = own;
    this.#servers = servers;
    this.#caFile = caFile;
  }

  get routes(): Mounted["routes"] {
    return this.#own.routes;
  }

  async handle(...args: Parameters<Mounted["handle"]>): Promise<Response> {
    const answer = await this.#own.handle(...args);
    return answer.status === 404 ? this.#elsewhere() : answer;
  }

  async openSocket(): ReturnType<Mounted["openSocket"]> {
    return this.#elsewhere();
  }

  #elsewhere(): Response {
    const [first] = this.#servers();
    const ways = `styr --server ${first} --ca ${this.#caFile} --token TOKEN …; a token: styr user token create NAME, there`;
    const how = first === undefined ? "" : `: ${ways}`;
    return refusal(
      MISDIRECTED,
      "Misdirected",
      `this host runs an agent only, which knows its own pods alone (styr status shows them); ask a server of the cluster${how}`,
    );
  }
}
