import type { Heartbeat, HeartbeatAnswer } from "../../model/heartbeat.ts";
import { WebSocketDialer } from "../../network/link/web-socket-dialer.ts";
import type { Clock } from "../../seams/clock.ts";
import { SystemRandom } from "../../seams/random.ts";
import { HeartbeatLink } from "../remote/heartbeat-link.ts";
import { Servers } from "../remote/servers.ts";
import type { Way } from "./thread-messages.ts";

/** The thread's own link to the control plane. */
export class ThreadLink {
  readonly #servers: Servers;
  readonly #link: HeartbeatLink;
  #way: Way;

  constructor(way: Way, clock: Clock) {
    this.#way = way;
    const random = new SystemRandom();
    const { path, protocol } = way;
    const dialerTo = (server: string) =>
      new WebSocketDialer({ server, path, protocol, clock, material: () => this.#way.material });
    const servers = new Servers(way.servers, random, dialerTo, way.first);
    this.#servers = servers;
    this.#link = new HeartbeatLink({
      ...{ clock, random },
      get dialers() {
        return servers.dialers;
      },
    });
  }

  send(beat: Heartbeat): Promise<HeartbeatAnswer> {
    return this.#link.send(beat);
  }

  change(way: Way): void {
    this.#way = way;
    this.#servers.set(way.servers);
  }
}
